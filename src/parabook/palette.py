"""A book's colours: one JSON file, ``{"ink": ["#1f2328", "#e6e8eb"], ...}``, each colour for light and dark pages.

Charts are drawn in the light ones. On a page each becomes a CSS variable, ``--chart-ink``, so that it follows the reader.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from parabook.drawings import changed_attributes
from parabook.templating import render

Palette = Mapping[str, tuple[str, str]]

DATA = ("values", "domain", "sort", "description", "title", "text")
"""The parts of a Vega-Lite specification whose texts are data, and so are no colours."""


@lru_cache(maxsize=8)
def read(file: Path | None) -> Palette:
    """The palette of a file; without one there are no colours to follow the page."""
    return {name: tuple(colours) for name, colours in json.loads(file.read_text("utf-8")).items()} if file else {}


def stylesheet(palette: Palette, follows_system: bool) -> str:
    """The palette as CSS variables.

    Parameters
    ----------
    palette : mapping of str to pair of str
        Colours for light and dark pages.
    follows_system : bool
        Whether the theme of the book turns dark by itself where the reader's system is dark.
    """
    light, dark = ({name: both[n] for name, both in palette.items()} for n in (0, 1))
    return render("palette.css.j2", light=light, dark=dark, follows_system=follows_system)


def variable(value: str, palette: Palette) -> str:
    """A colour of a palette as CSS variable; any other text as it is.

    Examples
    --------
    >>> variable("#fff", {"paper": ("#fff", "#000")}), variable("red", {})
    ('var(--chart-paper)', 'red')
    """
    return next((f"var(--chart-{name})" for name, (light, _) in palette.items() if light == value), value)


def inline_svg(svg: str, palette: Palette) -> str:
    """A drawing to stand in a page: without roles, as the page describes it, and in colours that follow the page.

    Examples
    --------
    >>> inline_svg('<svg role="img"><text aria-label="x" fill="#fff">#fff</text></svg>', {"paper": ("#fff", "#000")})
    '<svg><text fill="var(--chart-paper)">#fff</text></svg>'
    """

    def change(name: str, value: str) -> str | None:
        if name == "role" or name.startswith("aria-"):
            return None
        return variable(value, palette) if name in ("fill", "stroke") else value

    return changed_attributes(svg, change)


def inline_spec(spec: Any, palette: Palette) -> Any:
    """A Vega-Lite specification whose colours follow the page.

    Examples
    --------
    >>> inline_spec({"mark": {"fill": "#fff"}, "title": "#fff"}, {"paper": ("#fff", "#000")})
    {'mark': {'fill': 'var(--chart-paper)'}, 'title': '#fff'}
    """
    if isinstance(spec, dict):
        data = {key for key, value in spec.items() if key == "datasets" or (key in DATA and not isinstance(value, dict))}
        return {key: value if key in data else inline_spec(value, palette) for key, value in spec.items()}
    if isinstance(spec, list):
        return [inline_spec(each, palette) for each in spec]
    return variable(spec, palette) if isinstance(spec, str) else spec
