"""Broken and hostile exports: each is read as what it is, or refused in one line that writes nothing, within seconds."""

from __future__ import annotations

import io
import os
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from conftest import run
from test_new import TABLE, archive, workbook

from analysis.imports import read_export

READ = ""
"""What is expected of a file that can be read: no refusal."""
Content = Callable[[], bytes]

SHEET = "xl/worksheets/sheet1.xml"
MARKUP = (
    '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{}</worksheet>'
)
LAUGHS = f"<!DOCTYPE x [<!ENTITY a '{'ha' * 99}'>" + "".join(
    f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 20}'>" for n in range(8)
)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ODS = "application/vnd.oasis.opendocument.spreadsheet"


def changed(part: str, old: bytes | None, new: bytes, **more: bytes) -> Content:
    """A sound workbook of which one part is changed, or replaced, and some parts are new."""

    def made() -> bytes:
        with zipfile.ZipFile(io.BytesIO(workbook())) as book:
            parts = {name: book.read(name) for name in book.namelist()}
        assert old is None or old in parts[part]
        parts[part] = new if old is None else parts[part].replace(old, new)
        return archive(*parts.items(), *((name.replace("__", "/"), content) for name, content in more.items()))

    return made


def drawn(change: Callable[[Any], object]) -> Content:
    """A sound workbook as openpyxl changes it."""

    def made() -> bytes:
        book, out = openpyxl.load_workbook(io.BytesIO(workbook())), io.BytesIO()
        change(book)
        book.save(out)
        return out.getvalue()

    return made


def cells(*rows: str, before: str = "") -> bytes:
    """A sheet of these rows of XML, for `changed`."""
    return MARKUP.format(f"{before}<sheetData>{''.join(rows)}</sheetData>").encode()


def claiming(size: int) -> bytes:
    """A sound workbook, the last part of which says that it unpacks to so many bytes."""
    book = bytearray(workbook())
    struct.pack_into("<I", book, book.rindex(b"PK\1\2") + 24, size)
    return bytes(book)


def ods(rows: str) -> Content:
    spaces = " ".join(f'xmlns:{x}="urn:oasis:names:tc:opendocument:xmlns:{x}:1.0"' for x in ("office", "table", "text"))
    body = f'<office:spreadsheet><table:table table:name="A">{rows}</table:table></office:spreadsheet>'
    content = f"<office:document-content {spaces}><office:body>{body}</office:body></office:document-content>"
    return lambda: archive(
        ("mimetype", ODS.encode()), ("META-INF/manifest.xml", b"<x/>"), ("content.xml", content.encode())
    )


def project(markup: str, *parts: tuple[str, bytes]) -> Content:
    return lambda: archive(("project.qde", markup.encode()), *parts)


def coded(start: str, end: str) -> str:
    return (
        '<P><Code guid="c" name="bus"/><TextSource name="T" plainTextPath="internal://t.txt">'
        f'<PlainTextSelection startPosition="{start}" endPosition="{end}"><CodeRef targetGUID="c"/></PlainTextSelection></TextSource></P>'
    )


def inline(*texts: str) -> str:
    return "<row>" + "".join(map('<c t="inlineStr"><is><t>{}</t></is></c>'.format, texts)) + "</row>"


HEAD, ROW = inline("Age", "Sex"), inline("20", "m")
CELL = '<table:table-cell office:value-type="string"{}><text:p>{}</text:p></table:table-cell>'.format
LINE = "<table:table-row{}>{}</table:table-row>".format
OPEN = LINE("", CELL("", "Age") + CELL("", "Sex")) + LINE("", CELL("", "20") + CELL("", "m"))
NO_BOOK = "found a workbook that cannot be read"

