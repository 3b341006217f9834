"""The results of an edition: what its chapters say, without the pages around it, and what it was made from.

Results come from executed notebooks: of a built book, of a run without a book, or of a set of them that was
approved and lies in plain files. What is in `Results` is compared exactly; nothing in it depends on the
machine, the time or the order of the work.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import narwhals as nw

from analysis.edition import SECOND, Edition, load
from analysis.folder import find
from analysis.frames import FEW, Frame, as_frame, records
from analysis.schema import ROOT, schema
from analysis.trail import MADE_WITH
from parabook.errors import InputError
from parabook.files import hash_files, sha256
from parabook.kernels import warm_up
from parabook.plan import make_plan
from parabook.progress import Progress
from parabook.protocol import CHARTS, EXHIBIT, LAB_ONLY, as_csv, exhibits
from parabook.run import ChapterFailed, run_all

Table = tuple[tuple[str, ...], ...]
"""Rows of text, the names of the columns first: what a CSV holds."""

LEFT_OUT = {
    "inputs": "lists the edition's files by hash; which rows of them differ is told from the rows themselves",
    "versions": "differs from machine to machine; versions are told beside the results",
}
"""Exhibits that are no results, each with the reason."""

WORDS = ("chapter", "caption", "description", "notes", "source")
"""What an exhibit says besides its table and its chart."""

PLACES = {
    "chapters": "chapters",
    "code": "src",
    "schemas": "data/schemas",
    "vocabularies": "data/vocabularies",
    "basemap": "data/basemap",
    "requirements": "requirements.txt",
}
"""Where in the checkout the files lie that a receipt groups."""

LISTED_WHOLE = ("evidence", "paragraphs", "settlements")
"""Input tables whose rows an approved state keeps as hashes: exhibits list them whole, so what changed in them is told there."""

MOST_HASHED = 200_000
"""In a longer table it is told that rows differ, not which."""

HASH = 12
"""Digits of a hash: enough to tell files and rows apart."""


@dataclass(frozen=True)
class Origin:
    """What results were made from.

    ``edition`` and ``program`` are hashes by path; ``rows`` are the edition's input rows by table
    and key: their values by column, or a hash where the table is long; None where they are not known.
    """

    edition: Mapping[str, str] = field(default_factory=dict)
    program: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class Results:
    """What the chapters of an edition say.

    Attributes
    ----------
    name : str
        The edition's.
    tables : mapping
        By exhibit, as its CSV holds it.
    views : mapping
        By exhibit, as its page shows it, links spelled out; where that differs from the table.
    charts : mapping
        By exhibit, Vega-Lite in canonical form.
    words : mapping
        By exhibit, `WORDS`.
    sentences : mapping
        Sentences pasted into prose, by chapter and name.
    outputs : mapping
        What else a cell shows, by chapter, cell and number.
    """

    name: str
    tables: Mapping[str, Table] = field(default_factory=dict)
    views: Mapping[str, Table] = field(default_factory=dict)
    charts: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sentences: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    origin: Origin = Origin()


@dataclass(frozen=True)
class Cell:
    """One code cell of a chapter in a run: what became of it, in how many seconds, and what it said of a failure."""

    chapter: str
    cell: str
    state: str
    seconds: float = 0.0
    said: str = ""


def from_notebooks(name: str, notebooks: Mapping[str, Mapping[str, Any]], origin: Origin) -> Results:
    """The results that executed notebooks hold.

    Parameters
    ----------
    name : str
        The edition's.
    notebooks : mapping
        By chapter, as JSON.
    origin : Origin
        What they were made from.
    """
    found = Results(name, {}, {}, {}, {}, {}, {}, origin)
    parts: tuple[dict[str, Any], ...] = (found.tables, found.views, found.charts, found.words)  # type: ignore[assignment]
    tables, views, charts, words = parts
    for chapter, notebook in notebooks.items():
        for exhibit in exhibits(dict(notebook)):
            id_ = exhibit["id"]
            if id_ in LEFT_OUT:
                continue
            tables[id_] = table = read_csv(as_csv(exhibit))
            view = _view(exhibit)
            if view != table:
                views[id_] = view
            if exhibit["chart"]:
                charts[id_] = canonical(exhibit["chart"])
            told = {word: exhibit[word] for word in WORDS if word in exhibit} | {"chapter": chapter}
            words[id_] = told | {"notes": "\n".join(exhibit["notes"])}
        for key, text, glued in _said(chapter, notebook):
            (found.sentences if glued else found.outputs)[key] = text  # type: ignore[index]
    return found


def _view(exhibit: Mapping[str, Any]) -> Table:
    view = exhibit["view"]
    rows = [[_spelled(cell) for cell in row] for row in view["rows"]]
    return read_csv(as_csv({"columns": view["columns"], "rows": rows}))


def _spelled(cell: Any) -> Any:
    """A cell with where its links lead.

    Examples
    --------
    >>> _spelled([{"text": "i05", "href": "evidence.html#x"}, {"text": "i06", "href": ""}])
    'i05 (evidence.html#x), i06'
    """
    if not isinstance(cell, list):
        return cell
    return ", ".join(f"{link['text']} ({link['href']})" if link["href"] else link["text"] for link in cell)


def _said(chapter: str, notebook: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Pasted sentences by name, and by cell what is shown without being an exhibit."""
    for cell in notebook["cells"]:
        for number, output in enumerate(cell.get("outputs", ()), 1):
            data = output.get("data", {})
            glued = output.get("metadata", {}).get("scrapbook", {}).get("name")
            if glued:
                yield f"{chapter}: {glued}", _joined(data.get("text/plain", "")), True
            elif EXHIBIT not in data and LAB_ONLY not in data and output.get("name") != "stderr":
                text = _shown(data) if data else _joined(output.get("text", ""))
                if text:
                    yield f"{chapter}: cell {cell['id']}, output {number}", text, False


