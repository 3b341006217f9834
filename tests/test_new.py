"""New editions: empty from the schemas, or from an export as its map says; what is not foreseen is listed, and nothing written."""

from __future__ import annotations

import contextlib
import csv
import json
import random
import re
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, run
from hypothesis import given
from hypothesis import strategies as st

from analysis.edition import load
from analysis.new.answers import bounds, slug, ungrouped
from analysis.publish.cli import main
from analysis.schema import TABLES, raw, schema

EXAMPLES = ROOT / "docs" / "examples"


def quietly(*arguments: object) -> tuple[int, str, str]:
    """The command line in this process: exit code, what it printed, what it complained of."""
    import io

    out, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
        code = main([str(argument) for argument in arguments])
    assert "Traceback" not in said.getvalue()
    return code, out.getvalue(), said.getvalue()


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def example(name: str, into: Path, *more: object) -> tuple[int, str, str]:
    """An edition made of one of the examples."""
    folder = EXAMPLES / name
    source = ["--source", folder / "text.txt"] if (folder / "text.txt").exists() else []
    return quietly(
        "new", name, "--into", into, "--from", folder / "export.csv", "--map", folder / "map.yml", *source, *more
    )


# --- an empty edition ------------------------------------------------------------------------------------------------


def test_an_empty_edition_says_what_is_to_be_filled(tmp_path: Path):
    code, out, _ = quietly("new", "survey", "--into", tmp_path)
    assert code == 0
    assert "analysis check" in out
    edition = tmp_path / "survey"
    for table in set(TABLES) - {"settlements"}:
        assert (edition / f"{table}.csv").read_text(encoding="utf-8") == ",".join(schema(table).columns) + "\n"
    package = json.loads((edition / "datapackage.json").read_text(encoding="utf-8"))
    assert [each["schema"] for each in package["resources"]] == [raw(each["name"]) for each in package["resources"]]
    code, _, said = quietly("check", edition)
    assert code == 2
    assert "interviewees.csv: found no rows, and none in" in said
    assert "add rows below the header" in said
    for key in ("title", "description", "licenses", "sources", "contributors"):
        assert f"warning: {edition / 'datapackage.json'}, column {key}: found nothing" in said
    assert said.count("problem:") == 1


def test_an_empty_edition_is_a_data_package(tmp_path: Path):
    import frictionless

    quietly("new", "survey", "--into", tmp_path)
    report = frictionless.validate(str(tmp_path / "survey" / "datapackage.json"))
    assert report.valid, report.flatten(["message"])


def test_one_row_and_a_title_make_an_edition(tmp_path: Path):
    quietly("new", "survey", "--into", tmp_path)
    edition = tmp_path / "survey"
    with (edition / "interviewees.csv").open("a", encoding="utf-8") as table:
        table.write("p1,yes,20,24,,cook,\n")
    file = edition / "datapackage.json"
    file.write_text(file.read_text(encoding="utf-8").replace('"title": ""', '"title": "A survey"'), encoding="utf-8")
    code, _, said = quietly("check", edition)
    assert code == 0
    assert "evidence.csv: found no rows" in said
    assert load(edition).described == 1


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "a/../b",
        "-x",
        "Survey",
        "my survey",
        "x.csv",
        "ümlaut",
        "a\nb",
        "a\\b",
        "x" * 65,
        "C:x",
        "/",
        "~",
    ],
)
def test_odd_names_are_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    code, _, said = quietly("new", "--into", tmp_path, "--", name)
    assert code == 2
    assert len(said.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_name_may_be_a_path(tmp_path: Path):
    assert quietly("new", tmp_path / "deep")[0] == 0
    assert (tmp_path / "deep" / "datapackage.json").is_file()
    code, _, said = quietly("new", tmp_path / "nowhere" / "deep")
    assert (code, "no such folder" in said) == (2, True)


@pytest.mark.parametrize("stands", ["edition", "folder", "file", "link"])
def test_what_stands_there_is_left_alone(stands: str, tmp_path: Path):
    place = tmp_path / "there"
    if stands == "edition":
        quietly("new", "there", "--into", tmp_path)
    elif stands == "folder":
        (place / "inner").mkdir(parents=True)
    elif stands == "file":
        place.write_text("mine")
    else:
        place.symlink_to(tmp_path / "nowhere")
    before = sorted(tmp_path.rglob("*"))
    code, _, said = quietly("new", "there", "--into", tmp_path)
    assert (code, len(said.splitlines())) == (2, 1)
    assert sorted(tmp_path.rglob("*")) == before


def test_an_empty_folder_is_filled(tmp_path: Path):
    (tmp_path / "there").mkdir()
    assert quietly("new", "there", "--into", tmp_path)[0] == 0


# --- the examples ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("kobo", {"interviewees": 4, "legs": 6, "places": 6}),
        ("unhcr", {"destinations": 7}),
        ("taguette", {"interviewees": 2, "legs": 3, "places": 3, "statements": 1, "evidence": 32, "paragraphs": 5}),
    ],
)
def test_an_example_becomes_an_edition(name: str, counts: dict[str, int], tmp_path: Path):
    code, _, said = example(name, tmp_path)
    assert code == 0, said
    edition = tmp_path / name
    assert {table: len(rows(edition / f"{table}.csv")) for table in counts} == counts
    assert {file.stem for file in edition.glob("*.csv")} == set(counts)
    code, _, said = quietly("check", edition)
    assert code == 0
    assert "problem" not in said
    note = json.loads((edition / "import.json").read_text(encoding="utf-8"))
    assert note["source"] == "export.csv"
    assert len(note["sha256"]) == 64
    assert str(tmp_path) not in "".join(file.read_text(encoding="utf-8") for file in edition.iterdir())


def test_names_and_numbers_of_people_stay_out(tmp_path: Path):
    _, _, said = example("kobo", tmp_path)
    everything = "".join(file.read_text(encoding="utf-8") for file in (tmp_path / "kobo").iterdir())
    assert "Invented" not in everything
    assert "000-00" not in everything
    assert "aaaa-" not in everything
    assert "not copied, as the map does not name them: start, end, about/name, about/phone" in said
    assert "left out by `where`" in said


def test_a_form_is_read_as_it_was_answered(tmp_path: Path):
    example("kobo", tmp_path)
    people = {row["interviewee"]: row for row in rows(tmp_path / "kobo" / "interviewees.csv")}
    assert list(people) == ["p0002", "p0003", "p0005", "p0007"]  # the rows of the export, its blank one counted
    assert (people["p0003"]["age_min"], people["p0003"]["age_max"]) == ("25", "34")
    assert (people["p0005"]["age_min"], people["p0005"]["age_max"]) == ("35", "64")
    assert people["p0005"]["profession"] == "teacher"
    legs = [
        (r["interviewee"], r["leg"], r["from_place"], r["to_place"], r["mode"])
        for r in rows(tmp_path / "kobo" / "legs.csv")
    ]
    assert ("p0003", "1", "saratov", "oral", "") in legs  # by train and bus: no single mode; Uralsk is Oral
    assert ("p0007", "2", "", "turkey", "") in legs
    assert not [leg for leg in legs if leg[0] == "p0005" and leg[1] == "2"]  # she stays
    assert load(tmp_path / "kobo").report.collected_at == "oral"


