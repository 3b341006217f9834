"""Runs the chapters: each by papermill in a kernel of its own, some side by side, with limits of time and output.

Imports papermill, which several threads must not import at once: programs with threads import this module before.
"""

from __future__ import annotations

import json
import os
import time
from ast import literal_eval
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import nbformat
import psutil
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NotebookExecutionManager
from papermill.execute import execute_notebook

from parabook import observe
from parabook.cache import ChapterRun, cached, dependencies, store
from parabook.dependencies import EVERYTHING, names
from parabook.kernels import Manager, kernel_for
from parabook.plan import Plan
from parabook.progress import Progress
from parabook.protocol import CHECKED_BESIDE
from parabook.server import stop_all

KERNEL_BYTES, TIMES_INPUT = 400_000_000, 16
"""Free memory that a chapter needs to start beside others: ``KERNEL_BYTES``, and ``TIMES_INPUT`` times the size of the
input, as engines that read large tables take all memory and processors."""

MOST_OUTPUT = 50_000_000
"""Characters of output that a chapter may have; no page could show more."""

INJECTED = "injected-parameters"
"""The tag of the cell that papermill adds, used as its id too, since papermill makes up another at each run."""


class ChapterFailed(Exception):
    """A cell of a chapter failed: exit code 1. ``notebook`` is the chapter's text as far as it ran."""

    def __init__(self, message: str, chapter: str = "", notebook: str = "", rests_on: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.chapter, self.notebook, self.rests_on = chapter, notebook, rests_on
        self.wrote, self.reused = list[str](), False


def run_all(
    plan: Plan,
    jobs: int = 0,
    progress: Progress | None = None,
    *,
    force: bool = False,
    notebooks: Sequence[Path] = (),
    done: Callable[[ChapterRun], object] = lambda run: None,
    ready: Callable[[], object] = lambda: None,
) -> list[ChapterRun]:
    """Run the chapters of a plan, or take them from the cache when nothing that they depend on has changed.

    ``notebooks`` are by default all chapters of the plan. ``done`` is called with each run as soon as it has ended. A
    chapter that read what another one wrote runs again, as do chapters that had not begun then: one at a time, in the
    order of the book. ``ready`` is called when a kernel has started, before
    its first cell: it blocks until cells may run, or raises. Where the plan checks its input in parallel it is called
    only once, before anything is cached.

    Raises
    ------
    ChapterFailed
        When a cell fails; chapters that have not begun are not run then.
    InputError
        When a file that the book depends on was written meanwhile, and there is no copy; nothing is cached then.
    """
    progress = progress or Progress()

    def run(notebook: Path, again: bool = force) -> ChapterRun:
        progress.begin(plan.book.name(notebook))
        found = None if again else cached(plan, notebook)
        found = found or run_one(plan, notebook, ready)
        progress.end(found.chapter, None if found.reused else found.seconds)
        done(found)
        return found

    notebooks = notebooks or plan.notebooks
    progress.start(len(notebooks))
    pool = ThreadPoolExecutor(max_workers=side_by_side(plan, jobs))
    futures = {notebook: pool.submit(run, notebook) for notebook in notebooks}
    try:
        wait(futures.values(), return_when=FIRST_EXCEPTION)
        pool.shutdown(cancel_futures=True)
        if late := read_too_early(futures):
            pool = ThreadPoolExecutor(1)
            for notebook in (each for each, future in futures.items() if each in late or future.cancelled()):
                futures[notebook] = pool.submit(run, notebook, True)
            wait(futures.values(), return_when=FIRST_EXCEPTION)
            pool.shutdown(cancel_futures=True)
    except BaseException:  # interrupted: wait for no chapter
        progress.close()
        pool.shutdown(wait=False, cancel_futures=True)
        stop_all()
        raise
    ended = {notebook: each for notebook, each in futures.items() if not each.cancelled()}
    runs = {notebook: each.result() for notebook, each in ended.items() if not each.exception()}
    plan.require_unchanged(runs.values())
    ready()
    changed = plan.changed(plan.plugin.noun) if plan.plugin.observes else set()
    plan_now = plan.after(runs.values())
    for notebook, found in runs.items():
        if not found.reused and (EVERYTHING not in found.rests_on or changed <= {*found.wrote}):
            store(plan_now, notebook, found)
    return [future.result() for future in ended.values()]  # or raise the error of the first that failed


def read_too_early(futures: Mapping[Path, Future[ChapterRun]]) -> set[Path]:
    """The notebooks, ended or failed, that read a file, or listed its folder, which another one wrote in this build."""
    ended = {file: each.exception() or each.result() for file, each in futures.items() if not each.cancelled()}
    runs = {file: each for file, each in ended.items() if isinstance(each, (ChapterRun, ChapterFailed))}
    wrote = {file: {*each.wrote} for file, each in runs.items() if not each.reused}
    found = set()
    for file, run in runs.items():
        others = {name for other, names in wrote.items() if other != file for name in names}
        folders = {f"{os.path.dirname(name) or '.'}/" for name in others}
        if others and not {*run.rests_on}.difference(run.wrote).isdisjoint({*others, *folders, EVERYTHING}):
            found.add(file)
    return found


def side_by_side(plan: Plan, jobs: int = 0) -> int:
    """How many chapters to run at once: ``jobs``, else the setting, else one more than processors; as memory allows."""
    sizes = [plan.stamps[file][1] for file in plan.sources[plan.plugin.noun].values()]
    # Where chapters are observed the input may be the whole book, of which no notebook reads all files.
    size = max(sizes, default=0) if plan.plugin.observes else sum(sizes)
    fitting = psutil.virtual_memory().available // (KERNEL_BYTES + TIMES_INPUT * size)
    wanted = jobs or plan.book.settings.get("jobs", 0) or (os.cpu_count() or 1) + 1
    return int(max(1, min(wanted, fitting)))


def run_one(plan: Plan, notebook: Path, ready: Callable[[], object] = lambda: None) -> ChapterRun:
    """Run one chapter of a plan; ``ready`` is called when its kernel has started, before its first cell.

    Raises `ChapterFailed` when a cell fails, ends the kernel, takes too long or shows too much.
    """
    started, failure = time.monotonic(), ""
    book, plugin, name = plan.book, plan.plugin, plan.book.name(notebook)
    written, how = book.read[notebook], book.execution(notebook)
    kernel, is_python = kernel_for(str(written["metadata"].get("kernelspec", {}).get("name", "")))
    # Not every notebook says its language.
    prepared = prepare(written, plan.chosen(notebook), kernel, "python" if is_python else None)
    client = BoundedClient(
        prepared,
        kernel,
        plugin.folder(plan.input, book.place(notebook)),
        ready=(lambda: None) if plan.checks_in_parallel else ready,
        observed=str(book.root) if plugin.observes and is_python else "",
        timeout=int(how.seconds),
        iopub_timeout=max(int(how.seconds), 1),  # a busy machine can need more than nbclient's 4 seconds
        allow_errors=how.allow_errors,
    )
    try:
        client.execute(env={**os.environ, CHECKED_BESIDE: "1" if plan.checks_in_parallel else ""})
        failure = "" if how.allow_errors else first_failure(prepared)
    except CellTimeoutError:
        hint = "timeout in [tool.parabook] of pyproject.toml allows more"
        failure = f": a cell was not done after {how.seconds:g} seconds; {hint}"
    except DeadKernelError:
        flooded = client.shown > MOST_OUTPUT
        failure = f": more than {MOST_OUTPUT:,} characters of output" if flooded else ": its kernel died"
    except RuntimeError as error:  # jupyter_client's way to say that a kernel does not start
        failure = f": {error}"
    finally:
        loop = ensure_event_loop()  # this thread's, for messages of the kernel: left open, it keeps a thread and files
        if not loop.is_running():  # one that runs is that of a notebook which called this
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()
    text = json.dumps(prepared, ensure_ascii=False)  # nbformat.writes takes as long as running a chapter
    rests_on = names(book, name, written, client.seen) if plugin.observes else dependencies(prepared)
    if failure:
        raise ChapterFailed(f"chapter {name}{failure}", name, text, rests_on)
    code = [cell for cell in prepared.cells if cell.cell_type == "code"]
    cells = {cell["id"]: float(cell.metadata.papermill["duration"] or 0.0) for cell in code}
    wrote = client.seen["wrote"] if client.seen else []
    return ChapterRun(name, text, rests_on, time.monotonic() - started, cells, wrote=wrote)


class BoundedClient(PapermillNotebookClient):  # type: ignore[misc]
    """Executes a notebook in place up to its first failing cell, and ends the kernel when it shows too much."""

    def __init__(
        self, notebook: Any, kernel: str, folder: Path, *, ready: Callable[[], object], observed: str, **options: Any
    ) -> None:
        """``observed`` is the folder from which paths in the record of `observe` are given; blank to record nothing."""
        manager = NotebookExecutionManager(notebook, progress_bar=False)
        manager.notebook_start()
        super().__init__(
            manager,
            kernel_name=kernel,
            kernel_manager_class=Manager,
            **options,
            resources={"metadata": {"path": str(folder)}},  # papermill's own cwd would move the whole process
            shutdown_kernel="immediate",  # a graceful shutdown takes most of a second, and there is nothing to save
        )
        self.ready, self.shown, self.observed = ready, 0, observed
        self.seen: Any = None
        """The record of `observe`; None where it was not asked for, or the kernel ended before it was sent."""

    def papermill_execute_cells(self) -> None:
        """Wait until the caller is ready, then run the cells."""
        self.ready()
        if self.observed:
            text = Path(observe.__file__).read_text(encoding="utf-8") + "\nstart(root)"
            self._ask(f"exec({text!r}, {{'root': {self.observed!r}}})")
        super().papermill_execute_cells()
        if self.observed and (found := self._ask("", "__import__('sys').parabook()")):
            self.seen = json.loads(literal_eval(found))

    def _ask(self, code: str, expression: str = "None") -> str:
        """Run code that leaves no trace in the notebook; the ``repr`` of an expression, blank when it fails."""
        asked = self.kc.execute(code, silent=True, store_history=False, user_expressions={"found": expression})
        found = self.wait_for_reply(asked)["content"].get("user_expressions", {}).get("found", {})
        return str(found.get("data", {}).get("text/plain", ""))

    def process_message(self, message: Any, *arguments: Any, **options: Any) -> Any:
        """Process a message of the kernel, or end the kernel if it has shown too much."""
        content = message.get("content", {})
        self.shown += len(content.get("text", "")) + sum(len(str(part)) for part in content.get("data", {}).values())
        if self.shown <= MOST_OUTPUT:
            return super().process_message(message, *arguments, **options)
        if process := getattr(self.km.provisioner, "process", None):
            process.kill()
        return None


def prepare(written: Mapping[str, Any], chosen: Mapping[str, Any], kernel: str, language: str | None) -> Any:
    """A chapter with its parameters injected, ready to run; without ``language``, its metadata say which it is.

    Every cell has an id that is the same at each run: its own, else by its position, as ``cell-3``.
    """
    node = nbformat.reads(json.dumps(written), as_version=4)
    prepared = execute_notebook(node, None, dict(chosen), kernel_name=kernel, language=language, prepare_only=True)
    prepared.metadata.papermill["input_path"] = None  # papermill writes the notebook itself into it
    ids = (str(cell.get("id") or f"cell-{place}") for place, cell in enumerate(written["cells"], 1))
    for cell in prepared.cells:
        cell["id"] = INJECTED if INJECTED in cell.metadata.get("tags", ()) else next(ids)
    return prepared


def first_failure(executed: Any) -> str:
    """The first failed cell of an executed notebook and its error, in a line; blank when none has failed.

    A cell tagged ``raises-exception`` may fail. ``sys.exit()`` counts as a failure: later cells did not run.
    """
    for cell in executed.cells:
        errors = [output for output in cell.get("outputs", ()) if output.output_type == "error"]
        if errors and "raises-exception" not in cell.metadata.get("tags", ()):
            lines = str(errors[0].evalue).strip().splitlines()
            return f", cell {cell['id']}: {errors[0].ename}: {lines[0] if lines else 'no message'}"
    return ""
