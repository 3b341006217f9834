"""The receipt: what a book was made from and with, and what came out, by hash. Pure but for reading files."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from analysis.book.run import Ran
from analysis.edition import Edition
from analysis.schema import ROOT


def receipt(
    edition: Edition, notebooks: Sequence[Path], given: Mapping[str, Any], ran: Sequence[Ran], stage: Path
) -> dict[str, Any]:
    """The receipt of a build, ready to write as JSON.

    ``digest`` is the fingerprint of all outputs; ``seconds`` are the only values that differ from
    one run to the next.
    """
    outputs = {name: fingerprints(stage / name) for name in ("html", "notebooks", "tables", "charts")}
    digest = hashlib.sha256(json.dumps(outputs, sort_keys=True).encode()).hexdigest()
    return {
        "edition": edition.name,
        "title": edition.title,
        "digest": digest,
        "parameters": dict(given),
        "inputs": {
            "edition": edition.hashes(),
            "chapters": {file.name: sha256(file) for file in notebooks},
            "code": fingerprints(ROOT / "src" / "analysis", "*.py"),
            "schemas": fingerprints(ROOT / "data" / "schemas", "*.json"),
            "vocabularies": fingerprints(ROOT / "data" / "vocabularies", "*.csv"),
            "basemap": fingerprints(ROOT / "data" / "basemap", "*.json"),
            "requirements": sha256(ROOT / "requirements.txt"),
        },
        "versions": {
            "python": ".".join(map(str, sys.version_info[:3])),
            **dict(sorted((dist.name.lower(), dist.version) for dist in distributions())),
        },
        "chapters": [
            {
                "chapter": each.chapter,
                "seconds": round(each.seconds, 3),
                "cells": [{"cell": cell, "seconds": round(seconds, 3)} for cell, seconds in each.cells],
            }
            for each in ran
        ],
        "outputs": outputs,
    }


def fingerprints(folder: Path, pattern: str = "*") -> dict[str, str]:
    """SHA-256 of every file of a folder, by path inside it."""
    files = sorted(file for file in folder.rglob(pattern) if file.is_file())
    return {file.relative_to(folder).as_posix(): sha256(file) for file in files}


def sha256(file: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
