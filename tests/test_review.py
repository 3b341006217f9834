"""Reviewing: what moves is caught and named, with its cause; what changes no result moves nothing."""

from __future__ import annotations

import html
import json
import random
import re
import shutil
import subprocess
from collections.abc import Callable
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
from parabook.review.causes import NOT_COMMITTED, History
from parabook.review.cells import Cell
from parabook.review.compare import Comparison, compare
from parabook.review.page import as_html, as_markdown, marked
from parabook.review.results import Exhibit, Origin, Results, from_notebooks
from parabook.review.review import Review, compare_all, review

APPROVED = ROOT / "tests" / "approved" / "oral-2022"
HEAD = ("label", "n")


@pytest.fixture(scope="module")
def base() -> Results:
    """The approved results of the first edition."""
    found = approved.read(APPROVED, "oral-2022")
    assert found
    return found


def with_exhibit(results: Results, id_: str, **changed: Any) -> Results:
    """The same with something of an exhibit changed."""
    return replace(results, exhibits={**results.exhibits, id_: replace(results.exhibits[id_], **changed)})


def with_cell(results: Results, id_: str, label: str, value: str) -> Results:
    """The same with another value in the last column of a row."""
    table = results.exhibits[id_].table
    rows = tuple((*row[:-1], value) if row[0] == label else row for row in table)
    return with_exhibit(results, id_, table=rows)


def with_rows(results: Results, table: str, change: Callable[[Table], Table]) -> Results:
    """The same, made from an input of which one table is another."""
    made = results.origin
    rows = {**(made.rows or {}), table: change((made.rows or {})[table])}
    inputs = {**(made.inputs or {}), f"{table}.csv": "another"}
    return replace(results, origin=replace(made, rows=rows, inputs=inputs))


def tables(old: Table, new: Table) -> Comparison:
    return compare(*(Results("x", {"x": Exhibit("c", table=table)}) for table in (old, new)))


@pytest.mark.parametrize(
    ("old", "new", "moves"),
    [
        ((HEAD, ("a", "1")), (HEAD, ("a", "1.0")), ["table x: a, n: 1 → 1.0 (±0)"]),
        ((HEAD, ("a", "1")), (HEAD, ("a", "nan")), ["table x: a, n: 1 → nan"]),
        ((HEAD, ("a", "1")), (HEAD,), ["table x: a: gone: n 1"]),
        ((HEAD, ("a", "1"), ("b", "2")), (HEAD, ("new", "7"), ("a", "1"), ("b", "2")), ["table x: new: added: n 7"]),
        ((HEAD, ("a", "1"), ("b", "2")), (HEAD, ("b", "2"), ("a", "1")), ["table x: rows in another order: a; b → b; a"]),
        ((HEAD, ("a", "1")), (("label", "m"), ("a", "1")), ["table x: m: renamed: column n → column m"]),
        ((HEAD, ("a", "1")), ((*HEAD, "m"), ("a", "1", "2")), ["table x: m: added: column m"]),
        ((HEAD, ("a", "1"), ("a", "2")), (HEAD, ("a", "1"), ("a", "3")), ["table x: a (2), n: 2 → 3 (+1)"]),
        ((HEAD, ("a", "x -> y")), (HEAD, ("a", "NULL")), ["table x: a, n: x -> y → NULL"]),
        ((HEAD, ("a", "0.1")), (HEAD, ("a", "0.30000000000000004")), ["table x: a, n: 0.1 → 0.30000000000000004 (+0.20000000000000004)"]),
    ],
)  # fmt: skip
def test_a_table_names_its_moves(old: Table, new: Table, moves: list[str]):
    assert [str(move) for move in tables(old, new).moves] == moves


def test_in_a_random_table_exactly_what_was_changed_has_moved():
    chance = random.Random(11)
    for _ in range(40):
        old = (("key", "a", "b"), *((f"k{n}", *(str(chance.randrange(5)) for _ in "ab")) for n in range(12)))
        gone, new_row, cell = chance.sample(range(1, 13), 3)
        rows = [list(row) for row in old]
        rows[cell][2] = "moved"
        rows.insert(new_row, ["added", "0", "0"])
        rows = [row for row in rows if row[0] != old[gone][0]]
        found = {(move.row, move.column, move.what) for move in tables(old, tuple(map(tuple, rows))).moves}
        assert found == {(old[gone][0], "", "gone"), ("added", "", "added"), (old[cell][0], "b", "changed")}


