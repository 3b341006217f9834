"""Chapters that ran in earlier builds, each used again when, and only when, nothing that it depends on has changed.

An entry carries a code made with a secret of the cache, in a folder that is its owner's alone: what anybody else
wrote or edited is passed over.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
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
    for file in sorted((plan.book.cache / "chapters" / plan.key(notebook)).glob("*.json")):
        with contextlib.suppress(OSError, ValueError, TypeError):  # half a file, or another's: as if it were not there
            code, text = file.read_text(encoding="utf-8").split("\n", 1)
            if hmac.compare_digest(code, _code(plan.book.cache, file, text)):
                run = ChapterRun(**json.loads(text))
                if files.digest(plan.behind(run.rests_on)) == file.stem:
                    return replace(run, reused=True)
    return None


def store(plan: Plan, notebook: Path, run: ChapterRun) -> None:
    """Put a run into the cache."""
    folder, text = plan.book.cache / "chapters" / plan.key(notebook), json.dumps(asdict(run))
    file = folder / f"{files.digest(plan.behind(run.rests_on))}.json"
    with contextlib.suppress(OSError):
        files.write_atomically(file, f"{_code(plan.book.cache, file, text)}\n{text}")
        files.prune(folder.parent, MOST)


def _code(cache: Path, file: Path, text: str) -> str:
    """The code of an entry by its place and text; the cache's secret is drawn at its first use."""
    secret = cache / "secret"
    cache.mkdir(parents=True, exist_ok=True)
    cache.chmod(0o700)
    if not secret.is_file():
        files.write_atomically(secret, os.urandom(32))
    signed = f"{file.relative_to(cache)}\n{text}".encode()
    return hmac.digest(secret.read_bytes(), signed, "sha256").hex()


def dependencies(notebook: Mapping[str, Any]) -> list[str]:
    """The names of tables and files that the outputs of an executed notebook rest on; all, where an output has none.

    Examples
    --------
    >>> output = {"output_type": "display_data", "metadata": {"rests-on": ["legs"]}}
    >>> dependencies({"cells": [{"outputs": [output]}]}), dependencies({"cells": [{"outputs": [{}]}]})
    (['legs'], ['*'])
    """
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
    return sorted({name for each in outputs for name in each.get("metadata", {}).get("rests-on", [EVERYTHING])})
