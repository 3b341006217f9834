"""Tables as plain text: what listing, evidence and agreement work on. Counting works on typed tables."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, cast

import pandas as pd

from analysis.tables import Frame, as_text
from analysis.tables import text_frame as as_frame

__all__ = ["Frame", "as_frame", "as_text", "isolated", "readable", "records"]

FEW = 200
"""Up to so many interviewees are listed one by one, and tables say which of them stand behind a count."""

MOST_MARKS = 60
"""Up to so many cases in all are drawn one by one."""

Row = Mapping[str, str]
"""A row of text, blank for missing."""


def readable(code: str) -> str:
    """A code word as a sentence has it: underscores are blanks; any other text stays as it is.

    Examples
    --------
    >>> readable("residence_permits"), readable("a_b (c)")
    ('residence permits', 'a_b (c)')
    """
    return code.replace("_", " ") if re.fullmatch(r"[a-z]+(?:_[a-z]+)*", code) else code


OTHER_WAY = frozenset({"R", "AL", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "FSI", "PDF", "PDI"})
"""Unicode's classes of characters that run from right to left, or that turn the direction."""


def isolated(text: str) -> str:
    """Text that may stand in a sentence of the other direction without turning what is around it.

    Text that runs from right to left, or that turns the direction itself, is put between Unicode's marks of
    isolation; the stops of a route each for itself, as the arrow between them must keep pointing onward.

    Examples
    --------
    >>> isolated("Oral → Almaty"), isolated("\u05d0").encode("ascii", "backslashreplace").decode()
    ('Oral → Almaty', '\\\\u2068\\\\u05d0\\\\u2069')
    """
    if not any(unicodedata.bidirectional(sign) in OTHER_WAY for sign in text):
        return text
    times = 1 + text.count("\u2069")  # a mark in the text that ends an isolation must not end this one
    parts = re.split(r"( ?→ ?)", text)
    apart = [
        "\u2068" * times + part + "\u2069" * times if n % 2 == 0 and part else part for n, part in enumerate(parts)
    ]
    return "".join(apart)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame, in order."""
    return cast("list[dict[str, Any]]", frame.to_dict("records"))
