"""Beginning an edition: empty tables to fill by hand, or a notebook that imports an export.

The notebook is filled in with what can be guessed of the export; the rest is left as "?". What an export holds gets into it
as literals on one line each, by `quoted`, or as counts; cells are parted before they are filled, so that no value begins one.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import iso3166
import jinja2
import nbformat.v4
import pandas as pd

from analysis.coding.relations import MOST_WORDS
from analysis.coding.rules import words
from analysis.folder import PACKAGE
from analysis.imports.answers import ASK, bounds, quoted
from analysis.imports.files import PASSAGES, is_project, read_export, read_text
from analysis.imports.highlights import text_tables
from analysis.imports.write import NOTEBOOK, resource
from analysis.schema import ROOT, TABLES, countries, schema, vocabulary
from analysis.tables import shown_path
from parabook.errors import InputError, show

TEMPLATES = Path(__file__).with_name("templates")
GUESSES = json.loads((TEMPLATES / "guesses.json").read_text(encoding="utf-8"))
"""Words of columns and answers, and what they usually mean."""
STARTED = tuple(name for name in TABLES if name != "settlements")
"""The tables of an empty edition; settled differences need a second coding first."""
MOST_LISTED = 200
"""Different answers of a column that a draft lists."""
NUMBER = r"\d{1,3}(?:[, ]\d{3})+|\d+(?:\.0+)?"

Listed = list[tuple[str, Any, str]]
"""Answers as a draft lists them: what each means, "?" where that is to be decided, and how many rows have it."""


def start(
    name: str, into: Path | None = None, export: Path | None = None, source: Path | None = None
) -> tuple[str, str]:
    """Begin an edition under ``data/``, in another folder, or at the path that the name is: what was read, what comes next.

    With an `export` a notebook that imports it is drafted, and no table is written yet; else the tables are empty, but
    for the paragraphs of the text that is coded, the `source`. Nothing is written when something stands there already,
    or a file cannot be read (InputError).
    """
    path = into / name if into else Path(name) if "/" in name else ROOT / "data" / name
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", name.rpartition("/")[2]) or ".." in path.parts:
        raise InputError.one("NAME", show(name), "small letters, digits, - and _, beginning with a letter or digit")
    if not path.parent.is_dir():
        raise InputError.one(path.parent, "no such folder", "a folder to write the edition into", "make it first")
    path = path.parent.resolve() / path.name
    if os.path.lexists(path) and (not path.is_dir() or path.is_symlink() or any(path.iterdir())):
        needed = f"a new name, or an empty folder; the {NOTEBOOK} of an edition imports the next export"
        raise InputError.one(shown_path(path), "something that stands there", needed)
    shown = os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
    files, said = _files(path, export, source)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=path.parent) as folder:
        stage = Path(folder) / path.name
        stage.mkdir()
        for file, text in files.items():
            (stage / file).write_text(text, encoding="utf-8")
        stage.replace(path)
    first = f'look at each cell of {shown}/{NOTEBOOK}, replace every "?", and run it'
    steps = [first if export else f"fill the tables of {shown}, see HOWTO.md there", f"fill {shown}/{PACKAGE}"]
    steps += [f"analysis check {shown}", f"analysis build {shown}"]
    return said, "\n".join([f"{shown}: begun; next:", *(f"  {step}" for step in steps)])


def _files(path: Path, export: Path | None, source: Path | None) -> tuple[dict[str, str], str]:
    """The files of a new edition, and what was read of its export."""
    tables = () if export else STARTED
    files = {f"{table}.csv": ",".join(schema(table).columns) + "\n" for table in tables}
    said = ""
    if export:
        files[NOTEBOOK], said = draft(path, export, source)
    elif source:
        files["paragraphs.csv"] = text_tables(read_text(source))["paragraphs"].to_csv(index=False)
    blank = json.loads((TEMPLATES / PACKAGE).read_text(encoding="utf-8"))
    package = {"name": path.name, **blank, "resources": [resource(table) for table in tables]}
    files[PACKAGE] = json.dumps(package, indent=2, ensure_ascii=False) + "\n"
    howto = environment().get_template("howto.md.j2")
    context = {"tables": [schema(table) for table in tables or STARTED], "notebook": export.name if export else ""}
    files["HOWTO.md"] = howto.render(
        context, called=path.name if path.parent == ROOT / "data" else f"path/to/{path.name}"
    )
    return files, said


def draft(path: Path, export: Path, source: Path | None) -> tuple[str, str]:
    """The import notebook of an edition, and what was read of the export, guesses included."""
    answers = read_export(export)
    if answers.empty:
        raise InputError.one(answers.attrs["source"], "no rows", "rows of answers below the header")
    kind, context = _kind(answers)
    said, header = str(answers.attrs["read"]), answers.attrs.get("header", ())
    context |= {
        "said": said.replace("`", "'"), "notebook": shown_path(path / NOTEBOOK), "export": portable(export),
        "source": portable(source or export) if source or is_project(export) else ASK,
        "edition": path.name if path.parent == ROOT / "data" else portable(path),
        "sheet": answers.attrs.get("sheet"), "header": header[0] if len(header) == 1 else header or None,
    }  # fmt: skip
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    made = nbformat.v4.new_notebook(cells=[*cells(f"{kind}.py.j2", context)], metadata={"kernelspec": kernel})
    return nbformat.writes(made) + "\n", said


def portable(path: Path) -> str:
    """A path as a notebook keeps it: from the checkout, or from the home folder, or whole."""
    whole = path.expanduser().resolve()
    if whole.is_relative_to(ROOT):
        return str(whole.relative_to(ROOT))
    return f"~/{whole.relative_to(Path.home())}" if whole.is_relative_to(Path.home()) else str(whole)


def cells(template: str, context: Mapping[str, Any]) -> Iterator[Any]:
    """The cells of a template, which are parted by `# %% [kind] id tags`; one that comes out blank is left out."""
    parts = re.split(r"^# %% \[(\w+)\] ([\w-]+)(.*)$\n", (TEMPLATES / template).read_text("utf-8"), flags=re.M)[1:]
    for kind, name, tags, source in zip(*(iter(parts),) * 4, strict=True):
        if text := environment().from_string(source).render(context).strip():
            new = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
            yield new(text, id=name, metadata={"tags": tags.split()} if tags else {})


@cache
def environment() -> jinja2.Environment:
    """The templates of this folder; `py` spells a value as Python, `listing` answers as a dict with a line for each."""
    loader = jinja2.FileSystemLoader(TEMPLATES)
    made = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    spelt: dict[type, Callable[[Any], str]] = {str: quoted, dict: json.dumps}
    made.filters["py"] = lambda value: spelt.get(type(value), repr)(value)
    macros = made.get_template("listing.py.j2").module
    made.globals |= {name: getattr(macros, name) for name in ("columns_of", "listing")}
    return made


# --- what a column is for, what an answer means ----------------------------------------------------------------------


def _matches(header: str, patterns: Iterable[str]) -> bool:
    """Whether the last part of a header says one of the words."""
    plain = " ".join(re.sub(r"[\W_]+", " ", header.rpartition("/")[2].casefold()).split())
    return any(re.search(rf"(?<!\w)(?:{pattern})(?!\w)", plain) for pattern in patterns)


def targets_of(answers: pd.DataFrame) -> dict[str, str]:
    """The column of an export that probably fills each column of an edition; blank for none."""
    found: dict[str, str] = {}
    personal = {column for column in answers.columns if _matches(column, GUESSES["personal"])}
    for target, patterns in GUESSES["targets"].items():
        apart = {*found.values(), *(() if target == "interviewee" else personal)}
        left = [column for column in answers.columns if column not in apart and _fits(target, answers[column])]
        found[target] = next((column for pattern in patterns for column in left if _matches(column, [pattern])), "")
    return found


def _fits(target: str, answers: pd.Series) -> bool:
    """Whether a column's answers can be what its header promises."""
    given = answers[answers != ""]
    if target == "interviewee":
        return answers.is_unique and bool(answers.str.fullmatch(r"[\w-]*\d[\w-]*").all())
    if target == "age":
        return bool(given.map(lambda text: bounds(text) is not None).mean() >= 0.5)
    return len(given) > 0 and (target != "year" or bool(given.str.fullmatch("(?:19|20)[0-9]{2}").all()))


