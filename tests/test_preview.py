"""The live preview: what a change shows, what an error shows, and that nothing is left when it ends."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from parabook.book import Book
from parabook.build import build
from parabook.plan import Plan, make_plan
from parabook.plugins import Plugin
from parabook.server import stop_all

pytest.importorskip("uvicorn")
pytest.importorskip("watchfiles")

from parabook.preview import Pages, Preview, changes, served

READ = "import csv\nrows = list(csv.reader(open('rows.csv')))\nrows"
GLUE = "from myst_nb import glue\nglue('rows', f'{len(rows)} rows', display=False)"


def write(root: Path, name: str, title: str, *code: str) -> None:
    """Write a notebook: a cell of Markdown, and cells of code."""
    cells = [new_markdown_cell(title, id="cell-0")]
    cells += [new_code_cell(source, id=f"cell-{n}") for n, source in enumerate(code, 1)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=cells, metadata=kernel), root / name)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book that is not this report: two notebooks, the first pastes a value of the second, which reads a CSV."""
    root = tmp_path_factory.mktemp("book")
    (root / "_toc.yml").write_text("format: jb-book\nroot: front\nchapters: [{file: rows}]\n")
    (root / "_config.yml").write_text("title: Small\n")
    (root / "pyproject.toml").write_text("[tool.parabook]\nfail_on_warnings = true\n")
    (root / "rows.csv").write_text("a,1\n")
    (root / "_static").mkdir()
    (root / "_static" / "own.css").write_text("body { color: black }\n")
    write(root, "front.ipynb", "# Front\n\n{glue:text}`rows.ipynb::rows:s`")
    write(root, "rows.ipynb", "# Rows", READ, GLUE)
    return root


def plan_of(root: Path) -> Plan:
    return make_plan(Book.open(root), Plugin(), "", {})


@pytest.fixture(scope="module")
def preview(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preview]:
    made = Preview(tmp_path_factory.mktemp("preview"))
    made.update(lambda: plan_of(root))
    assert made.pages.state["errors"] == []
    yield made
    made.stop()


def page(preview: Preview, name: str) -> str:
    return preview.pages.files[name].decode()


def unversioned(preview: Preview) -> dict[str, str]:
    """All pages, but for the hashes of files that Sphinx found in the folder."""
    found = {name: page(preview, name) for name in preview.pages.files if name.endswith(".html")}
    return {name: re.sub(r"\?v=\w+", "", text) for name, text in found.items()}


def test_a_table_and_a_cell_show_on_every_page_as_in_a_new_build(root: Path, preview: Preview, tmp_path: Path):
    assert "1 rows" in page(preview, "front.html")
    preview.pages.viewed = "rows.html"
    (root / "rows.csv").write_text("a,1\nb,2\n")
    write(root, "rows.ipynb", "# More rows", READ, GLUE)
    preview.update(lambda: plan_of(root))
    assert preview.pages.state["errors"] == []
    assert "2 rows" in page(preview, "front.html")
    assert "More rows" in page(preview, "rows.html")
    html = build(plan_of(root), tmp_path / "out").parent
    for name in ("front.html", "rows.html", "index.html", "search.html"):
        assert unversioned(preview)[name] == re.sub(r"\?v=\w+", "", (html / name).read_text()), name


@pytest.mark.parametrize(
    "file, text, said",
    [
        ("rows.ipynb", "x = 1\nx / 0", "rows.ipynb, cell cell-1, line 2: ZeroDivisionError: division by zero"),
        ("rows.ipynb", "def f(:", "rows.ipynb, cell cell-1, line 1: SyntaxError: invalid syntax"),
        ("front.ipynb", "", "assembling the book: front.ipynb, cell cell-0, line 3: WARNING: Glue reference 'lost' not found"),
        ("_toc.yml", "root: nowhere", "_toc.yml"),
    ],
)  # fmt: skip
def test_an_error_says_where_and_the_good_page_stays(root: Path, preview: Preview, file: str, text: str, said: str):
    before, good, shown = preview.pages.state["pages"], (root / file).read_text(), unversioned(preview)
    if file == "rows.ipynb":
        write(root, file, "# Rows", text)
    else:
        (root / file).write_text(text or good.replace("::rows:s", "::lost:s"))
    try:
        preview.update(lambda: plan_of(root))
        assert preview.pages.state["errors"][0].startswith(said)
        assert preview.pages.state["pages"] == before
    finally:
        (root / file).write_text(good)
    preview.update(lambda: plan_of(root))
    assert preview.pages.state["errors"] == []
    assert unversioned(preview) == shown


