"""One reading engine: CSV and Parquet in, typed narwhals frames over pandas, DuckDB or Spark Connect out.

A small CSV file is typed in memory as it is read. Any other table is first read *as stored*; one expression types a
column of it, and one says which of its cells cannot be read. ``_row`` is the row as a spreadsheet numbers it, where the
engine knows it.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd

from analysis import folder, spark
from analysis.csvfile import Cells, header_problems, is_usable, read_csv
from analysis.folder import shown_path as shown_path  # noqa: PLC0414 - other rooms take it from here
from analysis.schema import Field, Schema
from analysis.text import as_text
from parabook import files
from parabook.errors import InputError, Problem, missing

Frame = nw.LazyFrame[Any]
"""A table on the engine that holds it."""

LONGEST_TEXT = 5000
"""Characters in a cell; more is neither label nor note."""

MONTH_AND_DAY = (
    "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8])"
)
LEAP_DAY = "(?:19(?:0[48]|[2468][048]|[13579][26])|20(?:[02468][048]|[13579][26]))-02-29"
DATE = f"(?:19|20)[0-9]{{2}}-(?:{MONTH_AND_DAY})|{LEAP_DAY}"
"""Days that exist, of this century or the last, as every engine's regular expressions can tell."""

PATTERNS = {
    "integer": ("[+-]?[0-9]{1,15}", "a whole number"),
    "number": (r"[+-]?[0-9]{1,15}(?:\.[0-9]+)?", "a number in digits, with a point"),
    "boolean": ("true|false", "true or false"),
    "date": (DATE, "a date as YYYY-MM-DD, of this century or the last"),
}
TYPES: dict[str, tuple[Any, Any, Callable[[str], Any]]] = {
    "integer": (nw.Int64(), "Int64", int),
    "number": (nw.Float64(), "Float64", float),
    "boolean": (nw.Boolean(), "boolean", "true".__eq__),
}
AS_TEXT = (nw.String(), pd.StringDtype("python", na_value=pd.NA), str)  # the same with and without pyarrow
"""What a type is to narwhals and to pandas, and how a text is read as it; other types are text, dates too."""

TEXT, UNREAD = "_text:", "_unread:"
"""Before a column's name: its cells as text, and whether they cannot be read."""

SMALL = 1_000_000
"""Bytes of a CSV file that pandas holds; DuckDB holds a larger one."""

DUCKDB, MEMORY = "duckdb", "600MB"


def needed(kind: str) -> str:
    """What a cell of a type must hold."""
    return PATTERNS[kind][1] if kind in PATTERNS else f"text of {LONGEST_TEXT:,} characters or fewer"


def matches(column: Any, pattern: str) -> Any:
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
    checked: bool = True
    """Whether every cell is known to be readable."""
    cells: Mapping[str, list[Any]] | None = None
    """Of a small CSV file its columns in memory, typed; None in place of a blank, which in Parquet may be empty text."""
    blank: bool = True
    """Whether the engine may hold a blank cell as empty text."""

    @cached_property
    def dtypes(self) -> dict[str, nw.dtypes.DType]:
        return dict(self.stored.collect_schema()) if self.stored is not None else {}

    @property
    def absent(self) -> frozenset[str]:
        """Columns that the file lacks, or whose values are of a type that is no cell's."""
        return frozenset(self.spec.columns) - (self.cells or self.dtypes).keys()

    @property
    def rows(self) -> list[str]:
        """The column of row numbers, where there is one."""
        return ["_row"] if "_row" in self.dtypes else []

    @property
    def locator(self) -> Sequence[str]:
        """The columns that tell a row from others: its number, or else its key."""
        return self.rows or self.spec.key

    @cached_property
    def frame(self) -> Frame:
        """The typed table: columns as the schema has them, and the edition's own; ``_row`` where there is one."""
        return self.select()

    def select(self, *further: nw.Expr) -> Frame:
        """The typed table and expressions on the stored one."""
        if self.stored is None:
            raise InputError(self.problems)
        typed = [self._typed(each).alias(each.name) for each in self.spec.fields]
        return self.stored.select(*typed, *further, *self.rows)

    def _typed(self, field: Field) -> nw.Expr:
        if self.cells is not None:
            return nw.col(field.name)
        dtype = TYPES.get(field.type, AS_TEXT)[0]
        if field.name not in self.dtypes:
            return nw.lit(None).cast(dtype)
        value = nw.col(field.name) if self._is_number(field) else self.text(field.name)
        if not self.checked and field.type in PATTERNS:
            value = nw.when(~self.unreadable(field)).then(value)
        return value == "true" if field.type == "boolean" else value if dtype == nw.String else value.cast(dtype)

    def text(self, name: str) -> nw.Expr:
        """A stored column as text."""
        text = nw.col(name) if self.dtypes[name] == nw.String else nw.col(name).cast(nw.String)
        return nw.when(text != "").then(text) if self.blank else text

    def unreadable(self, field: Field) -> nw.Expr:
        """Whether a cell of a column that is not text cannot be read. As strict with Parquet as with CSV."""
        if self._is_number(field):
            value = nw.col(field.name).cast(nw.Float64)
            return ~((value.abs() < 1e15) & (value % 1 == 0) if field.type == "integer" else value.abs() < float("inf"))
        readable: nw.Expr = matches(self.text(field.name), PATTERNS[field.type][0])
        return ~readable

    def _is_number(self, field: Field) -> bool:
        return field.type in ("integer", "number") and self.dtypes[field.name].is_numeric()

    def place(self, row: Mapping[str, Any]) -> tuple[str, int | None]:
        """The file and row number of a row, as problems show them; where rows have no number, the file and the key."""
        key = ".".join(as_text(row[part]) for part in self.spec.key if part in row)
        return (self.shown, int(row["_row"])) if "_row" in row else (f"{self.shown} [{key}]", None)

    def moved(self, engine: str) -> Table:
        """A table that pandas holds, moved to an engine where it can be joined with those that are there."""
        if self.stored is None or not engine or not self.stored.implementation.is_pandas():
            return self
        return replace(self, stored=_held(self.stored.to_native(), engine))