def listed(answers: pd.Series, code: Callable[[str], Any]) -> Listed:
    """The different answers of a column, the most frequent first, with what each is guessed to mean."""
    counts = answers[answers != ""].value_counts().head(MOST_LISTED)
    return [(str(answer), code(str(answer)), f"{n:,} row{'s' * (n != 1)}") for answer, n in counts.items()]


def _code(target: str, answer: str) -> str:
    """The code that an answer is usually given: "" for what says nothing, "?" where that is not known."""
    plain = answer.casefold().replace("_", " ").strip(" .")
    known = {word: code for code, said in GUESSES["codes"].get(target, {}).items() for word in (*said, code)}
    return str(known.get(plain, "" if plain in GUESSES["silent"] else ASK))


def _place(answer: str) -> object:
    """A place as `locate` takes it."""
    if answer.casefold() in GUESSES["silent"]:
        return ""
    if known := vocabulary("gazetteer").get(answer):
        where = {key: float(known[key]) for key in ("latitude", "longitude")}
        return {"country": known["country"], "precision": known["precision"]} | where
    code = _country(answer)
    return {"country": code, "precision": "country" if code != ASK else ASK}


def _country(name: str) -> str:
    """The ISO code of a country by its name or code; "?" where it is not known."""
    named = {each.name.casefold(): each.alpha3 for each in iso3166.countries} | GUESSES["countries"]
    named |= {known.casefold(): code for code, known in countries().items()}
    return name if name in countries() else str(named.get(name.casefold(), ASK))


