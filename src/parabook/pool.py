"""Processes beside the kernels: some check inputs and assemble books, others draw charts.

What that takes is heavy, Sphinx and the drawing program above all. Loaded by a thread beside the chapters it would hold
them up; and threads that import parts of the same packages at once can find one of them half loaded.
"""

from __future__ import annotations

import contextlib
import pickle
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from parabook import drawings
from parabook.cache import ChapterRun
from parabook.outputs import make_outputs
from parabook.plan import Plan
from parabook.plugins import Cover
from parabook.server import FORKS, ForkedProcess, server

ASSEMBLY = ("jupyter_book.sphinx", "sphinx.builders.html", "myst_nb.sphinx_")
"""What assembling a book imports, besides its theme."""


class WorkerLost(Exception):
    """A worker process ended in the middle of its work."""


class Workers:
    """Worker processes of one kind, each behind a thread that waits for it; each takes the next call."""

    def __init__(self, size: int) -> None:
        self._own = threading.local()
        self._processes: list[ForkedProcess] = []
        self._threads = ThreadPoolExecutor(size)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Have a function called by the next worker that is free; its exception becomes the future's."""
        return self._threads.submit(self._call if FORKS else function, *((function, arguments) if FORKS else arguments))

    def _call(self, function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
        try:
            if not hasattr(self._own, "process"):
                self._own.process = server().fork(work)
                self._processes.append(self._own.process)
            connection = self._own.process.connection
            connection.send((function, arguments))
            done, result = connection.recv()
        except (EOFError, OSError, RuntimeError) as error:
            raise WorkerLost(f"{function.__name__}: its process ended") from error
        if not done:
            raise result
        return result

    def stop(self) -> None:
        """End at once; what the workers may be doing nobody waits for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in self._processes:
            process.kill()


def work(caller: Connection) -> None:
    """Be a worker: call what comes, until the caller is gone."""
    while True:
        function, arguments = caller.recv()
        try:
            answer = True, function(*arguments)
        except Exception as error:
            answer = False, _portable(error)
        caller.send(answer)


def _portable(error: Exception) -> Exception:
    """An exception that can travel between processes."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return ValueError(f"{type(error).__name__}: {error}")
    return error


class BuildPool:
    """The workers of a build, or of several side by side."""

    def __init__(self, size: int = 1) -> None:
        self._assemblers, self._renderers = Workers(size), Workers(size)

    def __enter__(self) -> BuildPool:
        return self

    def __exit__(self, *error: object) -> None:
        self._renderers.stop()
        self._assemblers.stop()

    def check(self, plan: Plan) -> Future[Cover]:
        """Check the input and parameters of a plan, and describe the input: see `Plugin.check`."""
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
        """Make all outputs of a build in a folder: see `outputs.make_outputs`."""
        self._assemblers.submit(make_outputs, plan, cover, runs, folder, library).result()


def import_all(modules: Sequence[str]) -> None:
    """Import modules, where they are installed."""
    for module in modules:
        with contextlib.suppress(ImportError):
            import_module(module)
