"""Checks coded values against the source text: each value against its fragment, each fragment against its paragraph."""

from __future__ import annotations

import hashlib
import re
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
    """The result of verifying an edition: the number of coded values, of those with valid evidence, and the problems."""

    values: int
    resolved: int
    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        return f"{self.resolved:,} of {self.values:,} values resolve"


def source_text(file: Path) -> str:
    """The text of a source file; InputError when it cannot be read or is not UTF-8."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError.one(file, getattr(error, "strerror", "") or str(error), "the source text in UTF-8") from error


def paragraphs(text: str) -> list[str]:
    """The non-blank lines of a source text."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def fingerprints(text: str) -> list[tuple[int, int, str]]:
    """Rows of the table ``paragraphs``: number, words, and SHA-256 of the normalised text.

    >>> fingerprints("It’s  so.") == fingerprints("It's so.")
    True
    """
    lines = enumerate(paragraphs(text), 1)
    return [(n, len(words(line)), hashlib.sha256(normalise(line).encode()).hexdigest()) for n, line in lines]


def verify(edition: Edition, text: str) -> Verdict:
    """Check every coded value of an edition against its source, one paragraph a line.

    Problems name table, key, column and fragment. A *stated* value must be readable in its fragment, the rule of a *derived*
    one must give it again; a *judged* value is a person's decision, so that only its fragment is looked for.
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
    """The paragraphs of a text that differ from the fingerprints of an edition."""
    if not edition.has("paragraphs"):
        yield Problem(edition.name, "no table paragraphs", "the fingerprints of the source's paragraphs")
        return
    file, stored = edition.files["paragraphs"], {row["paragraph"]: row for row in edition.rows("paragraphs")}
    source = fingerprints(text)
    if len(stored) != len(source):
        yield Problem(file, f"{len(stored)} paragraphs", f"{len(source)}, as in the source")
    for number, many, fingerprint in source:
        row = stored.get(str(number), {})
        for column, value in (("fingerprint", fingerprint), ("words", str(many))):
            if row.get(column, value) != value:
                needed = f"{value}, as the source's paragraph has"
                yield Problem(f"{file} [{number}]", f"{column} {row[column]}", needed, column=column)
                break  # another text: that its words differ too says nothing more


def _problem(edition: Edition, row: Row, value: str, source: list[str]) -> tuple[str, str, str] | None:
    """What is wrong with a value's evidence (found, needed, hint); None if nothing is."""
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
    """The value that a rule of the codebook gives for a fragment, as text; blank if it gives none."""
    setting = Setting(column, edition.report.collected_at, edition.report.event_date)
    return as_text(RULES[rule](fragment, setting))


def same(given: str, value: str, table: str, column: str) -> bool:
    """Whether two values of a column are equal, numbers also when written differently."""
    if given and value and type_of(table, column) == "number":
        return float(given) == float(value)
    return given == value


def _is_in(paragraph: str, fragment: str) -> bool:
    """Whether a fragment is a run of whole words of a paragraph."""
    line, part = f" {' '.join(words(paragraph))} ", f" {' '.join(words(fragment))} "
    return bool(part.strip()) and part in line


def type_of(table: str, column: str) -> str:
    """The type of a coded value by the schema of its table; "string" for a column of the edition's own."""
    if table == "report":
        return "integer" if column == "declared_interviewees" else "string"
    return next((each.type for each in schema(table).fields if each.name == column), "string")


def readable(value: str, table: str, column: str, fragment: str, edition: Edition) -> bool:
    """Whether a value of basis *stated* can be read in its fragment: label, number, number word, name, day.

    Digits of a date are no number. The year of a date is that in the fragment, else that of the reference event.
    """
    if column.endswith("_place") or column == "collected_at":
        return value in edition.places and says(fragment, edition.places[value]["name"])
    if column in ("countries", "country"):
        former = vocabulary("former-countries").get(value, {}).get("name", "")
        return named(fragment) == value.split() or says(fragment, former)
    if is_date(value):
        year, month, day = value.split("-")
        years = re.findall(r"(?<!\d)(?:19|20)\d\d(?!\d)", fragment) or [edition.report.event_date[:4]]
        return says(fragment, MONTHS[int(month) - 1]) and float(day) in numbers(fragment) and year in years
    if type_of(table, column) in ("integer", "number"):
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
    """Codes of countries by each of their names, such as Türkiye and Turkey."""
    others = {name: row["country"] for name, row in vocabulary("cities").items() if row["precision"] == "country"}
    return {name: code for code, name in countries().items()} | others
