"""Filling an edition with the tables of an import: checked first, whole or not at all, never over edits by hand."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pandas as pd

from analysis.folder import PACKAGE, find
from analysis.imports.exports import located
from analysis.schema import TABLES, raw, schema
from analysis.tables import shown_path
from analysis.text import as_text
from parabook.errors import InputError, Problem, nearest, show
from parabook.files import sha256

RECORD: Final = "import.json"
"""What an edition keeps of its imports: the export, and the hashes of the tables as they were written."""
NOTEBOOK: Final = "import.ipynb"
FEW: Final = 5
"""Rows and values that a grouped problem names."""

Frames = Mapping[str, pd.DataFrame]
Record = Mapping[str, list[str]]


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
    export : str or Path
        What they were read from, to be remembered.
    report : mapping, optional
        Values of the edition's `report` object, such as `collected_at`.
    discard_edits : bool
        Replace also what was edited by hand since the last import.

    Raises
    ------
    InputError
        With all that `analysis check` finds wrong, a line for each cause; nothing is written then.
    """
    path = _folder(edition)
    package, record = _package(path), _record(path)
    tables = {name: frame for name, frame in tables.items() if len(frame)}
    _refuse_odd(path, tables)
    if not discard_edits:
        _refuse_edited(path, package, record, tables)
    texts = {f"{name}.csv": _csv(name, frame) for name, frame in tables.items()}
    hashes = {name: [_digest(texts[f"{name}.csv"]), *record.get(name, [])[:1]] for name in tables}
    source = {"export": Path(export).name, "sha256": sha256(located(export))} if export else {}
    texts = {RECORD: _json(source | {"tables": hashes}), **texts}
    texts[PACKAGE] = _json(_described(package, tables, record, report or {}))
    gone = [f"{name}.csv" for name in record if name not in tables]
    named = {name: (f"{Path(export).name or path.name}, table {name}", frame) for name, frame in tables.items()}
    warnings = _check(path, texts, gone, named)
    _replace(path, texts, gone)
    counts = ", ".join(f"{len(frame):,} {name}" for name, frame in tables.items())
    return f"{path.name}: {counts}" + (f"; {warnings} warnings, see analysis check" if warnings else "")


def _folder(edition: str | Path) -> Path:
    """An edition's folder: the one that a notebook runs in where it has that name, else as commands find it."""
    here = Path.cwd()
    return here if here.name == str(edition) and (here / PACKAGE).is_file() else find(Path(edition).expanduser())


def _json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# --- what is there already -------------------------------------------------------------------------------------------


def _package(path: Path) -> dict[str, Any]:
    """The `datapackage.json` of an edition."""
    file = path / PACKAGE
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        content["resources"] = [dict(each) | {"name": str(each["name"])} for each in content.get("resources", [])]
        content["report"] = dict(content.get("report", {}))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError.one(shown_path(file), "no list of tables", "a data package", "see analysis check") from error
    return content


