"""Reviewing: run an edition, hold its results against those approved, tell it; accept it when asked to, and only then."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from analysis.edition import Edition, examine
from analysis.coding.verify import Verdict, source_text, verify
from analysis.folder import find
from analysis.prose import plural
from analysis.schema import ROOT
from analysis.tables import shown_path
from parabook.errors import InputError, Problem
from parabook.files import swap as exchange
from parabook.review.compare import NOT_COMMITTED, Comparison, compare, verdict
from parabook.review.page import Review, as_html, as_markdown
from parabook.review.results import (
    APPROVED,
    PLACES,
    STATE,
    Outcome,
    Results,
    approved,
    approved_files,
    built,
    is_built,
    run,
)
from parabook.run import ChapterFailed

MOST_COMMITS = 3
"""Of each file that differs, so many commits are named."""


def review(
    edition: str | Path,
    folder: Path | None = None,
    *,
    source: Path | None = None,
    jobs: int = 0,
    tell: Callable[[str], None] = lambda line: None,
) -> tuple[Review, Outcome, Path]:
    """Run an edition with default parameters, and compare it with its approved state.

    Parameters
    ----------
    edition : str or Path
        A name under ``data/`` or a path.
    folder : Path, optional
        Where the approved state lies; for the edition's name under ``tests/approved`` when not given.
    source : Path, optional
        The source text, to hold the coded values against.

    Returns
    -------
    tuple
        The review, the run, the folder of the approved state.

    Raises
    ------
    InputError
        When the edition cannot be used, or the approved state or the source text cannot be read.
    """
    path = find(edition)
    folder = (folder or APPROVED / path.name).resolve()
    old = approved(folder, path.name)
    text = None if source is None else source_text(source)
    outcome = run(edition, {}, jobs=jobs, tell=tell)
    new = outcome.results
    loaded, problems = examine(edition)
    title = f"Review of {path.name}"
    whole: dict[str, Any] = {"cells": outcome.cells, "checks": tuple(_placed(problems, path)), "ran": True}
    if loaded is not None:
        whole |= {"edition": loaded.title, "evidence": None if text is None else _held(loaded, text)}
    if old is None:
        told = (
            f"Nothing was ever approved for {path.name}: look at its book, then run analysis review {edition} --accept."
        )
        return Review(title, _failing(outcome, told), None, **whole), outcome, folder
    if outcome.failed:
        old = only(
            old,
            {cell.chapter for cell in outcome.cells} - {cell.chapter for cell in outcome.cells if cell.state != "ran"},
        )
    found = with_commits(compare(old, new), path, folder)
    made = Review(title, _failing(outcome, verdict(found)), found, _state(folder), _here(path, folder), **whole)
    return made, outcome, folder


def _held(edition: Edition, text: str) -> Verdict:
    """Whether the values hold; what an edition hides as small cells is not told in a review either."""
    held = verify(edition, text)
    if held.problems and edition.report.minimum_cell > 1:
        told = Problem(edition.name, plural(len(held.problems), "problem"), "none", "analysis verify names them")
        return replace(held, problems=(told,))
    return replace(held, problems=tuple(_placed(held.problems, edition.path)))


def _placed(problems: Iterable[Problem], edition: Path) -> Iterator[Problem]:
    """Problems by their files in the edition's folder, wherever that is on this machine."""
    for problem in problems:
        yield replace(problem, file=problem.file.removeprefix(f"{shown_path(edition)}/"))


def _state(folder: Path) -> str:
    """What the approved state is: the commit that wrote it, where there is a whole history."""
    if not _has_history() or not folder.is_relative_to(ROOT):
        return "the approved state"
    whole = (
        _git("rev-parse", "--is-shallow-repository") == "false"
    )  # in half a history everything came with its oldest commit
    commit = _git("log", "-1", "--format=%h (%cs)", "--", str(folder)) if whole else ""
    changed = ", changed since and not committed" if commit else ", not committed"
    rest = changed if _git("status", "--porcelain", "--", str(folder)) else ""
    return f"the state approved in commit {commit}{rest}" if commit else f"the approved state{rest}"


