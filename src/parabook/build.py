"""From inputs to books: check, run, stage, assemble, publish. The order of the steps, and nothing else.

Heavy modules are imported where they are needed: a build with nothing to do needs none of them.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parabook.book import Book
from parabook.dependencies import preloaded
from parabook.errors import InputError, Problem, describe
from parabook.plan import Plan, is_current, make_plan, snapshot
from parabook.plugins import Cover, Plugin
from parabook.progress import Progress

if TYPE_CHECKING:
    from concurrent.futures import Future

    from parabook.cache import ChapterRun
    from parabook.server import Workers

ASSEMBLY = ("parabook.outputs", "jupyter_book.sphinx", "sphinx.builders.html", "myst_nb.sphinx_")
"""Modules that assembling a book imports, besides its theme."""


@dataclass(frozen=True)
class BuildOptions:
    """How to build."""

    jobs: int = 0
    """How many chapters to run side by side; 0 for the book's setting, or one more than processors."""
    force: bool = False
    """Whether to run chapters that have not changed as well."""


DEFAULTS = BuildOptions()


@dataclass(frozen=True)
class Outcome:
    """The result of building one of several books."""

    name: str
    index: Path
    """Its front page."""
    failed: str
    """The error, if it could not be built; else blank."""


def build(plan: Plan, out: Path, options: BuildOptions = DEFAULTS, progress: Progress | None = None) -> Path:
    """Build the book of a plan into a folder; its ``index.html``.

    Raises
    ------
    InputError
        When the input, a parameter or ``out`` cannot be used, or chapters, program or a large file were written meanwhile.
    ChapterFailed, AssemblyFailed
        When the report is wrong.

    After any error the book that was in the folder is still there, unchanged.
    """
    progress, out = progress or Progress(), output_folder(plan, out)
    plan = plan if plan.hashes else plan.hashed()
    if not options.force and is_current(plan, out):
        progress.message("nothing changed")
    else:
        start(plan)
        from parabook.publish import staging
        from parabook.server import Workers

        # Workers end before the folder in which they write is removed.
        with staging(out) as folder, Workers() as assemblers, Workers() as renderers:
            _build(plan, folder, out, options, progress, assemblers, renderers)
    return out / "html" / "index.html"


def output_folder(plan: Plan, out: Path) -> Path:
    """The output folder with symbolic links resolved; an `InputError` when they are circular or lead into the input."""
    found = Path(os.path.realpath(out))
    if found.is_symlink():
        raise InputError.one(out, "links that lead in a circle", "a folder for the book", "see --out")
    if plan.input != plan.book.root and found.is_relative_to(plan.input):
        raise InputError.one(out, f"a folder inside the {plan.plugin.noun}", "another folder for the book", "see --out")
    return found


def start(plan: Plan, *modules: str) -> None:
    """Start the preloaded process, and import papermill meanwhile, before several threads would do so at once."""
    from parabook.server import server

    server((*preloads(plan.book, plan.plugin), *modules))
    from parabook import run  # noqa: F401


def preloads(book: Book, plugin: Plugin) -> tuple[str, ...]:
    """The modules to preload for kernels: the plug-in's, and the setting ``preload``, else what observed notebooks import."""
    notebooks = {book.place(file): book.read[file] for file in book.notebooks} if plugin.observes else {}
    return (*plugin.preload, *book.settings.get("preload", preloaded(notebooks)))


def theme(book: Book) -> str:
    """The module of the book's theme."""
    return str(book.config.get("sphinx", {}).get("config", {}).get("html_theme", "sphinx_book_theme"))


def _build(
    plan: Plan,
    folder: Path,
    out: Path,
    options: BuildOptions,
    progress: Progress,
    assemblers: Workers,
    renderers: Workers,
) -> None:
    """Check the input of one book, run its chapters, assemble it in a staging folder and publish it."""
    from concurrent.futures import wait

    from parabook import drawings
    from parabook.outputs import draw_pictures, make_outputs
    from parabook.publish import publish
    from parabook.server import import_all
    from parabook.staging import AssemblyFailed

    try:
        # Of several books each is hashed here, when it begins.
        plan = snapshot(plan if plan.hashes else plan.hashed(), folder.with_name("input"))
        checking = assemblers.submit(plan.plugin.check, plan)
        if not (plan.book.cache / drawings.FOLDER).exists():  # else most charts are cached
            renderers.submit(drawings.start)
        assemblers.submit(import_all, (*ASSEMBLY, theme(plan.book), *plan.plugin.publishes_with))
        runs, drawing = run_chapters(plan, options, progress, checking, renderers, plan.notebooks)
        plan = plan.after(runs)  # before the wait: a file saved during it would be hashed as the chapters' own
        cover = checking.result()
        _ = plan.book_key  # before the wait, too; and not in a worker, whose environment is another
        renderers.submit(draw_pictures, plan, cover, runs)  # used at the end of assembling
        wait(drawing, assembly_seconds(plan.book))  # a chart that cannot be drawn fails when the book is assembled
        progress.message("assembling")
        seconds = assembly_seconds(plan.book)
        try:
            warned = assemblers.submit(make_outputs, plan, cover, runs, folder).result(seconds)
        except TimeoutError:
            hint = "does a chapter show too much? assembly_seconds in [tool.parabook] of pyproject.toml allows more"
            raise AssemblyFailed(f"assembling the book: not done after {seconds:g} seconds; {hint}") from None
        assemblers.submit(gc.collect)  # Sphinx leaves much garbage in cycles, and the worker may have books to come
        saved = plan.require_unchanged(runs)
        publish(folder, out)
        for line in warned:
            progress.warn(line)
        if saved:
            progress.warn(f"saved meanwhile, and not in this book: {', '.join(saved)}; build again")
    finally:
        progress.close()


