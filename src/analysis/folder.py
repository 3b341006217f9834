"""An edition's folder: finding it, and hashes of its files. Reads no table and imports nothing heavy."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from analysis import fetch
from analysis.schema import ROOT
from parabook.errors import InputError, nearest
from parabook.files import digest, hash_files, listed, prune, sha256

PACKAGE = "datapackage.json"
IMPORTED = ("import.ipynb", "import.json")
"""The notebook that wrote an edition, and what it wrote, as `imports` names them."""
CACHE = ROOT / "_build" / ".cache"
"""Results of earlier runs, named by hashes of their inputs. Deleting it costs time and nothing else."""
FETCHED = 4
"""States of an edition at an address that are cached, the youngest."""


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
    for path in (Path(edition), ROOT / edition, ROOT / "data" / edition):
        if (path / PACKAGE).is_file():
            return path.resolve()
    for path in (Path(edition), ROOT / "data" / edition):
        if path.is_dir():
            raise InputError.one(path, "no datapackage.json", "an edition's folder", "it has a datapackage.json")
        if path.is_file():
            raise InputError.one(path, "a file", "an edition's folder")
    known = [found.parent.name for found in (ROOT / "data").glob(f"*/{PACKAGE}")]
    hint = nearest(edition, known) or f"editions here: {', '.join(sorted(known))}"
    raise InputError.one(edition, "no such edition", "a name under data/ or a path", hint)


@cache
def program() -> dict[str, dict[str, str]]:
    """Fingerprints of what turns tables into results: the package without its rooms, and the data that it reads."""
    code = hash_files(ROOT / "src" / "analysis", "*.py")
    rooms = ("imports/", "publish/")
    return {
        "code": {name: found for name, found in code.items() if not name.startswith(rooms)},
        "schemas": hash_files(ROOT / "data" / "schemas", "*.json"),
        "vocabularies": hash_files(ROOT / "data" / "vocabularies", "*.csv"),
        "basemap": hash_files(ROOT / "data" / "basemap", "*.json"),
    }


def files(edition: Path) -> dict[str, Path]:
    """The files of an edition by path inside it, without what it was imported with, which no chapter reads."""
    return {name: file for name, file in listed(edition).items() if name not in IMPORTED}


def contents(edition: Path) -> dict[str, str]:
    """SHA-256 of every file of an edition, by path inside it."""
    return {name: sha256(file) for name, file in files(edition).items()}


def validation_marker(edition: Path, engine: str = "") -> Path:
    """Path of the marker file that exists once an edition has passed validation by this version of the program."""
    return CACHE / "validated" / digest([edition.name, contents(edition), program(), engine])
