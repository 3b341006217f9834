"""Publishing: the finished outputs take their place in one step each, or nothing changes."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from parabook.checksums import COUNTED
from parabook.errors import InputError
from parabook.files import hash_files

OUTPUTS = (*COUNTED, "receipt.json")
"""What a build leaves under its folder. The receipt goes last: it vouches for the others."""

JOURNAL = "publishing.json"
"""In the workshop while outputs take their places: the new receipt."""

EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2)
HERE = -100  # AT_FDCWD


@contextlib.contextmanager
def workshop(out: Path) -> Iterator[Path]:
    """A folder inside ``out`` to build in, ours alone and gone afterwards, whatever happens.

    One build at a time per ``out``: a second waits, and says so. What a killed build left is removed.
    """
    theirs = [name for name in OUTPUTS if (out / name).exists()] if not _is_ours(out) else []
    if theirs:
        raise InputError.one(out, f"{theirs[0]}, which no build made", "a folder of its own for the book", "see --out")
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = (out / ".lock").open("w")
    except OSError as error:
        raise InputError.one(out, error.strerror or "an error", "a folder to write to", "see --out") from error
    with lock:
        _wait(lock, out)
        for left in out.glob(".stage-*"):
            recover(left, out)
            shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=".stage-", dir=out))
        try:
            with terminable():
                yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _is_ours(out: Path) -> bool:
    """Whether a folder's outputs were made by a build: only those are ever replaced."""
    if any(out.glob(f".stage-*/{JOURNAL}")):  # by one that was killed while it published
        return True
    try:
        return bool(json.loads((out / "receipt.json").read_text(encoding="utf-8"))["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _wait(lock: Any, out: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: no advisory locks; builds of one edition are the caller's to order
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"waiting for another build of {out} to end", file=sys.stderr)
        fcntl.flock(lock, fcntl.LOCK_EX)


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """In here SIGTERM ends the build as Ctrl-C does, so that the workshop is cleaned."""

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not in the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def publish(stage: Path, out: Path) -> None:
    """Move every output from the stage to its place; what stood there goes to the stage.

    Each output takes its place in one step. The journal lets `recover` finish what a killed build began, so that
    the outputs are of one build.
    """
    part = stage / f"{JOURNAL}.part"
    shutil.copyfile(stage / "receipt.json", part)
    part.rename(stage / JOURNAL)
    for name in OUTPUTS:
        exchange(stage / name, out / name)
    (stage / JOURNAL).unlink()


def recover(stage: Path, out: Path) -> None:
    """Finish a publication that was cut short: what a build had ready, and had begun to put in place."""
    try:
        receipt = json.loads((stage / JOURNAL).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return  # it had not begun
    for name, files in receipt["outputs"].items():
        if hash_files(out / name) != files:
            exchange(stage / name, out / name)
    if not _same(out / "receipt.json", stage / JOURNAL):
        exchange(stage / "receipt.json", out / "receipt.json")


def _same(one: Path, other: Path) -> bool:
    return one.is_file() and one.read_bytes() == other.read_bytes()


def exchange(new: Path, place: Path) -> None:
    """Put ``new`` in ``place`` at once; the old one, if any, takes the place of ``new``."""
    if not place.exists():
        new.rename(place)
        return
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        done = libc.renameat2(HERE, os.fsencode(new), HERE, os.fsencode(place), EXCHANGE) == 0
    except (OSError, AttributeError, TypeError):
        done = False
    if not done:  # a system without renameat2: two renames, a moment apart
        aside = new.with_name(f"{new.name}.old")
        place.rename(aside)
        new.rename(place)
        aside.rename(new)
