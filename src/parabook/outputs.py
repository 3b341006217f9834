"""From executed chapters to all outputs of a build: staged, assembled by Jupyter Book and its Sphinx, and listed."""

from __future__ import annotations

import contextlib
import copy
import io
import itertools
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from html import escape
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from parabook import drawings
from parabook.book import Book
from parabook.cache import ChapterRun
from parabook.files import prune
from parabook.plan import Plan
from parabook.plugins import Cover
from parabook.protocol import charts, glued
from parabook.receipt import LIST, write_receipt
from parabook.server import answer
from parabook.staging import SITE, AssemblyFailed, stage
from parabook.templating import render

PICTURE = "card.png"  # what a link to the book shows where it is shared

LOADED: ContextVar[Callable[[], None]] = ContextVar("LOADED", default=lambda: None)
"""What `render` calls when Sphinx has loaded all but pages."""


class Site(NamedTuple):
    """What Sphinx reads: of which book, where its chapters stand, what pages say of the input, who is left out; and its warnings."""

    book: Book
    names: Mapping[Path, str]
    cover: Cover
    left_out: Mapping[str, str] = {}
    warnings: Sequence[str] = ()
    """What Sphinx warned of, a line each."""


def make_outputs(plan: Plan, cover: Cover, runs: Sequence[ChapterRun], folder: Path) -> Sequence[str]:
    """Make all outputs of a build in an empty folder, ready to publish; Sphinx's warnings.

    An `AssemblyFailed` when the report is wrong.
    """
    _, _, cover, left_out, warned = make_pages(plan, cover, runs, folder)
    for left in (SITE, "doctrees", "jupyter_execute"):
        shutil.rmtree(folder / left, ignore_errors=True)
    prune(plan.book.cache / drawings.FOLDER, drawings.MOST)
    plan.plugin.add_files(plan, cover, runs, left_out, folder)
    write_receipt(plan, cover, runs, left_out, folder)
    return warned


def make_pages(plan: Plan, cover: Cover, runs: Sequence[ChapterRun], folder: Path) -> Site:
    """Stage and assemble the pages."""
    site = make_site(plan, cover, runs, folder)
    return site._replace(warnings=assemble(site, folder))


def make_site(plan: Plan, cover: Cover, runs: Sequence[ChapterRun], folder: Path) -> Site:
    """Stage the chapters. Where there were some before, only what differs gets a new time, by which Sphinx knows it."""
    files = [file for file in (folder / SITE).rglob("*.ipynb") if not file.is_symlink()]
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in files}
    for each in (SITE, "notebooks", "tables", "charts"):
        shutil.rmtree(folder / each, ignore_errors=True)
    names, left_out = stage(plan.book, {each.chapter: each.notebook for each in runs}, folder)
    for file, (content, time) in before.items():
        if file.is_file() and file.read_bytes() == content:
            os.utime(file, ns=(time, time))
    return Site(plan.book, names, completed(plan, cover, runs), left_out)


def completed(plan: Plan, cover: Cover, runs: Sequence[ChapterRun]) -> Cover:
    """The cover as the root chapter completes it."""
    front = json.loads(runs[0].notebook) if runs else {"cells": []}
    drawn = [drawings.as_svg(drawings.canonical(each), plan.book.cache) for each in itertools.islice(charts(front), 1)]
    return plan.plugin.cover(cover, glued(front), "".join(drawn))


def draw_pictures(plan: Plan, cover: Cover, runs: Sequence[ChapterRun]) -> None:
    """Draw what stands beside the pages, into the cache: the picture of the cover, the charts as pictures, their script."""
    if runs and (picture := completed(plan, cover, runs).picture):
        drawings.card(picture, plan.book.cache)
    for run in runs:
        drawings.picture(run.notebook, plan.book.cache)
    drawings.script(plan.book.cache)


def make_next_pages(caller: Connection, site: Site, folder: Path) -> None:
    """Have Sphinx load what it can for pages as they are; make those of the plan that comes, and answer as a worker does."""
    came: list[tuple[Plan, Cover, Sequence[ChapterRun]]] = []
    _write_config(site, folder)
    loaded = _configuration(folder)

    def ready() -> None:
        came.append(caller.recv())
        _write_config(make_site(*came[0], folder), folder)
        if _configuration(folder) != loaded:
            raise AssemblyFailed("Sphinx has loaded another configuration")

    def make() -> Site:
        try:
            return site._replace(warnings=assemble(site, folder, ready))
        except AssemblyFailed:
            return make_pages(*came[0], folder)  # from the beginning, which says what is wrong if something is

    answer(caller, make)


