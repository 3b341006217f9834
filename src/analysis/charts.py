"""Charts. Pure: counts in, Altair charts out; no disk, no counting.

Few cases are drawn as marks, one an interviewee, so that seventeen is seen as seventeen; many as
bars. Nothing is told by colour alone: what is not stated is hollow, what is not described is a hollow
square, what is not shown apart a hollow diamond, and each row says so in words.
"""

from __future__ import annotations

import math
import textwrap
import unicodedata
from collections.abc import Sequence
from typing import Any, Literal

import altair as alt
import pandas as pd
from altair.utils.schemapi import debug_mode

from analysis.basemap import Box
from analysis.frames import MOST_MARKS, isolated, records
from analysis.look import FONT, INK, LAND, LINE, MARK, MUTED, PAPER
from analysis.tabulate import NOT_DESCRIBED, NOT_SHOWN, NOT_STATED, Counts

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


unchecked = debug_mode(False)
"""Charts are not held against the schema of Vega-Lite as they are drawn, which takes longer than all else: tests do that,
with every chart of both editions and of generated counts."""

LOOK = alt.Config(
    background="transparent",
    font=FONT,
    view=alt.ViewConfig(stroke=None),
    axis=alt.AxisConfig(
        labelColor=INK,
        titleColor=MUTED,
        gridColor=LINE,
        domainColor=LINE,
        tickColor=LINE,
        labelFontSize=12,
        titleFontSize=12,
        titleFontWeight="normal",
        labelLimit=0,  # labels come folded, and to cut one would hide a value; none is measured for it
    ),
    title=alt.TitleConfig(color=INK, fontSize=13, fontWeight="bold", anchor="start"),
)


def values(frame: Any, **_: Any) -> dict[str, Any]:
    """The rows of a frame as a chart holds them: numbers, words, yes and no; what is not a number is null.

    Altair's own way copies and looks through every column for what these frames never hold, such as times and durations.

    Examples
    --------
    >>> values(pd.DataFrame({"label": ["18-24"], "count": [3], "share": [float("nan")]}))
    {'values': [{'label': '18-24', 'count': 3, 'share': None}]}
    """
    rows = frame.to_dict(orient="records")
    return {"values": [{name: None if pd.isna(cell) else cell for name, cell in row.items()} for row in rows]}


alt.data_transformers.register("analysis-values", values)


def themed(chart: Any, description: str, **told: Any) -> dict[str, Any]:
    """A finished chart's Vega-Lite, with the report's look and what it says."""
    with alt.data_transformers.enable("analysis-values"):
        spec: dict[str, Any] = given(chart, config=LOOK, description=description, **told).to_dict(validate=False)
    return spec


def given(chart: Any, **properties: Any) -> Any:
    """A chart of our own making, with these properties; Altair's own ``properties`` copies all that is in it."""
    for name, value in properties.items():
        setattr(chart, name, value)
    return chart


@unchecked
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
    return themed(draw(frame, counts, noun), description)


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


@unchecked
def followed(panels: Sequence[tuple[str, Counts]], *, description: str) -> dict[str, Any]:
    """Several tables of the same people, one above the other: a mark chosen in one is shown in all."""
    drawn = [given(_marks(_labelled(counts), counts, "interviewees"), title=title) for title, counts in panels]
    return themed(alt.vconcat(*drawn, spacing=18), description, usermeta={"follow": "interviewee"})


