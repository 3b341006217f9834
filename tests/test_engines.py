"""The same expressions give the same problems and counts on pandas, DuckDB and Spark Connect; an engine never hangs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import narwhals as nw
import pandas as pd
import pytest
from conftest import absent, edit_json, run, tries, write_edition
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from analysis import folder, spark
from analysis.coding import checks, relations
from analysis.csvfile import Cells
from analysis.editions import examine, open_edition
from analysis.schema import schema
from analysis.tables import DUCKDB, Table, _duckdb, collect, collect_rows, from_cells, from_stored
from analysis.text import as_text
from parabook.errors import InputError

SERVER = """
import time
from pysail.spark import SparkConnectServer
server = SparkConnectServer("127.0.0.1", 0)
server.start(background=True)
print(server.listening_address[1], flush=True)
time.sleep(3600)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Sail, and its address."""
    try:
        import pysail.spark  # noqa: F401
        import pyspark  # noqa: F401
    except ImportError:
        absent("pysail with pyspark-client")
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout
            yield f"sc://127.0.0.1:{process.stdout.readline().strip()}", process
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()


identifier = st.sampled_from(["i1", "i2", "i3", "i 4", "", "=x", "\u00e9", "-"])
number = st.sampled_from(["", "0", "5", "20", "20.5", "-1", "200", "007", "x", "1e9", " 3"])
CELLS = {
    "interviewee": identifier, "counted": st.sampled_from(["yes", "no", "unclear", "yess", ""]), "age_min": number,
    "age_max": number, "gender": st.sampled_from(["man", "woman", "", "men"]),
    "profession": st.sampled_from(["cook", "cook ", "not stated", "NOT\u00a0stated", "=SUM(1)", "caf\ufffd", "a\u2028b", ""]),
    "isco08": st.sampled_from(["1", "25124", "", "x"]), "leg": number, "status": st.sampled_from(["made", "", "maed"]),
    "from_place": st.sampled_from(["a", "b", "c", ""]), "to_place": st.sampled_from(["a", "b", ""]),
    "mode": st.sampled_from(["air", "aire", ""]), "nights_waited": number,
    "departed": st.sampled_from(["2022-09-21", "2022-02-29", "2024-02-29", "1900-02-29", "0001-01-01", "21.9.2022", "", "2022-09-21x"]),
}  # fmt: skip


def rows(table: str) -> st.SearchStrategy[list[tuple[str, ...]]]:
    return st.lists(st.tuples(*(CELLS[column] for column in schema(table).columns)), min_size=1, max_size=6)


def stored(table: str, cells: list[tuple[str, ...]], engine: str) -> Table:
    """A table of text as an engine stores it; in memory where none is named."""
    columns = [*schema(table).columns, "_row"]
    numbered = [(*row, n) for n, row in enumerate(cells, 2)]
    if not engine:
        read = Cells(columns[:-1], [list(row) for row in cells], [row[-1] for row in numbered])
        return from_cells(read, schema(table), None, table)
    frame = pd.DataFrame(numbered, columns=columns).astype(dict.fromkeys(columns[:-1], "object"))
    ddl = ", ".join(f"`{name}` string" for name in columns[:-1]) + ", `_row` bigint"
    native = duckdb.from_df(frame) if engine == DUCKDB else spark.create_table(engine, numbered, ddl)
    return from_stored(nw.from_native(native).lazy(), schema(table), None, table)


def found(engine: str, people: list[tuple[str, ...]], legs: list[tuple[str, ...]]) -> list[str]:
    """What checks and counts give on an engine."""
    tables = {"interviewees": stored("interviewees", people, engine), "legs": stored("legs", legs, engine)}
    problems = [problem for table in tables.values() for problem in checks.table_problems(table)]
    problems += relations.reference_problems(tables, tables, {"places"})
    problems += relations.lone_problems(tables["interviewees"])
    people_frame, legs_frame = (table.frame for table in tables.values())
    counts = collect_rows(people_frame.group_by("age_min", "gender").agg(nw.len().alias("n")))
    moved = collect_rows(people_frame.join(legs_frame, on="interviewee", how="semi").select(nw.len().alias("n")))
    early = collect_rows(legs_frame.filter(nw.col("departed") < "2024-01-01").select(nw.len().alias("n")))
    return [
        *map(str, problems),
        *sorted(str({name: as_text(value) for name, value in row.items()}) for row in counts),
        str(moved),
        str(early),
    ]


@settings(max_examples=tries(15), deadline=None)
@given(people=rows("interviewees"), legs=rows("legs"))
def test_memory_and_duckdb_agree(people, legs):
    assert found("", people, legs) == found(DUCKDB, people, legs)


@pytest.mark.slow
@settings(max_examples=6, deadline=None, phases=[Phase.generate])
@given(people=rows("interviewees"), legs=rows("legs"))
def test_duckdb_and_spark_agree(server, people, legs):
    assert found(DUCKDB, people, legs) == found(server[0], people, legs)


def many(folder: Path, people: str = "yes") -> Path:
    """A thousand people and their legs as Parquet, places as CSV."""
    places = [["a", "Ay", "RUS", 55.7, 37.6, "city"], ["b", "Be", "KAZ", 51.2, 51.4, "city"]]
    write_edition(folder, {"places": places}, sources=[{"title": "x"}])
    made = {
        "interviewees": f"SELECT 'p' || n AS interviewee, CASE n WHEN 7 THEN '{people}' ELSE 'yes' END AS counted, 20 AS age_min, 20 AS age_max, "
        "'man' AS gender, NULL::VARCHAR AS profession, NULL::VARCHAR AS isco08 FROM range(1000) r(n)",
        "legs": "SELECT 'p' || n AS interviewee, 1 AS leg, 'made' AS status, 'a' AS from_place, 'b' AS to_place, 'rail' AS mode, "
        "DATE '2022-09-21' AS departed, n % 4 AS nights_waited FROM range(1000) r(n)",
    }
    for name, sql in made.items():
        duckdb.sql(f"COPY ({sql}) TO '{folder}/{name}.parquet' (FORMAT parquet)")
    with edit_json(folder / "datapackage.json") as package:
        package["resources"] += [{"name": name, "path": f"{name}.parquet"} for name in made]
    return folder


@pytest.mark.slow
def test_an_edition_is_checked_and_counted_where_it_lies(server, tmp_path: Path):
    edition = open_edition(many(tmp_path), engine=server[0])
    local = open_edition(tmp_path)
    assert edition.tables["interviewees"].implementation.is_spark_like()
    assert (edition.described, edition.places) == (local.described, local.places)
    legs, places = edition.tables["legs"], edition.tables["places"].select(nw.col("place").alias("to_place"), "country")
    counts = collect_rows(legs.join(places, on="to_place", how="left").group_by("country").agg(nw.len().alias("n")))
    assert counts == [{"country": "KAZ", "n": 1000}]


@pytest.mark.slow
def test_every_table_is_checked_there(server, edition: Path):
    """The first edition, each of its tables Parquet."""
    opened = open_edition(edition)
    with edit_json(edition / "datapackage.json") as package:
        for each in package["resources"]:
            each["path"] = f"{each['name']}.parquet"
            table = collect(opened.tables[each["name"]]).drop(columns="_row")
            _duckdb().from_df(table).write_parquet(str(edition / each["path"]))
    assert examine(edition)[1] == []
    assert examine(edition, engine=server[0])[1] == []


@pytest.mark.slow
def test_a_book_counted_on_the_engine_is_the_same(server, tmp_path: Path):
    edition = many(tmp_path / "many")
    tables = {}
    for name, engine in (("here", ()), ("there", ("--engine", server[0]))):
        run("build", edition, "--out", tmp_path / name, "--jobs", 2, *engine, cwd=tmp_path)
        files = (tmp_path / name / "tables").glob("*.csv")
        tables[name] = {file.name: file.read_text(encoding="utf-8") for file in files if file.name != "versions.csv"}
    assert tables["here"] == tables["there"]
    assert len(tables["here"]) > 10


@pytest.mark.slow
def test_a_row_at_fault_is_named_by_its_key(server, tmp_path: Path):
    (problem,) = examine(many(tmp_path, "yess"), engine=server[0])[1]
    wanted = "interviewees.parquet [p7], column counted: found 'yess', needed one of yes"
    assert str(problem).split("/")[-1].startswith(wanted)


def test_what_does_not_fit_into_memory_has_a_place_from_the_first_call(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(folder, "CACHE", tmp_path / "cache")
    _duckdb.cache_clear()
    ((place,),) = _duckdb().sql("SELECT current_setting('temp_directory')").fetchall()
    _duckdb.cache_clear()
    assert Path(place).parent == tmp_path / "cache" / "duckdb"
    assert Path(place).parent.is_dir()


@pytest.mark.parametrize("address", ["localhost:1", "sc://host", "tcp://host:1", "sc://host:port"])
def test_an_address_of_another_form_is_refused(address: str, tmp_path: Path):
    with pytest.raises(InputError, match="needed an address of the form sc://HOST:PORT"):
        open_edition(tmp_path, engine=address)


@pytest.mark.slow
def test_an_engine_that_is_not_there_or_cannot_read_or_is_paused_or_killed_says_so(server, tmp_path: Path, monkeypatch):
    address, process = server
    edition = many(tmp_path)
    cases = []

    def case(engine: str) -> None:
        started = time.monotonic()
        with pytest.raises(InputError) as caught:
            raise InputError(examine(edition, engine=engine)[1])
        cases.append((str(caught.value), time.monotonic() - started))

    monkeypatch.setenv(spark.TIMEOUT, "3")
    spark.session.cache_clear()
    case("sc://127.0.0.1:9")
    (edition / "legs.parquet").write_bytes(b"no Parquet")
    case(address)
    people = open_edition(many(edition), engine=address).interviewees
    os.kill(process.pid, signal.SIGSTOP)
    case(address)
    with pytest.raises(InputError, match="no answer within 3 s"):  # a request of narwhals' own
        people.group_by("gender").agg(nw.len()).collect_schema()
    process.kill()
    process.wait()
    case(address)
    messages = ["nothing that answers", "legs.parquet", "no answer within 3 s", ""]
    for (message, seconds), wanted in zip(cases, messages, strict=True):
        assert wanted in message
        assert len(message.splitlines()) == 1
        assert seconds < 30
