"""A preloaded process that outlives one program, started by the user: ``parabook serve``.

Kernels named ``parabook-warm`` that any program of the same environment starts, such as papermill in a loop, are then
forked from it. It listens at a socket in a folder that only its user can reach, and ends when it has been idle for a while.
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
from parabook.server import KERNELS, fork_for, isolated, preload

READY = b"r"
"""The byte with which it greets a program that connects."""


def address() -> Path:
    """The path of its socket, one for each environment."""
    return Path(jupyter_runtime_dir()) / "parabook" / digest([sys.prefix, __file__])[:16]


def connected() -> socket.socket | None:
    """A connection to it; None when none runs, its code has changed, or another user could have made it."""
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
    """Replace the calling program by the preloaded process; an `InputError` when one is running already."""
    if running := connected():
        running.close()
        raise InputError.one("parabook serve", "one that runs already", "one for each environment", "end it first")
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # else debugpy warns of frozen modules
    os.execv(sys.executable, isolated("resident", f"run({[*modules]}, {seconds})"))


def run(modules: Sequence[str], seconds: float) -> None:
    """Load modules, and fork for each program that connects a process of its own, from which its kernels are forked."""
    place = address()
    place.parent.mkdir(parents=True, exist_ok=True)
    place.parent.chmod(0o700)
    preload([*KERNELS, *modules])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended children leave no zombies
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a program that a shell starts with & ignores it
    loaded = _own_code()
    place.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listening, contextlib.suppress(KeyboardInterrupt):
        listening.bind(os.fspath(place))
        listening.listen()
        listening.settimeout(seconds)
        idle = f"ends after {seconds / 60:g} minutes without one"
        print(f"kernels named parabook-warm start from here; {idle}", flush=True)
        while {file: stamp(file) for file in loaded} == loaded:  # until its code is no longer that of the files
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
    """The files of loaded modules that belong to no installed package, and so may be edited, with their stamps."""
    files = {Path(file) for each in [*sys.modules.values()] if (file := getattr(each, "__file__", None))}
    installed = {"site-packages", "dist-packages"}
    own = [file for file in files if installed.isdisjoint(file.parts) and not file.is_relative_to(sys.base_prefix)]
    return {file: stamp(file) for file in own}
