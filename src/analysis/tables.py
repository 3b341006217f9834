"""Reading a table's file: CSV or Parquet in, a typed lazy frame and the problems of its cells out."""

from __future__ import annotations

import codecs
import csv
import difflib
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd

from analysis import fetch, spread
from analysis.frames import Frame
from analysis.schema import ROOT, Schema
from parabook.errors import Problem, show

MOST_LETTERS = 5000
"""Longest text of a cell: more is no label and no note."""

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

TEXT = (None, "str", f"text of {MOST_LETTERS:,} characters or fewer")
"""The like for every other type."""

SQL = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN"}
"""What each type is in DuckDB; dates are kept as text."""

LONGEST = 131_072
"""Letters in a cell beyond which a file is no table of ours; a quote that is never closed runs into it."""

MOST_SHOWN = 100
"""Problems of one kind listed one by one; the rest are counted."""

MOST_COLUMNS = 1000
"""No table has more, an edition's own columns included."""


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


@dataclass(frozen=True)
class Read:
    """What reading a table's file gave."""

    frame: Frame | None
    """The typed table with ``_row``; none where nothing could be read."""
    problems: list[Problem]
    unread: Mapping[str, frozenset[int] | None] = field(default_factory=dict)
    """Rows whose cell of a column could not be read, None for all of them: the frame is blank there."""
    whole: bool = True
    """Whether every row of the file is in the frame."""
    parts: tuple[tuple[int, str], ...] = ()
    """For a folder of parts: the number before each one's first row, and its path to show."""

    def located(self, problem: Problem, file: str) -> Problem:
        """A problem of this table's folder, put in the part where its row stands."""
        if not self.parts or problem.file != file or problem.row is None:
            return problem
        before, part = next((b, p) for b, p in reversed(self.parts) if b < problem.row - 1 or b == 0)
        return replace(problem, file=part, row=problem.row - before)


PARTED = {";": "semicolons", "\t": "tabs", "|": "bars"}
"""What parts cells in files that are not comma-separated."""

KINDS = {b"PK\x03\x04": "a spreadsheet or an archive", b"\xd0\xcf\x11\xe0": "an old spreadsheet", b"PAR1": "a Parquet file",
         b"\x1f\x8b": "a compressed file", b"%PDF": "a PDF", b"<": "a web page"}  # fmt: skip
"""How files of other kinds begin, whatever their name says."""


def read_table(file: Path, spec: Schema, *, sound: bool = False) -> Read:
    """A table as a typed frame, with what could not be read of it; as much of a broken file as makes sense.

    The cells of a Parquet table known to be ``sound`` are not looked at, so that reading it takes no time.
    """
    try:
        return _read_parquet(file, spec, sound) if file.is_dir() or file.suffix == ".parquet" else _read_csv(file, spec)
    except OSError as error:
        return Read(None, [Problem(shown_path(file), error.strerror or "an error", "a file that can be read")])


def _read_csv(file: Path, spec: Schema) -> Read:
    shown = shown_path(file)
    data = file.read_bytes()
    other = next((kind for sign, kind in KINDS.items() if data.startswith(sign)), "")
    if other:
        return Read(None, [Problem(shown, other, "CSV", "export the table as CSV, or name it .parquet if it is that")])
    text, problems = _decoded(data, shown)
    first = text.partition("\n")[0]
    comma = next((sign for sign in PARTED if "," not in first and first.count(sign) > 1), ",")
    if comma in PARTED:
        told = f"cells parted by {PARTED[comma]}"
        problems.append(Problem(shown, told, "cells parted by commas", "export it as comma-separated", row=1))
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=comma)
    header: list[str] = []
    rows: list[list[str]] = []
    at: list[int] = []
    whole, number = True, 1
    limit = csv.field_size_limit(LONGEST)  # the library's own, whatever other packages made of it
    try:
        header = next(reader, [])
        number, found = _header(header, reader, spec, shown)
        problems += found
        for number, cells in enumerate(reader, number + 1):  # noqa: B020 - the header's row goes on
            if not cells:
                continue
            if len(cells) == len(header):
                rows.append(cells)
                at.append(number)
                continue
            whole = False
            needed = f"{len(header)} cells, as in the header"
            hint = "quote cells that hold a comma, or add the missing ones"
            problems.append(Problem(shown, f"{len(cells)} cells", needed, hint, row=number))
    except csv.Error as error:
        whole = False
        problems.append(Problem(shown, str(error), "CSV with commas and straight quotes", row=number + 1))
    finally:
        csv.field_size_limit(limit)
    if not set(header) & set(spec.columns) or len(header) != len(set(header)) or len(header) > MOST_COLUMNS:
        return Read(None, problems)
    columns = dict(zip(header, map(list, zip(*rows, strict=True)), strict=True)) if rows else {n: [] for n in header}
    return _typed(columns, at, spec, shown, problems, whole)


