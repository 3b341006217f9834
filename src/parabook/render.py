"""From an exhibit's JSON, or a bare chart, to HTML on a page: a figure with its caption, drawing, table and source."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from docutils import nodes

from parabook import palette, templating
from parabook.drawings import as_png, as_svg, canonical, panels
from parabook.protocol import CHARTS, EXHIBIT, LAB_ONLY, as_csv

FOLDER = "exhibits"
"""Where in the book the files of exhibits lie."""


@dataclass(frozen=True)
class Drawer:
    """Puts charts and exhibits into HTML, in a palette's colours, with the drawings of a cache."""

    colours: palette.Palette
    cache: Path

    @classmethod
    def of(cls, config: Any) -> Drawer:
        """As Sphinx is configured; see `parabook.sphinx_ext`."""
        file = Path(config.parabook_palette) if config.parabook_palette else None
        return cls(palette.read(file), Path(config.parabook_cache))

    def exhibit(self, exhibit: Mapping[str, Any], links: Mapping[str, str]) -> str:
        """An exhibit as one HTML figure; ``links`` lead to its downloads, by kind."""
        shown = {"number": "", **exhibit}
        return templating.render("exhibit.html.j2", exhibit=shown, panels=self._panels(exhibit["chart"]), links=links)

    def chart(self, spec: dict[str, Any]) -> str:
        """A chart that stands by itself: its drawing, and what makes it interactive once it comes into view."""
        return templating.render("bare-chart.html.j2", panels=self._panels(spec))

    def _panels(self, spec: dict[str, Any] | None) -> list[dict[str, Any]]:
        """What the template needs of each panel that is drawn apart; each is described by its own description."""
        return [
            {
                "label": str(part.get("description", "Chart")),
                "svg": palette.inline_svg(as_svg(canonical(part), self.cache), self.colours),
                "spec": palette.inline_spec(part, self.colours),
            }
            for part in (panels(spec) if spec else [])
        ]

    def downloads(self, exhibit: Mapping[str, Any]) -> dict[str, tuple[str, Callable[[], str | bytes]]]:
        """The files that a reader may take away: by kind their name, and what makes their content when they are written."""
        files: dict[str, tuple[str, Callable[[], str | bytes]]] = {}
        if exhibit["rows"]:
            files["CSV"] = (f"{exhibit['id']}.csv", partial(as_csv, exhibit))
        if exhibit["chart"]:
            spec = canonical(exhibit["chart"])
            files["SVG"] = (f"{exhibit['id']}.svg", partial(as_svg, spec, self.cache))
            files["PNG"] = (f"{exhibit['id']}.png", partial(as_png, spec, self.cache))
            files["Vega-Lite"] = (f"{exhibit['id']}.vl.json", partial(str, spec))
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
        drawer = Drawer.of(env.config)
        content = json.loads(data.content) if isinstance(data.content, str) else data.content
        page = env.metadata[env.docname]
        if data.mime_type in CHARTS or content["chart"]:
            page["charts"] = True
        if data.mime_type in CHARTS:
            return [nodes.raw("", drawer.chart(content), format="html", classes=["output"])]
        files = drawer.downloads(content)
        page.setdefault("exhibits", {})[content["id"]] = files
        root = "../" * env.docname.count("/")
        links = {kind: f"{root}{FOLDER}/{name}" for kind, (name, _) in files.items()}
        return [nodes.raw("", drawer.exhibit(content, links), format="html", classes=["output"])]
