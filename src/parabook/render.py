"""From an exhibit's JSON to the page: a figure with its caption, drawing, table and source. All text is escaped."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
from typing import Any

from docutils import nodes

from analysis.text import isolate as isolated
from analysis.charts import INK, LAND, LINE, MARK, MUTED, PAPER
from parabook.drawings import as_png, as_svg, canonical, panels
from parabook.protocol import EXHIBIT, LAB_ONLY, VEGALITE

VARIABLES = {INK: "ink", MUTED: "muted", LINE: "line", PAPER: "paper", MARK: "mark", LAND: "land"}
"""The charts' palette, and the style sheet's names for it, which differ in light and dark."""

FEW_COLUMNS = 5
"""With more columns a table keeps its width and scrolls on a phone."""


CHARTS = (VEGALITE, "application/vnd.vegalite.v6+json")
"""What a bare chart of a chapter may come as."""


class Renderer:
    """What myst-nb calls for the outputs of chapters (entry point group ``myst_nb.mime_renderers``)."""

    mime_priority_overrides = (("*", EXHIBIT, 1), ("*", LAB_ONLY, 2), *(("*", kind, 3) for kind in CHARTS))

    @staticmethod
    def handle_mime(renderer: Any, data: Any, inline: bool) -> list[nodes.Element] | None:
        """HTML nodes for an exhibit or a bare chart; nothing for what only notebook front ends show."""
        if inline:
            return None
        if data.mime_type == LAB_ONLY:
            return [nodes.comment()]
        if data.mime_type == EXHIBIT:
            exhibit = _loaded(data.content)
            env = renderer.renderer.sphinx_env
            files = downloads(exhibit)
            env.metadata[env.docname].setdefault("exhibits", {})[exhibit["id"]] = files
            root = "../" * env.docname.count("/")
            links = {kind: f"{root}{FOLDER}/{name}" for kind, (name, _) in files.items()}
            return [nodes.raw("", exhibit_html(exhibit, links), format="html", classes=["output"])]
        if data.mime_type in CHARTS:
            spec = _loaded(data.content)
            told = escape(str(spec.get("description", "Chart")), quote=True)
            return [nodes.raw("", chart_html(spec, f'aria-label="{told}"'), format="html")]
        return None


FOLDER = "exhibits"
"""Where in the book the files of exhibits lie."""


def downloads(exhibit: dict[str, Any]) -> dict[str, tuple[str, Callable[[], str | bytes]]]:
    """The files that a reader may take away: by kind their name, and what gives their content when they are written."""
    files: dict[str, tuple[str, Callable[[], str | bytes]]] = {}
    if exhibit["rows"]:
        files["CSV"] = (f"{exhibit['id']}.csv", partial(as_csv, exhibit))
    if exhibit["chart"]:
        spec = canonical(exhibit["chart"])
        files["SVG"] = (f"{exhibit['id']}.svg", partial(as_svg, spec))
        files["PNG"] = (f"{exhibit['id']}.png", partial(as_png, spec))
        files["Vega-Lite"] = (f"{exhibit['id']}.vl.json", partial(str, spec))
    return files


def as_csv(exhibit: dict[str, Any]) -> str:
    """An exhibit's table as CSV: exactly its values.

    A value that a spreadsheet would take for a formula stays as it is: programs read these files, and a sign put
    before it would be a wrong value to them. ``analysis check`` points such values out where they come in.

    Examples
    --------
    >>> as_csv({"columns": ["age", "interviewees"], "rows": [["18–24", 4]]})
    'age,interviewees\\n18–24,4\\n'
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(exhibit["columns"])
    writer.writerows(exhibit["rows"])
    return text.getvalue()


