"""A broken edition is refused with file, row and column, every problem in one pass, and never a traceback."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest
from conftest import edit_json, read_csv, replace_text, run, tries, write_csv, write_edition
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analysis.editions import examine, open_edition
from analysis.schema import schema
from analysis.tables import collect_rows
from parabook.errors import InputError, Problem, grouped


class Break(NamedTuple):
    """Something wrong in an edition; ``of`` says what it concerns, as breaks of different things can be told apart."""

    of: str
    make: Callable[[Path], object]

    def __call__(self, edition: Path) -> None:
        self.make(edition)


def cell(table: str, row: int, column: str, value: str) -> Break:
    """One cell (row as a spreadsheet numbers it) set to a value."""

    def make(edition: Path) -> None:
        file = edition / f"{table}.csv"
        rows = read_csv(file)
        rows[row - 2][column] = value
        write_csv(file, list(rows[0]), rows)

    return Break(f"cell {table} {row}", make)


def text(file: str, old: str, new: str) -> Break:
    """Words of a file replaced."""
    return Break(file, lambda edition: replace_text(edition / file, old, new, 1))


def data(file: str, content: bytes | Callable[[bytes], bytes]) -> Break:
    """The bytes of a file replaced."""

    def make(edition: Path) -> None:
        path = edition / file
        path.write_bytes(content(path.read_bytes()) if callable(content) else content)

    return Break(file, make)


def line(table: str, added: str) -> Break:
    """A line put below a table."""
    return data(f"{table}.csv", lambda content: content + added.encode())


def package(*path: str | int, to: object) -> Break:
    """One value of datapackage.json set to another."""

    def make(edition: Path) -> None:
        with edit_json(edition / "datapackage.json") as content:
            place = content
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = to

    return Break("package " + ".".join(map(str, path[:2])), make)


def both(*breaks: Callable[[Path], object]) -> Break:
    """Several breaks, one after the other, which are checked alone."""
    return Break("", lambda edition: [each(edition) for each in breaks])


def instead(file: str, make: Callable[[Path], object]) -> Break:
    """Something else in the place of a file."""

    def replaced(edition: Path) -> None:
        (edition / file).unlink()
        make(edition / file)

    return Break(file, replaced)


def parquet(table: str, *selects: str, then: Callable[[Path], object] = lambda place: None) -> Break:
    """A table as Parquet, one file or a folder of parts, each what SQL selects from t; then something more."""

    def make(edition: Path) -> None:
        t = duckdb.sql(f"SELECT * FROM read_csv('{edition}/{table}.csv', all_varchar = true)")  # noqa: F841
        place = edition / (f"{table}.parquet" if len(selects) == 1 else table)
        if len(selects) > 1:
            place.mkdir()
        for number, sql in enumerate(selects):
            out = place / f"part-{number}.parquet" if len(selects) > 1 else place
            duckdb.sql(f"COPY ({sql}) TO '{out}' (FORMAT parquet)")
        then(place)
        replace_text(edition / "datapackage.json", f'"path": "{table}.csv"', f'"path": "{place.name}"', 1)

    return Break(f"{table}.csv", make)


BROKEN = {
    "age in words": (cell("interviewees", 3, "age_min", "twenty"), "interviewees.csv, row 3, column age_min: found 'twenty', needed a whole number"),
    "age too great": (cell("interviewees", 7, "age_max", "200"), "row 7, column age_max: found '200', needed 120 or less"),
    "one age of two": (cell("interviewees", 3, "age_max", ""), "row 3, column age_max: found nothing, needed both ages or neither"),
    "ages swapped": (cell("interviewees", 3, "age_min", "24"), "row 3, column age_min: found '24', needed age_min no greater than age_max; swap the two"),
    "counted misspelt": (cell("interviewees", 4, "counted", "yess"), "row 4, column counted: found 'yess', needed one of yes, unclear, no; did you mean 'yes'?"),
    "counted blank": (cell("interviewees", 4, "counted", ""), "row 4, column counted: found nothing, needed a value"),
    "id a path": (cell("interviewees", 4, "interviewee", "../i03"), "row 4, column interviewee: found '../i03'"),
    "date that is none": (cell("legs", 3, "departed", "2022-02-30"), "row 3, column departed: found '2022-02-30'"),
    "place unknown": (cell("legs", 3, "to_place", "astrakan"), "row 3, column to_place: found 'astrakan', needed the place of a row of table places; did you mean 'astrakhan'?"),
    "leg of nobody": (cell("legs", 2, "interviewee", "i77"), "row 2, column interviewee: found 'i77', needed the interviewee of a row of table interviewees"),
    "legs with a gap": (cell("legs", 4, "leg", "5"), "needed legs numbered 1 to n"),
    "nights below nought": (cell("legs", 2, "nights_waited", "-1"), "row 2, column nights_waited: found '-1', needed 0 or more"),
    "country that never was": (cell("places", 2, "country", "QQQ"), "places.csv, row 2, column country: found 'QQQ', needed ISO 3166-1 alpha-3 codes in use"),
    "half a position": (cell("places", 2, "longitude", ""), "row 2, column longitude: found nothing, needed both latitude and longitude or neither"),
    "low above high": (cell("destinations", 3, "low", "100000"), "destinations.csv, row 3, column low: found '100000', needed low no greater than high; swap the two"),
    "no number": (cell("destinations", 2, "high", ""), "row 2, column low: found nothing, needed a low, a high or both"),
    "country code unknown": (cell("destinations", 2, "countries", "KAX"), "row 2, column countries: found 'KAX', needed ISO 3166-1 alpha-3 codes in use"),
    "window backwards": (cell("destinations", 2, "window_end", "2022-09-01"), "row 2, column window_end"),
    "boolean in words": (cell("destinations", 2, "includes_others", "TRUE"), "row 2, column includes_others: found 'TRUE', needed true or false"),
    "fragment too long": (cell("evidence", 5, "exact", "one two three four five six seven eight nine"), "evidence.csv, row 5, column exact"),
    "judged without reason": (cell("evidence", 5, "note", ""), "evidence.csv, row 5, column note: found nothing, needed a note that gives the reason"),
    "rule unknown": (text("evidence.csv", "age-phrase", "age-frase"), "column note: found 'age-frase', needed a rule's name first in the note; did you mean 'age-phrase'?"),
    "evidence of nothing": (cell("evidence", 6, "column", "age_mx"), "evidence.csv, row 6, column key: found 'interviewees.i02.age_mx'"),
    "value without evidence": (cell("interviewees", 11, "profession", "cook"), "no evidence for interviewees i10 profession"),
    "column misspelt": (text("interviewees.csv", "age_min", "age_mim"), "interviewees.csv, row 1, column age_min: found no such column, needed column age_min; rename 'age_mim'"),
    "column twice": (text("interviewees.csv", "age_max", "age_min"), "interviewees.csv, row 1: found column 'age_min' twice"),
    "row too short": (text("interviewees.csv", "i05,yes,20,20,man,student,,", "i05,yes,20"), "interviewees.csv, row 6: found 3 cells, needed 8 cells"),
    "row too long": (text("interviewees.csv", "i05,yes,20,20,man,student,,", "i05,yes,20,20,man,student,,,x"), "interviewees.csv, row 6: found 9 cells"),
    "open quote": (text("interviewees.csv", "student", '"student'), "interviewees.csv, row"),
    "Latin-1": (data("statements.csv", lambda b: b.replace(b"war", b"w\xe4r")), "statements.csv, row 20: found byte 0xe4, needed UTF-8"),
    "semicolons": (data("interviewees.csv", lambda b: b.replace(b",", b";")), "interviewees.csv, row 1: found cells parted by ';'"),
    "empty file": (data("interviewees.csv", b""), "interviewees.csv, row 1: found an empty file"),
    "NUL byte": (data("interviewees.csv", lambda b: b + b"\0"), "interviewees.csv, row 12: found a NUL byte"),
    "no such table": (instead("legs.csv", lambda f: None), "legs.csv: found no such file"),
    "package no JSON": (data("datapackage.json", b"{"), "datapackage.json, row 1: found"),
    "package a list": (data("datapackage.json", b"[]"), "datapackage.json: found [], needed a JSON object"),
    "path out of the edition": (text("datapackage.json", '"path": "legs.csv"', '"path": "../legs.csv"'), "column resources[2]: found '../legs.csv'"),
    "table listed twice": (text("datapackage.json", '"name": "legs"', '"name": "interviewees"'), "found 'interviewees' twice"),
    "declared too few": (text("datapackage.json", '"declared_interviewees": 17', '"declared_interviewees": 7'), "column report.declared_interviewees: found 7, needed at least 8"),
    "event of no day": (text("datapackage.json", '"date": "2022-09-21"', '"date": "21.9.2022"'), "column report.reference_event.date: found '21.9.2022'"),
    "collected nowhere": (text("datapackage.json", '"collected_at": "oral"', '"collected_at": "orel"'), "column report.collected_at: found 'orel', needed a place of table places; did you mean 'oral'?"),
    "report key misspelt": (text("datapackage.json", '"collected_at"', '"colected_at"'), "column report: found 'colected_at'"),
    "minimum of nought": (text("datapackage.json", '"minimum_cell": 1', '"minimum_cell": 0'), "column report.minimum_cell: found 0"),
    "digits of another script": (cell("interviewees", 3, "age_min", "٢٠"), "row 3, column age_min: found '٢٠', needed a whole number"),
    "reserved label": (cell("interviewees", 9, "profession", "not described"), "row 9, column profession: found 'not described', needed text of the source"),
    "blank label": (cell("destinations", 2, "measure", " "), "row 2, column measure: found ' ', needed text of the source without blanks at its ends"),
    "day as it is typed": (cell("legs", 4, "departed", "24.09.2022"), "legs.csv, row 4, column departed: found '24.09.2022', needed a date as YYYY-MM-DD, of this century or the last; write 2022-09-24"),
    "ages as one": (cell("interviewees", 5, "age_min", "30-39"), "row 5, column age_min: found '30-39', needed a whole number; a range is a lowest and a highest number"),
    "rows without a value": (data("legs.csv", lambda b: b + 2 * (b"," * b.partition(b"\n")[0].count(b",") + b"\n")), "found 2 rows without a value, needed a value in each row; delete it"),
    "code with a line break": (cell("destinations", 2, "countries", "KAZ\n"), "column countries: found 'KAZ\\n'"),
    "country twice": (cell("destinations", 2, "countries", "KAZ KAZ"), "row 2, column countries: found 'KAZ KAZ', needed each country once"),
    "date of another age": (cell("legs", 3, "departed", "0001-01-01"), "row 3, column departed: found '0001-01-01'"),
    "fragment of no words": (cell("evidence", 5, "exact", "..."), "row 5, column exact: found '...', needed one to 8 words"),
    "second coding the first": (text("datapackage.json", "second-coding/legs.csv", "legs.csv"), "found 'legs.csv' twice, needed each file for one table"),
    "title a list": (text("datapackage.json", '"title": "Russians', '"title": ["x"], "x": "Russians'), "datapackage.json, column title: found [\"x\"], needed text"),
    "sources in words": (text("datapackage.json", '"sources": [', '"sources": "FT", "x": ['), "column sources: found 'FT', needed a list of objects with a title"),
    "half a surrogate": (text("datapackage.json", "Russians interviewed", "\\ud800 interviewed"), "surrogates not allowed"),
    "number beyond all": (text("datapackage.json", '"declared_interviewees": 17', '"declared_interviewees": 1' + "0" * 5000), "datapackage.json: found"),
    "nested without end": (data("datapackage.json", b"[" * 100_000), "datapackage.json: found"),
    "path with NUL": (text("datapackage.json", '"path": "legs.csv"', '"path": "a\\u0000b"'), "needed a path inside the edition's folder"),
    "link in a circle": (instead("legs.csv", lambda f: f.symlink_to(f.name)), "column resources[2]: found 'legs.csv'"),
    "codebook in Latin-1": (data("codebook.md", b"\xe4"), "codebook.md: found a byte at 0"),
    # As spreadsheets and editors leave them.
    "UTF-16, and what it hides": (both(cell("interviewees", 3, "counted", "yess"), data("interviewees.csv", lambda b: b.decode().encode("utf-16"))), "row 3, column counted: found 'yess'"),
    "semicolons, and what they hide": (both(cell("interviewees", 3, "counted", "yess"), data("interviewees.csv", lambda b: b.replace(b",", b";"))), "row 3, column counted: found 'yess'"),
    "merged header above": (data("interviewees.csv", lambda b: b"Person,,Age,,,Work,\n" + b), "interviewees.csv, row 1: found a row above the header, needed the names of the columns; remove it"),
    "blank line above": (data("interviewees.csv", lambda b: b"\n" + b), "interviewees.csv, row 1: found a row above the header"),
    "index column": (data("places.csv", lambda b: b"\n".join(b"," + line for line in b.splitlines())), "places.csv, row 1: found a column without a name"),
    "row of totals": (line("interviewees", "Total,,,,,,,\n"), "interviewees.csv, row 12, column counted: found nothing"),
    "row after a line break in a cell": (line("interviewees", 'i98,yes,,,man,"a\nb",,\ni99,yes,x,20,man,,,\n'), "interviewees.csv, row 13, column age_min: found 'x'"),
    "bad byte after a line break in a cell": (data("interviewees.csv", lambda b: b + b'i98,yes,,,man,"a\nb",\ni99,yes,,,man,\xe9,\n'), "interviewees.csv, row 13: found byte 0xe9"),
    "ten thousand columns": (data("places.csv", lambda b: b.split(b"\n")[0] + b"".join(b",c%d" % n for n in range(10_000)) + b"\n"), "places.csv, row 1: found 10,006 columns, needed 1,000 or fewer"),
    "cell of a page": (cell("interviewees", 3, "profession", "x" * 6000), "needed text of 5,000 characters or fewer"),
    "cell without end": (cell("interviewees", 3, "profession", "x" * 200_000), "interviewees.csv, row 3: found field larger than field limit"),
    "quote inside a cell": (text("interviewees.csv", "IT worker", '"IT" worker'), "interviewees.csv, row 3: found"),
    "workbook": (data("legs.csv", b"PK\x03\x04\x14\x00"), "legs.csv: found a file of another kind, needed CSV"),
    "Parquet named CSV": (data("legs.csv", b"PAR1\x15\x04"), "legs.csv: found a file of another kind, needed CSV"),
    "blank file": (data("legs.csv", b"\n\n"), "legs.csv, row 1: found an empty file"),
    "spreadsheet's count of days": (cell("legs", 3, "departed", "44826"), "legs.csv, row 3, column departed: found '44826', needed a date as YYYY-MM-DD, of this century or the last"),
    "number with its thousands": (cell("destinations", 2, "high", "100,000"), "row 2, column high: found '100,000', needed a number in digits, with a point"),
    "age as a float": (cell("interviewees", 3, "age_min", "20.0"), "row 3, column age_min: found '20.0', needed a whole number"),
    "escape character": (cell("interviewees", 3, "profession", "\x1b[31mcook"), "row 3, column profession: found"),
    "no break space at an end": (cell("interviewees", 3, "profession", "cook\u00a0"), "row 3, column profession: found"),
    "leg twice": (cell("legs", 4, "leg", "1"), "legs.csv, row 4, column leg: found 'i02.1', needed each key once"),
    "countries with commas": (cell("destinations", 3, "countries", "GEO, FIN"), "destinations.csv, row 3, column countries: found 'GEO, FIN'"),
    "month thirteen": (cell("destinations", 2, "stated_on", "2022-13"), "destinations.csv, row 2, column stated_on: found '2022-13'"),
    "evidence for no table": (cell("evidence", 6, "table", "people"), "evidence.csv, row 6, column key: found 'people."),
    "evidence twice": (cell("evidence", 7, "column", "counted"), "evidence.csv, row 7, column column: found 'interviewees.i02.counted', needed each key once"),
    "paragraph that is not there": (cell("evidence", 6, "paragraph", "999"), "evidence.csv, row 6, column paragraph: found '999', needed the paragraph of a row of table paragraphs"),
    "fingerprint cut": (cell("paragraphs", 3, "fingerprint", "abc"), "paragraphs.csv, row 3, column fingerprint: found 'abc'"),
    "settled without a reason": (cell("settlements", 2, "reason", ""), "settlements.csv, row 2, column reason: found nothing"),
    "second coder's id twice": (cell("second-coding/interviewees", 3, "interviewee", "i01"), "second-coding/interviewees.csv, row 3, column interviewee: found 'i01', needed each key once"),
    # Files that are none.
    "named pipe": (instead("legs.csv", os.mkfifo), "legs.csv: found no ordinary file"),
    "device": (instead("legs.csv", lambda f: f.symlink_to("/dev/zero")), "column resources[2]: found 'legs.csv', needed a path inside the edition's folder"),
    "link out of the edition": (instead("legs.csv", lambda f: f.symlink_to("/etc/passwd")), "column resources[2]: found 'legs.csv', needed a path inside"),
    "folder linked out": (both(lambda e: (e / "away").symlink_to("/etc"), text("datapackage.json", '"path": "legs.csv"', '"path": "away/passwd"')), "column resources[2]: found 'away/passwd', needed a path inside"),
    "one file under two names": (text("datapackage.json", '"path": "legs.csv"', '"path": "./interviewees.csv"'), "found './interviewees.csv' twice, needed each file for one table"),
    "path without end": (text("datapackage.json", '"path": "legs.csv"', f'"path": "{"a" * 5000}"'), "column resources[2]: found 'aaa"),
    "codebook a folder": (instead("codebook.md", Path.mkdir), "codebook.md: found no ordinary file"),
    "codebook linked out": (instead("codebook.md", lambda f: f.symlink_to("/etc/passwd")), "codebook.md: found no ordinary file of the edition's folder"),
    "codebook with an escape": (data("codebook.md", b"# One\n\n\x1b[31m"), "codebook.md, row 3: found"),
    # Parquet.
    "CSV named Parquet": (both(lambda e: (e / "legs.csv").rename(e / "legs.parquet"), text("datapackage.json", '"path": "legs.csv"', '"path": "legs.parquet"')), "legs.parquet: found"),
    "Parquet cut short": (parquet("legs", "FROM t", then=lambda f: f.write_bytes(f.read_bytes()[:-100])), "legs.parquet: found"),
    "Parquet spoilt inside": (parquet("legs", "FROM t", then=lambda f: f.write_bytes(f.read_bytes()[:4] + b"\xff" * 200 + f.read_bytes()[204:])), "legs.parquet: found"),
    "Parquet with half a year": (parquet("interviewees", "SELECT * REPLACE (20.5::DOUBLE AS age_min) FROM t WHERE interviewee = 'i02'"), "interviewees.parquet, row 2, column age_min: found '20.5', needed a whole number"),
    "Parquet with NaN": (parquet("places", "SELECT * REPLACE ('nan'::DOUBLE AS latitude) FROM t"), "places.parquet, row 2, column latitude: found 'nan'"),
    "Parquet with a time": (parquet("legs", "SELECT * REPLACE (TIMESTAMP '2022-09-21 10:00:00' AS departed) FROM t"), "legs.parquet, row 2, column departed: found '2022-09-21 10:00:00'"),
    "Parquet with a day that is none": (parquet("legs", "SELECT * REPLACE ('2022-02-30' AS departed) FROM t"), "legs.parquet, row 2, column departed: found '2022-02-30'"),
    "Parquet with five for true": (parquet("destinations", "SELECT * REPLACE (5 AS includes_others) FROM t"), "destinations.parquet, row 2, column includes_others: found '5'"),
    "second part, a wrong word": (parquet("interviewees", "FROM t WHERE interviewee < 'i06'", "SELECT * REPLACE ('x' AS counted) FROM t WHERE interviewee >= 'i06'"), "interviewees [i06], column counted: found 'x'"),
    "parts unlike each other": (parquet("interviewees", "FROM t WHERE interviewee < 'i06'", "SELECT * EXCLUDE (gender) FROM t WHERE interviewee >= 'i06'"), "interviewees: found"),
    "folder inside a table's folder": (parquet("interviewees", "FROM t WHERE interviewee < 'i06'", "FROM t WHERE interviewee >= 'i06'", then=lambda d: (d / "more").mkdir()), "interviewees/more: found no Parquet part"),
    "part linked out": (parquet("interviewees", "FROM t WHERE interviewee < 'i06'", "FROM t WHERE interviewee >= 'i06'", then=lambda d: (d / "z.parquet").symlink_to("/dev/zero")), "interviewees/z.parquet: found no Parquet part"),
    # Names and values that once passed and broke what came after.
    "column of reading's own": (data("interviewees.csv", lambda b: b"\n".join(line + (b",_row" if not n else b",1") for n, line in enumerate(b.splitlines()))), "interviewees.csv, row 1: found column '_row', needed another name"),
    "column twice but for capitals": (data("interviewees.csv", lambda b: b"\n".join(line + (b",Mood,mood" if not n else b",a,b") for n, line in enumerate(b.splitlines()))), "found column 'Mood' twice but for capitals"),
    "open quote before a bad byte": (data("interviewees.csv", lambda b: b + b'i98,yes,,,,"' + b"x" * 140_000 + b"\xe9\n"), "interviewees.csv, row 12: found byte 0xe9"),
    "reserved label in disguise": (cell("interviewees", 9, "profession", "Not\u200bstated"), "row 9, column profession: found"),
    "stated on no day": (cell("destinations", 2, "stated_on", "2022-02-30"), "destinations.csv, row 2, column stated_on: found '2022-02-30'"),
    "Parquet with lists": (parquet("interviewees", "SELECT * REPLACE ([profession] AS profession) FROM t"), "interviewees.parquet, column profession: found values of type List"),
    "Parquet with a list alone": (parquet("interviewees", "SELECT [interviewee] AS interviewee FROM t"), "interviewees.parquet, column interviewee: found values of type List"),
    "Parquet with a column of reading's own": (parquet("interviewees", "SELECT *, 1 AS _ROW FROM t"), "interviewees.parquet: found column '_ROW'"),
    "file name not in UTF-8": (Break("", lambda e: (e / os.fsdecode(b"\xff.txt")).write_text("x")), "found a file named"),
    # datapackage.json.
    "package in UTF-16": (data("datapackage.json", lambda b: b.decode().encode("utf-16")), "datapackage.json: found 'utf-8' codec can't decode byte 0xff in position 0"),
    "package with a comma too many": (data("datapackage.json", b'{"name": "x",\n}'), "datapackage.json, row"),
    "package with a key twice": (text("datapackage.json", '"title":', '"title": "x", "title":'), "datapackage.json: found key 'title' twice, needed JSON in UTF-8, of ordinary size, each key once"),
    "package with NaN": (text("datapackage.json", '"minimum_cell": 1', '"minimum_cell": NaN'), "datapackage.json: found Out of range float values are not JSON compliant"),
    "title on two lines": (package("title", to="One\nTwo"), "datapackage.json, column title: found 'One\\nTwo', needed text on one line"),
    "title with an escape": (package("title", to="\x1b]0;x"), "datapackage.json, column title: found"),
    "description an object": (package("description", to={"en": "x"}), "datapackage.json, column description: found"),
    "licence a word": (package("licenses", 0, to="CC-BY-4.0"), "datapackage.json, column licenses[1]: found 'CC-BY-4.0', needed an object"),
    "source's title a number": (package("sources", 0, "title", to=2022), "datapackage.json, column sources[1].title: found 2022, needed text"),
    "report a list": (package("report", to=[1]), "datapackage.json, column report: found [1], needed an object"),
    "declared true": (package("report", "declared_interviewees", to=True), "column report.declared_interviewees: found true, needed a whole number"),
    "declared beyond all": (package("report", "declared_interviewees", to=10**30), "column report.declared_interviewees: found 1000"),
    "event a day": (package("report", "reference_event", to="2022-09-21"), "column report.reference_event: found '2022-09-21', needed an object with title and date"),
    "resources null": (package("resources", to=None), "datapackage.json, column resources: found null, needed a list of tables"),
    "resources a number": (package("resources", to=7), "datapackage.json, column resources: found 7, needed a list of tables"),
    "resource a word": (package("resources", 1, to="legs.csv"), "column resources[2]: found 'legs.csv', needed a name and a path"),
    "resource's name a number": (package("resources", 1, "name", to=2), "column resources[2].name: found 2, needed a table's name"),
    "neither people nor figures": (package("resources", to=[{"name": "places", "path": "places.csv"}]), "needed at least one interviewee or one destination figure"),
    "package a folder": (instead("datapackage.json", Path.mkdir), "found no datapackage.json, needed an edition's folder"),
    "package a link in a circle": (instead("datapackage.json", lambda f: f.symlink_to(f.name)), "found no datapackage.json"),
}  # fmt: skip


FEW = ("interviewees", "legs", "places", "destinations")


def only(edition: Path, *tables: str) -> None:
    """Leave an edition these tables alone, without their schemas, to check it quickly."""
    with edit_json(edition / "datapackage.json") as content:
        listed = [each for each in content["resources"] if each["name"] in tables]
        content["resources"] = [{"name": each["name"], "path": each["path"]} for each in listed]


def told(edition: str | Path) -> list[str]:
    """The problems of an edition, one line each; none for one that is not there."""
    try:
        return [("warning: " if problem.warning else "error: ") + str(problem) for problem in examine(edition)[1]]
    except InputError as error:
        return [f"error: {problem}" for problem in error.problems]


def errors(edition: Path) -> list[Problem]:
    return [problem for problem in examine(edition)[1] if not problem.warning]


ALONE = ("", "datapackage.json", "package report", "package resources", "package resources.1", "codebook.md")
"""What is broken with nothing beside it, as the rest would not be read, or is read otherwise."""


BETWEEN = "row of table|numbered|column key|column exact|no evidence"
"""Of what is said of rows held against each other."""


def of_all(kind: str) -> bool:
    """Whether a break concerns more than the few tables, with which an edition is checked quickly."""
    return bool(re.search("evidence|paragraphs|settlements|second|fragment|rule|Latin", BROKEN[kind][1] + kind))


def together() -> list[list[str]]:
    """Kinds by what is checked at once: cells of different rows; different files, or different keys of the package.

    Rows are held against each other when each of them is sound, so kinds of either sort are not mixed.
    """
    groups: dict[tuple[object, ...], list[str]] = {}
    earlier: Counter[tuple[object, ...]] = Counter()
    for kind, (broken, wanted) in BROKEN.items():
        between = broken.of.startswith("cell ") and bool(re.search(BETWEEN, wanted))
        what = kind if broken.of in ALONE else broken.of.partition(" ")[0] if " " in broken.of else "file"
        sort = (what, of_all(kind), between)
        groups.setdefault((sort, earlier[sort, broken.of]), []).append(kind)  # the first of each, the second, …
        earlier[sort, broken.of] += 1
    return [*groups.values()]


@pytest.mark.parametrize("kinds", together(), ids=", ".join)
def test_a_broken_edition_is_refused_in_words(kinds: list[str], edition: Path):
    if not of_all(kinds[0]):
        only(edition, *FEW)
    for kind in kinds:
        BROKEN[kind][0](edition)
    found = [line for line in told(edition) if line.startswith("error: ")]
    assert [kind for kind in kinds if not any(BROKEN[kind][1] in line for line in found)] == [], found


def test_the_command_line_says_it_in_one_line_and_builds_nothing(edition: Path, tmp_path: Path):
    cell("interviewees", 3, "age_min", "x")(edition)
    done = run("build", edition, "--out", tmp_path / "out", code=2)
    assert "interviewees.csv, row 3, column age_min: found 'x', needed a whole number" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_problems_and_counts_come_as_json(edition: Path):
    for broken in (
        cell("legs", 3, "mode", "aire"),
        cell("interviewees", 3, "age_min", "3"),
        cell("places", 2, "country", "SUN"),
    ):
        broken(edition)
    whole = json.loads(run("check", edition, "--json", code=2).stdout)
    wrong = [problem for problem in whole["problems"] if not problem["warning"]]
    assert wrong[0] == {
        "file": str(edition / "legs.csv"), "row": 3, "column": "mode", "found": "'aire'",
        "needed": "one of air, rail, road, water, bicycle, foot, several means, other means", "hint": "did you mean 'air'?", "warning": False, "times": 1,
    }  # fmt: skip
    assert whole["counts"]["errors"] == len(wrong)
    assert whole["counts"]["files"][str(edition / "places.csv")] == {"errors": 0, "warnings": 1}


WARNED = {
    "country that is no more": (cell("places", 2, "country", "YUG"), "places.csv, row 2, column country: found 'YUG', needed a code in use, unless the source means the country of that time; once Yugoslavia, now BIH HRV MKD MNE SRB SVN"),
    "figure of a country that is no more": (cell("destinations", 2, "countries", "ANT"), "destinations.csv, row 2, column countries: found 'ANT'"),
    "child": (both(cell("interviewees", 3, "age_min", "3"), cell("interviewees", 3, "age_max", "3")), "interviewees.csv, row 3, column age_min: found '3'"),
    "very old": (both(cell("interviewees", 7, "age_min", "110"), cell("interviewees", 7, "age_max", "110")), "interviewees.csv, row 7, column age_max: found '110'"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WARNED)
def test_a_warning_stops_nothing(kind: str, edition: Path):
    breaks, wanted = WARNED[kind]
    breaks(edition)
    only(edition, *FEW)  # new values have no evidence yet
    assert any(line.startswith(f"warning: {edition}/{wanted}") for line in told(edition))
    assert errors(edition) == []


def test_tables_as_excel_saves_them_are_read(edition: Path):
    """Its "CSV UTF-8" begins with a byte order mark and has lines of Windows."""
    for file in edition.rglob("*.csv"):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert told(edition) == []


def test_many_declared_and_few_described_is_no_warning(edition: Path):
    text("datapackage.json", '"declared_interviewees": 17', '"declared_interviewees": 170000')(edition)
    assert not examine(edition)[1]


def test_what_could_not_be_read_is_not_found_wrong_twice(edition: Path):
    """Problems that would only follow from other problems are left out; those beside them are found."""
    for broken in (
        cell("interviewees", 3, "age_min", "twenty"),  # neither "both ages or neither" nor missing evidence
        data("places.csv", b"%PDF"),  # every leg leads there
        cell("legs", 3, "mode", "aire"),
        text("destinations.csv", "f1,KAZ", "f1,KAX"),
        text("paragraphs.csv", "fingerprint", "fingerprnt"),
    ):
        broken(edition)
    found = {(Path(problem.file).name, problem.row, problem.column) for problem in examine(edition)[1]}
    assert found == {
        ("interviewees.csv", 3, "age_min"),
        ("places.csv", None, None),
        ("legs.csv", 3, "mode"),
        ("destinations.csv", 2, "countries"),
        ("paragraphs.csv", 1, "fingerprint"),
    }


PEOPLE = [
    ["i1", "yes", "20", "23", "man", "cook", "512"],
    ["i2", "no", "", "", "", "", ""],
    ["i3", "yes", "32", "32", "woman", "", ""],
]
COLUMNS = schema("interviewees").columns
FITS = {
    "interviewee": r"[A-Za-z0-9][A-Za-z0-9_-]*", "counted": "yes|unclear|no", "age_min": "[+-]?[0-9]{1,15}",
    "age_max": "[+-]?[0-9]{1,15}", "gender": "woman|man|other|", "isco08": "[0-9]{1,4}|",
}  # fmt: skip


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, str, str], Path]:
    """Makes an edition of interviewees alone, with one cell set: quick to check many times."""
    folder = tmp_path_factory.mktemp("small")

    def made(row: int, column: str, value: str) -> Path:
        people = [list(cells) for cells in PEOPLE]
        people[row - 2][COLUMNS.index(column)] = value
        return write_edition(folder, {"interviewees": people})

    return made


@settings(max_examples=tries(40), deadline=None)
@given(
    row=st.integers(2, 4),
    column=st.sampled_from(sorted(FITS)),
    value=st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=20),
)
def test_any_cell_that_does_not_fit_is_found(small, row: int, column: str, value: str):
    assume(not re.fullmatch(FITS[column], value))
    assume(not (column.startswith("age") and row == 3 and not value))
    found = {(problem.row, problem.column) for problem in errors(small(row, column, value))}
    one_age = column == "age_min" and not value and (row, "age_max") in found
    assert (row, column) in found or one_age


def test_a_settlement_that_the_tables_no_longer_bear_out_is_a_warning(edition: Path):
    text("settlements.csv", "counted,no,no,no", "counted,no,no,yes")(edition)
    assert f"warning: {edition}/settlements.csv, row 2, column settled: found 'yes', needed 'no'" in told(edition)[0]


@pytest.mark.parametrize("name", ["nowhere", "", "../..", "data/oral-2022/legs.csv", "oral-2202"])
def test_what_is_no_edition_is_refused(name: str):
    assert len(told(name)) == 1


def test_columns_of_an_editions_own_are_kept_and_typed(edition: Path):
    """As the edition's embedded schema types them; text where it says nothing."""
    people = read_csv(edition / "interviewees.csv")
    for n, person in enumerate(people):
        person |= {"mood": "calm", "household": str(n), "owner": "true", "met": f"2022-09-2{n % 10}"}
    write_csv(edition / "interviewees.csv", list(people[0]), people)
    with edit_json(edition / "datapackage.json") as content:
        types = {"household": "integer", "owner": "boolean", "met": "date"}
        content["resources"][0]["schema"]["fields"] += [{"name": name, "type": kind} for name, kind in types.items()]
    first, second, *_ = collect_rows(open_edition(edition).interviewees)
    names = ("mood", "household", "owner", "met")
    assert [first[name] for name in names] == ["calm", 1, True, "2022-09-21"]
    assert [second[name] for name in names] == ["calm", 2, True, "2022-09-22"]
    cell("interviewees", 3, "household", "two")(edition)
    wanted = f"error: {edition}/interviewees.csv, row 3, column household: found 'two', needed a whole number"
    assert wanted in told(edition)
    parquet("interviewees", "FROM t")(edition)
    assert any("interviewees.parquet, row 3, column household: found 'two'" in line for line in told(edition))


