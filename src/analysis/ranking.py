"""Destination figures compared: ranked within one measure, speaker and window, drawn so, and added up where that is allowed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from analysis.charts import INK, MARK, MUTED, PAPER, WIDTH, fold
from analysis.disclosure import no_people
from analysis.figures import (
    Row,
    bounds,
    counted_at,
    for_each,
    is_joint,
    measure,
    number,
    rows_of,
    spread,
    whose,
    window,
)
from analysis.text import isolate, join, spell


def compare(figures: pd.DataFrame) -> pd.DataFrame:
    """Which figures can be compared: those of one measure, one speaker and the very same days, for single countries.

    The rows of `list_figures` with their `bounds`; with ``speaker``, whoever states or reports a figure; ``days``, the
    window over which it is compared, blank where it is not; and ``apart``, why not. Of each measure and speaker the latest
    window is taken that has more than half as many countries as the one with most.
    """
    speaker = figures["stated_by"].where(figures["stated_by"] != "", figures["reported_by"])
    table = bounds(figures).assign(speaker=speaker, days=for_each(figures, window), apart="")
    reasons = {
        "days without an end": (table["window_start"] != "") & (table["window_end"] == ""),
        "days not stated": table["days"] == "",
        "no speaker named": speaker == "",
        "several countries together": for_each(figures, is_joint, "bool"),
    }
    for why, found in reasons.items():
        table["apart"] = table["apart"].mask(found, why)
    for _, rows in table[table["apart"] == ""].groupby(["measure", "speaker"], sort=False):
        windows = list(zip(rows["window_end"], rows["window_start"], strict=True))
        countries = Counter(each for each, _ in set(zip(windows, rows["destination"], strict=True)))
        most = max(countries.values())
        latest = max((each for each, n in countries.items() if 1 < n > most / 2), default=None)
        single = "no other country by that speaker over those days"
        apart = ["" if each == latest else "earlier days" if countries[each] > 1 else single for each in windows]
        table.loc[rows.index, "apart"] = apart
    table["days"] = table["days"].where(table["apart"] == "", "")
    return no_people(table)


def rank(compared: pd.DataFrame) -> pd.DataFrame:
    """The countries that can be compared, one a row, within each measure and speaker by the least number stated.

    ``least`` and ``most`` are the bounds of a country's figures, ``number`` the same as text, ``figures`` their
    identifiers; ``says`` has each figure with its days and speaker; ``before`` is the number of a year earlier.
    """
    groups, stated = dict[tuple[str, ...], list[Row]](), dict[tuple[str, ...], float]()
    for row in rows_of(compared):
        key = (row["measure"], row["destination"], row["speaker"])
        stated.setdefault((*key, row["window_start"], row["window_end"]), row["from"])
        if row["days"]:
            groups.setdefault(key, []).append(row)
    found = []
    for (code, place, who), rows in groups.items():
        year_before = (_year_before(rows[0]["window_start"]), _year_before(rows[0]["window_end"]))
        says = [f"{number(row)}, {window(row, short=True)}, {whose(row)} ({row['figure']})" for row in rows]
        found.append({
            "measure": code, "speaker": who, "destination": place, "country": rows[0]["countries"], "days": rows[0]["days"],
            "least": min(row["from"] for row in rows), "most": max(row["to"] for row in rows),
            "open above": any(row["open above"] for row in rows), "number": spread(rows),
            "figures": join([str(row["figure"]) for row in rows]), "says": "; ".join(says),
            "before": stated.get((code, place, who, *year_before)) if len(rows) == 1 else None,
        })  # fmt: skip
    columns = ["measure", "speaker", "destination", "country", "days", "least", "most", "open above", "number", "figures", "says", "before"]  # fmt: skip
    ranked = pd.DataFrame(found, columns=columns).astype({"before": "float64"})

    def order(column: pd.Series[Any]) -> Any:
        return column if column.name in ("least", "most") else pd.factorize(column)[0]

    by = ["measure", "speaker", "least", "most"]
    return no_people(ranked.sort_values(by, ascending=[True, True, False, False], key=order))


def _year_before(iso: str) -> str:
    return f"{int(iso[:4]) - 1}{iso[4:]}" if iso else ""


def panels_of(ranked: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of `rank` by measure and speaker: those that are ranked with one another."""
    return [rows for _, rows in ranked.groupby(["measure", "speaker"], sort=False)]


