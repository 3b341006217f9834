"""Beginning an edition: empty tables to fill by hand, or a notebook that imports an export.

The notebook is filled in with what can be guessed from the export; the rest is left as "?". Values of the export enter it
only as literals of one line, by `quoted`, or as counts. A template is split into cells before it is filled in, so that no
value can begin a cell.
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

from analysis.coding.rules import cities_in, length
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
"""Usual meanings of the words in column names and answers."""
STARTED = tuple(name for name in TABLES if name != "settlements")
"""The tables of an empty edition; settlements need a second coding first."""
MOST_LISTED, MOST_KINDS = 200, 8
"""The most different answers of a column that a draft lists, and of one by whose answers it offers to leave out rows."""
FORMS = {
    "interviewee": "[A-Za-z0-9_-]*[0-9][A-Za-z0-9_-]*",
    "year": "(?:19|20)[0-9]{2}(?:[.]0)?",
    "number": r"\d{1,3}(?:[, ]\d{3})+|\d+(?:\.0+)?",
    "day": r"\d{1,4}\D\d{1,2}\D\d{1,4}.*",
}
"""Forms of answers that need no code; a column is taken for a target only if enough of its answers have the form."""


def start(
    name: str, into: Path | None = None, export: Path | None = None, source: Path | None = None
) -> tuple[str, str]:
    """Begin an edition under ``data/``, in another folder, or at a path given as the name; what was read, and the next steps.

    With an `export` a notebook that imports it is drafted, and no table is written yet. Otherwise the tables are empty, but
    for the paragraphs of the text that is coded, the `source`. InputError, and nothing is written, where the folder is not
    empty or a file cannot be read.
    """
    path = into / name if into else Path(name) if "/" in name else ROOT / "data" / name
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", name.rpartition("/")[2]) or ".." in path.parts:
        raise InputError.one("NAME", show(name), "small letters, digits, - and _, beginning with a letter or digit")
    if not path.parent.is_dir():
        raise InputError.one(path.parent, "no such folder", "a folder to write the edition into", "make it first")
    path = path.parent.resolve() / path.name
    if os.path.lexists(path) and (not path.is_dir() or path.is_symlink() or any(path.iterdir())):
        needed = "a new name, or an empty folder"
        if (path / NOTEBOOK).exists():
            needed += f"; its {NOTEBOOK} imports the next export"
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
    targets, said, header = targets_of(answers), str(answers.attrs["read"]), answers.attrs.get("header", ())
    figures = figures_of(answers, targets)
    kind = "flows" if figures else "survey"
    if {*PASSAGES} <= {*answers.columns}:
        kind = "highlights"
    used = {targets[name] for name in GUESSES["filled"].get(kind, ())}
    if kind == "flows":
        used |= {figures["when"], *figures["numbers"], *figures["kinds"]}
    columns = ""
    for name, each in answers.items():
        different = plural(each[each != ""].nunique(), "different answer")
        columns += f"\n    {'' if name in used else '# '}{quoted(name)},  # {different}"
    onward = answers[targets["next_place"]].unique() if targets["next_place"] else ()
    context = {
        "answers": answers, "targets": targets, **figures, "columns": columns, "said": said.replace("`", "'"),
        "stops": [targets[name] for name in ("from_place", "to_place", "next_place") if targets[name]],
        "staying": ", ".join(quoted(each) for each in onward if _plain(each) in GUESSES["stays"]),
        "notebook": shown_path(path / NOTEBOOK), "export": portable(export),
        "source": portable(source or export) if source or is_project(export) else ASK,
        "edition": path.name if path.parent == ROOT / "data" else portable(path),
        "sheet": answers.attrs.get("sheet"), "header": header[0] if len(header) == 1 else header or None,
        "allowed": {each.name: ", ".join(each.enum) for table in ("interviewees", "legs", "places") for each in schema(table).fields},
    }  # fmt: skip
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    made = nbformat.v4.new_notebook(cells=[*cells(f"{kind}.py.j2", context)], metadata={"kernelspec": kernel})
    return str(nbformat.writes(made)) + "\n", said


def figures_of(answers: pd.DataFrame, targets: Mapping[str, str]) -> dict[str, Any]:
    """What an export of figures by country and time has, for its template; nothing if it is an export of something else.

    ``numbers`` are its columns of numbers, ``when`` the column of time, ``apart`` the columns by which rows of one time,
    country and origin differ, ``kinds`` those of them by whose few answers rows may be left out.
    """
    rest = answers.drop(columns=[column for column in targets.values() if column])
    rest = rest.mask(rest.isin(GUESSES["silent"]), "")
    numbers = [name for name in map(str, rest) if _share(rest[name], FORMS["number"]) > 0.8]
    numbers = [name for name in numbers if not _matches(name, GUESSES["numbering"])]
    dated = [targets[name] for name in ("day", "year") if targets[name]]
    if not (numbers and dated and targets["asylum"]) or targets["age"] or targets["gender"]:
        return {}
    when = max(dated, key=lambda name: answers[name].nunique())
    key = [name for name in (when, targets["asylum"], targets["origin"]) if name]
    most = answers.groupby(key).nunique().max()
    others = [name for name in map(str, answers) if name not in (*key, *numbers) and not _matches(name, ["id"])]
    apart = [name for name in others if most[name] > 1]
    kinds = [name for name in apart if answers[name].nunique() <= MOST_KINDS and (answers[name] != "").all()]
    return {"numbers": numbers, "when": when, "apart": apart, "kinds": kinds}


def portable(path: Path) -> str:
    """A path as a notebook holds it: relative to the checkout or to the home folder, or absolute."""
    whole = path.expanduser().resolve()
    if whole.is_relative_to(ROOT):
        return str(whole.relative_to(ROOT))
    return f"~/{whole.relative_to(Path.home())}" if whole.is_relative_to(Path.home()) else str(whole)


def cells(template: str, context: Mapping[str, Any]) -> Iterator[Any]:
    """The cells of a template, separated by lines `# %% [kind] id tags`; blank cells are left out."""
    parts = re.split(r"^# %% \[(\w+)\] ([\w-]+)(.*)$\n", (TEMPLATES / template).read_text("utf-8"), flags=re.M)[1:]
    for kind, name, tags, source in zip(*(iter(parts),) * 4, strict=True):
        if text := environment().from_string(source).render(context).strip():
            new = getattr(nbformat.v4, f"new_{kind}_cell")
            yield new(text, id=name, metadata={"tags": tags.split()} if tags else {})


@cache
def environment() -> jinja2.Environment:
    """The environment of this folder's templates; `py` writes a value as Python, `listing` answers and what they mean."""
    loader = jinja2.FileSystemLoader(TEMPLATES)
    made = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    made.filters["py"] = spelt
    made.globals |= {"listing": listing, "length": length}
    return made


