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

from parabook.files import digest, prune, sha256, write_atomically
from parabook.protocol import charts
from parabook.vega import VEGALITE_VERSION

FOLDER = "drawn"
"""The folder of a cache with charts drawn before, by their fingerprints."""

MOST = 2000
"""Drawings cached."""

for prefix, name in {"": "http://www.w3.org/2000/svg", "xlink": "http://www.w3.org/1999/xlink"}.items():
    ElementTree.register_namespace(prefix, name)


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
    for chart in charts(json.loads(notebook)):
        for part in panels(chart):
            as_svg(canonical(part), folder)


def picture(notebook: str, folder: Path) -> None:
    """Draw the charts of an executed notebook as pictures, into the cache."""
    for chart in charts(json.loads(notebook)):
        as_png(canonical(chart), folder)


def panels(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The panels of a chart as charts, each with its own data, where the chart says that they stand apart; else the chart.

    Examples
    --------
    >>> halves = [{"data": {"name": "a"}, "description": "A"}, {"data": {"name": "b"}, "description": "B"}]
    >>> whole = {"vconcat": halves, "datasets": {"a": [1], "b": [2]}, "usermeta": {"apart": True}}
    >>> panels(whole)[1]
    {'datasets': {'b': [2]}, 'data': {'name': 'b'}, 'description': 'B'}
    """
    if not spec.get("usermeta", {}).get("apart") or "vconcat" not in spec:
        return [spec]
    shared = {name: part for name, part in spec.items() if name not in ("vconcat", "usermeta", "spacing")}
    parts = []
    for panel in spec["vconcat"]:
        text = json.dumps(panel)
        own = {name: rows for name, rows in spec.get("datasets", {}).items() if f'"{name}"' in text}
        parts.append({**shared, "datasets": own, **panel})
    return parts


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
    return VEGALITE_VERSION, version("vl-convert-python"), sha256(Path(__file__))


def _svg(spec: str) -> str:
    import vl_convert

    svg: str = vl_convert.vegalite_to_svg(spec, vl_version=VEGALITE_VERSION)
    return with_own_ids(svg[svg.index("<svg") :], f"c{digest(spec)[:8]}")


def png(svg: str, scale: float = 1) -> bytes:
    """A drawing as PNG, on white."""
    import vl_convert

    picture = ElementTree.fromstring(svg)
    picture.insert(0, ElementTree.Element("rect", width="100%", height="100%", fill="white"))
    made: bytes = vl_convert.svg_to_png(ElementTree.tostring(picture, encoding="unicode"), scale=scale)
    return made


def with_own_ids(svg: str, name: str) -> str:
    """A drawing whose ids are its own: the drawing program numbers them on from one chart to the next.

    So they would depend on what was drawn before, and two charts of a page, drawn by two processes, would share them.

    Examples
    --------
    >>> with_own_ids('<svg><g clip-path="url(#clip7)"><text>id="clip7"</text></g><clipPath id="clip7"/></svg>', "a")
    '<svg><g clip-path="url(#a-0)"><text>id="clip7"</text></g><clipPath id="a-0" /></svg>'
    """
    ids = [found.attrib["id"] for found in ElementTree.fromstring(svg).iter() if "id" in found.attrib]
    own = {found: f"{name}-{n}" for n, found in enumerate(dict.fromkeys(ids))}
    urls = {f"url(#{found})": f"url(#{new})" for found, new in own.items()}
    return _changed(svg, lambda kind, value: (own if kind == "id" else urls).get(value, value))


def without_roles(svg: str) -> str:
    """A drawing without Vega's ARIA roles: on a page it is one image, described by its caption and finding.

    Examples
    --------
    >>> without_roles('<svg role="img"><text aria-label="x" fill="red">role="x"</text></svg>')
    '<svg><text fill="red">role="x"</text></svg>'
    """
    return _changed(svg, lambda name, value: None if name == "role" or name.startswith("aria-") else value)


def _changed(svg: str, change: Callable[[str, str], str | None]) -> str:
    """A drawing in which every attribute has the value that a function gives for its name and value, None for none."""
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        changed = {name: change(name, value) for name, value in element.attrib.items()}
        element.attrib = {name: value for name, value in changed.items() if value is not None}
    return ElementTree.tostring(root, encoding="unicode")