# --- kinds of exports ------------------------------------------------------------------------------------------------


def _kind(answers: pd.DataFrame) -> tuple[str, dict[str, Any]]:
    """Which template an export asks for, and what fills it: coded passages, figures by country and day, or answers."""
    if {*PASSAGES} <= {*answers.columns}:
        lengths = {each["id"]: len(words(each["content"])) for each in answers.to_dict("records")}
        return "highlights", {
            "codes": listed(answers["tag"], lambda _: ASK),
            "people": listed(answers["document"], lambda _: ASK),
            "shorter": [(name, ASK, f"{n} words") for name, n in lengths.items() if n > MOST_WORDS][:MOST_LISTED],
        }
    targets = targets_of(answers)
    counted = answers.drop(columns=[column for column in targets.values() if column]).replace(GUESSES["silent"], "")
    numbers = [
        column for column in counted if (counted[column].replace("", None).dropna().str.fullmatch(NUMBER)).mean() > 0.8
    ]
    when = targets["year"] or targets["day"]
    figures = when and numbers and targets["asylum"] and not (targets["age"] or targets["gender"])
    kind, context = ("flows", _flows(answers, targets, numbers)) if figures else ("survey", _survey(answers, targets))
    used = {*context.pop("used"), ""}
    counts = zip(answers.columns, answers.replace("", None).nunique(), (answers != "").sum(), strict=True)
    columns = [(column, column in used, f"{n:,} different in {rows:,} rows") for column, n, rows in counts]
    return kind, context | {"columns": columns, "targets": targets}


def _survey(answers: pd.DataFrame, targets: dict[str, str]) -> dict[str, Any]:
    """What fills the template of a survey."""

    def of(name: str) -> Listed:
        return listed(answers[targets[name]], lambda answer: _code(name, answer)) if targets[name] else []

    stops = [targets[name] for name in ("from_place", "to_place", "next_place") if targets[name]]
    filled = ("consent", "interviewee", "age", "gender", "profession", "mode", "departed", "nights_waited")
    usual: dict[str, str] = {}  # of answers that differ by case and blanks only, the one that more people gave
    for answer, _, _ in of("profession"):
        usual.setdefault(" ".join(answer.casefold().split()), answer)
    same = [(each, code and usual[" ".join(each.casefold().split())], note) for each, code, note in of("profession")]
    return {
        "used": [*stops, *(targets[name] for name in filled)],
        "consent": of("consent"),
        "recodes": {targets[name]: of(name) for name in ("gender", "mode") if targets[name]},
        "ages": [each for each in of("age") if bounds(each[0]) is None],
        "professions": [each for each in same if each[0] != each[1]],
        "stops": stops,
        "places": listed(pd.concat([answers[column] for column in stops]), _place) if stops else [],
        "allowed": {each.name: ", ".join(each.enum) for name in ("interviewees", "legs", "places") for each in schema(name).fields},
    }  # fmt: skip


def _flows(answers: pd.DataFrame, targets: dict[str, str], numbers: list[str]) -> dict[str, Any]:
    """What fills the template of a table of figures."""
    when, asylum, origin = targets["year"] or targets["day"], targets["asylum"], targets["origin"]
    values = answers[numbers].melt()["value"]
    several = ASK if origin and answers[origin].nunique() > 1 else "yes"
    named = listed(answers[asylum], _country)
    return {
        "used": [when, asylum, origin, *numbers],
        "when": when,
        "countries": named if any(answer != code for answer, code, _ in named) else [],
        "origins": listed(answers[origin], lambda _: several) if origin else [],
        "measures": [(name, _code("measure", name), f"{(answers[name] != '').sum():,} rows") for name in numbers],
        "silent": listed(values[~values.str.fullmatch(NUMBER)], lambda answer: _code("number", answer)),
        "thousands": "," if values.str.fullmatch(r"\d{1,3}(?:,\d{3})+").any() else "",
    }
