"""Publishing: a finished book replaces the old one in one step, or nothing changes."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from parabook.errors import InputError
from parabook.files import sha256, swap
from parabook.receipt import LIST, PAGES, RECEIPT


@contextlib.contextmanager
def staging(out: Path) -> Iterator[Path]:
    """An empty folder for the outputs that `publish` then puts at ``out``; it is removed afterwards in any case.

    It is in a hidden directory beside ``out``, on the same file system. One build at a time per ``out``: a second one
    waits, and says so. What a killed build left is removed. An `InputError` when ``out`` cannot be replaced.
    """
    directory = out.parent / f".{out.name}.parabook"
    try:
        lock = _locked(directory, out)
    except OSError as error:
        needed = "a folder beside which to write"
        raise InputError.one(out, error.strerror or "an error", needed, "see --out") from error
    try:
        if not out.exists() and (directory / "book.old").is_dir():  # a build was killed during `swap`
            (directory / "book.old").rename(out)
        for left in directory.iterdir():
            shutil.rmtree(left)
        if os.path.ismount(out) or (out.exists() and not out.is_dir()):
            raise InputError.one(out, "a mount point or file", "a folder that can be replaced", "see --out")
        for each in others(out):
            if each.is_dir() or each.name == RECEIPT:
                found, needed = f"{each.name}, which no build made", "a folder of its own for the book"
                raise InputError.one(out, found, needed, "see --out")
        (directory / "book").mkdir()
        yield directory / "book"
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(lock)


def _locked(directory: Path, out: Path) -> int:
    """A descriptor with the lock on a staging directory, which is made again if the build before has removed it."""
    while True:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)  # private: it has a copy of the input
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        if os.fstat(descriptor).st_uid != os.geteuid():
            found, hint = "a folder of somebody else's", "remove it, or see --out"
            raise InputError.one(directory, found, "none of that name", hint)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another build of {out} to end", file=sys.stderr)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if directory.exists() and os.path.samestat(os.fstat(descriptor), directory.stat()):
            return descriptor
        os.close(descriptor)


def others(out: Path) -> list[Path]:
    """What is at ``out`` and no build made: everything, unless the receipt there matches the checksums of the book."""
    made: set[str] = set()
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        receipt = json.loads((out / RECEIPT).read_text(encoding="utf-8"))
        if receipt["key"] and receipt["digest"] == receipt["outputs"][PAGES][LIST] == sha256(out / PAGES / LIST):
            made = {*receipt["outputs"], RECEIPT}
    return [each for each in (out.iterdir() if out.is_dir() else ()) if each.name not in made]


def publish(book: Path, out: Path) -> None:
    """Put a finished book at ``out`` in one step; the old one goes to the staging directory.

    Other files beside the old outputs, such as the page of a review, are linked into the new folder; but not the printed
    book, which has the old pages.
    """
    for each in others(out):
        if each.name != "book.pdf" and not (book / each.name).exists():
            os.link(each, book / each.name, follow_symlinks=False)
    swap(book, out)
