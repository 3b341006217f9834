"""One reading engine: CSV and Parquet in, typed narwhals frames over DuckDB or Spark Connect out.

A table is first read *as stored*: text cells of a CSV file, columns of Parquet files, with ``_row``, the row as a
spreadsheet numbers it, where the engine knows it. From there on all tables take the same path: one expression types a
column, and one says which of its cells cannot be read.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd

from analysis import fetch, folder, spark
from analysis.csvfile import MOST_COLUMNS, RESERVED_COLUMNS, Cells, header_problems, read_csv
from analysis.schema import ROOT, Field, Schema
from parabook import files
from parabook.errors import Problem, missing

Frame = nw.LazyFrame[Any]
"""A table on the engine that holds it."""

LONGEST_TEXT = 5000
"""Characters in a cell; more is neither label nor note."""

YEAR = "(?:19|20)[0-9]{2}"
MONTH_AND_DAY = (
    "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8])"
)
LEAP_DAY = "(?:19(?:0[48]|[2468][048]|[13579][26])|20(?:[02468][048]|[13579][26]))-02-29"
DATE = f"{YEAR}-(?:{MONTH_AND_DAY})|{LEAP_DAY}"
"""Days that exist, of this century or the last, as every engine's regular expressions can tell."""

PATTERNS = {
    "integer": ("[+-]?[0-9]{1,15}", "a whole number"),
    "number": (r"[+-]?[0-9]{1,15}(?:\.[0-9]+)?", "a number in digits, with a point"),
    "boolean": ("true|false", "true or false"),
    "date": (DATE, "a date as YYYY-MM-DD, of this century or the last"),
}
DTYPES = {"integer": nw.Int64(), "number": nw.Float64(), "boolean": nw.Boolean()}
"""What types are on every engine; the others are text, dates too."""

SPARK_TYPES = {"integer": "bigint", "number": "double", "boolean": "boolean"}
CHECKING, COUNTING = "600MB", "450MB"
"""DuckDB's memory when it checks keys, and when it counts."""


def needed(kind: str) -> str:
    """What a cell of a type must hold."""
    return PATTERNS[kind][1] if kind in PATTERNS else f"text of {LONGEST_TEXT:,} characters or fewer"


def matches(column: nw.Expr, pattern: str) -> nw.Expr:
    r"""Whether a whole cell fits a pattern. ``\z`` is the very end on every engine; ``$`` may precede a line break."""
    return column.str.contains(rf"^(?:{pattern})\z")


@dataclass(frozen=True)
class Table:
    """A table as stored, and what typing makes of it."""

    spec: Schema
    shown: str
    """The file's name in problems."""
    stored: Frame | None = None
    """None where nothing could be read."""
    problems: Sequence[Problem] = ()
    complete: bool = True
    """Whether every row of the file is in the frame."""
    parts: tuple[tuple[int, str], ...] = ()
    """Of a folder of parts: the number of rows before each, and its name in problems."""
    checked: bool = True
    """Whether every cell is known to be readable."""
    cells: Cells | None = None
    """Of a CSV file its cells, where those without text are missing; in Parquet they may be empty text."""

    @cached_property
    def dtypes(self) -> dict[str, nw.dtypes.DType]:
        return dict(self.stored.collect_schema()) if self.stored is not None else {}

    @property
    def absent(self) -> frozenset[str]:
        """Columns that the file lacks, or whose values are of a type that is no cell's."""
        return frozenset(f.name for f in self.spec.fields if f.name not in self.dtypes or _nested(self.dtypes[f.name]))

    @property
    def count(self) -> int:
        """How many rows of a CSV file were read."""
        return len(self.cells.rows) if self.cells else 0

    def texts(self, column: str) -> frozenset[str]:
        """The different texts in a column of a CSV file."""
        at = self.cells.header.index(column) if self.cells else 0
        return frozenset(row[at] for row in self.cells.rows) if self.cells else frozenset()

    @property
    def locator(self) -> tuple[str, ...]:
        """The columns that tell a row from others: its number, or its key where the engine keeps no order."""
        return ("_row",) if "_row" in self.dtypes else self.spec.key

    @cached_property
    def frame(self) -> Frame:
        """The typed table: columns as the schema has them, and the edition's own; ``_row`` where there is one."""
        assert self.stored is not None
        rows = [nw.col("_row")] if "_row" in self.dtypes else []
        return self.stored.select(*(self.typed(each).alias(each.name) for each in self.spec.fields), *rows)

    def unreadable(self, field: Field) -> nw.Expr:
        """Whether a cell of a column that is not text cannot be read. As strict with Parquet as with CSV."""
        stored, column, text = self.dtypes[field.name], nw.col(field.name), self.text(field.name)
        if field.type in ("integer", "number") and stored.is_numeric():
            value = column.cast(nw.Float64)
            good = (value.abs() < 1e15) & (value % 1 == 0) if field.type == "integer" else value.abs() < float("inf")
            return ~good
        return ~matches(text, PATTERNS[field.type][0])

    def text(self, name: str) -> nw.Expr:
        column = nw.col(name)
        text = column if self.dtypes[name] == nw.String else column.cast(nw.String)
        return nw.when(text != "").then(text) if self.cells is None else text

    def typed(self, field: Field) -> nw.Expr:
        dtype = DTYPES.get(field.type, nw.String())
        if field.name in self.absent:
            return nw.lit(None).cast(dtype)
        numeric = field.type in ("integer", "number") and self.dtypes[field.name].is_numeric()
        value = nw.col(field.name) if numeric else self.text(field.name)
        if not self.checked and field.type in PATTERNS:
            value = nw.when(~self.unreadable(field)).then(value)
        return value == "true" if field.type == "boolean" else value if dtype == nw.String else value.cast(dtype)

    def located(self, problem: Problem) -> Problem:
        """A problem of a folder of parts, moved to the part where its row stands."""
        if not self.parts or problem.file != self.shown or problem.row is None:
            return problem
        before, part = next((b, p) for b, p in reversed(self.parts) if b < problem.row - 1 or b == 0)
        return replace(problem, file=part, row=problem.row - before)


