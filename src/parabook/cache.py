"""The cache of chapters that ran in earlier builds: each is used again if nothing that it depends on has changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from parabook import files
from parabook.dependencies import EVERYTHING
from parabook.plan import Plan
from parabook.protocol import outputs

MOST = 400
"""How many keys of chapters the cache keeps, each with all its runs."""


@dataclass(frozen=True)
class ChapterRun:
    """The result of running a chapter."""

    chapter: str
    notebook: str
    """The executed notebook as text."""
    rests_on: list[str]
    """Names of what its outputs depend on: observed (module `dependencies`), or named by the outputs."""
    seconds: float
    cells: Mapping[str, float]
    """Seconds of each code cell, by its id."""
    reused: bool = False
    wrote: list[str] = field(default_factory=list)
    """Files that it wrote, where that is observed."""


def cached(plan: Plan, notebook: Path) -> ChapterRun | None:
    """A chapter's run on the very same files and parameters, if the cache has it."""
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
    """The names of tables and files that an executed notebook's outputs say they rest on; all, if one does not say."""
    metadata = (output.get("metadata", {}) for output in outputs(notebook))
    return sorted({name for each in metadata for name in each.get("rests-on", [EVERYTHING])})
