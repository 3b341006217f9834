"""Reads exports of form tools, spreadsheets and coding tools as frames of text, or refuses them in one line.

No file is trusted: sizes are limited, and workbooks are read in a process of their own. All guesses are reported.
"""

from __future__ import annotations

import contextlib
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
from analysis.text import as_text
from parabook.errors import InputError, nearest, show

MOST_BYTES, MOST_COLUMNS = 256 * 2**20, 5000
"""Bytes of a file, unpacked as well; columns of a table."""
NO_TEXT = "[\x00-\x08\x0e-\x1b\x7f]"
"""Control characters that no text of answers has."""
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
        CSV, a workbook (XLSX, ODS), highlights of Taguette, or a REFI-QDA project (`.qdpx`).
    sheet, header : str, int or sequence of int; optional
        The sheet of a workbook, and the row that names the columns, from 1; several for merged headers, whose names are
        joined by " / ". Without them the fullest sheet, and the first row about as wide as the widest: see `attrs["read"]`.
    columns : sequence of str, optional
        The columns that are wanted: each must be there, and no other one is given.
    """
    path = located(file)
    if path.suffix.casefold() == ".qdc":
        needed, hint = "coded passages", "export the whole project, as .qdpx"
        raise InputError.one(shown_path(path), "a code book alone", needed, hint)
    frame = _project(path)[0] if is_project(path) else _table(path, sheet, header)
    if lost := [column for column in columns or () if column not in frame]:
        hint = "; ".join(filter(None, ["see sheet and header", *(nearest(column, frame.columns) for column in lost)]))
        raise InputError.one(frame.attrs["source"], f"no column {', '.join(map(show, lost))}", "each column read", hint)
    return frame if columns is None else frame[list(columns)]


def read_text(file: str | Path) -> str:
    """The text that was coded: the sources of a `.qdpx` one after another, or a file in UTF-8."""
    path = located(file)
    return _project(path)[1] if is_project(path) else source_text(path)


def located(file: str | Path) -> Path:
    """The file at a path from the working folder, or from the checkout, as notebooks may run elsewhere."""
    path = Path(file).expanduser()
    found = next((each for each in (path, ROOT / path) if each.is_file()), None)
    if found is None:
        needed = "an export: CSV, XLSX, ODS or REFI-QDA"
        raise InputError.one(file or "export", "no such file", needed, "see the parameter export")
    size = found.stat().st_size
    with contextlib.suppress(Exception), zipfile.ZipFile(found) as archive:  # a broken one is refused when it is read
        size += sum(part.file_size for part in archive.infolist())
    if size > MOST_BYTES:
        raise InputError.one(shown_path(found), f"{size:,} bytes unpacked", f"{MOST_BYTES:,} or fewer")
    return found


def is_project(path: Path) -> bool:
    return path.suffix.casefold() == ".qdpx"


def tidy(text: str) -> str:
    """A text in Unicode's composed form and without blanks at its ends, as headers and answers are compared."""
    return unicodedata.normalize("NFC", text).strip()


def _table(path: Path, sheet: str | None, header: int | Sequence[int] | None) -> pd.DataFrame:
    data = path.read_bytes()
    found = _workbook(path, sheet or "") if data[:2] in (b"PK", b"\xd0\xcf") else _csv(path, data)
    source = shown_path(path) + (f", sheet {show(found['sheet'])}" if found["sheet"] else "")
    texts = {cell: tidy(cell) for _, row in found["rows"] for cell in row if isinstance(cell, str)}  # each once
    rows = {n: [texts[cell] if isinstance(cell, str) else as_text(cell) for cell in row] for n, row in found["rows"]}
    given = [header] if isinstance(header, int) else list(header or _header(rows, found["merged"]))
    width = max(map(len, rows.values()), default=0)
    if not given or not {*given} <= rows.keys() or width > MOST_COLUMNS:
        needed = f"names in row {', '.join(map(str, given)) or 1}, of {MOST_COLUMNS:,} columns at most"
        raise InputError.one(source, f"{len(rows):,} rows, {width:,} columns", needed, "say header=ROW")
    padded = [cells + [""] * (width - len(cells)) for cells in rows.values()]
    cells = pd.DataFrame(padded, pd.Index([*rows], name="row"), dtype="str")
    cells = cells.loc[:, (cells != "").any()]
    frame = cells[cells.index > given[-1]].set_axis(_names(cells.loc[given]), axis="columns")
    if len(frame) and all(tag == "" or tag.startswith("#") for tag in frame.iloc[0]):
        frame = frame.iloc[1:]  # HXL tags, which humanitarian data have below the header
    read = f"{source}: {found['said']}header in row {' and '.join(map(str, given))}, {len(frame):,} rows, {len(frame.columns)} columns"
    frame.attrs = {"source": source, "read": read, "sheet": found["sheet"], "header": given}
    return frame


def _header(rows: dict[int, list[str]], merged: Sequence[int]) -> list[int]:
    """The rows that name the columns: the first about as wide as the widest; with merged cells in it or above it, two."""
    widths = {number: sum(map(bool, row)) for number, row in [*rows.items()][:40]}
    most = max(widths.values(), default=0)
    for at, width in widths.items():
        if width >= 0.7 * most or (1 < width == most - 1 and not rows[at][0]):
            groups = [number for number in (at - 1, at) if number in merged and widths.get(number, 0) > 1]
            return [groups[0], groups[0] + 1] if groups else [at]
    return []