def read_table(file: Path, own: object, spec: Schema, *, checked: bool = False, engine: str = "") -> Table:
    """A table as stored, with the problems of its file; as much of a broken file as makes sense.

    The edition's embedded schema (``own``) types further columns than those of ``spec``. One ``checked`` before needs no
    second look at its cells. ``engine``: address of the Spark Connect server that reads Parquet, or else DuckDB does.
    """
    shown = shown_path(file)
    try:
        if is_parquet(file):
            table = _from_parquet(file, spec, own, shown, engine or DUCKDB)
        else:
            table = from_cells(read_csv(file, shown, spec.columns), spec, own, shown, file.stat().st_size)
    except OSError as error:
        return Table(spec, shown, None, [Problem(shown, error.strerror or "an error", "a file that can be read")])
    except duckdb_errors() as error:
        return Table(spec, shown, None, [broken_parquet(error, shown)])
    return replace(table, checked=checked)


def is_parquet(file: Path) -> bool:
    """Whether a table is Parquet: a file, a folder of parts, or left at its address."""
    return file.suffix == ".parquet" or not file.is_file()


def engine_for(files: Sequence[Path], engine: str) -> str:
    """Where tables of these files are joined: on an engine if any is Parquet, in pandas (blank) if all are small."""
    if any(map(is_parquet, files)):
        return engine or DUCKDB
    return DUCKDB if any(file.stat().st_size > SMALL for file in files) else ""


def duckdb_errors() -> tuple[type[Exception], ...]:
    """What DuckDB raises of a file, now or when its rows are asked for."""
    import duckdb

    return (duckdb.Error,)


def broken_parquet(error: Exception, shown: str) -> Problem:
    """The problem that DuckDB had with a file, whenever it shows."""
    return Problem(shown, str(error).splitlines()[0], "a sound Parquet file", "write it anew")


def from_cells(cells: Cells, spec: Schema, own: object, shown: str, size: int) -> Table:
    """A table of the cells of a CSV file of so many bytes."""
    if not is_usable(cells.header, spec.columns):
        return Table(spec, shown, None, cells.problems)
    whole = spec.extended(cells.header, own)
    at = {name: number for number, name in enumerate(cells.header) if name in whole.columns}
    columns: dict[str, list[Any]] = {name: [row[n] or None for row in cells.rows] for name, n in at.items()}
    columns["_row"] = cells.numbers
    if size > SMALL:
        return Table(whole, shown, _held(pd.DataFrame(columns, dtype="object"), DUCKDB), cells.problems)
    held: dict[str, Any] = {}
    for each in whole.fields:
        text = columns.get(each.name, [None] * len(cells.rows))
        _, dtype, read = TYPES.get(each.type, AS_TEXT)
        if each.type in PATTERNS and each.name in columns:
            fits = re.compile(PATTERNS[each.type][0]).fullmatch
            unread = [cell if cell is None else not fits(cell) for cell in text]
            columns |= {TEXT + each.name: text, UNREAD + each.name: unread}
            columns[each.name] = [
                None if cell is None or bad else read(cell) for cell, bad in zip(text, unread, strict=True)
            ]
        held[each.name] = pd.array(columns.get(each.name, text), dtype)
    frame = _held(pd.DataFrame({**held, "_row": pd.array(cells.numbers, "int64")}), "")
    return Table(whole, shown, frame, cells.problems, cells=columns)


