"""What form tools, spreadsheets and coding tools export, as frames of text. Files in, a frame or one clear line out.

Every file is a stranger's: sizes are limited, workbooks are read by `workbook` in a process of its own, nothing is run or
followed, and what is guessed is said.
"""

from __future__ import annotations

import csv
import io
import json
import operator
import subprocess
import sys
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import pandas as pd

from analysis.imports.workbook import MOST_BYTES, MOST_COLUMNS, Rows
from analysis.schema import ROOT
from analysis.tables import shown_path
from parabook.errors import InputError, Problem, nearest, show

PATIENCE: Final = 60
"""Seconds a workbook may take on a busy machine; its processor time is limited more closely."""
PASSAGES: Final = ("id", "document", "tag", "content")
"""Columns of coded passages, as Taguette names them."""


def tidy(text: str) -> str:
    """A text without blanks at its ends, composed alike, as headers and answers are compared."""
    return unicodedata.normalize("NFC", text).strip()


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
        CSV, a workbook (XLSX, ODS, XLS), highlights of Taguette, or REFI-QDA (`.qdpx`, `.qdc`).
    sheet : str, optional
        The sheet of a workbook; without it the one with the most cells.
    header : int or sequence of int, optional
        The row that names the columns, from 1; several for merged headers, whose names are joined by " / ". Without it the
        first row about as wide as the widest.
    columns : sequence of str, optional
        The columns that are wanted: each must be there, and no other one is given.

    Returns
    -------
    DataFrame
        `attrs` say what was read (`read`), guesses included (`sheet`, `header`); `source` names it in messages.
    """
    path = located(file)
    frame = _refi(path) if kind_of(path) == "REFI-QDA" else _table(path, sheet, header)
    source = frame.attrs.setdefault("source", shown_path(path))
    said = frame.attrs.pop("said", "")
    frame.attrs["read"] = f"{source}: {said}{len(frame):,} rows, {len(frame.columns)} columns"
    lost = [column for column in columns or () if column not in frame]
    if lost:
        needed, hint = "each column that the notebook reads", "see sheet and header"
        near = [nearest(column, map(str, frame)) or hint for column in lost]
        raise InputError(Problem(source, f"no column {show(c)}", needed, n) for c, n in zip(lost, near, strict=True))
    return frame if columns is None else frame[list(columns)]


def _table(path: Path, sheet: str | None, header: int | Sequence[int] | None) -> pd.DataFrame:
    """A CSV or a sheet of a workbook as a frame below its header."""
    spans: Sequence[Sequence[int]] = ()
    if kind_of(path) == "workbook":
        found = _workbook(path, sheet or "")
        rows = {number: {int(at): text for at, text in cells.items()} for number, cells in found["rows"]}
        sheet, spans, said = found["sheet"], found["spans"], ""
    else:
        rows, said = _csv(path)
    source = shown_path(path) + (f", sheet {show(sheet)}" if sheet else "")
    frame, given = _frame(rows, header, spans, source)
    said += f"header in row {' and '.join(map(str, given))}, "
    frame.attrs = {"source": source, "said": said, "sheet": sheet, "header": given}
    return frame


def located(file: str | Path) -> Path:
    """A file by its path from the working folder or, as notebooks run in their own, from the checkout."""
    path = Path(file).expanduser()
    found = next((each for each in (path, ROOT / path) if each.is_file()), None)
    if found is None:
        kind = "a folder" if path.is_dir() else "no such file"
        raise InputError.one(
            file or "export", kind, "an export: CSV, XLSX, ODS or REFI-QDA", "see the parameter export"
        )
    if found.stat().st_size > MOST_BYTES:
        raise InputError.one(shown_path(found), f"{found.stat().st_size:,} bytes", f"{MOST_BYTES:,} or fewer")
    return found


def kind_of(path: Path) -> str:
    """What a file is, by its content: `workbook`, `REFI-QDA` or `CSV`."""
    with path.open("rb") as file:
        head = file.read(8)
    if not head.startswith(b"PK"):
        old = head.startswith(b"\xd0\xcf\x11\xe0")
        return "workbook" if old else "REFI-QDA" if path.suffix.casefold() == ".qdc" else "CSV"
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise InputError.one(shown_path(path), "a broken archive", "XLSX, ODS or .qdpx", "save it anew") from error
    if any(name.endswith(".qde") for name in names):
        return "REFI-QDA"
    if {"xl/workbook.xml", "xl/workbook.bin", "content.xml"} & {*names}:
        return "workbook"
    raise InputError.one(shown_path(path), "an archive", "CSV, XLSX, ODS or .qdpx", "unpack it")


def _workbook(path: Path, sheet: str) -> dict[str, Any]:
    """What `workbook` prints of a workbook."""
    command = [sys.executable, "-I", str(Path(__file__).with_name("workbook.py")), str(path), sheet]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
        found: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError) as error:
        needed, hint = "one that is read in seconds and 2 GB of memory", "save the sheet of answers alone, as CSV"
        raise InputError.one(shown_path(path), "a workbook that exhausts its reader", needed, hint) from error
    if "refused" in found:
        raise InputError.one(shown_path(path), *found["refused"])
    return found


# --- CSV -------------------------------------------------------------------------------------------------------------


def _csv(path: Path) -> tuple[Rows, str]:
    """The cells of a CSV, and how it was read: encoding and what parts its cells, guessed."""
    shown = shown_path(path)
    text, encoding = decoded(path.read_bytes())
    if "\0" in text:
        row = text[: text.index("\0")].count("\n") + 1
        raise InputError.one(shown, "a NUL byte", "CSV in UTF-8", "export it anew", row=row)
    begin = text[:20_000]
    parted = max(",;\t|", key=begin.count)
    rows: Rows = {}
    widths: dict[int, int] = {}
    number = 0
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=parted, strict=True), 1):
            filled = {at: cell for at, cell in enumerate(cells) if cell.strip()}
            if filled:
                rows[number] = filled
                widths[len(cells)] = widths.get(len(cells), 0) + 1
    except csv.Error as error:
        raise InputError.one(shown, str(error), "CSV with straight quotes", "export it anew", row=number + 1) from error
    usual = max(widths, key=lambda width: widths[width], default=0)
    wide = next((number for number, cells in rows.items() if max(cells) >= usual), None)
    if wide is not None:
        hint = "quote cells that hold the sign between cells, or export it anew"
        raise InputError.one(shown, f"more than {usual} cells", f"{usual} cells, as most rows have", hint, row=wide)
    sign = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}[parted]
    return rows, f"{encoding}, cells parted by {sign}, "


def decoded(data: bytes) -> tuple[str, str]:
    """The text of a file and its encoding; where it is not Unicode, a guess by which letters stand in rows.

    Examples
    --------
    >>> decoded("Пол".encode("cp1251"))[1], decoded("Zürich".encode("cp1252"))[1], decoded(b"Sex")[1]
    ('Windows-1251 (a guess)', 'Windows-1252 (a guess)', 'UTF-8')
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace"), "UTF-16"
    try:
        return data.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError:
        pass
    high = [byte > 0xBF for byte in data[:1_000_000]]
    together = sum(map(operator.and_, high, high[1:])) > sum(high) / 2
    small = sum(byte > 0xDF for byte in data[:1_000_000]) > 0.6 * sum(high)
    page = (1251 if small else 1256) if together else 1252
    return data.decode(f"cp{page}", "replace"), f"Windows-{page} (a guess)"


