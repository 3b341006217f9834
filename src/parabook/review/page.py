"""A review as a page of HTML and as Markdown: what the templates are filled with. All that comes from data is escaped."""

from __future__ import annotations

import base64
import difflib
import re
from functools import partial
from pathlib import Path
from typing import Any

from markupsafe import Markup

from parabook.drawings import as_svg, canonical
from parabook.review.verdict import Review, count
from parabook.templating import environment


def as_html(review: Review) -> str:
    """The page as one HTML file that needs nothing else."""
    return environment().get_template("review.html.j2").render(_content(review))


def as_markdown(review: Review) -> str:
    """The same for the summary of a pull request, without drawings."""
    markdown = environment().overlay(finalize=plain)
    return re.sub(r"\n{3,}", "\n\n", markdown.get_template("review.md.j2").render(_content(review))).strip() + "\n"


def plain(value: Any) -> Any:
    """A value as Markdown that shows it as typed, on one line; markup of a template as it is.

    Examples
    --------
    >>> print(plain("a|b <i>*c*</i> @d"))
    a\\|b &lt;i&gt;\\*c\\*&lt;/i&gt; \\@d
    """
    if hasattr(value, "__html__") or value is None:
        return value or ""
    if str(value).isspace():
        return " "
    text = re.sub(r"([\\`*_{}\[\]|~@$#!])", r"\\\1", str(value)).replace("://", ":\\//")
    return Markup(" ".join(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").split()))


def _content(review: Review) -> dict[str, Any]:
    quiet = [cell for cell in review.cells if cell.state == "ran" and not cell.problem]
    warnings = sum(problem.warning for problem in review.checks)
    held = f"{review.evidence} against the source text" if review.evidence else ""
    return {
        "review": review,
        "evidence": held or "not held against the source text; --source FILE does it",
        "loud": [cell for cell in review.cells if cell not in quiet],
        "quiet": quiet,
        "ran": sum(cell.state == "ran" for cell in review.cells),
        "checked": f"{count(len(review.checks) - warnings, 'error')}, {count(warnings, 'warning')}",
        "marked": marked,
        "count": count,
        "drawing": partial(drawing, cache=review.cache),
    }


def marked(old: str, new: str) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """Two texts in pieces, with the words marked that are not in the other."""
    a, b = (re.findall(r"\w+|\s+|[^\w\s]", text) for text in (old, new))
    was, now = [], []
    for kind, a1, a2, b1, b2 in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        was.append(("".join(a[a1:a2]), kind != "equal"))
        now.append(("".join(b[b1:b2]), kind != "equal"))
    return [piece for piece in was if piece[0]], [piece for piece in now if piece[0]]


def drawing(spec: Any, cache: Path) -> str:
    """A chart as the address of an image: so drawn, nothing in it can run, and its names meet no others."""
    try:
        svg = as_svg(canonical(spec), cache)
    except ValueError:  # a chart that cannot be drawn is for the reviewer to see
        return ""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
