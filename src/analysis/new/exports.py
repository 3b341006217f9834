"""Reading what people have: CSV and XLSX exports, and maps in YAML. Files in, sheets of text or one clear line out."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime, time
from pathlib import Path
from typing import Any, Final

import yaml

from analysis.frames import as_text
from analysis.new.answers import named, tidy
from analysis.new.intake import Sheet
from analysis.new.maps import Plan, read_plan
from analysis.tables import shown_path
from parabook.errors import InputError, Problem, show

LARGEST: Final = 512 * 2**20
"""Bytes of an export, unpacked: more than any form tool gives, less than memory."""

MOST_COLUMNS: Final = 5000
MOST_GAP: Final = 100_000
"""Blank rows in a row after which a sheet is taken to be wrong, or made to exhaust the reader."""

LARGEST_MAP: Final = 2**20


# --- maps ------------------------------------------------------------------------------------------------------------


class _Text(yaml.SafeLoader):
    """YAML whose values are all text: `yes` stays yes and `08` stays 08; nothing twice, nothing by reference."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event: Any = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="a reference (*)", problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                raise yaml.MarkedYAMLError(problem=f"{show(str(key.value))} twice", problem_mark=key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


_Text.yaml_implicit_resolvers = {"": [("tag:yaml.org,2002:null", re.compile(""))]}  # nothing at all is not the text ""


def read_map(file: Path) -> tuple[Plan, list[Problem]]:
    """A map from its YAML file, as a plan, and every problem in it."""
    return read_plan(read_yaml(file), shown_path(file))


def read_yaml(file: Path) -> Any:
    """The mappings, lists and texts of a YAML file."""
    shown = shown_path(file)
    data = _bytes(file, "a map in YAML", LARGEST_MAP)
    try:
        given = yaml.load(data.decode("utf-8-sig"), _Text)  # a SafeLoader
    except UnicodeDecodeError as error:
        raise InputError.one(shown, f"a byte at {error.start} that is not UTF-8", "UTF-8") from error
    except yaml.MarkedYAMLError as error:
        row = error.problem_mark.line + 1 if error.problem_mark else None
        needed = "YAML: names, a colon, and values below or beside them"
        raise InputError.one(shown, error.problem or "something odd", needed, "hint it there", row=row) from error
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        raise InputError.one(shown, type(error).__name__, "YAML of an ordinary shape") from error
    if not isinstance(given, dict):
        raise InputError.one(shown, "no names with values", "a map in YAML", "begin it with tables:")
    return given


# --- exports ---------------------------------------------------------------------------------------------------------


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def sheet_names(file: Path) -> tuple[str, ...]:
    """The names of a workbook's sheets; one without a name for CSV."""
    if not _is_workbook(file):
        return ("",)
    book = _open(file, values=True)
    names = tuple(sheet.title for sheet in book.worksheets)
    book.close()
    return names


def read_sheets(file: Path, plan: Plan) -> dict[str, Sheet]:
    """The sheets that a plan uses, by name, the one that tables use by default under ``""``."""
    names = sheet_names(file)
    shown = shown_path(file)
    wanted = {plan.sheet, *(table.sheet for table in plan.tables)}
    for name in sorted(wanted - {"", *names}):
        raise InputError.one(shown, f"no sheet {show(name)}", f"one of {', '.join(map(show, names))}")
    if not plan.sheet and len(names) > 1:
        raise InputError.one(
            shown,
            f"{len(names)} sheets: {', '.join(names)}",
            "the one with the answers",
            f'write sheet: "{names[0]}" in the map',
        )
    first = plan.sheet or names[0]
    main = read_sheet(file, first, plan.header, plan.delimiter)
    others = {name: read_sheet(file, name) for name in wanted - {"", plan.sheet}}
    return {"": main, plan.sheet: main} | others