# --- headers ---------------------------------------------------------------------------------------------------------


def _frame(
    rows: Rows, header: int | Sequence[int] | None, spans: Sequence[Sequence[int]], source: str
) -> tuple[pd.DataFrame, tuple[int, ...]]:
    """Cells as a frame below its header, and the rows of the header."""
    given = (header,) if isinstance(header, int) else tuple(header or guess_header(rows, spans))
    if not given or not {*given} & rows.keys():
        wanted = ", ".join(map(str, given)) or 1
        raise InputError.one(source, "nothing", f"the names of the columns in row {wanted}", "say header=ROW")
    places = sorted(set().union(*rows.values()))
    if len(places) > MOST_COLUMNS:
        raise InputError.one(source, f"{len(places):,} columns", f"{MOST_COLUMNS:,} or fewer")
    names: dict[int, list[str]] = {place: [] for place in places}
    for number in given:
        last = ""
        for place in places:
            name = " ".join(tidy(rows.get(number, {}).get(place, "")).split())
            last = name or (last if number != given[-1] else "")  # a group's name stands over all of its columns
            names[place] += [last] if last and last not in names[place] else []
    below = {number: cells for number, cells in rows.items() if number > given[-1]}
    index = pd.Index([*below], name="row")
    data = {place: [tidy(cells.get(place, "")) for cells in below.values()] for place in places}
    frame = pd.DataFrame(data, index, dtype="str")
    frame.columns = pd.Index(_once(" / ".join(names[place]) or f"column {place + 1}" for place in places))
    return frame, given