def _nested(dtype: nw.dtypes.DType) -> bool:
    return dtype.is_nested() or dtype == nw.Binary


def read_table(file: Path, spec: Schema, *, checked: bool = False, engine: str = "") -> Table:
    """A table as stored, with the problems of its file; as much of a broken file as makes sense.

    Parameters
    ----------
    file : Path
        A CSV file, a Parquet file, or a folder of Parquet parts.
    spec : Schema
        Its columns.
    checked : bool
        Whether it was found valid before, so that no cell needs a second look.
    engine : str
        Address of the Spark Connect server that reads Parquet; DuckDB reads it here if blank.
    """
    import duckdb

    shown = shown_path(file)
    try:
        if file.suffix != ".parquet" and not file.is_dir():
            return _from_cells(read_csv(file, shown, spec.columns), spec, shown, checked)
        if engine:
            return _from_spark(file, spec, shown, checked, engine)
        limit_memory(COUNTING if checked else CHECKING)
        return _from_parquet(file, spec, shown, checked)
    except OSError as error:
        return Table(spec, shown, None, [Problem(shown, error.strerror or "an error", "a file that can be read")])
    except duckdb.Error as error:
        return Table(spec, shown, None, [broken_parquet(error, shown)])


def broken_parquet(error: Exception, shown: str) -> Problem:
    """The problem that DuckDB had with a file, whenever it shows."""
    return Problem(shown, str(error).splitlines()[0], "a sound Parquet file", "write it anew")


def _from_cells(cells: Cells, spec: Schema, shown: str, checked: bool) -> Table:
    header = cells.header
    usable = set(header) & set(spec.columns) and len(header) == len(set(header)) <= MOST_COLUMNS
    if not usable:
        return Table(spec, shown, None, cells.problems)
    import duckdb

    whole = spec.with_text(header)
    columns = {name: [row[at] or None for row in cells.rows] for at, name in enumerate(header) if name in whole.columns}
    frame = pd.DataFrame(columns, dtype=object).assign(_row=pd.Series(cells.numbers, dtype="int64"))
    stored = nw.from_native(duckdb.from_df(frame)).lazy()
    return Table(whole, shown, stored, cells.problems, cells.complete, checked=checked, cells=cells)


def _from_parquet(file: Path, spec: Schema, shown: str, checked: bool) -> Table:
    """Parquet through DuckDB. Columns come from the files alone: folders named ``x=y`` are only folders."""
    import duckdb

    parts = parts_of(file)
    names = ", ".join(map(_pattern, map(str, parts)))
    plain: Any = duckdb.sql(f"FROM read_parquet([{names}], hive_partitioning = false)")
    problems = header_problems(plain.columns, shown, spec.columns)
    if not _usable(plain.columns, spec):
        return Table(spec, shown, None, problems)
    counts: Any = duckdb.sql(f"SELECT file_name, num_rows FROM parquet_file_metadata([{names}])")
    rows = dict(counts.fetchall())
    before = list(accumulate((rows[str(part)] for part in parts), initial=0))
    first = ", ".join(f"{_literal(str(part))}: {number + 2}" for part, number in zip(parts, before, strict=False))
    relation: Any = duckdb.sql(
        f"SELECT * EXCLUDE (filename, file_row_number), file_row_number + MAP {{{first}}}[filename] AS _row "
        f"FROM read_parquet([{names}], hive_partitioning = false, file_row_number = true, filename = true)"
    )
    located = tuple(zip(before, map(shown_path, parts), strict=False)) if file.is_dir() else ()
    stored = nw.from_native(relation).lazy()
    problems += _nested_problems(stored, spec, shown)
    return Table(spec.with_text(plain.columns), shown, stored, problems, parts=located, checked=checked)


