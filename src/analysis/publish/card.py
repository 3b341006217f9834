"""The picture shown where a link to the book is shared: the headline, and the map or the lead."""

from __future__ import annotations

import re
import textwrap

from analysis.charts import FONT, PALETTE
from parabook.templating import render


def card_svg(title: str, lead: str, drawing: str = "") -> str:
    """An SVG of 1200 x 630 pixels: the title beside a drawing, or above the lead, both cut to the room there is.

    >>> svg = card_svg("People & places", "The source describes one of them.")
    >>> "People &amp; places" in svg, "describes one" in svg
    (True, True)
    """
    size, place = r'<svg ([^>]*?)width="[^"]*" height="[^"]*"', r'<svg \1x="600" y="50" width="560" height="550"'
    if drawing:
        drawing = re.sub(size, place, drawing, count=1)
        titles, leads = textwrap.wrap(title, 20)[:7], []
    else:
        titles, leads = textwrap.wrap(title, 34)[:4], textwrap.wrap(textwrap.shorten(lead, 300, placeholder=" …"), 62)
    colours = {name: light for name, (light, _) in PALETTE.items()}
    context = {"title": titles, "lead": leads, "drawing": drawing, "font": FONT, "colour": colours}
    return render("card.svg.j2", "analysis.publish", **context)
