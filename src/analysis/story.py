"""An edition's own narrative, ``story.md``: its numbers are computed, its facts lead to evidence, its claims must hold.

It is Markdown with three additions, and nothing else in it is evaluated:

- ``{{ QUERY }}`` pastes a value: ``TABLE where COLUMN = VALUE and …`` is how many rows there are (of interviewees,
  those counted), ``TABLE KEY COLUMN`` is a cell, ``report COLUMN`` what the edition declares;
- ``[words](#TABLE.KEY.COLUMN)`` leads to the evidence of a value, or, of a figure without any, to its row;
  ``[words](#s12)`` to the evidence of a statement. “Words” in quotation marks must stand in that evidence;
- ``<!-- holds: CLAIM -->`` is what the sentence before it claims: ``3 TABLE where …``, ``at least 2 TABLE where …``,
  ``at most 2 TABLE where …`` or ``TABLE KEY COLUMN = VALUE``. A claim that is false, like a link that leads nowhere, is an error of the edition.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt, ne
from pathlib import Path
from typing import Any

from analysis import editions
from analysis.editions import Edition
from analysis.schema import TABLES, is_date, schema
from analysis.tables import shown_path
from analysis.text import anchor, day, spell
from parabook.errors import InputError, Problem, nearest, show

FILE = "story.md"

CLAIM = re.compile(r"\s*<!--\s*holds:(.*?)-->")
PASTED = re.compile(r"\{\{(.*?)\}\}")
LINKED = re.compile(r"(?:“([^”]*)”)?\]\(#([^)]*)\)")
CONDITION = r"(\w+) (=|!=|<=|>=|<|>) ?(.*)"
OPERATORS = {"=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
COUNTS = {"at least": ge, "at most": le, "": eq}
"""How a claim compares the number of rows with its own."""

FORMS = "TABLE where COLUMN = VALUE, or TABLE KEY COLUMN"


@dataclass(frozen=True)
class Story:
    """A narrative whose claims hold: headline, first paragraph as plain text, and the Markdown below the headline."""

    headline: str
    lead: str
    text: str


class Wrong(ValueError):
    """A query or a claim that is wrong: what was found, what is needed, and a hint."""

    def at(self, file: str, row: int) -> Problem:
        found, needed, hint = self.args
        return Problem(file, found, needed, hint, row)


def read_story(book: Edition) -> Story | None:
    """The story of an edition, its values pasted; None without one, or where small cells are suppressed.

    Raises
    ------
    InputError
        With each claim that is false, each query that has no answer, and each link that leads nowhere.
    """
    text = book.further_file(FILE)
    if not text or book.minimum_cell > 1:  # a story tells of small cells
        return None
    shown, problems, lines = shown_path(book.path / FILE), list[Problem](), list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        for claim in CLAIM.findall(line):
            try:
                _check(book, claim.strip())
            except Wrong as error:
                problems.append(error.at(shown, number))
        try:
            pasted = PASTED.sub(lambda match: _pasted(book, match), CLAIM.sub("", line))
            lines.append(LINKED.sub(lambda match: _linked(book, match), pasted))
        except Wrong as error:
            problems.append(error.at(shown, number))
    if problems:
        raise InputError(dict.fromkeys(problems))
    headline, _, body = "\n".join(lines).lstrip().removeprefix("# ").partition("\n")
    first = re.sub(r"\[([^]]*)\]\([^)]*\)|[*_]", r"\1", body.strip().partition("\n\n")[0])
    return Story(headline.strip(), " ".join(first.split()), body.strip())


def _check(book: Edition, claim: str) -> None:
    """Raise `Wrong` for a claim that is false or cannot be read."""
    found = answer(book, claim)
    if found is not True:
        raise Wrong(f"{show(claim)}, and it is {found}", "a claim that holds", "change the sentence, or the table")


def answer(book: Edition, claim: str) -> bool | str:
    """True if a claim holds, else what the tables say in its place.

    Examples
    --------
    >>> from analysis.editions import open_edition
    >>> book = open_edition("oral-2022")
    >>> answer(book, "17 report declared_interviewees"), answer(book, "at least 2 interviewees where age_min >= 30")
    (True, True)
    >>> answer(book, "interviewees i05 profession = student"), answer(book, "3 interviewees where profession = student")
    (True, '2')
    """
    if counted := re.fullmatch(r"(?:(at least|at most) )?(\d+) (.+)", claim):
        found, compare = value(book, counted[3]), COUNTS[counted[1] or ""]
        return (found.isdigit() and compare(int(found), int(counted[2]))) or found
    if compared := re.fullmatch(rf"(\S+ \S+) {CONDITION}", claim):
        cell, column, sign, wanted = compared.groups()
        found = value(book, f"{cell} {column}")
        return _compares(found, sign, wanted) or found or "blank"
    raise Wrong(show(claim), f"NUMBER {FORMS} = VALUE", "")


def value(book: Edition, query: str) -> str:
    """The answer to a query, as text: the number of rows, or a cell.

    Examples
    --------
    >>> from analysis.editions import open_edition
    >>> book = open_edition("oral-2022")
    >>> value(book, "interviewees where party = p1 and gender = man"), value(book, "places oral name")
    ('1', 'Oral')
    """
    words = query.split()
    if words[:1] == ["report"] and len(words) == 2:
        return book.values().get(("report", "report", words[1]), "")
    name, _, where = query.partition(" where ")
    table = name.split()[0] if name.split() else ""
    if table not in TABLES:
        raise Wrong(show(query), FORMS, nearest(table, TABLES))
    rows = [row for row in book.rows(table) if row.get("counted", "yes") == "yes"]
    if table == name:
        conditions = re.split(r" and (?=\w+ (?:=|!=|<=|>=|<|>) )", where) if where else []
        return str(sum(all(_holds(row, each, table) for each in conditions) for row in rows))
    if len(words) != 3:
        raise Wrong(show(query), FORMS, "")
    keyed = {".".join(row[part] for part in schema(table).key): row for row in book.rows(table)}
    if words[1] not in keyed:
        raise Wrong(f"no row {show(words[1])} in {table}", "the key of a row", nearest(words[1], keyed))
    return _cell(keyed[words[1]], words[2], table)


def _holds(row: Mapping[str, str], condition: str, table: str) -> bool:
    if not (parts := re.fullmatch(CONDITION, condition.strip())):
        raise Wrong(show(condition), "COLUMN = VALUE", "")
    return _compares(_cell(row, parts[1], table), parts[2], parts[3])


def _cell(row: Mapping[str, str], column: str, table: str) -> str:
    if column not in row:
        raise Wrong(f"no column {show(column)} in {table}", "a column of it", nearest(column, row))
    return row[column]


def _compares(found: str, sign: str, wanted: str) -> bool:
    """Whether a comparison is true, of numbers if both values are, else of text; a blank is neither more nor less."""
    wanted = "" if wanted == "blank" else wanted
    ends: tuple[Any, Any] = (found, wanted)
    try:
        ends = (float(found), float(wanted))
    except ValueError:
        if not found and sign not in ("=", "!="):
            return False
    return bool(OPERATORS[sign](*ends))


def _pasted(book: Edition, match: re.Match[str]) -> str:
    """A value as prose writes it: small numbers in words, large ones with commas, a capital where a sentence begins."""
    found = value(book, match[1].strip())
    found = spell(int(found)) if found.isdigit() and len(found) < 10 else day(found) if is_date(found) else found
    begins = not match.string[: match.start()].strip() or match.string[: match.start()].endswith((". ", "# "))
    found = found[:1].upper() + found[1:] if begins else found
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", found)


def _linked(book: Edition, match: re.Match[str]) -> str:
    """The end of a link, with the words it quotes, if any: to the evidence of a value, or to the row of a figure."""
    quoted, target = match[1], match[2]
    words = f"“{quoted}”" if quoted is not None else ""
    for place, row in book.evidence.items():
        if target in (".".join(place), place[1] if place[::2] == ("statements", "says") else ""):
            if (quoted or "").casefold() not in row["exact"].casefold():
                raise Wrong(f"{words} in a link to {show('#' + target)}", "words of this evidence", show(row["exact"]))
            return f"{words}](evidence.html#{anchor(*place)})"
    table, _, figure = target.rpartition(".")[0].partition(".")
    if quoted is None and table == "destinations" and any(row["figure"] == figure for row in book.rows(table)):
        return f"](destinations.html#{figure})"
    known = [".".join(place) for place in book.evidence]
    needed = "TABLE.KEY.COLUMN of a value with evidence, or a statement"
    raise Wrong(f"a link to {show('#' + target)}", needed, nearest(target, known))


def examine(path: str | Path) -> tuple[Edition | None, list[Problem]]:
    """An edition and all that is wrong with it, as from `editions.examine`, the claims of its story included."""
    edition, problems = editions.examine(path)
    try:
        if edition and all(each.warning for each in problems):
            read_story(edition)
    except InputError as error:
        problems = [*problems, *error.problems]
    return edition, problems
