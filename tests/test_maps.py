"""Maps of journeys: of the first edition what it shows, and of any that names stand on nothing else and within the map."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest
from cells import run_cells
from conftest import tries
from shapely import Geometry, box
from shapely.geometry import Point, shape

from analysis import basemap, maps
from analysis.disclosure import safe
from analysis.editions import open_edition
from analysis.journeys import INTENDED, MADE, PAST

TOWNS = {
    "Moscow": ("RUS", 55.75, 37.6), "Vladivostok": ("RUS", 43.1, 131.9), "Anchorage": ("USA", 61.2, -149.9),
    "Suva": ("FJI", -18.1, 178.4), "Apia": ("WSM", -13.8, -171.8), "Kyiv": ("UKR", 50.45, 30.5), "Lviv": ("UKR", 49.84, 24.0),
    "Przemyśl": ("POL", 49.78, 22.77), "Izmir": ("TUR", 38.4, 27.1), "Lesbos": ("GRC", 39.1, 26.5), "Cairo": ("EGY", 30, 31.2),
    "Longyearbyen": ("SJM", 78.2, 15.6), "McMurdo": ("ATA", -77.8, 166.7), "Lima": ("PER", -12, -77), "東京": ("JPN", 35.7, 139.7),
}  # fmt: skip
AREAS = {
    "Siberia": ("RUS", 60, 100, "region"), "Georgia": ("GEO", 42, 43.5, "country"), "Germany": ("DEU", 51, 10, "country"),
    "the Pole": ("ATA", -90, 0, "region"), "Greece": ("GRC", 39, 22, "country"), "nowhere": ("RUS", "", "", "region"),
}  # fmt: skip

LEGS = ["from", "to", "status", "people"]
Places = dict[str, dict[str, str]]


def place(row: Sequence[object]) -> dict[str, str]:
    columns = ("name", "country", "latitude", "longitude", "precision")
    return dict(zip(columns, map(str, row), strict=True))


def edition(seed: int) -> tuple[pd.DataFrame, Places, str]:
    """Legs between some towns and areas anywhere, and the place where people were met."""
    draw = random.Random(seed)
    rows = [(name, *TOWNS[name], "city") for name in draw.sample([*TOWNS], draw.randint(2, 6))]
    rows += [(name, *AREAS[name]) for name in draw.sample([*AREAS], draw.randint(0, 3))]
    places = {f"p{n}": place(row) for n, row in enumerate(rows)}
    pairs = draw.sample([*itertools.permutations([row[0] for row in rows], 2)], 2)
    pairs += [tuple(draw.sample([row[0] for row in rows], 2)) for _ in range(draw.randint(0, 9))]
    legs = [(*pair, draw.choice([MADE, MADE, PAST, INTENDED]), draw.choice([1, 1, 2, 3, 4000])) for pair in pairs]
    return pd.DataFrame(legs, columns=LEGS), places, draw.choice([*places])


def boxes(texts: list[dict[str, Any]]) -> list[tuple[str, Geometry]]:
    """The texts of a map with the room that they take."""
    found = []
    for text in texts:
        wide, tall = maps.text_size(text["text"], text["kind"])
        left = text["x"] - {"left": 0, "center": wide / 2, "right": wide}[text["align"]]
        found.append((text["text"], box(left, text["y"] - tall / 2, left + wide, text["y"] + tall / 2)))
    return found


def holds(spec: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The data of a map: its texts, its lines with their heads, its dots; held to be legible and light."""
    data = {name: rows for rows in spec["datasets"].values() for name in ("text", "route", "size") if name in rows[0]}
    lines = [shape(row["geometry"]).buffer((row["width"] or 0) / 2) for row in data["route"]]
    texts = boxes(data["text"])
    frame = box(0, 0, spec["width"], spec["height"])
    for (name, one), (other, two) in itertools.combinations(texts, 2):
        assert not one.buffer(-0.2).intersects(two), f"{name} on {other}"
    for name, one in texts:
        assert frame.covers(one), f"{name} leaves the map"
        assert not any(one.buffer(-0.2).intersects(line) for line in lines), f"{name} on a line"
        dots = [Point(row["at"]).buffer(3) for row in data["size"] if "at" in row]
        assert not any(one.intersects(dot) for dot in dots), f"{name} on a dot"
    assert len(json.dumps(spec)) < 100_000
    return data


