"""Chapters that ran in earlier builds, each used again when, and only when, nothing that it depends on has changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from parabook import files
from parabook.plan import EVERYTHING, Plan

MOST = 400
"""Chapters in the cache."""


@dataclass(frozen=True)
class ChapterRun:
    """One chapter that ran."""

    chapter: str
    notebook: str
    """The executed notebook as text."""
    rests_on: list[str]
    """Names of what its outputs rest on."""
    seconds: float
    cells: Mapping[str, float]
    """Seconds of each code cell, by its id."""
    reused: bool = False


def cached(plan: Plan, notebook: Path) -> ChapterRun | None:
    """The chapter's last run on the very same files and parameters, if there is one."""
    for file in sorted((folder(plan) / plan.key(notebook)).glob("*.json")):
        try:
            entry = json.loads(file.read_text(encoding="utf-8"))
            run = ChapterRun(**entry["run"])
            if entry["sha256"] == files.digest(entry["run"]) and files.digest(plan.behind(run.rests_on)) == file.stem:
                return replace(run, reused=True)
        except (OSError, ValueError, KeyError, TypeError):
            continue  # half a file, or another's: as if it were not there
    return None


def store(plan: Plan, notebook: Path, run: ChapterRun) -> None:
    """Put a run into the cache."""
    name = f"{files.digest(plan.behind(run.rests_on))}.json"
    entry = {"run": asdict(run), "sha256": files.digest(asdict(run))}
    files.write_atomically(folder(plan) / plan.key(notebook) / name, json.dumps(entry))
    files.prune(folder(plan), MOST)


def folder(plan: Plan) -> Path:
    """The folder of the cache in which runs lie."""
    return plan.book.cache / "chapters"


def dependencies(notebook: dict[str, Any]) -> list[str]:
    """The names of tables and files that the outputs of an executed notebook rest on; all, where an output has none.

    Examples
    --------
    >>> output = {"output_type": "display_data", "metadata": {"rests-on": ["legs"]}}
    >>> dependencies({"cells": [{"outputs": [output]}]}), dependencies({"cells": [{"outputs": [{}]}]})
    (['legs'], ['*'])
    """
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
    named = [output.get("metadata", {}).get("rests-on", [EVERYTHING]) for output in outputs]
    return sorted({name for names in named for name in names})
