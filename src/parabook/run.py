"""Running the chapters: each by papermill in a kernel of its own, some side by side, with bounds on time and output.

Imports papermill: whoever runs chapters in threads imports this first, and not by several threads at once.
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
from parabook.notebooks import Execution, read
from parabook.plan import Plan
from parabook.progress import Progress
from parabook.protocol import CHECKED_BESIDE
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
    """Run the chapters of a plan, or take them from the cache where nothing that they depend on has changed.

    ``progress`` is told of each chapter as it ends, ``done`` gets it as soon as it has run. ``ready`` is
    called before the first cell of each, when its kernel has started: it waits for what must come first, or raises; where
    the plan has cells run beside that, before anything is cached.
    One that read what another wrote runs again after it, in the order of the book.
    A `ChapterFailed` when a cell fails; chapters not yet begun are not run. An `InputError` when a file that the book
    depends on, and of which there is no copy, was written meanwhile; nothing is put into the cache.
    """
    progress = progress or Progress()

    def run(notebook: Path, again: bool = force) -> ChapterRun:
        progress.begin(plan.book.name(notebook))
        found = None if again else cached(plan, notebook)
        if not found:
            folder = plan.plugin.folder(plan.input, plan.book.place(notebook))
            found = run_one(notebook, plan.chosen(notebook), folder, ready=ready, plan=plan)
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
        if late := too_early(futures):
            pool = ThreadPoolExecutor(1)
            for notebook in (each for each, future in futures.items() if each in late or future.cancelled()):
                futures[notebook] = pool.submit(run, notebook, True)
            wait(futures.values(), return_when=FIRST_EXCEPTION)
            pool.shutdown(cancel_futures=True)
    except BaseException:  # interrupted: no chapter is worth waiting for
        progress.close()
        pool.shutdown(wait=False, cancel_futures=True)
        stop_all()
        raise
    ended = {notebook: each for notebook, each in futures.items() if not each.cancelled()}
    found = {notebook: each.result() for notebook, each in ended.items() if not each.exception()}
    plan.require_unchanged(found.values())
    ready()
    changed, left = plan.changed(plan.plugin.noun) if plan.plugin.observes else set(), plan.after(found.values())
    for notebook, chapter in found.items():
        if not chapter.reused and (EVERYTHING not in chapter.rests_on or changed <= {*chapter.wrote}):
            store(left, notebook, chapter)
    return [future.result() for future in ended.values()]  # or raise the error of the first that failed


def too_early(futures: Mapping[Path, Future[ChapterRun]]) -> set[Path]:
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
    """How many chapters to run at once: one more than processors unless a call says otherwise, and as memory allows."""
    sizes = [plan.stamps[file][1] for file in plan.sources[plan.plugin.noun].values()]
    # A notebook of any book reads some of its files.
    size = max(sizes, default=0) if plan.plugin.observes else sum(sizes)
    room = psutil.virtual_memory().available // (KERNEL_BYTES + TIMES_INPUT * size)
    return int(max(1, min(jobs or plan.book.settings.get("jobs", 0) or (os.cpu_count() or 1) + 1, room)))


def run_one(
    notebook: Path,
    chosen: Mapping[str, Any],
    folder: Path,
    seconds: float | None = None,
    *,
    ready: Callable[[], object] = lambda: None,
    plan: Plan | None = None,
) -> ChapterRun:
    """Run one chapter, as a plan has it; ``folder`` is where its kernel works, ``ready`` is called before its first cell.

    A `ChapterFailed` when a cell fails, ends the kernel, takes too long or shows too much.
    """
    started, failure = time.monotonic(), ""
    name, how = (plan.book.name(notebook), plan.book.execution(notebook)) if plan else (notebook.stem, Execution())
    seconds = seconds or how.seconds or CELL_SECONDS
    written = plan.book.read[notebook] if plan else read(notebook)
    kernel, python = kernel_for(str(written["metadata"].get("kernelspec", {}).get("name", "")))
    prepared = prepare(written, chosen, kernel, "python" if python else None)  # which not every notebook says
    root = str(plan.book.root) if plan and plan.plugin.observes and python else ""
    options = {"timeout": int(seconds), "allow_errors": how.allow_errors}
    options["iopub_timeout"] = max(int(seconds), 1)  # of papermill's own 4 seconds a busy machine can need more
    beside = {CHECKED_BESIDE: "1"} if plan and plan.beside else {}
    client = BoundedClient(prepared, kernel, folder, (lambda: None) if beside else ready, root, **options)
    try:
        client.execute(env={**os.environ, CHECKED_BESIDE: "", **beside})
        failure = "" if how.allow_errors else first_failure(prepared)
    except CellTimeoutError:
        hint = "timeout in [tool.parabook] of pyproject.toml allows more"
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
    rests_on = names(plan.book, name, written, client.seen) if plan and plan.plugin.observes else dependencies(prepared)
    if failure:
        raise ChapterFailed(f"chapter {name}{failure}", name, text, rests_on)
    code = [cell for cell in prepared.cells if cell.cell_type == "code"]
    cells = {cell["id"]: float(cell.metadata.papermill["duration"] or 0.0) for cell in code}
    wrote = client.seen["wrote"] if client.seen else []
    return ChapterRun(name, text, rests_on, time.monotonic() - started, cells, wrote=wrote)


class BoundedClient(PapermillNotebookClient):  # type: ignore[misc]
    """Executes a notebook in place, as far as its first failing cell; counts what it shows, and ends it at too much."""

    def __init__(
        self, notebook: Any, kernel: str, folder: Path, ready: Callable[[], object], root: str, **options: Any
    ) -> None:
        manager = NotebookExecutionManager(notebook, progress_bar=False)
        manager.notebook_start()
        super().__init__(
            manager,
            kernel_name=kernel,
            kernel_manager_class=Manager,
            **options,
            resources={"metadata": {"path": str(folder)}},  # papermill's own cwd would move the whole process
            shutdown_kernel="immediate",  # it holds nothing worth a farewell, which takes most of a second
        )
        self.ready, self.shown, self.root = ready, 0, root
        self.seen: Any = None
        """What `observe` saw, under the folder ``root``; None where nothing did."""

    def papermill_execute_cells(self) -> None:
        """Run the cells once the caller is ready; until then the kernel stands by."""
        self.ready()
        if self.root:
            text = Path(observe.__file__).read_text(encoding="utf-8") + "\nstart(root)"
            self._ask(f"exec({text!r}, {{'root': {self.root!r}}})")
        super().papermill_execute_cells()
        if self.root and (found := self._ask("", "__import__('sys').parabook()")):
            self.seen = json.loads(literal_eval(found))

    def _ask(self, code: str, expression: str = "None") -> str:
        """Have the kernel run code that leaves no trace in the notebook, and give an expression's value as text, blank for none."""
        asked = self.kc.execute(code, silent=True, store_history=False, user_expressions={"found": expression})
        found = self.wait_for_reply(asked)["content"].get("user_expressions", {}).get("found", {})
        return str(found.get("data", {}).get("text/plain", ""))

    def process_message(self, message: Any, *arguments: Any, **options: Any) -> Any:
        """Take a message of the kernel, unless it has shown too much already."""
        content = message.get("content", {})
        self.shown += len(content.get("text", "")) + sum(len(str(part)) for part in content.get("data", {}).values())
        if self.shown <= MOST_OUTPUT:
            return super().process_message(message, *arguments, **options)
        if process := getattr(self.km.provisioner, "process", None):
            process.kill()
        return None


def prepare(written: Mapping[str, Any], chosen: Mapping[str, Any], kernel: str, language: str | None) -> Any:
    """A chapter with its parameters in it, ready to run.

    Every cell has an id that is the same at each run: its own, or by its position, as ``cell-3``, where papermill would
    make one up.
    """
    node = nbformat.reads(json.dumps(written), as_version=4)
    prepared = execute_notebook(node, None, dict(chosen), kernel_name=kernel, language=language, prepare_only=True)
    prepared.metadata.papermill["input_path"] = None  # here the notebook itself
    ids = (str(cell.get("id") or f"cell-{place}") for place, cell in enumerate(written["cells"], 1))
    for cell in prepared.cells:
        cell["id"] = INJECTED if INJECTED in cell.metadata.get("tags", ()) else next(ids)
    return prepared


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
