"""A plugin for pytest: every cell of a chapter is a test, named ``chapters/routes.ipynb::by-mode``.

It collects nothing until a project's pytest configuration names its folder of chapters (``chapters = ["chapters"]``),
and there only notebooks that declare the parameter ``edition``. A chapter runs once a session, whoever asks first;
a cell fails when it raises, warns or writes to stderr, and cells that an error kept from running are errors.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from parabook.errors import InputError
from parabook.parameters import fitted, parameters

if TYPE_CHECKING:  # its imports are heavy, and every run of pytest beside this project loads the plugin
    from parabook.review.trial import Outcome

SHARED = "analysis_cells"
"""What xdist's workers are told: the folder in which they leave each other the outcomes of chapters."""


class CellFailed(Exception):
    """A cell failed or was not run; what it says is what the reader of the test report needs."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options and the setting."""
    parser.addini("chapters", "folders of chapters, each cell of which is a test", type="paths", default=[])
    group = parser.getgroup("chapters", "cells of chapters")
    group.addoption("--edition", metavar="NAME|PATH", help="run the chapters with this edition")
    group.addoption(
        "--chapter-parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the chapters; may be given several times",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse an edition or a parameter that cannot be used, before anything runs."""
    trials = config.stash[TRIALS] = Trials(config)
    if config.getoption("edition") or config.getoption("chapter_parameter"):
        try:
            if not trials.notebooks:
                # pytest takes a path that stands apart from its option for tests, and looks for its settings there.
                hint = "name the chapters on the command line, or write --edition=PATH in one word"
                raise InputError.one(config.rootpath, "no chapters", "pytest settings that name their folder", hint)
            _ = trials.edition, trials.values
        except InputError as error:
            known = getattr(error, "known", "")
            raise pytest.UsageError("\n".join(filter(None, [str(error), known]))) from None


def pytest_report_header(config: pytest.Config) -> str | None:
    """With which edition and parameters the chapters run, when that is not their own choice."""
    edition, given = config.getoption("edition"), config.getoption("chapter_parameter")
    told = [*([f"edition {edition}"] if edition else []), *given]
    return f"chapters: {', '.join(told)}" if told else None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A chapter, when the file is a notebook in a folder of chapters."""
    folders = parent.config.getini("chapters")
    if file_path.suffix == ".ipynb" and any(folder in file_path.parents for folder in folders):
        return Chapter.from_parent(parent, path=file_path)
    return None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note the chosen cells of each chapter: nothing behind them needs to run."""
    for item in session.items:
        if isinstance(item, Cell):
            session.config.stash[TRIALS].chosen[item.path].add(item.name)


class Chapter(pytest.File):
    """A notebook that declares the parameter ``edition``."""

    def collect(self) -> Iterator[pytest.Item]:
        """Its code cells."""
        try:
            declared = parameters(self.path)
            cells = json.loads(self.path.read_text(encoding="utf-8"))["cells"]
            names = [cell["id"] for cell in cells if cell["cell_type"] == "code"]
        except (ValueError, SyntaxError, KeyError, TypeError) as error:
            needed = "a notebook of format 4.5, its parameters plain values"
            raise self.CollectError(
                f"{self.path.name}: found {type(error).__name__}: {error}, needed {needed}"
            ) from None
        if "edition" in declared:
            for name in names:
                yield Cell.from_parent(self, name=name)


class Cell(pytest.Item):
    """A code cell of a chapter."""

    seconds = 0.0

    def setup(self) -> None:
        """Have the chapter run, if it has not been; an error where this cell was not reached."""
        trials = self.config.stash[TRIALS]
        outcome = trials.of(self.path)[self.name]
        self.seconds = outcome.seconds
        self.user_properties += [("edition", trials.edition.name), ("seconds", round(outcome.seconds, 3))]
        if not outcome.ran:
            raise CellFailed(outcome.problem)
        self.outcome = outcome

    def runtest(self) -> None:
        """Say what became of it."""
        if self.outcome.problem:
            raise CellFailed(f"{self.outcome.problem}\n{self.outcome.details}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The cell's own error, without the frames of this plugin."""
        if not isinstance(excinfo.value, (CellFailed, InputError)):
            return super().repr_failure(excinfo)
        shown = excinfo.getrepr(style="value")
        if shown.reprcrash:  # what the summary and JUnit's ``message`` say
            shown.reprcrash.message = str(excinfo.value).splitlines()[0]
        return shown

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where it stands."""
        return self.path, None, f"{self.path.name}, cell {self.name}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give each cell its own seconds and words.

    The first to ask for a chapter waits for all its cells; and of an error in set-up pytest asks no item how to show it.
    """
    report = yield
    if isinstance(item, Cell):
        report.duration = item.seconds if report.when == "call" else 0.0
        if report.when == "setup" and call.excinfo:
            report.longrepr = item.repr_failure(call.excinfo)
    return report


class Trials:
    """The chapters' runs of a session, each made at most once."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.chosen: defaultdict[Path, set[str]] = defaultdict(set)
        self.begun: dict[Path, Future[dict[str, Outcome]]] = {}
        self.folder: Path | None = None
        shared = getattr(config, "workerinput", {}).get(SHARED)
        if shared:
            self.folder = Path(shared)

    @cached_property
    def notebooks(self) -> list[Path]:
        """All chapters, chosen or not: a parameter that any of them knows is known."""
        return sorted(file for folder in self.config.getini("chapters") for file in folder.rglob("*.ipynb"))

    @cached_property
    def values(self) -> dict[str, Any]:
        """The parameters given, typed and checked as a build's are."""
        pairs = [pair.partition("=") for pair in self.config.getoption("chapter_parameter")]
        for name, equals, value in pairs:
            if not (name and equals):
                raise InputError.one("--chapter-parameter", repr(f"{name}{equals}{value}"), "NAME=VALUE")
        if not pairs:
            return {}
        from analysis.tabulate import checked

        values = fitted({name: value for name, _, value in pairs}, self.notebooks)
        checked(values)
        return values

    @cached_property
    def edition(self) -> Path:
        """The folder of the edition: the one asked for, else the chapters' own."""
        from analysis.folder import find

        asked = self.config.getoption("edition")
        own = (parameters(notebook).get("edition") for notebook in self.notebooks)
        return find(asked or next(declared.default for declared in own if declared))

    def of(self, chapter: Path) -> dict[str, Outcome]:
        """What became of a chapter's cells; the first to ask has all chosen chapters begin, some side by side.

        A worker of xdist begins none before it is asked for it: another may come to it first.
        """
        for each in [chapter] if self.folder else self.chosen:
            if each not in self.begun:
                self.begun[each] = self.pool.submit(self._once if self.folder else self._run, each)
        try:
            return self.begun[chapter].result()
        except KeyboardInterrupt:
            self.stop()
            raise

    def stop(self) -> None:
        """End what still runs: nobody is going to ask for it."""
        if self.begun:
            from parabook.kernels import stop_all

            self.pool.shutdown(wait=False, cancel_futures=True)
            stop_all()

    @cached_property
    def pool(self) -> ThreadPoolExecutor:
        """Threads to run chapters in. In the main one nbclient would take Ctrl-C for itself, and the session go on."""
        from parabook.kernels import warm_up

        _ = self.edition, self.values  # once, before threads ask for them
        warm_up()
        return ThreadPoolExecutor(1 if self.folder else os.cpu_count() or 1)

    def _run(self, chapter: Path) -> dict[str, Outcome]:
        from analysis.publish.cli import _book
        from parabook.plan import Plan
        from parabook.review.trial import trial
        from parabook.run import CHAPTER_SECONDS

        plan = Plan(*_book(), self.edition, self.values)
        return trial(chapter, plan.chosen(chapter), self.edition.parent, self.chosen[chapter], int(CHAPTER_SECONDS))

    def _once(self, chapter: Path) -> dict[str, Outcome]:
        """Run a chapter, unless another of xdist's workers has."""
        from parabook.review.trial import Outcome

        assert self.folder
        kept = self.folder / f"{self.notebooks.index(chapter)}.json"
        with alone(kept.with_suffix(".lock")):
            if not kept.is_file():
                made = {cell: asdict(outcome) for cell, outcome in self._run(chapter).items()}
                kept.write_text(json.dumps(made), encoding="utf-8")
        return {cell: Outcome(**each) for cell, each in json.loads(kept.read_text(encoding="utf-8")).items()}


TRIALS = pytest.StashKey[Trials]()


@contextlib.contextmanager
def alone(lock: Path) -> Iterator[None]:
    """One process at a time; a process that dies lets the next one in."""
    with lock.open("w") as held:
        with contextlib.suppress(ImportError):  # Windows has no such locks: there each worker runs the chapter
            import fcntl

            fcntl.flock(held, fcntl.LOCK_EX)
        yield


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of xdist where the outcomes of chapters are shared."""
    trials = node.config.stash[TRIALS]
    if trials.folder is None:
        trials.folder = Path(tempfile.mkdtemp(prefix="cells-"))
    node.workerinput[SHARED] = str(trials.folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what still runs, as after ``-x``, and remove what workers shared; only the process that made that does."""
    trials = config.stash.get(TRIALS, None)
    if trials:
        trials.stop()
    if trials and trials.folder and not hasattr(config, "workerinput"):
        shutil.rmtree(trials.folder, ignore_errors=True)
