"""From an exhibit's JSON to the page: a figure with its caption, drawing, table and source. All text is escaped."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from html import escape
from typing import Any

from docutils import nodes

from analysis.charts import INK, LINE, MARK, MUTED, PAPER
from analysis.exhibit import LAB_ONLY, MIME, VEGALITE

VARIABLES = {INK: "ink", MUTED: "muted", LINE: "line", PAPER: "paper", MARK: "mark"}
"""The charts' palette, and the style sheet's names for it, which differ in light and dark."""


FEW_COLUMNS = 4
"""With more columns a table keeps its width and scrolls on a phone."""


class Renderer:
    """What myst-nb calls for the outputs of chapters (entry point group ``myst_nb.mime_renderers``)."""

    mime_priority_overrides = (("*", MIME, 1), ("*", LAB_ONLY, 2), ("*", VEGALITE, 3))

    @staticmethod
    def handle_mime(renderer: Any, data: Any, inline: bool) -> list[nodes.Element] | None:
        """HTML nodes for an exhibit or a bare chart; nothing for what only notebook front ends show."""
        if inline:
            return None
        if data.mime_type == LAB_ONLY:
            return [nodes.comment()]
        if data.mime_type == MIME:
            return [nodes.raw("", exhibit_html(_loaded(data.content)), format="html", classes=["output"])]
        if data.mime_type == VEGALITE:
            spec = _loaded(data.content)
            told = escape(str(spec.get("description", "Chart")))
            return [
                nodes.raw("", f'<div class="chart" role="img" aria-label="{told}">{drawing(spec)}</div>', format="html")
            ]
        return None


def _loaded(content: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(content) if isinstance(content, str) else content
    return loaded


def exhibit_html(exhibit: dict[str, Any]) -> str:
    """An exhibit as one HTML figure."""
    name = escape(f"exhibit-{exhibit['id']}", quote=True)
    number = f"Exhibit {escape(str(exhibit['number']))}. " if exhibit.get("number") else "Exhibit. "
    chart = (
        f'<div class="chart" role="img" aria-labelledby="{name}-caption {name}-finding">{drawing(exhibit["chart"])}</div>'
        if exhibit["chart"]
        else ""
    )
    notes = "".join(f"<p class='note'>{escape(note)}</p>" for note in exhibit["notes"])
    return (
        f'<figure class="exhibit" id="{name}" aria-labelledby="{name}-caption">'
        f'<figcaption id="{name}-caption"><b>{number}</b>{escape(exhibit["caption"])}</figcaption>'
        f'<p class="finding" id="{name}-finding">{escape(exhibit["description"])}</p>'
        f"{chart}{table_html(exhibit, name)}{notes}"
        f'<p class="source">{escape(exhibit["source"])}</p></figure>'
    )


def table_html(exhibit: dict[str, Any], name: str) -> str:
    """The table of an exhibit: header cells with scope, numbers to the right, a row's name for links to it."""
    columns, rows = exhibit["view"]["columns"], exhibit["view"]["rows"]
    if not rows:
        return ""
    wide = ' class="wide"' if len(columns) > FEW_COLUMNS else ""
    head = "".join(f'<th scope="col">{escape(str(column))}</th>' for column in columns)
    anchors: Sequence[Sequence[str]] = exhibit["anchors"] or [()] * len(rows)
    body = "".join(_row_html(row, names) for row, names in zip(rows, anchors, strict=True))
    return (
        f'<div class="table" role="region" tabindex="0" aria-labelledby="{name}-caption">'
        f"<table{wide}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row_html(row: Sequence[Any], names: Sequence[str]) -> str:
    ident = f' id="{escape(names[0], quote=True)}"' if names else ""
    cells = "".join(_cell_html(cell, 'th scope="row"' if n == 0 else "td") for n, cell in enumerate(row))
    return f"<tr{ident}>{cells}</tr>"


def _cell_html(cell: Any, tag: str) -> str:
    end = tag.split(maxsplit=1)[0]
    if isinstance(cell, list):
        return f"<{tag}>{', '.join(_link_html(link) for link in cell)}</{end}>"
    if isinstance(cell, (int, float)):
        return f'<{tag} class="number">{cell:,}</{end}>'
    return f"<{tag}>{escape(str(cell))}</{end}>"


def _link_html(link: dict[str, str]) -> str:
    text = escape(link["text"])
    return f'<a href="{escape(link["href"], quote=True)}">{text}</a>' if link["href"] else text


def drawing(spec: dict[str, Any]) -> str:
    """A chart as static SVG whose colours follow the page."""
    return _drawing(json.dumps(spec, sort_keys=True))


@cache
def _drawing(spec: str) -> str:
    import vl_convert

    svg: str = vl_convert.vegalite_to_svg(spec, vl_version="6.4")
    for colour, variable in VARIABLES.items():
        svg = svg.replace(f'"{colour}"', f'"var(--chart-{variable})"')
    return svg[svg.index("<svg") :]
