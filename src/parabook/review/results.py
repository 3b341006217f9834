"""The results of a book as one flat mapping from ``kind/name`` to a text, a table or a chart. Pure.

An exhibit has a ``table`` (its CSV), perhaps a ``view`` (what its page shows besides), a ``chart``, and texts; a chapter
has ``prose``, ``parameters``, ``value`` (glued) and ``output``, named ``chapter/cell``. `CAUSES` are what results were
made from. Nothing here depends on the machine, the time, or the order of the work.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from parabook.files import digest
from parabook.plugins import Table
from parabook.protocol import CHARTS, EXHIBIT, LAB_ONLY, glued_text

Results = Mapping[str, Any]

TEXTS = ("caption", "finding", "notes", "source")
"""Kinds of text that an exhibit has."""

ABOUT = ("chapter", "rests-on")
"""Kinds of what is known of an exhibit and is no result: its chapter, and the inputs read before it."""

CAUSES = ("input", "file", "code", "given", "version")
"""Tables of the input, hashes of its files and of code, parameters given, versions of packages."""

READABLE = ("text/markdown", "text/html", "text/plain")


def from_notebooks(notebooks: Mapping[str, Mapping[str, Any]], leave_out: Collection[str] = ()) -> dict[str, Any]:
    """The results that executed notebooks hold, given as JSON by chapter, without the exhibits in ``leave_out``."""
    found: dict[str, Any] = {}
    for chapter, notebook in notebooks.items():
        for place, cell in enumerate(notebook["cells"], 1):
            name = f"{chapter}/{cell_name(cell, place)}"
            if cell["cell_type"] == "markdown":
                found[f"prose/{name}"] = joined(cell["source"])
            if "parameters" in cell["metadata"].get("tags", ()):
                found[f"parameters/{name}"] = joined(cell["source"])
            for number, output in enumerate(cell.get("outputs", ()), 1):
                made = output.get("data", {}).get(EXHIBIT)
                if not made:
                    found |= _output(output, chapter, f"{name}/{number}")
                elif made["id"] not in leave_out:
                    rests_on = " ".join(output["metadata"].get("rests-on", "*"))
                    found |= {f"chapter/{made['id']}": chapter, f"rests-on/{made['id']}": rests_on, **_exhibit(made)}
    exhibits = {*leave_out, *(key.removeprefix("chapter/") for key in found if key.startswith("chapter/"))}
    # Of an exhibit prose can paste the finding, which is a result already.
    return {key: value for key, value in found.items() if key[:6] != "value/" or key.split("/", 2)[2] not in exhibits}


def cell_name(cell: Mapping[str, Any], place: int) -> str:
    """How a cell is named: by its id, which notebooks before format 4.5 lack, else by its position.

    Examples
    --------
    >>> cell_name({"id": "by-age"}, 3), cell_name({}, 3)
    ('by-age', 'cell-3')
    """
    injected = "injected-parameters" in cell.get("metadata", {}).get("tags", [])
    return "parameters given" if injected else str(cell.get("id") or f"cell-{place}")


def joined(text: str | list[str]) -> str:
    """Text of a notebook, which may stand as a list of lines."""
    return text if isinstance(text, str) else "".join(text)


def _output(output: Mapping[str, Any], chapter: str, name: str) -> dict[str, Any]:
    """What an output says that is no exhibit."""
    data = output.get("data", {})
    if glue := glued_text(output):
        return {f"value/{chapter}/{glue[0]}": glue[1]}
    if LAB_ONLY in data or output.get("name") == "stderr":
        return {}
    if chart := next((data[kind] for kind in CHARTS if kind in data), None):
        return {f"chart/{name}": canonical(chart)}
    shown = next((joined(data[kind]) for kind in READABLE if kind in data), digest(data) if data else "")
    text = re.sub(r" at 0x[0-9a-f]+", "", shown or joined(output.get("text", "")))
    return {f"output/{name}": text} if text else {}


def _exhibit(made: Mapping[str, Any]) -> dict[str, Any]:
    table, view = (_table(part["columns"], part["rows"]) for part in (made, made["view"]))
    found: dict[str, Any] = {f"table/{made['id']}": table}
    if own := _own_columns(table, view):
        found[f"view/{made['id']}"] = own
    if made["chart"]:
        found[f"chart/{made['id']}"] = canonical(made["chart"])
    return found | {f"{kind}/{made['id']}": made[kind] if kind != "notes" else "\n".join(made[kind]) for kind in TEXTS}


def _table(columns: Sequence[Any], rows: Sequence[Sequence[Any]]) -> Table:
    return (tuple(map(str, columns)), *(tuple(map(_cell, row)) for row in rows))


def _cell(cell: Any) -> str:
    """A cell as text, links with where they lead.

    Examples
    --------
    >>> _cell([{"text": "i05", "href": "#x"}, {"text": "i06", "href": ""}]), _cell(None), _cell(2.0)
    ('i05 (#x); i06', '', '2.0')
    """
    if isinstance(cell, list):
        return "; ".join(f"{link['text']} ({link['href']})" if link["href"] else link["text"] for link in cell)
    return "" if cell is None else str(cell)


def _own_columns(table: Table, view: Table) -> Table:
    """The columns of a view that do not repeat one of the table, behind its first, which names the rows; or nothing."""
    repeated, columns = set(zip(*table, strict=True)), list(zip(*view, strict=True))
    own = [column for column in columns if column not in repeated]
    first = [column for column in columns[:1] if column in repeated]
    return tuple(zip(*first, *own, strict=True)) if own else ()


def canonical(chart: Mapping[str, Any]) -> dict[str, Any]:
    """A chart whose data sets are numbered by their order of use, where Altair named them by a hash of their content."""
    spec = json.dumps({key: part for key, part in chart.items() if key != "datasets"}, sort_keys=True)
    text = json.dumps(chart, sort_keys=True)
    named = [f'"{name}"' for name in chart.get("datasets", {}) if name.startswith("data-") and f'"{name}"' in spec]
    for number, name in enumerate(sorted(named, key=spec.index), 1):
        text = text.replace(name, f'"data-{number}"')
    found: dict[str, Any] = json.loads(text)
    return found
