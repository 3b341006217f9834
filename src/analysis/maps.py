"""Maps: legs as lines between places, on the countries around them. Reads one small world map."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, MutableMapping
from functools import cache
from typing import Any

import altair as alt
import pandas as pd

from analysis.charts import INK, LAND, PAPER, WIDTH, plain
from analysis.schema import ROOT
from analysis.text import isolate

Box = tuple[float, float, float, float]
"""West, south, east, north, in degrees."""


@cache
def _world() -> list[dict[str, Any]]:
    text = (ROOT / "data" / "basemap" / "world-110m.geojson").read_text(encoding="utf-8")
    features: list[dict[str, Any]] = json.loads(text)["features"]
    return features


def land(box: Box) -> list[dict[str, Any]]:
    """The countries that a box touches, as GeoJSON features with their alpha-3 code.

    Examples
    --------
    >>> [each["properties"]["country"] for each in land((66, 47, 68, 49))]
    ['KAZ', 'RUS']
    """
    west, south, east, north = box

    def touches(feature: Mapping[str, Any]) -> bool:
        left, bottom, right, top = feature["bbox"]
        return bool(left <= east and right >= west and bottom <= north and top >= south)

    return [{name: each[name] for name in ("type", "properties", "geometry")} for each in _world() if touches(each)]


def box_around(points: Iterable[tuple[float, float]]) -> Box:
    """A box with all points in it, room around them, and never less than some degrees; points are longitude, latitude.

    Examples
    --------
    >>> [round(edge, 1) for edge in box_around([(37.6, 55.8), (51.2, 51.2)])]
    [36.0, 47.5, 52.8, 59.5]
    """
    xs, ys = zip(*points, strict=True)
    wide, tall = max(max(xs) - min(xs), 12.0), max(max(ys) - min(ys), 8.0)
    x, y = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    return (x - wide * 0.62, max(y - tall * 0.75, -80.0), x + wide * 0.62, min(y + tall * 0.75, 80.0))


class Countries:
    """Features as Altair takes them from geographic libraries: by reference, where it copies plain lists at each step."""

    def __init__(self, features: list[dict[str, Any]]) -> None:
        self.__geo_interface__: MutableMapping[str, Any] = {"type": "FeatureCollection", "features": features}


def route_map(legs: pd.DataFrame, places: Mapping[str, Mapping[str, str]]) -> alt.LayerChart | alt.FacetChart | None:
    """Legs as lines: made solid, intended dashed, wider for more people. A town is a dot, an area a ring around its name.

    Parameters
    ----------
    legs : DataFrame
        ``from``, ``to`` (names of places), ``status`` and ``legs``. A leg with an end that has no position is not drawn.
    places : mapping
        Rows of the table ``places``, as text.
    """
    at = {row["name"]: row for row in places.values() if row["latitude"]}
    lines = plain(legs[legs["from"].isin(at) & legs["to"].isin(at)])
    if lines.empty:
        return None
    spots = pd.DataFrame([at[name] for name in sorted({*lines["from"], *lines["to"]})])
    spots = spots.assign(
        x=spots["longitude"].astype(float), y=spots["latitude"].astype(float), name=spots["name"].map(isolate),
        kind=["town" if precision in ("site", "city") else "area" for precision in spots["precision"]],
    )[["name", "precision", "kind", "x", "y"]]  # fmt: skip
    for n, end in ((1, "from"), (2, "to")):
        for axis, column in (("x", "longitude"), ("y", "latitude")):
            lines[f"{axis}{n}"] = [float(at[name][column]) for name in lines[end]]
    spots.attrs = lines.attrs = dict(legs.attrs)
    box = box_around(zip(spots["x"], spots["y"], strict=True))
    return _layers(lines, spots, box)


def _layers(lines: pd.DataFrame, spots: pd.DataFrame, box: Box) -> alt.LayerChart | alt.FacetChart:
    ground = alt.Chart(Countries(land(box))).mark_geoshape(fill=LAND, stroke=PAPER, strokeWidth=0.7, clip=True)
    journeys = alt.Chart(lines).mark_rule(clip=True).encode(
        longitude=alt.Longitude("x1:Q"), latitude=alt.Latitude("y1:Q"),
        longitude2=alt.Longitude2("x2"), latitude2=alt.Latitude2("y2"),
        strokeWidth=alt.StrokeWidth("legs:Q", legend=None).scale(domain=[1, 10], range=[1.5, 8], clamp=True),
        strokeDash=alt.StrokeDash("status:N", legend=None).scale(domain=["made", "intended"], range=[[1, 0], [4, 3]]),
        tooltip=[alt.Tooltip(name) for name in ("from", "to", "status", "legs")],
    )  # fmt: skip
    at = {"longitude": alt.Longitude("x:Q"), "latitude": alt.Latitude("y:Q")}
    kinds: dict[str, Any] = {"domain": ["town", "area"]}
    dots = alt.Chart(spots).mark_point(stroke=INK).encode(
        **at, tooltip=[alt.Tooltip("name"), alt.Tooltip("precision")],
        fill=alt.Fill("kind:N", legend=None).scale(**kinds, range=[INK, PAPER]),
        size=alt.Size("kind:N", legend=None).scale(**kinds, range=[35, 160]),
    )  # fmt: skip
    names = alt.Chart(spots).mark_text(fontSize=11, dy=-13).encode(**at, text=alt.Text("name:N"))
    return alt.layer(ground, journeys, dots, names, **_mercator(box))


def _mercator(box: Box) -> dict[str, Any]:
    """The size and the projection of a map that shows a box."""
    west, south, east, north = box
    top, bottom = (math.asinh(math.tan(math.radians(latitude))) for latitude in (north, south))
    across = math.radians(east - west)
    height = round(WIDTH * (top - bottom) / across)
    middle = math.degrees(math.atan(math.sinh((top + bottom) / 2)))
    projection = alt.Projection(
        type="mercator", scale=WIDTH / across, center=[(west + east) / 2, middle], translate=[WIDTH / 2, height / 2]
    )
    return {"width": WIDTH, "height": height, "projection": projection}
