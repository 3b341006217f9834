"""One theme for every chart, and what charts of people share: a mark a person where they are few, bars where they are many.

Nothing is shown by colour alone: what is not stated is hollow, what is not described a hollow square, what is not shown
apart a hollow diamond, and each row says so in words.
"""

from __future__ import annotations

import json
import textwrap
import unicodedata
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd

from analysis.counts import unit_of
from analysis.disclosure import NOT_DESCRIBED, NOT_SHOWN, NOT_STATED, STATED
from analysis.text import isolate

PALETTE: dict[str, tuple[str, str]] = json.loads((Path(__file__).parent / "palette.json").read_text(encoding="utf-8"))
"""Each colour on light and on dark pages; charts are drawn in the light ones, which the book replaces by variables."""

INK, MUTED, LINE, PAPER, MARK, LAND = (PALETTE[name][0] for name in ("ink", "muted", "line", "paper", "mark", "land"))

FONT = "'Report Sans', Arial, sans-serif"
"""The first travels with parabook, which draws with it and gives it to pages."""

WIDTH = 340
"""Pixels: legible on a phone without scaling."""

LETTERS = 26
"""In a line of a row's label."""

MARKS_UP_TO = 30
"""More people than this are drawn as bars, not as marks."""

STATES = [STATED, NOT_STATED, NOT_DESCRIBED, NOT_SHOWN]


def by_state(channel: Any, *values: Any) -> Any:
    """A channel that shows the state of each row, without a legend: the row's label says the same in words."""
    return channel("state:N", legend=None, scale=alt.Scale(domain=STATES, range=list(values)))


STATE = {"fill": by_state(alt.Fill, MARK, PAPER, PAPER, PAPER), "stroke": by_state(alt.Stroke, MARK, MARK, MUTED, MARK)}
"""The channels that every chart of people shares."""


@alt.theme.register("report", enable=True)
def theme() -> alt.theme.ThemeConfig:
    """The report's look: no frame, quiet axes, labels that are never cut."""
    return alt.theme.ThemeConfig(
        config={
            "background": "transparent",
            "font": FONT,
            "view": {"stroke": None},
            "axis": {
                "labelColor": INK, "titleColor": MUTED, "gridColor": LINE, "domainColor": LINE, "tickColor": LINE,
                "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "labelLimit": 0,
            },
            "legend": {
                "labelColor": INK, "titleColor": MUTED, "labelFontSize": 12, "titleFontSize": 12, "labelLimit": 0,
            },
            "range": {"category": [PALETTE[name][0] for name in ("mark", "second", "third", "fourth")]},
            "title": {"color": INK, "fontSize": 13, "fontWeight": "bold", "anchor": "start"},
            "header": {"labelColor": INK, "labelFontSize": 13, "labelFontWeight": "bold", "labelAnchor": "start"},
            "text": {"color": INK, "fontSize": 12},
            "rule": {"color": MARK}, "tick": {"color": MARK, "thickness": 3}, "bar": {"color": MARK},
            "point": {"size": 110, "opacity": 1, "strokeWidth": 1.5, "stroke": MARK, "fill": PAPER},
        }
    )  # fmt: skip


alt.renderers.enable("mimetype")  # the book and JupyterLab draw it; Altair's default asks another host for its scripts


def one_row_each(table: pd.DataFrame, unit: str = "") -> pd.DataFrame:
    """One row a person of a completed table, numbered within its label as ``nth``: what marks are drawn from.

    Examples
    --------
    >>> table = pd.DataFrame({"age": ["18–24"], "interviewees": [2], "state": "stated", "who": [("i02", "i05")]})
    >>> one_row_each(table)[["age", "nth", "interviewee"]].values.tolist()
    [['18–24', 1, 'i02'], ['18–24', 2, 'i05']]
    """
    unit = unit or unit_of(table)
    people = table.loc[table.index.repeat(table[unit])].reset_index(drop=True)
    labels = list(table.columns[: list(table.columns).index(unit)])
    people["nth"] = people.groupby(labels, sort=False).cumcount() + 1
    rows = zip(people["who"], people["nth"], people["state"], strict=True)
    people[unit.rstrip("s")] = [who[nth - 1] if nth <= len(who) else state for who, nth, state in rows]
    return people.drop(columns=["who", unit])


