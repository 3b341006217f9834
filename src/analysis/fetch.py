"""Editions that lie elsewhere: fetched from an ``s3://``, ``gs://``, ``http://`` or other address that fsspec knows.

What ``datapackage.json`` names is fetched, and ``codebook.md``: no folder is listed, for over HTTP none can be, unless a table
is a folder of parts. fsspec is imported when an address is met, and not before.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from parabook.errors import InputError

BESIDE = ("codebook.md",)
"""Files of an edition that its package does not name."""

MARKS = ("ETag", "etag", "e_tag", "md5Hash", "Content-MD5", "content_md5", "Digest", "generation")
"""What stores say of a file's content. Times are none of them: two changes can share a second."""

FOLDER = "fetched"
"""The folder of the cache in which they lie."""

ADDRESS = ".address"
"""Beside a fetched edition: where it came from."""


def is_address(edition: object) -> bool:
    """Whether an edition is given by an address in place of a name or a path.

    Examples
    --------
    >>> is_address("s3://bucket/oral-2022"), is_address("data/oral-2022"), is_address("C:\\\\data")
    (True, False, False)
    """
    return isinstance(edition, str) and bool(re.match(r"[a-z][a-z0-9+.-]*://", edition, re.IGNORECASE))


def fetched(address: str, into: Path, package: str) -> Path:
    """The folder of an edition fetched from an address; again when, and only when, it changed there.

    Parameters
    ----------
    address : str
        That of the edition's folder.
    into : Path
        Where fetched editions are kept, each in a folder named by its content.
    package : str
        The name of the file that lists an edition's tables.

    Raises
    ------
    InputError
        When the driver for such addresses is not installed, nothing answers, or no edition is there.
    """
    address = re.sub(r"(?<=[^:/])/+$", "", address)
    store, base = _store(address)
    name = PurePosixPath(base).name
    if not name or name == "..":
        raise InputError.one(address, "no folder's name", "the address of an edition's folder")
    try:
        text = store.cat_file(f"{base}/{package}")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError.one(address, f"no {package}", "an edition's folder", "hint the address") from error
    except Exception as error:  # drivers have exceptions of their own, known only to who has them installed
        raise _unreadable(address, error) from error
    into = into / hashlib.sha256(address.encode()).hexdigest()[:16]
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=into) as part:
        (Path(part) / ADDRESS).write_text(address, encoding="utf-8")
        folder = Path(part) / name
        folder.mkdir()
        (folder / package).write_bytes(text)
        try:
            return _brought(store, base, folder, into) / name
        except Exception as error:
            raise _unreadable(address, error) from error


def _unreadable(address: str, error: Exception) -> InputError:
    said = (str(error).strip() or "no message").splitlines()[0]
    return InputError.one(address, f"{type(error).__name__} ({said})", "an edition that can be read")


def origin(edition: Path) -> str:
    """The address that an edition was fetched from; blank for one that was not."""
    try:
        return (edition.parent / ADDRESS).read_text(encoding="utf-8")
    except OSError:
        return ""


def home(file: Path) -> Path | None:
    """The folder of the fetched edition that a file belongs to; none for any other file."""
    return next((each for each in file.parents if FOLDER in each.parts and origin(each)), None)


def at_address(file: Path) -> str:
    """A file of a fetched edition by its address, which is where it can be mended; blank for any other file.

    Blank as well beside the edition, where chapters run: what they tell, they tell of any copy.

    Examples
    --------
    >>> at_address(Path("data/oral-2022/legs.csv"))
    ''
    """
    edition = home(file)
    if edition is None or Path.cwd().is_relative_to(edition.parent):
        return ""
    return f"{origin(edition)}/{file.relative_to(edition).as_posix()}"


def _store(address: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise _lacking(address, "pip install 'analysis[cluster]'") from error
    try:
        store, base = url_to_fs(address)
    except ImportError as error:  # it says which package to install
        raise _lacking(address, str(error).splitlines()[0].rstrip(".")) from error
    except Exception as error:
        said = (str(error).strip() or "no message").splitlines()[0]
        raise InputError.one(address, said, "an address that fsspec knows, as s3://bucket/folder") from error
    return store, str(base).rstrip("/")


def _lacking(address: str, what: str) -> InputError:
    return InputError.one(address, "no driver for such addresses", "an installed one", what)


def _brought(store: Any, base: str, folder: Path, into: Path) -> Path:
    """Fetch beside its package what is not here yet, and give the whole its place in one step."""
    (package,) = folder.iterdir()
    marks = {package.name: _sha256(package)}
    later = []
    for file, info in _files(store, base, _named(package.read_bytes())):
        marks[file] = _mark(info)
        if marks[file]:
            later.append(file)
        else:  # nothing but its content tells whether it changed
            _get(store, f"{base}/{file}", folder / file)
            marks[file] = _sha256(folder / file)
    home = into / hashlib.sha256(json.dumps(marks, sort_keys=True).encode()).hexdigest()[:16]
    if not home.is_dir():
        for file in later:
            _get(store, f"{base}/{file}", folder / file)
        part = folder.parent
        whole = part.rename(part.with_name(f"{part.name}.whole"))
        part.mkdir()  # for its owner to remove
        try:
            whole.rename(home)
        except OSError:  # another has fetched the same meanwhile
            shutil.rmtree(whole)
    os.utime(home)  # the youngest are kept
    return home


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _get(store: Any, source: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    store.get_file(source, str(target))


def _named(text: bytes) -> list[str]:
    """The files that a package names and that lie inside its folder; what is wrong with others, ``check`` says.

    Examples
    --------
    >>> _named(b'{"resources": [{"path": "legs.csv"}, {"path": "../x.csv"}, {"path": "http://host/y.csv"}]}')
    ['legs.csv', 'codebook.md']
    """
    try:
        found = json.loads(text)["resources"]
        paths = [each["path"] for each in found if isinstance(each, dict) and isinstance(each.get("path"), str)]
    except (ValueError, KeyError, TypeError, RecursionError):
        paths = []
    inside = [path for path in paths if path.strip("/. ") and not _leads_out(path)]
    return list(dict.fromkeys([*(path.rstrip("/") for path in inside), *BESIDE]))


def _leads_out(path: str) -> bool:
    pure = PurePosixPath(path)
    return pure.is_absolute() or ".." in pure.parts or "\\" in path or "\0" in path or ":" in path or len(path) > 200


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


def _mark(info: Mapping[str, Any]) -> str:
    return next((f"{key} {info[key]} {info.get('size')}" for key in MARKS if info.get(key)), "")
