"""What form tools, spreadsheets and coding tools export, as frames of text. Files in, a frame or one clear line out.

Every file is a stranger's: sizes are limited, workbooks are read by `analysis.imports.workbook` in a process of its own, and
nothing in a file is ever run, followed or guessed in silence.
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

from analysis.schema import ROOT
from analysis.tables import shown_path
from parabook.errors import InputError, Problem, nearest, show

MOST_BYTES: Final = 256 * 2**20
MOST_COLUMNS: Final = 5000
PATIENCE: Final = 60
"""Seconds a workbook may take on a busy machine; its processor time is limited more closely."""

Rows = list[tuple[int, dict[int, str]]]
"""Rows that hold something: number from 1, and text by column from 0."""


def tidy(text: str) -> str:
    """A text without blanks at its ends, composed alike, as headers and answers are compared.

    Examples
    --------
    >>> tidy("  Сколько лет?\\n")
    'Сколько лет?'
    """
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
        The row that names the columns, counted from 1; several for merged headers, whose names are joined by " / ".
        Without it the first row about as wide as those below.
    columns : sequence of str, optional
        The columns that are wanted; no other one is read, and each must be there.

    Returns
    -------
    DataFrame
        `attrs` say what was read (`read`), guesses included (`sheet`, `header`); `source` names it in messages.

    Raises
    ------
    InputError
        With one line, for whatever cannot be read.
    """
    path = located(file)
    kind = kind_of(path)
    source, said = shown_path(path), ""
    names: tuple[int, ...] = ()
    if kind == "REFI-QDA":
        frame = _refi(path)
    else:
        if kind == "workbook":
            sheet = sheet or max(sheets(path).items(), key=lambda pair: pair[1], default=("", 0))[0]
            source = f"{source}, sheet {show(sheet)}"
            found = _workbook(path, sheet)
            rows, merged = [(n, {int(c): t for c, t in cells.items()}) for n, cells in found["rows"]], found["merged"]
        else:
            (rows, said), merged = _csv(path), []
        frame, names = _frame(rows, merged, header, source)
        said += f"header in row {' and '.join(map(str, names))}, "
    read = f"{source}: {said}{len(frame):,} rows, {len(frame.columns)} columns"
    frame.attrs = {"source": source, "read": read, "sheet": sheet, "header": names}
    return frame if columns is None else _wanted(frame, columns)


def located(file: str | Path) -> Path:
    """A file by its path from the working folder or, as notebooks run in their own, from the checkout."""
    path = Path(file).expanduser()
    found = next((each for each in (path, ROOT / path) if each.is_file()), None)
    if found is None:
        kind = "a folder" if path.is_dir() else "no such file" if str(file) else "no name of a file"
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
    if head.startswith(b"PK"):
        try:
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
            raise InputError.one(shown_path(path), "a broken archive", "XLSX, ODS or .qdpx", "save it anew") from error
        if any(name.endswith(".qde") for name in names):
            return "REFI-QDA"
        if "xl/workbook.xml" in names or "content.xml" in names or "xl/workbook.bin" in names:
            return "workbook"
        raise InputError.one(shown_path(path), "an archive", "CSV, XLSX, ODS or .qdpx", "unpack it")
    if path.suffix.casefold() == ".qdc":
        return "REFI-QDA"
    return "workbook" if head.startswith(b"\xd0\xcf\x11\xe0") else "CSV"


def sheets(file: str | Path) -> Mapping[str, int]:
    """The sheets of a workbook, each with how many of its cells hold something; none of other files."""
    path = located(file)
    found: Mapping[str, int] = _workbook(path, "")["sheets"] if kind_of(path) == "workbook" else {}
    return found


def _workbook(path: Path, sheet: str) -> dict[str, Any]:
    """What `analysis.imports.workbook` prints of a workbook."""
    command = [sys.executable, "-I", str(Path(__file__).with_name("workbook.py")), str(path), sheet]
    needed = "one that is read in a few seconds and 2 GB of memory"
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
        found: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError) as error:
        hint = "save the sheet of answers alone, as CSV"
        raise InputError.one(shown_path(path), "a workbook that exhausts its reader", needed, hint) from error
    if "refused" in found:
        raise InputError.one(shown_path(path), *found["refused"])
    return found


# --- CSV -------------------------------------------------------------------------------------------------------------


