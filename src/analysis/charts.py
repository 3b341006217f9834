"""Charts. Pure: counts in, Altair charts out; no disk, no counting.

Few cases are drawn as marks, one an interviewee, so that seventeen is seen as seventeen; many as
bars. Nothing is told by colour alone: what is not stated is hollow, what is not described is a hollow
square, what is not shown apart a hollow diamond, and each row says so in words.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import altair as alt
import pandas as pd

from analysis.basemap import Box
from analysis.frames import MOST_MARKS, isolated, records
from analysis.tabulate import NOT_DESCRIBED, NOT_SHOWN, NOT_STATED, Counts

INK, MUTED, LINE, PAPER, MARK, LAND = "#1f2328", "#57606a", "#c8ced6", "#ffffff", "#0064a8", "#e3e6ea"
"""The palette. The book replaces each by a variable that follows the page's light or dark scheme."""

FONT = "'Liberation Sans', Arial, sans-serif"
"""The drawing program carries the first, browsers have one of its widths: a chart is laid out alike on every machine."""

WIDTH = 340
"""Pixels: legible on a phone without scaling."""

LETTERS = 24
"""In a line of a label."""

LINE_HEIGHT = 14

BREAK = r"'\n'"
"""What parts the lines of a label, as Vega writes it."""

ACROSS = 10
"""Marks in a line before the next line begins."""

STEP = 17
TEXTS: list[tuple[str, Literal["left", "center"], int, int]] = [("place", "left", 5, -7), ("area", "center", 0, 17)]
"""Where names stand on a map: of a town beside its dot, of an area below its ring."""

STATES = ["stated", NOT_STATED, NOT_DESCRIBED, NOT_SHOWN]


def themed(chart: Any) -> dict[str, Any]:
    """A chart's Vega-Lite, with the report's look."""
    spec: dict[str, Any] = (
        chart.configure(background="transparent", font=FONT)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=INK,
            titleColor=MUTED,
            gridColor=LINE,
            domainColor=LINE,
            tickColor=LINE,
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
            labelLimit=180,
        )
        .configure_title(color=INK, fontSize=13, fontWeight="bold", anchor="start")
        .to_dict()
    )
    return spec


def tallied(counts: Counts, *, description: str, noun: str = "interviewees") -> dict[str, Any]:
    """One table of counts as rows of marks, or as bars when there are many.

    Parameters
    ----------
    counts : Counts
        The last label column names the rows; further label columns are joined before it.
    description : str
        The finding in words, for screen readers.
    """
    draw = _marks if counts.total <= MOST_MARKS else _bars
    frame = _labelled(counts)
    return themed(draw(frame, counts, noun).properties(description=description))


def _labelled(counts: Counts) -> pd.DataFrame:
    """A table of counts with ``label``, its ``lines``, ``count`` and ``state`` for each row."""
    frame = counts.frame.copy()
    *labels, unit = frame.columns
    both = f"{NOT_DESCRIBED}, {NOT_DESCRIBED}"
    frame["label"] = [
        ", ".join(map(str, row)).replace(both, NOT_DESCRIBED) for row in frame[labels].itertuples(index=False)
    ]
    frame["lines"] = frame["label"].map(_folded)
    return frame.rename(columns={unit: "count"}).assign(state=list(counts.states))


def followed(panels: Sequence[tuple[str, Counts]], *, description: str) -> dict[str, Any]:
    """Several tables of the same people, one above the other: a mark chosen in one is shown in all."""
    drawn = [_marks(_labelled(counts), counts, "interviewees").properties(title=title) for title, counts in panels]
    return themed(alt.vconcat(*drawn, spacing=18).properties(description=description))


def _labels(frame: pd.DataFrame) -> alt.Y:
    """One row a label, in the order given; long labels in several lines."""
    return alt.Y("lines:N", sort=list(frame["lines"]), title=None).axis(
        domain=False,
        ticks=False,
        labelPadding=8,
        labelLineHeight=LINE_HEIGHT,
        labelExpr=f"split(datum.label, {BREAK})",
        labelOffset=_raised(int(frame["lines"].str.count("\n").max() or 0) if len(frame) else 0),
    )


