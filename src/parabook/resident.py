"""A preloaded process that outlives one program, where a user started it: ``parabook serve``.

Whoever then starts a kernel ``parabook-warm`` in the same environment, such as papermill in a loop, has it forked from
there. It listens at a socket in a folder that is its user's alone, and ends when nobody has asked for a while.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import psutil
from jupyter_core.paths import jupyter_runtime_dir

from parabook.errors import InputError
from parabook.files import digest, stamp
from parabook.server import KERNELS, fork_for, preload

READY = b"r"


def address() -> Path:
    """Its socket, one for each environment."""
    return Path(jupyter_runtime_dir()) / "parabook" / digest([sys.prefix, __file__])[:16]


def connected() -> socket.socket | None:
    """A connection to it; None where none runs, or one that another user could have made, or that has loaded old code."""
    place = address()
    with contextlib.suppress(OSError):
        folder = place.parent.stat()
        if folder.st_uid == os.getuid() and not folder.st_mode & 0o077:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(10)
            connection.connect(os.fspath(place))
            if connection.recv(1) == READY:
                connection.settimeout(None)
                return connection
            connection.close()
    return None


def serve(modules: Sequence[str], seconds: float) -> NoReturn:
    """Be it, in place of the calling program, isolated from the user's own set-up; an `InputError` where one runs already."""
    if running := connected():
        running.close()
        raise InputError.one("parabook serve", "one that runs already", "one for each environment", "end it first")
    code = (
        f"import sys; sys.path.insert(0, sys.argv[1]); from parabook.resident import run; run({[*modules]}, {seconds})"
    )
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # debugpy would warn of frozen modules
    os.execv(sys.executable, [sys.executable, "-I", "-X", "utf8", "-c", code, str(Path(__file__).parents[1])])


def run(modules: Sequence[str], seconds: float) -> None:
    """Load modules, and fork for each program that connects a process which forks its kernels, and ends when it does."""
    place = address()
    place.parent.mkdir(parents=True, exist_ok=True)
    place.parent.chmod(0o700)
    preload([*KERNELS, *modules])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has those that it starts with & ignore it
    loaded = _own_code()
    place.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listening, contextlib.suppress(KeyboardInterrupt):
        listening.bind(os.fspath(place))
        listening.listen()
        listening.settimeout(seconds)
        print(
            f"kernels named parabook-warm start from here; ends after {seconds / 60:g} minutes without one", flush=True
        )
        while {file: stamp(file) for file in loaded} == loaded:  # what is loaded is what a new process would load
            try:
                connection, _ = listening.accept()
            except TimeoutError:
                if psutil.Process().children():
                    continue
                break
            if os.fork() == 0:
                listening.close()
                connection.settimeout(None)
                connection.sendall(READY)
                fork_for(connection)
            connection.close()
    place.unlink(missing_ok=True)


def _own_code() -> dict[Path, tuple[int, ...]]:
    """The files of loaded modules that are nobody's installed package, and may be edited."""
    files = {Path(file) for each in [*sys.modules.values()] if (file := getattr(each, "__file__", None))}
    apart = {"site-packages", "dist-packages"}
    return {
        each: stamp(each) for each in files if apart.isdisjoint(each.parts) and not each.is_relative_to(sys.base_prefix)
    }
