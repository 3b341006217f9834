"""Several books side by side: a front page over them, and once what they all have alike."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path

from parabook.files import digest, hash_files, write_atomically

ALIKE = "_static"
"""The folder of a book with scripts, styles and the engine of its charts."""

LOOK = """
:root { color-scheme: light dark; --ink: #1f2328; --muted: #57606a; --paper: #fff; --line: #c8ced6; --link: #0b57a4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --muted: #a9b1ba; --paper: #131416; --line: #4a525c; --link: #6cb8f0; } }
body { background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 46rem; padding: 1rem; }
a { color: var(--link); } a:focus-visible { outline: 2px solid; outline-offset: 2px; }
ul { list-style: none; margin: 0; padding: 0; } li { border-top: 3px solid var(--link); padding: 0.6rem 0 1.4rem; }
h2 { font-size: 1.3rem; margin: 0; overflow-wrap: anywhere; } p { margin: 0.3rem 0; overflow-wrap: anywhere; } .source { color: var(--muted); font-size: 0.9rem; }
"""


def share(html: Path, library: Path) -> str:
    """Move what all books have alike out of a book, beside the books; the name of the folder it is in.

    The name comes from the content, so that a book made by another version keeps what it was made with.
    """
    name = f"{ALIKE}-{digest(hash_files(html / ALIKE))[:12]}"
    library.mkdir(parents=True, exist_ok=True)
    try:
        (html / ALIKE).rename(library / name)
    except OSError:  # it is there already: a folder with files in it is never replaced
        shutil.rmtree(html / ALIKE)
    for page in html.glob("*.html"):
        page.write_text(leading_out(page.read_text(encoding="utf-8"), name), encoding="utf-8")
    return name


def leading_out(page: str, name: str) -> str:
    """A page whose links to scripts and styles lead out of the book, to the folder beside the books.

    Examples
    --------
    >>> leading_out('<link href="_static/a.css"><p>src="_static/', "_static-1")
    '<link href="../../_static-1/a.css"><p>src="_static/'
    """
    return re.sub(rf'(<(?:link|script|img)\b[^>]*?(?:href|src)="){ALIKE}/', rf"\g<1>../../{name}/", page)


def books(library: Path) -> dict[str, dict[str, str]]:
    """What the receipts of a library's books say of them, by the book's folder."""
    found = {}
    for receipt in sorted(library.glob("*/receipt.json")):
        try:
            told = json.loads(receipt.read_text(encoding="utf-8"))
            found[receipt.parent.name] = {**told["about"], "shared": told.get("shared", "")}
        except (OSError, ValueError, KeyError, TypeError):
            continue  # a folder that is no book of ours
    return found


def front_page(library: Path) -> Path:
    """Write the page over the books of a library, and remove what no book uses any more."""
    found = books(library)
    write_atomically(library / "index.html", page(found))
    for folder in library.glob(f"{ALIKE}-*"):
        if folder.name not in {book["shared"] for book in found.values()}:
            shutil.rmtree(folder, ignore_errors=True)
    return library / "index.html"


def page(found: Mapping[str, Mapping[str, str]]) -> str:
    """The page over the books.

    Examples
    --------
    >>> 'href="a/html/index.html">A &amp; B<' in page({"a": {"title": "A & B", "lead": "", "source": "", "date": ""}})
    True
    """
    count = f"{len(found):,} {'edition' if len(found) == 1 else 'editions'}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Who fled, how and where to</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{LOOK}</style></head><body><main>'
        f"<h1>Who fled, how and where to</h1><p>{count} of the report, each a book of its own.</p>"
        f"<ul>{''.join(_entries(found))}</ul></main></body></html>\n"
    )


def _entries(found: Mapping[str, Mapping[str, str]]) -> Iterable[str]:
    for name, book in found.items():
        date = f"<p class='source'>{escape(book['date'])}</p>" if book["date"] else ""
        yield (
            f'<li><h2><a href="{escape(name, quote=True)}/html/index.html">{escape(book["title"])}</a></h2>'
            f"<p>{escape(book['lead'])}</p><p class='source'>{escape(book['source'])}</p>{date}</li>"
        )
