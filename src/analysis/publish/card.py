"""The picture that a link to the book shows where it is shared: its title and its first sentence."""

from __future__ import annotations

import textwrap

from analysis.charts import FONT, MARKS_UP_TO, PALETTE
from parabook.templating import render


def card_svg(title: str, lead: str, marks: str = "") -> str:
    """The card as SVG of 1200 x 630 pixels: title and lead, cut after four lines each, and one mark a person.

    Examples
    --------
    >>> svg = card_svg("People & places", "The source describes two of them.", "●□")
    >>> "People &amp; places" in svg, svg.count("<rect") - 2, svg.count("<circle")
    (True, 1, 1)
    """
    return render(
        "card.svg.j2", "analysis.publish", title=textwrap.wrap(title, 34)[:4], lead=textwrap.wrap(lead, 62)[:4],
        marks=marks, font=FONT, colour={name: light for name, (light, _) in PALETTE.items()},
    )  # fmt: skip


def one_mark_each(declared: int | None, described: int) -> str:
    """A full mark for everyone described, a hollow one for everyone who is not; nothing when they are many.

    Examples
    --------
    >>> one_mark_each(5, 3), one_mark_each(None, 2), one_mark_each(5000, 3)
    ('●●●□□', '●●', '')
    """
    whole = described if declared is None else declared
    return "●" * described + "□" * (whole - described) if whole <= MARKS_UP_TO else ""
