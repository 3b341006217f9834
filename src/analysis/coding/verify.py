"""Whether every coded value holds against the source: from a value to its fragment, from the fragment to its paragraph."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from analysis.coding.relations import Place
from analysis.coding.rules import MONTHS, RULES, Setting, counts, normalise, numbers, rule_of, says, words
from analysis.editions import Edition, Row
from analysis.schema import countries, schema, vocabulary
from analysis.tables import is_date
from analysis.text import as_text
from parabook.errors import InputError, Problem, nearest, show


@dataclass(frozen=True)
class Verdict:
    """What verifying an edition found."""

    values: int
    """Coded values looked at."""
    resolved: int
    """Values whose evidence holds."""
    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        return f"{self.resolved:,} of {self.values:,} values resolve"


def source_text(file: Path) -> str:
    """The source text that a file holds.

    Raises
    ------
    InputError
        When it cannot be read, or is not UTF-8.
    """
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError.one(file, error.strerror or "an error", "the source text") from error
    except UnicodeDecodeError as error:
        raise InputError.one(file, f"a byte at {error.start} that is not UTF-8", "UTF-8 text") from error


def paragraphs(text: str) -> list[str]:
    """The non-blank lines of a source text.

    Examples
    --------
    >>> paragraphs("Title\\n\\nFirst.\\n")
    ['Title', 'First.']
    """
    return [line.strip() for line in text.splitlines() if line.strip()]


def fingerprint(paragraph: str) -> str:
    """SHA-256 of a normalised paragraph: the same for straight and curly quotes.

    Examples
    --------
    >>> fingerprint("It’s  so.") == fingerprint("It's so.")
    True
    """
    return hashlib.sha256(normalise(paragraph).encode()).hexdigest()


def fingerprints(text: str) -> list[tuple[int, int, str]]:
    """Rows of the table ``paragraphs``: number, words, fingerprint."""
    return [(n, len(words(line)), fingerprint(line)) for n, line in enumerate(paragraphs(text), 1)]


def verify(edition: Edition, text: str) -> Verdict:
    """Whether every coded value of an edition holds against its source.

    Parameters
    ----------
    edition : Edition
        With tables ``evidence`` and ``paragraphs``.
    text : str
        The source, one paragraph a line.

    Returns
    -------
    Verdict
        Problems name table, row, column and fragment. A value is *stated* when it can be read in its
        fragment; *derived* when its rule gives it again; *judged* is a person's word and only its
        fragment is looked for.
    """
    values = edition.values()
    source = paragraphs(text)
    problems = list(_paragraph_problems(edition, source))
    wrong: set[Place] = set()
    for place, row in edition.evidence.items():
        if problem := _problem(edition, row, values.get(place, ""), source):
            wrong.add(place)
            found, wanted, hint = problem
            problems.append(Problem(_where(edition, place), found, wanted, hint, column=place[2]))
    for place in values:
        if place not in edition.evidence:
            wrong.add(place)
            problems.append(Problem(_where(edition, place), show(values[place]), "a row of evidence", column=place[2]))
    return Verdict(len(values), len(values.keys() - wrong), tuple(problems))


def _where(edition: Edition, place: Place) -> str:
    return f"{edition.files.get(place[0], 'datapackage.json')} [{place[1]}]"


def _paragraph_problems(edition: Edition, source: list[str]) -> Iterator[Problem]:
    if not edition.has("paragraphs"):
        yield Problem(edition.name, "no table paragraphs", "the fingerprints of the source's paragraphs")
        return
    file, stored = edition.files["paragraphs"], edition.rows("paragraphs")
    if len(stored) != len(source):
        yield Problem(file, f"{len(stored)} paragraphs", f"{len(source)}, as in the source")
    for row in stored:
        number = int(row["paragraph"])
        if number > len(source):
            continue
        where, computed, many = f"{file} [{number}]", fingerprint(source[number - 1]), len(words(source[number - 1]))
        if computed != row["fingerprint"]:
            wanted = f"{computed[:12]}…, that of the source's paragraph {number}"
            yield Problem(where, f"fingerprint {row['fingerprint'][:12]}…", wanted, column="fingerprint")
        elif many != int(row["words"]):
            wanted = f"{many}, as the source's paragraph {number} has"
            yield Problem(where, f"{row['words']} words", wanted, column="words")


def _problem(edition: Edition, row: Row, value: str, source: list[str]) -> tuple[str, str, str] | None:
    """Why a value's evidence does not hold (found, needed, hint), or None when it does."""
    number, fragment = int(row["paragraph"]), row["exact"]
    quoted = f"the fragment “{fragment}”"
    if not value:
        return "a blank cell", f"the value that {quoted} is evidence for", "remove the row of evidence"
    if not 1 <= number <= len(source):
        return f"paragraph {number}", f"one of the source's {len(source)} paragraphs", ""
    if not says_exactly(source[number - 1], fragment):
        elsewhere = [n for n, line in enumerate(source, 1) if says_exactly(line, fragment)]
        hint = f"it stands in paragraph {elsewhere[0]}" if elsewhere else "quote the source"
        return quoted, f"a run of words of paragraph {number}", hint
    if row["basis"] == "stated" and not readable(value, row["table"], row["column"], fragment, edition):
        return show(value), f"a value that can be read in {quoted}", "correct the value, or give another basis"
    if row["basis"] == "derived":
        rule = rule_of(row["note"])
        setting = Setting(row["column"], edition.report.collected_at, edition.report.event_date)
        given = as_text(RULES[rule](fragment, setting))
        if not same(given, value):
            return show(value), f"{show(given)}, as rule {rule} gives for {quoted}", nearest(value, [given])
    return None


