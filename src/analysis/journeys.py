"""Journeys from legs: stops, waits, the border, plans. narwhals expressions, the same on every engine."""

from __future__ import annotations

import itertools
from typing import Any

import narwhals as nw
import pandas as pd

from analysis.disclosure import STATED
from analysis.editions import Edition
from analysis.labels import UNNAMED
from analysis.tables import collect

Lazy = nw.LazyFrame[Any]

STAYS = "goes no further"
MADE, PAST, INTENDED = "made", "made, by a place not named", "intended"
"""Values of ``status`` in a table of `legs_of_routes`."""


def legs_made(book: Edition, status: str = "made") -> Lazy:
    """The legs that counted interviewees have made, or those that they intend (``status="intended"``)."""
    legs = book.table("legs").filter(nw.col("status") == status)
    return legs.join(book.interviewees.select("interviewee"), on="interviewee", how="semi")


def stops(book: Edition) -> Lazy:
    """One row an interviewee: ``stop_0``, ``stop_1``, …, the places of the legs made.

    A stop that the source does not name is "?"; after the last leg stops are missing. Where a leg starts elsewhere
    than the one before it ended, its start is used only if that end is not named.
    """
    made = legs_made(book)
    longest: Any = collect(made.select(nw.col("leg").max())).iloc[0, 0]
    frame = book.interviewees.select("interviewee", nw.lit(None, nw.String).alias("stop_0"))
    for leg in range(1, (0 if pd.isna(longest) else int(longest)) + 1):
        step = made.filter(nw.col("leg") == leg).select(
            "interviewee",
            nw.col("from_place").fill_null("?").alias("start"),
            nw.col("to_place").fill_null("?").alias(f"stop_{leg}"),
        )
        before = nw.col(f"stop_{leg - 1}")
        taken = nw.when((before == "?") | before.is_null()).then(nw.coalesce("start", before)).otherwise(before)
        frame = (
            frame.join(step, on="interviewee", how="left").with_columns(taken.alias(f"stop_{leg - 1}")).drop("start")
        )
    return frame


def nights(book: Edition) -> Lazy:
    """One row an interviewee: ``nights`` waited over all legs made. Silence on a leg adds nothing."""
    waited = legs_made(book).filter(~nw.col("nights_waited").is_null())
    waited = waited.group_by("interviewee").agg(nw.col("nights_waited").sum().alias("nights"))
    return book.interviewees.select("interviewee").join(waited, on="interviewee", how="left")


def departures(book: Edition) -> Lazy:
    """One row an interviewee: ``set_off``, the last dated departure before the border, and ``nights`` waited from then on.

    The border is crossed on the first leg made that ends in another country than that of the first place named; an end
    that is not named crosses nothing. Only legs up to it count.
    """
    country = book.table("places").select("place", "country")
    made = (
        legs_made(book)
        .join(country.rename({"place": "from_place", "country": "here"}), on="from_place", how="left")
        .join(country.rename({"place": "to_place", "country": "there"}), on="to_place", how="left")
    )
    named = made.with_columns(nw.coalesce("here", "there").alias("origin")).filter(~nw.col("origin").is_null())
    first = named.group_by("interviewee").agg(nw.col("leg").min())
    origin = named.select("interviewee", "leg", "origin").join(first, on=["interviewee", "leg"], how="inner")
    abroad = made.filter(~nw.col("there").is_null()).join(
        origin.select("interviewee", "origin"), on="interviewee", how="inner"
    )
    abroad = abroad.filter(nw.col("there") != nw.col("origin"))
    crossing = abroad.group_by("interviewee").agg(nw.col("leg").min().alias("crossing"))
    before = made.join(crossing, on="interviewee", how="inner").filter(nw.col("leg") <= nw.col("crossing"))
    dated = before.filter(~nw.col("departed").is_null())
    dated = dated.group_by("interviewee").agg(
        nw.col("departed").max().alias("set_off"), nw.col("leg").max().alias("since")
    )
    waited = before.filter(~nw.col("nights_waited").is_null()).join(dated, on="interviewee", how="inner")
    waited = waited.filter(nw.col("leg") >= nw.col("since"))
    waited = waited.group_by("interviewee").agg(nw.col("nights_waited").sum().alias("nights"))
    people = book.interviewees.select("interviewee").join(dated, on="interviewee", how="left")
    return people.join(waited, on="interviewee", how="left").select("interviewee", "set_off", "nights")


def intentions(book: Edition) -> Lazy:
    """One row an interviewee: ``to_place``, the end of the last leg intended; `STAYS` where that is where it begins."""
    intended = book.table("legs").filter(nw.col("status") == "intended")
    last = intended.group_by("interviewee").agg(nw.col("leg").max())
    ends = intended.join(last, on=["interviewee", "leg"], how="inner")
    goal = nw.when(nw.col("from_place") == nw.col("to_place")).then(nw.lit(STAYS)).otherwise(nw.col("to_place"))
    ends = ends.select("interviewee", to_place=goal)
    return book.interviewees.select("interviewee").join(ends, on="interviewee", how="left")


def legs_of_routes(by_route: pd.DataFrame, plans: pd.DataFrame) -> pd.DataFrame:
    """The legs of routes, from each named place to the next.

    They are taken from the table of routes alone, so that they disclose nothing where small cells are suppressed.

    Parameters
    ----------
    by_route : DataFrame
        Routes as `labels.join_stops` names them, completed.
    plans : DataFrame
        Further rows, as returned: legs that are intended.

    Returns
    -------
    DataFrame
        ``from``, ``to``, ``status``, ``people``, ``state``, ``who``; a person counts once in a row.

    Examples
    --------
    >>> routes = {"route": ["Ay → Be → Ce", "Ay → Be", "Ay → … → Ce"], "interviewees": [6, 5, 4]}
    >>> shown = pd.DataFrame(routes).assign(state="stated", who=[()] * 3)
    >>> plans = pd.DataFrame(columns=["from", "to", "status", "people", "state", "who"])
    >>> legs_of_routes(shown, plans).iloc[:, :4].values.tolist()
    [['Ay', 'Be', 'made', 11], ['Be', 'Ce', 'made', 6], ['Ay', 'Ce', 'made, by a place not named', 4]]
    """
    found: dict[tuple[str, str, str], tuple[int, tuple[str, ...]]] = {}
    for route, people, state, who in by_route.iloc[:, :4].itertuples(index=False):
        if state != STATED:
            continue
        named = [(n, stop) for n, stop in enumerate(route.split(" → ")) if stop != UNNAMED]
        legs = [(start, end, MADE if m == n + 1 else PAST) for (n, start), (m, end) in itertools.pairwise(named)]
        for leg in dict.fromkeys(legs):
            before, already = found.get(leg, (0, ()))
            found[leg] = (before + int(people), tuple(sorted({*already, *who})))
    by_size = sorted(found.items(), key=lambda item: (-item[1][0], item[0]))
    rows = [(*leg, people, STATED, who) for leg, (people, who) in by_size]
    table = pd.DataFrame(rows, columns=["from", "to", "status", "people", "state", "who"]).astype({"people": "int64"})
    table = pd.concat([table, plans[plans["from"] != plans["to"]]], ignore_index=True)
    table.attrs = dict(by_route.attrs)
    return table
