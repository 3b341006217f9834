"""An edition's folder: finding it, and fingerprints of its files. Reads no table, so that asking costs nothing."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import threading
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from analysis import fetch
from analysis.faults import BadInput, nearest
from analysis.schema import ROOT

PACKAGE = "datapackage.json"
CACHE = ROOT / "_build" / ".cache"
"""What was found out before, by the fingerprint of what it was found out from. Deleting it costs time and nothing else."""
FETCHED = 4
"""States of an edition at an address that are kept, the youngest."""


def find(edition: str | Path) -> Path:
    """The folder of an edition, given its name under ``data/``, a path, or an address that fsspec knows.

    Examples
    --------
    >>> find("oral-2022").name
    'oral-2022'
    >>> find("oral-2202")
    Traceback (most recent call last):
    analysis.faults.BadInput: oral-2202: found no such edition, needed a name under data/ or a path; did you mean 'oral-2022'?
    """
    if not str(edition).strip():
        raise BadInput.one("edition", "an empty name", "a name under data/ or a path")
    if isinstance(edition, str) and fetch.is_address(edition):
        path = fetch.fetched(edition, CACHE / fetch.FOLDER, PACKAGE)
        prune(path.parents[1], FETCHED, "[!.]*")
        return path.resolve()
    for path in (Path(edition), ROOT / edition, ROOT / "data" / edition):
        if (path / PACKAGE).is_file():
            return path.resolve()
    for path in (Path(edition), ROOT / "data" / edition):
        if path.is_dir():
            raise BadInput.one(path, "no datapackage.json", "an edition's folder", "it has a datapackage.json")
        if path.is_file():
            raise BadInput.one(path, "a file", "an edition's folder")
    known = [found.parent.name for found in (ROOT / "data").glob(f"*/{PACKAGE}")]
    hint = nearest(edition, known) or f"editions here: {', '.join(sorted(known))}"
    raise BadInput.one(edition, "no such edition", "a name under data/ or a path", hint)


def sha256(file: Path) -> str:
    """The SHA-256 of a file, read piece by piece."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def fingerprints(folder: Path, pattern: str = "*") -> dict[str, str]:
    """SHA-256 of every file of a folder, by path inside it; of a file, its own, under ``.``."""
    files = [folder] if folder.is_file() else sorted(file for file in folder.rglob(pattern) if file.is_file())
    return {file.relative_to(folder).as_posix(): sha256(file) for file in files}


def fingerprint(found: object) -> str:
    """One SHA-256 for plain values.

    Examples
    --------
    >>> fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(found, sort_keys=True, default=str).encode()).hexdigest()


@cache
def program() -> dict[str, dict[str, str]]:
    """Fingerprints of what turns tables into results: the package without ``book``, and the data that it reads."""
    code = fingerprints(ROOT / "src" / "analysis", "*.py")
    return {
        "code": {name: found for name, found in code.items() if not name.startswith("book/") and name != "cli.py"},
        "schemas": fingerprints(ROOT / "data" / "schemas", "*.json"),
        "vocabularies": fingerprints(ROOT / "data" / "vocabularies", "*.csv"),
        "basemap": fingerprints(ROOT / "data" / "basemap", "*.json"),
    }


def contents(edition: Path) -> dict[str, str]:
    """SHA-256 of every file of an edition, by path inside it."""
    return fingerprints(edition)


def found_sound(edition: Path) -> Path:
    """The note that this very edition was checked by this very program and nothing was at fault, whether or not it is there."""
    return CACHE / "checked" / fingerprint([edition.name, contents(edition), program()])


def note(file: Path, content: str | bytes = "") -> None:
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
