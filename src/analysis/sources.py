"""The edition as a source: its citation, the words behind its values, its codebook."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any

import narwhals as nw
import pandas as pd

from analysis.counts import too_many
from analysis.disclosure import no_people
from analysis.editions import Edition
from analysis.exhibits import Link, show
from analysis.labels import by_means
from analysis.schema import OTHERS
from analysis.tables import text_cells
from analysis.text import anchor, as_text, day, isolate, join, spell, spelled


def citation(book: Edition) -> str:
    """The citation of the edition: makers, date, title, edition, source, publisher, terms and address."""
    by = join([isolate(name) for name in _makers(book)]) or "Author not named"
    date = day(_created(book))
    terms = join([str(each.get("title") or each.get("name") or "") for each in book.package.get("licenses") or []])
    publisher = join([isolate(name) for name in _makers(book, publishers=True)])
    title = f"{by}{f' ({date})' if date else ''}: {isolate(book.title)}"
    coded = f"Coded from {book.sources}" if book.sources else ""
    parts = [title, f"Edition {book.name}", coded, publisher, terms, str(book.package.get("homepage") or "")]
    return ". ".join(filter(None, parts)) + "."


def bibtex(book: Edition) -> str:
    """The citation as an entry for reference managers."""
    by, publisher = (_makers(book, publishers=each) for each in (False, True))
    fields = {
        "author": " and ".join(f"{{{name}}}" for name in by), "title": f"{{{book.title}}}", "date": _created(book),
        "publisher": join(publisher), "note": f"Edition {book.name}", "url": str(book.package.get("homepage") or ""),
    }  # fmt: skip
    plain = {name: re.sub(r"[\\`]", "", text) for name, text in fields.items() if text}
    return "\n".join([f"@misc{{{book.name},", *(f"  {name} = {{{text}}}," for name, text in plain.items()), "}"])


def _makers(book: Edition, *, publishers: bool = False) -> list[str]:
    """The names of those who made the edition, or of its publishers."""
    named = [each for each in book.package.get("contributors") or [] if each.get("title")]
    return [str(each["title"]) for each in named if (each.get("role") == "publisher") == publishers]


def _created(book: Edition) -> str:
    return str(book.package.get("created") or "")[:10]


def how_to_check(book: Edition) -> str:
    """A sentence that says what a reader can check a number against."""
    if not book.has("interviewees"):
        return "Every figure leads to the page where it was read, where that page has an address."
    if book.minimum_cell == 1 and not book.has("evidence"):
        return "Every count leads to the people behind it. This edition keeps no words of its source."
    if book.minimum_cell == 1:
        return "Every count leads to the people behind it, and every fact about them to the words of the source."
    return f"No count leads to single people, as this edition publishes no cell of fewer than {book.minimum_cell:,}."


def persons(book: Edition) -> dict[str, str]:
    """By interviewee the profession, else the gender; blank where neither is stated."""
    people = book.table("interviewees").select("interviewee", "profession", "gender")
    if too_many(book):  # of these none are named but those whom statements are about
        about = [row["about"] for row in book.rows("statements")]
        people = people.filter(nw.col("interviewee").is_in(about))
    rows = zip(*text_cells(people).values(), strict=True)
    return {who: profession or gender for who, profession, gender in rows}


def called(what: Mapping[str, str], *who: str) -> str:
    """The name of people or of a group in a sentence: those of one label together, with their identifiers.

    Examples
    --------
    >>> called({"i02": "IT worker", "i03": "IT worker", "i05": ""}, "i02", "i03", "i05"), called({}, "arrivals")
    ('two IT workers (i02 and i03) and i05', 'arrivals')
    """
    alike: dict[str, list[str]] = {}
    for each in who:
        alike.setdefault(what.get(each, ""), []).append(each)
    texts = []
    for label, those in alike.items():
        texts.append(f"{isolate(_counted(label, len(those)))} ({join(those)})" if label else join(those))
    return join(texts)


def _counted(label: str, n: int) -> str:
    """A number with a label in the plural, if that only takes an s; else the label as it is."""
    regular = label.isascii() and label[-1:].isalpha() and not label.endswith(IRREGULAR)
    return f"{spell(n)} {label}s" if n > 1 and regular else label


IRREGULAR = ("s", "x", "y", "z", "ch", "sh", "man", "child", "person")
"""Ends of words whose plural takes more than an s."""

JUDGED = {
    "profession": "the work", "party": "that they travelled together", "status": "that the journey was made",
    "from_place": "where it began", "to_place": "where it ended", "mode": "the means of travel", "departed": "the day",
}  # fmt: skip
"""What a card calls the values of a column; other columns go by their name."""


def judged(book: Edition, who: str) -> list[Link]:
    """Links to the evidence of what was judged of a person and their legs, as the source does not state it."""
    found: dict[str, Link] = {}
    for (table, key, column), row in book.evidence.items():
        own = table in ("interviewees", "legs") and key.split(".")[0] == who and column != "counted"
        if own and row["basis"] == "judged":
            what = JUDGED.get(column, column.replace("_", " "))
            found.setdefault(what, Link(what, f"#{anchor(table, key, column)}"))
    return list(found.values())


def on_the_way(book: Edition, who: str) -> list[Link]:
    """The days, means of travel and waits of a person's journey in words, each a link to its evidence."""
    made = [row for row in book.rows("legs") if row["interviewee"] == who and row["status"] == "made"]
    found = []
    for leg in made:
        begun = "began the last leg" if leg is made[-1] else f"began leg {leg['leg']}"
        if leg["leg"] == "1":
            begun = "set off"
        for column in (each for each in ("departed", "mode", "nights_waited") if leg[each]):
            place = ("legs", f"{who}.{leg['leg']}", column)
            proof = book.evidence.get(place)
            judged = proof is not None and proof["basis"] == "judged"
            if column == "departed":
                text = f"{begun} on {day(leg[column], short=True)}{' at the earliest' * judged}"
            elif column == "mode":
                text = f"{by_means(leg[column])}{' (our reading)' * judged}"
            else:
                text = f"spent {spelled(int(leg[column]), 'night')} waiting or sleeping out"
            found.append(Link(text, f"#{anchor(*place)}" if proof else ""))
    return found


