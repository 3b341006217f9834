"""One exhibit: a caption, a chart, the table behind it, its source; shown in a notebook, drawn by the book.

An exhibit travels in the executed notebook as plain JSON under `EXHIBIT`, beside the Vega-Lite chart that
any notebook front end shows. The book draws from that JSON alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import pandas as pd

from analysis.edition import READ
from analysis.frames import isolated
from parabook.protocol import EXHIBIT, LAB_ONLY, VEGALITE


@dataclass(frozen=True)
class Link:
    """A word that leads somewhere in the book: to evidence, or back to an exhibit."""

    text: str
    href: str


Cell = str | int | float | tuple[Link, ...]


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
    view : tuple of dict
        The table as the page shows it, one dict a row, cells being text, numbers or links; where
        empty, the frame is shown.
    anchors : tuple of str
        For each row of the view the names by which links lead to it.
    notes : tuple of str
        What a reader must know, each in a sentence.
    chart : callable, optional
        Draws the chart, Vega-Lite; called when the exhibit is shown, so that who wants the finding alone draws none.
    absent : bool
        Whether the edition cannot have it; the description says why.
    """

    id: str
    caption: str
    frame: pd.DataFrame
    description: str
    source: str
    view: tuple[Mapping[str, Cell], ...] = ()
    anchors: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()
    chart: Callable[[], Mapping[str, Any]] | None = field(default=None, repr=False)
    absent: bool = False

    def as_json(self) -> dict[str, Any]:
        """The exhibit as plain values: what the executed notebook carries."""
        columns = list(self.view[0]) if self.view else [str(name) for name in self.frame.columns]
        view = [list(map(_plain, row.values())) for row in self.view] or _rows(self.frame)
        view = [[isolated(cell) if isinstance(cell, str) else cell for cell in row] for row in view]
        return {
            "id": self.id,
            "caption": self.caption,
            "description": self.description,
            "finding": self.description,
            "source": self.source,
            "columns": [str(name) for name in self.frame.columns],
            "rows": _rows(self.frame),
            "view": {"columns": columns, "rows": view},
            "anchors": [list(names) for names in self.anchors],
            "notes": list(self.notes),
            "cites": [],
            "backlinks": "",
            "chart": dict(self.chart()) if self.chart else None,
            "absent": self.absent,
        }

    def _ipython_display_(self) -> None:
        plain = self.as_json()
        first: dict[str, Any] = {EXHIBIT: plain, "text/plain": f"{self.caption} {self.description}"}
        if plain["chart"]:
            first[VEGALITE] = plain["chart"]
        display(first)
        display({LAB_ONLY: {}, "text/html": self._lab_table(), "text/plain": ""})

    def _lab_table(self) -> str:
        told = [self.description, *self.notes, self.source]
        table = self.frame.to_html(index=False)
        return f"<p><b>{escape(self.caption)}</b></p>{table}" + "".join(f"<p>{escape(text)}</p>" for text in told)


def _plain(cell: Cell) -> Any:
    if isinstance(cell, tuple):
        return [{"text": link.text, "href": re.sub(r"^\w+\.html(?=#)", "", link.href)} for link in cell]
    return cell.item() if hasattr(cell, "item") else cell


def _rows(frame: pd.DataFrame) -> list[list[Any]]:
    return [[_plain(cell) for cell in row] for row in frame.itertuples(index=False)]


RESTS_ON = "rests-on"
"""In an output's metadata: the tables and files of the edition that had been read when it was made."""


def display(data: Mapping[str, Any], **metadata: Any) -> None:
    """Show data by EXHIBIT type, and note what it rests on, so that it is made anew when that changes."""
    from IPython.display import display as show_raw

    show_raw(dict(data), raw=True, metadata={**metadata, RESTS_ON: sorted(READ)})


def glue(texts: Mapping[str, str], names: Sequence[str] = ()) -> None:
    """Show sentences and numbers under names that the prose of a chapter pastes by ``{glue:text}``.

    The same output as ``myst_nb.glue`` makes, without loading Sphinx into every kernel.
    """
    for name in names or texts:
        display({"text/plain": texts[name]}, scrapbook={"name": name, "mime_prefix": ""})


def show(*exhibits: Exhibit) -> None:
    """Show several exhibits, in order."""
    for exhibit in exhibits:
        exhibit._ipython_display_()


class Rulings:
    """An edition's codebook as HTML; raw HTML in it is shown, not obeyed, and its headings stand below the chapter's."""

    def __init__(self, markdown: str) -> None:
        self.markdown = markdown

    def _ipython_display_(self) -> None:
        display({"text/html": self.html(), "text/plain": self.markdown})

    def html(self) -> str:
        """The codebook as the book shows it."""
        from markdown_it import MarkdownIt

        if not self.markdown.strip():
            return "<p>This edition keeps no codebook of its own.</p>"
        html = MarkdownIt("commonmark", {"html": False}).disable("image").render(self.markdown)
        for level in (3, 2, 1):
            html = html.replace(f"<h{level}>", f"<h{level + 1}>").replace(f"</h{level}>", f"</h{level + 1}>")
        return f'<div class="rulings">{html}</div>'
