"""Chapters that ran in earlier builds, each used again when, and only when, nothing that it depends on has changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from parabook import files
from parabook.dependencies import EVERYTHING
from parabook.plan import Plan

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
    wrote: list[str] = field(default_factory=list)
    """Files that it wrote."""


def cached(plan: Plan, notebook: Path) -> ChapterRun | None:
    """The chapter's last run on the very same files and parameters, if there is one."""
    for file in sorted((plan.book.cache / "chapters" / plan.key(notebook)).glob("*.json")):
        if text := files.stored(plan.book.cache, file.relative_to(plan.book.cache).as_posix()):
            run = ChapterRun(**json.loads(text))
            if files.digest(plan.behind(run.rests_on)) == file.stem:
                return replace(run, reused=True)
    return None


def store(plan: Plan, notebook: Path, run: ChapterRun) -> None:
    """Put a run into the cache."""
    name = f"chapters/{plan.key(notebook)}/{files.digest(plan.behind(run.rests_on))}.json"
    files.store(plan.book.cache, name, json.dumps(asdict(run)))
    files.prune(plan.book.cache / "chapters", MOST)


def dependencies(notebook: Mapping[str, Any]) -> list[str]:
    """The names of tables and files that the outputs of an executed notebook rest on; all, where an output names none."""
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
    return sorted({name for each in outputs for name in each.get("metadata", {}).get("rests-on", [EVERYTHING])})
