"""From inputs to books: check, run, stage, assemble, publish. The order of the steps, and nothing else.

What needs heavy imports is imported when it is needed: a build with nothing to do needs none of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parabook.book import Book
from parabook.errors import InputError, Problem, describe
from parabook.parameters import ParameterError
from parabook.plan import Plan, is_current, make_plan
from parabook.plugins import Plugin
from parabook.progress import Progress

if TYPE_CHECKING:
    from parabook.pool import BuildPool

ASSEMBLY = ("jupyter_book.sphinx", "sphinx.builders.html", "myst_nb.sphinx_")
"""What assembling a book imports, besides its theme."""


@dataclass(frozen=True)
class BuildOptions:
    """How books are to be built."""

    jobs: int = 0
    """Chapters side by side; 0 for one more than there are processors."""
    force: bool = False
    """Run every chapter and write every page, whether or not anything changed."""


DEFAULTS = BuildOptions()


@dataclass(frozen=True)
class Outcome:
    """What became of one of several books: its front page, or why there is none."""

    name: str
    index: Path
    failed: str = ""


def build(plan: Plan, out: Path, options: BuildOptions = DEFAULTS, progress: Progress | None = None) -> Path:
    """Build a book.

    Parameters
    ----------
    plan : Plan
        Which book, on which input, with which parameters: see `make_plan`.
    out : Path
        Where ``html``, ``notebooks``, ``tables``, ``charts`` and ``receipt.json`` go.
    options : BuildOptions
        How to build.
    progress : Progress, optional
        What each step is reported to.

    Returns
    -------
    Path
        The book's ``index.html``.

    Raises
    ------
    InputError
        When the input, a parameter or ``out`` cannot be used, or a file was written during the build.
    ChapterFailed, AssemblyFailed
        When the report is wrong; the book in place is as it was, as it is after any other error.
    """
    progress = progress or Progress()
    out = output_folder(plan, out)
    if not options.force and is_current(plan, out):
        progress.message("nothing changed")
        return out / "html" / "index.html"
    start(plan)
    from parabook.pool import BuildPool

    with BuildPool() as pool:
        return build_one(plan, out, options, progress, pool)


def output_folder(plan: Plan, out: Path) -> Path:
    """The output folder with links followed; an error where they lead in a circle, or into the input."""
    found = Path(os.path.realpath(out))
    if found.is_symlink():
        raise InputError.one(out, "links that lead in a circle", "a folder for the book", "see --out")
    if plan.input != plan.book.root and found.is_relative_to(plan.input):
        raise InputError.one(out, f"a folder inside the {plan.plugin.noun}", "another folder for the book", "see --out")
    return found


def start(plan: Plan) -> None:
    """Start the preloaded process, and import papermill beside it, here and not by several threads at once."""
    from parabook.server import server

    server((*plan.plugin.preload, *plan.book.settings.get("preload", ())))
    from parabook import run  # noqa: F401


def build_one(plan: Plan, out: Path, options: BuildOptions, progress: Progress, pool: BuildPool) -> Path:
    """One book: its input checked, its chapters run, assembled and published; its front page."""
    from parabook import drawings
    from parabook.outputs import make_outputs
    from parabook.pool import import_all
    from parabook.publish import publish, staging
    from parabook.run import run_all

    theme = plan.book.config.get("sphinx", {}).get("config", {}).get("html_theme", "sphinx_book_theme")
    drawn: list[Future[Any]] = []
    try:
        with staging(out) as folder:
            checking = pool.assemblers.submit(plan.plugin.check, plan)
            pool.renderers.submit(drawings.start)
            pool.assemblers.submit(import_all, (*ASSEMBLY, theme, *plan.plugin.publishes_with))
            runs = run_all(
                plan, options.jobs, progress, force=options.force,
                done=lambda run: drawn.append(pool.renderers.submit(drawings.draw, run.notebook, plan.book.cache)),
                ready=checking.result,  # kernels start while the input is checked; no cell runs before
            )  # fmt: skip
            for run in runs:  # pictures are needed last
                pool.renderers.submit(drawings.picture, run.notebook, plan.book.cache)
            wait(drawn)  # what cannot be drawn fails where it is assembled
            progress.message("assembling")
            pool.assemblers.submit(make_outputs, plan, checking.result(), runs, folder).result()
            plan.require_unchanged()
            publish(folder, out)
    finally:
        progress.close()
    return out / "html" / "index.html"


def plan_all(book: Book, plugin: Plugin, names: Sequence[str], given: Mapping[str, str]) -> list[Plan]:
    """The plans of several inputs; an error with each that is not there, or has another's name, and each wrong parameter."""
    plans: dict[str, Plan] = {}
    problems: list[Problem] = []
    for name in names:
        try:
            plan = make_plan(book, plugin, name, given)
            if plan.input.name in plans:
                found = f"a second {plugin.noun} named {plan.input.name}"
                raise InputError.one(name, found, f"{plugin.noun}s with names of their own")
            plans[plan.input.name] = plan
        except ParameterError:  # wrong for every input
            raise
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(dict.fromkeys(problems))
    return list(plans.values())


def build_all(
    plans: Sequence[Plan],
    out: Path,
    options: BuildOptions = DEFAULTS,
    progress: Callable[[str], Progress] = lambda name: Progress(),
) -> list[Outcome]:
    """Build several books, a folder each, and a front page over them; as many side by side as there are processors.

    One that fails is reported in its outcome, and the others go on.
    """
    from parabook.receipt import front_page

    out = Path(os.path.realpath(out))
    folders = {plan.input.name: output_folder(plan, out / plan.input.name) for plan in plans}
    todo = [plan for plan in plans if options.force or not is_current(plan, folders[plan.input.name])]
    for plan in plans:
        if plan not in todo:
            progress(plan.input.name).message("nothing changed")
    failed = _build_side_by_side(todo, out, options, progress) if todo else {}
    front_page(plans[0].book, plans[0].plugin.noun, out)
    return [Outcome(name, folder / "html" / "index.html", failed.get(name, "")) for name, folder in folders.items()]


def _build_side_by_side(
    plans: Sequence[Plan], out: Path, options: BuildOptions, progress: Callable[[str], Progress]
) -> dict[str, str]:
    """Build books: while one is assembled, the chapters of another run. Those that failed, with the reason."""
    start(plans[0])
    from parabook.pool import BuildPool
    from parabook.run import side_by_side
    from parabook.server import stop_all

    size = min(len(plans), side_by_side(plans[0], options.jobs or os.cpu_count() or 1))
    threads = ThreadPoolExecutor(size)
    with BuildPool(size) as pool:
        names = [plan.input.name for plan in plans]
        jobs = [
            threads.submit(build_one, plan, out / name, options, progress(name), pool)
            for plan, name in zip(plans, names, strict=True)
        ]
        try:
            wait(jobs)
        except BaseException:  # interrupted
            threads.shutdown(wait=False, cancel_futures=True)
            stop_all()
            raise
    return {name: describe(error) for name, job in zip(names, jobs, strict=True) if (error := job.exception())}
