"""The results of a built book as one flat mapping from ``kind/name`` to text. Knows nothing of runs.

An exhibit has a ``table`` (CSV), perhaps a ``chart`` (Vega-Lite), and an ``exhibit``, its text on the page. A ``page`` is the
text around exhibits, an ``asset`` the hash of a style, script or font. `CAUSES` are what results were made from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup

from parabook.book import Book
from parabook.files import digest
from parabook.pdf import ARTICLE
from parabook.plugins import Plugin, Table
from parabook.protocol import CHARTS, EXHIBIT, LAB_ONLY, as_csv, outputs
from parabook.receipt import LIST, PAGES, RECEIPT

Results = Mapping[str, str]

CAUSES = {"input": "input value", "file": "input file", "code": "code file", "given": "setting", "version": "package"}
"""Kinds of what results are made from, with the word for one: cells of the input, hashes of files, parameters, versions."""

ABOUT = "rests-on"
"""The kind of an exhibit's inputs: known of it, but no result."""

VERSIONS = ("altair", "duckdb", "jupyter-book", "narwhals", "nbclient", "pandas", "papermill", "vl-convert-python")
"""The packages that run, count and draw; the others of a machine would be noise in a committed file."""

ASSETS = re.compile(r"^(\w+)  (?!exhibits/|searchindex)(.+\.(?:css|js|woff2|svg|png))$", re.MULTILINE)
"""Styles, scripts, fonts and pictures in a book's list of checksums, without those made from its pages, tables and charts."""

INLINE = {
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "i", "ins", "kbd", "label", "mark", "q", "s", "samp",
    "small", "span", "strong", "sub", "sup", "time", "u", "var",
}  # fmt: skip
"""Elements of HTML that do not begin a line."""

HIDDEN = {"hidden", "d-none", "headerlink"}  # classes of elements that are not shown, or only on hover
CODE = "details.above-input, .cell_input"  # a chapter's code is a cause, no result
HASH = 12  # digits of a hash, enough to tell files apart


def results(folder: Path, book: Book, plugin: Plugin, rows: Mapping[str, Table] | None) -> dict[str, str]:
    """The results in the folder of a built book and what they came from, without exhibits that the setting ``not_reviewed`` names.

    ``rows`` are the tables of its input. None for an input that hides small cells: its hashes are left out too, as cells
    could be guessed from them.
    """
    receipt = json.loads((folder / RECEIPT).read_text(encoding="utf-8"))
    found: dict[str, str] = {}
    for chapter in (each["chapter"] for each in receipt["chapters"]):
        notebook = json.loads((folder / "notebooks" / f"{chapter}.ipynb").read_text(encoding="utf-8"))
        for place, output in enumerate(outputs(notebook), 1):
            found |= _data(output, f"{chapter}/{place}")
    found |= pages(folder / PAGES)
    for name in book.settings.get("not_reviewed", ()):
        for kind in ("table", "chart", "exhibit", ABOUT) if f"{ABOUT}/{name}" in found else ():
            found.pop(f"{kind}/{name}", None)
    checksums = (folder / PAGES / LIST).read_text(encoding="utf-8")
    found |= {f"asset/{name}": code[:HASH] for code, name in ASSETS.findall(checksums)}
    for group, files in receipt["inputs"].items():
        if group != plugin.noun or rows is not None:
            kind = "file" if group == plugin.noun else f"code/{group}"
            found |= {f"{kind}/{name}": code[:HASH] for name, code in files.items()}
    found |= {f"given/{name}": str(value) for name, value in receipt["parameters"].items()}
    found |= {f"version/{name}": receipt["versions"][name] for name in VERSIONS if name in receipt["versions"]}
    return found | {f"input/{name}": as_csv({"columns": t[0], "rows": t[1:]}) for name, t in (rows or {}).items()}


def tables(notebooks: Iterable[str], given: Mapping[str, Any], known: Results) -> dict[str, str]:
    """The tables that differ from ``known`` ones when chapters run with further parameters, which become part of their names."""
    label = ",".join(f"{name}={value}" for name, value in given.items())
    found = dict[str, str]()
    for output in (output for text in notebooks for output in outputs(json.loads(text))):
        for key, text in _data(output, "").items():
            kind, _, name = key.partition("/")
            if kind == "table" and known.get(key, text) != text:
                found[f"table/{label}/{name}"] = text
    return found