def _held(frame: pd.DataFrame, engine: str) -> Frame:
    """A table on an engine: DuckDB, Spark Connect, or pandas itself."""
    native: Any = frame
    if engine == DUCKDB:
        native = _duckdb().from_df(frame)
    elif engine:
        types = {"int64": "bigint", "Int64": "bigint", "Float64": "double", "boolean": "boolean"}
        columns = ", ".join(f"`{name}` {types.get(str(dtype), 'string')}" for name, dtype in frame.dtypes.items())
        cells = frame.astype("object").where(frame.notna(), None)
        native = spark.create_table(engine, list(cells.itertuples(index=False, name=None)), columns)
    held: Frame = nw.from_native(native).lazy()
    return held


@cache
def _duckdb() -> Any:
    """DuckDB's connection of this process; beyond a limit of memory it works on disk."""
    import duckdb

    desk = folder.CACHE / "duckdb"
    desk.mkdir(parents=True, exist_ok=True)
    files.prune(desk, 64)  # what ended kernels left
    place = str(desk / str(os.getpid())).replace("'", "''")
    with contextlib.suppress(duckdb.Error):  # in a notebook without ipywidgets there is no bar, and no such setting
        duckdb.execute("SET enable_progress_bar = false")
    duckdb.execute(f"SET memory_limit = '{MEMORY}'; SET temp_directory = '{place}'")
    return duckdb


def _from_parquet(file: Path, spec: Schema, own: object, shown: str, engine: str) -> Table:
    """Parquet, a file or parts; rows of a single file that DuckDB reads are numbered.

    Columns come from the files alone: folders named ``x=y`` are only folders.
    """
    parts = sorted(map(str, file.glob("*.parquet"))) if file.is_dir() else [str(file)]
    native: Any = None
    if engine != DUCKDB:
        native = spark.read_parquet(engine, folder.remote_parts(file) or parts)
    else:
        native = _duckdb().read_parquet(parts, hive_partitioning=False)
    names = native.columns
    problems = header_problems(names, shown, spec.columns)
    if not is_usable(names, spec.columns):
        return Table(spec, shown, None, problems)
    if engine == DUCKDB and parts == [str(file)]:
        numbered = _duckdb().read_parquet(parts, hive_partitioning=False, file_row_number=True)
        native = numbered.project("* EXCLUDE (file_row_number), file_row_number + 2 AS _row")
    if engine == DUCKDB:
        native = _blanks_missing(native)
    stored: Frame = nw.from_native(native).lazy()
    nested = {name: dtype for name, dtype in stored.collect_schema().items() if dtype.is_nested() or dtype == nw.Binary}
    for field in spec.fields:
        if field.name in nested:
            found, hint = f"values of type {nested[field.name]}", "write one value a cell"
            problems.append(Problem(shown, found, needed(field.type), hint, None, field.name))
    return Table(spec.extended(names, own), shown, stored.drop(*nested), problems, blank=engine != DUCKDB)


def _blanks_missing(relation: Any) -> Any:
    """A DuckDB relation without empty text. narwhals has no ``nullif``, and its CASE takes twice as long to group by."""
    kinds = zip(relation.columns, relation.types, strict=True)
    names = [name.replace('"', '""') for name, kind in kinds if kind == "VARCHAR"]
    texts = [f"""nullif("{name}", '') AS "{name}\"""" for name in names]
    return relation.project(f"* REPLACE ({', '.join(texts)})") if texts else relation


def collect(frame: Frame) -> pd.DataFrame:
    """A small result in memory, whatever engine holds it."""
    found: pd.DataFrame = frame.collect("pandas").to_native()
    return found.reset_index(drop=True)


def collect_rows(frame: Frame) -> list[dict[str, Any]]:
    """The rows of a small result as plain values, None for missing."""
    rows: list[Any] = collect(frame).to_dict("records")
    return [{name: None if missing(value) else value for name, value in row.items()} for row in rows]


def text_frame(frame: Frame) -> pd.DataFrame:
    """A table as text in the order of its rows, blank for missing, without ``_row``."""
    ordered = frame.sort("_row") if "_row" in frame.collect_schema().names() else frame
    found = collect(ordered).drop(columns="_row", errors="ignore")
    return pd.DataFrame({name: list(map(as_text, found[name])) for name in found.columns}, dtype="str")


def is_date(text: object) -> bool:
    """Whether a text is a day that exists, as YYYY-MM-DD."""
    return re.fullmatch(DATE, str(text)) is not None
