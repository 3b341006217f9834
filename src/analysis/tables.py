"""Reads CSV and Parquet tables into typed narwhals frames on pandas, DuckDB or Spark Connect.

For the checks each typed column ``x`` comes with ``_text:x``, its cells as text, and ``_unread:x``, which is true where
a cell is no value of the column's type. ``_row`` is the row number that a spreadsheet shows, where the engine knows it.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd

from analysis import folder, spark
from analysis.csvfile import Cells, header_problems, is_usable, read_csv
from analysis.folder import shown_path as shown_path  # noqa: PLC0414 - other rooms take it from here
from analysis.schema import PATTERNS, Field, Schema, needed
from analysis.text import as_text
from parabook import files
from parabook.errors import InputError, Problem, missing

Frame = nw.LazyFrame[Any]
"""A table, on whichever engine holds it."""

TYPES: dict[str, tuple[Any, Any, Callable[[str], Any]]] = {
    "integer": (nw.Int64(), "Int64", int),
    "number": (nw.Float64(), "Float64", float),
    "boolean": (nw.Boolean(), "boolean", "true".__eq__),
}
AS_TEXT = (nw.String(), pd.StringDtype("python", na_value=pd.NA), str)  # the same with and without pyarrow
"""For each type of a column its narwhals type, its pandas type, and the function that reads a cell; all others, dates
included, are text."""

TEXT, UNREAD = "_text:", "_unread:"

SMALL = 1_000_000
"""Size in bytes up to which a CSV file is held by pandas; larger ones are held by DuckDB."""

DUCKDB = "duckdb"
MEMORY, MORE_MEMORY, LARGE = 600, 1600, 200_000_000
"""Megabytes that DuckDB may use before it works on disk, and the limit for tables of more than ``LARGE`` bytes."""


def matches(column: nw.Expr, pattern: str) -> nw.Expr:
    """Whether a whole cell matches a pattern; none with a line break does, as engines differ in where ``$`` matches then."""
    return column.str.contains(f"^(?:{pattern})$") & ~column.str.contains("[\n\r\x85\u2028\u2029]")


@dataclass(frozen=True)
class Table:
    """A table as it was read."""

    spec: Schema
    shown: str
    """Path of the file as problems show it."""
    problems: Sequence[Problem] = ()
    cells: Frame | None = None
    """The typed columns with their ``_text:`` and ``_unread:`` companions; None where the file could not be read."""
    absent: frozenset[str] = frozenset()
    """Columns of the schema that the file lacks, or that hold nested or binary values."""
    rows: Sequence[str] = ("_row",)
    """The column of row numbers; empty where the engine does not number rows."""

    @property
    def locator(self) -> Sequence[str]:
        """The columns that identify a row: its number, or else its key."""
        return self.rows or self.spec.key

    @cached_property
    def frame(self) -> Frame:
        """The typed columns: those of the schema, then the edition's own, then ``_row`` if there is one."""
        if self.cells is None:
            raise InputError(self.problems)
        return self.cells.select(*self.spec.columns, *self.rows)

    def place(self, row: Mapping[str, Any]) -> tuple[str, int | None]:
        """The file and number of a row, as problems show them; without row numbers, the file with the key, and None."""
        if "_row" in row:
            return self.shown, int(row["_row"])
        key = ".".join(as_text(row[part]) for part in self.spec.key if part in row)
        return f"{self.shown} [{key}]", None


def read_table(file: Path, own: object, spec: Schema, engine: str = "", *, validated: bool = False) -> Table:
    """Read a table and the problems of its file; of a broken file as much as can be read.

    ``own`` is the schema embedded in the edition, which types columns beyond those of ``spec``. ``engine`` is the
    address of a Spark Connect server, `DUCKDB`, or blank for pandas. A ``validated`` table is typed without being
    checked again.
    """
    shown = shown_path(file)
    try:
        if is_parquet(file):
            return _from_parquet(file, spec, own, shown, engine or DUCKDB, validated)
        return from_cells(read_csv(file, shown, spec.columns), spec, own, shown, engine, validated=validated)
    except OSError as error:
        return Table(spec, shown, [Problem(shown, error.strerror or "an error", "a file that can be read")])
    except Exception as error:
        return Table(spec, shown, [_broken(error, shown)])


def is_parquet(file: Path) -> bool:
    """Whether a table is Parquet: one file, a folder of parts, or files left at their address, so that none is here."""
    return file.suffix == ".parquet" or not file.is_file()


