"""Suppression of small cells. Pure: tables of counts in, tables in which no group below ``minimum`` people stands out.

Rows are joined, not blanked, as a row exists because somebody is in it: "bar manager, 18–24: fewer than 3" says that
there is one. Rows that are too small lose their labels too, and stand together as `NOT_SHOWN`. So every number stays a
number, every table adds up to the declared number, and a CSV needs no mark that a program could mistake for a count.

What is promised, also against somebody who knows this rule, everything that the book prints, and every label that there
could be (one more than there are, where labels come from the data):

1. of described people no number is printed but 0 and those of ``minimum`` or more;
2. each hidden row could hold at least two different numbers of people;
3. from a ``minimum`` of 3 on, the numbers in the hidden rows are open as well, in whatever order (with 2, a small row
   can only hold one person);
4. no table tells the row of any described person.

How it follows: see `hidden` for one table. Tables of different traits share nothing but the number of people, so that
no table narrows another. What would narrow another is withheld: tables of two traits, of which those are the margins;
and of journeys every table but that of routes (`BOUND`), as the map is made of the routes shown.
``tests/test_worlds.py`` enumerates all worlds that print alike.

Where these rules come from: the threshold on a cell is that of ACRO (``safe_threshold``), of sdcTable's frequency rule
(``maxN``) and of the ABS; that a row which holds everybody tells of each is the ABS's attribute disclosure; joining
rows is the table redesign of the handbooks; looking for what bounds a hidden cell is secondary suppression, as in
sdcTable. That the rule itself may be known is in none of them: it is the minimality attack of Wong, Fu, Wang and Pei
(2007).

Not hidden, as it is no person's trait: how many people the source declares, and how many of them it describes. Beyond
this promise: two books of one edition with different bands or levels, laid side by side; two tables of an analyst's own
that count one trait in two ways; and what somebody knows of people beforehand, themselves included.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

STATED, NOT_STATED, NOT_DESCRIBED = "stated", "not stated", "not described"
NO_BAND = "in no single band"
NOT_SHOWN = "not shown apart"
"""The state of a row: what it says of its people. People of small rows stand together as not shown apart."""

BOUND = frozenset(("mode", "nights", "nights_waited", "departed", "set_off", "from_place"))
"""Columns of journeys whose counts would narrow those of routes: who is known to have crossed a border has a route."""

NOBODY = float("inf")
"""The ``minimum_cell`` that marks a table without people: it satisfies every minimum."""


class Withheld(Exception):
    """Nothing of a table can be shown without giving small groups away."""


def promise(minimum: int) -> str:
    """The text that readers see in place of what is withheld."""
    return f"Withheld: this edition publishes no cell of fewer than {minimum:,} people."


def narrows(minimum: int) -> str:
    """The text that readers see in place of a table that is withheld however large its cells are."""
    return f"Withheld: beside the tables of single traits this one could tell of fewer than {minimum:,} people."


def safe(table: pd.DataFrame, minimum: float) -> pd.DataFrame:
    """Mark a table as holding no cell of fewer than ``minimum`` people; exhibits show only tables marked so.

    The mark stays when rows and columns are selected, and is lost when a table is merged or concatenated with one that
    is not marked. It guards against mistakes, not intent: a column assigned to a marked table is not checked.
    """
    table = table.copy(deep=False)
    table.attrs["minimum_cell"] = minimum
    return table


def no_people(table: pd.DataFrame) -> pd.DataFrame:
    """Mark a table as holding no people at all, so that it may be shown whatever the edition promises."""
    return safe(table, NOBODY)


def one_by_one(table: pd.DataFrame, minimum: int) -> pd.DataFrame:
    """A table that speaks of people one by one: withheld where small cells are suppressed."""
    return withhold(table, minimum) if minimum > 1 else table


def is_safe(table: pd.DataFrame, minimum: float) -> bool:
    """Whether a table may be shown where small cells are suppressed.

    >>> counts, people = safe(pd.DataFrame({"age": ["18–24"], "n": [9]}), 5), pd.DataFrame({"age": ["18–24"]})
    >>> is_safe(counts, 5), is_safe(counts, 6), is_safe(people, 5), is_safe(counts.merge(people), 5)
    (True, False, False, False)
    """
    return minimum <= 1 or bool(table.attrs.get("minimum_cell", 0) >= minimum)


def withhold(table: pd.DataFrame, minimum: int, why: str = "") -> pd.DataFrame:
    """A table of which nothing is published: its columns without rows, marked with the reason that readers are given."""
    table = safe(table.iloc[:0], minimum)
    table.attrs["withheld"] = why or promise(minimum)
    return table


def suppress(table: pd.DataFrame, minimum: int) -> pd.DataFrame:
    """A table of people by one trait, made by ``complete``, without rows that are too small and without identifiers.

    With a minimum of 1 or less it is returned as it is.

    >>> rows = [("lawyer", 9, "stated"), ("nurse", 6, "stated"), ("poet", 1, "stated"), ("not stated", 8, "not stated")]
    >>> table = pd.DataFrame(rows, columns=["profession", "interviewees", "state"]).assign(who=[()] * 4)
    >>> suppress(table, 3).iloc[:, :2].values.tolist()
    [['lawyer', 9], ['not shown apart', 7], ['not stated', 8]]
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
    together = pd.DataFrame({by: [NOT_SHOWN], unit: [int(small[unit].sum())], "state": [NOT_SHOWN]})
    stated = rest["state"] == STATED
    parts = [rest[stated], *([together] if joined else []), rest[~stated]]
    shown = pd.concat(parts, ignore_index=True)
    shown["who"] = [()] * len(shown)
    return safe(shown, minimum)


