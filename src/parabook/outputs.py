"""From executed chapters to all outputs of a build: staged, assembled by Jupyter Book's Sphinx, listed in a receipt."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from html import escape
from multiprocessing.connection import Connection
from pathlib import Path

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

PICTURE = "card.png"  # the picture that is shown with a link to the book

LOADED: ContextVar[Callable[[], None]] = ContextVar("LOADED", default=lambda: None)
"""Called by the extension `parabook.render` when Sphinx has loaded everything but the pages."""


@dataclass(frozen=True)
class Site:
    """The staged pages of a book, for Sphinx to assemble."""

    book: Book
    names: Mapping[Path, str]
    """The place of each chapter in the site, without suffix, by its file in the book."""
    cover: Cover
    left_out: Mapping[str, str]
    """The chapters that are not shown, with the reason."""
    warnings: Sequence[str] = ()
    """Sphinx's warnings, a line each."""


def make_outputs(plan: Plan, cover: Cover, runs: Sequence[ChapterRun], folder: Path) -> Sequence[str]:
    """Make all outputs of a build in an empty folder; Sphinx's warnings. Raises `AssemblyFailed` for wrong pages."""
    site = make_pages(plan, cover, runs, folder)
    for left in (SITE, "doctrees", "jupyter_execute"):
        shutil.rmtree(folder / left, ignore_errors=True)
    prune(plan.book.cache / drawings.FOLDER, drawings.MOST)
    plan.plugin.add_files(plan, site.cover, runs, site.left_out, folder)
    write_receipt(plan, site.cover, runs, site.left_out, folder)
    return site.warnings


def make_pages(plan: Plan, cover: Cover, runs: Sequence[ChapterRun], folder: Path) -> Site:
    """Stage and assemble the pages."""
    site = make_site(plan, cover, runs, folder)
    return replace(site, warnings=assemble(site, folder))


def make_site(plan: Plan, cover: Cover, runs: Sequence[ChapterRun], folder: Path) -> Site:
    """Stage the chapters. Unchanged notebooks keep their modification time, so that Sphinx does not read them again."""
    files = [file for file in (folder / SITE).rglob("*.ipynb") if not file.is_symlink()]
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in files}
    for each in (SITE, "notebooks", "tables", "charts"):
        shutil.rmtree(folder / each, ignore_errors=True)
    names, left_out = stage(plan.book, {each.chapter: each.notebook for each in runs}, folder)
    for file, (content, time) in before.items():
        if file.is_file() and file.read_bytes() == content:
            os.utime(file, ns=(time, time))
    return Site(plan.book, names, complete(plan, cover, runs), left_out)


def complete(plan: Plan, cover: Cover, runs: Sequence[ChapterRun]) -> Cover:
    """The cover with the texts that the root chapter glues and the first chart that it shows."""
    front = json.loads(runs[0].notebook) if runs else {"cells": []}
    chart = next(charts(front), None)
    drawing = drawings.as_svg(drawings.canonical(chart), plan.book.cache) if chart else ""
    return plan.plugin.cover(cover, glued(front), drawing)


def draw_pictures(plan: Plan, cover: Cover, runs: Sequence[ChapterRun]) -> None:
    """Draw into the cache what pages only link to: the cover's picture, charts as PNG, and the charts' script."""
    if runs and (picture := complete(plan, cover, runs).picture):
        drawings.card(picture, plan.book.cache)
    for run in runs:
        drawings.picture(run.notebook, plan.book.cache)
    drawings.script(plan.book.cache)


def make_next_pages(caller: Connection, site: Site, folder: Path) -> None:
    """Have Sphinx load everything for the present pages, wait for the caller's next plan, and make its pages.

    The caller sends the plan, the cover and the runs, and gets an error and the `Site`, as from a worker.
    """
    received: list[tuple[Plan, Cover, Sequence[ChapterRun]]] = []
    _write_config(site, folder)
    loaded = _configuration(folder)

    def wait_for_plan() -> None:
        received.append(caller.recv())
        _write_config(make_site(*received[0], folder), folder)
        if _configuration(folder) != loaded:
            raise AssemblyFailed("Sphinx has loaded another configuration")

    def make() -> Site:
        try:
            return replace(site, warnings=assemble(site, folder, wait_for_plan))
        except AssemblyFailed:
            return make_pages(*received[0], folder)  # from the start; an error of the pages is raised again

    answer(caller, make)


