"""A broken edition is refused with file, row and column, every fault in one pass, and never a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import run


def cell(table: str, row: int, column: str, value: str) -> Callable[[Path], None]:
    """A break: one cell of a table (row as a spreadsheet numbers it) set to a value."""

    def broken(edition: Path) -> None:
        import csv

        file = edition / f"{table}.csv"
        rows = list(csv.reader(file.open(encoding="utf-8")))
        rows[row - 1][rows[0].index(column)] = value
        with file.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out, lineterminator="\n").writerows(rows)

    return broken


def text(file: str, old: str, new: str) -> Callable[[Path], None]:
    """A break: words of a file replaced."""

    def broken(edition: Path) -> None:
        path = edition / file
        before = path.read_text(encoding="utf-8")
        assert old in before
        path.write_text(before.replace(old, new, 1), encoding="utf-8")

    return broken


def data(file: str, content: bytes | Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """A break: the bytes of a file replaced."""

    def broken(edition: Path) -> None:
        path = edition / file
        path.write_bytes(content(path.read_bytes()) if callable(content) else content)

    return broken


BROKEN = {
    "age in words": (cell("interviewees", 3, "age_min", "twenty"), "interviewees.csv, row 3, column age_min: found 'twenty', needed a whole number"),
    "age with a point": (cell("interviewees", 3, "age_min", "20.5"), "row 3, column age_min"),
    "age NaN": (cell("interviewees", 3, "age_min", "NaN"), "row 3, column age_min"),
    "age 1e9": (cell("interviewees", 3, "age_min", "1e9"), "row 3, column age_min"),
    "age too great": (cell("interviewees", 7, "age_max", "200"), "row 7, column age_max: found '200', needed 120 or less"),
    "one age of two": (cell("interviewees", 3, "age_max", ""), "row 3, column age_max: found nothing, needed both ages or neither"),
    "ages swapped": (cell("interviewees", 3, "age_min", "24"), "row 3, column age_min: found '24', needed age_min no greater than age_max; swap the two"),
    "counted misspelt": (cell("interviewees", 4, "counted", "yess"), "row 4, column counted: found 'yess', needed one of yes, unclear, no; did you mean 'yes'?"),
    "counted blank": (cell("interviewees", 4, "counted", ""), "row 4, column counted: found nothing, needed a value"),
    "id twice": (cell("interviewees", 4, "interviewee", "i02"), "row 4, column interviewee: found 'i02' 2 times"),
    "id with spaces": (cell("interviewees", 4, "interviewee", "i 03"), "row 4, column interviewee: found 'i 03'"),
    "id a formula": (cell("interviewees", 4, "interviewee", "=HYPERLINK(1)"), "row 4, column interviewee: found '=HYPERLINK(1)'"),
    "id a path": (cell("interviewees", 4, "interviewee", "../i03"), "row 4, column interviewee: found '../i03'"),
    "isco in words": (cell("interviewees", 3, "isco08", "developer"), "row 3, column isco08"),
    "mode misspelt": (cell("legs", 3, "mode", "aire"), "legs.csv, row 3, column mode: found 'aire', needed one of air, rail, road, bicycle, foot; did you mean 'air'?"),
    "date of Excel": (cell("legs", 3, "departed", "22/09/2022"), "row 3, column departed: found '22/09/2022', needed a date as YYYY-MM-DD"),
    "date that is none": (cell("legs", 3, "departed", "2022-02-30"), "row 3, column departed: found '2022-02-30'"),
    "place unknown": (cell("legs", 3, "to_place", "astrakan"), "row 3, column to_place: found 'astrakan', needed the place of a row of table places; did you mean 'astrakhan'?"),
    "leg of nobody": (cell("legs", 2, "interviewee", "i77"), "row 2, column interviewee: found 'i77', needed the interviewee of a row of table interviewees"),
    "legs with a gap": (cell("legs", 4, "leg", "5"), "needed legs numbered 1 to n"),
    "nights below nought": (cell("legs", 2, "nights_waited", "-1"), "row 2, column nights_waited: found '-1', needed 0 or more"),
    "country no longer": (cell("places", 2, "country", "YUG"), "places.csv, row 2, column country: found 'YUG', needed an ISO 3166-1 alpha-3 code in use"),
    "latitude of 91": (cell("places", 2, "latitude", "91"), "row 2, column latitude: found '91', needed 90 or less"),
    "latitude with comma": (cell("places", 2, "latitude", "51,2"), "row 2, column latitude"),
    "half a position": (cell("places", 2, "longitude", ""), "row 2, column longitude: found nothing, needed both latitude and longitude or neither"),
    "low above high": (cell("destinations", 3, "low", "100000"), "destinations.csv, row 3, column low: found '100000', needed low no greater than high; swap the two"),
    "no number": (cell("destinations", 2, "high", ""), "row 2, column low: found nothing, needed a low, a high or both"),
    "country code of two": (cell("destinations", 2, "countries", "KZ"), "row 2, column countries: found 'KZ'"),
    "country code unknown": (cell("destinations", 2, "countries", "KAX"), "row 2, column countries: found 'KAX', needed an ISO 3166-1 alpha-3 code in use"),
    "window backwards": (cell("destinations", 2, "window_end", "2022-09-01"), "row 2, column window_end"),
    "boolean in words": (cell("destinations", 2, "includes_others", "TRUE"), "row 2, column includes_others: found 'TRUE', needed true or false"),
    "fragment too long": (cell("evidence", 5, "exact", "one two three four five six seven eight nine"), "evidence.csv, row 5, column exact"),
    "judged without reason": (cell("evidence", 5, "note", ""), "evidence.csv, row 5, column note: found nothing, needed a note that gives the reason"),
    "rule unknown": (text("evidence.csv", "age-phrase", "age-frase"), "column note: found 'age-frase', needed a rule's name first in the note; did you mean 'age-phrase'?"),
    "evidence of nothing": (cell("evidence", 6, "column", "age_mx"), "evidence.csv, row 6, column key: found 'interviewees.i02.age_mx'"),
    "value without evidence": (cell("interviewees", 11, "profession", "cook"), "no evidence for interviewees i10 profession"),
    "column misspelt": (text("interviewees.csv", "age_min", "age_mim"), "interviewees.csv, row 1, column age_min: found no such column, needed column age_min; rename 'age_mim'"),
    "column twice": (text("interviewees.csv", "age_max", "age_min"), "interviewees.csv, row 1: found column 'age_min' twice"),
    "row too short": (text("interviewees.csv", "i05,yes,20,20,man,student,", "i05,yes,20"), "interviewees.csv, row 6: found 3 cells, needed 7 cells"),
    "row too long": (text("interviewees.csv", "i05,yes,20,20,man,student,", "i05,yes,20,20,man,student,,x"), "interviewees.csv, row 6: found 8 cells"),
    "open quote": (text("interviewees.csv", "student", '"student'), "interviewees.csv, row"),
    "byte order mark": (data("interviewees.csv", lambda b: b"\xef\xbb\xbf" + b), "interviewees.csv, row 1: found a byte order mark"),
    "UTF-16": (data("interviewees.csv", lambda b: b.decode().encode("utf-16")), "interviewees.csv, row 1: found a byte order mark"),
    "Latin-1": (data("statements.csv", lambda b: b.replace(b"war", b"w\xe4r")), "statements.csv, row 4: found byte 0xe4, needed UTF-8"),
    "semicolons": (data("interviewees.csv", lambda b: b.replace(b",", b";")), "interviewees.csv, row 1: found cells parted by semicolons"),
    "empty file": (data("interviewees.csv", b""), "interviewees.csv, row 1: found an empty file"),
    "NUL byte": (data("interviewees.csv", lambda b: b + b"\0"), "interviewees.csv, row 12: found a NUL byte"),
    "no such table": (lambda e: (e / "legs.csv").unlink(), "legs.csv: found no such file"),
    "folder for a file": (lambda e: ((e / "legs.csv").unlink(), (e / "legs.csv").mkdir()), "legs.csv: found a folder"),
    "package no JSON": (data("datapackage.json", b"{"), "datapackage.json, row 1: found"),
    "package a list": (data("datapackage.json", b"[]"), "datapackage.json: found '[]', needed a JSON object"),
    "package empty": (data("datapackage.json", b"{}"), "datapackage.json, column resources: found no resources"),
    "path out of the edition": (text("datapackage.json", '"path": "legs.csv"', '"path": "../legs.csv"'), "column resources[2]: found '../legs.csv'"),
    "path absolute": (text("datapackage.json", '"path": "legs.csv"', '"path": "/etc/passwd"'), "column resources[2]: found '/etc/passwd'"),
    "table listed twice": (text("datapackage.json", '"name": "legs"', '"name": "interviewees"'), "found 'interviewees' twice"),
    "declared in words": (text("datapackage.json", '"declared_interviewees": 17', '"declared_interviewees": "17"'), "column report.declared_interviewees: found '17', needed a whole number"),
    "declared too few": (text("datapackage.json", '"declared_interviewees": 17', '"declared_interviewees": 7'), "column report.declared_interviewees: found 7, needed at least 8"),
    "event of no day": (text("datapackage.json", '"date": "2022-09-21"', '"date": "21.9.2022"'), "column report.reference_event.date: found '21.9.2022'"),
    "collected nowhere": (text("datapackage.json", '"collected_at": "oral"', '"collected_at": "orel"'), "column report.collected_at: found 'orel', needed a place of table places; did you mean 'oral'?"),
    "report key misspelt": (text("datapackage.json", '"collected_at"', '"colected_at"'), "column report: found 'colected_at'"),
    "minimum of nought": (text("datapackage.json", '"minimum_cell": 1', '"minimum_cell": 0'), "column report.minimum_cell: found '0'"),
    "digits of another script": (cell("interviewees", 3, "age_min", "٢٠"), "row 3, column age_min: found '٢٠', needed a whole number"),
    "reserved label": (cell("interviewees", 9, "profession", "not described"), "row 9, column profession: found 'not described', needed a value of the source"),
    "blank label": (cell("destinations", 2, "measure", " "), "row 2, column measure: found ' ', needed text without blanks at its ends"),
    "label with blank at its end": (cell("interviewees", 3, "profession", "developer "), "row 3, column profession: found 'developer '"),
    "code with a line break": (cell("destinations", 2, "countries", "KAZ\n"), "column countries: found 'KAZ\\n'"),
    "country twice": (cell("destinations", 2, "countries", "KAZ KAZ"), "row 2, column countries: found 'KAZ KAZ', needed each country once"),
    "date of another age": (cell("legs", 3, "departed", "0001-01-01"), "row 3, column departed: found '0001-01-01'"),
    "fragment of no words": (cell("evidence", 5, "exact", "..."), "row 5, column exact: found '...', needed one to 8 words"),
    "second coding misspelt": (text("second-coding/legs.csv", "made", "MAED"), "second-coding/legs.csv, row 2, column status: found 'MAED'"),
    "second coding the first": (text("datapackage.json", "second-coding/legs.csv", "legs.csv"), "found 'legs.csv' twice, needed each file for one table"),
    "title a list": (text("datapackage.json", '"title": "Russians', '"title": ["x"], "x": "Russians'), "datapackage.json, column title: found '[\"x\"]', needed text"),
    "sources in words": (text("datapackage.json", '"sources": [', '"sources": "FT", "x": ['), "column sources: found '\"FT\"', needed a list of objects with a title"),
    "half a surrogate": (text("datapackage.json", "Russians interviewed", "\\ud800 interviewed"), "found half of a surrogate pair"),
    "number beyond all": (text("datapackage.json", '"declared_interviewees": 17', '"declared_interviewees": 1' + "0" * 5000), "datapackage.json: found"),
    "nested without end": (data("datapackage.json", b"[" * 100_000), "datapackage.json: found"),
    "path with NUL": (text("datapackage.json", '"path": "legs.csv"', '"path": "a\\u0000b"'), "needed a path of ordinary characters"),
    "link in a circle": (lambda e: ((e / "legs.csv").unlink(), (e / "legs.csv").symlink_to("legs.csv")), "found"),
    "codebook in Latin-1": (data("codebook.md", b"\xe4"), "codebook.md: found a byte at 0"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_edition_is_refused_in_words(kind: str, edition: Path):
    import contextlib
    import io

    from analysis.cli import main

    breaks, told = BROKEN[kind]
    breaks(edition)
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        code = main(["check", str(edition)])
    assert code == 2
    assert told in said.getvalue()


def test_every_fault_is_found_in_one_pass(edition: Path):
    for breaks in (
        cell("interviewees", 3, "gender", "men"),
        cell("interviewees", 4, "age_min", "x"),
        cell("legs", 3, "mode", "plane"),
    ):
        breaks(edition)
    faults = [line for line in run("check", edition, code=2).stderr.splitlines() if line.startswith("fault:")]
    assert any("age_min" in line for line in faults)
    assert run("check", edition, code=2).stdout.startswith(str(edition))


def test_a_settlement_that_the_tables_no_longer_bear_out_is_a_doubt(edition: Path):
    text("settlements.csv", "counted,no,no,no", "counted,no,no,yes")(edition)
    told = "doubt: " + str(edition / "settlements.csv") + ", row 2, column settled: found 'yes', needed 'no'"
    assert told in run("check", edition).stderr


def test_a_broken_edition_is_not_built(edition: Path, tmp_path: Path):
    cell("interviewees", 3, "age_min", "x")(edition)
    done = run("build", edition, "--out", tmp_path / "out", code=2)
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out" / "html").exists()


@pytest.mark.parametrize("name", ["nowhere", "", "../..", "data/oral-2022/legs.csv", "oral-2202"])
def test_what_is_no_edition_is_refused(name: str):
    done = run("check", name, code=2)
    assert len(done.stderr.splitlines()) == 1


def test_columns_of_an_editions_own_are_kept(edition: Path):
    file = edition / "interviewees.csv"
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join([lines[0] + ",mood", *(line + ",calm" for line in lines[1:])]) + "\n", encoding="utf-8")
    run("check", edition)
    from analysis.edition import load

    assert set(load(edition).text["interviewees"]["mood"]) == {"calm"}


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT * REPLACE ('abc' AS age_min) FROM t", "row 2, column age_min: found 'abc', needed a whole number"),
        ("SELECT * EXCLUDE (gender) FROM t", "column gender: found no such column"),
        (
            "SELECT * REPLACE (18446744073709551615::UBIGINT AS age_min) FROM t",
            "column age_min: found '18446744073709551615'",
        ),
        (None, "needed a sound Parquet file"),
    ],
    ids=["text for a number", "column missing", "number too great", "no Parquet"],
)
def test_a_wrong_parquet_table_is_refused_in_words(edition: Path, sql: str | None, told: str):
    import duckdb

    t = duckdb.sql(f"SELECT * FROM read_csv('{edition}/interviewees.csv', all_varchar = true)")  # noqa: F841
    if sql:
        duckdb.sql(f"COPY ({sql}) TO '{edition}/interviewees.parquet' (FORMAT parquet)")
    else:
        (edition / "interviewees.parquet").write_bytes(b"PAR1 garbage PAR1")
    text("datapackage.json", '"path": "interviewees.csv"', '"path": "interviewees.parquet"')(edition)
    assert told in run("check", edition, code=2).stderr


def test_a_table_may_be_parquet(edition: Path):
    import duckdb

    for table in ("interviewees", "legs"):
        duckdb.sql(
            f"COPY (SELECT * FROM read_csv('{edition}/{table}.csv', all_varchar = true)) TO '{edition}/{table}.parquet' (FORMAT parquet)"
        )
    package = edition / "datapackage.json"
    content = json.loads(package.read_text(encoding="utf-8"))
    for resource in content["resources"]:
        if resource["name"] in ("interviewees", "legs"):
            resource["path"] = f"{resource['name']}.parquet"
    package.write_text(json.dumps(content), encoding="utf-8")
    run("check", edition)

    from analysis import report
    from analysis.edition import load

    one, other = load("oral-2022"), load(edition)
    for exhibit in (report.nights_waited, report.days_to_border, report.people, report.onward):
        assert exhibit(one).as_json()["rows"] == exhibit(other).as_json()["rows"]


def test_many_people_are_counted_but_not_listed(tmp_path: Path):
    """Three hundred interviewees, and no other table: pages carry counts only."""
    from analysis import report
    from analysis.edition import load

    header = "interviewee,counted,age_min,age_max,gender,profession,isco08\n"
    rows = "".join(f"p{n},yes,{20 + n % 30},{20 + n % 30},,cook,\n" for n in range(300))
    (tmp_path / "interviewees.csv").write_text(header + rows, encoding="utf-8")
    package = {"name": "many", "title": "Many", "resources": [{"name": "interviewees", "path": "interviewees.csv"}]}
    (tmp_path / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    edition = load(tmp_path)
    assert report.people(edition).as_json()["rows"] == []
    assert "300 people are too many to list" in report.people(edition).description
    by_age = report.interviewees_by_age(edition, "18,25,35,45").as_json()
    assert sum(row[-1] for row in by_age["rows"]) == 300
    assert "rows behind it" not in by_age["view"]["columns"]
    assert "p299" not in json.dumps(by_age)
    assert "no table legs" in report.onward(edition).description
