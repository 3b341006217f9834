"""The Sphinx extension of the book. Exhibits and charts come by ``render``, the look by ``_static``."""

from __future__ import annotations

import re
from html import escape, unescape
from pathlib import Path
from typing import Any

from parabook import fonts, vega
from parabook.render import FOLDER

LANDMARKS = {
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="Book">',
    '<aside class="toc-drawer">': '<aside class="toc-drawer" aria-label="On this page">',
    '<aside class="toc-drawer no-toc">': '<aside class="toc-drawer no-toc" aria-label="On this page">',
    '<div id="search-results"></div>': '<h1>Search</h1><div id="search-results"></div>',
}
"""What the theme leaves without a name: its two side bars, alike in a screen reader's list, and the search page."""


CARD = "card.png"
"""The picture that a link to the book shows where it is shared."""


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx."""
    # Jupyter Book always sets this; without its comments extension, which the book does not load, it
    # would be an unknown value and so a warning, and warnings fail the build.
    app.add_config_value("comments_config", {}, "html")
    app.add_config_value("report_description", "", "html")  # what a shared link says of the book
    app.add_config_value("report_home", "", "html")  # where the book will stand, when that is known
    app.connect("config-inited", add_fonts)
    app.add_css_file(fonts.STYLES)
    app.connect("html-page-context", list_front_page, priority=900)  # after the theme made its list
    app.connect("html-page-context", describe)
    app.connect("build-finished", name_landmarks)
    app.connect("build-finished", write_exhibits)
    app.connect("build-finished", write_engine)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def add_fonts(app: Any, config: Any) -> None:
    """Have the font's files copied with the book's own static files."""
    config.html_static_path.append(str(fonts.PAGES))


def list_front_page(app: Any, name: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Put the front page at the head of the side bar, where the theme lists only what comes after it."""
    tree, root = context.get("furo_navigation_tree"), app.config.root_doc
    if tree and root in app.env.titles:
        here = " current current-page" if name == root else ""
        link = f'<a class="reference internal" href="{context["pathto"](root)}">{escape(app.env.titles[root].astext())}</a>'
        before, opened, after = tree.partition(">")
        context["furo_navigation_tree"] = f'{before}{opened}<li class="toctree-l1{here}">{link}</li>{after}'


def describe(app: Any, name: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Say in the page's head what it is, for search engines and for links that are shared."""
    config = app.config
    if not config.report_description:
        return
    home = config.report_home.rstrip("/") + "/" if config.report_home else ""
    told = {"og:type": "article", "og:site_name": context["project"], "og:title": context.get("title") or name,
            "og:description": config.report_description, "og:image": f"{home}{CARD}" if home else context["pathto"](CARD, 1)}  # fmt: skip
    if home:
        told["og:url"] = f"{home}{name}.html"
    tags = [f'<meta name="description" content="{escape(config.report_description, quote=True)}">']
    tags += [f'<meta property="{key}" content="{escape(plain(value), quote=True)}">' for key, value in told.items()]
    context["metatags"] = context.get("metatags", "") + "\n".join(tags)


def plain(html: str) -> str:
    """Text without its tags and entities.

    Examples
    --------
    >>> plain("A &amp; <em>b</em>")
    'A & b'
    """
    return unescape(re.sub(r"<[^>]+>", "", html))


def name_landmarks(app: Any, error: Exception | None) -> None:
    """Give every page's side bars their names."""
    if error or app.builder.format != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        named = text
        for plain, name in LANDMARKS.items():
            named = named.replace(plain, name)
        if named != text:
            page.write_text(named, encoding="utf-8")


def write_exhibits(app: Any, error: Exception | None) -> None:
    """Write the files that exhibits offer for download."""
    if error or app.builder.format != "html":
        return
    folder = Path(app.outdir) / FOLDER
    for page in app.env.metadata.values():
        for files in page.get("exhibits", {}).values():
            folder.mkdir(exist_ok=True)
            for name, content in files.values():
                made = content()
                (folder / name).write_bytes(made if isinstance(made, bytes) else made.encode())


def write_engine(app: Any, error: Exception | None) -> None:
    """Write the one script that makes charts interactive; pages load it only when a chart comes into view."""
    if error or app.builder.format != "html":
        return
    (Path(app.outdir) / "_static" / "vega.js").write_text(vega.script(), encoding="utf-8")
