"""The bindery: processes beside the chapters, of which some check editions and bind books, others draw charts.

What that takes is heavy, Sphinx and the drawing program above all. Loaded by a thread beside the chapters it would hold
them up; and threads that import parts of the same packages at once can find one of them half loaded.
"""

from __future__ import annotations

import contextlib
import gc
import json
import multiprocessing
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from analysis.folder import CACHE
from analysis.publish.about import About, about
from parabook import drawings
from parabook.cache import Ran
from parabook.plan import Plan, rests_on
from parabook.server import end_with, held_back, seldom_collect, start_server

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from analysis.edition import Edition

LOADED = ("jupyter_book.sphinx", "sphinx.builders.html", "myst_nb.sphinx_", "furo", "rocrate.rocrate")

EXECUTORS = {"cache": "NotebookClientCache", "direct": "NotebookClientDirect", "inline": "NotebookClientInline"}
"""Clients of MyST-NB for modes of execution that the book turns off, by module. With them comes a database, which is
half of all that a binder would load; in a binder, nothing stands in their place."""


class Bindery:
    """Binders and as many draughtsmen, each a process; each takes the next thing that is to be done.

    Binders are forked from the warm server. A draughtsman needs nothing of what that has loaded, and starts beside it.
    """

    def __init__(self, hands: int = 1) -> None:
        context = start_server()
        leash, self._leash = context.Pipe(duplex=False)
        self._binders = ProcessPoolExecutor(hands, context, begin, (leash,))
        self._draughtsmen = ProcessPoolExecutor(hands, multiprocessing.get_context("spawn"), begin, (leash,))
        self._waiting = ThreadPoolExecutor(hands)
        """For what waits until the server has loaded."""

    def check(self, plan: Plan) -> Future[About]:
        """What a book tells of the edition of a plan, found sound; see `opened`."""
        return self._waiting.submit(lambda: self._binders.submit(check, plan).result())

    def prepare(self) -> None:
        """Load what drawing needs now, and what binding needs once the edition is checked."""
        with held_back(signal.SIGINT):
            self._draughtsmen.submit(drawings.start)
        self._waiting.submit(lambda: self._binders.submit(load).result())

    def draw(self, notebook: str) -> Future[None]:
        """Draw the charts of an executed notebook as the pages show them, before they are needed."""
        return self._draughtsmen.submit(drawings.draw, notebook, CACHE)

    def picture(self, notebook: str) -> None:
        """Draw the charts of an executed notebook as the pictures to take away, which are needed last."""
        self._draughtsmen.submit(drawings.picture, notebook, CACHE)

    def bind(self, plan: Plan, told: About, ran: Sequence[Ran], folder: Path, library: Path | None) -> None:
        """Make all outputs of a build in a folder; see `bind`."""
        self._binders.submit(bind, plan, told, ran, folder, library).result()

    def stop(self) -> None:
        """End at once; what it may be doing nobody waits for."""
        self._leash.close()
        self._waiting.shutdown(wait=False, cancel_futures=True)
        self._draughtsmen.shutdown(wait=True, cancel_futures=True)
        self._binders.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def bindery(hands: int = 1) -> Iterator[Bindery]:
    """A bindery for the length of a build."""
    held = Bindery(hands)
    try:
        yield held
    finally:
        held.stop()


def begin(leash: Connection) -> None:
    """Begin as a process of the bindery: it lives as long as the one that holds the other end of its leash."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the build, which lets go of the leash
    seldom_collect()
    end_with(leash)


def load() -> None:
    """Load what binding needs, and not what MyST-NB could execute notebooks with."""
    for module, name in EXECUTORS.items():
        stand_in = ModuleType(f"myst_nb.core.execute.{module}")
        setattr(stand_in, name, None)
        sys.modules.setdefault(stand_in.__name__, stand_in)
    for module in LOADED:
        import_module(module)


def opened(plan: Plan) -> Edition:
    """The edition of a plan, found sound, and its parameters too.

    Raises
    ------
    InputError
        When one of them cannot be used.
    """
    from analysis import tabulate
    from analysis.edition import load as loaded

    tabulate.checked(plan.given)
    return loaded(plan.edition, plan.given.get("minimum_cell", 0))


def check(plan: Plan) -> About:
    """What a book tells of the edition of a plan, found sound."""
    return about(opened(plan))


def bind(plan: Plan, told: About, ran: Sequence[Ran], folder: Path, library: Path | None) -> None:
    """From executed chapters to all outputs of a build, ready to publish.

    Parameters
    ----------
    plan : Plan
        The build.
    told : About
        What the book tells of its edition.
    ran : sequence of Ran
        The chapters, executed.
    folder : Path
        An empty folder for the outputs.
    library : Path, optional
        Where the books lie with which this one shares what all have alike.

    Raises
    ------
    AssemblyFailed
        When Sphinx warns or fails.
    """
    from analysis.minute import one_mark_each
    from analysis.publish.card import card_svg
    from analysis.publish.crate import record
    from analysis.publish.library import share
    from analysis.schema import ROOT
    from parabook.assemble import assemble
    from parabook.book import Book
    from parabook.checksums import RECORD, seal
    from parabook.plugins import Cover
    from parabook.receipt import receipt
    from parabook.staging import glued, stage

    book = Book.open(ROOT)
    planned: Any = SimpleNamespace(  # until `Plan` itself knows its book
        book=book, input=plan.edition, contents=plan.contents, notebooks=plan.notebooks, chosen=plan.chosen,
        behind=lambda names: rests_on(plan, list(names)),
    )  # fmt: skip
    pages = stage(book, {each.chapter: each.notebook for each in ran}, folder)
    left_out = pages.left_out
    said = glued(json.loads(ran[0].notebook))
    lead, source = said.get("lead", ""), said.get("source", "")
    picture = card_svg(told.title, lead, one_mark_each(told.declared, told.described))
    html = folder / "html"
    cover = Cover(told.title, lead, told.homepage, told.date, source, picture)
    assemble(book, pages, html, cover)
    drawings.tidy(book.cache)
    shared = share(html, library) if library else ""
    about_it: Mapping[str, str] = {"title": told.title, "lead": lead, "source": source, "date": told.date}
    (folder / RECORD).write_text(record(planned, cover, ran, left_out, folder), encoding="utf-8")
    seal(folder)
    paper = receipt(plan, about_it, ran, left_out, shared, folder)
    (folder / "receipt.json").write_text(json.dumps(paper, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if library:  # more are to come: Sphinx leaves much behind, in cycles
        gc.collect()