def _names(header: pd.DataFrame) -> list[str]:
    """Names of columns, each after the name of the group above it; the second of one name is `name (2)`."""
    groups = header.iloc[:-1].replace("", None).ffill(axis="columns").fillna("")
    parts = pd.concat([groups, header.iloc[-1:]]).to_dict("list")
    texts = {place: dict.fromkeys(" ".join(part.split()) for part in found if part) for place, found in parts.items()}
    names = pd.Series([" / ".join(found) or f"column {place}" for place, found in texts.items()], dtype="str")
    again = names.groupby(names).cumcount()
    return [f"{name} ({number + 1})" if number else name for name, number in zip(names, again, strict=True)]


def _workbook(path: Path, sheet: str) -> dict[str, Any]:
    """The output of the script `workbook` for a workbook, run in a process of its own."""
    command = [sys.executable, "-I", workbook.__file__, str(path), sheet]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        error = "its reader was exhausted"  # killed at its limits, or crashed
        if "EncryptedPackage".encode("utf-16-le") in path.read_bytes():
            error = "a password"
        elif done.returncode == 1:
            error = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        needed, hint = "XLSX or ODS, read in seconds and 2 GB of memory", "save the sheet of answers alone, as CSV"
        raise InputError.one(shown_path(path), f"a workbook that cannot be read ({show(error)})", needed, hint)
    read: dict[str, Any] = json.loads(done.stdout)
    lost = f"{read['lost']:,} errors or formulas without a value read as blank, " if read["lost"] else ""
    return read | {"said": lost}


def _csv(path: Path, data: bytes) -> dict[str, Any]:
    """The rows of a CSV, read with the encoding and the delimiter that are guessed."""
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise InputError.one(shown_path(path), "markup, such as a page of the web", "a table", "export it anew")
    encoding = "UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "UTF-8"
    try:
        text = data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError:  # several such letters in a row are Cyrillic
        other = "Windows-1251" if re.search(rb"[\xc0-\xff]{3}", data) else "Windows-1252"
        encoding = other if encoding == "UTF-8" else encoding
        text = data.decode(encoding, "replace")
    if odd := re.search(f"\ufffd|{NO_TEXT}", text):
        found = f"no {encoding}" if "\ufffd" in text else "a control character"
        row = text[: odd.start()].count("\n") + 1
        raise InputError.one(shown_path(path), found, "text, best in UTF-8", "export it anew", row=row)
    sign = max(",;\t|", key=text[:20_000].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign, strict=True)
    try:
        rows = [(number, row) for number, row in enumerate(reader, 1) if any(map(str.strip, row))]
        usual = mode(len(row) for _, row in rows) if rows else 0
        wide = next((number for number, row in rows if any(row[usual:])), None)
        error = (wide, f"more than {usual} cells") if wide else None
    except csv.Error as broken:
        error = (int(reader.line_num), str(broken))
    if error:
        needed = "text, as many cells in each row, odd ones in straight quotes"
        raise InputError.one(shown_path(path), error[1], needed, "export it anew", row=error[0])
    return {"rows": rows, "merged": (), "sheet": None, "said": f"taken for {encoding}, cells parted by {sign!r}, "}


def _project(path: Path) -> tuple[pd.DataFrame, str]:
    """Coded passages of a REFI-QDA project, in the columns of Taguette's export, and the texts of its sources."""
    rows, texts = [], []
    try:
        with zipfile.ZipFile(path) as archive:
            files = {Path(name).name: name for name in archive.namelist()}
            root = ElementTree.fromstring(archive.read(next(name for name in files.values() if name.endswith(".qde"))))
            codes = {code.get("guid"): tidy(code.get("name", "")) for code in root.iterfind(".//{*}Code")}
            for source in root.iterfind(".//{*}TextSource"):
                document = tidy(source.get("name", ""))
                file = files.get(source.get("plainTextPath", "").removeprefix("internal://"))
                inside = source.findtext(".//{*}PlainTextContent", "")
                texts.append(archive.read(file).decode("utf-8-sig") if file else inside)
                for number, passage in enumerate(source.iterfind(".//{*}PlainTextSelection"), 1):
                    start, end = (int(passage.get(key, 0)) for key in ("startPosition", "endPosition"))
                    if not 0 <= start < end <= len(texts[-1]):
                        raise ValueError(f"a passage from {start} to {end} of {len(texts[-1])} characters")
                    words = " ".join(texts[-1][start:end].split())
                    tags = [codes[code.get("targetGUID")] for code in passage.iterfind(".//{*}CodeRef")]
                    rows += [(f"{document} {number}", document, tag, words) for tag in tags]
    except Exception as error:  # broken archives raise exceptions of a dozen types
        found, needed = f"no project ({error})", "REFI-QDA as QualCoder, NVivo or ATLAS.ti exports it"
        raise InputError.one(shown_path(path), found, needed, "export it anew") from error
    frame = pd.DataFrame(rows, pd.RangeIndex(1, len(rows) + 1, name="row"), PASSAGES, dtype="str")
    frame.attrs = {"source": shown_path(path), "read": f"{shown_path(path)}: {len(frame):,} coded passages"}
    return frame, "\n".join(texts)
