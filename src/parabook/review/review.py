"""Reviewing: build the book of an input, and hold its results against those approved, or against another book's."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from parabook.assemble import AssemblyFailed
from parabook.book import Book
from parabook.build import start
from parabook.errors import InputError
from parabook.outputs import make_outputs
from parabook.plan import Plan, make_plan
from parabook.plugins import Cover, Plugin, Table
from parabook.pool import BuildPool
from parabook.progress import Progress
from parabook.review import approved
from parabook.review.cells import Cell, cells_of
from parabook.review.diff import changes
from parabook.review.history import history
from parabook.review.results import Results, results
from parabook.review.verdict import Review
from parabook.run import ChapterFailed, run_all


def review(
    plan: Plan, folder: Path | None = None, source: Path | None = None, progress: Progress | None = None
) -> Review:
    """Build the book of a plan, and compare its results with the approved state.

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
    cover = plugin.check(plan)
    new, cells, failure = _build(plan, cover, progress)
    since, commits = history(
        book.root, folder, [file.resolve() for group in plan.sources.values() for file in group.values()]
    )
    found = Review(
        f"Review of {name}", None if failure else old, new, cover.title, since, commits, cells,
        tuple(plugin.problems(plan.input)), evidence, failure, approved=folder, cache=book.cache,
    )  # fmt: skip
    if found.moves and found.known and not found.causes():  # is it the run itself? that takes another one to say
        return replace(found, repeat=tuple(changes(new, _build(plan, cover, progress)[0])))
    return found


def _build(plan: Plan, cover: Cover, progress: Progress | None) -> tuple[Results, tuple[Cell, ...], str]:
    """Build a book in passing: its results, its cells, and what failed."""
    start(plan)
    ran: dict[str, str] = {}
    found: Results = {}
    failed: Exception | None = None
    try:
        runs = run_all(plan, 0, progress, force=True, done=lambda run: ran.update({run.chapter: run.notebook}))
        with tempfile.TemporaryDirectory() as folder, BuildPool() as pool:
            pool.assemblers.submit(make_outputs, plan, cover, runs, Path(folder), None).result()
            found = _results(plan.book, plan.plugin, Path(folder), plan.plugin.rows(plan.input))
    except (ChapterFailed, AssemblyFailed) as error:
        failed = error
    broken = failed if isinstance(failed, ChapterFailed) else ChapterFailed("")
    ran |= {broken.chapter: broken.notebook} if broken.notebook else {}
    notebooks = {file.stem: json.loads(ran[file.stem]) for file in plan.notebooks if file.stem in ran}
    why = {broken.chapter: str(broken)}
    cells = [cell for name, notebook in notebooks.items() for cell in cells_of(name, notebook, why.get(name, ""))]
    return found, tuple(cells), str(failed or "")


def _results(book: Book, plugin: Plugin, folder: Path, rows: Mapping[str, Table] | None) -> Results:
    return results(folder, plugin.noun, rows, book.settings.get("not_reviewed", ()))


def compare_all(book: Book, plugin: Plugin, old: str, new: str, progress: Progress | None = None) -> Review:
    """Compare two built books or inputs; inputs are built for it, and raise `ChapterFailed` when a cell fails."""
    before, after = (_results_of(book, plugin, name, progress) for name in (old, new))
    return Review(f"Comparison of {old} and {new}", before, after, cache=book.cache)


def _results_of(book: Book, plugin: Plugin, name: str, progress: Progress | None) -> Results:
    folder = Path(name)
    if not (folder / "receipt.json").is_file():
        plan = make_plan(book, plugin, name, {})
        found, _, failure = _build(plan, plugin.check(plan), progress)
        if failure:
            raise ChapterFailed(failure)
        return found
    try:
        receipt = json.loads((folder / "receipt.json").read_text(encoding="utf-8"))
        rows: Mapping[str, Table] | None = {}
        with contextlib.suppress(InputError):  # where its input is still found and is the same, its rows are known
            plan = make_plan(book, plugin, str(receipt[plugin.noun]), {})
            rows = plugin.rows(plan.input) if plan.contents == receipt["inputs"][plugin.noun] else {}
        return _results(book, plugin, folder, rows)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError.one(folder, f"a receipt or notebooks that cannot be read ({error})", "a built book") from error
