"""A map of journeys: lines from place to place on the countries around them, with labels that cover nothing else.

Everything is computed in pixels, so that each label can be tested against what else is drawn. Where there are many pairs
of places, a table of who went from where to where is drawn instead.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import shapely
from shapely import Geometry, LineString, Polygon, box
from shapely import Point as Dot
from shapely.ops import substring

from analysis.basemap import DECIMALS, WIDTH, Point, frame_around, land, latitude_at, world
from analysis.charts import HOST, INK, LAND, MARK, MUTED, PAPER, plain
from analysis.disclosure import NOT_STATED, STATED, no_people
from analysis.journeys import INTENDED, MADE
from analysis.placement import BOWS, HAIR, TEXTS, along, bend, dash, room, text_size
from analysis.schema import country_name
from analysis.text import isolate

MOST_LINES, MOST_ROWS = 12, 8
"""More pairs of places than the first are shown as a table; of its rows and columns at most the second stand alone."""

REACH = 16
"""Width in pixels of the invisible line that takes the pointer, as a finger could hardly hit a dotted one."""

PLANNED = "planned"
KEY = {STATED: "route stated", NOT_STATED: "route not stated", PLANNED: PLANNED}
"""What is known of a line, and what the key below the map calls it."""

TOWN = ("site", "city")
"""How precise a place is that has a dot; others are areas, where the name itself is the place."""

Row = dict[str, Any]
Places = Mapping[str, Mapping[str, str]]


def feature(shape: Geometry, **properties: Any) -> Row:
    """A shape as GeoJSON, to a tenth of a pixel."""
    rounded = shapely.transform(shape, lambda at: np.round(at, 1))
    return {"type": "Feature", "geometry": shapely.geometry.mapping(rounded), **properties}


def lines_of(legs: pd.DataFrame, places: Places, met: str = "") -> pd.DataFrame:
    """What can be drawn of legs, between places that have a position: ``from``, ``to``, ``route``, ``people``.

    Where of the country in which people were met nothing but its name is stated, they came to the place where they were
    met; from there they plan to go on. A route is stated only from town to town.
    """
    at, here = positions(places), places.get(met, {})
    home = here["name"] if here.get("name") in at else ""
    inside = [
        name for name, row in at.items() if home and (row["precision"], row["country"]) == ("country", here["country"])
    ]
    towns = [name for name, row in at.items() if row["precision"] in TOWN]
    table, planned = plain(legs), legs["status"] == INTENDED
    stated = (legs["status"] == MADE) & legs["from"].isin(towns) & legs["to"].isin(towns)
    table["route"] = np.select([planned, stated], [PLANNED, STATED], NOT_STATED)
    table["from"] = table["from"].where(table["from"].isin(at) | ~planned, home)
    table[["from", "to"]] = table[["from", "to"]].replace(inside, home)
    table = table[table["from"].isin(at) & table["to"].isin(at) & (table["from"] != table["to"])]
    table = table.groupby(["from", "to", "route"], as_index=False, sort=False)[["people"]].sum()
    table.attrs = dict(legs.attrs)
    return table.sort_values("people", ascending=False, kind="stable", ignore_index=True)


def positions(places: Places) -> dict[str, Mapping[str, str]]:
    """The places that have a position, by name."""
    return {row["name"]: row for row in places.values() if row["latitude"]}


def unplaced(legs: pd.DataFrame, places: Places) -> list[str]:
    """The places of legs that are named, but have no position."""
    return sorted({*legs["from"], *legs["to"]} & {row["name"] for row in places.values() if not row["latitude"]})


def route_map(legs: pd.DataFrame, places: Places, met: str = "") -> Any:
    """Legs as lines between places; many of them as a table; None where there is nothing to draw.

    Legs are as `journeys.legs_of_routes` gives them; ``met`` is the place among ``places`` where people were interviewed.
    """
    lines = lines_of(legs, places, met)
    if len(lines) > MOST_LINES:
        return from_where_to_where(lines, positions(places))
    if lines.empty:
        return None
    tried = list[Map]()
    for margin in (1.4, 1.6, 2.4):  # more room for names, where there is too little
        tried.append(Map(lines, positions(places), places.get(met, {}), margin))
        if not any(tried[-1].nameless) or (len(tried) > 1 and not tried[-1].nameless[0]):
            break
    drawn = min(tried, key=lambda each: each.nameless)
    return drawn.chart() if drawn.journeys else None


def too_many_lines(legs: pd.DataFrame, places: Places, met: str = "") -> bool:
    """Whether there are so many pairs of places that `route_map` draws a table in place of a map."""
    return len(lines_of(legs, places, met)) > MOST_LINES


class Map:
    """A map being drawn: first the lines, then the names of places, then those of countries where room is left.

    ``taken`` holds the shapes on which no text may stand; ``nameless`` is how many places have no room for their name,
    and whether the country in which people were met has none.
    """

    def __init__(self, lines: pd.DataFrame, at: Places, here: Mapping[str, str], margin: float = 1.4) -> None:
        self.lines, self.met, self.home = lines, here.get("name", ""), here.get("country", "")
        names = sorted({*lines["from"], *lines["to"]}, key=lambda name: (name != self.met, name))
        degrees = {name: (float(at[name]["longitude"]), float(at[name]["latitude"])) for name in names}
        towns = [name for name in names if at[name]["precision"] in TOWN]
        self.towns, areas = towns, [name for name in names if name not in towns]
        self.frame = frame_around([degrees[n] for n in towns or areas], [degrees[n] for n in areas], margin)
        self.spots = {name: self.frame.spot(*degrees[name]) for name in names}
        self.land, self.box = land(self.frame), box(3, 3, WIDTH - 3, self.frame.height - 3)
        self.country = {name: at[name]["country"] for name in names}
        self.abroad = cache(
            lambda own: shapely.union_all([each for code, each in self.land.items() if code not in own])
        )
        seen = [name for name in areas if self.box.contains(Dot(self.spots[name]))]
        self.nations = [name for name in seen if at[name]["precision"] == "country"]
        self.borders = shapely.union_all([shape.boundary for shape in self.land.values()])
        self.ends = {name: Dot(self.spots[name]).buffer(8 if name == self.met else 5) for name in towns}
        self.taken, self.texts, self.journeys, lost = [*self.ends.values()], list[Row](), list[Row](), 0
        labels = {name: (name, "met" if name == self.met else "town") for name in towns}
        for name in seen:  # where a line ends at the name
            labels[name] = (HAIR.join(name.upper()), "end") if name in self.nations else (name, "area")
            (wide, tall), (x, y) = text_size(*labels[name]), self.spots[name]
            self.ends[name] = box(x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2).buffer(2)
        drawn = self.draw_lines()
        for name, label in labels.items():
            reach = (9, 13, 18, 26) if name in towns else (0, 6, 12, 18)
            lost += not self.write(*label, [self.spots[name]], reach)
        edges = {f"from {row['from']}": line for row, line in drawn if row["from"] not in self.ends}
        edges |= {f"to {row['to']}": line.reverse() for row, line in drawn if row["to"] not in self.ends}
        for name, line in edges.items():
            lost += not self.write(name, "area", along(line, (0, 12, 24, 48, 72)), (6, 10, 16))
        came = {(row["to"], row["people"]) for row, _ in drawn}
        for row, line in drawn:
            if row["people"] > 1 and (row["from"], row["people"]) not in came:  # as many go on as came: written once
                middles = along(line, [line.length * share for share in (0.5, 0.4, 0.6, 0.3, 0.7)])
                any(self.write(f"{row['people']:,}{unit}", "count", middles, (6, 9, 12)) for unit in (" people", ""))
        named = {self.country[name] for name in self.nations}
        named |= self.name_countries(but=named)
        self.nameless = lost, bool(self.home) and self.home not in named

    def write(
        self, text: str, kind: str, points: Iterable[Point], reach: Sequence[float], within: Geometry = None
    ) -> bool:
        """Write a text at the first point that has room for it, if possible not over a border; False where none has."""
        sized, (size, _, fill, weight) = text_size(text, kind), TEXTS[kind]
        for at, far, free in itertools.product(points, reach, ([*self.taken, self.borders], self.taken)):
            if found := room(sized, at, far, free, within or self.box):
                place, align = found
                west, north, east, south = place.bounds
                x = {"left": west, "right": east}.get(align, (west + east) / 2)
                # To a tenth of a pixel, as shapes are.
                where = {"x": round(x, 1), "y": round((north + south) / 2, 1), "align": align}
                style = {"size": size, "fill": fill, "weight": weight}
                self.texts.append({"text": isolate(text), "kind": kind, **where, **style})
                self.taken.append(place)
                return True
        return False

    def draw_lines(self) -> list[tuple[Row, LineString]]:
        """Draw all lines that are long enough to be seen; a place out of sight is where they leave the map."""
        most, drawn = max(self.lines["people"].max() / 20, 1), list[tuple[Row, LineString]]()
        rows: list[Any] = self.lines.to_dict("records")
        for row in rows:
            start, end = self.spots[row["from"]], self.spots[row["to"]]
            seen = LineString([start, end]).intersection(self.box)
            if seen.length > 12:
                start = start if row["from"] in self.ends else seen.coords[0]
                end = end if row["to"] in self.ends else seen.coords[-1]
                line = self.bent(start, end, {row["from"], row["to"]}, [line for _, line in drawn])
                width = max(1.8 * math.sqrt(row["people"] / most), 1.2)
                if self.draw(row, line, width):
                    drawn.append((row, line))
        return drawn

    def bent(self, start: Point, end: Point, names: set[str], before: Sequence[LineString]) -> LineString:
        """A line bent so as to keep clear of other lines, other places, and countries other than its own, cut at its ends."""
        others = shapely.union_all([shape.buffer(6) for name, shape in self.ends.items() if name not in names])
        near = shapely.union_all([line.buffer(7) for line in before])
        abroad = self.abroad(frozenset(self.country[name] for name in names))

        def cost(bow: float) -> float:
            line = bend(start, end, bow)
            hits = int(line.intersects(others)) + (not self.box.covers(line))
            through = line.intersection(near).length + 2 * line.intersection(abroad).length
            return float(through + 200 * hits + line.length * abs(bow) / 2)

        line = bend(start, end, min(BOWS, key=cost))
        line = line.difference(shapely.union_all([self.ends[name] for name in names if name in self.ends]))
        return max(shapely.get_parts(line), key=lambda part: part.length, default=line)

    def draw(self, row: Row, line: LineString, width: float) -> bool:
        """Draw a line with a head, if it is long enough for one."""
        long = 7 + 1.6 * width
        if line.length < long:
            return False
        tip, back = map(np.array, along(line, (line.length, line.length - long)))
        aside = (tip - back)[::-1] * [-0.42, 0.42]
        head, body = Polygon([tip, back + aside, back - aside]), substring(line, 0, line.length - long * 0.7)
        self.taken += [body.buffer(width / 2 + 2), head.buffer(1.5)]
        self.journeys.append(feature(body, **row, stroke=MARK, width=round(width, 1), dash=dash(row["route"], width)))
        self.journeys.append(feature(head, **row, fill=MARK, width=0))
        return True

    def name_countries(self, but: set[str]) -> set[str]:
        """Write the name of each country near the middle of its visible part, where it fits in; the codes of those named."""
        named = set[str]()
        for code, shape in sorted(self.land.items(), key=lambda item: -item[1].area):
            visible = shape.intersection(self.box)
            if code in but or visible.area <= 800:
                continue
            middle = shapely.maximum_inscribed_circle(visible, 2).coords[0]
            west, north, east, south = visible.bounds
            grid = itertools.product(np.arange(west, east, 10), np.arange(north, south, 8))
            points = sorted([middle, *grid], key=partial(math.dist, middle))
            if self.write(HAIR.join(country_name(code).upper()), "country", points, (0,), visible):
                named.add(code)
        return named

    def key(self) -> list[Row]:
        """Below the map, the kinds of lines that there are."""
        x, y, lines = 4.0, self.frame.height + 18, []
        for route, label in KEY.items():
            if route in set(self.lines["route"]):
                lines.append(feature(LineString([(x, y), (x + 24, y)]), stroke=MARK, width=1.8, dash=dash(route, 1.8)))
                self.write(label, "key", [(x + 26, y)], (6,), box(0, y - 20, WIDTH, y + 20))
                x += 52 + text_size(label, "key")[0]
        return lines

    def measure(self) -> list[Row]:
        """A scale bar: a round number of kilometres, true halfway between north and south, in a corner with room for it."""
        middle = latitude_at(self.frame.top - self.frame.height / 2 / self.frame.scale)
        pixels = self.frame.scale / 111.3 / float(np.round(np.cos(np.radians(middle)), DECIMALS))  # a kilometre
        far = max((n for n in (10, 20, 50, 100, 200, 500, 1000, 2000) if n * pixels < 110), default=0)
        if not far:
            return []
        label, wide, high = f"{far:,} km", far * pixels, self.frame.height - 12
        for x, y in itertools.product((10.0, WIDTH - wide - 10), (high, 30.0)):
            corner = box(x - 4, y - 27, x + max(wide, text_size(label, "key")[0]) + 4, y + 4)
            if self.box.contains(corner) and not any(corner.intersects(each) for each in self.taken):
                self.write(label, "key", [(x - 1, y - 16)], (1,), corner)
                self.taken.append(corner)
                bar = LineString([(x, y - 5), (x, y), (x + wide, y), (x + wide, y - 5)])
                return [feature(bar, stroke=MUTED, width=1.2)]
        return []

    def chart(self) -> Any:
        """The map as a chart; its tables are marked as the one that it was drawn from."""

        def chart(rows: list[Row]) -> alt.Chart:
            table = pd.DataFrame(rows)
            table.attrs = dict(self.lines.attrs)
            return alt.Chart(table)

        abroad = shapely.union_all([shape.buffer(0.2) for code, shape in self.land.items() if code != self.home])
        border = self.land.get(self.home, Polygon()).boundary.intersection(abroad)
        ground = [
            feature(shape, fill=HOST if code == self.home else LAND, stroke=PAPER, width=1.2)
            for code, shape in self.land.items()
        ]
        ground += [feature(border, stroke=MUTED, width=1.2), *self.measure(), *self.key()]
        spots = {name: [round(each, 1) for each in self.spots[name]] for name in self.towns}
        sizes = {name: 130 if name == self.met else 55 for name in self.towns}
        dots = [{"at": at, "size": sizes[name], "fill": INK, "stroke": PAPER} for name, at in spots.items()]
        fill, stroke = alt.Fill("fill:N", scale=None), alt.Stroke("stroke:N", scale=None)
        channels = [fill, stroke, alt.StrokeWidth("width:Q", scale=None), alt.StrokeDash("dash:N", scale=None)]
        shape: Any = {"fill": None, "strokeCap": "round"}
        text: Any = {
            "align": alt.expr("datum.align"),
            "fontSize": alt.expr("datum.size"),
            "fontWeight": alt.expr("datum.weight"),
        }
        tooltip = [alt.Tooltip(name) for name in ("from", "to", "route", "people")]
        near = [
            line | {"stroke": "transparent", "width": REACH, "dash": None} for line in self.journeys if "dash" in line
        ]
        return alt.layer(
            alt.Chart(no_people(pd.DataFrame(ground))).mark_geoshape(**shape).encode(*channels),
            chart(near).mark_geoshape(**shape).encode(*channels, tooltip=tooltip),
            chart(self.journeys).mark_geoshape(**shape).encode(*channels, tooltip=tooltip),
            chart(dots).mark_point().encode(fill, stroke, longitude="at[0]:Q", latitude="at[1]:Q", size=alt.Size("size:Q", scale=None)),
            chart(self.texts).mark_text(baseline="middle", **text).encode(longitude="x:Q", latitude="y:Q", text="text:N", fill=fill),
            **layout(self.frame.height + 28),
        )  # fmt: skip


def layout(height: int) -> dict[str, Any]:
    """How charts are laid out whose shapes and places are in pixels already."""
    pixels = alt.Projection(type="identity", scale=1, translate=[0, 0])
    return {"width": WIDTH, "height": height, "padding": 0, "usermeta": {"wide": True}, "projection": pixels}


def figure_map(ranked: pd.DataFrame) -> Any:
    """The countries of a measure as discs on the world, as large as their numbers: of rows of `ranking.rank`."""
    shapes = dict(zip(*world(), strict=True))
    rows = ranked[ranked["country"].isin(list(shapes))]
    mainland = {code: max(shapely.get_parts(shapes[code]), key=lambda part: part.area) for code in rows["country"]}
    at = {code: shape.representative_point().coords[0] for code, shape in mainland.items()}
    frame = frame_around([*at.values()], margin=1.1)
    spots = [frame.spot(*at[code]) for code in rows["country"]]
    rows = rows.assign(x=[round(x, 1) for x, _ in spots], y=[round(y, 1) for _, y in spots])
    ground = no_people(pd.DataFrame([feature(shape) for shape in land(frame).values()]))
    size = alt.Size("least:Q", legend=None, scale=alt.Scale(range=[0, 1200], domainMin=0))
    tooltip = [alt.Tooltip("destination"), alt.Tooltip("says", title="figures")]
    discs = alt.Chart(no_people(rows)).mark_circle(color=MARK, opacity=0.6)
    return alt.layer(
        alt.Chart(ground).mark_geoshape(fill=LAND, stroke=PAPER, strokeWidth=1.2),
        discs.encode(longitude="x:Q", latitude="y:Q", size=size, tooltip=tooltip),
        **layout(frame.height),
    )


def from_where_to_where(lines: pd.DataFrame, at: Places) -> Any:
    """People by where they set off and where they went, as a table: of countries, or of places within one."""
    made = lines["route"] != PLANNED
    table = lines[made] if made.any() else lines
    abroad = table[["from", "to"]].map(lambda name: country_name(at[name]["country"]))
    table = table.assign(**abroad) if len(abroad.drop_duplicates()) > 1 else table
    order = {}
    for end in ("from", "to"):
        sizes = table.groupby(end)[["people"]].sum().sort_values("people", ascending=False, kind="stable")
        order[end] = [*sizes.index[:MOST_ROWS], *(["elsewhere"] if len(sizes) > MOST_ROWS else [])]
        table = table.assign(**{end: table[end].where(table[end].isin(order[end]), "elsewhere")})
    table = table.groupby(["from", "to"], as_index=False)[["people"]].sum()
    table.attrs = dict(lines.attrs)
    cells = alt.Chart(table).encode(
        x=alt.X("to:N", sort=order["to"], title="to").axis(orient="top", labelAngle=-45, domain=False, ticks=False),
        y=alt.Y("from:N", sort=order["from"], title="from").axis(domain=False, ticks=False),
        tooltip=[alt.Tooltip(name) for name in ("from", "to", "people")],
    )  # fmt: skip
    shade = alt.Opacity("people:Q", legend=None).scale(type="sqrt", range=[0.12, 0.5])
    numbers = cells.mark_text().encode(text=alt.Text("people:Q", format=","))
    step = alt.Step(max(36, 8 * len(f"{table['people'].max():,}")))
    return alt.layer(cells.mark_rect(fill=MARK).encode(opacity=shade), numbers, width=step, height=alt.Step(30))
