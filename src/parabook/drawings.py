"""Charts drawn by vl-convert, as SVG and PNG, cached by content, in a font that comes with parabook.

About the font: ``fonts/README.md``. Imports nothing heavy but vl-convert, since a process that draws starts while other
processes load much.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from parabook.files import digest, hash_files, sha256, write_atomically
from parabook.protocol import charts

FOLDER, MOST = "drawn", 2000  # the folder of drawings in the cache, and how many it keeps

VEGALITE_VERSION = "6.4"  # the closest that vl-convert has to the version that Altair writes

FONT = "'Report Sans', sans-serif"  # of charts that set none; no system has the first

FONTS = Path(__file__).with_name("fonts")
"""The font. Its folder ``pages`` has what pages need: ``fonts.css``, font files by writing system, the licence."""

INSTALLED = Path(sys.prefix) / "share" / "parabook"  # where `python -m parabook.drawings` writes the script of charts

ElementTree.register_namespace("", "http://www.w3.org/2000/svg")
ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")


def canonical(spec: Mapping[str, Any]) -> str:
    """A chart as JSON that is the same for equal charts, by which its drawing is cached."""
    return json.dumps(spec, sort_keys=True, ensure_ascii=False)


def as_svg(spec: str, folder: Path) -> str:
    """A chart, given as canonical JSON, as SVG in the colours of a light page; ``folder`` is the cache."""

    def drawn() -> bytes:
        svg = str(program().vegalite_to_svg(spec, vl_version=VEGALITE_VERSION, config={"font": FONT}))
        return for_a_page(svg[svg.index("<svg") :], f"c{digest(spec)[:8]}").encode()

    return _cached(spec, folder, ".svg", drawn).decode()


def as_png(spec: str, folder: Path) -> bytes:
    """A chart as PNG on white, twice its size in pixels."""
    return _cached(spec, folder, ".png", lambda: png(as_svg(spec, folder), scale=2))


def card(svg: str, folder: Path) -> bytes:
    """A drawing as PNG on white."""
    return _cached(svg, folder, ".card.png", lambda: png(svg))


def _cached(spec: str, folder: Path, kind: str, draw: Callable[[], bytes]) -> bytes:
    file = folder / FOLDER / f"{digest([spec, *_drawn_by()])}{kind}"
    with contextlib.suppress(OSError):
        return file.read_bytes()
    drawn = draw()
    write_atomically(file, drawn)
    return drawn


@cache
def _drawn_by() -> tuple[str, ...]:
    """What a drawing depends on besides its chart."""
    return version("vl-convert-python"), sha256(Path(__file__)), digest(hash_files(FONTS))


def start() -> None:
    """Draw a trivial chart, so that vl-convert loads what it needs, which takes as long as drawing ten charts."""
    program().vegalite_to_svg({"mark": "point", "data": {"values": []}}, vl_version=VEGALITE_VERSION)


def draw(notebook: str, folder: Path) -> None:
    """Draw the charts of an executed notebook for the pages, into the cache."""
    for part in (part for chart in charts(json.loads(notebook)) for part in panels(chart)):
        as_svg(canonical(part), folder)


def picture(notebook: str, folder: Path) -> None:
    """Draw the charts of an executed notebook as pictures, into the cache."""
    for chart in charts(json.loads(notebook)):
        as_png(canonical(chart), folder)


def panels(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The charts of a vertical concatenation as single charts, if its ``usermeta`` says ``apart``; else the chart itself.

    Examples
    --------
    >>> whole = {"vconcat": [{"mark": "bar", "title": {"text": ["a", "b"]}}], "usermeta": {"apart": True}}
    >>> panels(whole)
    [{'mark': 'bar', 'title': {'text': ['a', 'b']}, 'description': 'a b'}]
    """
    if not spec.get("usermeta", {}).get("apart") or "vconcat" not in spec:
        return [spec]
    shared = {key: part for key, part in spec.items() if key not in ("vconcat", "usermeta", "resolve", "datasets")}

    def panel(part: dict[str, Any]) -> dict[str, Any]:
        title = part.get("title", {}).get("text", "")
        whole = {**shared, **part, "description": title if isinstance(title, str) else " ".join(title)}
        data = {name: rows for name, rows in spec.get("datasets", {}).items() if f'"{name}"' in canonical(whole)}
        return {**whole, **({"datasets": data} if data else {})}

    return list(map(panel, spec["vconcat"]))


@cache
def program() -> Any:
    """The module vl_convert, set up to use this font and, on Linux, none of the system's.

    When it is first used it looks up the system's fonts, on Linux in fontconfig's configuration. It is given one without
    fonts, by a variable that is set for that moment only. Elsewhere it finds the system's fonts, but does not need them:
    ours has a glyph for every character.
    """
    import vl_convert

    before = dict(os.environ)
    os.environ["FONTCONFIG_FILE"] = str(FONTS / "fonts.conf")
    vl_convert.register_font_directory(str(FONTS))
    del os.environ["FONTCONFIG_FILE"]
    os.environ.update(before)
    return vl_convert


def png(svg: str, scale: float = 1) -> bytes:
    """A drawing as PNG, on white."""
    white = '<rect width="100%" height="100%" fill="white"/>'
    return bytes(program().svg_to_png(svg.replace(">", f">{white}", 1), scale=scale))


def for_a_page(svg: str, name: str) -> str:
    """A drawing with ids that begin with ``name``, and without ARIA attributes, as the page describes the whole drawing.

    Vega numbers ids on from chart to chart, so they would depend on what was drawn before.
    """
    root = ElementTree.fromstring(svg)
    ids = dict.fromkeys(each.attrib["id"] for each in root.iter() if "id" in each.attrib)
    new_ids = {old: f"{name}-{n}" for n, old in enumerate(ids)}
    new_urls = {f"url(#{old})": f"url(#{new})" for old, new in new_ids.items()}
    for element in root.iter():
        for key, value in [*element.attrib.items()]:
            if key == "role" or key.startswith("aria-"):
                del element.attrib[key]
            else:
                element.attrib[key] = (new_ids if key == "id" else new_urls).get(value, value)
    return ElementTree.tostring(root, encoding="unicode")


def script(cache: Path) -> str:
    """The script that makes charts interactive, Vega for the browser: as installed, or else bundled into a cache."""
    name = f"vega-{version('vl-convert-python')}-{VEGALITE_VERSION}.js"
    for file in (INSTALLED / name, cache / name):
        if file.is_file():
            return file.read_text(encoding="utf-8")
    bundle = program().javascript_bundle("window.parabookEmbed = vegaEmbed;", vl_version=VEGALITE_VERSION)
    wrapped = f"(() => {{{bundle}}})();\n"  # in a function, as its names would collide with those of Sphinx
    write_atomically(cache / name, wrapped)
    return wrapped


if __name__ == "__main__":
    script(INSTALLED)
