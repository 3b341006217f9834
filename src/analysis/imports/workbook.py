"""Reads a workbook in a process of its own, whose memory and time are limited, and prints its cells as JSON.

Run as a script by `analysis.imports.files`, and imports nothing of this package: a hostile workbook harms this process only.
"""

import contextlib
import datetime
import io
import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import python_calamine

MOST_BYTES, MOST_SHEETS, MOST_COLUMNS = 256 * 2**20, 200, 5000
"""Bytes unpacked, sheets of a workbook, columns of a sheet."""
MEMORY, SECONDS = 2 * 2**30, 8
"""Bytes of memory and seconds of a processor that reading may take."""
NO_VALUE = re.compile(rb'<c [^>]*t="e"|<f>[^<]*</f>(?:<v ?/>|<v></v>)?</c>')
"""XLSX cells that calamine gives as blank though they are not: errors, and formulas never computed."""


class Refused(Exception):
    """Why a workbook is not read: what was found, what is needed."""


def read(file: str, sheet: str) -> dict[str, Any]:
    """The cells of a sheet, of the fullest one unless it is named, and the rows that each of its merged cells joins."""
    lost = check_archive(file) if zipfile.is_zipfile(file) else 0
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(Path(file).read_bytes()))  # whatever its name says
    names = book.sheet_names
    if len(names) > MOST_SHEETS:
        raise Refused(f"{len(names):,} sheets", f"{MOST_SHEETS} or fewer")
    if sheet and sheet not in names:
        raise Refused(f"no sheet {sheet!r}", f"one of {', '.join(map(repr, names[:20]))}")
    if not sheet:
        sheet = max(names, key=lambda name: sum(len([*filter(None, row)]) for _, row in rows(book, name)))
    ranges = book.get_sheet_by_name(sheet).merged_cell_ranges or []
    merged = [(top + 1, bottom + 1 + (right > left)) for (top, left), (bottom, right) in ranges]
    said = f"{lost:,} errors or formulas without a value read as blank, " if lost else ""
    return {"sheet": sheet, "rows": rows(book, sheet), "merged": merged, "said": said}


def check_archive(file: str) -> int:
    """Refuse an archive too large unpacked; how many cells of its sheets hold no value though they are not blank."""
    with zipfile.ZipFile(file) as archive:
        size = sum(part.file_size for part in archive.infolist())
        if size > MOST_BYTES:
            raise Refused(f"{size:,} bytes unpacked", f"{MOST_BYTES:,} or fewer")
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
        return sum(len(NO_VALUE.findall(archive.read(name))) for name in sheets)


def rows(book: Any, name: str) -> list[tuple[int, list[str]]]:
    """The number, from 1, and the cells of each row of a sheet that is not blank."""
    sheet = book.get_sheet_by_name(name)
    if sheet.start is None:
        return []
    if sheet.total_width > MOST_COLUMNS:
        raise Refused(f"{sheet.total_width:,} columns in sheet {name!r}", f"{MOST_COLUMNS:,} or fewer")
    left = [""] * sheet.start[1]
    cells = enumerate(sheet.iter_rows(), 1)
    return [(number, [*left, *map(text, row)]) for number, row in cells if row.count("") < len(row)]


def text(value: object) -> str:
    """A cell as text: whole numbers without a point, days without a time."""
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def main() -> None:
    with contextlib.suppress(ImportError):  # Windows knows no such limits
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    try:
        found = read(*sys.argv[1:3])
    except Refused as error:
        found = {"refused": error.args}
    except Exception as error:  # a broken archive raises any of a dozen types, and nobody here reads a traceback
        found = {"refused": (f"a workbook that cannot be read ({type(error).__name__})", "XLSX or ODS that opens")}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
