"""One exhibit: a caption, a chart, the table behind it, its source; shown in a notebook, drawn by the book.

An exhibit travels in the executed notebook as plain JSON under `MIME`, beside the Vega-Lite chart that
any notebook front end shows. The book draws from that JSON alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import pandas as pd

MIME = "application/vnd.analysis.exhibit+json"
LAB_ONLY = "application/vnd.analysis.lab-only+json"
"""Marks an output that is for notebook front ends; the book has drawn its content already."""
VEGALITE = "application/vnd.vegalite.v6+json"


@dataclass(frozen=True)
class Exhibit:
    """What a reader sees as one numbered figure with its data.

    Attributes
    ----------
    id : str
        Names the exhibit in the book, in ``tables/<id>.csv`` and in ``charts/<id>.vl.json``.
    caption : str
        What is counted, of whom, when.
    frame : DataFrame
        The table, exactly as its CSV holds it.
    description : str
        The finding in a sentence or two, also for screen readers.
    source : str
        Where the rows come from.
    states, who : tuples
        Beside each row its state and the keys behind it, as in ``tabulate.Counts``.
    view : DataFrame, optional
        The table as the page shows it, when that differs from the CSV.
    rests_on : tuple of str
        The coded columns behind it, as ``table.column``.
    notes : tuple of str
        What a reader must know, each in a sentence.
    chart : dict, optional
        Vega-Lite.
    """

    id: str
    caption: str
    frame: pd.DataFrame
    description: str
    source: str
    states: tuple[str, ...] = ()
    who: tuple[tuple[str, ...], ...] = ()
    who_table: str = "interviewees"
    view: pd.DataFrame | None = None
    rests_on: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    chart: Mapping[str, Any] | None = field(default=None, repr=False)

    def as_json(self) -> dict[str, Any]:
        """The exhibit as plain values: what the executed notebook carries."""
        shown = self.frame if self.view is None else self.view
        return {
            "id": self.id,
            "caption": self.caption,
            "description": self.description,
            "source": self.source,
            "columns": [str(name) for name in self.frame.columns],
            "rows": _rows(self.frame),
            "view": {"columns": [str(name) for name in shown.columns], "rows": _rows(shown)},
            "states": list(self.states),
            "who": [list(keys) for keys in self.who] if any(self.who) else [],
            "who_table": self.who_table,
            "rests_on": list(self.rests_on),
            "notes": list(self.notes),
            "chart": dict(self.chart) if self.chart else None,
        }

    def _ipython_display_(self) -> None:
        from IPython.display import display

        told = f"{self.caption} {self.description}"
        first: dict[str, Any] = {MIME: self.as_json(), "text/plain": told}
        if self.chart:
            first[VEGALITE] = dict(self.chart)
        display(first, raw=True)
        display({LAB_ONLY: {}, "text/html": self._lab_table(), "text/plain": ""}, raw=True)

    def _lab_table(self) -> str:
        shown = self.frame if self.view is None else self.view
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"<p><b>{escape(self.caption)}</b></p>{shown.to_html(index=False)}{notes}<p>{escape(self.source)}</p>"


def _rows(frame: pd.DataFrame) -> list[list[Any]]:
    return [[cell.item() if hasattr(cell, "item") else cell for cell in row] for row in frame.itertuples(index=False)]


def glue(texts: Mapping[str, str], names: Sequence[str] = ()) -> None:
    """Show sentences and numbers under names that the prose of a chapter pastes by ``{glue:text}``.

    The same output as ``myst_nb.glue`` makes, without loading Sphinx into every kernel.
    """
    from IPython.display import display

    for name in names or texts:
        display({"text/plain": texts[name]}, raw=True, metadata={"scrapbook": {"name": name, "mime_prefix": ""}})
