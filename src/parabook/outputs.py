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
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from parabook import drawings
from parabook.book import Book
from parabook.cache import ChapterRun
from parabook.files import prune
from parabook.plan import Plan
from parabook.plugins import Cover
from parabook.protocol import charts, glued
from parabook.receipt import LIST, write_receipt
from parabook.staging import SITE, AssemblyFailed, stage
from parabook.templating import render

PICTURE = "card.png"  # what a link to the book shows where it is shared


def make_outputs(plan: Plan, cover: Cover, runs: Sequence[ChapterRun], folder: Path) -> None:
    """Make all outputs of a build in an empty folder, ready to publish; an `AssemblyFailed` when the report is wrong."""
    cover, left_out = make_pages(plan, cover, runs, folder)
    for left in (SITE, "doctrees", "jupyter_execute"):
        shutil.rmtree(folder / left, ignore_errors=True)
    prune(plan.book.cache / drawings.FOLDER, drawings.MOST)
    plan.plugin.add_files(plan, cover, runs, left_out, folder)
    write_receipt(plan, cover, runs, left_out, folder)


def make_pages(plan: Plan, cover: Cover, runs: Sequence[ChapterRun], folder: Path) -> tuple[Cover, dict[str, str]]:
    """Stage and assemble the pages; the cover as the chapters complete it, and the chapters that are left out.

    Where the folder has pages from before, only what differs gets a new time, by which Sphinx knows it.
    """
    files = [file for file in (folder / SITE).rglob("*.ipynb") if not file.is_symlink()]
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in files}
    for each in (SITE, "notebooks", "tables", "charts"):
        shutil.rmtree(folder / each, ignore_errors=True)
    names, left_out = stage(plan.book, {each.chapter: each.notebook for each in runs}, folder)
    for file, (content, time) in before.items():
        if file.is_file() and file.read_bytes() == content:
            os.utime(file, ns=(time, time))
    cover = completed(plan, cover, runs)
    assemble(plan.book, names, folder, cover)
    return cover, left_out


def completed(plan: Plan, cover: Cover, runs: Sequence[ChapterRun]) -> Cover:
    """The cover as the root chapter completes it; its picture is drawn, into the cache."""
    front = json.loads(runs[0].notebook) if runs else {"cells": []}
    drawn = [drawings.as_svg(drawings.canonical(each), plan.book.cache) for each in itertools.islice(charts(front), 1)]
    cover = plan.plugin.cover(cover, glued(front), "".join(drawn))
    if cover.picture:
        drawings.card(cover.picture, plan.book.cache)
    return cover


def make_pages_again(plan: Plan, cover: Cover, runs: Sequence[ChapterRun], folder: Path) -> None:
    """Bring the pages in a folder up to date, for a preview."""
    try:
        make_pages(plan, cover, runs, folder)
    except BaseException:
        shutil.rmtree(folder / "doctrees", ignore_errors=True)  # Sphinx takes a page that it warned of for done
        raise


def assemble(book: Book, names: Mapping[Path, str], folder: Path, cover: Cover) -> None:
    """Build the staged pages of a folder into its ``html``, which has a front page ``index.html``.

    What Sphinx read and wrote there before is used again where nothing changed. Raises `AssemblyFailed` with Sphinx's
    first error, or its first warning where the book sets ``fail_on_warnings``.
    """
    from jupyter_book.sphinx import build_sphinx

    site, html, errors = folder / SITE, folder / "html", io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
        result = build_sphinx(
            str(site),
            str(html),
            path_config=str(_write_config(book, names, site, cover)),
            noconfig=True,
            confoverrides={"latex_individualpages": False},  # which Jupyter Book asks for
            doctreedir=str(folder / "doctrees"),
            freshenv=False,
            warningiserror=bool(book.settings.get("fail_on_warnings")),
            keep_going=True,
            quiet=True,
        )
    if result:
        raise AssemblyFailed(f"assembling the book: {first_warning(errors.getvalue(), site) or result}")
    if cover.picture and not (html / PICTURE).exists():
        (html / PICTURE).write_bytes(drawings.card(cover.picture, book.cache))
    if not (html / "index.html").exists():
        front = render("redirect.html.j2", title=cover.title, page=f"{next(iter(names.values()))}.html")
        (html / "index.html").write_text(front, encoding="utf-8")
    (html / ".buildinfo").unlink(missing_ok=True)  # Sphinx's note to itself; web servers leave hidden files out


def first_warning(log: str, site: Path) -> str:
    """Sphinx's first warning or error, without colours and the machine's paths; where there is none, its first words.

    MyST-NB counts ten thousand lines a cell: what is said is the cell, and its line.
    """

    def place(found: re.Match[str]) -> str:
        cell, line = divmod(int(found[2]), 10_000)
        name = json.loads((site / found[1]).read_text(encoding="utf-8"))["cells"][cell - 1].get("id", cell)
        return f"{found[1]}, cell {name}, line {line - 1}:"

    log = re.sub(r"\x1b\[[0-9;]*m", "", log).replace(f"{site}{os.sep}", "")
    log = re.sub(r"^(\S+\.ipynb):(\d{5,}):", place, log, flags=re.MULTILINE)
    lines = [line.strip() for line in log.splitlines() if line.strip() and "treated as errors" not in line]
    return next((line for line in lines if "WARNING" in line or "ERROR" in line), " ".join(lines[:3]))


def _write_config(book: Book, names: Mapping[Path, str], site: Path, cover: Cover) -> Path:
    """The book's configuration in the site, with what is this build's, and the extension whether or not the book lists it."""
    import yaml

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
    file = site / "_config.yml"
    file.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return file