def test_of_a_list_of_links_those_are_named_that_came_and_went():
    views = ((("rows",), (links,)) for links in ("i02 (#a)\ni03 (#b)", "i01 (#z)\ni02 (#a)\ni03 (#b)"))
    found = compare(*(Results("x", {"x": Exhibit("c", table=(HEAD, ("a", "1")), view=view)}) for view in views))
    assert [str(move) for move in found.moves] == ["view x: a, rows: blank → i01 (#z)"]


def test_an_exhibit_that_is_gone_or_new_has_moved():
    whole = Results("x", {"x": Exhibit("c", {"caption": "Caption."}, (HEAD, ("a", "1")))})
    assert [str(move) for move in compare(whole, Results("x")).moves] == ["exhibit x: gone: Caption."]
    assert [str(move) for move in compare(Results("x"), whole).moves] == ["exhibit x: added: Caption."]


@pytest.mark.parametrize("empty", [(), ((),), (("",),), (("note",), ("withheld",))])
def test_exhibits_that_become_withheld_are_no_crash(base: Results, empty: Table):
    for old, new in ((base, with_exhibit(base, "interviewees-by-age", table=empty, view=(), chart=None)),) * 2:
        for found in (compare(old, new), compare(new, old)):
            assert found.moved
            assert "interviewees-by-age" in as_markdown(Review("R", new, found))
            assert "interviewees-by-age" in as_html(Review("R", new, found))


def changed_chart(base: Results, old: str, new: str) -> Comparison:
    text = json.dumps(base.exhibits["interviewees-by-age"].chart)
    assert old in text
    return compare(base, with_exhibit(base, "interviewees-by-age", chart=json.loads(text.replace(old, new))))


def test_a_chart_is_compared_by_path(base: Results):
    found = changed_chart(base, '"align": "left"', '"align": "right"')
    assert found.moves
    assert {move.part for move in found.moves} == {"chart"}
    assert all(move.column.endswith(".align") and (move.old, move.new) == ('"left"', '"right"') for move in found.moves)
    page = as_html(Review("R", found.new, found, cache=ROOT / "_build" / ".cache"))
    assert "interviewees-by-age, from" in page
    assert "interviewees-by-age, to" in page
    assert page.count("data:image/svg+xml;base64,") == 2


def test_the_layers_of_a_chart_share_an_axis_and_its_move():
    charts = ({"layer": [{"x": {"domain": [0, top]}}, {"x": {"domain": [0, top]}}]} for top in (7, 8))
    found = compare(*(Results("x", {"x": Exhibit("c", chart=chart)}) for chart in charts))
    assert [str(move) for move in found.moves] == ["chart x: layer[*].x.domain[1]: 7 → 8 (+1)"]


def test_a_chart_that_moves_as_its_table_does_is_not_listed_twice(base: Results):
    chart = base.exhibits["interviewees-by-age"].chart
    more = {**chart, "datasets": {name: rows[1:] for name, rows in chart["datasets"].items()}}
    alone = compare(base, with_exhibit(base, "interviewees-by-age", chart=more))
    assert "datasets.data-1" in alone.as_text()
    both = compare(
        base, with_cell(with_exhibit(base, "interviewees-by-age", chart=more), "interviewees-by-age", "18–24", "6")
    )
    assert "datasets.data-1" not in both.as_text()
    assert "The chart moved as its table did" in as_html(Review("R", base, both, cache=ROOT / "_build" / ".cache"))


def test_prose_headings_and_pasted_sentences_are_results(base: Results):
    name, text = next((name, text) for name, text in base.texts["prose"].items() if text.startswith("#"))
    found = compare(
        base, replace(base, texts={**base.texts, "prose": {**base.texts["prose"], name: "# Another heading"}})
    )
    assert [(move.part, move.of, move.old, move.new) for move in found.moves] == [
        ("prose", name, text, "# Another heading")
    ]
    assert found.verdict.startswith("Moved: 1 text.")


