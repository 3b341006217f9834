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
ROOMS = ("imports/", "publish/")
"""Folders of the package on which it does not depend whether an edition is valid."""


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
    whole = next((path for path in places if (path / PACKAGE).is_file()), None)
    if whole:
        return whole.resolve()
    if bare := next((path for path in places if path.exists()), None):
        found = "no datapackage.json" if bare.is_dir() else "a file"
        raise InputError.one(bare, found, "an edition's folder", "it has a datapackage.json")
    known = [found.parent.name for found in (ROOT / "data").glob(f"*/{PACKAGE}")]
    hint = nearest(edition, known) or f"editions here: {', '.join(sorted(known))}"
    raise InputError.one(edition, "no such edition", "a name under data/ or a path", hint)


@cache
def _program() -> list[dict[str, str]]:
    """Hashes of what decides whether an edition is valid."""
    data = [hash_files(ROOT / "data" / name) for name in ("schemas", "vocabularies")]
    code = hash_files(Path(__file__).parent, "*.py")
    return [*data, {name: found for name, found in code.items() if not name.startswith(ROOMS)}]


def files(edition: Path) -> dict[str, Path]:
    """The files of an edition by path inside it, without what it was imported with, which no chapter reads."""
    return {name: file for name, file in listed(edition).items() if name not in IMPORTED}


def contents(edition: Path) -> dict[str, str]:
    """SHA-256 of every file of an edition, by path inside it."""
    return {name: sha256(file) for name, file in files(edition).items()}


def validation_marker(edition: Path, engine: str = "") -> Path:
    """Path of the marker file that exists once an edition has passed validation by this version of the program."""
    return CACHE / "validated" / digest([edition.name, contents(edition), _program(), engine])
