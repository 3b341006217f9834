"""Splits CSV files into text cells, strictly, and names each problem by the row that a spreadsheet shows."""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from parabook.errors import Problem, show

MOST_COLUMNS = 1000
OTHER_KINDS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1", b"\x1f\x8b", b"%PDF", b"<")
"""The first bytes of spreadsheets, Parquet, compressed files, PDF and web pages, whatever they are named."""

BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
"""The first bytes by which a file says its encoding, as Excel writes them."""

RESERVED = re.compile(r"_row|_n|_|_text:.*|_unread:.*|filename|file_row_number", re.IGNORECASE)
"""Names of the columns that reading and checking add."""


@dataclass
class Cells:
    """The cells of a CSV file as text, with the row numbers that a spreadsheet shows: the header is row 1."""

    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_csv(file: Path, shown: str, columns: Sequence[str]) -> Cells:
    """Split a CSV file that should have these columns, as far as it can be read; problems show it as ``shown``."""
    content = file.read_bytes()
    if content.startswith(OTHER_KINDS):
        hint = "export the table as CSV, or name it .parquet if it is that"
        return Cells(problems=[Problem(shown, "a file of another kind", "CSV", hint)])
    cells = Cells()
    text, first = _decoded(content, shown, cells.problems), 1
    line = text.partition("\n")[0]
    delimiter = next((sign for sign in ";\t|" if "," not in line and line.count(sign) > 1), ",")
    if delimiter != ",":
        found, needed = f"cells parted by {delimiter!r}", "cells parted by commas"
        cells.problems.append(Problem(shown, found, needed, "export it as comma-separated", row=1))
    number, blank = 0, list[int]()
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter), 1):
            if number == 1:
                cells.header = row
            elif number == 2 and set(columns) & set(row) and not set(columns) & set(cells.header):
                cells.header, first, needed = row, 2, "the names of the columns"
                cells.problems.append(Problem(shown, "a row above the header", needed, "remove it", row=1))
            elif len(row) > 1 and not any(row):
                blank.append(number)
            elif len(row) == len(cells.header):
                cells.rows.append(row)
                cells.numbers.append(number)
            elif row:
                needed, hint = f"{len(cells.header)} cells, as in the header", "quote cells that hold a comma"
                cells.problems.append(Problem(shown, f"{len(row)} cells", needed, hint, row=number))
    except csv.Error as error:
        cells.problems.append(Problem(shown, str(error), "CSV with commas and straight quotes", row=number + 1))
    if blank:
        found = f"{len(blank):,} rows without a value" if len(blank) > 1 else "a row without a value"
        cells.problems.append(Problem(shown, found, "a value in each row", "delete it", row=blank[0], times=len(blank)))
    cells.problems += header_problems(cells.header, shown, columns, row=first)
    return cells


def _decoded(content: bytes, shown: str, problems: list[Problem]) -> str:
    """Decode a file, guessing where it is not UTF-8, and add what is wrong to ``problems``."""
    encoding = next((name for mark, name in BYTE_ORDER_MARKS.items() if content.startswith(mark)), "utf-8")
    if encoding == "utf-16":
        problems.append(Problem(shown, "UTF-16", "UTF-8", "save it as CSV UTF-8", row=1))
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        row = _row_after(content[: error.start].decode(encoding, "replace"))
        problems.append(Problem(shown, f"byte 0x{content[error.start]:02x}", "UTF-8", "save it as UTF-8", row=row))
        text = content.decode("cp1252" if encoding == "utf-8" else encoding, "replace")
    if "\0" in text:
        problems.append(Problem(shown, "a NUL byte", "text", row=_row_after(text[: text.index("\0")])))
    return text.replace("\0", "")


def _row_after(text: str) -> int:
    """The number of the row after a text, as a spreadsheet counts: a line break in quotes begins none."""
    try:
        return len(list(csv.reader(io.StringIO(text + "x", newline=""))))
    except csv.Error:  # a quoted cell that does not end
        return text.count("\n") + 1


def is_usable(header: Sequence[str], columns: Sequence[str]) -> bool:
    """Whether a table with this header can be read at all."""
    if set(header).isdisjoint(columns) or len(header) > MOST_COLUMNS or len(header) > len(set(header)):
        return False
    return not any(map(RESERVED.fullmatch, header))


def header_problems(header: Sequence[str], shown: str, columns: Sequence[str], row: int | None = None) -> list[Problem]:
    """What is wrong with the names of a table's columns."""
    if not header:
        return [Problem(shown, "an empty file", f"a header row: {','.join(columns)}", row=row)]
    if len(header) > MOST_COLUMNS:
        return [Problem(shown, f"{len(header):,} columns", f"{MOST_COLUMNS:,} or fewer", row=row)]
    extra, problems = [name for name in header if name not in columns], []
    for column in (column for column in columns if column not in header):
        near = difflib.get_close_matches(column, extra, n=1)
        hint = f"rename {show(near[0])}" if near else "add it; it may be left blank"
        problems.append(Problem(shown, "no such column", f"column {column}", hint, row=row, column=column))
    counts = Counter(name.casefold() for name in header)
    for name in dict.fromkeys(header):
        found, needed = f"column {show(name)}", ""
        if not name:
            found, needed = "a column without a name", "a name for each column"
        elif counts[name.casefold()] > 1:
            found, needed = f"{found} twice{' but for capitals' * (header.count(name) == 1)}", "each column once"
        elif name in extra and RESERVED.fullmatch(name):
            needed = "another name, as this one is reserved"
        if needed:
            problems.append(Problem(shown, found, needed, "rename or remove it", row=row))
    return problems
