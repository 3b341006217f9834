"""From editions to books: check, run, stage, assemble, publish. The order of the steps, and nothing else.

What needs heavy imports is imported when it is needed: a build with nothing to do needs none of it.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from analysis.book.plan import Plan, plan, unchanged
from analysis.faults import BadInput

if TYPE_CHECKING:
    from analysis.book.ahead import Ahead
    from analysis.book.cluster import Cluster
    from analysis.book.keep import Ran
    from analysis.edition import Edition

Tell = Callable[[str], None]


@dataclass(frozen=True)
class How:
    """How a call wants its books made."""

    jobs: int = 0
    """Chapters side by side; 0 for as many as there are processors, or threads of the cluster."""
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

    from analysis.book.ahead import ahead
    from analysis.book.publish import workshop

    with elsewhere(how) as cluster:
        checked = check(planned, how)
        with workshop(out) as folder, ahead() as worker:
            finish(planned, checked, run(planned, how, tell, worker, cluster), folder, out, tell)
    return out / "html" / "index.html"


def elsewhere(how: How) -> AbstractContextManager[Cluster | None]:
    """The cluster on which chapters run and large tables are checked and counted, where the call names one."""
    if not how.scheduler:
        return nullcontext()
    from analysis.book.cluster import connected

    return connected(how.scheduler, how.jobs)


def check(planned: Plan, how: How = How()) -> Edition:
    """The edition of a plan, found sound; kernels get ready meanwhile, if they are to run here."""
    from analysis.book.warm import warm_up

    if not how.scheduler:
        warm_up()  # loads beside what follows
    from analysis import tabulate
    from analysis.edition import load

    tabulate.checked(planned.given)
    return load(planned.edition, planned.given.get("minimum_cell", 0))


def run(planned: Plan, how: How, tell: Tell, worker: Ahead, cluster: Cluster | None = None) -> list[Ran]:
    """The chapters of a plan, executed."""
    from analysis.book.run import run_all

    return run_all(
        planned,
        cluster.jobs if cluster else how.jobs or os.cpu_count() or 1,
        tell,
        force=how.force,
        seconds=how.seconds,
        one=cluster.running(planned) if cluster else None,
        done=lambda ran: worker.draw(ran.notebook),
    )


def finish(
    planned: Plan, checked: Edition, ran: Sequence[Ran], folder: Path, out: Path, tell: Tell, *, library: bool = False
) -> None:
    """From executed chapters to a published book. In a ``library`` it shares what all books have alike."""
    from analysis.book.assemble import assemble
    from analysis.book.card import card_png
    from analysis.book.crate import record
    from analysis.book.library import share
    from analysis.book.publish import publish
    from analysis.book.receipt import receipt
    from analysis.book.sphinx import CARD
    from analysis.book.stage import glued, stage
    from analysis.book.sums import RECORD, seal
    from analysis.minute import one_mark_each

    left_out = stage({each.chapter: each.notebook for each in ran}, folder)
    tell("assembling")
    told = glued(json.loads(ran[0].notebook))
    lead = told.get("lead", "")
    html = folder / "html"
    assemble(folder / "site", html, checked.title, lead, checked.homepage)
    marks = one_mark_each(checked.report.declared_interviewees, checked.described)
    (html / CARD).write_bytes(card_png(checked.title, lead, marks))
    shared = share(html, out.parent) if library else ""
    about = {"title": checked.title, "lead": lead, "source": told.get("source", ""), "date": checked.date}
    (folder / RECORD).write_text(record(planned, checked, ran, left_out, folder), encoding="utf-8")
    seal(folder)
    paper = receipt(planned, about, ran, left_out, shared, folder)
    (folder / "receipt.json").write_text(json.dumps(paper, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    publish(folder, out)


def build_all(
    editions: Sequence[str],
    given: Mapping[str, str],
    out: Path,
    how: How = How(),
    tell: Callable[[str, str], None] = lambda name, line: None,
) -> list[Outcome]:
    """Make the books of several editions, a folder each, and a front page over them.

    The chapters of the next edition run while the last one is assembled, those of several on a cluster. An edition that fails is reported in
    its outcome, and the others go on.

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
    """Make books one after the other; those that failed, each with the reason."""
    from analysis.book.ahead import ahead
    from analysis.book.publish import terminable, workshop

    failed: dict[str, str] = {}
    checking = Lock()  # tables are read by one thread at a time
    with terminable(), ahead() as worker, elsewhere(how) as cluster:
        most = cluster.editions(len(plans[0].notebooks)) if cluster else 1

        def prepared(each: Plan) -> tuple[Edition, list[Ran]]:
            with checking:
                checked = check(each, how)
            return checked, run(each, how, lambda line: tell(each.edition.name, line), worker, cluster)

        runner = ThreadPoolExecutor(max_workers=most)
        coming = deque(runner.submit(prepared, each) for each in plans[:most])
        later = iter(plans[most:])
        try:
            for each in plans:
                name = each.edition.name
                try:
                    checked, ran = coming.popleft().result()
                except Exception as error:
                    failed[name] = told_in_lines(error)
                coming.extend(runner.submit(prepared, after) for after in islice(later, 1))
                if name in failed:
                    continue
                try:
                    with workshop(out / name) as folder:
                        finish(each, checked, ran, folder, out / name, lambda line, n=name: tell(n, line), library=True)  # type: ignore[misc]
                except Exception as error:
                    failed[name] = told_in_lines(error)
        finally:
            runner.shutdown(wait=False, cancel_futures=True)  # nothing is left but when interrupted
    return failed


def told_in_lines(error: Exception) -> str:
    """An error as the lines that a person reads."""
    known = isinstance(error, BadInput) or type(error).__name__ in ("ChapterFailed", "AssemblyFailed", "NotReproduced")
    if known:
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'files'}: {error.strerror or error}"
    return f"{type(error).__name__}: {(str(error).strip() or 'no message').splitlines()[0]}"
