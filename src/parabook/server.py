"""The preloaded process, which imports what kernels and workers need, and from which each of them is forked.

What a build takes beside its kernels is heavy, Sphinx and the drawing program above all: loaded by threads it would hold
up the chapters, and threads that import parts of the same packages at once can find one of them half loaded. Imports
little, so that the process can be started first and load beside whatever follows. It ends when its caller closes their
socket, and with it end the processes that were forked from it.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

import psutil

from parabook.protocol import CHECKED_BESIDE

KERNELS = (
    "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.debugger", "IPython.core.completerlib",
    "IPython.core.debugger", "IPython.core.logger", "IPython.core.magics.display", "IPython.core.oinspect",
    "IPython.extensions.storemagic", "parabook.kernels", "sqlite3", "tornado.platform.asyncio", "zmq.utils.garbage",
)  # fmt: skip
"""Kernels, and what they import as they start and as they show what is large."""

DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2): the signal that a process gets when its parent ends."""


class ForkedProcess(psutil.Process):  # type: ignore[misc]
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
    """The caller's end of a preloaded process, which is out of reach of the terminal's signals.

    ``connection`` leads to one that runs already; without it one is started that is the caller's alone.
    """

    def __init__(self, modules: Sequence[str], connection: socket.socket | None = None) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        if connection:
            self._control = connection
            return
        self._control, theirs = socket.socketpair()
        quiet = {
            CHECKED_BESIDE: "",  # whoever set it: what it says is for this program to say
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # debugpy would warn of frozen modules
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # what kernels have it load
        }
        path = "import sys; sys.path.insert(0, sys.argv[1])"  # as an argument, which it decodes as it does all paths
        code = (
            f"{path}; from parabook.server import serve_forks; serve_forks({theirs.fileno()}, {[*KERNELS, *modules]})"
        )
        with theirs:
            self._process = subprocess.Popen(  # isolated: no PYTHON* variable, no packages of the user's own
                [sys.executable, "-I", "-X", "utf8", "-c", code, str(Path(__file__).parents[1])],
                env={**os.environ, **quiet}, stdin=subprocess.DEVNULL, start_new_session=True, pass_fds=[theirs.fileno()],
            )  # fmt: skip

    def fork(self, function: Callable[..., object], *arguments: Any) -> ForkedProcess:
        """Have a function called in a process of its own, once all is loaded: with a connection to here, and arguments."""
        ours, theirs = multiprocessing.Pipe()
        with theirs, self._lock:
            socket.send_fds(self._control, [b"f"], [theirs.fileno()])
        forked = ForkedProcess(ours)
        ours.send((function, arguments))
        return forked

    def stop(self) -> None:
        """End it, and every process forked from it, at once."""
        self._control.close()  # at which all of it ends
        if self._process:
            self._process.kill()
            self._process.wait()


_servers: list[Server] = []
_lock = threading.Lock()


def server(modules: Sequence[str] = ()) -> Server:
    """The server of this process, started at the first call with the modules of that call.

    There is one, as jupyter_client creates provisioners of kernels without arguments of ours. Without modules, as in a
    program that starts kernels alone, it is that of ``parabook serve``, where one runs.
    """
    with _lock:
        if not _servers:
            from parabook.resident import connected

            _servers.append(Server(modules, None if modules else connected()))
        return _servers[0]


def stop_all() -> None:
    """End the preloaded process, and with it every kernel and worker; the next call of `server` starts another."""
    with _lock:
        while _servers:
            _servers.pop().stop()


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
    """Be a worker: call what comes, and answer with the error and the result, until the caller is gone."""
    while True:
        function, arguments = caller.recv()
        answer(caller, function, *arguments)


def answer(caller: Connection, function: Callable[..., Any], *arguments: Any) -> None:
    """Call a function, and send the caller the error and the result."""
    try:
        caller.send((None, function(*arguments)))
    except Exception as error:
        caller.send((error, None))


def lead(caller: Connection, function: Callable[..., Any], *arguments: Any) -> NoReturn:
    """Answer, and then be a process that others are forked from: they have what it loaded and found out."""
    answer(caller, function, *arguments)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    fork_for(socket.socket(fileno=os.dup(caller.fileno())))


def import_all(modules: Sequence[str]) -> None:
    """Import modules, where they are installed."""
    for module in modules:
        with contextlib.suppress(ImportError):
            import_module(module)


def preload(modules: Sequence[str]) -> None:
    """Import modules to stay in memory that forked processes share; one that cannot be imported is reported."""
    gc.disable()
    for module in modules:
        try:
            import_module(module)
        except Exception as error:
            print(f"preload: {module}: {type(error).__name__}: {error}", file=sys.stderr)
    gc.freeze()  # a collection in a forked process would touch, and so copy, every page that it shares with this one
    gc.set_threshold(100_000, 50, 100)  # a forked process lives for seconds, and most of what it makes lasts as long
    gc.enable()


def serve_forks(control: int, modules: Sequence[str]) -> NoReturn:
    """Be the preloaded process."""
    preload(modules)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system forgets processes that ended, and so do we
    fork_for(socket.socket(fileno=control))


def fork_for(requests: socket.socket) -> NoReturn:
    """Fork a process for each request, a byte with a socket, until nobody can make one."""
    while True:
        request, descriptors, _, _ = socket.recv_fds(requests, 1, 1)
        if not request:
            os._exit(0)  # without the farewells of libraries: there is nothing left to tidy
        if os.fork() == 0:
            requests.close()
            _be_forked(Connection(descriptors[0]))
        os.close(descriptors[0])


def _be_forked(caller: Connection) -> NoReturn:
    """Send the caller this process's number, call with the connection the function that it asks for, and end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with contextlib.suppress(AttributeError):  # elsewhere than on Linux kernels ask whether their parent is there
        ctypes.CDLL(None).prctl(DEATH_SIGNAL, signal.SIGKILL)
    try:
        caller.send(os.getpid())
        function, arguments = caller.recv()
        function(caller, *arguments)
    except Exception as error:
        if not isinstance(error, (EOFError, ConnectionError)):  # else the caller is gone
            traceback.print_exc()
    finally:
        os._exit(0)  # nobody can ask for the code
