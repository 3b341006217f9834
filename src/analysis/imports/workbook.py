"""Prints the cells of a workbook as JSON: a script that `files` runs in a process of its own, with limits.

A hostile workbook can only end this process. Nothing of the package is imported here.
"""

import contextlib
import io
import json
import re
import sys
import zipfile
from pathlib import Path

import python_calamine

MEMORY, SECONDS = 2 * 2**30, 8
"""Limits of reading: bytes of memory and seconds of processor time."""
NO_VALUE = re.compile(rb'<c [^>]*t="e"|<f>[^<]*</f>(?:<v ?/>|<v></v>)?</c>')
"""XLSX cells that calamine reads as blank though they are not: errors, and formulas never computed."""


def read(data: bytes, sheet: str) -> dict[str, object]:
    """The rows with content of a sheet, by number; the fullest sheet if none is named."""
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))  # by content, not suffix
    sheets = {}
    for name in [sheet] if sheet else book.sheet_names:
        rows = enumerate(book.get_sheet_by_name(name).to_python(skip_empty_area=False), 1)
        sheets[name] = [(number, row) for number, row in rows if row.count("") < len(row)]
    fullest = max(sheets, key=lambda name: sum(len(row) - row.count("") for _, row in sheets[name]))
    ranges = book.get_sheet_by_name(fullest).merged_cell_ranges or []
    merged = [top + 1 for (top, left), (_, right) in ranges if right > left]
    lost = 0
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = [name for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
            lost = sum(len(NO_VALUE.findall(archive.read(name))) for name in parts)
    return {"sheet": fullest, "rows": sheets[fullest], "merged": merged, "lost": lost}


if __name__ == "__main__":
    with contextlib.suppress(ImportError):  # Windows has no such limits
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    json.dump(read(Path(sys.argv[1]).read_bytes(), sys.argv[2]), sys.stdout, default=str)