def _raised(most: int) -> Any:
    """Labels of several lines raised by half their further lines, so that their middle is at the row's."""
    if not most:
        return alt.Undefined
    tests = [
        {"test": f"length(split(datum.label, {BREAK})) === {lines + 1}", "value": -lines * LINE_HEIGHT / 2}
        for lines in range(1, most + 1)
    ]
    return {"condition": tests, "value": 0}


def _numbers(frame: pd.DataFrame) -> Any:
    """The count at the end of each row."""
    return (
        alt.Chart(frame)
        .mark_text(align="left", dx=4, color=INK, fontSize=12, fontWeight="bold")
        .encode(y=_labels(frame), text=alt.Text("count:Q", format=","))
    )


def _by_state(counts: Counts, *looks: Any) -> dict[str, Any]:
    """A scale from the states to their looks; that of `NOT_SHOWN` only where a table has such a row."""
    states = [state for state in STATES if state != NOT_SHOWN or NOT_SHOWN in counts.states]
    return {"domain": states, "range": list(looks[: len(states)])}


def _marks(frame: pd.DataFrame, counts: Counts, noun: str) -> Any:
    dots = []
    for row, who in zip(records(frame), counts.who, strict=True):
        for n in range(row["count"]):
            dots.append(
                {
                    "label": row["label"],
                    "lines": row["lines"],
                    "state": row["state"],
                    "x": n % ACROSS,
                    "line": n // ACROSS,
                    noun.rstrip("s"): who[n] if n < len(who) else row["state"],
                }
            )
    marks = pd.DataFrame(dots, columns=["label", "lines", "state", "x", "line", noun.rstrip("s")])
    wide = max(1, min(ACROSS, int(frame["count"].max() if len(frame) else 1)))
    lines = int(marks["line"].max()) + 1 if len(marks) else 1
    scale = alt.Scale(domain=[-0.5, wide + 0.7], nice=False)
    points = (
        alt.Chart(marks)
        .mark_point(size=110, opacity=1, strokeWidth=1.5)
        .encode(
            y=_labels(frame),
            yOffset=alt.YOffset("line:O").scale(domain=list(range(lines))) if lines > 1 else alt.value(0),
            x=alt.X("x:Q", scale=scale, axis=None),
            shape=alt.Shape("state:N", legend=None).scale(**_by_state(counts, "circle", "circle", "square", "diamond")),
            fill=alt.Fill("state:N", legend=None).scale(**_by_state(counts, MARK, PAPER, PAPER, PAPER)),
            stroke=alt.Stroke("state:N", legend=None).scale(**_by_state(counts, MARK, MARK, MUTED, MARK)),
            tooltip=[noun.rstrip("s"), "label"],
        )
    )
    ends = frame.assign(x=[min(n, ACROSS) - 0.3 for n in frame["count"]])
    numbers = _numbers(ends).encode(x=alt.X("x:Q", scale=scale, axis=None))
    tall = 24 + 13 * int(frame["lines"].str.count("\n").max())
    return alt.layer(points, numbers).properties(width=STEP * (wide + 1), height=alt.Step(max(tall, 24 * lines)))


def _bars(frame: pd.DataFrame, counts: Counts, noun: str) -> Any:
    bars = (
        alt.Chart(frame)
        .mark_bar(strokeWidth=1.5, height=14)
        .encode(
            y=_labels(frame),
            x=alt.X("count:Q", title=noun, axis=None).scale(domain=[0, int(frame["count"].max()) * 1.25]),
            fill=alt.Fill("state:N", legend=None).scale(**_by_state(counts, MARK, PAPER, PAPER, PAPER)),
            stroke=alt.Stroke("state:N", legend=None).scale(**_by_state(counts, MARK, MARK, MUTED, MARK)),
            strokeDash=alt.StrokeDash("state:N", legend=None).scale(
                **_by_state(counts, [1, 0], [1, 0], [4, 3], [1, 2])
            ),
            tooltip=["label", alt.Tooltip("count:Q", format=",")],
        )
    )
    return alt.layer(bars, _numbers(frame).encode(x="count:Q")).properties(width=200, height=alt.Step(24))


