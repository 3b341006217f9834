"""Reads a workbook in a process of its own, whose memory and time are limited, and prints its cells as JSON.

Run as a script by `analysis.imports.exports`; imports nothing of this package. What a workbook made to harm can reach is this process.
"""

from __future__ import annotations

import datetime
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import python_calamine

MOST_BYTES = 256 * 2**20
"""Bytes of a workbook, unpacked."""
MOST_SHEETS, MOST_COLUMNS, MOST_CELLS = 200, 5000, 10_000_000
MEMORY, SECONDS = 2 * 2**30, 8
"""Bytes of memory and seconds of a processor that reading may take."""


class Refused(Exception):
    """Why a workbook is not read: what was found, what is needed, a hint."""


def limit() -> None:
    """End this process when it takes too much memory or time, where the system can do that."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # ending so is no reason to write memory to the disk


def text(value: object) -> str:
    """A cell as text: whole numbers without a point, days without a time.

    Examples
    --------
    >>> text(2022.0), text(True), text(datetime.datetime(2022, 9, 21))
    ('2022', 'true', '2022-09-21')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**15:
        return str(int(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        value = value.date()
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else str(value)


def read(file: str, sheet: str) -> dict[str, Any]:
    """The rows of a sheet that hold something, by their number; without a name all sheets with their counts of cells."""
    refuse_large(file)
    book = python_calamine.CalamineWorkbook.from_path(file)
    if len(book.sheet_names) > MOST_SHEETS:
        raise Refused(f"{len(book.sheet_names):,} sheets", f"{MOST_SHEETS} or fewer", "save the one with the answers")
    if not sheet:
        return {"sheets": {name: sum(len(cells) for _, cells in filled(book, name)) for name in book.sheet_names}}
    if sheet not in book.sheet_names:
        raise Refused(f"no sheet {sheet!r}", f"one of {', '.join(map(repr, book.sheet_names[:20]))}", "")
    odd = dict(unreadable(file, sheet))
    rows = dict(filled(book, sheet))
    for (number, place), what in odd.items():
        rows.setdefault(number, {})[place] = what
    return {"rows": sorted(rows.items()), "merged": book.get_sheet_by_name(sheet).merged_cell_ranges or []}


def refuse_large(file: str) -> None:
    """Refuse an archive that unpacks to more than memory should hold."""
    if not zipfile.is_zipfile(file):
        return
    with zipfile.ZipFile(file) as archive:
        size = sum(part.file_size for part in archive.infolist())
    if size > MOST_BYTES:
        raise Refused(f"{size:,} bytes unpacked", f"{MOST_BYTES:,} or fewer", "export fewer columns, or CSV")


def filled(book: Any, name: str) -> Iterator[tuple[int, dict[int, str]]]:
    """The cells of a sheet that are not blank: row from 1, then text by column from 0."""
    sheet = book.get_sheet_by_name(name)
    if sheet.start is None:
        return
    if sheet.total_width > MOST_COLUMNS:
        found = f"{sheet.total_width:,} columns in sheet {name!r}"
        raise Refused(found, f"{MOST_COLUMNS:,} or fewer", "delete those that are blank, or save the sheet as CSV")
    count, offset = 0, sheet.start[1]
    for number, row in enumerate(sheet.iter_rows(), 1):
        cells = {place: text(value) for place, value in enumerate(row, offset) if value not in ("", None)}
        count += len(cells)
        if count > MOST_CELLS:
            raise Refused(f"more than {MOST_CELLS:,} cells", "fewer", "save a sheet of answers alone, as CSV")
        if cells:
            yield number, cells


def unreadable(file: str, sheet: str) -> Iterator[tuple[tuple[int, int], str]]:
    """Cells of XLSX that calamine gives as blank though they are not: errors, and formulas never computed."""
    if not zipfile.is_zipfile(file):
        return
    with zipfile.ZipFile(file) as archive:
        part = sheet_part(archive, sheet)
        xml = archive.read(part).decode("utf-8", "replace") if part else ""
    for given, inner in re.findall(r"<c ([^>]*[^/])>(.*?)</c>", xml, re.S) if 't="e"' in xml or "<f" in xml else ():
        at = re.search(r'r="([A-Z]{1,3})([0-9]{1,7})"', given)
        value = re.search(r"<v[^>]*>([^<]+)</v>", inner)
        if at and 't="e"' in given:
            yield position(at[1], at[2]), value[1] if value else "#ERROR"
        elif at and "<f" in inner and not value:
            yield position(at[1], at[2]), "#FORMULA NEVER COMPUTED"


def position(letters: str, row: str) -> tuple[int, int]:
    """Row from 1 and column from 0 of a cell such as AA7.

    Examples
    --------
    >>> position("AA", "7")
    (7, 26)
    """
    column = 0
    for letter in letters:
        column = 26 * column + ord(letter) - ord("A") + 1
    return int(row), column - 1


def sheet_part(archive: zipfile.ZipFile, sheet: str) -> str:
    """The file of an XLSX archive that holds a sheet; blank where there is none."""
    names = archive.namelist()
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= {*names}:
        return ""
    targets = {
        each.get("Id"): each.get("Target", "")
        for each in ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    }
    for each in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter():
        if each.tag.endswith("}sheet") and each.get("name") == sheet:
            relation = next((value for key, value in each.items() if key.endswith("}id")), "")
            target = targets.get(relation, "").lstrip("/").removeprefix("xl/")
            return f"xl/{target}" if f"xl/{target}" in names else ""
    return ""


def main() -> None:
    limit()
    try:
        found = read(sys.argv[1], sys.argv[2])
    except Refused as error:
        found = {"refused": error.args}
    except python_calamine.PasswordError:
        found = {"refused": ("an encrypted workbook", "one without a password", "save it without")}
    except Exception as error:  # a broken archive raises any of a dozen types, and there is nobody to tell a traceback
        found = {"refused": (f"a workbook that cannot be read ({type(error).__name__})", "a sound one", "save it anew")}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
