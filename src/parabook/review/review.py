"""Reviewing: run the chapters on an input, compare their results with those approved; approve them when asked to."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from parabook.book import Book
from parabook.errors import InputError, Problem
from parabook.files import sha256
from parabook.plugins import Evidence, Plugin
from parabook.review import approved
from parabook.review.causes import History
from parabook.review.cells import Cell, cells_of
from parabook.review.compare import Comparison, compare, with_commits
from parabook.review.results import Origin, Results, from_notebooks

HASH = 12
"""Digits of a hash: enough to tell files apart."""

Log = Callable[[str], None]


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
    book: Book,
    plugin: Plugin,
    name: str,
    *,
    folder: Path | None = None,
    source: Path | None = None,
    jobs: int = 0,
    log: Log = lambda line: None,
) -> Review:
    """Run the chapters of a book on an input, all parameters at their defaults, and compare with the approved state.

    Parameters
    ----------
    name : str
        The input, as a user names it.
    folder : Path, optional
        Where the approved state lies, when not in the book's ``tests/approved``.
    source : Path, optional
        The source text, to hold the input against.

    Raises
    ------
    InputError
        When the input cannot be used, or the approved state or the source cannot be read; nothing is run.
    """
    path = plugin.find(book, name)
    folder = (folder or book.root / book.settings.get("approved", "tests/approved") / path.name).resolve()
    old = approved.read(folder, path.name)
    evidence = plugin.evidence(book, path, source) if source else None
    run = _run(book, plugin, path, jobs, log)
    made = Review(
        f"Review of {path.name}", run.results, None, folder, run.title,
        cells=run.cells, checks=tuple(plugin.problems(book, path)), evidence=evidence, failure=run.failure,
    )  # fmt: skip
    if old is None:
        return made
    found = compare(_only(old, run.whole) if run.failure else old, run.results)
    if found.moves and not found.causes:  # is it the run itself? that takes another one to say
        found = replace(found, repeat=compare(run.results, _run(book, plugin, path, jobs, log).results).moves)
    found = with_commits(found, book.root, plugin.files(book, path), folder)
    history = History(book.root)
    sources = [*book.chapters, path, folder, *_program(book, plugin).values()]
    return replace(made, comparison=found, old=history.approved(folder), new=history.head(sources))


@dataclass(frozen=True)
class _Run:
    """The chapters, run: of those that are ``whole`` the results."""

    title: str
    results: Results
    cells: tuple[Cell, ...]
    whole: frozenset[str]
    failure: str


def _run(book: Book, plugin: Plugin, path: Path, jobs: int, log: Log) -> _Run:
    from parabook.kernels import warm_up
    from parabook.plan import plan
    from parabook.pool import opened
    from parabook.run import ChapterFailed, default_jobs, run_all

    planned = plan(path, {})
    warm_up()
    title = opened(planned).title
    executed: dict[str, str] = {}
    failure = ""
    try:
        run_all(planned, jobs or default_jobs(path), log, force=True,
                done=lambda ran: executed.update({ran.chapter: ran.notebook}))  # fmt: skip
    except ChapterFailed as error:
        failure = str(error)
        executed |= {error.chapter: error.notebook} if error.notebook else {}
    notebooks = {file.stem: json.loads(executed[file.stem]) for file in book.notebooks if file.stem in executed}
    cells = [cell for name, notebook in notebooks.items() for cell in cells_of(name, notebook, path.parent)]
    whole = frozenset(notebooks) - {cell.chapter for cell in cells if cell.state != "ran"}
    of_whole = {name: notebook for name, notebook in notebooks.items() if name in whole}
    results = from_notebooks(path.name, of_whole, origin(book, plugin, path), _left_out(book))
    return _Run(title, results, tuple(cells), whole, failure)


def _left_out(book: Book) -> Sequence[str]:
    """Exhibits that are no results, as the book's settings say."""
    return tuple(book.settings.get("not_reviewed", ()))


