"""Only what changed is made again: by content, never by time; and no cache changes anything but time."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from conftest import ROOT, run

from analysis import folder
from parabook import cache as keep
from parabook.plan import plan, rests_on, unchanged

CHAPTERS = ["summary", "interviewees", "routes", "destinations", "evidence", "codebook", "reproduce"]


def receipt(out: Path) -> dict:
    return json.loads((out / "receipt.json").read_text(encoding="utf-8"))


def built(*arguments: object) -> list[str]:
    """The chapters that a build ran, in order of the book; it says so line by line."""
    lines = run("build", *arguments).stderr.splitlines()
    ran = [line.split(": ", 1)[1].split()[0] for line in lines if line.endswith(" s")]
    return [chapter for chapter in CHAPTERS if chapter in ran]


@pytest.fixture
def copy(book: Path, tmp_path: Path) -> Path:
    """A copy of the built book, in place of a build of one's own."""
    return Path(shutil.copytree(book, tmp_path / "out"))


def test_nothing_changed_nothing_done(copy: Path):
    for file in [*ROOT.glob("data/oral-2022/*"), *copy.rglob("*.html")]:
        os.utime(file)  # a new time is no new content
    before = (copy / "receipt.json").stat()
    done = run("build", "--out", copy)
    assert done.stderr == "oral-2022: nothing changed\n"
    assert done.stdout.endswith("index.html\n")
    assert (copy / "receipt.json").stat().st_mtime_ns == before.st_mtime_ns


def test_a_page_that_was_touched_is_made_again_without_running_chapters(copy: Path):
    page = copy / "html" / "routes.html"
    text = page.read_bytes()
    page.write_bytes(text + b"<!-- edited -->")
    assert built("--out", copy) == []
    assert page.read_bytes() == text
    assert all(chapter["reused"] for chapter in receipt(copy)["chapters"])


def test_a_chapter_runs_again_when_and_only_when_a_table_it_reads_changed(book: Path, tmp_path: Path):
    edition = Path(shutil.copytree(ROOT / "data" / "oral-2022", tmp_path / "oral-2022"))
    out = tmp_path / "out"
    assert built(edition, "--out", out) == []  # the same bytes in another place
    assert receipt(out)["digest"] == receipt(book)["digest"]
    figures = edition / "destinations.csv"
    figures.write_text(figures.read_text(encoding="utf-8").replace("100000", "110000"), encoding="utf-8")
    assert built(edition, "--out", out) == ["summary", "destinations", "evidence", "reproduce"]
    assert "110,000" in (out / "html" / "destinations.html").read_text(encoding="utf-8")
    reads = {each["chapter"]: each["rests_on"] for each in receipt(out)["chapters"]}
    assert "destinations" not in reads["routes"] + reads["interviewees"]
    assert {"interviewees", "legs", "places"} <= set(reads["routes"])


def test_force_runs_all_and_gives_the_same_book(book: Path, copy: Path):
    assert built("--force", "--out", copy) == CHAPTERS
    assert receipt(copy)["digest"] == receipt(book)["digest"]
    assert receipt(copy)["key"] == receipt(book)["key"]


def test_a_broken_cache_changes_nothing_but_time(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keep, "FOLDER", tmp_path / "kept")
    planned = plan("oral-2022", {})
    notebook = planned.notebooks[2]
    assert keep.kept(planned, notebook) is None
    ran = keep.Ran(notebook.stem, "{}", ("legs",), 1.0, (("a", 0.5),))
    keep.keep(planned, notebook, ran)
    found = keep.kept(planned, notebook)
    assert found is not None
    assert (found.notebook, found.rests_on, found.cells, found.reused) == ("{}", ("legs",), (("a", 0.5),), True)
    file = next((tmp_path / "kept").rglob("*.json"))
    file.write_text(file.read_text()[:40])  # half a file
    assert keep.kept(planned, notebook) is None


def test_what_a_key_rests_on(monkeypatch: pytest.MonkeyPatch):
    """Another parameter, program or lock file is another key; a parameter that a chapter does not declare is not."""
    whole, other = plan("oral-2022", {}), plan("oral-2022", {"route_level": "country"})
    keys = {file.stem: (whole.key(file), other.key(file)) for file in whole.notebooks}
    differ = {chapter for chapter, (one, two) in keys.items() if one != two}
    assert differ == {"summary", "routes", "reproduce"}
    assert whole.book_key != other.book_key
    before = whole.key(whole.notebooks[2])
    monkeypatch.setattr("parabook.plan.runs_with", lambda: "another program")
    assert whole.key(whole.notebooks[2]) != before
    assert rests_on(whole, ["legs"]).keys() == {"legs.csv"}
    assert rests_on(whole, ["*"]) == whole.contents


def test_the_program_is_all_that_chapters_import():
    """Every module of the package but the machinery and the command line, and every file of data that they read."""
    modules = {file.name for file in (ROOT / "src" / "analysis").glob("*.py")} - {"cli.py"}
    assert set(folder.program()["code"]) == modules
    assert folder.program()["basemap"]


def test_a_book_with_a_file_lost_or_added_is_not_the_one_that_was_built(copy: Path):
    planned = plan("oral-2022", {})
    assert unchanged(planned, copy)
    (copy / "tables" / "extra.csv").write_text("a\n")
    assert not unchanged(planned, copy)
    (copy / "tables" / "extra.csv").unlink()
    (copy / "charts" / "destinations.vl.json").unlink()
    assert not unchanged(planned, copy)
