"""A map of journeys: lines from place to place on the countries around them, with names that stand in nobody's way.

All is worked out in pixels, so that each name can be held against what else is drawn. Of many pairs of places a table is
drawn instead, of who came from where to where.
"""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np
import pandas as pd

from analysis.charts import INK, LAND, MARK, MUTED, PAPER
from analysis.journeys import INTENDED, MADE
from analysis.schema import ROOT, country_name
from analysis.text import isolate

if TYPE_CHECKING:
    from shapely import Geometry

WIDTH = 480
"""Pixels; a page shows the map as wide as its column, a phone at three quarters."""

MOST_LINES, MOST_ROWS = 12, 9
"""More pairs of places than this are shown as a table; of its rows and columns, all but these stand together."""

UNKNOWN, PLANNED = "way not stated", "planned"
"""What is known of a line that is not `MADE` from town to town."""

KEY = {MADE: "way stated", UNKNOWN: "way not stated", PLANNED: "planned"}

BOWS = (0.0, 0.1, -0.1, 0.2, -0.2, 0.3, -0.3)
"""How far a line may bend aside, of its length, to keep clear of others."""

HAIR = "\u200a"
"""A narrow space, between the letters of countries' names."""

SIDES = ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (1, 1), (-1, -1), (-1, 1))
"""Where a name may stand, seen from its dot: at the right first, then left, above, below, aslant."""

Point = tuple[float, float]


class Shapes:
    """Features as Altair takes them from geographic libraries: by reference, where it copies plain lists at each step."""

    def __init__(self, features: list[dict[str, Any]]) -> None:
        self.__geo_interface__: MutableMapping[str, Any] = {"type": "FeatureCollection", "features": features}


@dataclass(frozen=True)
class Frame:
    """The part of the world on a map, in Mercator's projection: its left and upper edges in radians, pixels a radian."""

    left: float
    top: float
    scale: float
    height: int

    def pixels(self, degrees: Any) -> Any:
        """Points in pixels, given as rows of longitude and latitude."""
        x, y = np.radians(np.asarray(degrees, float)).T
        return np.column_stack([(x - self.left) * self.scale, (self.top - np.arcsinh(np.tan(y))) * self.scale])

    def spot(self, longitude: float, latitude: float) -> Point:
        """A point in pixels, on the turn of the globe that is in sight."""
        middle = self.degrees(WIDTH / 2, 0)[0]
        x = middle + (longitude - middle + 180) % 360 - 180
        return tuple(self.pixels([[x, max(-85.0, min(85.0, latitude))]])[0].tolist())

    def degrees(self, x: float, y: float) -> Point:
        return math.degrees(self.left + x / self.scale), math.degrees(math.atan(math.sinh(self.top - y / self.scale)))


def frame_around(core: Sequence[Point], areas: Iterable[Point] = ()) -> Frame:
    """A frame with all core points in it, and those areas for which it need not grow much; points in degrees.

    Examples
    --------
    >>> near, far = frame_around([(37.6, 55.8), (51.4, 51.2)]), frame_around([(37.6, 55.8), (51.4, 51.2)], [(100, 60)])
    >>> near == far, near.height
    (True, 288)
    >>> round(frame_around([(179, 0), (-179, 0)]).degrees(0, 0)[0])  # over the 180th meridian
    176
    """
    around = sorted(x for x, _ in core)
    gaps = [(around[0] + 360 - around[-1], around[0]), *((b - a, b) for a, b in itertools.pairwise(around))]
    start = max(gaps)[1]  # where the widest gap ends
    points = [(start + (x - start) % 360, max(-80.0, min(80.0, y))) for x, y in core]

    def extent(points: Sequence[Point]) -> tuple[float, float, float, float]:
        xs, ys = [math.radians(x) for x, _ in points], [math.asinh(math.tan(math.radians(y))) for _, y in points]
        return min(xs), max(xs), min(ys), max(ys)

    def size(points: Sequence[Point]) -> float:
        west, east, south, north = extent(points)
        return max((east - west) * 1.4, (north - south) * 1.3, math.radians(5))

    whole = size(points)
    for x, y in areas:
        more = [*points, (start + (x - start + 90) % 360 - 90, max(-80.0, min(80.0, y)))]
        points = more if size(more) <= 1.5 * whole else points
    west, east, south, north = extent(points)
    across = max((east - west) * 1.4, (north - south) * 1.3 / 0.88, math.radians(5))
    tall = min(max((north - south) * 1.3, across * 0.6), across * 0.88)
    left, top = (west + east - across) / 2, (south + north + tall) / 2
    return Frame(left, top, WIDTH / across, round(WIDTH * tall / across))


