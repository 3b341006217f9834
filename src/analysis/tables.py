"""One reading engine: CSV and Parquet in, typed narwhals frames over pandas, DuckDB or Spark Connect out.

Beside a typed column ``x`` stand ``_text:x``, its cells as text, and ``_unread:x``, whether a cell cannot be read as its
type asks. ``_row`` is the row as a spreadsheet numbers it, where the engine knows it.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
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
"""A table on the engine that holds it."""

TYPES: dict[str, tuple[Any, Any, Callable[[str], Any]]] = {
    "integer": (nw.Int64(), "Int64", int),
    "number": (nw.Float64(), "Float64", float),
    "boolean": (nw.Boolean(), "boolean", "true".__eq__),
}
AS_TEXT = (nw.String(), pd.StringDtype("python", na_value=pd.NA), str)  # the same with and without pyarrow
"""What a type is to narwhals and to pandas, and how a text is read as it; other types are text, dates too."""

TEXT, UNREAD = "_text:", "_unread:"

SMALL = 1_000_000
"""Bytes of a CSV file that pandas holds; DuckDB holds a larger one."""

DUCKDB, MEMORY, MORE_MEMORY, LARGE = "duckdb", 600, 1600, 200_000_000
"""Megabytes that DuckDB takes before it works on disk, and what it takes where a table has more than so many bytes."""


def matches(column: nw.Expr, pattern: str) -> nw.Expr:
    """Whether a whole cell fits a pattern. Before which line breaks ``$`` stands differs between engines: none may be there."""
    return column.str.contains(f"^(?:{pattern})$") & ~column.str.contains("[\n\r\x85\u2028\u2029]")


@dataclass(frozen=True)
class Table:
    """A table as it was read."""

    spec: Schema
    shown: str
    """The file's name in problems."""
    problems: Sequence[Problem] = ()
    cells: Frame | None = None
    """Its columns typed, as text, and whether they were read. None where nothing of the file could be."""
    absent: frozenset[str] = frozenset()
    """Columns that the file lacks, or whose values are of a type that is no cell's."""
    rows: Sequence[str] = ("_row",)
    """The column of row numbers, where there is one."""

    @property
    def locator(self) -> Sequence[str]:
        """The columns that tell a row from others: its number, or else its key."""
        return self.rows or self.spec.key

    @cached_property
    def frame(self) -> Frame:
        """The typed table: columns as the schema has them, and the edition's own; ``_row`` where there is one."""
        if self.cells is None:
            raise InputError(self.problems)
        return self.cells.select(*self.spec.columns, *self.rows)

    def place(self, row: Mapping[str, Any]) -> tuple[str, int | None]:
        """The file and row number of a row, as problems show them; where rows have no number, the file and the key."""
        key = ".".join(as_text(row[part]) for part in self.spec.key if part in row)
        return (self.shown, int(row["_row"])) if "_row" in row else (f"{self.shown} [{key}]", None)


def read_table(file: Path, own: object, spec: Schema, engine: str = "", *, validated: bool = False) -> Table:
    """A table, with the problems of its file; as much of a broken file as makes sense.

    The edition's embedded schema (``own``) types further columns than those of ``spec``. ``engine`` holds it: an address of
    Spark Connect, DuckDB, or pandas (blank). Of ``validated`` Parquet no cell is looked at twice.
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
    """Whether a table is Parquet: a file, a folder of parts, or left at its address."""
    return file.suffix == ".parquet" or not file.is_file()


def engine_for(files: Sequence[Path], engine: str) -> str:
    """Where tables of these files are joined: on an engine if any is Parquet, in pandas (blank) if all are small."""
    if any(map(is_parquet, files)):
        return engine or DUCKDB
    return DUCKDB if any(file.stat().st_size > SMALL for file in files) else ""


def problems_of(table: Table, found: Iterable[Problem] = ()) -> list[Problem]:
    """The problems of a table's file, and those ``found`` in its rows."""
    return [*table.problems, *until_broken(found, table.shown)]


def until_broken(found: Iterable[Problem], shown: str) -> list[Problem]:
    """Problems as they are found, until DuckDB cannot read on, which is one of the file ``shown``."""
    problems = list[Problem]()
    try:
        problems.extend(found)
    except Exception as error:
        problems.append(_broken(error, shown))
    return problems


