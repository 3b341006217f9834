"""The results of a built book as one flat mapping from ``kind/name`` to text. Knows nothing of runs.

An exhibit has a ``table`` (CSV), perhaps a ``chart`` (Vega-Lite), and an ``exhibit``: what readers see of it. A ``page`` is
what else they see, an ``asset`` the hash of a style, script or font. `CAUSES` are what results were made from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from parabook.checksums import LIST, PAGES, RECEIPT
from parabook.plugins import Table
from parabook.protocol import CHARTS, EXHIBIT, LAB_ONLY, as_csv
from parabook.review.seen import HASH, pages

Results = Mapping[str, str]

CAUSES = ("input", "file", "code", "given", "version")
"""Tables of the input, hashes of its files and of code, parameters given, versions of packages."""

ABOUT = ("chapter", "rests-on")
"""Kinds of what is known of an exhibit and is no result: its chapter, and the inputs read before it."""

VERSIONS = ("altair", "duckdb", "jupyter-book", "narwhals", "nbclient", "pandas", "papermill", "vl-convert-python")
"""The packages that run, count and draw: of a whole machine's packages, most would be noise in a committed file."""

ASSETS = re.compile(r"^(\w+)  (?!exhibits/|searchindex)(.+\.(?:css|js|woff2|svg))$", re.MULTILINE)
"""Styles, scripts and fonts in a book's list of checksums, without what follows from its pages, tables and charts."""


def results(book: Path, noun: str, rows: Mapping[str, Table] | None, leave_out: Collection[str] = ()) -> dict[str, str]:
    """The results in the folder of a built book, without the exhibits in ``leave_out``, and what they were made from.

    ``noun`` is what its receipt calls an input, ``rows`` its tables. They are None where the input hides small cells, of
    which hashes are left out too, as rows can be guessed from them.
    """
    receipt = json.loads((book / RECEIPT).read_text(encoding="utf-8"))
    found: dict[str, str] = {}
    for chapter in (each["chapter"] for each in receipt["chapters"]):
        notebook = json.loads((book / "notebooks" / f"{chapter}.ipynb").read_text(encoding="utf-8"))
        outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
        for place, output in enumerate(outputs, 1):
            found |= _data(output, chapter, f"{chapter}/{place}", leave_out)
    checksums = (book / PAGES / LIST).read_text(encoding="utf-8")
    found |= pages(book / PAGES, leave_out) | {f"asset/{name}": code[:HASH] for code, name in ASSETS.findall(checksums)}
    for group, files in receipt["inputs"].items():
        if isinstance(files, Mapping) and (group != noun or rows is not None):
            kind = "file" if group == noun else f"code/{group}"
            found |= {f"{kind}/{name}": code[:HASH] for name, code in files.items()}
    found |= {f"given/{name}": str(value) for name, value in receipt["parameters"].items()}
    found |= {f"version/{name}": receipt["versions"][name] for name in VERSIONS if name in receipt["versions"]}
    return found | {f"input/{name}": as_csv({"columns": t[0], "rows": t[1:]}) for name, t in (rows or {}).items()}


def _data(output: Mapping[str, Any], chapter: str, place: str, leave_out: Collection[str]) -> dict[str, str]:
    """The table and the chart of an exhibit, or a chart by itself."""
    data = output.get("data", {})
    if made := data.get(EXHIBIT):
        name, about = made["id"], {"chapter": chapter, "rests-on": " ".join(output["metadata"].get("rests-on", "*"))}
        parts = {**about, "table": as_csv(made), **({"chart": _chart(made["chart"])} if made["chart"] else {})}
        return {f"{kind}/{name}": text for kind, text in parts.items() if name not in leave_out}
    chart = next((data[kind] for kind in CHARTS if kind in data and LAB_ONLY not in data), None)
    return {f"chart/{place}": _chart(chart)} if chart else {}


def _chart(spec: Mapping[str, Any]) -> str:
    """A chart as JSON, its data sets numbered by their order of use where Altair named them by a hash of their content."""
    text = json.dumps(spec, sort_keys=True)
    for number, name in enumerate(dict.fromkeys(re.findall(r'"name": "(data-[0-9a-f]{32})"', text)), 1):
        text = text.replace(name, f"data-{number}")
    return json.dumps(json.loads(text), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