def test_what_counts_as_a_result_of_a_notebook():
    exhibit = {"id": "by-x", "caption": "C.", "description": "F.", "notes": [], "source": "S.", "columns": ["x"], "rows": [[1]],
               "view": {"columns": ["x"], "rows": [[[{"text": "i01", "href": "#a"}]]]}, "chart": None}  # fmt: skip
    mime = "application/vnd.parabook.exhibit+json"
    outputs = [
        {"output_type": "display_data", "data": {mime: exhibit}, "metadata": {"rests-on": ["legs"]}},
        {"output_type": "display_data", "data": {"text/plain": "'seven'"}, "metadata": {"scrapbook": {"name": "age"}}},
        {"output_type": "stream", "name": "stdout", "text": ["a line"]},
        {"output_type": "stream", "name": "stderr", "text": "noise"},
    ]
    cells = [
        {"cell_type": "markdown", "source": ["# Hello\n", "all"], "metadata": {}},
        {"cell_type": "code", "id": "p", "source": "level = 1", "metadata": {"tags": ["parameters"]}, "outputs": []},
        {"cell_type": "code", "source": "", "metadata": {}, "outputs": outputs},
    ]
    found = from_notebooks("x", {"c": {"cells": cells}}, Origin())
    words = {"caption": "C.", "finding": "F.", "notes": "", "source": "S."}
    assert found.exhibits == {
        "by-x": Exhibit("c", words, (("x",), ("1",)), (("x, as shown",), ("i01 (#a)",)), None, ("legs",))
    }
    assert found.texts == {
        "prose": {"c: cell-1": "# Hello\nall"}, "parameters": {"c: p": "level = 1"},
        "value": {"c: age": "'seven'"}, "output": {"c: cell-3, output 3": "a line"},
    }  # fmt: skip


# Because of what


def test_a_moved_result_leads_to_the_input_rows_behind_it(base: Results):
    def more_nights(table: Table) -> Table:
        return tuple((*row[:-1], "3") if row[:2] == ("i05", "1") else row for row in table)

    new = with_rows(with_cell(base, "nights-waited", "1", "3"), "legs", more_nights)
    new = with_cell(new, "interviewees-by-age", "18–24", "5")
    new = with_exhibit(new, "interviewees-by-age", rests_on=("interviewees", "places"))
    found = compare(base, new)
    row = "input legs: i05.1, nights_waited: 1 → 3 (+2)"
    assert row in list(found.causes.of(found.exhibits["nights-waited"]))
    assert next(found.causes.of(found.exhibits["interviewees-by-age"])) == "no input row that it rests on changed"
    assert found.verdict.endswith("No input row explains interviewees-by-age.")
    assert row in found.as_text()
    assert found.as_json()["inputs"][0]["row"] == "i05.1"


def test_two_swapped_input_rows_are_a_change_of_the_input(base: Results):
    swapped = with_rows(base, "legs", lambda table: (table[0], table[2], table[1], *table[3:]))
    found = compare(base, with_cell(swapped, "legs-by-mode", "air", "9"))
    assert "rows in another order" in found.as_text()
    assert "repeat" not in found.verdict
    assert "Since then changed: 1 input value." in found.verdict


def test_the_same_rows_in_another_spelling_move_nothing_and_are_named(base: Results):
    found = compare(base, with_rows(base, "legs", lambda table: table))
    assert (found.moves, found.causes.rows, found.causes.unread) == ((), (), ["legs.csv"])


def test_only_a_run_made_twice_is_said_not_to_repeat_itself(base: Results):
    found = compare(base, with_cell(base, "interviewees-by-age", "18–24", "5"))
    assert "repeat" not in found.verdict
    assert "No input, code, parameter or version differs." in found.verdict
    assert "the same both times" in replace(found, repeat=()).verdict
    assert "run twice on the same inputs, 1 result differed" in replace(found, repeat=found.moves).verdict


def test_of_an_input_that_hides_small_cells_nothing_is_kept_or_claimed(base: Results, tmp_path: Path):
    edition = Path(shutil.copytree(ROOT / "data" / "oral-2022", tmp_path / "ed"))
    package = (edition / "datapackage.json").read_text(encoding="utf-8")
    (edition / "datapackage.json").write_text(
        package.replace('"minimum_cell": 1', '"minimum_cell": 3'), encoding="utf-8"
    )
    assert EditionPlugin().rows(edition) is None
    hidden = replace(base, origin=replace(base.origin, inputs=None, rows=None))
    assert not any(name.startswith("inputs/") for name in approved.files_of(hidden))
    found = compare(hidden, with_cell(hidden, "interviewees-by-age", "18–24", "5"))
    assert "Whether the input changed is not known" in found.verdict


def test_commits_are_named_since_the_approved_state(tmp_path: Path):
    def git(*arguments: str) -> None:
        who = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True)

    state, code = tmp_path / "state", tmp_path / "code.py"
    state.mkdir()
    history = History(tmp_path.resolve())
    (state / "approved.json").write_text("{}")
    code.write_text("1")
    assert (history.commits({"code.py": code}, state), history.approved(state)) == ({}, "the approved state")
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "As approved")
    code.write_text("2")
    git("commit", "-qam", "Young is younger")
    code.write_text("3")
    assert [each.partition(" ")[2] for each in history.commits({"code.py": code}, state)["code.py"]] == [
        "committed",
        "Young is younger",
    ]
    assert history.commits({"code.py": code}, state)["code.py"][0] == NOT_COMMITTED
    assert history.approved(state).startswith("the state approved in commit ")
    assert "with changes that are not committed" in history.head([code])