def test_a_style_changes_no_page(root: Path, preview: Preview):
    before = preview.pages.state
    (root / "_static" / "own.css").write_text("body { color: red }\n")
    preview.update(lambda: plan_of(root))
    assert preview.pages.state["styles"] != before["styles"]
    assert preview.pages.state["pages"] == before["pages"]
    assert b"red" in preview.pages.files["_static/own.css"]


def test_what_is_saved_while_a_change_is_dealt_with_is_seen(tmp_path: Path):
    seen = changes(lambda: {tmp_path})
    next(seen)
    (tmp_path / "saved.md").write_text("meanwhile")
    waiting = threading.Thread(target=next, args=(seen,), daemon=True)
    waiting.start()
    waiting.join(20)
    assert not waiting.is_alive()


def test_it_is_served_to_this_machine_alone(tmp_path: Path):
    pages = Pages(tmp_path)
    (tmp_path / "a.html").write_text("<p>A page.</p>")
    pages.load()
    with served(pages, 0) as address:
        port = int(address.rstrip("/").rpartition(":")[2])
        listening = [each.laddr for each in psutil.Process().net_connections() if each.status == psutil.CONN_LISTEN]
        assert ("127.0.0.1", port) in listening
        assert not [each for each in listening if each.port == port and each.ip != "127.0.0.1"]
        with urllib.request.urlopen(f"{address}a.html") as answer:
            assert b"<p>A page.</p>" in answer.read()
        with urllib.request.urlopen(f"{address}-/events?page=a.html") as answer:
            assert json.loads(answer.readline().removeprefix(b"data: "))["errors"] == []
        assert pages.viewed == "a.html"
        for path, host, code in (
            ("b.html", "127.0.0.1", 404),
            ("a.html", "evil.example", 400),
            ("../x", "127.0.0.1", 404),
        ):
            with pytest.raises(urllib.error.HTTPError, match=str(code)):
                urllib.request.urlopen(urllib.request.Request(address + path, headers={"Host": host}))


@pytest.mark.browser
def test_a_page_in_a_browser_follows_the_book(visit, tmp_path: Path):
    """It loads itself again when it is another, takes a style in place, and has a bar with what is wrong."""
    (tmp_path / "a.css").write_text("p { color: rgb(0, 0, 0) }")
    head = "<!doctype html><link rel=icon href='data:,'><link rel=stylesheet href=a.css>"
    (tmp_path / "a.html").write_text(f"{head}<p>One page.</p>")
    pages = Pages(tmp_path)
    pages.load()
    with served(pages, 0) as address:
        page = visit(f"{address}a.html")
        pages.update(errors=["a.ipynb, cell b, line 2: ZeroDivisionError"], busy="")
        page.wait_for_selector("#preview.wrong >> text=a.ipynb, cell b, line 2: ZeroDivisionError")
        pages.update(errors=[], warnings=["a warning"])
        page.wait_for_selector("#preview:not(.wrong) >> text=a warning")
        page.evaluate("window.kept = true")
        (tmp_path / "a.css").write_text("p { color: rgb(255, 0, 0) }")
        pages.load()
        page.wait_for_function(
            "getComputedStyle(document.querySelector('p')).color === 'rgb(255, 0, 0)' && window.kept"
        )
        (tmp_path / "a.html").write_text(f"{head}<p>Another page.</p>")
        pages.load()
        page.wait_for_selector("p >> text=Another page.")
        page.close()
    assert [each for each in visit.wrong if "/-/events" not in each] == []  # which ends when the page is left


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_with_all_that_it_started(root: Path, number: signal.Signals):
    call = "import sys, parabook.cli; sys.exit(parabook.cli.main())"
    command = [sys.executable, "-c", call, "preview", str(root), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        if number == signal.SIGTERM:  # else in the midst of the first build
            assert any("shown after" in line for line in process.stderr)
        started = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        assert process.returncode == 0
    assert not psutil.wait_procs(started, timeout=5)[1]
    assert not [*(root / "_build" / ".cache" / "preview").iterdir()]


def teardown_module() -> None:
    stop_all()
