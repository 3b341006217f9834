"""What the chapters of a book say, taken from executed notebooks: all that a review compares. Pure.

Nothing here depends on the machine, the time, or the order of the work.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from parabook.plugins import Table
from parabook.protocol import CHARTS, EXHIBIT, LAB_ONLY, as_csv

WORDS = ("caption", "finding", "notes", "source")
"""What an exhibit says besides its table and its chart."""

KINDS = ("prose", "value", "output", "parameters")
"""Texts besides exhibits: Markdown cells, glued values, other outputs of cells, and cells tagged as parameters."""

SHOWN = ("text/markdown", "text/html", "text/plain")
"""The representations of an output in which a review reads it, the best first."""


@dataclass(frozen=True)
class Exhibit:
    """One exhibit: its table as the CSV holds it, and what its view shows otherwise, or besides."""

    chapter: str
    words: Mapping[str, str] = field(default_factory=dict)
    table: Table = ()
    view: Table = ()
    chart: Any = None
    rests_on: tuple[str, ...] = ("*",)
    """Names of the inputs that had been read when it was made; ``*`` stands for all of them."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of its table."""
        return self.table[0] if self.table else ()

    @property
    def shown(self) -> Table:
        """The table with the columns of the view beside it, row by row."""
        if len(self.view) != len(self.table):  # a view of other rows stands for itself
            return self.table
        return tuple((*row, *more) for row, more in zip(self.table, self.view, strict=True))

    @property
    def apart(self) -> Table:
        """The view where its rows are not the table's."""
        return () if len(self.view) == len(self.table) else self.view


@dataclass(frozen=True)
class Origin:
    """What results were made from: hashes of files by path, and the rows of the input's tables.

    ``inputs`` is None where an input hides small cells, as hashes can be guessed; ``rows`` where they are not known.
    """

    inputs: Mapping[str, str] | None = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, Table] | None = None


@dataclass(frozen=True)
class Results:
    """What the chapters say: exhibits by id, other texts by kind and then by chapter and cell or name."""

    name: str
    exhibits: Mapping[str, Exhibit] = field(default_factory=dict)
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    origin: Origin = Origin()


def from_notebooks(
    name: str, notebooks: Mapping[str, Mapping[str, Any]], origin: Origin, leave_out: Collection[str] = ()
) -> Results:
    """The results that executed notebooks hold.

    Parameters
    ----------
    name : str
        What the results are of: the input's name, or the book's.
    notebooks : mapping
        Executed notebooks as JSON, by chapter.
    leave_out : collection of str
        Exhibits that are no results, as they differ from machine to machine.
    """
    exhibits: dict[str, Exhibit] = {}
    texts: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
    for chapter, notebook in notebooks.items():
        for place, cell in enumerate(notebook["cells"], 1):
            for kind, label, text in _texts(cell, cell_name(cell, place)):
                texts[kind][f"{chapter}: {label}"] = text
            for output in cell.get("outputs", ()):
                made = output.get("data", {}).get(EXHIBIT)
                if made and made["id"] not in leave_out:
                    exhibits[made["id"]] = _exhibit(chapter, made, output.get("metadata", {}))
    return Results(name, exhibits, texts, origin)


def cell_name(cell: Mapping[str, Any], place: int) -> str:
    """How a cell is named: by its id, which notebooks before format 4.5 lack, else by its position.

    Examples
    --------
    >>> cell_name({"id": "by-age"}, 3), cell_name({}, 3)
    ('by-age', 'cell-3')
    """
    injected = "injected-parameters" in cell.get("metadata", {}).get("tags", [])
    return "parameters given" if injected else str(cell.get("id") or f"cell-{place}")


def _exhibit(chapter: str, made: Mapping[str, Any], metadata: Mapping[str, Any]) -> Exhibit:
    words = {"caption": made["caption"], "finding": made.get("finding", made.get("description", ""))}
    words |= {"notes": "\n".join(made["notes"]), "source": made["source"]}
    table, view = (_table(part["columns"], part["rows"]) for part in (made, made["view"]))
    view = _own_columns(table, view) if len(table) == len(view) else view
    chart = canonical(made["chart"]) if made["chart"] else None
    rests_on = tuple(metadata.get("rests-on", "*"))
    return Exhibit(chapter, words, table, view, chart, rests_on)


def _table(columns: list[str], rows: list[list[Any]]) -> Table:
    return (tuple(map(str, columns)), *(tuple(_cell(cell) for cell in row) for row in rows))