def _only(results: Results, chapters: frozenset[str]) -> Results:
    """The results of some chapters."""
    exhibits = {id_: exhibit for id_, exhibit in results.exhibits.items() if exhibit.chapter in chapters}
    texts = {
        kind: {key: text for key, text in each.items() if key.partition(": ")[0] in chapters}
        for kind, each in results.texts.items()
    }
    return replace(results, exhibits=exhibits, texts=texts)


def origin(book: Book, plugin: Plugin, path: Path) -> Origin:
    """What a run of the chapters on an input would be made from, here and now."""
    from parabook.receipt import versions

    rows = plugin.rows(book, path)
    inputs = {name: sha256(file)[:HASH] for name, file in sorted(plugin.files(book, path).items())}
    code = {file.relative_to(book.root).as_posix(): sha256(file)[:HASH] for file in _program(book, plugin).values()}
    return Origin(None if rows is None else inputs, dict(sorted(code.items())), versions(), {}, rows)


def _program(book: Book, plugin: Plugin) -> dict[tuple[str, str], Path]:
    """Chapters and the files of the project's code that can move a result, by group and name in a receipt."""
    files = {(group, name): file for group, each in plugin.program(book).items() for name, file in each.items()}
    files = {place: file for place, file in files.items() if plugin.runs_with(*place)}
    return {("chapters", file.name): file for file in book.notebooks} | files


def results_of(book: Book, plugin: Plugin, name: str, log: Log = lambda line: None) -> Results:
    """The results of a built book's folder, or of an input, which is run for them.

    Raises
    ------
    InputError
        When it is neither.
    ChapterFailed
        When a chapter fails.
    """
    from parabook.run import ChapterFailed

    folder = Path(name)
    if (folder / "receipt.json").is_file() and (folder / "notebooks").is_dir():
        return _built(book, plugin, folder)
    run = _run(book, plugin, plugin.find(book, name), 0, log)
    if run.failure:
        raise ChapterFailed(run.failure)
    return run.results


def _built(book: Book, plugin: Plugin, folder: Path) -> Results:
    """The results of a built book; where its input is still found and is the same, its rows are known too."""
    try:
        receipt = json.loads((folder / "receipt.json").read_text(encoding="utf-8"))
        name, inputs = str(receipt[plugin.noun]), receipt["inputs"]
        chapters = [str(chapter["chapter"]) for chapter in receipt["chapters"]]
        files = {chapter: folder / "notebooks" / f"{chapter}.ipynb" for chapter in chapters}
        notebooks = {chapter: json.loads(file.read_text(encoding="utf-8")) for chapter, file in files.items()}
        made = _built_from(book, plugin, receipt, inputs)
        return from_notebooks(name, notebooks, made, _left_out(book))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError.one(folder, f"a receipt or notebooks that cannot be read ({error})", "a built book") from error


def _built_from(book: Book, plugin: Plugin, receipt: Mapping[str, Any], inputs: Mapping[str, Any]) -> Origin:
    program = _program(book, plugin)
    code = {
        program[group, name].relative_to(book.root).as_posix(): code[:HASH]
        for group, files in inputs.items()
        if isinstance(files, dict)
        for name, code in files.items()
        if (group, name) in program
    }
    hashes = {file: code[:HASH] for file, code in sorted(inputs[plugin.noun].items())}
    parameters = {key: str(value) for key, value in receipt.get("parameters", {}).items()}
    made = Origin(hashes, dict(sorted(code.items())), receipt.get("versions", {}), parameters)
    try:
        here = origin(book, plugin, plugin.find(book, str(receipt[plugin.noun])))
    except InputError:
        return replace(made, rows=None)
    return replace(made, inputs=here.inputs and hashes, rows=here.rows if here.inputs == hashes else None)


def compare_all(book: Book, plugin: Plugin, old: str, new: str, log: Log = lambda line: None) -> Review:
    """Compare two built books or inputs."""
    before, after = (results_of(book, plugin, name, log) for name in (old, new))
    names = " and ".join(dict.fromkeys((before.name, after.name)))
    found = with_commits(compare(before, after), book.root, {})
    return Review(f"Comparison of {names}", after, found, old=old, new=new)
