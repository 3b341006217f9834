"""Filling an edition with the tables of an import: checked first, whole or not at all, never over edits by hand."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.io.json import build_table_schema

from analysis.coding.package import read_package
from analysis.editions import examine
from analysis.folder import PACKAGE, find
from analysis.imports.answers import refuse
from analysis.imports.files import located
from analysis.schema import TABLES, schema, with_own_fields
from analysis.tables import shown_path
from analysis.text import as_text
from parabook.errors import InputError, Problem, nearest, show
from parabook.files import sha256

RECORD = "import.json"
"""What an edition keeps of its imports: the export, and the hashes of the tables as they were written."""
NOTEBOOK = "import.ipynb"
FEW = 5
"""Rows and values that a grouped problem names."""

Frames = Mapping[str, pd.DataFrame]


def write_edition(
    edition: str | Path,
    tables: Frames,
    *,
    export: str | Path = "",
    report: Mapping[str, Any] | None = None,
    discard_edits: bool = False,
) -> str:
    """Fill the tables of an edition, and say what it holds now.

    Parameters
    ----------
    edition : str or Path
        A name under `data/`, or a path.
    tables : mapping of DataFrame
        By name; further columns are the edition's own, typed in its `datapackage.json` as the frame has them. Tables of
        an earlier import that are not among them are taken away.
    export, report
        What they were read from, to be remembered; values of the edition's `report` object, such as `collected_at`.
    discard_edits : bool
        Replace also what was edited by hand since the last import.

    Raises
    ------
    InputError
        With all that `analysis check` finds wrong, a line for each cause; nothing is written then.
    """
    path = find(Path(edition).expanduser())
    package = dict(read_package(path).content)
    tables = {name: frame for name, frame in tables.items() if len(frame)}
    refuse(_odd(path, tables))
    texts = {f"{name}.csv": _csv(name, frame) for name, frame in tables.items()}
    written = _written(path)
    hashes = {file: hashlib.sha256(text.encode()).hexdigest() for file, text in texts.items()}
    if not discard_edits:
        refuse(_edits(path, written, hashes))
    gone = {*written} - {*texts}
    source = {"export": Path(export).name, "sha256": sha256(located(export))} if export else {}
    texts[PACKAGE] = _json(_described(path, package, tables, gone, report or {}))
    texts[RECORD] = _json({**source, "tables": hashes})
    warnings = _replace(path, texts, gone, tables, Path(export).name or path.name)
    counts = ", ".join(f"{len(frame):,} {name}" for name, frame in tables.items())
    return f"{path.name}: {counts}" + (f"; {warnings} warnings, see analysis check" if warnings else "")


def _odd(path: Path, tables: Frames) -> Iterator[Problem]:
    """Why there is nothing to write, or tables that no edition has."""
    if not tables:
        yield Problem(shown_path(path), "no rows for any table", "rows of answers", "see sheet, header, filters")
    for name in tables.keys() - {*TABLES}:
        yield Problem("tables", show(name), f"one of {', '.join(TABLES)}", nearest(name, TABLES))


def _written(path: Path) -> dict[str, str]:
    """The hashes of files as the last import wrote them."""
    file = path / RECORD
    try:
        found = json.loads(file.read_text(encoding="utf-8"))["tables"] if file.exists() else {}
        return {f"{name}.csv": found[f"{name}.csv"] for name in TABLES if f"{name}.csv" in found}
    except (ValueError, LookupError, TypeError) as error:
        raise InputError.one(shown_path(file), "something else", "what the import wrote", "delete it") from error


def _edits(path: Path, written: Mapping[str, str], hashes: Mapping[str, str]) -> Iterator[Problem]:
    """Files of tables that are neither as the last import wrote them nor as this one will, nor without rows."""
    hint = "bring the edits into the notebook, or set discard_edits=True (papermill: -p discard_edits True)"
    for name in sorted({*written, *hashes}):
        file = path / name
        empty = name not in written and (not file.exists() or file.read_bytes().count(b"\n") < 2)
        if not empty and (not file.exists() or sha256(file) not in (written.get(name), hashes.get(name))):
            yield Problem(shown_path(file), "edits since the last import", "the table as the import wrote it", hint)


# --- what is written -------------------------------------------------------------------------------------------------


def _json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _own(name: str, frame: pd.DataFrame) -> list[str]:
    """The columns of a frame that the schema of its table lacks."""
    return [column for column in frame.columns if column not in schema(name).columns]


def _csv(name: str, frame: pd.DataFrame) -> str:
    """A table as CSV: the schema's columns, then the edition's own; every cell on one line."""
    cells = frame.reindex(columns=[*schema(name).columns, *_own(name, frame)])
    return cells.map(lambda value: " ".join(as_text(value).split())).to_csv(index=False, lineterminator="\n")


def resource(name: str, embedded: object = None) -> dict[str, Any]:
    """A table's entry in `datapackage.json`, with the columns of its own that an embedded schema adds."""
    fixed = {"profile": "tabular-data-resource", "format": "csv", "mediatype": "text/csv", "encoding": "utf-8"}
    return {"name": name, "path": f"{name}.csv", **fixed, "schema": with_own_fields(name, embedded)}


