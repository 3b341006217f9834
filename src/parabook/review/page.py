"""A review as a page of HTML, and as a shorter summary for a pull request. The templates escape all that comes from data."""

from __future__ import annotations

import base64
import difflib
import json
import re
from collections.abc import Iterator

from parabook.drawings import as_svg, canonical
from parabook.review.verdict import Review, count
from parabook.templating import render


def as_html(review: Review) -> str:
    """The page as one self-contained HTML file."""
    return _render("review.html.j2", review, most=2000, drawn=True)


def as_markdown(review: Review) -> str:
    """The same without drawings, as HTML without blank lines: Markdown shows it as it is."""
    return re.sub(r"\s*\n\s*", "\n", _render("review-body.html.j2", review, most=500, drawn=False).rstrip()) + "\n"


def _render(template: str, review: Review, most: int, drawn: bool) -> str:
    def drawing(spec: str) -> str:
        """A chart as the data URL of an image, in which no script can run and no name clashes with one of the page."""
        try:
            svg = as_svg(canonical(json.loads(spec)), review.cache)
        except ValueError:  # the page says that the chart cannot be drawn
            return ""
        return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"

    return render(template, review=review, most=most, drawn=drawn, marked=marked, count=count, drawing=drawing)


def marked(old: str, new: str) -> Iterator[list[tuple[str, bool]]]:
    """Two texts in pieces, each marked by whether it is absent from the other text."""
    a, b = (re.findall(r"\w+|\s+|[^\w\s]", text) for text in (old, new))
    codes = difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    yield [("".join(a[start:end]), kind != "equal") for kind, start, end, _, _ in codes]
    yield [("".join(b[start:end]), kind != "equal") for kind, _, _, start, end in codes]
