"""What the end of a build needs, begun while its chapters run: Sphinx loaded, charts drawn."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

LOADED = ("vl_convert", "jupyter_book.sphinx", "sphinx.builders.html", "myst_nb.sphinx_", "furo", "rocrate.rocrate")


class Ahead:
    """One thread that works ahead; what it has not done when it is needed is done then."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._pool.submit(load)

    def draw(self, notebook: str) -> None:
        """Draw the charts of an executed notebook, in its turn."""
        self._pool.submit(draw, notebook)

    def stop(self) -> None:
        """Begin nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


@contextlib.contextmanager
def ahead() -> Iterator[Ahead]:
    """A worker ahead for the length of a build."""
    worker = Ahead()
    try:
        yield worker
    finally:
        worker.stop()


def load() -> None:
    """Load what assembling needs."""
    for module in LOADED:
        import_module(module)


def draw(notebook: str) -> None:
    """Draw the charts of an executed notebook."""
    from analysis.book.render import as_svg, canonical, panels
    from analysis.book.stage import exhibits

    for exhibit in exhibits(json.loads(notebook)):
        if exhibit["chart"]:
            for part in panels(exhibit["chart"]):
                as_svg(canonical(part))