def hidden(sizes: Mapping[str, int], minimum: int) -> set[str]:
    """Which rows of a table must stand together; none when nobody is in a row that is too small.

    `Withheld` where nothing can be shown.


    Joining the rows of fewer than ``minimum`` people, the empty ones included, is enough where their sum can come about
    in `several` ways. Otherwise larger rows join them, by size, until together they hold twice the ``minimum``.
    Somebody who knows this can work out how many people the small rows may hold: any number for which these rows alone
    were not enough, and for which the rest is one row of ``minimum`` people or more that is smaller than the next one
    shown. There must be two such numbers. They are found from what is printed alone, so that withholding a table tells
    nothing more. Any two hidden rows may be swapped.

    ``sizes`` are people by row, without those not described; the row of those not stated is there also when it is
    empty, else the number of rows joined could tell that nobody is in it.

    >>> sorted(hidden({"18–24": 19, "25–34": 16, "35–44": 1, "45 and over": 0, "not stated": 0}, 3))
    ['25–34', '35–44', '45 and over', 'not stated']
    >>> hidden({"18–24": 9, "25–34": 6, "45 and over": 0, "not stated": 0}, 3)
    set()
    """
    small = {label for label, n in sizes.items() if n < minimum}
    total = sum(sizes[label] for label in small)
    larger = sorted((n, label) for label, n in sizes.items() if label not in small)
    if total and not several(total, len(small), minimum):
        for n, label in list(larger):
            small, total, larger = small | {label}, total + n, larger[1:]
            if total >= 2 * minimum:
                break
        rows, shown = len(small) - 1, larger[0][0] if larger else total
        small_sums = (n for n in range(1, rows * (minimum - 1) + 1) if not several(n, rows, minimum))
        if total < 2 * minimum or sum(minimum <= total - n < shown for n in small_sums) < 2:
            raise Withheld
    if not {label for _, label in larger} - {NOT_STATED} or (not total and len(larger) == 1):
        raise Withheld  # nothing would be shown, or one row, with everybody in it
    return small if total else set()


def several(total: int, rows: int, minimum: int) -> bool:
    """Whether rows of fewer than ``minimum`` people can make up a total in several ways, also when any one of them is empty."""
    return minimum < total < (rows - 1) * (minimum - 1)
