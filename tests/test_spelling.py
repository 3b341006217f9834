"""Labels spelt in two ways, words of two alphabets and near misses of a term are doubts; they stop nothing."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from analysis.editions import examine
from analysis.schema import schema


def doubts(folder: Path, table: str, rows: list[dict[str, str]]) -> list[str]:
    """What is doubted of an edition of one table."""
    with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, schema(table).columns)
        writer.writeheader()
        writer.writerows(rows)
    package = {"resources": [{"name": table, "path": f"{table}.csv"}], "report": {"public_source": True}}
    (folder / "datapackage.json").write_text(json.dumps(package))
    edition, problems = examine(folder)
    assert edition is not None
    assert all(each.warning for each in problems)
    return [
        str(each).partition("csv, ")[2] for each in problems if each.column in ("profession", "measure", "quantifier")
    ]


@pytest.mark.parametrize("label", ["Teacher", "teacher.", "Te-acher"])
def test_labels_that_look_alike(label: str, tmp_path: Path):
    labels = ["teacher", label, "teacher", "cook", "учитель", "водитель"]
    people = [{"interviewee": f"p{n}", "counted": "yes", "profession": each} for n, each in enumerate(labels)]
    (line,) = doubts(tmp_path, "interviewees", people)
    assert line == f"row 3, column profession: found '{label}', needed one spelling of a label; did you mean 'teacher'?"


def test_one_letter_of_another_alphabet(tmp_path: Path):
    (line,) = doubts(tmp_path, "interviewees", [{"interviewee": "p1", "counted": "yes", "profession": "te\u0430cher"}])
    assert line.endswith("needed words of one alphabet; 'te\\u0430cher'")


def test_misspelt_measures_and_quantifiers(tmp_path: Path):
    row = {"countries": "KAZ", "low": "9", "high": "9", "window_start": "2022-01-01", "window_end": "2022-12-31"}
    words = [
        ("asylum_seekrs", "exact"),
        ("ferry_tickets", "exakt"),
        ("refugees", "more then"),
        ("arrivals", "a handful"),
    ]
    rows = [{**row, "figure": f"f{n}", "measure": m, "quantifier": q} for n, (m, q) in enumerate(words)]
    assert [line.rpartition("; ")[2] for line in doubts(tmp_path, "destinations", rows)] == [
        "did you mean 'asylum_seekers'?", "did you mean 'exact'?", "did you mean 'more than'?",
    ]  # fmt: skip
