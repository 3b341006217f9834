"""Sentences on figures of how many went where, true of any edition's. Pure: tables of figures in, plain text out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from analysis.disclosure import no_people
from analysis.editions import Edition
from analysis.figures import (
    FEW,
    Row,
    between,
    counted_at,
    each_text,
    leaves_open,
    measure,
    number,
    one_figure,
    rows_of,
    what_and_when,
    whose,
    window,
)  # fmt: skip
from analysis.ranking import add_up, compare, first_of, panels_of, rank
from analysis.text import day, isolate, join, plural, spell

NAMED = 3
"""As many pairs of figures that differ as are told one by one."""


def in_words(figures: pd.DataFrame) -> pd.DataFrame:
    """What readers see of each figure; those that compare come by their number, as nobody is first for being named first."""
    texts: dict[str, Callable[[Row], str]] = {
        "number": number, "what": what_and_when, "whose": whose, "open": lambda row: "; ".join(leaves_open(row)),
        "days": lambda row: window(row, short=True), "sentence": one_figure,
    }  # fmt: skip
    table = compare(figures)
    size = table["from"].where(table["days"] != "", float("inf")).sort_values(ascending=False, kind="stable")
    words = pd.DataFrame({name: each_text(figures, of) for name, of in texts.items()}, figures.index)
    return no_people(words.loc[size.index])


def figures_told(figures: pd.DataFrame) -> str:
    """A few figures in one sentence; blank where there is none."""
    words = in_words(figures)
    told = [f"{text} {what}" for text, what in zip(words["number"], words["what"], strict=True)]
    return f"The source reports {('; ' if len(told) > 2 else ' and ').join(told)}." if told else ""


def where_to(figures: pd.DataFrame) -> str:
    """Where people went, in a few sentences: few figures one by one, else the highest by what compares most countries."""
    n = len(figures)
    if n < FEW:
        return " ".join(in_words(figures)["sentence"]) or not_added(figures)
    panels = panels_of(rank(compare(figures)))
    if not panels:
        return f"The {n:,} figures compare no countries: no two of them count the same thing over the same days by one speaker."
    widest = sorted(range(len(panels)), key=lambda at: -len(panels[at]))[:4]
    found = []
    for rows in (panels[at] for at in sorted(widest)):
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


def changed_most(ranked: pd.DataFrame) -> str:
    """Of each measure and speaker of `ranking.rank`, which country's number changed most within a year."""
    known = ranked.dropna(subset="before")
    change = (known["least"] - known["before"]).abs().groupby([known["measure"], known["speaker"]], sort=False)
    return " ".join(
        f"Among {isolate(measure(row['measure']))}, {isolate(row['destination'])} changed most within a year: "
        f"from {row['before']:,.0f} to {row['least']:,.0f} ({row['days']})."
        for row in known.loc[change.idxmax()].to_dict("records")
    )


def how_ranked(compared: pd.DataFrame, panels: Sequence[pd.DataFrame], drawn: int) -> list[str]:
    """What a reader must know of ranked figures: how many are, why not the others, how bars are drawn, what is not drawn."""
    apart = compared.loc[compared["apart"] != "", "apart"].value_counts()
    notes = [
        f"{len(compared) - int(apart.sum()):,} of the {len(compared):,} figures can be ranked: they count the same over the same "
        "days by the same speaker, for single countries; of several such days the latest. Countries stand by their least number."
    ]
    if len(apart):
        notes.append(f"What keeps the other figures out: {join([f'{why} ({n:,})' for why, n in apart.items()])}.")
    notes.append(
        "A solid bar ends at the least number stated, an outlined one at the greatest; an arrow head means more than that."
    )
    if max(map(len, panels)) > 20:
        notes.append("The 20 highest of each measure are drawn; the table has them all.")
    if len(panels) > drawn:
        notes.append(f"Not drawn: {plural(len(panels) - drawn, 'comparison')} of fewer countries.")
    if any(rows["before"].notna().any() for rows in panels):
        notes.append("A grey stroke is the number of a year before, by the same speaker.")
    return notes


def counted_twice(figures: pd.DataFrame) -> list[str]:
    """A note on measures that may count one person more than once, where there are any."""
    found = [measure(code) for code in figures["measure"].unique() if "more than once" in measure(code, "counts")]
    caution = "That caution is ours, whether or not a source gives it."
    return [f"One person may be counted more than once among {join(found)}. {caution}"] if found else []


def totals_told(together: pd.DataFrame) -> str:
    """Of each measure and speaker the latest total, and the earliest where there are several: of `ranking.add_up`."""
    said = []
    for _, rows in together.groupby(["measure", "speaker"], sort=False):
        (begin, days), (end, now) = ((row, window(row)) for row in rows_of(rows.iloc[[0, -1]]))
        text = f"{end['least']:,.0f} {isolate(measure(end['measure']))} in {end['countries']} countries, {now}"
        before = (
            f", where it was {begin['least']:,.0f} in {begin['countries']} countries, {days}" if days != now else ""
        )
        said.append(f"{text}{before}.")
    return " ".join(said)


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
    """How many figures share days, and which of them no number satisfies both.

    ``same`` has pairs of `compare`'s rows, of one measure and destination, with days in common; the columns of the second
    end in `` 2``.
    """
    days = same[(same["window_start"] == same["window_start 2"]) & (same["window_end"] == same["window_end 2"])]
    closed = ~days["open above"] & ~days["open below 2"] & (days["window_start"] != "") & (days["window_end"] != "")
    odd = days[closed & (days["to"] < days["from 2"])]  # the very same days, and no number that both allow
    sentence = {row["figure"]: one_figure(row) for row in rows_of(figures)}
    said = [
        f"{plural(same['figure'].nunique(), 'figure')} share days with another of the same measure and destination."
    ]
    if odd.empty:
        return " ".join([*said, *["No two for the very same days contradict each other."] * bool(len(same))])
    said.append(
        "Two figures differ although they cover the same days:"
        if len(odd) == 1
        else "Figures differ although they cover the same days:"
    )
    for one, other in odd[["figure", "figure 2"]].head(NAMED).itertuples(index=False):
        said.append(f"{sentence[one].removesuffix('.')}, and {sentence[other][:1].lower()}{sentence[other][1:]}")
    if len(odd) > NAMED:
        said.append(f"{plural(len(odd) - NAMED, 'further pair')} of the same days differ.")
    return " ".join(said)


def most_figures(compared: pd.DataFrame, place: str) -> str:
    """How many figures a place has, and how many different things they count."""
    of = compared[compared["destination"] == place]
    kinds = of["measure"].nunique()
    what = f", counting {spell(kinds)} different things" if kinds > 1 else ""
    many = "is one figure" if len(of) == 1 else f"are {spell(len(of))} figures"
    return f"There {many} for {isolate(place)}{what}." if len(of) else ""