def assemble(site: Site, folder: Path, ready: Callable[[], None] = lambda: None) -> list[str]:
    """Build the staged pages of a folder into its ``html``, which has a front page ``index.html``; Sphinx's warnings.

    What Sphinx read and wrote there before is used again where nothing changed. ``ready`` is called when Sphinx has loaded
    all but pages. Raises `AssemblyFailed` with Sphinx's first error, or its first warning where the book sets
    ``fail_on_warnings``.
    """
    from jupyter_book.sphinx import build_sphinx

    html, errors = folder / "html", io.StringIO()
    LOADED.set(ready)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
        result = build_sphinx(
            str(folder / SITE),
            str(html),
            path_config=str(_write_config(site, folder)),
            noconfig=True,
            confoverrides={"latex_individualpages": False},  # which Jupyter Book asks for
            doctreedir=str(folder / "doctrees"),
            freshenv=False,
            warningiserror=bool(site.book.settings.get("fail_on_warnings")),
            keep_going=True,
            quiet=True,
        )
    if result:
        shutil.rmtree(folder / "doctrees", ignore_errors=True)  # Sphinx takes a page that it warned of for done
        raise AssemblyFailed(f"assembling the book: {first_warning(errors.getvalue(), folder / SITE) or result}")
    warned = list(warnings(errors.getvalue(), folder / SITE))
    cover = site.cover
    if cover.picture and not (html / PICTURE).exists():
        (html / PICTURE).write_bytes(drawings.card(cover.picture, site.book.cache))
    if not (html / "index.html").exists():
        front = render("redirect.html.j2", title=cover.title, page=f"{next(iter(site.names.values()))}.html")
        (html / "index.html").write_text(front, encoding="utf-8")
    (html / ".buildinfo").unlink(missing_ok=True)  # Sphinx's note to itself; web servers leave hidden files out
    return warned


def first_warning(log: str, site: Path) -> str:
    """Sphinx's first warning or error; where there is none, its first words."""
    return next(warnings(log, site), " ".join(_lines(log, site)[:3]))


def warnings(log: str, site: Path) -> Iterator[str]:
    """Sphinx's warnings and errors, a line each."""
    return (line for line in _lines(log, site) if "WARNING" in line or "ERROR" in line)


def _lines(log: str, site: Path) -> list[str]:
    """The lines of what Sphinx said, without colours and the machine's paths.

    MyST-NB counts ten thousand lines a cell: what is said is the cell, and its line.
    """

    def place(found: re.Match[str]) -> str:
        cell, line = divmod(int(found[2]), 10_000)
        name = json.loads((site / found[1]).read_text(encoding="utf-8"))["cells"][cell - 1].get("id", cell)
        return f"{found[1]}, cell {name}, line {line - 1}:"

    log = re.sub(r"\x1b\[[0-9;]*m", "", log).replace(f"{site}{os.sep}", "")
    log = re.sub(r"^(\S+\.ipynb):(\d{5,}):", place, log, flags=re.MULTILINE)
    return [line.strip() for line in log.splitlines() if line.strip() and "treated as errors" not in line]


def _configuration(folder: Path) -> list[str]:
    """What Sphinx loads before any page."""
    return [(folder / SITE / name).read_text(encoding="utf-8") for name in ("_config.yml", "_toc.yml")]


def _write_config(site: Site, folder: Path) -> Path:
    """The book's configuration in the site, with what is this build's, and the extension whether or not the book lists it."""
    import yaml

    book, names, cover, *_ = site
    config = copy.deepcopy(dict(book.config))
    sphinx = config["sphinx"] = config.get("sphinx") or {}
    own = sphinx.get("config") or {}
    sphinx["extra_extensions"] = [*(sphinx.get("extra_extensions") or ()), "parabook.render"]
    if own.get("extensions"):
        own["extensions"].append("parabook.render")
    title = escape(cover.title)  # themes put it into pages as it is
    shared = {"lead": cover.lead, "homepage": cover.homepage, "picture": PICTURE if cover.picture else ""}
    sphinx["config"] = {
        **own,
        "html_title": title,
        "project": title,
        "nb_execution_mode": "off",  # parabook ran them
        "include_patterns": sorted(
            f"{name}{'.ipynb' if file in book.notebooks else file.suffix}" for file, name in names.items()
        ),
        "parabook_cache": str(book.cache),
        "parabook_cover": shared | {"checksums": LIST},
    }
    file = folder / SITE / "_config.yml"
    file.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return file
