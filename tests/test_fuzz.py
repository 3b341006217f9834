"""Whatever stands in a file that somebody brings: it is read, or refused by file; nothing else is ever raised.

``FUZZ`` says how many inputs each reader is tried with.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import ROOT, edit_json, tries
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.coding.checks import table_problems
from analysis.coding.package import read_package
from analysis.folder import PACKAGE
from analysis.imports.answers import age_range, dates, whole_number
from analysis.imports.files import read_export, read_text
from analysis.publish.plugin import EditionPlugin
from analysis.schema import schema
from analysis.story import examine
from analysis.tables import read_table
from parabook.errors import InputError, Problem
from parabook.reproduce import read as read_receipt

TRIED = int(os.environ.get("FUZZ", tries(36)))
SOURCE = ROOT / "data" / "oral-2022"
ODD = [
    b"", b'"', b'""', b",", b",,", b";", b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\x1b[2J", b"\t", b" ",
    "\u2028\u202e\u200b\ufeff\U000e0001".encode(), b"NaN", b"inf", b"1e999", b"-0", b"9" * 400, b"2022-02-30", b"../..", b"_row", b"i01", b"_n",
    b"{", b"}", b"[", b"]", b":", b"null", b"{{", b"}}", b"{{ interviewees where }}", b"<!-- holds: -->", b"<!-- holds: 3 legs where a = -->", b"](#x)", b"=1+1", b"x" * 6000, b"PAR1",
]  # fmt: skip
"""What is put in among the bytes of a good file."""

Change = tuple[float, int, bytes]
cuts = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from(ODD) | st.binary(max_size=6)), min_size=1, max_size=4
)
"""Where a file is changed: at which part of it, how many bytes go, and what comes."""
quick = settings(max_examples=TRIED, deadline=None, suppress_health_check=list(HealthCheck))


def changed(content: bytes, changes: list[Change]) -> bytes:
    for at, gone, new in changes:
        start = int(at * len(content))
        content = content[:start] + new + content[start + gone :]
    return content


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An edition of which one file at a time is changed; another of few tables, which is quicker, one of them Parquet."""
    base = tmp_path_factory.mktemp("fuzz")
    shutil.copytree(SOURCE, base / "csv")
    shutil.copytree(SOURCE, base / "few")
    people = duckdb.read_csv(str(SOURCE / "interviewees.csv"), all_varchar=True)
    people.write_parquet(str(base / "few" / "interviewees.parquet"))
    with edit_json(base / "few" / PACKAGE) as package:
        package["resources"] = [
            each for each in package["resources"] if each["name"] in ("interviewees", "legs", "places")
        ]
        package["resources"][0]["path"] = "interviewees.parquet"
    return base


FILES = ["csv/interviewees.csv", "csv/legs.csv", "csv/places.csv", "csv/statements.csv", "csv/evidence.csv", "csv/settlements.csv",
         "csv/story.md", "few/codebook.md", f"csv/{PACKAGE}", "few/interviewees.parquet"]  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_any_file_of_an_edition_is_read_or_refused_by_file(folder: Path, name: str):
    """The whole check, which takes a while: a tenth as often as single tables below."""
    file = folder / name
    content = file.read_bytes()

    @settings(quick, max_examples=max(TRIED // 10, 3))
    @given(cuts)
    def tried(changes: list[Change]) -> None:
        file.write_bytes(changed(content, changes))
        EditionPlugin().private(file.parent, {})
        refused_by_file(file.parent, lambda path: said_in_lines(examine(path)[1]))

    try:
        tried()
    finally:
        file.write_bytes(content)


@pytest.mark.parametrize("name", ["interviewees", "legs", "places", "destinations", "statements", "evidence"])
def test_any_table_is_read_or_refused_by_row(tmp_path: Path, name: str):
    file = tmp_path / f"{name}.csv"
    at = SOURCE if (SOURCE / file.name).is_file() else SOURCE.parent / "destination-figures-2022"
    content = b"".join((at / file.name).read_bytes().splitlines(keepends=True)[:12])

    @quick
    @given(cuts)
    def tried(changes: list[Change]) -> None:
        file.write_bytes(changed(content, changes))
        said_in_lines(table_problems(read_table(file, None, schema(name))))

    tried()


REPORT = {"declared_interviewees": 17, "reference_event": {"title": "x", "date": "2022-09-21"}, "minimum_cell": 1}
LEGS = {"name": "legs", "path": "legs.csv"}
EDITION = {"name": "a", "title": "b", "sources": [{"title": "c"}], "report": REPORT, "resources": [LEGS]}
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=20), inner, max_size=3),
    max_leaves=8,
)
other_values = st.dictionaries(st.sampled_from([*EDITION, "licenses", "contributors"]), anything, max_size=2)
other_reports = st.dictionaries(st.sampled_from([*REPORT, "collected_at"]), anything, max_size=2)


@settings(quick, max_examples=4 * TRIED)
@given(other_values, other_reports, st.just([]) | cuts)
def test_any_package_is_read_or_refused_by_file(folder: Path, values: dict, report: dict, changes: list[Change]):
    """Values of any kind, and bytes changed."""
    package = EDITION | {"report": REPORT | report} | values
    (folder / PACKAGE).write_bytes(changed(json.dumps(package).encode(), changes))
    EditionPlugin().private(folder, {})
    refused_by_file(folder, lambda path: said_in_lines(read_package(path).problems))


EXPORT = b'Age,Sex,From,When\n"20-25",m,"Moscow, centre",24/9/2022\n30,f,Samara,\n"60+",,"x ""y""",2022-09-24T10:00\n'


@quick
@given(cuts)
def test_any_export_is_read_or_refused_by_file(folder: Path, changes: list[Change]):
    file = folder / "export.csv"
    file.write_bytes(changed(EXPORT, changes))
    for read in (read_export, read_text):
        refused_by_file(file, read)
    frame: Any = refused_by_file(file, read_export)
    for column in frame if frame is not None else ():
        for take in (whole_number, age_range, dates):
            refused_by_file(frame[column], take)


def said_in_lines(problems: Sequence[Problem]) -> None:
    for problem in problems:
        assert problem.file
        assert str(problem).isprintable()
        str(problem).encode()


def refused_by_file(what: Any, read: Callable[[Any], Any]) -> Any:
    """What a reader makes of it; nothing where it says in lines what is wrong."""
    try:
        return read(what)
    except InputError as error:
        said_in_lines(error.problems)
        return None


@quick
@given(cuts)
def test_any_receipt_is_read_or_refused_by_file(folder: Path, changes: list[Change]):
    file = folder / "receipt.json"
    good = {
        "edition": "oral-2022", "digest": "1", "parameters": {"a": 1}, "inputs": {"edition": {"x": "1"}}, "versions": {},
        "outputs": {"html": {"SHA256SUMS": "1"}},
    }  # fmt: skip
    file.write_bytes(changed(json.dumps(good).encode(), changes))
    refused_by_file(file, lambda each: read_receipt(each, "edition"))
