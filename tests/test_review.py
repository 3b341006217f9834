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
from conftest import ROOT, SOURCE, edit_json, replace_text, run
from markdown_it import MarkdownIt
from test_access import violations

from analysis.publish.plugin import EditionPlugin
from parabook.book import Book
from parabook.errors import InputError
from parabook.files import hash_files
from parabook.plan import make_plan
from parabook.plugins import Evidence, Plugin
from parabook.protocol import EXHIBIT
from parabook.receipt import LIST, checksums
from parabook.review import approved
from parabook.review.cells import Cell
from parabook.review.diff import changes
from parabook.review.page import as_html, as_markdown
from parabook.review.results import Results, results
from parabook.review.review import compare_all, history, review
from parabook.review.verdict import Review

APPROVED = ROOT / "tests" / "approved" / "oral-2022"
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
    return [str(change) for change in found.moves]


def edited(results: Results, key: str, old: str, new: str) -> Results:
    """The same with one result edited."""
    assert old in results[key]
    return {**results, key: results[key].replace(old, new)}


@pytest.mark.parametrize(
    ("old", "new", "moved"),
    [
        ("a,1", "a,1.0", ["table x: a, n: 1 → 1.0"]),
        ("a,1\nb,2", "a,1", ["table x: b, n: gone: 2"]),
        ("a,1\nb,2", "new,7\na,1\nb,2", ["table x: new, n: added: 7"]),
        ("a,1\nb,2", "b,2\na,1", ["table x: added: b,2", "table x: gone: b,2"]),
        ("a,1\na,2", "a,1\na,3", ["table x: a (2), n: 2 → 3"]),
        ("a,x -> y", "a,NULL", ["table x: a, n: x -> y → NULL"]),
        ('a,"1"', "a,1", ['table x: a,"1" → a,1']),
    ],
)
def test_a_table_names_its_moves(old: str, new: str, moved: list[str]):
    found = reviewed(*({"table/x": f"label,n\n{text}\n"} for text in (old, new)))
    assert sorted(lines(found)) == sorted(moved)


def test_in_a_random_table_exactly_what_was_changed_has_moved():
    chance = random.Random(11)
    for _ in range(40):
        old = [["key", "a", "b"], *([f"k{n}", *(str(chance.randrange(5)) for _ in "ab")] for n in range(12))]
        gone, new_row, cell = chance.sample(range(1, 13), 3)
        rows = [list(row) for row in old]
        rows[cell][2] = "moved"
        rows.insert(new_row, ["added", "0", "0"])
        new = [row for row in rows if row[0] != old[gone][0]]
        texts = ("".join(f"{','.join(row)}\n" for row in table) for table in (old, new))
        found = {change.where for change in reviewed(*({"table/x": text} for text in texts)).moves}
        assert found == {f"{row}, {name}" for row in (old[gone][0], "added") for name in "ab"} | {f"{old[cell][0]}, b"}


@pytest.mark.parametrize("empty", ["", "\n", "note\nwithheld\n"])
def test_exhibits_that_become_withheld_or_go_are_no_crash(base: Results, empty: str):
    withheld = {key: value for key, value in base.items() if key != "chart/interviewees-by-age"} | {AGES: empty}
    gone = {key: value for key, value in base.items() if not key.endswith("/interviewees-by-age")}
    for old, new in ((base, withheld), (withheld, base), (base, gone), (gone, base)):
        found = reviewed(old, new)
        assert list(found.exhibits) == ["interviewees-by-age", ""]
        assert "<h3 id=" in as_markdown(found)
        assert '<h3 id="exhibit-interviewees-by-age">' in as_html(found)


def test_a_chart_is_compared_by_path_and_drawn_from_and_to(base: Results):
    found = reviewed(base, edited(base, "chart/interviewees-by-profession", '"align": "left"', '"align": "right"'))
    assert all(re.fullmatch(r'chart \S+: \S+\.align: "left" → "right"', line) for line in lines(found))
    assert as_html(found).count('src="data:image/svg+xml;base64,') == 2


# What readers see


