"""Processes beside the kernels: some check inputs and assemble books, others draw charts.

What that takes is heavy, Sphinx and the drawing program above all. Loaded by a thread beside the chapters it would hold
them up; and threads that import parts of the same packages at once can find one of them half loaded.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

from parabook.errors import describe
from parabook.server import ForkedProcess, server


class Workers:
    """Worker processes of one kind, each behind a thread that waits for it; each takes the next call."""

    def __init__(self, size: int = 1) -> None:
        self._own, self._threads = threading.local(), ThreadPoolExecutor(size)
        self._processes: list[ForkedProcess] = []

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Have a function called by the next worker that is free; its exception becomes the future's."""
        return self._threads.submit(self._call, function, arguments)

    def _call(self, function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
        try:
            if not hasattr(self._own, "process"):
                self._own.process = server().fork(work)
                self._processes.append(self._own.process)
            self._own.process.connection.send((function, arguments))
            error, result = self._own.process.connection.recv()
        except (EOFError, OSError) as lost:
            raise RuntimeError(f"{function.__name__}: its process ended") from lost
        if error:
            raise error
        return result

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *error: object) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in self._processes:  # what they may be doing nobody waits for
            process.kill()


def work(caller: Connection) -> None:
    """Be a worker: call what comes, until the caller is gone."""
    while True:
        function, arguments = caller.recv()
        answer: tuple[Exception | None, Any]
        try:
            answer = None, function(*arguments)
        except Exception as error:
            answer = error, None
        try:
            caller.send(answer)
        except Exception:  # one that cannot travel
            caller.send((ValueError(describe(answer[0] or TypeError("a result that cannot travel"))), None))


def import_all(modules: Sequence[str]) -> None:
    """Import modules, where they are installed."""
    for module in modules:
        with contextlib.suppress(ImportError):
            import_module(module)