def _decoded(data: bytes, shown: str) -> tuple[str, list[Problem]]:
    """The text of a file, and what is wrong with its bytes; of a wrong encoding the text as far as it can be guessed."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            told = ("a byte order mark", "plain UTF-8", "save it as UTF-8 without BOM")
            text = data.decode(encoding, errors="replace").lstrip("\ufeff")
            return text.replace("\0", ""), [Problem(shown, *told, row=1)]
    problems = []
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        row = _row_after(data[: error.start].decode("utf-8"))
        problems.append(Problem(shown, f"byte 0x{data[error.start]:02x}", "UTF-8", "save it as UTF-8", row=row))
        text = data.decode("cp1252", errors="replace")
    if "\0" in text:
        problems.append(Problem(shown, "a NUL byte", "text", row=_row_after(text[: text.index("\0")])))
    return text.replace("\0", ""), problems


def _row_after(text: str) -> int:
    """The row that comes next, as a spreadsheet numbers it: a quoted line break begins none."""
    return len(list(csv.reader(io.StringIO(text + "x", newline=""))))


def _header(header: list[str], reader: Iterator[list[str]], spec: Schema, shown: str) -> tuple[int, list[Problem]]:
    """The problems of a header; where it stands one row too low, ``header`` becomes it. With its row."""
    problems = _header_problems(header, spec, shown)
    known = set(spec.columns)
    if not known & set(header) and len(header) <= MOST_COLUMNS:
        below = next(reader, [])
        if known & set(below):
            header[:] = below
            above = Problem(shown, "a row above the header", "the names of the columns", "remove it", row=1)
            return 2, [above, *_header_problems(header, spec, shown, row=2)]
    return 1, problems


def _header_problems(header: list[str], spec: Schema, shown: str, row: int = 1) -> list[Problem]:
    if not header:
        return [Problem(shown, "an empty file", f"a header row: {','.join(spec.columns)}", row=row)]
    if len(header) > MOST_COLUMNS:
        return [Problem(shown, f"{len(header):,} columns", f"{MOST_COLUMNS:,} or fewer", row=row)]
    problems = []
    for column, times in sorted(Counter(header).items()):
        if times > 1 and column:
            problems.append(Problem(shown, f"column {show(column)} twice", "each column once", row=row))
    if not all(header):
        problems.append(
            Problem(shown, "a column without a name", "a name for each column", "name or remove it", row=row)
        )
    extra = [name for name in header if name not in spec.columns]
    for column in spec.columns:
        if column not in header:
            near = nearest_name(column, extra)
            hint = f"rename {show(near)}" if near else "add it; it may be left blank"
            problems.append(Problem(shown, "no such column", f"column {column}", hint, row=row, column=column))
    return problems


def nearest_name(column: str, names: list[str]) -> str:
    """The name most like a column's, or nothing.

    Examples
    --------
    >>> nearest_name("age_min", ["age_mim", "x"])
    'age_mim'
    """
    if column in names:
        return column
    return next(iter(difflib.get_close_matches(column, names, n=1, cutoff=0.6)), "")


def _typed(
    columns: dict[str, list[str]], at: list[int], spec: Schema, shown: str, problems: list[Problem], whole: bool
) -> Read:
    """Text cells to typed columns; blanks to missing; cells that cannot be read to problems. ``at`` are their rows."""
    fields = {field.name: field for field in spec.fields}
    typed: dict[str, Any] = {"_row": pd.Series(at, dtype="int64")}
    unread: dict[str, frozenset[int] | None] = {}
    for name, text in columns.items():
        cells: list[str | None] = [cell or None for cell in text]
        if name not in fields:
            typed[name] = pd.array(cells, dtype="str")
            continue
        kind = fields[name].type
        _, dtype, needed = TYPES.get(kind, TEXT)
        lost = {place for place, cell in enumerate(cells) if cell is not None and not reads(cell, kind)}
        for place in sorted(lost)[:MOST_SHOWN]:
            cell = text[place]
            problems.append(Problem(shown, show(cell), needed, respelt(cell, kind), row=at[place], column=name))
        if len(lost) > MOST_SHOWN:
            told = f"{len(lost) - MOST_SHOWN} more rows like these"
            problems.append(Problem(shown, told, needed, "hint these first", column=name))
        if lost:
            unread[name] = frozenset(at[place] for place in lost)
        read = [
            None if cell is None or place in lost else VALUES.get(kind, str)(cell) for place, cell in enumerate(cells)
        ]
        typed[name] = pd.array(read, dtype="str" if dtype == "object" else dtype)  # type: ignore[call-overload]
    for name in fields.keys() - typed.keys():  # a blank column stands in, so that the others can be checked
        typed[name] = pd.array([None] * len(at), dtype="str")
        unread[name] = None
    return Read(nw.from_native(pd.DataFrame(typed)).lazy(), problems, unread, whole)


VALUES: dict[str, Callable[[str], object]] = {"integer": int, "number": float, "boolean": "true".__eq__}
"""How a cell that can be read becomes a value; text stays text."""


def reads(cell: str, kind: str) -> bool:
    """Whether a cell can be read as a column's type.

    Examples
    --------
    >>> reads("20", "integer"), reads("20.5", "integer"), reads("2022-02-30", "date"), reads("nearly", "string")
    (True, False, False, True)
    """
    if kind not in TYPES:
        return len(cell) <= MOST_LETTERS
    return TYPES[kind][0].fullmatch(cell) is not None and (kind != "date" or is_date(cell))


def respelt(cell: str, kind: str) -> str:
    """A hint for a cell that a spreadsheet spelt its own way, or nothing.

    Examples
    --------
    >>> respelt("21/09/2022", "date"), respelt("44825", "date"), respelt("100,000", "integer"), respelt("51,2", "number")
    ('did you mean 2022-09-21?', "a spreadsheet's count of days? 2022-09-21", 'did you mean 100000?', 'did you mean 51.2?')
    >>> respelt("03/04/2022", "date")
    'did you mean 2022-04-03, or 2022-03-04?'
    """
    if kind == "date":
        if re.fullmatch(r"[1-9][0-9]{4}", cell):
            return f"a spreadsheet's count of days? {date(1899, 12, 30) + timedelta(days=int(cell))}"
        parts = re.fullmatch(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]((?:19|20)[0-9]{2})", cell)
        one, two, year = parts.groups() if parts else ("0", "0", "0")
        given = [f"{year}-{month:0>2}-{day:0>2}" for day, month in ((one, two), (two, one))]
        days = list(dict.fromkeys(day for day in given if is_date(day)))
        return f"did you mean {', or '.join(days)}?" if days else ""
    if kind in ("integer", "number"):
        plain = re.sub(r"(?<=[0-9])[,'\u2009\u202f\xa0 ](?=[0-9]{3}(?![0-9]))", "", cell.strip())
        plain = re.sub(r"\.0+$", "", plain) if kind == "integer" else plain.replace(",", ".")
        return f"did you mean {plain}?" if plain != cell and TYPES[kind][0].fullmatch(plain) else ""
    if kind == "boolean":
        return f"did you mean {cell.lower()}?" if cell.lower() in ("true", "false") else ""
    return ""


def _read_parquet(file: Path, spec: Schema, sound: bool) -> Read:
    """A Parquet table through DuckDB; a file that DuckDB cannot read is a problem, whenever that shows."""
    import duckdb

    try:
        spread.bounded(spread.COUNTING if sound else spread.CHECKING)
        return _scan_parquet(file, spec, sound)
    except duckdb.Error as error:
        told = str(error).splitlines()[0]
        return Read(None, [Problem(shown_path(file), told, "a sound Parquet file", "write it anew")])


def _scan_parquet(file: Path, spec: Schema, sound: bool) -> Read:
    """A Parquet table through DuckDB, lazily: only counts and rows at problem ever come to memory."""
    import duckdb

    shown = shown_path(file)
    files = sorted(file.glob("*.parquet")) if file.is_dir() else [file]
    names = ", ".join(map(spread.pattern, map(str, files)))
    measured: Any = duckdb.sql(f"SELECT file_name, num_rows FROM parquet_file_metadata([{names}])")
    counted = dict(measured.fetchall())
    scan = spread.Scan(tuple(map(str, files)), tuple(counted[str(part)] for part in files))
    parts = tuple(zip(accumulate(scan.rows, initial=0), map(shown_path, files), strict=False))
    relation = spread.relation(scan)
    kinds = dict(zip(relation.columns, map(str, relation.types), strict=True))
    columns = [name for name in relation.columns if name != "_row"]
    problems = _header_problems(columns, spec, shown)
    if not set(columns) & set(spec.columns) or len(columns) > MOST_COLUMNS:
        return Read(None, problems)
    there = [column for column in spec.fields if column.name in columns]
    text = {column.name: f"NULLIF(CAST(\"{column.name}\" AS VARCHAR), '')" for column in there}
    good = {name.name: _good(name.type, kinds[name.name], f'"{name.name}"', text[name.name]) for name in there}
    lost = {name: f"{text[name]} IS NOT NULL AND NOT coalesce({good[name]}, false)" for name in text}
    counts = dict.fromkeys(lost, 0)
    if not sound:
        # Every cell is read once here: a page that is broken is found out before anything counts on it.
        asked = [
            f'count(*) FILTER ({wrong}) AS "{name}", max(hash("{name}")) AS "{name} #"' for name, wrong in lost.items()
        ]
        (found,) = _gathered(relation.aggregate(", ".join(asked)), spread.summed())
        counts = {name: int(found[name]) for name in lost}
    picked: list[str] = []
    unread: dict[str, frozenset[int] | None] = {}
    for column in spec.fields:
        kind = SQL.get(column.type, "VARCHAR")
        if column.name not in columns:
            picked.append(f'CAST(NULL AS {kind}) AS "{column.name}"')
            unread[column.name] = None
            continue
        cell = text[column.name]
        value = cell if kinds[column.name] == "VARCHAR" or kind == "VARCHAR" else f'"{column.name}"'
        many = counts[column.name]
        if many:
            wrong = relation.filter(lost[column.name]).project(f"_row, {cell} AS cell").order("_row").limit(MOST_SHOWN)
            rows = [(int(row["_row"]), row["cell"]) for row in _gathered(wrong, spread.first(MOST_SHOWN))]
            needed = TYPES.get(column.type, TEXT)[2]
            for row, told in rows:
                problems.append(
                    Problem(shown, show(told), needed, respelt(told, column.type), row=row, column=column.name)
                )
            unread[column.name] = frozenset(row for row, _ in rows) if many <= MOST_SHOWN else None
            value = f"CASE WHEN {good[column.name]} THEN {value} END"
        if many > MOST_SHOWN:
            told = f"{many - MOST_SHOWN} more rows like these"
            problems.append(Problem(shown, told, needed, "hint these first", column=column.name))
        picked.append(f'TRY_CAST({value} AS {kind}) AS "{column.name}"')
    frame = nw.from_native(spread.relation(replace(scan, picked=f"{', '.join(picked)}, _row"))).lazy()
    return Read(frame, problems, unread, True, parts if file.is_dir() else ())


def _gathered(relation: Any, merge: spread.Merge = spread.every) -> spread.Asked:
    return spread.gathered(nw.from_native(relation).lazy(), merge)


def _good(kind: str, stored: str, column: str, text: str) -> str:
    """SQL that is true of a cell which can be read as a column's type; text as strictly as in CSV.

    DuckDB's own casts are lenient: they round 20.5 to a whole number, and take "yes" and 5 for true.
    """
    if kind not in TYPES:
        return f"length({text}) <= {MOST_LETTERS}"
    pattern = TYPES[kind][0].pattern
    if kind == "date":
        return f"regexp_full_match({text}, '{pattern}') AND TRY_CAST({text} AS DATE) IS NOT NULL"
    if kind == "boolean" or stored == "VARCHAR":
        return f"regexp_full_match({text}, '{pattern}')"
    number = f"TRY_CAST({column} AS DOUBLE)"
    whole = f" AND {number} = round({number}) AND TRY_CAST({column} AS BIGINT) IS NOT NULL" if kind == "integer" else ""
    return f"isfinite({number}){whole}"


def all_different(table: Frame, key: Sequence[str]) -> bool:
    """Whether it is certain, without holding the keys of a DuckDB table in memory, that no key stands twice.

    There fingerprints are counted in place of keys; where two are alike, only a closer look can tell. So it is where keys
    lack a part.
    """
    if not table.implementation.is_duckdb():
        return not table.collect("pandas").to_native().duplicated(list(key)).any()
    relation: Any = table.to_native()
    given = " AND ".join(f'"{part}" IS NOT NULL' for part in key)
    columns = ", ".join(f'"{part}"' for part in key)
    counted = relation.filter(given).aggregate(f"count(*) AS n, count(DISTINCT hash({columns})) AS kinds")
    (found,) = spread.gathered(nw.from_native(counted).lazy(), spread.summed(), by=key)
    return bool(found["n"] == found["kinds"])


def all_known(table: Frame, column: str, known: Frame, there: str) -> bool:
    """Whether it is certain at a glance that all values of a column stand in that of another table; of tables in pandas."""
    if table.implementation.is_duckdb() or known.implementation.is_duckdb():
        return False
    given, found = (frame.collect("pandas").to_native()[name] for frame, name in ((table, column), (known, there)))
    return bool((given.isna() | given.isin(found)).all())


def in_one_engine(tables: dict[str, Frame]) -> dict[str, Frame]:
    """Tables that can be joined: where one is in DuckDB, all are."""
    if len({table.implementation for table in tables.values()}) < 2:
        return tables

    moved = {}
    for name, table in tables.items():
        if table.implementation.is_duckdb():
            moved[name] = table
        else:
            frame = table.collect("pandas").to_native()
            text = [c for c, kind in frame.dtypes.items() if kind == "str"]
            casts = ", ".join(f'CAST("{c}" AS VARCHAR) AS "{c}"' if c in text else f'"{c}"' for c in frame.columns)
            held = spread.Held(frame.astype(dict.fromkeys(text, "object")), casts)
            moved[name] = nw.from_native(spread.relation(held)).lazy()
    return moved