def statements(book: Edition) -> pd.DataFrame:
    """The table of statements, with the ``words`` of the source, their ``paragraph``, and who ``speaks``."""
    said = book.frame("statements")
    proofs = [book.evidence.get(("statements", key, "says"), {}) for key in said["statement"]]
    for name, part in (("words", "exact"), ("paragraph", "paragraph"), ("speaks", "note")):
        said[name] = pd.Series([row.get(part, "") for row in proofs], said.index, dtype="str")
    return said


def evidence(book: Edition) -> pd.DataFrame:
    """Every coded value with the words it rests on; where small cells are suppressed, without those of interviewees.

    Columns ``about`` (a person, a group, "places", "figures" or "the report"), ``table``, ``row``, ``column``,
    ``value``, ``words of the source``, ``paragraph``, ``basis``, ``rule or reason``.
    """
    values, whom = book.values(), {row["statement"]: row["about"] for row in book.rows("statements")}
    other = {"places": "places", "destinations": "figures", "report": "the report"}
    rows = [
        (other.get(table) or whom.get(key) or key.split(".")[0], table, key, column, values[table, key, column],
         *(row[part] for part in ("exact", "paragraph", "basis", "note")))
        for (table, key, column), row in book.evidence.items()
    ]  # fmt: skip
    names = ["about", "table", "row", "column", "value", "words of the source", "paragraph", "basis", "rule or reason"]
    frame = pd.DataFrame(rows, columns=names)
    if book.minimum_cell > 1:
        frame = frame[frame["about"].isin((*OTHERS, "figures", "the report")) & (frame["table"] != "places")]
    return no_people(frame.reset_index(drop=True))


def rows_linked(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Cells with identifiers of figures, commas or "and" between, as links to the figures' rows."""
    return pd.Series(
        [[Link(each, f"#{each}") for each in re.split(r", and |, | and ", as_text(cell)) if each] for cell in cells],
        cells.index,
        dtype="object",
    )


def paragraph(text: str, kind: str) -> None:
    """Show plain text as a paragraph."""
    show({"text/html": f'<p class="{kind}">{escape(text)}</p>', "text/plain": text})


def markdown(text: str, kind: str = "rulings") -> None:
    """Show Markdown of an edition, raw HTML as text. Headings of ``rulings`` stand one level below the chapter's."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).disable("image")
    tokens = parser.parse(text)
    for at, token in enumerate(tokens):
        if kind == "rulings" and token.type in ("heading_open", "heading_close") and token.tag in ("h1", "h2", "h3"):
            token.tag = f"h{int(token.tag[1]) + 1}"
        elif kind == "story" and token.type == "heading_open":  # the page's contents list it
            words = re.findall(r"\w+", tokens[at + 1].content.casefold())
            token.attrs |= {"id": "-".join(["story", *words]), "class": "listed"}
    html = parser.renderer.render(tokens, parser.options, {})
    show({"text/html": f'<div class="{kind}">{html}</div>', "text/plain": text})
