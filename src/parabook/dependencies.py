"""What a notebook rests on, by name, and the state of each: it runs again when one of the states is another.

A name is a file, or with a slash at its end a folder that was listed, by path from the book; ``$NAME`` of the
environment; ``glob:PATTERN``, the files that a book declares.
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
"""Among the names: every file of the input."""

UNSEEN = {
    "cv2", "duckdb", "fiona", "geopandas", "h5py", "ibis", "lance", "netCDF4", "osgeo", "polars", "pyarrow", "pyogrio", "pyreadstat",
    "rasterio", "tables", "xarray", "zarr",
}  # fmt: skip
"""Packages whose compiled code opens files by itself, which Python does not see."""

FORK_UNSAFE = {"jax", "tensorflow", "torch"}
"""Packages that start threads as they are imported, and so cannot be preloaded."""


def names(book: Book, page: str, notebook: Mapping[str, Any], seen: Any) -> list[str]:
    """What a notebook that ran rests on; ``seen`` is what `observe` reported, None where the kernel is no Python.

    What cannot be seen is to be declared in the setting ``rests_on``, by page. Until then it is every file of the book.
    """
    declared = [globs for pattern, globs in book.settings.get("rests_on", {}).items() if fnmatch(page, pattern)]
    read = [*(seen or {}).get("read", ()), *(seen or {}).get("wrote", ())]
    sources = [code(notebook)]
    for name in (name for name in read if name.endswith(".py")):
        with suppress(OSError, ValueError):
            sources.append((book.root / name).read_text(encoding="utf-8"))
    used = {module.partition(".")[0] for source in sources for module in imports(source)}
    blind = seen is None or seen["started"] or not used.isdisjoint(UNSEEN)
    rest = [EVERYTHING] if blind and not declared else [f"glob:{each}" for globs in declared for each in globs]
    return sorted({*read, *rest})


def state(root: Path, name: str) -> str:
    """The state of what a name stands for; blank where it is not there."""
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
    """Python and every package there is, by the names of their folders, which need no reading."""
    folders = [each for path in reversed(sys.path) for each in Path(path).glob("*.dist-info")]
    named = (folder.stem.rpartition("-") for folder in folders)
    found = {name.lower().replace("_", "-"): version for name, _, version in named}
    return {"python": ".".join(map(str, sys.version_info[:3])), **dict(sorted(found.items()))}


def preloaded(notebooks: Mapping[Path, Mapping[str, Any]]) -> Iterator[str]:
    """The modules of installed packages that notebooks import, which all their kernels can share."""
    for module in dict.fromkeys(module for notebook in notebooks.values() for module in imports(code(notebook))):
        first, *rest = module.split(".")
        if first in FORK_UNSAFE or any(
            (file.parent / first).exists() or (file.parent / f"{first}.py").exists() for file in notebooks
        ):
            continue  # a module of the book's own may have the name of an installed one
        spec = find_spec(first)
        if spec and spec.origin and "site-packages" in spec.origin:
            path = Path(spec.origin).parent.joinpath(*rest)
            if not rest or path.is_dir() or path.with_suffix(".py").is_file():
                yield module
