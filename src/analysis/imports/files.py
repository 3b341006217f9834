"""What form tools, spreadsheets and coding tools export, as frames of text. Files in, a frame or one clear line out.

Every file is a stranger's: sizes are limited, workbooks are read in a process of their own, and what is guessed is said.
"""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import unicodedata
import zipfile
from collections.abc import Sequence
from pathlib import Path
from statistics import mode
from typing import Any
from xml.etree import ElementTree

import pandas as pd

from analysis.coding.verify import source_text
from analysis.imports import workbook
from analysis.schema import ROOT
from analysis.tables import shown_path
from parabook.errors import InputError, Problem, nearest, show

PATIENCE = 60
"""Seconds a workbook may take on a busy machine; its processor time is limited more closely."""
PASSAGES = ["id", "document", "tag", "content"]
"""Columns of coded passages, as Taguette names them."""


def read_export(
    file: str | Path,
    sheet: str | None = None,
    header: int | Sequence[int] | None = None,
    columns: Sequence[str] | None = None,
) -> pd.DataFrame:
    """The answers of an export as text, "" for a blank cell, indexed by the row that a spreadsheet shows.

    Parameters
    ----------
    file : str or Path
        CSV, a workbook (XLSX, ODS), highlights of Taguette, or REFI-QDA (`.qdpx`, `.qdc`).
    sheet, header : str, int or sequence of int; optional
        The sheet of a workbook, and the row that names the columns, from 1; several for merged headers, whose names are
        joined by " / ". Without them the fullest sheet, and the first row about as wide as the widest: see `attrs["read"]`.
    columns : sequence of str, optional
        The columns that are wanted: each must be there, and no other one is given.
    """
    path = located(file)
    frame = _passages(path) if is_project(path) else _table(path, sheet, header)
    lost = [column for column in columns or () if column not in frame]
    if lost:
        source, needed = frame.attrs["source"], "each column that the notebook reads"
        near = (nearest(column, frame.columns) or "see sheet and header" for column in lost)
        raise InputError(Problem(source, f"no column {show(c)}", needed, n) for c, n in zip(lost, near, strict=True))
    return frame if columns is None else frame[list(columns)]


def read_text(file: str | Path) -> str:
    """The text that was coded: of a `.qdpx` its sources one after another, else the file in UTF-8."""
    path = located(file)
    return "\n".join(_project(path)[1].values()) if is_project(path) else source_text(path)


def located(file: str | Path) -> Path:
    """A file by its path from the working folder or, as notebooks run in their own, from the checkout."""
    path = Path(file).expanduser()
    found = next((each for each in (path, ROOT / path) if each.is_file()), None)
    if found is None:
        needed = "an export: CSV, XLSX, ODS or REFI-QDA"
        raise InputError.one(file or "export", "no such file", needed, "see the parameter export")
    if found.stat().st_size > workbook.MOST_BYTES:
        raise InputError.one(shown_path(found), f"{found.stat().st_size:,} bytes", f"{workbook.MOST_BYTES:,} or fewer")
    return found


# --- tables ----------------------------------------------------------------------------------------------------------


def _table(path: Path, sheet: str | None, header: int | Sequence[int] | None) -> pd.DataFrame:
    """A CSV or a sheet of a workbook as a frame below its header."""
    is_workbook = path.read_bytes()[:2] in (b"PK", b"\xd0\xcf")
    found = _workbook(path, sheet or "") if is_workbook else _csv(path)
    source = shown_path(path) + (f", sheet {show(found['sheet'])}" if is_workbook else "")
    rows = {number: [tidy(cell) for cell in row] for number, row in found["rows"]}
    given = (header,) if isinstance(header, int) else tuple(header or guess_header(rows, found["merged"]))
    if not given or not {*given} <= rows.keys():
        wanted = ", ".join(map(str, given)) or 1
        raise InputError.one(source, "nothing", f"the names of the columns in row {wanted}", "say header=ROW")
    width = max(map(len, rows.values()))
    if width > workbook.MOST_COLUMNS:
        raise InputError.one(source, f"{width:,} columns", f"{workbook.MOST_COLUMNS:,} or fewer")
    cells = pd.DataFrame([*rows.values()], pd.Index([*rows], name="row"), dtype="str").fillna("")
    cells = cells.loc[:, (cells != "").any()]
    frame = cells[cells.index > given[-1]].set_axis(_names(cells.loc[[*given]]), axis="columns")
    said = f"{found['said']}header in row {' and '.join(map(str, given))}"
    read = f"{source}: {said}, {len(frame):,} rows, {len(frame.columns)} columns"
    frame.attrs = {"source": source, "read": read, "sheet": found["sheet"], "header": given}
    return frame


def tidy(text: str) -> str:
    """A text without blanks at its ends, composed alike, as headers and answers are compared."""
    return unicodedata.normalize("NFC", text).strip()


