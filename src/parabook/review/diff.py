"""What moved between two sets of results: tables by row and column, charts by path, texts by line. Pure.

Everything is compared exactly, as text: a number that is written otherwise has moved.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from parabook.review.results import ABOUT, Results


@dataclass(frozen=True)
class Change:
    """One difference of a result or of a cause; ``where`` is the row and column of a table, or the path in a chart."""

    kind: str
    name: str
    where: str
    was: str
    now: str

    def __str__(self) -> str:
        what = "" if self.was and self.now else "gone" if self.was else "added"
        change = " → ".join(filter(None, (self.was, self.now)))
        line = " ".join(": ".join(filter(None, (f"{self.kind} {self.name}", self.where, what, change))).split())
        return line if len(line) <= 300 else f"{line[:299]}…"


def changes(old: Results, new: Results) -> Iterator[Change]:
    """The differences between two sets of results, in the order of the new ones.

    Examples
    --------
    >>> tables = ({"table/by-age": f"age,n\\n18–24,{n}\\n"} for n in "45")
    >>> print(*changes(*tables))
    table by-age: 18–24, n: 4 → 5
    """
    for key in {**new, **old}:
        kind, _, name = key.partition("/")
        was, now = (side.get(key) for side in (old, new))
        if was == now or kind == ABOUT:
            continue
        if was is None or now is None:
            yield Change(kind, name, "", *("all of it" if "\n" in text else text for text in (was or "", now or "")))
            continue
        before, after = dict[str, str](), dict[str, str]()
        if kind in ("table", "input"):
            before, after = _cells(was, now)
        elif kind == "chart":
            before, after = (dict(_values(json.loads(text))) for text in (was, now))
        pairs = [(where, before.get(where, ""), after.get(where, "")) for where in {**after, **before}]
        pairs = [pair for pair in pairs if pair[1] != pair[2]] or [("", *lines) for lines in _lines(was, now)]
        yield from (Change(kind, name, *pair) for pair in pairs)


def _cells(was: str, now: str) -> Iterator[dict[str, str]]:
    """The cells of two tables by row and column; a row is labelled by the fewest first columns that are unique."""
    tables = [list(csv.reader(io.StringIO(text, newline=""))) or [[]] for text in (was, now)]
    most = max(len(tables[1][0]) - 1, 1)  # the last column is the count, which labels no row
    labels = 1
    while labels < most and any(len({tuple(row[:labels]) for row in table}) < len(table) for table in tables):
        labels += 1
    for names, *rows in tables:
        cells, times = dict[str, str](), Counter[str]()
        for row in rows:
            label = ".".join(row[:labels])
            times[label] += 1
            label += f" ({times[label]})" if times[label] > 1 else ""
            cells |= {f"{label}, {name}": cell for name, cell in zip(names[labels:], row[labels:], strict=False)}
        yield cells


def _values(part: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The values of a chart, as JSON, by path."""
    if part and isinstance(part, (dict, list)):
        for key, each in part.items() if isinstance(part, dict) else enumerate(part):
            yield from _values(each, f"{path}.{key}".lstrip("."))
    else:
        yield path, json.dumps(part, ensure_ascii=False)


def _lines(was: str, now: str) -> Iterator[tuple[str, str]]:
    """Pairs of lines of which the first was replaced by the second; blank for none."""
    old, new = was.split("\n"), now.split("\n")
    for kind, a1, a2, b1, b2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            yield from zip_longest(old[a1:a2], new[b1:b2], fillvalue="")
