"""Reviewing: run the chapters on an input, compare their results with those approved; approve them when asked to."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from parabook.book import Book
from parabook.build import start
from parabook.errors import InputError, Problem
from parabook.plan import Plan, affects_results, make_plan
from parabook.plugins import Evidence, Plugin
from parabook.progress import Progress
from parabook.receipt import versions
from parabook.review import approved
from parabook.review.causes import History
from parabook.review.cells import Cell, cells_of
from parabook.review.compare import Comparison, compare
from parabook.review.results import Origin, Results, from_notebooks
from parabook.run import ChapterFailed, run_all

HASH = 12
"""Digits of a hash: enough to tell files apart."""


@dataclass(frozen=True)
class Review:
    """What a reviewer is shown; without a comparison nothing was ever approved."""

    title: str
    results: Results
    comparison: Comparison | None = None
    approved: Path = Path()
    """The folder of the approved state."""
    about: str = ""
    """The title of the input."""
    old: str = ""
    new: str = ""
    cells: tuple[Cell, ...] = ()
    """The cells that ran for it; none where built books are compared."""
    checks: tuple[Problem, ...] = ()
    evidence: Evidence | None = None
    """Whether the input holds against its source; None where that was not asked."""
    failure: str = ""
    """The cell that failed, and how."""
    cache: Path = Path("_build/.cache")
    """Where drawings are cached."""

    @property
    def moved(self) -> bool:
        """Whether anything is not as approved, or nothing was approved."""
        return self.comparison is None or self.comparison.moved

    @property
    def wrong(self) -> bool:
        """Whether the results must not be approved: a cell failed, or evidence does not hold."""
        return bool(self.failure or (self.evidence and self.evidence.problems))

    @property
    def verdict(self) -> str:
        """What was found, in a few sentences."""
        found = (
            self.comparison.verdict if self.comparison else "Nothing was ever approved: look at the book, then accept."
        )
        return f"A cell failed: {self.failure}. Of the chapters that ran: {found}" if self.failure else found

    def as_text(self) -> str:
        """The review in lines of plain text."""
        found = self.verdict if self.failure or not self.comparison else self.comparison.as_text()
        return f"{found}\nevidence: {self.evidence or 'not held against the source text'}" if self.cells else found

    def as_json(self) -> dict[str, Any]:
        """The review as plain values."""
        return {
            "verdict": self.verdict,
            "moved": self.moved,
            "wrong": self.wrong,
            **(self.comparison.as_json() if self.comparison else {}),
            "cells": [asdict(cell) for cell in self.cells],
            "checks": [problem.as_dict() for problem in self.checks],
            "evidence": [problem.as_dict() for problem in self.evidence.problems] if self.evidence else None,
        }

    def write(self, folder: Path) -> Path:
        """Write ``review.html`` and ``review.md`` into a folder; the path of the page."""
        from parabook.review.page import as_html, as_markdown

        folder.mkdir(parents=True, exist_ok=True)
        (folder / "review.md").write_text(as_markdown(self), encoding="utf-8")
        (folder / "review.html").write_text(as_html(self), encoding="utf-8")
        return folder / "review.html"

    def accept(self) -> int:
        """Approve the results of this run; how many bytes were written."""
        return approved.write(self.results, self.approved)


def review(
    plan: Plan,
    *,
    folder: Path | None = None,
    source: Path | None = None,
    jobs: int = 0,
    progress: Progress | None = None,
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
    old = approved.read(folder, name)
    evidence = plugin.evidence(plan.input, source) if source else None
    title = plugin.check(plan).title
    run = _run(plan, jobs, progress)
    checks = tuple(plugin.problems(plan.input))
    made = Review(f"Review of {name}", run.results, None, folder, title, cells=run.cells, checks=checks,
                  evidence=evidence, failure=run.failure, cache=book.cache)  # fmt: skip
    if old is None:
        return made
    found = compare(_only(old, run.whole) if run.failure else old, run.results)
    if found.moves and not found.causes:  # is it the run itself? that takes another one to say
        found = replace(found, repeat=compare(run.results, _run(plan, jobs, progress).results).moves)
    history = History(book.root)
    files = {name: file for group, name, file in _files(plan) if name in {**found.causes.code, **found.causes.inputs}}
    found = replace(found, causes=replace(found.causes, commits=history.commits(files, folder)))
    new = history.head([folder, *(file for _, _, file in _files(plan))])
    return replace(made, comparison=found, old=history.approved(folder), new=new)


def _files(plan: Plan) -> Iterator[tuple[str, str, Path]]:
    """The files that can move a result: group, name as an `Origin` has it, path."""
    for group, files in plan.sources.items():
        for name, file in files.items():
            if group == plan.plugin.noun or affects_results(group):
                yield group, name if group == plan.plugin.noun else f"{group}/{name}", file.resolve()


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
    failure = ""
    try:
        run_all(plan, jobs, progress, force=True, done=lambda run: executed.update({run.chapter: run.notebook}))
    except ChapterFailed as error:
        failure = str(error)
        executed |= {error.chapter: error.notebook} if error.notebook else {}
    notebooks = {file.stem: json.loads(executed[file.stem]) for file in plan.notebooks if file.stem in executed}
    folders = {file.stem: plan.plugin.folder(plan.input, file) for file in plan.notebooks}
    cells = [cell for name, notebook in notebooks.items() for cell in cells_of(name, notebook, folders[name])]
    whole = frozenset(notebooks) - {cell.chapter for cell in cells if cell.state != "ran"}
    of_whole = {name: notebook for name, notebook in notebooks.items() if name in whole}
    results = from_notebooks(plan.input.name, of_whole, origin(plan), plan.book.settings.get("not_reviewed", ()))
    return _Run(results, tuple(cells), whole, failure)


def _only(results: Results, chapters: frozenset[str]) -> Results:
    """The results of some chapters."""
    exhibits = {id_: exhibit for id_, exhibit in results.exhibits.items() if exhibit.chapter in chapters}
    texts = {
        kind: {key: text for key, text in each.items() if key.partition(": ")[0] in chapters}
        for kind, each in results.texts.items()
    }
    return replace(results, exhibits=exhibits, texts=texts)


def origin(plan: Plan) -> Origin:
    """What a run of a plan is made from, here and now."""
    rows = plan.plugin.rows(plan.input)
    made = _origin(plan.plugin, plan.hashes, versions(), plan.given)
    return replace(made, inputs=None if rows is None else made.inputs, rows=rows)


def _origin(plugin: Plugin, hashes: Mapping[str, Any], packages: Mapping[str, str], given: Mapping[str, Any]) -> Origin:
    """An origin from the hashes of files by group and name, as plans and receipts have them; without rows."""
    groups = {group: files if isinstance(files, Mapping) else {group: files} for group, files in hashes.items()}
    inputs = {name: code[:HASH] for name, code in sorted(groups.pop(plugin.noun).items())}
    code = {
        f"{group}/{name}": code[:HASH]
        for group, files in sorted(groups.items())
        for name, code in sorted(files.items())
        if affects_results(group) and group != "requirements"
    }
    return Origin(inputs, code, packages, {name: str(value) for name, value in given.items()}, None)


def results_of(book: Book, plugin: Plugin, name: str, progress: Progress | None = None) -> Results:
    """The results of a built book's folder, or of an input, which is run for them.

    Raises
    ------
    InputError
        When it is neither.
    ChapterFailed
        When a chapter fails.
    """
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
        name, chapters = str(receipt[plugin.noun]), [str(each["chapter"]) for each in receipt["chapters"]]
        files = {chapter: folder / "notebooks" / f"{chapter}.ipynb" for chapter in chapters}
        notebooks = {chapter: json.loads(file.read_text(encoding="utf-8")) for chapter, file in files.items()}
        made = _origin(plugin, receipt["inputs"], receipt["versions"], receipt["parameters"])
        with contextlib.suppress(InputError):
            here = origin(make_plan(book, plugin, name, {}))
            made = replace(made, rows=here.rows) if here.inputs == made.inputs else made
        return from_notebooks(name, notebooks, made, book.settings.get("not_reviewed", ()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError.one(folder, f"a receipt or notebooks that cannot be read ({error})", "a built book") from error


def compare_all(book: Book, plugin: Plugin, old: str, new: str, progress: Progress | None = None) -> Review:
    """Compare two built books or inputs."""
    before, after = (results_of(book, plugin, name, progress) for name in (old, new))
    names = " and ".join(dict.fromkeys((before.name, after.name)))
    return Review(f"Comparison of {names}", after, compare(before, after), old=old, new=new, cache=book.cache)
