"""Reviewing: build the book of an input, and compare its results with those approved, or with another book's."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

from parabook.book import Book
from parabook.build import start
from parabook.errors import InputError
from parabook.outputs import make_outputs
from parabook.plan import Plan, make_plan, snapshot
from parabook.plugins import Cover, Plugin
from parabook.progress import Progress
from parabook.review import approved
from parabook.review.cells import Cell, cells_of
from parabook.review.results import Results, results, tables
from parabook.review.verdict import Review
from parabook.run import ChapterFailed, run_all
from parabook.server import Workers


def review(
    plan: Plan, folder: Path | None = None, source: Path | None = None, progress: Progress | None = None
) -> Review:
    """Build the book of a plan, compare it with the state approved in a folder, and check its input against a source text."""
    book, plugin, name = plan.book, plan.plugin, plan.input.name
    folder = (folder or book.root / book.settings.get("approved", "tests/approved") / name).resolve()
    old = approved.read(folder)
    with tempfile.TemporaryDirectory() as scratch:
        copy = snapshot(plan, Path(scratch))
        evidence = plugin.evidence(copy.input, source) if source else None
        cover = plugin.check(copy)
        new, cells, failure = _build(copy, cover, progress)
        problems = tuple(plugin.problems(copy.input))
    files = [file.resolve() for group in plan.sources.values() for file in group.values()]
    return Review(
        f"Review of {name}", None if failure else old, new, cover.title, tuple(history(book.root, folder, files)),
        cells, problems, evidence, failure, folder, book.cache, plugin.has_source,
    )  # fmt: skip


def _build(plan: Plan, cover: Cover, progress: Progress | None) -> tuple[Results, tuple[Cell, ...], str]:
    """Build a book in a temporary folder: its results, its cells, and why it could not be built."""
    start(plan)
    found, ran = dict[str, str](), dict[str, str]()
    failed, failure = "", ""
    try:
        runs = run_all(plan, 0, progress, force=True, done=lambda run: ran.update({run.chapter: run.notebook}))
        with tempfile.TemporaryDirectory() as folder, Workers() as assemblers:
            assemblers.submit(make_outputs, plan, cover, runs, Path(folder)).result()
            found = results(Path(folder), plan.book, plan.plugin, plan.plugin.rows(plan.input))
        for given in plan.book.settings.get("reviewed_with", ()):
            with contextlib.suppress(InputError):  # not every input can be shown with these parameters
                other = replace(plan, given={**plan.given, **given})
                plan.plugin.check(other)
                found |= tables((run.notebook for run in run_all(other)), given, found)
        plan.require_unchanged(runs)  # a file saved while pages were made is in no hash
    except ChapterFailed as error:
        failed, failure = error.chapter, str(error)
        ran[failed] = error.notebook
    cells: list[Cell] = []
    for file in plan.notebooks:
        name, allowed = plan.book.name(file), plan.book.execution(file).allow_errors
        if ran.get(name):
            cells += cells_of(name, json.loads(ran[name]), failure if name == failed else "", allowed)
    return found, tuple(cells), failure


def history(root: Path, state: Path, files: Collection[Path]) -> Iterator[str]:
    """Uncommitted changes of files, and the commits that changed them since an approved state was committed.

    None where git does not have them all.
    """

    def git(*arguments: str) -> str:
        call = ["git", "-C", str(root), *arguments]
        try:
            return subprocess.run(call, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
        except (OSError, subprocess.SubprocessError):
            return ""

    base = git("log", "-1", "--format=%h", "--", str(state))
    # In a shallow clone the oldest commit seems to have added everything.
    if base and git("rev-parse", "--is-shallow-repository") == "false":
        inside = [str(file) for file in files if file.is_relative_to(root)]
        yield from (f"not committed: {line}" for line in git("status", "--short", "--", *inside).splitlines())
        yield from git("log", "-30", "--no-merges", "--format=%h %s", f"{base}..HEAD", "--", *inside).splitlines()


def compare_all(book: Book, plugin: Plugin, old: str, new: str, progress: Progress | None = None) -> Review:
    """Compare two built books or inputs; inputs are built first, and raise `ChapterFailed` when they cannot be."""
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
        return results(folder, book, plugin, {})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError.one(folder, f"a receipt or notebooks that cannot be read ({error})", "a built book") from error