def _data(output: Mapping[str, Any], place: str) -> dict[str, str]:
    """The table and the chart of an exhibit, or a chart by itself."""
    data = output.get("data", {})
    if made := data.get(EXHIBIT):
        if made.get("absent"):  # no page shows it
            return {}
        parts = {ABOUT: " ".join(output["metadata"].get("rests-on", "*")), "table": as_csv(made)}
        parts |= {"chart": _chart(made["chart"])} if made["chart"] else {}
        return {f"{kind}/{made['id']}": text for kind, text in parts.items()}
    chart = next((data[kind] for kind in CHARTS if kind in data and LAB_ONLY not in data), None)
    return {f"chart/{place}": _chart(chart)} if chart else {}


def _chart(spec: Mapping[str, Any]) -> str:
    """A chart as JSON, with data sets that Altair names by a hash of their content numbered in order of use instead."""
    text = json.dumps(spec, sort_keys=True)
    for number, name in enumerate(dict.fromkeys(re.findall(r'"name": "(data-[0-9a-f]{32})"', text)), 1):
        text = text.replace(name, f"data-{number}")
    return json.dumps(json.loads(text), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def pages(html: Path) -> dict[str, str]:
    """The text of every page and exhibit, and, once, the text around that of pages: contents, foot."""
    found, around = dict[str, str](), dict[str, None]()
    for file in sorted(html.rglob("*.html")):
        page = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")
        article = page.select_one(ARTICLE) or page.body or page
        for figure in article.select("figure.exhibit"):
            name = str(figure["id"]).removeprefix("exhibit-")
            figure.replace_with(f"exhibit {name}")
            found[f"exhibit/{name}"] = seen(figure)
        head = _lines(page.head.extract()) if page.head else ""
        found[f"page/{file.relative_to(html).with_suffix('').as_posix()}"] = head + seen(article.extract())
        around |= dict.fromkeys(_lines(page).splitlines(keepends=True))
    return found | {"page/around": "".join(around)}


def seen(part: Any) -> str:
    """The text of a part of a page that is not hidden, and a hash of its elements with their attributes."""
    for code in part.select(CODE):
        code.decompose()
    return f"{_lines(part)}markup {digest([(tag.name, tag.attrs) for tag in (part, *part.find_all())])[:HASH]}\n"


def _lines(part: Any) -> str:
    """The text of an element without blank lines, repeated blanks and memory addresses."""
    lines = (" ".join(line.split()) for line in re.sub(r" at 0x[0-9a-f]+", "", _text(part)).splitlines())
    return "".join(f"{line}\n" for line in lines if line)


def _text(part: Any) -> str:
    """The text of an element, with line breaks where blocks begin and end."""
    if not hasattr(part, "attrs"):  # text, or a comment
        return "" if part.PREFIX else str(part) if part.find_parent("pre") else re.sub(r"\s+", " ", part)
    hidden = part.has_attr("hidden") or HIDDEN & {*part.get("class", ())}
    if hidden or re.search(r"display\s*:\s*none|visibility\s*:\s*hidden", str(part.get("style", ""))):
        return ""
    if part.name in ("script", "style") or "stylesheet" in part.get("rel", ()):
        file = part.get("href") or part.get("src")
        text = f"{part.name} {file.partition('?')[0] if file else digest(part.string)[:HASH]}"
    elif part.name == "meta":  # what search engines and shared links show of a page
        about = part.get("property") or part.get("name", "")
        text = f"{about}: {part.get('content')}" if about.startswith(("og:", "description")) else ""
    elif part.name == "svg":
        text = "; ".join(part.stripped_strings)
    elif part.name == "tr":
        text = " | ".join(" ".join(_text(cell).split()) for cell in part.find_all(("td", "th"), recursive=False))
    else:
        text = str(part.get("alt", "")) + "".join(map(_text, part.children))
    return text if part.name in INLINE else f"\n{text}\n"
