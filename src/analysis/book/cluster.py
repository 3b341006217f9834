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
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis import fetch, folder
from analysis.book.keep import Ran
from analysis.book.plan import Plan, runs_with
from analysis.faults import BadInput, Fault

if TYPE_CHECKING:
    from distributed import Client, Future

MOST_SENT = 4_000_000
"""Bytes of an edition up to which its files travel with each chapter."""

ANSWER = 10.0
"""Seconds within which a scheduler answers."""

ALONE = 60.0
"""Seconds that a cluster may be without any worker; one that is started again takes some."""

LOOK = 5.0
"""Seconds after which a chapter that is not done yet is asked whether there are workers."""

AGAIN = 2
"""How often a chapter is tried again that broke for other reasons than its own cells."""


@dataclass
class Cluster:
    """A cluster that answers."""

    address: str
    client: Client
    jobs: int
    """Chapters in flight at once, of all editions."""
    slots: threading.Semaphore = field(repr=False)
    alone: float | None = None
    """Since when no worker was seen, if none was."""

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
                    retries=AGAIN,
                    pure=False,
                )
                try:
                    return as_ran(self._outcome(future, f"chapter {notebook.stem}"))
                finally:
                    future.release()

        return one

    def _outcome(self, future: Future[Any], where: str) -> dict[str, Any]:
        """What the task gave, waited for as long as there are workers."""
        from distributed import CancelledError, KilledWorker, wait

        from analysis.book.run import ChapterFailed

        while True:
            try:
                wait([future], timeout=LOOK)
                break
            except TimeoutError:
                pass
            except (CancelledError, OSError) as error:
                raise self._gone() from error
            try:
                workers = self.client.nthreads()
            except (CancelledError, OSError) as error:
                raise self._gone() from error
            now = time.monotonic()
            self.alone = None if workers else self.alone or now
            if self.alone and now - self.alone > ALONE:
                mend = "start some, and build again: chapters that were done are kept"
                raise BadInput.one(self.address, "no worker left", "one at least", mend)
        try:
            return dict(future.result())
        except KilledWorker as error:
            lost = "lost with each worker that took it, which memory short of its needs can do; see the workers' logs"
            raise ChapterFailed(f"{where}: {lost}") from error
        except CancelledError as error:
            raise self._gone() from error
        except Exception as error:  # what it was, the worker's program knows
            said = (str(error).strip() or "no message").splitlines()[0]
            raise ChapterFailed(f"{where}: on the cluster: {type(error).__name__}: {said}") from error

    def _gone(self) -> BadInput:
        mend = "start it, and build again: chapters that were done are kept"
        return BadInput.one(self.address, "a scheduler that is gone", "one that stays", mend)


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
    try:
        from distributed import Client
    except ImportError as error:
        mend = "pip install 'analysis[cluster]'"
        raise BadInput.one("--scheduler", "no package distributed", "it, to reach a Dask cluster", mend) from error
    for name in [each for each in logging.root.manager.loggerDict if each.startswith("distributed")]:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters of it is told in a line of our own
    try:
        client = Client(address, timeout=ANSWER)
    except (OSError, ValueError, TypeError) as error:
        mend = "start one with: dask scheduler"
        raise BadInput.one(
            f"--scheduler {address}", "nothing that answers", "a Dask scheduler, as tcp://HOST:PORT", mend
        ) from error
    try:
        try:
            client.wait_for_workers(1, timeout=ANSWER)
        except TimeoutError as error:
            mend = f"start one with: dask worker {address}"
            raise BadInput.one(f"--scheduler {address}", "no workers", "one at least", mend) from error
        jobs = jobs or sum(client.nthreads().values())
        yield Cluster(address, client, jobs, threading.Semaphore(jobs))
    finally:
        client.close(timeout=ANSWER)


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
    small = sum(file.stat().st_size for file in files) <= MOST_SENT
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
    from distributed import get_worker

    from analysis.book.run import ChapterFailed, run_one
    from analysis.book.warm import warm_up

    worker = get_worker()
    try:
        if program != version():
            needed = "the same as where the build was called"
            raise BadInput.one(
                f"worker {worker.address}",
                "another version of the program, its lock file or Python",
                needed,
                "bring it up to date, and start it again",
            )
        path = at_hand(edition, Path(worker.local_directory) / "editions", worker.address)
        warm_up()
        with tempfile.TemporaryDirectory() as desk:
            notebook = Path(desk) / f"{chapter}.ipynb"
            notebook.write_text(text, encoding="utf-8")
            return {"ran": asdict(run_one(notebook, chosen, path.parent, seconds))}
    except ChapterFailed as error:
        return {"failed": str(error)}
    except BadInput as error:
        return {"refused": [fault.as_dict() for fault in error.faults]}


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
    where = f"worker {worker}"
    mend = "put it on a file system that all share, or give an address, as s3://bucket/folder"
    try:
        path = folder.find(edition["at"])
    except BadInput as error:
        needed = f"it where the worker can read it, as it is larger than {MOST_SENT:,} bytes"
        raise BadInput.one(where, f"no edition at {edition['at']}", needed, mend) from error
    if folder.contents(path) != edition["contents"]:
        raise BadInput.one(where, f"another edition at {edition['at']}", "the same, byte for byte", mend)
    return path
