"""New editions: empty from the schemas, or from an export as its map says; what is not foreseen is listed, and nothing written."""

from __future__ import annotations

import csv
import json
import random
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, run

from analysis.cli import main
from analysis.edition import load
from analysis.schema import TABLES, raw, schema

EXAMPLES = ROOT / "docs" / "examples"


def quietly(*arguments: object) -> tuple[int, str, str]:
    """The command line in this process: exit code, what it printed, what it complained of."""
    import contextlib
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
        assert f"doubt: {edition / 'datapackage.json'}, column {key}: found nothing" in said
    assert said.count("fault:") == 1


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
    assert "fault" not in said
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
    by_country = {(row["countries"], row["measure"], row["window_start"][:4]): row["low"] for row in figures}
    assert by_country["KAZ", "asylum_seekers", "2022"] == "0"
    assert ("FIN", "asylum_seekers", "2022") not in by_country
    assert by_country["FIN", "refugees", "2022"] == "1205"
    assert {(row["window_start"], row["window_end"]) for row in figures} == {
        ("2022-01-01", "2022-12-31"),
        ("2023-01-01", "2023-12-31"),
    }


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
        to_place: {column: journey/next, values: {Georgia: Georgia, Serbia: Serbia, I stay: ""}}
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
