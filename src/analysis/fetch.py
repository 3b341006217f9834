"""Editions that lie elsewhere: fetched from an ``s3://``, ``gs://``, ``http://`` or other address that fsspec knows.

What ``datapackage.json`` names is fetched, and the files beside it: no folder is listed, for over HTTP none can be, unless
a table is a folder of parts. fsspec's own ``filecache`` is not used, as it serves stale files over HTTP. fsspec is imported
when an address is met, and not before.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from parabook.errors import InputError
from parabook.files import sha256

T = TypeVar("T")

BESIDE = ("codebook.md", "story.md")
"""Files of an edition that its package does not name."""

CONTENT_MARKS = ("ETag", "etag", "e_tag", "md5Hash", "Content-MD5", "content_md5", "Digest", "generation")
"""What stores say of a file's content. Times are none of them: two changes can share a second."""

FOLDER = "fetched"
ADDRESS = ".address"
"""File beside a fetched edition: where it came from."""

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
    """The folder of an edition fetched from an address; again when, and only when, it changed there.

    Parameters
    ----------
    address : str
        That of the edition's folder.
    into : Path
        Where fetched editions are cached, each in a folder named by its content.
    package : str
        The name of the file that lists an edition's tables.
    remote_parquet : bool
        Leave Parquet where it lies, for an engine to read.

    Raises
    ------
    InputError
        When the driver for such addresses is not installed, nothing answers in time, or no edition is there.
    """
    address = re.sub(r"(?<=[^:/])/+$", "", address)
    store, base = _store(address)
    name = PurePosixPath(base).name
    if not name or name == "..":
        raise InputError.one(address, "no folder's name", "the address of an edition's folder")
    home = into / hashlib.sha256(address.encode()).hexdigest()[:16]
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=home) as part:
        folder = Path(part) / name
        folder.mkdir()
        (Path(part) / ADDRESS).write_text(address, encoding="utf-8")
        return _in_time(address, lambda: _download(store, base, folder, home, package, remote_parquet)) / name


def _in_time(address: str, call: Callable[[], T]) -> T:
    """What a call returns within `DEADLINE`; drivers wait without end for a server that drips."""
    outcome: list[T | Exception] = []

    def run() -> None:
        try:
            outcome.append(call())
        except Exception as error:  # drivers have exceptions of their own, known only to who has them installed
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(DEADLINE)
    if not outcome:
        raise InputError.one(address, f"no whole edition within {DEADLINE:g} s", "a store that answers")
    if isinstance(outcome[0], InputError | FileNotFoundError | NotADirectoryError):
        needed, hint = "an edition's folder", "correct the address"
        raise InputError.one(address, "no datapackage.json", needed, hint) from outcome[0]
    if isinstance(outcome[0], Exception):
        message = (str(outcome[0]).strip() or "no message").splitlines()[0]
        found = f"{type(outcome[0]).__name__} ({message})"
        raise InputError.one(address, found, "an edition that can be read") from outcome[0]
    return outcome[0]


