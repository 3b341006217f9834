"""Publishing: the folder of a finished book takes the place of the old one in one step, or nothing changes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from parabook.checksums import LIST, PAGES, RECEIPT, STAGED
from parabook.errors import InputError
from parabook.files import swap

OUTPUTS = (PAGES, "notebooks", "tables", "charts", RECEIPT)
"""What every build leaves in its output folder."""

PRINTED = "book.pdf"
"""The printed book, which is out of date once its pages are replaced."""


@contextlib.contextmanager
def staging(out: Path) -> Iterator[Path]:
    """An empty folder for the outputs that `publish` then puts at ``out``; gone afterwards, whatever happens.

    It lies in a hidden directory beside ``out``, on the same file system. One build at a time per ``out``: a second
    waits, and says so. What a killed build left is removed.

    Raises
    ------
    InputError
        When ``out`` holds what no build made, or cannot be written to.
    """
    directory = out / ".parabook" if _stays(out) else out.parent / f".{out.name}.parabook"
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError.one(out, error.strerror or "an error", "a folder to write to", "see --out") from error
    with _locked(directory, out), terminable():
        try:
            if not out.exists() and (directory / "book.old").is_dir():  # a build was killed between two renames
                (directory / "book.old").rename(out)
            for left in directory.iterdir():
                shutil.rmtree(left)
            _refuse_foreign(out)
            (directory / "book").mkdir()
            yield directory / "book"
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def _stays(out: Path) -> bool:
    """Whether an output folder cannot be replaced as a whole: a mount point, one that others use, one in a closed folder."""
    nearest = next(each for each in (out.parent, *out.parents) if each.exists())
    others = [
        each for each in (out.iterdir() if out.is_dir() else ()) if each.name not in (*_outputs(out), ".parabook")
    ]
    shared = any(each.is_dir() or not _outputs(out) for each in others)
    return shared or os.path.ismount(out) or not os.access(nearest, os.W_OK)


@contextlib.contextmanager
def _locked(directory: Path, out: Path) -> Iterator[None]:
    """Hold the lock on a staging directory; who held it before may have removed the directory."""
    try:
        import fcntl
    except ImportError:  # Windows: no advisory locks; builds into one folder are the caller's to order
        yield
        return
    while True:
        directory.mkdir(exist_ok=True)
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(f"waiting for another build of {out} to end", file=sys.stderr)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if directory.exists() and os.path.samestat(os.fstat(descriptor), directory.stat()):
                yield
                return
        finally:
            os.close(descriptor)


def _refuse_foreign(out: Path) -> None:
    """Only what a build made is ever replaced: outputs beside a receipt that vouches for itself."""
    found = [name for name in OUTPUTS if (out / name).exists()]
    if found and not _outputs(out):
        raise InputError.one(out, f"{found[0]}, which no build made", "a folder of its own for the book", "see --out")


def _outputs(out: Path) -> list[str]:
    """What a folder's receipt lists, and the receipt; nothing unless its digest is what it has for the list of checksums."""
    try:
        receipt: dict[str, Any] = json.loads((out / RECEIPT).read_text(encoding="utf-8"))
        genuine = receipt["key"] and receipt["digest"] == receipt["outputs"][PAGES][LIST]
        return [*receipt["outputs"], RECEIPT] if genuine else []
    except (OSError, ValueError, KeyError, TypeError):
        return []


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """In here SIGTERM ends the build as Ctrl-C does, so that the staging directory is removed."""

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


def publish(book: Path, out: Path) -> None:
    """Put a finished book at ``out`` in one step; what stood there goes to the staging directory.

    Files that lay beside its outputs, such as the page of a review, are linked into the new folder. An output folder
    that cannot be replaced as a whole gets its outputs one by one, the receipt last: cut short, the next build finishes it.
    """
    for name in STAGED:
        if (book / name).is_dir():
            (book / name).rename(book.with_name(name))
    if book.is_relative_to(out):
        (out / PRINTED).unlink(missing_ok=True)
        for each in sorted(book.iterdir(), key=lambda each: each.name == RECEIPT):
            swap(each, out / each.name)
        return
    known = {*_outputs(out), PRINTED}
    for each in out.iterdir() if out.is_dir() else ():
        if each.name not in known and not (book / each.name).exists():
            os.link(each, book / each.name, follow_symlinks=False)
    swap(book, out)
