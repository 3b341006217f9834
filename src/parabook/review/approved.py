"""The approved state of a book's results: a folder of plain files, made so that its diffs can be read.

``approved.json`` marks the folder and says what the results were made from; ``inputs/`` holds the input's rows, ``tables/``
the exhibits' tables, ``charts/`` their Vega-Lite; ``chapters/`` what each chapter says besides.
"""

from __future__ import annotations

import csv
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from parabook.errors import InputError
from parabook.files import swap
from parabook.plugins import Table
from parabook.review.results import KINDS, WORDS, Exhibit, Origin, Results, pretty, read_csv, write_csv

MARKER = "approved.json"
FORMAT = "parabook approved results 1"

FILES = (MARKER, "inputs/**/*.csv", "tables/*.csv", "charts/*.vl.json", "chapters/*.json")
"""Patterns of all files that an approved state may hold."""

VERSIONS = ("altair", "duckdb", "jupyter-book", "narwhals", "nbclient", "pandas", "papermill", "vl-convert-python")
"""The packages that run, count and draw: of a whole machine's packages, most would be noise in a committed file."""


def read(folder: Path, name: str) -> Results | None:
    """The approved results in a folder; None where nothing was ever approved.

    Raises
    ------
    InputError
        When a file of it cannot be read.
    """
    if not (folder / MARKER).is_file():
        return None
    try:
        made = _marker(folder)
        tables, inputs = (_csv_files(folder / part) for part in ("tables", "inputs"))
        charts = {file.name.removesuffix(".vl.json"): _json(file) for file in (folder / "charts").glob("*.vl.json")}
        chapters = {file.stem: _json(file) for file in sorted((folder / "chapters").glob("*.json"))}
        exhibits = {
            id_: _exhibit(chapter, said, tables[id_], charts.get(id_))
            for chapter, content in chapters.items()
            for id_, said in content["exhibits"].items()
        }
        texts = {
            kind: {f"{c}: {label}": "\n".join(text) for c, content in chapters.items() for label, text in content[kind].items()}
            for kind in KINDS
        }  # fmt: skip
        parts = {part: made[part] for part in ("inputs", "code", "versions", "parameters")}
        return Results(name, exhibits, texts, Origin(**parts, rows=inputs if made["rows"] else None))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, csv.Error) as error:
        hint = "take it from the history, or approve anew in another folder"
        raise InputError.one(folder, f"a file that cannot be read ({error})", "an approved state", hint) from error


def _marker(folder: Path) -> dict[str, Any]:
    made = _json(folder / MARKER)
    if made["format"] != FORMAT:
        raise ValueError(f"{MARKER} of another format")
    return made


def _json(file: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return loaded


def _csv_files(folder: Path) -> dict[str, Table]:
    files = sorted(folder.rglob("*.csv"))
    return {
        file.relative_to(folder).as_posix().removesuffix(".csv"): read_csv(file.read_bytes().decode()) for file in files
    }


def _exhibit(chapter: str, said: Mapping[str, Any], table: Table, chart: Any) -> Exhibit:
    words = {word: "\n".join(said[word]) for word in WORDS}
    view = tuple(tuple("\n".join(cell) if isinstance(cell, list) else cell for cell in row) for row in said["view"])
    return Exhibit(chapter, words, table, view, chart, tuple(said["rests_on"]))


def files_of(results: Results) -> dict[str, str]:
    """The approved state of results: every file's text by its path in the folder."""
    made = results.origin
    marker = {
        "format": FORMAT,
        "inputs": None if made.inputs is None else dict(made.inputs),
        "code": dict(made.code),
        "parameters": dict(made.parameters),
        "versions": {name: made.versions[name] for name in VERSIONS if name in made.versions},
        "rows": made.rows is not None,
    }
    files = {MARKER: pretty(marker) + "\n"}
    files |= {f"inputs/{name}.csv": write_csv(table) for name, table in (made.rows or {}).items()}
    for id_, exhibit in results.exhibits.items():
        files[f"tables/{id_}.csv"] = write_csv(exhibit.table)
        if exhibit.chart:
            files[f"charts/{id_}.vl.json"] = pretty(exhibit.chart) + "\n"
    return files | {f"chapters/{name}.json": pretty(content) + "\n" for name, content in _chapters(results)}


def _chapters(results: Results) -> Iterator[tuple[str, dict[str, Any]]]:
    """What each chapter says besides tables and charts, text as lists of lines."""
    said = {key.partition(": ")[0] for texts in results.texts.values() for key in texts}
    for chapter in sorted(said | {exhibit.chapter for exhibit in results.exhibits.values()}):
        content: dict[str, Any] = {
            kind: {
                label: text.split("\n")
                for key, text in results.texts.get(kind, {}).items()
                for of, _, label in [key.partition(": ")]
                if of == chapter
            }
            for kind in KINDS
        }
        exhibits = {id_: each for id_, each in results.exhibits.items() if each.chapter == chapter}
        content["exhibits"] = {id_: _said(exhibit) for id_, exhibit in exhibits.items()}
        yield chapter, content


def _said(exhibit: Exhibit) -> dict[str, Any]:
    view = [[cell.split("\n") if "\n" in cell else cell for cell in row] for row in exhibit.view]
    words = {word: exhibit.words.get(word, "").split("\n") for word in WORDS}
    return words | {"view": view, "rests_on": list(exhibit.rests_on)}


def write(results: Results, folder: Path) -> int:
    """Write results as the approved state, whole, in place of what stood there.

    Returns
    -------
    int
        How many bytes were written.

    Raises
    ------
    InputError
        When the folder holds anything that is no part of an approved state.
    """
    folder = folder.resolve()
    _refuse_others(folder)
    files = {name: text.encode() for name, text in files_of(results).items()}
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".approved-", dir=folder.parent))
    try:
        for name, content in files.items():
            (made / "state" / name).parent.mkdir(parents=True, exist_ok=True)
            (made / "state" / name).write_bytes(content)
        swap(made / "state", folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return sum(map(len, files.values()))


def _refuse_others(folder: Path) -> None:
    """Refuse a folder that holds anything but an approved state: it would be lost."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    needed, hint = "an approved state, or no folder yet", "see --approved"
    try:
        _marker(folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError.one(folder, f"a folder without a valid {MARKER}", needed, hint) from error
    ours = {file for pattern in FILES for file in folder.glob(pattern)}
    others = [
        path for path in sorted(folder.rglob("*")) if (path.is_symlink() or not path.is_dir()) and path not in ours
    ]
    if others:
        raise InputError.one(others[0], "a file that is no part of an approved state", needed, hint)
