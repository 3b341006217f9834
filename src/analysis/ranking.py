"""Destination figures beside each other: ranked within one measure by one speaker, over the same days, and drawn so; added up where said."""

from __future__ import annotations

from collections import Counter

import altair as alt
import pandas as pd

from analysis.charts import INK, MARK, MUTED, PAPER, WIDTH, fold
from analysis.disclosure import no_people
from analysis.figures import (
    Row,
    bounds,
    counted_at,
    each_text,
    is_joint,
    measure,
    number,
    rows_of,
    spread,
    whose,
    window,
)  # fmt: skip
from analysis.text import isolate, join, spell

EPOCH = pd.Timestamp("1970-01-01")


def compare(figures: pd.DataFrame) -> pd.DataFrame:
    """Which figures stand beside each other: of one measure, one speaker and the very same days, for single countries.

    The rows of `list_figures` with their `bounds`; with ``speaker``, whoever states or reports a figure; ``days``, the
    window by which it compares, blank where it doesn't; and ``apart``, why not. Of each measure and speaker the latest
    days are taken by which more than half as many countries compare as by any.
    """
    speaker = figures["stated_by"].where(figures["stated_by"] != "", figures["reported_by"])
    table = bounds(figures).assign(speaker=speaker, days=each_text(figures, window), apart="")
    open_ended = (table["window_start"] != "") & (table["window_end"] == "")
    joint = each_text(figures, lambda row: "yes" if is_joint(row) else "") != ""
    reasons = {
        "days without an end": open_ended, "days not stated": table["days"] == "", "no speaker named": speaker == "",
        "several countries together": joint,
    }  # fmt: skip
    for why, found in reasons.items():
        table["apart"] = table["apart"].mask(found, why)
    for _, rows in table[table["apart"] == ""].groupby(["measure", "speaker"], sort=False):
        days = list(zip(rows["window_end"], rows["window_start"], strict=True))
        many = Counter(each for each, _ in set(zip(days, rows["destination"], strict=True)))  # countries by days
        most = max(many.values())
        latest = max((each for each, n in many.items() if 1 < n > most / 2), default=None)
        single = "no other country by that speaker over those days"
        apart = ["" if each == latest else "earlier days" if many[each] > 1 else single for each in days]
        table.loc[rows.index, "apart"] = apart
    table["days"] = table["days"].where(table["apart"] == "", "")
    return no_people(table)


def rank(compared: pd.DataFrame) -> pd.DataFrame:
    """The countries that compare, one a row, within each measure and speaker by the least number stated: of rows of `compare`.

    With ``least``, ``most``, ``number`` as text, ``figures`` (their identifiers), ``says`` (each figure, its days and speaker), and ``before``: the
    number a year earlier.
    """
    groups, known = dict[tuple[str, ...], list[Row]](), dict[tuple[str, ...], float]()
    for row in rows_of(compared):
        key = (row["measure"], row["destination"], row["speaker"])
        known.setdefault((*key, row["window_start"], row["window_end"]), row["from"])
        if row["days"]:
            groups.setdefault(key, []).append(row)
    found = []
    for (code, place, who), rows in groups.items():
        first, least, most = rows[0], min(row["from"] for row in rows), max(row["to"] for row in rows)
        before = [
            f"{int(each[:4]) - 1}{each[4:]}" if each else "" for each in (first["window_start"], first["window_end"])
        ]
        says = [f"{number(row)}, {window(row, short=True)}, {whose(row)} ({row['figure']})" for row in rows]
        found.append({
            "measure": code, "speaker": who, "destination": place, "country": first["countries"], "days": first["days"],
            "least": least, "most": most, "open above": any(row["open above"] for row in rows), "number": spread(rows),
            "figures": join([str(row["figure"]) for row in rows]), "says": "; ".join(says), "before": known.get((code, place, who, *before)) if len(rows) == 1 else None,
        })  # fmt: skip
    columns = ["measure", "speaker", "destination", "country", "days", "least", "most", "open above", "number", "figures", "says", "before"]  # fmt: skip
    ranked = pd.DataFrame(found, columns=columns).astype({"before": "float64"})
    order = ranked.assign(measure=pd.factorize(ranked["measure"])[0], speaker=pd.factorize(ranked["speaker"])[0])
    order = order.assign(least=-ranked["least"], most=-ranked["most"])
    return no_people(ranked.loc[order.sort_values(["measure", "speaker", "least", "most"], kind="stable").index])