def _record(path: Path) -> Record:
    """The hashes of tables as earlier imports wrote them, the last two of each."""
    file = path / RECORD
    try:
        tables = json.loads(file.read_text(encoding="utf-8"))["tables"] if file.exists() else {}
        if not tables.keys() <= {*TABLES}:
            raise KeyError
        return {str(name): list(hashes) for name, hashes in tables.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError.one(shown_path(file), "something else", "what the import wrote", "delete it") from error


def _refuse_odd(path: Path, tables: Frames) -> None:
    """Refuse tables and columns that no edition can have."""
    odd = (
        []
        if tables
        else [Problem(shown_path(path), "no rows for any table", "rows of answers", "see sheet, header, filters")]
    )
    for name, frame in tables.items():
        if name not in TABLES:
            odd.append(Problem("tables", show(name), f"one of {', '.join(TABLES)}", nearest(name, TABLES)))
        for column in map(str, frame.columns):
            if not re.fullmatch(r"[^\W_][\w-]*", column):
                needed = "letters, digits, - and _, beginning with a letter"
                odd.append(Problem(f"table {name}", f"column {show(column)}", needed, "rename it"))
    if odd:
        raise InputError(odd)


def _refuse_edited(path: Path, package: Mapping[str, Any], record: Record, tables: Frames) -> None:
    """Refuse to replace what a person has written: a table unlike the one that an import wrote."""
    problems = []
    listed = {each["name"] for each in package["resources"]}
    for name in sorted({*tables, *record}):
        file = path / f"{name}.csv"
        there = file.is_file()
        begun = there and len(file.read_bytes().splitlines()) > 1
        found = "a table that no import made" if begun or (name in listed and not there) else ""
        if name in record:
            found = "" if there and sha256(file) in record[name] else "edits since the last import"
        if found:
            hint = "bring the edits into the notebook, or set discard_edits=True (papermill: -p discard_edits True)"
            problems.append(Problem(shown_path(file), found, "the table as the import wrote it", hint))
    if problems:
        raise InputError(problems)


# --- what is written -------------------------------------------------------------------------------------------------


def own_columns(name: str, frame: pd.DataFrame) -> list[str]:
    """The columns of a frame that the schema of its table lacks."""
    return [str(column) for column in frame.columns if column not in schema(name).columns]


def _csv(name: str, frame: pd.DataFrame) -> str:
    """A table as CSV: the schema's columns, then the edition's own; every cell on one line."""
    columns = [*schema(name).columns, *own_columns(name, frame)]
    cells = frame.reindex(columns=columns).map(lambda value: " ".join(as_text(value).split()))
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows([columns, *cells.to_numpy().tolist()])
    return out.getvalue()


def resource(name: str, own: Iterable[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """A table's entry in `datapackage.json`, with the columns of its own that an edition adds."""
    given = raw(name)
    fixed = {"profile": "tabular-data-resource", "format": "csv", "mediatype": "text/csv", "encoding": "utf-8"}
    return {"name": name, "path": f"{name}.csv", **fixed, "schema": {**given, "fields": [*given["fields"], *own]}}


def _described(package: Mapping[str, Any], tables: Frames, record: Record, report: Mapping[str, Any]) -> dict[str, Any]:
    """`datapackage.json` with the tables and their own columns; what a person wrote into it stays."""
    held = {each["name"]: each.get("schema", {}).get("fields", []) for each in package["resources"]}
    made = []
    for name in (name for name in TABLES if name in tables):
        known = {each.get("name"): each for each in held.get(name, [])}
        own = own_columns(name, tables[name])
        made.append(resource(name, [known.get(column) or _field(column, tables[name][column]) for column in own]))
    kept = [each for each in package["resources"] if each["name"] not in {*tables, *record}]
    given = {key: int(value) if str(value).isdecimal() else value for key, value in report.items()}
    if day := given.pop("reference_event.date", None):
        given["reference_event"] = {**(package["report"].get("reference_event") or {}), "date": day}
    return {**package, "resources": made + kept, "report": package["report"] | given}


def _field(column: str, values: pd.Series) -> dict[str, Any]:
    """A column of an edition's own as Table Schema, typed as the frame has it."""
    kinds = {"b": "boolean", "i": "integer", "u": "integer", "f": "number"}
    kind = kinds.get(getattr(values.dtype, "kind", ""), "string")
    return {"name": column, "type": kind, "title": column.replace("_", " ").capitalize(), "description": ""}


# --- checking and replacing ------------------------------------------------------------------------------------------

Sources = Mapping[str, tuple[str, pd.DataFrame]]
"""By table: how messages name where it was read, and its frame."""


def _check(path: Path, texts: Mapping[str, str], gone: list[str], tables: Sources) -> int:
    """Hold a copy of the edition with the new files against the checks of every edition; how many warnings there are."""
    from analysis.editions import examine

    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder).resolve() / path.name
        shutil.copytree(path, copy, ignore=shutil.ignore_patterns(NOTEBOOK, ".*", *gone, *texts))
        for name, text in texts.items():
            (copy / name).write_text(text, encoding="utf-8", newline="")
        _, problems = examine(copy)
        here, there = shown_path(copy), shown_path(path)
    shown = [replace(p, file=p.file.replace(here, there), found=p.found.replace(here, there)) for p in problems]
    errors = [each for each in shown if not each.warning]
    if errors:
        raise InputError(_grouped(errors, {f"{there}/{name}.csv": source for name, source in tables.items()}))
    return len(shown)


def _grouped(problems: list[Problem], tables: Sources) -> Iterator[Problem]:
    """Problems of one cause in one line, with what was found and the rows of the export where it was."""
    causes: dict[tuple[str, str, str], list[Problem]] = {}
    for each in problems:
        causes.setdefault((each.file, each.needed, each.column or ""), []).append(each)
    for alike in causes.values():
        source, frame = tables.get(alike[0].file, (alike[0].file, pd.DataFrame()))
        rows = [_row(each.row, frame) for each in alike if each.row]
        found = _some(each.found for each in alike)
        if len(alike) > 1:
            found += f" ({len(alike)} times" + (f", in rows {_some(map(str, rows))}" if rows else "") + ")"
        yield replace(alike[0], file=source, found=found, row=rows[0] if rows else None)


def _some(texts: Iterable[str]) -> str:
    """The first few of several texts."""
    different = list(dict.fromkeys(texts))
    return ", ".join(different[:FEW]) + (", …" if len(different) > FEW else "")


def _row(row: int, frame: pd.DataFrame) -> int:
    """The row of the export behind a row of a table, where the frame still has it."""
    return int(frame.index[row - 2]) if frame.index.name == "row" and row - 2 < len(frame) else row


def _replace(path: Path, texts: Mapping[str, str], gone: list[str]) -> None:
    """Put new files in the place of old ones, after all are on the disk.

    The record goes first and holds the old hashes as well: ended in between, the next import finds nothing edited.
    """
    fresh = {name: path / f".{name}.{os.getpid()}" for name in texts}
    try:
        for name, text in texts.items():
            fresh[name].write_text(text, encoding="utf-8", newline="")
        for name in texts:
            fresh[name].replace(path / name)
        for name in gone:
            (path / name).unlink(missing_ok=True)
    finally:
        for file in fresh.values():
            file.unlink(missing_ok=True)
