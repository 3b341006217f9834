"""A story is held against the tables: what a changed table makes false is not published."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from cells import run_cells
from conftest import ROOT, read_csv, replace_text, run, write_csv

from analysis.editions import open_edition
from analysis.story import Wrong, answer, examine, read_story, value

STORY = (ROOT / "data" / "oral-2022" / "story.md").read_text(encoding="utf-8")


def change(edition: Path, table: str, edit: Callable[[list[dict[str, str]]], object]) -> None:
    """Change the rows of a table in place."""
    rows = read_csv(edition / f"{table}.csv")
    columns = list(rows[0])
    edit(rows)
    write_csv(edition / f"{table}.csv", columns, rows)


def untrue(edition: Path) -> list[str]:
    """The claims of the story that do not hold in an edition, whatever else is wrong with it."""
    book, _ = examine(str(edition))
    assert book
    claims = list(map(str.strip, re.findall(r"<!--\s*holds:(.*?)-->", STORY)))
    assert len(claims) > 60
    found = []
    for claim in claims:
        try:
            found += [claim] if answer(book, claim) is not True else []
        except Wrong:  # a row that is gone
            found.append(claim)
    return found


def test_the_story_of_the_first_edition_holds(edition: Path):
    assert untrue(edition) == []
    story = read_story(open_edition("oral-2022"))
    assert story
    assert story.headline == "“Prison, the front line, or Kazakhstan”: eight Russians who left after the call-up"
    assert story.lead.startswith("On 21 September 2022 Russia announced")
    assert "holds:" not in story.text
    assert "{{" not in story.text
    brief, _, told = story.text.partition("## Who they are")
    words = [len(re.findall(r"\S*\w\S*", re.sub(r"\]\([^)]*\)", "", part))) for part in (brief, told)]
    assert words[0] <= 270
    assert 500 <= words[1] <= 900


def test_each_sentence_of_fact_leads_somewhere_or_is_held():
    """Every sentence has a link to evidence or a claim beside it."""
    body = STORY.partition("\n")[2]
    text = re.sub(r"(?m)^#.*$", "", body)
    sentences = re.split(r"(?:(?<=\.)|(?<=-->)) (?!<!--)(?=[A-Z{\[])", " ".join(text.split()))
    assert len(sentences) > 35
    assert [each for each in sentences if "](" not in each and "holds:" not in each] == []


def statement(rows: list[dict[str, str]], key: str) -> dict[str, str]:
    return next(row for row in rows if row["statement"] == key)


CHANGES = {
    "one more": ("interviewees", lambda rows: rows.append({**rows[1], "interviewee": "i11", "party": ""}), "8 interviewees"),
    "a figure revised": ("destinations", lambda rows: rows[0].update(quantifier="more than", low="200000", high=""), "nearly and counting"),
    "a motive withdrawn": ("statements", lambda rows: rows.remove(statement(rows, "s25")), "s25"),
    "another day": ("statements", lambda rows: statement(rows, "s41").update(day="2022-09-24"), "2022-09-23"),
    "another departure": ("legs", lambda rows: rows[1].update(departed="2022-09-24"), "2022-09-22"),
    "older": ("interviewees", lambda rows: rows[9].update(age_min="45", age_max="45"), "age_max > 32"),
    "no plan": ("legs", lambda rows: rows.pop(8), "status = intended"),
}  # fmt: skip


@pytest.mark.parametrize("kind", CHANGES)
def test_what_a_change_makes_false_is_named(edition: Path, kind: str):
    table, edit, named = CHANGES[kind]
    change(edition, table, edit)
    assert any(named in each for each in untrue(edition))


def test_a_false_claim_stops_check_and_build_with_its_line(edition: Path, tmp_path: Path):
    replace_text(edition / "story.md", "holds: 8 interviewees", "holds: 9 interviewees", 1)
    line = next(n for n, each in enumerate(STORY.splitlines(), 1) if "holds: 8 interviewees" in each)
    for call in (["check", edition], ["build", edition, "--out", tmp_path / "out"]):
        done = run(*call, code=2)
        assert f"story.md, row {line}: found '9 interviewees', and it is 8" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("query", "needed"),
    [
        ("interviewee where age_min > 3", "TABLE where"),
        ("interviewees where wealth = great", "a column of it"),
        ("legs i99.1 mode", "the key of a row"),
        ("interviewees i05 shoe_size", "a column of it"),
        ("interviewees where __import__('os')", "COLUMN = VALUE"),
        ("", "TABLE where"),
    ],
)
def test_a_question_that_cannot_be_answered_says_what_can(query: str, needed: str):
    with pytest.raises(Wrong, match=re.escape(needed)):
        value(open_edition("oral-2022"), query)


@pytest.mark.parametrize(
    ("words", "said"),
    [("[“Not during this government”](#s71)", ""), ("[“Never again”](#s71)", "Not during this government"), ("[a day](#s99)", "s9")],
    ids=["as in the evidence", "other words", "no statement"],
)  # fmt: skip
def test_what_a_story_quotes_stands_in_the_evidence(edition: Path, words: str, said: str):
    (edition / "story.md").write_text(f"# A headline\n\nHe says {words}.\n", encoding="utf-8")
    _, problems = examine(str(edition))
    assert [said in str(each) for each in problems] == [True] * bool(said)


def test_a_number_without_evidence_leads_to_its_row():
    story = read_story(open_edition("destination-figures-2022"))
    assert story
    assert "[about 98,000](destinations.html#f01)" in story.text


def test_a_story_of_an_edition_with_small_cells_is_not_shown(edition: Path):
    shown = run_cells(edition, "summary", minimum_cell=3, drawn=False)
    assert shown.glued["headline"] == "Russians interviewed in Oral, Kazakhstan, 2022"
