"""Drafting import notebooks: an export is looked at, what can be guessed is filled in, the rest is left as "?".

What an export holds gets into a notebook as literals on one line each, by `analysis.imports.answers.quoted`, or as counts.
Cells are parted before they are filled, so that no value can begin one.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import jinja2
import pandas as pd

from analysis.coding.relations import MOST_WORDS
from analysis.coding.rules import words
from analysis.imports.ages import bounds
from analysis.imports.answers import ASK, TICKED, quoted
from analysis.imports.exports import PASSAGES, kind_of, located, read_export
from analysis.imports.write import NOTEBOOK
from analysis.schema import ROOT, countries, schema, vocabulary
from analysis.tables import shown_path
from parabook.errors import InputError

TEMPLATES: Final = Path(__file__).with_name("templates")
MOST_LISTED: Final = 200
"""Different answers of a column that a draft lists."""
NUMBER: Final = r"[0-9]{1,3}(?:[, ][0-9]{3})+|[0-9]+(?:\.0+)?"


@cache
def guesses() -> Mapping[str, Any]:
    """Words of columns and answers, and what they usually mean: `templates/guesses.json`."""
    found: Mapping[str, Any] = json.loads((TEMPLATES / "guesses.json").read_text(encoding="utf-8"))
    return found


@dataclass(frozen=True)
class Answer:
    """An answer as a draft lists it: what it means, "?" where that is to be decided, and how many rows have it."""

    answer: str
    code: Any
    note: str


@dataclass
class Listed:
    """A column, and its answers with their codes."""

    name: str
    answers: list[Answer] = field(default_factory=list)


# --- notebooks -------------------------------------------------------------------------------------------------------


def draft(path: Path, export: Path, source: Path | None) -> tuple[str, str]:
    """The import notebook of an edition, and what was read of the export, guesses included."""
    answers = read_export(located(export))
    if answers.empty:
        raise InputError.one(answers.attrs["source"], "no rows", "rows of answers below the header")
    said = str(answers.attrs["read"])
    name, context = _kind(answers)
    context |= {"export": portable(export), "edition": path.name if path.parent == ROOT / "data" else portable(path)}
    header: tuple[int, ...] = answers.attrs.get("header", ())
    context |= {"sheet": answers.attrs.get("sheet"), "header": header[0] if len(header) == 1 else header or None}
    context |= {"said": said.replace("`", "'"), "notebook": shown_path(path / NOTEBOOK)}
    if name == "highlights":
        held = kind_of(located(export)) == "REFI-QDA"
        context["source"] = portable(source) if source else portable(export) if held else ASK
    return notebook(render_cells(f"{name}.py.j2", **context)), said


def portable(path: Path) -> str:
    """A path as a notebook keeps it: from the checkout, or from the home folder, or whole."""
    whole = path.expanduser().resolve()
    if whole.is_relative_to(ROOT):
        return str(whole.relative_to(ROOT))
    return f"~/{whole.relative_to(Path.home())}" if whole.is_relative_to(Path.home()) else str(whole)


def render(template: str, **context: Any) -> str:
    """A template of `templates`, filled."""
    return _environment().get_template(template).render(context)


def render_cells(template: str, **context: Any) -> Iterator[tuple[str, str, list[str], str]]:
    """Kind, id, tags and source of each cell of a template; a cell that comes out blank is left out."""
    parts = re.split(r"^# %% \[(\w+)\] ([\w-]+)(.*)$\n", (TEMPLATES / template).read_text("utf-8"), flags=re.M)[1:]
    for kind, name, tags, source in zip(*(iter(parts),) * 4, strict=True):
        text = _environment().from_string(source).render(context).strip()
        if text:
            yield kind, name, tags.split(), text


@cache
def _environment() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(TEMPLATES)
    made = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    made.filters["py"] = lambda value: quoted(value) if isinstance(value, str) else repr(value)
    return made


def notebook(cells: Iterable[tuple[str, str, list[str], str]]) -> str:
    """A Jupyter notebook (nbformat 4.5) of cells; each code cell must be Python."""
    made = []
    for kind, name, tags, source in cells:
        cell: dict[str, Any] = {"cell_type": kind, "id": name, "metadata": {"tags": tags} if tags else {}}
        if kind == "code":
            ast.parse(source)
            cell |= {"execution_count": None, "outputs": []}
        made.append(cell | {"source": re.findall(r".*\n|.+$", source)})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    whole = {"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


# --- what a column is for --------------------------------------------------------------------------------------------


def _plain(header: str) -> str:
    """The last part of a header, small, with blanks between its words.

    Examples
    --------
    >>> _plain("about_you/Age group:")
    'age group'
    """
    return " ".join(re.sub(r"[\W_]+", " ", header.rpartition("/")[2].casefold()).split())


def _matches(header: str, patterns: Iterable[str]) -> bool:
    """Whether a header says one of the words; those that begin with = must be all it says."""
    plain = _plain(header)
    exact = (_plain(pattern[1:]) == plain for pattern in patterns if pattern.startswith("="))
    return any(exact) or any(re.search(rf"(?<!\w)(?:{each})(?!\w)", plain) for each in patterns if each[0] != "=")


def targets_of(answers: pd.DataFrame) -> dict[str, str]:
    """The column of an export that probably fills each column of an edition; blank for none."""
    found: dict[str, str] = {}
    ticked = {column for choice in multiple_choices(answers).values() for column in choice}
    free = [c for c in answers.columns if c not in ticked and answers[c].any()]
    named = {column for column in free if _matches(column, guesses()["personal"])}
    for target, patterns in guesses()["targets"].items():
        left = [c for c in free if c not in found.values() and (c not in named or target == "interviewee")]
        fitting = (c for pattern in patterns for c in left if _matches(c, [pattern]) and _fits(target, answers[c]))
        found[target] = next(fitting, "")
    return found


def _fits(target: str, answers: pd.Series) -> bool:
    """Whether a column's answers can be what its header promises."""
    given = answers[answers != ""]
    if target == "interviewee":
        return bool(given.is_unique and len(given) == len(answers) and given.str.fullmatch(r"[\w-]*[0-9][\w-]*").all())
    if target == "age":
        return bool(given.map(lambda text: bounds(text) is not None).mean() >= 0.5)
    if target == "year":
        return bool(given.str.fullmatch("(?:19|20)[0-9]{2}").all())
    return True


