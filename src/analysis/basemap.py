"""Land for maps: the countries of a small world map that a view needs, as GeoJSON. Reads one file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from typing import Any

from analysis.schema import ROOT

FILE = ROOT / "data" / "basemap" / "world-110m.json"
Box = tuple[float, float, float, float]
"""West, south, east, north, in degrees."""

MARGIN = 4.0
"""Degrees beyond the view where borders are cut off, out of sight."""


@cache
def _topology() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return loaded


@cache
def _arcs() -> list[list[tuple[float, float]]]:
    """The borders, decoded: deltas on a grid to degrees, to a tenth."""
    (kx, ky), (dx, dy) = _topology()["transform"]["scale"], _topology()["transform"]["translate"]
    arcs = []
    for arc in _topology()["arcs"]:
        xs, ys = accumulate(x for x, _ in arc), accumulate(y for _, y in arc)
        arcs.append([(round(x * kx + dx, 1), round(y * ky + dy, 1)) for x, y in zip(xs, ys, strict=True)])
    return arcs


def _ring(arcs: Sequence[int]) -> list[tuple[float, float]]:
    """A ring from the numbers of its borders; a negative one is walked backwards."""
    points: list[tuple[float, float]] = []
    for number in arcs:
        line = _arcs()[number] if number >= 0 else _arcs()[~number][::-1]
        points += [point for point in line if not points or point != points[-1]]
    return points


def _overlaps(ring: list[tuple[float, float]], box: Box) -> bool:
    west, south, east, north = box
    xs, ys = [x for x, _ in ring], [y for _, y in ring]
    return min(xs) <= east and max(xs) >= west and min(ys) <= north and max(ys) >= south


def _cut(ring: list[tuple[float, float]], box: Box) -> list[tuple[float, float]]:
    """The part of a ring inside a box (Sutherland and Hodgman's way: edge after edge)."""
    for axis, limit, inside in ((0, box[0], 1), (1, box[1], 1), (0, box[2], -1), (1, box[3], -1)):
        kept: list[tuple[float, float]] = []
        for one, other in zip(ring, ring[1:] + ring[:1], strict=True):
            here, there = ((point[axis] - limit) * inside >= 0 for point in (one, other))
            if here:
                kept.append(one)
            if here != there:
                part = (limit - one[axis]) / (other[axis] - one[axis])
                kept.append(
                    (round(one[0] + part * (other[0] - one[0]), 1), round(one[1] + part * (other[1] - one[1]), 1))
                )
        ring = kept
    return ring + ring[:1]


def land(box: Box) -> list[dict[str, Any]]:
    """The countries that a view touches, as GeoJSON features with their alpha-3 code.

    Examples
    --------
    >>> sorted(feature["properties"]["country"] for feature in land((66, 47, 68, 49)))
    ['KAZ']
    """
    west, south, east, north = box
    room = (west - MARGIN, max(south - MARGIN, -85.0), east + MARGIN, min(north + MARGIN, 85.0))
    features = []
    for geometry in _topology()["objects"]["countries"]["geometries"]:
        polygons = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
        cut = [[_cut(_ring(ring), room) for ring in polygon] for polygon in polygons]
        seen = [[ring for ring in polygon if len(ring) > 3] for polygon in cut if len(polygon[0]) > 3]
        if any(_overlaps(polygon[0], box) for polygon in seen):
            features.append({
                "type": "Feature",
                "properties": {"country": geometry["properties"].get("a3", "")},
                "geometry": {"type": "MultiPolygon", "coordinates": seen},
            })  # fmt: skip
    return features
