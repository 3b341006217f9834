"""The receipt: what a book was made from and with, and what came out, by hash. Pure but for reading files."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from analysis.schema import ROOT
from parabook.cache import Ran
from parabook.checksums import LIST, PAGES, outputs
from parabook.files import hash_files, sha256
from parabook.plan import SETTINGS, Plan


def receipt(
    plan: Plan, about: Mapping[str, str], ran: Sequence[Ran], left_out: Mapping[str, str], shared: str, stage: Path
) -> dict[str, Any]:
    """The receipt of a build, ready to write as JSON.

    ``digest`` is the SHA-256 of ``html/SHA256SUMS``, the fingerprint of all outputs but pictures, whose pixels depend on
    the fonts of a machine (`sums.PICTURES`; ``outputs`` has them too). ``key`` is the fingerprint of all inputs.
    ``seconds`` and ``reused`` are the only values that differ from one run to the next on a machine.
    """
    made = outputs(stage)
    return {
        "edition": plan.edition.name,
        "title": about["title"],
        "about": dict(about),
        "digest": made[PAGES][LIST],
        "key": plan.book_key,
        "parameters": dict(plan.given),
        "inputs": inputs(plan),
        "versions": versions(),
        "chapters": [
            {
                "chapter": each.chapter,
                "rests_on": list(each.rests_on),
                "reused": each.reused,
                "seconds": round(each.seconds, 3),
                "cells": [{"cell": cell, "seconds": round(seconds, 3)} for cell, seconds in each.cells],
            }
            for each in ran
        ],
        "left_out": [{"chapter": chapter, "why": why} for chapter, why in left_out.items()],
        "shared": shared,
        "outputs": made,
    }


def inputs(plan: Plan) -> dict[str, Any]:
    """SHA-256 of all that a book is made from."""
    return {
        "edition": dict(plan.contents),
        "chapters": {file.name: sha256(file) for file in plan.notebooks},
        "code": hash_files(ROOT / "src", "*.py"),
        "schemas": hash_files(ROOT / "data" / "schemas", "*.json"),
        "vocabularies": hash_files(ROOT / "data" / "vocabularies", "*.csv"),
        "basemap": hash_files(ROOT / "data" / "basemap", "*.json"),
        "look": hash_files(ROOT / "_static"),
        "settings": {name: sha256(ROOT / name) for name in SETTINGS},
        "requirements": sha256(ROOT / "requirements.txt"),
    }


@cache
def versions() -> dict[str, str]:
    """What a book is made with: Python and every package there is."""
    return {
        "python": ".".join(map(str, sys.version_info[:3])),
        **dict(sorted(name_and_version(each.read_text("METADATA") or "") for each in distributions())),
    }


def name_and_version(metadata: str) -> tuple[str, str]:
    """Of a package, by its metadata, whose description need not be read for it.

    Examples
    --------
    >>> name_and_version("Metadata-Version: 2.1\\nName: PyYAML\\nVersion: 6.0\\n\\nVersion: of what is said below")
    ('pyyaml', '6.0')
    """
    head = metadata.partition("\n\n")[0].splitlines()
    told = dict(line.split(": ", 1) for line in head if line.startswith(("Name: ", "Version: ")))
    return told["Name"].lower(), told["Version"]
