"""Hashes of files and values, and files that are written whole or not at all. Knows nothing of books."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import threading
from fnmatch import filter as matching
from pathlib import Path

ADDRESS = ".address"
"""The file beside a copy of an input that has the path of the original."""


def sha256(file: Path) -> str:
    """The SHA-256 of a file."""
    with open(file, "rb", buffering=0) as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def hash_files(folder: Path, pattern: str = "*") -> dict[str, str]:
    """SHA-256 of every file of a folder, by path inside it; for a file, its own, with the path ``.``."""
    files = {".": folder} if folder.is_file() else listed(folder, pattern)
    return {name: sha256(file) for name, file in files.items()}


def listed(folder: Path, pattern: str = "*") -> dict[str, Path]:
    """The files of a folder by path inside it, without Python's compiled ones; none when there is no folder."""
    found: dict[str, Path] = {}
    skip = len(str(folder)) + 1
    for base, _, names in os.walk(folder):
        paths = (os.path.join(base, name) for name in matching(names, pattern) if not base.endswith("__pycache__"))
        found |= {path[skip:].replace(os.sep, "/"): Path(path) for path in paths if os.path.isfile(path)}
    return dict(sorted(found.items()))


def stamp(file: Path) -> tuple[int, ...]:
    """Inode, size and time of change of a file, of which one changes with every write; all 0 when there is no file."""
    try:
        found = file.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_size, found.st_ctime_ns)


def digest(found: object) -> str:
    """The SHA-256 of plain values, whatever the order of their keys."""
    return hashlib.sha256(json.dumps(found, sort_keys=True, default=str).encode()).hexdigest()


def write_atomically(file: Path, content: str | bytes = "") -> None:
    """Write a file of the cache, whole or not at all; a failure is ignored, as a cache only saves time."""
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}")
        new.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(new, file)


def store(cache: Path, name: str, text: str) -> None:
    """Put an entry into a cache, authenticated with the secret of its folder, which only the owner can read."""
    with contextlib.suppress(OSError):
        write_atomically(cache / name, f"{code(cache, name, text)}\n{text}")


def stored(cache: Path, name: str) -> str:
    """An entry of a cache; blank when there is none, or it was written or edited without the secret."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        found, text = (cache / name).read_text(encoding="utf-8").split("\n", 1)
        return text if hmac.compare_digest(found, code(cache, name, text)) else ""
    return ""


def code(cache: Path, name: str, text: str) -> str:
    """A hash of a name and a text, keyed with the secret of a cache: nobody without that can compute it, or test guesses."""
    secret = cache / "secret"
    cache.mkdir(parents=True, exist_ok=True)
    cache.chmod(0o700)
    if not secret.is_file():
        write_atomically(secret, os.urandom(32))
    return hmac.digest(secret.read_bytes(), f"{name}\n{text}".encode(), "sha256").hex()


def prune(folder: Path, most: int, pattern: str = "*") -> None:
    """Remove all entries that match ``pattern`` from a folder of the cache but the ``most`` youngest."""
    from shutil import rmtree

    with contextlib.suppress(OSError):
        entries = sorted(folder.glob(pattern), key=lambda entry: entry.stat().st_mtime, reverse=True)
        for entry in entries[most:]:
            rmtree(entry) if entry.is_dir() else entry.unlink(missing_ok=True)


def swap(new: Path, place: Path) -> None:
    """Exchange a new file or folder with the one at ``place``, if there is one, in one step.

    Where the system cannot do that, the old one is renamed first, to the new one's name with ``.old`` added.
    """
    import ctypes

    if not place.exists():
        new.rename(place)
        return
    try:
        renameat2 = ctypes.CDLL(None).renameat2
        if renameat2(-100, os.fsencode(new), -100, os.fsencode(place), 2) == 0:  # AT_FDCWD, RENAME_EXCHANGE
            return
    except (OSError, AttributeError, TypeError):
        pass
    aside = new.with_name(f"{new.name}.old")
    place.rename(aside)
    new.rename(place)
    aside.rename(new)