def _here(edition: Path, folder: Path) -> str:
    """What was run: the commit checked out, and whether anything that results are made from is other than in it."""
    commit = _git("log", "-1", "--format=%h (%cs)") if _has_history() else ""
    if not commit:
        return "this run"
    inside = [str(path) for path in (edition, folder) if path.resolve().is_relative_to(ROOT)]
    changed = _git("status", "--porcelain", "--", *PLACES.values(), *inside)
    told = "with changes that are not committed" if changed else "all of it committed"
    outside = "" if _git("ls-files", "--", str(edition)) else ", of an edition that is not in it"
    return f"this run, at commit {commit}, {told}{outside}"


def _has_history() -> bool:
    return _git("rev-parse", "--show-toplevel") == str(ROOT)


def _failing(outcome: Outcome, told: str) -> str:
    return f"A cell failed: {outcome.failed}. Of the chapters that ran: {told}" if outcome.failed else told


def only(results: Results, chapters: Iterable[str]) -> Results:
    """The results of some chapters."""
    kept = set(chapters)
    names = {name for name, words in results.words.items() if words.get("chapter") in kept}

    def some(part: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in part.items() if name in names}

    def said(part: Mapping[str, str]) -> dict[str, str]:
        return {name: text for name, text in part.items() if name.partition(": ")[0] in kept}

    return replace(
        results,
        tables=some(results.tables),
        views=some(results.views),
        charts=some(results.charts),
        words=some(results.words),
        sentences=said(results.sentences),
        outputs=said(results.outputs),
    )


def accept(outcome: Outcome, folder: Path) -> int:
    """Write the results of a run as the approved state, whole, in place of what stood there; how many bytes.

    Raises
    ------
    InputError
        When the folder holds something that is no approved state.
    """
    if folder.exists() and not (folder / STATE).is_file() and any(folder.iterdir()):
        raise InputError.one(
            folder, f"a folder without {STATE}", "an approved state, or no folder yet", "see --approved"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".approved-", dir=folder.parent))
    try:
        files = {name: text.encode() for name, text in approved_files(outcome.results).items()}
        state = made / "state"
        for name, content in files.items():
            (state / name).parent.mkdir(parents=True, exist_ok=True)
            (state / name).write_bytes(content)
        exchange(state, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return sum(map(len, files.values()))


def write(made: Review, out: Path) -> Path:
    """Write ``review.html`` and ``review.md``; the page's path."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "review.md").write_text(as_markdown(made), encoding="utf-8")
    (out / "review.html").write_text(as_html(made), encoding="utf-8")
    return out / "review.html"


def results_of(which: str | Path, tell: Callable[[str], None]) -> Results:
    """The results of a built book's folder, or of an edition, which is run for them.

    Raises
    ------
    InputError
        When it is neither.
    ChapterFailed
        When a chapter of the edition fails.
    """
    if is_built(which):
        return built(Path(which))
    outcome = run(which, {}, tell=tell)
    if outcome.failed:
        raise ChapterFailed(outcome.failed)
    return outcome.results


def with_commits(found: Comparison, edition: Path | None = None, since: Path | None = None) -> Comparison:
    """The same with the commits that touched each file that differs, where there is a git history to ask.

    Parameters
    ----------
    edition : Path, optional
        The edition's folder, for the commits of its files.
    since : Path, optional
        An approved state: of the commits only those after its own are named.
    """
    if not _has_history():
        return found
    places = {path: ROOT / path for path in found.files}
    if edition is not None:
        old, new = found.old.origin.edition, found.new.origin.edition
        places |= {f"edition: {path}": edition / path for path in {**old, **new} if old.get(path) != new.get(path)}
    base = _git("log", "-1", "--format=%H", "--", str(since)) if since and since.is_relative_to(ROOT) else ""
    inside = {name: path for name, path in places.items() if path.resolve().is_relative_to(ROOT)}
    return replace(found, commits={name: _commits(path, base) for name, path in inside.items()})


def _commits(path: Path, base: str) -> list[str]:
    given = ("log", f"-{MOST_COMMITS}", "--format=%h %s")
    told = (_git(*given, f"{base}..HEAD", "--", str(path)) if base else "").splitlines()
    if _git("status", "--porcelain", "--", str(path)):
        return [NOT_COMMITTED, *told]
    return told or _git("log", "-1", "--format=%h %s", "--", str(path)).splitlines()


def _git(*arguments: str) -> str:
    """What git says; blank where there is no git or no history."""
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