def _asked(*columns: str) -> list[alt.Tooltip]:
    """What a mark tells when it is pointed at."""
    return [alt.Tooltip(column) for column in columns]


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
    """Marks in lines of ten; where a row has fewer lines than another, they stand in its middle, beside its label."""
    most = int(frame["count"].max() if len(frame) else 1)
    wide = max(1, min(ACROSS, most))
    lines = max(1, math.ceil(most / ACROSS))
    dots = []
    for row, who in zip(records(frame), counts.who, strict=True):
        above = lines - max(1, math.ceil(row["count"] / ACROSS))  # in halves of a line
        for n in range(row["count"]):
            dots.append(
                {
                    "label": row["label"],
                    "lines": row["lines"],
                    "state": row["state"],
                    "x": n % ACROSS,
                    "line": above + 2 * (n // ACROSS),
                    noun.rstrip("s"): who[n] if n < len(who) else row["state"],
                }
            )
    marks = pd.DataFrame(dots, columns=["label", "lines", "state", "x", "line", noun.rstrip("s")])
    scale = alt.Scale(domain=[-0.5, wide + 0.7], nice=False)
    points = (
        alt.Chart(marks)
        .mark_point(size=110, opacity=1, strokeWidth=1.5)
        .encode(
            y=_labels(frame),
            yOffset=alt.YOffset("line:O").scale(domain=list(range(2 * lines - 1)))
            if lines > 1
            else alt.YOffsetValue(0),
            x=alt.X("x:Q", scale=scale, axis=None),
            shape=alt.Shape("state:N", legend=None).scale(**_by_state(counts, "circle", "circle", "square", "diamond")),
            fill=alt.Fill("state:N", legend=None).scale(**_by_state(counts, MARK, PAPER, PAPER, PAPER)),
            stroke=alt.Stroke("state:N", legend=None).scale(**_by_state(counts, MARK, MARK, MUTED, MARK)),
            tooltip=_asked(noun.rstrip("s"), "label"),
        )
    )
    ends = frame.assign(x=[min(n, ACROSS) - 0.3 for n in frame["count"]])
    numbers = _numbers(ends).encode(x=alt.X("x:Q", scale=scale, axis=None))
    tall = 24 + 13 * int(frame["lines"].str.count("\n").max())
    row = {"for": "position"} if lines > 1 else {}  # a step would else be that of a line of marks in a row
    return alt.layer(points, numbers, width=STEP * (wide + 1), height=alt.Step(max(tall, STEP * lines + 7), **row))


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
            tooltip=[*_asked("label"), alt.Tooltip("count:Q", format=",")],
        )
    )
    return alt.layer(bars, _numbers(frame).encode(x=alt.X("count:Q")), width=200, height=alt.Step(24))


@unchecked
def overlaid(counts: pd.DataFrame, *, description: str) -> dict[str, Any]:
    """Two counts of the same rows, one over the other: hollow as it was, filled as it is, both numbers beside them.

    Parameters
    ----------
    counts : DataFrame
        ``label``, ``was``, ``now``.
    """
    drawn = counts.assign(
        lines=counts["label"].map(_folded),
        most=counts[["was", "now"]].max(axis=1),
        text=[
            f"{was:,}" if was == now else f"{was:,} → {now:,}"
            for was, now in zip(counts["was"], counts["now"], strict=True)
        ],
    )
    scale = alt.Scale(domain=[0, max(1.0, float(drawn["most"].max())) * 1.35], nice=False)
    base = alt.Chart(drawn).encode(y=_labels(drawn))
    was = base.mark_bar(height=16, fill=PAPER, stroke=MUTED, strokeWidth=1.5).encode(
        x=alt.X("was:Q", scale=scale, axis=None)
    )
    now = base.mark_bar(height=6, fill=MARK).encode(x=alt.X("now:Q", scale=scale, axis=None))
    text = base.mark_text(align="left", dx=6, color=INK, fontSize=12).encode(
        x=alt.X("most:Q", scale=scale), text=alt.Text("text:N")
    )
    tall = 26 + 13 * int(drawn["lines"].str.count("\n").max())
    return themed(alt.layer(was, now, text, width=240, height=alt.Step(tall)), description)


@unchecked
def spans(intervals: pd.DataFrame, *, description: str) -> dict[str, Any]:
    """Destination figures as intervals, one panel a measure, each with a scale of its own from nought.

    All figures for a destination stand below its name, each with number, window and speaker in words above its
    line. An open end is dashed, with an arrow head.

    Parameters
    ----------
    intervals : DataFrame
        As ``tabulate.intervals`` gives them.
    """
    panels = [_panel(panel, str(measure)) for measure, panel in intervals.groupby("measure", sort=False)]
    return themed(alt.vconcat(*panels, spacing=30), description, usermeta=APART)


APART = {"apart": True}
"""Marks a chart whose panels share nothing: a page may set them side by side, and break between them."""


