"""The book on paper: its pages as one, with a cover, contents and page numbers, printed by Chromium."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from html import escape, unescape
from pathlib import Path

from parabook.errors import InputError

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--no-pdf-header-footer", "--generate-pdf-document-outline",
)  # fmt: skip


def print_book(out: Path) -> Path:
    """Print a built book to ``book.pdf`` beside its ``html`` folder.

    Raises
    ------
    InputError
        When there is no built book, or no Chromium.
    """
    html, chromium = out / "html", shutil.which("chromium") or shutil.which("chromium-browser")
    if not (html / "index.html").is_file():
        raise InputError.one(html, "no built book", "html/index.html", "run analysis build first")
    if not chromium:
        raise InputError.one("chromium", "no such program", "Chromium, to print with", "install it")
    sheet, pdf = html / ".print.html", out / "book.pdf"
    try:
        sheet.write_text(one_page(html), encoding="utf-8")
        _print(chromium, sheet, pdf)
        # Chromium cannot number the contents by itself: printed once more, with the numbers of the first print.
        sheet.write_text(one_page(html, begins(pdf)), encoding="utf-8")
        _print(chromium, sheet, pdf)
    finally:
        sheet.unlink(missing_ok=True)
    return pdf


def _print(chromium: str, sheet: Path, pdf: Path) -> None:
    with tempfile.TemporaryDirectory() as profile:
        call = [chromium, *FLAGS, f"--user-data-dir={profile}", f"--print-to-pdf={pdf}", sheet.resolve().as_uri()]
        subprocess.run(call, check=True, capture_output=True)


def begins(pdf: Path) -> dict[str, int]:
    """The number of the page on which each chapter of a printed book begins."""
    from pypdf import PdfReader

    reader = PdfReader(pdf)
    places = reader.named_destinations.items()
    found = {name.lstrip("/"): reader.get_destination_page_number(place) for name, place in places}
    prefix = "page-"
    return {name.removeprefix(prefix): n + 1 for name, n in found.items() if name.startswith(prefix) and n is not None}


def one_page(html: Path, numbers: Mapping[str, int] | None = None) -> str:
    """Every page of a book after another, links between them turned into links inside.

    ``numbers`` are those of the printed pages on which the chapters begin, for the contents.
    """
    front = (html / "index.html").read_text(encoding="utf-8")
    title = unescape(re.findall(r'<span class="sidebar-brand-text">(.*?)</span>', front, re.DOTALL)[0])
    names = [
        "index",
        *dict.fromkeys(re.findall(r'<li class="toctree-l1[^"]*"><a class="[^"]*" href="(\w+)\.html">', front)),
    ]
    bodies = {name: _body((html / f"{name}.html").read_text(encoding="utf-8"), name) for name in names}
    at = {name: f"<span>{(numbers or {}).get(name, 0)}</span>" for name in bodies}
    contents = "".join(
        f'<li><a href="#page-{name}">{_heading(body)}</a>{at[name]}</li>' for name, body in bodies.items()
    )
    about = re.findall(r'<meta name="description" content="([^"]*)">', front)
    pages = "".join(f'<section class="page" id="page-{name}">{body}</section>' for name, body in bodies.items())
    styles = "".join(re.findall(r'<link rel="stylesheet"[^>]*>', front))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>{styles}</head>'
        f'<body data-theme="light" class="paper"><section class="cover"><h1>{escape(title)}</h1><p>{"".join(about[:1])}</p><h2>Contents</h2>'
        f"<ol>{contents}</ol></section>{pages}</body></html>"
    )


def _body(page: str, name: str) -> str:
    body = re.findall(r'<article role="main"[^>]*>(.*?)</article>', page, re.DOTALL)[0]
    body = re.sub(r'<script type="application/json">.*?</script>', "", body, flags=re.DOTALL)
    body = re.sub(r'<section id="([^"]*)"', rf'<section id="{name}-\1"', body)  # headings recur from page to page
    body = re.sub(r'href="(\w+)\.html"', r'href="#page-\1"', body)
    return re.sub(r'href="\w+\.html#', 'href="#', body)


def _heading(body: str) -> str:
    return re.sub(r"<[^>]+>|¶", "", re.findall(r"<h1>(.*?)</h1>", body, re.DOTALL)[0])