def test_problems_of_one_cause_are_counted_beyond_a_hundred(edition: Path):
    lines = "".join(f"p{n},maybe,,,,,,\n" for n in range(250))
    line("interviewees", lines)(edition)
    found = [problem for problem in examine(edition)[1] if problem.needed.startswith("one of yes")]
    assert (len(found), sum(problem.times for problem in found)) == (100, 250)
    assert [str(line) for line in grouped(found)] == [
        f"{edition}/interviewees.csv, rows 12, 13, 14 and 247 more, column counted: found 'maybe', needed one of yes, unclear, no"
    ]


def test_problems_of_one_cause_are_one_line(edition: Path):
    """On the command line and in the error of a build; each row by itself in JSON."""
    for row, word in ((2, "aire"), (3, "aire"), (4, "raill"), (5, "roadd"), (6, "fooot")):
        cell("legs", row, "mode", word)(edition)
    done = run("check", edition, "--json", code=2)
    wanted = (
        "legs.csv, rows 2, 3, 4 and 2 more, column mode: found 'aire', 'raill', 'roadd', …, "
        "needed one of air, rail, road, water, bicycle, foot, several means, other means; did you mean 'air'? did you mean 'rail'? did you mean 'road'?"
    )
    assert [line.split("/")[-1] for line in done.stderr.splitlines()] == [wanted]
    assert [problem["row"] for problem in json.loads(done.stdout)["problems"]] == [2, 3, 4, 5, 6]
    with pytest.raises(InputError, match="rows 2, 3, 4 and 2 more"):
        open_edition(edition)


