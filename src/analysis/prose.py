"""Sentences that stay true of other data. Pure: counts in, plain text out."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from analysis.edition import Edition
from analysis.frames import Row, isolated, records
from analysis.tabulate import (
    NOT_DESCRIBED,
    NOT_SHOWN,
    NOT_STATED,
    Counts,
    at_odds,
    bounds,
    listed,
    measure_of,
    number_of,
    overlapping,
    window_of,
)


def plural(n: int, noun: str, many: str = "") -> str:
    """A number with its noun.

    Examples
    --------
    >>> plural(1, "leg"), plural(1200, "leg"), plural(0, "person", "people")
    ('1 leg', '1,200 legs', '0 people')
    """
    return f"{n:,} {noun if n == 1 else many or noun + 's'}"


def was(n: int) -> str:
    """The verb for n of something past."""
    return "was" if n == 1 else "were"


def are(n: int) -> str:
    """The verb for n of something."""
    return "is" if n == 1 else "are"


def whom(edition: Edition) -> str:
    """Of whom the tables count: the declared number, and where they were interviewed."""
    declared = edition.report.declared_interviewees
    place = edition.places.get(edition.report.collected_at)
    where = f" in {isolated(place['name'])}" if place else ""
    if declared is None:
        return f"the interviewees{where} whom the source describes"
    if not declared:
        return "nobody, as the source says that nobody was interviewed"
    people = "one person" if declared == 1 else f"{declared:,} people"
    return f"the {people} the source says {was(declared)} interviewed{where}"


def coverage(edition: Edition, described: int) -> str:
    """How many were interviewed, and how many of them the source describes."""
    declared = edition.report.declared_interviewees
    if declared is None:
        people = plural(described, "person", "people")
        told = f"It describes {people}; every count is of those." if described else "It describes nobody."
        return f"The source names no number of interviewees. {told}"
    if not declared:
        return "The source says that nobody was interviewed."
    said = f"The source says that {plural(declared, 'person', 'people')} {was(declared)} interviewed"
    if described == declared:
        return f"{said}, and describes {'that person' if declared == 1 else 'every one of them'}."
    if not described:
        return f"{said}. It describes none of them; in every count they are “{NOT_DESCRIBED}”."
    missing = declared - described
    other = "the other one is" if missing == 1 else f"the other {missing:,} are"
    return f"{said}. It describes {described:,} of them; in every count {other} “{NOT_DESCRIBED}”."


def spread(counts: Counts) -> str:
    """A one-column table in a sentence: for those who hear the chart.

    Examples
    --------
    >>> frame = pd.DataFrame({"age": ["18–24", "not stated"], "interviewees": [4, 13]})
    >>> spread(Counts(frame, ("stated", "not stated"), ((), ())))
    '18–24: 4; not stated: 13.'
    """
    rows = [(str(row[0]), int(row[-1])) for row in counts.frame.itertuples(index=False)]
    shown = [f"{isolated(label)}: {n:,}" for label, n in rows if n]
    return "; ".join([*shown[:12], *([f"and {len(shown) - 12} rows more"] if len(shown) > 12 else [])]) + "."


def told(counts: Counts, what: str, reads: Callable[[str], str] = str, *, bounded: bool = True) -> str:
    """Of how many something is told, what it is, and what the most common of it could amount to.

    Parameters
    ----------
    counts : Counts
        With one label column.
    what : str
        The subject of the sentence, such as ``"Age"``.
    reads : callable
        How a label reads in the sentence.
    bounded : bool
        Whether the unknown might be anything; not so where silence may mean that there is nothing to tell.
    """
    rows = [
        (str(row[0]), int(row[-1]))
        for row, state in zip(counts.frame.itertuples(index=False), counts.states, strict=True)
        if state == "stated" and row[-1]
    ]
    known, total = sum(n for _, n in rows), counts.total
    if not rows:
        return not_told(what, counts)
    most = sorted(rows, key=lambda row: -row[1])
    shown = [f"{reads(isolated(label))} ({n:,})" for label, n in most[:6]]
    rest = f", and {len(most) - 6:,} more" if len(most) > 6 else ""
    head = f"{what} is told of {part(known, counts)}: {', '.join(shown)}{rest}."
    unknown = total - known
    if hidden := counts.of(NOT_SHOWN):
        head = (
            f"{what} is shown of {part(known, counts)}: {', '.join(shown)}{rest}. {hidden:,} {are(hidden)} {NOT_SHOWN}."
        )
        # Where the silent have a row of their own, those not shown apart are known to be something else.
        unknown -= hidden if NOT_STATED in counts.states else 0
    if not bounded or not unknown or (len(most) > 1 and most[0][1] == most[1][1]):
        return head
    low, high = bounds(most[0][1], unknown, total)
    most_of_all = f"{most[0][1]:,} to {most[0][1] + unknown:,} of the {total:,} ({low:.0%} to {high:.0%})"
    return f"{head} With {unknown:,} unknown, {most_of_all} could be {reads(isolated(most[0][0]))}."


def part(known: int, counts: Counts) -> str:
    """Of how many of those counted something is told."""
    if counts.total == 1:
        return f"the one {counts.frame.columns[-1].rstrip('s')}"
    return (
        f"all {counts.total:,}"
        if known == counts.total
        else f"{f'{known:,}' if known else 'none'} of the {counts.total:,}"
    )


def not_told(what: str, counts: Counts) -> str:
    """That something is told of nobody, or that there is nobody.

    Examples
    --------
    >>> not_told("Age", Counts(pd.DataFrame({"age": ["not stated"], "legs": [1]}), ("not stated",), ((),)))
    'Age is not told of the one leg.'
    """
    if counts.total == 1:
        return f"{what} is not told of {part(0, counts)}."
    return f"{what} is told of {part(0, counts)}." if counts.total else "There is nobody to count."


def figure(row: Row) -> str:
    """A destination figure in a sentence."""
    by = f"stated by {isolated(row['stated_by'])}" if row["stated_by"] else "by nobody named"
    measure = isolated(measure_of(row["measure"]))
    name = row["destination"][:1].upper() + row["destination"][1:]
    return f"{name}: {number_of(row)} (measure: {measure}; window: {window_of(row)}; {by})."


def figures(table: pd.DataFrame) -> str:
    """How many figures there are, and what keeps them apart."""
    rows = records(table)
    measures = table["measure"].nunique()
    if not rows:
        return "The source gives no figure."
    many = table["reported_by"].nunique() > 1
    text = f"{'The sources give' if many else 'The source gives'} {plural(len(rows), 'figure')}"
    text += f" of {measures:,} different measures, which are not added or ranked." if measures > 1 else "."
    open_ended = sum(not row["low"] or not row["high"] or "counting" in row["quantifier"] for row in rows)
    joint = sum(" " in row["countries"] or row["includes_others"] == "true" for row in rows)
    if open_ended:
        text += f" {of_all(open_ended, len(rows))} {'has' if open_ended == 1 else 'have'} an open end."
    if joint:
        text += (
            f" {of_all(joint, len(rows))} {'covers' if joint == 1 else 'cover'} several countries at once, not split."
        )
    return text


def each_figure(table: pd.DataFrame) -> str:
    """The figures one by one where they are few, else how many there are of each measure, and which stand against others."""
    rows = records(table)
    if len(rows) <= FEW_FIGURES:
        return " ".join(figure(row) for row in rows)
    kinds = [f"{measure_of(str(code))} ({n})" for code, n in table["measure"].value_counts(sort=False).items()]
    text = f"By measure, in the order of the table: {listed(kinds)}."
    beside = overlapping(table)
    return f"{text} {overlaps(beside)}" if len(beside) else text


FEW_FIGURES = 3
"""As many figures as a summary can name one by one."""


def overlaps(table: pd.DataFrame) -> str:
    """How many figures share days with another for the same destination, and which of them cannot both be right.

    Parameters
    ----------
    table : DataFrame
        As ``tabulate.overlapping`` gives it.
    """
    groups = len(table[["measure", "destination"]].drop_duplicates())
    shared = f"{plural(len(table), 'figure')} share days with another of the same measure for the same destination"
    text = f"{shared}, in {plural(groups, 'group')}; they are not averaged, and none is preferred."
    odd = [
        f"{one['destination']}, {measure_of(one['measure'])}, {number_of(one)} ({one['figure']}) and {number_of(other)} ({other['figure']})"
        for one, other in at_odds(table)
    ]
    if odd:
        more = f"; and {len(odd) - 3:,} more" if len(odd) > 3 else ""
        text += f" Over the very same days these differ: {'; '.join(odd[:3])}{more}."
    return text


def of_all(n: int, total: int) -> str:
    """How many of a whole, at the head of a sentence.

    Examples
    --------
    >>> of_all(1, 2), of_all(3, 3), of_all(1, 1)
    ('One', 'All', 'It')
    """
    if n == total:
        return "It" if n == 1 else "All"
    return "One" if n == 1 else f"{n:,}"
