"""What tests share: the source text, one built book a session, a browser, copies of editions."""

from __future__ import annotations

import contextlib
import csv
import fcntl
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from analysis.publish.cli import main
from analysis.schema import schema

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT.parent / "shared" / "source" / "article.txt"
ANALYSIS = [sys.executable, "-m", "analysis.publish.cli"]


def tries(most: int) -> int:
    """How many made-up inputs a test tries: all in `make test-all`, which sets THOROUGH, and a fifth of them otherwise."""
    return most if os.environ.get("THOROUGH") else most // 5


SLOW = (
    # What takes long, most of which another test holds as well, more shortly; `make test-all` and the weekly run of CI leave none out.
    "test_hostile.py::test_nothing_runs", "test_hostile.py::test_it_", "test_hostile.py::test_titles",
    "test_hostile.py::test_a_search", "test_hostile.py::test_downloads",
    "test_shapes.py::test_a_book_is_made",
    "test_books.py::test_the_pages_are_those_of_stock", "test_books.py::test_the_wheel",
    *(f"test_access.py::test_axe_finds_nothing_and_the_page_stands_by_itself[{name}-360-dark]" for name in ("statements", "routes", "destinations", "evidence", "codebook", "reproduce", "search")),
    *(f"test_fuzz.py::test_any_file_of_an_edition_is_read_or_refused_by_file[csv/{name}.csv]" for name in ("interviewees", "legs", "places", "statements", "evidence", "settlements")),
    "test_cells.py::test_several_workers",
    "test_access.py::test_the_keyboard_reaches_every_control[index]", "test_article.py::test_every_table_of_interviewees_adds_up_to_seventeen[sub-major-place]",
    "test_errors.py::TestOneChapter::test_one_that_ends_badly_says_so_in_a_line[spins]", "test_review.py::test_what_only_other_parameters_show",
    *(f"test_shapes.py::{test}[{name}]" for test in ("test_sentences_read_as_english", "test_every_table_adds_up_and_findings_name_its_counts") for name in ("no-figures", "no-rows", "none-declared", "everyone-described", "legs-without-places", "one-by-the-thousand", "hundred-thousand")),
    "test_errors.py::TestOneChapter::test_one_that_ends_badly_says_so_in_a_line[floods]", "test_exports.py::test_a_file_is_read_or_refused_in_one_line[a million blank rows]",
    "test_errors.py::test_what_is_saved_during_a_build", "test_browser.py::test_the_book_prints", "test_hostile.py::test_the_sheet",
    "test_checks.py::test_a_table_for_which_memory_is_too_small", "test_disclosure.py::test_other_people", "test_books.py::test_what_is_outside",
    *(f"test_story.py::test_what_a_change_makes_false_is_named[{kind}]" for kind in ("another day", "older", "no plan")), "test_errors.py::test_an_interrupted_build_cleans_up[while it is assembled",
    "test_draft.py::test_the_article_is_drafted", "test_counts.py::test_the_order_of_rows", "test_access.py::test_axe_finds_nothing_and_the_page_stands_by_itself[index-360-dark]",
    "test_books.py::test_a_books_results_are_approved", "test_preview.py::test_it_ends_with_all_that_it_started[15]",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what takes long."""
    for item in items:
        if item.nodeid.removeprefix("tests/").startswith(SLOW):
            item.add_marker(pytest.mark.slow)


def absent(what: str) -> None:
    """Skip with a reason; in CI fail, where nothing may be skipped."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is required in CI")
    pytest.skip(f"{what} is not here")


@pytest.fixture(scope="session")
def article() -> str:
    """The source text of the first edition, which is not part of the project."""
    if not SOURCE.is_file():
        absent(f"the source text ({SOURCE})")
    return SOURCE.read_text(encoding="utf-8")