# The approved state


def test_an_approved_state_is_read_back_as_it_was(base: Results, tmp_path: Path):
    approved.write(base, tmp_path / "state")
    files = {path.relative_to(APPROVED): path.read_bytes() for path in APPROVED.rglob("*") if path.is_file()}
    assert {
        path.relative_to(tmp_path / "state"): path.read_bytes()
        for path in (tmp_path / "state").rglob("*")
        if path.is_file()
    } == files


@pytest.mark.parametrize("foreign", ["thesis.txt", "inputs.json", "tables/deep/x.csv", ".git/config"])
def test_only_an_approved_state_is_ever_replaced(base: Results, tmp_path: Path, foreign: str):
    folder = tmp_path / "mine"
    (folder / foreign).parent.mkdir(parents=True)
    (folder / foreign).write_text("{}")
    for _ in "with and without a marker":
        with pytest.raises(InputError, match="an approved state, or no folder yet"):
            approved.write(base, folder)
        assert (folder / foreign).read_text() == "{}"
        shutil.copy(APPROVED / "approved.json", folder)
    (folder / "tables").mkdir(exist_ok=True)
    shutil.rmtree(folder / Path(foreign).parts[0], ignore_errors=True)
    (folder / foreign).unlink(missing_ok=True)
    (folder / "tables").mkdir(exist_ok=True)
    (folder / "tables" / "older.csv").write_text("a,b\n")
    approved.write(base, folder)
    assert not (folder / "tables" / "older.csv").exists()


@pytest.mark.parametrize(
    ("name", "text"), [("approved.json", "{"), ("approved.json", "[]"), ("chapters/routes.json", "{}\xff")]
)
def test_an_approved_state_that_is_broken_is_refused(tmp_path: Path, name: str, text: str):
    shutil.copytree(APPROVED, tmp_path / "state")
    (tmp_path / "state" / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match="an approved state"):
        approved.read(tmp_path / "state", "x")


# The page

PAYLOAD = "</td><script>window.pwned = 1</script><img src=x onerror='window.pwned = 2'> [a](javascript:1) | `x` $y$ @z"


@pytest.fixture(scope="module")
def hostile(base: Results) -> Review:
    """A review whose every text is hostile, in all the places where text from data stands."""
    shown = ("interviewees-by-profession", "interviewees-by-route", "one-by-one", "legs-by-mode")
    base = replace(base, exhibits={name: base.exhibits[name] for name in shown})
    whole = {
        name: {"words": each.words, "table": each.table, "chart": each.chart} for name, each in base.exhibits.items()
    }
    text = json.dumps(whole)
    for word in ("Moscow", "student"):
        text = text.replace(word, json.dumps(PAYLOAD)[1:-1])
    exhibits = {
        name: replace(
            base.exhibits[name], words=each["words"], table=tuple(map(tuple, each["table"])), chart=each["chart"]
        )
        for name, each in json.loads(text).items()
    }
    rows = {**(base.origin.rows or {}), "legs": (("leg", "mode"), (PAYLOAD, PAYLOAD))}
    texts = {kind: {f"c: {PAYLOAD}": PAYLOAD} for kind in base.texts}
    new = replace(base, exhibits=exhibits, texts=texts, origin=replace(base.origin, rows=rows, code={PAYLOAD: "1"}))
    cells = (Cell(PAYLOAD, PAYLOAD, "failed", 1.0, PAYLOAD), Cell(PAYLOAD, PAYLOAD))
    return Review(f"Review {PAYLOAD}", new, compare(base, new), about=PAYLOAD, old=PAYLOAD, new=PAYLOAD, cells=cells,
                  evidence=Evidence(PAYLOAD), cache=ROOT / "_build" / ".cache")  # fmt: skip


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_the_page_is_for_everyone_and_runs_nothing(browser, hostile: Review, tmp_path: Path, scheme: str, width: int):
    from axe_playwright_python.sync_playwright import Axe

    page_file = hostile.write(tmp_path)
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    page = context.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto(page_file.as_uri())
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