def test_a_nought_is_a_figure_and_a_blank_is_none(tmp_path: Path):
    example("unhcr", tmp_path)
    figures = rows(tmp_path / "unhcr" / "destinations.csv")
    by_country = {(row["countries"], row["measure"], row["window_end"][:4]): row["low"] for row in figures}
    assert by_country["KAZ", "asylum_seekers", "2022"] == "0"
    assert ("FIN", "asylum_seekers", "2022") not in by_country
    assert by_country["FIN", "refugees", "2022"] == "1205"
    assert {(row["window_start"], row["window_end"]) for row in figures} == {("2022-12-31",) * 2, ("2023-12-31",) * 2}


def test_a_figure_of_a_year_covers_it(tmp_path: Path):
    text = (EXAMPLES / "unhcr" / "map.yml").read_text(encoding="utf-8")
    (tmp_path / "map.yml").write_text(swap("end_of_year: Year", "year: Year", text), encoding="utf-8")
    assert example("unhcr", tmp_path, "--map", tmp_path / "map.yml")[0] == 0
    figures = rows(tmp_path / "unhcr" / "destinations.csv")
    assert figures[0]["window_start"] == "2022-01-01"
    assert figures[0]["window_end"] == "2022-12-31"


def test_highlights_become_evidence_that_verifies(tmp_path: Path):
    example("taguette", tmp_path)
    code, _, said = quietly("verify", tmp_path / "taguette", "--source", EXAMPLES / "taguette" / "text.txt")
    assert (code, said) == (0, "")
    evidence = {(row["key"], row["column"]): row for row in rows(tmp_path / "taguette" / "evidence.csv")}
    assert evidence["p1", "age_min"]["exact"] == "in her early twenties"
    assert evidence["p1", "age_min"]["paragraph"] == "2"
    assert {row["basis"] for row in evidence.values()} == {"judged", "stated"}


def test_without_its_text_highlights_give_values_but_no_evidence(tmp_path: Path):
    folder = EXAMPLES / "taguette"
    arguments = ("new", "t", "--into", tmp_path, "--from", folder / "export.csv", "--map", folder / "map.yml")
    code, _, said = quietly(*arguments)
    assert code == 0
    assert "no evidence made" in said
    assert not (tmp_path / "t" / "evidence.csv").exists()


def test_a_passage_of_more_than_eight_words_is_listed(tmp_path: Path):
    text = (EXAMPLES / "taguette" / "map.yml").read_text(encoding="utf-8")
    chosen = tmp_path / "map.yml"
    chosen.write_text(text[: text.index("  fragments:")] + text[text.index("places:") :], encoding="utf-8")
    code, _, said = example("taguette", tmp_path, "--map", chosen)
    assert code == 2
    assert "export.csv, row 10, column content: found 20 words, needed one to 8 words" in said
    assert 'highlights.fragments: "7"' in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "taguette").exists()


# --- two hundred answers ---------------------------------------------------------------------------------------------

AGES = {"18-24": (18, 24), "25–34": (25, 34), "35 - 44": (35, 44), "45+": (45, 70), "": None}
SEXES = {"Male": "man", "Female": "woman", "No answer": "", "": ""}
TOWNS = {"Samara": "RUS", "Saratov ": "RUS", "Орск": "RUS", "": ""}
NEXT = {"Georgia": "GEO", "Serbia": "SRB", "I stay": "", "": ""}
WAYS = {"Bus": "road", "Train": "rail", "Plane": "air"}

KOBO_MAP = """
sheet: Survey
tables:
  interviewees:
    columns:
      counted: {constant: yes}
      age: {column: about_you/age, most: 70}
      gender: {column: about_you/sex, values: {Male: man, Female: woman, No answer: ""}}
      profession: about_you/job
  legs:
    each:
      - status: {constant: made}
        from_place: journey/from
        to_place: {column: journey/border, values: {Oral: Oral}}
        departed: journey/left_on
        mode: {choices: {journey/how/Bus: road, journey/how/Train: rail, journey/how/Plane: air}, several: ""}
        nights_waited: journey/nights
      - status: {constant: intended}
        from_place: journey/border
        to_place: {column: journey/next, values: {I stay: ""}}
places:
  Samara: {country: RUS, precision: city}
  Saratov: {country: RUS, precision: city}
  Орск: {place: orsk, country: RUS, precision: city}
  Oral: {country: KAZ, precision: city}
  Georgia: {country: GEO, precision: country}
  Serbia: {country: SRB, precision: country}
"""


def kobo(file: Path, many: int = 200, seed: int = 7) -> list[dict[str, Any]]:
    """A workbook as KoboToolbox exports it, with invented answers; the answers."""
    import openpyxl

    chance = random.Random(seed)
    answers = []
    for n in range(many):
        ways = [way for way in WAYS if chance.random() < 0.4]
        answers.append({
            "start": datetime(2022, 10, 1, 9) + timedelta(minutes=n), "about_you/name": f"Nobody {n}", "about_you/phone": f"000-{n}",
            "about_you/age": chance.choice(list(AGES)), "about_you/sex": chance.choice(list(SEXES)),
            "about_you/job": chance.choice(["driver", "teacher ", "student", "=HYPERLINK(\"x\")", ""]),
            "journey/from": chance.choice(list(TOWNS)), "journey/border": "Oral",
            "journey/left_on": chance.choice([datetime(2022, 9, 22) + timedelta(days=n % 9), None]),
            "journey/nights": chance.choice([0, 1, 2.0, None]), "journey/how": " ".join(ways),
            **{f"journey/how/{way}": int(way in ways) for way in WAYS},
            "journey/next": chance.choice(list(NEXT)), "_id": 9000 + n, "_uuid": f"u-{n}", "_index": n + 1,
        })  # fmt: skip
    book = openpyxl.Workbook()
    book.active.title = "Survey"
    book.create_sheet("notes")
    book["Survey"].append(list(answers[0]))
    for n, answer in enumerate(answers):
        if n % 40 == 20:
            book["Survey"].append([None] * 3)  # a blank row, as left by one who deleted cells
        book["Survey"].append(list(answer.values()))
    for row in book["Survey"].iter_rows():
        for cell in row:
            if isinstance(cell.value, str) and cell.value.startswith("="):
                cell.data_type = "s"  # text that looks like a formula, as a form tool writes it
    book.save(file)
    return answers


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """The edition of two hundred answers, and the answers."""
    folder = tmp_path_factory.mktemp("surveyed")
    answers = kobo(folder / "kobo.xlsx")
    (folder / "map.yml").write_text(KOBO_MAP, encoding="utf-8")
    code, _, said = quietly(
        "new", "survey", "--into", folder, "--from", folder / "kobo.xlsx", "--map", folder / "map.yml"
    )
    assert code == 0, said
    assert "200 rows, 5 blank rows between them" in said
    return folder / "survey", answers


