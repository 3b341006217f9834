"""The Sphinx extension of a book that parabook assembles: exhibits and charts, their styles and scripts, shared links.

Its configuration, which ``_config.yml`` sets under ``sphinx: config:``, or the assembly for it:

- ``parabook_palette``: the file of the book's colours, from its root: ``{"ink": ["black", "#eee"], ...}``, for light and
  dark pages. Charts are drawn in the light ones; on a page each becomes a CSS variable, ``--chart-ink``;
- ``parabook_cache``: the folder of drawings made before;
- ``parabook_cover``: what shared links say: ``lead``, ``homepage`` and, where there is one, ``picture``, its file;
- ``parabook_checksums``: the file beside the pages by which a copy of the book can be checked.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from markupsafe import Markup

from parabook import fonts, templating, vega
from parabook.render import FOLDER, downloads

HERE = Path(__file__).parent

CHECK = "Fingerprints of this copy"
"""The words in the foot of every page that lead to the list of its files."""


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_config_value("parabook_palette", "", "html")
    app.add_config_value("parabook_cache", "", "")  # Sphinx hashes the others, which a path in another encoding fails
    app.add_config_value("parabook_cover", {}, "html")
    app.add_config_value("parabook_checksums", "", "html")
    if "comments_config" not in app.config:  # Jupyter Book sets it also where its extension for comments is not loaded
        app.add_config_value("comments_config", {}, "html")
    app.connect("config-inited", configure)
    app.connect("html-page-context", describe)
    app.connect("build-finished", write_files)
    for styles in ("fonts.css", "palette.css", "exhibits.css"):
        app.add_css_file(styles)
    app.add_js_file("charts.js")
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def configure(app: Any, config: Any) -> None:
    """Fill in what the configuration leaves open, and complete the theme where it is Furo."""
    config.parabook_cache = config.parabook_cache or str(app.doctreedir)
    config.html_static_path += [str(HERE / "static"), str(fonts.PAGES)]
    if config.html_theme == "furo":
        config.templates_path.append(str(HERE / "templates" / "furo"))
        if config.parabook_checksums:
            icon = {"name": CHECK, "html": CHECK, "url": config.parabook_checksums, "class": ""}
            config.html_theme_options.setdefault("footer_icons", []).append(icon)


def describe(app: Any, name: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Say in the page's head what it is, for search engines and for links that are shared."""
    root, cover = app.config.root_doc, app.config.parabook_cover
    context["front_page_title"] = app.env.titles[root].astext() if root in app.env.titles else context["project"]
    if not cover.get("lead"):
        return
    tags = {
        "og:type": "article",
        "og:site_name": Markup(context["project"]).striptags(),
        "og:title": Markup(context.get("title") or name).striptags(),
        "og:description": cover["lead"],
    }
    home = cover["homepage"].rstrip("/") + "/" if cover.get("homepage") else ""
    if cover.get("picture"):
        tags["og:image"] = home + cover["picture"] if home else context["pathto"](cover["picture"], 1)
    if home:
        tags["og:url"] = f"{home}{name}.html"
    head = templating.render("head.html.j2", description=cover["lead"], properties=tags)
    context["metatags"] = context.get("metatags", "") + head


def write_files(app: Any, error: Exception | None) -> None:
    """Write the palette, the files that exhibits offer, and the script that pages load when a chart comes into view."""
    if error or app.builder.format != "html":
        return
    config, pages = app.config, app.env.metadata.values()
    static, folder, cache = Path(app.outdir) / "_static", Path(app.outdir) / FOLDER, Path(config.parabook_cache)
    file = Path(app.srcdir) / config.parabook_palette
    colours = json.loads(file.read_text(encoding="utf-8")) if config.parabook_palette else {}
    css = templating.render("palette.css.j2", palette=colours, follows_system=config.html_theme == "furo")
    (static / "palette.css").write_text(css, encoding="utf-8")
    if any(page.get("charts") for page in pages):
        (static / "vega.js").write_text(vega.script(cache), encoding="utf-8")
    for exhibit in (exhibit for page in pages for exhibit in page.get("exhibits", ())):
        folder.mkdir(exist_ok=True)
        for name, content in downloads(exhibit, cache).values():
            (folder / name).write_bytes(content())
