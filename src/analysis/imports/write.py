"""Filling an edition with the tables of an import: checked first, whole or not at all, never over edits by hand."""

from __future__ import annotations

import csv
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


def write_edition(
    edition: str | Path,
    tables: Mapping[str, pd.DataFrame],
    *,
    export: str | Path = "",
    report: Mapping[str, Any] | None = None,
    discard_edits: bool = False,
) -> str:
    """Fill the tables of an edition, and say what it holds now.

    Parameters
    ----------
    edition : str or Path
        A name under `data/`, or a path; in the edition's own folder its name will do.
    tables : mapping of DataFrame
        By name; columns beyond those of the schema are the edition's own, and are typed in its `datapackage.json` as the
        frame has them. An earlier import's tables that are not among them are taken away.
    export : str or Path
        What they were read from, to be remembered.
    report : mapping, optional
        Values of the edition's `report` object, such as `collected_at`.
    discard_edits : bool
        Replace also what was edited by hand since the last import.

    Raises
    ------
    InputError
        With all that `analysis check` finds wrong, problems of one cause in one line; nothing is written then.
    """
    path = _folder(edition)
    package, record = _read_json(path / PACKAGE), _record(path)
    written = {name: frame for name, frame in tables.items() if len(frame)}
    _refuse_odd(path, written)
    if not discard_edits:
        _refuse_edited(path, package, record, {*written, *record})
    texts = {f"{name}.csv": _csv(name, frame) for name, frame in written.items()}
    gone = [f"{name}.csv" for name in record if name not in written]
    texts[PACKAGE] = _json(_packaged(package, written, {*record}, report or {}))
    warnings = _check(path, texts, gone, written, Path(export).name or "export")
    hashes = {name: [digest_of(texts[f"{name}.csv"]), *record.get(name, [])[:1]] for name in written}
    source = {"export": Path(export).name, "sha256": sha256(located(export))} if export else {}
    _replace(path, {RECORD: _json(source | {"tables": hashes}), **texts}, gone)
    counts = ", ".join(f"{len(frame):,} {name}" for name, frame in written.items())
    more = f"; {warnings} warnings, see analysis check" if warnings else ""
    return f"{shown_path(path)}: {counts}{more}"


def digest_of(text: str) -> str:
    """The SHA-256 of a text as a file would hold it."""
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()


def _folder(edition: str | Path) -> Path:
    """An edition's folder: the one a notebook runs in where that has its name, else as commands find it."""
    here = Path.cwd()
    return here if here.name == str(edition) and (here / PACKAGE).is_file() else find(edition)


def _read_json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        resources = content.setdefault("resources", [])
        if not all(isinstance(each["name"], str) for each in resources) or not isinstance(
            content.get("report", {}), dict
        ):
            raise TypeError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError.one(shown_path(file), "no list of tables", "a data package", "see analysis check") from error
    return dict(content)


def _record(path: Path) -> dict[str, list[str]]:
    """The hashes of tables as earlier imports wrote them, the last two of each."""
    if not (path / RECORD).exists():
        return {}
    try:
        tables = json.loads((path / RECORD).read_text(encoding="utf-8"))["tables"]
        if not tables.keys() <= {*TABLES}:
            raise KeyError
        return {str(name): list(hashes) for name, hashes in tables.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError.one(
            shown_path(path / RECORD), "something else", "what the import wrote", "delete it"
        ) from error


def _refuse_odd(path: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    odd = [
        Problem(shown_path(path), f"table {show(name)}", f"one of {', '.join(TABLES)}", nearest(name, TABLES))
        for name in tables
        if name not in TABLES
    ]
    if not tables:
        odd.append(
            Problem(shown_path(path), "no rows for any table", "rows of answers", "see sheet, header and filters")
        )
    for name, frame in tables.items():
        for column in frame.columns:
            plain = isinstance(column, str) and re.fullmatch(r"[^\W_][\w-]*", column)
            if name in TABLES and not plain:
                needed = "letters, digits, - and _, beginning with a letter"
                odd.append(Problem(f"table {name}", f"column {show(column)}", needed, "rename it"))
    if odd:
        raise InputError(odd)


def _refuse_edited(path: Path, package: Mapping[str, Any], record: Mapping[str, list[str]], names: set[str]) -> None:
    """Refuse to replace what a person has written: a table unlike the one that an import wrote."""
    problems = []
    listed = {each["name"] for each in package["resources"]}
    for name in sorted(names):
        file = path / f"{name}.csv"
        if name in record:
            found = "" if file.is_file() and sha256(file) in record[name] else "edits since the last import"
        else:
            begun = file.is_file() and len(file.read_bytes().splitlines()) > 1
            found = "a table that no import made" if begun or (name in listed and not file.is_file()) else ""
        if found:
            hint = "bring the edits into the notebook, or set discard_edits=True (papermill: -p discard_edits True)"
            problems.append(Problem(shown_path(file), found, "the table as the import wrote it", hint))
    if problems:
        raise InputError(problems)


def _csv(name: str, frame: pd.DataFrame) -> str:
    """A table as CSV: the schema's columns, then the edition's own; every cell on one line."""
    columns = [*schema(name).columns, *own_columns(name, frame)]
    cells = {column: frame[column].map(_cell) if column in frame else [""] * len(frame) for column in columns}
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*cells.values(), strict=True))
    return out.getvalue()


