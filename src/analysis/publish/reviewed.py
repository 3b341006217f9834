"""What a review asks of an edition: its rows, its problems, its evidence."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import narwhals as nw

from analysis import folder
from analysis.edition import SECOND, Edition, examine, load
from analysis.evidence import source_text, verify
from analysis.frames import Frame, as_frame
from analysis.prose import plural
from analysis.schema import ROOT
from analysis.tables import shown_path
from parabook.book import Book
from parabook.errors import Problem
from parabook.plugins import Evidence, Plugin

MOST_ROWS = 20_000
"""Of a longer table a review says that it differs, not which rows."""

Table = tuple[tuple[str, ...], ...]


class Reviewed(Plugin):
    """The hooks of a review for editions."""

    noun = "edition"

    def find(self, book: Book, name: str) -> Path:
        """The folder of an edition."""
        return folder.find(name)

    def files(self, book: Book, path: Path) -> dict[str, Path]:
        """All files of an edition."""
        return {name: path / name for name in folder.contents(path)}

    def program(self, book: Book) -> dict[str, dict[str, Path]]:
        """Code and data that turn tables into results."""
        places = {"code": ROOT / "src" / "analysis", "schemas": ROOT / "data" / "schemas",
                  "vocabularies": ROOT / "data" / "vocabularies", "basemap": ROOT / "data" / "basemap"}  # fmt: skip
        found = {group: {name: places[group] / name for name in files} for group, files in folder.program().items()}
        # A receipt lists code from src/ on.
        return found | {"code": {f"analysis/{name}": file for name, file in found["code"].items()}}

    def rows(self, book: Book, path: Path) -> dict[str, Table] | None:
        """The rows of an edition's tables, and of its metadata; None where it hides small cells."""
        edition = load(path)
        if edition.report.minimum_cell > 1:
            return None
        tables = {**edition.tables, **{SECOND + name: frame for name, frame in edition.second.items()}}
        found = {name: _rows(frame) for name, frame in tables.items()}
        return {folder.PACKAGE: _metadata(edition)} | {name: table for name, table in found.items() if table}

    def problems(self, book: Book, path: Path) -> Sequence[Problem]:
        """What ``analysis check`` says."""
        return tuple(_inside(examine(path)[1], path))

    def evidence(self, book: Book, path: Path, source: Path) -> Evidence:
        """What ``analysis verify`` says; an edition that hides small cells quotes none of them."""
        text = source_text(source)
        edition = load(path)
        held = verify(edition, text)
        problems = tuple(_inside(held.problems, path))
        if problems and edition.report.minimum_cell > 1:
            problems = (Problem(edition.name, plural(len(problems), "problem"), "none", "analysis verify names them"),)
        return Evidence(str(held), problems)


def _rows(frame: Frame) -> Table:
    if int(frame.select(nw.len()).collect("pandas").item()) > MOST_ROWS:
        return ()
    table = as_frame(frame).drop(columns="_row", errors="ignore")
    return (tuple(table.columns), *(tuple(row) for row in table.itertuples(index=False, name=None)))


def _metadata(edition: Edition) -> Table:
    """What ``datapackage.json`` says besides its list of tables, a row a field."""
    said = {key: value for key, value in edition.package.items() if key not in ("resources", "report")}
    said |= {f"report.{key}": value for key, value in edition.package.get("report", {}).items()}
    text = [
        (key, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)) for key, value in said.items()
    ]
    return (("field", "value"), *text)


def _inside(problems: Iterable[Problem], path: Path) -> Iterator[Problem]:
    """Problems by their files in the edition's folder, wherever that is on this machine."""
    for problem in problems:
        yield replace(problem, file=problem.file.removeprefix(f"{shown_path(path)}/"))
