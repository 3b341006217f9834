"""What moved between two sets of results: tables by daff, charts by deepdiff, texts as they stand. Pure.

Everything is compared exactly, as text: a number that is written otherwise has moved.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
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

    @property
    def where(self) -> str:
        """Row and column in words."""
        return ", ".join(filter(None, [self.row, self.column]))

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        if self.what in ("added", "gone"):
            return f"{where}{self.what}: {self.was or self.now}"
        how = "" if self.what == "changed" else f"{self.what}: "
        return f"{where}{how}{self.was or 'blank'} → {self.now or 'blank'}{f' ({self.by})' if self.by else ''}"


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
            found = tuple(each for each in found if not each.column.startswith("data-"))
            found = found or (Change(was="drawn", now="of other data", what="as its table"),)
        yield Move(kind, name, was, now, found)


def _changes(was: Any, now: Any) -> Iterator[Change]:
    if was is None or now is None:
        yield Change("", "", _words(was), _words(now), "added" if was is None else "gone")
    elif isinstance(now, str):
        yield Change("", "", was, now)
    elif isinstance(now, Mapping):
        yield from _chart_changes(was, now)
    else:
        yield from _table_changes(was, now)


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a chart"
    return f"a table of {len(value) - 1:,} rows" if isinstance(value, tuple) else value or ""


def _table_changes(old: Table, new: Table) -> Iterator[Change]:
    """Columns, rows, cells, order."""
    labels = label_columns(old, new)
    rows, columns = _alignment(old, new, old[0][:labels] if old else ())
    for left, right in columns:
        was, now = old[0][left] if left >= 0 else "", new[0][right] if right >= 0 else ""
        if was != now:
            what = "renamed" if was and now else "gone" if was else "added"
            yield Change("", now or was, was and f"column {was}", now and f"column {now}", what)
    for a, b in rows:
        row, names = (new[b], new[0]) if b >= 0 else (old[a], old[0])
        label = ".".join(row[: max(labels, 1)]) or "(blank)"
        if a >= 0 and b >= 0:
            cells = ((new[0][right], old[a][left], new[b][right]) for left, right in columns if left >= 0 <= right)
            yield from (Change(label, name, was, now) for name, was, now in cells if was != now)
            continue
        text = ", ".join(f"{name} {cell}" for name, cell in list(zip(names, row, strict=False))[labels:] if cell) or "a row"
        yield Change(label, "", *((text, "", "gone") if b < 0 else ("", text, "added")))
    stayed = [(a, ".".join(new[b][: max(labels, 1)])) for a, b in rows if a >= 0 and b >= 0]
    both = [(was[1], now[1]) for was, now in zip(sorted(stayed), stayed, strict=True) if was != now]
    if both:
        yield Change("", "", *("; ".join(side) for side in zip(*both, strict=True)), "rows in another order")


def _alignment(old: Table, new: Table, labels: Sequence[str]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Which rows and which columns daff takes for the same, by position; -1 for none."""
    if not (old and old[0] and new and new[0]):  # daff compares tables that have columns
        sides = [range(1, len(old)), range(1, len(new))], [range(len(table[0]) if table else 0) for table in (old, new)]
        rows, columns = ([*((n, -1) for n in was), *((-1, n) for n in now)] for was, now in sides)
        return rows, columns
    flags = daff.CompareFlags()
    flags.ordered = True
    for label in labels:
        flags.addPrimaryKey(label)
    views = [daff.PythonTableView([list(row) for row in table]) for table in (old, new)]
    found = daff.Coopy.compareTables(*views, flags).align()
    rows, columns = ([(unit.l, unit.r) for unit in part.toOrder().getList()] for part in (found, found.meta))
    return rows[1:], columns


def label_columns(old: Table, new: Table) -> int:
    """How many of the first columns name the rows of both tables: the fewest that name each row once.

    Examples
    --------
    >>> label_columns((("from", "to", "legs"), ("a", "b", "1"), ("a", "c", "1")), (("from", "to", "legs"),))
    2
    """
    heads = [table[0] if table else () for table in (old, new)]
    shared = next((n for n, pair in enumerate(zip(*heads, strict=False)) if pair[0] != pair[1]), min(map(len, heads)))
    most = min(shared, max(len(heads[0]) - 1, 1))  # what is counted stands in the last column: it names no row
    unique = (n for n in range(1, most) if all(len({row[:n] for row in table}) == len(table) for table in (old, new)))
    return next(unique, most)


def _chart_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """By path in the Vega-Lite, their data row by row."""
    from deepdiff import DeepDiff  # takes a second to load

    specs: list[Any] = [{key: part for key, part in chart.items() if key != "datasets"} for chart in (old, new)]
    found: dict[tuple[str, str, str], Change] = {}
    for level in (level for levels in DeepDiff(*specs, view="tree").values() for level in levels):
        path = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in level.path(output_format="list"))
        was, now = ("" if type(end).__name__ == "NotPresent" else _json(end) for end in (level.t1, level.t2))
        change = Change("", path.strip("."), was, now)
        shared = re.sub(r"\blayer\[\d+\]", "layer[*]", change.column)
        # The layers of a chart share their axes: the same change in several of them is one.
        found[shared, was, now] = replace(change, column=shared) if (shared, was, now) in found else change
    yield from sorted(found.values(), key=lambda change: change.column)
    sets = [chart.get("datasets", {}) for chart in (old, new)]
    for name in sorted(sets[0].keys() | sets[1].keys()):
        for change in _table_changes(*(_records(each.get(name, [])) for each in sets)):
            yield replace(change, column=f"data-{name.removeprefix('data-')} {change.column}".strip())


def _records(rows: Sequence[Any]) -> Table:
    """The rows of a chart's data as a table of text."""
    records = [row if isinstance(row, dict) else {"value": row} for row in rows]
    columns = tuple(dict.fromkeys(column for row in records for column in row))
    text = [tuple("" if row.get(c) is None else _json(row[c]).strip('"') for c in columns) for row in records]
    return (columns, *text) if columns else ()


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
