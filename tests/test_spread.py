"""Tables spread over the workers of a cluster: the same counts and the same faults as without one, whatever the data."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import fsspec
import pandas as pd
import pytest
from conftest import ROOT
from distributed import Client, LocalCluster
from hypothesis import given, settings
from hypothesis import strategies as st
from test_checks import BROKEN, cell, parquet, text
from test_tabulate import PLACES, all_tables, lazy, people, tables

from analysis import folder, spread, tabulate
from analysis.edition import examine
from analysis.faults import BadInput
from analysis.schema import schema
from analysis.tables import read_table

FEW = settings(max_examples=4)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A cluster of two workers inside this process, each with one thread."""
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0") as made,
        Client(made) as found,
    ):
        yield found


@pytest.fixture(scope="module")
def small() -> Iterator[pytest.MonkeyPatch]:
    """Every Parquet table is large, and a share of it three rows."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"LARGE": 0, "MOST_SENT": -1, "SHARE": 3, "MOST_HELD": 7}.items():
            patch.setattr(spread, name, value)
        yield patch


class Told(spread.Workers):
    """A cluster that remembers what it was asked."""

    def ask(self, sql: str, columns: Any, views: Any) -> spread.Asked:
        self.asked = [*getattr(self, "asked", []), (sql, len(views))]
        return super().ask(sql, columns, views)


@pytest.fixture(scope="module")
def workers(client: Client, small: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[], Any]], Any]]:
    """Does something with the cluster in use; at least something must have been asked of it."""

    def using(what: Callable[[], Any], *, asked: bool = True) -> Any:
        told = Told(client.scheduler.address, client)
        spread.IN_USE.append(told)
        try:
            return what()
        finally:
            spread.IN_USE.clear()
            assert bool(getattr(told, "asked", [])) == asked

    return using


def in_parts(frame: pd.DataFrame, folder: Path, rows: int = 5) -> Path:
    """A table as a folder of Parquet parts, of so many rows each."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    sql = {"Int64": "BIGINT"}
    columns = ", ".join(
        f'CAST("{name}" AS {sql.get(str(kind), "VARCHAR")}) AS "{name}"' for name, kind in frame.dtypes.items()
    )
    plain = frame.astype(object).where(frame.notna(), None)
    for number, start in enumerate(range(0, max(len(frame), 1), rows)):
        part = plain.iloc[start : start + rows]  # noqa: F841, DuckDB finds it by name
        duckdb.sql(f"COPY (SELECT {columns} FROM part) TO '{folder}/{number:03}.parquet' (FORMAT parquet)")
    return folder


@FEW
@given(people, st.integers(1, 6))
def test_counts_are_the_same_on_pandas_on_duckdb_and_on_the_cluster(workers, tmp_path_factory, data, rows):
    base = tmp_path_factory.mktemp("tables", numbered=True)
    who, legs = tables(data)
    towns = pd.DataFrame([(key, town["country"]) for key, town in PLACES.items()], columns=["place", "country"])
    declared = len(data) + 3
    files = {name: in_parts(frame, base / name, rows) for name, frame in {"interviewees": who.assign(gender=None), "legs": legs, "places": towns}.items()}  # fmt: skip

    def counted() -> dict[str, Any]:
        read = {name: read_table(file, schema(name)).frame for name, file in files.items()}
        found = all_tables(read["interviewees"], read["legs"], declared, move=lambda _: read["places"])
        made = {"mode": tabulate.by_mode(read["interviewees"], read["legs"])}
        made["modes"] = tabulate.by_modes(read["interviewees"], read["legs"], declared=declared)
        made["movements"] = tabulate.movements(read["interviewees"], read["legs"], PLACES | {"": {}})
        return found | made

    plain = all_tables(lazy(who), lazy(legs), declared)
    plain["mode"] = tabulate.by_mode(lazy(who), lazy(legs))
    plain["modes"] = tabulate.by_modes(lazy(who), lazy(legs), declared=declared)
    plain["movements"] = tabulate.movements(lazy(who), lazy(legs), PLACES)
    here, there = counted(), workers(counted)
    for name, counts in plain.items():
        for other in (here[name], there[name]):
            pd.testing.assert_frame_equal(counts.frame, other.frame, obj=name)
            assert (counts.who, counts.states) == (other.who, other.states), name