def _shown(data: Mapping[str, Any]) -> str:
    for kind in CHARTS:
        if kind in data:
            return pretty(canonical(data[kind]))
    for kind in ("text/markdown", "text/html", "text/plain"):
        if kind in data:
            return re.sub(r" at 0x[0-9a-f]+", "", _joined(data[kind]))
    return "\n".join(f"{kind} {hashlib.sha256(str(data[kind]).encode()).hexdigest()}" for kind in sorted(data))


def _joined(text: Any) -> str:
    return "".join(text) if isinstance(text, list) else str(text)


def canonical(chart: Mapping[str, Any]) -> dict[str, Any]:
    """A chart whose data sets are named by their order of use, not by a hash of their content.

    Examples
    --------
    >>> canonical({"data": {"name": "data-b1"}, "datasets": {"data-b1": [{"x": 1}]}})
    {'data': {'name': 'data-1'}, 'datasets': {'data-1': [{'x': 1}]}}
    """
    sets: Mapping[str, Any] = chart.get("datasets", {})
    names: dict[str, str] = {}

    def named(part: Any) -> Any:
        if isinstance(part, Mapping):
            if isinstance(part.get("name"), str) and part["name"] in sets:
                names.setdefault(part["name"], f"data-{len(names) + 1}")
                return {**part, "name": names[part["name"]]}
            return {key: named(part[key]) for key in sorted(part)}
        return [named(each) for each in part] if isinstance(part, list) else part

    drawn: dict[str, Any] = named({key: part for key, part in chart.items() if key != "datasets"})
    if sets:
        for name in sorted(sets, key=lambda name: json.dumps(sets[name], sort_keys=True)):  # those nothing names
            names.setdefault(name, f"data-{len(names) + 1}")
        drawn["datasets"] = {names[name]: sets[name] for name in sorted(sets, key=lambda name: names[name])}
    return drawn


