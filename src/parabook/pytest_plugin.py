"""A plug-in for pytest: every cell of a chapter is a test, named ``chapters/routes.ipynb::by-mode``.

It collects nothing until pytest's settings name folders of chapters (``chapters = ["chapters"]``). A chapter runs once a
session, whoever asks first; a cell fails when it raises, warns or writes to stderr, and cells that an error kept from
running are errors. Heavy modules are imported when a chapter runs: every run of pytest in this environment loads this one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from parabook.errors import InputError

if TYPE_CHECKING:
    from parabook.plan import Plan
    from parabook.review.cells import Cell


class CellFailed(Exception):
    """A cell failed or was not run; its message is what the reader of the test report needs."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("chapters", "folders of chapters, each cell of which is a test", type="paths", default=[])
    group = parser.getgroup("chapters", "cells of chapters")
    group.addoption("--book-input", "--edition", metavar="NAME|PATH", help="run the chapters on this input")
    help_ = "a parameter of the chapters; may be given several times"
    group.addoption("--chapter-parameter", action="append", default=[], metavar="NAME=VALUE", help=help_)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse an input or a parameter that cannot be used, before anything runs."""
    runs = config.stash[RUNS] = Runs(config)
    if not (runs.input or runs.given):
        return
    try:
        if not runs.notebooks:
            # pytest takes a path that stands apart from its option for tests, and looks for its settings there.
            hint = "name the chapters on the command line, or write --book-input=PATH in one word"
            raise InputError.one(config.rootpath, "no chapters", "pytest settings that name their folder", hint)
        _ = runs.plan
    except InputError as error:
        raise pytest.UsageError("\n".join(filter(None, [str(error), getattr(error, "known", "")]))) from None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    is_chapter = file_path in parent.config.stash[RUNS].notebooks
    return ChapterFile.from_parent(parent, path=file_path) if is_chapter else None


def pytest_collection_finish(session: pytest.Session) -> None:
    chosen = (item.path for item in session.items if isinstance(item, CellItem))
    session.config.stash[RUNS].chosen = list(dict.fromkeys(chosen))


class ChapterFile(pytest.File):
    """A notebook: its code cells are its tests."""

    def collect(self) -> Iterator[pytest.Item]:
        from parabook.review.results import cell_name

        try:
            cells = json.loads(self.path.read_text(encoding="utf-8"))["cells"]
            names = [cell_name(cell, n) for n, cell in enumerate(cells, 1) if cell["cell_type"] == "code"]
        except (ValueError, KeyError, TypeError) as error:
            found = f"{self.path.name}: found {type(error).__name__}: {error}"
            raise self.CollectError(f"{found}, needed a notebook") from None
        yield from (CellItem.from_parent(self, name=name) for name in names)


class CellItem(pytest.Item):
    """A code cell of a chapter."""

    cell: Cell | None = None

    def setup(self) -> None:
        runs = self.config.stash[RUNS]
        self.cell = runs.of(self.path)[self.name]
        self.user_properties += [("input", runs.plan.input.name), ("seconds", self.cell.seconds)]
        if self.cell.state == "not run":
            raise CellFailed(self.cell.problem)

    def runtest(self) -> None:
        if self.cell and self.cell.problem:
            raise CellFailed(f"{self.cell.problem}\n{self.cell.details}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The cell's own error, without the frames of this plug-in."""
        if not isinstance(excinfo.value, (CellFailed, InputError)):
            return super().repr_failure(excinfo)
        shown = excinfo.getrepr(style="value")
        if shown.reprcrash:  # what the summary and JUnit's ``message`` say
            shown.reprcrash.message = str(excinfo.value).splitlines()[0]
        return shown

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, f"{self.path.name}, cell {self.name}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    # The first to ask for a chapter waits for all its cells; and of an error in set-up pytest asks no item how to show it.
    report = yield
    if isinstance(item, CellItem):
        report.duration = item.cell.seconds if item.cell and report.when == "call" else 0.0
        if report.when == "setup" and call.excinfo:
            report.longrepr = item.repr_failure(call.excinfo)
    return report


class Runs:
    """The chapters' runs of a session, each made at most once."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.chosen: list[Path] = []
        self.begun: dict[Path, Future[dict[str, Cell]]] = {}
        self.input, self.given = config.getoption("book_input"), config.getoption("chapter_parameter")

    @cached_property
    def notebooks(self) -> list[Path]:
        """All chapters, chosen or not."""
        return sorted(file for folder in self.config.getini("chapters") for file in folder.rglob("*.ipynb"))

    @cached_property
    def plan(self) -> Plan:
        """The run of the chapters, whether or not a table of contents lists them: on the input asked for, else their own."""
        from parabook.book import Book, settings
        from parabook.parameters import all_parameters
        from parabook.plan import make_plan
        from parabook.plugins import plugin_of

        for pair in self.given:
            if not all(pair.partition("=")[:2]):
                raise InputError.one("--chapter-parameter", repr(pair), "NAME=VALUE")
        book = Book(self.config.rootpath, {}, tuple(self.notebooks), settings(self.config.rootpath))
        plugin, declared = plugin_of(book), all_parameters(book.notebooks)
        own = next((str(declared[name].default) for name in plugin.filled_in if name in declared), "")
        return make_plan(book, plugin, self.input or own, dict(pair.split("=", 1) for pair in self.given))

    def of(self, chapter: Path) -> dict[str, Cell]:
        """A chapter's cells; the first to ask has all chosen chapters begin, of xdist's workers each only what it is given."""
        for each in [chapter] if hasattr(self.config, "workerinput") else self.chosen:
            if each not in self.begun:
                self.begun[each] = self.pool.submit(self._run, each)
        return self.begun[chapter].result()

    def stop(self) -> None:
        """End what still runs, as after ``-x``."""
        if self.begun:
            from parabook.server import stop_all

            self.pool.shutdown(wait=False, cancel_futures=True)
            stop_all()

    @cached_property
    def pool(self) -> ThreadPoolExecutor:
        from parabook.build import start

        start(self.plan)
        return ThreadPoolExecutor(
            os.cpu_count()
        )  # in the main thread nbclient would take Ctrl-C, and the session go on

    def _run(self, chapter: Path) -> dict[str, Cell]:
        from parabook.review.cells import cells_of
        from parabook.run import ChapterFailed, run_one

        failure = ""
        try:
            folder = self.plan.plugin.folder(self.plan.input, chapter)
            notebook = run_one(chapter, self.plan.chosen(chapter), folder).notebook
        except ChapterFailed as error:
            failure, notebook = str(error).removeprefix(f"chapter {chapter.stem}: "), error.notebook
        return {cell.name: cell for cell in cells_of(chapter.stem, json.loads(notebook), failure)}


RUNS = pytest.StashKey[Runs]()


def pytest_unconfigure(config: pytest.Config) -> None:
    if RUNS in config.stash:
        config.stash[RUNS].stop()