@cache
def _world() -> tuple[list[str], Any]:
    import shapely

    text = (ROOT / "data" / "basemap" / "world.geojson").read_text(encoding="utf-8")
    return re.findall(r'"country":"(\w+)"', text), shapely.get_parts(shapely.from_geojson(text))


def land(frame: Frame) -> dict[str, Geometry]:
    """The countries in a frame by their alpha-3 code, in pixels, no finer than can be seen."""
    import shapely

    codes, shapes = _world()
    (west, south), (east, north) = frame.degrees(-4, frame.height + 4), frame.degrees(WIDTH + 4, -4)
    turns = [turn for turn in (-360, 0, 360) if west - turn < 180 and east - turn > -180]
    parts = [
        shapely.transform(
            shapely.intersection(shapes, shapely.box(west - turn, south, east - turn, north)),
            lambda at, turn=turn: frame.pixels(at + [turn, 0]),
        )
        for turn in turns
    ]
    seen = shapely.buffer(shapely.union_all(np.array(parts), axis=0), 0)
    kept = [n for n, shape in enumerate(seen) if shape.area > 1]
    return dict(zip([codes[n] for n in kept], shapely.coverage_simplify(seen[kept], 0.7), strict=True))


def lines_of(legs: pd.DataFrame, places: Mapping[str, Mapping[str, str]], met: str = "") -> pd.DataFrame:
    """What can be drawn of legs: ``from``, ``to``, ``way``, ``people``, between places that have a position.

    Where only the country is named in which people were met, they came to, or set off from, the place where they were.
    A way is taken as made only from town to town.
    """
    at = positions(places)
    here = places.get(met, {})

    def end(name: str, otherwise: str = "") -> str:
        row = at.get(name, {})
        home = row.get("precision") == "country" and row["country"] == here.get("country") and here["name"] in at
        return str(here["name"]) if home else name if row else otherwise

    rows = []
    for start, stop, status, people in legs.iloc[:, :4].itertuples(index=False):
        one, two = end(start, here.get("name", "") if status == INTENDED else ""), end(stop)
        towns = {start, stop} == {one, two} and all(at.get(name, {}).get("precision") in ("site", "city") for name in (one, two))
        way = PLANNED if status == INTENDED else MADE if status == MADE and towns else UNKNOWN
        if one in at and two in at and one != two:
            rows.append((one, two, way, people))
    table = pd.DataFrame(rows, columns=["from", "to", "way", "people"])
    table = table.groupby(["from", "to", "way"], as_index=False, sort=False)["people"].sum()
    table = table.sort_values("people", ascending=False, kind="stable", ignore_index=True)
    table.attrs = dict(legs.attrs)
    return table


def positions(places: Mapping[str, Mapping[str, str]]) -> dict[str, Mapping[str, str]]:
    """The places that have a position, by name."""
    return {row["name"]: row for row in places.values() if row["latitude"]}


