"""Several books side by side: a front page over them, and once what they all have alike."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from parabook.book import Book
from parabook.files import digest, hash_files, write_atomically
from parabook.templating import render

STATIC = "_static"
"""The folder of a book with scripts, styles and the engine of its charts."""


def share(html: Path, library: Path) -> str:
    """Move what all books have alike out of a book, beside the books; the name of the folder it is in.

    The name comes from the content, so that a book made by another version keeps what it was made with.
    """
    name = f"{STATIC}-{digest(hash_files(html / STATIC))[:12]}"
    library.mkdir(parents=True, exist_ok=True)
    try:
        (html / STATIC).rename(library / name)
    except OSError:  # it is there already: a folder with files in it is never replaced
        shutil.rmtree(html / STATIC)
    for page in html.rglob("*.html"):
        up = "../" * (len(page.relative_to(html).parts) - 1)
        linked = rf'(<(?:link|script|img)\b[^>]*?(?:href|src)="){up}{STATIC}/'
        text = re.sub(linked, rf"\g<1>{up}../../{name}/", page.read_text(encoding="utf-8"))
        page.write_text(text, encoding="utf-8")
    return name


def front_page(book: Book, noun: str, library: Path) -> None:
    """Write the page over the books of a library, and remove what no book uses any more."""
    found = _books(library)
    write_atomically(library / "index.html", page(str(book.config.get("title", "")), noun, found))
    for folder in library.glob(f"{STATIC}-*"):
        if folder.name not in {each["shared"] for each in found.values()}:
            shutil.rmtree(folder, ignore_errors=True)


def _books(library: Path) -> dict[str, dict[str, str]]:
    """What the receipts of a library's books say of them, by the book's folder."""
    found = {}
    for file in sorted(library.glob("*/receipt.json")):
        try:
            receipt = json.loads(file.read_text(encoding="utf-8"))
            found[file.parent.name] = {**receipt["about"], "shared": receipt.get("shared", "")}
        except (OSError, ValueError, KeyError, TypeError):
            continue  # a folder that is no book of ours
    return found


def page(title: str, noun: str, books: Mapping[str, Mapping[str, str]]) -> str:
    """The page over the books.

    Examples
    --------
    >>> 'href="a/html/index.html">A &amp; B<' in page("T", "book", {"a": {"title": "A & B", "lead": "", "source": "", "date": ""}})
    True
    """
    return render("library.html.j2", title=title, noun=noun, books=books)
