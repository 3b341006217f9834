"""Reading a table's file: CSV or Parquet in, a typed lazy frame and the faults of its cells out."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd

from analysis import fetch
from analysis.faults import Fault, nearest, show
from analysis.frames import Frame
from analysis.schema import ROOT, Schema

TYPES = {
    "integer": (re.compile(r"[+-]?[0-9]{1,15}"), "Int64", "a whole number"),
    "number": (re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]+)?"), "Float64", "a number in digits, with a point"),
    "boolean": (re.compile(r"true|false"), "boolean", "true or false"),
    "date": (
        re.compile(r"(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}"),
        "object",
        "a date as YYYY-MM-DD, of this century or the last",
    ),
}


SQL = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN"}
"""What each type is in DuckDB; dates are kept as text."""

MOST_SHOWN = 100
"""Faults of one kind listed one by one; the rest are counted."""


def shown_path(path: Path) -> str:
    """A path as error lines show it: from the checkout or the working folder when inside, else whole; of a fetched one the address."""
    away = fetch.at_address(path)
    if away:
        return away
    for base in (Path.cwd(), ROOT):
        if path.is_relative_to(base):
            return str(path.relative_to(base))
    return str(path)


def is_date(text: object) -> bool:
    try:
        return bool(TYPES["date"][0].fullmatch(str(text)) and date.fromisoformat(str(text)))
    except ValueError:
        return False


def read_table(file: Path, spec: Schema, *, sound: bool = False) -> tuple[Frame | None, list[Fault]]:
    """A table as a typed frame with ``_row``, and what could not be read of it.

    The cells of a Parquet table known to be ``sound`` are not looked at, so that reading it takes no time.
    """
    if file.is_dir() or file.suffix == ".parquet":
        return _read_parquet(file, spec, sound)
    return _read_csv(file, spec)


def _read_csv(file: Path, spec: Schema) -> tuple[Frame | None, list[Fault]]:
    shown = shown_path(file)
    data = file.read_bytes()
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return None, [Fault(shown, "a byte order mark", "plain UTF-8", "save it as UTF-8 without BOM", row=1)]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        return None, [Fault(shown, f"byte 0x{data[error.start]:02x}", "UTF-8", "save it as UTF-8", row=row)]
    if "\0" in text:
        return None, [Fault(shown, "a NUL byte", "text", row=text[: text.index("\0")].count("\n") + 1)]
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    rows: list[list[str]] = []
    faults: list[Fault] = []
    at: list[int] = []
    try:
        header = next(reader, [])
        faults = _header_faults(header, spec, shown)
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                faults.append(
                    Fault(
                        shown,
                        f"{len(cells)} cells",
                        f"{len(header)} cells, as in the header",
                        "quote cells that hold a comma, or add the missing ones",
                        row=reader.line_num,
                    )
                )
            else:
                rows.append(cells)
                at.append(reader.line_num)
    except csv.Error as error:
        return None, [Fault(shown, str(error), "CSV with commas and straight quotes", row=reader.line_num)]
    if any(not fault.doubt for fault in faults):
        return None, faults
    frame = pd.DataFrame(rows, columns=header, dtype="object")
    frame["_row"] = pd.Series(at, dtype="int64")
    return _typed(frame, spec, shown, faults)


def _header_faults(header: list[str], spec: Schema, shown: str) -> list[Fault]:
    if not header:
        return [Fault(shown, "an empty file", f"a header row: {','.join(spec.columns)}", row=1)]
    if len(header) == 1 and header[0].count(";") > 1:
        return [
            Fault(shown, "cells parted by semicolons", "cells parted by commas", "export it as comma-separated", row=1)
        ]
    faults = []
    for column in sorted({name for name in header if header.count(name) > 1}):
        faults.append(Fault(shown, f"column {show(column)} twice", "each column once", row=1))
    extra = [name for name in header if name not in spec.columns]
    for column in spec.columns:
        if column not in header:
            hint = (
                f"rename {show(nearest_name(column, extra))}"
                if nearest_name(column, extra)
                else "add it; it may be left blank"
            )
            faults.append(Fault(shown, "no such column", f"column {column}", hint, row=1, column=column))
    return faults


def nearest_name(column: str, names: list[str]) -> str:
    """The name most like a column's, or nothing.

    Examples
    --------
    >>> nearest_name("age_min", ["age_mim", "x"])
    'age_mim'
    """
    hint = nearest(column, names)
    return hint.split("'")[1] if hint else ""


def _typed(frame: pd.DataFrame, spec: Schema, shown: str, faults: list[Fault]) -> tuple[Frame, list[Fault]]:
    """Text cells to typed columns; blanks to missing; cells that cannot be read to faults."""
    typed: dict[str, Any] = {"_row": frame["_row"]}
    for name in frame.columns.drop("_row"):
        text = frame[name].where(frame[name] != "", None)
        spec_field = next((field for field in spec.fields if field.name == name), None)
        kind = TYPES.get(spec_field.type) if spec_field else None
        if kind is None:
            typed[name] = text.astype("str")
            continue
        pattern, dtype, needed = kind
        good = text.isna() | text.map(lambda cell, form=pattern: cell is not None and form.fullmatch(cell) is not None)
        if spec_field is not None and spec_field.type == "date":
            good &= text.map(lambda cell: cell is None or is_date(cell))
        for position in frame.index[~good]:
            faults.append(Fault(shown, show(text[position]), needed, row=int(frame["_row"][position]), column=name))
        text = text.where(good, None)
        if dtype == "boolean":
            typed[name] = text.map({"true": True, "false": False}).astype("boolean")
        elif dtype == "object":
            typed[name] = text.astype("str")
        else:
            typed[name] = pd.array(pd.to_numeric(text), dtype=dtype)  # type: ignore[call-overload]
    return nw.from_native(pd.DataFrame(typed)).lazy(), faults


def _read_parquet(file: Path, spec: Schema, sound: bool) -> tuple[Frame | None, list[Fault]]:
    """A Parquet table through DuckDB; a file that DuckDB cannot read is a fault, whenever that shows."""
    import duckdb

    try:
        return _scan_parquet(file, spec, sound)
    except duckdb.Error as error:
        return None, [Fault(shown_path(file), str(error).splitlines()[0], "a sound Parquet file", "write it anew")]


def _scan_parquet(file: Path, spec: Schema, sound: bool) -> tuple[Frame | None, list[Fault]]:
    """A Parquet table through DuckDB, lazily: only counts and rows at fault ever come to memory."""
    import duckdb

    shown = shown_path(file)
    pattern = str(file / "*.parquet" if file.is_dir() else file).replace("'", "''")
    relation: Any = duckdb.sql(
        f"SELECT *, file_row_number + 2 AS _row FROM read_parquet('{pattern}', file_row_number = true)"
    )
    columns = [name for name in relation.columns if name not in ("_row", "file_row_number")]
    faults = _header_faults(columns, spec, shown)
    if any(not fault.doubt for fault in faults):
        return None, faults
    picked = []
    for field in spec.fields:
        kind = SQL.get(field.type, "VARCHAR")
        text = f'CAST("{field.name}" AS VARCHAR)'
        good = f"regexp_full_match({text}, '{TYPES[field.type][0].pattern}')" if field.type == "date" else "true"
        lost = relation.filter(
            f'"{field.name}" IS NOT NULL AND (TRY_CAST("{field.name}" AS {kind}) IS NULL OR NOT {good})'
        )
        found = [] if sound else lost.project(f"_row, {text}").order("_row").limit(MOST_SHOWN).fetchall()
        for row, value in found:
            needed = TYPES[field.type][2] if field.type in TYPES else "text"
            faults.append(Fault(shown, show(value), needed, row=row, column=field.name))
        picked.append(f'TRY_CAST("{field.name}" AS {kind}) AS "{field.name}"')
    return nw.from_native(relation.project(f"{', '.join(picked)}, _row")).lazy(), faults


def in_one_engine(tables: dict[str, Frame]) -> dict[str, Frame]:
    """Tables that can be joined: where one is in DuckDB, all are."""
    import duckdb

    if len({table.implementation for table in tables.values()}) < 2:
        return tables
    moved = {}
    for name, table in tables.items():
        if table.implementation.is_duckdb():
            moved[name] = table
        else:
            frame = table.collect("pandas").to_native()
            relation: Any = duckdb.from_df(
                frame.astype({c: "object" for c, kind in frame.dtypes.items() if kind == "str"})
            )
            text = [c for c, kind in frame.dtypes.items() if kind == "str"]
            casts = ", ".join(f'CAST("{c}" AS VARCHAR) AS "{c}"' if c in text else f'"{c}"' for c in frame.columns)
            moved[name] = nw.from_native(relation.project(casts)).lazy()
    return moved
