"""Make ``data/basemap/world.geojson`` from countries-50m.json of the npm package world-atlas: ``make_basemap.py countries-50m.json``.

Natural Earth draws Crimea with Russia; here it is part of Ukraine, as the General Assembly of the United Nations holds (68/262).
"""

import json
import sys
from itertools import accumulate
from pathlib import Path

import iso3166
import numpy as np
import shapely
from shapely.affinity import translate

OUT = Path(__file__).parents[1] / "data" / "basemap" / "world.geojson"
TOLERANCE, DECIMALS = 0.04, 2  # degrees: two to four kilometres, a pixel or two of the closest map drawn
CRIMEA, WORLD = shapely.box(32, 44, 37, 46.5), shapely.box(-180, -90, 180, 90)
WITHOUT_CODE = {"Kosovo": "XKX", "Somaliland": "SOM", "N. Cyprus": "CYP"}


def main(source: str) -> None:
    topology = json.loads(Path(source).read_text(encoding="utf-8"))
    scale, start = topology["transform"]["scale"], topology["transform"]["translate"]
    steps = [[list(accumulate(axis)) for axis in zip(*arc, strict=True)] for arc in topology["arcs"]]
    arcs = [[(x * scale[0] + start[0], y * scale[1] + start[1]) for x, y in zip(*each, strict=True)] for each in steps]
    codes = {country.numeric: country.alpha3 for country in iso3166.countries}
    parts: dict[str, list[shapely.Geometry]] = {}
    for country in topology["objects"]["countries"]["geometries"]:
        code = codes.get(country.get("id", "")) or WITHOUT_CODE.get(country["properties"]["name"], "")
        for rings in [country["arcs"]] if country["type"] == "Polygon" else country["arcs"]:
            polygon = whole(
                [[point for n in ring for point in (arcs[n] if n >= 0 else arcs[~n][::-1])] for ring in rings]
            )
            if code:
                parts.setdefault("UKR" if code == "RUS" and CRIMEA.contains(polygon) else code, []).append(polygon)
    names = sorted(parts)
    shapes = shapely.coverage_simplify([shapely.union_all(parts[name]).buffer(0) for name in names], TOLERANCE)
    shapes = shapely.set_precision(shapes, 10**-DECIMALS)
    features = [
        {"type": "Feature", "properties": {"country": name}, "geometry": shapely.geometry.mapping(shape)}
        for name, shape in zip(names, shapes, strict=True)
    ]
    lines = ",\n".join(json.dumps(rounded(each), separators=(",", ":")) for each in features)
    OUT.write_text(f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n', encoding="utf-8")


def whole(rings: list[list[tuple[float, float]]]) -> shapely.Geometry:
    """A polygon of rings that may run over the 180th meridian, or around the South Pole, cut at the one and closed along the other."""
    unrolled = []
    for ring in rings:
        xs, ys = np.unwrap([x for x, _ in ring], period=360), [y for _, y in ring]
        pole = [(xs[-1], -90), (xs[0], -90)] if abs(xs[-1] - xs[0]) > 1 else []
        unrolled.append([*zip(xs.tolist(), ys, strict=True), *pole])
    if len(set(unrolled[0])) < 3:
        return shapely.Polygon()
    polygon = shapely.make_valid(shapely.Polygon(unrolled[0], unrolled[1:]), method="structure", keep_collapsed=False)
    return shapely.union_all([translate(polygon, turn).intersection(WORLD) for turn in (-360, 0, 360)])


def rounded(value: object) -> object:
    """A GeoJSON object with no more decimals than it has precision."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(each) for each in value]
    return round(value, DECIMALS) if isinstance(value, float) else value


if __name__ == "__main__":
    main(sys.argv[1])