def read_sheet(file: Path, name: str = "", header: int = 1, delimiter: str = "") -> Sheet:
    """One sheet of an export.

    Parameters
    ----------
    file : Path
        CSV (in UTF-8, or UTF-16 with its mark) or XLSX.
    name : str
        The sheet of a workbook.
    header : int
        The row that names the columns; rows above are left out.
    delimiter : str
        What parts the cells of a CSV; when blank, the one of comma, semicolon and tab that the header uses most.
    """
    shown = shown_path(file)
    if _is_workbook(file):
        label, rows = f"{shown}, sheet {name}", _workbook_rows(file, name)
    else:
        label, rows = shown, _csv_rows(file, delimiter, header)
    return _sheet(label, rows, header)


Cells = Sequence[tuple[str, str]]
"""A row: each cell's text, and what is wrong with it if it has none to give."""


def _sheet(label: str, rows: Iterator[tuple[int, Cells]], header: int) -> Sheet:
    """A sheet from its rows: header found, blank rows counted, odd cells marked."""
    names: list[str] = []
    kept: list[tuple[int, dict[str, str]]] = []
    odd: dict[tuple[int, str], str] = {}
    problems: list[Problem] = []
    blank = pending = 0
    for number, cells in rows:
        if number < header:
            continue
        if not names:
            names = _names([text for text, _ in cells])
            if not any(names):
                raise InputError.one(
                    label, "a blank header row", "the names of the columns", "write header: ROW in the map", row=number
                )
            continue
        if not any(text or wrong for text, wrong in cells):
            pending += 1
            if pending > MOST_GAP:
                raise InputError.one(
                    label, f"more than {MOST_GAP} blank rows", "the answers without gaps", "delete them", row=number
                )
            continue
        blank, pending = blank + pending, 0
        row: dict[str, str] = {}
        for place, (text, wrong) in enumerate(cells):
            if place >= len(names) or not names[place]:
                if text or wrong:
                    problems.append(_nameless(label, number, place, text or wrong, header))
                continue
            row[names[place]] = text
            if wrong:
                odd[number, names[place]] = wrong
        kept.append((number, row))
    if not names:
        raise InputError.one(label, "nothing", f"the names of the columns in row {header}")
    if problems:
        first = {problem.column: problem for problem in reversed(problems)}
        raise InputError([*reversed(first.values())][:20])
    return Sheet(label, tuple(name for name in names if name), tuple(kept), odd, blank)


def _nameless(label: str, number: int, place: int, text: str, header: int) -> Problem:
    return Problem(
        label,
        "a value in a column without a name",
        "a name for every column with values",
        f"name the column in row {header} (unmerge merged headers), or write header: ROW in the map",
        number,
        _letter(place),
    )


def _letter(place: int) -> str:
    """A column as spreadsheets call it.

    Examples
    --------
    >>> _letter(0), _letter(25), _letter(26)
    ('A', 'Z', 'AA')
    """
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _names(header: list[str]) -> list[str]:
    """Names of columns on one line each; the second of the same name is called ``name (2)``.

    Examples
    --------
    >>> _names(["Age", "How did\\nyou go?", "Age", ""])
    ['Age', 'How did you go?', 'Age (2)', '']
    """
    names: list[str] = []
    for given in header:
        name, number = named(given), 2
        while name and name in names:
            name, number = f"{named(given)} ({number})", number + 1
        names.append(name)
    return names


def _bytes(file: Path, needed: str, most: int = LARGEST) -> bytes:
    if file.is_dir():
        raise InputError.one(shown_path(file), "a folder", needed)
    try:
        if file.stat().st_size > most:
            raise InputError.one(shown_path(file), f"{file.stat().st_size} bytes", f"{most} or fewer")
        return file.read_bytes()
    except OSError as error:
        raise InputError.one(shown_path(file), error.strerror or "an error", needed) from error


def _is_workbook(file: Path) -> bool:
    """Whether a file is XLSX, by its content; other formats of spreadsheets are refused in words."""
    head = _bytes(file, "an export in CSV or XLSX")[:8]
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise InputError.one(
            shown_path(file), "an old or encrypted workbook", "CSV or XLSX", "save it as XLSX, without a password"
        )
    if head.startswith(b"PK") and file.suffix.casefold() not in (".xlsx", ".xlsm"):
        raise InputError.one(shown_path(file), "an archive", "CSV or XLSX", "unpack it, or save the workbook as XLSX")
    if file.suffix.casefold() in (".xlsx", ".xlsm") and not head.startswith(b"PK"):
        raise InputError.one(shown_path(file), "no XLSX inside", "CSV or XLSX", "name it .csv if it is text")
    return head.startswith(b"PK")


