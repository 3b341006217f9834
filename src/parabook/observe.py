"""Records in a kernel which files, folders and variables a notebook uses, and whether it starts processes.

It does so by an audit hook, and for variables by the class of ``os.environ``.

The source of this module is sent to kernels, of other environments too: it imports only the standard library. The hook
misses files that compiled libraries or other programs open: `dependencies` has a rule for both.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from typing import Any

APART = {"_build", "__pycache__", "site-packages", "dist-packages"}
"""Folders of which no file is an input, wherever they are; neither are hidden files and folders."""

SYSTEM = ("/proc", "/sys", "/dev", "/etc", "/usr", "/var", "/run")
"""Where no file is an input, unless the book is there."""

PROGRAMS = {"subprocess.Popen", "os.system", "os.posix_spawn", "os.exec", "os.fork", "os.forkpty"}
"""Audit events after which other processes may open files."""

STARTED = ("multiprocessing.popen_spawn_posix", "multiprocessing.popen_forkserver")
"""Modules that start other processes without an audit event: one that is loaded counts as having done so."""


def start(root: str) -> None:
    """Begin to record in this process; ``sys.parabook()`` returns the record as JSON, with paths from ``root``."""
    elsewhere = (sys.prefix, sys.base_prefix, tempfile.gettempdir(), *SYSTEM)
    read, wrote, started = dict[str, None](), dict[str, None](), list[str]()

    def name(path: Any) -> str:
        """A path as it is recorded; blank for one that is no input."""
        path = os.path.abspath(os.fsdecode(path))
        inside = (path + os.sep).startswith(root + os.sep)
        parts = path[len(root) :].split(os.sep) if inside else path.split(os.sep)
        if any(part.startswith(".") or part in APART for part in parts):
            return ""
        if not inside and path.startswith(elsewhere):
            return ""
        return os.path.relpath(path, root).replace(os.sep, "/")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        with contextlib.suppress(Exception):  # an error here would be one of the notebook
            if event == "open" and not isinstance(arguments[0], int):
                found, mode, flags = name(arguments[0]), arguments[1] or "", arguments[2] or 0
                writes = flags & (os.O_WRONLY | os.O_RDWR) or not {*mode}.isdisjoint("wax+")
                if found and not (writes and "r" not in mode) and found not in wrote:
                    read[found] = None
                if found and writes:
                    wrote[found] = None
            elif event in ("os.rename", "os.remove"):
                wrote.update((name(each), None) for each in arguments if not isinstance(each, int))
            elif event == "sqlite3.connect" and arguments[0] != ":memory:":
                read[name(arguments[0])] = None
            elif event in ("os.listdir", "os.scandir") and not isinstance(arguments[0], int):
                # Each import lists the folders of sys.path, too.
                if "importlib" not in sys._getframe(1).f_code.co_filename and (found := name(arguments[0] or ".")):
                    read[f"{found}/"] = None
            elif event in PROGRAMS:
                started.append(event)

    class Environment(type(os.environ)):  # type: ignore[misc]
        """Records the variables that the book's own code reads, and not those that libraries read."""

        def __getitem__(self, key: str) -> str:
            frame: Any = sys._getframe(1)
            while frame and frame.f_code.co_filename.startswith("<frozen"):  # os, collections
                frame = frame.f_back
            file = frame.f_code.co_filename if frame else ""
            if "ipykernel_" in file or (file and name(file)):
                read[f"${key}"] = None
            return str(super().__getitem__(key))

    def report() -> str:
        loaded = {key: getattr(module, "__dict__", {}).get("__file__") for key, module in [*sys.modules.items()]}
        files = [name(file) for key, file in loaded.items() if file and key.partition(".")[0] != "parabook"]
        started.extend(key for key in STARTED if key in loaded)
        return json.dumps(
            {"read": sorted({*read, *files} - {""}), "wrote": sorted({*wrote} - {""}), "started": started}
        )

    sys.parabook = report  # type: ignore[attr-defined]
    os.environ.__class__ = Environment
    sys.addaudithook(hook)
