"""What moved between two sets of results: tables by daff, charts by deepdiff, texts as they stand. Pure.

Everything is compared exactly, as text: a number that is written otherwise has moved.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

import daff  # type: ignore[import-untyped]

from parabook.plugins import Table
from parabook.review.results import Exhibit, Results

FOLLOWS = re.compile(r"^datasets\.|\b(description|title|text|sort|width|height|step|yOffset)(\[\d+\]|\.\w+)*$")
"""Paths in a chart that say what is drawn or how large it is, not how: they move as the table moves."""


@dataclass(frozen=True)
class Move:
    """One thing that is not as it was.

    Attributes
    ----------
    part : str
        ``table``, ``view`` (the table as its page shows it), ``chart``, ``words`` (caption, finding, notes, source),
        ``exhibit`` (all of it), ``input``, or the kind of a text.
    of : str
        The exhibit, the chapter and name of a text, or the input's table.
    row, column : str
        The row by its labels, and the column; of a chart, the path in its Vega-Lite.
    old, new : str
        From what to what; blank where it was not there or is gone.
    what : str
        ``changed``, ``added``, ``gone``, ``renamed``, ``in another order``.
    """

    part: str
    of: str
    row: str = ""
    column: str = ""
    old: str = ""
    new: str = ""
    what: str = "changed"

    @property
    def by(self) -> str:
        """By how much a number moved, exactly; blank for text.

        Examples
        --------
        >>> Move("table", "x", old="100000", new="120000").by, Move("table", "x", old="a", new="3").by
        ('+20,000', '')
        """
        try:
            by = Decimal(self.new) - Decimal(self.old)
        except InvalidOperation:
            return ""
        return (f"{by:+,f}" if by else "±0") if by.is_finite() else ""

    @property
    def change(self) -> str:
        """From what to what, in words."""
        if self.what in ("added", "gone"):
            return f"{self.what}: {self.old or self.new}"
        how = "" if self.what == "changed" else f"{self.what}: "
        return f"{how}{self.old or 'blank'} → {self.new or 'blank'}{f' ({self.by})' if self.by else ''}"

    def __str__(self) -> str:
        where = ", ".join(filter(None, [self.row, self.column]))
        return f"{self.part} {self.of}{f': {where}' if where else ''}: {self.change}"


@dataclass(frozen=True)
class Row:
    """A row of two aligned tables: its label, what became of it, each column from and to."""

    label: str
    state: str
    cells: tuple[tuple[str, str], ...]
    place: int
    """Where it stood in the old table; -1 when it did not."""


@dataclass(frozen=True)
class TableDiff:
    """Two tables, aligned by daff; a column that is on one side only is blank on the other."""

    columns: tuple[tuple[str, str], ...] = ()
    rows: tuple[Row, ...] = ()
    labels: tuple[str, ...] = ()

    @cached_property
    def order(self) -> tuple[list[str], list[str]]:
        """Rows of both sides that stand in another order, by label: as they stood, and as they stand."""
        new = [row for row in self.rows if row.state not in ("added", "gone")]
        old = sorted(new, key=lambda row: row.place)
        moved = [(was.label, now.label) for was, now in zip(old, new, strict=True) if was.place != now.place]
        return [was for was, _ in moved], [now for _, now in moved]

    @property
    def total(self) -> tuple[str, int, int] | None:
        """The name and both sums of the last column, where that holds nothing but counts."""
        if not self.columns or len(self.columns) < 2 or self.columns[-1][0] != self.columns[-1][1]:
            return None
        sides = [
            [row.cells[-1][n] for row in self.rows if row.state != gone] for n, gone in ((0, "added"), (1, "gone"))
        ]
        if not all(cell.isascii() and cell.isdigit() for side in sides for cell in side) or not all(sides):
            return None
        return self.columns[-1][1], sum(map(int, sides[0])), sum(map(int, sides[1]))


def align(old: Table, new: Table, labels: Sequence[str] = (), join: str = ", ") -> TableDiff:
    """Align two tables by the columns that name their rows.

    Examples
    --------
    >>> old = (("age", "n"), ("18–24", "4"), ("25–34", "2"))
    >>> new = (("age", "n"), ("under 18", "1"), ("18–24", "3"), ("25–34", "2"))
    >>> [(row.label, row.state, row.cells[1]) for row in align(old, new).rows]
    [('under 18', 'added', ('', '1')), ('18–24', 'changed', ('4', '3')), ('25–34', '', ('2', '2'))]
    """
    labels = labels or label_columns(old, new)
    pairs, columns = _alignment(old, new, labels)
    names = tuple((old[0][a] if a >= 0 else "", new[0][b] if b >= 0 else "") for a, b in columns)
    rows, seen = [], Counter[str]()
    for a, b in pairs:
        cells = tuple((_at(old, a, left), _at(new, b, right)) for left, right in columns)
        state = "added" if a < 0 else "gone" if b < 0 else "changed" if any(was != now for was, now in cells) else ""
        named = [
            cells[n][0 if state == "gone" else 1]
            for n, name in enumerate(names)
            if name[0] in labels or name[1] in labels
        ]
        label = join.join(named) or "(blank)"
        seen[label] += 1
        rows.append(Row(label if seen[label] == 1 else f"{label} ({seen[label]})", state, cells, a))
    return TableDiff(names, tuple(rows), tuple(labels))


def _alignment(old: Table, new: Table, labels: Sequence[str]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Which rows and which columns daff takes for the same, by position; -1 for none."""
    if not (old and old[0] and new and new[0]):  # daff compares tables that have columns
        rows, columns = [(n, -1) for n in range(1, len(old))], [(n, -1) for n in range(len(old[0]) if old else 0)]
        rows += [(-1, n) for n in range(1, len(new))]
        return rows, columns + [(-1, n) for n in range(len(new[0]) if new else 0)]
    flags = daff.CompareFlags()
    flags.ordered = True
    for label in labels:
        flags.addPrimaryKey(label)
    views = [daff.PythonTableView([list(row) for row in table]) for table in (old, new)]
    found = daff.Coopy.compareTables(*views, flags).align()
    rows, columns = ([(unit.l, unit.r) for unit in part.toOrder().getList()] for part in (found, found.meta))
    return rows[1:], columns


