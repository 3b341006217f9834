"""What notebooks depend on, by name, and the state of each name: a notebook runs again when one of its states changes.

A name is the path of a file from the book's folder; with a slash at its end, a folder whose files were listed; ``$NAME``,
a variable of the environment; or ``glob:PATTERN``, the files that the book declares.
"""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from fnmatch import fnmatch
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parabook import files, observe
from parabook.notebooks import code, imports

if TYPE_CHECKING:
    from parabook.book import Book

EVERYTHING = "*"
"""The name of all files of the input."""

UNSEEN = {
    "cv2", "duckdb", "fiona", "geopandas", "h5py", "ibis", "lance", "netCDF4", "osgeo", "polars", "pyarrow", "pyogrio", "pyreadstat",
    "rasterio", "tables", "xarray", "zarr",
}  # fmt: skip
"""Packages whose compiled code opens files without Python's audit events."""

FORK_UNSAFE = {"jax", "tensorflow", "torch"}
"""Packages that start threads when they are imported, and so cannot be preloaded in a process that forks."""


def names(book: Book, page: str, notebook: Mapping[str, Any], seen: Any) -> list[str]:
    """What a notebook that ran depends on; ``seen`` is the report of `observe`, None for a kernel that is not Python's.

    The globs of the setting ``rests_on`` for the page count too. Without any, a notebook that can open files unseen
    depends on every file of the book.
    """
    declared = [globs for pattern, globs in book.settings.get("rests_on", {}).items() if fnmatch(page, pattern)]
    read = [*(seen or {}).get("read", ()), *(seen or {}).get("wrote", ())]
    sources = [code(notebook)]
    for name in (name for name in read if name.endswith(".py")):
        with suppress(OSError, ValueError):
            sources.append((book.root / name).read_text(encoding="utf-8"))
    used = {module.partition(".")[0] for source in sources for module in imports(source)}
    opens_unseen = seen is None or seen["started"] or not used.isdisjoint(UNSEEN)
    if opens_unseen and not declared:
        return sorted({*read, EVERYTHING})
    return sorted({*read, *(f"glob:{each}" for globs in declared for each in globs)})


def state(root: Path, name: str) -> str:
    """The state of what a name stands for, a hash; blank for a file or folder that cannot be read."""
    kind, _, rest = name.partition(":")
    if name.startswith("$"):
        return files.digest(os.environ.get(name[1:]))
    if kind == "glob":
        found = glob.glob(rest, root_dir=root, recursive=True, include_hidden=True)
        return files.digest({file: state(root, file) for file in sorted(found) if (root / file).is_file()})
    with suppress(OSError):
        if name.endswith("/"):
            inside = {each for each in os.listdir(root / name) if not each.startswith(".")} - observe.APART
            return files.digest(sorted(inside))
        return files.sha256(root / name)
    return ""


@cache
def versions() -> dict[str, str]:
    """The versions of Python and of every package, from the names of folders, as reading metadata takes long."""
    folders = [each for path in reversed(sys.path) for each in Path(path).glob("*.dist-info")]
    named = (folder.stem.rpartition("-") for folder in folders)
    found = {name.lower().replace("_", "-"): version for name, _, version in named}
    return {"python": ".".join(map(str, sys.version_info[:3])), **dict(sorted(found.items()))}


def preloaded(notebooks: Mapping[Path, Mapping[str, Any]]) -> Iterator[str]:
    """The modules of installed packages that notebooks import, to be loaded once for all kernels."""
    for module in dict.fromkeys(module for notebook in notebooks.values() for module in imports(code(notebook))):
        first, *rest = module.split(".")
        if first in FORK_UNSAFE or any(
            (file.parent / first).exists() or (file.parent / f"{first}.py").exists() for file in notebooks
        ):
            continue  # the book's own module may have the name of an installed one
        spec = find_spec(first)
        if spec and spec.origin and "site-packages" in spec.origin:
            path = Path(spec.origin).parent.joinpath(*rest)
            if not rest or path.is_dir() or path.with_suffix(".py").is_file():
                yield module