def test_every_answer_of_a_form_is_in_the_tables(surveyed: tuple[Path, list[dict[str, Any]]]):
    edition, answers = surveyed
    assert quietly("check", edition)[0] == 0
    people = rows(edition / "interviewees.csv")
    assert Counter((row["age_min"], row["age_max"]) for row in people) == Counter(
        tuple(map(str, AGES[a["about_you/age"]] or ("", ""))) for a in answers
    )
    assert Counter(row["gender"] for row in people) == Counter(SEXES[a["about_you/sex"]] for a in answers)
    assert Counter(row["profession"] for row in people) == Counter(a["about_you/job"].strip() for a in answers)
    legs = rows(edition / "legs.csv")
    made = [row for row in legs if row["status"] == "made"]
    assert len(made) == len(answers)
    assert Counter(row["departed"] for row in made) == Counter(
        a["journey/left_on"].date().isoformat() if a["journey/left_on"] else "" for a in answers
    )
    assert Counter(row["nights_waited"] for row in made) == Counter(
        "" if a["journey/nights"] is None else str(int(a["journey/nights"])) for a in answers
    )
    wanted = [[WAYS[way] for way in WAYS if a[f"journey/how/{way}"]] for a in answers]
    assert Counter(row["mode"] for row in made) == Counter(ways[0] if len(ways) == 1 else "" for ways in wanted)
    assert Counter(row["to_place"] for row in legs if row["status"] == "intended") == Counter(
        a["journey/next"].lower() for a in answers if NEXT[a["journey/next"]]
    )
    assert {row["place"] for row in rows(edition / "places.csv")} == {
        "samara",
        "saratov",
        "orsk",
        "oral",
        "georgia",
        "serbia",
    }


def test_the_book_counts_what_the_form_was_answered(surveyed: tuple[Path, list[dict[str, Any]]], tmp_path: Path):
    edition, answers = surveyed
    run("build", edition, "--out", tmp_path / "book", "-p", "age_bands=18,25,35,45,71")
    tables = tmp_path / "book" / "tables"
    ages = {row["age"]: int(row["interviewees"]) for row in rows(tables / "interviewees-by-age.csv")}
    asked = Counter(a["about_you/age"] for a in answers)
    assert sum(ages.values()) == len(answers)
    assert sorted(count for count in ages.values() if count) == sorted(asked.values())
    jobs = {row["profession"]: int(row["interviewees"]) for row in rows(tables / "interviewees-by-profession.csv")}
    said = Counter(a["about_you/job"].strip() or "not stated" for a in answers)
    assert {job: count for job, count in jobs.items() if count} == dict(said)


def test_a_repeat_group_on_its_own_sheet_gives_legs(tmp_path: Path):
    import openpyxl

    book = openpyxl.Workbook()
    book.active.title = "Main"
    for row in (["name", "_index"], ["A", 1], ["B", 2]):
        book["Main"].append(row)
    for row in (["town", "_parent_index"], ["Samara", 2], ["Oral", 2], ["Oral", 1]):
        book["legs"].append(row) if "legs" in book.sheetnames else book.create_sheet("legs").append(row)
    book.save(tmp_path / "k.xlsx")
    text = """
sheet: Main
tables:
  interviewees: {columns: {counted: {constant: yes}}}
  legs: {sheet: legs, parent: _parent_index, key: _index, columns: {status: {constant: made}, to_place: town}}
places: {Samara: {country: RUS, precision: city}, Oral: {country: KAZ, precision: city}}
"""
    (tmp_path / "m.yml").write_text(text, encoding="utf-8")
    code, _, said = quietly("new", "k", "--into", tmp_path, "--from", tmp_path / "k.xlsx", "--map", tmp_path / "m.yml")
    assert code == 0, said
    legs = [(row["interviewee"], row["leg"], row["to_place"]) for row in rows(tmp_path / "k" / "legs.csv")]
    assert legs == [("p0003", "1", "samara"), ("p0003", "2", "oral"), ("p0002", "1", "oral")]


def test_a_repeat_group_that_belongs_to_nobody_is_listed(tmp_path: Path):
    import openpyxl

    book = openpyxl.Workbook()
    book.active.title = "Main"
    for row in (["consent", "_index"], ["yes", 1], ["no", 2], ["yes", 1]):
        book["Main"].append(row)
    legs = book.create_sheet("legs")
    for row in (["town", "_parent_index"], ["Oral", 1], ["Nowhere", 2], ["Oral", 7], ["Oral", None]):
        legs.append(row)
    book.save(tmp_path / "k.xlsx")
    (tmp_path / "m.yml").write_text("""
sheet: Main
tables:
  interviewees: {where: {consent: yes}, columns: {counted: {constant: yes}}}
  legs: {sheet: legs, parent: _parent_index, key: _index, columns: {status: {constant: made}, to_place: town}}
places: {Oral: {country: KAZ, precision: city}}
""")
    code, _, said = quietly("new", "k", "--into", tmp_path, "--from", tmp_path / "k.xlsx", "--map", tmp_path / "m.yml")
    assert code == 2
    assert "sheet Main, row 4, column _index: found '1' again" in said
    assert "sheet legs, row 4, column _parent_index: found '7', needed a value of _index" in said
    assert "sheet legs, row 5, column _parent_index: found nothing" in said
    assert "Nowhere" not in said, "what people who are left out answered is not looked at"


# --- what the map does not foresee ------------------------------------------------------------------------------------

SMALL = """tables:
  interviewees:
    columns:
      counted: {constant: yes}
      age: Age
      gender: {column: Sex, values: {m: man, f: woman}}
  legs:
    each:
      - {status: {constant: made}, from_place: From, to_place: To, departed: Left, mode: How}
places:
  Samara: {country: RUS, precision: city}
  Oral: {country: KAZ, precision: city}
"""
TABLE = "Age,Sex,From,To,Left,How,Name\n20-24,m,Samara,Oral,2022-09-24,rail,A\n30,f,Samara,Oral,,,B\n"


def small(folder: Path, table: str | bytes = TABLE, text: str = SMALL, file: str = "e.csv") -> tuple[int, str, str]:
    """An import of a small table with a small map."""
    (folder / "m.yml").write_text(text, encoding="utf-8")
    (folder / file).write_bytes(table if isinstance(table, bytes) else table.encode())
    before = sorted(folder.iterdir())
    done = quietly("new", "small", "--into", folder, "--from", folder / file, "--map", folder / "m.yml")
    if done[0]:
        assert sorted(folder.iterdir()) == before, "nothing is written when something is wrong"
    return done


def swap(old: str, new: str, of: str) -> str:
    assert old in of
    return of.replace(old, new, 1)


