"""Reviewing: what moves is caught and named, with its cause; what changes no result moves nothing."""

from __future__ import annotations

import html
import json
import random
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from conftest import ROOT, SOURCE, run
from test_access import RULES

from analysis.publish.plugin import EditionPlugin
from parabook.book import Book
from parabook.errors import InputError
from parabook.plan import make_plan
from parabook.plugins import Evidence, Plugin, Table
from parabook.review import approved
from parabook.review.cells import Cell
from parabook.review.history import UNKNOWN, history
from parabook.review.page import as_html, as_markdown
from parabook.review.results import Results, from_notebooks
from parabook.review.review import compare_all, review
from parabook.review.verdict import Review

APPROVED = ROOT / "tests" / "approved" / "oral-2022"
HEAD = ("label", "n")
AGES = "table/interviewees-by-age"


@pytest.fixture(scope="module")
def base() -> Results:
    """The approved results of the first edition."""
    found = approved.read(APPROVED)
    assert found
    return found


def reviewed(old: Results | None, new: Results, **more: Any) -> Review:
    return Review("R", old, new, **more)


def lines(found: Review) -> list[str]:
    return [line for move in found.moves for line in move.lines()]


def with_cell(results: Results, key: str, label: str, value: str) -> Results:
    """The same with another value in the last column of a row."""
    return {**results, key: tuple((*row[:-1], value) if row[0] == label else row for row in results[key])}


@pytest.mark.parametrize(
    ("old", "new", "moved"),
    [
        ((HEAD, ("a", "1")), (HEAD, ("a", "1.0")), ["table x: a, n: 1 → 1.0 (±0)"]),
        ((HEAD, ("a", "1")), (HEAD,), ["table x: a: gone: n 1"]),
        ((HEAD, ("a", "1"), ("b", "2")), (HEAD, ("new", "7"), ("a", "1"), ("b", "2")), ["table x: new: added: n 7"]),
        ((HEAD, ("a", "1"), ("b", "2")), (HEAD, ("b", "2"), ("a", "1")), ["table x: rows in another order: a; b → b; a"]),
        ((HEAD, ("a", "1")), (("label", "m"), ("a", "1")), ["table x: m: renamed: column n → column m"]),
        ((HEAD, ("a", "1"), ("a", "2")), (HEAD, ("a", "1"), ("a", "3")), ["table x: a, n: 2 → 3 (+1)"]),
        ((HEAD, ("a", "x -> y")), (HEAD, ("a", "NULL")), ["table x: a, n: x -> y → NULL"]),
        ((HEAD, ("a", "0.1")), (HEAD, ("a", "0.30000000000000004")), ["table x: a, n: 0.1 → 0.30000000000000004 (+0.20000000000000004)"]),
    ],
)  # fmt: skip
def test_a_table_names_its_moves(old: Table, new: Table, moved: list[str]):
    assert lines(reviewed({"table/x": old}, {"table/x": new})) == moved


def test_in_a_random_table_exactly_what_was_changed_has_moved():
    chance = random.Random(11)
    for _ in range(40):
        old = (("key", "a", "b"), *((f"k{n}", *(str(chance.randrange(5)) for _ in "ab")) for n in range(12)))
        gone, new_row, cell = chance.sample(range(1, 13), 3)
        rows = [list(row) for row in old]
        rows[cell][2] = "moved"
        rows.insert(new_row, ["added", "0", "0"])
        new = tuple(tuple(row) for row in rows if row[0] != old[gone][0])
        changes = reviewed({"table/x": old}, {"table/x": new}).moves[0].changes
        found = {(change.row, change.column, change.what) for change in changes}
        assert found == {(old[gone][0], "", "gone"), ("added", "", "added"), (old[cell][0], "b", "changed")}


@pytest.mark.parametrize("empty", [(), ((),), (("",),), (("note",), ("withheld",))])
def test_exhibits_that_become_withheld_or_go_are_no_crash(base: Results, empty: Table):
    withheld = {key: value for key, value in base.items() if key != "chart/interviewees-by-age"} | {AGES: empty}
    gone = {key: value for key, value in base.items() if not key.endswith("/interviewees-by-age")}
    for old, new in ((base, withheld), (withheld, base), (base, gone), (gone, base)):
        found = reviewed(old, new)
        assert list(found.exhibits) == ["interviewees-by-age"]
        assert "interviewees-by-age: Interviewees by age" in as_markdown(found)
        assert "interviewees-by-age: Interviewees by age" in as_html(found)