def _store(address: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs

        store, base = url_to_fs(address)
    except ImportError as error:  # it says which package to install
        hint = (
            str(error).splitlines()[0].rstrip(".") if "fsspec'" not in str(error) else "pip install 'analysis[remote]'"
        )
        raise InputError.one(address, "no driver for such addresses", "an installed one", hint) from error
    except Exception as error:
        message = (str(error).strip() or "no message").splitlines()[0]
        raise InputError.one(address, message, "an address that fsspec knows, as s3://bucket/folder") from error
    return store, str(base).rstrip("/")


def _download(store: Any, base: str, folder: Path, home: Path, package: str, remote_parquet: bool) -> Path:
    """Fetch an edition into a temporary folder, and give it its place in one step."""
    content = store.cat_file(f"{base}/{package}")
    (folder / package).write_bytes(content)
    marks = {package: hashlib.sha256(content).hexdigest()}
    later = []
    for file, info in _files(store, base, _named(content)):
        marks[file] = next((f"{key} {info[key]} {info.get('size')}" for key in CONTENT_MARKS if info.get(key)), "")
        if remote_parquet and ".parquet" in PurePosixPath(file).suffix:
            target = folder / f"{file}{REMOTE}"
            target.parent.mkdir(parents=True, exist_ok=True)
            marks[file] = marks[file] or f"{info.get('size')}"
            target.write_text(
                f"{base if '://' in base else store.unstrip_protocol(base)}/{file}\n{marks[file]}", encoding="utf-8"
            )
        elif marks[file]:
            later.append(file)
        else:  # nothing but its content tells whether it changed
            _get(store, f"{base}/{file}", folder / file)
            marks[file] = sha256(folder / file)
    place = home / hashlib.sha256(json.dumps([marks, remote_parquet], sort_keys=True).encode()).hexdigest()[:16]
    if not place.is_dir():
        for file in later:
            _get(store, f"{base}/{file}", folder / file)
        part = folder.parent
        whole = part.rename(part.with_name(f"{part.name}.whole"))
        part.mkdir()  # for its owner to remove
        try:
            whole.rename(place)
        except OSError:  # another process has fetched the same meanwhile
            shutil.rmtree(whole)
    os.utime(place)  # the youngest are cached
    return place


def _get(store: Any, source: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    store.get_file(source, str(target))


def _named(package: bytes) -> list[str]:
    """The files that a package names and that lie inside its folder; what is wrong with others, ``check`` says.

    Examples
    --------
    >>> _named(b'{"resources": [{"path": "legs.csv"}, {"path": "../x.csv"}, {"path": "http://host/y.csv"}]}')
    ['legs.csv', 'codebook.md', 'story.md']
    """
    try:
        found = json.loads(package)["resources"]
        paths = [each["path"] for each in found if isinstance(each, dict) and isinstance(each.get("path"), str)]
    except (ValueError, KeyError, TypeError, RecursionError):
        paths = []
    inside = [path.rstrip("/") for path in paths if path.strip("/. ") and not _leads_out(path)]
    return list(dict.fromkeys([*inside, *BESIDE]))


def _leads_out(path: str) -> bool:
    pure = PurePosixPath(path)
    return pure.is_absolute() or ".." in pure.parts or any(sign in path for sign in "\\\0:") or len(path) > 200


def _files(store: Any, base: str, names: list[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The files that are there, with what the store says of each."""
    for name in names:
        try:
            info = store.info(f"{base}/{name}")
        except FileNotFoundError:
            continue
        if info.get("type") != "directory":
            yield name, info
            continue
        for found, part in store.find(f"{base}/{name}", detail=True).items():
            inner = found.partition(f"{base.lstrip('/')}/{name}/")[2]
            if inner and not _leads_out(inner):
                yield f"{name}/{inner}", part


def origin(edition: Path) -> str:
    """The address that an edition was fetched from; blank for one that was not."""
    try:
        return (edition.parent / ADDRESS).read_text(encoding="utf-8")
    except OSError:
        return ""


def remote_parts(file: Path) -> list[str]:
    """The addresses of a Parquet table that was left where it lies."""
    beside = file.with_name(f"{file.name}{REMOTE}")
    parts = sorted(file.glob(f"*{REMOTE}")) if file.is_dir() else [beside] if beside.is_file() else []
    return [part.read_text(encoding="utf-8").splitlines()[0] for part in parts]


def at_address(file: Path) -> str:
    """A file of a fetched edition by its address, which is where it can be corrected; blank for any other file.

    Blank as well beside the edition, where chapters run: what they print, they print of any copy.

    Examples
    --------
    >>> at_address(Path("data/oral-2022/legs.csv"))
    ''
    """
    edition = next((each for each in file.parents if FOLDER in each.parts and origin(each)), None)
    if edition is None or Path.cwd().is_relative_to(edition.parent):
        return ""
    return f"{origin(edition)}/{file.relative_to(edition).as_posix()}"
