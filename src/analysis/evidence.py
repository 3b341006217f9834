"""From a value to its fragment, from the fragment to its paragraph; and whether they hold against the source."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from analysis.checks import rule_of
from analysis.edition import Edition, all_values
from analysis.frames import Row, as_text, records
from analysis.rules import RULES, Setting, normalise, numbers, says, words
from analysis.schema import countries, vocabulary
from parabook.errors import InputError, Problem, nearest, show

MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]


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
    values = all_values(edition.tables, edition.report)
    source = paragraphs(text)
    problems = list(_paragraph_problems(edition, source))
    wrong: set[tuple[str, str, str]] = set()
    seen: set[tuple[str, str, str]] = set()
    for row in records(edition.text["evidence"]) if "evidence" in edition.tables else []:
        place = (row["table"], row["key"], row["column"])
        seen.add(place)
        problem = _problem(edition, row, values.get(place, ""), source)
        if problem:
            found, needed, hint = problem
            wrong.add(place)
            file = edition.files.get(row["table"], "datapackage.json")
            where = f"{file} [{row['key']}]"
            problems.append(Problem(where, found, needed, hint, column=row["column"]))
    for place in values.keys() - seen:
        wrong.add(place)
        problems.append(
            Problem(
                f"{edition.files.get(place[0], place[0])} [{place[1]}]",
                show(values[place]),
                "a row of evidence",
                column=place[2],
            )
        )
    return Verdict(len(values), len(values.keys() - wrong), tuple(problems))


def _paragraph_problems(edition: Edition, source: list[str]) -> Iterator[Problem]:
    if "paragraphs" not in edition.tables:
        yield Problem(edition.name, "no table paragraphs", "the fingerprints of the source's paragraphs")
        return
    stored = edition.text["paragraphs"]
    if len(stored) != len(source):
        yield Problem(edition.files["paragraphs"], f"{len(stored)} paragraphs", f"{len(source)}, as in the source")
    for row in records(stored):
        number = int(row["paragraph"])
        if number <= len(source) and fingerprint(source[number - 1]) != row["fingerprint"]:
            yield Problem(
                f"{edition.files['paragraphs']} [{number}]",
                f"fingerprint {row['fingerprint'][:12]}…",
                f"{fingerprint(source[number - 1])[:12]}…, that of the source's paragraph {number}",
                column="fingerprint",
            )
        elif number <= len(source) and len(words(source[number - 1])) != int(row["words"]):
            yield Problem(
                f"{edition.files['paragraphs']} [{number}]",
                f"{row['words']} words",
                f"{len(words(source[number - 1]))}, as the source's paragraph {number} has",
                column="words",
            )


def _problem(edition: Edition, row: Row, value: str, source: list[str]) -> tuple[str, str, str] | None:
    """Why a value's evidence does not hold (found, needed, how to hint), or None when it does."""
    number, fragment = int(row["paragraph"]), row["exact"]
    quoted = f"the fragment “{fragment}”"
    if not value:
        return "a blank cell", f"the value that {quoted} is evidence for", "remove the row of evidence"
    if not 1 <= number <= len(source):
        return f"paragraph {number}", f"one of the source's {len(source)} paragraphs", ""
    if not says_exactly(source[number - 1], fragment):
        elsewhere = [n for n, line in enumerate(source, 1) if says_exactly(line, fragment)]
        return (
            quoted,
            f"a run of words of paragraph {number}",
            f"it stands in paragraph {elsewhere[0]}" if elsewhere else "quote the source",
        )
    if row["basis"] == "stated" and not readable(value, row["column"], fragment, edition):
        return show(value), f"a value that can be read in {quoted}", "hint the value, or give another basis"
    if row["basis"] == "derived":
        setting = Setting(row["column"], edition.report.collected_at, edition.report.event_date)
        given = as_text(RULES[rule_of(row["note"])](fragment, setting))
        if not same(given, value):
            return (
                show(value),
                f"{show(given)}, as rule {rule_of(row['note'])} gives for {quoted}",
                nearest(value, [given]),
            )
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


def readable(value: str, column: str, fragment: str, edition: Edition) -> bool:
    """Whether a value of basis *stated* can be read in its fragment: label, number, number word, name, day."""
    if column.endswith("_place") or column == "collected_at":
        names = dict(zip(edition.text["places"]["place"], edition.text["places"]["name"], strict=True))
        return value in names and says(fragment, names[value])
    if column in ("countries", "country"):
        gone = vocabulary("former-countries").get(value, {}).get("name", "")
        return named(fragment) == value.split() or says(fragment, gone)
    try:
        return float(value) in numbers(fragment)
    except ValueError:
        pass
    parts = value.split("-")
    if len(parts) == 3 and all(part.isdigit() for part in parts):
        return says(fragment, MONTHS[int(parts[1]) - 1]) and float(parts[2]) in numbers(fragment)
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
