"""What happened on which day: the days that a source gives, or from which one can be reckoned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import pandas as pd

from analysis.disclosure import no_people
from analysis.editions import Edition
from analysis.exhibits import Link
from analysis.sentences import people
from analysis.sources import called, persons
from analysis.text import anchor, isolate


def dated_events(
    book: Edition, set_off: pd.DataFrame, soonest: Iterable[tuple[int, int, Sequence[str]]]
) -> pd.DataFrame:
    """Events by day: what people fled from, departures, crossings at the earliest, and dated statements.

    Parameters
    ----------
    set_off : DataFrame
        Departures that have a day, as ``count_by`` counts them: ``set_off``, ``n``, ``who``.
    soonest : iterable
        How many crossed the border so many days after the reference event at the earliest, and who.

    Returns
    -------
    DataFrame
        ``date`` (ISO), ``what``, and ``link``: the same with the evidence that it leads to. Where small cells are
        suppressed only the reference event, and what is said of groups.
    """
    what, event = persons(book), isolate(book.report.event_title) or "the reference event"
    found = list[tuple[str, str, tuple[str, ...]]]()  # the day, what happened, the place of its evidence
    if book.report.event_date:
        place = ("report", "report", "reference_event.date")
        found.append((book.report.event_date, event[:1].upper() + event[1:], place))
    if book.minimum_cell == 1:
        for day, n, who in set_off[["set_off", "n", "who"]].itertuples(index=False):
            if not any(_departure(book, each, "judged") for each in who):
                found.append((day, f"{called(what, *who) or people(n)} set off", _departure(book, *who[:1])))
        for n, days, who in soonest:
            day = (date.fromisoformat(book.report.event_date) + timedelta(days)).isoformat()
            text = f"Earliest day of crossing the border for {called(what, *who) or people(n)}"
            found.append((day, text, _departure(book, *who[:1])))
    statements = book.frame("statements")
    dated = statements[statements["day"] != ""] if "day" in statements else statements.head(0)
    for row in dated.to_dict("records"):
        many = f" ({isolate(row['quantifier'])})" if row["quantifier"] else ""
        text = f"{called(what, row['about'])}{many} {row['says']}"
        found.append((row["day"], text, ("statements", row["statement"], "says")))
    rows = [
        (day, text, Link(_sentence(text, what), f"#{anchor(*place)}" if place in book.evidence else ""))
        for day, text, place in sorted(found, key=lambda each: each[0])
    ]
    table = pd.DataFrame(rows, columns=["date", "what", "link"])
    return no_people(table) if book.minimum_cell > 1 else table


def _departure(book: Edition, who: str = "", basis: str = "") -> tuple[str, ...]:
    """The key of the first evidence for somebody's day of departure, with that basis if one is given; empty without any."""
    for (table, key, column), row in book.evidence.items():
        if (table, key.split(".")[0], column) == ("legs", who, "departed") and basis in ("", row["basis"]):
            return table, key, column
    return ()


def _sentence(text: str, names: Iterable[str]) -> str:
    """A text with a capital letter, unless it begins with an identifier."""
    return text if text.split(" ", 1)[0] in names else text[:1].upper() + text[1:]
