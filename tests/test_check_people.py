"""What the check says of people who can be told apart."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from conftest import replace_text
from crowds import crowd, written

from analysis.editions import examine
from parabook.errors import grouped


def lines(folder: Path) -> list[str]:
    """What the check says, a line a cause."""
    return [str(problem) for problem in grouped(examine(folder)[1])]


def test_people_who_are_alone_are_one_warning(tmp_path: Path):
    people = [{**crowd(1)[0], "age": "20", "profession": "nurse"} for _ in range(30)]
    for n in (4, 9):
        people[n] = {**people[n], "age": f"{30 + n}"}
    folder = written(tmp_path / "lone", people)
    assert all(problem.warning for problem in examine(folder)[1])
    (line,) = lines(folder)
    found = "interviewees.csv, rows 6, 11, column interviewee: found 'i05', 'i10', needed somebody else of the same age"
    assert found in line
    for said in ({"minimum_cell": 3}, {"public_source": True}):
        assert not examine(written(folder, people, **said))[1]
    everybody = written(folder, [{**people[0], "age": str(20 + n)} for n in range(30)])
    (line,) = lines(everybody)
    assert "rows 2, 3, 4 and 27 more" in line


def test_the_same_people_are_alone_in_parquet(tmp_path: Path):
    folder = written(tmp_path / "lone", crowd(2))
    (before,) = lines(folder)
    for name in ("interviewees", "legs", "places"):
        file = folder / f"{name}.csv"
        rows = duckdb.sql(f"SELECT * FROM read_csv('{file}', all_varchar=true)")
        rows.write_parquet(str(file.with_suffix(".parquet")))
        file.unlink()
    replace_text(folder / "datapackage.json", ".csv", ".parquet")
    assert lines(folder) == [before.replace(".csv", ".parquet")]


def test_a_codebook_that_names_somebody_is_a_warning_where_people_are_hidden(tmp_path: Path):
    folder = written(tmp_path / "named", crowd(1), minimum_cell=3)
    (folder / "codebook.md").write_text("Rules.\n\nThe profession of i02 is as told, not i999.\n", encoding="utf-8")
    (warning,) = examine(folder)[1]
    assert warning.warning
    assert (warning.row, warning.found) == (3, "'i02'")


@pytest.mark.parametrize("wrong", ["yes", 1, None])
def test_whether_the_source_is_public_is_true_or_false(tmp_path: Path, wrong: object):
    problems = examine(written(tmp_path / "wrong", crowd(1), public_source=wrong))[1]
    assert [problem.column for problem in problems if not problem.warning] == ["report.public_source"]
