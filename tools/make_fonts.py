"""Make ``src/parabook/fonts`` from Source Sans 3, as its README says: ``make_fonts.py REGULAR.ttf BOLD.ttf FOLDER``.

Needs fonttools and brotli, which the project itself does not.
"""

import io
import sys
from pathlib import Path
from unicodedata import category, east_asian_width, normalize

from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter, parse_unicodes
from fontTools.ttLib import TTFont, newTable
from fontTools.ttLib.tables._c_m_a_p import CmapSubtable

FAMILY = "Report Sans"
LATIN = "20-7E,A0-17F,18F,218-21B,237,259,2BB-2BC,2C6-2C7,2D8-2DD,300-304,306-30C,326-328,1E9E,2000-205F,20A0-20BF,2116,2122,2126,2190-2199,21A9,21AA,2200-22FF,25A0-25FF,2713,2717"
GREEK_AND_CYRILLIC = "370-3FF,400-52F"
FEATURES = ["kern", "mark", "mkmk", "ccmp", "locl", "tnum"]


def subset(source: str, style: str, unicodes: str) -> TTFont:
    """The letters of some ranges, under the name of our own; no contextual forms: text is shown as it is written."""
    font = TTFont(io.BytesIO(Path(source).read_bytes()), recalcTimestamp=False)
    names = {
        1: FAMILY,
        2: style,
        3: f"{FAMILY} {style}",
        4: f"{FAMILY} {style}",
        6: f"ReportSans-{style}",
        16: FAMILY,
        17: style,
    }
    for number, text in names.items():
        font["name"].setName(text, number, 3, 1, 0x409)
    chooser = Subsetter(
        Options(layout_features=FEATURES, name_IDs=[0, 5, 13, 14, *names], notdef_outline=True, drop_tables=["STAT"])
    )
    chooser.populate(unicodes=parse_unicodes(unicodes))
    chooser.subset(font)
    return font


def fill(font: TTFont) -> None:
    """Map every other character to a box, an em wide for wide scripts, or to nothing for combining marks.

    So the drawing program never looks for a letter in the machine's fonts, and measures every text alike.
    What it can put together from a letter and its accents is left to it.
    """
    letters, whole = dict(font.getBestCmap()), font["head"].unitsPerEm
    for name, share in (("box", 0.6), ("widebox", 1.0), ("nothing", 0.0)):
        font["glyf"][name], font["hmtx"][name] = (
            box(share * whole, whole),
            (round(share * whole), round(share and whole * 0.06)),
        )
    table = CmapSubtable.newSubtable(13)
    table.platformID, table.platEncID, table.format, table.reserved, table.language, table.length = 3, 10, 13, 0, 0, 0
    characters = (code for code in range(0x20, 0x110000) if not 0xD800 <= code < 0xE000)
    composed = lambda code: all(ord(part) in letters for part in normalize("NFD", chr(code)))  # noqa: E731
    table.cmap = {
        code: letters.get(code) or stand_in(chr(code)) for code in characters if code in letters or not composed(code)
    }
    font["cmap"] = newTable("cmap")
    font["cmap"].tableVersion, font["cmap"].tables = 0, [table]


def stand_in(letter: str) -> str:
    if category(letter) in ("Mn", "Me", "Cf"):
        return "nothing"
    return "widebox" if east_asian_width(letter) in "WF" else "box"


def box(width: float, whole: int):
    pen, edge, line = TTGlyphPen(None), round(whole * 0.06), round(whole * 0.1)
    for inset, turn in ((edge, 1), (line, -1)) if width else ():
        low, high, left, right = inset - edge, round(whole * 0.72) - inset + edge, inset, round(width) - inset
        corners = [(left, low), (left, high), (right, high), (right, low)][::turn]
        pen.moveTo(corners[0]), [pen.lineTo(corner) for corner in corners[1:]], pen.closePath()
    return pen.glyph()


if __name__ == "__main__":
    for source, style in zip(sys.argv[1:3], ("Regular", "Bold"), strict=True):
        drawn = subset(source, style, f"{LATIN},{GREEK_AND_CYRILLIC}")
        fill(drawn)
        drawn.save(f"{sys.argv[3]}/ReportSans-{style}.ttf")
        for script, ranges in (("latin", LATIN), ("cyrillic-greek", GREEK_AND_CYRILLIC)):
            page = subset(source, style, ranges)
            page.flavor = "woff2"
            page.save(f"{sys.argv[3]}/ReportSans-{style}-{script}.woff2")
