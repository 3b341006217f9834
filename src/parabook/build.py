"""From editions to books: check, run, stage, assemble, publish. The order of the steps, and nothing else.

What needs heavy imports is imported when it is needed: a build with nothing to do needs none of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from parabook.errors import InputError
from parabook.plan import Plan, plan, unchanged

if TYPE_CHECKING:
    from parabook.cache import Ran
    from parabook.pool import Bindery

Tell = Callable[[str], None]


@dataclass(frozen=True)
class How:
    """How a call wants its books made."""

    jobs: int = 0
    """Chapters side by side; 0 for one more than there are processors."""
    force: bool = False
    """Run every chapter and write every page, whether or not anything changed."""
    seconds: float = 900.0
    """How long a chapter may take."""


@dataclass(frozen=True)
class Outcome:
    """What became of one of several editions: its front page, or why there is none."""

    edition: str
    index: Path
    failed: str = ""


def build(
    edition: str | Path, given: Mapping[str, str], out: Path, how: How = How(), tell: Tell = lambda line: None
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

    Returns
    -------
    Path
        The book's ``index.html``.

    Raises
    ------
    InputError
        When the edition or a parameter cannot be used; nothing was run.
    ChapterFailed, AssemblyFailed
        When the report is wrong; the book in place is as it was.
    """
    out = out.resolve()
    planned = plan(edition, given)
    if not how.force and unchanged(planned, out):
        tell("nothing changed")
        return out / "html" / "index.html"

    from parabook.server import start_server

    start_server()
    from parabook import engine  # noqa: F401 - papermill, loaded while the server loads: the first fork waits for it
    from parabook.pool import bindery
    from parabook.publish import terminable

    with terminable(), bindery() as hands:
        make(planned, out, how, tell, hands)
    return out / "html" / "index.html"


def make(planned: Plan, out: Path, how: How, tell: Tell, hands: Bindery, library: Path | None = None) -> None:
    """One book: its edition checked, its chapters run, bound and published."""
    from parabook.publish import publish, workshop

    checking = hands.check(planned)
    hands.prepare()
    drawn: list[Future[None]] = []
    ran = run(
        planned,
        how,
        tell,
        ready=checking.result,  # kernels start while the edition is checked; no cell runs before
        done=lambda each: drawn.append(hands.draw(each.notebook)),
    )
    told = checking.result()
    with workshop(out) as folder:
        for each in ran:
            hands.picture(each.notebook)
        wait(drawn)  # what cannot be drawn fails where it is bound
        tell("assembling")
        hands.bind(planned, told, ran, folder, library)
        publish(folder, out)


def run(planned: Plan, how: How, tell: Tell, *, ready: Callable[[], object], done: Callable[[Ran], None]) -> list[Ran]:
    """The chapters of a plan, executed; each is handed on as soon as it is."""
    from parabook.kernels import warm_up
    from parabook.run import default_jobs, run_all

    warm_up()
    return run_all(
        planned,
        how.jobs or default_jobs(planned.edition),
        tell,
        force=how.force,
        seconds=how.seconds,
        done=done,
        ready=ready,
    )


def build_all(
    editions: Sequence[str],
    given: Mapping[str, str],
    out: Path,
    how: How = How(),
    tell: Callable[[str, str], None] = lambda name, line: None,
) -> list[Outcome]:
    """Make the books of several editions, a folder each, and a front page over them.

    As many are made side by side as there are processors. An edition that fails is
    reported in its outcome, and the others go on.

    Raises
    ------
    InputError
        When an edition is not there, two have one name, or a parameter does not fit; nothing was run.
    """
    plans = _plans(editions, given)
    out = out.resolve()
    todo = [each for each in plans if how.force or not unchanged(each, out / each.edition.name, library=True)]
    failed: dict[str, str] = {}
    for each in plans:
        if each not in todo:
            tell(each.edition.name, "nothing changed")
    if todo:
        failed = _make_all(todo, out, how, tell)

    from analysis.publish.library import front_page

    front_page(out)
    names = [each.edition.name for each in plans]
    return [Outcome(name, out / name / "html" / "index.html", failed.get(name, "")) for name in names]


def _plans(editions: Sequence[str], given: Mapping[str, str]) -> list[Plan]:
    plans, problems, seen = [], [], set[str]()
    for edition in editions:
        try:
            plans.append(plan(edition, given))
        except InputError as error:
            problems += [problem for problem in error.problems if problem not in problems]
            continue
        name = plans[-1].edition.name
        if name in seen:
            problems += InputError.one(
                edition, f"a second edition named {name}", "editions with names of their own"
            ).problems
        seen.add(name)
    if problems:
        raise InputError(problems)
    return plans


def _make_all(plans: Sequence[Plan], out: Path, how: How, tell: Callable[[str, str], None]) -> dict[str, str]:
    """Make books, some side by side: while one is bound, the chapters of another run. Those that failed, with the reason."""
    from parabook.server import start_server

    start_server()
    from parabook import engine  # noqa: F401 - here, beside the server, and not by several threads at once
    from parabook.kernels import stop_all
    from parabook.pool import bindery
    from parabook.publish import terminable
    from parabook.run import fitting

    failed: dict[str, str] = {}
    side_by_side = min(len(plans), fitting(how.jobs or os.cpu_count() or 1))
    with terminable(), bindery(side_by_side) as hands:

        def one(each: Plan) -> None:
            name = each.edition.name
            try:
                make(each, out / name, how, lambda line: tell(name, line), hands, library=out)
            except Exception as error:
                failed[name] = told_in_lines(error)

        runner = ThreadPoolExecutor(side_by_side)
        try:
            wait([runner.submit(one, each) for each in plans])
        except BaseException:  # interrupted
            runner.shutdown(wait=False, cancel_futures=True)
            stop_all()
            hands.stop()
            raise
        finally:
            runner.shutdown(wait=True, cancel_futures=True)
    return failed


def told_in_lines(error: Exception) -> str:
    """An error as the lines that a person reads."""
    known = isinstance(error, InputError) or type(error).__name__ in (
        "ChapterFailed",
        "AssemblyFailed",
        "NotReproduced",
    )
    if known:
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'files'}: {error.strerror or error}"
    return f"{type(error).__name__}: {(str(error).strip() or 'no message').splitlines()[0]}"
