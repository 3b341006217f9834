"""From executed chapters to all outputs of a build: staged, assembled, described, and listed with their hashes."""

from __future__ import annotations

import gc
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from parabook.cache import ChapterRun
from parabook.plan import Plan
from parabook.plugins import Cover

STAGED = ("site", "doctrees", "jupyter_execute")
"""Folders that assembling leaves beside the outputs."""


def make_outputs(
    plan: Plan, cover: Cover, runs: Sequence[ChapterRun], folder: Path, library: Path | None = None
) -> None:
    """Make all outputs of a build in an empty folder, ready to publish; an `AssemblyFailed` when Sphinx warns or fails.

    ``library`` is the folder of the books with which this one shares scripts and styles, if there are others.
    """
    from parabook import drawings
    from parabook.assemble import assemble
    from parabook.checksums import write_checksums
    from parabook.library import share
    from parabook.receipt import receipt
    from parabook.staging import glued, stage

    html = folder / "html"
    pages = stage(plan.book, {each.chapter: each.notebook for each in runs}, folder)
    cover = plan.plugin.cover(cover, glued(json.loads(runs[0].notebook)) if runs else {})
    assemble(plan.book, pages, html, cover)
    for name in STAGED:
        shutil.rmtree(folder / name, ignore_errors=True)
    drawings.tidy(plan.book.cache)
    shared = share(html, library) if library else ""
    plan.plugin.add_files(plan, cover, runs, pages.left_out, folder)
    write_checksums(folder)
    made = receipt(plan, cover, runs, pages.left_out, shared, folder)
    (folder / "receipt.json").write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if library:  # more are to come: Sphinx leaves much behind, in cycles
        gc.collect()
