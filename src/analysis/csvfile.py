"""CSV files split into text cells, strictly, with every problem by the row that a spreadsheet shows."""

from __future__ import annotations

import csv
import difflib
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from parabook.errors import Problem, show

MOST_LETTERS = 131_072
"""Longest cell; a quote that is never closed runs into it."""

MOST_COLUMNS = 1000
MOST_BYTES = 1_000_000_000
"""Largest CSV file, which is held in memory."""

DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}
"""What separates cells in files that are not comma-separated."""

SIGNATURES = {b"PK\x03\x04": "a spreadsheet or an archive", b"\xd0\xcf\x11\xe0": "an old spreadsheet", b"PAR1": "a Parquet file",
              b"\x1f\x8b": "a compressed file", b"%PDF": "a PDF", b"<": "a web page"}  # fmt: skip
"""How files of other kinds begin, whatever their name says."""

BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}

RESERVED_COLUMNS = ("_row", "_n", "_first", "filename", "file_row_number")
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
    """Split a CSV file; of a broken one as much as makes sense.

    Parameters
    ----------
    file : Path
        The file.
    shown : str
        Its name in problems.
    columns : sequence of str
        The columns that a table of this kind has.
    """
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
    cells = Cells(problems=problems)
    limit = csv.field_size_limit(MOST_LETTERS)
    try:
        _split(csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter), cells, shown, columns)
    finally:
        csv.field_size_limit(limit)
    return cells


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


def _split(reader: Iterator[list[str]], cells: Cells, shown: str, columns: Sequence[str]) -> None:
    number = 0
    try:
        for number, row in enumerate(reader, 1):
            if number == 1 or (number == 2 and _header_too_low(cells, row, shown, columns)):
                cells.header = row
            elif len(row) == len(cells.header):
                cells.rows.append(row)
                cells.numbers.append(number)
            elif row:
                cells.complete = False
                hint = "quote cells that hold a comma, or add the missing ones"
                needed = f"{len(cells.header)} cells, as in the header"
                cells.problems.append(Problem(shown, f"{len(row)} cells", needed, hint, row=number))
    except csv.Error as error:
        cells.complete = False
        cells.problems.append(Problem(shown, str(error), "CSV with commas and straight quotes", row=number + 1))
    low = any(problem.found == "a row above the header" for problem in cells.problems)
    cells.problems += header_problems(cells.header, shown, columns, row=2 if low else 1)


def _header_too_low(cells: Cells, row: list[str], shown: str, columns: Sequence[str]) -> bool:
    """Whether the second row is the header, and the first none; it is then a problem."""
    low = not set(columns) & set(cells.header) and bool(set(columns) & set(row))
    if low:
        cells.problems.append(Problem(shown, "a row above the header", "the names of the columns", "remove it", row=1))
    return low


def header_problems(header: Sequence[str], shown: str, columns: Sequence[str], row: int = 1) -> list[Problem]:
    """What is wrong with the names of a table's columns."""
    if not header:
        return [Problem(shown, "an empty file", f"a header row: {','.join(columns)}", row=row)]
    if len(header) > MOST_COLUMNS:
        return [Problem(shown, f"{len(header):,} columns", f"{MOST_COLUMNS:,} or fewer", row=row)]
    problems = []
    extra = [name for name in header if name not in columns]
    for column in columns:
        if column not in header:
            near = nearest_name(column, extra)
            hint = f"rename {show(near)}" if near else "add it; it may be left blank"
            problems.append(Problem(shown, "no such column", f"column {column}", hint, row=row, column=column))
    counts = Counter(name.casefold() for name in header if name and (name in columns or name.casefold() not in columns))
    for name in dict.fromkeys(name for name in header if counts[name.casefold()] > 1):
        capitals = "" if header.count(name) > 1 else " but for capitals"
        problems.append(Problem(shown, f"column {show(name)} twice{capitals}", "each column once", row=row))
    for name in extra:
        if name.casefold() in RESERVED_COLUMNS:
            problems.append(Problem(shown, f"column {show(name)}", "another name", "this one is reserved", row=row))
    if not all(header):
        hint = "name or remove it"
        problems.append(Problem(shown, "a column without a name", "a name for each column", hint, row=row))
    return problems


def nearest_name(column: str, names: Sequence[str]) -> str:
    """The name most like a column's, or nothing.

    Examples
    --------
    >>> nearest_name("age_min", ["age_mim", "x"])
    'age_mim'
    """
    return column if column in names else next(iter(difflib.get_close_matches(column, names, n=1, cutoff=0.6)), "")
