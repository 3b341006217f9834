"""The approved state of a book's results: a folder of plain files, made so that its diffs can be read.

Tables are CSV, charts Vega-Lite; ``approved.json`` marks the folder and has all texts, and what the results came from.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from parabook.errors import InputError
from parabook.files import swap
from parabook.plugins import Table
from parabook.protocol import as_csv
from parabook.review.results import Results

MARKER = "approved.json"
FORMAT = "parabook approved results 2"

FILES = {"table": "tables/*.csv", "view": "views/*.csv", "input": "inputs/**/*.csv", "chart": "charts/**/*.vl.json"}
"""Patterns of files by the kind of result that they hold; all other kinds are texts in the marker."""


def read(folder: Path) -> dict[str, Any] | None:
    """The approved results in a folder, or an `InputError`; None where nothing was ever approved."""
    if not (folder / MARKER).is_file():
        return None
    found: dict[str, Any] = {}
    try:
        for kind, texts in _marker(folder).items():
            lines = {name: [text] if isinstance(text, str) else text for name, text in texts.items()}
            found |= {f"{kind}/{name}": "\n".join(text) for name, text in lines.items()}
        for kind, pattern in FILES.items():
            for file in sorted(folder.glob(pattern)):
                text, name = file.read_bytes().decode(), file.relative_to(folder / pattern.split("/")[0]).as_posix()
                value = _table(text) if pattern.endswith(".csv") else json.loads(text)
                found[f"{kind}/{name.removesuffix(pattern.rpartition('*')[2])}"] = value
    except (OSError, ValueError, TypeError, KeyError, AttributeError, csv.Error) as error:
        hint = "take it from the history, or approve anew in another folder"
        raise InputError.one(folder, f"a file that cannot be read ({error})", "an approved state", hint) from error
    return found


def _marker(folder: Path) -> dict[str, dict[str, Any]]:
    made = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    if made.pop("format") != FORMAT:
        raise ValueError(f"{MARKER} of another format")
    return dict(made)


def _table(text: str) -> Table:
    return tuple(tuple(row) for row in csv.reader(io.StringIO(text, newline="")))


def files_of(results: Results) -> dict[str, str]:
    """The approved state of results: every file's text by its path in the folder."""
    marker: dict[str, Any] = {"format": FORMAT}
    files = {}
    for key, value in results.items():
        kind, _, name = key.partition("/")
        folder, _, suffix = FILES.get(kind, "").replace("**/", "").partition("/*")
        if not folder:
            marker.setdefault(kind, {})[name] = value.split("\n") if "\n" in value else value
        elif isinstance(value, Mapping):
            files[f"{folder}/{name}{suffix}"] = _json(value)
        else:
            files[f"{folder}/{name}{suffix}"] = as_csv({"columns": value[0], "rows": value[1:]})
    return {**files, MARKER: _json(marker)}


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def write(results: Results, folder: Path) -> int:
    """Write results as the approved state, whole, in place of what stood there; the bytes written."""
    folder = folder.resolve()
    _refuse_others(folder)
    files = {name: text.encode() for name, text in files_of(results).items()}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".approved-", dir=folder.parent) as made:
        state = Path(made, "state")
        for name, content in files.items():
            (state / name).parent.mkdir(parents=True, exist_ok=True)
            (state / name).write_bytes(content)
        swap(state, folder)
    return sum(map(len, files.values()))


def _refuse_others(folder: Path) -> None:
    """Refuse a folder that holds anything but an approved state: it would be lost."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    needed, hint = "an approved state, or no folder yet", "see --approved"
    try:
        _marker(folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError.one(folder, f"a folder without a valid {MARKER}", needed, hint) from error
    ours = {folder / MARKER, *(file for pattern in FILES.values() for file in folder.glob(pattern))}
    others = (path for path in sorted(folder.rglob("*")) if path.is_symlink() or not (path.is_dir() or path in ours))
    if foreign := next(others, None):
        raise InputError.one(foreign, "a file that is no part of an approved state", needed, hint)
