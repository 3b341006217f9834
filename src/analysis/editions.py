"""One edition: find it, read its tables, check them. The loader of every chapter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import narwhals as nw
import pandas as pd

from analysis import folder, spark
from analysis.coding.checks import count
from analysis.coding.package import SECOND, Report, read_package
from analysis.coding.relations import Validation, coded_values
from analysis.disclosure import no_people
from analysis.folder import find
from analysis.schema import GROUPS, TABLES, schema
from analysis.tables import (
    DTYPES,
    Frame,
    Table,
    collect_rows,
    empty_like,
    engine_for,
    read_table,
    shown_path,
    text_frame,
)
from analysis.text import isolate
from parabook import files
from parabook.errors import InputError, Problem, grouped

T = TypeVar("T")

Row = Mapping[str, str]
"""A row of text, blank for missing."""

DEPENDENCIES: set[str] = set()
"""The tables and files of editions that this process has read: what its outputs rest on."""

EVERYTHING = "*"
"""In `DEPENDENCIES`: every file of the edition."""


class LazyTables(Mapping[str, T], Generic[T]):
    """Tables by name, each made when it is first taken out; with a ``prefix``, recorded in `DEPENDENCIES` as well.

    To ask whether there is one makes and records nothing.
    """

    def __init__(self, make: Mapping[str, Callable[[], T]], prefix: str | None = None) -> None:
        self._make, self._prefix = {name: cache(call) for name, call in make.items()}, prefix

    def __getitem__(self, name: str) -> T:
        if self._prefix is not None:
            DEPENDENCIES.add(self._prefix + name)
        return self._make[name]()

    def __contains__(self, name: object) -> bool:
        return name in self._make

    def __iter__(self) -> Iterator[str]:
        return iter(self._make)

    def __len__(self) -> int:
        return len(self._make)


@dataclass(frozen=True)
class Edition:
    """One edition, read and checked.

    ``tables`` are narwhals ``LazyFrame`` objects by table name, typed by the schema, with the row number of the file
    as ``_row``; a table that the edition lacks is absent from it, and empty in `table`.
    """

    name: str
    path: Path
    package: Mapping[str, Any]
    report: Report
    tables: Mapping[str, Frame] = field(repr=False)
    files: Mapping[str, str] = field(repr=False)
    second: Mapping[str, Frame] = field(repr=False, default_factory=dict)
    """The second coder's tables, where the edition keeps them."""

    @property
    def title(self) -> str:
        return str(self.package.get("title") or self.name)

    @property
    def date(self) -> str:
        """When the edition was made, or else the day of its reference event."""
        return str(self.package.get("created") or self.report.event_date)

    @property
    def homepage(self) -> str:
        """Where the book will stand, as the package says; blank when it does not."""
        return str(self.package.get("homepage") or "")

    @property
    def declared(self) -> int | None:
        """How many interviewees the source declares; None when it does not say."""
        return self.report.declared_interviewees

    @property
    def minimum_cell(self) -> int:
        """The fewest people that a published count may stand for."""
        return self.report.minimum_cell

    @property
    def source(self) -> str:
        """What stands below each exhibit: the edition's sources."""
        titles = [str(each.get("title", "")).strip() for each in self.package.get("sources") or []]
        return f"Source: {'; '.join(map(isolate, filter(None, titles))) or 'not named'}. Coded as the codebook says."

    def has(self, name: str) -> bool:
        """Whether the edition has a table."""
        return name in self.tables

    def table(self, name: str) -> Frame:
        """A table; one that the edition lacks is empty and typed, on the engine of the others."""
        if self.has(name):
            return self.tables[name]
        dtypes = {each.name: DTYPES.get(each.type, nw.String()) for each in schema(name).fields}
        return empty_like(self.tables[next(iter(self.tables))], dtypes)

    @property
    def interviewees(self) -> Frame:
        """The interviewees that are counted."""
        return self.table("interviewees").filter(nw.col("counted") == "yes")

    @cached_property
    def text(self) -> Mapping[str, pd.DataFrame]:
        """Tables coded by hand as pandas frames of text, blank for missing: for listing, not for counting."""
        return LazyTables({name: partial(_text, self.tables, name) for name in self.tables})

    @cached_property
    def second_text(self) -> Mapping[str, pd.DataFrame]:
        """The second coder's tables, as `text` gives the edition's own."""
        return LazyTables({name: partial(_text, self.second, name) for name in self.second})

    def frame(self, name: str) -> pd.DataFrame:
        """A table coded by hand as pandas, all text and blank where missing; without rows where the edition lacks it.

        Tables that do not speak of people one by one are shown where small cells are suppressed, too; statements, if they
        are about a group.
        """
        found = self.text[name].copy() if self.has(name) else text_frame(self.table(name))
        if name == "statements" and self.minimum_cell > 1:
            found = found[found["about"].isin(GROUPS)]
        return no_people(found) if name in ("statements", "destinations", "paragraphs") else found

    def rows(self, name: str) -> list[Row]:
        """The rows of a table as text; none where the edition lacks it."""
        rows: list[Any] = self.text[name].to_dict("records") if self.has(name) else []
        return rows

    @cached_property
    def places(self) -> Mapping[str, Row]:
        """The rows of table ``places`` by their identifier."""
        return {row["place"]: row for row in self.rows("places")}

    @cached_property
    def evidence(self) -> Mapping[tuple[str, str, str], Row]:
        """The rows of table ``evidence`` by (table, key, column), in the table's order."""
        return {(row["table"], row["key"], row["column"]): row for row in self.rows("evidence")}

    @cached_property
    def described(self) -> int:
        """How many interviewees are counted."""
        return count(self.interviewees)

    def values(self) -> dict[tuple[str, str, str], str]:
        """Every coded value as text by (table, key, column), those of the report object included."""
        return coded_values(self.tables, self.report)

    def codebook(self) -> str:
        """The edition's own rulings, Markdown; blank when it has none."""
        return self.further_file("codebook.md")

    def further_file(self, name: str) -> str:
        """The text of a file beside the tables; blank when there is none."""
        DEPENDENCIES.add(name)
        file = self.path / name
        return file.read_text(encoding="utf-8") if file.is_file() else ""

    def hashes(self) -> dict[str, str]:
        """SHA-256 of every file of the edition, by path inside it."""
        DEPENDENCIES.add(EVERYTHING)
        return folder.contents(self.path)


