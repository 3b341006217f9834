"""The Sphinx extension of the book. Exhibits and charts come by ``render``, the look by ``_static``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LANDMARKS = {
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="Book">',
    '<aside class="toc-drawer">': '<aside class="toc-drawer" aria-label="On this page">',
    '<aside class="toc-drawer no-toc">': '<aside class="toc-drawer no-toc" aria-label="On this page">',
}
"""The theme's side bars have no names; a screen reader's list of landmarks would show two alike."""


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx."""
    # Jupyter Book always sets this; without its comments extension, which the book does not load, it
    # would be an unknown value and so a warning, and warnings fail the build.
    app.add_config_value("comments_config", {}, "html")
    app.connect("build-finished", name_landmarks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


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
