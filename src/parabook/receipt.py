"""The receipt: what a book was made from and with, and what came out, by hash. Pure but for reading files."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from parabook.cache import ChapterRun
from parabook.checksums import LIST, PAGES, outputs
from parabook.plan import Plan
from parabook.plugins import Cover


def receipt(
    plan: Plan, cover: Cover, runs: Sequence[ChapterRun], left_out: Mapping[str, str], shared: str, folder: Path
) -> dict[str, Any]:
    """The receipt of a build, ready to write as JSON.

    ``digest`` is the SHA-256 of ``html/SHA256SUMS``, and so the hash of all outputs but pictures, whose pixels depend on
    a machine (`checksums.counts`; ``outputs`` has them too). ``key`` is the hash of all inputs. ``seconds`` and
    ``reused`` are the only values that differ from one run to the next on a machine.
    """
    made = outputs(folder)
    return {
        plan.plugin.noun: plan.input.name,
        "title": cover.title,
        "about": {"title": cover.title, "lead": cover.lead, "source": cover.source, "date": cover.date},
        "digest": made[PAGES][LIST],
        "key": plan.book_key,
        "parameters": dict(plan.given),
        "inputs": inputs(plan),
        "versions": versions(),
        "chapters": [_chapter(run) for run in runs],
        "left_out": [{"chapter": chapter, "why": why} for chapter, why in left_out.items()],
        "shared": shared,
        "outputs": made,
    }


def _chapter(run: ChapterRun) -> dict[str, Any]:
    cells = [{"cell": cell, "seconds": round(seconds, 3)} for cell, seconds in run.cells.items()]
    known = {"chapter": run.chapter, "rests_on": run.rests_on, "reused": run.reused}
    return {**known, "seconds": round(run.seconds, 3), "cells": cells}


def inputs(plan: Plan) -> dict[str, Any]:
    """SHA-256 of all that a book is made from, by group and name; the lock file of packages is a group of its own."""
    groups: dict[str, Any] = {group: dict(hashes) for group, hashes in plan.hashes.items()}
    return groups | {"requirements": "".join(groups["requirements"].values())}


@cache
def versions() -> dict[str, str]:
    """What a book is made with: Python and every package there is, by the names of their folders, which need no reading."""
    folders = [each for path in reversed(sys.path) for each in Path(path).glob("*.dist-info")]
    named = (folder.stem.rpartition("-") for folder in folders)
    packages = {name.lower().replace("_", "-"): version for name, _, version in named}
    return {"python": ".".join(map(str, sys.version_info[:3])), **dict(sorted(packages.items()))}
