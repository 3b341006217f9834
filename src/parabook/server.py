"""The preloaded process: it has imported what kernels and workers need, and each of them is forked from it.

Beside its kernels a build needs Sphinx and the drawing program. Loaded in threads of the build they would hold up the
chapters, and threads that import parts of the same packages at once can find one of them half loaded. This module
imports little, so that the process can be started first and load while its caller goes on. The process ends when its
caller closes the socket between them, and all processes forked from it end with it.
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
"""What kernels import when they start, and when they show large objects."""

DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2), which sets the signal that a process gets when its parent ends."""


class ForkedProcess(psutil.Process):  # type: ignore[misc]
    """A process forked from the preloaded one, with the methods of ``subprocess.Popen`` that kernels' provisioners call."""

    stdin = stdout = stderr = None

    def __init__(self, connection: Connection) -> None:
        try:
            super().__init__(connection.recv())  # the first message is its process id
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


def isolated(module: str, call: str) -> list[str]:
    """The command that makes a call in a new Python, without PYTHON* variables and the user's own packages."""
    code = f"import sys; sys.path.insert(0, sys.argv[1]); import parabook.{module} as module; module.{call}"
    # The path is an argument, as code cannot contain one that is not UTF-8.
    return [sys.executable, "-I", "-X", "utf8", "-c", code, str(Path(__file__).parents[1])]


class Server:
    """The caller's end of a preloaded process.

    ``control`` is the socket on which the process takes requests. ``process`` is the one that `start` began, which `stop`
    kills and waits for; any other ends when ``control`` is closed.
    """

    def __init__(self, control: socket.socket, process: subprocess.Popen[bytes] | None = None) -> None:
        self._control, self._process, self._lock = control, process, threading.Lock()

    @classmethod
    def start(cls, modules: Sequence[str]) -> Server:
        """Start a process for the caller alone, in a session of its own, which the terminal's signals do not reach."""
        ours, theirs = socket.socketpair()
        variables = {
            CHECKED_BESIDE: "",  # only this program may say so, to single kernels
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # else debugpy warns of frozen modules
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # the backend that kernels use
        }
        with theirs:
            process = subprocess.Popen(
                isolated("server", f"serve_forks({theirs.fileno()}, {[*KERNELS, *modules]})"),
                env={**os.environ, **variables},
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=[theirs.fileno()],
            )
        return cls(ours, process)

    def fork(self, function: Callable[..., object], *arguments: Any) -> ForkedProcess:
        """Call a function in a new process, once the modules are loaded, with a connection to the caller before its arguments."""
        ours, theirs = multiprocessing.Pipe()
        with theirs, self._lock:
            socket.send_fds(self._control, [b"f"], [theirs.fileno()])
        forked = ForkedProcess(ours)
        ours.send((function, arguments))
        return forked

    def stop(self) -> None:
        """End the process, and every process forked from it, at once."""
        self._control.close()  # which it notices, and ends
        if self._process:
            self._process.kill()
            self._process.wait()


_servers: list[Server] = []
_lock = threading.Lock()


def server(modules: Sequence[str] = ()) -> Server:
    """The server of this program, started by the first call with the modules of that call.

    There is only one, because jupyter_client creates kernel provisioners without arguments of ours. The first call has no
    modules in a program that only starts kernels: it uses the process of ``parabook serve``, if that is running.
    """
    with _lock:
        if not _servers:
            from parabook.resident import connected

            resident = None if modules else connected()
            _servers.append(Server(resident) if resident else Server.start(modules))
        return _servers[0]


def stop_all() -> None:
    """End the preloaded process with all kernels and workers; the next call of `server` starts another."""
    with _lock:
        while _servers:
            _servers.pop().stop()


class Workers:
    """A pool of worker processes, each forked when it is first needed and served by a thread of its own."""

    def __init__(self, size: int = 1) -> None:
        self._thread, self._threads = threading.local(), ThreadPoolExecutor(size)
        self._processes: list[ForkedProcess] = []

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Call a function in the next free worker; an exception there becomes the future's."""
        return self._threads.submit(self._call, function, arguments)

    def _call(self, function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
        try:
            if not hasattr(self._thread, "process"):
                self._thread.process = server().fork(work)
                self._processes.append(self._thread.process)
            connection = self._thread.process.connection
            connection.send((function, arguments))
            error, result = connection.recv()
        except (EOFError, OSError) as lost:
            raise RuntimeError(f"{function.__name__}: its process ended") from lost
        if error:
            raise error
        return result

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *error: object) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in self._processes:
            process.kill()  # nobody needs what it may be doing
        for process in self._processes:
            process.connection.poll(1)  # until it has ended: whoever removes its folder finds nobody writing there


def work(caller: Connection) -> None:
    """A worker's loop: call each function that the caller sends, and send back its error and result."""
    while True:
        function, arguments = caller.recv()
        answer(caller, function, *arguments)


def answer(caller: Connection, function: Callable[..., Any], *arguments: Any) -> None:
    """Call a function, and send the caller its error and its result."""
    try:
        caller.send((None, function(*arguments)))
    except Exception as error:
        caller.send((error, None))


def answer_and_serve_forks(caller: Connection, function: Callable[..., Any], *arguments: Any) -> NoReturn:
    """Call a function for the caller, then fork processes for it, which have all that the call loaded and computed."""
    answer(caller, function, *arguments)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    fork_for(socket.socket(fileno=os.dup(caller.fileno())))


def import_all(modules: Sequence[str]) -> None:
    """Import modules; those that are not installed are passed over."""
    for module in modules:
        with contextlib.suppress(ImportError):
            import_module(module)


def preload(modules: Sequence[str]) -> None:
    """Import modules into memory that forked processes share; report those that cannot be imported."""
    gc.disable()
    for module in modules:
        try:
            import_module(module)
        except Exception as error:
            print(f"preload: {module}: {type(error).__name__}: {error}", file=sys.stderr)
    gc.freeze()  # a collection in a forked process would write to, and so copy, every page that it shares with this one
    gc.set_threshold(100_000, 50, 100)  # forked processes live for seconds, and so do most of their objects
    gc.enable()


def serve_forks(control: int, modules: Sequence[str]) -> NoReturn:
    """The preloaded process: import modules, then fork."""
    preload(modules)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended children leave no zombies
    fork_for(socket.socket(fileno=control))


def fork_for(requests: socket.socket) -> NoReturn:
    """Fork a process for each request, a byte with a socket, until the other end is closed."""
    while True:
        request, descriptors, _, _ = socket.recv_fds(requests, 1, 1)
        if not request:
            os._exit(0)  # without exit handlers: there is nothing to clean up
        if os.fork() == 0:
            requests.close()
            _run_forked(Connection(descriptors[0]))
        os.close(descriptors[0])


def _run_forked(caller: Connection) -> NoReturn:
    """Send the caller the id of this process, call the function that it asks for with the connection, and exit."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with contextlib.suppress(AttributeError):  # only Linux has it; elsewhere kernels poll for their parent
        ctypes.CDLL(None).prctl(DEATH_SIGNAL, signal.SIGKILL)
    try:
        caller.send(os.getpid())
        function, arguments = caller.recv()
        function(caller, *arguments)
    except Exception as error:
        if not isinstance(error, (EOFError, ConnectionError)):  # these say that the caller is gone
            traceback.print_exc()
    finally:
        os._exit(0)  # nobody reads the exit code
