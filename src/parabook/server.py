"""The warm server: a process that has loaded what chapters and books need, from which others are forked.

Python's own ``forkserver``. What is forked from it inherits loaded modules and nothing else: nothing else ever runs
in it. Imports nothing heavy, so that the server can be started first and load beside whatever follows.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from typing import Any

LOADED = ["parabook.preload"]
"""What the server has loaded before the first fork: a module that loads the rest."""

FORKS = "forkserver" in multiprocessing.get_all_start_methods()
"""Where there is no fork, processes start in the ordinary way: the same, only slower."""


def can_fork() -> bool:
    """Whether processes can be forked here: a daemonic one, such as a worker of a cluster, may have no children."""
    return FORKS and not multiprocessing.current_process().daemon


def start_server() -> Any:
    """The context of processes that are forked from the server, which loads beside the caller; the usual one where none can be."""
    if not can_fork():
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver, resource_tracker

    resource_tracker.ensure_running()  # first, as it would let the signal through again
    context: Any = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    with held_back(signal.SIGINT):  # it will ignore it, but loads first
        forkserver.ensure_running()
    return context


@contextlib.contextmanager
def held_back(number: int) -> Iterator[None]:
    """Hold a signal back, also from a process that is started meanwhile, which then says what it makes of it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows, which sends none of its own to such a process
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [number])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def seldom_collect() -> None:
    """Look seldom for cycles: a process of a build lives for seconds, and makes large trees that last as long as it does."""
    gc.set_threshold(100_000, 50, 100)


def end_with(*others: Any) -> None:
    """From now on, end this process when the one that asked for it is gone, however that ended, or one of others is ready."""
    parent = multiprocessing.parent_process()
    watched = [*([parent.sentinel] if parent else []), *others]
    threading.Thread(target=_end_when, args=(watched,), daemon=True).start()


def _end_when(watched: Sequence[Any]) -> None:
    if multiprocessing.connection.wait(watched):
        os._exit(1)
