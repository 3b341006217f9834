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

from parabook.checksums import LIST, PAGES, RECEIPT, STAGED
from parabook.errors import InputError
from parabook.files import swap

OUTPUTS = (PAGES, "notebooks", "tables", "charts")
"""Folders that every build leaves in its output folder."""

PRINTED = "book.pdf"
"""The printed book, which is out of date once its pages are replaced."""

BOOK, OLD = "book", "book.old"
"""In the staging directory: the new book, and the old one while a system without `swap` in one step renames both."""


@contextlib.contextmanager
def staging(out: Path) -> Iterator[Path]:
    """An empty folder to make the outputs in that `publish` then puts at ``out``; gone afterwards, whatever happens.

    It lies in a staging directory beside ``out``, on the same file system. One build at a time per ``out``: a second
    waits, and says so. What a killed build left is removed.

    Raises
    ------
    InputError
        When ``out`` holds what no build made, or cannot be written to.
    """
    directory = _staging_directory(out)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError.one(out, error.strerror or "an error", "a folder to write to", "see --out") from error
    with _locked(directory, out):
        _recover(directory, out)
        _refuse_foreign(out)
        (directory / BOOK).mkdir()
        try:
            with terminable():
                yield directory / BOOK
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def _staging_directory(out: Path) -> Path:
    """Beside the output folder, which is then replaced as a whole; inside, where that cannot or should not be done."""
    inside = os.path.ismount(out) or _is_shared(out) or not os.access(_existing(out.parent), os.W_OK)
    return out / ".parabook" if inside else out.parent / f".{out.name}.parabook"


def _is_shared(out: Path) -> bool:
    """Whether a folder holds more than a book: folders of others, or files of others and no book."""
    names = set(_outputs_of(out)) | {RECEIPT, ".parabook"}
    others = [each for each in (out.iterdir() if out.is_dir() else ()) if each.name not in names]
    return any(each.is_dir() or not (out / RECEIPT).is_file() for each in others)


def _outputs_of(out: Path) -> list[str]:
    """The outputs that a folder's receipt lists."""
    try:
        return list(json.loads((out / RECEIPT).read_text(encoding="utf-8"))["outputs"])
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _existing(path: Path) -> Path:
    return next(each for each in (path, *path.parents) if each.exists())


@contextlib.contextmanager
def _locked(directory: Path, out: Path) -> Iterator[None]:
    """Hold the lock on a staging directory, which is created for it."""
    try:
        import fcntl
    except ImportError:  # Windows: no advisory locks; builds into one folder are the caller's to order
        directory.mkdir(exist_ok=True)
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


def _recover(directory: Path, out: Path) -> None:
    """Put the old book back where a build was killed between two renames, and remove all else that it left."""
    if (directory / OLD).is_dir() and not out.exists():
        (directory / OLD).rename(out)
    for each in directory.iterdir():
        shutil.rmtree(each, ignore_errors=True)


def _refuse_foreign(out: Path) -> None:
    """Only outputs that a build made are ever replaced: those beside a receipt that vouches for itself."""
    found = [name for name in (*OUTPUTS, RECEIPT) if (out / name).exists()]
    if out.exists() and not out.is_dir():
        raise InputError.one(out, "a file", "a folder for the book", "see --out")
    if found and not is_receipt(out / RECEIPT):
        raise InputError.one(out, f"{found[0]}, which no build made", "a folder of its own for the book", "see --out")


def is_receipt(file: Path) -> bool:
    """Whether a file is the receipt of a build: its digest is the hash that it has for the list of checksums."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return bool(found["key"]) and found["digest"] == found["outputs"][PAGES][LIST]
    except (OSError, ValueError, KeyError, TypeError):
        return False


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

    What else a folder holds, such as the page of a review, is carried over. Where ``out`` itself cannot be renamed, as
    it is a mount point, its outputs are replaced one by one, the receipt last: cut short, the next build makes them anew.
    """
    for name in STAGED:
        if (book / name).is_dir():
            (book / name).rename(book.with_name(name))
    if book.is_relative_to(out):
        for each in sorted(book.iterdir(), key=lambda each: each.name == RECEIPT):
            swap(each, out / each.name)
        (out / PRINTED).unlink(missing_ok=True)
        return
    known = {*_outputs_of(out), RECEIPT, PRINTED}
    for each in out.iterdir() if out.is_dir() else ():
        if each.name not in known and not (book / each.name).exists():
            os.link(each, book / each.name, follow_symlinks=False)
    swap(book, out)
