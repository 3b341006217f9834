"""The chapters' cells run in this very process, without kernels: what they show, in a second."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

import analysis
from analysis import editions, exhibits, maps
from parabook.protocol import EXHIBIT

CHAPTERS = ("summary", "interviewees", "statements", "routes", "destinations", "evidence", "codebook", "reproduce")


class Shown:
    """What chapters showed: ``exhibits`` by id, and ``glued`` texts by name."""

    def __init__(self) -> None:
        self.exhibits: dict[str, dict[str, Any]] = {}
        self.glued: dict[str, str] = {}

    def take(self, data: dict[str, Any], *, metadata: dict[str, Any], raw: bool) -> None:
        if EXHIBIT in data:
            content = json.loads(json.dumps(data[EXHIBIT]))  # as it travels in a notebook
            self.exhibits[content["id"]] = content
        if "scrapbook" in metadata:
            self.glued[metadata["scrapbook"]["name"]] = data[f"{exhibits.GLUED}text/plain"]

    def __getitem__(self, name: str) -> dict[str, Any]:
        return self.exhibits[name]

    def counts(self, name: str) -> dict[tuple[str, ...], int]:
        """The counts of an exhibit by label; none where it is withheld."""
        return {tuple(row[:-1]): row[-1] for row in self[name]["rows"]}

    def behind(self, name: str) -> list[list[str]]:
        """For each row of an exhibit the rows of the edition that its view names as behind it."""
        view = self[name]["view"]
        at = view["columns"].index("who")
        return [[each["text"] for each in row[at]] for row in view["rows"]]

    def column(self, name: str, column: str) -> list[Any]:
        """A column of an exhibit, as its CSV holds it."""
        at = self[name]["columns"].index(column)
        return [row[at] for row in self[name]["rows"]]


@functools.cache
def code_of(chapter: str) -> list[tuple[Any, bool]]:
    """The code cells of a chapter, compiled; and whether each holds the parameters."""
    notebook = json.loads((ROOT / "chapters" / f"{chapter}.ipynb").read_text(encoding="utf-8"))
    return [
        (
            compile("".join(cell["source"]), f"{chapter}, cell {cell['id']}", "exec"),
            "parameters" in cell["metadata"].get("tags", []),
        )
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]


def run_cells(
    edition: str | Path | editions.Edition, *chapters: str, drawn: bool = True, after: str = "", **parameters: Any
) -> Shown:
    """Run the code cells of chapters (by default of all) on an edition: its name, its path, or an `Edition` made by a test.

    Charts take most of the time; without ``drawn`` the exhibits have none. ``after`` is a further cell of each chapter.
    """
    opened = (lambda *_: edition) if isinstance(edition, editions.Edition) else editions.open_edition
    shown = Shown()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exhibits, "display", shown.take)
        patch.setattr(editions, "open_edition", functools.cache(opened))  # read once, not once a chapter
        if not drawn:
            patch.setattr(analysis, "exhibit", _without_chart)
            patch.setattr(analysis, "people_chart", lambda *_: None)
            patch.setattr(maps, "route_map", lambda *_: None)
        for chapter in chapters or CHAPTERS:
            names: dict[str, Any] = {}
            for code, declares in code_of(chapter):
                exec(code, names)
                if declares:
                    given = {"edition": str(edition), **parameters}
                    names.update({name: value for name, value in given.items() if name in names})
            exec(after, names)
    return shown


def _without_chart(book: Any, name: str, table: Any, chart: Any = None, **said: Any) -> None:
    exhibits.exhibit(book, name, table, None, **said)
