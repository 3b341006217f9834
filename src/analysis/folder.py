"""An edition's folder: found here or fetched from an address; hashes of its files. Reads no table, loads little.

An edition at an ``s3://``, ``gs://``, ``http://`` or other address that fsspec knows is fetched by every call, so that
it is never stale: the files that ``datapackage.json`` names and the texts beside it, into a folder named by their
content. Only a table that is a folder of parts is listed, as folders cannot be listed over HTTP.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TypeVar

from analysis.schema import ROOT
from parabook.errors import InputError, describe, nearest
from parabook.files import ADDRESS, digest, hash_files, listed, prune, sha256

T = TypeVar("T")

PACKAGE = "datapackage.json"
TEXTS = ("codebook.md", "story.md")
"""Texts of the edition that the book prints."""
IMPORTED = ("import.ipynb", "import.json")
"""The notebook that wrote an edition, and its record: what `imports.write`, which comes later, calls so."""

CACHE = ROOT / "_build" / ".cache"
"""Folder of results of earlier runs, named by hashes of their inputs. Deleting it costs time and nothing else."""

REMOTE = ".remote"
"""Suffix of the file that stands in for a Parquet file which stays at its address."""

FETCH, DEADLINE = "ANALYSIS_FETCH_TIMEOUT", 600.0
"""The environment variable for the seconds that fetching an edition may take, and their default."""

MOST_BYTES = 1_000_000_000
"""Largest size in bytes of a file that is not Parquet, as CSV tables are read into memory."""

ROOMS = ("imports/", "publish/")
"""Folders of the package that do not affect whether an edition is valid."""


def find(edition: str | Path, engine: str = "") -> Path:
    """The folder of an edition, given its name under ``data/``, a path, or an address that fsspec knows.

    >>> find("oral-2202")
    Traceback (most recent call last):
    parabook.errors.InputError: oral-2202: found no such edition, needed a name under data/ or a path; did you mean 'oral-2022'?
    """
    if not str(edition).strip():
        raise InputError.one("edition", "an empty name", "a name under data/ or a path")
    if re.match(r"[a-z][a-z0-9+.-]*://", str(edition), re.IGNORECASE):
        return _fetched(str(edition).rstrip("/"), remote_parquet=bool(engine)).resolve()
    places = [path for path in (Path(edition), ROOT / edition, ROOT / "data" / edition) if path.exists()]
    if whole := next((path for path in places if (path / PACKAGE).is_file()), None):
        return whole.resolve()
    if places:
        found = "no datapackage.json" if places[0].is_dir() else "a file"
        raise InputError.one(places[0], found, "an edition's folder", "it has a datapackage.json")
    known = [found.parent.name for found in (ROOT / "data").glob(f"*/{PACKAGE}")]
    hint = nearest(edition, known) or f"editions here: {', '.join(sorted(known))}"
    raise InputError.one(edition, "no such edition", "a name under data/ or a path", hint)


def _fetched(address: str, *, remote_parquet: bool) -> Path:
    """A local copy of an edition at an address; with ``remote_parquet`` its Parquet stays there, for an engine to read."""
    name = PurePosixPath(address.partition("://")[2]).name
    if name in ("", ".."):
        raise InputError.one(address, "no folder's name", "the address of an edition's folder")
    import tempfile

    home, limit = CACHE / "fetched" / digest(address)[:16], seconds(FETCH, DEADLINE)
    home.mkdir(parents=True, exist_ok=True)
    # A download that ran out of time may still write there while the folder is removed.
    with tempfile.TemporaryDirectory(prefix=".part-", dir=home, ignore_cleanup_errors=True) as part:
        folder = Path(part) / "whole" / name
        folder.mkdir(parents=True)
        (folder.parent / ADDRESS).write_text(address, encoding="utf-8")
        try:
            within(limit, lambda: _download(address, folder, remote_parquet))
        except InputError:
            raise
        except Exception as error:  # each driver of fsspec has exceptions of its own
            found, needed, hint = (
                describe(error).splitlines()[0],
                "an address that fsspec knows, as s3://bucket/folder",
                "",
            )
            if isinstance(error, ImportError):
                hint = "http:// needs pip install 'PATH_TO_THE_CHECKOUT[remote]', s3:// also s3fs, gs:// also gcsfs"
            elif isinstance(error, TimeoutError):
                found, needed = f"no whole edition within {limit:g} s", "a store that answers"
                hint = f"allow it more seconds by {FETCH}"
            elif isinstance(error, (FileNotFoundError, NotADirectoryError)):
                found, needed = f"no {PACKAGE}", "an edition's folder"
            raise InputError.one(address, found, needed, hint) from error
        place = home / digest(hash_files(folder))[:16]
        with contextlib.suppress(OSError):  # the same content is there already
            folder.parent.rename(place)
    os.utime(place)
    prune(home, 4, "[!.]*")  # older states of the edition
    return place / name


def seconds(variable: str, otherwise: float) -> float:
    """A time limit in seconds: from an environment variable, or else a default."""
    given = os.environ.get(variable) or f"{otherwise:g}"
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]+)?", given):
        raise InputError.one(variable, repr(given), "a number of seconds")
    return float(given)


def within(seconds: float, call: Callable[[], T]) -> T:
    """The result of a call, or its error; TimeoutError after a limit, as drivers of fsspec may wait for ever."""
    import threading
    from concurrent.futures import Future

    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(call())
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return outcome.result(seconds)


def _download(address: str, folder: Path, remote_parquet: bool) -> None:
    """Fetch ``datapackage.json`` and the files in its folder that it names; ``check`` reports what is wrong with it."""
    from fsspec.core import url_to_fs

    store, base = url_to_fs(address)
    store.get_file(f"{base}/{PACKAGE}", str(folder / PACKAGE))
    try:
        paths = [each["path"].rstrip("/") for each in json.loads((folder / PACKAGE).read_bytes())["resources"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        paths = []
    for name in dict.fromkeys([*filter(_inside, paths), *TEXTS]):
        parts = store.find(f"{base}/{name}") if "." not in name and store.isdir(f"{base}/{name}") else []
        inner = [f"{name}/{part.rpartition(f'/{name}/')[2]}" for part in parts]
        for file in list(filter(_inside, inner)) or [name]:
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            if remote_parquet and target.suffix == ".parquet":
                lies = f"{address}/{file}\n{digest(store.info(f'{base}/{file}'))}"
                target.with_name(f"{target.name}{REMOTE}").write_text(lies, encoding="utf-8")
            else:
                with contextlib.suppress(FileNotFoundError):
                    store.get_file(f"{base}/{file}", str(target))


def _inside(path: str) -> bool:
    """Whether a path leads to a file inside the edition's folder."""
    pure = PurePosixPath(path)
    outside = not pure.name or pure.is_absolute() or ".." in pure.parts or len(path) > 200
    return not outside and not any(sign in path for sign in "\\\0:")


