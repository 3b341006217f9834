"""Running the chapters: each by papermill in a kernel of its own, some side by side, with bounds on time and output.

Imports papermill: whoever runs chapters in threads imports this first, and not by several threads at once.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import psutil
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NotebookExecutionManager
from papermill.execute import execute_notebook

from parabook.cache import ChapterRun, cached, dependencies, store
from parabook.kernels import KERNEL, Manager
from parabook.plan import Plan
from parabook.progress import Progress
from parabook.server import stop_all

CELL_SECONDS = 900.0
"""How long a cell may take."""

KERNEL_BYTES, TIMES_INPUT = 400_000_000, 16
"""The free memory that a chapter needs to be started beside others, and besides that so many times the input's size, as
engines that read large tables take all the memory and processors there are."""

MOST_OUTPUT = 50_000_000
"""Characters that a chapter may show; no page could hold more."""

INJECTED = "injected-parameters"
"""The tag of the cell that papermill adds, and its id here: papermill gives it another at each run."""


class ChapterFailed(Exception):
    """A cell of a chapter failed: the report is wrong, exit code 1; ``notebook`` is its text as far as it ran."""

    def __init__(self, message: str, chapter: str = "", notebook: str = "") -> None:
        super().__init__(message)
        self.chapter, self.notebook = chapter, notebook


def run_all(
    plan: Plan,
    jobs: int = 0,
    progress: Progress | None = None,
    *,
    force: bool = False,
    done: Callable[[ChapterRun], object] = lambda run: None,
    ready: Callable[[], object] = lambda: None,
) -> list[ChapterRun]:
    """Run the chapters of a plan, or take them from the cache where nothing that they depend on has changed.

    ``progress`` is told of each chapter as it ends, ``done`` gets it as soon as it has run. ``ready`` is
    called before the first cell of each, when its kernel has started: it waits for what must come first, or raises.
    A `ChapterFailed` when a cell fails; chapters not yet begun are not run. An `InputError` when a file that the book
    depends on, and of which there is no copy, was written meanwhile; nothing is put into the cache.
    """
    progress = progress or Progress()

    def run(notebook: Path) -> ChapterRun:
        progress.begin(notebook.stem)
        found = None if force else cached(plan, notebook)
        if not found:
            folder, seconds = plan.plugin.folder(plan.input, notebook), plan.book.settings.get("cell_seconds")
            found = run_one(notebook, plan.chosen(notebook), folder, float(seconds or CELL_SECONDS), ready=ready)
        progress.end(found.chapter, None if found.reused else found.seconds)
        done(found)
        return found

    progress.start(len(plan.notebooks))
    pool = ThreadPoolExecutor(max_workers=side_by_side(plan, jobs))
    futures = {notebook: pool.submit(run, notebook) for notebook in plan.notebooks}
    try:
        wait(futures.values(), return_when=FIRST_EXCEPTION)
    except BaseException:  # interrupted: no chapter is worth waiting for
        progress.close()
        pool.shutdown(wait=False, cancel_futures=True)
        stop_all()
        raise
    pool.shutdown(cancel_futures=True)
    plan.changed()  # or an error
    ended = {notebook: each for notebook, each in futures.items() if not each.cancelled()}
    for notebook, future in ended.items():
        if not future.exception() and not future.result().reused:
            store(plan, notebook, future.result())
    return [future.result() for future in ended.values()]  # or raise the error of the first that failed


def side_by_side(plan: Plan, jobs: int = 0) -> int:
    """How many chapters to run at once: one more than processors unless a call says otherwise, and as memory allows."""
    size = sum(plan.stamps[file][1] for file in plan.sources[plan.plugin.noun].values())
    room = psutil.virtual_memory().available // (KERNEL_BYTES + TIMES_INPUT * size)
    return int(max(1, min(jobs or (os.cpu_count() or 1) + 1, room)))


def run_one(
    notebook: Path,
    chosen: Mapping[str, Any],
    folder: Path,
    seconds: float = CELL_SECONDS,
    *,
    ready: Callable[[], object] = lambda: None,
) -> ChapterRun:
    """Run one chapter; ``folder`` is where its kernel works, ``ready`` is called before its first cell.

    A `ChapterFailed` when a cell fails, ends the kernel, takes too long or shows too much.
    """
    started, name, failure = time.monotonic(), notebook.stem, ""
    prepared, kernel = prepare(notebook, chosen)
    client = BoundedClient(prepared, kernel, folder, seconds, ready)
    try:
        client.execute()
        failure = first_failure(prepared)
    except CellTimeoutError:
        hint = "cell_seconds in [tool.parabook] of pyproject.toml allows more"
        failure = f": a cell was not done after {seconds:g} seconds; {hint}"
    except DeadKernelError:
        flooded = client.shown > MOST_OUTPUT
        failure = f": more than {MOST_OUTPUT:,} characters of output" if flooded else ": its kernel died"
    except RuntimeError as error:  # jupyter_client's way to say that a kernel does not start
        failure = f": {error}"
    finally:
        loop = ensure_event_loop()  # in which this thread talked to the kernel: left open, it holds a thread and files
        if not loop.is_running():  # in a notebook it is the notebook's own
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()
    text = json.dumps(prepared, ensure_ascii=False)  # nbformat's own writing takes as long as the work of a chapter
    if failure:
        raise ChapterFailed(f"chapter {name}{failure}", name, text)
    code = [cell for cell in prepared.cells if cell.cell_type == "code"]
    cells = {cell["id"]: float(cell.metadata.papermill["duration"] or 0.0) for cell in code}
    return ChapterRun(name, text, dependencies(prepared), time.monotonic() - started, cells)


class BoundedClient(PapermillNotebookClient):  # type: ignore[misc]
    """Executes a notebook in place, as far as its first failing cell; counts what it shows, and ends it at too much."""

    def __init__(self, notebook: Any, kernel: str, folder: Path, seconds: float, ready: Callable[[], object]) -> None:
        manager = NotebookExecutionManager(notebook, progress_bar=False)
        manager.notebook_start()
        super().__init__(
            manager,
            kernel_name=kernel,
            kernel_manager_class=Manager,
            timeout=seconds,
            iopub_timeout=max(int(seconds), 1),  # of papermill's own 4 seconds a busy machine can need more
            resources={"metadata": {"path": str(folder)}},  # papermill's own cwd would move the whole process
            shutdown_kernel="immediate",  # it holds nothing worth a farewell, which takes most of a second
        )
        self.ready, self.shown = ready, 0

    def papermill_execute_cells(self) -> None:
        """Run the cells once the caller is ready; until then the kernel stands by."""
        self.ready()
        super().papermill_execute_cells()

    def process_message(self, message: Any, *arguments: Any, **options: Any) -> Any:
        """Take a message of the kernel, unless it has shown too much already."""
        content = message.get("content", {})
        self.shown += len(content.get("text", "")) + sum(len(str(part)) for part in content.get("data", {}).values())
        if self.shown <= MOST_OUTPUT:
            return super().process_message(message, *arguments, **options)
        if process := getattr(self.km.provisioner, "process", None):
            process.kill()
        return None


def prepare(notebook: Path, chosen: Mapping[str, Any]) -> tuple[Any, str]:
    """A chapter with its parameters in it, ready to run, and the name of its kernel.

    That is a warm one for this interpreter, which notebooks call python3, else the chapter's own. Every cell has an id
    that is the same at each run: its own, or by its position, as ``cell-3``, where papermill would make one up.
    """
    written = json.loads(notebook.read_text(encoding="utf-8"))
    kernel = str(written.get("metadata", {}).get("kernelspec", {}).get("name", ""))
    kernel = KERNEL if kernel in ("", "python", "python3") else kernel
    language = "python" if kernel == KERNEL else None  # which not every notebook says
    prepared = execute_notebook(notebook, None, dict(chosen), kernel_name=kernel, language=language, prepare_only=True)
    ids = (str(cell.get("id") or f"cell-{place}") for place, cell in enumerate(written["cells"], 1))
    for cell in prepared.cells:
        cell["id"] = INJECTED if INJECTED in cell.metadata.get("tags", ()) else next(ids)
    return prepared, kernel


def first_failure(executed: Any) -> str:
    """The first failed cell of an executed notebook, and its error in a line; blank when none has failed.

    A cell tagged ``raises-exception`` is there to show its error. ``sys.exit()`` is a failure: later cells did not run.
    """
    for cell in executed.cells:
        errors = [output for output in cell.get("outputs", ()) if output.output_type == "error"]
        if errors and "raises-exception" not in cell.metadata.get("tags", ()):
            lines = str(errors[0].evalue).strip().splitlines()
            return f", cell {cell['id']}: {errors[0].ename}: {lines[0] if lines else 'no message'}"
    return ""
