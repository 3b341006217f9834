"""What a notebook opens, lists, imports and asks of its environment, recorded in its kernel by an audit hook.

The text of this module is sent to kernels, of other environments too: it imports the standard library alone. Python does
not see what compiled libraries open by themselves, nor what other programs do: `dependencies` has a rule for both.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from typing import Any

APART = {"_build", "__pycache__", "site-packages", "dist-packages"}
"""Names of folders whose files are nobody's input; nor is what is hidden."""

PROGRAMS = {"subprocess.Popen", "os.system", "os.posix_spawn", "os.exec", "os.fork", "os.forkpty"}
"""Events after which another process may open files."""

STARTED = ("multiprocessing.popen_spawn_posix", "multiprocessing.popen_forkserver")
"""Modules that are loaded to start other processes, without an event."""


def start(root: str) -> None:
    """Record from here on, in this process; ``sys.parabook()`` then gives what was seen, by path from ``root``, as JSON."""
    elsewhere = (
        sys.prefix,
        sys.base_prefix,
        tempfile.gettempdir(),
        "/proc",
        "/sys",
        "/dev",
        "/etc",
        "/usr",
        "/var",
        "/run",
    )
    read, wrote, started = dict[str, None](), dict[str, None](), list[str]()

    def name(path: Any) -> str:
        """A path as it is recorded; blank for one that is nobody's input."""
        path = os.path.abspath(os.fsdecode(path))
        inside = (path + os.sep).startswith(root + os.sep)
        parts = path[len(root) :].split(os.sep) if inside else path.split(os.sep)
        if any(part.startswith(".") or part in APART for part in parts):
            return ""
        if not inside and path.startswith(elsewhere):
            return ""
        return os.path.relpath(path, root).replace(os.sep, "/")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        with contextlib.suppress(Exception):  # what fails here would fail in the notebook
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
                # Imports list the folders of the path, whatever they look for.
                if "importlib" not in sys._getframe(1).f_code.co_filename and (found := name(arguments[0] or ".")):
                    read[f"{found}/"] = None
            elif event in PROGRAMS:
                started.append(event)

    class Environment(type(os.environ)):  # type: ignore[misc]
        """The environment, which records what code of the book, and no library, asks of it."""

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
