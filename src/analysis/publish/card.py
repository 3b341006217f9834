"""The picture that a link to the book shows where it is shared: its title and its first sentence."""

from __future__ import annotations

import textwrap

from analysis.charts import FONT, MARKS_UP_TO, PALETTE
from parabook.templating import render


def card_svg(title: str, lead: str, declared: int | None, described: int) -> str:
    """The card as SVG of 1200 x 630 pixels: title and lead, cut after four lines each; of few people a mark each.

    A full mark stands for everyone described, a hollow one for everyone who is not.

    Examples
    --------
    >>> svg = card_svg("People & places", "The source describes one of them.", 2, 1)
    >>> "People &amp; places" in svg, svg.count("<rect") - 2, svg.count("<circle")
    (True, 1, 1)
    """
    whole = described if declared is None else declared
    return render(
        "card.svg.j2", "analysis.publish", title=textwrap.wrap(title, 34)[:4], lead=textwrap.wrap(lead, 62)[:4],
        marks="●" * described + "□" * (whole - described) if whole <= MARKS_UP_TO else "",
        font=FONT, colour={name: light for name, (light, _) in PALETTE.items()},
    )  # fmt: skip