def multiple_choices(answers: pd.DataFrame) -> dict[str, list[str]]:
    """Columns of multiple choices by the question before their last part: two or more that hold only ticks.

    Examples
    --------
    >>> multiple_choices(pd.DataFrame({"how": ["bus"], "how/bus": ["1"], "how/train": ["0"]}))
    {'how': ['how/bus', 'how/train']}
    """
    found: dict[str, list[str]] = {}
    for column in answers.columns:
        question, _, choice = column.rpartition("/")
        if question and choice and answers[column].str.casefold().isin(list(TICKED)).all():
            found.setdefault(question, []).append(column)
    return {question: columns for question, columns in found.items() if len(columns) > 1}


# --- what answers mean -----------------------------------------------------------------------------------------------


def listed(answers: pd.Series, code: Any) -> list[Answer]:
    """The different answers of a column, the most frequent first, with what each is guessed to mean."""
    counts = answers[answers != ""].value_counts().head(MOST_LISTED)
    return [Answer(str(a), code(str(a)), f"{n:,} row{'s' * (n != 1)}") for a, n in counts.items()]


def _code(target: str, answer: str) -> str:
    """The code that an answer is usually given: "" for what says nothing, "?" where that is not known."""
    plain = answer.casefold().replace("_", " ").strip(" .")
    known = guesses()["codes"].get(target, {})
    silent = "" if plain in guesses()["silent"] else ASK
    return next((code for code, said in known.items() if plain in said), plain if plain in known else silent)


def _place(answer: str) -> str:
    """A place as `locate` takes it, as Python."""
    if answer.casefold() in (*guesses()["silent"], *guesses()["staying"]):
        return quoted("")
    known, code = vocabulary("gazetteer").get(answer), _country(answer)
    if known:
        where = {key: float(known[key]) for key in ("latitude", "longitude")}
        return json.dumps({"country": known["country"], "precision": known["precision"]} | where)
    return json.dumps({"country": code, "precision": "country" if code != ASK else ASK})


def _country(name: str) -> str:
    """The ISO code of a country by its name or code; "?" where it is not known."""
    import iso3166

    named = {country.name.casefold(): country.alpha3 for country in iso3166.countries} | guesses()["countries"]
    named |= {known.casefold(): code for code, known in countries().items()}
    return name if name in countries() else named.get(name.casefold(), ASK)


def _form(answers: pd.Series) -> str:
    """The argument that says how days are written: none for YYYY-MM-DD, "?" where two forms would do."""
    given = answers[answers != ""]
    if given.str.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").all():
        return ""
    forms = [f"{one}{sign}{two}{sign}%Y" for sign in "/.-" for one, two in (("%d", "%m"), ("%m", "%d"))]
    fitting = [form for form in forms if pd.to_datetime(given, format=form, errors="coerce").notna().mean() > 0.9]
    return f", {quoted(fitting[0] if len(fitting) == 1 else ASK)}"


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
    coded = _matches(str(answers.name), ["code", "id", "latitude", "longitude", "lat", "lon", "m49"])
    return len(given) > 0 and not coded and bool(given.str.fullmatch(NUMBER).mean() > 0.8)


