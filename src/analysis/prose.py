"""Sentences that stay true of other data. Pure: counts in, plain text out."""

from __future__ import annotations

import pandas as pd

from analysis.edition import Edition
from analysis.frames import Row, records
from analysis.tabulate import NOT_DESCRIBED, NOT_STATED, Counts, bounds, day_of, listed, number_of, window_of


def plural(n: int, noun: str, many: str = "") -> str:
    """A number with its noun.

    Examples
    --------
    >>> plural(1, "leg"), plural(1200, "leg"), plural(0, "person", "people")
    ('1 leg', '1,200 legs', '0 people')
    """
    return f"{n:,} {noun if n == 1 else many or noun + 's'}"


def are(n: int) -> str:
    """The verb for n of something."""
    return "is" if n == 1 else "are"


def whom(edition: Edition) -> str:
    """Of whom the tables count: the declared number, the place, the reference event."""
    declared = edition.report.declared_interviewees
    place = edition.places.get(edition.report.collected_at)
    people = (
        "the interviewees"
        if declared is None
        else f"the {plural(declared, 'person', 'people')} the source says were interviewed"
    )
    event = (
        f"; reference event: {edition.report.event_title or 'not named'}, {day_of(edition.report.event_date)}"
        if edition.report.event_date
        else ""
    )
    return people + (f" in {place['name']}" if place else "") + event


def coverage(edition: Edition, described: int) -> str:
    """How many were interviewed, and how many of them the source describes."""
    declared = edition.report.declared_interviewees
    if declared is None:
        return f"The source names no number of interviewees; {plural(described, 'person', 'people')} {are(described)} described."
    missing = declared - described
    if not missing:
        return f"The source says that {plural(declared, 'person', 'people')} {'was' if declared == 1 else 'were'} interviewed, and describes every one."
    return (
        f"The source says that {plural(declared, 'person', 'people')} {'was' if declared == 1 else 'were'} interviewed. It describes {described:,}; "
        f"the other {missing:,} {are(missing)} in every table of interviewees as “{NOT_DESCRIBED}”."
    )


def spread(counts: Counts) -> str:
    """A one-column table in a sentence, largest stated rows first.

    Examples
    --------
    >>> frame = pd.DataFrame({"age": ["18–24", "not stated"], "interviewees": [4, 13]})
    >>> spread(Counts(frame, ("stated", "not stated"), ((), ())))
    '18–24: 4. Not stated: 13.'
    """
    rows = [
        (str(a), int(n), s)
        for a, n, s in zip(counts.frame.iloc[:, 0], counts.frame.iloc[:, -1], counts.states, strict=True)
    ]
    stated = [f"{label}: {n:,}" for label, n, state in rows if state == "stated" and n]
    shown = stated if len(stated) <= 8 else [*stated[:8], f"{len(stated) - 8} more"]
    parts = [", ".join(shown)] if shown else []
    parts += [
        f"{state.capitalize()}: {counts.of(state):,}" for state in (NOT_STATED, NOT_DESCRIBED) if counts.of(state)
    ]
    return ". ".join(parts) + "." if parts else "Nothing to count."


def largest(counts: Counts, what: str) -> str:
    """What is most common among those of whom it is stated, with the bounds of its share."""
    stated = [
        (str(label), int(n))
        for label, n, state in zip(counts.frame.iloc[:, 0], counts.frame.iloc[:, -1], counts.states, strict=True)
        if state == "stated" and n
    ]
    unknown = counts.of(NOT_STATED) + counts.of(NOT_DESCRIBED)
    if not stated:
        return (
            f"No {what} is stated of any of them."
            if counts.total
            else f"There is nobody whose {what} could be counted."
        )
    most = max(n for _, n in stated)
    leaders = [label for label, n in stated if n == most]
    if len(leaders) > 3:
        return f"{len(leaders)} values of {what} are equally common, each true of {most:,} of {counts.total:,}."
    if len(leaders) > 1:
        head = f"The {what}s most often stated are {listed(leaders)}: {most:,} of {counts.total:,} each"
    else:
        head = f"The {what} most often stated is {leaders[0]}: {most:,} of {counts.total:,}"
    if not unknown:
        return f"{head} ({most / counts.total:.0%})."
    low, high = bounds(most, unknown, counts.total)
    share = "its share" if len(leaders) == 1 else "the share of each"
    return (
        f"{head}. With {unknown:,} of whom no {what} is known, {share} of all {counts.total:,} lies between "
        f"{low:.0%} and {high:.0%}."
    )


def figure(row: Row) -> str:
    """A destination figure in a sentence."""
    by = f"stated by {row['stated_by']}" if row["stated_by"] else "by nobody named"
    measure = row["measure"].replace("_", " ")
    return f"{row['destination'][:1].upper() + row['destination'][1:]}: {number_of(row)} (measure: {measure}; window: {window_of(row)}; {by})."


def figures(table: pd.DataFrame) -> str:
    """How many figures there are, and what keeps them apart."""
    n, measures = len(table), table["measure"].nunique()
    if not n:
        return "The source gives no figure."
    open_ended = sum(
        1 for row in records(table) if not row["low"] or not row["high"] or "counting" in row["quantifier"]
    )
    joint = sum(1 for row in records(table) if " " in row["countries"] or row["includes_others"] == "true")
    text = f"The source gives {plural(n, 'figure')}"
    text += f" of {plural(measures, 'different measure')}, which are not added or ranked." if measures > 1 else "."
    if open_ended:
        text += f" {open_ended:,} {'has' if open_ended == 1 else 'have'} an open end."
    if joint:
        text += f" {joint:,} {'covers' if joint == 1 else 'cover'} several countries at once and {'is' if joint == 1 else 'are'} not split."
    return text