def run(*arguments: object, cwd: Path = ROOT, code: int | None = 0) -> subprocess.CompletedProcess[str]:
    """Run the command line, in this process where it is in the folder already; its exit code must be as given."""
    call = list(map(str, arguments))
    if Path.cwd() == cwd:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main(call)
        done = subprocess.CompletedProcess(call, status, out.getvalue(), err.getvalue())
    else:
        done = subprocess.run([*ANALYSIS, *call], cwd=cwd, capture_output=True, text=True, check=False)
    assert code is None or done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built default edition: the folder with html, notebooks, tables, charts, receipt.json. Built once a session."""
    return _shared(tmp_path_factory, "book", lambda out: run("build", "--out", out))


def _shared(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder made once for all workers of a parallel run."""
    base = factory.getbasetemp()
    base = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (base / name / "receipt.json").is_file():
            make(base / name)
    return base / name


@pytest.fixture
def edition(tmp_path: Path) -> Path:
    """A copy of the first edition, to change."""
    return Path(shutil.copytree(ROOT / "data" / "oral-2022", tmp_path / "copy"))


def replace_text(file: Path, old: str, new: str, count: int = -1) -> None:
    """Replace words that stand in a file."""
    text = file.read_text(encoding="utf-8")
    assert old in text, old
    file.write_text(text.replace(old, new, count), encoding="utf-8")


@contextlib.contextmanager
def edit_json(file: Path) -> Iterator[Any]:
    """The content of a JSON file, to change: it is written when the block ends."""
    content = json.loads(file.read_text(encoding="utf-8"))
    yield content
    file.write_text(json.dumps(content), encoding="utf-8")


def read_csv(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def write_csv(file: Path, columns: Sequence[str], rows: Iterable[Sequence[object] | Mapping[str, Any]]) -> None:
    """Write a table; a row that ends early, or names not every column, is filled with blanks."""
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            cells = [row.get(name, "") for name in columns] if isinstance(row, Mapping) else list(row)
            writer.writerow(cells + [""] * (len(columns) - len(cells)))


def write_edition(folder: Path, tables: Mapping[str, Iterable[Any]], **package: Any) -> Path:
    """An edition of these tables, the rows of each as `write_csv` takes them."""
    folder.mkdir(exist_ok=True)
    for name, rows in tables.items():
        write_csv(folder / f"{name}.csv", schema(name).columns, rows)
    listed = [{"name": name, "path": f"{name}.csv"} for name in tables]
    content = {"name": "edition", "title": "An edition", "resources": listed, **package}
    (folder / "datapackage.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """Debian's Chromium, by Playwright."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if not path:
        absent("Chromium")
    # Without these Chromium asks for hosts of its own, which a test of "no request" would see.
    flags = [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync",
    ]  # fmt: skip
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=flags)
        yield chromium
        chromium.close()


class Visit:
    """Opens pages in windows of their own, and listens: which addresses they asked for, what went wrong in them."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        self.windows: list[Any] = []
        self.asked: list[str] = []
        self.wrong: list[str] = []

    def __call__(self, page: Path | str, **window: Any) -> Any:
        opened = self.browser.new_page(**window)
        self.windows.append(opened)
        opened.on("request", lambda request: self.asked.append(request.url))
        opened.on("requestfailed", lambda request: self.wrong.append(request.url))
        opened.on("response", lambda answer: self.wrong.append(answer.url) if answer.status >= 400 else None)
        opened.on("console", lambda message: self.wrong.append(message.text) if message.type == "error" else None)
        opened.on("pageerror", lambda error: self.wrong.append(str(error)))
        opened.goto(page.as_uri() if isinstance(page, Path) else page)
        return opened

    def elsewhere(self, *here: str) -> list[str]:
        """The addresses asked for that begin otherwise than those of this machine do."""
        return [url for url in self.asked if not url.startswith(("file:", "data:", *here))]


@pytest.fixture
def visit(browser: Any) -> Iterator[Visit]:
    visit = Visit(browser)
    yield visit
    for window in visit.windows:
        window.close()


def first_chart(page: Any) -> Any:
    """The first chart of a page, once it is seen and answers."""
    page.locator(".chart").first.scroll_into_view_if_needed()
    page.wait_for_selector(".chart[data-ready]")
    return page.locator(".chart").first