def largest(panels: Sequence[pd.DataFrame], n: int) -> list[pd.DataFrame]:
    """The n panels with most countries, in the order in which the panels stand."""
    by_size = sorted(range(len(panels)), key=lambda at: len(panels[at]), reverse=True)
    return [panels[at] for at in sorted(by_size[:n])]


def overlapping(figures: pd.DataFrame) -> list[pd.DataFrame]:
    """Figures of one measure for one country that share days, where they are three or more: what may disagree.

    The rows of `list_figures` by ``end`` and ``start``, the most figures first; an end that is not stated is blank, and last.
    """
    single = ~for_each(figures, is_joint, "bool") & (figures["window_start"] != "")
    table = figures[single].assign(start=figures["window_start"], end=figures["window_end"])
    found = []
    for _, rows in table.sort_values(["start", "end"]).groupby(["measure", "destination"], sort=False):
        ends = rows["end"].replace("", "9999")
        if len(rows) > 2 and (rows["start"] <= ends.cummax().shift(1, fill_value="")).any():
            found.append(rows.iloc[ends.argsort(kind="stable")])
    return sorted(found, key=len, reverse=True)


def periods_chart(rows: pd.DataFrame, first: str, last: str, event: str = "") -> alt.LayerChart | alt.FacetChart:
    """One of `overlapping` over the days from first to last: a figure a row, a bar from its first day to its last.

    An arrow head is an end that is not stated, a stroke across a bar the day of an event.
    """
    counted = counted_at(*rows[["measure", "destination"]].iloc[0])
    title = alt.Title(fold(f"{counted[:1].upper()}{counted[1:]}", 50).split("\n"), offset=8)
    who = [row["stated_by"] or f"source not named ({row['reported_by']})" for row in rows_of(rows)]
    labels = [fold(name, 54).split("\n") for name in who]
    lines = max(map(len, labels))
    drawn = no_people(pd.DataFrame({
        "figure": rows["figure"], "label": labels, "stated by": who, "number": for_each(rows, number),
        "days": for_each(rows, lambda row: window(row, short=True)), "from": _days(rows["start"]),
        "until": _days(rows["end"].mask(rows["end"] == "", last)) + 1, "open": rows["end"] == "",
    }))  # fmt: skip
    begin, until, at = _days(pd.Series([first, last, event or first]))
    across = alt.Scale(domain=[begin, until + 1], nice=False)
    row = alt.Chart(drawn, width=WIDTH, height=alt.Step(14 * lines + 38)).encode(
        x=alt.X("from:Q", scale=across, axis=_months(first, last), title=None),
        y=alt.Y("figure:N", axis=None, sort=None), tooltip=["number", "days", "stated by", "figure"],
    )  # fmt: skip
    above, below = -7 * lines - 8, 7 * lines + 9
    left, right = row.encode(x=alt.value(0)), row.encode(x=alt.value(WIDTH))
    numbers = left.mark_text(align="left", fontSize=14, fontWeight="bold", yOffset=above).encode(text="number:N")
    days = right.mark_text(align="right", color=MUTED, yOffset=above).encode(text="days:N")
    speakers = left.mark_text(align="left", color=MUTED, lineHeight=14, yOffset=above + 16).encode(text="label:N")
    bars = row.mark_bar(height=4, yOffset=below, color=MARK).encode(x2="until:Q")
    ends = row.encode(x="until:Q").mark_point(shape="triangle-right", size=60, xOffset=4, yOffset=below)
    layers = [bars, ends.transform_filter("datum.open"), numbers, days, speakers]
    if event:
        strokes = row.encode(x=alt.datum(at)).transform_filter(f"datum.from <= {at} && {at} < datum.until")
        layers.append(strokes.mark_point(shape="stroke", angle=90, size=260, strokeWidth=2, stroke=INK, yOffset=below))
    return alt.layer(*layers, title=title)


def _days(texts: pd.Series) -> pd.Series:
    """Days as numbers, which are drawn the same in every time zone."""
    return (pd.to_datetime(texts) - pd.Timestamp("1970-01-01")).dt.days


def _months(first: str, last: str) -> alt.Axis:
    """An axis of `_days` with at most seven first days of months, or with both ends where there are fewer than two."""
    months = pd.date_range(first, last, freq="MS")
    if len(months) > 1:
        shown, form = months[:: math.ceil(len(months) / 7)], "%b %Y"
    else:
        shown, form = pd.DatetimeIndex([first, last]), "%-d %b %Y"
    label = f"utcFormat(datum.value * 864e5, '{form}')"
    values = _days(pd.Series(shown)).tolist()
    return alt.Axis(values=values, labelExpr=label, labelFlush=True, labelOverlap=True, grid=False, domain=False)