def faults(edition: Path) -> list[str]:
    return list(map(str, examine(edition)[1]))


PARQUET = {name: each for name, (each, *_) in BROKEN.items() if "Parquet" in name or "part" in name}


@pytest.mark.parametrize("name", PARQUET)
def test_a_broken_edition_is_told_of_in_the_same_words(workers, edition: Path, name: str):
    PARQUET[name](edition)
    expected = faults(edition)
    assert workers(lambda: (spread.gathered(_anything(edition.parent)), faults(edition))[1]) == expected


def _anything(folder: Path) -> Any:
    """A table that the cluster is asked about, also where an edition cannot be read at all."""
    file = in_parts(pd.DataFrame({"place": ["a"]}), folder / "anything")
    return read_table(file, schema("places"), sound=True).frame


WRONG = {
    "interviewees": "SELECT * REPLACE (CASE WHEN interviewee = 'i03' THEN 'i02' ELSE interviewee END AS interviewee, "
    "CASE WHEN interviewee = 'i05' THEN 'x' WHEN interviewee > 'i07' THEN '7' ELSE age_min END AS age_min, "
    "CASE WHEN interviewee = 'i04' THEN ' lawyer' ELSE profession END AS profession) FROM t",
    "legs": "SELECT * REPLACE (CASE WHEN leg = '2' THEN '5' ELSE leg END AS leg, 'nowhere' AS from_place, "
    "CASE WHEN interviewee = 'i02' THEN 'i99' ELSE interviewee END AS interviewee, DATE '1999-01-01' AS departed) FROM t",
}  # fmt: skip


def test_many_faults_in_several_tables_are_the_same(workers, edition: Path):
    for name, sql in WRONG.items():
        parquet(name, f"{sql} WHERE interviewee < 'i05'", f"{sql} WHERE interviewee >= 'i05'")(edition)
    cell("places", 3, "country", "RUX")(edition)
    text("datapackage.json", '"declared_interviewees": 17', '"declared_interviewees": 3')(edition)
    expected = faults(edition)
    assert len(expected) > 20
    assert any("interviewees/part-1.parquet, row " in fault for fault in expected)
    assert workers(lambda: faults(edition)) == expected


