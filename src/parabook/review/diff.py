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
from decimal import Decimal, InvalidOperation
from itertools import zip_longest
from typing import Any

from parabook.review.results import ABOUT, Results


@dataclass(frozen=True)
class Change:
    """One thing of a result, or a cause, that is not as it was: in which row and column, or path of a chart."""

    kind: str
    name: str
    row: str = ""
    column: str = ""
    was: str = ""
    now: str = ""
    what: str = "changed"

    @property
    def by(self) -> str:
        """By how much a number moved, exactly; blank for text.

        Examples
        --------
        >>> Change("table", "x", was="100000", now="120000").by, Change("table", "x", was="a", now="3").by
        ('+20,000', '')
        """
        try:
            by = Decimal(self.now) - Decimal(self.was)
        except InvalidOperation:
            return ""
        return (f"{by:+,f}" if by else "±0") if by.is_finite() else ""

    def __str__(self) -> str:
        where = ", ".join(filter(None, (self.row, self.column)))
        change = self.was or self.now
        if self.what not in ("added", "gone"):
            change = f"{self.was or 'blank'} → {self.now or 'blank'}{f' ({self.by})' if self.by else ''}"
        parts = (f"{self.kind} {self.name}", where, "" if self.what == "changed" else self.what, change)
        line = " ".join(": ".join(filter(None, parts)).split())
        return line if len(line) <= 300 else f"{line[:299]}…"


def changes(old: Results, new: Results) -> Iterator[Change]:
    """What differs between two sets of results, in the order of the new ones.

    Examples
    --------
    >>> tables = ({"table/by-age": f"age,n\\n18–24,{n}\\n"} for n in "45")
    >>> print(*changes(*tables))
    table by-age: 18–24, n: 4 → 5 (+1)
    """
    for key in {**new, **old}:
        kind, _, name = key.partition("/")
        was, now = old.get(key), new.get(key)
        if was == now or kind in ABOUT:
            continue
        if was is None or now is None:
            text = was or now or "blank"
            text = "all of it" if "\n" in text else text
            yield (
                Change(kind, name, was=text, what="gone") if now is None else Change(kind, name, now=text, what="added")
            )
            continue
        compare = {"table": _in_tables, "input": _in_tables, "chart": _in_charts}.get(kind, _in_lines)
        found = [Change(kind, name, *each) for each in compare(was, now)]
        if kind == "chart" and old.get(f"table/{name}") != new.get(f"table/{name}"):
            found = [change for change in found if not change.column.startswith("datasets")]
            found = found or [Change(kind, name, "", "datasets", "of the old table", "of the new table")]
        # The same values written otherwise are compared line by line.
        yield from found or (Change(kind, name, *each) for each in _in_lines(was, now))


def _in_lines(was: str, now: str) -> Iterator[tuple[str, ...]]:
    old, new = was.split("\n"), now.split("\n")
    for kind, a1, a2, b1, b2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        for a, b in zip_longest(old[a1:a2], new[b1:b2], fillvalue="") if kind != "equal" else ():
            yield "", "", a, b, "changed" if a and b else "gone" if a else "added"


def _in_tables(was: str, now: str) -> Iterator[tuple[str, ...]]:
    """Columns, rows, cells, order. The fewest first columns that name each row once are its label."""
    old, new = (list(csv.reader(io.StringIO(text, newline=""))) or [[]] for text in (was, now))
    most = max(len(new[0]) - 1, 1)  # what is counted stands in the last column: it names no row
    unique = (n for n in range(1, most) if all(len({*map(tuple, (r[:n] for r in t))}) == len(t) for t in (old, new)))
    labels = next(unique, most)
    before, after = (_by_label(table, labels) for table in (old, new))
    yield from (("", name, f"column {name}", "", "gone") for name in old[0] if name not in new[0])
    yield from (("", name, "", f"column {name}", "added") for name in new[0] if name not in old[0])
    for label in {**after, **before}:
        if label in before and label in after:
            both = ((name, before[label][name], cell) for name, cell in after[label].items() if name in before[label])
            yield from ((label, name, a, b) for name, a, b in both if a != b)
        else:
            row = list((before.get(label) or after.get(label) or {}).items())[labels:]
            text = ", ".join(f"{name} {cell}" for name, cell in row if cell) or "a row"
            yield (label, "", "", text, "added") if label in after else (label, "", text, "", "gone")
    stayed = zip((each for each in before if each in after), (each for each in after if each in before), strict=True)
    if apart := [pair for pair in stayed if pair[0] != pair[1]]:
        yield "", "", *("; ".join(side) for side in zip(*apart, strict=True)), "rows in another order"


def _by_label(table: list[list[str]], labels: int) -> dict[str, dict[str, str]]:
    """The rows of a table by label, numbered where several have the same."""
    found: dict[str, dict[str, str]] = {}
    times: Counter[str] = Counter()
    for row in table[1:]:
        label = ".".join(row[:labels]) or "(blank)"
        times[label] += 1
        found[f"{label} ({times[label]})" if times[label] > 1 else label] = dict(zip(table[0], row, strict=False))
    return found


def _in_charts(was: str, now: str) -> Iterator[tuple[str, ...]]:
    before, after = (dict(_values(json.loads(text))) for text in (was, now))
    paths = (path for path in {**after, **before} if before.get(path) != after.get(path))
    yield from (("", path, before.get(path, ""), after.get(path, "")) for path in paths)


def _values(part: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Each value of a chart as JSON, by its path."""
    if part and isinstance(part, (dict, list)):
        for key, each in part.items() if isinstance(part, dict) else enumerate(part):
            yield from _values(each, f"{path}.{key}".lstrip("."))
    else:
        yield path, json.dumps(part, ensure_ascii=False)
