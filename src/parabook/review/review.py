"""Reviewing: run the chapters on an input, and hold their results against those approved, or against another book's."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from parabook.book import Book
from parabook.build import start
from parabook.errors import InputError
from parabook.plan import Plan, affects_results, make_plan
from parabook.plugins import Plugin
from parabook.progress import Progress
from parabook.receipt import versions
from parabook.review import approved
from parabook.review.cells import Cell, cells_of
from parabook.review.diff import moves
from parabook.review.history import history
from parabook.review.results import CAUSES, Results, from_notebooks
from parabook.review.verdict import Review
from parabook.run import ChapterFailed, run_all

HASH = 12
"""Digits of a hash: enough to tell files apart."""

VERSIONS = ("altair", "duckdb", "jupyter-book", "narwhals", "nbclient", "pandas", "papermill", "vl-convert-python")
"""The packages that run, count and draw: of a whole machine's packages, most would be noise in a committed file."""


def review(
    plan: Plan, *, folder: Path | None = None, source: Path | None = None, jobs: int = 0, progress: Progress | None = None
) -> Review:
    """Run the chapters of a plan, and compare their results with the approved state.

    Parameters
    ----------
    folder : Path, optional
        Where the approved state lies, when not in the book's ``tests/approved``.
    source : Path, optional
        The source text, to hold the input against.

    Raises
    ------
    InputError
        When the input cannot be used, or the approved state or the source cannot be read; nothing is run.
    """
    book, plugin, name = plan.book, plan.plugin, plan.input.name
    folder = (folder or book.root / book.settings.get("approved", "tests/approved") / name).resolve()
    old = approved.read(folder)
    evidence = plugin.evidence(plan.input, source) if source else None
    title = plugin.check(plan).title
    run = _run(plan, jobs, progress)
    if old and run.failure:
        old = _only(old, run.whole)
    files = {file.resolve() for files in plan.sources.values() for file in files.values()}
    found = Review(
        f"Review of {name}", old, run.results, title, history(book.root, folder, files), run.cells,
        tuple(plugin.problems(plan.input)), evidence, run.failure, approved=folder, cache=book.cache,
    )  # fmt: skip
    if found.moves and found.known and not found.causes():  # is it the run itself? that takes another one to say
        return replace(found, repeat=tuple(moves(run.results, _run(plan, jobs, progress).results)))
    return found


@dataclass(frozen=True)
class _Run:
    """The chapters, run: of those that are ``whole`` the results."""

    results: Results
    cells: tuple[Cell, ...]
    whole: frozenset[str]
    failure: str


def _run(plan: Plan, jobs: int, progress: Progress | None) -> _Run:
    start(plan)
    executed: dict[str, str] = {}
    failed = ChapterFailed("")
    try:
        run_all(plan, jobs, progress, force=True, done=lambda run: executed.update({run.chapter: run.notebook}))
    except ChapterFailed as error:
        failed = error
        executed |= {error.chapter: error.notebook} if error.notebook else {}
    cells: list[Cell] = []
    whole: dict[str, Any] = {}
    for file in (file for file in plan.notebooks if file.stem in executed):
        notebook = json.loads(executed[file.stem])
        why = str(failed) if file.stem == failed.chapter else ""
        made = list(cells_of(file.stem, notebook, plan.plugin.folder(plan.input, file), why))
        cells += made
        if all(cell.state == "ran" for cell in made):
            whole[file.stem] = notebook
    results = from_notebooks(whole, plan.book.settings.get("not_reviewed", ())) | _made_from(plan)
    return _Run(results, tuple(cells), frozenset(whole), str(failed))


def _only(results: Results, chapters: Collection[str]) -> Results:
    """The results of some chapters."""

    def kept(key: str) -> bool:
        kind, _, name = key.partition("/")
        return kind in CAUSES or results.get(f"chapter/{name}", name.split("/")[0]) in chapters

    return {key: value for key, value in results.items() if kept(key)}


def _made_from(plan: Plan) -> dict[str, Any]:
    """What a run of a plan is made from, with the rows of its input; of one that hides small cells neither rows nor hashes."""
    rows = plan.plugin.rows(plan.input)
    found = _hashed(plan.plugin, plan.hashes, versions(), plan.given)
    if rows is None:
        return {key: value for key, value in found.items() if not key.startswith("file/")}
    return found | {f"input/{name}": table for name, table in rows.items()}


def _hashed(plugin: Plugin, groups: Mapping[str, Any], packages: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, Any]:
    """The same from hashes of files by group and name, as plans and receipts have them."""
    found: dict[str, Any] = {}
    for group, files in sorted(groups.items()):
        if group == plugin.noun:
            found |= {f"file/{name}": code[:HASH] for name, code in files.items()}
        elif isinstance(files, Mapping):
            used = {name: code for name, code in files.items() if affects_results(plugin, group, name)}
            found |= {f"code/{group}/{name}": code[:HASH] for name, code in used.items() if group != "requirements"}
    found |= {f"given/{name}": str(value) for name, value in given.items()}
    return found | {f"version/{name}": packages[name] for name in VERSIONS if name in packages}


def compare_all(book: Book, plugin: Plugin, old: str, new: str, progress: Progress | None = None) -> Review:
    """Compare two built books or inputs; inputs are run for it.

    Raises
    ------
    InputError
        When one is neither.
    ChapterFailed
        When a chapter fails.
    """
    before, after = (_results_of(book, plugin, name, progress) for name in (old, new))
    return Review(f"Comparison of {old} and {new}", before, after, cache=book.cache)


def _results_of(book: Book, plugin: Plugin, name: str, progress: Progress | None) -> Results:
    folder = Path(name)
    if (folder / "receipt.json").is_file() and (folder / "notebooks").is_dir():
        return _built(book, plugin, folder)
    run = _run(make_plan(book, plugin, name, {}), 0, progress)
    if run.failure:
        raise ChapterFailed(run.failure)
    return run.results


def _built(book: Book, plugin: Plugin, folder: Path) -> Results:
    """The results of a built book; where its input is still found and is the same, its rows are known too."""
    try:
        receipt = json.loads((folder / "receipt.json").read_text(encoding="utf-8"))
        files = {each["chapter"]: folder / "notebooks" / f"{each['chapter']}.ipynb" for each in receipt["chapters"]}
        notebooks = {chapter: json.loads(file.read_text(encoding="utf-8")) for chapter, file in files.items()}
        found = from_notebooks(notebooks, book.settings.get("not_reviewed", ()))
        found |= _hashed(plugin, receipt["inputs"], receipt["versions"], receipt["parameters"])
        with contextlib.suppress(InputError):
            plan = make_plan(book, plugin, str(receipt[plugin.noun]), {})
            if plan.contents == receipt["inputs"][plugin.noun]:
                found |= {f"input/{name}": table for name, table in (plugin.rows(plan.input) or {}).items()}
        return found
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError.one(folder, f"a receipt or notebooks that cannot be read ({error})", "a built book") from error
