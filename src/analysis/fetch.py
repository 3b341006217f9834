"""Editions that lie elsewhere: fetched from an ``s3://``, ``gs://``, ``http://`` or other address that fsspec knows.

Every call fetches what ``datapackage.json`` names, and the texts beside it, into a folder named by the content, so that
nothing is stale. No folder is listed, for over HTTP none can be, unless a table is a folder of parts.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

from analysis.deadline import within
from parabook.errors import InputError, describe
from parabook.files import digest, hash_files

BESIDE = ("codebook.md", "story.md")
"""Files of an edition that its package does not name."""

FOLDER, ADDRESS = "fetched", ".address"
"""The folder of fetched editions, and the file beside each that says where it came from."""

REMOTE = ".remote"
"""Suffix of the file that stands in for Parquet which a Spark engine reads where it lies."""

DEADLINE = 600.0
"""Seconds that fetching an edition may take."""


def is_address(edition: object) -> bool:
    """Whether an edition is given by an address in place of a name or a path.

    Examples
    --------
    >>> is_address("s3://bucket/oral-2022"), is_address("data/oral-2022"), is_address("C:\\\\data")
    (True, False, False)
    """
    return isinstance(edition, str) and bool(re.match(r"[a-z][a-z0-9+.-]*://", edition, re.IGNORECASE))


def fetched(address: str, into: Path, package: str, *, remote_parquet: bool = False) -> Path:
    """The folder of an edition fetched from an address; InputError in one line when that fails.

    ``package`` is the file that lists an edition's tables. Parquet is left where it lies for an engine that reads it there.
    """
    address = re.sub(r"(?<=[^:/])/+$", "", address)
    name = PurePosixPath(address.partition("://")[2]).name
    if name in ("", ".."):
        raise InputError.one(address, "no folder's name", "the address of an edition's folder")
    home = into / digest(address)[:16]
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=home) as part:
        folder = Path(part) / "whole" / name
        folder.mkdir(parents=True)
        (folder.parent / ADDRESS).write_text(address, encoding="utf-8")
        try:
            within(DEADLINE, lambda: _download(address, folder, package, remote_parquet))
        except TimeoutError:
            raise InputError.one(address, f"no whole edition within {DEADLINE:g} s", "a store that answers") from None
        except (FileNotFoundError, NotADirectoryError) as error:
            raise InputError.one(address, "no datapackage.json", "an edition's folder") from error
        except Exception as error:  # drivers have exceptions of their own, known only to who has them installed
            needed, hint = "an address that fsspec knows, as s3://bucket/folder", "pip install 'analysis[remote]'"
            found = describe(error).splitlines()[0]
            raise InputError.one(address, found, needed, hint * isinstance(error, ImportError)) from error
        place = home / digest(hash_files(folder))[:16]
        with contextlib.suppress(OSError):  # the same is there already
            folder.parent.rename(place)
    os.utime(place)  # the youngest are cached
    return place / name


def _download(address: str, folder: Path, package: str, remote_parquet: bool) -> None:
    from fsspec.core import url_to_fs

    store, base = url_to_fs(address)
    store.get_file(f"{base}/{package}", str(folder / package))
    for file in _files(store, base.rstrip("/"), _named((folder / package).read_bytes())):
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        if remote_parquet and target.suffix == ".parquet":
            lies = f"{address}/{file}\n{digest(store.info(f'{base}/{file}'))}"
            target.with_name(f"{target.name}{REMOTE}").write_text(lies, encoding="utf-8")
        else:
            with contextlib.suppress(FileNotFoundError):
                store.get_file(f"{base}/{file}", str(target))


def _named(package: bytes) -> list[str]:
    """The files that a package names and that lie inside its folder; what is wrong with others, ``check`` says.

    Examples
    --------
    >>> _named(b'{"resources": [{"path": "legs.csv"}, {"path": "../x.csv"}, {"path": "http://host/y.csv"}]}')
    ['legs.csv', 'codebook.md', 'story.md']
    """
    try:
        paths = [each["path"].rstrip("/") for each in json.loads(package)["resources"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        paths = []
    return list(dict.fromkeys([*filter(_inside, paths), *BESIDE]))


def _inside(path: str) -> bool:
    pure = PurePosixPath(path)
    outside = not pure.name or pure.is_absolute() or ".." in pure.parts or len(path) > 200
    return not outside and not any(sign in path for sign in "\\\0:")


def _files(store: Any, base: str, names: list[str]) -> list[str]:
    """The files that names stand for: themselves, or the parts of a folder."""
    found = []
    for name in names:
        parts = store.find(f"{base}/{name}") if "." not in name and store.isdir(f"{base}/{name}") else []
        inner = [f"{name}/{part.rpartition(f'/{name}/')[2]}" for part in parts]
        found += list(filter(_inside, inner)) or [name]
    return found


def origin(edition: Path) -> str:
    """The address that an edition was fetched from; blank for one that was not."""
    address = edition.parent / ADDRESS
    return address.read_text(encoding="utf-8") if address.is_file() else ""


def remote_parts(file: Path) -> list[str]:
    """The addresses of a Parquet table that was left where it lies."""
    parts = sorted(file.parent.glob(f"{file.name}{REMOTE}")) + sorted(file.glob(f"*{REMOTE}"))
    return [part.read_text(encoding="utf-8").splitlines()[0] for part in parts]


def at_address(file: Path) -> str:
    """A file of a fetched edition by its address, which is where it can be corrected; blank for any other file.

    Blank as well beside the edition, where chapters run: what they print, they print of any copy.
    """
    edition = next((each for each in file.parents if FOLDER in each.parts and origin(each)), None)
    if edition is None or Path.cwd().is_relative_to(edition.parent):
        return ""
    return f"{origin(edition)}/{file.relative_to(edition).as_posix()}"
