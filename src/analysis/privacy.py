"""Small groups kept together. Pure: tables of counts in, tables in which no fewer than ``minimum_cell`` people stand out.

Why rows are joined and not blanked. Here a row exists because somebody is in it: to print "bar manager, 18–24: fewer
than 3" is to print that there is one. So rows that are too small lose their label too, and stand together in one row,
`NOT_SHOWN`. Every number stays a number, every table still adds up to the declared number, and a CSV needs no mark that
a program could mistake for a count.

What is promised, of every row that a table would have without protection and that holds fewer than ``minimum`` people:
from all that the book prints, together, it may as well be empty or hold ``minimum`` people and more. Of a pair of
profession and age: what it may hold spans at least ``minimum`` people and reaches ``minimum``.

How it follows, for one table (`protected`): the hidden rows are two or more and their sum is ``minimum`` or more, and
nothing but that sum is told of them. Where the small rows alone would not do, the next larger row joins them. Whoever
knows this rule as well does not learn a hidden number either: rows are chosen by size alone, so that any two of them may
be swapped, and labels come from the data, so that there may be others.
(Of two traits crossed this needs a ``minimum`` of 3: with 2 a small cell can only hold one.)
Tables of different traits share nothing but the number of people, so that no table narrows another. For two traits
crossed (`crossed`), see there. Where no row would be left, the table is withheld.

What is not hidden, as it is nobody's trait: how many the source declares, and how many of them it describes.
Two books of one edition with different bands or levels, laid side by side, are beyond this promise.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

import pandas as pd

from analysis.tabulate import NOT_DESCRIBED, NOT_SHOWN, NOT_STATED, ON_THE_WAY, Counts

PEOPLE = ("interviewees", "legs", "places")
"""Tables that tell of people one by one: a place is in its table because somebody went there."""


class Withheld(Exception):
    """Nothing of a table can be shown without giving small groups away."""


def promise(minimum: int) -> str:
    """What a reader is told in place of what is withheld.

    Examples
    --------
    >>> promise(5)
    'Withheld: this edition publishes no cell of fewer than 5 people.'
    """
    return f"Withheld: this edition publishes no cell of fewer than {minimum:,} people."


def hidden(sizes: Mapping[str, int], minimum: int) -> set[str]:
    """Which of a table's rows must stand together; none when no row is too small.

    The empty rows go with the small ones, so that it is open which of them are empty. The next larger row, with all of
    its size, joins them when their sum is too small, or so great that each of them must be nearly full.

    Parameters
    ----------
    sizes : mapping
        People by row, without those not described; with the row of those not stated also when it is empty, or
        that there is nobody in it could be told from how many rows were joined.

    Raises
    ------
    Withheld
        When there is no larger row to join them.

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


def protected(counts: Counts, minimum: int) -> Counts:
    """A table of people by one trait without rows that are too small, and without identifiers.

    Parameters
    ----------
    counts : Counts
        With one label column.
    minimum : int
        The fewest people that a row may stand for; up to 1 the table is returned as it is.

    Raises
    ------
    Withheld
        When no stated row would be left.

    Examples
    --------
    >>> frame = pd.DataFrame({"profession": ["lawyer", "nurse", "poet", "not stated"], "interviewees": [9, 4, 1, 6]})
    >>> whole = Counts(frame, ("stated", "stated", "stated", "not stated"), ((),) * 4)
    >>> protected(whole, 3).frame.to_dict("tight")["data"]
    [['lawyer', 9], ['not shown apart', 5], ['not stated', 6]]
    """
    if minimum <= 1:
        return counts
    name, unit = counts.frame.columns
    rows = [
        (str(label), int(n), state)
        for (label, n), state in zip(counts.frame.itertuples(index=False), counts.states, strict=True)
    ]
    sizes = {NOT_STATED: 0} | {label: n for label, n, state in rows if state != NOT_DESCRIBED}
    joined = hidden(sizes, minimum)
    kept = [row for row in rows if row[0] not in joined]
    if joined:
        if not any(state == "stated" for _, _, state in kept):
            raise Withheld
        together = (NOT_SHOWN, sum(n for label, n, _ in rows if label in joined), NOT_SHOWN)
        stated = sum(state == "stated" for _, _, state in kept)
        kept.insert(stated, together)
    frame = pd.DataFrame([row[:2] for row in kept], columns=[name, unit]).astype({unit: "int64"})
    return Counts(frame, tuple(state for *_, state in kept), ((),) * len(kept))


