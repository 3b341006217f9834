"""Sentences that stay true of other data. Pure: counts in, plain text out."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from analysis.counts import known, unit_of
from analysis.disclosure import NOT_DESCRIBED, NOT_SHOWN, NOT_STATED, promise
from analysis.editions import Edition
from analysis.text import isolate, join, plural

MOST_NAMED = 6
"""As many labels as a sentence can hold."""


def whom(book: Edition) -> str:
    """Of whom the tables count: the declared number, and where they were interviewed."""
    where = f" in {isolate(_collected_at(book))}" if _collected_at(book) else ""
    if book.declared is None:
        return f"the interviewees{where} whom the source describes"
    if not book.declared:
        return "nobody, as the source says that nobody was interviewed"
    people = "one person" if book.declared == 1 else f"{book.declared:,} people"
    return f"the {people} the source says {was(book.declared)} interviewed{where}"


def whereabouts(book: Edition) -> str:
    """Where the interviewees were interviewed."""
    place = _collected_at(book)
    return f"They were interviewed in {isolate(place)}." if place else "Where they were interviewed is not stated."


def _collected_at(book: Edition) -> str:
    return str(book.places.get(book.report.collected_at, {}).get("name", ""))


def coverage(book: Edition) -> str:
    """How many were interviewed, and how many of them the source describes."""
    if not book.has("interviewees"):
        return "This edition has no table of interviewees."
    declared, described = book.declared, book.described
    if declared is None:
        people = plural(described, "person", "people")
        whom = f"It describes {people}; every count is of those." if described else "It describes nobody."
        return f"The source names no number of interviewees. {whom}"
    if not declared:
        return "The source says that nobody was interviewed."
    said = f"The source says that {plural(declared, 'person', 'people')} {was(declared)} interviewed"
    if described == declared:
        return f"{said}, and describes {'that person' if declared == 1 else 'every one of them'}."
    if not described:
        return f"{said}. It describes none of them; in every count they are “{NOT_DESCRIBED}”."
    other = "the other one is" if declared - described == 1 else f"the other {declared - described:,} are"
    return f"{said}. It describes {described:,} of them; in every count {other} “{NOT_DESCRIBED}”."


def finding(table: pd.DataFrame, what: str, reads: Callable[[str], str] = str, *, with_bounds: bool = True) -> str:
    """Of how many something is stated, what it is, and between which bounds the most common of it lies.

    Parameters
    ----------
    table : DataFrame
        Completed counts with one label column.
    what : str
        The subject of the sentence, such as ``"Age"``.
    reads : callable
        How a label reads in the sentence.
    with_bounds : bool
        Whether the unknown might be anything; not so where silence may mean that there is nothing to tell.

    Examples
    --------
    >>> rows = [("18–24", 4, "stated", ()), ("25–34", 2, "stated", ()), ("not stated", 4, "not stated", ())]
    >>> table = pd.DataFrame(rows, columns=["age", "interviewees", "state", "who"])
    >>> print(finding(table, "Age", "aged {}".format).replace("). ", ").\\n"))
    Age is told of 6 of the 10: aged 18–24 (4), aged 25–34 (2).
    With 4 unknown, 4 to 8 of the 10 (40% to 80%) could be aged 18–24.
    """
    if table.attrs.get("withheld"):
        return promise(table.attrs["minimum_cell"])
    unit, rows = unit_of(table), known(table)
    number, total = int(rows[unit].sum()), int(table[unit].sum())
    if rows.empty:
        return none_known(what, table)
    pairs = list(zip(map(reads, map(isolate, rows.iloc[:, 0])), rows[unit], strict=True))
    listed = ", ".join(f"{label} ({n:,})" for label, n in pairs[:MOST_NAMED])
    listed += f", and {len(pairs) - MOST_NAMED:,} more" if len(pairs) > MOST_NAMED else ""
    hidden = int(table.loc[table["state"] == NOT_SHOWN, unit].sum())
    apart = f" {hidden:,} {'is' if hidden == 1 else 'are'} {NOT_SHOWN}." if hidden else ""
    head = f"{what} is {'shown' if hidden else 'told'} of {part(number, table)}: {listed}.{apart}"
    # Where the silent have a row of their own, those not shown apart are known to be something else.
    unknown = total - number - (hidden if NOT_STATED in set(table["state"]) else 0)
    tied = len(pairs) > 1 and pairs[0][1] == pairs[1][1]
    return head if not with_bounds or not unknown or tied else f"{head} {bounds(*pairs[0], unknown, total)}"


def bounds(label: str, n: int, unknown: int, total: int) -> str:
    """What the most common could amount to: from none of the unknown to all of them.

    Examples
    --------
    >>> bounds("aged 18–24", 4, 11, 17)
    'With 11 unknown, 4 to 15 of the 17 (24% to 88%) could be aged 18–24.'
    """
    shares = f"{n / total:.0%} to {(n + unknown) / total:.0%}"
    return f"With {unknown:,} unknown, {n:,} to {n + unknown:,} of the {total:,} ({shares}) could be {label}."


def part(n: int, table: pd.DataFrame) -> str:
    """How many of those counted.

    Examples
    --------
    >>> table = pd.DataFrame({"age": ["18–24"], "interviewees": [17], "state": "stated", "who": [()]})
    >>> part(0, table), part(3, table), part(17, table)
    ('none of the 17', '3 of the 17', 'all 17')
    """
    total = int(table[unit_of(table)].sum())
    if total == 1:
        return f"the one {unit_of(table).rstrip('s')}"
    return f"all {total:,}" if n == total else f"{f'{n:,}' if n else 'none'} of the {total:,}"


def none_known(what: str, table: pd.DataFrame) -> str:
    """That something is stated of nobody, or that there is nobody."""
    total = int(table[unit_of(table)].sum())
    if total == 1:
        return f"{what} is not told of {part(0, table)}."
    return f"{what} is told of {part(0, table)}." if total else "There is nobody to count."


def of_each(table: pd.DataFrame, what: str, opening: str) -> str:
    """Of how many something is stated, without saying what: for tables of two labels."""
    if table.attrs.get("withheld"):
        return promise(table.attrs["minimum_cell"])
    n = int(known(table)[unit_of(table)].sum())
    shown = "shown" if NOT_SHOWN in set(table["state"]) else "told"
    return f"{opening} {shown} of {part(n, table)}." if n else none_known(what, table)


def spelled_out(table: pd.DataFrame) -> str:
    """A table of counts in a sentence, for those who hear the chart.

    Examples
    --------
    >>> spelled_out(pd.DataFrame({"age": ["18–24", "none"], "interviewees": [4, 0], "state": "stated", "who": [()] * 2}))
    '18–24: 4.'
    """
    unit = unit_of(table)
    labels = [join(list(dict.fromkeys(map(str, row)))) for row in table.iloc[:, :-3].itertuples(index=False)]
    pairs = [f"{isolate(label)}: {n:,}" for label, n in zip(labels, table[unit], strict=True) if n]
    return "; ".join([*pairs[:12], *([f"and {len(pairs) - 12} rows more"] if len(pairs) > 12 else [])]) + "."


def was(n: int) -> str:
    """The verb for n of something past."""
    return "was" if n == 1 else "were"
