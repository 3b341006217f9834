"""Charts drawn by vl-convert, as SVG and PNG: each once, and kept by its content."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.metadata import version
from typing import Any

from analysis.book.vega import VEGALITE_VERSION
from analysis.charts import PAPER
from analysis.folder import CACHE, fingerprint, note, prune

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


def tidy() -> None:
    """Forget the oldest drawings, where there are many."""
    prune(DRAWN, MOST)


def _kept(spec: str, kind: str, draw: Callable[[], bytes]) -> bytes:
    """A drawing as it was kept, or else drawn and kept."""
    kept = DRAWN / f"{_fingerprint(spec)}{kind}"
    with contextlib.suppress(OSError):
        return kept.read_bytes()
    drawn = draw()
    note(kept, drawn)
    return drawn


def _fingerprint(spec: str) -> str:
    return fingerprint([spec, VEGALITE_VERSION, version("vl-convert-python")])


def _svg(spec: str) -> str:
    import vl_convert

    svg: str = vl_convert.vegalite_to_svg(spec, vl_version=VEGALITE_VERSION)
    return svg[svg.index("<svg") :]


def _png(svg: str) -> bytes:
    import vl_convert

    start, end, rest = svg.partition(">")
    ground = f'<rect width="100%" height="100%" fill="{PAPER}"/>'
    png: bytes = vl_convert.svg_to_png(f"{start}{end}{ground}{rest}", scale=2)
    return png