def test_a_chart_is_compared_by_path_and_drawn_from_and_to(base: Results):
    text = json.dumps(base["chart/interviewees-by-age"])
    assert '"align": "left"' in text
    new = {**base, "chart/interviewees-by-age": json.loads(text.replace('"align": "left"', '"align": "right"'))}
    found = reviewed(base, new)
    assert [move.kind for move in found.moves] == ["chart"]
    for change in found.moves[0].changes:
        assert change.column.endswith(".align")
        assert (change.was, change.now) == ('"left"', '"right"')
    page = as_html(found)
    assert "interviewees-by-age, from" in page
    assert "interviewees-by-age, to" in page
    assert page.count("data:image/svg+xml;base64,") == 2


def test_a_chart_names_a_shared_axis_once_and_its_table_s_moves_not_again():
    charts = ({"chart/x": {"layer": [{"x": {"domain": [0, top]}}, {"x": {"domain": [0, top]}}]}} for top in (7, 8))
    assert lines(reviewed(*charts)) == ["chart x: layer[*].x.domain[1]: 7 → 8 (+1)"]
    old, new = ({"chart/x": {"datasets": {"data-1": [{"age": "old", "n": n}]}}} for n in (4, 5))
    assert lines(reviewed(old, new)) == ["chart x: datasets.data-1[0].n: 4 → 5 (+1)"]
    tables = ({"table/x": (HEAD, ("a", n))} for n in "45")
    found = reviewed(*(side | next(tables) for side in (old, new)))
    assert lines(found) == ["chart x: datasets: of the old table → of the new table", "table x: a, n: 4 → 5 (+1)"]


def test_what_counts_as_a_result_of_a_notebook():
    chart = {"data": {"name": "data-4f"}, "datasets": {"data-4f": [{"x": 1}]}}
    exhibit = {"id": "by-x", "caption": "C.", "finding": "F.", "notes": ["N.", "M."], "source": "S.", "columns": ["x"], "rows": [[1]],
               "view": {"columns": ["x", "rows"], "rows": [[1, [{"text": "i01", "href": "#a"}]]]}, "chart": chart}  # fmt: skip
    mime = "application/vnd.parabook.exhibit+json"
    outputs = [
        {"output_type": "display_data", "data": {mime: exhibit}, "metadata": {"rests-on": ["legs"]}},
        {"output_type": "display_data", "data": {mime: {**exhibit, "id": "left-out"}}, "metadata": {}},
        {"output_type": "display_data", "data": {"text/plain": "'seven'"}, "metadata": {"scrapbook": {"name": "age"}}},
        {"output_type": "stream", "name": "stdout", "text": ["a line"]},
        {"output_type": "stream", "name": "stderr", "text": "noise"},
        {"output_type": "display_data", "data": {"application/vnd.vegalite.v6.json": {"mark": "bar"}}},
    ]
    cells = [
        {"cell_type": "markdown", "source": ["# Hello\n", "all"], "metadata": {}},
        {"cell_type": "code", "id": "p", "source": "level = 1", "metadata": {"tags": ["parameters"]}, "outputs": []},
        {"cell_type": "code", "source": "", "metadata": {}, "outputs": outputs},
    ]
    assert from_notebooks({"c": {"cells": cells}}, ["left-out"]) == {
        "prose/c/cell-1": "# Hello\nall", "parameters/c/p": "level = 1", "chapter/by-x": "c", "rests-on/by-x": "legs",
        "table/by-x": (("x",), ("1",)), "view/by-x": (("x", "rows"), ("1", "i01 (#a)")),
        "chart/by-x": {"data": {"name": "data-1"}, "datasets": {"data-1": [{"x": 1}]}},
        "caption/by-x": "C.", "finding/by-x": "F.", "notes/by-x": "N.\nM.", "source/by-x": "S.",
        "value/c/age": "'seven'", "output/c/cell-3/4": "a line", "chart/c/cell-3/6": {"mark": "bar"},
    }  # fmt: skip


# Because of what


