"""One theme for every chart, and what charts of people share: a mark a person where they are few, bars where they are many.

Nothing is shown by colour alone: who is not known has no mark, and a row that says so in words.
"""

from __future__ import annotations

import json
import textwrap
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd

from analysis.counts import known, unit_of
from analysis.disclosure import STATED
from analysis.text import isolate

PALETTE: dict[str, tuple[str, str]] = json.loads((Path(__file__).parent / "palette.json").read_text(encoding="utf-8"))
"""Each colour on light and on dark pages; charts are drawn in the light ones, which the book replaces by variables."""

INK, MUTED, LINE, PAPER, MARK, LAND, HOST = (
    PALETTE[name][0] for name in ("ink", "muted", "line", "paper", "mark", "land", "host")
)

FONT = "'Report Sans', Arial, sans-serif"
"""The first travels with parabook, which draws with it and gives it to pages."""

WIDTH = 340
"""Pixels: legible on a phone without scaling."""

LETTERS = 26
"""Most letters in a line of a row's label."""

FEWEST, MARKS_UP_TO = 5, 30
"""Fewer people than the first are not drawn; more than the second are drawn as bars, not as a mark each."""


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
            "rule": {"color": MARK}, "tick": {"color": MARK, "thickness": 3}, "bar": {"color": MARK}, "circle": {"color": MARK},
            "point": {"size": 110, "opacity": 1, "strokeWidth": 1.5, "stroke": MARK, "fill": PAPER},
        }
    )  # fmt: skip


alt.renderers.enable("mimetype")  # the book and JupyterLab draw it; Altair's default asks another host for its scripts


def apart(charts: Sequence[Any]) -> Any:
    """Charts that share no scale, one below the other, beside each other where a page has room; None of none."""
    return alt.vconcat(*charts).properties(usermeta={"apart": True}) if charts else None


def one_row_each(table: pd.DataFrame, unit: str) -> pd.DataFrame:
    """One row a person of a completed table, numbered within its label as ``nth``: the data of a mark for each person.

    Examples
    --------
    >>> table = pd.DataFrame({"age": ["18–24"], "interviewees": [2], "state": "stated", "who": [("i02", "i05")]})
    >>> one_row_each(table, "interviewees")[["age", "nth", "interviewee"]].values.tolist()
    [['18–24', 1, 'i02'], ['18–24', 2, 'i05']]
    """
    people = table.loc[table.index.repeat(table[unit])].reset_index(drop=True)
    labels = list(table.columns[: list(table.columns).index(unit)])
    people["nth"] = people.groupby(labels, sort=False).cumcount() + 1
    rows = zip(people["who"], people["nth"], people["state"], strict=True)
    people[unit.rstrip("s")] = [who[nth - 1] if nth <= len(who) else state for who, nth, state in rows]
    return people.drop(columns=["who", unit])


def people_chart(table: pd.DataFrame, label: str) -> alt.LayerChart | alt.FacetChart | None:
    """Completed counts as rows of marks, one a person, or as bars where they are many; the number at the end of each row.

    Who is not known gets a number in a quiet row and no mark. No chart of fewer than three labels, or of fewer than
    `FEWEST` people: a sentence says that better.

    Parameters
    ----------
    table : DataFrame
        As ``complete`` makes it.
    label : str
        The column whose labels stand at the rows.
    """
    unit = unit_of(table)
    if len(known(table)) < 3 or known(table)[unit].sum() < FEWEST:
        return None
    rows = table.assign(folded=table[label].map(fold))  # a mark says its label as it is
    rows = rows[(rows["state"] == STATED) | (rows[unit] > 0)]
    marked = rows[rows["state"] == STATED]
    few, most = int(marked[unit].sum()) <= MARKS_UP_TO, int(marked[unit].max())
    wide = max(most, 5) + 1
    across = alt.Scale(domain=[0.4, wide + 0.4] if few else [0, most * 1.3], nice=False)
    y = label_rows(rows, "folded")
    if few:
        marks = alt.Chart(one_row_each(marked, unit)).mark_circle(size=130, opacity=1).encode(
            x=alt.X("nth:Q", axis=None, scale=across), y=y, tooltip=[alt.Tooltip(unit.rstrip("s")), alt.Tooltip(label)]
        )  # fmt: skip
    else:
        marks = alt.Chart(plain(marked)).mark_bar(height=14).encode(
            x=alt.X(f"{unit}:Q", axis=None, scale=across, stack=None), y=y,
            tooltip=[alt.Tooltip(label), alt.Tooltip(f"{unit}:Q", format=",")],
        )  # fmt: skip
    at = [n if state == STATED else 0 for n, state in zip(rows[unit], rows["state"], strict=True)]
    ends = plain(rows).assign(end=at)
    numbers = alt.Chart(ends).mark_text(align="left", dx=12 if few else 5).encode(
        x=alt.X("end:Q", axis=None, scale=across), y=y, text=alt.Text(f"{unit}:Q", format=","),
        color=alt.condition(f"datum.state === '{STATED}'", alt.value(INK), alt.value(MUTED)),
    )  # fmt: skip
    step = alt.Step(9 + 14 * _lines(rows["folded"]))
    return alt.layer(marks, numbers, width=24 * wide if few else 220, height=step)


def label_rows(table: pd.DataFrame, label: str) -> alt.Y:
    """The vertical axis of a table: one row a label, in the table's order; line breaks in labels are kept."""
    lines = "split(datum.label, '\\n')"
    tests = [{"test": f"length({lines}) === {n}", "value": -7 * (n - 1)} for n in range(2, _lines(table[label]) + 1)]
    raised: Any = {"condition": tests, "value": 0} if tests else alt.Undefined  # so that their middle is at the row's
    axis = alt.Axis(domain=False, ticks=False, labelPadding=8, labelLineHeight=14, labelExpr=lines, labelOffset=raised)
    rows = alt.Scale(domain=list(dict.fromkeys(table[label])))  # a sort list would fail for words that JavaScript knows
    return alt.Y(f"{label}:N", sort=None, scale=rows, title=None, axis=axis)


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