def _described(
    path: Path, package: dict[str, Any], tables: Frames, gone: set[str], report: Mapping[str, Any]
) -> dict[str, Any]:
    """`datapackage.json` with the tables and their own columns; what a person wrote into it stays."""
    try:
        listed = {each["name"]: each for each in package.get("resources", [])}
        held = {name: each.get("schema", {}).get("fields", []) for name, each in listed.items()}
        made = {name: resource(name, {"fields": _fields(name, tables[name], held.get(name, []))}) for name in tables}
        kept = {name: each for name, each in listed.items() if each.get("path") not in gone}
        given = {key: int(value) if str(value).isdecimal() else value for key, value in report.items()}
        return {**package, "resources": [*(kept | made).values()], "report": package.get("report", {}) | given}
    except (TypeError, AttributeError, LookupError) as error:
        shown, hint = shown_path(path / PACKAGE), "see analysis check"
        raise InputError.one(shown, "no list of tables", "a data package", hint) from error


def _fields(name: str, frame: pd.DataFrame, described: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An edition's own columns as Table Schema: as they are described already, or typed as the frame has them."""
    known = {each["name"]: each for each in described}
    fields: list[Any] = build_table_schema(frame[_own(name, frame)], index=False)["fields"]  # type: ignore[assignment]
    for each in fields:
        each.pop("extDtype", None)
        kind = each["type"] if each["type"] in ("integer", "number", "boolean") else "string"
        title = each["name"].replace("_", " ").capitalize()
        each.update({"type": kind, "title": title, "description": ""} | known.get(each["name"], {}))
    return fields


# --- checking and replacing ------------------------------------------------------------------------------------------


def _replace(path: Path, texts: Mapping[str, str], gone: set[str], tables: Frames, export: str) -> int:
    """Hold a copy with the new files against the checks of every edition, and put them in place; how many warnings."""
    with tempfile.TemporaryDirectory(prefix=".import-", dir=path.parent) as folder:
        copy = Path(folder) / path.name
        shutil.copytree(path, copy, ignore=shutil.ignore_patterns(NOTEBOOK, ".*", *gone, *texts))
        for name, text in texts.items():
            (copy / name).write_text(text, encoding="utf-8", newline="")
        _, problems = examine(copy)
        here, there = shown_path(copy), shown_path(path)
        shown = [replace(p, file=p.file.replace(here, there), found=p.found.replace(here, there)) for p in problems]
        refuse(_grouped([each for each in shown if not each.warning], tables, export))
        for name in texts:
            os.replace(copy / name, path / name)
    for name in gone:
        (path / name).unlink(missing_ok=True)
    return len(shown)


def _grouped(problems: list[Problem], tables: Frames, export: str) -> Iterator[Problem]:
    """Problems of one cause in one line: what was found, how often, and the row of the export where it is first."""
    causes: dict[tuple[str, str, str | None], list[Problem]] = {}
    for each in problems:
        causes.setdefault((each.file, each.needed, each.column), []).append(each)
    for (file, _, _), alike in causes.items():
        different = list(dict.fromkeys(each.found for each in alike))
        found = ", ".join(different[:FEW]) + (", …" if len(different) > FEW else "")
        found += f" ({len(alike)} times)" if len(alike) > 1 else ""
        first, table = alike[0], Path(file).stem
        if table in tables:
            index = tables[table].index
            row = int(index[first.row - 2]) if index.name == "row" and first.row else first.row
            first = replace(first, file=f"{export}, table {table}", row=row)
        yield replace(first, found=found)