def spans(intervals: pd.DataFrame, *, description: str) -> dict[str, Any]:
    """Destination figures as intervals, one panel a measure; an open end is dashed, with an arrow head.

    Parameters
    ----------
    intervals : DataFrame
        As ``tabulate.intervals`` gives them.
    """
    panels = [_panel(panel, str(measure)) for measure, panel in intervals.groupby("measure", sort=False)]
    return themed(alt.vconcat(*panels, spacing=28).properties(description=description))


def _panel(panel: pd.DataFrame, measure: str) -> Any:
    top = max(1.0, float(panel["to"].max()))
    reach = top * 0.14
    drawn = panel.assign(
        label=[f"{name} ({key})" for name, key in zip(panel["destination"], panel["figure"], strict=True)],
        start=(panel["from"] - reach * panel["open below"]).clip(lower=0),
        end=panel["to"] + reach * panel["open above"],
    )
    drawn["lines"] = drawn["label"].map(_folded)
    labels = _labels(drawn)
    scale = alt.Scale(domain=[0, top * 1.2], nice=False)
    axis = alt.Axis(title=None, format=",d", tickCount=3, grid=True, domain=False)
    tips = ["destination", "number", "measure", "window", "stated by"]
    base = alt.Chart(drawn).encode(y=labels, tooltip=tips)
    whole = base.mark_rule(strokeWidth=5, color=MARK).encode(x=alt.X("from:Q", scale=scale, axis=axis), x2="to:Q")
    dashed = base.mark_rule(strokeWidth=1.5, strokeDash=[4, 3], color=MARK).encode(
        x=alt.X("start:Q", scale=scale), x2="end:Q"
    )
    ticks = [
        base.mark_tick(thickness=3, size=16, color=MARK).encode(x=alt.X(f"{end}:Q", scale=scale))
        for end in ("from", "to")
    ]
    heads = [
        base.transform_filter(f"datum['{flag}']")
        .mark_point(shape=shape, size=70, filled=False, fill=PAPER, stroke=MARK, strokeWidth=1.5)
        .encode(x=alt.X(f"{at}:Q", scale=scale))
        for flag, at, shape in (("open below", "start", "triangle-left"), ("open above", "end", "triangle-right"))
        if panel[flag].any()
    ]
    words = base.mark_text(align="left", dy=-13, color=INK, fontSize=11).encode(x=alt.value(0), text="number:N")
    lines = _folded(measure, 2 * LETTERS).split("\n")
    title = lines if len(lines) > 1 else lines[0]
    return alt.layer(dashed, whole, *ticks, *heads, words).properties(title=title, width=190, height=alt.Step(52))


def timeline(days: pd.DataFrame, *, description: str) -> dict[str, Any]:
    """One line a person: the day of setting off, and from when on the border can have been crossed.

    Parameters
    ----------
    days : DataFrame
        ``interviewee``, then the day of setting off and the first day of crossing, both text.
    """
    person, left, crossed = days.columns
    told = days[days[left] != NOT_STATED].assign(
        left=lambda rows: rows[left].astype(float), crossed=lambda rows: rows[crossed].str.split().str[0].astype(float)
    )
    last = float(told["crossed"].max()) + 1
    told["end"] = last - 0.15
    silent = days[days[left] == NOT_STATED].assign(text="no day told", zero=0.1)
    scale = alt.Scale(domain=[min(0.0, float(told["left"].min())), last], nice=False)
    rows = alt.Y(f"{person}:N", sort=list(days[person]), title=None).axis(domain=False, ticks=False, labelPadding=8)
    axis = alt.Axis(title="day", tickMinStep=1, format="d", domain=False)
    base = alt.Chart(told).encode(y=rows, tooltip=[person, alt.Tooltip(left), alt.Tooltip(crossed)])
    way = base.mark_rule(color=MARK, strokeWidth=1.5).encode(x=alt.X("left:Q", scale=scale, axis=axis), x2="crossed:Q")
    later = base.mark_rule(color=MARK, strokeDash=[4, 3]).encode(x=alt.X("crossed:Q", scale=scale), x2="end:Q")
    dots = base.mark_point(size=80, filled=True, opacity=1, color=MARK).encode(x=alt.X("left:Q", scale=scale))
    head = base.mark_point(shape="triangle-right", size=70, fill=PAPER, stroke=MARK, strokeWidth=1.5).encode(
        x=alt.X("end:Q", scale=scale)
    )
    words = (
        alt.Chart(silent)
        .mark_text(align="left", color=MUTED, fontSize=12)
        .encode(y=rows, x=alt.X("zero:Q", scale=scale), text="text:N")
    )
    layers = [way, later, dots, head, *([words] if len(silent) else [])]
    return themed(alt.layer(*layers).properties(width=250, height=alt.Step(22), description=description))