@pytest.mark.parametrize("wrong", ["counted", "age_min", "interviewee"])
def test_of_many_rows_at_fault_the_same_are_shown(workers, tmp_path: Path, monkeypatch, wrong: str):
    monkeypatch.setattr(spread, "SHARE", 70)
    duckdb.sql(
        "SELECT 'p' || i AS interviewee, 'yes' AS counted, '20' AS age_min, '20' AS age_max, NULL AS gender, "
        "'cook' || i % 200 AS profession, NULL AS isco08 FROM range(300) AS t(i)"
    ).df().assign(**{wrong: "x"}).pipe(in_parts, tmp_path / "interviewees", 110)
    package = {
        "title": "t",
        "description": "d",
        "report": {"declared_interviewees": 200},
        "resources": [{"name": "interviewees", "path": "interviewees"}],
    }
    (tmp_path / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    expected = faults(tmp_path)
    assert workers(lambda: faults(tmp_path)) == expected
    assert any("200 more rows like these" in fault for fault in expected) == (wrong != "interviewee")


def test_what_is_small_is_counted_here(workers, edition: Path, monkeypatch):
    parquet("interviewees", "FROM t")(edition)
    assert workers(lambda: faults(edition)) == []
    monkeypatch.setattr(spread, "LARGE", 1000)
    assert workers(lambda: faults(edition), asked=False) == []


def test_all_of_a_table_is_in_its_shares_once(workers, tmp_path: Path):
    rows = 41
    file = in_parts(pd.DataFrame({"place": [f"p{n}" for n in range(rows)]}), tmp_path / "places", 10)

    def seen(by: tuple[str, ...]) -> list[int]:
        frame = read_table(file, schema("places"), sound=True).frame
        return sorted(row["_row"] for row in spread.gathered(frame.select("_row", "place"), by=by))

    for by in ((), ("place",), ("country", "name")):
        assert workers(lambda by=by: seen(by)) == list(range(2, rows + 2))


def test_an_edition_at_an_address_is_found_there_by_each_worker(workers, edition: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(folder, "CACHE", tmp_path / "cache")
    parquet("interviewees", WRONG["interviewees"])(edition)
    memory = fsspec.filesystem("memory")
    for name in folder.contents(edition):
        memory.pipe_file(f"/spread/copy/{name}", (edition / name).read_bytes())
    asked = []
    monkeypatch.setattr(spread, "_at_hand", lambda view, worker, find=spread._at_hand: asked.append(view) or find(view, worker))  # fmt: skip
    expected = list(map(str, examine("memory://spread/copy")[1]))
    assert "memory://spread/copy/interviewees.parquet, row 6, column age_min: found 'x'" in " ".join(expected)
    assert workers(lambda: list(map(str, examine("memory://spread/copy")[1]))) == expected
    assert {(view["at"], *view["files"]) for view in asked} == {("memory://spread/copy", "interviewees.parquet")}
    memory.rm("/spread", recursive=True)


def test_another_file_at_the_same_place_is_refused(tmp_path: Path):
    file = in_parts(pd.DataFrame({"place": ["a"]}), tmp_path / "places") / "000.parquet"
    view = {"at": "", "files": [str(file)], "ends": ["another"]}
    with pytest.raises(BadInput, match=r"^worker w: found another edition at .*/places, needed the same"):
        spread._at_hand(view, "w")
    file.unlink()
    with pytest.raises(BadInput, match=r"^worker w: found no edition at .*/places, needed it where the worker can"):
        spread._at_hand(view, "w")


def test_another_version_refuses(workers, edition: Path, monkeypatch):
    parquet("interviewees", "FROM t")(edition)
    programs = iter(["mine", *["another"] * 1000])
    monkeypatch.setattr(spread, "program", lambda: next(programs))
    with pytest.raises(BadInput, match=r"^worker \S+: found another version of the program"):
        workers(lambda: faults(edition))


def test_every_question_of_a_check_names_its_tables(workers, edition: Path):
    """Also those for single rows: none is asked with a table's rows inside its text."""
    parquet("legs", "FROM t WHERE leg = '1'", "FROM t WHERE leg > '1'")(edition)
    found = []

    def asked() -> None:
        faults(edition)
        found.extend(spread.IN_USE[-1].asked)

    workers(asked)
    assert max(shares for _, shares in found) > 2
    assert not [sql for sql, _ in found if "read_parquet" in sql or str(ROOT) in sql]


LETTING_GO = """
import duckdb, sys
from analysis import spread
from analysis.edition import examine

def held():
    return duckdb.execute("SELECT current_setting('memory_limit')").fetchone()[0]

for sound in (False, True):
    edition, faults = examine(sys.argv[1], sound=sound)
    rows = edition.tables["interviewees"].collect("pandas").shape[0]
    print(rows, len(faults), held())
    spread.let_go()
print(held() != "429.1 MiB", not spread.KNOWN)
"""


def test_what_duckdb_held_is_given_back_and_tables_can_be_read_again(edition: Path):
    parquet("interviewees", "FROM t")(edition)
    call = [sys.executable, "-c", LETTING_GO, str(edition)]
    said = subprocess.run(call, capture_output=True, text=True, check=True).stdout.splitlines()
    assert said == ["10 0 572.2 MiB", "10 0 429.1 MiB", "True True"]
