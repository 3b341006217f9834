"""Editions of every shape: each passes the check, and what its chapters say of it is true and reads as English."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from analysis.edition import Edition, examine, load
from analysis.exhibit import Exhibit
from conftest import run

from analysis import report
from analysis.schema import schema

DAY = "2022-09-21"
Rows = Sequence[Sequence[object]]


def package(folder: Path, tables: Sequence[str], **given: object) -> Path:
    """Write an edition's ``datapackage.json``; paths are as the tables lie in the folder."""
    path = {table: f"{table}.csv" if (folder / f"{table}.csv").exists() else f"{table}.parquet" for table in tables}
    content = {
        "name": folder.name,
        "title": f"Shape {folder.name}",
        "sources": [{"title": "A survey"}],
        "report": given,
        "resources": [{"name": table, "path": path[table]} for table in tables],
    }
    (folder / "datapackage.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def shape(folder: Path, tables: dict[str, Rows], **given: object) -> Path:
    """An edition of CSV tables, each row filled with blanks to its end."""
    folder.mkdir()
    for name, rows in tables.items():
        columns = schema(name).columns
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows([*row, *[""] * (len(columns) - len(row))] for row in rows)
    return package(folder, list(tables), **given)


PEOPLE = [["i1", "yes", 20, 23, "man", "cook"], ["i2", "yes", "", "", "woman", "teacher"], ["i3", "no"]]
PLACES = [["a", "Ay", "RUS", 55.7, 37.6, "city"], ["b", "Be", "KAZ", 51.2, 51.4, "city"]]
LEGS = [["i1", 1, "made", "a", "b", "rail", DAY, 1], ["i2", 1, "made", "", "b"], ["i2", 2, "intended", "b", "a"]]
FIGURES = [
    ["f1", "KAZ", "false", "entries", "", 100000, "nearly and counting", DAY, "", "The ministry"],
    ["f2", "GEO FIN", "true", "estimate", 20000, 99999, "tens of thousands"],
]
LONG = "a person who repairs the signalling equipment of provincial railways on behalf of a subcontractor"
SCRIPTS = ["طالب", "מהנדס", "软件工程师与数据分析师兼翻译", "👩‍🍳 cook", "étudiant·e", "Ελληνικά"]


def many(folder: Path, *more: str) -> Path:
    """A hundred thousand interviewees in Parquet; legs and places on request."""
    import duckdb

    folder.mkdir()
    made = {
        "interviewees": "SELECT 'p' || n AS interviewee, 'yes' AS counted, 18 + n % 40 AS age_min, 18 + n % 40 AS age_max, "
        "CASE n % 3 WHEN 0 THEN 'man' WHEN 1 THEN 'woman' END AS gender, CASE n % 7 WHEN 0 THEN NULL ELSE 'trade ' || n % 7 END AS profession, NULL::VARCHAR AS isco08 FROM range(100000) r(n)",
        "legs": "SELECT 'p' || n AS interviewee, 1 AS leg, 'made' AS status, 'a' AS from_place, 'b' AS to_place, 'rail' AS mode, "
        "'2022-09-2' || (1 + n % 5) AS departed, n % 4 AS nights_waited FROM range(100000) r(n)",
        "places": "FROM (VALUES ('a', 'Ay', 'RUS', 55.7, 37.6, 'city'), ('b', 'Be', 'KAZ', 51.2, 51.4, 'city')) t(place, name, country, latitude, longitude, precision)",
    }
    for table in ("interviewees", *more):
        duckdb.sql(f"COPY ({made[table]}) TO '{folder}/{table}.parquet' (FORMAT parquet)")
    event = {"title": "the decree", "date": DAY}
    return package(folder, ["interviewees", *more], declared_interviewees=100_500, reference_event=event)


SHAPES: dict[str, Callable[[Path], Path]] = {
    "figures-only": lambda f: shape(f, {"destinations": FIGURES}),
    "one-figure": lambda f: shape(f, {"destinations": FIGURES[:1]}),
    "no-figures": lambda f: shape(f, {"interviewees": PEOPLE, "destinations": []}),
    "people-only": lambda f: shape(f, {"interviewees": PEOPLE}, declared_interviewees=5),
    "one-person": lambda f: shape(f, {"interviewees": PEOPLE[:1], "legs": LEGS[:1], "places": PLACES}, declared_interviewees=1, collected_at="b"),
    "one-of-two": lambda f: shape(f, {"interviewees": PEOPLE[:1], "legs": LEGS[:1], "places": PLACES}, declared_interviewees=2),
    "none-declared": lambda f: shape(f, {"interviewees": PEOPLE, "legs": LEGS, "places": PLACES}),
    "nobody-described": lambda f: shape(f, {"interviewees": [], "destinations": FIGURES}, declared_interviewees=17),
    "nobody-at-all": lambda f: shape(f, {"interviewees": [], "destinations": FIGURES}),
    "none-of-none": lambda f: shape(f, {"interviewees": [], "legs": [], "places": [], "destinations": FIGURES}, declared_interviewees=0),
    "everyone-described": lambda f: shape(f, {"interviewees": PEOPLE[:2], "legs": LEGS, "places": PLACES}, declared_interviewees=2, reference_event={"title": "the decree", "date": DAY}),
    "no-rows": lambda f: shape(f, {"interviewees": PEOPLE} | {name: [] for name in ("legs", "places", "destinations", "statements", "evidence", "settlements")}),
    "nowhere": lambda f: shape(f, {"interviewees": PEOPLE, "legs": LEGS, "places": [[*place[:3], "", "", "country"] for place in PLACES]}, declared_interviewees=3),
    "legs-without-places": lambda f: shape(f, {"interviewees": PEOPLE, "legs": [[*leg[:3], "", "", *leg[5:]] for leg in LEGS]}, declared_interviewees=3),
    "nothing-told": lambda f: shape(f, {"interviewees": [[f"i{n}", "yes"] for n in range(4)], "legs": [["i0", 1, "made"]], "places": PLACES}, declared_interviewees=9),
    "long-labels": lambda f: shape(f, {"interviewees": [["i1", "yes", 20, 23, "", LONG], ["i2", "yes", 30, 30, "", "x" * 120]], "destinations": [["f1", "KAZ RUS GEO FIN MNG UZB KGZ", "true", LONG, 1, 2, LONG, "", "", LONG]]}, declared_interviewees=3),
    "scripts": lambda f: shape(f, {"interviewees": [[f"i{n}", "yes", 20, 23, "", text] for n, text in enumerate(SCRIPTS)], "places": [[f"p{n}", text, "KAZ", 45 + n, 60 + n, "city"] for n, text in enumerate(SCRIPTS)], "legs": [[f"i{n}", 1, "made", f"p{n}", f"p{(n + 1) % len(SCRIPTS)}"] for n in range(len(SCRIPTS))], "destinations": [["f1", "KAZ", "false", SCRIPTS[0], 1, 2, SCRIPTS[1], "", "", SCRIPTS[2]]]}, declared_interviewees=9, collected_at="p0"),
    "ages-in-ranges": lambda f: shape(f, {"interviewees": [[f"i{n}", "yes", 20 + n, 29 + n] for n in range(6)]}, declared_interviewees=8),
    "one-by-the-thousand": lambda f: shape(f, {"interviewees": [[f"i{n}", "yes", 30, 30, "man", "cook"] for n in range(1500)]}),
    "hundred-thousand": many,
    "hundred-thousand-on-the-way": lambda f: many(f, "legs", "places"),
}  # fmt: skip

PARAMETERS = ("18,25,35,45", "label", "place")


def exhibits(edition: Edition) -> Iterator[Exhibit]:
    """Every exhibit that the chapters show of an edition."""
    bands, level, route = PARAMETERS
    yield report.interviewees_by_age(edition, bands)
    for profession in ("label", "major", "sub-major"):
        yield report.interviewees_by_profession(edition, profession)
        yield report.age_by_profession(edition, bands, profession)
    for by in ("place", "country"):
        yield report.interviewees_by_route(edition, by)
    for make in (
        report.route_map, report.legs_by_mode, report.nights_waited, report.days_to_border, report.timeline,
        report.onward, report.destinations, report.people, report.not_counted, report.statements, report.two_codings,
        report.settlements, report.inputs,
    ):  # fmt: skip
        yield make(edition)
    yield report.one_by_one(edition, bands, level, route)
    for table in report.coded_tables(edition):
        yield report.evidence(edition, table)
    for table in report.known_tables(edition):
        yield report.dictionary(table)


def sentences(edition: Edition) -> dict[str, str]:
    """Every text that is computed from an edition, by where it stands."""
    found = {f"fact {name}": text for name, text in report.facts(edition).items()}
    found |= {f"finding {name}": text for name, text in report.findings(edition, *PARAMETERS).items()}
    for exhibit in exhibits(edition):
        plain = exhibit.as_json()
        found[f"{exhibit.id} caption"], found[f"{exhibit.id} description"] = exhibit.caption, exhibit.description
        found |= {f"{exhibit.id} note {n}": note for n, note in enumerate(exhibit.notes)}
        if plain["chart"]:
            found[f"{exhibit.id} heard"] = plain["chart"]["description"]
    return {name: re.sub("[\u2066-\u2069]", "", text) for name, text in found.items()}


@pytest.fixture(scope="module")
def edition(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Edition:
    """One edition of the shape that a test names."""
    folder = SHAPES[request.param](tmp_path_factory.mktemp("shapes") / request.param)
    assert [str(problem) for problem in examine(folder)[1] if not problem.warning] == []
    return load(folder)


every_shape = pytest.mark.parametrize("edition", SHAPES, indirect=True)

UNGRAMMATICAL = {
    "one of many": r"\b1 (persons|people|legs|rows|figures|values|nights|pairs|files|others|statements|interviewees|columns|warnings|days)\b",
    "many of one": r"(?<![0-9,.–/])(?!1 )\d[\d,]* (person|leg|row|figure|night|pair|file|statement)\b(?! of)",
    "all of one": r"\ball 1\b(?!,)",
    "of the one": r"\b(1|none) of the 1\b(?!,)",
    "none of none": r"\bof the 0\b|\bof 0 |\ball 0\b|\bthe 0 (people|persons)\b",
    "nothing listed": r": [.;]|: *$|\(\)|“”|\b(None|nan|NaN|NaT|null|True|False)\b|[,;:]\.",
    "blanks": r"  | [.,;:](\s|$)",
    "full stops": r"\.\.(?!\.)",
}  # fmt: skip


@every_shape
def test_sentences_read_as_english(edition: Edition):
    wrong = {
        (name, kind): text
        for name, text in sentences(edition).items()
        for kind, pattern in UNGRAMMATICAL.items()
        if name not in ("fact title",) and re.search(pattern, text)
    }
    assert wrong == {}
    ends = {
        name: text
        for name, text in sentences(edition).items()
        if not text.endswith((".", "?")) and name not in ("fact title", "finding each-figure")
    }
    assert ends == {}


@every_shape
def test_every_table_adds_up(edition: Edition):
    whole = (
        edition.report.declared_interviewees if edition.report.declared_interviewees is not None else edition.described
    )
    for exhibit in exhibits(edition):
        if "interviewees" in list(exhibit.frame.columns)[-1:]:
            assert int(exhibit.frame["interviewees"].sum()) == whole, exhibit.id


@every_shape
def test_figures_in_sentences_are_in_the_tables(edition: Edition):
    """A count that a finding names is a count of its table, a sum of such, or the number declared."""
    for exhibit in exhibits(edition):
        if "interviewees" not in list(exhibit.frame.columns)[-1:] or exhibit.absent:
            continue
        counts = [int(n) for n in exhibit.frame["interviewees"]]
        named = [int(n.replace(",", "")) for n in re.findall(r"\((\d[\d,]*)\)", exhibit.description)]
        assert set(named) <= {*counts, *range(len(counts))}, exhibit.description


@every_shape
def test_charts_are_drawn_whenever_something_is_told(edition: Edition):
    import vl_convert

    for exhibit in exhibits(edition):
        chart = exhibit.as_json()["chart"]
        if chart:
            svg = vl_convert.vegalite_to_svg(chart, vl_version="6.4")
            assert "<text" in svg
            assert "NaN" not in svg, exhibit.id


@pytest.mark.parametrize("edition", ["scripts"], indirect=True)
def test_a_route_in_another_script_keeps_its_direction(edition: Edition):
    """Each stop is isolated, so that the arrow between two of them points from the first to the second."""
    finding = report.interviewees_by_route(edition, "place").description
    assert f"\u2068{SCRIPTS[0]}\u2069 → \u2068{SCRIPTS[1]}\u2069" in finding
    assert f"{SCRIPTS[0]} → {SCRIPTS[1]}" in set(report.interviewees_by_route(edition, "place").frame["route"])


@pytest.mark.browser
@pytest.mark.parametrize("name", ["figures-only", "scripts", "long-labels"])
def test_a_book_is_made_and_fits_a_phone(browser, tmp_path: Path, name: str):
    run("build", SHAPES[name](tmp_path / name), "--out", tmp_path / "out")
    page = browser.new_page(viewport={"width": 360, "height": 640})
    said = []
    page.on("pageerror", lambda error: said.append(str(error)))
    pages = sorted((tmp_path / "out" / "html").glob("*.html"))
    assert "index.html" in {file.name for file in pages}
    for file in pages:
        page.goto(file.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, file.name
    assert said == []
    page.close()