def guess_header(rows: Rows, spans: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """The rows that name the columns: the first about as wide as the widest, and those merged with it.

    Examples
    --------
    >>> guess_header({1: {0: "A survey"}, 3: {0: "Age", 1: "Sex"}, 4: {0: "20", 1: "f"}}, [])
    (3,)
    >>> guess_header({3: {0: "No.", 1: "About you"}, 4: {1: "Age", 2: "Sex", 3: "Job"}}, [(3, 4)])
    (3, 4)
    """
    top = {number: len(cells) for number, cells in list(rows.items())[:40]}
    if not top:
        return ()
    at = next(number for number, width in top.items() if width >= 0.7 * max(top.values()))
    first = min([at, *(begin for begin, end in spans if begin < at <= end and top.get(begin, 0) > 1)])
    last = max([at, *(end for begin, end in spans if begin <= at < end)])
    return tuple(number for number in top if first <= number <= last)


def _once(names: Iterator[str]) -> Iterator[str]:
    """Names of columns; the second of the same name is called ``name (2)``.

    Examples
    --------
    >>> list(_once(iter(["Age", "Sex", "Age"])))
    ['Age', 'Sex', 'Age (2)']
    """
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        yield f"{name} ({seen[name]})" if seen[name] > 1 else name


# --- REFI-QDA --------------------------------------------------------------------------------------------------------


def _refi(path: Path) -> pd.DataFrame:
    """Coded passages of a REFI-QDA project, in the columns of Taguette's export; of a codebook its codes alone."""
    root, texts = _project(path)
    codes = {each.get("guid"): tidy(each.get("name", "")) for each in _tagged(root, "Code")}
    rows = list(_passages(root, codes, texts))
    if path.suffix.casefold() == ".qdc":
        rows = [("", "", name, "") for name in codes.values()]
    return pd.DataFrame(rows, pd.RangeIndex(1, len(rows) + 1, name="row"), columns=[*PASSAGES], dtype="str")


def _passages(root: Any, codes: Mapping[Any, str], texts: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """One row a code of a passage; positions count characters of the text."""
    for source in _tagged(root, "TextSource"):
        document = tidy(source.get("name", ""))
        for number, passage in enumerate(_tagged(source, "PlainTextSelection"), 1):
            start, end = (passage.get(key, "") for key in ("startPosition", "endPosition"))
            text = texts.get(source.get("guid", ""), "")
            words = text[int(start) : int(end)] if start.isdecimal() and end.isdecimal() else ""
            for code in (each.get("targetGUID") for each in _tagged(passage, "CodeRef")):
                yield f"{document} {number}", document, codes.get(code, str(code)), " ".join(words.split())


def _project(path: Path) -> tuple[Any, dict[str, str]]:
    """The project of a REFI-QDA file, and the texts of its sources by their identifier."""
    shown, needed = shown_path(path), "REFI-QDA as QualCoder, NVivo or ATLAS.ti exports it"
    try:
        if not zipfile.is_zipfile(path):
            return ElementTree.fromstring(path.read_bytes()), {}
        with zipfile.ZipFile(path) as archive:
            if sum(part.file_size for part in archive.infolist()) > MOST_BYTES:
                raise InputError.one(shown, "a project too large unpacked", f"{MOST_BYTES:,} bytes or fewer")
            held = {Path(name).name: name for name in archive.namelist()}
            root = ElementTree.fromstring(archive.read(next(name for name in held.values() if name.endswith(".qde"))))
            texts = {}
            for source in _tagged(root, "TextSource"):
                file = held.get(source.get("plainTextPath", "").removeprefix("internal://"))
                inside = "".join(each.text or "" for each in _tagged(source, "PlainTextContent"))
                texts[source.get("guid", "")] = archive.read(file).decode("utf-8-sig") if file else inside
            return root, texts
    except (ElementTree.ParseError, zipfile.BadZipFile, RuntimeError, ValueError, OSError) as error:
        raise InputError.one(shown, f"no project ({type(error).__name__})", needed, "export it anew") from error


def _tagged(element: Any, name: str) -> Iterator[Any]:
    """The XML elements of a name, whatever their namespace."""
    return (each for each in element.iter() if str(each.tag).rpartition("}")[2] == name)


def read_text(file: str | Path) -> str:
    """The text that was coded: of a `.qdpx` its sources one after another, else the file in UTF-8."""
    path = located(file)
    if kind_of(path) == "REFI-QDA":
        return "\n".join(_project(path)[1].values())
    text, encoding = decoded(path.read_bytes())
    if encoding != "UTF-8":
        raise InputError.one(shown_path(path), encoding, "text in UTF-8", "save it as UTF-8")
    return text
