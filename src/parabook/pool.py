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
from typing import Any

from parabook.server import ForkedProcess, server


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
        return self._threads.submit(self._call, function, arguments)

    def _call(self, function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
        try:
            if not hasattr(self._own, "process"):
                self._own.process = server().fork(work)
                self._processes.append(self._own.process)
            connection = self._own.process.connection
            connection.send((function, arguments))
            error, result = connection.recv()
        except (EOFError, OSError, RuntimeError) as lost:
            raise WorkerLost(f"{function.__name__}: its process ended") from lost
        if error:
            raise error
        return result

    def stop(self) -> None:
        """End at once; what the workers may be doing nobody waits for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in self._processes:
            process.kill()


class BuildPool:
    """The workers of a build, or of several side by side."""

    def __init__(self, size: int = 1) -> None:
        self.assemblers, self.renderers = Workers(size), Workers(size)

    def __enter__(self) -> BuildPool:
        return self

    def __exit__(self, *error: object) -> None:
        self.renderers.stop()
        self.assemblers.stop()


def work(caller: Connection) -> None:
    """Be a worker: call what comes, until the caller is gone."""
    while True:
        function, arguments = caller.recv()
        error: Exception | None = None
        result: Any = None
        try:
            result = function(*arguments)
        except Exception as raised:
            error = raised
        try:
            caller.send((error, result))
        except (pickle.PicklingError, TypeError, AttributeError):  # an exception that cannot travel
            caller.send((ValueError(f"{type(error).__name__}: {error}"), None))


def import_all(modules: Sequence[str]) -> None:
    """Import modules, where they are installed."""
    for module in modules:
        with contextlib.suppress(ImportError):
            import_module(module)
