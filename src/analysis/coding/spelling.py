"""Labels that may be one label spelt in two ways, and words that may be a misspelt term: doubts, which stop nothing."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

import narwhals as nw

from analysis.coding.checks import ALPHABETS, listed
from analysis.schema import vocabulary
from analysis.tables import Table, collect_rows
from analysis.text import as_text
from parabook.errors import Problem

LABELS = {"interviewees": ("profession",), "places": ("name",), "destinations": ("measure", "quantifier", "stated_by")}
"""The columns of text that exhibits count or rank by."""

ALIKE = str.maketrans("аеорсухіјѕһкмтвноανρικτυχ", "aeopcyxijshkmtbhoavpiktyx")
"""Small letters of Cyrillic and Greek that look like Latin ones, or do as capitals."""

MOST_LABELS, CLOSE = 2000, 0.8
"""Different labels of a column that are looked at; how alike, by difflib, a word must be to a term to be taken for it."""


def plain(label: str) -> str:
    """A label as the eye takes it: without case, signs and blanks, in the letters that its own look like.

    Examples
    --------
    >>> plain("Тeacher ") == plain("teacher"), plain("bar-owner") == plain("Bar  owner")
    (True, True)
    """
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", label).casefold().translate(ALIKE))


def spelling_problems(tables: Mapping[str, Table]) -> Iterator[Problem]:
    """Labels of a column that look alike, and near misses of a measure or a quantifier."""
    hedges = (cue["value"] for cue in vocabulary("cues").values() if cue["rule"] == "hedge")
    terms: Mapping[str, list[str]] = {"measure": [*vocabulary("measures")], "quantifier": ["exact", *hedges]}
    for table, column in ((tables[each], column) for each in LABELS if each in tables for column in LABELS[each]):
        counts = {} if column in table.absent else labels_of(table, column)
        doubts: dict[str, tuple[str, str]] = {}
        spellings = defaultdict[str, list[str]](list)
        for label in sorted(counts, key=lambda each: (-counts[each], each)):
            if not re.search(ALPHABETS, label):  # of which `checks` has a warning of its own
                spellings[plain(label)].append(label)
            near = [] if label in terms.get(column, [label]) else get_close_matches(label, terms[column], 1, CLOSE)
            if near:
                doubts[label] = "a word of the vocabulary, or one of its own", near[0]
        for usual, *others in spellings.values():
            doubts |= dict.fromkeys(others, ("one spelling of a label", usual))
        for label, (needed, meant) in doubts.items():
            bad = table.frame.filter(nw.col(column) == label).with_columns(nw.col(column).alias("_"))
            yield from listed(table, bad, column, needed, f"did you mean {meant!r}?", warning=True)


def labels_of(table: Table, column: str) -> Mapping[str, int]:
    """The labels of a column, and how many rows have each."""
    groups = table.frame.filter(~nw.col(column).is_null()).group_by(column).agg(nw.len().alias("n"))
    return {as_text(row[column]): row["n"] for row in collect_rows(groups.head(MOST_LABELS))}
