"""From executed chapters to all outputs of a build: staged, assembled by Jupyter Book and its Sphinx, and listed."""

from __future__ import annotations

import contextlib
import copy
import gc
import io
import json
import os
import re
import shutil
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from parabook import drawings
from parabook.book import Book
from parabook.cache import ChapterRun
from parabook.files import prune
from parabook.plan import Plan
from parabook.plugins import Cover
from parabook.protocol import glued
from parabook.receipt import LIST, write_receipt
from parabook.staging import AssemblyFailed, Pages, stage
from parabook.templating import render

EXTENSION = "parabook.render"

PICTURE = "card.png"
"""The file of the picture that a link to the book shows where it is shared."""


def make_outputs(plan: Plan, cover: Cover, runs: Sequence[ChapterRun], folder: Path) -> None:
    """Make all outputs of a build in an empty folder, ready to publish; an `AssemblyFailed` when Sphinx warns or fails."""
    pages = stage(plan.book, {each.chapter: each.notebook for each in runs}, folder)
    cover = plan.plugin.cover(cover, glued(json.loads(runs[0].notebook)) if runs else {})
    assemble(plan.book, pages, folder / "html", cover)
    for left in ("site", "doctrees", "jupyter_execute"):
        shutil.rmtree(folder / left, ignore_errors=True)
    prune(plan.book.cache / drawings.FOLDER, drawings.MOST)
    plan.plugin.add_files(plan, cover, runs, pages.left_out, folder)
    write_receipt(plan, cover, runs, pages.left_out, folder)
    gc.collect()  # of several books more are to come, and Sphinx leaves much behind, in cycles


def assemble(book: Book, pages: Pages, output: Path, cover: Cover) -> None:
    """Build the HTML of staged pages, with a front page ``index.html``, in a folder ``output`` that must not exist.

    Raises `AssemblyFailed` with Sphinx's first error, or its first warning where the book sets ``fail_on_warnings``.
    """
    from jupyter_book.sphinx import build_sphinx

    errors = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
        result = build_sphinx(
            str(pages.site),
            str(output),
            path_config=str(_write_config(book, pages.site)),
            noconfig=True,
            confoverrides=_overrides(book, pages, cover),
            doctreedir=str(pages.site.parent / "doctrees"),
            freshenv=True,
            warningiserror=bool(book.settings.get("fail_on_warnings")),
            keep_going=True,
            quiet=True,
        )
    if isinstance(result, KeyboardInterrupt):
        raise result
    if result:
        raise AssemblyFailed(f"assembling the book: {_first_problem(errors.getvalue(), pages.site) or result}")
    if cover.picture:
        (output / PICTURE).write_bytes(drawings.png(cover.picture))
    if not (output / "index.html").exists():
        front = render("redirect.html.j2", title=cover.title, page=f"{next(iter(pages.names.values()))}.html")
        (output / "index.html").write_text(front, encoding="utf-8")
    (output / ".buildinfo").unlink(missing_ok=True)  # Sphinx's note to itself; web servers leave hidden files out


def _write_config(book: Book, site: Path) -> Path:
    """The book's configuration in the site, with parabook's extension, whether or not the book lists it."""
    import yaml

    config = copy.deepcopy(dict(book.config))
    sphinx = config["sphinx"] = config.get("sphinx") or {}
    sphinx["extra_extensions"] = [*(sphinx.get("extra_extensions") or ()), EXTENSION]
    if extensions := (sphinx.get("config") or {}).get("extensions"):
        extensions.append(EXTENSION)
    file = site / "_config.yml"
    file.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return file


def _overrides(book: Book, pages: Pages, cover: Cover) -> dict[str, Any]:
    """The configuration that is this build's and not the book's."""
    title, picture = escape(cover.title), PICTURE if cover.picture else ""  # themes put titles into pages as they are
    return {
        "html_title": title,
        "project": title,
        "latex_individualpages": False,  # Jupyter Book asks for it
        "nb_execution_mode": "off",  # parabook ran them
        "include_patterns": sorted(f"{name}{file.suffix}" for file, name in pages.names.items()),
        "parabook_cache": str(book.cache),
        "parabook_cover": {"lead": cover.lead, "homepage": cover.homepage, "picture": picture},
        "parabook_checksums": LIST,
    }


def _first_problem(log: str, site: Path) -> str:
    """The first warning or error of Sphinx's log, without colours, its file named from the book's root."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", log).replace(f"{site}{os.sep}", "")
    lines = [line.strip() for line in plain.splitlines() if line.strip() and "treated as errors" not in line]
    return next((line for line in lines if "WARNING" in line or "ERROR" in line), " ".join(lines[:3]))