def test_a_moved_result_leads_to_the_input_rows_behind_it(base: Results):
    legs = tuple((*row[:-1], "3") if row[:2] == ("i05", "1") else row for row in base["input/legs"])
    new = with_cell(base, "table/nights-waited", "1", "3") | {"input/legs": legs, "file/legs.csv": "another"}
    new = with_cell(new, AGES, "18–24", "5") | {"rests-on/interviewees-by-age": "interviewees places"}
    found = reviewed(base, new)
    row = "input legs: i05.1, nights_waited: 1 → 3 (+2)"
    assert row in found.reasons("nights-waited")
    assert next(found.reasons("interviewees-by-age")) == "no input row that it rests on changed"
    assert found.verdict.endswith("No input row explains interviewees-by-age.")
    assert row in found.as_text()
    assert "i05.1" in {cause["row"] for cause in found.as_json()["causes"]}


def test_swapped_and_otherwise_spelt_input_rows_are_changes_of_the_input(base: Results):
    first, a, b, *rest = base["input/legs"]
    found = reviewed(base, with_cell(base, "table/legs-by-mode", "air", "9") | {"input/legs": (first, b, a, *rest)})
    assert "rows in another order" in found.as_text()
    assert "Since then changed: 1 input value." in found.verdict
    found = reviewed(base, {**base, "file/legs.csv": "another"})
    assert (found.moves, found.causes("input"), found.unread) == ([], [], ["legs.csv"])


def test_prose_is_a_result_and_only_a_run_made_twice_is_said_not_to_repeat_itself(base: Results):
    name, text = next((key, text) for key, text in base.items() if key.startswith("prose/") and text.startswith("#"))
    found = reviewed(base, {**base, name: "# Another heading"})
    assert [(move.kind, move.was, move.now) for move in found.moves] == [("prose", text, "# Another heading")]
    assert found.verdict == "Moved: 1 text. No input, code, parameter or version differs."
    assert "the same both times" in replace(found, repeat=()).verdict
    assert "run twice on the same inputs, 1 result differed" in replace(found, repeat=tuple(found.moves)).verdict


def test_of_an_input_that_hides_small_cells_nothing_is_kept_or_claimed(base: Results, edition: Path, tmp_path: Path):
    file = edition / "datapackage.json"
    file.write_text(
        file.read_text(encoding="utf-8").replace('"minimum_cell": 1', '"minimum_cell": 3'), encoding="utf-8"
    )
    assert EditionPlugin().rows(edition) is None
    hidden = {key: value for key, value in base.items() if not key.startswith(("input/", "file/"))}
    found = reviewed(hidden, with_cell(hidden, AGES, "18–24", "5"))
    assert "Whether the input changed is not known" in found.verdict
    assert "Not known: the input hides small cells." in as_markdown(found)


def test_commits_are_named_since_the_approved_state(tmp_path: Path):
    def git(*arguments: str) -> None:
        who = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True)

    state, code = tmp_path / "state", tmp_path / "code.py"
    state.mkdir()
    (state / "approved.json").write_text("{}")
    code.write_text("1")
    assert history(tmp_path, state, [code]).commits == ()
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "As approved")
    assert history(tmp_path, state, [code]).commits == ()
    code.write_text("2")
    git("commit", "-qam", "Young is younger")
    code.write_text("3")
    found = history(tmp_path, state, [code])
    assert [text.partition(" ")[2] for text, _ in found.commits] == ["committed", "Young is younger"]
    assert {files for _, files in found.commits} == {("code.py",)}
    assert found.old.startswith("approved in commit ")
    assert "with changes that are not committed" in found.new


# The approved state


def test_an_approved_state_is_read_back_as_it_was(base: Results, tmp_path: Path):
    def files(folder: Path) -> dict[str, bytes]:
        return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}

    approved.write(base, tmp_path / "state")
    assert files(tmp_path / "state") == files(APPROVED)


@pytest.mark.parametrize("foreign", ["thesis.txt", "inputs.json", "tables/deep/x.csv", ".git/config"])
def test_only_an_approved_state_is_ever_replaced(tmp_path: Path, foreign: str):
    folder = tmp_path / "mine"
    results = {"table/x": (HEAD, ("a", "1")), "prose/c/x": "Text."}
    (folder / foreign).parent.mkdir(parents=True)
    (folder / foreign).write_text("{}")
    for _ in "with and without a marker":
        with pytest.raises(InputError, match="an approved state, or no folder yet"):
            approved.write(results, folder)
        assert (folder / foreign).read_text() == "{}"
        shutil.copy(APPROVED / "approved.json", folder)
    (folder / foreign).unlink()
    (folder / "tables").mkdir(exist_ok=True)
    (folder / "tables" / "older.csv").write_text("a,b\n")
    approved.write(results, folder)
    assert approved.read(folder) == results