def _cell(value: object) -> str:
    return " ".join(as_text(value).split())


def own_columns(name: str, frame: pd.DataFrame) -> list[str]:
    """The columns of a frame that the schema of its table lacks."""
    return [str(column) for column in frame.columns if column not in schema(name).columns]


def resource(name: str, own: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """A table's entry in `datapackage.json`, with the columns of its own that an edition adds."""
    given = raw(name)
    return {
        "name": name,
        "path": f"{name}.csv",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": {**given, "fields": [*given["fields"], *(own or [])]},
    }


def _packaged(
    package: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], earlier: set[str], report: Mapping[str, Any]
) -> dict[str, Any]:
    """`datapackage.json` with the tables and their own columns; what a person wrote into it stays."""
    held = {each["name"]: each for each in package["resources"]}
    new = []
    for name in (name for name in TABLES if name in tables):
        fields = held.get(name, {}).get("schema", {}).get("fields", [])
        known = {field.get("name"): field for field in fields if isinstance(field, dict)}
        own = own_columns(name, tables[name])
        new.append(resource(name, [known.get(column) or _field(column, tables[name][column]) for column in own]))
    kept = [each for each in package["resources"] if each["name"] not in {*tables, *earlier}]
    return {**package, "resources": new + kept, "report": {**package.get("report", {}), **_report(package, report)}}


def _field(column: str, values: pd.Series) -> dict[str, Any]:
    """A column of an edition's own as Table Schema, typed as the frame has it."""
    kinds = (
        ("boolean", pd.api.types.is_bool_dtype),
        ("integer", pd.api.types.is_integer_dtype),
        ("number", pd.api.types.is_numeric_dtype),
    )
    kind = next((kind for kind, holds in kinds if holds(values.dtype)), "string")
    return {"name": column, "type": kind, "title": column.replace("_", " ").capitalize(), "description": ""}


def _report(package: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Values for the report object; a date of the reference event goes into its own object."""
    found = {
        key: int(value) if key == "declared_interviewees" and str(value).isdecimal() else value
        for key, value in given.items()
    }
    if "reference_event.date" in found:
        event = package.get("report", {}).get("reference_event") or {}
        found["reference_event"] = {**event, "date": found.pop("reference_event.date")}
    return found


def _json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


# --- checking and replacing ------------------------------------------------------------------------------------------


def _check(
    path: Path, texts: Mapping[str, str], gone: list[str], tables: Mapping[str, pd.DataFrame], export: str
) -> int:
    """Hold a copy of the edition with the new files against the checks of every edition; how many warnings there are."""
    from analysis.editions import examine

    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder).resolve() / path.name
        shutil.copytree(path, copy, ignore=shutil.ignore_patterns(NOTEBOOK, ".*", *gone, *texts))
        for name, text in texts.items():
            (copy / name).write_text(text, encoding="utf-8", newline="")
        _, problems = examine(copy)
        here, there = shown_path(copy), shown_path(path)
    told = [
        replace(each, file=each.file.replace(here, there), found=each.found.replace(here, there)) for each in problems
    ]
    errors = [each for each in told if not each.warning]
    if errors:
        raise InputError(
            _grouped(
                errors, {f"{there}/{name}.csv": (f"{export}, table {name}", frame) for name, frame in tables.items()}
            )
        )
    return len(told)


def _grouped(problems: list[Problem], tables: Mapping[str, tuple[str, pd.DataFrame]]) -> Iterator[Problem]:
    """Problems of one cause in one line, with what was found and the rows of the export where it was."""
    causes: dict[tuple[str, str, str], list[Problem]] = {}
    for each in problems:
        causes.setdefault((each.file, each.needed, each.column or ""), []).append(each)
    for alike in causes.values():
        source, frame = tables.get(alike[0].file, (alike[0].file, None))
        rows = [_row(each.row, frame) for each in alike if each.row]
        found = _some(each.found for each in alike)
        more = f" ({len(alike)} times" + (f", in rows {_some(map(str, rows))}" if rows else "") + ")"
        found += more if len(alike) > 1 else ""
        yield replace(alike[0], file=source, found=found, row=rows[0] if rows else None)


def _some(texts: Iterable[str]) -> str:
    """The first few of several texts."""
    different = list(dict.fromkeys(texts))
    return ", ".join(different[:FEW]) + (", …" if len(different) > FEW else "")


def _row(row: int, frame: pd.DataFrame | None) -> int:
    """The row of the export behind a row of a table, where the frame still has it."""
    known = frame is not None and frame.index.name == "row" and row - 2 < len(frame)
    return int(frame.index[row - 2]) if known and frame is not None else row


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
