"""CSV files split into text cells, strictly, with every problem by the row that a spreadsheet shows."""

from __future__ import annotations

import csv
import difflib
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from parabook.errors import Problem, show

MOST_COLUMNS = 1000
MOST_BYTES = 1_000_000_000
"""Largest CSV file, which is held in memory."""

DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}
"""What separates cells in files that are not comma-separated."""

SIGNATURES = {b"PK\x03\x04": "a spreadsheet or an archive", b"\xd0\xcf\x11\xe0": "an old spreadsheet", b"PAR1": "a Parquet file",
              b"\x1f\x8b": "a compressed file", b"%PDF": "a PDF", b"<": "a web page"}  # fmt: skip
"""How files of other kinds begin, whatever their name says."""

BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}

RESERVED_COLUMNS = {"_row", "_n", "_first", "filename", "file_row_number"}
"""Names that reading and checking use for columns of their own."""


@dataclass
class Cells:
    """The cells of a CSV file as text."""

    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    """The row of each of `rows` as a spreadsheet numbers it; the header is row 1."""
    problems: list[Problem] = field(default_factory=list)
    complete: bool = True
    """Whether every row of the file is in `rows`."""


def read_csv(file: Path, shown: str, columns: Sequence[str]) -> Cells:
    """Split a CSV file, ``shown`` in problems, that should have these columns; of a broken one as much as makes sense."""
    size = file.stat().st_size
    if size > MOST_BYTES:
        return Cells(problems=[Problem(shown, f"{size:,} bytes", "a CSV file of 1 GB or less", "use Parquet")])
    content = file.read_bytes()
    other = next((kind for start, kind in SIGNATURES.items() if content.startswith(start)), "")
    if other:
        hint = "export the table as CSV, or name it .parquet if it is that"
        return Cells(problems=[Problem(shown, other, "CSV", hint)])
    text, problems = _decoded(content, shown)
    first = text.partition("\n")[0]
    delimiter = next((sign for sign in DELIMITERS if "," not in first and first.count(sign) > 1), ",")
    if delimiter != ",":
        found = f"cells parted by {DELIMITERS[delimiter]}"
        problems.append(Problem(shown, found, "cells parted by commas", "export it as comma-separated", row=1))
    return _split(text, delimiter, Cells(problems=problems), shown, columns)


def _decoded(content: bytes, shown: str) -> tuple[str, list[Problem]]:
    """The text of a file and the problems of its bytes; of a wrong encoding the text as far as it can be guessed."""
    mark = next((mark for mark in BYTE_ORDER_MARKS if content.startswith(mark)), None)
    if mark:
        problem = Problem(shown, "a byte order mark", "plain UTF-8", "save it as UTF-8 without BOM", row=1)
        return content.decode(BYTE_ORDER_MARKS[mark], errors="replace").replace("\0", ""), [problem]
    problems = []
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        row = _row_after(content[: error.start].decode("utf-8"))
        problems.append(Problem(shown, f"byte 0x{content[error.start]:02x}", "UTF-8", "save it as UTF-8", row=row))
        text = content.decode("cp1252", errors="replace")
    if "\0" in text:
        problems.append(Problem(shown, "a NUL byte", "text", row=_row_after(text[: text.index("\0")])))
    return text.replace("\0", ""), problems


def _row_after(text: str) -> int:
    """The row that comes next, as a spreadsheet numbers it: a quoted line break begins none."""
    try:
        return len(list(csv.reader(io.StringIO(text + "x", newline=""))))
    except csv.Error:  # a cell without end
        return text.count("\n") + 1


def _split(text: str, delimiter: str, cells: Cells, shown: str, columns: Sequence[str]) -> Cells:
    number, top = 0, 1
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter), 1):
            if number == 1:
                cells.header = row
            elif number == 2 and set(columns) & set(row) and not set(columns) & set(cells.header):
                cells.header, top, hint = row, 2, "remove it"
                cells.problems.append(Problem(shown, "a row above the header", "the names of the columns", hint, row=1))
            elif len(row) == len(cells.header):
                cells.rows.append(row)
                cells.numbers.append(number)
            elif row:
                cells.complete = False
                needed, hint = f"{len(cells.header)} cells, as in the header", "quote cells that hold a comma"
                cells.problems.append(Problem(shown, f"{len(row)} cells", needed, hint, row=number))
    except csv.Error as error:
        cells.complete = False
        cells.problems.append(Problem(shown, str(error), "CSV with commas and straight quotes", row=number + 1))
    cells.problems += header_problems(cells.header, shown, columns, row=top)
    return cells


def is_usable(header: Sequence[str], columns: Sequence[str]) -> bool:
    """Whether a table of such a header can be read at all."""
    names = {name.casefold() for name in header}
    alike = set(header) & set(columns) and len(header) == len(set(header)) <= MOST_COLUMNS
    return bool(alike) and not names & RESERVED_COLUMNS


def header_problems(header: Sequence[str], shown: str, columns: Sequence[str], row: int = 1) -> list[Problem]:
    """What is wrong with the names of a table's columns."""
    if not header:
        return [Problem(shown, "an empty file", f"a header row: {','.join(columns)}", row=row)]
    if len(header) > MOST_COLUMNS:
        return [Problem(shown, f"{len(header):,} columns", f"{MOST_COLUMNS:,} or fewer", row=row)]
    problems = []
    extra = [name for name in header if name not in columns]
    for column in (column for column in columns if column not in header):
        near = nearest_name(column, extra)
        hint = f"rename {show(near)}" if near else "add it; it may be left blank"
        problems.append(Problem(shown, "no such column", f"column {column}", hint, row=row, column=column))
    counts = Counter(name.casefold() for name in header)
    for name in dict.fromkeys(header):
        found, needed = f"column {show(name)}", ""
        if not name:
            found, needed = "a column without a name", "a name for each column"
        elif counts[name.casefold()] > 1:
            found, needed = f"{found} twice{' but for capitals' * (header.count(name) == 1)}", "each column once"
        elif name in extra and name.casefold() in RESERVED_COLUMNS:
            needed = "another name, as this one is reserved"
        if needed:
            problems.append(Problem(shown, found, needed, "rename or remove it", row=row))
    return problems


def nearest_name(column: str, names: Sequence[str]) -> str:
    """The name most like a column's, or nothing."""
    return column if column in names else next(iter(difflib.get_close_matches(column, names, n=1, cutoff=0.6)), "")