def test_an_approved_state_that_is_broken_is_refused(tmp_path: Path):
    for n, (name, content) in enumerate([("approved.json", b"{"), ("approved.json", b"[]"), ("tables/x.csv", b"\xff")]):
        approved.write({"table/x": (HEAD,), "prose/c/x": "Text."}, tmp_path / str(n))
        (tmp_path / str(n) / name).write_bytes(content)
        with pytest.raises(InputError, match="an approved state"):
            approved.read(tmp_path / str(n))


# The page

PAYLOAD = "</td><script>window.pwned = 1</script><img src=x onerror='window.pwned = 2'> [a](javascript:1) | `x` $y$ @z"


@pytest.fixture(scope="module")
def hostile(base: Results) -> Review:
    """A review whose every text is hostile, in all the places where text from data stands."""
    shown = ("interviewees-by-profession", "interviewees-by-route", "one-by-one", "legs-by-mode")
    old = {key: value for key, value in base.items() if key.partition("/")[2] in shown or key.startswith("input/")}
    text = json.dumps(old)
    for word in ("Moscow", "student"):
        text = text.replace(word, json.dumps(PAYLOAD)[1:-1])
    new = {
        key: tuple(map(tuple, value)) if isinstance(value, list) else value for key, value in json.loads(text).items()
    }
    new |= {f"{kind}/{PAYLOAD}": PAYLOAD for kind in ("prose", "value", "output", "code", "given", "version", "file")}
    new["input/legs"] = (("leg", "mode"), (PAYLOAD, PAYLOAD))
    cells = (Cell(PAYLOAD, PAYLOAD, "failed", 1.0, PAYLOAD), Cell(PAYLOAD, PAYLOAD))
    lived = replace(UNKNOWN, old=PAYLOAD, new=PAYLOAD, commits=((PAYLOAD, (PAYLOAD,)),))
    found = reviewed(old, new, about=PAYLOAD, history=lived, cells=cells, evidence=Evidence(PAYLOAD))
    return replace(found, title=f"Review {PAYLOAD}")


@pytest.mark.browser
def test_the_page_is_for_everyone_and_runs_nothing(browser, hostile: Review, tmp_path: Path):
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(color_scheme="dark", viewport={"width": 360, "height": 900})
    page = context.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto(hostile.write(tmp_path).as_uri())
    page.wait_for_timeout(200)
    assert [url for url in asked if not url.endswith("review.html") and not url.startswith("data:")] == []
    assert said == []
    assert page.evaluate("window.pwned") is None
    assert PAYLOAD in page.locator("h1").inner_text()
    assert page.locator("img").count() > 3
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "scrolls sideways"
    found = Axe().run(page, options=RULES).response["violations"]
    context.close()
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == []


def test_markdown_shows_text_as_typed(hostile: Review):
    from markdown_it import MarkdownIt

    page = MarkdownIt("gfm-like", {"linkify": False}).render(as_markdown(hostile))
    assert not re.search("<script|<img|<a ", page)
    assert "&lt;script&gt;window.pwned = 1&lt;/script&gt;" in page
    assert page.count("<table>") > 4


def test_the_page_marks_words_and_names_every_loud_cell():
    old, new = "only the mobilisation brought it close", "only, the mobilisation made it close"
    quiet = (Cell("c", f"cell-{n}") for n in range(58))
    cells = (*quiet, Cell("c", "late", "ran", 0.1, "careful"), Cell("c", "last", "failed", 0.1, "Zero"))
    found = reviewed({"prose/c/x": old}, {"prose/c/x": new}, cells=cells)
    text, page = as_markdown(found), as_html(found)
    assert "only<b>,</b> the mobilisation <b>made</b> it close" in text
    assert "only<mark>,</mark> the mobilisation <mark>made</mark> it close" in page
    assert "58 cells that ran and said nothing, with seconds" in page
    assert "| c late | ran | 0.10 | careful |" in text
    assert "| c last | failed | 0.10 | Zero |" in text
    assert "cell-57" not in text
    assert "59 of 60 cells ran" in text


# Runs


