"""The book on paper: its pages as one, with a cover, contents and page numbers, printed by Chromium."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from parabook import templating
from parabook.errors import InputError

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--no-pdf-header-footer", "--generate-pdf-document-outline",
)  # fmt: skip

ARTICLE = 'article[role="main"], main article, [role="main"], main'
"""Where themes put a page's text; the first of them that is there."""


def print_book(out: Path) -> Path:
    """Print a built book to ``book.pdf`` beside its ``html`` folder.

    Raises
    ------
    InputError
        When there is no built book, or no Chromium.
    """
    html, chromium = out / "html", shutil.which("chromium") or shutil.which("chromium-browser")
    if not (html / "index.html").is_file():
        raise InputError.one(html, "no built book", "html/index.html", "build it first")
    if not chromium:
        raise InputError.one("chromium", "no such program", "Chromium, to print with", "install it")
    sheet, pdf = html / ".print.html", out / "book.pdf"
    try:
        # Chromium cannot number the contents by itself: the second print has the page numbers of the first.
        for printed in (False, True):
            sheet.write_text(one_page(html, begins(pdf) if printed else {}), encoding="utf-8")
            with tempfile.TemporaryDirectory() as profile:
                places = [f"--user-data-dir={profile}", f"--print-to-pdf={pdf}", sheet.resolve().as_uri()]
                subprocess.run([chromium, *FLAGS, *places], check=True, capture_output=True)
    finally:
        sheet.unlink(missing_ok=True)
    return pdf


def begins(pdf: Path) -> dict[str, int]:
    """The number of the page on which each chapter of a printed book begins."""
    from pypdf import PdfReader

    reader, prefix = PdfReader(pdf), "/page-"
    places = {name: reader.get_destination_page_number(place) for name, place in reader.named_destinations.items()}
    found = {f"/{name.lstrip('/')}": n for name, n in places.items() if n is not None}
    return {name.removeprefix(prefix): n + 1 for name, n in found.items() if name.startswith(prefix)}


def one_page(html: Path, numbers: Mapping[str, int] | None = None) -> str:
    """Every page of a book after another, from its front page on, links between them turned into links inside.

    ``numbers`` are those of the printed pages on which the chapters begin, for the contents.
    """
    soups = _pages(html)
    front = soups["index"]
    named = {meta.get("property") or meta.get("name"): meta["content"] for meta in front.select("meta[content]")}
    return templating.render(
        "print.html.j2",
        title=named.get("og:site_name") or front.title.get_text(),
        description=named.get("description", ""),
        styles=[link["href"] for link in front.select('link[rel="stylesheet"]')],
        pages=[_printed(name, soup) for name, soup in soups.items()],
        numbers=numbers or {},
    )


def _pages(html: Path) -> dict[str, Any]:
    """The parsed pages by name, each followed by the one that Sphinx says is next."""
    from bs4 import BeautifulSoup

    found: dict[str, Any] = {}
    name = "index"
    while name and name not in found:
        soup = found[name] = BeautifulSoup((html / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
        following = soup.select_one('link[rel="next"]')
        name = str(following["href"]).removesuffix(".html") if following else ""
    return found


def _printed(name: str, soup: Any) -> dict[str, str]:
    """A page's text, whose sections and links have names that no other page uses."""
    article = soup.select_one(ARTICLE)
    for script in article.select("script"):
        script.decompose()
    for section in article.select("section[id]"):
        section["id"] = f"{name}-{section['id']}"  # headings recur from page to page
    for link in article.select("a[href]"):
        page, _, anchor = link["href"].partition("#")
        if page.endswith(".html") and "/" not in page:
            link["href"] = f"#{anchor or 'page-' + page.removesuffix('.html')}"
    heading = article.select_one("h1")
    for link in heading.select("a.headerlink"):
        link.decompose()
    return {"name": name, "heading": heading.get_text(), "body": article.decode_contents()}
