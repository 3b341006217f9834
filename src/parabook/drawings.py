"""Charts drawn by vl-convert, as SVG and PNG: each once, and kept by its content.

Imports nothing heavy but the drawing program: a process that draws starts beside all else that is loaded.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from analysis.folder import CACHE
from analysis.look import PAPER
from parabook import fonts
from parabook.chapters import exhibits
from parabook.files import digest, prune, sha256, write_atomically
from parabook.vega import VEGALITE_VERSION

DRAWN = CACHE / "drawn"
"""Charts drawn before, by their fingerprints."""

MOST = 2000
"""Drawings kept."""


def canonical(spec: Mapping[str, Any]) -> str:
    """A chart's one spelling, by which its drawing is known."""
    return json.dumps(spec, sort_keys=True, ensure_ascii=False)


@lru_cache(maxsize=64)  # a page asks for a drawing several times
def as_svg(spec: str) -> str:
    """A chart as SVG, in the colours of a light page."""
    return _kept(spec, ".svg", lambda: _svg(spec).encode()).decode()


def as_png(spec: str) -> bytes:
    """A chart as PNG on white, twice its size in pixels."""
    return _kept(spec, ".png", lambda: _png(as_svg(spec)))


def start() -> None:
    """Have the drawing program load what it needs, which takes as long as to draw ten charts."""
    _svg(canonical({"mark": "point", "data": {"values": []}}))


def draw(notebook: str) -> None:
    """Draw the charts of an executed notebook for the pages; they are kept."""
    for chart in charts(notebook):
        for part in panels(chart):
            as_svg(canonical(part))


def picture(notebook: str) -> None:
    """Draw the charts of an executed notebook as pictures; they are kept."""
    for chart in charts(notebook):
        as_png(canonical(chart))


def charts(notebook: str) -> list[dict[str, Any]]:
    """The charts of the exhibits of an executed notebook."""
    return [exhibit["chart"] for exhibit in exhibits(json.loads(notebook)) if exhibit["chart"]]


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


def tidy() -> None:
    """Forget the oldest drawings, where there are many."""
    prune(DRAWN, MOST)


def _kept(spec: str, kind: str, draw: Callable[[], bytes]) -> bytes:
    """A drawing as it was kept, or else drawn and kept."""
    kept = DRAWN / f"{_fingerprint(spec)}{kind}"
    with contextlib.suppress(OSError):
        return kept.read_bytes()
    drawn = draw()
    write_atomically(kept, drawn)
    return drawn


def _fingerprint(spec: str) -> str:
    return digest([spec, *_drawn_by()])


@cache
def _drawn_by() -> tuple[str, ...]:
    return VEGALITE_VERSION, version("vl-convert-python"), sha256(Path(__file__)), fonts.fingerprint()


def _svg(spec: str) -> str:
    import vl_convert

    fonts.register()
    svg: str = vl_convert.vegalite_to_svg(spec, vl_version=VEGALITE_VERSION, config={"font": fonts.STACK})
    return with_own_ids(svg[svg.index("<svg") :], f"c{digest(spec)[:8]}")


def with_own_ids(svg: str, name: str) -> str:
    """A drawing whose ids are its own: the drawing program numbers them on from one chart to the next.

    So they would tell what was drawn before, and two charts of a page, drawn by two processes, would share them.

    Examples
    --------
    >>> with_own_ids('<g clip-path="url(#clip7)"><text>id="clip7"</text></g><clipPath id="clip7"/>', "a")
    '<g clip-path="url(#a-0)"><text>id="clip7"</text></g><clipPath id="a-0"/>'
    """
    ids = dict.fromkeys(found for tag in TAG.findall(svg) for found in re.findall(r'\sid="([^"]+)"', tag))
    own = {found: f"{name}-{n}" for n, found in enumerate(ids)}
    return TAG.sub(lambda tag: MEANT.sub(lambda m: m[1] + own.get(m[2], m[2]), tag[0]), svg) if own else svg


TAG = re.compile(r"<[^>]+>")
MEANT = re.compile(r'(\sid="|url\(#)([^")]+)')
"""Where a tag names itself, or another."""


def _png(svg: str) -> bytes:
    import vl_convert

    fonts.register()
    start, end, rest = svg.partition(">")
    ground = f'<rect width="100%" height="100%" fill="{PAPER}"/>'
    png: bytes = vl_convert.svg_to_png(f"{start}{end}{ground}{rest}", scale=2)
    return png
