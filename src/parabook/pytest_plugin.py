"""A plug-in for pytest: every cell of a chapter is a test, named ``chapters/routes.ipynb::by-mode``.

It collects nothing until pytest's settings name folders of chapters (``chapters = ["chapters"]``). A chapter runs once a
session, whoever asks first; a cell fails when it raises, warns or writes to stderr, and cells that an error kept from
running are errors. Heavy modules are imported when a chapter runs: every run of pytest in this environment loads this one.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from parabook.errors import InputError

if TYPE_CHECKING:
    from parabook.book import Book
    from parabook.plan import Plan
    from parabook.plugins import Plugin
    from parabook.review.cells import Cell


class CellFailed(Exception):
    """A cell failed or was not run; its message is what the reader of the test report needs."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options and the setting."""
    parser.addini("chapters", "folders of chapters, each cell of which is a test", type="paths", default=[])
    group = parser.getgroup("chapters", "cells of chapters")
    group.addoption("--book-input", "--edition", metavar="NAME|PATH", help="run the chapters on this input")
    group.addoption("--chapter-parameter", action="append", default=[], metavar="NAME=VALUE",
                    help="a parameter of the chapters; may be given several times")  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """Refuse an input or a parameter that cannot be used, before anything runs."""
    runs = config.stash[RUNS] = Runs(config)
    if config.getoption("book_input") or config.getoption("chapter_parameter"):
        try:
            if not runs.notebooks:
                # pytest takes a path that stands apart from its option for tests, and looks for its settings there.
                hint = "name the chapters on the command line, or write --book-input=PATH in one word"
                raise InputError.one(config.rootpath, "no chapters", "pytest settings that name their folder", hint)
            _ = runs.plan
        except InputError as error:
            raise pytest.UsageError("\n".join(filter(None, [str(error), getattr(error, "known", "")]))) from None


def pytest_report_header(config: pytest.Config) -> str | None:
    """On which input and with which parameters the chapters run, when that is not their own choice."""
    name, given = config.getoption("book_input"), config.getoption("chapter_parameter")
    return f"chapters: {', '.join([*([f'input {name}'] if name else []), *given])}" if name or given else None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A chapter, when the file is a notebook in a folder of chapters."""
    folders = parent.config.getini("chapters")
    is_chapter = file_path.suffix == ".ipynb" and any(folder in file_path.parents for folder in folders)
    return ChapterFile.from_parent(parent, path=file_path) if is_chapter else None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note the chosen cells of each chapter: nothing behind them needs to run."""
    for item in session.items:
        if isinstance(item, CellItem):
            session.config.stash[RUNS].chosen[item.path].add(item.name)


class ChapterFile(pytest.File):
    """A notebook; one that declares no parameter of its project's inputs is no chapter."""

    def collect(self) -> Iterator[pytest.Item]:
        """Its code cells."""
        from parabook.review.results import cell_name

        try:
            filled_in = self.config.stash[RUNS].filled_in(self.path)
            cells = json.loads(self.path.read_text(encoding="utf-8"))["cells"]
            names = [cell_name(cell, n) for n, cell in enumerate(cells, 1) if cell["cell_type"] == "code"]
        except (ValueError, SyntaxError, KeyError, TypeError) as error:
            found = f"{self.path.name}: found {type(error).__name__}: {error}"
            raise self.CollectError(f"{found}, needed a notebook, its parameters plain values") from None
        for name in names if filled_in is not None else ():
            item: CellItem = CellItem.from_parent(self, name=name)
            if hasattr(self.config, "workerinput"):  # with xdist's --dist loadgroup one worker has all its cells
                item.add_marker(pytest.mark.xdist_group(self.path.stem))
            yield item


