"""Whether every coded value holds against the source: from a value to its fragment, from the fragment to its paragraph."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from analysis.coding.relations import Place, needs_evidence
from analysis.coding.rules import MONTHS, RULES, Setting, counts, normalise, numbers, rule_of, says, words
from analysis.editions import Edition, Row
from analysis.schema import countries, is_date, schema, vocabulary
from analysis.text import as_text
from parabook.errors import InputError, Problem, nearest, show


@dataclass(frozen=True)
class Verdict:
    """What verifying an edition found: how many coded values it has, of how many the evidence holds, what is wrong."""

    values: int
    resolved: int
    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        return f"{self.resolved:,} of {self.values:,} values resolve"


def source_text(file: Path) -> str:
    """The source text that a file holds; InputError when it cannot be read, or is not UTF-8."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError.one(file, getattr(error, "strerror", "") or str(error), "the source text in UTF-8") from error


def paragraphs(text: str) -> list[str]:
    """The non-blank lines of a source text."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def fingerprints(text: str) -> list[tuple[int, int, str]]:
    """Rows of the table ``paragraphs``: number, words, and SHA-256 of the text, the same for straight and curly quotes.

    >>> fingerprints("It’s  so.") == fingerprints("It's so.")
    True
    """
    lines = enumerate(paragraphs(text), 1)
    return [(n, len(words(line)), hashlib.sha256(normalise(line).encode()).hexdigest()) for n, line in lines]


def verify(edition: Edition, text: str) -> Verdict:
    """Whether every coded value of an edition holds against its source, one paragraph a line.

    Problems name table, key, column and fragment. A value is *stated* when it can be read in its fragment; *derived* when
    its rule gives it again; *judged* is a person's word and only its fragment is looked for.
    """
    source, evident = paragraphs(text), edition.evidence
    values = {place: value for place, value in edition.values().items() if place in evident or needs_evidence(place)}
    problems = list(paragraph_problems(edition, text))
    wrong: set[Place] = set()
    for place in dict.fromkeys([*evident, *values]):
        value, row = values.get(place, ""), evident.get(place)
        problem = _problem(edition, row, value, source) if row else (show(value), "a row of evidence", "")
        if problem:
            wrong.add(place)
            file = f"{edition.files.get(place[0], 'datapackage.json')} [{place[1]}]"
            problems.append(Problem(file, *problem, column=place[2]))
    return Verdict(len(values), len(values.keys() - wrong), tuple(problems))


def paragraph_problems(edition: Edition, text: str) -> Iterator[Problem]:
    """Where a text is not the one that an edition has the fingerprints of."""
    if not edition.has("paragraphs"):
        yield Problem(edition.name, "no table paragraphs", "the fingerprints of the source's paragraphs")
        return
    file, stored = edition.files["paragraphs"], {row["paragraph"]: row for row in edition.rows("paragraphs")}
    source = fingerprints(text)
    if len(stored) != len(source):
        yield Problem(file, f"{len(stored)} paragraphs", f"{len(source)}, as in the source")
    for number, many, fingerprint in source:
        row = stored.get(str(number), {"words": str(many), "fingerprint": fingerprint})
        column, has = ("words", str(many)) if row["fingerprint"] == fingerprint else ("fingerprint", fingerprint)
        if row[column] != has:
            needed = f"{has}, as the source's paragraph has"
            yield Problem(f"{file} [{number}]", f"{column} {row[column]}", needed, column=column)


def _problem(edition: Edition, row: Row, value: str, source: list[str]) -> tuple[str, str, str] | None:
    """Why a value's evidence does not hold (found, needed, hint), or None when it does."""
    number, fragment = int(row["paragraph"]), row["exact"]
    quoted = f"the fragment “{fragment}”"
    if not value:
        return "a blank cell", f"the value that {quoted} is evidence for", "remove the row of evidence"
    if not 1 <= number <= len(source):
        return f"paragraph {number}", f"one of the source's {len(source)} paragraphs", ""
    if not _is_in(source[number - 1], fragment):
        elsewhere = next((n for n, line in enumerate(source, 1) if _is_in(line, fragment)), None)
        hint = f"it stands in paragraph {elsewhere}" if elsewhere else "quote the source"
        return quoted, f"a run of words of paragraph {number}", hint
    if row["basis"] == "stated" and not readable(value, row["table"], row["column"], fragment, edition):
        return show(value), f"a value that can be read in {quoted}", "correct the value, or give another basis"
    if row["basis"] == "derived":
        rule = rule_of(row["note"])
        given = derived(rule, row["column"], fragment, edition)
        if not same(given, value, row["table"], row["column"]):
            return show(value), f"{show(given)}, as rule {rule} gives for {quoted}", nearest(value, [given])
    return None


def derived(rule: str, column: str, fragment: str, edition: Edition) -> str:
    """What a rule of the codebook gives for a fragment as the value of a column; blank for nothing."""
    setting = Setting(column, edition.report.collected_at, edition.report.event_date)
    return as_text(RULES[rule](fragment, setting))


def same(given: str, value: str, table: str, column: str) -> bool:
    """Whether two values of a column are one, however their numbers are written."""
    number = given and value and kind_of(table, column) == "number"
    return given == value or bool(number and float(given) == float(value))


def _is_in(paragraph: str, fragment: str) -> bool:
    """Whether a fragment is a run of whole words of a paragraph."""
    line, part = f" {' '.join(words(paragraph))} ", f" {' '.join(words(fragment))} "
    return bool(part.strip()) and part in line


def kind_of(table: str, column: str) -> str:
    """The type of a coded value; of those in the report object only the declared number is none of text."""
    fields = schema(table).fields if table != "report" else ()
    kinds = {each.name: each.type for each in fields} | {"declared_interviewees": "integer"}
    return kinds.get(column, "string")


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
    if kind_of(table, column) in ("integer", "number"):
        return float(value) in counts(fragment)
    return says(fragment, value)


def named(fragment: str) -> list[str]:
    """The codes of the countries that a fragment names, in its order.

    >>> named("fled to Georgia, Finland, Mongolia")
    ['GEO', 'FIN', 'MNG']
    """
    text = normalise(fragment)
    found = {code: text.index(normalise(name)) for name, code in _country_names().items() if says(fragment, name)}
    return sorted(found, key=found.__getitem__)


@cache
def _country_names() -> dict[str, str]:
    """Codes of countries by each name that they go by: Türkiye and Turkey."""
    spelt = {name: row["country"] for name, row in vocabulary("cities").items() if row["precision"] == "country"}
    return {name: code for code, name in countries().items()} | spelt
