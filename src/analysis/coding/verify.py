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
    """The source text that a file holds; InputError when it cannot be read, or is not UTF-8."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError.one(file, error.strerror or "an error", "the source text") from error
    except UnicodeDecodeError as error:
        raise InputError.one(file, f"a byte at {error.start} that is not UTF-8", "UTF-8 text") from error


def paragraphs(text: str) -> list[str]:
    """The non-blank lines of a source text."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def fingerprints(text: str) -> list[tuple[int, int, str]]:
    """Rows of the table ``paragraphs``: number, words, and SHA-256 of the text, the same for straight and curly quotes.

    Examples
    --------
    >>> fingerprints("It’s  so.") == fingerprints("It's so.")
    True
    """
    lines = enumerate(paragraphs(text), 1)
    return [(n, len(words(line)), hashlib.sha256(normalise(line).encode()).hexdigest()) for n, line in lines]


def verify(edition: Edition, text: str) -> Verdict:
    """Whether every coded value of an edition holds against its source, one paragraph a line.

    Problems name table, row, column and fragment. A value is *stated* when it can be read in its fragment; *derived* when
    its rule gives it again; *judged* is a person's word and only its fragment is looked for.
    """
    values = edition.values()
    source = paragraphs(text)
    problems = list(_paragraph_problems(edition, text))
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


def _paragraph_problems(edition: Edition, text: str) -> Iterator[Problem]:
    if not edition.has("paragraphs"):
        yield Problem(edition.name, "no table paragraphs", "the fingerprints of the source's paragraphs")
        return
    file, source = edition.files["paragraphs"], {str(n): (str(many), sha) for n, many, sha in fingerprints(text)}
    stored = edition.rows("paragraphs")
    if len(stored) != len(source):
        yield Problem(file, f"{len(stored)} paragraphs", f"{len(source)}, as in the source")
    for row in stored:
        many, sha = source.get(row["paragraph"], (row["words"], row["fingerprint"]))
        where, whose = f"{file} [{row['paragraph']}]", "as the source's paragraph has"
        if sha != row["fingerprint"]:
            found = f"fingerprint {row['fingerprint'][:12]}…"
            yield Problem(where, found, f"{sha[:12]}…, {whose}", column="fingerprint")
        elif many != row["words"]:
            yield Problem(where, f"{row['words']} words", f"{many}, {whose}", column="words")


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
    """Whether a fragment is a run of whole words of a paragraph."""
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
    types = {each.name: each.type for each in schema(table).fields} if table != "report" else {}
    if column == "declared_interviewees" or types.get(column) in ("integer", "number"):
        return float(value) in counts(fragment)
    return says(fragment, value)


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