def people_chart(table: pd.DataFrame, label: str) -> alt.LayerChart | alt.FacetChart | None:
    """Completed counts as rows of marks, one a person, or as bars where they are many; the number at the end of each row.

    Parameters
    ----------
    table : DataFrame
        As ``complete`` makes it.
    label : str
        The column whose labels stand at the rows.
    """
    unit = unit_of(table)
    if not table[unit].sum():
        return None
    few, most = int(table[unit].sum()) <= MARKS_UP_TO, int(table[unit].max())
    across = alt.Scale(domain=[0.4, most + 1.2] if few else [0, most * 1.3], nice=False)
    rows = table.assign(**{label: table[label].map(fold)})
    y = label_rows(rows, label)
    if few:
        marks = alt.Chart(one_row_each(rows)).mark_point().encode(
            x=alt.X("nth:Q", axis=None, scale=across), y=y, tooltip=[alt.Tooltip(unit.rstrip("s")), alt.Tooltip(label)],
            shape=by_state(alt.Shape, "circle", "circle", "square", "diamond"), **STATE,
        )  # fmt: skip
    else:
        marks = alt.Chart(plain(rows)).mark_bar(strokeWidth=1.5, height=14).encode(
            x=alt.X(f"{unit}:Q", axis=None, scale=across), y=y,
            tooltip=[alt.Tooltip(label), alt.Tooltip(f"{unit}:Q", format=",")], **STATE,
        )  # fmt: skip
    numbers = alt.Chart(plain(rows)).mark_text(align="left", dx=12 if few else 5, fontWeight="bold").encode(
        x=alt.X(f"{unit}:Q", axis=None, scale=across), y=y, text=alt.Text(f"{unit}:Q", format=",")
    )  # fmt: skip
    step = alt.Step(11 + 13 * _lines(rows[label]))
    return alt.layer(marks, numbers, width=17 * (most + 1) if few else 200, height=step)


def label_rows(table: pd.DataFrame, label: str) -> alt.Y:
    """The vertical axis of a table: one row a label, in the table's order; line breaks in labels are kept."""
    lines = "split(datum.label, '\\n')"
    tests = [{"test": f"length({lines}) === {n}", "value": -7 * (n - 1)} for n in range(2, _lines(table[label]) + 1)]
    raised: Any = {"condition": tests, "value": 0} if tests else alt.Undefined  # so that their middle is at the row's
    axis = alt.Axis(domain=False, ticks=False, labelPadding=8, labelLineHeight=14, labelExpr=lines, labelOffset=raised)
    return alt.Y(f"{label}:N", sort=list(dict.fromkeys(table[label])), title=None, axis=axis)


def fold(text: str, letters: int = LETTERS) -> str:
    """A label with a line break where a new line begins; characters as wide as two count as two.

    Examples
    --------
    >>> fold("Moscow → Astrakhan → Kazakhstan")
    'Moscow → Astrakhan →\\nKazakhstan'
    """
    wide = any(unicodedata.east_asian_width(sign) in "WF" for sign in text)
    return "\n".join(map(isolate, textwrap.wrap(text, letters // 2 if wide else letters))) or " "


def _lines(labels: pd.Series) -> int:
    """The lines that the longest label takes."""
    return 1 + max((str(text).count("\n") for text in labels), default=0)


def plain(table: pd.DataFrame) -> pd.DataFrame:
    """A table as charts hold it: without the identifiers of people."""
    return table.drop(columns="who", errors="ignore")