def _panel(panel: pd.DataFrame, measure: str) -> Any:
    top = max(1.0, float(panel["to"].max()))
    reach = top * 0.08
    written, drawn, down = _laid_out(panel, reach)
    across = alt.Scale(domain=[0, top * 1.1], nice=False)
    height = alt.Y("y:Q", axis=None).scale(domain=[down, 0], nice=False)
    # The axis stands below the words that say what is counted: moved into the panel by as much as they take.
    below = -LINE_HEIGHT * len(_lines(str(panel["counts"].iloc[0]))) - AXIS
    axis = alt.Axis(
        title=None,
        format=",d",
        orient="top",
        offset=below,
        tickCount=3,
        tickMinStep=1,
        labelFlush=26,  # pixels: a label so near an end stays inside
        grid=False,
        domain=False,
    )
    base = alt.Chart(drawn).encode(y=height, tooltip=_asked("destination", "number", "measure", "window", "stated by"))
    track = (
        alt.Chart(drawn)
        .mark_rule(color=LINE)
        .encode(y=height, x=alt.X("nought:Q", scale=across, axis=axis), x2=alt.X2Value(WIDTH))
    )
    whole = base.mark_rule(strokeWidth=5, color=MARK).encode(x=alt.X("from:Q", scale=across), x2=alt.X2("to"))
    dashed = (
        base.transform_filter("datum.start < datum.from || datum.end > datum.to")
        .mark_rule(strokeWidth=1.5, strokeDash=[4, 3], color=MARK)
        .encode(x=alt.X("start:Q", scale=across), x2=alt.X2("end"))
    )
    ticks = [
        base.mark_tick(orient="vertical", thickness=3, size=14, color=MARK).encode(x=alt.X(f"{end}:Q", scale=across))
        for end in ("from", "to")
    ]
    heads = [
        base.transform_filter(f"datum['{flag}']")
        .mark_point(shape=shape, size=70, filled=False, opacity=1, fill=PAPER, stroke=MARK, strokeWidth=1.5)
        .encode(x=alt.X(f"{at}:Q", scale=across))
        for flag, at, shape in (("open below", "start", "triangle-left"), ("open above", "end", "triangle-right"))
        if panel[flag].any()
    ]
    words = [
        alt.Chart(written[written["kind"] == kind])
        .mark_text(align="left", baseline="top", limit=WIDTH, color=colour, fontSize=size, fontWeight=weight)
        .encode(y=height, x=alt.XValue(0), text=alt.Text("text:N"))
        for kind, colour, size, weight in TYPE
        if (written["kind"] == kind).any()
    ]
    told = [f"{row['destination']}, {row['days']}: {row['number']}" for row in records(panel)]
    heard = f"{measure}. {'; '.join(told)}."
    layers = [track, dashed, whole, *ticks, *heads, *words]
    return alt.layer(*layers, title=measure, description=heard, width=WIDTH, height=down)


TYPE: list[tuple[str, str, int, Literal["bold", "normal"]]] = [
    ("counts", MUTED, 12, "normal"),
    ("destination", INK, 12, "bold"),
    ("number", INK, 12, "normal"),
    ("stated by", MUTED, 12, "normal"),
]
"""How the words of a panel of figures are set."""

LONG = 62
"""Letters in a line as wide as a chart."""

AXIS = 20
"""Pixels that the numbers of a scale take above it."""


def _lines(text: str) -> list[str]:
    """A text in lines as wide as a chart."""
    return _folded(text, LONG).split("\n")


