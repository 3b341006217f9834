"""Fills an edition with the tables of an import: checked first, all or none, and never over edits by hand."""

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

from analysis.editions import examine
from analysis.folder import PACKAGE, find
from analysis.imports.answers import ASK, refusals, refuse
from analysis.imports.files import located
from analysis.schema import TABLES, schema, with_own_fields
from analysis.tables import shown_path
from analysis.text import as_text
from parabook.errors import InputError, Problem, grouped, nearest, show
from parabook.files import sha256

RECORD = "import.json"
"""The record of the last import: its export, and the hashes of the tables as they were written."""
NOTEBOOK = "import.ipynb"
KINDS = {"i": "integer", "u": "integer", "f": "number", "b": "boolean"}
"""Types of Table Schema by the kinds of numpy; all else is text."""


def write_edition(
    edition: str | Path,
    tables: Mapping[str, pd.DataFrame],
    *,
    export: str | Path = "",
    report: Mapping[str, Any] | None = None,
    discard_edits: bool = False,
) -> str:
    """Fill the tables of an edition; a summary of what it holds now.

    Nothing is written where `analysis check` would find errors: `InputError` lists them by the rows of the export.

    Parameters
    ----------
    edition : str or Path
        A name under `data/`, or a path.
    tables : mapping of DataFrame
        By name; further columns are the edition's own, typed in its `datapackage.json` as the frame has them. Tables of
        an earlier import that are not among them are taken away.
    export, report
        The file they were read from, for the record; values of the edition's `report` object, such as `collected_at`.
    discard_edits : bool
        Replace also what was edited by hand since the last import.
    """
    path = find(Path(edition).expanduser())
    tables = {name: frame for name, frame in tables.items() if len(frame)}
    for name in [name for name in tables if name not in TABLES] or ([] if tables else ["no rows"]):
        raise InputError.one("tables", show(name), f"rows of some of {', '.join(TABLES)}", nearest(name, TABLES))
    hint = 'replace every "?" of the notebook'
    refuse(
        each for frame in tables.values() for column in frame
        for each in refusals(frame[column], frame[column].eq(ASK).fillna(False), "what only you can know", hint)
    )  # fmt: skip
    texts = {f"{name}.csv": _csv(name, frame) for name, frame in tables.items()}
    hashes = {file: hashlib.sha256(text.encode()).hexdigest() for file, text in texts.items()}
    source = {"export": Path(export).name, "sha256": sha256(located(export))} if export else {}
    try:
        record = json.loads((path / RECORD).read_text("utf-8"))["tables"] if (path / RECORD).exists() else {}
        written = {file: record[file] for name in TABLES if (file := f"{name}.csv") in record}
        gone = {*written} - {*texts}
        package = _described(json.loads((path / PACKAGE).read_text("utf-8")), tables, gone, report or {})
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        needed, hint = f"{PACKAGE} and {RECORD} as they were written", "see analysis check"
        raise InputError.one(shown_path(path), f"broken files ({type(error).__name__})", needed, hint) from error
    if not discard_edits:
        refuse(_edits(path, written, hashes))
    for name, content in {PACKAGE: package, RECORD: {**source, "tables": hashes}}.items():
        texts[name] = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    warnings = _replace(path, texts, gone, tables, Path(export).name or path.name)
    counts = ", ".join(f"{len(frame):,} {name}" for name, frame in tables.items())
    note = f"; {warnings} warnings, see analysis check" if warnings else ""
    return f"{path.name}: {counts}{note}"


def _csv(name: str, frame: pd.DataFrame) -> str:
    """A table as CSV: the schema's columns, then the edition's own; line breaks in cells become blanks."""
    columns = [*schema(name).columns]
    cells = frame.reindex(columns=[*columns, *frame.columns.difference(columns, sort=False)])
    return cells.map(lambda value: " ".join(as_text(value).split())).to_csv(index=False, lineterminator="\n")


def resource(name: str, embedded: object = None) -> dict[str, Any]:
    """A table's entry in `datapackage.json`, with the columns of its own that an embedded schema adds."""
    fixed = {"profile": "tabular-data-resource", "format": "csv", "mediatype": "text/csv", "encoding": "utf-8"}
    return {"name": name, "path": f"{name}.csv", **fixed, "schema": with_own_fields(name, embedded)}


def _described(
    package: dict[str, Any], tables: Mapping[str, pd.DataFrame], gone: set[str], report: Mapping[str, Any]
) -> dict[str, Any]:
    """`datapackage.json` with the imported tables and their own columns; the rest, written by hand, stays."""
    listed = {each["name"]: each for each in package.get("resources", []) if each.get("path") not in gone}
    for name, frame in tables.items():
        described = {each["name"]: each for each in listed.get(name, {}).get("schema", {}).get("fields", [])}
        fields = []
        for column in frame.columns.difference([*schema(name).columns], sort=False):
            kind, title = KINDS.get(frame[column].dtype.kind, "string"), column.replace("_", " ").capitalize()
            fields.append({"name": column, "type": kind, "title": title, "description": ""} | described.get(column, {}))
        listed[name] = resource(name, {"fields": fields})
    given = {key: int(value) if str(value).isdecimal() else value for key, value in report.items()}
    return {**package, "resources": [*listed.values()], "report": package.get("report", {}) | given}


def _edits(path: Path, written: Mapping[str, str], hashes: Mapping[str, str]) -> Iterator[Problem]:
    """Tables whose rows are neither those of the last import nor those of this one."""
    hint = "bring the edits into the notebook, or set discard_edits=True (papermill: -p discard_edits True)"
    for file in (path / name for name in sorted({*written, *hashes})):
        rows = file.read_bytes().count(b"\n") - 1 if file.exists() else 0
        if rows > 0 and sha256(file) not in (written.get(file.name), hashes.get(file.name)):
            yield Problem(shown_path(file), "edits since the last import", "the table as the import wrote it", hint)


def _replace(
    path: Path, texts: Mapping[str, str], gone: set[str], tables: Mapping[str, pd.DataFrame], export: str
) -> int:
    """Check a copy of the edition with the new files, and move them into the edition; the number of warnings."""
    with tempfile.TemporaryDirectory(prefix=".import-", dir=path.parent) as folder:
        copy = Path(folder) / path.name
        shutil.copytree(path, copy, ignore=shutil.ignore_patterns(NOTEBOOK, ".*", *gone, *texts))
        for name, text in texts.items():
            (copy / name).write_text(text, encoding="utf-8", newline="")
        here, found = f"{shown_path(copy)}/", examine(copy)[1]
        refuse(grouped(_of_export(each, here, tables, export) for each in found if not each.warning))
        for name in texts:
            os.replace(copy / name, path / name)
    for name in gone:
        (path / name).unlink(missing_ok=True)
    return len(found)


def _of_export(problem: Problem, folder: str, tables: Mapping[str, pd.DataFrame], export: str) -> Problem:
    """A problem of a table with the row of the export from which the table's row was made."""
    file, row = problem.file.replace(folder, ""), problem.row
    table = tables.get(file.removesuffix(".csv"))
    if table is None:
        return replace(problem, file=file)
    row = int(table.index[row - 2]) if row and table.index.name == "row" else row
    return replace(problem, file=f"{export}, table {file.removesuffix('.csv')}", row=row)
