"""The Sphinx extension of the book. Exhibits and charts come by ``render``, the look by ``_static``."""

from __future__ import annotations

from typing import Any


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx."""
    # Jupyter Book always sets this; without its comments extension, which the book does not load, it
    # would be an unknown value and so a warning, and warnings fail the build.
    app.add_config_value("comments_config", {}, "html")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