def pretty(value: Any, room: int = 118) -> str:
    """JSON with sorted keys, what fits on a line on a line: small, and read line by line where it differs.

    Examples
    --------
    >>> print(pretty({"b": [1, 2], "a": "x"}, room=12))
    {
     "a": "x",
     "b": [1, 2]
    }
    """
    flat = json.dumps(value, sort_keys=True, ensure_ascii=False)
    if len(flat) <= room or not isinstance(value, (dict, list)) or not value:
        return flat
    if isinstance(value, dict):
        parts = [f"{json.dumps(key, ensure_ascii=False)}: {pretty(value[key], room)}" for key in sorted(value)]
    else:
        parts = [pretty(each, room) for each in value]
    inner = ",\n".join(parts).replace("\n", "\n ")
    return f"{'{' if isinstance(value, dict) else '['}\n {inner}\n{'}' if isinstance(value, dict) else ']'}"


def read_csv(text: str) -> Table:
    """A CSV as rows of text.

    Examples
    --------
    >>> read_csv("age,interviewees\\n18–24,4\\n")
    (('age', 'interviewees'), ('18–24', '4'))
    """
    return tuple(tuple(row) for row in csv.reader(io.StringIO(text, newline="")))


def write_csv(table: Table) -> str:
    """The same back."""
    return as_csv({"columns": table[0] if table else (), "rows": table[1:]})


# What results are made from


def origin(edition: Edition, given: Mapping[str, Any], notebooks: Sequence[Path]) -> Origin:
    """What a run of the chapters would be made from, here and now."""
    groups: dict[str, Any] = {
        "chapters": {file.name: sha256(file) for file in notebooks},
        "code": hash_files(ROOT / "src", "*.py"),
        "schemas": hash_files(ROOT / "data" / "schemas", "*.json"),
        "vocabularies": hash_files(ROOT / "data" / "vocabularies", "*.csv"),
        "basemap": hash_files(ROOT / "data" / "basemap", "*.json"),
        "requirements": sha256(ROOT / "requirements.txt"),
    }
    parameters = {name: str(value) for name, value in given.items()}
    versions = {name: version(name) for name in MADE_WITH}
    return Origin(_short(edition.hashes()), program(groups), versions, parameters, input_rows(edition))


def program(groups: Mapping[str, Any]) -> dict[str, str]:
    """The files of the program that a receipt groups, by their path in the checkout.

    Examples
    --------
    >>> program({"chapters": {"routes.ipynb": "6f" * 32}, "requirements": "77" * 32})
    {'chapters/routes.ipynb': '6f6f6f6f6f6f', 'requirements.txt': '777777777777'}
    """
    found: dict[str, str] = {}
    for group, files in groups.items():
        if group in ("edition", "look", "settings"):  # what pages look like is no result
            continue
        place = PLACES.get(group, group)
        if isinstance(files, Mapping):
            found |= {f"{place}/{path}": str(code) for path, code in files.items()}
        else:
            found[place] = str(files)
    return _short(found)


def _short(hashes: Mapping[str, str]) -> dict[str, str]:
    return {path: code[:HASH] for path, code in sorted(hashes.items())}


def input_rows(edition: Edition) -> dict[str, dict[str, Any]]:
    """Every input row by table and key: its values as text, or a hash of them where the table is long or hides small cells."""
    report = edition.report
    package = {
        **{f"package.{key}": json.dumps(edition.package[key], ensure_ascii=False, sort_keys=True)
           for key in ("title", "description", "sources", "contributors", "licenses") if key in edition.package},
        "declared_interviewees": "" if report.declared_interviewees is None else str(report.declared_interviewees),
        "collected_at": report.collected_at,
        "reference_event.title": report.event_title,
        "reference_event.date": report.event_date,
        "minimum_cell": str(report.minimum_cell),
    }  # fmt: skip
    tables = {**edition.tables, **{SECOND + name: frame for name, frame in edition.second.items()}}
    rows = {name: _rows(edition, name, frame) for name, frame in sorted(tables.items())}
    return {"report": {"report": package}, **rows}


def _rows(edition: Edition, name: str, frame: Frame) -> dict[str, Any]:
    many = int(frame.select(nw.len()).collect("pandas").item())
    if many > MOST_HASHED:
        return {"all rows": _content(edition, name)}
    table = as_frame(frame).drop(columns="_row", errors="ignore")
    keys = schema(name.removeprefix(SECOND)).key
    rows = {".".join(row[key] for key in keys): row for row in records(table)}
    # What an edition hides as small cells is not to be read in a review either.
    told = many <= FEW and edition.report.minimum_cell == 1
    return rows if told else {key: row_hash(row) for key, row in rows.items()}


