"""Publishing: the folder of a finished book takes the place of the old one in one step, or nothing changes."""

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
from parabook.files import swap
from parabook.receipt import LIST, PAGES, RECEIPT

PRINTED = "book.pdf"
"""The printed book, which is out of date once its pages are replaced."""


@contextlib.contextmanager
def staging(out: Path) -> Iterator[Path]:
    """An empty folder for the outputs that `publish` then puts at ``out``; gone afterwards, whatever happens.

    It lies in a hidden directory beside ``out``, on the same file system. One build at a time per ``out``: a second
    waits, and says so. What a killed build left is removed. An `InputError` when ``out`` holds what no build made, or
    cannot be replaced.
    """
    directory = out.parent / f".{out.name}.parabook"
    try:
        lock = _locked(directory, out)
    except OSError as error:
        needed = "a folder beside which to write"
        raise InputError.one(out, error.strerror or "an error", needed, "see --out") from error
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
        os.close(lock)


def _locked(directory: Path, out: Path) -> int:
    """A descriptor that holds the lock on a staging directory; who held it before may have removed the directory."""
    while True:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another build of {out} to end", file=sys.stderr)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if directory.exists() and os.path.samestat(os.fstat(descriptor), directory.stat()):
            return descriptor
        os.close(descriptor)


def _refuse_foreign(out: Path) -> None:
    """A folder is replaced that holds nothing but what a build made, and files that belong to no output."""
    if os.path.ismount(out) or (out.exists() and not out.is_dir()):
        needed = "a folder that can be replaced"
        raise InputError.one(out, "a mount point or file", needed, "name one inside it: see --out")
    known = _outputs(out)
    for each in out.iterdir() if out.is_dir() else ():
        if each.name not in known and (each.is_dir() or each.name == RECEIPT):
            needed = "a folder of its own for the book"
            raise InputError.one(out, f"{each.name}, which no build made", needed, "see --out")


def _outputs(out: Path) -> list[str]:
    """What a folder's receipt lists, and the receipt; nothing unless its digest is what it has for the list of checksums."""
    try:
        receipt = json.loads((out / RECEIPT).read_text(encoding="utf-8"))
        genuine = receipt["key"] and receipt["digest"] == receipt["outputs"][PAGES][LIST]
        return [*receipt["outputs"], RECEIPT] if genuine else []
    except (OSError, ValueError, KeyError, TypeError):
        return []


def publish(book: Path, out: Path) -> None:
    """Put a finished book at ``out`` in one step; what stood there goes to the staging directory.

    Files that lay beside its outputs, such as the page of a review, are linked into the new folder.
    """
    known = {*_outputs(out), PRINTED}
    for each in out.iterdir() if out.is_dir() else ():
        if each.name not in known and not (book / each.name).exists():
            os.link(each, book / each.name, follow_symlinks=False)
    swap(book, out)
