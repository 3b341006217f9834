"""Chapters on the workers of a Dask cluster: ``analysis build --scheduler tcp://HOST:PORT``.

Scheduler and workers run from a checkout like this one, in its environment; a worker with another version refuses::

    dask scheduler
    DASK_DISTRIBUTED__WORKER__DAEMON=False dask worker tcp://HOST:8786 --nworkers 4 --nthreads 1

A worker runs as many chapters side by side as it has threads. Dask's nanny, which starts a lost worker again, makes its
worker a daemonic process, which may have no children; the variable lifts that, so that kernels are forked warm. Without it
they start in the ordinary way: the same, only slower.

An edition of ordinary size travels with each chapter. A larger one is read where the worker is: at the same address, or
the same path of a shared file system. Whichever way, it is the very same, byte for byte, or the worker refuses. The
executed notebook is all that comes back.

Large tables in Parquet are counted and checked on the workers too, each taking its share: see `analysis.spread`.
"""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis import fetch, folder, spread
from analysis.book.keep import Ran
from analysis.book.plan import Plan, runs_with
from analysis.faults import BadInput, Fault

if TYPE_CHECKING:
    from distributed import Future


@dataclass
class Cluster(spread.Workers):
    """A cluster that answers, and runs chapters."""

    jobs: int
    """Chapters in flight at once, of all editions."""
    slots: threading.Semaphore = field(repr=False)

    def editions(self, chapters: int) -> int:
        """How many editions of so many chapters keep all workers busy while one of them is assembled.

        Examples
        --------
        >>> Cluster("", None, 16, threading.Semaphore()).editions(7)
        4
        """
        return math.ceil(self.jobs / max(1, chapters)) + 1

    def running(self, plan: Plan) -> Callable[..., Ran]:
        """Runs a chapter of a plan as `analysis.book.run.run_one` does, but on a worker."""
        edition = carried(plan)

        def one(notebook: Path, chosen: Mapping[str, Any], beside: Path, seconds: float) -> Ran:
            with self.slots:
                future = self.client.submit(
                    run_chapter,
                    notebook.stem,
                    notebook.read_text(encoding="utf-8"),
                    dict(chosen),
                    edition,
                    seconds,
                    version(),
                    key=f"{plan.edition.name}-{notebook.stem}-{uuid.uuid4().hex}",
                    retries=spread.AGAIN,
                    pure=False,
                )
                try:
                    return as_ran(self._outcome(future, f"chapter {notebook.stem}"))
                finally:
                    future.release()

        return one

    def _outcome(self, future: Future[Any], where: str) -> dict[str, Any]:
        """What the task gave, waited for as long as there are workers."""
        from distributed import CancelledError, KilledWorker

        from analysis.book.run import ChapterFailed

        self.wait([future])
        try:
            return dict(future.result())
        except KilledWorker as error:
            lost = "lost with each worker that took it, which memory short of its needs can do; see the workers' logs"
            raise ChapterFailed(f"{where}: {lost}") from error
        except CancelledError as error:
            raise self.gone() from error
        except Exception as error:  # what it was, the worker's program knows
            said = (str(error).strip() or "no message").splitlines()[0]
            raise ChapterFailed(f"{where}: on the cluster: {type(error).__name__}: {said}") from error


@contextlib.contextmanager
def connected(address: str, jobs: int = 0) -> Iterator[Cluster]:
    """A cluster, for the length of a build.

    Parameters
    ----------
    address : str
        That of the scheduler, as ``tcp://HOST:PORT``.
    jobs : int
        Chapters in flight; 0 for as many as the workers have threads.

    Raises
    ------
    BadInput
        When Dask is not installed, nothing answers, or there are no workers.
    """
    client = spread.connect(address)
    try:
        jobs = jobs or sum(client.nthreads().values())
        cluster = Cluster(address, client, jobs, threading.Semaphore(jobs))
        spread.IN_USE.append(cluster)
        yield cluster
    finally:
        spread.IN_USE.clear()
        client.close(timeout=spread.ANSWER)