def origin(edition: Path) -> str:
    """The address that an edition was fetched from, or the folder that a build copied it from; else blank."""
    address = edition.parent / ADDRESS
    return os.fsdecode(address.read_bytes()) if address.is_file() else ""


def remote_parts(file: Path) -> list[str]:
    """The addresses of the files of a Parquet table that stays at its address."""
    parts = sorted(file.parent.glob(f"{file.name}{REMOTE}")) + sorted(file.glob(f"*{REMOTE}"))
    return [part.read_text(encoding="utf-8").splitlines()[0] for part in parts]


def shown_path(path: Path) -> str:
    """A path as problems show it: relative to the working folder or the checkout when inside.

    A file of a copy is shown where it can be corrected, one of a fetched edition by its address. Not so to chapters,
    which run beside the copy: what they print must not depend on where the edition came from.
    """
    edition = next((each for each in path.parents if origin(each)), None)
    if edition and not Path.cwd().is_relative_to(edition.parent):
        there = f"{origin(edition)}/{path.relative_to(edition).as_posix()}"
        return there if "://" in there else shown_path(Path(there))
    base = next((base for base in (Path.cwd(), ROOT) if path.is_relative_to(base)), None)
    return str(path.relative_to(base) if base else path)


def files(edition: Path) -> dict[str, Path]:
    """The files of an edition by path inside it, without those of its import, which no chapter reads.

    InputError for a file over `MOST_BYTES` that is not Parquet, before anybody waits for its hash.
    """
    found = {name: file for name, file in listed(edition).items() if name not in IMPORTED}
    for file in found.values():
        if file.suffix != ".parquet" and (size := file.stat().st_size) > MOST_BYTES:
            needed, hint = f"{MOST_BYTES:,} bytes or fewer", "use Parquet, or move it out of the edition"
            raise InputError.one(shown_path(file), f"{size:,} bytes", needed, hint)
    return found


def contents(edition: Path) -> dict[str, str]:
    """SHA-256 of every file of an edition, by path inside it."""
    return {name: sha256(file) for name, file in files(edition).items()}


def validation_marker(edition: Path, engine: str = "") -> Path:
    """Path of the marker file that exists once an edition has passed validation by this version of the program.

    Its name is a hash of the tables and of the code and data that validate them: not of the code that writes or
    publishes editions, nor of an edition's texts, which are checked each time.
    """
    data = [hash_files(ROOT / "data" / name) for name in ("schemas", "vocabularies")]
    code = hash_files(Path(__file__).parent, "*.py")
    program = [*data, {name: found for name, found in code.items() if not name.startswith(ROOMS)}]
    tables = {name: found for name, found in contents(edition).items() if name not in TEXTS}
    return CACHE / "validated" / digest([edition.name, tables, program, engine])