# --- CSV -------------------------------------------------------------------------------------------------------------


def _csv_rows(file: Path, delimiter: str, header: int) -> Iterator[tuple[int, Cells]]:
    shown, data = shown_path(file), _bytes(file, "an export in CSV or XLSX")
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        raise InputError.one(
            shown, f"byte 0x{data[error.start]:02x}", "UTF-8", "export or save it as CSV UTF-8", row=row
        ) from error
    if "\0" in text:
        raise InputError.one(shown, "a NUL byte", "text", row=text[: text.index("\0")].count("\n") + 1)
    lines = text.splitlines()
    first = lines[header - 1] if header <= len(lines) else ""
    parted = delimiter or max(",;\t", key=lambda sign: len(next(csv.reader([first], delimiter=sign), [])))
    width = 0
    number = 0
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=parted, strict=True), 1):
            if number == header:
                width = len(cells)
            elif number > header and any(cells) and len(cells) != width:
                hint = "quote cells that hold the sign between cells, or export it anew"
                raise InputError.one(shown, f"{len(cells)} cells", f"{width} cells, as in the header", hint, row=number)
            yield number, [(tidy(cell), "") for cell in cells]
    except csv.Error as error:
        raise InputError.one(shown, str(error), "CSV with straight quotes", "export it anew", row=number + 1) from error


# --- XLSX ------------------------------------------------------------------------------------------------------------


def _open(file: Path, values: bool) -> Any:
    """A workbook, opened without trust: its size unpacked is looked at first."""
    import openpyxl

    shown = shown_path(file)
    try:
        with zipfile.ZipFile(file) as archive:
            size = sum(part.file_size for part in archive.infolist())
        if size > LARGEST:
            raise InputError.one(shown, f"{size} bytes unpacked", f"{LARGEST} or fewer", "export fewer columns, or CSV")
        return openpyxl.load_workbook(file, read_only=True, data_only=values, keep_links=False)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # what openpyxl raises for a broken workbook is any of a dozen types
        raise InputError.one(
            shown, f"a workbook that cannot be read ({type(error).__name__})", "sound XLSX", "save it anew"
        ) from error


def _workbook_rows(file: Path, name: str) -> Iterator[tuple[int, Cells]]:
    """The rows of a sheet; a formula gives the value it was last computed to, and text stays text."""
    shown = shown_path(file)
    values, formulas = _open(file, values=True), _open(file, values=False)
    try:
        sheets = values[name], formulas[name]
        for sheet in sheets:
            sheet.reset_dimensions()  # the size a sheet claims may be false
        for number, (row, raw) in enumerate(zip(*(sheet.iter_rows() for sheet in sheets), strict=True), 1):
            if len(row) > MOST_COLUMNS:
                raise InputError.one(
                    f"{shown}, sheet {name}", f"{len(row)} columns", f"{MOST_COLUMNS} or fewer", row=number
                )
            yield number, [_cell(cell, written) for cell, written in zip(row, raw, strict=True)]
    except InputError:
        raise
    except Exception as error:  # see _open
        found = f"a sheet that cannot be read ({type(error).__name__})"
        raise InputError.one(f"{shown}, sheet {name}", found, "sound XLSX", "save it anew") from error
    finally:
        values.close()
        formulas.close()


def _cell(cell: Any, written: Any) -> tuple[str, str]:
    """A cell's text, and what is wrong with it if it has none to give."""
    value = cell.value
    if value is None and written.data_type == "f":
        return "", "a formula that was never computed"
    if cell.data_type == "e":
        return "", f"the error {value}"
    if isinstance(value, datetime):
        return (value.date() if value.time() == time() else value).isoformat(), ""
    return tidy(value if isinstance(value, str) else as_text(value)), ""
