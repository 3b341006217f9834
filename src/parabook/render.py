"""The Sphinx extension: exhibits and charts as HTML with their files, styles and scripts, and metadata of pages.

A book names the file of its colours as ``parabook_palette`` under ``sphinx: config:`` in ``_config.yml``:
``{"ink": ["black", "#eee"], ...}``, for light and dark pages. Charts are drawn in the light ones; on a page each becomes
a CSS variable, ``--chart-ink``. The build sets the other values (`outputs`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from docutils import nodes
from jinja2 import FileSystemBytecodeCache
from markupsafe import Markup
from myst_nb.ext.glue.crossref import read_glue_cache

from parabook.drawings import FONTS, as_png, as_svg, canonical, panels, script
from parabook.outputs import LOADED
from parabook.protocol import CHARTS, EXHIBIT, LAB_ONLY, as_csv, in_html
from parabook.templating import render

FOLDER = "exhibits"
"""The folder of the book with the files of exhibits."""


def setup(app: Any) -> dict[str, bool]:
    """Set up the extension, as Sphinx asks for it."""
    app.add_config_value("parabook_palette", "", "html")
    app.add_config_value("parabook_cover", {}, "html")
    app.add_config_value("parabook_cache", "", "")  # Sphinx hashes the others, and fails for a path that is not UTF-8
    if "comments_config" not in app.config:  # Jupyter Book sets it even without its extension for comments
        app.add_config_value("comments_config", {}, "html")
    app.connect("config-inited", configure)
    app.connect("builder-inited", load, priority=900)
    app.connect("env-before-read-docs", rewrite_dependent_pages)
    app.connect("html-page-context", describe)
    app.connect("build-finished", write_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def load(app: Any) -> None:
    """Cache compiled templates in the folder of the build, and let a preview wait for its pages."""
    if environment := getattr(app.builder.templates, "environment", None):  # a Jinja environment, by default
        environment.bytecode_cache = FileSystemBytecodeCache(str(app.doctreedir))
    read_glue_cache.cache_clear()  # it could have values of another build in this process
    LOADED.get()()


def rewrite_dependent_pages(app: Any, env: Any, changed: list[str]) -> None:
    """Have Sphinx write pages again that show titles, or paste values, of pages that are about to be read again."""

    def titles() -> dict[str, str]:
        return {name: title.astext() for name, title in env.titles.items()}

    before = titles()

    def dependent(app: Any, env: Any) -> list[str]:
        if titles() != before:
            return list(env.found_docs)
        pasting = (name for name in env.found_docs if "{glue:" in Path(env.doc2path(name)).read_text("utf-8"))
        return list(pasting) if changed else []

    app.connect("env-updated", dependent)


def configure(app: Any, config: Any) -> None:
    """Set the cache if the build has not, add static files, and for Furo templates and a link to the checksums."""
    here = Path(__file__).parent
    config.parabook_cache = config.parabook_cache or str(app.doctreedir)
    config.html_static_path += [str(here / "static"), str(FONTS / "pages")]
    if config.html_theme == "furo":
        config.templates_path.append(str(here / "templates" / "furo"))
        if checksums := config.parabook_cover.get("checksums"):  # a link at the foot of every page
            words = "Checksums of this copy"
            icon = {"name": words, "html": words, "url": checksums, "class": ""}
            config.html_theme_options.setdefault("footer_icons", []).append(icon)


class Renderer:
    """Renders the outputs of chapters for MyST-NB (entry point group ``myst_nb.mime_renderers``)."""

    mime_priority_overrides = (("*", EXHIBIT, 1), ("*", LAB_ONLY, 2), *(("*", kind, 3) for kind in CHARTS))

    @staticmethod
    def handle_mime(renderer: Any, data: Any, inline: bool) -> list[nodes.Element] | None:
        """HTML nodes for an exhibit or a chart; nodes without content for what only notebook front ends show.

        None leaves an output to MyST-NB.
        """
        drawn_by_html = in_html(data.content) if data.mime_type == "text/html" else None
        if inline or not (drawn_by_html or data.mime_type in (EXHIBIT, LAB_ONLY, *CHARTS)):
            return None
        env = renderer.renderer.sphinx_env
        if "parabook_cache" not in env.config:  # parabook is installed, but no extension of this book
            return None if drawn_by_html else []
        if data.mime_type == LAB_ONLY:
            return [nodes.comment()]
        content, is_exhibit = drawn_by_html or data.content, data.mime_type == EXHIBIT
        cache, page = Path(env.config.parabook_cache), env.metadata[env.docname]
        chart = content["chart"] if is_exhibit else content
        drawn = [
            {"label": str(part.get("description", "Chart")), "svg": as_svg(canonical(part), cache), "spec": part}
            for part in (panels(chart) if chart else ())
        ]
        if drawn:
            page["charts"] = True
        if is_exhibit:
            page.setdefault("exhibits", []).append(content)
            up = "../" * env.docname.count("/")
            links = {kind: f"{up}{FOLDER}/{name}" for kind, (name, _) in downloads(content, cache).items()}
            html = render("exhibit.html.j2", exhibit={"number": "", **content}, panels=drawn, links=links)
        else:
            html = render("bare-chart.html.j2", panels=drawn)
        return [nodes.raw("", html, format="html", classes=["output"])]


def downloads(exhibit: Mapping[str, Any], cache: Path) -> dict[str, tuple[str, Callable[[], bytes]]]:
    """The files that readers can download of an exhibit: by kind, the name and a function that makes the content."""
    ident, files = exhibit["id"], dict[str, tuple[str, Callable[[], bytes]]]()
    if exhibit["rows"]:
        files["CSV"] = (f"{ident}.csv", lambda: as_csv(exhibit).encode())
    if exhibit["chart"]:
        spec = canonical(exhibit["chart"])
        files["SVG"] = (f"{ident}.svg", lambda: as_svg(spec, cache).encode())
        files["PNG"] = (f"{ident}.png", lambda: as_png(spec, cache))
        files["Vega-Lite"] = (f"{ident}.vl.json", spec.encode)
    return files


def describe(app: Any, name: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Add styles and scripts to a page, and metadata for search engines and shared links."""
    root, cover = app.config.root_doc, app.config.parabook_cover
    if cover and Path(app.srcdir, f"{name}.md").is_file():  # the source that can be edited, not the executed notebook
        context["page_source_suffix"] = ".md"
    if app.config.parabook_palette or app.env.metadata.get(name, {}).keys() & {"charts", "exhibits"}:
        for styles in ("fonts.css", "palette.css", "exhibits.css"):
            app.add_css_file(styles)
        app.add_js_file("charts.js")
        _list_headings(context)
    context["front_page_title"] = app.env.titles[root].astext() if root in app.env.titles else context["project"]
    if cover.get("lead"):
        home = cover["homepage"].rstrip("/") + "/" if cover["homepage"] else ""
        picture = cover["picture"]
        if picture:
            picture = home + picture if home else context["pathto"](picture, 1)
        site, title = (Markup(text).striptags() for text in (context["project"], context.get("title") or name))
        head = render("head.html.j2", cover=cover, site=site, title=title, picture=picture, home=home, name=name)
        context["metatags"] = context.get("metatags", "") + head


