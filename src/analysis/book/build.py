"""From editions to books: check, run, stage, assemble, publish. The order of the steps, and nothing else.

What needs heavy imports is imported when it is needed: a build with nothing to do needs none of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.book.plan import Plan, plan, unchanged
from analysis.faults import BadInput

if TYPE_CHECKING:
    from analysis.book.bindery import Bindery
    from analysis.book.cluster import Cluster
    from analysis.book.keep import Ran

Tell = Callable[[str], None]


@dataclass(frozen=True)
class How:
    """How a call wants its books made."""

    jobs: int = 0
    """Chapters side by side; 0 for one more than there are processors, or for as many as the cluster has threads."""
    force: bool = False
    """Run every chapter and write every page, whether or not anything changed."""
    seconds: float = 900.0
    """How long a chapter may take."""
    scheduler: str = ""
    """The address of a Dask cluster whose workers run the chapters and count large tables; blank to do so here."""


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
    BadInput
        When the edition or a parameter cannot be used; nothing was run.
    ChapterFailed, AssemblyFailed
        When the report is wrong; the book in place is as it was.
    """
    out = out.resolve()
    planned = plan(edition, given)
    if not how.force and unchanged(planned, out):
        tell("nothing changed")
        return out / "html" / "index.html"

    from analysis.book.server import start_server

    start_server()
    from analysis.book import engine  # noqa: F401 - papermill, loaded while the server loads: the first fork waits for it
    from analysis.book.bindery import bindery
    from analysis.book.publish import terminable

    with terminable(), bindery() as hands, elsewhere(how) as cluster:
        make(planned, out, how, tell, hands, cluster)
    return out / "html" / "index.html"


def make(
    planned: Plan, out: Path, how: How, tell: Tell, hands: Bindery, cluster: Cluster | None, library: Path | None = None
) -> None:
    """One book: its edition checked, its chapters run, bound and published."""
    from analysis.book.publish import publish, workshop

    checking = hands.check(planned, how.scheduler)
    hands.prepare()
    drawn: list[Future[None]] = []
    ran = run(
        planned,
        how,
        tell,
        ready=checking.result,  # kernels start while the edition is checked; no cell runs before
        done=lambda each: drawn.append(hands.draw(each.notebook)),
        cluster=cluster,
    )
    told = checking.result()
    with workshop(out) as folder:
        for each in ran:
            hands.picture(each.notebook)
        wait(drawn)  # what cannot be drawn fails where it is bound
        tell("assembling")
        hands.bind(planned, told, ran, folder, library)
        publish(folder, out)


def elsewhere(how: How) -> AbstractContextManager[Cluster | None]:
    """The cluster on which chapters run and large tables are checked and counted, where the call names one."""
    if not how.scheduler:
        return nullcontext()
    from analysis.book.cluster import connected

    return connected(how.scheduler, how.jobs)


def run(
    planned: Plan,
    how: How,
    tell: Tell,
    *,
    ready: Callable[[], object],
    done: Callable[[Ran], None],
    cluster: Cluster | None,
) -> list[Ran]:
    """The chapters of a plan, executed; each is handed on as soon as it is."""
    from analysis.book.run import default_jobs, run_all
    from analysis.book.warm import warm_up

    warm_up()
    return run_all(
        planned,
        cluster.jobs if cluster else how.jobs or default_jobs(planned.edition),
        tell,
        force=how.force,
        seconds=how.seconds,
        one=cluster.running(planned) if cluster else None,
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

    As many are made side by side as there are processors; on a cluster, as many as keep it busy. An edition that fails is
    reported in its outcome, and the others go on.

    Raises
    ------
    BadInput
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

    from analysis.book.library import front_page

    front_page(out)
    names = [each.edition.name for each in plans]
    return [Outcome(name, out / name / "html" / "index.html", failed.get(name, "")) for name in names]


def _plans(editions: Sequence[str], given: Mapping[str, str]) -> list[Plan]:
    plans, faults, seen = [], [], set[str]()
    for edition in editions:
        try:
            plans.append(plan(edition, given))
        except BadInput as error:
            faults += [fault for fault in error.faults if fault not in faults]
            continue
        name = plans[-1].edition.name
        if name in seen:
            faults += BadInput.one(edition, f"a second edition named {name}", "editions with names of their own").faults
        seen.add(name)
    if faults:
        raise BadInput(faults)
    return plans


def _make_all(plans: Sequence[Plan], out: Path, how: How, tell: Callable[[str, str], None]) -> dict[str, str]:
    """Make books, some side by side: while one is bound, the chapters of another run. Those that failed, with the reason."""
    from analysis.book.server import start_server

    start_server()
    from analysis.book import engine  # noqa: F401 - here, beside the server, and not by several threads at once
    from analysis.book.bindery import bindery
    from analysis.book.publish import terminable
    from analysis.book.run import fitting
    from analysis.book.warm import stop_all

    failed: dict[str, str] = {}
    side_by_side = min(len(plans), fitting(how.jobs or os.cpu_count() or 1))
    with terminable(), bindery(side_by_side) as hands, elsewhere(how) as cluster:

        def one(each: Plan) -> None:
            name = each.edition.name
            try:
                make(each, out / name, how, lambda line: tell(name, line), hands, cluster, library=out)
            except Exception as error:
                failed[name] = told_in_lines(error)

        runner = ThreadPoolExecutor(cluster.editions(len(plans[0].notebooks)) if cluster else side_by_side)
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
    known = isinstance(error, BadInput) or type(error).__name__ in ("ChapterFailed", "AssemblyFailed", "NotReproduced")
    if known:
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'files'}: {error.strerror or error}"
    return f"{type(error).__name__}: {(str(error).strip() or 'no message').splitlines()[0]}"