def _content(edition: Edition, name: str) -> str:
    """A hash of the files of a table."""
    paths = [str(each["path"]) for each in edition.package["resources"] if each.get("name") == name]
    hashes = {path: code for path, code in edition.hashes().items() if path in paths or path.startswith(f"{paths[0]}/")}
    return hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()[:HASH]


def row_hash(row: Mapping[str, str]) -> str:
    """A short hash of a row: of the values that are stated, by column."""
    stated = {column: text for column, text in row.items() if text}
    return hashlib.sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()[:HASH]


# Where results come from: a run, a built book, an approved state


@dataclass(frozen=True)
class Outcome:
    """A run of the chapters without a book: the results, the cells, and why it stopped, if it did."""

    results: Results
    cells: tuple[Cell, ...]
    failed: str = ""


class ToldLines(Progress):
    """A line for each chapter."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.tell = tell

    def end(self, chapter: str, seconds: float | None) -> None:
        """Tell a line."""
        self.tell(f"{chapter} {seconds or 0.0:.1f} s")


def run(edition: str | Path, given: Mapping[str, str], *, jobs: int = 0, tell: Callable[[str], None]) -> Outcome:
    """Run the chapters of an edition, and take their results; no book is made.

    Raises
    ------
    InputError
        When the edition or a parameter cannot be used; nothing was run.
    """
    from analysis.publish.cli import _book

    book, plugin = _book()
    planned = make_plan(book, plugin, str(edition), given)
    warm_up(plugin.preload)  # loads beside what follows
    loaded = load(planned.input)
    executed: dict[str, str] = {}
    failed = ""
    try:
        run_all(
            planned,
            jobs,
            ToldLines(tell),
            force=True,  # a review looks at what the program does now
            done=lambda ran: executed.update({ran.chapter: ran.notebook}),
        )
    except ChapterFailed as error:
        failed = str(error)
        executed |= {error.chapter: error.notebook} if error.notebook else {}
    notebooks = {file.stem: json.loads(executed[file.stem]) for file in planned.notebooks if file.stem in executed}
    cells = tuple(cell for name, notebook in notebooks.items() for cell in cells_of(name, notebook))
    whole = {
        name: each
        for name, each in notebooks.items()
        if not any(cell.chapter == name and cell.state != "ran" for cell in cells)
    }
    return Outcome(from_notebooks(loaded.name, whole, origin(loaded, planned.given, planned.notebooks)), cells, failed)


def _read_notebooks(folder: Path, names: Sequence[str]) -> dict[str, Any]:
    files = {name: folder / f"{name}.ipynb" for name in names}
    return {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items() if file.is_file()}


def cells_of(chapter: str, notebook: Mapping[str, Any]) -> Iterator[Cell]:
    """The code cells of an executed notebook, each with its state: ran, failed, not run."""
    states = {"completed": "ran", "failed": "failed"}
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        tags = cell["metadata"].get("tags", [])
        name = "parameters given" if "injected-parameters" in tags else str(cell["id"])
        told = cell["metadata"].get("papermill", {})
        errors = [output for output in cell.get("outputs", ()) if output.get("output_type") == "error"]
        warned = [
            _joined(output.get("text", "")) for output in cell.get("outputs", ()) if output.get("name") == "stderr"
        ]
        state = "failed" if errors else states.get(str(told.get("status")), "not run")
        said = " ".join([*(f"{each['ename']}: {each['evalue']}" for each in errors), *warned]).strip()
        yield Cell(chapter, name, state, round(float(told.get("duration") or 0.0), 3), said)


def built(out: Path) -> Results:
    """The results of a built book.

    Where the edition it was built from is still found, and is the same, its rows are known too.
    """
    try:
        receipt = json.loads((out / "receipt.json").read_text(encoding="utf-8"))
        name, inputs = str(receipt["edition"]), receipt["inputs"]
        names = [str(chapter["chapter"]) for chapter in receipt["chapters"]]
        notebooks = _read_notebooks(out / "notebooks", names)
        lost = [each for each in names if each not in notebooks]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError.one(out, f"a receipt or notebooks that cannot be read ({error})", "a built book") from error
    if lost:
        raise InputError.one(out / "notebooks", f"no {lost[0]}.ipynb", "the notebooks that the receipt lists")
    hashes = _short(inputs["edition"])
    parameters = {key: str(value) for key, value in receipt.get("parameters", {}).items()}
    groups = {group: files for group, files in inputs.items() if group != "edition"}
    made = Origin(hashes, program(groups), receipt.get("versions", {}), parameters, _rows_of(name, hashes))
    return from_notebooks(name, notebooks, made)


def _rows_of(name: str, hashes: Mapping[str, str]) -> Mapping[str, Mapping[str, Any]] | None:
    """The input rows of the edition of that name, if it is here and of these very files."""
    try:
        path = find(name)
        files = (file for file in path.rglob("*") if file.is_file())
        here = {file.relative_to(path).as_posix(): sha256(file)[:HASH] for file in files}
        return input_rows(load(path)) if here == hashes else None
    except InputError:
        return None


def is_built(path: str | Path) -> bool:
    """Whether a path is a built book's folder, not an edition's."""
    return (Path(path) / "receipt.json").is_file() and (Path(path) / "notebooks").is_dir()


APPROVED = ROOT / "tests" / "approved"
"""Where the approved results of the default editions lie, a folder each."""

STATE = "inputs.json"
"""The file that marks a folder as an approved state."""


def approved(folder: Path, name: str) -> Results | None:
    """The approved results in a folder; None where nothing was ever approved.

    Raises
    ------
    InputError
        When a file of it cannot be read.
    """
    if not (folder / STATE).is_file():
        return None

    def read(file: str) -> dict[str, Any]:
        path = folder / file
        loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return loaded

    def tables(part: str) -> dict[str, Table]:
        files = sorted((folder / part).glob("*.csv"))
        return {file.stem: read_csv(file.read_bytes().decode("utf-8")) for file in files}

    charts = [file.name for file in sorted((folder / "charts").glob("*.vl.json"))]
    try:
        return Results(
            name,
            tables("tables"),
            tables("views"),
            {file.removesuffix(".vl.json"): read(f"charts/{file}") for file in charts},
            read("exhibits.json"),
            read("sentences.json"),
            read("outputs.json"),
            Origin(**read(STATE)),
        )
    except (ValueError, TypeError, csv.Error) as error:
        hint = "take it from the history, or approve anew in another folder"
        raise InputError.one(folder, f"a file that cannot be read ({error})", "an approved state", hint) from error


def approved_files(results: Results) -> dict[str, str]:
    """The approved state of results: every file's text by its path in the folder."""
    made = results.origin
    # The versions of everything on the machine are noise in a committed file; those that count and draw are not.
    made = replace(
        made,
        versions={name: made.versions[name] for name in MADE_WITH if name in made.versions},
        rows={table: _kept(table, rows) for table, rows in (made.rows or {}).items()},
    )
    files = {f"tables/{name}.csv": write_csv(table) for name, table in results.tables.items()}
    files |= {f"views/{name}.csv": write_csv(table) for name, table in results.views.items()}
    files |= {f"charts/{name}.vl.json": pretty(chart) + "\n" for name, chart in results.charts.items()}
    parts = {"exhibits": results.words, "sentences": results.sentences, "outputs": results.outputs}
    files |= {f"{part}.json": pretty(content) + "\n" for part, content in parts.items()}
    return files | {STATE: pretty(made.__dict__) + "\n"}


def _kept(table: str, rows: Mapping[str, Any]) -> dict[str, Any]:
    def kept(row: Any) -> Any:
        if isinstance(row, str):
            return row
        return row_hash(row) if table in LISTED_WHOLE else {column: text for column, text in row.items() if text}

    return {key: kept(row) for key, row in rows.items()}
