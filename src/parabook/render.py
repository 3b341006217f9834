"""From an exhibit's JSON, or a bare chart, to HTML on a page: a figure with its caption, drawing, table and source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from docutils import nodes

from parabook.drawings import as_png, as_svg, canonical, panels, without_roles
from parabook.protocol import CHARTS, EXHIBIT, LAB_ONLY, as_csv
from parabook.templating import render

FOLDER = "exhibits"
"""Where in the book the files of exhibits lie."""


def exhibit_html(exhibit: Mapping[str, Any], links: Mapping[str, str], cache: Path) -> str:
    """An exhibit as one HTML figure; ``links`` lead to its downloads, by kind; ``cache`` has the drawings."""
    shown = {"number": "", **exhibit}
    return render("exhibit.html.j2", exhibit=shown, panels=_panels(exhibit["chart"], cache), links=links)


def _panels(spec: dict[str, Any] | None, cache: Path) -> list[dict[str, Any]]:
    """What the template needs of each panel that is drawn apart; each is described by its own description."""
    drawn = [(part, without_roles(as_svg(canonical(part), cache))) for part in (panels(spec) if spec else [])]
    return [{"label": str(part.get("description", "Chart")), "svg": svg, "spec": part} for part, svg in drawn]


def downloads(exhibit: Mapping[str, Any], cache: Path) -> dict[str, tuple[str, Callable[[], bytes]]]:
    """The files that a reader may take away: by kind their name, and what makes their content."""
    ident, files = exhibit["id"], dict[str, tuple[str, Callable[[], bytes]]]()
    if exhibit["rows"]:
        files["CSV"] = (f"{ident}.csv", lambda: as_csv(exhibit).encode())
    if exhibit["chart"]:
        spec = canonical(exhibit["chart"])
        files["SVG"] = (f"{ident}.svg", lambda: as_svg(spec, cache).encode())
        files["PNG"] = (f"{ident}.png", lambda: as_png(spec, cache))
        files["Vega-Lite"] = (f"{ident}.vl.json", spec.encode)
    return files


class Renderer:
    """What myst-nb calls for the outputs of chapters (entry point group ``myst_nb.mime_renderers``)."""

    mime_priority_overrides = (("*", EXHIBIT, 1), ("*", LAB_ONLY, 2), *(("*", kind, 3) for kind in CHARTS))

    @staticmethod
    def handle_mime(renderer: Any, data: Any, inline: bool) -> list[nodes.Element] | None:
        """HTML nodes for an exhibit or a bare chart; nothing for what only notebook front ends show."""
        if inline or data.mime_type not in (EXHIBIT, LAB_ONLY, *CHARTS):
            return None
        if data.mime_type == LAB_ONLY:
            return [nodes.comment()]
        env = renderer.renderer.sphinx_env
        cache, page, content = Path(env.config.parabook_cache), env.metadata[env.docname], data.content
        if data.mime_type in CHARTS or content["chart"]:
            page["charts"] = True
        if data.mime_type in CHARTS:
            html = render("bare-chart.html.j2", panels=_panels(content, cache))
        else:
            page.setdefault("exhibits", []).append(content)
            root = "../" * env.docname.count("/")
            links = {kind: f"{root}{FOLDER}/{name}" for kind, (name, _) in downloads(content, cache).items()}
            html = exhibit_html(content, links, cache)
        return [nodes.raw("", html, format="html", classes=["output"])]