def engine_for(files: Sequence[Path], engine: str) -> str:
    """The engine for all tables of an edition, as they are joined: blank (pandas) if all are small CSV files."""
    if any(map(is_parquet, files)):
        return engine or DUCKDB
    return DUCKDB if any(file.stat().st_size > SMALL for file in files) else ""


def until_broken(found: Iterable[Problem], shown: str) -> list[Problem]:
    """Collect problems; where DuckDB fails while they are looked for, its error comes last, as of file ``shown``."""
    problems = list[Problem]()
    try:
        problems.extend(found)
    except Exception as error:
        problems.append(_broken(error, shown))
    return problems


def _broken(error: Exception, shown: str) -> Problem:
    """An error of DuckDB as a problem of a file; any other error is raised again."""
    import duckdb

    if not isinstance(error, duckdb.Error):
        raise error
    message = str(error).splitlines()[0]
    if isinstance(error, duckdb.OutOfMemoryException):
        return Problem(shown, message, "room in memory", "an engine has more: --engine sc://HOST:PORT")
    return Problem(shown, message, "a sound Parquet file", "write it anew")


def from_cells(
    cells: Cells, spec: Schema, own: object, shown: str, engine: str = "", *, validated: bool = False
) -> Table:
    """A table of the cells of a CSV file, on an engine; if they are ``validated``, without the columns for checks."""
    if not is_usable(cells.header, spec.columns):
        return Table(spec, shown, cells.problems)
    whole, columns = spec.described(own, cells.header), dict[str, Any]()
    for field in whole.fields:
        name, (_, dtype, read) = field.name, TYPES.get(field.type, AS_TEXT)
        at = cells.header.index(name) if name in cells.header else None
        text = [None if at is None else row[at] or None for row in cells.rows]
        values: Sequence[Any] = text
        if field.type in PATTERNS:
            fits = re.compile(PATTERNS[field.type][0]).fullmatch
            unread = [cell is not None and not fits(cell) for cell in text]
            values = [None if cell is None or bad else read(cell) for cell, bad in zip(text, unread, strict=True)]
            columns |= {} if validated else {UNREAD + name: pd.array(unread, "boolean")}
        columns[name] = pd.array(values, dtype)
        columns |= {} if validated else {TEXT + name: pd.array(text, AS_TEXT[1])}
    frame = pd.DataFrame({**columns, "_row": pd.array(cells.numbers, "int64")})
    return Table(whole, shown, cells.problems, _on_engine(frame, engine), frozenset(spec.columns) - {*cells.header})


def _on_engine(frame: pd.DataFrame, engine: str) -> Frame:
    """A pandas frame as a table of DuckDB, of Spark Connect, or of pandas itself."""
    native: Any = frame
    if engine == DUCKDB:
        native = _duckdb().from_df(frame)
    elif engine:
        types = {"int64": "bigint", "Int64": "bigint", "Float64": "double", "boolean": "boolean"}
        columns = ", ".join(f"`{name}` {types.get(str(dtype), 'string')}" for name, dtype in frame.dtypes.items())
        cells = frame.astype("object").where(frame.notna(), None)
        native = spark.create_table(engine, list(cells.itertuples(index=False, name=None)), columns)
    table: Frame = nw.from_native(native).lazy()
    return table


@cache
def _duckdb() -> Any:
    """DuckDB's default connection in this process, set up to work on disk beyond a limit of memory."""
    import duckdb

    home = folder.CACHE / "duckdb"
    home.mkdir(parents=True, exist_ok=True)
    files.prune(home, 64)  # files of kernels that have ended
    place = str(home / str(os.getpid())).replace("'", "''")
    with contextlib.suppress(duckdb.Error):  # in a notebook without ipywidgets there is no bar, and no such setting
        duckdb.execute("SET enable_progress_bar = false")
    duckdb.execute(f"SET memory_limit = '{MEMORY} MB'; SET temp_directory = '{place}'")
    return duckdb


def _from_parquet(file: Path, spec: Schema, own: object, shown: str, engine: str, validated: bool) -> Table:
    """A table of a Parquet file or a folder of parts; only DuckDB numbers rows, and only those of a single file.

    Columns come from the files alone, not from the names of folders (no Hive partitioning).
    """
    parts = sorted(map(str, file.glob("*.parquet"))) if file.is_dir() else [str(file)]
    if engine != DUCKDB:
        native = spark.read_parquet(engine, folder.remote_parts(file) or parts)
    else:
        native = _duckdb().read_parquet(parts, hive_partitioning=False)
        if sum(map(os.path.getsize, parts)) > LARGE:  # not every step of DuckDB can move to disk
            _duckdb().execute(f"SET memory_limit = '{MORE_MEMORY} MB'")
    names = native.columns
    problems = header_problems(names, shown, spec.columns)
    if not is_usable(names, spec.columns):
        return Table(spec, shown, problems)
    if engine == DUCKDB and parts == [str(file)]:
        native = _duckdb().read_parquet(parts, hive_partitioning=False, file_row_number=True)
        native = native.project("* EXCLUDE (file_row_number), file_row_number + 2 AS _row")
    if engine == DUCKDB:
        native = _blanks_missing(native)
    stored = nw.from_native(native).lazy()
    table = from_stored(stored, spec, own, shown, validated=validated, blank=engine != DUCKDB)
    return replace(table, problems=[*problems, *table.problems])