def route_map(
    lines: pd.DataFrame, places: pd.DataFrame, land: list[dict[str, Any]], box: Box, *, description: str
) -> dict[str, Any]:
    """Legs as lines between places: made solid, intended dashed, wider for more people.

    Parameters
    ----------
    lines : DataFrame
        ``from``, ``to``, ``status``, ``legs``, and the ends as ``x1``, ``y1``, ``x2``, ``y2`` in degrees.
    places : DataFrame
        ``name``, ``precision``, ``x``, ``y``. A city is a dot; of a region or a country only its name stands
        there, in a ring: somewhere in it.
    land : list
        GeoJSON features, as ``basemap.land`` gives them.
    box : tuple
        What to show: west, south, east, north.
    """
    west, south, east, north = box
    top, bottom = (math.asinh(math.tan(math.radians(latitude))) for latitude in (north, south))
    across = math.radians(east - west)
    height = round(WIDTH * (top - bottom) / across)
    middle = math.degrees(math.atan(math.sinh((top + bottom) / 2)))
    ground = alt.Chart(alt.InlineData(values=land)).mark_geoshape(fill=LAND, stroke=PAPER, strokeWidth=0.7, clip=True)
    ends = {"longitude": "x1:Q", "latitude": "y1:Q", "longitude2": "x2:Q", "latitude2": "y2:Q"}
    journeys = [
        alt.Chart(lines[lines["status"] == status])
        .mark_rule(color=MARK, strokeDash=dash, clip=True)
        .encode(
            **ends,
            strokeWidth=alt.StrokeWidth("legs:Q", legend=None).scale(domain=[1, 10], range=[1.5, 8], clamp=True),
            tooltip=["from", "to", "status", "legs"],
        )
        for status, dash in (("made", [1, 0]), ("intended", [4, 3]))
        if (lines["status"] == status).any()
    ]
    at = {"longitude": "x:Q", "latitude": "y:Q"}
    spots = (
        alt.Chart(places)
        .mark_point(size=45, opacity=1, strokeWidth=1.5, stroke=INK)
        .encode(
            **at,
            fill=alt.Fill("kind:N", legend=None).scale(domain=["place", "area"], range=[INK, PAPER]),
            size=alt.Size("kind:N", legend=None).scale(domain=["place", "area"], range=[35, 160]),
            tooltip=["name", "precision"],
        )
    )
    names = [
        alt.Chart(places[places["kind"] == kind])
        .mark_text(align=align, dx=dx, dy=dy, color=INK, fontSize=11)
        .encode(**at, text="name:N")
        for kind, align, dx, dy in TEXTS
        if (places["kind"] == kind).any()
    ]
    view = alt.layer(ground, *journeys, spots, *names).properties(width=WIDTH, height=height, description=description)
    scale = WIDTH / across
    return themed(
        view.project("mercator", scale=scale, center=[(west + east) / 2, middle], translate=[WIDTH / 2, height / 2])
    )


def _folded(text: str, letters: int = LETTERS) -> str:
    """A label with a line break where a new line begins; signs as wide as two count as two.

    Examples
    --------
    >>> _folded("Moscow → Astrakhan → Kazakhstan")
    'Moscow → Astrakhan →\\nKazakhstan'
    """
    import textwrap
    import unicodedata

    wide = any(unicodedata.east_asian_width(sign) in "WF" for sign in text)
    lines = textwrap.wrap(text, letters // 2 if wide else letters)
    return "\n".join(map(isolated, lines)) or " "
