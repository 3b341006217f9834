"""The Sphinx extension of a book that parabook assembles: exhibits and charts, their styles and scripts, shared links.

Its configuration, which ``_config.yml`` sets under ``sphinx: config:``, or the assembly for it:

- ``parabook_palette``: the file of the book's colours, from its root (see `parabook.palette`);
- ``parabook_cache``: the folder of drawings made before;
- ``parabook_cover``: what shared links say: ``lead``, ``homepage`` and, where there is one, ``picture``, its file;
- ``parabook_checksums``: the file beside the pages by which a copy of the book can be checked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup

from parabook import palette, templating, vega
from parabook.render import FOLDER

HERE = Path(__file__).parent

CHECK = "Fingerprints of this copy"
"""The words in the foot of every page that lead to the list of its files."""


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_config_value("parabook_palette", "", "env")
    app.add_config_value("parabook_cache", "", "")
    app.add_config_value("parabook_cover", {}, "html")
    app.add_config_value("parabook_checksums", "", "html")
    if "comments_config" not in app.config:  # Jupyter Book sets it also where its extension for comments is not loaded
        app.add_config_value("comments_config", {}, "html")
    app.connect("config-inited", configure)
    app.connect("html-page-context", describe)
    app.connect("build-finished", write_files)
    app.add_css_file("palette.css")
    app.add_css_file("exhibits.css")
    app.add_js_file("charts.js")
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def configure(app: Any, config: Any) -> None:
    """Fill in what the configuration leaves open, and mend the theme where it is Furo."""
    config.parabook_cache = config.parabook_cache or str(app.doctreedir)
    if config.parabook_palette:
        config.parabook_palette = str(Path(app.srcdir) / config.parabook_palette)
    config.html_static_path.append(str(HERE / "static"))
    if config.html_theme == "furo":
        config.templates_path.append(str(HERE / "templates" / "furo"))
        if config.parabook_checksums:
            icon = {"name": CHECK, "html": CHECK, "url": config.parabook_checksums, "class": ""}
            config.html_theme_options.setdefault("footer_icons", []).append(icon)


def describe(app: Any, name: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Say in the page's head what it is, for search engines and for links that are shared."""
    root = app.config.root_doc
    context["front_page_title"] = app.env.titles[root].astext() if root in app.env.titles else context["project"]
    cover = app.config.parabook_cover
    if not cover.get("lead"):
        return
    home = cover["homepage"].rstrip("/") + "/" if cover.get("homepage") else ""
    said = {
        "og:type": "article",
        "og:site_name": context["project"],
        "og:title": context.get("title") or name,
        "og:description": cover["lead"],
    }
    if cover.get("picture"):
        said["og:image"] = home + cover["picture"] if home else context["pathto"](cover["picture"], 1)
    if home:
        said["og:url"] = f"{home}{name}.html"
    said = {key: Markup(text).striptags() if "&" in text or "<" in text else text for key, text in said.items()}
    context["metatags"] = context.get("metatags", "") + templating.render(
        "head.html.j2", description=cover["lead"], properties=said
    )


def write_files(app: Any, error: Exception | None) -> None:
    """Write the palette, the files that exhibits offer, and the script that pages load when a chart comes into view."""
    if error or app.builder.format != "html":
        return
    out, pages = Path(app.outdir), app.env.metadata.values()
    colours = palette.read(Path(app.config.parabook_palette)) if app.config.parabook_palette else {}
    css = palette.stylesheet(colours, follows_system=app.config.html_theme == "furo")
    (out / "_static" / "palette.css").write_text(css, encoding="utf-8")
    if any(page.get("charts") for page in pages):
        (out / "_static" / "vega.js").write_text(vega.script(Path(app.config.parabook_cache)), encoding="utf-8")
    files = [file for page in pages for each in page.get("exhibits", {}).values() for file in each.values()]
    for name, content in files:
        (out / FOLDER).mkdir(exist_ok=True)
        made = content()
        (out / FOLDER / name).write_bytes(made if isinstance(made, bytes) else made.encode())
