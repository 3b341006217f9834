"""One book from one edition: check, run, stage, assemble, publish. The order of the steps, and nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from analysis import tabulate
from analysis.book import chapters
from analysis.book.assemble import assemble
from analysis.book.publish import publish, workshop
from analysis.book.receipt import receipt
from analysis.book.run import run_all
from analysis.book.stage import stage
from analysis.book.warm import warm_up
from analysis.edition import load


def build(
    edition: str | Path,
    given: Mapping[str, str],
    out: Path,
    *,
    jobs: int = 0,
    tell: Callable[[str], None] = lambda line: None,
) -> Path:
    """Make the book of an edition.

    Parameters
    ----------
    edition : str or Path
        A name under ``data/`` or a path.
    given : mapping of str
        Parameters, as the call gives them.
    out : Path
        Where ``html``, ``notebooks``, ``tables``, ``charts`` and ``receipt.json`` go.
    jobs : int
        Chapters side by side; 0 for as many as there are processors.

    Returns
    -------
    Path
        The book's ``index.html``.

    Raises
    ------
    BadInput
        When the edition or a parameter cannot be used; nothing was run.
    ChapterFailed, AssemblyFailed
        When the report is wrong; the book in place is as it was.
    """
    notebooks = chapters.order()
    values: dict[str, Any] = chapters.fitted(given, notebooks)
    warm_up()
    tabulate.checked(values)
    checked = load(edition, values.get("minimum_cell", 0))
    out = out.resolve()
    with workshop(out) as stage_folder:
        executed = stage_folder / "notebooks"
        executed.mkdir()
        overrides = json.dumps(values, sort_keys=True) if values else ""
        ran = run_all(notebooks, checked.path, values, overrides, executed, jobs or os.cpu_count() or 1, tell)
        stage([each.notebook for each in ran], stage_folder)
        tell("assembling")
        assemble(stage_folder / "site", stage_folder / "html", checked.title)
        paper = receipt(checked, notebooks, values, ran, stage_folder)
        (stage_folder / "receipt.json").write_text(
            json.dumps(paper, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        publish(stage_folder, out)
    return out / "html" / "index.html"
