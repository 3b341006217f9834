"""Words for readers: cells as text, lists, plurals, days. Pure; knows nothing of editions."""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Sequence

from parabook.errors import missing

RIGHT_TO_LEFT = frozenset({"R", "AL", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "FSI", "PDF", "PDI"})
"""Unicode's bidirectional classes of characters that run from right to left, or that turn the direction."""


def as_text(value: object) -> str:
    """A cell as its CSV would spell it; blank for a missing value.

    Examples
    --------
    >>> as_text(20.0), as_text(True), as_text(None), as_text(51.23)
    ('20', 'true', '', '51.23')
    """
    if isinstance(value, str):
        return value
    if missing(value):
        return ""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def isolate(text: str) -> str:
    """Text that may stand in a sentence of the other direction without turning what is around it.

    Text that runs from right to left is put between Unicode's marks of isolation; the stops of a route each for
    itself, as the arrow between them must keep pointing onward.

    Examples
    --------
    >>> isolate("Oral → Almaty"), isolate("\u05d0").encode("ascii", "backslashreplace").decode()
    ('Oral → Almaty', '\\\\u2068\\\\u05d0\\\\u2069')
    """
    if not any(unicodedata.bidirectional(sign) in RIGHT_TO_LEFT for sign in text):
        return text
    times = 1 + text.count("\u2069")  # a mark in the text that ends an isolation must not end this one
    parts = re.split(r"( ?→ ?)", text)
    return "".join("\u2068" * times + part + "\u2069" * times if part.strip(" →") else part for part in parts)


def words(code: str) -> str:
    """A code word as a sentence has it: underscores become blanks; any other text stays as it is.

    Examples
    --------
    >>> words("residence_permits"), words("a_b (c)")
    ('residence permits', 'a_b (c)')
    """
    return code.replace("_", " ") if re.fullmatch(r"[a-z]+(?:_[a-z]+)*", code) else code


def join(items: Sequence[str]) -> str:
    """Items as a sentence lists them.

    Examples
    --------
    >>> join(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def plural(n: int, noun: str, many: str = "") -> str:
    """A number with its noun.

    Examples
    --------
    >>> plural(1, "leg"), plural(1200, "leg"), plural(0, "person", "people")
    ('1 leg', '1,200 legs', '0 people')
    """
    return f"{n:,} {noun if n == 1 else many or noun + 's'}"


def spelled(n: int, noun: str) -> str:
    """A number with its noun, as prose has it.

    Examples
    --------
    >>> spelled(1, "night"), spelled(3, "day")
    ('one night', 'three days')
    """
    return f"{spell(n)} {noun if n == 1 else noun + 's'}"


def day(iso: str, *, short: bool = False) -> str:
    """A day, month or year in words; blank stays blank.

    Examples
    --------
    >>> day("2022-09-21"), day("2022-10"), day("2022"), day("2022-09-21", short=True)
    ('21 September 2022', 'October 2022', '2022', '21 Sep 2022')
    """
    parts = iso.split("-") if iso else []
    if len(parts) > 1:
        parts[1] = (calendar.month_abbr if short else calendar.month_name)[int(parts[1])]
    return " ".join(part.lstrip("0") for part in reversed(parts))


def spell(n: int) -> str:
    """A whole number as prose has it: in words up to ten.

    Examples
    --------
    >>> spell(8), spell(17)
    ('eight', '17')
    """
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    return words[n] if 0 <= n < len(words) else f"{n:,}"


def anchor(table: str, key: str, column: str) -> str:
    """The name of a row of evidence in the book.

    Examples
    --------
    >>> anchor("legs", "i02.1", "mode")
    'evidence-legs-i02.1-mode'
    """
    return f"evidence-{table}-{key}-{column}"