def from_stored(
    stored: Frame, spec: Schema, own: object, shown: str, *, validated: bool = False, blank: bool = True
) -> Table:
    """A table of stored columns, which may be of any type."""
    dtypes = dict(stored.collect_schema())
    rows = [name for name in ("_row",) if name in dtypes]
    nested = {name: dtype for name, dtype in dtypes.items() if dtype.is_nested() or dtype == nw.Binary}
    problems = []
    for field in (each for each in spec.fields if each.name in nested):
        of_type, hint = f"values of type {nested[field.name]}", "write one value a cell"
        problems.append(Problem(shown, of_type, needed(field.type), hint, column=field.name))
    given = {name: dtype for name, dtype in dtypes.items() if name not in nested}
    whole = spec.described(own, given)
    columns = [each for field in whole.fields for each in _columns(field, given.get(field.name), validated, blank)]
    cells = stored.select(*columns, *rows)
    return Table(whole, shown, problems, cells, frozenset(spec.columns) - given.keys(), rows)


def _columns(field: Field, stored: nw.dtypes.DType | None, validated: bool, blank: bool) -> list[nw.Expr]:
    """The expressions for a typed column and its ``_text:`` and ``_unread:`` companions, as strict as for CSV.

    ``stored`` is the type that the file has it in, None where it lacks it; ``blank`` says that empty text may stand for
    a missing value.
    """
    name, dtype = field.name, TYPES.get(field.type, AS_TEXT)[0]
    if stored is None:
        return [nw.lit(None).cast(dtype).alias(name)]
    text = nw.col(name) if stored == nw.String else nw.col(name).cast(nw.String)
    text = nw.when(text != "").then(text) if blank else text
    if field.type not in PATTERNS:
        return [text.alias(name), text.alias(TEXT + name)]
    if field.type in ("integer", "number") and stored.is_numeric():
        number = nw.col(name).cast(nw.Float64)
        fits = (number.abs() < 1e15) & (number % 1 == 0) if field.type == "integer" else number.abs() < float("inf")
        value = nw.col(name)
    else:
        value, fits = text, matches(text, PATTERNS[field.type][0])
    value = value if validated else nw.when(fits).then(value)
    if field.type == "boolean":
        value = value == "true"
    elif dtype != nw.String:
        value = value.cast(dtype)
    return [value.alias(name), text.alias(TEXT + name), (~fits).alias(UNREAD + name)]


def _blanks_missing(relation: Any) -> Any:
    """A DuckDB relation with NULL for empty text. narwhals has no ``nullif``; its CASE doubles a group-by's time."""
    kinds = zip(relation.columns, relation.types, strict=True)
    names = [name.replace('"', '""') for name, kind in kinds if kind == "VARCHAR"]
    texts = [f"""nullif("{name}", '') AS "{name}\"""" for name in names]
    return relation.project(f"* REPLACE ({', '.join(texts)})") if texts else relation


def collect(frame: Frame) -> pd.DataFrame:
    """The rows of a small result as pandas, from whatever engine."""
    found: pd.DataFrame = frame.collect("pandas").to_native()
    return found.reset_index(drop=True)


def collect_rows(frame: Frame) -> list[dict[str, Any]]:
    """The rows of a small result as dictionaries of plain values, None for missing."""
    rows: list[Any] = collect(frame).to_dict("records")
    return [{name: None if missing(value) else value for name, value in row.items()} for row in rows]


def count(frame: Frame) -> int:
    """How many rows a table has."""
    return int(collect_rows(frame.select(nw.len().alias("n")))[0]["n"])


def text_cells(frame: Frame) -> dict[str, list[str]]:
    """The cells of a table as text by column, blank for missing, in the order of ``_row``, which is left out."""
    ordered = frame.sort("_row") if "_row" in frame.collect_schema().names() else frame
    found = collect(ordered)
    return {name: list(map(as_text, found[name].tolist())) for name in found.columns if name != "_row"}
