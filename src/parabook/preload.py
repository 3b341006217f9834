"""The preloaded process: imports what kernels and workers need, then forks one of them for each request.

Started by `server` as ``python -m parabook.preload SOCKET MODULE ...``; nothing else ever runs in it. A request is one
byte with a socket attached. Over that socket the forked process receives a function, which it calls with the socket.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from multiprocessing.connection import Connection

KERNELS = (
    "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.debugger", "IPython.core.completerlib",
    "IPython.core.debugger", "IPython.core.logger", "IPython.core.magics.display", "IPython.core.oinspect",
    "IPython.extensions.storemagic", "parabook.kernels", "sqlite3", "tornado.platform.asyncio", "zmq.utils.garbage",
)  # fmt: skip
"""Kernels, and what they import as they start and as they show what is large."""


def load(modules: Sequence[str]) -> None:
    """Import modules to stay; one that cannot be imported is reported, and whoever needs it imports it or fails."""
    gc.disable()
    for module in modules:
        try:
            import_module(module)
        except Exception as error:
            print(f"preload: {module}: {type(error).__name__}: {error}", file=sys.stderr)
    gc.freeze()  # a collection in a forked process would touch, and so copy, every page that it shares with this one
    gc.set_threshold(100_000, 50, 100)  # a forked process lives for seconds, and most of what it makes lasts as long
    gc.enable()


def serve_forks(control: socket.socket) -> None:
    """Fork a process for each request, until the other end of the socket is closed."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system forgets processes that ended, and so do we
    while True:
        request, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not request:
            os._exit(0)  # without the farewells of libraries: there is nothing left to tidy
        if os.fork() == 0:
            control.close()
            run_forked(Connection(descriptors[0]))
        os.close(descriptors[0])


def run_forked(caller: Connection) -> None:
    """Be a forked process: send the caller its number, call the function that it asks for, and end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        caller.send(os.getpid())
        function, arguments = caller.recv()
        function(caller, *arguments)
    except (EOFError, ConnectionError):  # the caller is gone
        pass
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(0)  # nobody can ask for the code


if __name__ == "__main__":
    load((*KERNELS, *sys.argv[2:]))
    serve_forks(socket.socket(fileno=int(sys.argv[1])))
