"""The receipt of a book, and the list by which anyone can check a copy: what it was made from, and what came out, by hash.

The list is ``html/SHA256SUMS``, in the format of ``sha256sum``; its own SHA-256 is the book's digest. It has a line for
each page and each file of a page; what lies beside the pages stands in it behind a ``#``, so that the pages can be
checked wherever they are without the rest.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from parabook.cache import ChapterRun
from parabook.files import hash_files, sha256
from parabook.plan import Plan
from parabook.plugins import Cover

LIST, PAGES = "SHA256SUMS", "html"

RECEIPT = "receipt.json"
"""The receipt, which states the digest and so has no part in it."""

HEAD = """\
## sha256sum --check SHA256SUMS                        checks the pages and their files
## sed -n 's/^# //p' SHA256SUMS | sha256sum --check    checks what lies beside the pages
## sha256sum SHA256SUMS                                prints the digest of the book
"""


def write_receipt(
    plan: Plan, cover: Cover, runs: Sequence[ChapterRun], left_out: Mapping[str, str], folder: Path
) -> None:
    """Write the list and the receipt of a finished book into its folder.

    ``digest`` is the hash of all outputs, ``key`` of all inputs. ``seconds`` and ``reused`` are the only values that
    differ from one run to the next on a machine.
    """
    names = sorted((each.name for each in folder.iterdir()), key=lambda name: (name != PAGES, name))
    outputs = {name: hash_files(folder / name) for name in names}
    (folder / PAGES / LIST).write_text(checksums(outputs), encoding="utf-8")
    outputs[PAGES][LIST] = sha256(folder / PAGES / LIST)
    receipt = {
        plan.plugin.noun: plan.input.name,
        "title": cover.title,
        "about": {"title": cover.title, "lead": cover.lead, "source": cover.source, "date": cover.date},
        "digest": outputs[PAGES][LIST],
        "key": plan.book_key,
        "parameters": dict(plan.given),
        "inputs": plan.hashes,
        "versions": versions(),
        "chapters": [_chapter(run) for run in runs],
        "left_out": [{"chapter": chapter, "why": why} for chapter, why in left_out.items()],
        "outputs": outputs,
    }
    (folder / RECEIPT).write_text(json.dumps(receipt, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def checksums(outputs: Mapping[str, Mapping[str, str]]) -> str:
    """The list for the outputs of a book.

    Examples
    --------
    >>> outputs = {"html": {"b.html": "22", "a.css": "11"}, "ro-crate-metadata.json": {".": "55"}}
    >>> print(checksums(outputs).removeprefix(HEAD))
    11  a.css
    22  b.html
    # 55  ../ro-crate-metadata.json
    <BLANKLINE>
    """
    lines = []
    for output, files in outputs.items():
        before, folder = ("", "") if output == PAGES else ("# ", f"../{output}/")
        lines += [f"{before}{files[name]}  {f'{folder}{name}'.removesuffix('/.')}\n" for name in sorted(files)]
    return HEAD + "".join(lines)


def _chapter(run: ChapterRun) -> dict[str, Any]:
    cells = [{"cell": cell, "seconds": round(seconds, 3)} for cell, seconds in run.cells.items()]
    known = {"chapter": run.chapter, "rests_on": run.rests_on, "reused": run.reused}
    return {**known, "seconds": round(run.seconds, 3), "cells": cells}


@cache
def versions() -> dict[str, str]:
    """What a book is made with: Python and every package there is, by the names of their folders, which need no reading."""
    folders = [each for path in reversed(sys.path) for each in Path(path).glob("*.dist-info")]
    named = (folder.stem.rpartition("-") for folder in folders)
    packages = {name.lower().replace("_", "-"): version for name, _, version in named}
    return {"python": ".".join(map(str, sys.version_info[:3])), **dict(sorted(packages.items()))}
