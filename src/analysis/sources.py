"""The edition as a source: how to cite it, the words behind its values, its codebook."""

from __future__ import annotations

import pandas as pd

from analysis.disclosure import PEOPLE, no_people, one_by_one
from analysis.editions import Edition
from analysis.exhibits import show
from analysis.schema import TABLES
from analysis.text import isolate, join


def citation(book: Edition) -> str:
    """How to cite the edition: who made it, what it is called, which it is."""
    makers = [str(each.get("title") or "") for each in book.package.get("contributors", [])]
    by = join([isolate(name) for name in makers if name]) or "Author not named"
    return f"{by}: {isolate(book.title)}. Edition {book.name}."


def how_to_check(book: Edition) -> str:
    """Whether counts lead to people one by one."""
    if book.minimum_cell == 1:
        return "Every count of people described leads to the rows behind it, and every row to the words of the source."
    fewest = f"no cell of fewer than {book.minimum_cell:,} people"
    return f"No count leads to people one by one: this edition publishes {fewest}."


def coded_tables(book: Edition) -> list[str]:
    """The tables that evidence speaks of, the report object first."""
    found = {table for table, _, _ in book.evidence}
    return [name for name in ("report", *TABLES) if name in found]


def evidence_of(book: Edition, table: str) -> pd.DataFrame:
    """Every coded value of a table with the words it rests on; withheld of people where small cells are suppressed.

    Columns ``row``, ``column``, ``value``, ``words of the source``, ``paragraph``, ``basis``, ``rule or reason``.
    """
    values = book.values()
    rows = [
        (key, column, values[name, key, column], *(row[part] for part in ("exact", "paragraph", "basis", "note")))
        for (name, key, column), row in book.evidence.items()
        if name == table
    ]
    names = ["row", "column", "value", "words of the source", "paragraph", "basis", "rule or reason"]
    frame = pd.DataFrame(rows, columns=names)
    return one_by_one(frame, book.minimum_cell) if table in PEOPLE else no_people(frame)


def markdown(text: str) -> None:
    """Show Markdown of an edition; raw HTML in it is shown, not obeyed, and its headings stand below the chapter's."""
    from markdown_it import MarkdownIt

    html = MarkdownIt("commonmark", {"html": False}).disable("image").render(text)
    for level in (3, 2, 1):
        html = html.replace(f"<h{level}>", f"<h{level + 1}>").replace(f"</h{level}>", f"</h{level + 1}>")
    show({"text/html": f'<div class="rulings">{html}</div>', "text/plain": text})