def _laid_out(panel: pd.DataFrame, reach: float) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Where the words and the lines of a panel stand, in pixels from its top, and how tall it is."""
    written: list[tuple[str, str, int]] = []
    places: list[int] = []
    down = 0

    def write(kind: str, lines: list[str]) -> None:
        nonlocal down
        for line in lines:
            written.append((kind, line, down))
            down += LINE_HEIGHT

    write("counts", _lines(str(panel["counts"].iloc[0])))
    down += AXIS + 8
    for place, figures in panel.groupby("destination", sort=False):
        write("destination", _lines(str(place)))
        down += 3
        for row in records(figures):
            write("number", _lines(f"{row['number']} · {row['days']}"))
            speaker = "speaker not stated" if row["stated by"] == NOT_STATED else row["stated by"]
            write("stated by", _lines(f"{speaker} ({row['figure']})"))
            places.append(down + 8)
            down += 26
        down += 4
    drawn = panel.assign(
        y=places,
        nought=0,
        start=(panel["from"] - reach * panel["open below"]).clip(lower=0),
        end=panel["to"] + reach * panel["open above"],
    )
    return pd.DataFrame(written, columns=["kind", "text", "y"]), drawn, down


@unchecked
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
    base = alt.Chart(told).encode(y=rows, tooltip=_asked(person, left, crossed))
    way = base.mark_rule(color=MARK, strokeWidth=1.5).encode(
        x=alt.X("left:Q", scale=scale, axis=axis), x2=alt.X2("crossed")
    )
    later = base.mark_rule(color=MARK, strokeDash=[4, 3]).encode(x=alt.X("crossed:Q", scale=scale), x2=alt.X2("end"))
    dots = base.mark_point(size=80, filled=True, opacity=1, color=MARK).encode(x=alt.X("left:Q", scale=scale))
    head = base.mark_point(shape="triangle-right", size=70, fill=PAPER, stroke=MARK, strokeWidth=1.5).encode(
        x=alt.X("end:Q", scale=scale)
    )
    words = (
        alt.Chart(silent)
        .mark_text(align="left", color=MUTED, fontSize=12)
        .encode(y=rows, x=alt.X("zero:Q", scale=scale), text=alt.Text("text:N"))
    )
    layers = [way, later, dots, head, *([words] if len(silent) else [])]
    return themed(alt.layer(*layers, width=250, height=alt.Step(22)), description)


@unchecked
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
    ends = {
        "longitude": alt.Longitude("x1:Q"),
        "latitude": alt.Latitude("y1:Q"),
        "longitude2": alt.Longitude2("x2"),
        "latitude2": alt.Latitude2("y2"),
    }
    journeys = [
        alt.Chart(lines[lines["status"] == status])
        .mark_rule(color=MARK, strokeDash=dash, clip=True)
        .encode(
            **ends,
            strokeWidth=alt.StrokeWidth("legs:Q", legend=None).scale(domain=[1, 10], range=[1.5, 8], clamp=True),
            tooltip=_asked("from", "to", "status", "legs"),
        )
        for status, dash in (("made", [1, 0]), ("intended", [4, 3]))
        if (lines["status"] == status).any()
    ]
    at = {"longitude": alt.Longitude("x:Q"), "latitude": alt.Latitude("y:Q")}
    spots = (
        alt.Chart(places)
        .mark_point(size=45, opacity=1, strokeWidth=1.5, stroke=INK)
        .encode(
            **at,
            fill=alt.Fill("kind:N", legend=None).scale(domain=["place", "area"], range=[INK, PAPER]),
            size=alt.Size("kind:N", legend=None).scale(domain=["place", "area"], range=[35, 160]),
            tooltip=_asked("name", "precision"),
        )
    )
    names = [
        alt.Chart(places[places["kind"] == kind])
        .mark_text(align=align, dx=dx, dy=dy, color=INK, fontSize=11)
        .encode(**at, text=alt.Text("name:N"))
        for kind, align, dx, dy in TEXTS
        if (places["kind"] == kind).any()
    ]
    ways = alt.Projection(
        type="mercator", scale=WIDTH / across, center=[(west + east) / 2, middle], translate=[WIDTH / 2, height / 2]
    )
    view = alt.layer(ground, *journeys, spots, *names, width=WIDTH, height=height, projection=ways)
    return themed(view, description)


def _folded(text: str, letters: int = LETTERS) -> str:
    """A label with a line break where a new line begins; signs as wide as two count as two.

    Examples
    --------
    >>> _folded("Moscow → Astrakhan → Kazakhstan")
    'Moscow → Astrakhan →\\nKazakhstan'
    """
    wide = any(unicodedata.east_asian_width(sign) in "WF" for sign in text)
    lines = textwrap.wrap(text, letters // 2 if wide else letters)
    return "\n".join(map(isolated, lines)) or " "