def _list_headings(context: dict[str, Any]) -> None:
    """Add headings of outputs with the class ``listed`` to a page's contents, before the section that follows."""
    body = context.get("body") or ""
    for found in re.finditer(r'<h2 id="([^"]+)" class="listed">(.*?)</h2>', body):
        after = re.search(r'<section id="([^"]+)"', body[found.end() :])
        at = context["toc"].find(f'<li><a class="reference internal" href="#{after[1]}"') if after else -1
        if at >= 0:
            entry = render("contents.html.j2", ident=found[1], text=Markup(found[2]).striptags())
            context["toc"] = context["toc"][:at] + entry + context["toc"][at:]


def write_files(app: Any, error: Exception | None) -> None:
    """Write the palette, the files of exhibits, and the script that pages load when a chart comes into view."""
    if error or app.builder.format != "html":
        return
    out, config, pages = Path(app.outdir), app.config, app.env.metadata.values()
    palette, cache = config.parabook_palette, Path(config.parabook_cache)
    colours = json.loads(Path(app.srcdir, palette).read_text(encoding="utf-8")) if palette else {}
    css = render("palette.css.j2", palette=colours, follows_system=config.html_theme == "furo")
    files = {"_static/palette.css": css.encode()}
    if any(page.get("charts") for page in pages):
        files["_static/vega.js"] = script(cache).encode()
    for exhibit in (exhibit for page in pages for exhibit in page.get("exhibits", ())):
        files |= {f"{FOLDER}/{name}": content() for name, content in downloads(exhibit, cache).values()}
    for name, content in files.items():
        if not (file := out / name).is_file() or file.read_bytes() != content:  # overwriting takes longer than reading
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(content)