@pytest.fixture
def small(tmp_path: Path) -> Book:
    """A book of one chapter, without a plug-in."""
    sources = {"one": "x = 1", "two": "print(x)", "three": "1"}
    cells = [nbformat.v4.new_code_cell(source, id=id_) for id_, source in sources.items()]
    cells.insert(0, nbformat.v4.new_markdown_cell("# Title", id="title"))
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "page.ipynb")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: page\n", encoding="utf-8")
    (tmp_path / "_config.yml").write_text("title: Small\n", encoding="utf-8")
    return Book.open(tmp_path)


def edit(book: Book, old: str, new: str) -> None:
    text = book.chapters[0].read_text(encoding="utf-8")
    assert old in text
    book.chapters[0].write_text(text.replace(old, new), encoding="utf-8")


def run_review(book: Book) -> Review:
    return review(make_plan(book, Plugin(), "", {}))


def test_any_book_is_reviewed_from_first_to_failing_run(small: Book, tmp_path: Path):
    first = run_review(small)
    assert (first.moved, first.wrong, first.old) == (True, False, None)
    assert not first.approved.exists(), "nothing is approved without being asked"
    first.accept()
    assert run_review(small).verdict == "Nothing moved: 0 exhibits and all texts are as they were."
    edit(small, "x = 1", "import warnings; x = 2; warnings.warn('careful')")
    second = run_review(small)
    assert lines(second) == ["output page/two/1: 1 → 2 (+1)"]
    assert [(move.name, move.what) for move in second.causes()] == [("chapters/page.ipynb", "changed")]
    warned = [(cell.name, cell.problem) for cell in second.cells if cell.problem]
    assert warned == [("one", "warning: UserWarning: careful")]
    edit(small, "print(x)", "1 / 0")
    third = run_review(small)
    assert (third.wrong, [cell.state for cell in third.cells]) == (True, ["ran", "failed", "not run"])
    assert "cell two: ZeroDivisionError: division by zero" in third.as_text()
    assert "| page two | failed |" in (third.write(tmp_path / "out").parent / "review.md").read_text(encoding="utf-8")


def test_a_run_that_differs_from_run_to_run_is_found_out_by_a_second_run(small: Book):
    edit(small, "x = 1", "import time; x = time.time_ns()")
    run_review(small).accept()
    assert "The run does not repeat itself: run twice on the same inputs, 1 result" in run_review(small).verdict


def test_evidence_that_does_not_hold_is_wrong(base: Results, article: str, edition: Path):
    legs = (edition / "legs.csv").read_text(encoding="utf-8")
    wrong = legs.replace("i05,1,made,moscow,kazakhstan,,,1", "i05,1,made,moscow,kazakhstan,,,3")
    (edition / "legs.csv").write_text(wrong, encoding="utf-8")
    held = EditionPlugin().evidence(edition, SOURCE)
    assert str(held) == "164 of 165 values resolve"
    assert str(held.problems[0]).startswith("legs.csv [i05.1], column nights_waited: found '3'")
    assert reviewed(base, base, evidence=held).wrong


def test_the_default_edition_is_as_approved(article: str, tmp_path: Path):
    done = run("review", "--source", SOURCE, "--out", tmp_path)
    assert done.stdout.startswith("Nothing moved: ")
    assert "evidence: 165 of 165 values resolve" in done.stdout
    assert "Evidence: 165 of 165 values resolve" in (tmp_path / "review.md").read_text(encoding="utf-8")
    done = run("review", "--source", tmp_path / "nowhere.txt", "--out", tmp_path, code=2)
    assert "nowhere.txt: found No such file or directory, needed the source text" in done.stderr


@pytest.mark.slow
def test_built_books_compare(book: Path, tmp_path: Path):
    assert not compare_all(Book.open(ROOT), EditionPlugin(), str(book), str(book)).moved
    other = Path(shutil.copytree(book, tmp_path / "other"))
    notebook = other / "notebooks" / "interviewees.ipynb"
    notebook.write_text(
        notebook.read_text(encoding="utf-8")
        .replace('"18\\u201324", 4', '"18\\u201324", 5')
        .replace('"18–24", 4', '"18–24", 5'),
        encoding="utf-8",
    )
    page = tmp_path / "page.html"
    printed = run("compare", book, other, "--json", "--page", page, code=1).stdout
    assert json.loads(printed)["moves"][0]["row"] == "18–24"
    assert "Comparison of " in html.unescape(page.read_text(encoding="utf-8"))
    assert len(run("compare", book, tmp_path / "nowhere", code=2).stderr.splitlines()) == 1
