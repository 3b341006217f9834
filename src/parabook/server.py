"""The caller's end of the preloaded process (`preload`), from which kernels and workers are forked.

Imports nothing heavy, so that it can be started first and load beside whatever follows. It ends with its caller, as do
the processes forked from it: each holds one end of a socket whose other end is here.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any
from weakref import WeakSet

import psutil


class ForkedProcess(psutil.Process):
    """A process forked from the preloaded one, with the methods of ``subprocess.Popen`` that a kernel's provisioner calls."""

    stdin = stdout = stderr = None

    def __init__(self, connection: Connection) -> None:
        try:
            super().__init__(connection.recv())  # it begins by telling its number
        except (EOFError, OSError, psutil.NoSuchProcess) as error:
            raise RuntimeError("the process that kernels are forked from has ended") from error
        self.connection = connection

    def poll(self) -> int | None:
        """None while it runs, then -1: its exit code is not known here."""
        with contextlib.suppress(psutil.TimeoutExpired):
            self.wait(0)
            return -1
        return None

    def send_signal(self, sig: int = signal.SIGKILL) -> None:
        """Send a signal, if it still runs."""
        with contextlib.suppress(psutil.NoSuchProcess):
            super().send_signal(sig)

    kill = terminate = send_signal


class Server:
    """The preloaded process of this process. It is out of reach of the terminal's signals."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._control, theirs = socket.socketpair()
        self._lock, self._forked = threading.Lock(), WeakSet[ForkedProcess]()
        path = os.pathsep.join(filter(None, [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH")]))
        quiet = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}  # debugpy would warn of frozen modules
        call = [sys.executable, "-P", "-X", "utf8", "-m", "parabook.preload", str(theirs.fileno()), *modules]
        with theirs:
            self._process = subprocess.Popen(
                call, env={**os.environ, **quiet, "PYTHONPATH": path}, stdin=subprocess.DEVNULL,
                start_new_session=True, pass_fds=[theirs.fileno()],
            )  # fmt: skip

    def fork(self, function: Callable[..., object], *arguments: Any) -> ForkedProcess:
        """Have a function called in a process of its own, once all is loaded: with a connection to here, and arguments."""
        ours, theirs = multiprocessing.Pipe()
        with theirs, self._lock:
            socket.send_fds(self._control, [b"f"], [theirs.fileno()])
        forked = ForkedProcess(ours)
        ours.send((function, arguments))
        self._forked.add(forked)
        return forked

    def stop(self) -> None:
        """End it, and every process forked from it, at once."""
        self._process.kill()
        self._process.wait()
        self._control.close()
        for forked in list(self._forked):
            forked.kill()


def exit_with(caller: Connection) -> None:
    """From now on end this process when its caller, which says nothing more, is gone."""

    def watch() -> None:
        wait([caller])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


_servers: list[Server] = []
_lock = threading.Lock()


def server(modules: Sequence[str] = ()) -> Server:
    """The preloaded process, started at the first call; ``modules`` are those of that call.

    One for the whole process, as jupyter_client creates provisioners of kernels without arguments of ours.
    """
    with _lock:
        if not _servers:
            _servers.append(Server(modules))
        return _servers[0]


def stop_all() -> None:
    """End the preloaded process, and with it every kernel and worker; the next call of `server` starts another."""
    with _lock:
        while _servers:
            _servers.pop().stop()
