"""Chapters that ran in earlier builds, each used again when, and only when, nothing that it depends on has changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parabook import files
from parabook.plan import EVERYTHING, Plan

MOST = 400
"""Chapters in the cache."""


@dataclass(frozen=True)
class ChapterRun:
    """One chapter that ran: its executed notebook as text, the input's files that it rests on, seconds by cell."""

    chapter: str
    notebook: str
    rests_on: tuple[str, ...]
    seconds: float
    cells: tuple[tuple[str, float], ...]
    reused: bool = False


def cached(plan: Plan, notebook: Path) -> ChapterRun | None:
    """The chapter's last run on the very same files and parameters, if there is one."""
    for file in sorted((folder(plan) / plan.key(notebook)).glob("*.json")):
        try:
            entry = json.loads(file.read_text(encoding="utf-8"))
            names, text = entry["rests_on"], entry["notebook"]
            if entry["sha256"] == files.digest(text) and files.digest(plan.behind(names)) == file.stem:
                cells = tuple((str(cell), float(seconds)) for cell, seconds in entry["cells"])
                return ChapterRun(notebook.stem, text, tuple(names), entry["seconds"], cells, reused=True)
        except (OSError, ValueError, KeyError, TypeError):
            continue  # half a file, or another's: as if it were not there
    return None


def store(plan: Plan, notebook: Path, run: ChapterRun) -> None:
    """Put a run into the cache."""
    entry = {
        "rests_on": run.rests_on, "seconds": run.seconds, "cells": run.cells,
        "notebook": run.notebook, "sha256": files.digest(run.notebook),
    }  # fmt: skip
    name = files.digest(plan.behind(run.rests_on))
    files.write_atomically(folder(plan) / plan.key(notebook) / f"{name}.json", json.dumps(entry))
    files.prune(folder(plan), MOST)


def folder(plan: Plan) -> Path:
    """The folder of the cache in which runs lie."""
    return plan.book.cache / "chapters"


def dependencies(notebook: dict[str, Any]) -> tuple[str, ...]:
    """The names of tables and files that the outputs of an executed notebook rest on; all, where an output has none.

    Examples
    --------
    >>> output = {"output_type": "display_data", "metadata": {"rests-on": ["legs"]}}
    >>> dependencies({"cells": [{"outputs": [output]}]}), dependencies({"cells": [{"outputs": [{}]}]})
    (('legs',), ('*',))
    """
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
    named = [output.get("metadata", {}).get("rests-on", [EVERYTHING]) for output in outputs]
    return tuple(sorted({name for names in named for name in names}))
