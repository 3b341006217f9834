"""Honest counts: every table of interviewees adds up to the declared number, with rows for what is not known.

The engine that holds a table groups by raw codes (`count_by`); the chapter puts labels on these few groups, in pandas;
`complete` adds the rows for what is not known, sorts, and suppresses small cells. It works in plain Python, as pandas
takes longer for ten rows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw
import pandas as pd

from analysis.disclosure import BOUND, NO_BAND, NOT_DESCRIBED, NOT_STATED, STATED, narrows, suppress, withhold
from analysis.editions import Edition
from analysis.tables import collect, count
from parabook.errors import missing

LISTED_UP_TO = 200
"""The most people that are listed one by one; more are only counted."""

LAST: Mapping[str, float] = {NO_BAND: 0.5, NOT_STATED: 1, NOT_DESCRIBED: 2}
"""Labels that come after all others, in this order."""

Labels = tuple[str, ...]
"""The labels of a row, one for each column."""


def count_by(frame: nw.LazyFrame[Any], *columns: str, key: str = "interviewee") -> pd.DataFrame:
    """Count rows for each combination of codes, on whatever engine holds the table.

    Parameters
    ----------
    frame : LazyFrame
        Has ``key`` and the columns.
    *columns : str
        What to group by. Missing values are a group of their own.
    key : str
        The column that names the rows behind a count.

    Returns
    -------
    DataFrame
        The columns (missing text blank, missing numbers NA), ``n``, and ``who``: a tuple of keys, empty where the table
        has more than `LISTED_UP_TO` rows. Without rows where the edition lacks a column; an exhibit of it says so.

    Examples
    --------
    >>> rows = {"interviewee": ["i01", "i02", "i03"], "mode": ["air", None, "air"]}
    >>> count_by(nw.from_native(pd.DataFrame(rows)).lazy(), "mode").values.tolist()
    [['', 1, ('i02',)], ['air', 2, ('i01', 'i03')]]
    """
    lacking = [name for name in columns if name not in frame.collect_schema().names()]
    if lacking:
        empty = pd.DataFrame(columns=[*columns, "n", "who"])
        empty.attrs["lacking"] = lacking
        return empty
    groups = to_pandas(frame.group_by(*columns).agg(nw.len().alias("n"))).sort_values(list(columns), ignore_index=True)
    behind: dict[tuple[Any, ...], list[str]] = {}
    if 0 < groups["n"].sum() <= LISTED_UP_TO:
        rows = to_pandas(frame.select(*dict.fromkeys((key, *columns))))
        for who, codes in zip(rows[key].tolist(), _codes(rows, columns), strict=True):
            behind.setdefault(codes, []).append(who)
    groups["who"] = [tuple(sorted(behind.get(codes, ()))) for codes in _codes(groups, columns)]
    return groups


def _codes(table: pd.DataFrame, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """The codes of each row as a tuple, None for missing."""
    cells = ([None if missing(each) else each for each in table[name].tolist()] for name in columns)
    return list(zip(*cells, strict=True))


def to_pandas(frame: nw.LazyFrame[Any]) -> pd.DataFrame:
    """A lazy table in memory, the same from every engine: missing text blank, whole numbers as ``Int64``."""
    found = collect(frame)
    for name in found.columns:
        column = found[name]
        if pd.api.types.is_bool_dtype(column):
            found[name] = column.astype("boolean")
        elif not pd.api.types.is_numeric_dtype(column):
            found[name] = pd.Series(["" if missing(each) else each for each in column.tolist()], dtype="object")
        elif (column.dropna() % 1 == 0).all():
            found[name] = column.astype("Int64")
    return found


def complete(
    groups: pd.DataFrame,
    by: str | Sequence[str],
    book: Edition,
    *,
    rows: Sequence[str] | Mapping[str, Sequence[str]] = (),
    unit: str = "interviewees",
) -> pd.DataFrame:
    """Make counts by label add up, by rows for who is not stated and who is not described.

    Parameters
    ----------
    groups : DataFrame
        The result of `count_by`, with a label in each column of ``by``; a blank label is "not stated".
    by : str or sequence of str
        The label column or columns.
    book : Edition
        Declares how many interviewees there are, and which cells are too small to publish.
    rows : sequence of str, or mapping of column to such
        Labels in a fixed order, of a single ``by`` column also those that nobody has; further labels follow by name. A
        column without such an order is sorted by size.
    unit : str
        What is counted. ``"interviewees"`` add up to the declared number.

    Returns
    -------
    DataFrame
        ``by``, ``unit``, then ``state`` (stated, not stated, not described, not shown apart) and ``who``. Without
        rows, and ``attrs["withheld"]``, where small cells leave nothing to publish.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> book = SimpleNamespace(declared=5, minimum_cell=1)
    >>> groups = pd.DataFrame({"mode": ["", "air"], "n": [1, 2], "who": [("i02",), ("i01", "i03")]})
    >>> complete(groups, "mode", book)[["mode", "interviewees"]].values.tolist()
    [['air', 2], ['not stated', 1], ['not described', 2]]
    """
    names = [by] if isinstance(by, str) else list(by)
    order = dict(rows) if isinstance(rows, Mapping) else {names[0]: list(rows)}
    if "lacking" in groups.attrs:
        empty = pd.DataFrame(columns=[*names, unit, "state", "who"])
        empty.attrs = groups.attrs
        return empty
    counts: Counter[Labels] = Counter()
    behind: defaultdict[Labels, tuple[str, ...]] = defaultdict(tuple)
    for *codes, n, who in zip(*(groups[name].tolist() for name in (*names, "n", "who")), strict=True):
        labels = tuple(NOT_STATED if missing(code) or code == "" else str(code) for code in codes)
        counts[labels] += int(n)
        behind[labels] += who
    if len(names) == 1:
        for label in order.get(names[0], ()):
            counts[(label,)] += 0
    if unit == "interviewees" and book.declared is not None:
        counts[(NOT_DESCRIBED,) * len(names)] += book.declared - counts.total()
    ordered = _sorted(counts, names, order)
    cells = [(*labels, counts[labels], _state(labels), tuple(sorted(behind[labels]))) for labels in ordered]
    table = pd.DataFrame(cells, columns=[*names, unit, "state", "who"])
    table = table.astype({**dict.fromkeys(names, "str"), unit: "int64", "state": "str", "who": "object"})
    # A person may have many legs; two traits at once, or two of a journey, narrow each other.
    alone = unit == "interviewees" and len(names) == 1 and BOUND.isdisjoint(groups.columns)
    least = book.minimum_cell
    table = suppress(table, least) if alone or least <= 1 else withhold(table, least, narrows(least))
    unclear = (table[names] == NO_BAND).any(axis="columns")  # known, but in more than one band
    table["state"] = table["state"].mask(unclear, NO_BAND)
    return table


def _state(labels: Labels) -> str:
    """The state of a row: stated, not stated or not described."""
    return next((state for state in (NOT_DESCRIBED, NOT_STATED) if state in labels), STATED)


def _sorted(counts: Counter[Labels], names: Sequence[str], order: Mapping[str, Sequence[str]]) -> list[Labels]:
    """The labels of rows, sorted by each column in turn: known ones first, in fixed order or by size, then by name."""
    fixed = [{label: at for at, label in enumerate(order.get(name, ()))} for name in names]
    sizes = [Counter[str]() for _ in names]
    for labels, n in counts.items():
        for size, label in zip(sizes, labels, strict=True):
            size[label] += n

    def place(labels: Labels) -> list[tuple[float, int, str]]:
        parts = []
        for label, at, size in zip(labels, fixed, sizes, strict=True):
            rank = at.get(label, len(at)) if at else -size[label]
            parts.append((LAST.get(label, 0), rank, label))
        return parts

    return sorted(counts, key=place)


def known(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a completed table with a stated label and at least one person, the largest first."""
    unit = unit_of(table)
    rows = table[(table["state"] == STATED) & (table[unit] > 0)]
    return rows.sort_values(unit, ascending=False, kind="stable")


def unit_of(table: pd.DataFrame) -> str:
    """The column of a completed table that holds the counts."""
    return str(table.columns[-3])


def list_people(book: Edition, frame: nw.LazyFrame[Any] | None = None) -> pd.DataFrame:
    """The interviewees one by one, in order; nobody where they are too many, or where small cells are suppressed.

    Parameters
    ----------
    frame : LazyFrame, optional
        With a column ``interviewee``; by default those that are counted.
    """
    people = book.interviewees if frame is None else frame
    if book.minimum_cell > 1 or too_many(book):
        people = people.head(0)
    return to_pandas(people).sort_values("interviewee", ignore_index=True)


def too_many(book: Edition) -> bool:
    """Whether an edition has more people than are listed one by one."""
    return count(book.table("interviewees").head(LISTED_UP_TO + 1)) > LISTED_UP_TO