def _csv(path: Path) -> tuple[Rows, str]:
    """The rows of a CSV, and how it was read: encoding and what parts its cells, guessed."""
    shown = shown_path(path)
    text, encoding = decoded(path.read_bytes())
    if "\0" in text:
        needed = "text; CSV in UTF-8"
        raise InputError.one(
            shown, "a NUL byte", needed, "export it anew", row=text[: text.index("\0")].count("\n") + 1
        )
    lines = text[:20_000].splitlines()[:20]
    parted = max(",;\t|", key=lambda sign: sum(min(line.count(sign), MOST_COLUMNS) for line in lines))
    rows: Rows = []
    widths: dict[int, int] = {}
    number = 0
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=parted, strict=True), 1):
            filled = {place: cell for place, cell in enumerate(cells) if cell.strip()}
            if filled:
                rows.append((number, filled))
                widths[len(cells)] = widths.setdefault(len(cells), 0) + 1
    except csv.Error as error:
        found = "a quote never closed" if "end of data" in str(error) else str(error)
        raise InputError.one(shown, found, "CSV with straight quotes", "export it anew", row=number + 1) from error
    usual = max(widths, key=lambda width: widths[width], default=0)
    wide = next((n for n, cells in rows if max(cells) >= usual), None)
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
    rows: Rows, merged: Sequence[Any], header: int | Sequence[int] | None, source: str
) -> tuple[pd.DataFrame, tuple[int, ...]]:
    """Rows as a frame below its header, and the rows of the header."""
    given = (header,) if isinstance(header, int) else tuple(header or guess_header(rows, merged))
    cells = {number: row for number, row in rows if number in given}
    if not cells or not any(cells.values()):
        needed = f"the names of the columns in row {', '.join(map(str, given)) or 1}"
        raise InputError.one(source, "nothing", needed, "say header=ROW")
    width = 1 + max(max(row) for _, row in rows)
    if width > MOST_COLUMNS:
        raise InputError.one(source, f"{width:,} columns", f"{MOST_COLUMNS:,} or fewer")
    names = _names([_spread(cells.get(number, {}), number, width, merged, number != given[-1]) for number in given])
    below = [(number, row) for number, row in rows if number > given[-1]]
    index = pd.Index([number for number, _ in below], name="row")
    held = [place for place in range(width) if names[place] or any(place in row for _, row in below)]
    data = {names[place] or f"column {place + 1}": [tidy(row.get(place, "")) for _, row in below] for place in held}
    return pd.DataFrame(data, index=index, dtype="str"), given


def guess_header(rows: Rows, merged: Sequence[Any]) -> tuple[int, ...]:
    """The rows that name the columns: the first about as wide as the widest, with those merged into it.

    Examples
    --------
    >>> guess_header([(1, {0: "A survey"}), (3, {0: "Age", 1: "Sex"}), (4, {0: "20", 1: "f"})], [])
    (3,)
    >>> above = {0: "No.", 1: "About you"}
    >>> guess_header([(3, above), (4, {1: "Age", 2: "Sex", 3: "Job"}), (5, {0: "1", 1: "20", 2: "f", 3: "cook"})], [((2, 1), (2, 3))])
    (3, 4)
    """
    top = rows[:40]
    if not top:
        return ()
    widest = max(len(row) for _, row in top)
    at = next(place for place, (_, row) in enumerate(top) if len(row) >= 0.7 * widest)
    across = {top_left[0] + 1 for top_left, end in merged if end[1] > top_left[1]}
    down = {number for (first, _), (last, _) in merged for number in range(first + 1, last + 1)}
    first = last = at
    while first and len(top[first - 1][1]) > 1 and top[first - 1][0] in across | down:
        first -= 1
    while last + 1 < len(top) and top[last][0] in across | down:
        last += 1
    return tuple(number for number, _ in top[first : last + 1])


def _spread(cells: Mapping[int, str], row: int, width: int, merged: Sequence[Any], group: bool) -> list[str]:
    """A row of a header with what is merged, or stands over a group of columns, repeated over them."""
    names = [tidy(cells.get(place, "")) for place in range(width)]
    for (first, left), (last, right) in merged:
        if first <= row - 1 <= last:
            names[left : right + 1] = [names[left]] * (min(right, width - 1) - left + 1)
    if group and not merged:
        for place in range(1, width):
            names[place] = names[place] or names[place - 1]
    return names


