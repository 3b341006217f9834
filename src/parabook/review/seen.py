"""What readers see of a book's pages, as text whose diffs can be read: a line for each block, and each row of a table."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from parabook.files import digest
from parabook.pdf import ARTICLE

INLINE = {
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "i", "ins", "kbd", "label", "mark", "q", "s", "samp",
    "small", "span", "strong", "sub", "sup", "time", "u", "var",
}  # fmt: skip
"""Elements that do not begin a line."""

HIDDEN = {"hidden", "d-none", "headerlink"}
"""Classes of what is not shown, or only to a mouse."""

CODE = "details.above-input, .cell_input"
"""A chapter's code, a change of which is a cause and no result."""

HASH = 12
"""Digits of a hash: enough to tell files apart."""


def pages(html: Path, leave_out: Collection[str] = ()) -> dict[str, str]:
    """What readers see of every page and every exhibit, but for those in ``leave_out``, by ``kind/name``.

    What stands around the text of pages (contents, previous and next, foot) is a page of its own, ``around``, once.
    """
    from bs4 import BeautifulSoup

    found, around = dict[str, str](), dict[str, None]()
    for file in sorted(html.rglob("*.html")):
        page = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")
        article = page.select_one(ARTICLE) or page.body or page
        for figure in article.select("figure.exhibit"):
            name = str(figure["id"]).removeprefix("exhibit-")
            figure.replace_with(f"exhibit {name}")
            if name not in leave_out:
                found[f"exhibit/{name}"] = seen(figure)
        head = _lines(page.head.extract()) if page.head else ""
        found[f"page/{file.relative_to(html).with_suffix('').as_posix()}"] = head + seen(article.extract())
        around |= dict.fromkeys(_lines(page).splitlines(keepends=True))
    return found | {"page/around": "".join(around)}


def seen(part: Any) -> str:
    """The text of a part of a page that is not hidden, and a hash of all else: elements, attributes, drawings.

    Examples
    --------
    >>> from bs4 import BeautifulSoup
    >>> page = "<p>One<b> two</b><i hidden>three</i></p><table><tr><th>a</th><td>4</td></tr><tr hidden></tr></table>"
    >>> print(seen(BeautifulSoup(page, "html.parser")))  # doctest: +ELLIPSIS
    One two
    a | 4
    markup ...
    """
    for code in part.select(CODE):
        code.decompose()
    return f"{_lines(part)}markup {digest([(tag.name, tag.attrs) for tag in (part, *part.find_all())])[:HASH]}\n"


def _lines(part: Any) -> str:
    lines = (" ".join(line.split()) for line in _text(part).splitlines())
    return "".join(f"{line}\n" for line in lines if line)


def _text(part: Any) -> str:
    """The text of an element, with line breaks where blocks begin and end."""
    if not hasattr(part, "attrs"):  # text, or a comment
        return "" if part.PREFIX else str(part) if part.find_parent("pre") else re.sub(r"\s+", " ", part)
    style = str(part.get("style", "")).replace(" ", "")
    if (
        part.has_attr("hidden")
        or HIDDEN & {*part.get("class", ())}
        or re.search("display:none|visibility:hidden", style)
    ):
        return ""
    if part.name in ("script", "style") or "stylesheet" in part.get("rel", ()):
        file = part.get("href") or part.get("src")
        text = f"{part.name} {file.partition('?')[0] if file else digest(part.string)[:HASH]}"
    elif part.name == "svg":
        text = "; ".join(part.stripped_strings)
    elif part.name == "tr":
        text = " | ".join(" ".join(_text(cell).split()) for cell in part.find_all(("td", "th"), recursive=False))
    else:
        text = str(part.get("alt", "")) + "".join(map(_text, part.children))
    return text if part.name in INLINE else f"\n{text}\n"
