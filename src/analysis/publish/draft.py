"""Drafting import notebooks: an export is looked at, what can be guessed is filled in, the rest is left as "?".

What an export holds gets into a notebook as literals on one line each, by `analysis.imports.answers.quoted`, or as counts.
Cells are parted before they are filled, so that no value can begin one.
"""

from __future__ import annotations

import json
import re
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
from analysis.imports.answers import ASK, bounds, quoted
from analysis.imports.files import PASSAGES, is_project, located, read_export
from analysis.imports.write import NOTEBOOK
from analysis.schema import ROOT, countries, schema, vocabulary
from analysis.tables import shown_path
from parabook.errors import InputError

TEMPLATES = Path(__file__).with_name("templates")
MOST_LISTED = 200
"""Different answers of a column that a draft lists."""
NUMBER = r"[0-9]{1,3}(?:[, ][0-9]{3})+|[0-9]+(?:\.0+)?"

Listed = list[tuple[str, Any, str]]
"""Answers as a draft lists them: what each means, "?" where that is to be decided, and how many rows have it."""


def draft(path: Path, export: Path, source: Path | None) -> tuple[str, str]:
    """The import notebook of an edition, and what was read of the export, guesses included."""
    answers = read_export(export)
    said = str(answers.attrs["read"])
    if answers.empty:
        raise InputError.one(answers.attrs["source"], "no rows", "rows of answers below the header")
    kind, context = _kind(answers)
    header = answers.attrs.get("header", ())
    context |= {"said": said.replace("`", "'"), "notebook": shown_path(path / NOTEBOOK), "export": portable(export)}
    context |= {"sheet": answers.attrs.get("sheet"), "header": header[0] if len(header) == 1 else header or None}
    context |= {"edition": path.name if path.parent == ROOT / "data" else portable(path)}
    context |= {"source": portable(source or export) if source or is_project(located(export)) else ASK}
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
        text = environment().from_string(source).render(context).strip()
        if text and kind == "code":
            yield nbformat.v4.new_code_cell(text, id=name, metadata={"tags": tags.split()} if tags else {})
        elif text:
            yield nbformat.v4.new_markdown_cell(text, id=name)


@cache
def environment() -> jinja2.Environment:
    """The templates of this folder; `py` spells a value as Python, `listing` answers as a dict with a line for each."""
    loader = jinja2.FileSystemLoader(TEMPLATES)
    made = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    spelt: dict[type, Callable[[Any], str]] = {str: quoted, dict: json.dumps}
    made.filters["py"] = lambda value: spelt.get(type(value), repr)(value)
    made.globals |= {
        name: getattr(made.get_template("listing.py.j2").module, name) for name in ("columns_of", "listing")
    }
    return made


# --- what a column is for, what an answer means ----------------------------------------------------------------------


@cache
def guesses() -> Mapping[str, Any]:
    """Words of columns and answers, and what they usually mean: `templates/guesses.json`."""
    found: Mapping[str, Any] = json.loads((TEMPLATES / "guesses.json").read_text(encoding="utf-8"))
    return found


def _matches(header: str, patterns: Iterable[str]) -> bool:
    """Whether the last part of a header says one of the words."""
    plain = " ".join(re.sub(r"[\W_]+", " ", header.rpartition("/")[2].casefold()).split())
    return any(re.search(rf"(?<!\w)(?:{pattern})(?!\w)", plain) for pattern in patterns)


def targets_of(answers: pd.DataFrame) -> dict[str, str]:
    """The column of an export that probably fills each column of an edition; blank for none."""
    found: dict[str, str] = {}
    named = {column for column in answers.columns if _matches(column, guesses()["personal"])}
    for target, patterns in guesses()["targets"].items():
        left = [column for column in answers.columns if column not in found.values() and answers[column].any()]
        left = left if target == "interviewee" else [column for column in left if column not in named]
        fitting = (c for pattern in patterns for c in left if _matches(c, [pattern]) and _fits(target, answers[c]))
        found[target] = next(fitting, "")
    return found


def _fits(target: str, answers: pd.Series) -> bool:
    """Whether a column's answers can be what its header promises."""
    given = answers[answers != ""]
    if target == "interviewee":
        return bool(answers.is_unique and answers.map(lambda text: bool(re.fullmatch(r"[\w-]*\d[\w-]*", text))).all())
    if target == "age":
        return bool(given.map(lambda text: bounds(text) is not None).mean() >= 0.5)
    return target != "year" or bool(given.str.fullmatch("(?:19|20)[0-9]{2}").all())


def listed(answers: pd.Series, code: Callable[[str], Any]) -> Listed:
    """The different answers of a column, the most frequent first, with what each is guessed to mean."""
    counts = answers[answers != ""].value_counts().head(MOST_LISTED)
    return [(str(answer), code(str(answer)), f"{n:,} row{'s' * (n != 1)}") for answer, n in counts.items()]


def _code(target: str, answer: str) -> str:
    """The code that an answer is usually given: "" for what says nothing, "?" where that is not known."""
    plain = answer.casefold().replace("_", " ").strip(" .")
    known = guesses()["codes"].get(target, {})
    silent = "" if plain in guesses()["silent"] else ASK
    return next((code for code, said in known.items() if plain in said), plain if plain in known else silent)


def _place(answer: str) -> object:
    """A place as `locate` takes it."""
    if answer.casefold() in guesses()["silent"]:
        return ""
    if known := vocabulary("gazetteer").get(answer):
        where = {key: float(known[key]) for key in ("latitude", "longitude")}
        return {"country": known["country"], "precision": known["precision"]} | where
    code = _country(answer)
    return {"country": code, "precision": "country" if code != ASK else ASK}