def _at(table: Table, row: int, column: int) -> str:
    return table[row][column] if row >= 0 and column >= 0 else ""


def label_columns(old: Table, new: Table) -> list[str]:
    """The columns that name the rows of both tables: the fewest from the left that name each row once.

    Examples
    --------
    >>> label_columns((("from", "to", "legs"), ("a", "b", "1"), ("a", "c", "1")), (("from", "to", "legs"),))
    ['from', 'to']
    """
    sides = [table for table in (old, new) if table]
    shared = [column for column in (sides[0][0] if sides else ()) if all(column in side[0] for side in sides)]

    def unique(columns: Sequence[str]) -> bool:
        for side in sides:
            places = [side[0].index(column) for column in columns]
            if len({tuple(row[place] for place in places) for row in side[1:]}) < len(side) - 1:
                return False
        return True

    # What is counted stands in the last column: it names no row, even where that leaves two rows of one name.
    return next((shared[:n] for n in range(1, len(shared)) if unique(shared[:n])), shared[:-1] or shared)


def table_moves(part: str, of: str, diff: TableDiff) -> Iterator[Move]:
    """The moves of a table: columns, rows, cells, order."""
    for was, now in diff.columns:
        if was != now:
            what = "renamed" if was and now else "gone" if was else "added"
            yield Move(part, of, "", now or was, was and f"column {was}", now and f"column {now}", what)
    names = [now or was for was, now in diff.columns]
    for row in diff.rows:
        if row.state in ("added", "gone"):
            text = _values(row, names, diff.labels)
            old, new = ("", text) if row.state == "added" else (text, "")
            yield Move(part, of, row.label, "", old, new, row.state)
        for name, column, (was, now) in zip(names, diff.columns, row.cells, strict=True):
            if row.state == "changed" and was != now and all(column):
                yield Move(
                    part, of, row.label, name, *_items(was, now), "renamed" if name in diff.labels else "changed"
                )
    old, new = ("; ".join(side) for side in diff.order)
    if old:
        yield Move(part, of, "", "", old, new, "rows in another order")