def _own_columns(table: Table, view: Table) -> Table:
    """The columns of a view that do not repeat a column of the table; nothing where all do.

    Examples
    --------
    >>> _own_columns((("age", "n"), ("18–24", "4")), (("age", "n", "rows"), ("18–24", "four", "i05")))
    (('n, as shown', 'rows'), ('four', 'i05'))
    """
    by_name = dict(zip(table[0], zip(*table[1:], strict=True), strict=False))
    own = [n for n, name in enumerate(view[0]) if by_name.get(name) != tuple(row[n] for row in view[1:])]
    names = tuple(f"{view[0][n]}, as shown" if view[0][n] in table[0] else view[0][n] for n in own)
    return (names, *(tuple(row[n] for n in own) for row in view[1:])) if own else ()


def _cell(cell: Any) -> str:
    """A cell as text; of a list of links each on a line, with where it leads.

    Examples
    --------
    >>> _cell([{"text": "i05", "href": "#x"}, {"text": "i06", "href": ""}])
    'i05 (#x)\\ni06'
    >>> _cell(None), _cell(4), _cell(2.0)
    ('', '4', '2.0')
    """
    if isinstance(cell, list):
        return "\n".join(f"{link['text']} ({link['href']})" if link["href"] else link["text"] for link in cell)
    return "" if cell is None else str(cell)


def _texts(cell: Mapping[str, Any], name: str) -> Iterator[tuple[str, str, str]]:
    """What a cell says outside exhibits: kind, name, text."""
    if cell["cell_type"] == "markdown":
        yield "prose", name, joined(cell["source"])
    if "parameters" in cell.get("metadata", {}).get("tags", []):
        yield "parameters", name, joined(cell["source"])
    for number, output in enumerate(cell.get("outputs", ()), 1):
        data, metadata = output.get("data", {}), output.get("metadata", {})
        if "scrapbook" in metadata:
            yield "value", metadata["scrapbook"]["name"], joined(data.get("text/plain", ""))
        elif not {EXHIBIT, LAB_ONLY} & data.keys() and output.get("name") != "stderr":
            text = _shown(data) if data else joined(output.get("text", ""))
            if text:
                yield "output", f"{name}, output {number}", text


def _shown(data: Mapping[str, Any]) -> str:
    chart = next((data[kind] for kind in CHARTS if kind in data), None)
    if chart:
        return pretty(canonical(chart))
    kind = next((kind for kind in SHOWN if kind in data), "")
    if kind:
        return re.sub(r" at 0x[0-9a-f]+", "", joined(data[kind]))
    return "\n".join(f"{kind} {hashlib.sha256(str(data[kind]).encode()).hexdigest()}" for kind in sorted(data))


def joined(text: str | list[str]) -> str:
    """Text of a notebook, which may stand as a list of lines."""
    return text if isinstance(text, str) else "".join(text)


def canonical(chart: Mapping[str, Any]) -> dict[str, Any]:
    """A chart whose data sets are named by their order of use, not by a hash of their content.

    Examples
    --------
    >>> canonical({"data": {"name": "data-b1"}, "datasets": {"data-b1": [{"x": 1}]}})
    {'data': {'name': 'data-1'}, 'datasets': {'data-1': [{'x': 1}]}}
    """
    sets: Mapping[str, Any] = chart.get("datasets", {})
    names: dict[str, str] = {}

    def renamed(part: Any) -> Any:
        if isinstance(part, Mapping):
            if part.get("name") in sets:
                return {**part, "name": names.setdefault(part["name"], f"data-{len(names) + 1}")}
            return {key: renamed(part[key]) for key in sorted(part)}
        return [renamed(each) for each in part] if isinstance(part, list) else part

    spec: dict[str, Any] = renamed({key: part for key, part in chart.items() if key != "datasets"})
    used = {new: sets[old] for old, new in names.items()}
    return spec | {"datasets": used} if used else spec


def pretty(value: Any, width: int = 118) -> str:
    """JSON with sorted keys, what fits on a line on a line: small, and read line by line where it differs.

    Examples
    --------
    >>> print(pretty({"b": [1, 2], "a": "x"}, width=12))
    {
     "a": "x",
     "b": [1, 2]
    }
    """
    flat = json.dumps(value, sort_keys=True, ensure_ascii=False)
    if len(flat) <= width or not isinstance(value, (dict, list)) or not value:
        return flat
    if isinstance(value, dict):
        parts = [f"{json.dumps(key, ensure_ascii=False)}: {pretty(value[key], width)}" for key in sorted(value)]
    else:
        parts = [pretty(each, width) for each in value]
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
    return as_csv({"columns": table[0] if table else (), "rows": table[1:]}) if table else ""