def assembly_seconds(book: Book) -> float:
    """Seconds that may pass until all charts are drawn, and again until the book is assembled; 900 by default."""
    return float(book.settings.get("assembly_seconds", 900))


def run_chapters(
    plan: Plan,
    options: BuildOptions,
    progress: Progress,
    checking: Future[Cover],
    renderers: Workers,
    notebooks: Sequence[Path],
) -> tuple[list[ChapterRun], list[Future[Any]]]:
    """Run chapters, and have the charts of each drawn while others run; the runs, and the drawings, not waited for.

    Kernels start while the input is checked. Cells wait for the check, unless ``plan.checks_in_parallel``.
    """
    from parabook import drawings
    from parabook.run import run_all

    drawing: list[Future[Any]] = []

    def draw(run: ChapterRun) -> None:
        drawing.append(renderers.submit(drawings.draw, run.notebook, plan.book.cache))

    runs = run_all(
        plan, options.jobs, progress, force=options.force, notebooks=notebooks, done=draw, ready=checking.result
    )
    return runs, drawing


def plan_all(book: Book, plugin: Plugin, names: Sequence[str], given: Mapping[str, str]) -> list[Plan]:
    """The plans of several inputs, without hashes of files, which would take much memory.

    An `InputError` lists every input that is missing or has the name of another one, and every wrong parameter.
    """
    plans: dict[str, Plan] = {}
    problems: dict[Problem, None] = {}  # an ordered set: a wrong parameter is wrong for every input
    known = ""
    for name in names:
        try:
            plan = make_plan(book, plugin, name, given)
            if plan.input.name in plans:
                found = f"a second {plugin.noun} named {plan.input.name}"
                raise InputError.one(name, found, f"{plugin.noun}s with names of their own")
            plans[plan.input.name] = replace(plan, sources={}, stamps={}, hashes={})
        except InputError as error:
            problems |= dict.fromkeys(error.problems)
            known = error.known
    if problems:
        raise InputError(problems, known)
    return list(plans.values())


def build_all(plans: Sequence[Plan], out: Path, options: BuildOptions) -> list[Outcome]:
    """Build several books side by side, each into a folder named after its input, and a front page that lists them.

    The error of one is in its outcome and does not stop the others.
    """
    from concurrent.futures import ThreadPoolExecutor

    from parabook.receipt import front_page

    folders = {plan.input.name: output_folder(plan, out / plan.input.name) for plan in plans}
    todo = {plan.input.name: plan for plan in plans}
    for plan in plans if not options.force else ():
        if is_current(plan.hashed(), folders[plan.input.name]):
            del todo[plan.input.name]
            Progress(plan.input.name).message("nothing changed")
    failed = {}
    if todo:
        start(plans[0])
        from parabook.publish import staging
        from parabook.run import side_by_side
        from parabook.server import Workers, stop_all

        def make(plan: Plan, assemblers: Workers, renderers: Workers) -> None:
            out, progress = folders[plan.input.name], Progress(plan.input.name)
            with staging(out) as folder:
                _build(plan, folder, out, options, progress, assemblers, renderers)

        size = min(len(todo), side_by_side(plans[0].hashed(), options.jobs or os.cpu_count() or 1))
        threads = ThreadPoolExecutor(size)
        with Workers(size) as assemblers, Workers(size) as renderers:
            jobs = {name: threads.submit(make, plan, assemblers, renderers) for name, plan in todo.items()}
            try:
                failed = {name: describe(error) for name, job in jobs.items() if (error := job.exception())}
            except BaseException:  # interrupted
                threads.shutdown(wait=False, cancel_futures=True)
                stop_all()
                raise
    front_page(plans[0].book, plans[0].plugin.noun, out)
    return [Outcome(name, folder / "html" / "index.html", failed.get(name, "")) for name, folder in folders.items()]
