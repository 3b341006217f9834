"""Labels spelt in two ways and near misses of a term are warnings."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import write_edition

from analysis.editions import examine


def warnings(folder: Path, table: str, rows: list[dict[str, str]]) -> list[str]:
    """The warnings about labels of an edition of one table."""
    problems = examine(write_edition(folder, {table: rows}, report={"public_source": True}))[1]
    assert all(each.warning for each in problems)
    labels = ("profession", "measure", "quantifier")
    return [str(each).partition("csv, ")[2] for each in problems if each.column in labels]


@pytest.mark.parametrize("label", ["Teacher", "teacher.", "Te-acher"])
def test_labels_that_look_alike(label: str, tmp_path: Path):
    labels = ["teacher", label, "teacher", "cook", "учитель", "водитель"]
    people = [{"interviewee": f"p{n}", "counted": "yes", "profession": each} for n, each in enumerate(labels)]
    (line,) = warnings(tmp_path, "interviewees", people)
    assert line == f"row 3, column profession: found '{label}', needed one spelling of a label; did you mean 'teacher'?"


def test_misspelt_measures_and_quantifiers(tmp_path: Path):
    row = {"countries": "KAZ", "low": "9", "high": "9", "window_start": "2022-01-01", "window_end": "2022-12-31"}
    words = [
        ("asylum_seekrs", "exact"),
        ("ferry_tickets", "exakt"),
        ("refugees", "more then"),
        ("arrivals", "a handful"),
    ]
    rows = [{**row, "figure": f"f{n}", "measure": m, "quantifier": q} for n, (m, q) in enumerate(words)]
    assert [line.rpartition("; ")[2] for line in warnings(tmp_path, "destinations", rows)] == [
        "did you mean 'asylum_seekers'?", "did you mean 'exact'?", "did you mean 'more than'?",
    ]  # fmt: skip
