"""The loader of every chapter: finds an edition, reads its tables and checks them."""

from __future__ import annotations

import os
from collections import UserDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd

from analysis import folder, spark
from analysis.coding.package import SECOND, Report, read_package
from analysis.coding.relations import coded_values, text_problems, validate
from analysis.csvfile import Cells
from analysis.disclosure import no_people
from analysis.schema import OTHERS, schema
from analysis.tables import Frame, Table, count, engine_for, from_cells, read_table, shown_path, text_cells
from analysis.text import isolate
from parabook import files
from parabook.errors import InputError, Problem, grouped
from parabook.protocol import CHECKED_BESIDE

Row = Mapping[str, str]
"""A row as text by column, blank for missing."""

DEPENDENCIES: set[str] = set()
"""Names of the tables and files that this process has read, ``*`` for all files: what its outputs rest on."""


class LazyTables(UserDict[str, Any]):
    """A mapping by table name whose values are made when first looked up; asking whether it has a name makes none."""

    def __init__(self, names: Iterable[str], make: Callable[[str], Any]) -> None:
        super().__init__(dict.fromkeys(names))
        self.make = cache(make)

    def __getitem__(self, name: str) -> Any:
        if name not in self:
            raise KeyError(name)
        return self.make(name)


@dataclass(frozen=True)
class Edition:
    """One edition, read and checked.

    ``tables`` are narwhals ``LazyFrame`` objects by table name, typed by the schema, with the row number of the file
    as ``_row``; a table that the edition lacks is not among them, and empty in `table`. Those of the second coder are
    called ``second-legs`` and so on. ``files`` are the paths of the tables as problems show them.
    """

    name: str
    path: Path
    engine: str
    package: Mapping[str, Any]
    report: Report
    tables: Mapping[str, Frame] = field(repr=False)
    files: Mapping[str, str] = field(repr=False)

    @property
    def title(self) -> str:
        return str(self.package.get("title") or self.name)

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
        """The line below each exhibit that names the edition's sources."""
        coded = " Coded by the rules of the codebook." if self.has("evidence") or self.has("destinations") else ""
        return f"Source: {self.sources or 'not named'}.{coded}"

    @property
    def sources(self) -> str:
        """The titles of the edition's sources; blank where none is named."""
        titles = [str(each.get("title", "")).strip() for each in self.package.get("sources") or []]
        return "; ".join(map(isolate, filter(None, titles)))

    def has(self, name: str) -> bool:
        """Whether the edition has a table."""
        return name in self.tables

    def table(self, name: str) -> Frame:
        """A table; one that the edition lacks is empty and typed, on the engine of the others."""
        if self.has(name):
            return self.tables[name]
        spec = schema(name)
        return from_cells(Cells(list(spec.columns)), spec, None, "", self.engine).frame

    @cached_property
    def interviewees(self) -> Frame:
        """The interviewees that are counted."""
        return self.table("interviewees").filter(nw.col("counted") == "yes")

    @cached_property
    def described(self) -> int:
        """How many interviewees are counted."""
        return count(self.interviewees)

    @cached_property
    def text(self) -> Mapping[str, pd.DataFrame]:
        """The tables as pandas frames of text, blank for missing: for listing, not for counting."""
        return LazyTables(self.tables, lambda name: pd.DataFrame(text_cells(self.tables[name]), dtype="str"))

    @property
    def second_text(self) -> Mapping[str, pd.DataFrame]:
        """The second coder's tables as text, by the names of the first coder's."""
        names = [name.removeprefix(SECOND) for name in self.tables if name.startswith(SECOND)]
        return LazyTables(names, lambda name: self.text[SECOND + name])

    def frame(self, name: str) -> pd.DataFrame:
        """A table coded by hand as a pandas frame of text, blank for missing; without rows where the edition lacks it.

        Where small cells are suppressed, only tables that do not speak of people one by one can be shown, and of the
        statements only those about others than the interviewees: "two of them" would be a small cell.
        """
        found = self.text[name].copy() if self.has(name) else pd.DataFrame(columns=schema(name).columns, dtype="str")
        if name == "statements" and self.minimum_cell > 1:
            found = found[found["about"].isin(OTHERS)]
        return no_people(found) if name in ("statements", "destinations", "paragraphs") else found

    @cached_property
    def _rows(self) -> Mapping[str, list[Row]]:
        def rows(name: str) -> list[Row]:  # not from `text`: rows of a frame take longer than to read it again
            cells = text_cells(self.tables[name])
            return [dict(zip(cells, row, strict=True)) for row in zip(*cells.values(), strict=True)]

        return LazyTables(self.tables, rows)

    def rows(self, name: str) -> list[Row]:
        """The rows of a table as text; none where the edition lacks it."""
        return self._rows.get(name, [])

    @cached_property
    def places(self) -> Mapping[str, Row]:
        """The rows of table ``places`` by their identifier."""
        return {row["place"]: row for row in self.rows("places")}

    @cached_property
    def evidence(self) -> Mapping[tuple[str, str, str], Row]:
        """The rows of table ``evidence`` by (table, key, column), in the table's order."""
        return {(row["table"], row["key"], row["column"]): row for row in self.rows("evidence")}

    @cached_property
    def _values(self) -> Mapping[tuple[str, str, str], str]:
        return coded_values(self.tables, self.report)

    def values(self) -> Mapping[tuple[str, str, str], str]:
        """Every coded value as text by (table, key, column), those of the report object included."""
        return self._values

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
        DEPENDENCIES.add("*")
        return folder.contents(self.path)