def _columns(answers: pd.DataFrame, used: Iterable[str]) -> list[dict[str, Any]]:
    """Every column with how many different answers it has, and whether it is used."""
    given = answers.replace("", None)
    notes = zip(map(str, answers), given.nunique(), given.count(), strict=True)
    return [{"name": c, "used": c in used, "note": f"{n:,} different in {rows:,} rows"} for c, n, rows in notes]


def _survey(answers: pd.DataFrame, targets: dict[str, str]) -> dict[str, Any]:
    """What fills the template of a survey."""

    def of(name: str) -> list[Answer]:
        return listed(answers[targets[name]], lambda answer: _code(name, answer)) if targets[name] else []

    asked = guesses()["targets"]["mode"]
    choice = next((columns for name, columns in multiple_choices(answers).items() if _matches(name, asked)), [])
    legs = _legs(targets, [Answer(column, _code("mode", column.rpartition("/")[2]), "") for column in choice])
    cells = [(name, column) for leg in legs for name, column in leg["columns"].items() if isinstance(column, str)]
    stops = list(dict.fromkeys(column for name, column in cells if name.endswith("place")))
    fixed = [targets[name] for name in ("consent", "interviewee", "age", "gender", "profession")]
    fields = [field for table in ("interviewees", "legs", "places") for field in schema(table).fields]
    return {
        "targets": targets,
        "columns": _columns(answers, {*fixed, *choice, *(column for _, column in cells)}),
        "consent": Listed(targets["consent"], of("consent")) if targets["consent"] else None,
        "recodes": [Listed(targets[n], of(n)) for n in ("gender", "mode") if of(n) and not (n == "mode" and choice)],
        "ages": [each for each in of("age") if bounds(each.answer) is None],
        "professions": _look_alikes(of("profession")),
        "stops": [quoted(column) for column in stops],
        "places": listed(pd.concat([answers[column] for column in stops]), _place) if stops else [],
        "legs": legs,
        "form": _form(answers[targets["departed"]]) if targets["departed"] else "",
        "allowed": {field.name: ", ".join(field.enum) for field in fields},
    }


def _legs(targets: Mapping[str, str], choice: list[Answer]) -> list[dict[str, Any]]:
    """The legs that the columns of a survey describe: the one made, and the one intended."""
    names = ("from_place", "to_place", "departed", "mode", "nights_waited")
    made: dict[str, Any] = {name: targets[name] for name in names if targets[name]}
    made |= {"mode": choice} if choice else {}
    legs = [{"status": "made", "columns": made}] if made else []
    if targets["next_place"]:
        start = {"from_place": targets["to_place"]} if targets["to_place"] else {}
        legs.append({"status": "intended", "columns": start | {"to_place": targets["next_place"]}})
    return legs


def _look_alikes(found: list[Answer]) -> list[Answer]:
    """Answers that say nothing, or differ only by case and blanks from one that more people gave."""
    first: dict[str, str] = {}
    same = []
    for each in found:
        usual = first.setdefault(" ".join(each.answer.casefold().split()), each.answer)
        same.append(Answer(each.answer, "" if each.code == "" else usual, each.note))
    return [each for each in same if each.code != each.answer]


def _flows(answers: pd.DataFrame, targets: dict[str, str], when: str, numbers: list[str]) -> dict[str, Any]:
    """What fills the template of a table of figures."""
    coded = answers.columns[answers.isin([*countries(), ""]).mean() > 0.8]
    asylum, origin = (
        next((column for column in coded if name and column.startswith(name.partition(" (")[0])), name)
        for name in (targets["asylum"], targets["origin"])
    )
    values = answers[numbers].melt()["value"]
    odd = values[(values != "") & ~values.str.fullmatch(NUMBER)]
    several = bool(origin) and answers[origin].nunique() > 1
    return {
        "columns": _columns(answers, {when, asylum, origin, *numbers}),
        "when": when,
        "yearly": when == targets["year"],
        "form": _form(answers[when]),
        "country": Listed(asylum, [] if asylum in coded else listed(answers[asylum], _country)),
        "origins": Listed(origin, listed(answers[origin], lambda _: ASK if several else "yes")) if origin else None,
        "measures": [Answer(c, _code("measure", c), f"{(answers[c] != '').sum():,} rows") for c in numbers],
        "silent": listed(odd, lambda answer: _code("number", answer)),
        "thousands": "," if values.str.fullmatch(r"[0-9]{1,3}(?:,[0-9]{3})+").any() else "",
    }


def _highlights(passages: pd.DataFrame) -> dict[str, Any]:
    """What fills the template of coded passages."""
    lengths = {each["id"]: len(words(each["content"])) for each in passages.to_dict("records")}
    return {
        "codes": listed(passages["tag"], lambda _: ASK),
        "people": listed(passages["document"], lambda _: ASK),
        "shorter": [Answer(name, ASK, f"{n} words") for name, n in lengths.items() if n > MOST_WORDS][:MOST_LISTED],
    }
