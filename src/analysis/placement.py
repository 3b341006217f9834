"""Placement on a map, in pixels: how lines bend and where labels stand so that they cover nothing else."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable
from typing import Any

import numpy as np
from shapely import Geometry, LineString, box

from analysis.basemap import Point
from analysis.charts import INK, MARK, MUTED
from analysis.disclosure import NOT_STATED, STATED

BOWS = (0.0, 0.1, -0.1, 0.2, -0.2, 0.3, -0.3, 0.4, -0.4, 0.5, -0.5)
"""Bends to try, as shares of a line's length, to keep clear of other lines and of countries not on the journey."""

SIDES = ((1, 0), (-1, 0), (0, -1), (0, 1), *itertools.product((1, -1, 0.5, -0.5), (-1, 1)))
"""Where to try a label beside its dot, as (across, down): right first, then left, above, below, diagonally."""

TEXTS: dict[str, tuple[float, float, str, Any]] = {
    "met": (18, 0.6, INK, "bold"), "town": (16, 0.55, INK, "normal"), "area": (16, 0.55, INK, "normal"),
    "end": (15, 0.58, INK, "normal"), "country": (15, 0.58, MUTED, "normal"), "count": (16, 0.6, MARK, "bold"),
    "key": (15, 0.55, INK, "normal"),
}  # fmt: skip
"""Labels by kind: font size in pixels (at least 11 on a phone), mean width of a letter as a share of it, colour, weight."""

HAIR = "\u200a"
"""A hair space, between the letters of countries' names."""


def text_size(text: str, kind: str) -> Point:
    """The width and height of a text, at most; characters as wide as two count as two."""
    size, letter, *_ = TEXTS[kind]
    letters = sum(0.2 if sign == HAIR else 1 + 0.8 * (unicodedata.east_asian_width(sign) in "WF") for sign in text)
    return letters * size * letter, size * 1.2


def room(
    size: Point, at: Point, far: float, taken: Iterable[Geometry], within: Geometry
) -> tuple[Geometry, str] | None:
    """The first free box for a label of this size: ``far`` pixels beside a point, or centred on it where that is 0.

    The box lies within a shape and on nothing that is taken. With it comes the alignment of the label's text.

    Examples
    --------
    >>> found, align = room((30, 10), (50, 50), 5, [box(55, 45, 60, 60)], box(0, 0, 100, 100))
    >>> found.bounds, align
    ((15.0, 45.0, 45.0, 55.0), 'right')
    """
    (wide, tall), (x, y) = size, at
    for across, down in SIDES if far else ((0, 0),):
        away = far * (0.75 if across and down else 1)
        left, top = x + across * away - wide * (1 - across) / 2, y + down * away - tall * (1 - down) / 2
        found = box(left, top, left + wide, top + tall)
        if within.contains(found) and not any(found.intersects(each) for each in taken):
            return found, "left" if across == 1 else "right" if across == -1 else "center"
    return None


def bend(start: Point, end: Point, bow: float) -> LineString:
    """A line from point to point that bends aside, by a share of its length."""
    a, b = np.array(start), np.array(end)
    top = (a + b) / 2 + 2 * bow * np.array([a[1] - b[1], b[0] - a[0]])
    steps = np.linspace(0, 1, 17 if bow else 2)[:, None]
    return LineString((1 - steps) ** 2 * a + 2 * steps * (1 - steps) * top + steps**2 * b)


def along(line: LineString, far: Iterable[float]) -> list[Point]:
    """Points on a line, so many pixels from its start."""
    return [line.interpolate(each).coords[0] for each in far]


def dash(route: str, width: float) -> list[float]:
    """The stroke dash of a line: solid where its route is stated, dotted where not, dashed for a plan; longer if wider."""
    return {STATED: [1.0, 0.0], NOT_STATED: [0.1, round(1.5 + 1.9 * width, 1)]}.get(route, [round(3 + width, 1)] * 2)
