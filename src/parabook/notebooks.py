"""Reads notebooks: their cells, whether and how they run by the book's configuration, what they import.

Imports nothing heavy: a page in MyST is parsed by MyST-NB once, and comes from the cache after that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from parabook import files
from parabook.errors import InputError

MYST = re.compile(r"---\n(?:(?!---|\.\.\.).*\n)*?(?:\s+format_name: *['\"]?myst\b|file_format: *['\"]?mystnb\b)")
"""The beginning of a MyST page that is a notebook; other pages show their code and do not run it."""

IMPORT = re.compile(
    r"^[ \t]*(?:import[ \t]+([\w., \t]+)|from[ \t]+([\w.]+)[ \t]+import[ \t(]+([\w, \t]+))", re.MULTILINE
)


@dataclass(frozen=True)
class Execution:
    """How a notebook is run, by its own ``mystnb`` metadata or else the book's configuration."""

    runs: bool
    allow_errors: bool
    seconds: float
    """Seconds that a cell may take; 900 by default."""


def is_notebook(file: Path) -> bool:
    """Whether a page has cells that run."""
    if file.suffix == ".md":
        with file.open(encoding="utf-8") as opened:
            return opened.read(3) == "---" and bool(MYST.match("---" + opened.read(10_000)))
    return file.suffix == ".ipynb"


def read(file: Path, cache: Path | None = None) -> dict[str, Any]:
    """A notebook, in Jupyter's format or MyST; an `InputError` when it is neither."""
    try:
        text = file.read_text(encoding="utf-8")
        found: dict[str, Any] = json.loads(text) if file.suffix == ".ipynb" else _myst(file, text, cache)
        _ = found["cells"], found["metadata"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError.one(file.name, f"{type(error).__name__}: {error}", "a notebook of format 4") from error
    return found


def _myst(file: Path, text: str, cache: Path | None) -> dict[str, Any]:
    entry = f"parsed/{files.digest([str(file), text])}"
    if cache and (known := files.stored(cache, entry)):
        return dict(json.loads(known))
    from myst_nb.core.read import read_myst_markdown_notebook

    found: dict[str, Any] = json.loads(json.dumps(read_myst_markdown_notebook(text, path=file), default=str))
    for place, cell in enumerate(found["cells"], 1):
        cell["id"] = f"cell-{place}"  # in place of a random one
    if cache:
        files.store(cache, entry, json.dumps(found))
    return found


def execution(config: Mapping[str, Any], own: Mapping[str, Any], file: Path, notebook: Mapping[str, Any]) -> Execution:
    """How a notebook is run, by ``_config.yml``, the settings ``own`` of parabook, and its metadata.

    Examples
    --------
    >>> execution({"execute": {"allow_errors": True, "exclude_patterns": ["old/*"]}}, {}, Path("old/a.ipynb"), {})
    Execution(runs=False, allow_errors=True, seconds=900)
    """
    found, alone = config.get("execute") or {}, notebook.get("metadata", {}).get("mystnb") or {}
    mode = alone.get("execution_mode", found.get("execute_notebooks", "auto"))
    left_out = any(PurePosixPath(file.as_posix()).match(pattern) for pattern in found.get("exclude_patterns") or ())
    seconds = alone.get("execution_timeout", own.get("timeout", found.get("timeout"))) or 900
    allow = alone.get("execution_allow_errors", found.get("allow_errors", False))
    return Execution(mode not in ("off", False) and not left_out, bool(allow), seconds)


def code(notebook: Mapping[str, Any]) -> str:
    """The code of a notebook, its cells one after another."""
    return "\n".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code")


def imports(source: str) -> Iterator[str]:
    """The modules that code imports, and the names that it imports from them, which may be modules; ignores magics.

    Examples
    --------
    >>> list(imports("%matplotlib inline\\nimport numpy as np, yaml\\nfrom scipy import stats"))
    ['numpy', 'yaml', 'scipy', 'scipy.stats']
    """
    for modules, module, names in IMPORT.findall(source):
        yield from (each.split()[0] for each in modules.split(",") if each.strip())
        if module:
            yield module
            yield from (f"{module}.{each.split()[0]}" for each in names.split(",") if each.strip())
