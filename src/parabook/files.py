"""Files of the cache and hashes of files and values: written whole or not at all. Knows nothing of books."""

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
"""The file beside a copy of an input that says where it came from."""


def sha256(file: Path) -> str:
    """The SHA-256 of a file, read piece by piece."""
    hashed = hashlib.sha256()
    with open(file, "rb", buffering=0) as opened:
        while piece := opened.read(1 << 16):
            hashed.update(piece)
    return hashed.hexdigest()


def hash_files(folder: Path, pattern: str = "*") -> dict[str, str]:
    """SHA-256 of every file of a folder, by path inside it; of a file, its own, under ``.``."""
    files = {".": folder} if folder.is_file() else listed(folder, pattern)
    return {name: sha256(file) for name, file in files.items()}


def listed(folder: Path, pattern: str = "*") -> dict[str, Path]:
    """The files of a folder by path inside it, but for Python's compiled ones; none where there is no folder."""
    found: dict[str, Path] = {}
    skip = len(str(folder)) + 1
    for base, _, names in os.walk(folder):
        paths = (os.path.join(base, name) for name in matching(names, pattern) if not base.endswith("__pycache__"))
        found |= {path[skip:].replace(os.sep, "/"): Path(path) for path in paths if os.path.isfile(path)}
    return dict(sorted(found.items()))


def stamp(file: Path) -> tuple[int, ...]:
    """What the file system says of a file and changes with every write to it; all 0 when it is gone."""
    try:
        found = file.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_size, found.st_ctime_ns)


def digest(found: object) -> str:
    """One SHA-256 for plain values, whatever the order of their keys."""
    return hashlib.sha256(json.dumps(found, sort_keys=True, default=str).encode()).hexdigest()


def write_atomically(file: Path, content: str | bytes = "") -> None:
    """Write a file of the cache, whole or not at all; where it cannot be written, nothing is lost."""
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}")
        new.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(new, file)


def store(cache: Path, name: str, text: str) -> None:
    """Put an entry into a cache, with a code made with the secret of its folder, which is its owner's alone."""
    with contextlib.suppress(OSError):
        write_atomically(cache / name, f"{code(cache, name, text)}\n{text}")


def stored(cache: Path, name: str) -> str:
    """An entry of a cache; blank where there is none, or who wrote or edited it did not know the secret."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        found, text = (cache / name).read_text(encoding="utf-8").split("\n", 1)
        return text if hmac.compare_digest(found, code(cache, name, text)) else ""
    return ""


def code(cache: Path, name: str, text: str) -> str:
    """A hash of a name and a text that nobody can make, or try guesses on, without the secret of a cache's folder."""
    secret = cache / "secret"
    cache.mkdir(parents=True, exist_ok=True)
    cache.chmod(0o700)
    if not secret.is_file():
        write_atomically(secret, os.urandom(32))
    return hmac.digest(secret.read_bytes(), f"{name}\n{text}".encode(), "sha256").hex()


def prune(folder: Path, most: int, pattern: str = "*") -> None:
    """Keep no more than so many entries of a folder of the cache, the youngest."""
    from shutil import rmtree

    with contextlib.suppress(OSError):
        entries = sorted(folder.glob(pattern), key=lambda entry: entry.stat().st_mtime, reverse=True)
        for entry in entries[most:]:
            rmtree(entry) if entry.is_dir() else entry.unlink(missing_ok=True)


def swap(new: Path, place: Path) -> None:
    """Put a file or folder in place of another in one step; the old one, if any, takes the place of the new one.

    Where the system has no such step, the old one is first renamed to the name of the new one with ``.old`` added.
    """
    import ctypes

    if not place.exists():
        new.rename(place)
        return
    try:
        exchange = ctypes.CDLL(None).renameat2
        if exchange(-100, os.fsencode(new), -100, os.fsencode(place), 2) == 0:  # AT_FDCWD, RENAME_EXCHANGE
            return
    except (OSError, AttributeError, TypeError):
        pass
    aside = new.with_name(f"{new.name}.old")
    place.rename(aside)
    new.rename(place)
    aside.rename(new)
