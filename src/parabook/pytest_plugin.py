"""A plug-in for pytest: every cell of a chapter is a test, named ``chapters/routes.ipynb::by-mode``.

It collects nothing until pytest's settings name folders of chapters (``chapters = ["chapters"]``). A chapter runs once a
session. A cell fails when it raises, warns or writes to stderr; cells that did not run because of an error are errors.
Heavy modules are imported when a chapter runs, since every run of pytest in this environment loads this module.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import pytest

from parabook.book import Book, parsed, settings
from parabook.build import start
from parabook.errors import InputError
from parabook.notebooks import read
from parabook.parameters import all_parameters
from parabook.plan import Plan, make_plan
from parabook.plugins import plugin_of
from parabook.review.cells import Cell, cells_of, code_cells


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("chapters", "folders of chapters, each cell of which is a test", type="paths", default=[])
    group = parser.getgroup("chapters", "cells of chapters")
    group.addoption("--book-input", "--edition", metavar="NAME|PATH", help="run the chapters on this input")
    group.addoption("--book", action="store_true", help="the chapters are the notebooks of the book in the root folder")
    group.addoption("--chapter-parameter", action="append", default=[], metavar="NAME=VALUE", help="of the chapters")


def pytest_configure(config: pytest.Config) -> None:
    """Before anything runs, refuse an input or a parameter that cannot be used."""
    runs = config.stash[RUNS] = Runs(config)
    try:
        _ = (runs.input or runs.given) and runs.plan
    except InputError as error:
        raise pytest.UsageError("\n".join(filter(None, [str(error), getattr(error, "known", "")]))) from None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    runs = parent.config.stash[RUNS]
    mine = file_path in runs.notebooks or (runs.input and file_path in runs.plan.notebooks)  # that of an input
    return ChapterFile.from_parent(parent, path=file_path) if mine else None


def pytest_unconfigure(config: pytest.Config) -> None:
    """End chapters that still run, as after ``-x``."""
    if RUNS in config.stash and config.stash[RUNS].begun:
        from parabook.server import stop_all

        config.stash[RUNS].pool.shutdown(wait=False, cancel_futures=True)
        stop_all()


class ChapterFile(pytest.File):
    """A notebook: its code cells are its tests."""

    def collect(self) -> Iterator[pytest.Item]:
        try:
            names = list(code_cells(read(self.path)))
        except InputError as error:
            raise self.CollectError(str(error)) from None
        yield from (CellItem.from_parent(self, name=name) for name in names)


class CellItem(pytest.Item):
    """A code cell of a chapter."""

    cell: Cell | None = None

    def setup(self) -> None:
        self.cell = self.config.stash[RUNS].of(self)
        self.user_properties += [("input", self.config.stash[RUNS].plan.input.name), ("seconds", self.cell.seconds)]
        if self.cell.state == "not run":
            pytest.fail(self.cell.problem, pytrace=False)

    def runtest(self) -> None:
        if self.cell and self.cell.problem:
            pytest.fail(f"{self.cell.problem}\n{self.cell.details}", pytrace=False)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, f"{self.path.name}, cell {self.name}"


class Runs:
    """The chapters' runs of a session, each made at most once."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.begun: dict[Path, Future[dict[str, Cell]]] = {}
        self.input, self.given = config.getoption("book_input"), config.getoption("chapter_parameter")

    @cached_property
    def notebooks(self) -> list[Path]:
        """All chapters, whether or not pytest is to run them."""
        if self.config.getoption("book"):
            return list(Book.open(self.config.rootpath).notebooks)
        return sorted(file for folder in self.config.getini("chapters") for file in folder.rglob("*.ipynb"))

    @cached_property
    def plan(self) -> Plan:
        """The plan of all chapters, in the table of contents or not, on the input asked for or their default."""
        if not self.notebooks:  # pytest took "--edition PATH" for a path of tests, and read the settings there
            raise InputError.one(self.config.rootpath, "no chapters", "--edition=PATH in one word")
        if wrong := [pair for pair in self.given if not all(pair.partition("=")[:2])]:
            raise InputError.one("--chapter-parameter", repr(wrong[0]), "NAME=VALUE")
        root = self.config.rootpath
        book = Book(root, parsed(root / "_config.yml"), tuple(self.notebooks), settings(root))
        plugin, declared = plugin_of(book), all_parameters(book.read.values())
        own = next((str(declared[name].default) for name in plugin.filled_in if name in declared), "")
        return make_plan(book, plugin, self.input or own, dict(pair.split("=", 1) for pair in self.given))

    @cached_property
    def pool(self) -> ThreadPoolExecutor:
        """Threads that run chapters: in the main thread nbclient would handle Ctrl-C, and the session go on."""
        start(self.plan)
        return ThreadPoolExecutor(os.cpu_count())

    def of(self, item: CellItem) -> Cell:
        """The result of a cell. The first call starts all chapters of the session; in xdist's workers, only its own."""
        try:
            for each in [item] if hasattr(self.config, "workerinput") else item.session.items:
                if isinstance(each, CellItem) and each.path not in self.begun:
                    self.begun[each.path] = self.pool.submit(self._run, each.path)
            return self.begun[item.path].result()[item.name]
        except InputError as error:
            pytest.fail(str(error), pytrace=False)

    def _run(self, chapter: Path) -> dict[str, Cell]:
        from parabook.run import ChapterFailed, run_one

        try:
            failure, notebook = "", run_one(self.plan, chapter).notebook
        except ChapterFailed as error:
            failure, notebook = str(error).removeprefix(f"chapter {self.plan.book.name(chapter)}: "), error.notebook
        allowed = self.plan.book.execution(chapter).allow_errors
        return {cell.name: cell for cell in cells_of(chapter.stem, json.loads(notebook), failure, allowed)}


RUNS = pytest.StashKey[Runs]()
