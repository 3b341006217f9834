"""Files of the cache and hashes of files and values: written whole or not at all. Knows nothing of books."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import threading
from collections.abc import Iterable
from pathlib import Path


def sha256(file: Path) -> str:
    """The SHA-256 of a file, read piece by piece."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def hash_files(folder: Path, pattern: str = "*") -> dict[str, str]:
    """SHA-256 of every file of a folder, by path inside it; of a file, its own, under ``.``."""
    files = [folder] if folder.is_file() else sorted(file for file in folder.rglob(pattern) if file.is_file())
    return {file.relative_to(folder).as_posix(): sha256(file) for file in files}


def digest(found: object) -> str:
    """One SHA-256 for plain values.

    Examples
    --------
    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(found, sort_keys=True, default=str).encode()).hexdigest()


def write_atomically(file: Path, content: str | bytes = "") -> None:
    """Write a file of the cache, whole or not at all; where it cannot be written, nothing is lost."""
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}")
        new.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(new, file)


def prune(folder: Path, most: int, pattern: str = "*") -> None:
    """Keep no more than so many entries of a folder of the cache, the youngest."""
    with contextlib.suppress(OSError):
        entries = sorted(folder.glob(pattern), key=lambda entry: entry.stat().st_mtime, reverse=True)
        _remove(entries[most:])


def _remove(entries: Iterable[Path]) -> None:
    for entry in entries:
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink(missing_ok=True)