def _from_spark(file: Path, spec: Schema, shown: str, checked: bool, engine: str) -> Table:
    remote = fetch.remote_parts(file)
    stored = nw.from_native(spark.read_parquet(engine, remote or [str(part) for part in parts_of(file)])).lazy()
    columns = stored.collect_schema().names()
    problems = [replace(problem, row=None) for problem in header_problems(columns, shown, spec.columns)]
    if not _usable(columns, spec):
        return Table(spec, shown, None, problems)
    problems += _nested_problems(stored, spec, shown)
    return Table(spec.with_text(columns), shown, stored, problems, checked=checked)


def _nested_problems(stored: Frame, spec: Schema, shown: str) -> Iterator[Problem]:
    for field in spec.fields:
        dtype = stored.collect_schema().get(field.name)
        if dtype is not None and _nested(dtype):
            yield Problem(
                shown, f"values of type {dtype}", needed(field.type), "write one value a cell", None, field.name
            )


def _usable(columns: Sequence[str], spec: Schema) -> bool:
    names = {name.casefold() for name in columns}
    return bool(set(columns) & set(spec.columns)) and len(columns) <= MOST_COLUMNS and not names & {*RESERVED_COLUMNS}


def parts_of(file: Path) -> list[Path]:
    """The Parquet files of a table, in order."""
    return sorted(file.glob("*.parquet")) if file.is_dir() else [file]


def to_spark(table: Table, engine: str) -> Table:
    """A table of few rows moved to the engine, where it can be joined with those that are there."""
    frame, fields = table.frame, table.spec.fields
    ddl = ", ".join(f"`{each.name}` {SPARK_TYPES.get(each.type, 'string')}" for each in fields) + ", `_row` bigint"
    rows = [tuple(row.values()) for row in collect_rows(frame)]
    return replace(table, stored=nw.from_native(spark.create_table(engine, rows, ddl)).lazy(), checked=True, cells=None)


def collect_rows(frame: Frame) -> list[dict[str, Any]]:
    """The rows of a small result as plain Python values, None for missing; on Spark within a time limit."""
    native: Any = frame.to_native()
    if frame.implementation.is_duckdb():
        return [dict(zip(native.columns, row, strict=True)) for row in native.fetchall()]
    if frame.implementation.is_spark_like():
        return spark.collect(native)
    rows = frame.collect("pandas").rows(named=True)
    return [{name: None if missing(value) else value for name, value in row.items()} for row in rows]


def as_text(value: object) -> str:
    """A cell as its CSV would spell it; blank for a missing value.

    Examples
    --------
    >>> as_text(20.0), as_text(True), as_text(None), as_text(51.23)
    ('20', 'true', '', '51.23')
    """
    if missing(value):
        return ""
    if hasattr(value, "item"):  # numpy's scalars as Python's
        value = value.item()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def text_frame(frame: Frame) -> pd.DataFrame:
    """A table as text in the order of its rows, blank for missing, without ``_row``."""
    columns = frame.collect_schema().names()
    ordered = collect_rows(frame.sort("_row") if "_row" in columns else frame)
    kept = [name for name in columns if name != "_row"]
    return pd.DataFrame([[as_text(row[name]) for name in kept] for row in ordered], columns=kept)


@cache
def limit_memory(most: str) -> None:
    """Limit the memory of DuckDB in this process: beyond it, it works on disk."""
    import duckdb

    desk = folder.CACHE / "duckdb"
    with contextlib.suppress(OSError):
        desk.mkdir(parents=True, exist_ok=True)
    files.prune(desk, 64)  # what ended kernels left
    duckdb.execute("SET enable_progress_bar = false")
    duckdb.execute(f"SET memory_limit = '{most}'")
    duckdb.execute(f"SET temp_directory = {_literal(str(desk / str(os.getpid())))}")


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _pattern(path: str) -> str:
    """A path as DuckDB's SQL names files, whose wildcards stand for themselves.

    Examples
    --------
    >>> _pattern("a[1].parquet")
    "'a[[]1].parquet'"
    """
    return _literal(re.sub(r"[*?\[]", r"[\g<0>]", path))


def shown_path(path: Path) -> str:
    """A path as problems show it: from the working folder or the checkout when inside, of a fetched file its address."""
    remote = fetch.at_address(path)
    if remote:
        return remote
    base = next((base for base in (Path.cwd(), ROOT) if path.is_relative_to(base)), None)
    return str(path.relative_to(base) if base else path)


def is_date(text: object) -> bool:
    """Whether a text is a day that exists, as YYYY-MM-DD.

    Examples
    --------
    >>> is_date("2024-02-29"), is_date("2022-02-29"), is_date("1900-02-29"), is_date("2022-9-1")
    (True, False, False, False)
    """
    return re.fullmatch(DATE, str(text)) is not None