def panels_of(ranked: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of `rank` by measure and speaker: those that are ranked with one another."""
    return [rows for _, rows in ranked.groupby(["measure", "speaker"], sort=False)]


def overlapping(figures: pd.DataFrame) -> list[pd.DataFrame]:
    """Figures of one measure for one country that share days, where they are three or more: what may disagree.

    The rows of `list_figures` by ``end`` and ``start``, the most figures first; an end that is not stated is blank, and last.
    """
    single = each_text(figures, lambda row: "" if is_joint(row) else "yes") != ""
    table = figures[single & (figures["window_start"] != "")].assign(
        start=figures["window_start"], end=figures["window_end"]
    )
    found = []
    for _, rows in table.sort_values(["start", "end"]).groupby(["measure", "destination"], sort=False):
        last = rows["end"].replace("", "9999").cummax().shift(1, fill_value="")
        if len(rows) > 2 and (rows["start"] <= last).any():
            found.append(rows.iloc[rows["end"].replace("", "9999").argsort(kind="stable")])
    return sorted(found, key=lambda rows: -len(rows))


def periods_chart(rows: pd.DataFrame, first: str, last: str, event: str = "") -> alt.LayerChart | alt.FacetChart:
    """One of `overlapping` over the days from first to last: a figure a row, a bar from its first day to its last.

    An arrow head is an end that is not stated, a stroke across a bar the day of an event.
    """
    said = counted_at(*rows[["measure", "destination"]].iloc[0])
    title = alt.Title(fold(f"{said[:1].upper()}{said[1:]}", 50).split("\n"), offset=8)
    who = [row["stated_by"] or f"source not named ({row['reported_by']})" for row in rows_of(rows)]
    labels = [fold(name, 54).split("\n") for name in who]
    lines = max(map(len, labels))
    drawn = no_people(pd.DataFrame({
        "figure": rows["figure"], "label": labels, "stated by": who, "number": list(map(number, rows_of(rows))),
        "days": [window(row, short=True) for row in rows_of(rows)], "from": _days(rows["start"]),
        "until": _days(rows["end"].mask(rows["end"] == "", last)) + 1, "open": rows["end"] == "",
    }))  # fmt: skip
    begin, until, at = _days(pd.Series([first, last, event or first]))
    across = alt.Scale(domain=[begin, until + 1], nice=False)
    row = alt.Chart(drawn, width=WIDTH, height=alt.Step(14 * lines + 38)).encode(
        x=alt.X("from:Q", scale=across, axis=_months(first, last), title=None),
        y=alt.Y("figure:N", axis=None, sort=None), tooltip=["number", "days", "stated by", "figure"],
    )  # fmt: skip
    top, low = -7 * lines - 8, 7 * lines + 9
    numbers = row.mark_text(align="left", fontSize=14, fontWeight="bold", yOffset=top).encode(
        x=alt.value(0), text="number:N"
    )
    days = row.mark_text(align="right", color=MUTED, yOffset=top).encode(x=alt.value(WIDTH), text="days:N")
    speakers = row.mark_text(align="left", color=MUTED, lineHeight=14, yOffset=top + 16).encode(
        x=alt.value(0), text="label:N"
    )
    bars = row.mark_bar(height=4, yOffset=low, color=MARK).encode(x2="until:Q")
    ends = row.mark_point(shape="triangle-right", size=60, xOffset=4, yOffset=low).encode(x="until:Q")
    strokes = row.mark_point(shape="stroke", angle=90, size=260, strokeWidth=2, stroke=INK, yOffset=low).encode(
        x=alt.datum(at)
    )
    layers = [bars, ends.transform_filter("datum.open"), numbers, days, speakers]
    return alt.layer(
        *layers,
        *([strokes.transform_filter(f"datum.from <= {at} && {at} < datum.until")] if event else []),
        title=title,
    )


def _days(texts: pd.Series) -> pd.Series:
    """Days as numbers, which are drawn the same in every time zone."""
    return (pd.to_datetime(texts) - EPOCH).dt.days


def _months(first: str, last: str) -> alt.Axis:
    """An axis of `_days` with at most seven first days of months, or with both ends where there are fewer than two."""
    months = pd.date_range(first, last, freq="MS")
    shown = [f"{each:%Y-%m-%d}" for each in months[:: -(-len(months) // 7) or 1]]
    text = "utcFormat(datum.value * 864e5, '{}')"
    form = text.format("%b %Y") if len(months) > 1 else text.format("%-d %b %Y")
    values = _days(pd.Series(shown if len(months) > 1 else [first, last])).tolist()
    return alt.Axis(values=values, labelExpr=form, labelFlush=True, labelOverlap=True, grid=False, domain=False)


def ranking_chart(rows: pd.DataFrame, scale_to: float = 0) -> alt.LayerChart | alt.FacetChart:
    """One of `panels_of`: a country a row, its label above a bar, solid to the least number and outlined on to the greatest.

    The 20 highest at most, on a scale of its own or up to a number. An arrow head is a number that is said to be higher, a stroke the number of a year before.
    """
    code, who, days = rows[["measure", "speaker", "days"]].iloc[0]
    ago = [f" (a year before: {n:,.0f})" if pd.notna(n) else "" for n in rows["before"]]
    labels = [
        fold(f"{place}: {many}{said}", 50).split("\n")
        for place, many, said in zip(rows["destination"], rows["number"], ago, strict=True)
    ]
    said = measure(code)
    about = [f"{days}, {isolate(who)}", measure(code, "counts")]
    title = alt.Title(
        fold(f"{said[:1].upper()}{said[1:]}: {first_of(rows)} highest of {spell(len(rows))}", 50).split("\n"), subtitleColor=MUTED, subtitleFontSize=12, subtitlePadding=4,
        subtitle=[line for text in about if text for line in fold(text, 60).split("\n")], offset=8,
    )  # fmt: skip
    lines, most = max(map(len, labels)), scale_to or rows[["most", "before"]].max().max() or 1
    padded = [[""] * (lines - len(label)) + label for label in labels]  # down to its bar
    rows = rows.assign(label=pd.Series(padded, rows.index))
    x = alt.X("least:Q", axis=None, scale=alt.Scale(domain=[0, most], nice=False))
    y = alt.Y("destination:N", axis=None, sort=None)
    tooltip = [alt.Tooltip("destination"), alt.Tooltip("says", title="figures")]
    row = alt.Chart(rows.head(20), width=320, height=alt.Step(14 * lines + 20)).encode(x=x, y=y, tooltip=tooltip)
    low = row.mark_bar(height=8, yOffset=7 * lines, color=MARK)
    high = (
        row.mark_bar(height=7, yOffset=7 * lines, fill=PAPER, stroke=MARK)
        .encode(x2="most:Q")
        .transform_filter("datum.most > datum.least")
    )
    more = (
        row.mark_point(shape="triangle-right", size=60, xOffset=9, yOffset=7 * lines)
        .encode(x="most:Q")
        .transform_filter("datum['open above']")
    )
    before = row.mark_point(shape="stroke", angle=90, size=200, strokeWidth=3, stroke=MUTED, yOffset=7 * lines).encode(
        x="before:Q"
    )
    words = row.mark_text(align="left", baseline="bottom", yOffset=7 - 7 * lines, lineHeight=14).encode(
        x=alt.value(0), text="label:N"
    )
    return alt.layer(low, high, more, *([before] if rows["before"].notna().any() else []), words, title=title)


def add_up(figures: pd.DataFrame) -> pd.DataFrame:
    """Figures that may be added up, as the edition says in a column ``additive``, over countries: one row a measure, speaker and window.

    With how many ``countries`` there are, and between which numbers, ``least`` and ``most``, their total lies. A window
    in which a country has two figures has no total.
    """
    said = compare(figures[figures["additive"] == "true"] if "additive" in figures else figures.head(0))
    said = said[~said["apart"].isin(["several countries together", "no speaker named", "days not stated"])]
    of = ["measure", "speaker", "window_start", "window_end"]
    sums = said.groupby(of, sort=False).agg(
        countries=("destination", "nunique"), figures=("figure", "size"), least=("from", "sum"), most=("to", "sum"), open=("open above", "any"),
    ).reset_index()  # fmt: skip
    sums = sums[(sums["figures"] == sums["countries"]) & (sums["countries"] > 1) & ~sums["open"]].drop(
        columns=["figures", "open"]
    )
    return no_people(sums.sort_values(of, kind="stable", ignore_index=True))


def first_of(rows: pd.DataFrame) -> str:
    """Whose number is the highest, of a measure's rows of `rank`: several where they overlap, at most three by name."""
    names = list(map(isolate, rows.loc[rows["most"] >= rows["least"].max(), "destination"]))
    return " or ".join([*names[:3], *(["others"] if len(names) > 3 else [])])
