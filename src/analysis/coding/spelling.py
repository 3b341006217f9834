"""Warnings of labels that may be one label spelt in two ways, and of words that may be a misspelt term."""

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
"""The text columns by which exhibits count or rank."""

ALIKE = str.maketrans("аеорсухіјѕһкмтвноανρικτυχ", "aeopcyxijshkmtbhoavpiktyx")
"""Small Cyrillic and Greek letters that look like Latin ones, or whose capitals do."""

MOST_LABELS, CLOSE = 2000, 0.8
"""Different labels of a column that are compared, and difflib's ratio from which a word is taken for a term."""


def plain(label: str) -> str:
    """A label as it looks: without case, punctuation and blanks, its letters replaced by Latin ones that look alike.

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
        if column in table.absent:
            continue
        meant: dict[str, tuple[str, str]] = {}
        spellings = defaultdict[str, list[str]](list)
        for label in labels_of(table, column):
            if not re.search(ALPHABETS, label):  # `checks` warns of these
                spellings[plain(label)].append(label)
            known = terms.get(column, [])
            if label not in known and (near := get_close_matches(label, known, 1, CLOSE)):
                meant[label] = "a word of the vocabulary, or one of its own", near[0]
        for usual, *others in spellings.values():
            meant |= dict.fromkeys(others, ("one spelling of a label", usual))
        for label, (needed, term) in meant.items():
            bad = table.frame.filter(nw.col(column) == label).with_columns(nw.col(column).alias("_"))
            yield from listed(table, bad, column, needed, f"did you mean {term!r}?", warning=True)


def labels_of(table: Table, column: str) -> list[str]:
    """At most `MOST_LABELS` labels of a column, the most frequent of them first."""
    groups = table.frame.filter(~nw.col(column).is_null()).group_by(column).agg(nw.len().alias("n"))
    counts = {as_text(row[column]): row["n"] for row in collect_rows(groups.head(MOST_LABELS))}
    return sorted(counts, key=lambda label: (-counts[label], label))