def _values(row: Row, names: Sequence[str], labels: Sequence[str]) -> str:
    """A row's values besides its labels, in words."""
    values = [(name, was or now) for name, (was, now) in zip(names, row.cells, strict=True) if name not in labels]
    return ", ".join(f"{name} {text}" for name, text in values if text).replace("\n", "; ") or "a row"


def _items(old: str, new: str) -> tuple[str, str]:
    """Two cells; of lists, which stand line by line, the items that are not on the other side.

    Examples
    --------
    >>> _items("i02 (#a)\\ni03 (#b)", "i01 (#z)\\ni02 (#a)\\ni03 (#b)")
    ('', 'i01 (#z)')
    """
    if "\n" not in old + new:
        return old, new
    was, now = old.split("\n"), new.split("\n")
    lost, found = (", ".join(item for item in side if item not in other) for side, other in ((was, now), (now, was)))
    return (lost, found) if lost or found else (", ".join(was), ", ".join(now))


def chart_moves(of: str, old: Any, new: Any) -> Iterator[Move]:
    """What moved between two charts: by path in the Vega-Lite, their data row by row."""
    if old == new:
        return
    if old is None or new is None:
        was, now = ("a chart" if chart else "" for chart in (old, new))
        yield Move("chart", of, old=was, new=now, what="added" if now else "gone")
        return
    from deepdiff import DeepDiff  # takes a second to load

    specs: list[Any] = [{key: part for key, part in chart.items() if key != "datasets"} for chart in (old, new)]
    found: dict[tuple[str, str, str], Move] = {}
    for level in (level for levels in DeepDiff(specs[0], specs[1], view="tree").values() for level in levels):
        path = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in level.path(output_format="list"))
        was, now = ("" if type(end).__name__ == "NotPresent" else _json(end) for end in (level.t1, level.t2))
        move = Move("chart", of, column=path.strip("."), old=was, new=now)
        key = (re.sub(r"\blayer\[\d+\]", "layer[*]", move.column), was, now)
        # The layers of a chart share their axes: the same change in several of them is one move.
        found[key] = replace(move, column=key[0]) if key in found else move
    yield from sorted(found.values(), key=lambda move: move.column)
    sets = [chart.get("datasets", {}) for chart in (old, new)]
    for name in sorted(sets[0].keys() | sets[1].keys()):
        rows = [_records(each.get(name, [])) for each in sets]
        for move in table_moves("chart", of, align(rows[0], rows[1])):
            yield replace(move, column=f"datasets.{name}.{move.column}".strip("."))


def _records(rows: Sequence[Any]) -> Table:
    """The rows of a chart's data as a table of text."""
    records = [row if isinstance(row, dict) else {"value": row} for row in rows]
    columns = tuple(dict.fromkeys(column for row in records for column in row))
    text = [tuple("" if row.get(c) is None else _json(row[c]).strip('"') for c in columns) for row in records]
    return (columns, *text) if columns else ()


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def exhibit_moves(id_: str, old: Exhibit | None, new: Exhibit | None) -> Iterator[Move]:
    """What moved in an exhibit; None where it is not there."""
    if old is None or new is None:
        was, now = (side.words.get("caption") or "an exhibit" if side else "" for side in (old, new))
        yield Move("exhibit", id_, "", "", was, now, "added" if new else "gone")
        return
    for move in table_moves("table", id_, align(old.shown, new.shown)):
        yield move if move.column in (*old.columns, *new.columns, "") else replace(move, part="view")
    yield from table_moves("view", id_, align(old.apart, new.apart))
    yield from chart_moves(id_, old.chart, new.chart)
    for word, was, now, _ in pairs(old.words, new.words):
        yield Move("words", id_, "", word, was, now)


def text_moves(old: Results, new: Results) -> Iterator[Move]:
    """The moves of prose, glued values, other outputs, parameters."""
    for kind in {**new.texts, **old.texts}:
        for name, was, now, what in pairs(old.texts.get(kind, {}), new.texts.get(kind, {})):
            yield Move(kind, name, old=was, new=now, what=what)


def pairs(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[tuple[str, str, str, str]]:
    """What differs between two mappings: name, from, to, and how."""
    for name in {**old, **new}:
        if old.get(name) != new.get(name):
            what = "added" if name not in old else "gone" if name not in new else "changed"
            yield name, old.get(name, ""), new.get(name, ""), what
