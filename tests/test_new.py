"""New editions: empty, or by an import notebook drafted from an export; what no cell foresees stops it, and nothing is written."""

from __future__ import annotations

import ast
import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import papermill
import pytest
from conftest import ROOT, edit_json, run
from hypothesis import given
from hypothesis import strategies as st

from analysis.editions import open_edition
from analysis.imports import age_range, highlights, locate, read_export, recode, whole_number, write_edition
from analysis.imports.answers import quoted
from analysis.publish.new import start
from analysis.schema import TABLES, raw, schema
from parabook.errors import InputError

EXAMPLES = ROOT / "docs" / "examples"


def values(file: Path, *columns: str) -> list[str]:
    """Some columns of a table, a row a text: `20 24`."""
    table = pd.read_csv(file, dtype=str, keep_default_na=False)
    return [" ".join(row) for row in table[list(columns) or table.columns].to_numpy().tolist()]


def cells(edition: Path) -> dict[str, str]:
    """The code cells of an import notebook, by their id."""
    notebook = json.loads((edition / "import.ipynb").read_text(encoding="utf-8"))
    return {cell["id"]: "".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"}


def edit(edition: Path, changes: dict[str, str]) -> None:
    """Change an import notebook as a person would, text by text."""
    with edit_json(edition / "import.ipynb") as notebook:
        for old, new in changes.items():
            hit = [cell for cell in notebook["cells"] if old in "".join(cell["source"])]
            assert hit, f"{old!r} is not in the notebook"
            for cell in hit:
                cell["source"] = "".join(cell["source"]).replace(old, new)


def run_all(edition: Path, **given: object) -> None:
    """Run an import notebook in this process."""
    names: dict[str, Any] = {}
    for name, source in cells(edition).items():
        exec(compile(source, name, "exec"), names)
        if name == "parameters":
            names |= given


def problems(call: Callable[[], object]) -> list[str]:
    with pytest.raises(InputError) as caught:
        call()
    return [str(problem) for problem in caught.value.problems]


def refused(edition: Path, **given: object) -> list[str]:
    """The lines in which an import refuses; it leaves the edition as it was."""
    before = {file.name: file.read_bytes() for file in edition.iterdir()}
    lines = problems(lambda: run_all(edition, **given))
    assert {file.name: file.read_bytes() for file in edition.iterdir()} == before
    return lines


def begun(folder: Path, content: str | bytes, file: str = "e.csv") -> Path:
    """An edition begun from an export of that content."""
    (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    start("trial", folder, folder / file)
    return folder / "trial"


def archive(*parts: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in parts:
            opened.writestr(name, content)
    return out.getvalue()


def workbook(*cells: tuple[str, Any]) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for line in (["Age", "Sex"], [20, "m"]):
        book.active.append(line)
    for cell, value in cells:
        book.active[cell] = value
    book.save(out)
    return out.getvalue()


# --- an empty edition ------------------------------------------------------------------------------------------------


def test_an_empty_edition_says_what_is_to_be_filled(tmp_path: Path):
    assert "analysis check" in run("new", "survey", "--into", tmp_path).stdout
    edition = tmp_path / "survey"
    for table in set(TABLES) - {"settlements"}:
        assert (edition / f"{table}.csv").read_text(encoding="utf-8") == ",".join(schema(table).columns) + "\n"
    package = json.loads((edition / "datapackage.json").read_text(encoding="utf-8"))
    assert [each["schema"] for each in package["resources"]] == [raw(each["name"]) for each in package["resources"]]
    needed = "interviewees.csv: found no rows, needed at least one interviewee or one destination figure"
    assert needed in run("check", edition, code=2).stderr
    with (edition / "interviewees.csv").open("a", encoding="utf-8") as table:
        table.write("p1,yes,20,24,,cook,\n")
    run("check", edition)


@pytest.mark.parametrize("name", ["", "..", "a/../b", "-x", "my survey", "a\nb", "x" * 65, "/"])
def test_odd_names_are_refused(name: str, tmp_path: Path):
    done = run("new", "--into", tmp_path / "here", "--", name, code=2)
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_what_stands_there_is_left_alone(tmp_path: Path):
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    before = sorted(tmp_path.rglob("*"))
    for place in ("folder", "file", "link"):
        done = run("new", place, "--into", tmp_path, "--from", EXAMPLES / "kobo" / "export.csv", code=2)
        assert "needed a new name" in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


# --- the examples, end to end, as a person would ---------------------------------------------------------------------

URALSK = '{"country": "KAZ", "precision": "city", "latitude": 51.25, "longitude": 51.43}'
KOBO = {
    f'"Uralsk": {URALSK}': '"Uralsk": "Oral"', '"35+": "?"': '"35+": "35-64"', '"under 18": "?"': '"under 18": "16-17"',
    "]], places)": ']], places, also=["Oral"])', "report = {}": 'report = {"collected_at": "oral"}',
}  # fmt: skip
UNHCR = {
    '"RUS": "?"': '"RUS": "yes"', '"BLR": "?"': '"BLR": ""', 'start = "?"': 'start = "-12-31"', '"stated_by": "?"': '"stated_by": "UNHCR"',
    'mandate": "?"': 'mandate": "true"', '"Asylum-seekers": "?"': '"Asylum-seekers": ""',
}  # fmt: skip
TAGGED = {
    "first.woman": ("interviewees", "p1", {"gender": "woman"}), "first.age": ("interviewees", "p1", {"age_min": 20, "age_max": 23}),
    "first.nurse": ("interviewees", "p1", {"profession": "nurse"}), "second.driver": ("interviewees", "p2", {"profession": "driver"}),
    "first.way": ("legs", "p1.1", {"status": "made", "from_place": "Samara", "mode": "road"}),
    "first.plan": ("legs", "p1.2", {"status": "intended", "to_place": "Georgia"}), "second.man": ("interviewees", "p2", {"gender": "man"}),
    "second.way": ("legs", "p2.1", {"status": "made", "to_place": "Oral", "mode": "foot"}), "to do": "",
    "all.left": ("statements", "s1", {"topic": "departure", "quantifier": "all", "says": "left within a week"}),
    "7": "All of them left within a week",
}  # fmt: skip
COUNTRIES = (("Samara", "RUS"), ("Georgia", "GEO"), ("Oral", "KAZ"))
PLACES = {name: {"country": code, "precision": "city"} for name, code in COUNTRIES}
TAGUETTE = {f'"{tag}": "?"': f'"{tag}": {coded!r}' for tag, coded in TAGGED.items()}
TAGUETTE["places = {}"] = f"places = {PLACES}"


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three examples, begun, filled in and run."""
    folder = tmp_path_factory.mktemp("examples")
    for name, changes in (("kobo", KOBO), ("unhcr", UNHCR), ("taguette", TAGUETTE)):
        source = ["--source", EXAMPLES / name / "text.txt"] if name == "taguette" else []
        run("new", name, "--into", folder, "--from", EXAMPLES / name / "export.csv", *source)
        edit(folder / name, changes)
        run_all(folder / name)
    return folder


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("kobo", {"interviewees": 4, "legs": 7, "places": 6}),
        ("unhcr", {"destinations": 7}),
        ("taguette", {"interviewees": 2, "legs": 3, "places": 3, "statements": 1, "evidence": 29, "paragraphs": 5}),
    ],
)
def test_an_example_becomes_an_edition(name: str, counts: dict[str, int], examples: Path):
    edition = examples / name
    assert {file.stem: len(values(file)) for file in edition.glob("*.csv")} == counts
    assert "error" not in run("check", edition).stderr
    record = json.loads((edition / "import.json").read_text(encoding="utf-8"))
    assert (record["export"], len(record["sha256"])) == ("export.csv", 64)


def test_a_form_is_read_as_it_was_answered(examples: Path):
    people = values(examples / "kobo" / "interviewees.csv", "interviewee", "age_min", "age_max", "gender")
    assert people == ["k9001 20 24 man", "k9002 25 34 man", "k9004 35 64 woman", "k9005 16 17 "]  # consent alone counts
    legs = values(examples / "kobo" / "legs.csv", "interviewee", "leg", "status", "from_place", "to_place", "mode")
    assert "k9002 1 made saratov oral several means" in legs  # Uralsk is Oral
    assert "k9004 2 intended oral oral " in legs  # she stays
    assert "k9005 2 intended  turkey " in legs
    assert open_edition(examples / "kobo").report.collected_at == "oral"
    everything = "".join(file.read_text(encoding="utf-8") for file in (examples / "kobo").iterdir())
    assert not [secret for secret in ("Invented", "000-00", "aaaa-") if secret in everything]


def test_figures_equal_a_plain_count(examples: Path):
    plain = pd.read_csv(EXAMPLES / "unhcr" / "export.csv", thousands=",", na_values="-")
    plain = plain[plain["Country of origin (ISO)"] == "RUS"]
    figures = pd.read_csv(examples / "unhcr" / "destinations.csv")
    sums = figures.groupby("measure")["low"].sum()
    assert sums["refugees"] == plain["Refugees under UNHCR's mandate"].sum() == 1285
    assert sums["asylum_seekers"] == plain["Asylum-seekers"].sum() == 455
    assert len(figures) == plain[["Refugees under UNHCR's mandate", "Asylum-seekers"]].count().sum()  # 0 is a figure
    assert {*figures["window_start"]} == {"2022-12-31", "2023-12-31"}
    additive = figures.groupby("measure")["additive"].unique().map(list).to_dict()
    assert additive == {"refugees": [True], "asylum_seekers": [False]}


PARTS = """Report date,admin0Pcode,admin1Name,Status,numPresentIdpInd,notes
#date,#country+code,#adm1+name,#status,#affected,
2023-02-15 00:00:00,KAZ,North,Persons,100,
2023-02-15 00:00:00,KAZ,South,Persons,20,
2023-02-15 00:00:00,KAZ,South,Cases,7,
2023-02-15 00:00:00,GEO,West,Persons,5,
"""


def test_rows_that_are_parts_of_one_number_are_added_up_when_that_is_said(tmp_path: Path):
    """As IOM publishes them: HXL's tags below the header, a row a region, a column without any answer."""
    edition = begun(tmp_path, PARTS)
    kept = {f'"{each}": "?"': f'"{each}": "yes"' for each in ("North", "South", "West", "Persons")}
    edit(edition, {**kept, '"Cases": "?"': '"Cases": ""', '"stated_by": "?"': '"stated_by": "IOM"'})
    assert "column additive: found 'numPresentIdpInd'" in refused(edition)[0]
    edit(edition, {'"numPresentIdpInd": "?"': '"numPresentIdpInd": "true"'})
    assert "row 3, column rows: found 'several' (2 rows)" in refused(edition)[0]
    edit(edition, {'{"several": "?"}': '{"several": "sum"}'})
    run_all(edition)
    figures = values(edition / "destinations.csv", "countries", "measure", "low", "additive")
    assert figures == ["KAZ idps 120 true", "GEO idps 5 true"]


def test_what_is_left_to_decide_is_refused(tmp_path: Path):
    edition = begun(tmp_path, (EXAMPLES / "unhcr" / "export.csv").read_bytes())
    edit(edition, {old: new for old, new in UNHCR.items() if "stated_by" not in old})
    assert "column stated_by: found '?' (7 rows), needed what only you can know" in refused(edition)[0]


def test_highlights_become_evidence_that_verifies(examples: Path):
    assert run("verify", examples / "taguette", "--source", EXAMPLES / "taguette" / "text.txt").stderr == ""
    evidence = values(examples / "taguette" / "evidence.csv", "key", "column", "paragraph", "exact", "basis")
    assert "p1 age_min 2 in her early twenties judged" in evidence
    assert "p1 profession 2 She is a nurse stated" in evidence
    assert values(examples / "taguette" / "statements.csv", "about", "topic") == ["interviewees departure"]


def test_passages_that_are_too_long_for_evidence_are_listed_in_the_draft(tmp_path: Path):
    """Words are counted as evidence counts them: it's and well-known are two each."""
    rows = ["p1,Talk,a,she said it's no well-known place", "p2,Talk,a,it's a well-known place for her family"]
    edition = begun(tmp_path, "\n".join(["id,document,tag,content", *rows, ""]))
    assert '"p2": "?"' in cells(edition)["shorter"]
    assert "p1" not in cells(edition)["shorter"]


@pytest.mark.parametrize(("people", "about"), [({"Talk": "p1"}, "p1"), ({"Talk": "?"}, "interviewees")])
def test_a_statement_is_about_whose_interview_it_is(people: dict[str, str], about: str):
    passages = pd.DataFrame([{"id": "1", "document": "Talk", "tag": "left", "content": "she left"}])
    codes = {"left": ("statements", "s1", {"topic": "departure", "says": "left"})}
    tables, _ = highlights(passages, codes, "Then she left.", people=people)
    assert tables["statements"]["about"].tolist() == [about]


def test_papermill_runs_an_import_and_one_that_stops_says_so_in_lines(tmp_path: Path):
    edition = begun(tmp_path, "Age,Sex\n20,m\n30,x\n")
    with pytest.raises(papermill.PapermillExecutionError) as caught:
        papermill.execute_notebook(str(edition / "import.ipynb"), None, cwd=str(edition), progress_bar=False)
    assert [line for line in caught.value.traceback if "analysis/imports" in line] == []
    assert "column Sex: found 'x', needed its code" in "".join(caught.value.traceback)


# --- a messy survey --------------------------------------------------------------------------------------------------


@pytest.fixture
def messy(tmp_path: Path) -> Path:
    """A workbook with a sheet of notes, a title, merged headers, and answers as people write them."""
    book = openpyxl.Workbook()
    book.active.append(["Collected in autumn; ask the field team."])
    sheet = book.create_sheet("Answers")
    for line in (
        ["Displacement survey 2022"], [], ["No.", "About you", None, None, None, "Journey", None],
        [None, "Age", "Sex", "Job", "People in household", "From", "Border town"],
        [1, 34.0, "Male", "teacher", 3, "Moscow", "Oral"], [2, "> 60", "Female", "Teacher", "٤", "Moscow", "Oral"],
        [3, "25 to 34", "male", "cook", "don't know", "Kolomna", "Oral"], [4, "40 to 49", "Female", "don't know", "2.0", "", ""],
    ):  # fmt: skip
        sheet.append(line)
    for merged in ("A1:G1", "B3:E3", "F3:G3"):
        sheet.merge_cells(merged)
    book.save(tmp_path / "s.xlsx")
    said, _ = start("trial", tmp_path, tmp_path / "s.xlsx")
    assert "sheet 'Answers': header in row 3 and 4, 4 rows, 7 columns" in said
    own = "About you / People in household"
    size = f'"household_size": whole_number(answers["{own}"], {{"don\'t know": ""}})'
    changes = {f'# "{own}"': f'"{own}"', '# "household_size": whole_number(answers["…"])': size}
    edit(tmp_path / "trial", changes | {'"> 60": "?"': '"> 60": "61-99"'})
    return tmp_path / "trial"


def test_a_messy_survey_becomes_an_edition_with_a_column_of_its_own(messy: Path):
    for _ in "again":
        run_all(messy)
    people = messy / "interviewees.csv"
    assert values(people, "age_min", "age_max") == ["34 34", "61 99", "25 34", "40 49"]
    assert values(people, "gender", "profession") == ["man teacher", "woman teacher", "man cook", "woman "]
    assert values(messy / "legs.csv", "from_place", "to_place") == ["moscow oral", "moscow oral", "kolomna oral"]
    file = messy / "datapackage.json"
    package = json.loads(file.read_text(encoding="utf-8"))
    own = package["resources"][0]["schema"]["fields"][-1]
    assert own == {"name": "household_size", "type": "integer", "title": "Household size", "description": ""}
    own["title"], package["title"] = "People in the household", "Mine"
    file.write_text(json.dumps(package), encoding="utf-8")
    run_all(messy)
    assert json.loads(file.read_text(encoding="utf-8")) == package
    assert values(people, "household_size") == ["3", "4", "", "2"]


def test_a_next_export_is_one_parameter_and_stops_at_what_is_new(messy: Path):
    run_all(messy)
    book = openpyxl.load_workbook(messy.parent / "s.xlsx")
    for number in range(3):
        book["Answers"].append([5 + number, 20, "Transwoman", "cook", 1, "Moscow", "Aral"])
    following = str(messy.parent / "next.xlsx")
    book.save(following)
    (line,) = refused(messy, export=following)
    assert "row 9, column About you / Sex: found 'Transwoman' (3 rows), needed its code" in line
    assert 'add "Transwoman": "…"' in line
    edit(messy, {'"Male": "man"': '"Male": "man", "Transwoman": "woman"'})
    (line,) = refused(messy, export=following)
    assert "found 'Aral' (3 rows), needed country and precision of the place" in line
    edit(messy, {'"Oral": {': '"Aral": "Oral", "Oral": {'})
    run_all(messy, export=following)
    assert len(values(messy / "interviewees.csv")) == 7


@pytest.mark.parametrize("change", ["row", "own table"])
def test_edits_by_hand_are_not_lost(change: str, messy: Path):
    run_all(messy)
    table = messy / "legs.csv"
    table.write_text(table.read_text().replace("kolomna", "moscow"))
    if change == "own table":
        (messy / "import.json").unlink()
    assert "discard_edits=True" in refused(messy)[0]
    run_all(messy, discard_edits=True)
    assert "kolomna" in table.read_text()


def test_what_check_finds_is_one_line_a_cause_and_nothing_is_written(messy: Path):
    edit(messy, {'"age_min": age["age_min"]': '"age_min": age["age_max"] + 1'})
    (line,) = refused(messy)
    assert "s.xlsx, table interviewees, rows 5, 6, 7 and 1 more, column age_min" in line
    assert "found '35', '100', '50', needed age_min no greater than age_max" in line


@pytest.mark.parametrize(("name", "content"), [("import.json", "{"), ("datapackage.json", '{"resources": 3}')])
def test_an_edition_whose_own_files_are_broken_is_left_alone(name: str, content: str, messy: Path):
    (messy / name).write_text(content)
    assert name in refused(messy)[0]


# --- exports as tools write them, and hostile ones -------------------------------------------------------------------

TABLE = "Age,Sex,From,Name\n20-24,m,Moscow,A\n30,f,Moscow,B\n"


@pytest.mark.parametrize(
    "table",
    [
        b"\xef\xbb\xbf" + TABLE.encode(), TABLE.encode("utf-16"), TABLE.replace(",", "\t").replace("\n", "\r\n").encode(),
        TABLE.replace("20-24", "  20 – 24 years\u00a0").replace("Age,", '" Age\n",').encode(), (TABLE + ",,,\n\n").encode(),
    ],
    ids=["byte order mark", "UTF-16", "tabs and CRLF", "blanks", "blank rows"],
)  # fmt: skip
def test_exports_may_be_written_as_tools_write_them(table: bytes, tmp_path: Path):
    (tmp_path / "e.csv").write_bytes(table)
    answers = read_export(tmp_path / "e.csv")
    assert age_range(answers["Age"]).to_numpy().tolist() == [[20, 24], [30, 30]]
    assert answers.columns.tolist() == ["Age", "Sex", "From", "Name"]


def test_other_encodings_are_guessed_and_said(tmp_path: Path):
    (tmp_path / "e.csv").write_bytes("Возраст;Пол\n20;муж\n30;жен\n".encode("cp1251"))
    said, _ = start("trial", tmp_path, tmp_path / "e.csv")
    assert "taken for Windows-1251, cells parted by ';'" in said
    run_all(tmp_path / "trial")
    assert values(tmp_path / "trial" / "interviewees.csv", "gender") == ["man", "woman"]


ODD = [
    "x\u2028import os", "a\u0085b", "c\rd", "e\nf", '"quoted"', "it's", "back\\slash", "\u202eturned", "{{ 7 * 7 }}", "# %% [code] x",
    "=1+1", '"""', "{% raw %}",
]  # fmt: skip


def test_no_answer_becomes_code(tmp_path: Path):
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(["Age", "Sex", "From", "x\u2028y\r\n'\"z"])
    writer.writerows([20 + n, odd, odd, odd] for n, odd in enumerate(ODD))
    edition = begun(tmp_path, text.getvalue())
    (tmp_path / "plain").mkdir()
    plain = begun(tmp_path / "plain", TABLE)

    def statements(each: Path) -> list[type]:
        return [type(node) for name in ("read", "write") for node in ast.parse(cells(each)[name]).body]

    assert statements(edition) == statements(plain)
    codes = ast.literal_eval(ast.parse(cells(edition)["recodes"]).body[0].value)
    assert set(codes["Sex"]) == {each.strip() for each in ODD}
    assert len(refused(edition)) == len(ODD)


@given(st.text(max_size=30))
def test_a_text_is_spelt_on_one_line(text: str):
    assert ast.literal_eval(quoted(text)) == text
    assert len(quoted(text).splitlines()) == 1


def test_blank_rows_are_passed_over_and_formulas_never_computed_said(tmp_path: Path):
    (tmp_path / "e.xlsx").write_bytes(workbook(("A3", "=10+10"), ("B3", "#REF!"), ("A100000", 21)))
    answers = read_export(tmp_path / "e.xlsx")
    assert answers.index.tolist() == [2, 100000]
    assert "2 errors or formulas without a value read as blank" in answers.attrs["read"]


# --- REFI-QDA --------------------------------------------------------------------------------------------------------

TALK = "Talk one.\nI left with my brother. We took a bus.\n"
PROJECT = """<Project xmlns="urn:QDA-XML:project:1.0"><CodeBook><Codes><Code guid="c1" name="bus"><Code guid="c2" name="way"/></Code></Codes></CodeBook>
<Sources><TextSource guid="s1" name="Talk" plainTextPath="internal://s1.txt">
<PlainTextSelection guid="p1" startPosition="34" endPosition="47"><Coding guid="x"><CodeRef targetGUID="c1"/></Coding>
<Coding guid="y"><CodeRef targetGUID="c2"/></Coding></PlainTextSelection></TextSource></Sources></Project>"""


def test_a_refi_qda_project_is_coded_like_highlights(tmp_path: Path):
    edition = begun(tmp_path, archive(("project.qde", PROJECT.encode()), ("sources/s1.txt", TALK.encode())), "e.qdpx")
    assert len(refused(edition)) == 2
    bus = '"bus": ("legs", "{person}.1", {"status": "made", "mode": "road"})'
    edit(edition, {'"bus": "?"': bus, '"way": "?"': '"way": ""'})
    assert "needed whose interview it is" in refused(edition)[0]
    edit(edition, {'"Talk": "?"': '"Talk": "p1"'})
    run_all(edition)
    assert values(edition / "legs.csv", "mode") == ["road"]
    assert {*values(edition / "evidence.csv", "exact")} == {"We took a bus"}


# --- answers ---------------------------------------------------------------------------------------------------------


def test_answers_that_say_nothing_known_are_asked_about_once():
    numbers = pd.Series(["1,5", "don't know", "1,5", "2022.0"], name="n")
    assert len(problems(lambda: whole_number(numbers))) == 2
    assert whole_number(numbers, {"1,5": 2, "don't know": ""}).tolist() == [2, pd.NA, 2, 2022]
    assert whole_number(pd.Series(["1,205"]), thousands=",").tolist() == [1205]
    assert 'add "60+": "…"' in problems(lambda: age_range(pd.Series(["60+", "٢٥"])))[0]
    assert len(problems(lambda: recode(pd.DataFrame({"a": ["x"], "b": ["y"]}), {"a": {}, "b": {}}))) == 2


def test_places_of_no_latin_letters_need_an_identifier():
    legs = pd.DataFrame({"to": ["Орал"]})
    assert '"place": "city-1"' in problems(lambda: locate(legs, {"Орал": {"country": "KAZ", "precision": "city"}}))[0]
    _, table = locate(legs, {"Орал": {"place": "oral", "country": "KAZ", "precision": "city"}})
    assert table["place"].tolist() == ["oral"]


def test_tables_that_no_edition_has_are_refused(tmp_path: Path):
    start("trial", tmp_path)
    (line,) = problems(lambda: write_edition(tmp_path / "trial", {"interviewee": pd.DataFrame({"a": [1]})}))
    assert "did you mean 'interviewees'?" in line
    assert "found 'no rows'" in problems(lambda: write_edition(tmp_path / "trial", {}))[0]
