"""Small cells suppressed. Pure: tables of counts in, tables in which no fewer than ``minimum`` people stand out.

Rows are joined, not blanked, for a row exists because somebody is in it: "bar manager, 18–24: fewer than 3" says that
there is one. Rows that are too small lose their label too, and stand together as `NOT_SHOWN`. So every number stays a
number, every table adds up to the declared number, and a CSV needs no mark that a program could mistake for a count.

What is promised, of every row that a table would have without suppression and that holds fewer than ``minimum`` people:
from all that the book prints, together, it may as well be empty or hold ``minimum`` people and more. Of a pair of
profession and age: what it may hold spans at least ``minimum`` people and reaches ``minimum``.

How it follows, for one table (`suppress`): the hidden rows are two or more and their sum is ``minimum`` or more, and
nothing but that sum is said of them. Whoever knows this rule as well does not learn a hidden number either: rows are
chosen by size alone, so that any two of them may be swapped, and labels come from the data, so that there may be others.
(Of two traits crossed this needs a ``minimum`` of 3: with 2 a small cell can only hold one.)
Tables of different traits share nothing but the number of people, so that no table narrows another.

What is not hidden, as it is nobody's trait: how many the source declares, and how many of them it describes.
Two books of one edition with different bands or levels, laid side by side, are beyond this promise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pandas as pd

STATED, NOT_STATED, NOT_DESCRIBED = "stated", "not stated", "not described"
NOT_SHOWN = "not shown apart"
"""What a row of a table says of its people; people of small rows stand together as not shown apart."""

PEOPLE = ("interviewees", "legs", "places")
"""Tables that speak of people one by one: a place is in its table because somebody went there."""

NOBODY = 2**31
"""More people than any cell must have: marks a table that holds no people."""


class Withheld(Exception):
    """Nothing of a table can be shown without giving small groups away."""


def promise(minimum: int) -> str:
    """What a reader sees in place of what is withheld."""
    return f"Withheld: this edition publishes no cell of fewer than {minimum:,} people."


def safe(table: pd.DataFrame, minimum: int) -> pd.DataFrame:
    """A table marked as holding no cell of fewer than ``minimum`` people; exhibits show only tables so marked.

    The mark goes along when rows and columns are selected, and is lost when a table is merged or concatenated with one
    that is not marked. It keeps from mistakes, not from intent: a column assigned to a marked table is not looked at.
    """
    table = table.copy(deep=False)
    table.attrs["minimum_cell"] = minimum
    return table


def no_people(table: pd.DataFrame) -> pd.DataFrame:
    """A table marked as holding no people at all, so that it may be shown whatever the edition promises."""
    return safe(table, NOBODY)


def one_by_one(table: pd.DataFrame, minimum: int) -> pd.DataFrame:
    """A table that speaks of people one by one: withheld where small cells are suppressed."""
    return withhold(table, minimum) if minimum > 1 else table


def is_safe(table: pd.DataFrame, minimum: int) -> bool:
    """Whether a table may be shown where small cells are suppressed.

    Examples
    --------
    >>> counts, people = safe(pd.DataFrame({"age": ["18–24"], "n": [9]}), 5), pd.DataFrame({"age": ["18–24"]})
    >>> is_safe(counts, 5), is_safe(counts, 6), is_safe(people, 5), is_safe(counts.merge(people), 5)
    (True, False, False, False)
    """
    return minimum <= 1 or int(table.attrs.get("minimum_cell", 0)) >= minimum


def holds_no_people(table: pd.DataFrame) -> bool:
    """Whether a table was marked by `no_people`."""
    return is_safe(table, NOBODY)


def withhold(table: pd.DataFrame, minimum: int) -> pd.DataFrame:
    """A table of which nothing is published: its columns without a row."""
    table = safe(table.iloc[:0], minimum)
    table.attrs["withheld"] = True
    return table


def unnamed(table: pd.DataFrame) -> pd.DataFrame:
    """A table that says of no row who is behind it: ``who`` is empty throughout."""
    table = table.copy(deep=False)
    table["who"] = [()] * len(table)
    return table


def suppress(table: pd.DataFrame, minimum: int) -> pd.DataFrame:
    """A table of people by one trait, as ``complete`` makes it, without rows that are too small and without identifiers.

    Up to a minimum of 1 it is returned as it is.

    Examples
    --------
    >>> rows = [("lawyer", 9, "stated"), ("nurse", 4, "stated"), ("poet", 1, "stated"), ("not stated", 6, "not stated")]
    >>> table = pd.DataFrame(rows, columns=["profession", "interviewees", "state"]).assign(who=[()] * 4)
    >>> suppress(table, 3).iloc[:, :2].values.tolist()
    [['lawyer', 9], ['not shown apart', 5], ['not stated', 6]]
    """
    if minimum <= 1:
        return table
    by, unit = table.columns[:2]
    sizes = {NOT_STATED: 0} | dict(table.loc[table["state"] != NOT_DESCRIBED, [by, unit]].itertuples(index=False))
    try:
        joined = hidden(sizes, minimum)
    except Withheld:
        return withhold(table, minimum)
    small, rest = table[table[by].isin(joined)], table[~table[by].isin(joined)]
    stated = rest["state"] == STATED
    if joined and not stated.any():
        return withhold(table, minimum)
    together = pd.DataFrame({by: [NOT_SHOWN], unit: [int(small[unit].sum())], "state": [NOT_SHOWN]})
    parts = [rest[stated], *([together] if joined else []), rest[~stated]]
    return safe(unnamed(pd.concat(parts, ignore_index=True)), minimum)


def hidden(sizes: Mapping[str, int], minimum: int) -> set[str]:
    """Which of a table's rows must stand together; none when no row is too small.

    The empty rows go with the small ones, so that it is open which of them are empty. The next larger row, with all of
    its size, joins them when their sum is too small, or so great that each of them must be nearly full; `Withheld` when
    there is none. ``sizes`` are people by row without those not described, and with the row of those not stated also
    when it is empty, or that there is nobody in it could be told from how many rows were joined.

    Examples
    --------
    >>> sorted(hidden({"18–24": 9, "25–34": 6, "35–44": 1, "45 and over": 0}, 3))
    ['25–34', '35–44', '45 and over']
    >>> hidden({"18–24": 9, "25–34": 6, "45 and over": 0}, 3)
    set()
    """
    small = {label for label, n in sizes.items() if n < minimum}
    total = sum(sizes[label] for label in small)
    if not total:
        return set()
    if minimum <= total <= (len(small) - 1) * (minimum - 1):
        return small
    larger = [n for label, n in sizes.items() if label not in small]
    if not larger:
        raise Withheld
    return small | {label for label, n in sizes.items() if n == min(larger)}


def suppress_crossed(
    cross: pd.DataFrame, by_first: pd.DataFrame, by_second: pd.DataFrame, minimum: int
) -> pd.DataFrame:
    """A table of people by two traits that gives back neither its own small cells nor those of its two margins.

    The margins, ``by_first`` and ``by_second``, are the tables of either trait alone, suppressed already: labels are those
    that they show. A group of the first trait is split by the second, or is not (its one row
    says `NOT_SHOWN`): not, when a cell of it is too small. A reader can take the groups that are split from the margin
    of the second trait, which leaves the split of all other groups taken together; when this remainder has a cell that
    is too small, the smallest group that repairs it joins the others. Of these others a reader then knows how many they
    are by the one trait and by the other, each number ``minimum`` or more, and each short of their sum by ``minimum``
    or more: so what a cell can hold spans at least ``minimum`` and reaches it.

    Examples
    --------
    >>> def table(unit, **columns): return pd.DataFrame(columns).assign(n=unit, state=STATED, who="")
    >>> cross = table([4, 4, 5, 1], job=["cook", "cook", "nurse", "nurse"], age=["20", "30", "20", "30"])
    >>> by_job, by_age = table([8, 6], job=["cook", "nurse"]), table([9, 5], age=["20", "30"])
    >>> bool(suppress_crossed(cross, by_job, by_age, 3).attrs["withheld"])  # the one nurse follows from the margins
    True
    >>> cross["n"] = [4, 4, 5, 3]
    >>> suppress_crossed(cross, by_job, by_age, 3)["n"].tolist()
    [4, 4, 5, 3]
    """
    if minimum <= 1:
        return cross
    first, second, unit = cross.columns[:3]
    order = {first: list(by_first.iloc[:, 0]), second: list(by_second.iloc[:, 0])}
    if not all(order.values()):
        return withhold(cross, minimum)
    undescribed = cross["state"] == NOT_DESCRIBED
    apart = cross[~undescribed].copy()
    for by, labels in order.items():
        apart[by] = apart[by].where(apart[by].isin(labels), NOT_SHOWN)
    cells: dict[Any, Any] = {group: rows.groupby(second)[unit].sum().to_dict() for group, rows in apart.groupby(first)}
    whole = unsplit(cells, minimum)
    if len(whole) == len(cells) > 0:
        return withhold(cross, minimum)
    apart.loc[apart[first].isin(whole), second] = NOT_SHOWN
    order[second].append(NOT_SHOWN)
    table = apart.groupby([first, second])[unit].sum().reset_index()
    table = table.sort_values([first, second], key=lambda labels: labels.map(order[str(labels.name)].index))
    rows = table[[first, second]].itertuples(index=False)
    table["state"] = [next((state for state in (NOT_SHOWN, NOT_STATED) if state in row), STATED) for row in rows]
    table = pd.concat([table, cross[undescribed].drop(columns="who")], ignore_index=True)
    return safe(unnamed(table), minimum)


def unsplit(cells: Mapping[str, Mapping[str, int]], minimum: int) -> set[str]:
    """The groups that may not be split: those with a small cell, and those that the others' remainder needs."""
    whole = {group for group, row in cells.items() if any(0 < n < minimum for n in row.values())}
    while True:
        left = sum((Counter(cells[group]) for group in whole), Counter[str]())
        lacking = sorted(label for label, n in left.items() if n < minimum)
        if not lacking:
            return whole
        repairs = [group for group in cells if group not in whole and cells[group].get(lacking[0])]
        least = min(sum(cells[group].values()) for group in repairs)
        whole |= {group for group in repairs if sum(cells[group].values()) == least}
