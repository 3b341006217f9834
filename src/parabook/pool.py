"""Processes beside the kernels: some check inputs and assemble books, others draw charts.

What that takes is heavy, Sphinx and the drawing program above all. Loaded by a thread beside the chapters it would hold
them up; and threads that import parts of the same packages at once can find one of them half loaded.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import pickle
import queue
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from parabook import drawings
from parabook.cache import ChapterRun
from parabook.outputs import make_outputs
from parabook.plan import Plan
from parabook.plugins import Cover
from parabook.preload import collect_rarely
from parabook.server import FORKS, server, start_python

ASSEMBLY = ("jupyter_book.sphinx", "sphinx.builders.html", "myst_nb.sphinx_")
"""What assembling a book imports, besides its theme."""


class WorkerLost(Exception):
    """A worker process ended in the middle of its work."""


class Process(Protocol):
    """A process that answers over a connection."""

    connection: Connection

    def kill(self) -> None:
        """End it at once."""


class Worker:
    """A process that calls one function after another; where there is no fork, this process."""

    def __init__(self, start: Callable[[], Process]) -> None:
        self.process = start() if FORKS else None

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """The result of a function, called there; its exception is raised here."""
        if self.process is None:
            return function(*arguments)
        try:
            self.process.connection.send((function, arguments))
            done, result = self.process.connection.recv()
        except (EOFError, OSError) as error:
            raise WorkerLost(f"{function.__name__}: its process ended") from error
        if not done:
            raise result
        return result

    def stop(self) -> None:
        """End the process; what it may be doing nobody waits for."""
        if self.process:
            self.process.kill()


def work(caller: Connection) -> None:
    """Be a worker: call what comes, until the caller is gone."""
    collect_rarely()
    while True:
        try:
            function, arguments = caller.recv()
        except EOFError:
            return
        try:
            answer = True, function(*arguments)
        except Exception as error:
            answer = False, _portable(error)
        with contextlib.suppress(OSError):
            caller.send(answer)


def _portable(error: Exception) -> Exception:
    """An exception that can travel between processes."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def forked() -> Process:
    """A worker forked from the preloaded process."""
    return server().fork(work)


class Spawned:
    """A worker that is a new interpreter: it starts at once, while the preloaded process loads."""

    def __init__(self) -> None:
        self.connection, theirs = multiprocessing.Pipe()
        with theirs:
            self.process = start_python("parabook.pool", str(theirs.fileno()), pass_fds=[theirs.fileno()])

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()


class Team:
    """Workers of one kind; each takes the next call."""

    def __init__(self, size: int, start: Callable[[], Process]) -> None:
        self._start = start
        self._threads = ThreadPoolExecutor(size)
        self._workers: list[Worker] = []
        self._idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Have a function called by the next worker that is free; one is started where there is none."""
        return self._threads.submit(self._call, function, arguments)

    def _call(self, function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
        try:
            worker = self._idle.get_nowait()
        except queue.Empty:
            worker = Worker(self._start)
            self._workers.append(worker)
        try:
            return worker.call(function, *arguments)
        finally:
            self._idle.put(worker)

    def stop(self) -> None:
        """End all workers at once."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.stop()


class BuildPool:
    """The workers of a build, or of several side by side."""

    def __init__(self, size: int = 1) -> None:
        self._assemblers = Team(size, forked)
        self._renderers = Team(size, Spawned)

    def check(self, plan: Plan) -> Future[Cover]:
        """Check the input and parameters of a plan, and describe the input; see `Plugin.check`."""
        return self._assemblers.submit(plan.plugin.check, plan)

    def prepare(self, plan: Plan) -> None:
        """Load what drawing needs now, and what assembling needs once the input is checked."""
        theme = str(plan.book.config.get("sphinx", {}).get("config", {}).get("html_theme", "sphinx_book_theme"))
        self._renderers.submit(drawings.start)
        self._assemblers.submit(import_all, (*ASSEMBLY, theme, *plan.plugin.publishes_with))

    def draw(self, plan: Plan, notebook: str) -> Future[None]:
        """Draw the charts of an executed notebook as SVG, before pages need them."""
        return self._renderers.submit(drawings.draw, notebook, plan.book.cache)

    def draw_png(self, plan: Plan, notebook: str) -> None:
        """Draw the charts of an executed notebook as PNG, which is needed last."""
        self._renderers.submit(drawings.picture, notebook, plan.book.cache)

    def assemble(
        self, plan: Plan, cover: Cover, runs: Sequence[ChapterRun], folder: Path, library: Path | None
    ) -> None:
        """Make all outputs of a build in a folder; see `outputs.make_outputs`."""
        self._assemblers.submit(make_outputs, plan, cover, runs, folder, library).result()

    def stop(self) -> None:
        """End all workers at once."""
        self._renderers.stop()
        self._assemblers.stop()


@contextlib.contextmanager
def build_pool(size: int = 1) -> Iterator[BuildPool]:
    """A pool for the length of a build."""
    pool = BuildPool(size)
    try:
        yield pool
    finally:
        pool.stop()


def import_all(modules: Sequence[str]) -> None:
    """Import modules, where they are installed."""
    for module in modules:
        with contextlib.suppress(ImportError):
            import_module(module)


if __name__ == "__main__":
    work(Connection(int(sys.argv[1])))
