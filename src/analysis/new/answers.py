"""How people write answers: texts, ranges, dates, names. Pure: a text in, what it says out, or that it says nothing."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from functools import lru_cache
from typing import Final


def tidy(text: str) -> str:
    """A text without blanks at its ends, composed alike, as headers and values are compared.

    Examples
    --------
    >>> tidy("  Сколько лет?\\n")
    'Сколько лет?'
    """
    return unicodedata.normalize("NFC", text).strip()


NUMBER = r"([0-9]{1,15}(?:\.[0-9]+)?)"
RANGES: Final[tuple[tuple[str, int, int, int], ...]] = (
    (rf"{NUMBER}", 1, 0, 0),
    (rf"(?:between )?{NUMBER} ?(?:-|to|and) ?{NUMBER}", 2, 0, 0),
    (rf"{NUMBER} ?\+|{NUMBER} (?:and|or) (?:over|older|above|more|up)|(?:at least|from|≥|>=) ?{NUMBER}", 3, 0, 0),
    (rf"(?:over|above|older than|more than|>) ?{NUMBER}", 3, 1, 0),
    (rf"{NUMBER} (?:and|or) (?:under|younger|below|less|fewer)|(?:up to|at most|≤|<=) ?{NUMBER}", 4, 0, 0),
    (rf"(?:under|below|younger than|less than|fewer than|<) ?{NUMBER}", 4, 0, 1),
)
"""How people write ranges: the form, what it bounds (1 a number, 2 both ends, 3 below only, 4 above only), and what a
bound that is itself left out is moved by."""


@lru_cache(maxsize=4096)
def bounds(text: str) -> tuple[str, str] | None:
    """The lower and the upper bound that a text sets, blank where it sets none; None where it is no range.

    Examples
    --------
    >>> bounds("20–24"), bounds("35+"), bounds("under 18"), bounds("41"), bounds("young")
    (('20', '24'), ('35', ''), ('', '17'), ('41', '41'), None)
    >>> bounds("24-20") is None
    True
    """
    plain = re.sub("[‐‑‒–—−]", "-", text.casefold())
    plain = " ".join(re.sub(r"\b(?:years?|yrs?|old|aged?)\b", " ", plain).split())
    for form, kind, up, down in RANGES:
        match = re.fullmatch(form, plain)
        if not match:
            continue
        found = [part for part in match.groups() if part]
        if kind == 1:
            return found[0], found[0]
        if kind == 2:
            return (found[0], found[1]) if float(found[0]) <= float(found[1]) else None
        if (up or down) and "." in found[0]:
            return None  # "under 2.5" sets a bound that no whole number is
        bound = found[0] if not (up or down) else str(int(found[0]) + up - down)
        return None if bound == "-1" else (bound, "") if kind == 3 else ("", bound)
    return None


def day(text: str, form: str = "") -> str | None:
    """A date as YYYY-MM-DD: from that form, from a timestamp, or from the form given; None where it is none.

    Examples
    --------
    >>> day("2022-09-24"), day("2022-09-24T10:11:12.000+05:00"), day("24/09/2022", "%d/%m/%Y"), day("24/09/2022")
    ('2022-09-24', '2022-09-24', '2022-09-24', None)
    """
    try:
        if form and not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:$|T)", text):
            return datetime.strptime(text, form).date().isoformat()
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text).isoformat()
        return (
            datetime.fromisoformat(text).date().isoformat() if re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T", text) else None
        )
    except ValueError:
        return None


def slug(name: str) -> str:
    """An identifier made from a name, blank where the name has no letters of ASCII.

    Examples
    --------
    >>> slug("Nizhny Novgorod"), slug("Oral’"), slug("Орал")
    ('nizhny-novgorod', 'oral', '')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def named(text: str) -> str:
    """The name of a column on one line.

    Examples
    --------
    >>> named(" How did\\n you go? ")
    'How did you go?'
    """
    return " ".join(tidy(text).split())


def ungrouped(text: str, sign: str) -> str:
    """A number without the sign that parts its thousands, where one is named.

    Examples
    --------
    >>> ungrouped("1,234,567", ","), ungrouped("1,5", ","), ungrouped("1,234", "")
    ('1234567', '1,5', '1,234')
    """
    if not sign:
        return text
    part = re.escape(sign)
    form = rf"(?<![0-9])[0-9]{{1,3}}(?:{part}[0-9]{{3}})+(?![0-9])"
    return re.sub(form, lambda match: match[0].replace(sign, ""), text)


def tells_dates(form: str) -> bool:
    """Whether a form of dates says day, month and year."""
    day = datetime(2022, 9, 21)
    try:
        return datetime.strptime(day.strftime(form), form).date() == day.date()
    except ValueError:
        return False


def quoted(text: str) -> str:
    """A text as a map would spell it: quoted, on one line.

    Examples
    --------
    >>> print(quoted("two\\nlines"))
    "two\\nlines"
    """
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
