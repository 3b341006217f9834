"""Ages as people answer them: a number, a range, an open end, a decade."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import pandas as pd

from analysis.imports.answers import Codes, add_hint, coded_as, latin, refusals, refuse


def age_range(
    answers: pd.Series, codes: Codes | None = None, *, least: int | None = None, most: int | None = None
) -> pd.DataFrame:
    """Columns `age_min` and `age_max` of answers such as 34, 25 to 34, > 60, 34 years, early twenties; missing for blank.

    Parameters
    ----------
    answers : Series
        A column of `read_export`.
    codes : mapping, optional
        Another spelling of a range, or "", for other answers.
    least, most : int, optional
        The age that "under 20" begins with, and that "60+" ends with, as the survey's own rules say.

    Examples
    --------
    >>> age_range(pd.Series(["25–34", "> 60", "forties", "n/a"]), {"n/a": ""}, most=99).values.tolist()
    [[25, 34], [61, 99], [40, 49], [<NA>, <NA>]]
    """
    ends = coded_as(answers, codes).map(lambda text: (bounds(str(text)) or (None, None)) if text != "" else ())
    unread, open_low, open_high = (ends.map(lambda pair, wanted=wanted: tuple(end is None for end in pair) == wanted)
                                   for wanted in ((True, True), (True, False), (False, True)))  # fmt: skip
    problems = list(refusals(answers, unread, "an age or a range of ages", add_hint))
    if least is None:
        problems += refusals(answers, open_low, "a lowest age", lambda _: "say least=AGE")
    if most is None:
        problems += refusals(answers, open_high, "a highest age", lambda _: "say most=AGE")
    refuse(problems)
    instead = (least, most)
    filled = [[other if end is None else end for end, other in zip(pair, instead, strict=False)] for pair in ends]
    return pd.DataFrame([pair or [pd.NA] * 2 for pair in filled], answers.index, ["age_min", "age_max"], "Int64")


NUMBER: Final = "([0-9]{1,3})(?:\\.0+)?"
RANGES: Final = (
    (NUMBER, 0, 0),
    (rf"(?:between )?{NUMBER} ?(?:-|to|and) ?{NUMBER}", 0, 0),
    (rf"{NUMBER} ?\+|{NUMBER} (?:and|or) (?:over|older|above|more|up)|(?:at least|from|≥|>=) ?{NUMBER}", 0, None),
    (rf"(?:over|above|older than|more than|>) ?{NUMBER}", 1, None),
    (rf"{NUMBER} (?:and|or) (?:under|younger|below|less)|(?:up to|at most|≤|<=) ?{NUMBER}", None, 0),
    (rf"(?:under|below|younger than|less than|<) ?{NUMBER}", None, -1),
)
"""How people write ages: the form, and what its bounds are moved by; None for an end that stays open."""
DECADES: Final = ("twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties", "nineties")
PARTS: Final = {"early": (0, 3), "mid": (4, 6), "late": (7, 9), None: (0, 9)}


@lru_cache(maxsize=4096)
def bounds(text: str) -> tuple[int | None, int | None] | None:
    """The lowest and the highest age that a text gives, None for an open end; None where it is no range.

    Examples
    --------
    >>> bounds("20–24"), bounds("35+"), bounds("under 18"), bounds("in her late 30s"), bounds("young"), bounds("24-20")
    ((20, 24), (35, None), (None, 17), (37, 39), None, None)
    """
    plain = re.sub("[‐‑‒–—−]", "-", latin(text).casefold())
    plain = " ".join(re.sub(r"\b(?:years?|yrs?|old|aged?|in (?:his|her|their))\b", " ", plain).split())
    decade = re.fullmatch(rf"(?:(early|mid|late)[ -])?(?:([2-9]0)s|({'|'.join(DECADES)}))", plain)
    if decade:
        first = int(decade[2]) if decade[2] else 20 + 10 * DECADES.index(decade[3])
        return first + PARTS[decade[1]][0], first + PARTS[decade[1]][1]
    for form, up, down in RANGES:
        match = re.fullmatch(form, plain)
        if match:
            found = [int(part) for part in match.groups() if part]
            low, high = None if up is None else found[0] + up, None if down is None else found[-1] + down
            return (low, high) if low is None or high is None or low <= high else None
    return None