E_ = "e.csv, row 2, column "
UNFORESEEN = {
    "value not recoded": (swap(",m,", ",male,", TABLE), SMALL, E_ + "Sex: found 'male', needed one of woman, man, other; add to tables.interviewees.columns.gender.values: \"male\": …"),
    "value not allowed": (swap("rail", "Rail", TABLE), SMALL, E_ + "How: found 'Rail', needed one of air, rail, road, bicycle, foot; add to tables.legs.each[1].mode: values: {\"Rail\": …}"),
    "recoded to what is not allowed": (TABLE, swap("m: man", "m: men", SMALL), "m.yml, column tables.interviewees.columns.gender.values.m: found 'men', needed one of woman, man, other"),
    "age with an open end": (swap("20-24", "35+", TABLE), SMALL, E_ + "Age: found '35+', needed a range with both ends, for '35+' has no upper one; add to tables.interviewees.columns.age: most: NUMBER"),
    "age below an open end": (swap("20-24", "under 18", TABLE), SMALL, "has no lower one; add to tables.interviewees.columns.age: least: NUMBER"),
    "age in words": (swap("20-24", "old", TABLE), SMALL, E_ + "Age: found 'old', needed an age or a range, such as 20-24"),
    "constant not allowed": (TABLE, swap("constant: yes", "constant: yess", SMALL), "m.yml, column tables.interviewees.columns.counted.constant: found 'yess', needed one of yes, unclear, no; did you mean 'yes'?"),
    "another spelling of a place": (swap("m,Samara", "m,samara", TABLE), SMALL, 'found \'samara\', needed a place that the map describes; add to places: "samara": {country: …, precision: …}; or, if it is the same place, "samara": "Samara"'),
    "text not recoded": (TABLE, swap("      age: Age", "      age: Age\n      profession: {column: Name, values: {A: cook}}", SMALL), "e.csv, row 3, column Name: found 'B', needed a value that the map recodes into profession; add to tables.interviewees.columns.profession.values: \"B\": …, or rest: keep to copy all that is not listed"),
    "date in a third form": (swap("2022-09-24", "24.9.2022", TABLE), swap("departed: Left", 'departed: {column: Left, date: "%d/%m/%Y"}', SMALL), "found '24.9.2022', needed a date; it is not of the form %d/%m/%Y; add to tables.legs.each[1].departed: values: {\"24.9.2022\": YYYY-MM-DD}"),
    "rest neither kept nor left out": (TABLE, swap("age: Age", "age: {column: Age, rest: drop}", SMALL), "found 'drop', needed keep, or leave it out"),
    "range that Excel took for a date": (swap("20-24", "2022-10-14", TABLE), SMALL, E_ + "Age: found '2022-10-14'"),
    "age too great": (swap("20-24", "200", TABLE), SMALL, E_ + "Age: found '200', needed 120 or less"),
    "bounds the wrong way round": (swap("20-24", "24-20", TABLE), SMALL, E_ + "Age: found '24-20'"),
    "date in another form": (swap("2022-09-24", "24/09/2022", TABLE), SMALL, E_ + "Left: found '24/09/2022', needed a date; add to tables.legs.each[1].departed: date: \"%d/%m/%Y\""),
    "date that is none": (swap("2022-09-24", "2022-02-30", TABLE), SMALL, E_ + "Left: found '2022-02-30', needed a date"),
    "place not described": (swap("m,Samara", "m,Saratov", TABLE), SMALL, E_ + 'From: found \'Saratov\', needed a place that the map describes; add to places: "Saratov": {country: …, precision: …}'),
    "place of no country": (TABLE, swap("country: RUS", "country: RUX", SMALL), "needed an ISO 3166-1 alpha-3 code in use"),
    "place without country": (TABLE, swap("country: RUS, ", "", SMALL), "column country: found nothing, needed a value"),
    "place of no Latin letters": (TABLE.replace("Samara", "Самара"), SMALL.replace("Samara", "Самара"), "add an identifier to places.Самара, such as place: city-1"),
    "two places, one identifier": (TABLE, SMALL + "  SAMARA: {country: RUS, precision: city}\n", "column places: found 'samara' for 2 names"),
    "column not there": (swap("Age", "Ages", TABLE), SMALL, "m.yml, column tables.interviewees.columns.age: found 'Age', needed a column of"),
    "target not there": (TABLE, swap("gender", "gendr", SMALL), "found 'gendr', needed a column of interviewees: interviewee, counted, age_min, age_max, gender, profession, isco08, age; did you mean 'gender'?"),
    "needed column not filled": (TABLE, swap("      counted: {constant: yes}\n", "", SMALL), "m.yml, column tables.interviewees: found no counted, needed it, as it may not be blank; add counted: {constant: yes}"),
    "column filled twice": (TABLE, swap("      age: Age", "      age: Age\n      age_min: Age", SMALL), "found age_min filled twice"),
    "two sources for a column": (TABLE, swap("{constant: yes}", "{constant: yes, column: Age}", SMALL), "found column and constant, needed one of column, constant, rows, choices"),
    "recipe key misspelt": (TABLE, swap("values:", "valeus:", SMALL), "found 'valeus', needed one of column, values"),
    "table not there": (TABLE, swap("interviewees:", "interviewee:", SMALL), "m.yml, column tables: found 'interviewee', needed one of interviewees, legs, destinations, statements; did you mean 'interviewees'?"),
    "value left open": (TABLE, swap("m: man", "m: ", SMALL), 'column tables.interviewees.columns.gender.values.m: found nothing, needed one value; write "" for a blank cell'),
    "map a list": (TABLE, "- a\n", "m.yml: found no names with values, needed a map in YAML"),
    "map empty": (TABLE, "", "m.yml: found no names with values"),
    "map no YAML": (TABLE, "tables: {", "m.yml, row 1: found"),
    "map with a tab": (TABLE, "tables:\n\tx: 1\n", "m.yml, row 2: found"),
    "name twice in the map": (TABLE, SMALL + "places: {}\n", "m.yml, row 13: found 'places' twice"),
    "map that refers to itself": (TABLE, "tables: &a {x: *a}\n", "m.yml, row 1: found a reference (*)"),
    "map that makes objects": (TABLE, "tables: !!python/object/apply:os.system ['true']\n", "m.yml, row 1: found could not determine a constructor"),
    "map nested without end": (TABLE, "[" * 5000, "m.yml: found RecursionError"),
    "form of dates without a year": (TABLE, swap("departed: Left", "departed: {column: Left, date: '%d.%m.'}", SMALL), "found '%d.%m.', needed a form of dates such as %d/%m/%Y"),
    "header row not there": (TABLE, "header: 9\n" + SMALL, "e.csv: found nothing, needed the names of the columns in row 9"),
    "header row in words": (TABLE, "header: first\n" + SMALL, "m.yml, column header: found 'first'"),
    "identifier a name, each different": (swap(",A\n", ",Anna\n", TABLE), swap("      counted", "      interviewee: Name\n      counted", SMALL), "column Name: found 'Anna', needed an identifier of the form tool, which has a digit; leave interviewee out of the map, and rows are numbered"),
    "identifier a name": (TABLE, swap("      counted", "      interviewee: From\n      counted", SMALL), "column From: found 'Samara' (and in 1 more row), needed an identifier of the form tool"),
    "ragged row": (swap("30,f", "30,f,x", TABLE), SMALL, "e.csv, row 3: found 8 cells, needed 7 cells, as in the header"),
    "value without a header": (swap("How,Name", "How,", TABLE), SMALL, "e.csv, row 2, column G: found a value in a column without a name, needed a name for every column with values; name the column in row 1 (unmerge merged headers)"),
    "empty file": ("", SMALL, "e.csv: found nothing, needed the names of the columns in row 1"),
    "header only": ("Age,Sex,From,To,Left,How,Name\n", SMALL, "e.csv: found no rows for any table"),
    "Latin-1": (TABLE.replace("A\n", "\xe4\n").encode("latin-1"), SMALL, "e.csv, row 2: found byte 0xe4, needed UTF-8"),
    "NUL byte": (TABLE + "\0", SMALL, "e.csv, row 4: found a NUL byte"),
    "open quote": (swap("20-24", '"20-24', TABLE), SMALL, "e.csv, row"),
    "several choices": (swap("rail,A", "x,x", swap("How,Name", "Bus,Train", TABLE)).replace(",,,B", ",,,"), swap("mode: How", "mode: {choices: {Bus: road, Train: rail}}", SMALL), "column Bus + Train: found several choices, needed one value of mode; add to tables.legs.each[1].mode: several: \"\""),
    "choice in words": (swap("rail,A", "often,", swap("How,Name", "Bus,Train", TABLE)), swap("mode: How", "mode: {choices: {Bus: road, Train: rail}}", SMALL), "column Bus: found 'often', needed 1 or 0"),
    "identifier twice": (swap(",B\n", ",k1\n", swap(",A\n", ",k1\n", TABLE)), swap("      counted", "      interviewee: Name\n      counted", SMALL), "column Name: found 'k1' 2 times, needed each key once"),
    "reserved label": (TABLE.replace(",A\n", ",not stated\n"), swap("      age: Age", "      age: Age\n      profession: Name", SMALL), E_ + "Name: found 'not stated', needed a value of the source"),
}  # fmt: skip