@pytest.mark.parametrize("seed", range(tries(20)))
def test_names_stand_on_nothing_else_and_within_the_map(seed: int):
    legs, places, met = edition(seed)
    chart = maps.route_map(legs, places, met)
    if chart is not None:
        data = holds(chart.to_dict(validate=False))
        assert all(0 <= x <= maps.WIDTH for row in data["route"] for x in shape(row["geometry"]).bounds[::2])


def test_the_first_edition_is_drawn_to_where_people_were_met():
    exhibit = run_cells("oral-2022", "summary")["route-map"]
    data = holds(exhibit["chart"])
    drawn = {(row["from"], row["to"], row["route"]): row["people"] for row in data["route"]}
    assert drawn == {
        ("Moscow", "Astrakhan", "stated"): 3, ("Astrakhan", "Oral", "not stated"): 3, ("Moscow", "Oral", "not stated"): 1,
        ("Bryansk", "Oral", "not stated"): 1, ("Krasnodar", "Oral", "not stated"): 1, ("Siberia", "Oral", "not stated"): 1,
        ("Oral", "Georgia", "planned"): 1,
    }  # fmt: skip
    written = {row["text"].replace(maps.HAIR, "") for row in data["text"]}
    assert written >= {
        "Oral", "Moscow", "Astrakhan", "Krasnodar", "Bryansk", "from Siberia", "GEORGIA", "KAZAKHSTAN", "RUSSIA", "3 people",
    }  # fmt: skip
    assert "Kolomna" not in written, "the party at the border is not counted"
    oral = next(row for row in data["text"] if row["text"] == "Oral")
    ends = [shape(row["geometry"]) for row in data["route"] if row["to"] == "Oral" and row["fill"]]
    far = [end for end in ends if end.distance(Point(oral["x"], oral["y"])) >= 40]
    assert far == [], "nothing ends elsewhere in Kazakhstan"
    assert len(json.dumps(exhibit["chart"])) < 60_000


def test_a_name_stands_where_there_is_room():
    size, at, whole = (30, 10), (50, 50), box(0, 0, 100, 100)
    sides = {"right": [], "left": [box(55, 45, 60, 60)], "above": [box(0, 48, 100, 52)]}
    found = {side: maps.room(size, at, 5, taken, whole) for side, taken in sides.items()}
    assert {side: (each[0].bounds[:2], each[1]) for side, each in found.items() if each} == {
        "right": ((55, 45), "left"), "left": ((15, 45), "right"), "above": ((35, 35), "center"),
    }  # fmt: skip
    assert maps.room(size, at, 5, [whole], whole) is None


def test_many_pairs_of_places_are_a_table():
    towns = list(TOWNS)
    places = {name: place((name, *TOWNS[name], "city")) for name in towns}
    legs = pd.DataFrame([(*pair, MADE, 5) for pair in itertools.permutations(towns, 2)], columns=LEGS)
    spec = maps.route_map(safe(legs, 5), places).to_dict()
    (rows,) = spec["datasets"].values()
    assert sum(row["people"] for row in rows) == 5 * len(legs)
    assert {row["from"] for row in rows} >= {"Russia", "Ukraine", "elsewhere"}
    assert len({row["to"] for row in rows}) == maps.MOST_ROWS + 1


def test_within_one_town_or_without_positions_there_is_no_map():
    rows = [("Ay", "RUS", 55, 37, "city"), ("Be", "RUS", 55, 37, "city"), ("Ce", "RUS", "", "", "city")]
    places = {row[0]: place(row) for row in rows}
    legs = pd.DataFrame([("Ay", "Ay", MADE, 1), ("Ay", "Be", MADE, 2), ("Be", "Ce", MADE, 1)], columns=LEGS)
    assert maps.route_map(legs, places) is None
    assert maps.unplaced(legs, places) == ["Ce"]


def test_the_basemap_has_the_countries_of_the_first_edition_and_crimea_in_ukraine():
    shapes = dict(zip(*basemap.world(), strict=True))
    assert {row["country"] for row in open_edition("oral-2022").places.values()} <= {*shapes}
    simferopol = Point(34.1, 44.95)
    assert [code for code, country in shapes.items() if country.contains(simferopol)] == ["UKR"]
