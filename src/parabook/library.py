"""Several books side by side: a front page over them."""

from __future__ import annotations

import json
from pathlib import Path

from parabook.book import Book
from parabook.files import write_atomically
from parabook.templating import render


def front_page(book: Book, noun: str, library: Path) -> None:
    """Write the page over the books of a library, from what their receipts say of them."""
    books = {}
    for file in sorted(library.glob("*/receipt.json")):
        try:
            books[file.parent.name] = json.loads(file.read_text(encoding="utf-8"))["about"]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # a folder that is no book of ours
    page = render("library.html.j2", title=str(book.config.get("title", "")), noun=noun, books=books)
    write_atomically(library / "index.html", page)