@pytest.fixture(scope="module")
def pages(book: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built book with two of its pages."""
    copy = Path(shutil.copytree(book, tmp_path_factory.mktemp("pages") / "book"))
    for page in (copy / "html").glob("*.html"):
        if page.stem not in ("index", "interviewees"):
            page.unlink()
    return copy


@pytest.fixture(scope="module")
def as_built(pages: Path) -> Results:
    return seen(pages)


def seen(folder: Path) -> Results:
    return results(folder, Book.open(ROOT), EditionPlugin(), {})


PAGE, CSS = "interviewees.html", "_static/exhibits.css"
BAND = '<th scope="row">18–24</th> <td class="number" data-label="interviewees">4</td>'
NOTE = '<p class="note">An age given as a range is in a band of the table only when the whole range fits.</p>'

# What is done to a page, and what is then said to have moved; of several at once each by itself.
SEEN = {
    "a number, a heading, contents": [
        (PAGE, BAND, BAND.replace(">4<", ">9<"), "exhibit interviewees-by-age: 18–24 | 4 | i02.* → 18–24 | 9 | i02"),
        (PAGE, "How old are they?", "Who is young?", "page interviewees: How old are they? → Who is young?"),
        (PAGE, 'name="description" content="', 'name="description" content="A sample. ', "page interviewees: description: On "),
        (PAGE, ">Codebook</a>", ">Rules</a>", "page around: added: Rules"),
        (CSS, "", "tr:nth-child(2) { display: none }", r"asset _static/exhibits.css: \w{12} → \w{12}"),
        ("_static/palette.css", "#", "#f", "asset _static/palette.css:"),
    ],
    "a note, a sentence, a script": [
        (PAGE, NOTE, "", "exhibit interviewees-by-age: gone: An age given as a range"),
        (PAGE, "says nothing individual about", "draws a sample of", "page interviewees: The source portrays .* → .* draws a sample of"),
        (PAGE, "</body>", "<script>hide()</script></body>", "page around: added: script"),
        (PAGE, CSS, "_static/gone.css", "page interviewees: link .*exhibits.css → link .*gone.css"),
    ],
    "hidden by a style": [(PAGE, f"<tr>{BAND}", f'<tr style="display: none">{BAND}', "exhibit interviewees-by-age: gone: 18–24 | 4")],
    "hidden": [(PAGE, f"<tr>{BAND}", f"<tr hidden>{BAND}", "exhibit interviewees-by-age: gone: 18–24 | 4")],
    "a row's class": [(PAGE, f"<tr>{BAND}", f'<tr class="faint">{BAND}', "exhibit interviewees-by-age: markup")],
    "a colour of a drawing": [(PAGE, 'fill="#0064a8"', 'fill="#ffff00"', "exhibit interviewees-by-age: markup")],
    "a style in the page": [(PAGE, "</article>", "<style>tr { opacity: 0 }</style></article>", "page interviewees: markup .* → style")],
    "a script that is listed no more": [(LIST, "_static/charts.js", "_static/charts.txt", "asset _static/charts.js: gone")],
}  # fmt: skip


@pytest.mark.parametrize("kind", SEEN)
def test_what_readers_would_see_otherwise_has_moved(pages: Path, as_built: Results, tmp_path: Path, kind: str):
    copy = Path(shutil.copytree(pages, tmp_path / "copy"))
    for file, old, new, _ in SEEN[kind]:
        text = (copy / "html" / file).read_text(encoding="utf-8")
        assert old in text
        (copy / "html" / file).write_text(text.replace(old, new, 1) if old else f"{text}{new}", encoding="utf-8")
    if SEEN[kind][0][0] != LIST:  # as a build would list it
        listed = {name: code for name, code in hash_files(copy / "html").items() if name != LIST}
        (copy / "html" / LIST).write_text(checksums({"html": listed}), encoding="utf-8")
    found = [str(change) for change in changes(as_built, seen(copy))]
    for *_, moved in SEEN[kind]:
        pattern = re.compile(moved.replace(" | ", r" \| ").replace("?", r"\?"))
        assert any(pattern.match(line) for line in found), found
    assert len(found) < 7 + len(SEEN[kind])


def test_the_code_of_a_chapter_and_what_differs_between_machines_are_no_results(pages: Path, as_built: Results):
    assert "count_by" not in as_built["page/interviewees"]
    assert "count_by" in (pages / "html" / "interviewees.html").read_text(encoding="utf-8")
    assert not {"table/versions", "exhibit/versions"} & set(as_built)


# Because of what


def test_a_moved_result_leads_to_the_input_rows_behind_it(base: Results):
    new = edited(base, "input/legs", "i05,1,made,moscow,kazakhstan,,,1", "i05,1,made,moscow,kazakhstan,,,3")
    new = edited(new, AGES, "18–24,4", "18–24,5") | {"rests-on/interviewees-by-age": "interviewees places"}
    new = edited(new, "exhibit/nights-waited", "1 |", "3 |")
    found = reviewed(base, new)
    assert found.behind("nights-waited") == ["legs"]
    assert found.behind("interviewees-by-age") == []
    assert found.verdict.endswith("Since then changed: 1 input value. No input row explains interviewees-by-age.")
    assert "input legs: i05.1, nights_waited: 1 → 3" in found.as_text()
    assert "i05.1, nights_waited" in {cause["where"] for cause in found.as_json()["causes"]}


def test_swapped_and_otherwise_spelt_input_rows_are_changes_of_the_input(base: Results):
    first, a, b, *rest = base["input/legs"].splitlines(keepends=True)
    found = reviewed(base, edited(base, AGES, "18–24,4", "18–24,5") | {"input/legs": "".join((first, b, a, *rest))})
    assert "Since then changed: 2 input values." in found.verdict
    found = reviewed(base, {**base, "file/legs.csv": "another"})
    assert (found.moves, found.causes("input")) == ([], [])
    assert found.verdict.endswith("Since then changed: 1 input file.")


def test_of_an_input_that_hides_small_cells_nothing_is_kept_or_claimed(base: Results, edition: Path):
    replace_text(edition / "datapackage.json", '"minimum_cell": 1', '"minimum_cell": 3')
    assert EditionPlugin().rows(edition) is None
    hidden = {key: value for key, value in base.items() if not key.startswith(("input/", "file/"))}
    found = reviewed(hidden, edited(hidden, AGES, "18–24,4", "18–24,5"))
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
    assert not [*history(tmp_path, state, [code])]
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "As approved")
    assert not [*history(tmp_path, state, [code])]
    code.write_text("2")
    git("commit", "-qam", "Young is younger")
    code.write_text("3")
    uncommitted, commit = history(tmp_path, state, [code])
    assert uncommitted == "not committed: M code.py"
    assert commit.endswith(" Young is younger")


# The approved state


def test_an_approved_state_is_read_back_as_it_was(base: Results, tmp_path: Path):
    def files(folder: Path) -> dict[str, bytes]:
        return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}

    approved.write(base, tmp_path / "state")
    assert files(tmp_path / "state") == files(APPROVED)
    assert sum(map(len, files(APPROVED).values())) < 420_000


@pytest.mark.parametrize("foreign", ["thesis.txt", "inputs.json", "tables/deep/x.txt", ".git/config"])
def test_only_an_approved_state_is_ever_replaced(tmp_path: Path, foreign: str):
    folder = tmp_path / "mine"
    found = {"table/x": "label,n\na,1\n", "page/x": "Text.\n", "version/x": "1"}
    (folder / foreign).parent.mkdir(parents=True)
    (folder / foreign).write_text("{}")
    for _ in "with and without a marker":
        with pytest.raises(InputError, match="an approved state, or no folder yet"):
            approved.write(found, folder)
        assert (folder / foreign).read_text() == "{}"
        shutil.copy(APPROVED / "approved.json", folder)
    (folder / foreign).unlink()
    (folder / "tables").mkdir(exist_ok=True)
    (folder / "tables" / "older.csv").write_text("a,b\n")
    approved.write(found, folder)
    assert approved.read(folder) == found


@pytest.mark.parametrize(
    ("name", "content"),
    [("approved.json", b"{"), ("approved.json", b"[]"), ("approved.json", b'{"a": {}}'), ("tables/x.csv", b"\xff"), ("charts/x.vl.json", b"<<<")],
)  # fmt: skip
def test_an_approved_state_that_is_broken_is_refused(tmp_path: Path, name: str, content: bytes):
    approved.write({"table/x": "a\n", "chart/x": "{}", "page/x": "Text."}, tmp_path / "state")
    (tmp_path / "state" / name).write_bytes(content)
    with pytest.raises(InputError, match="an approved state"):
        approved.read(tmp_path / "state")


# The page

PAYLOAD = "</td><script>window.pwned = 1</script><img src=x onerror='window.pwned = 2'> [a](javascript:1) | `x` $y$ @z"


@pytest.fixture(scope="module")
def hostile(base: Results) -> Review:
    """A review whose every text is hostile, in all the places where text from data stands."""
    shown = ("interviewees-by-profession", "interviewees-by-route", "one-by-one", "legs-by-mode")
    old = {key: value for key, value in base.items() if key.partition("/")[2] in shown or key.startswith("input/")}
    new = {key: re.sub("Moscow|student", json.dumps(PAYLOAD)[1:-1], value) for key, value in old.items()}
    new |= {f"{kind}/{PAYLOAD}": PAYLOAD for kind in ("page", "asset", "code", "given", "version", "file")}
    new["input/legs"] = f'leg,mode\n"{PAYLOAD}","{PAYLOAD}"\n'
    cells = (Cell(PAYLOAD, PAYLOAD, "failed", 1.0, PAYLOAD), Cell(PAYLOAD, PAYLOAD))
    found = reviewed(old, new, about=PAYLOAD, commits=(PAYLOAD,), cells=cells, evidence=Evidence(PAYLOAD))
    return replace(found, title=f"Review {PAYLOAD}")


@pytest.mark.browser
def test_the_page_is_for_everyone_and_runs_nothing(visit, hostile: Review, tmp_path: Path):
    page = visit(hostile.write(tmp_path), color_scheme="dark", viewport={"width": 360, "height": 900})
    page.wait_for_timeout(200)
    assert [url for url in visit.asked if not url.endswith("review.html") and not url.startswith("data:")] == []
    assert visit.wrong == []
    assert page.evaluate("window.pwned") is None
    assert PAYLOAD in page.locator("h1").inner_text()
    assert page.locator("img").count() > 3
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "scrolls sideways"
    assert violations(page) == []


def test_the_summary_shows_text_as_typed(hostile: Review):
    text = as_markdown(hostile)
    page = MarkdownIt("gfm-like", {"linkify": False}).render(text)
    assert page == text, "Markdown takes nothing for its own"
    assert not re.search("<script|<img|<a ", page)
    assert "&lt;script&gt;window.pwned = 1&lt;/script&gt;" in page
    assert page.count("<table>") > 4


def test_the_page_marks_words_and_names_every_loud_cell():
    old, new = "only the mobilisation brought it close", "only, the mobilisation made it close"
    quiet = (Cell("c", f"cell-{n}") for n in range(58))
    cells = (*quiet, Cell("c", "late", "ran", 0.1, "careful"), Cell("c", "last", "failed", 0.1, "Zero"))
    found = reviewed({"page/x": old}, {"page/x": new}, cells=cells)
    text, page = as_markdown(found), as_html(found)
    assert "only<mark>,</mark> the mobilisation <mark>made</mark> it close" in text
    assert "only<mark>,</mark> the mobilisation <mark>made</mark> it close" in page
    assert "58 cells that ran and said nothing, with seconds" in page
    assert "c late</th><td>ran</td><td>0.10</td><td>careful</td>" in text
    assert "c last</th><td>failed</td><td>0.10</td><td>Zero</td>" in text
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
    replace_text(book.chapters[0], old, new)


def run_review(book: Book) -> Review:
    return review(make_plan(replace(Book.open(book.root), settings=book.settings), Plugin(), "", {}))


def test_any_book_is_reviewed_from_first_to_failing_run(small: Book, tmp_path: Path):
    first = run_review(small)
    assert (first.moved, first.wrong, first.old) == (True, False, None)
    assert not first.approved.exists(), "nothing is approved without being asked"
    first.accept()
    assert run_review(small).verdict == "Nothing moved: all pages are as they were. Since then changed: nothing."
    edit(small, "x = 1", "import warnings; x = 2; warnings.warn('careful')")
    edit(small, "# Title", "# Another")
    second = run_review(small)
    assert "page page: Title → Another" in lines(second)
    assert "page page: added: 2" in lines(second)
    assert [change.name for change in second.causes()] == ["chapters/page.ipynb"]
    warned = [(cell.name, cell.problem) for cell in second.cells if cell.problem]
    assert warned == [("one", "warning: UserWarning: careful")]
    edit(small, "print(x)", "1 / 0")
    third = run_review(small)
    assert (third.wrong, [cell.state for cell in third.cells]) == (True, ["ran", "failed", "not run"])
    assert "cell two: ZeroDivisionError: division by zero" in third.as_text()
    third.write(tmp_path / "out")
    assert "page two</th><td>failed</td>" in (tmp_path / "out" / "review.md").read_text(encoding="utf-8")


def test_what_only_other_parameters_show_is_reviewed_too(small: Book):
    table = {"columns": ["n"], "rows": "[[level]]"}
    shown = {"id": "a", "caption": "", "finding": "", "source": "", "notes": [], "anchors": [], "chart": None} | table
    source = f"{ {**shown, 'view': table} }".replace("'[[level]]'", "[[level]]")
    edit(small, '"x = 1"', json.dumps(f"shown = {source}"))
    edit(small, '"print(x)"', json.dumps(f"display({{{EXHIBIT!r}: shown}}, raw=True)"))
    with edit_json(small.chapters[0]) as page:
        given = nbformat.v4.new_code_cell("level: int = 1", id="given", metadata={"tags": ["parameters"]})
        page["cells"].insert(1, given)
    book = replace(small, settings={"reviewed_with": [{"level": 1}, {"level": 3}]})
    first = run_review(book)
    tables = {name: text for name, text in first.new.items() if name.startswith("table/")}
    assert tables == {"table/a": "n\n1\n", "table/level=3/a": "n\n3\n"}
    first.accept()
    assert not run_review(book).moved
    edit(small, "[[level]]", "[[min(level, 2)]]")
    assert "table level=3/a: 3 → 2" in [line.replace("1, n: ", "") for line in lines(run_review(book))]


def test_evidence_that_does_not_hold_is_wrong(base: Results, article: str, edition: Path):
    replace_text(edition / "legs.csv", "i05,1,made,moscow,kazakhstan,,,1", "i05,1,made,moscow,kazakhstan,,,3")
    held = EditionPlugin().evidence(edition, SOURCE)
    assert str(held) == "254 of 255 values resolve"
    assert str(held.problems[0]).startswith("legs.csv [i05.1], column nights_waited: found '3'")
    assert reviewed(base, base, evidence=held).wrong


def test_the_default_edition_is_as_approved(article: str, tmp_path: Path):
    done = run("review", "--source", SOURCE, "--out", tmp_path)
    assert done.stdout.startswith("Nothing moved: ")
    assert "evidence: 255 of 255 values resolve" in done.stdout
    assert "Evidence: 255 of 255 values resolve" in (tmp_path / "review.md").read_text(encoding="utf-8")
    done = run("review", "--source", tmp_path / "nowhere.txt", "--out", tmp_path, code=2)
    assert "nowhere.txt: found No such file or directory, needed the source text" in done.stderr


@pytest.mark.slow
def test_built_books_compare(book: Path, tmp_path: Path):
    assert not compare_all(Book.open(ROOT), EditionPlugin(), str(book), str(book)).moved
    other = Path(shutil.copytree(book, tmp_path / "other"))
    replace_text(other / "notebooks" / "interviewees.ipynb", '"18–24", 4', '"18–24", 5')
    page = tmp_path / "page.html"
    printed = run("compare", book, other, "--json", "--page", page, code=1).stdout
    assert json.loads(printed)["moves"][0]["where"] == "18–24, interviewees"
    assert "Comparison of " in html.unescape(page.read_text(encoding="utf-8"))
    assert len(run("compare", book, tmp_path / "nowhere", code=2).stderr.splitlines()) == 1
