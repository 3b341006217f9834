"""Beginning an edition: empty tables to fill by hand, or a notebook that imports an export.

The notebook is filled in with what can be guessed of the export; the rest is left as "?". What an export holds gets into it
as literals on one line each, by `quoted`, or as counts; cells are parted before they are filled, so that no value begins one.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import iso3166
import jinja2
import nbformat.v4
import pandas as pd

from analysis.coding.rules import cities_in, words
from analysis.folder import PACKAGE
from analysis.imports.answers import ASK, bare, bounds, quoted
from analysis.imports.files import PASSAGES, is_project, read_export, read_text
from analysis.imports.highlights import text_tables
from analysis.imports.write import NOTEBOOK, resource
from analysis.schema import ROOT, TABLES, countries, schema, vocabulary
from analysis.tables import shown_path
from analysis.text import plural
from parabook.errors import InputError, show

TEMPLATES = Path(__file__).with_name("templates")
GUESSES = json.loads((TEMPLATES / "guesses.json").read_text(encoding="utf-8"))
"""Words of columns and answers, and what they usually mean."""
STARTED = tuple(name for name in TABLES if name != "settlements")
"""The tables of an empty edition; settled differences need a second coding first."""
MOST_LISTED, MOST_KINDS = 200, 8
"""Different answers of a column that a draft lists; of one by which rows of figures may be left out."""
NUMBER = r"\d{1,3}(?:[, ]\d{3})+|\d+(?:\.0+)?"
FORMS = {
    "interviewee": "[A-Za-z0-9_-]*[0-9][A-Za-z0-9_-]*",
    "year": "(?:19|20)[0-9]{2}(?:[.]0)?",
    "number": NUMBER,
    "day": r"\d{1,4}\D\d{1,2}\D\d{1,4}.*",
}
"""How answers look that need no code, or show what a column is."""


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
        needed = (
            f"a new name, or an empty folder{f'; its {NOTEBOOK} imports the next export' * (path / NOTEBOOK).exists()}"
        )
        raise InputError.one(shown_path(path), "something that stands there", needed)
    tables, said = [] if export else STARTED, ""
    files = {f"{table}.csv": ",".join(schema(table).columns) + "\n" for table in tables}
    if export:
        files[NOTEBOOK], said = draft(path, export, source)
    elif source:
        files["paragraphs.csv"] = text_tables(read_text(source))["paragraphs"].to_csv(index=False)
    package = {"name": path.name, **json.loads((TEMPLATES / PACKAGE).read_text(encoding="utf-8"))}
    package["resources"] = [resource(table) for table in tables]
    files[PACKAGE] = json.dumps(package, indent=2, ensure_ascii=False) + "\n"
    context = {
        "tables": [schema(table) for table in STARTED], "notebook": export.name if export else "", "source": source,
        "called": path.name if path.parent == ROOT / "data" else f"path/to/{path.name}",
        "shown": os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path),
    }  # fmt: skip
    files["HOWTO.md"] = environment().get_template("howto.md.j2").render(context)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=path.parent) as folder:
        stage = Path(folder) / path.name
        stage.mkdir()
        for file, text in files.items():
            (stage / file).write_text(text, encoding="utf-8")
        stage.replace(path)
    return said, environment().get_template("next.txt.j2").render(context)


def draft(path: Path, export: Path, source: Path | None) -> tuple[str, str]:
    """The import notebook of an edition, and what was read of the export, guesses included."""
    answers = read_export(export)
    if answers.empty:
        raise InputError.one(answers.attrs["source"], "no rows", "rows of answers below the header")
    said, header, targets = str(answers.attrs["read"]), answers.attrs.get("header", ()), targets_of(answers)
    given = answers.drop(columns=[column for column in targets.values() if column])
    given = given.mask(given.isin(GUESSES["silent"]), "")
    numbers = [
        name
        for name in map(str, given)
        if _share(given[name], NUMBER) > 0.8 and not _matches(name, GUESSES["numbering"])
    ]
    dated = [targets[name] for name in ("day", "year") if targets[name]]
    when = max(dated, key=lambda name: answers[name].nunique(), default="")
    figures = numbers and targets["asylum"]
    kind = "flows" if when and figures and not (targets["age"] or targets["gender"]) else "survey"
    kind = "highlights" if {*PASSAGES} <= {*answers.columns} else kind
    used = {*(targets[name] for name in GUESSES["filled"].get(kind, ())), *(numbers if kind == "flows" else ())}
    apart = _apart(answers, [when, targets["asylum"], targets["origin"]], numbers) if kind == "flows" else []
    kinds = [name for name in apart if 1 < answers[name].nunique() <= MOST_KINDS and (answers[name] != "").all()]
    used = used - {*dated} | {when, *kinds} if kind == "flows" else used
    context = {
        "answers": answers, "targets": targets, "numbers": numbers, "when": when, "apart": apart,
        "kinds": kinds,
        "stops": [targets[name] for name in ("from_place", "to_place", "next_place") if targets[name]],
        "said": said.replace("`", "'"),
        "staying": ", ".join(quoted(each) for each in answers.get(targets["next_place"], pd.Series()).unique() if _plain(each) in GUESSES["stays"]),
        "columns": "".join(
            f"\n    {'' if name in used else '# '}{quoted(name)},  # {plural(each[each != ''].nunique(), 'different answer')}"
            for name, each in answers.items()
        ),
        "notebook": shown_path(path / NOTEBOOK), "export": portable(export),
        "source": portable(source or export) if source or is_project(export) else ASK,
        "edition": path.name if path.parent == ROOT / "data" else portable(path),
        "sheet": answers.attrs.get("sheet"), "header": header[0] if len(header) == 1 else header or None,
        "allowed": {each.name: ", ".join(each.enum) for table in ("interviewees", "legs", "places") for each in schema(table).fields},
    }  # fmt: skip
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    made = nbformat.v4.new_notebook(cells=[*cells(f"{kind}.py.j2", context)], metadata={"kernelspec": kernel})
    return str(nbformat.writes(made)) + "\n", said


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
            new = getattr(nbformat.v4, f"new_{kind}_cell")
            yield new(text, id=name, metadata={"tags": tags.split()} if tags else {})


@cache
def environment() -> jinja2.Environment:
    """The templates of this folder; `py` spells a value as Python, `listing` answers and what they mean."""
    loader = jinja2.FileSystemLoader(TEMPLATES)
    made = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    made.filters["py"] = spelt
    made.globals |= {"listing": listing, "words": lambda text: len(words(text))}
    return made


def spelt(value: object) -> str:
    """A value as Python spells it, on one line."""
    return quoted(value) if isinstance(value, str) else json.dumps(value) if isinstance(value, dict) else repr(value)


def listing(answers: pd.Series, target: str = "", indent: str = "") -> str:
    """The different answers, the most frequent first, as a dict with what each probably means and how many rows have it."""
    counts = answers[answers != ""].value_counts().head(MOST_LISTED)
    usual = {_plain(str(answer)): str(answer) for answer in reversed(counts.index)}
    lines = ["{"]
    for answer, count in counts.items():
        code = meaning(target, str(answer))
        if target == "profession" and code == ASK:  # only what another spelling stands for is listed
            code = None if answer == usual[_plain(str(answer))] else usual[_plain(str(answer))]
        if code is not None:
            lines.append(f"{indent}    {spelt(answer)}: {spelt(code)},  # {count:,} row{'s' * (count != 1)}")
    return "\n".join([*lines, indent + "}"])


def meaning(target: str, answer: str) -> Any:
    """What an answer probably means: a code; "" for nothing, "?" where that is to be decided, None where it needs no code."""
    plain = _plain(answer)
    nothing = GUESSES["silent"] + GUESSES["stays"]
    if {answer, plain} & ({*nothing, *map(_plain, nothing)} - {""}):
        return ""
    if target == "age":
        return None if bounds(answer) else ASK
    if target in FORMS:
        return None if re.fullmatch(FORMS[target], answer) else ASK
    if target in ("place", "country"):
        named = {each.name.casefold(): each.alpha3 for each in iso3166.countries} | GUESSES["countries"]
        named |= {name.casefold(): code for code, name in countries().items()}
        code = None if answer in countries() else named.get(answer.casefold(), ASK)
        found = {"country": code or answer, "precision": ASK if code == ASK else "country"}
        cities = cities_in(answer) if target == "place" and code == ASK else ()
        found |= next((dict(city) for city in cities if _plain(city["name"]) == plain), {})
        found |= vocabulary("gazetteer").get(answer, {})
        where = {key: float(found[key]) for key in ("latitude", "longitude") if key in found}
        return code if target == "country" else {key: found[key] for key in ("country", "precision")} | where
    known = {_plain(word): code for code, said in GUESSES["codes"].get(target, {}).items() for word in (*said, code)}
    several = {known.get(word, ASK) for word in plain.split() if word not in GUESSES["and"]}
    if target == "mode" and plain not in known and ASK not in several:
        return next(iter(several)) if len(several) == 1 else "several means"
    return known.get(plain, ASK)


def _plain(text: str) -> str:
    """A text as words are compared: without accents, case and signs, words of camelCase apart."""
    parted = re.sub("(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return " ".join(re.sub(r"[\W_]+", " ", bare(parted).casefold()).split())


def _share(answers: pd.Series, pattern: str) -> float:
    """The share of the answers given that have a form; 0 where none is given."""
    given = answers[answers != ""]
    return float(given.str.fullmatch(pattern).sum() / max(len(given), 1))


def _apart(answers: pd.DataFrame, key: list[str], numbers: list[str]) -> list[str]:
    """The columns by which rows of one time, country and origin differ, where there are such rows."""
    groups = answers.groupby([name for name in key if name])
    rest = [name for name in answers.columns if name not in (*key, *numbers) and not _matches(name, ["id"])]
    return [name for name in rest if groups[name].nunique().max() > 1]


def targets_of(answers: pd.DataFrame) -> dict[str, str]:
    """The column of an export that probably fills each column of an edition, by its name and values; blank for none."""
    found: dict[str, str] = {}
    personal = [name for name in answers.columns if _matches(name, GUESSES["personal"])]
    for target, patterns in GUESSES["targets"].items():
        apart = {*found.values(), *(personal if target != "interviewee" else ())}
        named = (
            name
            for pattern in patterns
            for name in map(str, answers)
            if _matches(name, [pattern]) and name not in apart
        )
        found[target] = next((name for name in named if _fits(target, answers[name])), "")
    return found


def _matches(header: str, patterns: Iterable[str]) -> bool:
    """Whether the last part of a header says one of the words."""
    plain = _plain(header.rpartition("/")[2])
    return any(re.search(rf"(?<!\w)(?:{bare(pattern)})(?!\w)", plain) for pattern in patterns)


def _fits(target: str, answers: pd.Series) -> bool:
    """Whether a column's answers can be what its header promises."""
    if target == "age":
        return sum(bounds(text) is not None for text in answers) >= max(0.25 * (answers != "").sum(), 1)
    share = _share(answers, FORMS.get(target, "(?s:.*)"))
    return share == 1 and (target != "interviewee" or answers.is_unique)