def _loaded(content: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(content) if isinstance(content, str) else content
    return loaded


def exhibit_html(exhibit: dict[str, Any], links: Mapping[str, str]) -> str:
    """An exhibit as one HTML figure."""
    name = escape(f"exhibit-{exhibit['id']}", quote=True)
    number = f"Exhibit {escape(str(exhibit['number']))}. " if exhibit.get("number") else "Exhibit. "
    drawn = chart_html(exhibit["chart"], f'aria-labelledby="{name}-caption {name}-finding"') if exhibit["chart"] else ""
    notes = "".join(f"<p class='note'>{escape(note)}</p>" for note in exhibit["notes"])
    takeaway = ", ".join(
        f'<a href="{escape(href, quote=True)}" download aria-label="{kind} of this exhibit">{kind}</a>'
        for kind, href in links.items()
    )
    offered = f'<span class="downloads"> Download: {takeaway}.</span>'
    return (
        f'<figure class="exhibit" id="{name}" aria-labelledby="{name}-caption">'
        f'<figcaption id="{name}-caption"><b>{number}</b>{escape(exhibit["caption"])}</figcaption>'
        f'<p class="finding" id="{name}-finding">{escape(exhibit["finding"])}</p>'
        f"{drawn}{table_html(exhibit, name)}{notes}"
        f'<p class="source">{escape(exhibit["source"])}{offered if links else ""}</p></figure>'
    )


def chart_html(spec: dict[str, Any], label: str) -> str:
    """A chart: its drawing, and what a browser needs to make it interactive when it comes into view.

    Panels that stand apart are drawings of their own, each told by its own description.
    """
    parts = panels(spec)
    if len(parts) > 1:
        each = [
            _one_chart(part, f'aria-label="{escape(str(part.get("description", "Chart")), quote=True)}"')
            for part in parts
        ]
        return f'<div class="charts">{"".join(each)}</div>'
    return _one_chart(spec, label)


def _one_chart(spec: dict[str, Any], label: str) -> str:
    text = canonical(spec)
    inline = canonical(_painted(spec))
    inline = inline.replace("<", "\\u003c")  # or the data could end the script element, or keep it from ending
    return (
        f'<div class="chart"><div class="drawing" role="img" {label}>{followed(silent(as_svg(text)))}</div>'
        f'<script type="application/json">{inline}</script></div>'
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
    return f"<{tag}>{escape(isolated(str(cell)))}</{end}>"


def _link_html(link: dict[str, str]) -> str:
    text = escape(isolated(link["text"]))
    return f'<a href="{escape(link["href"], quote=True)}">{text}</a>' if link["href"] else text


def silent(drawing: str) -> str:
    """A drawing without Vega's roles: it speaks as one image, by its exhibit's caption and finding.

    Examples
    --------
    >>> silent('<g role="graphics-symbol" aria-label="x" d="M0">role="x"</g>')
    '<g d="M0">role="x"</g>'
    """
    roles = re.compile(r' (?:role|aria-[a-z]+)="[^"]*"')
    return TAG.sub(lambda tag: roles.sub("", tag[0]), drawing)


TAG = re.compile(r'<[^<>"]*(?:"[^"]*"[^<>"]*)*>')
"""One tag of a drawing; what stands in quotes may hold angle brackets."""


def followed(drawing: str) -> str:
    """A drawing whose colours follow the page's scheme; a text that reads like a colour stays text.

    Examples
    --------
    >>> followed(f'<text fill="{INK}">"{INK}"</text>')
    '<text fill="var(--chart-ink)">"#1f2328"</text>'
    """

    def in_tag(tag: re.Match[str]) -> str:
        return re.sub(r' (fill|stroke)="([^"]*)"', lambda look: f' {look[1]}="{_variable(look[2])}"', tag[0])

    return TAG.sub(in_tag, drawing)


def _variable(colour: str) -> str:
    return f"var(--chart-{VARIABLES[colour]})" if colour in VARIABLES else colour


DATA = ("datasets", "values", "domain", "sort", "description", "title", "text")
"""The parts of a specification whose texts are data."""


def _painted(spec: Any) -> Any:
    """A specification whose colours follow the page's scheme, as `followed` does it for its drawing."""
    if isinstance(spec, dict):
        return {
            key: value if key == "datasets" or (key in DATA and not isinstance(value, dict)) else _painted(value)
            for key, value in spec.items()
        }
    if isinstance(spec, list):
        return [_painted(each) for each in spec]
    return _variable(spec) if isinstance(spec, str) else spec