def _country(name: str) -> str:
    """The ISO code of a country by its name or code; "?" where it is not known."""
    named = {each.name.casefold(): each.alpha3 for each in iso3166.countries} | guesses()["countries"]
    named |= {known.casefold(): code for code, known in countries().items()}
    return name if name in countries() else str(named.get(name.casefold(), ASK))


def _form(answers: pd.Series) -> str:
    """How days are written, as `strptime` has it; "?" where two forms would do."""
    forms = ["%Y-%m-%d", *(f"{form}{sign}%Y" for sign in "/.-" for form in (f"%d{sign}%m", f"%m{sign}%d"))]
    given = answers[answers != ""].str.split("T").str[0]
    fitting = [form for form in forms if pd.to_datetime(given, format=form, errors="coerce").notna().mean() > 0.9]
    return fitting[0] if len(fitting) == 1 else ASK


# --- kinds of exports ------------------------------------------------------------------------------------------------


def _kind(answers: pd.DataFrame) -> tuple[str, dict[str, Any]]:
    """Which template an export asks for, and what fills it."""
    if {*PASSAGES} <= {*answers.columns}:
        return "highlights", _highlights(answers)
    targets = targets_of(answers)
    when = targets["year"] or targets["day"]
    numbers = [column for column in answers.columns if column != when and _is_number(answers[column])]
    if when and numbers and targets["asylum"] and not (targets["age"] or targets["gender"]):
        return "flows", _flows(answers, targets, when, numbers)
    return "survey", _survey(answers, targets)


def _is_number(answers: pd.Series) -> bool:
    given = answers[(answers != "") & ~answers.str.casefold().isin(guesses()["silent"])]
    coded = _matches(str(answers.name), ["code", "id", "lat(itude)?", "lon(gitude)?", "m49"])
    return len(given) > 0 and not coded and bool(given.str.fullmatch(NUMBER).mean() > 0.8)


def _columns(answers: pd.DataFrame, used: Iterable[str]) -> list[tuple[str, bool, str]]:
    """Every column, whether it is used, and how many different answers it has."""
    counts = zip(answers.columns, answers.replace("", None).nunique(), (answers != "").sum(), strict=True)
    return [(column, column in used, f"{n:,} different in {rows:,} rows") for column, n, rows in counts]


def _survey(answers: pd.DataFrame, targets: dict[str, str]) -> dict[str, Any]:
    """What fills the template of a survey."""

    def of(name: str) -> Listed:
        return listed(answers[targets[name]], lambda answer: _code(name, answer)) if targets[name] else []

    stops = [targets[name] for name in ("from_place", "to_place", "next_place") if targets[name]]
    used = {targets[each] for each in ("consent", "interviewee", "age", "gender", "profession", "mode")} | {*stops}
    used |= {targets[each] for each in ("departed", "nights_waited")}
    return {
        "targets": targets,
        "columns": _columns(answers, used),
        "consent": of("consent"),
        "recodes": {targets[name]: of(name) for name in ("gender", "mode") if targets[name]},
        "ages": [each for each in of("age") if bounds(each[0]) is None],
        "professions": _other_spellings(of("profession")),
        "stops": stops,
        "places": listed(pd.concat([answers[column] for column in stops]), _place) if stops else [],
        "form": _form(answers[targets["departed"]]) if targets["departed"] else "",
        "allowed": {each.name: ", ".join(each.enum) for name in ("interviewees", "legs", "places") for each in schema(name).fields},
    }  # fmt: skip


def _other_spellings(found: Listed) -> Listed:
    """Answers that say nothing, or differ only by case and blanks from one that more people gave."""
    usual: dict[str, str] = {}
    for answer, _, _ in found:
        usual.setdefault(" ".join(answer.casefold().split()), answer)
    same = [(answer, code and usual[" ".join(answer.casefold().split())], note) for answer, code, note in found]
    return [each for each in same if each[0] != each[1]]


def _flows(answers: pd.DataFrame, targets: dict[str, str], when: str, numbers: list[str]) -> dict[str, Any]:
    """What fills the template of a table of figures."""
    coded = answers.columns[answers.isin([*countries(), ""]).mean() > 0.8]
    asylum, origin = (
        next((column for column in coded if name and column.startswith(name)), name)
        for name in (targets["asylum"], targets["origin"])
    )
    values = answers[numbers].melt()["value"]
    several = ASK if origin and answers[origin].nunique() > 1 else "yes"
    return {
        "columns": _columns(answers, {when, asylum, origin, *numbers}),
        "when": when,
        "form": "" if when == targets["year"] else _form(answers[when]),
        "asylum": asylum,
        "countries": [] if asylum in coded else listed(answers[asylum], _country),
        "origin": origin,
        "origins": listed(answers[origin], lambda _: several) if origin else [],
        "measures": [
            (column, _code("measure", column), f"{(answers[column] != '').sum():,} rows") for column in numbers
        ],
        "silent": listed(values[~values.str.fullmatch(NUMBER)], lambda answer: _code("number", answer)),
        "thousands": "," if values.str.fullmatch(r"[0-9]{1,3}(?:,[0-9]{3})+").any() else "",
    }


def _highlights(passages: pd.DataFrame) -> dict[str, Any]:
    """What fills the template of coded passages."""
    lengths = {each["id"]: len(words(each["content"])) for each in passages.to_dict("records")}
    return {
        "codes": listed(passages["tag"], lambda _: ASK),
        "people": listed(passages["document"], lambda _: ASK),
        "shorter": [(name, ASK, f"{n} words") for name, n in lengths.items() if n > MOST_WORDS][:MOST_LISTED],
    }
