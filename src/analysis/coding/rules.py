"""The codebook's rules that a program can apply: each takes a fragment of the source and returns the value it gives.

The codebook chapter prints the docstrings of the rules. A rule knows the fragment and its `Setting`, never the value that
it is asked to confirm.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache

from analysis.schema import vocabulary

UNITS = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
NUMBER_WORDS = {word: n for n, word in enumerate(UNITS)} | {word: 10 * n for n, word in enumerate(TENS, 2)}
DECADES = {f"{word[:-1]}ies": 10 * n for n, word in enumerate(TENS, 2)}
MONTHS = [name.casefold() for name in calendar.month_name[1:]]
TYPED = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "..."})
WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W_]+(?:['-][^\W_]+)*")
COUNTED_ARTICLE = re.compile(r"\ba (?=night|day|week|month|year|dozen|person|man|woman)", re.I)
MONTH, YEAR = f"(?:{'|'.join(MONTHS)})", r"(?:19|20)\d\d\b"
DATES = re.compile(
    rf"\b(?:{MONTH}\.? \d{{1,2}}|\d{{1,2}} {MONTH})\b(?:,? {YEAR})?|\b(?:{MONTH}|in|since|of) {YEAR}", re.I
)
"""Dates and years, whose numbers count nothing."""


@dataclass(frozen=True)
class Setting:
    """What a rule knows beside the fragment."""

    column: str
    collected_at: str = ""
    event: str = ""
    """ISO date of the reference event."""


Rule = Callable[[str, Setting], object]
"""A fragment and its setting in; the value the rule gives out, None when it gives none."""


def typed(text: str) -> str:
    """A text with plain quotes, dashes, dots and single spaces."""
    return " ".join(text.translate(TYPED).split())


@lru_cache(20_000)
def normalise(text: str) -> str:
    """A text in lower case with plain quotes, dashes, dots and single spaces.

    >>> normalise("It’s  a — “draft”")
    'it\\'s a - "draft"'
    """
    return typed(text).casefold()


def words(text: str) -> tuple[str, ...]:
    """The words of a text, normalised; the eight-word limit counts otherwise, see `length`.

    >>> words("Wow, 100,000 — it’s")
    ('wow', '100,000', "it's")
    """
    return tuple(WORD.findall(normalise(text)))


def length(text: str) -> int:
    """The number of words of a fragment, counted strictly: "don't" and "12-bed" are two each.

    >>> length("on a side I don’t agree with")
    8
    """
    return len(re.findall(r"[^\W_]+", text))


def numbers(text: str) -> set[float]:
    """Every number a text gives, in digits or words; "a night" counts as one, a decade as none.

    >>> sorted(numbers("spent a night, then two, with 100,000 others in their 20s"))
    [1.0, 2.0, 100000.0]
    """
    found = {float(match.replace(",", "")) for match in re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?(?!\d|s\b)", text)}
    found |= {float(NUMBER_WORDS[word]) for word in words(text) if word in NUMBER_WORDS}
    return found | ({1.0} if COUNTED_ARTICLE.search(text) else set())


def counts(text: str) -> set[float]:
    """The numbers of a text without those of its dates and years."""
    return numbers(DATES.sub(" ", text))


def says(text: str, label: str) -> bool:
    """Whether a label stands in a text as whole words, in the singular or with a plural s.

    >>> says("three IT workers from Moscow", "IT worker")
    True
    >>> says("a developer", "develop")
    False
    """
    wanted, given = normalise(label), normalise(text)
    if not label or wanted not in given:
        return False
    return re.search(rf"(?<!\w){re.escape(wanted)}(?:s|es)?(?!\w)", given) is not None


def age_phrase(fragment: str, setting: Setting) -> object:
    """A decade of age is a range: early is its first four years, mid the next three, late the last three."""
    match = re.search(rf"\b(?:(early|mid|late)[ -])?(\d0s|{'|'.join(DECADES)})\b", normalise(fragment))
    if not match:
        return None
    decade = DECADES.get(match[2]) or int(match[2][:2])
    low, high = {"early": (0, 3), "mid": (4, 6), "late": (7, 9), None: (0, 9)}[match[1]]
    return decade + (low if setting.column == "age_min" else high)


def cues(rule: str, doc: str, *, first: bool = False, otherwise: str | None = None) -> Rule:
    """A rule that gives the value whose cue in the vocabulary matches the fragment: the only match, or the ``first``."""

    def apply(fragment: str, setting: Setting) -> object:
        text, rows = normalise(fragment), [row for row in vocabulary("cues").values() if row["rule"] == rule]
        values = [row["value"] for row in rows if re.search(rf"\b(?:{row['cue']})\b", text)]
        return values[0] if len(values) == 1 or (first and values) else otherwise

    apply.__doc__ = doc
    return apply


def occupations(fragment: str, setting: Setting) -> object:
    """The ISCO code of the longest label of the vocabulary of occupations that stands in the fragment."""
    labels = [label for label in vocabulary("occupations") if says(fragment, label)]
    return vocabulary("occupations")[max(labels, key=len)]["isco08"] if labels else None


def day_count(fragment: str, setting: Setting) -> object:
    """A count of days after the reference event gives a date; “the day after” is one."""
    match = re.search(r"\b(?:the day|(\w+) days) (?:after|later)\b", normalise(fragment))
    if not match or not setting.event:
        return None
    counted = numbers(match[1]) if match[1] else {1.0}
    return (date.fromisoformat(setting.event) + timedelta(days=min(counted))).isoformat() if counted else None


def collected_at(fragment: str, setting: Setting) -> object:
    """An intended leg starts where the person was spoken to."""
    return setting.collected_at or None


def gazetteer(fragment: str, setting: Setting) -> object:
    """Country, position and precision of the one gazetteer name that stands in the fragment; of namesakes, the largest."""
    found = [row for name, row in vocabulary("gazetteer").items() if says(fragment, name)] or cities_in(fragment)
    return found[0].get(setting.column) if len(found) == 1 else None


def cities_in(text: str) -> list[Mapping[str, str]]:
    """The cities and countries that a text names with a capital letter: Nizhny Novgorod, but not also Novgorod.

    >>> [row["name"] for row in cities_in("drove from Nizhny Novgorod to a bar")]
    ['Nizhny Novgorod']
    """
    left, found = WORD.findall(typed(text)), []
    for length in range(4, 0, -1):
        for at in range(len(left) - length + 1):
            name = tuple(map(str.casefold, left[at : at + length]))
            if name in _cities() and left[at][0].isupper():
                found.append(_cities()[name])
                left[at : at + length] = [""] * length
    return found


@cache
def _cities() -> dict[tuple[str, ...], Mapping[str, str]]:
    return {words(name): row for name, row in vocabulary("cities").items()}


def reference_event(fragment: str, setting: Setting) -> object:
    """A window “since the announcement” starts on the date of the reference event."""
    return setting.event if re.search(r"\bannounce", normalise(fragment)) else None


def hedge(fragment: str, setting: Setting) -> object:
    """The words around a number give its quantifier; a bare number is exact."""
    exact = "exact" if numbers(normalise(fragment)) else None
    return cues("hedge", "", first=True, otherwise=exact)(fragment, setting)


def order_of_magnitude(fragment: str, setting: Setting) -> object:
    """Tens (hundreds) of thousands: at least two of them, less than ten of them."""
    match = re.search(r"\b(tens|hundreds) of thousands\b", normalise(fragment))
    if not match:
        return None
    unit = {"tens": 10_000, "hundreds": 100_000}[match[1]]
    return 2 * unit if setting.column == "low" else 10 * unit - 1


RULES: Mapping[str, Rule] = {
    "age-phrase": age_phrase,
    "pronoun": cues("pronoun", "He, his and him give a man; she and her give a woman; both together give nothing."),
    "occupations": occupations,
    "mode-word": cues(
        "mode-word", "A word for a vehicle or a way of moving gives the mode: flew is air, bike is bicycle."
    ),
    "movement-word": cues(
        "movement-word",
        "A word of hope or plan makes a leg intended; otherwise a word of movement makes it made.",
        first=True,
    ),
    "day-count": day_count,
    "collected-at": collected_at,
    "gazetteer": gazetteer,
    "reference-event": reference_event,
    "measure-word": cues(
        "measure-word", "The verb gives the measure: crossed into is entries, fled to is an estimate."
    ),
    "hedge": hedge,
    "order-of-magnitude": order_of_magnitude,
    "others-word": cues(
        "others-word",
        "A figure includes others when the fragment names “other” countries or states.",
        otherwise="false",
    ),
}
"""The rules by name; the note of *derived* evidence begins with one."""


def rule_of(note: object) -> str:
    """The name of the rule with which the note of *derived* evidence begins."""
    return str(note or "").split(":", 1)[0].strip()
