"""The picture that a link to the book shows where it is shared: its headline, and its map or its first words."""

from __future__ import annotations

import re
import textwrap

from analysis.charts import FONT, PALETTE
from parabook.templating import render


def card_svg(title: str, lead: str, drawing: str = "") -> str:
    """The card as SVG of 1200 x 630 pixels: the title beside a drawing, or above the lead; cut where there is no room.

    >>> svg = card_svg("People & places", "The source describes one of them.")
    >>> "People &amp; places" in svg, "describes one" in svg
    (True, True)
    """
    placed = re.sub(
        r'<svg ([^>]*?)width="[^"]*" height="[^"]*"',
        r'<svg \1x="600" y="50" width="560" height="550"',
        drawing,
        count=1,
    )
    return render(
        "card.svg.j2", "analysis.publish", title=textwrap.wrap(title, 20 if drawing else 34)[: 7 if drawing else 4],
        lead=[] if drawing else textwrap.wrap(textwrap.shorten(lead, 300, placeholder=" …"), 62), drawing=placed, font=FONT,
        colour={name: light for name, (light, _) in PALETTE.items()},
    )  # fmt: skip