EXPORTS: dict[str, tuple[str, Content, str]] = {
    # text
    "nothing": ("e.csv", lambda: b"", "found 0 rows"),
    "a byte order mark alone": ("e.csv", lambda: b"\xef\xbb\xbf", "found 0 rows"),
    "blank lines": ("e.csv", lambda: b"\n \n,,\n" * 9, "found 0 rows"),
    "header only": ("e.csv", lambda: b"Age,Sex\n", "found no rows"),
    "NUL bytes": ("e.csv", lambda: b"Age\n\0\0\n", "found a control character"),
    "UTF-16 without its mark": ("e.csv", lambda: TABLE.encode("utf-16-le"), "found a control character"),
    "UTF-16 cut in a letter": ("e.csv", lambda: TABLE.encode("utf-16")[:-1], "found no UTF-16"),
    "UTF-32": ("e.csv", lambda: TABLE.encode("utf-32"), "found a control character"),
    "Windows-1252": ("e.csv", lambda: "Age,Sex\n20,m\n30,Übung\n".encode("cp1252"), READ),
    "Shift JIS": ("e.csv", lambda: "年齢,メール\n20,男\n".encode("shift-jis"), "found no Windows-125"),
    "quote never closed": ("e.csv", lambda: b'Age,Sex\n"20,m\n' * 3, "found"),
    "a cell without end": ("e.csv", lambda: b"Age\n" + b"x" * 200_000, "field larger than field limit"),
    "ragged": ("e.csv", lambda: TABLE.replace("30,f", "30,f,x").encode(), "row 3: found more than 4 cells"),
    "short rows": ("e.csv", lambda: b"Age,Sex,From\n20,m\n30,f,Oral\n20,m,Oral\n", READ),
    "20,000 columns": ("e.csv", lambda: b",".join([b"a"] * 20_000) + b"\n" + b",".join([b"1"] * 20_000), "20,000 columns"),
    "names twice": ("e.csv", lambda: b"Age,Sex,Sex,Sex\n20,m,f,x\n", READ),
    "an index without a name": ("e.csv", lambda: b",Age,Sex\n0,20,m\n1,30,f\n", READ),
    "old line ends": ("e.csv", lambda: TABLE.replace("\n", "\r").encode(), READ),
    "answers that break lines": ("e.csv", 'Age,Sex\n20,"m\u2028"\n"a\u0085b","c""\r\n\u2029d\'"\n'.encode, READ),
    "formulas": ("e.csv", lambda: b"Age,Sex\n=cmd|' /C calc'!A0,m\n\"=HYPERLINK(\"\"http://x\"\")\",f\n", READ),
    "a page of the web": ("e.csv", lambda: b"<!DOCTYPE html><html><body>Log in, please</body></html>", "found markup"),
    "JSON": ("e.csv", lambda: b'{"results": [{"age": 20}]}', "found no rows"),
    "PDF": ("e.csv", lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Length 9>>stream\n\x01\x02\x9c\n", "found a control character"),
    "an image": ("e.csv", lambda: b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)), "found "),
    "gzip": ("e.csv", lambda: b"\x1f\x8b\x08\0\0\0\0\0\0\3" + bytes(range(255, 0, -1)), "found "),
    "Parquet": ("e.csv", lambda: b"PAR1\x15\x04\x15\0" + bytes(range(200)) + b"PAR1", "found "),
    # workbooks
    "another archive": ("e.zip", lambda: archive(("a.csv", b"x")), NO_BOOK),
    "a text document": ("e.xlsx", lambda: archive(("word/document.xml", b"<w/>"), ("[Content_Types].xml", b"<x/>")), NO_BOOK),
    "cut short": ("e.xlsx", lambda: workbook()[:400], NO_BOOK),
    "cut in the middle": ("e.xlsx", lambda: workbook()[: len(workbook()) // 2], NO_BOOK),
    "no zip but its mark": ("e.xlsx", lambda: b"PK\3\4" + b"\0" * 99, NO_BOOK),
    "encrypted": ("e.xlsx", lambda: OLE + b"\0" * 600, NO_BOOK),
    "a password": ("e.xlsx", lambda: OLE + b"\0" * 504 + "EncryptedPackage".encode("utf-16-le").ljust(1024, b"\0"), "a password"),
    "XLS cut short": ("e.xls", lambda: OLE + struct.pack("<24H", *[9] * 24) + b"\xff" * 440, NO_BOOK),
    "gigabytes unpacked": ("e.xlsx", lambda: claiming(2**31), "2,147,"),
    "a part larger than it claims": ("e.xlsx", lambda: claiming(9), READ),
    "a cell at the end": ("e.xlsx", lambda: workbook(("XFD1048576", 1)), NO_BOOK),
    "a cell far right": ("e.xlsx", lambda: workbook(("XFD2", 1)), "16,384 columns"),
    "a size that is a lie": ("e.xlsx", changed(SHEET, None, cells(HEAD, ROW, before='<dimension ref="A1:XFD1048576"/>')), READ),
    "a million blank rows": ("e.xlsx", changed(SHEET, None, cells(HEAD, ROW, "<row/>" * 10**6)), READ),
    "macros": ("e.xlsm", changed(SHEET, b"<sheetData>", b"<sheetData>", xl__vbaProject_bin=OLE), READ),
    "links to other files": ("e.xlsx", drawn(lambda book: book.active.__setitem__("C2", "=[1]Sheet1!A1")), READ),
    "an entity of a file": ("e.xlsx", changed(SHEET, None, b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + cells(HEAD, inline("&e;", "m"))), "found"),
    "laughs in a workbook": ("e.xlsx", changed(SHEET, None, f"{LAUGHS}]>".encode() + cells(HEAD, inline("&i;", "m"))), "found"),
    "everything merged": ("e.xlsx", drawn(lambda book: book.active.merge_cells("A1:Z99")), "found"),
    "no sheets": ("e.xlsx", changed("xl/workbook.xml", b"<sheets>", b"<other>"), READ),
    "a sheet that is not there": ("e.xlsx", changed("xl/workbook.xml", b'r:id="rId1"', b'r:id="rId9"'), NO_BOOK),
    "a sheet of a hostile name": ("e.xlsx", drawn(lambda book: setattr(book.active, "title", "x'); import os #")), READ),
    "a hidden sheet": ("e.xlsx", drawn(lambda book: (book.create_sheet("a"), setattr(book["Sheet"], "sheet_state", "hidden"))), READ),
    "markup cut short": ("e.xlsx", changed(SHEET, None, cells(HEAD, ROW)[:-40]), NO_BOOK),
    "a text out of the table": ("e.xlsx", changed(SHEET, None, cells(HEAD, '<row><c t="s"><v>99999</v></c></row>')), NO_BOOK),
    "paths that lead out": ("e.xlsx", changed(SHEET, b"<sheetData>", b"<sheetData>", **{"..__..__..__tmp__evil.xml": b"x"}), READ),
    "a table without an end": ("e.ods", ods(OPEN + LINE(' table:number-rows-repeated="99999999"', CELL(' table:number-columns-repeated="16384"', "x"))), NO_BOOK),
    "blank rows to the end": ("e.ods", ods(OPEN + LINE(' table:number-rows-repeated="1048574"', "<table:table-cell/>")), READ),
    "an open document cut short": ("e.ods", lambda: ods(OPEN)()[:-60], NO_BOOK),
    # coded passages
    "broken REFI-QDA": ("e.qdpx", project("<Project"), "found no project"),
    "laughs": ("e.qdpx", project(f"{LAUGHS}]><P>&i;</P>"), "found no project"),
    "an empty project": ("e.qdpx", project("<P/>"), "found no rows"),
    "no project inside": ("e.qdpx", lambda: archive(("a.txt", b"x")), "found no project"),
    "places beyond the text": ("e.qdpx", project(coded("5", "999"), ("sources/t.txt", b"We took a bus")), "found no project"),
    "places that are no numbers": ("e.qdpx", project(coded("x", "y"), ("sources/t.txt", b"We took a bus")), "found no project"),
    "a source that leads out": ("e.qdpx", project(coded("0", "9").replace("internal://t.txt", "/etc/passwd")), "found no project"),
    "a code book": ("e.qdc", lambda: b"<CodeBook/>", "found a code book alone"),
}  # fmt: skip


@pytest.mark.parametrize("kind", EXPORTS)
def test_a_file_is_read_or_refused_in_one_line(kind: str, tmp_path: Path):
    name, content, found = EXPORTS[kind]
    (tmp_path / name).write_bytes(content())
    began, before = time.monotonic(), os.times()
    done = run("new", "trial", "--into", tmp_path, "--from", tmp_path / name, code=2 if found else 0)
    spent = sum(os.times()[:4]) - sum(before[:4])
    assert spent < 10, f"{spent:.1f} s of processors, {time.monotonic() - began:.1f} s in all"
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert found in done.stderr
    assert (tmp_path / "trial").exists() == (not found)
    if not found:
        assert read_export(tmp_path / name)["Sex"].iloc[0] == "m"


def test_what_is_no_file_is_refused(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    with (tmp_path / "sparse.csv").open("wb") as file:
        file.truncate(2**29)
    for name in ("pipe", "loop", ".", "nowhere.csv", "sparse.csv", "/dev/zero"):
        done = run("new", "trial", "--into", tmp_path, "--from", tmp_path / name, code=2)
        assert len(done.stderr.splitlines()) == 1, done.stderr
    assert not (tmp_path / "trial").exists()