def guess_header(rows: dict[int, list[str]], merged: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """The rows that name the columns: the first about as wide as the widest, and those merged with it.

    Examples
    --------
    >>> guess_header({3: ["No.", "About you"], 4: ["", "Age", "Sex", "Job"]}, [(3, 4)])
    (3, 4)
    """
    widths = {number: sum(map(bool, row)) for number, row in [*rows.items()][:40]}
    at = next((number for number, width in widths.items() if width >= 0.7 * max(widths.values())), 0)
    ends = [at, *(end for span in merged if span[0] <= at <= span[1] and widths.get(span[0], 0) > 1 for end in span)]
    return tuple(number for number in widths if min(ends) <= number <= max(ends))


def _names(header: pd.DataFrame) -> list[str]:
    """Names of columns; a group's name stands over all of its columns, and the second of one name is `name (2)`."""
    groups = header.iloc[:-1].replace("", None).ffill(axis="columns").fillna("")
    parts = pd.concat([groups, header.iloc[-1:]]).to_dict("list")
    texts = {place: dict.fromkeys(" ".join(part.split()) for part in found if part) for place, found in parts.items()}
    names = pd.Series([" / ".join(found) or f"column {place}" for place, found in texts.items()], dtype="str")
    again = names.groupby(names).cumcount()
    return [f"{name} ({number + 1})" if number else name for name, number in zip(names, again, strict=True)]


def _workbook(path: Path, sheet: str) -> dict[str, Any]:
    """What `workbook` prints of a workbook."""
    command = [sys.executable, "-I", workbook.__file__, str(path), sheet]
    hint = "save the sheet of answers alone, as CSV"
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
        found: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError) as error:
        needed = "one that is read in seconds and 2 GB of memory"
        raise InputError.one(shown_path(path), "a workbook that exhausts its reader", needed, hint) from error
    if refused := found.get("refused"):
        raise InputError.one(shown_path(path), refused[0], refused[1], hint)
    return found


def _csv(path: Path) -> dict[str, Any]:
    """The rows of a CSV, and how it was read: encoding and what parts its cells, guessed."""
    text, encoding = decoded(path.read_bytes())
    sign = max(",;\t|", key=text[:20_000].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign, strict=True)
    try:
        rows = [(number, row) for number, row in enumerate(reader, 1) if any(map(str.strip, row))]
    except csv.Error as error:
        line, hint = reader.line_num, "export it anew"
        raise InputError.one(shown_path(path), str(error), "CSV with straight quotes", hint, row=line) from error
    usual = mode(len(row) for _, row in rows) if rows else 0
    wide = next((number for number, row in rows if any(row[usual:])), None)
    if wide or "\0" in text:
        found = f"more than {usual} cells" if wide else "a NUL byte"
        hint = "quote cells that hold the sign between cells, or export it anew"
        raise InputError.one(shown_path(path), found, f"text, {usual} cells a row as most have", hint, row=wide)
    name = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}[sign]
    return {"rows": rows, "merged": (), "sheet": None, "said": f"{encoding}, cells parted by {name}, "}


def decoded(data: bytes) -> tuple[str, str]:
    """The text of a file and its encoding; where it is not Unicode, letters that stand together are Cyrillic.

    Examples
    --------
    >>> decoded("Пол, муж".encode("cp1251"))[1], decoded("Zürich".encode("cp1252"))[1]
    ('Windows-1251 (a guess)', 'Windows-1252 (a guess)')
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace"), "UTF-16"
    try:
        return data.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError:
        page = 1251 if re.search(rb"[\xc0-\xff]{3}", data) else 1252
        return data.decode(f"cp{page}", "replace"), f"Windows-{page} (a guess)"


# --- REFI-QDA --------------------------------------------------------------------------------------------------------


def is_project(path: Path) -> bool:
    """Whether a file is REFI-QDA: a project, or a codebook."""
    if not zipfile.is_zipfile(path):
        return path.suffix.casefold() == ".qdc"
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith(".qde") for name in archive.namelist())


def _passages(path: Path) -> pd.DataFrame:
    """Coded passages of a project, in the columns of Taguette's export; of a codebook its codes alone."""
    root, texts = _project(path)
    codes = {code.get("guid"): tidy(code.get("name", "")) for code in root.iterfind(".//{*}Code")}
    rows = [] if texts else [("", "", name, "") for name in codes.values()]
    for source in root.iterfind(".//{*}TextSource"):
        document, text = tidy(source.get("name", "")), texts.get(source.get("guid", ""), "")
        for number, passage in enumerate(source.iterfind(".//{*}PlainTextSelection"), 1):
            start, end = (passage.get(key, "") for key in ("startPosition", "endPosition"))
            words = text[int(start) : int(end)] if start.isdecimal() and end.isdecimal() else ""
            for code in (each.get("targetGUID") for each in passage.iterfind(".//{*}CodeRef")):
                rows.append((f"{document} {number}", document, codes.get(code, str(code)), " ".join(words.split())))
    frame = pd.DataFrame(rows, pd.RangeIndex(1, len(rows) + 1, name="row"), PASSAGES, dtype="str")
    frame.attrs = {"source": shown_path(path), "read": f"{shown_path(path)}: {len(frame):,} coded passages"}
    return frame


def _project(path: Path) -> tuple[ElementTree.Element, dict[str, str]]:
    """The XML of a project, and the texts of its sources by their identifier."""
    try:
        if not zipfile.is_zipfile(path):
            return ElementTree.fromstring(path.read_bytes()), {}
        with zipfile.ZipFile(path) as archive:
            if sum(part.file_size for part in archive.infolist()) > workbook.MOST_BYTES:
                raise ValueError("too large unpacked")
            held = {Path(name).name: name for name in archive.namelist()}
            root = ElementTree.fromstring(archive.read(next(name for name in held.values() if name.endswith(".qde"))))
            texts = {}
            for source in root.iterfind(".//{*}TextSource"):
                file = held.get(source.get("plainTextPath", "").removeprefix("internal://"))
                inside = source.findtext(".//{*}PlainTextContent", "")
                texts[source.get("guid", "")] = archive.read(file).decode("utf-8-sig") if file else inside
            return root, texts
    except (ElementTree.ParseError, zipfile.BadZipFile, RuntimeError, ValueError, OSError) as error:
        found, needed = f"no project ({error})", "REFI-QDA as QualCoder, NVivo or ATLAS.ti exports it"
        raise InputError.one(shown_path(path), found, needed, "export it anew") from error
