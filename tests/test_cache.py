"""Only what changed is made again: by content, never by time; and no cache changes anything but time."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest
from cells import CHAPTERS
from conftest import ROOT, replace_text, run

from analysis.publish.plugin import ROOMS, EditionPlugin
from parabook.book import Book
from parabook.cache import ChapterRun, cached, store
from parabook.plan import Plan, is_current, make_plan


def plan(**given: str) -> Plan:
    return make_plan(Book.open(ROOT), EditionPlugin(), "oral-2022", given)


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


def test_a_plan_can_be_sent_while_a_thread_fills_in_its_values():
    """Pickle goes through an object's values one by one; one that was added meanwhile ended a build now and then."""
    sent = plan()

    class Late:
        def __reduce__(self):
            assert sent.published  # as another thread may ask
            return str, ()

    object.__setattr__(sent, "last", Late())
    assert "published" not in vars(sent)
    assert pickle.loads(pickle.dumps(sent)).input == sent.input
    assert "published" in vars(sent)


def test_a_chapter_runs_again_when_and_only_when_a_table_it_reads_changed(book: Path, tmp_path: Path):
    edition = Path(shutil.copytree(ROOT / "data" / "oral-2022", tmp_path / "oral-2022"))
    out = tmp_path / "out"
    assert built(edition, "--out", out) == []  # the same bytes in another place
    assert all(chapter["reused"] for chapter in receipt(out)["chapters"])
    assert receipt(out)["digest"] == receipt(book)["digest"]
    other = 110_000 + time.time_ns() % 800_000  # a number that no earlier run of this test left in the cache
    replace_text(edition / "destinations.csv", "100000", str(other))
    assert built(edition, "--out", out) == ["summary", "destinations", "evidence", "reproduce"]
    assert f"{other:,}" in (out / "html" / "destinations.html").read_text(encoding="utf-8")
    reads = {each["chapter"]: each["rests_on"] for each in receipt(out)["chapters"]}
    assert "destinations" not in reads["routes"] + reads["interviewees"]
    assert {"interviewees", "legs", "places"} <= set(reads["routes"])


def test_a_broken_cache_changes_nothing_but_time(tmp_path: Path):
    planned = replace(plan(), book=replace(Book.open(ROOT), root=tmp_path))
    notebook = planned.notebooks[2]
    assert cached(planned, notebook) is None
    ran = ChapterRun(notebook.stem, "{}", ["legs"], 1.0, {"a": 0.5})
    store(planned, notebook, ran)
    assert cached(planned, notebook) == replace(ran, reused=True)
    cache = tmp_path / "_build" / ".cache"
    assert cache.stat().st_mode & 0o077 == 0
    file = next(cache.rglob("*.json"))
    text = file.read_text()
    file.write_text(text.replace('"{}"', '"{1}"'))  # edited
    assert cached(planned, notebook) is None
    file.write_text(text[:40])  # half a file
    assert cached(planned, notebook) is None
    file.write_text(text)
    assert cached(planned, notebook)
    (cache / "secret").write_bytes(b"another's")
    assert cached(planned, notebook) is None


def test_what_a_key_depends_on():
    """Another parameter, program or lock file is another key; a parameter that a chapter does not declare is not."""
    whole, other = plan(), plan(route_level="country")
    differ = {file.stem for file in whole.notebooks if whole.key(file) != other.key(file)}
    assert differ == {"summary", "routes", "reproduce"}
    assert whole.book_key != other.book_key
    notebook = whole.notebooks[2]
    for group, name, runs in (
        ("code", "analysis/charts.py", True),
        ("code", "analysis/coding/agreement.py", True),
        ("code", "parabook/run.py", True),
        ("requirements", "requirements.txt", True),
        ("schemas", "legs.json", True),
        ("pages", "parabook/render.py", False),
        ("pages", "_config.yml", False),
    ):
        assert name in whole.hashes[group]
        changed = replace(whole, hashes={**whole.hashes, group: {**whole.hashes[group], name: "another"}})
        assert (changed.key(notebook) != whole.key(notebook)) == runs, name
        assert changed.book_key != whole.book_key
    assert whole.behind(["*"]) == whole.contents
    assert whole.behind(["legs"]).keys() == {"datapackage.json", "legs.csv"}


def test_hashes_of_an_edition_that_hides_small_cells_are_keyed():
    plain, hidden = plan(), plan(minimum_cell="5")
    assert plain.published == plain.hashes
    assert hidden.private
    assert hidden.contents == plain.contents
    assert not {*hidden.published["edition"].values()} & {*hidden.contents.values()}
    assert hidden.published == plan(minimum_cell="5").published, "so that a build with nothing to do knows it"
    assert {**hidden.published, "edition": hidden.contents} == hidden.hashes


def test_the_program_is_all_that_chapters_import():
    """Of the package, but the folders that make and publish editions; an import from one of them would be missed."""
    code = [*(ROOT / "src" / "analysis").glob("*.py"), *(ROOT / "src" / "analysis" / "coding").glob("*.py")]
    rooms = [f"analysis.{room.strip('/')}" for room in ROOMS]
    assert [file.name for file in code if any(room in file.read_text(encoding="utf-8") for room in rooms)] == []


def test_what_an_edition_was_imported_with_is_no_input(edition: Path):
    for name in ("import.ipynb", "import.json"):
        (edition / name).write_text("{}")
    planned = make_plan(Book.open(ROOT), EditionPlugin(), str(edition), {})
    assert planned.contents == plan().contents


def test_a_book_with_a_file_lost_or_added_is_not_the_one_that_was_built(copy: Path):
    planned = plan()
    assert is_current(planned, copy)
    (copy / "tables" / "extra.csv").write_text("a\n")
    assert not is_current(planned, copy)
    (copy / "tables" / "extra.csv").unlink()
    (copy / "charts" / "route-map.vl.json").unlink()
    assert not is_current(planned, copy)