@pytest.mark.parametrize("kind", UNFORESEEN)
def test_what_the_map_does_not_foresee_is_listed(kind: str, tmp_path: Path):
    table, text, told = UNFORESEEN[kind]
    code, _, said = small(tmp_path, table, text)
    assert code == 2, said
    assert told in said


def test_the_small_table_is_sound(tmp_path: Path):
    code, out, said = small(tmp_path)
    assert code == 0, said
    assert "2 interviewees, 2 legs, 2 places" in out


def test_constants_may_be_ranges_and_places(tmp_path: Path):
    text = swap("age: Age", "age: {constant: 20-29}", swap("to_place: To", "to_place: {constant: Oral}", SMALL))
    code, _, said = small(tmp_path, TABLE, text)
    assert code == 0, said
    assert {row["age_max"] for row in rows(tmp_path / "small" / "interviewees.csv")} == {"29"}
    assert {row["to_place"] for row in rows(tmp_path / "small" / "legs.csv")} == {"oral"}


def test_the_rest_may_be_kept_as_it_stands(tmp_path: Path):
    text = swap("age: Age", "profession: {column: Name, values: {A: student}, rest: keep}", SMALL)
    code, _, said = small(tmp_path, TABLE, text)
    assert code == 0, said
    assert [row["profession"] for row in rows(tmp_path / "small" / "interviewees.csv")] == ["student", "B"]


def test_every_kind_of_fault_is_told_once(tmp_path: Path):
    table = "Age,Sex,From,To,Left,How,Name\n" + 50 * "old,male,Saratov,Oral,1/2/22,Rail,A\n"
    code, _, said = small(tmp_path, table)
    assert code == 2
    assert len(said.splitlines()) == 5
    assert said.count("(and in 49 more rows)") == 5


@pytest.mark.parametrize(
    "table",
    [
        b"\xef\xbb\xbf" + TABLE.encode(),
        TABLE.encode("utf-16"),
        TABLE.replace(",", ";").encode(),
        TABLE.replace(",", "\t").encode(),
        TABLE.replace("\n", "\r\n").encode(),
        TABLE.replace("20-24", "  20 – 24 years\u00a0").encode(),
        TABLE.replace("Age,", '" Age\n",').encode(),
        (TABLE + ",,,,,,\n\n").encode(),
    ],
    ids=["byte order mark", "UTF-16", "semicolons", "tabs", "CRLF", "blanks", "header on two lines", "blank rows"],
)
def test_exports_may_be_written_as_tools_write_them(table: bytes, tmp_path: Path):
    assert small(tmp_path, table)[0] == 0
    made = rows(tmp_path / "small" / "interviewees.csv")
    assert [(row["age_min"], row["age_max"]) for row in made] == [("20", "24"), ("30", "30")]


# --- workbooks -------------------------------------------------------------------------------------------------------


def workbook(file: Path, change: Callable[[Any], None] = lambda sheet: None) -> bytes:
    """The small table as a workbook, changed; its bytes."""
    import openpyxl

    book = openpyxl.Workbook()
    for line in TABLE.splitlines():
        book.active.append(line.split(","))
    change(book.active)
    book.save(file)
    content = file.read_bytes()
    file.unlink()
    return content


def put(cell: str, value: Any) -> Callable[[Any], None]:
    def change(sheet: Any) -> None:
        sheet[cell] = value

    return change