def _names(header: list[list[str]]) -> list[str]:
    """The names of columns, each on one line; the second of the same name is called ``name (2)``.

    Examples
    --------
    >>> _names([["Age", "How did\\nyou go?", "Age", ""]])
    ['Age', 'How did you go?', 'Age (2)', '']
    """
    names: list[str] = []
    seen: dict[str, int] = {}
    for parts in zip(*header, strict=True):
        name = " / ".join(dict.fromkeys(" ".join(part.split()) for part in parts if part))
        seen[name] = seen.get(name, 0) + 1
        names.append(f"{name} ({seen[name]})" if name and seen[name] > 1 else name)
    return names


def _wanted(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    lost = [column for column in columns if column not in frame.columns]
    if lost:
        raise InputError(
            Problem(
                str(frame.attrs["source"]),
                f"no column {show(column)}",
                "each column that the notebook reads",
                nearest(column, frame.columns) or "see sheet and header",
            )
            for column in lost
        )
    return frame[list(columns)]


# --- REFI-QDA --------------------------------------------------------------------------------------------------------


def _refi(path: Path) -> pd.DataFrame:
    """Coded passages of a REFI-QDA project, in the columns of Taguette's export; of a codebook its codes alone."""
    root, texts = _project(path)
    codes = {each.get("guid"): each.get("name", "") for each in root.iter() if _tag(each) == "Code"}
    rows = list(_passages(root, codes, texts))
    if path.suffix.casefold() == ".qdc":
        rows = [{"id": "", "document": "", "tag": tidy(name), "content": ""} for name in codes.values()]
    index = pd.RangeIndex(1, len(rows) + 1, name="row")
    return pd.DataFrame(rows, columns=["id", "document", "tag", "content"], index=index, dtype="str")


def _passages(root: Any, codes: Mapping[Any, str], texts: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """One row a code of a passage; positions count characters of the text."""
    for source in (each for each in root.iter() if _tag(each) == "TextSource"):
        text = texts.get(source.get("guid", ""), "")
        for number, passage in enumerate((each for each in source if _tag(each) == "PlainTextSelection"), 1):
            start, end = (passage.get(key, "") for key in ("startPosition", "endPosition"))
            words = text[int(start) : int(end)] if start.isdecimal() and end.isdecimal() else ""
            for code in (each.get("targetGUID") for each in passage.iter() if _tag(each) == "CodeRef"):
                document = tidy(source.get("name", ""))
                row = {"id": f"{document} {number}", "document": document, "tag": codes.get(code, str(code))}
                yield row | {"content": " ".join(tidy(words).split())}


def _project(path: Path) -> tuple[Any, dict[str, str]]:
    """The project of a REFI-QDA file, and the texts of its sources by their identifier."""
    shown, needed = shown_path(path), "REFI-QDA as QualCoder, NVivo or ATLAS.ti exports it"
    try:
        if not zipfile.is_zipfile(path):
            return ElementTree.fromstring(path.read_bytes()), {}
        with zipfile.ZipFile(path) as archive:
            if sum(part.file_size for part in archive.infolist()) > MOST_BYTES:
                raise InputError.one(shown, "a project too large unpacked", f"{MOST_BYTES:,} bytes or fewer")
            names = archive.namelist()
            root = ElementTree.fromstring(archive.read(next(name for name in names if name.endswith(".qde"))))
            texts = {}
            for source in (each for each in root.iter() if _tag(each) == "TextSource"):
                inside = next((each.text or "" for each in source if _tag(each) == "PlainTextContent"), "")
                name = source.get("plainTextPath", "").removeprefix("internal://")
                held = next((each for each in names if name and Path(each).name == name), "")
                texts[source.get("guid", "")] = archive.read(held).decode("utf-8-sig") if held else inside
            return root, texts
    except (ElementTree.ParseError, zipfile.BadZipFile, UnicodeDecodeError, RuntimeError, ValueError, OSError) as error:
        raise InputError.one(shown, f"no project ({type(error).__name__})", needed, "export it anew") from error


def read_text(file: str | Path) -> str:
    """The text that was coded: of a `.qdpx` its sources one after another, else the file in UTF-8."""
    path = located(file)
    if kind_of(path) == "REFI-QDA":
        return "\n".join(_project(path)[1].values())
    text, encoding = decoded(path.read_bytes())
    if encoding != "UTF-8":
        raise InputError.one(shown_path(path), encoding, "text in UTF-8", "save it as UTF-8")
    return text


def _tag(element: Any) -> str:
    """The name of an XML element without its namespace."""
    return str(element.tag).rpartition("}")[2]
