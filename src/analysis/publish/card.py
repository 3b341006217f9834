"""The picture that a link to the book shows where it is shared: its title and its first sentence."""

from __future__ import annotations

import textwrap
from html import escape

from analysis.look import FONT, INK, MARK, MUTED, PAPER
from parabook import fonts

WIDTH, HEIGHT = 1200, 630
"""Pixels, as those who show such pictures ask for."""

BODY = f'font-size="34" fill="{MUTED}"'


def card_svg(title: str, told: str, marks: str = "") -> str:
    """The card as SVG.

    Examples
    --------
    >>> svg = card_svg("People & places", "The source describes two of them.", "●□")
    >>> "People &amp; places" in svg, svg.count("<rect") - 2, svg.count("<circle")
    (True, 1, 1)
    """
    head = textwrap.wrap(title, 34)[:4]
    body = textwrap.wrap(told, 62)[:4]
    drawn = "".join(_mark(n, mark) for n, mark in enumerate(marks))
    title_look = f'font-size="64" font-weight="bold" fill="{INK}"'
    below = 150 + 76 * len(head)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="{FONT}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/><rect width="{WIDTH}" height="18" fill="{MARK}"/>'
        f"{_lines(head, 150, 76, title_look)}{_lines(body, below, 46, BODY)}{drawn}</svg>"
    )


def _lines(lines: list[str], y: int, step: int, look: str) -> str:
    return "".join(f'<text x="80" y="{y + n * step}" {look}>{escape(line)}</text>' for n, line in enumerate(lines))


def _mark(n: int, mark: str) -> str:
    x, y = 96 + n % 30 * 34, HEIGHT - 90 + n // 30 * 34
    if mark == "●":
        return f'<circle cx="{x}" cy="{y}" r="12" fill="{MARK}"/>'
    return f'<rect x="{x - 10}" y="{y - 10}" width="20" height="20" fill="{PAPER}" stroke="{MUTED}" stroke-width="3"/>'


def card_png(title: str, told: str, marks: str = "") -> bytes:
    """The card as PNG."""
    import vl_convert

    fonts.register()
    png: bytes = vl_convert.svg_to_png(card_svg(title, told, marks))
    return png