def _text(tables: Mapping[str, Frame], name: str) -> pd.DataFrame:
    return text_frame(tables[name])


def open_edition(edition: str | Path, minimum_cell: int = 0, *, engine: str = "") -> Edition:
    """An edition, read and checked.

    InputError carries every problem found; warnings do not stop it.

    Parameters
    ----------
    edition : str or Path
        A name under ``data/``, the path of a folder with a ``datapackage.json``, or the address of one.
    minimum_cell : int
        The fewest people that a published count may stand for; 0 for what the edition says. It may ask
        for more than the edition does, never for less: who gave the data was promised the edition's number.
    engine : str
        Address of a Spark Connect server, as ``sc://HOST:PORT``, that holds and counts Parquet tables.

    Examples
    --------
    >>> open_edition("oral-2022").declared
    17
    """
    engine = spark.address(engine)
    path = find(edition, engine)
    marker = folder.validation_marker(path, engine)
    validated = marker.exists()
    opened, problems = examine(path, validated=validated, engine=engine)
    errors = [problem for problem in problems if not problem.warning]
    if errors or opened is None:
        raise InputError(grouped(errors))
    own = opened.minimum_cell
    if minimum_cell and minimum_cell < own:
        hint = f"{own} is the edition's own number"
        raise InputError.one("parameter minimum_cell", str(minimum_cell), f"{own} or more, or 0", hint)
    if not validated:
        files.write_atomically(marker)
        files.prune(marker.parent, 200)
    return replace(opened, report=replace(opened.report, minimum_cell=max(own, minimum_cell)))


def examine(edition: str | Path, *, validated: bool = False, engine: str = "") -> tuple[Edition | None, list[Problem]]:
    """An edition and all that is wrong with it, found in one pass; no edition where nothing can be read.

    What is known to be ``validated``, byte for byte, is not checked, and a table is read when it is asked for.
    """
    engine = spark.address(engine)
    path = find(edition, engine)
    try:
        package = read_package(path, validated=validated)
    except InputError as error:
        return None, list(error.problems)
    home = engine_for([file for file, _ in package.tables.values()], engine)

    def read(name: str) -> Table:
        return read_table(*package.tables[name], schema(name.removeprefix(SECOND)), checked=validated, engine=home)

    frames: dict[str, Callable[[], Frame]] = {}
    problems = package.problems
    if validated:
        frames = {name: partial(_frame, read, name, home) for name in package.tables}
        if "evidence" in frames and not collect_rows(frames["evidence"]().head(1)):
            del frames["evidence"]
    else:
        found = Validation({name: read(name) for name in package.tables}, package, path, home)
        problems = problems + found.problems
        frames = {name: partial(getattr, table, "frame") for name, table in found.tables.items()}
    tables = {name: frame for name, frame in frames.items() if name in TABLES}
    second = {name.removeprefix(SECOND): frame for name, frame in frames.items() if name not in TABLES}
    shown = {name: shown_path(file) for name, (file, _) in package.tables.items()}
    own, others = LazyTables(tables, ""), LazyTables(second, SECOND)
    return Edition(path.name, path, package.content, package.report, own, shown, others), problems


def _frame(read: Callable[[str], Table], name: str, engine: str) -> Frame:
    """A validated table, on the engine of the others."""
    table = read(name)
    if table.stored is None:
        raise InputError(table.problems)
    return table.moved(engine).frame
