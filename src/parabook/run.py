"""Running the chapters: each through papermill in a kernel of its own, some side by side."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path
from threading import Event
from typing import Any

from parabook.cache import Ran, keep, kept, what_it_rests_on
from parabook.kernels import KERNEL, stop_all
from parabook.plan import Plan

CHAPTER_SECONDS = 900.0
"""How long a chapter may take unless the call says otherwise."""

KERNEL_BYTES = 400_000_000
"""The memory that a chapter should find free before it is started beside others."""


LARGE_BYTES = 16_000_000
"""Of Parquet, from which an edition's chapters run one by one."""

INJECTED = "injected-parameters"
"""The tag of the cell that papermill adds, and its name here: papermill gives it another id at each run."""


class ChapterFailed(Exception):
    """A cell of a chapter failed: the report is wrong, exit code 1.

    ``chapter`` is its name, ``notebook`` what it is as far as it ran, where that is known.
    """

    def __init__(self, told: str, chapter: str = "", notebook: str = "") -> None:
        super().__init__(told)
        self.chapter, self.notebook = chapter, notebook


def run_all(
    plan: Plan,
    jobs: int,
    tell: Callable[[str], None],
    *,
    force: bool = False,
    seconds: float = CHAPTER_SECONDS,
    done: Callable[[Ran], None] = lambda ran: None,
    ready: Callable[[], object] = lambda: None,
) -> list[Ran]:
    """Run the chapters of a plan; a chapter is taken as kept when nothing it rests on has changed.

    Parameters
    ----------
    plan : Plan
        Which chapters, of which edition, with which parameters.
    jobs : int
        How many may run side by side.
    tell : callable
        Called with a line for each chapter that is done.
    force : bool
        Run every chapter anew.
    seconds : float
        How long a chapter may take.
    done : callable
        Called with each chapter as soon as it is there.
    ready : callable
        Called before the first cell of a chapter, when its kernel stands by: waits for what must come first, or raises.

    Returns
    -------
    list of Ran
        In the order of the book.

    Raises
    ------
    ChapterFailed
        With chapter, cell and error, when a cell fails. Chapters not yet begun are not run.
    """

    from parabook import engine  # noqa: F401 - loads papermill, here and not by several threads at once

    stopped = Event()

    def take(notebook: Path) -> Ran:
        found = None if force else kept(plan, notebook)
        if found:
            done(found)
            return found
        ran = _run(notebook)
        keep(plan, notebook, ran)
        if not stopped.is_set():  # the last word is that of the interruption
            tell(f"{ran.chapter} {ran.seconds:.1f} s")
            done(ran)
        return ran

    def _run(notebook: Path) -> Ran:
        return run_one(notebook, plan.chosen(notebook), plan.edition.parent, seconds, ready=ready)

    pool = ThreadPoolExecutor(max_workers=fitting(jobs))
    futures = [pool.submit(take, notebook) for notebook in plan.notebooks if notebook.suffix == ".ipynb"]
    try:
        wait(futures, return_when=FIRST_EXCEPTION)
    except BaseException:  # interrupted: no chapter is worth waiting for
        stopped.set()
        pool.shutdown(wait=False, cancel_futures=True)
        stop_all()
        raise
    pool.shutdown(wait=True, cancel_futures=True)
    return _results(futures)


def _results(futures: list[Future[Ran]]) -> list[Ran]:
    failed = [error for future in futures if not future.cancelled() and (error := future.exception())]
    if failed:
        raise failed[0]
    return [future.result() for future in futures]


def default_jobs(edition: Path) -> int:
    """Chapters side by side unless a call says otherwise: one more than processors, as of each a part is waiting.

    Of an edition with large tables one, as DuckDB takes all processors, and hundreds of megabytes, for each.
    """
    large = sum(file.stat().st_size for file in edition.rglob("*.parquet")) > LARGE_BYTES
    return 1 if large else (os.cpu_count() or 1) + 1


def fitting(jobs: int) -> int:
    """How many chapters may run side by side with the memory at hand, one at least."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):  # a system that does not say
        return max(jobs, 1)
    return max(1, min(jobs, free // KERNEL_BYTES))


def run_one(
    notebook: Path,
    chosen: Mapping[str, Any],
    folder: Path,
    seconds: float = CHAPTER_SECONDS,
    *,
    ready: Callable[[], object] = lambda: None,
) -> Ran:
    """Run one chapter through papermill: prepared, run by our engine, and looked through for errors, each by papermill.

    Its one call for all three would also write the notebook as text, which nobody reads and takes as long as a chapter's work.

    Parameters
    ----------
    notebook : Path
        The chapter.
    chosen : mapping
        Its parameters.
    folder : Path
        The folder in which its kernel runs: that beside the edition.
    seconds : float
        How long it may take.
    ready : callable
        Called before its first cell.
    """
    import nbformat
    from nbclient.exceptions import DeadKernelError
    from papermill.engines import papermill_engines
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import execute_notebook, raise_for_execution_errors

    from parabook import engine

    started = time.monotonic()
    where = f"chapter {notebook.stem}"
    begun: list[Any] = []  # the notebook as it is executed, for what ran of a chapter that failed
    try:
        prepared = execute_notebook(notebook, None, dict(chosen), kernel_name=KERNEL, prepare_only=True)
        executed = papermill_engines.execute_notebook_with_engine(
            engine.NAME,
            prepared,
            KERNEL,
            resources={"metadata": {"path": str(folder)}},  # papermill's own cwd would move the whole process
            progress_bar=False,
            shutdown_kernel="immediate",  # it holds nothing worth a farewell, which takes most of a second
            chapter_seconds=seconds,
            ready=ready,
            begun=begun,
        )
        raise_for_execution_errors(executed, None)
    except PapermillExecutionError as error:
        last = str(error.evalue).strip().splitlines()
        told = f"{where}, cell {_cell_of(notebook, error.source)}: {error.ename}: {last[0] if last else 'no message'}"
        raise ChapterFailed(told, notebook.stem, nbformat.writes(begun[0])) from error
    except engine.OutOfBounds as error:
        raise ChapterFailed(f"{where}: {error}", notebook.stem) from error
    except DeadKernelError as error:
        raise ChapterFailed(f"{where}: its kernel died", notebook.stem) from error
    except RuntimeError as error:  # jupyter_client's word for a kernel that does not start
        raise ChapterFailed(f"{where}: {error}", notebook.stem) from error
    finally:
        _close_loop()
    cells = tuple(
        (
            INJECTED if INJECTED in cell.metadata.get("tags", []) else str(cell["id"]),
            float(cell.metadata.get("papermill", {}).get("duration") or 0.0),
        )
        for cell in executed.cells
        if cell.cell_type == "code"
    )
    text = json.dumps(executed, ensure_ascii=False)  # nbformat's own writing takes as long as the work of a chapter
    return Ran(notebook.stem, text, what_it_rests_on(executed), time.monotonic() - started, cells)


def _close_loop() -> None:
    """End the event loop that this thread talked to a kernel in: left behind, it keeps a thread and files until found as garbage."""
    from jupyter_core.utils import ensure_event_loop

    loop = ensure_event_loop()
    if not loop.is_running():  # in a notebook it is the notebook's own
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def _cell_of(notebook: Path, source: str) -> str:
    """The id of the cell with a source, as the chapter has it."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return next((str(cell["id"]) for cell in cells if "".join(cell["source"]) == source), INJECTED)