def spelt(value: object) -> str:
    """A value as a Python literal on one line."""
    if isinstance(value, str):
        return quoted(value)
    return json.dumps(value) if isinstance(value, dict) else repr(value)


def listing(answers: pd.Series, target: str = "", indent: str = "") -> str:
    """A Python dict of the different answers, the most frequent first: what each probably means, and its number of rows."""
    counts = answers[answers != ""].value_counts().head(MOST_LISTED)
    usual = {_plain(str(answer)): str(answer) for answer in reversed(counts.index)}
    lines = ["{"]
    for answer, count in counts.items():
        code = meaning(target, str(answer))
        if target == "profession" and code == ASK:  # only other spellings of a profession are listed
            code = usual[_plain(str(answer))]
            if code == answer:
                continue
        if code is not None:
            lines.append(f"{indent}    {spelt(answer)}: {spelt(code)},  # {plural(count, 'row')}")
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
    if target in ("country", "place"):
        return _country(answer) if target == "country" else _place(answer)
    known = {_plain(word): code for code, said in GUESSES["codes"].get(target, {}).items() for word in (*said, code)}
    several = {known.get(word, ASK) for word in plain.split() if word not in GUESSES["and"]}
    if target == "mode" and plain not in known and ASK not in several:
        return next(iter(several)) if len(several) == 1 else "several means"
    return known.get(plain, ASK)


def _country(answer: str) -> str | None:
    """The code of the country that an answer names; None where it is a code, "?" where no country is known."""
    if answer in countries():
        return None
    known = {each.name.casefold(): each.alpha3 for each in iso3166.countries} | GUESSES["countries"]
    known |= {name.casefold(): code for code, name in countries().items()}
    return str(known.get(answer.casefold(), ASK))


def _place(answer: str) -> dict[str, Any]:
    """The country, precision and position of the place that an answer names; "?" for what is not known."""
    country = _country(answer)
    found: dict[str, Any] = {"country": country or answer, "precision": "country"}
    if country == ASK:
        found["precision"] = ASK
        found |= next((city for city in cities_in(answer) if _plain(city["name"]) == _plain(answer)), {})
    found |= vocabulary("gazetteer").get(answer, {})
    where = {key: float(found[key]) for key in found if key in ("latitude", "longitude")}
    return {"country": found["country"], "precision": found["precision"], **where}


def _plain(text: str) -> str:
    """A text for comparison: without accents, case and punctuation, words of camelCase apart."""
    parted = re.sub("(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return " ".join(re.sub(r"[\W_]+", " ", bare(parted).casefold()).split())


def _share(answers: pd.Series, pattern: str) -> float:
    """The share of the non-blank answers that have a form; 0 if all are blank."""
    given = answers[answers != ""]
    return float(given.str.fullmatch(pattern).sum() / max(len(given), 1))


def targets_of(answers: pd.DataFrame) -> dict[str, str]:
    """The column of an export that probably fills each column of an edition, by its name and values; blank for none."""
    found: dict[str, str] = {}
    headers = [str(name) for name in answers]
    personal = [name for name in headers if _matches(name, GUESSES["personal"])]
    for target, patterns in GUESSES["targets"].items():
        taken = {*found.values(), *(personal if target != "interviewee" else ())}
        free = [name for name in headers if name not in taken]
        named = [name for pattern in patterns for name in free if _matches(name, [pattern])]
        found[target] = next((name for name in named if _fits(target, answers[name])), "")
    return found


def _matches(header: str, patterns: Iterable[str]) -> bool:
    """Whether the last part of a header contains one of the words."""
    plain = _plain(header.rpartition("/")[2])
    return any(re.search(rf"(?<!\w)(?:{bare(pattern)})(?!\w)", plain) for pattern in patterns)


def _fits(target: str, answers: pd.Series) -> bool:
    """Whether a column's answers fit the target that its header names."""
    if target == "age":
        return sum(bounds(text) is not None for text in answers) >= max(0.25 * (answers != "").sum(), 1)
    share = _share(answers, FORMS.get(target, "(?s:.*)"))
    return share == 1 and (target != "interviewee" or answers.is_unique)
