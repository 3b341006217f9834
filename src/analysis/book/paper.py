"""The book on paper: its pages as one, with a cover, contents and page numbers, printed by Chromium."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from html import escape, unescape
from pathlib import Path

from analysis.faults import BadInput

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


def print_book(out: Path) -> Path:
    """Print a built book to ``book.pdf`` beside its ``html`` folder.

    Raises
    ------
    BadInput
        When there is no built book, or no Chromium.
    """
    html, chromium = out / "html", shutil.which("chromium") or shutil.which("chromium-browser")
    if not (html / "index.html").is_file():
        raise BadInput.one(html, "no built book", "html/index.html", "run analysis build first")
    if not chromium:
        raise BadInput.one("chromium", "no such program", "Chromium, to print with", "install it")
    sheet, pdf = html / ".print.html", out / "book.pdf"
    sheet.write_text(one_page(html), encoding="utf-8")
    try:
        with tempfile.TemporaryDirectory() as profile:
            call = [chromium, *FLAGS, f"--user-data-dir={profile}", "--no-pdf-header-footer", f"--print-to-pdf={pdf}"]
            subprocess.run([*call, sheet.resolve().as_uri()], check=True, capture_output=True)
    finally:
        sheet.unlink()
    return pdf


def one_page(html: Path) -> str:
    """Every page of a book after another, links between them turned into links inside."""
    front = (html / "index.html").read_text(encoding="utf-8")
    title = unescape(re.findall(r'<span class="sidebar-brand-text">(.*?)</span>', front, re.DOTALL)[0])
    names = [
        "index",
        *dict.fromkeys(re.findall(r'<li class="toctree-l1[^"]*"><a class="[^"]*" href="(\w+)\.html">', front)),
    ]
    bodies = {name: _body((html / f"{name}.html").read_text(encoding="utf-8"), name) for name in names}
    contents = "".join(f'<li><a href="#page-{name}">{_heading(body)}</a></li>' for name, body in bodies.items())
    pages = "".join(f'<section class="page" id="page-{name}">{body}</section>' for name, body in bodies.items())
    styles = "".join(re.findall(r'<link rel="stylesheet"[^>]*>', front))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>{styles}</head>'
        f'<body data-theme="light" class="paper"><section class="cover"><h1>{escape(title)}</h1><h2>Contents</h2>'
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
