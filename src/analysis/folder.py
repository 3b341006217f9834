"""An edition's folder: finding it, and hashes of its files. Reads no table and imports nothing heavy."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from analysis import fetch
from analysis.schema import ROOT
from parabook.errors import InputError, nearest
from parabook.files import digest, hash_files, prune

PACKAGE = "datapackage.json"
CACHE = ROOT / "_build" / ".cache"
"""Results of earlier runs, named by hashes of their inputs. Deleting it costs time and nothing else."""
FETCHED = 4
"""States of an edition at an address that are cached, the youngest."""
ROOMS = ("imports/", "publish/")
"""Folders of the package on which results do not depend."""


def find(edition: str | Path, engine: str = "") -> Path:
    """The folder of an edition, given its name under ``data/``, a path, or an address that fsspec knows.

    Examples
    --------
    >>> find("oral-2022").name
    'oral-2022'
    >>> find("oral-2202")
    Traceback (most recent call last):
    parabook.errors.InputError: oral-2202: found no such edition, needed a name under data/ or a path; did you mean 'oral-2022'?
    """
    if not str(edition).strip():
        raise InputError.one("edition", "an empty name", "a name under data/ or a path")
    if isinstance(edition, str) and fetch.is_address(edition):
        path = fetch.fetched(edition, CACHE / fetch.FOLDER, PACKAGE, remote_parquet=bool(engine))
        prune(path.parents[1], FETCHED, "[!.]*")
        return path.resolve()
    places = (Path(edition), ROOT / edition, ROOT / "data" / edition)
    for path in places:
        if (path / PACKAGE).is_file():
            return path.resolve()
    for path in places:
        if path.exists():
            found = "no datapackage.json" if path.is_dir() else "a file"
            raise InputError.one(path, found, "an edition's folder", "it has a datapackage.json")
    known = [found.parent.name for found in (ROOT / "data").glob(f"*/{PACKAGE}")]
    hint = nearest(edition, known) or f"editions here: {', '.join(sorted(known))}"
    raise InputError.one(edition, "no such edition", "a name under data/ or a path", hint)


@cache
def program() -> dict[str, dict[str, str]]:
    """Hashes of what turns tables into results: the package but for `ROOMS`, and the data that it reads."""
    code = hash_files(ROOT / "src" / "analysis", "*.py")
    data = {"schemas": "*.json", "vocabularies": "*.csv"}
    return {
        "code": {name: found for name, found in code.items() if not name.startswith(ROOMS)},
        **{name: hash_files(ROOT / "data" / name, pattern) for name, pattern in data.items()},
    }


def contents(edition: Path) -> dict[str, str]:
    """SHA-256 of every file of an edition, by path inside it."""
    return hash_files(edition)


def validation_marker(edition: Path, engine: str = "") -> Path:
    """Path of the marker file that exists once an edition has passed validation by this version of the program."""
    return CACHE / "validated" / digest([edition.name, contents(edition), program(), engine])
