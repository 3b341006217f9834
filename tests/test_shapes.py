"""Editions of every shape: each passes the check, and what its chapters say of it is true and reads as English."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw
import pytest
from cells import CHAPTERS, Shown, run_cells
from conftest import ROOT, edit_json, run, write_csv, write_edition

from analysis import tables
from analysis.editions import Edition, examine, open_edition
from analysis.schema import schema
from analysis.tables import count

DAY = "2022-09-21"
Rows = Sequence[Sequence[object]]


def shape(folder: Path, tables: dict[str, Rows], **report: object) -> Path:
    """An edition of these tables, with what its package reports."""
    return write_edition(folder, tables, title=f"Shape {folder.name}", sources=[{"title": "A survey"}], report=report)


PEOPLE = [["i1", "yes", 20, 23, "man", "cook"], ["i2", "yes", "", "", "woman", "teacher"], ["i3", "no"]]
PLACES = [["a", "Ay", "RUS", 55.7, 37.6, "city"], ["b", "Be", "KAZ", 51.2, 51.4, "city"]]
LEGS = [["i1", 1, "made", "a", "b", "rail", DAY, 1], ["i2", 1, "made", "", "b"], ["i2", 2, "intended", "b", "a"]]
FIGURES = [
    ["f1", "KAZ", "false", "entries", "", 100000, "nearly and counting", DAY, "", "The ministry"],
    ["f2", "GEO FIN", "true", "estimate", 20000, 99999, "tens of thousands"],
]
LONG = "a person who repairs the signalling equipment of provincial railways on behalf of a subcontractor"
SCRIPTS = ["طالب", "מהנדס", "软件工程师与数据分析师兼翻译", "👩‍🍳 cook", "étudiant·e", "Ελληνικά"]


def many(folder: Path) -> Path:
    """A hundred thousand interviewees and their legs in Parquet."""
    event = {"title": "the decree", "date": DAY}
    shape(folder, {"places": PLACES}, declared_interviewees=100_500, reference_event=event)
    made = {
        "interviewees": "SELECT 'p' || n AS interviewee, 'yes' AS counted, 18 + n % 40 AS age_min, 18 + n % 40 AS age_max, "
        "CASE n % 3 WHEN 0 THEN 'man' WHEN 1 THEN 'woman' END AS gender, CASE n % 7 WHEN 0 THEN NULL ELSE 'trade ' || n % 7 END AS profession, NULL::VARCHAR AS isco08 FROM range(100000) r(n)",
        "legs": "SELECT 'p' || n AS interviewee, 1 AS leg, 'made' AS status, 'a' AS from_place, 'b' AS to_place, 'rail' AS mode, "
        "'2022-09-2' || (1 + n % 5) AS departed, n % 4 AS nights_waited FROM range(100000) r(n)",
    }
    for table, rows in made.items():
        duckdb.sql(f"COPY ({rows}) TO '{folder}/{table}.parquet' (FORMAT parquet)")
    with edit_json(folder / "datapackage.json") as package:
        package["resources"] += [{"name": table, "path": f"{table}.parquet"} for table in made]
    return folder


def days_without_legs(folder: Path) -> Path:
    """People and dated statements: the chapter of routes has its calendar alone."""
    said = [
        {"statement": f"s{n}", "about": "i1", "topic": "motive", "says": "left", "day": f"2022-09-2{n}"} for n in (1, 2)
    ]
    shape(folder, {"interviewees": PEOPLE}, declared_interviewees=3)
    write_csv(folder / "statements.csv", [*schema("statements").columns, "day"], said)
    with edit_json(folder / "datapackage.json") as package:
        package["resources"].append({"name": "statements", "path": "statements.csv"})
    return folder


SHAPES: dict[str, Callable[[Path], Path]] = {
    "figures-only": lambda f: shape(f, {"destinations": FIGURES}),
    "no-figures": lambda f: shape(f, {"interviewees": PEOPLE, "destinations": []}),
    "people-only": lambda f: shape(f, {"interviewees": PEOPLE}, declared_interviewees=5),
    "one-person": lambda f: shape(f, {"interviewees": PEOPLE[:1], "legs": LEGS[:1], "places": PLACES}, declared_interviewees=1, collected_at="b"),
    "none-declared": lambda f: shape(f, {"interviewees": PEOPLE, "legs": LEGS, "places": PLACES}),
    "nobody-described": lambda f: shape(f, {"interviewees": [], "destinations": FIGURES}, declared_interviewees=17),
    "everyone-described": lambda f: shape(f, {"interviewees": PEOPLE[:2], "legs": LEGS, "places": PLACES}, declared_interviewees=2, reference_event={"title": "the decree", "date": DAY}),
    "no-rows": lambda f: shape(f, {"interviewees": PEOPLE} | {name: [] for name in ("legs", "places", "destinations", "statements", "evidence", "settlements")}),
    "legs-without-places": lambda f: shape(f, {"interviewees": PEOPLE, "legs": [[*leg[:3], "", "", *leg[5:]] for leg in LEGS]}, declared_interviewees=3),
    "nothing-told": lambda f: shape(f, {"interviewees": [[f"i{n}", "yes"] for n in range(4)], "legs": [["i0", 1, "made"]], "places": PLACES}, declared_interviewees=9),
    "long-labels": lambda f: shape(f, {"interviewees": [["i1", "yes", 20, 23, "", LONG], ["i2", "yes", 30, 30, "", "x" * 120]], "destinations": [["f1", "KAZ RUS GEO FIN MNG UZB KGZ", "true", LONG, 1, 2, LONG, "", "", LONG]]}, declared_interviewees=3),
    "scripts": lambda f: shape(f, {"interviewees": [[f"i{n}", "yes", 20, 23, "", text] for n, text in enumerate(SCRIPTS)], "places": [[f"p{n}", text, "KAZ", 45 + n, 60 + n, "city"] for n, text in enumerate(SCRIPTS)], "legs": [[f"i{n}", 1, "made", f"p{n}", f"p{(n + 1) % len(SCRIPTS)}"] for n in range(len(SCRIPTS))], "destinations": [["f1", "KAZ", "false", SCRIPTS[0], 1, 2, SCRIPTS[1], "", "", SCRIPTS[2]]]}, declared_interviewees=9, collected_at="p0"),
    "days-without-legs": days_without_legs,
    "one-by-the-thousand": lambda f: shape(f, {"interviewees": [[f"i{n}", "yes", 30, 30, "man", "cook"] for n in range(1500)]}),
    "hundred-thousand": many,
}  # fmt: skip


@functools.cache
def shown(folder: Path) -> Shown:
    """What all chapters show of an edition, but for the charts."""
    return run_cells(folder, *CHAPTERS, drawn=False)


@pytest.fixture(scope="module", params=SHAPES)
def edition(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Edition:
    """One edition of each shape."""
    folder = SHAPES[request.param](tmp_path_factory.mktemp("shapes") / request.param)
    assert [str(problem) for problem in examine(folder)[1] if not problem.warning] == []
    return open_edition(folder)


def sentences(edition: Edition) -> Iterator[tuple[str, str]]:
    """Every text that is computed from an edition, and where it stands."""
    found = shown(edition.path)
    yield from found.glued.items()
    for exhibit in found.exhibits.values():
        yield f"{exhibit['id']} caption", exhibit["caption"]
        yield f"{exhibit['id']} finding", exhibit["finding"]
        yield from ((f"{exhibit['id']} note", note) for note in exhibit["notes"])


UNGRAMMATICAL = {
    "one of many": r"\b1 (persons|people|legs|rows|figures|values|nights|pairs|files|others|statements|interviewees|columns|warnings|days)\b",
    "many of one": r"(?<![0-9,.–/])(?!1 )\d[\d,]* (person|leg|row|figure|night|pair|file|statement)\b(?! of)",
    "all of one": r"\ball 1\b(?!,)",
    "of the one": r"\b(1|none) of the 1\b(?!,)",
    "none of none": r"\bof the 0\b|\ball 0\b|\bthe 0 (people|persons)\b",
    "nothing listed": r": [.;]|: *$|\(\)|“”|\b(None|nan|NaN|NaT|null|True|False)\b|[,;:]\.",
    "blanks": r"  | [.,;:](\s|$)",
    "full stops": r"\.\.(?!\.)",
}  # fmt: skip


def test_sentences_read_as_english(edition: Edition):
    texts = [(name, re.sub("[\u2066-\u2069]", "", text)) for name, text in sentences(edition)]
    wrong = [(kind, name, text) for name, text in texts for kind, bad in UNGRAMMATICAL.items() if re.search(bad, text)]
    assert wrong == []


def test_every_table_adds_up_and_findings_name_its_counts(edition: Edition):
    whole = edition.declared if edition.declared is not None else edition.described
    for exhibit in shown(edition.path).exhibits.values():
        if exhibit["columns"][-1:] != ["interviewees"] or not exhibit["rows"]:
            continue
        counts = [row[-1] for row in exhibit["rows"]]
        assert sum(counts) == whole, exhibit["id"]
        named = [int(n.replace(",", "")) for n in re.findall(r"\((\d[\d,]*)\)", exhibit["finding"])]
        assert set(named) <= {*counts, *range(len(counts))}, exhibit["finding"]


def test_the_front_page_pastes_only_what_the_book_has(edition: Edition):
    found = shown(edition.path)
    absent = {name for name, each in found.exhibits.items() if each["absent"]}
    lost = {*absent}
    for chapter in CHAPTERS[1:]:
        code = (ROOT / "chapters" / f"{chapter}.ipynb").read_text(encoding="utf-8")
        own = {name for name in found.exhibits if f'\\"{name}\\"' in code}
        lost |= {chapter} if own and own <= absent else set()
    tags = {f"needs-{name}" for name in lost} | {f"unless-{name}" for name in found.glued}
    cells = json.loads((ROOT / "chapters" / "summary.ipynb").read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        pasted = set(re.findall(r"::([\w-]+):s", "".join(cell["source"])))
        assert pasted.isdisjoint(absent) or not tags.isdisjoint(cell["metadata"].get("tags", ())), cell["id"]


@pytest.mark.slow
def test_no_chapter_holds_the_rows_of_many_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """They are counted where they lie: as text, row by row, a hundred million would not fit."""
    read = []

    def text_cells(frame: nw.LazyFrame[Any]) -> dict[str, list[str]]:
        read.append(count(frame))
        return tables.text_cells(frame)

    monkeypatch.setattr("analysis.editions.text_cells", text_cells)
    monkeypatch.setattr("analysis.sources.text_cells", text_cells)
    run_cells(many(tmp_path / "many"), drawn=False)
    assert read
    assert max(read) < 100


def test_a_route_in_another_script_keeps_its_direction(tmp_path: Path):
    """Each stop is isolated where it is drawn, so that the arrow between two of them points from the first to the second."""
    routes = run_cells(SHAPES["scripts"](tmp_path / "scripts"), "routes")["interviewees-by-route"]
    assert f"{SCRIPTS[0]} → {SCRIPTS[1]}" in {row[0] for row in routes["rows"]}
    drawn = " ".join(json.dumps(routes["chart"]["datasets"], ensure_ascii=False).replace("\\n", " ").split())
    assert f"\u2068{SCRIPTS[0]}\u2069 → \u2068{SCRIPTS[1]}\u2069" in drawn


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("name", ["figures-only", "scripts", "long-labels"])
def test_a_book_is_made_and_fits_a_phone(visit, tmp_path: Path, name: str):
    run("build", SHAPES[name](tmp_path / name), "--out", tmp_path / "out")
    pages = sorted((tmp_path / "out" / "html").glob("*.html"))
    assert "index.html" in {file.name for file in pages}
    for file in pages:
        page = visit(file, viewport={"width": 360, "height": 640})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, file.name
    assert visit.wrong == []