def says_exactly(paragraph: str, fragment: str) -> bool:
    """Whether a fragment is a run of whole words of a paragraph.

    Examples
    --------
    >>> says_exactly("They flew to the city.", "flew to the")
    True
    >>> says_exactly("They flew to the city.", "few to the")
    False
    """
    line, part = f" {' '.join(words(paragraph))} ", f" {' '.join(words(fragment))} "
    return bool(part.strip()) and part in line


def same(given: str, value: str) -> bool:
    """Whether two cells are the same value; numbers by size.

    Examples
    --------
    >>> same("60.0", "60"), same("251", "0251"), same("man", "woman")
    (True, False, False)
    """
    if given == value:
        return True
    try:
        return float(given) == float(value) and "." in given + value
    except ValueError:
        return False


def readable(value: str, table: str, column: str, fragment: str, edition: Edition) -> bool:
    """Whether a value of basis *stated* can be read in its fragment: label, number, number word, name, day.

    A number is not read from a day or a year; a day's year is the fragment's, or else that of the reference event.
    """
    if column.endswith("_place") or column == "collected_at":
        return value in edition.places and says(fragment, edition.places[value]["name"])
    if column in ("countries", "country"):
        former = vocabulary("former-countries").get(value, {}).get("name", "")
        return named(fragment) == value.split() or says(fragment, former)
    if is_date(value):
        year, month, day = value.split("-")
        years = numbers(fragment) | {float(edition.report.event_date[:4] or 0)}
        return says(fragment, MONTHS[int(month) - 1]) and float(day) in numbers(fragment) and float(year) in years
    if _is_number(table, column):
        return float(value) in counts(fragment)
    return says(fragment, value)


def _is_number(table: str, column: str) -> bool:
    numeric = ("integer", "number")
    if table == "report":
        return column == "declared_interviewees"
    return any(field.name == column and field.type in numeric for field in schema(table).fields)


def named(fragment: str) -> list[str]:
    """The codes of the countries that a fragment names, in its order.

    Examples
    --------
    >>> named("fled to Georgia, Finland, Mongolia")
    ['GEO', 'FIN', 'MNG']
    """
    text = normalise(fragment)
    found = [(text.index(normalise(name)), code) for code, name in countries().items() if says(fragment, name)]
    return [code for _, code in sorted(found)]