def test_words_that_differ_are_marked_and_no_other(base: Results):
    old, new = "only the mobilisation brought it close", "only, the mobilisation made it close"
    for text, pieces in zip((old, new), marked(old, new), strict=True):
        assert "".join(words for words, _ in pieces) == text
    found = compare(base, with_exhibit(base, "interviewees-by-age", words={"finding": new}))
    found = replace(found, moves=tuple(replace(move, old=old) for move in found.moves if move.column == "finding"))
    assert "only<b>,</b> the mobilisation <b>made</b> it close" in as_markdown(Review("R", base, found))
    assert "only<mark>,</mark> the mobilisation <mark>made</mark> it close" in as_html(Review("R", base, found))


def test_the_page_shows_rows_sums_and_every_loud_cell(base: Results):
    found = compare(base, with_cell(base, "interviewees-by-age", "18–24", "6"))
    cells = (
        *(Cell("c", f"cell-{n}") for n in range(58)),
        Cell("c", "late", "ran", 0.1, "careful"),
        Cell("c", "last", "failed", 0.1, "Zero"),
    )
    made = Review("R", base, found, cells=cells)
    text, page = as_markdown(made), as_html(made)
    assert "Sum of interviewees: 17 → 19." in text
    assert "<del>4</del> <ins>6</ins>" in page
    assert "58 cells that ran and said nothing, with seconds" in page
    assert "| c late | ran | 0.10 | careful |" in text
    assert "| c last | failed | 0.10 | Zero |" in text
    assert "cell-57" not in text
    assert "59 of 60 cells ran" in text


# Runs


@pytest.fixture
def small(tmp_path: Path) -> Book:
    """A book of one chapter, without a plug-in."""

    def code(source: str, id_: str) -> Any:
        return nbformat.v4.new_code_cell(source, id=id_)

    cells = [
        nbformat.v4.new_markdown_cell("# Title", id="title"),
        code("x = 1", "one"),
        code("print(x)", "two"),
        code("1", "three"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "page.ipynb")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: page\n", encoding="utf-8")
    (tmp_path / "_config.yml").write_text("title: Small\n", encoding="utf-8")
    return Book.open(tmp_path)


def edit(book: Book, old: str, new: str) -> None:
    file = book.chapters[0]
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def reviewed(book: Book) -> Review:
    return review(make_plan(book, Plugin(), "", {}))


def test_any_book_is_reviewed_from_first_to_failing_run(small: Book, tmp_path: Path):
    first = reviewed(small)
    assert (first.moved, first.wrong, first.comparison) == (True, False, None)
    assert not first.approved.exists(), "nothing is approved without being asked"
    first.accept()
    assert reviewed(small).verdict == "Nothing moved: 0 exhibits and 3 texts are as they were."
    edit(small, "x = 1", "import warnings; x = 2; warnings.warn('careful')")
    second = reviewed(small)
    assert [str(move) for move in second.comparison.moves] == ["output page: two, output 1: 1\n → 2\n (+1)"]
    assert second.comparison.causes.code == {"chapters/page.ipynb": "changed"}
    assert [(cell.name, cell.problem) for cell in second.cells if cell.problem] == [
        ("one", "warning: UserWarning: careful")
    ]
    edit(small, "print(x)", "1 / 0")
    third = reviewed(small)
    assert (third.wrong, [cell.state for cell in third.cells]) == (True, ["ran", "failed", "not run"])
    assert "cell two: ZeroDivisionError: division by zero" in third.as_text()
    assert "| page two | failed |" in (third.write(tmp_path / "out").parent / "review.md").read_text(encoding="utf-8")


def test_a_run_that_differs_from_run_to_run_is_found_out_by_a_second_run(small: Book):
    edit(small, "x = 1", "import time; x = time.time_ns()")
    reviewed(small).accept()
    assert "The run does not repeat itself: run twice on the same inputs, 1 result differed." in reviewed(small).verdict


def test_evidence_that_does_not_hold_is_wrong(base: Results, article: str, edition: Path):
    legs = (edition / "legs.csv").read_text(encoding="utf-8")
    (edition / "legs.csv").write_text(
        legs.replace("i05,1,made,moscow,kazakhstan,,,1", "i05,1,made,moscow,kazakhstan,,,3"), encoding="utf-8"
    )
    held = EditionPlugin().evidence(edition, SOURCE)
    assert str(held) == "164 of 165 values resolve"
    assert str(held.problems[0]).startswith("legs.csv [i05.1], column nights_waited: found '3'")
    assert Review("R", base, compare(base, base), evidence=held).wrong


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
    assert "Comparison of oral-2022" in html.unescape(page.read_text(encoding="utf-8"))
    assert len(run("compare", book, tmp_path / "nowhere", code=2).stderr.splitlines()) == 1
