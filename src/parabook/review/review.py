"""Reviewing: run the chapters on an input, and hold their results against those approved, or against another book's."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from parabook.book import Book
from parabook.build import start
from parabook.errors import InputError
from parabook.plan import Plan, affects_results, make_plan
from parabook.plugins import Plugin, Table
from parabook.progress import Progress
from parabook.receipt import versions
from parabook.review import approved
from parabook.review.cells import Cell, cells_of
from parabook.review.diff import moves
from parabook.review.history import history
from parabook.review.results import Results, from_notebooks
from parabook.review.verdict import Review
from parabook.run import ChapterFailed, run_all

Rows = Mapping[str, Table] | None

HASH = 12
"""Digits of a hash: enough to tell files apart."""

VERSIONS = ("altair", "duckdb", "jupyter-book", "narwhals", "nbclient", "pandas", "papermill", "vl-convert-python")
"""The packages that run, count and draw: of a whole machine's packages, most would be noise in a committed file."""


def review(
    plan: Plan, folder: Path | None = None, source: Path | None = None, progress: Progress | None = None
) -> Review:
    """Run the chapters of a plan, and compare their results with the approved state.

    Parameters
    ----------
    folder : Path, optional
        Where the approved state lies, when not in the book's ``tests/approved``.
    source : Path, optional
        The source text, to hold the input against.
    """
    book, plugin, name = plan.book, plan.plugin, plan.input.name
    folder = (folder or book.root / book.settings.get("approved", "tests/approved") / name).resolve()
    old = approved.read(folder)
    evidence = plugin.evidence(plan.input, source) if source else None
    title = plugin.check(plan).title
    results, cells, failure = _run(plan, progress)
    files = [file.resolve() for file in _by_name(plugin, plan.sources).values()]
    found = Review(
        f"Review of {name}", None if failure else old, results, title, history(book.root, folder, files), cells,
        tuple(plugin.problems(plan.input)), evidence, failure, approved=folder, cache=book.cache,
    )  # fmt: skip
    if found.moves and found.known and not found.causes():  # is it the run itself? that takes another one to say
        return replace(found, repeat=tuple(moves(results, _run(plan, progress)[0])))
    return found


def _run(plan: Plan, progress: Progress | None) -> tuple[dict[str, Any], tuple[Cell, ...], str]:
    """Run the chapters: their results and cells, and what failed."""
    start(plan)
    executed: dict[str, str] = {}
    failed = ChapterFailed("")
    try:
        run_all(plan, 0, progress, force=True, done=lambda run: executed.update({run.chapter: run.notebook}))
    except ChapterFailed as error:
        failed = error
        executed |= {error.chapter: error.notebook} if error.notebook else {}
    notebooks = {file.stem: json.loads(executed[file.stem]) for file in plan.notebooks if file.stem in executed}
    why = {failed.chapter: str(failed)}
    cells = [cell for name, notebook in notebooks.items() for cell in cells_of(name, notebook, why.get(name, ""))]
    made = _made_from(plan.plugin, plan.hashes, versions(), plan.given, plan.plugin.rows(plan.input))
    results = from_notebooks(notebooks, plan.book.settings.get("not_reviewed", ())) | made
    return results, tuple(cells), str(failed)


def _made_from(
    plugin: Plugin, hashes: Mapping[str, Any], used: Mapping[str, str], given: Mapping[str, Any], rows: Rows
) -> dict[str, Any]:
    """What results were made from; of an input that hides small cells neither rows nor hashes, which can be guessed."""
    named = _by_name(plugin, hashes)
    found = {key: code[:HASH] for key, code in named.items() if rows is not None or not key.startswith("file/")}
    found |= {f"given/{name}": str(value) for name, value in given.items()}
    found |= {f"version/{name}": used[name] for name in VERSIONS if name in used}
    return {**found, **{f"input/{name}": table for name, table in (rows or {}).items()}}


def _by_name(plugin: Plugin, groups: Mapping[str, Any]) -> dict[str, Any]:
    """What belongs to files that can move a result, from files by group and name."""
    return {
        f"file/{name}" if group == plugin.noun else f"code/{group}/{name}": value
        for group, files in sorted(groups.items())
        if isinstance(files, Mapping) and group != "requirements"
        for name, value in files.items()
        if group == plugin.noun or affects_results(group)
    }


def compare_all(book: Book, plugin: Plugin, old: str, new: str, progress: Progress | None = None) -> Review:
    """Compare two built books or inputs; inputs are run for it, and raise `ChapterFailed` when a cell fails."""
    before, after = (_results_of(book, plugin, name, progress) for name in (old, new))
    return Review(f"Comparison of {old} and {new}", before, after, cache=book.cache)


def _results_of(book: Book, plugin: Plugin, name: str, progress: Progress | None) -> Results:
    folder = Path(name)
    if not (folder / "receipt.json").is_file():
        results, _, failure = _run(make_plan(book, plugin, name, {}), progress)
        if failure:
            raise ChapterFailed(failure)
        return results
    try:
        receipt = json.loads((folder / "receipt.json").read_text(encoding="utf-8"))
        files = [folder / "notebooks" / f"{each['chapter']}.ipynb" for each in receipt["chapters"]]
        notebooks = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}
        rows: Rows = {}
        with contextlib.suppress(InputError):  # where its input is still found and is the same, its rows are known
            plan = make_plan(book, plugin, str(receipt[plugin.noun]), {})
            rows = plugin.rows(plan.input) if plan.contents == receipt["inputs"][plugin.noun] else {}
        made = _made_from(plugin, receipt["inputs"], receipt["versions"], receipt["parameters"], rows)
        return from_notebooks(notebooks, book.settings.get("not_reviewed", ())) | made
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError.one(folder, f"a receipt or notebooks that cannot be read ({error})", "a built book") from error
