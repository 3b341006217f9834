"""Prints a book by Chromium: all pages as one, with a cover, contents and page numbers."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from parabook.errors import InputError
from parabook.templating import render

CHROMIUM = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
ARTICLE = 'article[role="main"], main article, [role="main"], main'  # the text of a page, without navigation
PAPER = ["--no-pdf-header-footer", "--generate-pdf-document-outline"]


def print_book(out: Path) -> Path:
    """Print a built book to ``book.pdf`` beside its ``html`` folder; an `InputError` when there is no Chromium."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        raise InputError.one("chromium", "no such program", "Chromium, to print with", "install it")
    sheet, pdf = out / "html" / ".print.html", out / "book.pdf"
    try:
        sheet.write_text(one_page(out / "html"), encoding="utf-8")
        with tempfile.TemporaryDirectory() as profile:
            places = [f"--user-data-dir={profile}", f"--print-to-pdf={pdf}", sheet.resolve().as_uri()]
            subprocess.run([chromium, *CHROMIUM, *PAPER, *places], check=True, capture_output=True)
    finally:
        sheet.unlink(missing_ok=True)
    return pdf


def one_page(html: Path) -> str:
    """All pages of a book as one, in order from its front page; links between pages become links inside."""
    from bs4 import BeautifulSoup

    soups: dict[str, Any] = {}
    name = "index"
    while name and name not in soups:
        soups[name] = BeautifulSoup((html / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
        following = soups[name].select_one('link[rel="next"]')
        name = following["href"].removesuffix(".html") if following else ""
    front = soups["index"]
    named = {meta.get("property") or meta.get("name"): meta["content"] for meta in front.select("meta[content]")}
    return render(
        "print.html.j2",
        title=named.get("og:site_name") or front.title.get_text(),
        description=named.get("description", ""),
        styles=[link["href"] for link in front.select('link[rel="stylesheet"]')],
        pages=[_printed(name, soup) for name, soup in soups.items()],
    )


def _printed(name: str, soup: Any) -> dict[str, str]:
    """A page's heading and text, with ids of sections that are unique in the book."""
    article = soup.select_one(ARTICLE)
    for needless in article.select("script, h1 a.headerlink"):
        needless.decompose()
    for section in article.select("section[id]"):
        section["id"] = f"{name}-{section['id']}"  # headings recur from page to page
    for link in article.select("a[href]"):
        page, _, anchor = link["href"].partition("#")
        if page.endswith(".html") and "/" not in page:
            link["href"] = f"#{anchor or 'page-' + page.removesuffix('.html')}"
    return {"name": name, "heading": article.select_one("h1").get_text(), "body": article.decode_contents()}
