"""Charts drawn by vl-convert, as SVG and PNG: each once, and cached by its content.

Imports nothing heavy but the drawing program: a process that draws starts beside all else that is loaded.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from parabook import fonts
from parabook.files import digest, prune, sha256, write_atomically
from parabook.protocol import charts
from parabook.vega import VEGALITE_VERSION

FOLDER, MOST = "drawn", 2000
"""The folder of a cache with charts drawn before, by their fingerprints, and how many at most."""

ElementTree.register_namespace("", "http://www.w3.org/2000/svg")
ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")


def canonical(spec: Mapping[str, Any]) -> str:
    """A chart's one spelling, by which its drawing is known."""
    return json.dumps(spec, sort_keys=True, ensure_ascii=False)


@lru_cache(maxsize=64)  # a page asks for a drawing several times
def as_svg(spec: str, folder: Path) -> str:
    """A chart as SVG, in the colours of a light page; ``folder`` is the cache."""
    return _cached(spec, folder, ".svg", lambda: _svg(spec).encode()).decode()


def as_png(spec: str, folder: Path) -> bytes:
    """A chart as PNG on white, twice its size in pixels."""
    return _cached(spec, folder, ".png", lambda: png(as_svg(spec, folder), scale=2))


def start() -> None:
    """Have the drawing program load what it needs, which takes as long as to draw ten charts."""
    _svg(canonical({"mark": "point", "data": {"values": []}}))


def draw(notebook: str, folder: Path) -> None:
    """Draw the charts of an executed notebook for the pages, into the cache."""
    for part in (part for chart in charts(json.loads(notebook)) for part in panels(chart)):
        as_svg(canonical(part), folder)


def picture(notebook: str, folder: Path) -> None:
    """Draw the charts of an executed notebook as pictures, into the cache."""
    for chart in charts(json.loads(notebook)):
        as_png(canonical(chart), folder)


def panels(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The charts of a column of charts, each by itself, where the column says that they stand apart; else the chart.

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


def tidy(folder: Path) -> None:
    """Remove the oldest drawings of a cache, where there are many."""
    prune(folder / FOLDER, MOST)


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
    return VEGALITE_VERSION, version("vl-convert-python"), sha256(Path(__file__)), fonts.fingerprint()


def _svg(spec: str) -> str:
    import vl_convert

    fonts.register()
    svg = vl_convert.vegalite_to_svg(spec, vl_version=VEGALITE_VERSION, config={"font": fonts.STACK})
    return with_own_ids(svg[svg.index("<svg") :], f"c{digest(spec)[:8]}")


def png(svg: str, scale: float = 1) -> bytes:
    """A drawing as PNG, on white."""
    import vl_convert

    fonts.register()
    white = '<rect width="100%" height="100%" fill="white"/>'
    return bytes(vl_convert.svg_to_png(svg.replace(">", f">{white}", 1), scale=scale))


def with_own_ids(svg: str, name: str) -> str:
    """A drawing whose ids are its own: the drawing program numbers them on from one chart to the next.

    Examples
    --------
    >>> with_own_ids('<svg><g clip-path="url(#clip7)"><text>id="clip7"</text></g><clipPath id="clip7"/></svg>', "a")
    '<svg><g clip-path="url(#a-0)"><text>id="clip7"</text></g><clipPath id="a-0" /></svg>'
    """
    root = ElementTree.fromstring(svg)
    ids = dict.fromkeys(each.attrib["id"] for each in root.iter() if "id" in each.attrib)
    own = {found: f"{name}-{n}" for n, found in enumerate(ids)}
    urls = {f"url(#{found})": f"url(#{new})" for found, new in own.items()}
    for element in root.iter():
        for key, value in element.attrib.items():
            element.attrib[key] = (own if key == "id" else urls).get(value, value)
    return ElementTree.tostring(root, encoding="unicode")


def without_roles(svg: str) -> str:
    """A drawing without Vega's ARIA roles: on a page it is one image, described by its caption and finding.

    Examples
    --------
    >>> without_roles('<svg role="img"><text aria-label="x" fill="red">role="x"</text></svg>')
    '<svg><text fill="red">role="x"</text></svg>'
    """
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        for key in [key for key in element.attrib if key == "role" or key.startswith("aria-")]:
            del element.attrib[key]
    return ElementTree.tostring(root, encoding="unicode")