WORKBOOKS = {
    "formula never computed": (put("A2", "=10+10"), "e.xlsx, sheet Sheet, row 2, column Age: found a formula that was never computed, needed a value; paste the column as values"),
    "error": (put("B2", "#REF!"), "row 2, column Sex: found the error #REF!"),
    "merged header": (lambda sheet: sheet.merge_cells("A1:B1"), "column B: found a value in a column without a name"),
    "range read as a date": (put("A2", datetime(2022, 10, 14)), "row 2, column Age: found '2022-10-14'"),
    "two sheets": (lambda sheet: sheet.parent.create_sheet("More").append(["x"]), 'found 2 sheets: Sheet, More, needed the one with the answers; write sheet: "Sheet" in the map'),
    "header further down": (lambda sheet: sheet.insert_rows(1, 2), "row 1: found a blank header row, needed the names of the columns; write header: ROW in the map"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WORKBOOKS)
def test_a_workbook_with_something_odd_is_refused(kind: str, tmp_path: Path):
    change, told = WORKBOOKS[kind]
    code, _, said = small(tmp_path, workbook(tmp_path / "w.xlsx", change), file="e.xlsx")
    assert code == 2
    assert told in said
    assert len(said.splitlines()) == 1


def test_odd_cells_in_columns_that_the_map_leaves_out_do_no_harm(tmp_path: Path):
    assert small(tmp_path, workbook(tmp_path / "w.xlsx", put("G2", "=1/0")), file="e.xlsx")[0] == 0


def _zip(*parts: tuple[str, bytes]) -> bytes:
    import io

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts:
            archive.writestr(name, content)
    return out.getvalue()


HOSTILE = {
    "no archive": ("e.xlsx", b"Age,Sex\n", "found no XLSX inside"),
    "old or encrypted": ("e.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "found an old or encrypted workbook"),
    "another archive": ("e.zip", _zip(("a.csv", b"x")), "found an archive"),
    "archive without a workbook": ("e.xlsx", _zip(("a.csv", b"x")), "found a workbook that cannot be read"),
    "cut short": ("e.xlsx", _zip(("a.csv", b"x" * 999))[:60], "found a workbook that cannot be read"),
    "unpacks to a gigabyte": ("e.xlsx", _zip(*((f"xl/{n}.xml", b"\0" * 2**27) for n in range(5))), "bytes unpacked, needed"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_in_one_line(kind: str, tmp_path: Path):
    name, content, told = HOSTILE[kind]
    code, _, said = small(tmp_path, content, file=name)
    assert (code, len(said.splitlines())) == (2, 1)
    assert told in said


@pytest.mark.parametrize("cell", ["XFD2", "A1048576"])
def test_a_cell_at_the_end_of_the_sheet_does_not_exhaust_the_reader(cell: str, tmp_path: Path):
    code, _, said = small(tmp_path, workbook(tmp_path / "w.xlsx", put(cell, "x")), file="e.xlsx")
    assert (code, len(said.splitlines())) == (2, 1)


def test_text_that_looks_like_a_formula_stays_text(tmp_path: Path):
    def change(sheet: Any) -> None:
        sheet["G2"] = '=HYPERLINK("http://x")'
        sheet["G2"].data_type = "s"

    text = swap("      age: Age", "      age: Age\n      profession: Name", SMALL)
    code, _, said = small(tmp_path, workbook(tmp_path / "w.xlsx", change), text, "e.xlsx")
    assert code == 0, said
    assert rows(tmp_path / "small" / "interviewees.csv")[0]["profession"] == '=HYPERLINK("http://x")'


@pytest.mark.parametrize("given", ["folder", "nowhere"])
def test_an_export_that_is_no_file_is_refused(given: str, tmp_path: Path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "m.yml").write_text(SMALL)
    code, _, said = quietly("new", "x", "--into", tmp_path, "--from", tmp_path / given, "--map", tmp_path / "m.yml")
    assert (code, len(said.splitlines())) == (2, 1)


@pytest.mark.parametrize("flags", [["--again"], ["--map", "x"], ["--source", "x"], ["--discard-edits"]])
def test_options_that_make_no_sense_alone_are_refused(flags: list[str], tmp_path: Path):
    assert quietly("new", "x", "--into", tmp_path, *flags)[0] == 2
    assert not list(tmp_path.iterdir())


# --- the draft of a map ----------------------------------------------------------------------------------------------


def test_without_a_map_a_draft_is_written_and_no_edition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    kobo(tmp_path / "kobo.xlsx")
    code, _, said = quietly("new", "survey", "--into", tmp_path, "--from", "kobo.xlsx")
    assert code == 2
    assert "a draft lies in survey-map.yml: fill it, then add --map survey-map.yml" in said
    assert not (tmp_path / "survey").exists()
    text = (tmp_path / "survey-map.yml").read_text(encoding="utf-8")
    for column in ("start", "about_you/age", "journey/how/Bus", "_uuid"):
        assert f'#| "{column}"' in text
    assert '"Female": ' in text
    assert "Nobody 3" not in text
    code, _, again = quietly("new", "survey", "--into", tmp_path, "--from", "kobo.xlsx")
    assert (code, "found a file, needed room for the draft" in again) == (2, True)
    code, _, unfilled = quietly("new", "survey", "--into", tmp_path, "--from", "kobo.xlsx", "--map", "survey-map.yml")
    assert code == 2
    assert "column tables: found nothing" in unfilled


def test_the_draft_for_highlights_lists_the_tags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert quietly("new", "t", "--into", tmp_path, "--from", EXAMPLES / "taguette" / "export.csv")[0] == 2
    text = (tmp_path / "t-map.yml").read_text(encoding="utf-8")
    assert '#    "first.woman": ' in text
    assert "She is a nurse" not in text


def test_a_filled_draft_makes_an_edition_without_its_listing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "e.csv").write_text(TABLE)
    quietly("new", "survey", "--into", tmp_path, "--from", "e.csv")
    draft = tmp_path / "survey-map.yml"
    text = draft.read_text(encoding="utf-8")
    for old, new in (
        ("#  interviewees:\n#    columns:\n#      age: {column: }", '  interviewees:\n    columns:\n      age: "Age"'),
        ("#      counted: {column: }", "      counted: {constant: yes}"),
        ("#      gender: {column: }", '      gender: {column: Sex, values: {"m": man, "f": woman}}'),
    ):
        text = swap(old, new, text)
    draft.write_text(text, encoding="utf-8")
    code, _, said = quietly("new", "survey", "--into", tmp_path, "--from", "e.csv", "--map", draft)
    assert code == 0, said
    kept = (tmp_path / "survey" / "import-map.yml").read_text(encoding="utf-8")
    assert "\n#|" not in kept
    assert "Draft of a map" not in kept
    assert "not copied, as the map does not name them: From, To, Left, How, Name" in said


# --- the next export -------------------------------------------------------------------------------------------------


def again(folder: Path, table: str, *more: object) -> tuple[int, str, str]:
    (folder / "next.csv").write_text(table, encoding="utf-8")
    return quietly("new", "small", "--into", folder, "--from", folder / "next.csv", "--again", *more)


NEXT_TABLE = TABLE + "41,f,Oral,Samara,2022-09-30,road,C\n"


def test_the_next_export_replaces_only_what_the_import_made(tmp_path: Path):
    small(tmp_path)
    edition = tmp_path / "small"
    package = edition / "datapackage.json"
    package.write_text(package.read_text().replace('"title": ""', '"title": "Mine"', 1))
    (edition / "codebook.md").write_text("My rules.")
    code, out, said = again(tmp_path, NEXT_TABLE)
    assert code == 0, said
    assert "3 interviewees, 3 legs" in out
    assert load(edition).described == 3
    assert load(edition).title == "Mine"
    assert (edition / "codebook.md").read_text() == "My rules."
    assert json.loads((edition / "import.json").read_text())["source"] == "next.csv"
    assert not [file for file in tmp_path.iterdir() if file.name.startswith(".")]


def test_the_same_export_again_changes_nothing(tmp_path: Path):
    small(tmp_path)
    edition = tmp_path / "small"
    before = {file.name: file.read_bytes() for file in edition.iterdir()}
    code, _, said = quietly("new", "small", "--into", tmp_path, "--from", tmp_path / "e.csv", "--again")
    assert code == 0, said
    assert {file.name: file.read_bytes() for file in edition.iterdir()} == before


@pytest.mark.parametrize("edit", ["row", "gone", "own"])
def test_edits_by_hand_are_not_lost(edit: str, tmp_path: Path):
    small(tmp_path)
    table = tmp_path / "small" / "legs.csv"
    if edit == "row":
        table.write_text(table.read_text().replace("rail", "road"))
    elif edit == "gone":
        table.unlink()
    else:
        (tmp_path / "small" / "destinations.csv").write_text("mine")
    before = {file.name: file.read_bytes() for file in (tmp_path / "small").iterdir()}
    more = ()
    if edit == "own":
        text = SMALL.replace(
            "places:",
            "  destinations:\n    columns: {countries: {constant: KAZ}, measure: {constant: entries}, quantifier: {constant: exact}, number: Age}\nplaces:",
        )
        (tmp_path / "next.yml").write_text(text)
        more = ("--map", tmp_path / "next.yml")
    code, _, said = again(tmp_path, NEXT_TABLE, *more)
    assert code == 2
    assert (
        "legs.csv: found edits since the last import" in said
        or "destinations.csv: found a table that no import made" in said
    )
    assert {file.name: file.read_bytes() for file in (tmp_path / "small").iterdir()} == before
    assert again(tmp_path, NEXT_TABLE, *more, "--discard-edits")[0] == 0


def test_a_next_export_at_fault_leaves_the_edition_as_it_was(tmp_path: Path):
    small(tmp_path)
    before = {file.name: file.read_bytes() for file in (tmp_path / "small").iterdir()}
    code, _, said = again(tmp_path, NEXT_TABLE.replace("41,f", "41,x"))
    assert code == 2
    assert "next.csv, row 4, column Sex: found 'x'" in said
    assert {file.name: file.read_bytes() for file in (tmp_path / "small").iterdir()} == before


def test_only_an_import_can_be_repeated(tmp_path: Path):
    quietly("new", "small", "--into", tmp_path)
    code, _, said = again(tmp_path, TABLE)
    assert (code, "found no import.json, needed an edition made with --from" in said) == (2, True)
    shutil.rmtree(tmp_path / "small")
    assert again(tmp_path, TABLE)[0] == 2


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("import.json", "{", "import.json: found something else"),
        ("import.json", '{"tables": {"../../x": ""}}', "import.json: found something else"),
        ("import-map.yml", "[", "import-map.yml, row 1: found"),
        ("datapackage.json", "{", "datapackage.json: found"),
        ("datapackage.json", '{"resources": 3}', "datapackage.json: found"),
    ],
)
def test_an_edition_whose_own_files_are_broken_is_left_alone(file: str, content: str, told: str, tmp_path: Path):
    small(tmp_path)
    (tmp_path / "small" / file).write_text(content)
    before = {each.name: each.read_bytes() for each in (tmp_path / "small").iterdir()}
    code, _, said = again(tmp_path, NEXT_TABLE, "--discard-edits")
    assert (code, len(said.splitlines())) == (2, 1)
    assert told in said
    assert {each.name: each.read_bytes() for each in (tmp_path / "small").iterdir()} == before


def test_evidence_is_not_dropped_for_want_of_its_text(tmp_path: Path):
    example("taguette", tmp_path)
    arguments = ("new", "taguette", "--into", tmp_path, "--from", EXAMPLES / "taguette" / "export.csv", "--again")
    code, _, said = quietly(*arguments)
    assert (code, "found no --source, needed the text" in said) == (2, True)
    assert quietly(*arguments, "--source", EXAMPLES / "taguette" / "text.txt")[0] == 0


def test_an_edition_is_not_overwritten_by_a_first_import(tmp_path: Path):
    small(tmp_path)
    code, _, said = quietly(
        "new", "small", "--into", tmp_path, "--from", tmp_path / "e.csv", "--map", tmp_path / "m.yml"
    )
    assert (code, "add --again to repeat its import" in said) == (2, True)


# --- answers ---------------------------------------------------------------------------------------------------------


@given(st.integers(0, 999), st.integers(0, 999), st.sampled_from(["-", "–", "—", " - ", " to ", " – "]))
def test_a_range_keeps_its_ends(one: int, other: int, dash: str):
    low, high = sorted((one, other))
    assert bounds(f"{low}{dash}{high}") == (str(low), str(high))
    if low < high:
        assert bounds(f"{high}{dash}{low}") is None


@given(st.integers(1, 999))
def test_an_open_end_stays_open(age: int):
    for text in (f"{age}+", f"{age} and over", f"{age} years or older", f"≥{age}", f"at least {age}"):
        assert bounds(text) == (str(age), ""), text
    for text in (f"over {age}", f">{age}", f"more than {age}"):
        assert bounds(text) == (str(age + 1), ""), text
    for text in (f"under {age}", f"< {age}", f"younger than {age}"):
        assert bounds(text) == ("", str(age - 1)), text
    for text in (f"up to {age}", f"{age} or younger", f"≤ {age}"):
        assert bounds(text) == ("", str(age)), text


@given(st.text(max_size=20))
def test_no_text_is_read_as_a_number_it_does_not_hold(text: str):
    found = bounds(text)
    if found is not None:
        digits = {int(part) for part in re.findall("[0-9]+", text)}
        assert digits
        for bound in filter(None, found):
            assert {int(float(bound)) + step for step in (-1, 0, 1)} & digits


@given(st.text(max_size=30))
def test_an_identifier_made_from_a_name_is_one(name: str):
    assert re.fullmatch("(?:[a-z0-9][a-z0-9-]*)?", slug(name))


@given(st.integers(0, 10**12))
def test_thousands_are_joined(number: int):
    assert ungrouped(f"{number:,}", ",") == str(number)


# --- highlights ------------------------------------------------------------------------------------------------------

TALKS = "Talk one.\nI left with my brother. We took a bus.\nTalk two.\nI walked all night. I am a baker.\nWe left.\nWe left."
MARKS = """id,document,tag,content
1,one,woman,I left with my brother
2,one,bus,We took a bus
3,two,walked,I walked all night
4,two,baker,I am a baker
5,two,all,We took a bus
"""
CODES = """highlights:
  counted: yes
  interviewees: {one: p1, two: p2}
  tags:
    woman: {interviewees: {gender: woman}}
    bus: {legs: {status: made, mode: road, to_place: Oral}}
    walked: {legs: {status: made, mode: foot}}
    baker: {interviewees: {profession: baker, age: 30-39}, basis: stated}
    all: {statements: {topic: departure, says: left by bus}}
places: {Oral: {country: KAZ, precision: city}}
"""


def coded(folder: Path, marks: str = MARKS, codes: str = CODES, talks: str = TALKS) -> tuple[int, str, str]:
    for name, content in (("h.csv", marks), ("m.yml", codes), ("t.txt", talks)):
        (folder / name).write_text(content, encoding="utf-8")
    arguments = ("--from", folder / "h.csv", "--map", folder / "m.yml", "--source", folder / "t.txt")
    return quietly("new", "coded", "--into", folder, *arguments)


def test_each_document_may_be_one_persons_interview(tmp_path: Path):
    code, out, said = coded(tmp_path)
    assert code == 0, said
    assert "2 interviewees, 2 legs, 1 places, 1 statements" in out
    legs = {
        row["interviewee"]: (row["leg"], row["mode"], row["to_place"]) for row in rows(tmp_path / "coded" / "legs.csv")
    }
    assert legs == {"p1": ("1", "road", "oral"), "p2": ("1", "foot", "")}
    assert quietly("check", tmp_path / "coded")[0] == 0
    assert quietly("verify", tmp_path / "coded", "--source", tmp_path / "t.txt")[0] in (0, 1)  # an age nobody stated


def test_a_tag_may_say_where_the_interviews_were(tmp_path: Path):
    codes = swap("  tags:", "  tags:\n    here: {report: {collected_at: Oral, declared_interviewees: 2}}", CODES)
    code, _, said = coded(tmp_path, MARKS + "6,two,here,I walked all night\n", codes)
    assert code == 0, said
    report = load(tmp_path / "coded").report
    assert (report.collected_at, report.declared_interviewees) == ("oral", 2)
    told = [row for row in rows(tmp_path / "coded" / "evidence.csv") if row["table"] == "report"]
    assert {row["column"] for row in told} == {"collected_at", "declared_interviewees"}


MISCODED = {
    "declared in words": (MARKS, swap("statements: {topic: departure, says: left by bus}", "report: {declared_interviewees: some}", CODES), "column report.declared_interviewees: found 'some', needed a whole number"),
    "place of the interviews without evidence": (MARKS, "collected_at: Oral\n" + CODES, "m.yml, column collected_at: found it beside highlights, needed its evidence as well; let a tag say it"),
    "report column unknown": (MARKS, swap("statements: {topic: departure, says: left by bus}", "report: {minimum_cell: 5}", CODES), "found 'minimum_cell', needed one of declared_interviewees, collected_at, reference_event.date"),
    "tag unknown": (MARKS + "6,one,odd,We took a bus\n", CODES, "h.csv, row 7, column tag: found 'odd', needed a tag that the map knows; add to highlights.tags: \"odd\": ignore, or what it codes"),
    "tag blank": (MARKS + "6,one,,We took a bus\n", CODES, "h.csv, row 7, column tag: found nothing"),
    "document unknown": (swap("1,one", "1,three", MARKS), CODES, "h.csv, row 2, column document: found 'three', needed whose interview it is; add to highlights.interviewees: \"three\": p1"),
    "two values for one": (MARKS + "6,one,man,We took a bus\n", swap("    bus:", "    man: {interviewees: {gender: man}}\n    bus:", CODES), "h.csv, row 7, column tag: found 'man', needed one gender of interviewees p1, which an earlier row gives as 'woman'"),
    "words not in the text": (swap("We took a bus", "We took a car", MARKS), CODES, "h.csv, row 3, column content: found 'We took a car', needed words that stand in one paragraph of the source text"),
    "words in two paragraphs": (swap("I am a baker", "We left.", MARKS), CODES, "column content: found 'We left.' in 2 paragraphs"),
    "no words": (swap("I am a baker", "...", MARKS), CODES, "column content: found 0 words"),
    "shortened to other words": (MARKS, swap("  tags:", '  fragments: {"4": a butcher}\n  tags:', CODES), "column content: found 'a butcher', needed consecutive words of the highlight; hint highlights.fragments.4"),
    "place unknown": (MARKS, swap("Oral}", "Orel}", CODES), "h.csv, row 3, column tag: found 'Orel', needed a place that the map describes"),
    "mode unknown": (MARKS, swap("road", "rod", CODES), "h.csv, row 3, column tag: found 'rod', needed one of air, rail, road"),
    "column unknown": (MARKS, swap("gender:", "gendr:", CODES), "m.yml, column highlights.tags.woman.interviewees: found 'gendr', needed one of interviewee, counted"),
    "table unknown": (MARKS, swap("legs:", "leg:", CODES), "m.yml, column highlights.tags.bus: found 'leg', needed one of interviewees, legs"),
    "basis unknown": (MARKS, swap("basis: stated", "basis: sure", CODES), "m.yml, column highlights.tags.baker.basis: found 'sure', needed judged or stated"),
    "section misspelt": (MARKS, swap("counted: yes", "count: yes", CODES), "m.yml, column highlights: found 'count', needed one of id, document"),
    "tags a list": (MARKS, "highlights: {tags: [a]}", "m.yml, column highlights.tags: found a list or one value"),
    "tag that codes nothing": (MARKS, swap("walked: {legs: {status: made, mode: foot}}", "walked: ", CODES), "m.yml, column highlights.tags.walked: found nothing, needed ignore, or the table"),
    "columns named otherwise": (swap("content", "text", MARKS), CODES, "m.yml, column highlights.content: found 'content', needed a column of"),
    "age with an open end": (MARKS, swap("30-39", "30+", CODES), "h.csv, row 5, column tag: found 'baker', needed age_min and age_max, or a range with both ends"),
    "not said who is counted": (MARKS, swap("  counted: yes\n", "", CODES), "column counted: found nothing, needed a value"),
}  # fmt: skip


@pytest.mark.parametrize("kind", MISCODED)
def test_what_highlights_do_not_tell_is_listed(kind: str, tmp_path: Path):
    marks, codes, told = MISCODED[kind]
    code, _, said = coded(tmp_path, marks, codes)
    assert code == 2, said
    assert told in said
    assert not (tmp_path / "coded").exists()


# --- anything at all -------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(
    [
        "tables",
        "places",
        "highlights",
        "sheet",
        "header",
        "delimiter",
        "collected_at",
        "interviewees",
        "legs",
        "destinations",
        "statements",
        "columns",
        "each",
        "where",
        "parent",
        "key",
        "column",
        "values",
        "constant",
        "rows",
        "prefix",
        "choices",
        "several",
        "date",
        "least",
        "most",
        "thousands",
        "age",
        "gender",
        "counted",
        "interviewee",
        "status",
        "to_place",
        "number",
        "year",
        "low",
        "measure",
        "Age",
        "Sex",
        "tags",
        "tag",
        "content",
        "document",
        "fragments",
        "basis",
        "legs",
        "country",
        "precision",
        "place",
    ]
)
ANYTHING = st.recursive(
    st.one_of(st.none(), NAMES, st.sampled_from(["", "yes", "20-24", "%d/%m/%Y", "…", "1", "-"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=25,
)


@given(st.dictionaries(NAMES, ANYTHING, max_size=5))
def test_no_map_whatsoever_breaks_the_import(given_map: dict[str, Any]):
    """Any shape of map gives problems or tables."""
    from analysis.new.highlights import fill_highlights
    from analysis.new.intake import Filled, Sheet, fill
    from analysis.new.maps import read_plan

    sheet = Sheet(
        "e.csv",
        ("Age", "Sex", "tag", "content", "document", "id"),
        ((2, {"Age": "20-24", "Sex": "m"}), (3, {"Age": "x"})),
    )
    plan, problems = read_plan(given_map, "m.yml")
    assert all(str(problem) for problem in problems)
    if not problems:
        sheets = {table.sheet: sheet for table in plan.tables} | {"": sheet}
        filled = fill(plan, sheets)
        filled = fill_highlights(plan, sheet, "A text.", filled) if plan.highlights else filled
        assert isinstance(filled, Filled)


@given(st.binary(max_size=200))
def test_no_file_whatsoever_breaks_the_reader(content: bytes):
    import tempfile

    from analysis.new.exports import read_sheet, read_yaml
    from parabook.errors import InputError

    with tempfile.TemporaryDirectory() as folder:
        for name in ("e.csv", "e.xlsx"):
            file = Path(folder) / name
            file.write_bytes(content)
            for read in (read_sheet, read_yaml):
                with contextlib.suppress(InputError):
                    read(file)
