"""Sentences on figures of how many went where, true of any edition's. Pure: tables of figures in, plain text out."""

from __future__ import annotations

import pandas as pd

from analysis.editions import Edition
from analysis.figures import FEW, between, by_number, counted_at, in_words, measure, one_figure, rows_of
from analysis.ranking import add_up, compare, first_of, largest, panels_of, rank
from analysis.text import day, isolate, plural, spell

NAMED = 3
"""How many pairs of figures that differ have a sentence each."""


def where_to(figures: pd.DataFrame) -> str:
    """Where people went, in a few sentences: few figures one by one, else the highest by what compares most countries."""
    n, compared = len(figures), compare(figures)
    if n < FEW:
        return " ".join(in_words(figures)["sentence"].loc[by_number(compared)]) or not_added(figures)
    panels = panels_of(rank(compared))
    if not panels:
        return f"The {n:,} figures compare no countries: no two of them count the same thing over the same days by one speaker."
    found = []
    for rows in largest(panels, 4):
        first = rows[rows["most"] >= rows["least"].max()]
        many = first["number"].iloc[0] if len(first) == 1 else between(first["least"].min(), first["most"].max())
        code, who, days = rows[["measure", "speaker", "days"]].iloc[0]
        if len(panels) == 1:
            return f"The highest figure that can be compared is {many} {counted_at(code, first_of(rows))} ({days}, {isolate(who)}). {not_added(figures)}"
        among = f"Of the {spell(len(rows))} with a figure here from {isolate(who)}"
        found.append(f"{among} it is {first_of(rows)}: {many} {isolate(measure(code))}, {days}.")
    return " ".join(["Which country has the highest figure depends on what is counted.", *found, not_added(figures)])


def not_added(figures: pd.DataFrame) -> str:
    """That figures are not added up, and why."""
    if len(figures) < 2:
        return f"The source gives {'one' if len(figures) else 'no'} figure."
    if len(add_up(figures)):
        return "Figures are added up only where they are said to add up: those of one measure, speaker and window."
    why = "they count different things" if figures["measure"].nunique() > 1 else "they may count the same people twice"
    return f"The {spell(len(figures))} figures are not added up, as {why}."


def periods_differ(rows: pd.DataFrame) -> str:
    """Whether the figures of one of `overlapping` cover the same days, in a sentence."""
    many, of = spell(len(rows)), counted_at(*rows[["measure", "destination"]].iloc[0])
    if rows.duplicated(["start", "end"]).any():
        return f"{many.capitalize()} figures for {of} have days in common."
    if (rows["end"] == "").any():
        return f"Of the {many} figures for {of} no two are known to cover exactly the same days."
    return f"The {many} figures for {of} cover {many} different periods."


def event_stroke(book: Edition) -> str:
    """What a stroke across a bar of days is, for a caption; blank where the edition names no day of an event."""
    on, event = day(book.report.event_date), isolate(book.report.event_title)
    return f" A stroke across it is {on}, the day of {event or 'the reference event'}." if on else ""


def disagreements(figures: pd.DataFrame, same: pd.DataFrame) -> str:
    """How many figures share days with another, and which pairs for the very same days contradict each other.

    ``same`` has pairs of `compare`'s rows, of one measure and destination, with days in common; the columns of the second
    end in `` 2``.
    """
    days = same[(same["window_start"] == same["window_start 2"]) & (same["window_end"] == same["window_end 2"])]
    closed = ~days["open above"] & ~days["open below 2"] & (days["window_start"] != "") & (days["window_end"] != "")
    odd = days[closed & (days["to"] < days["from 2"])]  # the very same days, and no number that both allow
    sentence = {row["figure"]: one_figure(row) for row in rows_of(figures)}
    sentences = [
        f"{plural(same['figure'].nunique(), 'figure')} share days with another of the same measure and destination."
    ]
    if odd.empty and len(same):
        sentences.append("No two for the very same days contradict each other.")
    elif len(odd):
        sentences.append(f"{'Two figures' if len(odd) == 1 else 'Figures'} differ although they cover the same days:")
    for one, other in odd[["figure", "figure 2"]].head(NAMED).itertuples(index=False):
        sentences.append(f"{sentence[one].removesuffix('.')}, and {sentence[other][:1].lower()}{sentence[other][1:]}")
    if len(odd) > NAMED:
        sentences.append(f"{plural(len(odd) - NAMED, 'further pair')} of the same days differ.")
    return " ".join(sentences)