def ranking_chart(rows: pd.DataFrame, scale_to: float = 0) -> alt.LayerChart | alt.FacetChart:
    """One of `panels_of`: a country a row, its label above a bar, solid to the least number and outlined on to the greatest.

    The 20 highest at most, on a scale of its own or up to a number. An arrow head is a number that is said to be higher, a
    stroke the number of a year before.
    """
    code, who, days = rows[["measure", "speaker", "days"]].iloc[0]
    ago = [f" (a year before: {n:,.0f})" if pd.notna(n) else "" for n in rows["before"]]
    texts = [f"{place}: {many}{was}" for place, many, was in zip(rows["destination"], rows["number"], ago, strict=True)]
    labels = [fold(text, 50).split("\n") for text in texts]
    lines, most = max(map(len, labels)), scale_to or rows[["most", "before"]].max().max() or 1
    padded = [[""] * (lines - len(label)) + label for label in labels]  # down to its bar
    name = measure(code)
    heading = f"{name[:1].upper()}{name[1:]}: {first_of(rows)} highest of {spell(len(rows))}"
    about = [f"{days}, {isolate(who)}", measure(code, "counts")]
    title = alt.Title(
        fold(heading, 50).split("\n"), subtitleColor=MUTED, subtitleFontSize=12, subtitlePadding=4, offset=8,
        subtitle=[line for text in about if text for line in fold(text, 60).split("\n")],
    )  # fmt: skip
    drawn = rows.assign(label=pd.Series(padded, rows.index)).head(20)
    row = alt.Chart(drawn, width=320, height=alt.Step(14 * lines + 20)).encode(
        x=alt.X("least:Q", axis=None, scale=alt.Scale(domain=[0, most], nice=False)),
        y=alt.Y("destination:N", axis=None, sort=None),
        tooltip=[alt.Tooltip("destination"), alt.Tooltip("says", title="figures")],
    )
    below = 7 * lines
    least = row.mark_bar(height=8, yOffset=below, color=MARK)
    greatest = row.mark_bar(height=7, yOffset=below, fill=PAPER, stroke=MARK).encode(x2="most:Q")
    greatest = greatest.transform_filter("datum.most > datum.least")
    higher = row.mark_point(shape="triangle-right", size=60, xOffset=9, yOffset=below).encode(x="most:Q")
    higher = higher.transform_filter("datum['open above']")
    layers = [least, greatest, higher]
    if rows["before"].notna().any():
        before = row.mark_point(shape="stroke", angle=90, size=200, strokeWidth=3, stroke=MUTED, yOffset=below)
        layers.append(before.encode(x="before:Q"))
    words = row.mark_text(align="left", baseline="bottom", yOffset=7 - below, lineHeight=14)
    return alt.layer(*layers, words.encode(x=alt.value(0), text="label:N"), title=title)


def add_up(figures: pd.DataFrame) -> pd.DataFrame:
    """Totals over countries of figures that the edition says may be added up, in a column ``additive``.

    One row a measure, speaker and window, with the number of ``countries``, and ``least`` and ``most``, the bounds of
    their total. A window in which a country has two figures has no total.
    """
    table = compare(figures[figures["additive"] == "true"] if "additive" in figures else figures.head(0))
    table = table[~table["apart"].isin(["several countries together", "no speaker named", "days not stated"])]
    of = ["measure", "speaker", "window_start", "window_end"]
    sums = table.groupby(of, sort=False).agg(
        countries=("destination", "nunique"), figures=("figure", "size"), least=("from", "sum"), most=("to", "sum"), open=("open above", "any"),
    ).reset_index()  # fmt: skip
    sums = sums[(sums["figures"] == sums["countries"]) & (sums["countries"] > 1) & ~sums["open"]]
    return no_people(sums.drop(columns=["figures", "open"]).sort_values(of, kind="stable", ignore_index=True))


def first_of(rows: pd.DataFrame) -> str:
    """Whose number is the highest, of a measure's rows of `rank`: several where they overlap, at most three by name."""
    names = list(map(isolate, rows.loc[rows["most"] >= rows["least"].max(), "destination"]))
    return " or ".join([*names[:3], *(["others"] if len(names) > 3 else [])])
