"""Reads a workbook in a process of its own, whose memory and time are limited, and prints its cells as JSON.

Run as a script by `analysis.imports.exports`, and imports nothing of this package. A hostile workbook harms this process only.
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

MOST_BYTES, MOST_SHEETS, MOST_COLUMNS, MOST_CELLS = 256 * 2**20, 200, 5000, 10_000_000
"""Bytes unpacked, sheets of a workbook, columns and cells of a sheet."""
MEMORY, SECONDS = 2 * 2**30, 8
"""Bytes of memory and seconds of a processor that reading may take."""

Rows = dict[int, dict[int, str]]
"""Text by row from 1 and column from 0, of the cells that are not blank."""


class Refused(Exception):
    """Why a workbook is not read: what was found, what is needed, a hint."""


def limit() -> None:
    """End this process when it takes too much memory or time, where the system can do that."""
    try:
        import resource
    except ImportError:
        return
    for what, most in (("AS", MEMORY), ("CPU", SECONDS), ("CORE", 0)):
        resource.setrlimit(getattr(resource, f"RLIMIT_{what}"), (most, most))


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
    """The cells of a sheet, of the fullest one unless it is named, and which rows merged cells hold together."""
    archive = zipfile.ZipFile(file) if zipfile.is_zipfile(file) else None
    size = sum(part.file_size for part in archive.infolist()) if archive else 0
    if size > MOST_BYTES:
        raise Refused(f"{size:,} bytes unpacked", f"{MOST_BYTES:,} or fewer", "export fewer columns, or CSV")
    book = python_calamine.CalamineWorkbook.from_path(file)
    names = book.sheet_names
    if len(names) > MOST_SHEETS:
        raise Refused(f"{len(names):,} sheets", f"{MOST_SHEETS} or fewer", "save the one with the answers")
    if sheet and sheet not in names:
        raise Refused(
            f"no sheet {sheet!r}", f"one of {', '.join(map(repr, names[:20]))}", "see the sheet in the notebook"
        )
    if not sheet:
        sheet = names[0] if len(names) == 1 else max(names, key=lambda name: sum(map(len, filled(book, name).values())))
    rows = filled(book, sheet)
    for row, column, what in unreadable(archive, sheet) if archive else ():
        rows.setdefault(row, {})[column] = what
    merged = book.get_sheet_by_name(sheet).merged_cell_ranges or []
    spans = [(top + 1, bottom + 1 + (right > left)) for (top, left), (bottom, right) in merged]
    return {"sheet": sheet, "rows": sorted(rows.items()), "spans": spans}


def filled(book: Any, name: str) -> Rows:
    """The cells of a sheet."""
    sheet = book.get_sheet_by_name(name)
    if sheet.start is None:
        return {}
    if sheet.total_width > MOST_COLUMNS:
        found = f"{sheet.total_width:,} columns in sheet {name!r}"
        raise Refused(found, f"{MOST_COLUMNS:,} or fewer", "delete those that are blank, or save the sheet as CSV")
    rows: Rows = {}
    count = 0
    for number, row in enumerate(sheet.iter_rows(), 1):
        cells = {at: text(value) for at, value in enumerate(row, sheet.start[1]) if value not in ("", None)}
        count += len(cells)
        if count > MOST_CELLS:
            raise Refused(f"more than {MOST_CELLS:,} cells", "fewer", "save a sheet of answers alone, as CSV")
        rows |= {number: cells} if cells else {}
    return rows


def unreadable(archive: zipfile.ZipFile, sheet: str) -> Iterator[tuple[int, int, str]]:
    """Cells of XLSX that calamine gives as blank though they are not: errors, and formulas never computed."""
    xml = sheet_xml(archive, sheet)
    for given, inner in re.findall(r"<c ([^>]*[^/])>(.*?)</c>", xml, re.S) if 't="e"' in xml or "<f" in xml else ():
        at = re.search(r'r="([A-Z]{1,3})([0-9]{1,7})"', given)
        value = re.search(r"<v[^>]*>([^<]+)</v>", inner)
        what = (value[1] if value else "#ERROR") if 't="e"' in given else "#FORMULA NEVER COMPUTED"
        if at and ('t="e"' in given or ("<f" in inner and not value)):
            column = sum(26**place * (ord(letter) - 64) for place, letter in enumerate(reversed(at[1]))) - 1
            yield int(at[2]), column, what


def sheet_xml(archive: zipfile.ZipFile, sheet: str) -> str:
    """The XML of a sheet in an XLSX archive; blank where there is none."""
    try:
        book, links = (
            ElementTree.fromstring(archive.read(f"xl/{name}")) for name in ("workbook.xml", "_rels/workbook.xml.rels")
        )
        named = next(
            dict(each.items()) for each in book.iter() if each.tag.endswith("}sheet") and each.get("name") == sheet
        )
        link = next(value for key, value in named.items() if key.endswith("}id"))
        target = next(each.get("Target", "") for each in links if each.get("Id") == link)
        return archive.read(f"xl/{target.lstrip('/').removeprefix('xl/')}").decode("utf-8", "replace")
    except (KeyError, StopIteration):
        return ""


def main() -> None:
    limit()
    try:
        found = read(*sys.argv[1:3])
    except Refused as error:
        found = {"refused": error.args}
    except Exception as error:  # a broken archive raises any of a dozen types, and nobody here reads a traceback
        found = {
            "refused": (f"a workbook that cannot be read ({type(error).__name__})", "one that opens", "save it anew")
        }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
