"""Make ``src/parabook/fonts`` from Source Sans 3, as its README says: ``make_fonts.py REGULAR.ttf BOLD.ttf FOLDER``."""

import sys
from pathlib import Path
from unicodedata import category, east_asian_width, normalize

from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter, parse_unicodes
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables._c_m_a_p import CmapSubtable

FAMILY = "Report Sans"
LATIN = (
    "20-7E,A0-17F,18F,218-21B,237,259,2BB-2BC,2C6-2C7,2D8-2DD,300-304,306-30C,326-328,1E9E,2000-205F,20A0-20BF,"
    "2116,2122,2126,2190-2199,21A9,21AA,2200-22FF,25A0-25FF,2713,2717"
)
SCRIPTS = {"latin": LATIN, "cyrillic-greek": "370-3FF,400-52F"}
FEATURES = ["kern", "mark", "mkmk", "ccmp", "locl", "tnum"]
FACE = """@font-face {{
  font-family: "{}";
  font-weight: {};
  font-display: swap;
  src: url("{}") format("woff2");
  unicode-range: U+{};
}}
"""


def subset(source: str, style: str, unicodes: str) -> TTFont:
    """The letters of some ranges, under our own name; without contextual forms: text shows as it is written."""
    font = TTFont(source, recalcTimestamp=False)
    names = {1: FAMILY, 2: style, 3: f"{FAMILY} {style}", 4: f"{FAMILY} {style}", 6: f"ReportSans-{style}", 16: FAMILY}
    for number, text in names.items():
        font["name"].setName(text, number, 3, 1, 0x409)
    kept = Options(layout_features=FEATURES, name_IDs=[0, 5, 13, 14, *names], notdef_outline=True, drop_tables=["STAT"])
    subsetter = Subsetter(kept)
    subsetter.populate(unicodes=parse_unicodes(unicodes))
    subsetter.subset(font)
    return font


def fill(font: TTFont) -> None:
    """Map every other character to a box, or to nothing; what can be composed of a letter and accents to no glyph."""
    letters, em = dict(font.getBestCmap()), font["head"].unitsPerEm
    for name, width in (("box", 0.6 * em), ("widebox", em), ("nothing", 0)):
        font["glyf"][name], font["hmtx"][name] = outline(round(width), em), (round(width), 0)
    table = CmapSubtable.newSubtable(13)  # many characters to one glyph
    table.platformID, table.platEncID, table.format, table.reserved, table.length, table.language = 3, 10, 13, 0, 0, 0
    table.cmap = dict(letters)
    for code in (code for code in range(0x20, 0x110000) if not 0xD800 <= code < 0xE000 and code not in letters):
        if not all(ord(part) in letters for part in normalize("NFD", chr(code))):
            table.cmap[code] = stand_in(chr(code))
    font["cmap"].tables = [table]


def stand_in(character: str) -> str:
    if category(character) in ("Mn", "Me", "Cf"):
        return "nothing"
    return "widebox" if east_asian_width(character) in "WF" else "box"


def outline(width: int, em: int):
    """A frame, if there is room for it."""
    pen = TTGlyphPen(None)
    for inset, turn in ((em // 16, 1), (em // 10, -1)) if width else ():
        low, high, left, right = inset - em // 16, em * 3 // 4 - inset, inset, width - inset
        first, *others = [(left, low), (left, high), (right, high), (right, low)][::turn]
        pen.moveTo(first)
        for corner in others:
            pen.lineTo(corner)
        pen.closePath()
    return pen.glyph()


def make(sources: list[str], folder: Path) -> None:
    faces = ""
    for source, style, weight in zip(sources, ("Regular", "Bold"), (400, 700), strict=True):
        drawn = subset(source, style, ",".join(SCRIPTS.values()))
        fill(drawn)
        drawn.save(folder / f"ReportSans-{style}.ttf")
        for script, unicodes in SCRIPTS.items():
            font, name = subset(source, style, unicodes), f"ReportSans-{style}-{script}.woff2"
            font.flavor = "woff2"
            font.save(folder / "pages" / name)
            faces += FACE.format(FAMILY, weight, name, unicodes.replace(",", ", U+"))
    head = "/* Made by make_fonts.py. Each file is loaded only by a page that shows a character of its range. */\n"
    (folder / "pages" / "fonts.css").write_text(head + faces, encoding="utf-8")


if __name__ == "__main__":
    make(sys.argv[1:3], Path(sys.argv[3]))
