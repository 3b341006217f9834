"""A book's receipt, with hashes of all inputs and outputs, and the checksums by which anyone can check a copy.

The checksums are in ``html/SHA256SUMS``, in the format of ``sha256sum``; its own SHA-256 is the book's digest. Files
outside of ``html`` stand in it behind a ``#``, so that the pages can be checked without the rest.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from parabook.book import Book
from parabook.cache import ChapterRun
from parabook.dependencies import versions
from parabook.files import hash_files, sha256
from parabook.plan import Plan
from parabook.plugins import Cover
from parabook.templating import render

LIST, PAGES, RECEIPT = "SHA256SUMS", "html", "receipt.json"

HEAD = """\
## sha256sum --check SHA256SUMS                        checks the pages and their files
## sed -n 's/^# //p' SHA256SUMS | sha256sum --check    checks what lies beside the pages
## sha256sum SHA256SUMS                                prints the digest of the book
"""


def write_receipt(
    plan: Plan, cover: Cover, runs: Sequence[ChapterRun], left_out: Mapping[str, str], folder: Path
) -> None:
    """Write the checksums and the receipt of a finished book into its folder.

    ``digest`` is the hash of all outputs, ``key`` of all inputs. Only ``seconds`` and ``reused`` differ from run to run
    on a machine.
    """
    names = sorted((each.name for each in folder.iterdir()), key=lambda name: (name != PAGES, name))
    outputs = {name: hash_files(folder / name) for name in names}
    (folder / PAGES / LIST).write_text(checksums(outputs), encoding="utf-8")
    outputs[PAGES][LIST] = sha256(folder / PAGES / LIST)
    receipt = {
        plan.plugin.noun: plan.input.name,
        "about": {"title": cover.title, "lead": cover.lead, "source": cover.source, "date": cover.date},
        "digest": outputs[PAGES][LIST],
        "key": plan.book_key,
        "parameters": dict(plan.given),
        "inputs": plan.published,
        "versions": versions(),
        "chapters": [
            {"chapter": run.chapter, "rests_on": run.rests_on, "reused": run.reused, "seconds": round(run.seconds, 3)}
            | {"cells": [{"cell": cell, "seconds": round(seconds, 3)} for cell, seconds in run.cells.items()]}
            for run in runs
        ],
        "left_out": [{"chapter": chapter, "why": why} for chapter, why in left_out.items()],
        "outputs": outputs,
    }
    (folder / RECEIPT).write_text(json.dumps(receipt, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def checksums(outputs: Mapping[str, Mapping[str, str]]) -> str:
    """The text of ``SHA256SUMS`` for hashes by output and file."""
    lines = []
    for output, files in outputs.items():
        before, folder = ("", "") if output == PAGES else ("# ", f"../{output}/")
        lines += [f"{before}{files[name]}  {f'{folder}{name}'.removesuffix('/.')}\n" for name in sorted(files)]
    return HEAD + "".join(lines)


def front_page(book: Book, noun: str, library: Path) -> None:
    """Write the page that lists the books in a folder, by what their receipts say about them."""
    books = {}
    for file in sorted(library.glob(f"*/{RECEIPT}")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):  # not the receipt of a book
            books[file.parent.name] = {**json.loads(file.read_text(encoding="utf-8"))["about"]}
    page = render("library.html.j2", title=str(book.config.get("title", "")), noun=noun, books=books)
    new = library / f".index.html.{os.getpid()}"
    new.write_text(page, encoding="utf-8")
    os.replace(new, library / "index.html")