def _broken(error: Exception, shown: str) -> Problem:
    """What DuckDB has to say of a file; any other error is raised again."""
    import duckdb

    if not isinstance(error, duckdb.Error):
        raise error
    if isinstance(error, duckdb.OutOfMemoryException):
        return Problem(
            shown, str(error).splitlines()[0], "room in memory", "an engine has more: --engine sc://HOST:PORT"
        )
    return Problem(shown, str(error).splitlines()[0], "a sound Parquet file", "write it anew")


def from_cells(
    cells: Cells, spec: Schema, own: object, shown: str, engine: str = "", *, validated: bool = False
) -> Table:
    """A table of the cells of a CSV file, held by an engine; of ``validated`` ones only as its columns are typed."""
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
    held = _held(pd.DataFrame({**columns, "_row": pd.array(cells.numbers, "int64")}), engine)
    return Table(whole, shown, cells.problems, held, frozenset(spec.columns) - {*cells.header})


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
    duckdb.execute(f"SET memory_limit = '{MEMORY} MB'; SET temp_directory = '{place}'")
    return duckdb


def _from_parquet(file: Path, spec: Schema, own: object, shown: str, engine: str, validated: bool) -> Table:
    """Parquet, a file or parts; rows of a single file that DuckDB reads are numbered.

    Columns come from the files alone: folders named ``x=y`` are only folders.
    """
    parts = sorted(map(str, file.glob("*.parquet"))) if file.is_dir() else [str(file)]
    if engine != DUCKDB:
        native = spark.read_parquet(engine, folder.remote_parts(file) or parts)
    else:
        native = _duckdb().read_parquet(parts, hive_partitioning=False)
        if sum(map(os.path.getsize, parts)) > LARGE:  # not all of what DuckDB does can be done on disk
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
    return from_stored(
        nw.from_native(native).lazy(), spec, own, shown, problems, validated=validated, blank=engine != DUCKDB
    )


def from_stored(
    stored: Frame,
    spec: Schema,
    own: object,
    shown: str,
    problems: Sequence[Problem] = (),
    *,
    validated: bool = False,
    blank: bool = True,
) -> Table:
    """A table of columns as Parquet has them, whatever their types."""
    dtypes = dict(stored.collect_schema())
    rows = [name for name in ("_row",) if name in dtypes]
    nested = {name: dtype for name, dtype in dtypes.items() if dtype.is_nested() or dtype == nw.Binary}
    found = [
        Problem(
            shown, f"values of type {nested[each.name]}", needed(each.type), "write one value a cell", None, each.name
        )
        for each in spec.fields
        if each.name in nested
    ]
    given = {name: dtype for name, dtype in dtypes.items() if name not in nested}
    whole = spec.described(own, given)
    columns = [each for field in whole.fields for each in _columns(field, given.get(field.name), validated, blank)]
    cells = stored.select(*columns, *rows)
    return Table(whole, shown, [*problems, *found], cells, frozenset(spec.columns) - given.keys(), rows)


def _columns(field: Field, stored: nw.dtypes.DType | None, validated: bool, blank: bool) -> list[nw.Expr]:
    """A column of Parquet typed, as text, and whether it can be read; as strict as with CSV.

    ``stored`` is its type, None where the file lacks it; ``blank``: the engine may hold a blank cell as empty text.
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
    value = value == "true" if field.type == "boolean" else value if dtype == nw.String else value.cast(dtype)
    return [value.alias(name), text.alias(TEXT + name), (~fits).alias(UNREAD + name)]


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


def count(frame: Frame) -> int:
    """How many rows a table has."""
    return int(collect_rows(frame.select(nw.len().alias("n")))[0]["n"])


def text_cells(frame: Frame) -> dict[str, list[str]]:
    """The cells of a table by column, as text in the order of its rows, blank for missing, without ``_row``."""
    ordered = frame.sort("_row") if "_row" in frame.collect_schema().names() else frame
    found = collect(ordered)
    return {name: list(map(as_text, found[name].tolist())) for name in found.columns if name != "_row"}