@dataclass
class Drawing:
    """What is on a map, and what is in the way of more: ``taken``."""

    frame: Frame
    box: Geometry
    taken: list[Geometry] = field(default_factory=list)
    texts: list[dict[str, Any]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    heads: list[dict[str, Any]] = field(default_factory=list)
    dots: list[dict[str, Any]] = field(default_factory=list)
    borders: list[dict[str, Any]] = field(default_factory=list)
    counts: list[tuple[int, Geometry]] = field(default_factory=list)
    key: list[dict[str, Any]] = field(default_factory=list)

    def write(self, text: str, kind: str, at: Point, reach: Sequence[float], sides: Sequence[Point] = SIDES) -> Geometry | None:
        """Put a text at the first place around a point where it hides nothing; nowhere if there is none."""
        found = room(text_size(text, *TEXTS[kind][:2]), at, self.taken, self.box, reach, sides)
        if found is None:
            return None
        box, side = found
        self.taken.append(box)
        west, north, east, south = box.bounds
        x, align = {1: (west, "left"), 0: ((west + east) / 2, "center"), -1: (east, "right")}[int(side)]
        self.texts.append({"text": isolate(text), "kind": kind, "x": round(x, 1), "y": round((north + south) / 2, 1), "align": align})
        return box


TEXTS = {
    "met": (15.5, 0.6, INK, "bold"), "town": (14, 0.55, INK, "normal"), "area": (13, 0.58, INK, "normal"),
    "country": (11.5, 0.64, MUTED, "normal"), "count": (13.5, 0.6, MARK, "bold"), "key": (13, 0.55, INK, "normal"),
}  # fmt: skip
"""Texts by kind: their size in pixels, how wide a letter is on average, at most, of that; colour and weight."""


def text_size(text: str, size: float, letter: float) -> Point:
    """The width and height of a text, at most; characters as wide as two count as two.

    Examples
    --------
    >>> text_size("Oral", 10, 0.6)
    (24.0, 12.0)
    """
    letters = sum(0.2 if sign == HAIR else 1 + 0.8 * (unicodedata.east_asian_width(sign) in "WF") for sign in text)
    return letters * size * letter, size * 1.2


def room(
    size: Point, at: Point, taken: Sequence[Geometry], within: Geometry, reach: Sequence[float], sides: Sequence[Point] = SIDES
) -> tuple[Geometry, float] | None:
    """The first box beside a point that lies within a shape and on nothing that is taken; and on which side it stands.

    Examples
    --------
    >>> from shapely import box
    >>> room((30, 10), (50, 50), [box(55, 45, 60, 60)], box(0, 0, 100, 100), [5])[0].bounds
    (15.0, 45.0, 45.0, 55.0)
    """
    from shapely import box

    (wide, tall), (x, y) = size, at
    for far in reach:
        for across, down in sides:
            away = far * (0.75 if across and down else 1)
            left, top = x + across * away - wide * (1 - across) / 2, y + down * away - tall * (1 - down) / 2
            found = box(left, top, left + wide, top + tall)
            if within.contains(found) and not any(found.intersects(each) for each in taken):
                return found, across
    return None


def bend(start: Point, end: Point, bow: float) -> Geometry:
    """A line from point to point that bends aside, by a share of its length."""
    from shapely import LineString

    a, b = np.array(start), np.array(end)
    top = (a + b) / 2 + 2 * bow * np.array([a[1] - b[1], b[0] - a[0]])
    steps = np.linspace(0, 1, 17 if bow else 2)[:, None]
    return LineString((1 - steps) ** 2 * a + 2 * steps * (1 - steps) * top + steps**2 * b)


def route_map(legs: pd.DataFrame, places: Mapping[str, Mapping[str, str]], met: str = "") -> alt.LayerChart | None:
    """Legs as lines between places, or, of many pairs of places, a table from where to where; None where there is nothing to draw.

    Parameters
    ----------
    legs : DataFrame
        As `journeys.legs_of_routes` gives it.
    places : mapping
        Rows of the table ``places``, as text.
    met : str
        The place where people were interviewed.
    """
    lines = lines_of(legs, places, met)
    if lines.empty:
        return None
    if len(lines) > MOST_LINES:
        return from_where_to_where(lines, positions(places))
    drawing, ground = draw(lines, positions(places), places.get(met, {}))
    return layers(drawing, ground, dict(lines.attrs))


def draw(
    lines: pd.DataFrame, at: Mapping[str, Mapping[str, str]], here: Mapping[str, str]
) -> tuple[Drawing, dict[str, Geometry]]:
    """Lines first, then the names of places, then those of countries, where there is room left."""
    from shapely import Point as Dot
    from shapely import box, union_all

    names = list(dict.fromkeys([*([here["name"]] if here.get("name") in {*lines["from"], *lines["to"]} else []), *lines[["from", "to"]].to_numpy().flatten()]))
    degrees = {name: (float(at[name]["longitude"]), float(at[name]["latitude"])) for name in names}
    towns = [name for name in names if at[name]["precision"] in ("site", "city")] or names
    frame = frame_around([degrees[name] for name in towns], [degrees[name] for name in names if name not in towns])
    drawing = Drawing(frame, box(3, 3, WIDTH - 3, frame.height - 3))
    spots = {name: frame.spot(*degrees[name]) for name in names}
    seen = {name: drawing.box.contains(Dot(spot)) for name, spot in spots.items()}
    clear = {name: Dot(spots[name]).buffer(8 if name == here.get("name") else 5) for name in towns}
    drawing.taken.extend(clear.values())
    drawing.dots = [dict(zip("xy", spots[name], strict=True)) | {"size": 130 if name == here.get("name") else 55} for name in towns]
    ground = land(frame)
    if home := ground.get(here.get("country", "")):
        drawing.borders = [feature(home.boundary.intersection(union_all([shape.buffer(0.2) for shape in ground.values() if shape is not home])))]
    named = set()
    for name in [name for name in names if name not in towns and seen[name]]:
        country = at[name]["precision"] == "country"
        text = drawing.write(capitals(name) if country else name, "area", spots[name], (0, 6, 12), ((0, 0), *SIDES))
        clear[name] = (text or Dot(spots[name])).buffer(3)
        named |= {at[name]["country"]} if country else set()
    edges = dict(_lines(drawing, lines, spots, seen, clear))
    for name in towns:
        drawing.write(name, "met" if name == here.get("name") else "town", spots[name], (9, 13, 18))
    for name, (start, point) in edges.items():
        drawing.write(f"{'from' if start else 'to'} {name}", "area", point, (6, 10, 16, 24, 40, 60))
    for people, body in drawing.counts:
        middle = [body.interpolate(share, normalized=True).coords[0] for share in (0.5, 0.4, 0.6, 0.3, 0.7)]
        any(drawing.write(text, "count", at, (6, 9, 12)) for text in (f"{people:,} people", f"{people:,}") for at in middle)
    _key(drawing, [way for way in KEY if way in set(lines["way"])])
    _countries(drawing, {code: shape for code, shape in ground.items() if code not in named})
    return drawing, ground


def capitals(name: str) -> str:
    """The name of a country as maps print it.

    Examples
    --------
    >>> capitals("Oman").encode("ascii", "replace")
    b'O?M?A?N'
    """
    return HAIR.join(name.upper())


def _lines(
    drawing: Drawing, lines: pd.DataFrame, spots: Mapping[str, Point], seen: Mapping[str, bool], clear: Mapping[str, Geometry]
) -> Iterator[tuple[str, tuple[bool, Point]]]:
    """Draw lines, each bent so that it keeps clear of others; gives the places out of sight, and where lines to them leave."""
    from shapely import LineString, Polygon, get_parts, union_all
    from shapely.ops import substring

    most = max(lines["people"].max() / 20, 1)
    drawn: list[Geometry] = []
    for row in lines.to_dict("records"):
        start, end = spots[row["from"]], spots[row["to"]]
        inside = LineString([start, end]).intersection(drawing.box)
        if inside.length < 12:
            continue
        if not seen[row["from"]]:
            start = inside.coords[0]
            yield row["from"], (True, start)
        if not seen[row["to"]]:
            end = inside.coords[-1]
            yield row["to"], (False, end)
        others = union_all([shape for name, shape in clear.items() if name not in (row["from"], row["to"])] or [Polygon()])
        before = union_all([each.buffer(7) for each in drawn] or [Polygon()])

        def cost(bow: float) -> float:
            line = bend(start, end, bow)
            return line.intersection(before).length + 200 * line.crosses(others.buffer(6)) + 200 * (not drawing.box.covers(line)) + line.length * abs(bow) / 2

        line = bend(start, end, min(BOWS, key=cost))
        width = max(1.8 * math.sqrt(row["people"] / most), 1.2)
        for name in (row["from"], row["to"]):
            line = line.difference(clear[name]) if seen[name] else line
        line = max(get_parts(line), key=lambda part: part.length, default=line)
        long = min(7 + 1.6 * width, line.length)
        tip, back = (np.array(line.interpolate(line.length - far).coords[0]) for far in (0, long))
        aside = (tip - back)[::-1] * [-0.42, 0.42]
        head = Polygon([tip, back + aside, back - aside])
        body = substring(line, 0, line.length - long * 0.7)
        drawn.append(line)
        drawing.taken.extend([body.buffer(width / 2 + 2), head.buffer(1.5)])
        drawing.lines.append(row | {"width": round(width, 1), "dash": dash(row["way"], width), **feature(body)})
        drawing.counts.extend([(row["people"], body)] if row["people"] > 1 else [])
        drawing.heads.append(row | feature(head))


def dash(way: str, width: float) -> list[float]:
    """How a line is broken, the wider the longer: not, in dots, in dashes."""
    return {MADE: [1, 0], UNKNOWN: [0.1, round(1.5 + 1.9 * width, 1)], PLANNED: [round(3 + width, 1), round(3 + width, 1)]}[way]


def feature(shape: Geometry) -> dict[str, Any]:
    """A shape as GeoJSON, to a tenth of a pixel."""
    import shapely

    return {"type": "Feature", "geometry": shapely.geometry.mapping(shapely.transform(shape, lambda at: np.round(at, 1)))}


def _key(drawing: Drawing, ways: Sequence[str]) -> None:
    """Say below the map what kinds of lines there are."""
    from shapely import LineString

    x, y = 4.0, drawing.frame.height + 18
    for way in ways:
        drawing.key.append({"width": 1.8, "dash": dash(way, 1.8), **feature(LineString([(x, y), (x + 28, y)]))})
        drawing.texts.append({"text": KEY[way], "kind": "key", "x": x + 36, "y": y, "align": "left"})
        x += 62 + text_size(KEY[way], *TEXTS["key"][:2])[0]


def _countries(drawing: Drawing, ground: Mapping[str, Geometry]) -> None:
    """Write the name of a country near the middle of its visible part, where it fits within the country."""
    from shapely import Point as Dot
    from shapely import maximum_inscribed_circle

    for code, shape in sorted(ground.items(), key=lambda item: -item[1].area):
        name = capitals(country_name(code))
        size = text_size(name, *TEXTS["country"][:2])
        visible = shape.intersection(drawing.box)
        if visible.area < 2 * size[0] * size[1]:
            continue
        x, y = maximum_inscribed_circle(visible, 2).coords[0]
        west, north, east, south = visible.bounds
        grid = [(x + dx, y + dy) for dx in range(-400, 401, 16) for dy in range(-400, 401, 12) if west < x + dx < east and north < y + dy < south]
        for at in sorted(grid, key=lambda at: math.dist(at, (x, y))):
            if visible.contains(Dot(at)) and (found := room(size, at, drawing.taken, visible, (0,), ((0, 0),))):
                drawing.write(name, "country", at, (0,), ((0, 0),))
                break


def layers(drawing: Drawing, ground: Mapping[str, Geometry], attrs: dict[str, Any]) -> alt.LayerChart:
    """The map as a chart, in pixels, with a key below it."""

    def chart(rows: list[dict[str, Any]]) -> alt.Chart:
        table = pd.DataFrame(rows)
        table.attrs = attrs
        return alt.Chart(table)

    told = [alt.Tooltip(name) for name in ("from", "to", "way", "people")]
    at = {"longitude": "x:Q", "latitude": "y:Q"}
    lines = {"strokeWidth": alt.StrokeWidth("width:Q", scale=None), "strokeDash": alt.StrokeDash("dash:N", scale=None)}
    marks = [
        alt.Chart(Shapes([feature(shape) for shape in ground.values()])).mark_geoshape(fill=LAND, stroke=PAPER, strokeWidth=1.2),
        alt.Chart(Shapes(drawing.borders)).mark_geoshape(filled=False, stroke=MUTED, strokeWidth=1.2),
        chart(drawing.lines).mark_geoshape(filled=False, stroke=MARK, strokeCap="round").encode(**lines, tooltip=told),
        chart(drawing.key).mark_geoshape(filled=False, stroke=MARK, strokeCap="round").encode(**lines),
        chart(drawing.heads).mark_geoshape(fill=MARK).encode(tooltip=told),
        chart(drawing.dots).mark_point(fill=INK, stroke=PAPER).encode(**at, size=alt.Size("size:Q", scale=None)),
    ]
    for kind, (size, _, fill, weight) in TEXTS.items():
        if rows := [row for row in drawing.texts if row["kind"] == kind]:
            text = chart(rows).mark_text(fontSize=size, fill=fill, fontWeight=weight, align=alt.expr("datum.align"), baseline="middle")
            marks.append(text.encode(**at, text="text:N"))
    projection = alt.Projection(type="identity", scale=1, translate=[0, 0])
    return alt.layer(*marks, width=WIDTH, height=drawing.frame.height + 28, projection=projection, usermeta={"wide": True})