def assemble(site: Site, folder: Path, ready: Callable[[], None] = lambda: None) -> list[str]:
    """Build the staged pages of a folder into its ``html``, always with an ``index.html``; Sphinx's warnings.

    Pages that Sphinx made there before are used again if they are unchanged. ``ready`` is called when Sphinx has loaded
    everything but the pages. Raises `AssemblyFailed` with the first warning or error when Sphinx fails, or when it warns and the
    book sets ``fail_on_warnings``.
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
            confoverrides={"latex_individualpages": False},  # build_sphinx expects it
            doctreedir=str(folder / "doctrees"),
            freshenv=False,
            warningiserror=bool(site.book.settings.get("fail_on_warnings")),
            keep_going=True,
            quiet=True,
        )
    if result:  # else Sphinx would take the pages that it warned of for done
        shutil.rmtree(folder / "doctrees", ignore_errors=True)
    log = _lines(errors.getvalue(), folder / SITE)
    warnings = [line for line in log if "WARNING" in line or "ERROR" in line]
    if result:
        reason = warnings[0] if warnings else " ".join(log[:3])
        raise AssemblyFailed(f"assembling the book: {reason or result}")
    cover = site.cover
    if cover.picture and not (html / PICTURE).exists():
        (html / PICTURE).write_bytes(drawings.card(cover.picture, site.book.cache))
    if not (html / "index.html").exists():
        front = render("redirect.html.j2", title=cover.title, page=f"{next(iter(site.names.values()))}.html")
        (html / "index.html").write_text(front, encoding="utf-8")
    (html / ".buildinfo").unlink(
        missing_ok=True
    )  # only Sphinx needs it, and the checksums would fail where web servers leave out hidden files
    return warnings


def _lines(log: str, site: Path) -> list[str]:
    """The lines of Sphinx's log, without colours and paths of this machine.

    MyST-NB numbers the lines of cell n from n * 10,000: these numbers become the cell's id and the line in the cell.
    """

    def place(found: re.Match[str]) -> str:
        cell, line = divmod(int(found[2]), 10_000)
        name = json.loads((site / found[1]).read_text(encoding="utf-8"))["cells"][cell - 1].get("id", cell)
        return f"{found[1]}, cell {name}, line {line - 1}:"

    log = re.sub(r"\x1b\[[0-9;]*m", "", log).replace(f"{site}{os.sep}", "")
    log = re.sub(r"^(\S+\.ipynb):(\d{5,}):", place, log, flags=re.MULTILINE)
    return [line.strip() for line in log.splitlines() if line.strip() and "treated as errors" not in line]


def _configuration(folder: Path) -> list[str]:
    """The files that Sphinx reads before any page."""
    return [(folder / SITE / name).read_text(encoding="utf-8") for name in ("_config.yml", "_toc.yml")]


def _write_config(site: Site, folder: Path) -> Path:
    """Write the book's configuration into the site, with parabook's extension and this build's values; its path."""
    import yaml

    book, cover = site.book, site.cover
    config = copy.deepcopy(dict(book.config))
    sphinx = config["sphinx"] = config.get("sphinx") or {}
    own = sphinx.get("config") or {}
    sphinx["extra_extensions"] = [*(sphinx.get("extra_extensions") or ()), "parabook.render"]
    if own.get("extensions"):
        own["extensions"].append("parabook.render")
    title = escape(cover.title)  # themes do not escape it
    pages = (f"{name}{'.ipynb' if file in book.notebooks else file.suffix}" for file, name in site.names.items())
    sphinx["config"] = {
        **own,
        "html_title": title,
        "project": title,
        "nb_execution_mode": "off",  # parabook ran them
        "include_patterns": sorted(pages),
        "parabook_cache": str(book.cache),
        "parabook_cover": {
            "lead": cover.lead,
            "homepage": cover.homepage,
            "picture": PICTURE if cover.picture else "",
            "checksums": LIST,
        },
    }
    file = folder / SITE / "_config.yml"
    file.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return file
