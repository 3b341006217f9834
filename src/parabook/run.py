"""Running the chapters: each through papermill in a kernel of its own, some side by side."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from parabook.cache import ChapterRun, cached, dependencies, store
from parabook.kernels import KERNEL, stop_all
from parabook.plan import Plan
from parabook.progress import Progress

CHAPTER_SECONDS = 900.0
"""How long a chapter may take unless the call says otherwise."""

KERNEL_BYTES = 400_000_000
"""The memory that a chapter should find free before it is started beside others."""

LARGE_BYTES = 16_000_000
"""Of Parquet, from which the chapters on an input run one by one."""

INJECTED = "injected-parameters"
"""The tag of the cell that papermill adds, and its id here: papermill gives it another at each run."""


class ChapterFailed(Exception):
    """A cell of a chapter failed: the report is wrong, exit code 1.

    ``chapter`` is its name, ``notebook`` the text of what it is as far as it ran, where that is known.
    """

    def __init__(self, message: str, chapter: str = "", notebook: str = "") -> None:
        super().__init__(message)
        self.chapter, self.notebook = chapter, notebook


def run_all(
    plan: Plan,
    jobs: int = 0,
    progress: Progress | None = None,
    *,
    force: bool = False,
    seconds: float = CHAPTER_SECONDS,
    done: Callable[[ChapterRun], None] = lambda run: None,
    ready: Callable[[], object] = lambda: None,
) -> list[ChapterRun]:
    """Run the chapters of a plan, or take them from the cache where nothing that they depend on has changed.

    ``progress`` is told of each chapter as it begins and ends, ``done`` gets it as soon as it has run. ``ready`` is called
    before the first cell of each, when its kernel has started: it waits for what must come first, or raises.

    Returns
    -------
    list of ChapterRun
        In the order of the book.

    Raises
    ------
    ChapterFailed
        With chapter, cell and error, when a cell fails. Chapters not yet begun are not run.
    InputChanged
        When a file that the book depends on was written meanwhile; nothing is put into the cache.
    """
    from parabook import engine  # noqa: F401 - imports papermill, here and not by several threads at once

    progress = progress or Progress()

    def run(notebook: Path) -> ChapterRun:
        found = None if force else cached(plan, notebook)
        if not found:
            progress.begin(notebook.stem)
            folder = plan.plugin.folder(plan.input, notebook)
            found = run_one(notebook, plan.chosen(notebook), folder, seconds, ready=ready)
        progress.end(found.chapter, None if found.reused else found.seconds)
        done(found)
        return found

    progress.start(len(plan.notebooks))
    pool = ThreadPoolExecutor(max_workers=fitting(jobs or default_jobs(plan)))
    futures = [pool.submit(run, notebook) for notebook in plan.notebooks]
    try:
        wait(futures, return_when=FIRST_EXCEPTION)
    except BaseException:  # interrupted: no chapter is worth waiting for
        progress.close()
        pool.shutdown(wait=False, cancel_futures=True)
        stop_all()
        raise
    pool.shutdown(wait=True, cancel_futures=True)
    return _results(plan, futures)


def _results(plan: Plan, futures: Sequence[Future[ChapterRun]]) -> list[ChapterRun]:
    """The chapters that ran, put into the cache; or the error of one that failed."""
    plan.require_unchanged()
    failed = [error for future in futures if not future.cancelled() and (error := future.exception())]
    for notebook, future in zip(plan.notebooks, futures, strict=True):
        if not future.cancelled() and not future.exception() and not future.result().reused:
            store(plan, notebook, future.result())
    if failed:
        raise failed[0]
    return [future.result() for future in futures]


def default_jobs(plan: Plan) -> int:
    """Chapters side by side unless a call says otherwise: one more than processors, as of each a part is waiting.

    On an input with large tables one, as the engine that reads them takes all processors, and hundreds of megabytes.
    """
    tables = (file for file in plan.sources.get(plan.plugin.noun, {}).values() if file.suffix == ".parquet")
    return 1 if sum(file.stat().st_size for file in tables) > LARGE_BYTES else (os.cpu_count() or 1) + 1


def fitting(jobs: int) -> int:
    """How many chapters may run side by side with the memory that is free, one at least."""
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
) -> ChapterRun:
    """Run one chapter: prepared by papermill, and executed by our engine of papermill's.

    Papermill's one call for both would also write the notebook as text, which nobody reads and takes as long as a
    chapter's work. ``folder`` is where its kernel works; ``ready`` is called before its first cell.

    Raises
    ------
    ChapterFailed
        When a cell fails or ends the kernel, or the chapter takes too long or shows too much.
    """
    from nbclient.exceptions import DeadKernelError
    from papermill.engines import papermill_engines
    from papermill.execute import execute_notebook

    from parabook import engine

    started = time.monotonic()
    kernel = kernel_of(notebook)
    prepared = execute_notebook(notebook, None, dict(chosen), kernel_name=kernel, prepare_only=True)
    give_ids(prepared, notebook)
    try:
        executed = papermill_engines.execute_notebook_with_engine(
            engine.NAME,
            prepared,
            kernel,
            resources={"metadata": {"path": str(folder)}},  # papermill's own cwd would move the whole process
            progress_bar=False,
            shutdown_kernel="immediate",  # it holds nothing worth a farewell, which takes most of a second
            chapter_seconds=seconds,
            ready=ready,
        )
    except (engine.OutOfBounds, RuntimeError) as error:  # RuntimeError also when a kernel does not start
        why = "its kernel died" if isinstance(error, DeadKernelError) else error
        notebook_so_far = json.dumps(prepared, ensure_ascii=False)
        raise ChapterFailed(f"chapter {notebook.stem}: {why}", notebook.stem, notebook_so_far) from error
    finally:
        _close_loop()
    text = json.dumps(executed, ensure_ascii=False)  # nbformat's own writing takes as long as the work of a chapter
    if failure := first_failure(executed):
        raise ChapterFailed(f"chapter {notebook.stem}, {failure}", notebook.stem, text)
    return ChapterRun(notebook.stem, text, dependencies(executed), time.monotonic() - started, _seconds(executed))


def kernel_of(notebook: Path) -> str:
    """The kernel that a chapter runs in: a warm one for this interpreter, which notebooks call python3; else its own."""
    metadata = json.loads(notebook.read_text(encoding="utf-8")).get("metadata", {})
    name = str(metadata.get("kernelspec", {}).get("name", ""))
    return KERNEL if name in ("", "python", "python3") else name


def give_ids(prepared: Any, notebook: Path) -> None:
    """Give every cell an id that is the same at each run: its own, or else by its position in the chapter, as ``cell-3``.

    Notebooks older than format 4.5 have no ids; papermill then makes them up.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    ids = iter([str(cell.get("id") or f"cell-{place}") for place, cell in enumerate(cells, 1)])
    for cell in prepared.cells:
        cell["id"] = INJECTED if INJECTED in cell.metadata.get("tags", ()) else next(ids)


def first_failure(executed: Any) -> str:
    """What the first failed cell of an executed notebook says, in one line; blank when none has failed.

    A cell tagged ``raises-exception`` is there to show its error. ``sys.exit()`` is a failure: later cells did not run.
    """
    for cell in executed.cells:
        errors = [output for output in cell.get("outputs", ()) if output.output_type == "error"]
        if errors and "raises-exception" not in cell.metadata.get("tags", ()):
            lines = str(errors[0].evalue).strip().splitlines()
            return f"cell {cell['id']}: {errors[0].ename}: {lines[0] if lines else 'no message'}"
    return ""


def _seconds(executed: Any) -> tuple[tuple[str, float], ...]:
    """How long each code cell took."""
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    return tuple((cell["id"], float(cell.metadata.get("papermill", {}).get("duration") or 0.0)) for cell in code)


def _close_loop() -> None:
    """End the event loop in which this thread talked to a kernel: left open, it holds a thread and files."""
    from jupyter_core.utils import ensure_event_loop

    loop = ensure_event_loop()
    if not loop.is_running():  # in a notebook it is the notebook's own
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