def open_edition(edition: str | Path, minimum_cell: int = 0, *, engine: str = "") -> Edition:
    """Open an edition, read and checked; the arguments are those of `exhibits.open_edition`, which also guards displays.

    ``engine`` is the address of a Spark Connect server, which holds all tables if any of them is Parquet.

    Raises
    ------
    InputError
        With every problem found; warnings alone do not stop it.
    """
    engine = spark.address(engine)
    path = folder.find(edition, engine)
    marker = folder.validation_marker(path, engine)
    validated = marker.exists() or bool(os.environ.get(CHECKED_BESIDE))  # in a preview
    opened, problems = examine(path, validated=validated, engine=engine)
    errors = [problem for problem in problems if not problem.warning]
    if errors or opened is None:
        raise InputError(grouped(errors))
    own = opened.minimum_cell  # promised to those who gave the data: it can be raised, never lowered
    if minimum_cell and minimum_cell < own:
        hint = f"{own} is the edition's own number"
        raise InputError.one("parameter minimum_cell", str(minimum_cell), f"{own} or more, or 0", hint)
    if not validated:
        files.write_atomically(marker)
        files.prune(marker.parent, 200)
    return replace(opened, report=replace(opened.report, minimum_cell=max(own, minimum_cell)))


def examine(edition: str | Path, *, validated: bool = False, engine: str = "") -> tuple[Edition | None, list[Problem]]:
    """An edition and all that is wrong with it, found in one pass; None in place of an edition that cannot be read.

    Of a ``validated`` edition, known byte for byte, only the texts are checked, and tables are read when looked up.
    """
    engine = spark.address(engine)
    path = folder.find(edition, engine)
    try:
        if not validated:
            folder.files(path)  # refuses a file too large to be read
        package = read_package(path, validated=validated)
    except InputError as error:
        return None, list(error.problems)
    home = engine_for([file for file, _ in package.tables.values()], engine)

    def read(name: str) -> Table:
        return read_table(*package.tables[name], schema(name.removeprefix(SECOND)), home, validated=validated)

    readable: Mapping[str, Table] = LazyTables(package.tables, read)
    found: Iterable[Problem]
    if validated:
        found = text_problems(path, None, package.report)
        names = [name for name in readable if name != "evidence" or count(readable[name].frame.head(1))]
    else:
        readable, found = validate(dict(readable), package, path)
        names = list(readable)
    problems = [*package.problems, *found]

    def frame(name: str) -> Frame:
        DEPENDENCIES.add(name)
        return readable[name].frame

    tables = LazyTables(names, frame)
    shown = {name: shown_path(file) for name, (file, _) in package.tables.items()}
    return Edition(path.name, path, home, package.content, package.report, tables, shown), problems
