"""What moved between two sets of results: tables by daff, charts by deepdiff, texts as they stand. Pure.

Everything is compared exactly, as text: a number that is written otherwise has moved.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

import daff  # type: ignore[import-untyped]

from parabook.plugins import Table
from parabook.review.results import ABOUT, Results


@dataclass(frozen=True)
class Change:
    """One thing that is not as it was: in which row and column (of a chart, at which path), from what to what."""

    row: str = ""
    column: str = ""
    was: str = ""
    now: str = ""
    what: str = "changed"

    @property
    def by(self) -> str:
        """By how much a number moved, exactly; blank for text.

        Examples
        --------
        >>> Change(was="100000", now="120000").by, Change(was="a", now="3").by
        ('+20,000', '')
        """
        try:
            by = Decimal(self.now) - Decimal(self.was)
        except InvalidOperation:
            return ""
        return (f"{by:+,f}" if by else "±0") if by.is_finite() else ""

    def __str__(self) -> str:
        where = "".join(f"{part}, " for part in (self.row, self.column) if part)[:-2]
        if self.what in ("added", "gone"):
            change = f"{self.what}: {self.was or self.now}"
        else:
            how = "" if self.what == "changed" else f"{self.what}: "
            change = f"{how}{self.was or 'blank'} → {self.now or 'blank'}{f' ({self.by})' if self.by else ''}"
        return f"{where}: {change}" if where else change


@dataclass(frozen=True)
class Move:
    """A result, or a cause, that differs: None where it was not, or is gone."""

    kind: str
    name: str
    was: Any
    now: Any
    changes: tuple[Change, ...]

    @property
    def what(self) -> str:
        """Whether it changed, was added or is gone."""
        return "added" if self.was is None else "gone" if self.now is None else "changed"

    def lines(self) -> Iterator[str]:
        """Each change in a line, cut when long."""
        for change in self.changes:
            line = " ".join(f"{self.kind} {self.name}: {change}".split())
            yield line if len(line) <= 300 else f"{line[:299]}…"


def moves(old: Results, new: Results) -> Iterator[Move]:
    """What differs between two sets of results, in the order of the new ones.

    Examples
    --------
    >>> tables = ({"table/by-age": (("age", "n"), ("18–24", n))} for n in "45")
    >>> [*next(moves(*tables)).lines()]
    ['table by-age: 18–24, n: 4 → 5 (+1)']
    """
    for key in {**new, **old}:
        kind, _, name = key.partition("/")
        was, now = old.get(key), new.get(key)
        if was == now or kind in ABOUT:
            continue
        found = tuple(_changes(was, now))
        if kind == "chart" and old.get(f"table/{name}") != new.get(f"table/{name}"):
            found = tuple(each for each in found if not each.column.startswith("datasets"))
            found = found or (Change("", "datasets", "of the old table", "of the new table"),)
        yield Move(kind, name, was, now, found)


def _changes(was: Any, now: Any) -> Iterator[Change]:
    if was is None or now is None:
        old, new = (end if isinstance(end, str) else "" if end is None else "all of it" for end in (was, now))
        yield Change("", "", old, new, "added" if was is None else "gone")
    elif isinstance(now, Mapping):
        yield from _chart_changes(was, now)
    elif isinstance(now, tuple):
        yield from _table_changes(was, now)
    else:
        yield Change("", "", was, now)


def _table_changes(old: Table, new: Table) -> Iterator[Change]:
    """Columns, rows, cells, order."""
    old, new = old or ((),), new or ((),)
    labels = _label_columns(old, new)
    rows, columns = _alignment(old, new, labels)
    for left, right in columns:
        was, now = old[0][left] if left >= 0 else "", new[0][right] if right >= 0 else ""
        if was != now:
            what = "renamed" if was and now else "gone" if was else "added"
            yield Change("", now or was, was and f"column {was}", now and f"column {now}", what)
    stayed = []
    for a, b in rows:
        names, row = (new[0], new[b]) if b >= 0 else (old[0], old[a])
        label = ".".join(row[: max(labels, 1)]) or "(blank)"
        if a >= 0 and b >= 0:
            stayed.append((a, label))
            cells = [(new[0][right], old[a][left], row[right]) for left, right in columns if left >= 0 <= right]
            yield from (Change(label, name, was, now) for name, was, now in cells if was != now)
        else:
            named = zip(names[labels:], row[labels:], strict=False)
            text = ", ".join(f"{name} {cell}" for name, cell in named if cell) or "a row"
            yield Change(label, was=text, what="gone") if b < 0 else Change(label, now=text, what="added")
    both = [(was, now) for (_, was), (_, now) in zip(sorted(stayed), stayed, strict=True) if was != now]
    if both:
        was, now = ("; ".join(side) for side in zip(*both, strict=True))
        yield Change("", "", was, now, "rows in another order")


def _alignment(old: Table, new: Table, labels: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Which rows and which columns daff takes for the same, by position; -1 for none."""
    if not (old[0] and new[0]):  # daff compares tables that have columns
        was, now = ([range(1, len(table)), range(len(table[0]))] for table in (old, new))
        rows, columns = ([*((n, -1) for n in was[i]), *((-1, n) for n in now[i])] for i in (0, 1))
        return rows, columns
    flags = daff.CompareFlags()
    flags.ordered = True
    for label in old[0][:labels]:
        flags.addPrimaryKey(label)
    views = [daff.PythonTableView([list(row) for row in table]) for table in (old, new)]
    found = daff.Coopy.compareTables(*views, flags).align()
    rows, columns = ([(unit.l, unit.r) for unit in part.toOrder().getList()] for part in (found, found.meta))
    return rows[1:], columns


def _label_columns(old: Table, new: Table) -> int:
    """How many of the first columns name the rows of both tables: the fewest that name each row once."""
    most = max(len(new[0]) - 1, 1)  # what is counted stands in the last column: it names no row
    most = next((n for n in range(most, 0, -1) if old[0][:n] == new[0][:n]), 0)
    unique = (n for n in range(1, most) if all(len({row[:n] for row in table}) == len(table) for table in (old, new)))
    return next(unique, most)


def _chart_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Each by its path in the Vega-Lite."""
    from deepdiff import DeepDiff  # takes a second to load

    found: dict[tuple[str, str, str], Change] = {}
    for level in (level for levels in DeepDiff(old, new, view="tree").values() for level in levels):
        path = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in level.path(output_format="list"))
        was, now = (_json(end) for end in (level.t1, level.t2))
        change = Change("", path.strip("."), was, now)
        shared = re.sub(r"\blayer\[\d+\]", "layer[*]", change.column)
        # The layers of a chart share their axes: the same change in several of them is one.
        found[shared, was, now] = replace(change, column=shared) if (shared, was, now) in found else change
    yield from sorted(found.values(), key=lambda change: change.column)


def _json(end: Any) -> str:
    """A part of a chart as JSON; blank for deepdiff's sign that there is none."""
    return "" if type(end).__name__ == "NotPresent" else json.dumps(end, sort_keys=True, ensure_ascii=False)