class CellItem(pytest.Item):
    """A code cell of a chapter."""

    cell: Cell | None = None

    def setup(self) -> None:
        """Have the chapter run, if it has not been; an error where this cell was not reached."""
        runs = self.config.stash[RUNS]
        self.cell = runs.of(self.path)[self.name]
        self.user_properties += [("input", runs.plan.input.name), ("seconds", round(self.cell.seconds, 3))]
        if self.cell.state == "not run":
            raise CellFailed(self.cell.problem)

    def runtest(self) -> None:
        """Fail with what is wrong with it."""
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
        """Where it is."""
        return self.path, None, f"{self.path.name}, cell {self.name}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give each cell its own seconds and message.

    The first to ask for a chapter waits for all its cells; and of an error in set-up pytest asks no item how to show it.
    """
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
        self.chosen: defaultdict[Path, set[str]] = defaultdict(set)
        self.begun: dict[Path, Future[dict[str, Cell]]] = {}

    @cached_property
    def notebooks(self) -> list[Path]:
        """All chapters, chosen or not: a parameter that any of them declares is known."""
        return sorted(file for folder in self.config.getini("chapters") for file in folder.rglob("*.ipynb"))

    @cached_property
    def book(self) -> Book:
        """The chapters as a book in pytest's root folder, whether or not a table of contents lists them."""
        from parabook.book import Book, settings

        return Book(self.config.rootpath, {}, tuple(self.notebooks), settings(self.config.rootpath))

    @cached_property
    def plugin(self) -> Plugin:
        """The plug-in of the project."""
        from parabook.plugins import plugin_of

        return plugin_of(self.book)

    def filled_in(self, notebook: Path) -> str | None:
        """The input that a chapter is run on by default, blank for the book's own; None when it is no chapter."""
        from parabook.parameters import parameters

        names, declared = self.plugin.filled_in, parameters(notebook)
        return next((str(declared[name].default) for name in names if name in declared), None if names else "")

    @cached_property
    def plan(self) -> Plan:
        """The run of the chapters: the input asked for, else their own; parameters typed and checked."""
        from parabook.plan import make_plan

        pairs = [pair.partition("=") for pair in self.config.getoption("chapter_parameter")]
        for name, equals, value in pairs:
            if not (name and equals):
                raise InputError.one("--chapter-parameter", repr(f"{name}{equals}{value}"), "NAME=VALUE")
        own = (name for notebook in self.notebooks if (name := self.filled_in(notebook)) is not None)
        asked = self.config.getoption("book_input") or next(own, "")
        return make_plan(self.book, self.plugin, asked, {name: value for name, _, value in pairs})

    def of(self, chapter: Path) -> dict[str, Cell]:
        """A chapter's cells; the first to ask has all chosen chapters begin, some side by side.

        A worker of xdist begins none before it is asked for it: another may have all its cells.
        """
        for each in [chapter] if hasattr(self.config, "workerinput") else self.chosen:
            if each not in self.begun:
                self.begun[each] = self.pool.submit(self._run, each)
        try:
            return self.begun[chapter].result()
        except KeyboardInterrupt:
            self.stop()
            raise

    def stop(self) -> None:
        """End what still runs: nobody is going to ask for it."""
        if self.begun:
            from parabook.server import stop_all

            self.pool.shutdown(wait=False, cancel_futures=True)
            stop_all()

    @cached_property
    def pool(self) -> ThreadPoolExecutor:
        """Threads to run chapters in. In the main one nbclient would take Ctrl-C for itself, and the session go on."""
        from parabook.build import start

        start(self.plan)
        return ThreadPoolExecutor(os.cpu_count() or 1)

    def _run(self, chapter: Path) -> dict[str, Cell]:
        from parabook.review.cells import run_cells
        from parabook.run import CELL_SECONDS

        folder = self.plan.plugin.folder(self.plan.input, chapter)
        return run_cells(chapter, self.plan.chosen(chapter), folder, self.chosen[chapter], int(CELL_SECONDS))


RUNS = pytest.StashKey[Runs]()


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what still runs, as after ``-x``."""
    if RUNS in config.stash:
        config.stash[RUNS].stop()