def test_folders_named_as_partitions_are_only_folders(edition: Path):
    """DuckDB would make each folder named ``profession=spy`` a column."""
    named = lambda place: place.rename(place.parent / "gender=man")  # noqa: E731
    parquet("interviewees", "FROM t", "FROM t WHERE false", then=named)(edition)
    text("datapackage.json", '"path": "interviewees"', '"path": "gender=man"')(edition)
    home = edition.parent / "profession=spy"
    home.mkdir()
    moved = edition.rename(home / "copy")
    assert open_edition(moved).text["interviewees"].equals(open_edition("oral-2022").text["interviewees"])


def test_a_table_may_be_parquet(edition: Path):
    for table in ("interviewees", "legs", "places", "destinations"):
        parquet(table, "FROM t")(edition)
    one, other = open_edition("oral-2022"), open_edition(edition)
    for table in one.tables:
        assert one.text[table].equals(other.text[table]), table
    assert one.values() == other.values()


def test_a_table_for_which_memory_is_too_small_names_the_way_out(edition: Path):
    parquet("legs", "FROM t, range(60_000)")(edition)
    code = (  # in a process of its own: of one that has worked on disk DuckDB's set-up stays
        "import sys; from analysis import tables; from analysis.editions import examine; tables.MEMORY = 4; "
        "print(*(each for each in examine(sys.argv[1])[1] if not each.warning), sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code, str(edition)], capture_output=True, text=True, check=True)
    assert "needed room in memory; an engine has more: --engine sc://HOST:PORT" in done.stdout
    assert "a sound Parquet file" not in done.stdout


def test_a_table_that_is_absent_is_empty_and_typed():
    edition = open_edition("destination-figures-2022")
    legs = edition.table("legs")
    assert (edition.has("legs"), collect_rows(legs), str(legs.collect_schema()["leg"])) == (False, [], "Int64")


@pytest.mark.parametrize("name", ["not\u200b stated", "not\xadstated", "\u2060not stated", "law\ufeffyer"])
def test_signs_without_width_are_refused(small, name: str):
    assert [each.row for each in errors(small(2, "profession", name)) if each.column == "profession"] == [2]


@pytest.mark.parametrize("name", ["n\u043et stated", "\u041danna", "\u0430\u0441t\u043er"])
def test_letters_that_look_alike_are_a_warning_that_spells_them(small, name: str):
    (warning,) = [each for each in examine(small(2, "profession", name))[1] if each.column == "profession"]
    assert (warning.warning, warning.needed, warning.hint) == (True, "words of one alphabet", ascii(name))


def test_a_stray_file_of_a_hundred_gigabytes_is_not_hashed_in_silence(edition: Path, tmp_path: Path):
    with (edition / "stray.bin").open("wb") as file:
        file.truncate(10**11)
    done = run("build", edition, "--out", tmp_path / "out", code=2)
    assert "stray.bin: found 100,000,000,000 bytes, needed 1,000,000,000 bytes or fewer" in done.stderr


def test_what_a_terminal_would_obey_is_escaped(edition: Path):
    place = edition.rename(edition.with_name("red\x1b[31m\u202e"))
    (place / "legs.csv").write_text("x\n1\n", encoding="utf-8")
    done = run("check", place, code=2)
    assert all(line.isprintable() for line in (done.stdout + done.stderr).splitlines())