def crossed(cross: Counts, by_row: Counts, by_column: Counts, minimum: int) -> Counts:
    """A table of people by two traits that gives back neither its own small cells nor those of its two margins.

    Labels are those that the margins show. A group of the first trait is split by the second, or is not (its one row
    says `NOT_SHOWN`): not, when a cell of it is too small. A reader can take the groups that are split from the margin
    of the second trait, which leaves the split of all other groups taken together; when this remainder has a cell that
    is too small, the smallest group that mends it joins the others. Of these others a reader then knows how many they
    are by the one trait and by the other, each number ``minimum`` or more, and each short of their sum by ``minimum``
    or more: so what a cell can hold spans at least ``minimum`` and reaches it.

    Parameters
    ----------
    cross : Counts
        As counted, with two label columns.
    by_row, by_column : Counts
        The tables of either trait alone, as `protected` gives them.

    Raises
    ------
    Withheld
        When no group can be split.
    """
    if minimum <= 1:
        return cross
    first, second, unit = cross.frame.columns
    order, across = (list(map(str, table.frame.iloc[:, 0])) for table in (by_row, by_column))
    cells: dict[str, dict[str, int]] = {}
    for (group, label, n), state in zip(cross.frame.itertuples(index=False), cross.states, strict=True):
        if state == NOT_DESCRIBED:
            continue
        row = cells.setdefault(str(group) if group in order else NOT_SHOWN, {})
        at = str(label) if label in across else NOT_SHOWN
        row[at] = row.get(at, 0) + int(n)
    whole = _unsplit(cells, minimum)
    if len(whole) == len(cells) > 0:
        raise Withheld
    rows: list[tuple[str, str, int]] = []
    for group in sorted(cells, key=order.index):
        found = {NOT_SHOWN: sum(cells[group].values())} if group in whole else cells[group]
        rows += [(group, label, found[label]) for label in sorted(found, key=[*across, NOT_SHOWN].index)]
    states = [_state(group, label) for group, label, _ in rows]
    if NOT_DESCRIBED in cross.states:
        rows.append((NOT_DESCRIBED, NOT_DESCRIBED, cross.of(NOT_DESCRIBED)))
        states.append(NOT_DESCRIBED)
    frame = pd.DataFrame(rows, columns=[first, second, unit]).astype({unit: "int64"})
    return Counts(frame, tuple(states), ((),) * len(rows))


def _state(*labels: str) -> str:
    return next((state for state in (NOT_SHOWN, NOT_STATED) if state in labels), "stated")


def _unsplit(cells: Mapping[str, Mapping[str, int]], minimum: int) -> set[str]:
    """The groups that may not be split: those with a small cell, and those that the others' remainder needs."""
    whole = {group for group, row in cells.items() if any(0 < n < minimum for n in row.values())}
    while True:
        left: dict[str, int] = {}
        for group in whole:
            for label, n in cells[group].items():
                left[label] = left.get(label, 0) + n
        lacking = sorted(label for label, n in left.items() if 0 < n < minimum)
        if not lacking:
            return whole
        mends = [group for group in cells if group not in whole and cells[group].get(lacking[0])]
        least = min(sum(cells[group].values()) for group in mends)
        whole |= {group for group in mends if sum(cells[group].values()) == least}


def legs_between(routes: Counts) -> Counts:
    """The legs of the routes that a protected table shows: from it alone, so that they tell nothing more.

    Examples
    --------
    >>> frame = pd.DataFrame({"route": ["Ay → Be → Ce", "Ay → Be", "not shown apart"], "interviewees": [6, 5, 4]})
    >>> legs_between(Counts(frame, ("stated", "stated", NOT_SHOWN), ((),) * 3)).frame.to_dict("tight")["data"]
    [['Ay', 'Be', 'made', 11], ['Be', 'Ce', 'made', 6]]
    """
    found: dict[tuple[str, str], int] = {}
    for (route, n), state in zip(routes.frame.itertuples(index=False), routes.states, strict=True):
        stops = str(route).split(" → ") if state == "stated" else []
        for pair in _pairs(stops):
            found[pair] = found.get(pair, 0) + int(n)
    rows = [(*pair, "made", n) for pair, n in sorted(found.items(), key=lambda item: (-item[1], item[0]))]
    frame = pd.DataFrame(rows, columns=["from", "to", "status", "legs"]).astype({"legs": "int64"})
    return Counts(frame, ("stated",) * len(rows), ((),) * len(rows))


def _pairs(stops: list[str]) -> Iterable[tuple[str, str]]:
    named = [NOT_STATED if stop == ON_THE_WAY else stop for stop in stops]
    return itertools.pairwise(named)
