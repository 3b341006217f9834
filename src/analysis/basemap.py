"""The part of the world that a map shows, and the countries in it, in pixels."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import shapely
from shapely import Geometry, box

from analysis.schema import ROOT

WIDTH = 480
"""Pixels. A page shows a map as wide as its column: at three quarters of that on a phone, at one and a half elsewhere."""

DECIMALS = 9
"""To which results of trigonometric functions are rounded: further digits differ between processors, and maps must not."""

MOST_POINTS = 4000
"""Most points in the outlines of countries: some 50 kB on the page."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Frame:
    """The part of the world that a map shows: its left and upper edge in degrees of Mercator's projection, pixels a degree."""

    left: float
    top: float
    scale: float
    height: int

    def pixels(self, at: Any) -> Any:
        """Rows of longitude and latitude in pixels."""
        return np.column_stack([(at[:, 0] - self.left) * self.scale, (self.top - mercator(at[:, 1])) * self.scale])

    def spot(self, longitude: float, latitude: float) -> Point:
        """A place in pixels, on the turn of the globe that is in sight."""
        middle = self.left + WIDTH / 2 / self.scale
        x, y = self.pixels(np.array([[middle + (longitude - middle + 180) % 360 - 180, latitude]]))[0].tolist()
        return x, y


def mercator(latitude: Any) -> Any:
    """Degrees of latitude as far from the equator as Mercator's projection puts them."""
    return np.round(np.degrees(np.arcsinh(np.tan(np.radians(np.clip(latitude, -85, 85))))), DECIMALS)


def latitude_at(degrees: Any) -> Any:
    """The latitude that Mercator's projection puts so many degrees from the equator.

    Examples
    --------
    >>> float(latitude_at(mercator(51.2)))
    51.2
    """
    return np.round(np.degrees(np.arctan(np.sinh(np.radians(degrees)))), DECIMALS)


def frame_around(core: Sequence[Point], areas: Iterable[Point] = (), margin: float = 1.4) -> Frame:
    """A frame with all core points in it, and those areas for which it need not grow much; each longitude and latitude.

    Examples
    --------
    >>> near = frame_around([(37.6, 55.8), (51.4, 51.2)])
    >>> near == frame_around([(37.6, 55.8), (51.4, 51.2)], [(100, 60)]), near.height
    (True, 288)
    >>> round(frame_around([(179, 0), (-179, 0)]).left, 1)  # over the 180th meridian
    177.5
    """
    xs = sorted(x for x, _ in core)
    gap, start = max([(xs[0] + 360 - xs[-1], xs[0]), *((b - a, b) for a, b in itertools.pairwise(xs))])

    def around(points: Sequence[Point]) -> Frame:
        x, y = np.array(points).T
        x, y = (x - start + gap / 2) % 360 - gap / 2 + start, mercator(y)  # the widest gap stays outside
        tall = (margin - 0.1) * np.ptp(y)
        across = max(margin * np.ptp(x), tall / 0.88, 5.0)
        tall = max(tall, 0.6 * across)
        left, top = (x.min() + x.max() - across) / 2, (y.min() + y.max() + tall) / 2
        return Frame(float(left), float(top), float(WIDTH / across), round(WIDTH * tall / across))

    points, least = list(core), around(core).scale / 1.5
    for area in areas:
        points += [area] if around([*points, area]).scale > least else []
    return around(points)


@cache
def world() -> tuple[list[str], Any]:
    """The alpha-3 codes of all countries, and their shapes in degrees."""
    text = (ROOT / "data" / "basemap" / "world.geojson").read_text(encoding="utf-8")
    return re.findall(r'"country":"(\w+)"', text), shapely.get_parts(shapely.from_geojson(text))


def land(frame: Frame) -> dict[str, Geometry]:
    """The countries in a frame by their alpha-3 code, in pixels, no finer than can be seen."""
    codes, shapes = world()
    edges = frame.top + 1 / frame.scale, frame.top - (frame.height + 1) / frame.scale
    north, south = latitude_at(np.array(edges))
    west, east = frame.left - 1 / frame.scale, frame.left + (WIDTH + 1) / frame.scale
    seen = [
        shapely.transform(
            shapely.intersection(shapes, box(west - turn, south, east - turn, north)),
            lambda at, turn=turn: frame.pixels(at + np.array([turn, 0])),
        )
        for turn in (-360, 0, 360)
        if west - turn < 180 and east - turn > -180
    ]
    whole = shapely.buffer(shapely.union_all(np.array(seen), axis=0), 0)
    parts, owner = shapely.get_parts(whole, return_index=True)
    large = shapely.area(parts) > 2
    parts, owner = parts[large], owner[large]
    for tolerance in (0.7, 1.0, 1.5, 2.2, 3.3):
        parts = shapely.coverage_simplify(parts, tolerance)
        if shapely.get_num_coordinates(parts).sum() < MOST_POINTS:
            break
    return {codes[n]: shapely.union_all(parts[owner == n]) for n in np.unique(owner)}
