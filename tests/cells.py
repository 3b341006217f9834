"""The chapters' cells run in this very process, without kernels: what they show, in a second."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from analysis import exhibits
from parabook.protocol import EXHIBIT

CHAPTERS = ("summary", "interviewees", "routes", "destinations", "evidence", "codebook", "reproduce")


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


def run_cells(edition: str | Path, *chapters: str, **parameters: Any) -> Shown:
    """Run the code cells of chapters (by default of all) on an edition."""
    shown = Shown()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exhibits, "display", shown.take)
        for chapter in chapters or CHAPTERS:
            names: dict[str, Any] = {}
            notebook = json.loads((ROOT / "chapters" / f"{chapter}.ipynb").read_text(encoding="utf-8"))
            for cell in notebook["cells"]:
                if cell["cell_type"] == "code":
                    exec(compile("".join(cell["source"]), f"{chapter}, cell {cell['id']}", "exec"), names)
                    if "parameters" in cell["metadata"].get("tags", []):
                        given = {"edition": str(edition), **parameters}
                        names.update({name: value for name, value in given.items() if name in names})
    return shown