def as_ran(told: Mapping[str, Any]) -> Ran:
    """What a worker told, as what a chapter gave; raises what it could not do.

    Examples
    --------
    >>> as_ran({"failed": "chapter routes, cell legs: ValueError: no"})
    Traceback (most recent call last):
    analysis.book.run.ChapterFailed: chapter routes, cell legs: ValueError: no
    """
    from analysis.book.run import ChapterFailed

    if "failed" in told:
        raise ChapterFailed(told["failed"])
    if "refused" in told:
        raise BadInput(Fault(**fault) for fault in told["refused"])
    ran = told["ran"]
    return Ran(**{**ran, "rests_on": tuple(ran["rests_on"]), "cells": tuple(map(tuple, ran["cells"]))})


def carried(plan: Plan) -> dict[str, Any]:
    """The edition of a plan as a task carries it: its files, if they are small, and else where they can be read."""
    files = [plan.edition / name for name in plan.contents]
    small = sum(file.stat().st_size for file in files) <= spread.MOST_SENT
    return {
        "name": plan.edition.name,
        "contents": dict(plan.contents),
        "files": {name: (plan.edition / name).read_bytes() for name in plan.contents} if small else None,
        "at": fetch.origin(plan.edition) or str(plan.edition),
    }


@cache
def version() -> str:
    """The fingerprint of the program, its lock file and Python, and of this module."""
    return folder.fingerprint([runs_with(), folder.sha256(Path(__file__))])


def run_chapter(
    chapter: str, text: str, chosen: dict[str, Any], edition: dict[str, Any], seconds: float, program: str
) -> dict[str, Any]:
    """Run one chapter: the task, on a worker. Takes and returns plain values.

    Returns
    -------
    dict
        ``ran``, a `Ran` as plain values; or ``failed``, why the chapter could not run to its end; or ``refused``, the
        faults for which it was not begun. Only what is none of these is raised, and tried again.
    """
    from distributed import get_worker, secede

    from analysis.book.run import ChapterFailed, run_one
    from analysis.book.warm import warm_up

    worker = get_worker()
    stop_profile(worker)
    try:
        if program != version():
            raise spread.another_version(worker.address)
        path = at_hand(edition, Path(worker.local_directory) / "editions", worker.address)
        if edition["files"] is None:
            # Its tables may be large: the kernel asks the cluster, and the answer may need this very thread, so the chapter
            # leaves it and waits beside. Chapters in flight are bounded where the build was called. Those of other editions
            # stay, since Dask would crowd what has left upon workers that seem idle.
            os.environ[spread.SCHEDULER] = worker.scheduler.address  # as this worker reaches it
            secede()
        warm_up()
        with tempfile.TemporaryDirectory() as desk:
            notebook = Path(desk) / f"{chapter}.ipynb"
            notebook.write_text(text, encoding="utf-8")
            return {"ran": asdict(run_one(notebook, chosen, path.parent, seconds))}
    except ChapterFailed as error:
        return {"failed": str(error)}
    except BadInput as error:
        return {"refused": [fault.as_dict() for fault in error.faults]}


def stop_profile(worker: Any) -> None:
    """Stop Dask's profiler where what it asks of Python can halt the whole worker for good.

    Before 3.11.9 Python could collect garbage while it told the frames of all threads; what then lets go of the interpreter's
    lock waits forever (python/cpython#106883). Seen once in a few hundred chapters.
    """
    if sys.version_info < (3, 11, 9):
        for name in ("profile", "profile-cycle"):
            if name in worker.periodic_callbacks:
                worker.loop.add_callback(worker.periodic_callbacks[name].stop)


def at_hand(edition: Mapping[str, Any], shelf: Path, worker: str) -> Path:
    """The folder of an edition on this machine: written from what was sent, or found where it lies.

    Raises
    ------
    BadInput
        When it does not lie there, or is not the same there.
    """
    if edition["files"] is None:
        return _found(edition, worker)
    home = shelf / folder.fingerprint(edition["contents"])[:16]
    path = home / str(edition["name"])
    if path.is_dir():
        return path
    home.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=home))
    for name, content in edition["files"].items():
        (part / name).parent.mkdir(parents=True, exist_ok=True)
        (part / name).write_bytes(content)
    try:
        os.rename(part, path)
    except OSError:  # another thread was first
        shutil.rmtree(part)
    return path


def _found(edition: Mapping[str, Any], worker: str) -> Path:
    try:
        path = folder.find(edition["at"])
    except BadInput as error:
        raise spread.not_at_hand(worker, edition["at"]) from error
    if folder.contents(path) != edition["contents"]:
        raise spread.another_edition(worker, edition["at"])
    return path
