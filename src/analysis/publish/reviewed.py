"""What a review asks of an edition: its rows, its problems, its evidence."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from analysis import folder
from analysis.coding.checks import count
from analysis.coding.package import SECOND
from analysis.coding.verify import source_text, verify
from analysis.editions import examine, open_edition
from analysis.tables import Frame, shown_path, text_frame
from analysis.text import plural
from parabook.errors import Problem, grouped
from parabook.plugins import Evidence, Table

MOST_ROWS = 20_000
"""Of a longer table a review says that it differs, not which rows."""


def rows(path: Path) -> dict[str, Table] | None:
    """The rows of an edition's tables, and of its metadata; None where it hides small cells."""
    edition = open_edition(path)
    if edition.minimum_cell > 1:
        return None
    tables = {**edition.tables, **{SECOND + name: frame for name, frame in edition.second.items()}}
    said = {key: value for key, value in edition.package.items() if key not in ("resources", "report")}
    said |= {f"report.{key}": value for key, value in edition.package.get("report", {}).items()}
    fields = {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for key, value in said.items()
    }
    found = {name: _rows(frame) for name, frame in tables.items()}
    return {
        folder.PACKAGE: (("field", "value"), *fields.items()),
        **{name: table for name, table in found.items() if table},
    }


def _rows(frame: Frame) -> Table:
    if count(frame) > MOST_ROWS:
        return ()
    table = text_frame(frame).drop(columns="_row", errors="ignore")
    return (tuple(table.columns), *(tuple(row) for row in table.itertuples(index=False, name=None)))


def problems(path: Path) -> tuple[Problem, ...]:
    """What ``analysis check`` says."""
    return _inside(path, grouped(examine(path)[1]))


def evidence(path: Path, source: Path) -> Evidence:
    """What ``analysis verify`` says; of an edition that hides small cells, only how much."""
    text, edition = source_text(source), open_edition(path)
    held = verify(edition, text)
    found = _inside(path, held.problems)
    if found and edition.minimum_cell > 1:
        found = (Problem(edition.name, plural(len(found), "problem"), "none", "analysis verify names them"),)
    return Evidence(str(held), found)


def _inside(path: Path, found: Iterable[Problem]) -> tuple[Problem, ...]:
    """Problems by files in the edition's folder, wherever that is on this machine."""
    return tuple(replace(each, file=each.file.removeprefix(f"{shown_path(path)}/")) for each in found)
