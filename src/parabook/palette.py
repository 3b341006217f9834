"""A book's colours: one JSON file, ``{"ink": ["black", "#eee"], ...}``, each colour for light and dark pages.

Charts are drawn in the light ones. On a page each becomes a CSS variable, ``--chart-ink``, so that it follows the reader.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from parabook.templating import render

Palette = Mapping[str, tuple[str, str]]


def read(file: Path) -> Palette:
    """The palette of a file."""
    return {name: (light, dark) for name, (light, dark) in json.loads(file.read_text(encoding="utf-8")).items()}


def stylesheet(palette: Palette, follows_system: bool) -> str:
    """CSS of a palette: its variables, and the rules by which drawings in the light colours take them.

    ``follows_system`` says that the theme of the book turns dark by itself where the reader's system is dark.

    Examples
    --------
    >>> '.chart [fill="#fff"] { fill: var(--chart-paper); }' in stylesheet({"paper": ("#fff", "#000")}, False)
    True
    """
    return render("palette.css.j2", palette=palette, follows_system=follows_system)
