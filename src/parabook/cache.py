"""Chapters kept from earlier builds, each used again when, and only when, nothing that it rests on has changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis import folder
from parabook import files
from parabook.plan import EVERYTHING, Plan, rests_on

FOLDER = folder.CACHE / "chapters"
MOST = 400
"""Chapters kept."""


@dataclass(frozen=True)
class Ran:
    """One chapter that ran: its executed notebook as text, what it rests on, how long each cell took."""

    chapter: str
    notebook: str
    rests_on: tuple[str, ...]
    seconds: float
    cells: tuple[tuple[str, float], ...]
    reused: bool = False


def kept(plan: Plan, notebook: Path) -> Ran | None:
    """What the chapter gave when it last ran on the very same inputs, if it did."""
    for file in sorted((FOLDER / plan.key(notebook)).glob("*.json")):
        try:
            entry = json.loads(file.read_text(encoding="utf-8"))
            names = entry["rests_on"]
            if files.digest(rests_on(plan, names)) == file.stem:
                cells = tuple((str(cell), float(seconds)) for cell, seconds in entry["cells"])
                return Ran(notebook.stem, entry["notebook"], tuple(names), entry["seconds"], cells, reused=True)
        except (OSError, ValueError, KeyError, TypeError):
            continue  # half a file, or another's: as if it were not there
    return None


def keep(plan: Plan, notebook: Path, ran: Ran) -> None:
    """Keep what a chapter gave."""
    entry = {"rests_on": ran.rests_on, "seconds": ran.seconds, "cells": ran.cells, "notebook": ran.notebook}
    name = files.digest(rests_on(plan, list(ran.rests_on)))
    files.write_atomically(FOLDER / plan.key(notebook) / f"{name}.json", json.dumps(entry))
    files.prune(FOLDER, MOST)


def what_it_rests_on(notebook: dict[str, Any]) -> tuple[str, ...]:
    """The tables and files that the outputs of an executed notebook rest on; all, where an output does not say.

    Examples
    --------
    >>> said = {"output_type": "display_data", "metadata": {"rests-on": ["legs"]}}
    >>> what_it_rests_on({"cells": [{"outputs": [said]}]}), what_it_rests_on({"cells": [{"outputs": [{}]}]})
    (('legs',), ('*',))
    """
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
    named = [output.get("metadata", {}).get("rests-on", [EVERYTHING]) for output in outputs]
    return tuple(sorted({name for names in named for name in names}))
