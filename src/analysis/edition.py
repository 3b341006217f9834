"""One edition: find its folder, read its tables, check them. The shared loaders; all disk access of the package."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd

from analysis import checks
from analysis.faults import BadInput, Fault, nearest, show
from analysis.schema import ROOT, TABLES, Schema, raw, schema

PACKAGE = "datapackage.json"
SECOND = "second-"
"""Before a table's name: the same table as the second coder filled it."""

TYPES = {
    "integer": (re.compile(r"[+-]?\d{1,15}"), "Int64", "a whole number"),
    "number": (re.compile(r"[+-]?\d{1,15}(\.\d+)?"), "Float64", "a number in digits, with a point"),
    "boolean": (re.compile(r"true|false"), "boolean", "true or false"),
    "date": (re.compile(r"\d{4}-\d{2}-\d{2}"), "object", "a date as YYYY-MM-DD"),
}


@dataclass(frozen=True)
class Report:
    """The ``report`` object of ``datapackage.json``."""

    declared_interviewees: int | None = None
    collected_at: str = ""
    event_title: str = ""
    event_date: str = ""
    minimum_cell: int = 1


@dataclass(frozen=True)
class Edition:
    """One edition, read and checked.

    ``tables`` are narwhals ``LazyFrame`` objects by table name, typed by the schema, with the
    row number of the file as ``_row``; a table that the edition lacks is absent.
    """

    name: str
    path: Path
    package: Mapping[str, Any]
    report: Report
    tables: Mapping[str, nw.LazyFrame[Any]] = field(repr=False)
    files: Mapping[str, str] = field(repr=False)
    second: Mapping[str, nw.LazyFrame[Any]] = field(repr=False, default_factory=dict)
    """The second coder's tables, where the edition keeps them."""

    @property
    def title(self) -> str:
        return str(self.package.get("title") or self.name)

    @cached_property
    def text(self) -> Mapping[str, pd.DataFrame]:
        """Tables coded by hand as pandas frames of text, blank for missing: for listing, not for counting."""
        return {name: as_frame(frame) for name, frame in self.tables.items()}

    @cached_property
    def second_text(self) -> Mapping[str, pd.DataFrame]:
        """The second coder's tables, as `text` gives the edition's own."""
        return {name: as_frame(frame) for name, frame in self.second.items()}

    @cached_property
    def places(self) -> Mapping[str, Mapping[str, str]]:
        """The rows of table ``places`` by their identifier."""
        rows = self.text["places"].to_dict("records") if "places" in self.tables else []
        return {row["place"]: row for row in rows}

    def codebook(self) -> str:
        """The edition's own rulings, Markdown; blank when it has none."""
        file = self.path / "codebook.md"
        return file.read_text(encoding="utf-8") if file.is_file() else ""

    def hashes(self) -> dict[str, str]:
        """SHA-256 of every file of the edition, by path inside it."""
        files = sorted(file for file in self.path.rglob("*") if file.is_file())
        return {
            file.relative_to(self.path).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files
        }


def as_frame(table: nw.LazyFrame[Any]) -> pd.DataFrame:
    """A table as text, blank for missing."""
    collected = table.collect()
    return pd.DataFrame([map(checks.as_text, row) for row in collected.rows()], columns=collected.columns)


def find(edition: str | Path) -> Path:
    """The folder of an edition, given its name under ``data/`` or a path.

    Examples
    --------
    >>> find("oral-2022").name
    'oral-2022'
    >>> find("oral-2202")
    Traceback (most recent call last):
    analysis.faults.BadInput: oral-2202: found no such edition, needed a name under data/ or a path; did you mean 'oral-2022'?
    """
    if not str(edition).strip():
        raise BadInput.one("edition", "an empty name", "a name under data/ or a path")
    for path in (Path(edition), ROOT / edition, ROOT / "data" / edition):
        if (path / PACKAGE).is_file():
            return path.resolve()
    for path in (Path(edition), ROOT / "data" / edition):
        if path.is_dir():
            raise BadInput.one(path, "no datapackage.json", "an edition's folder", "see analysis new")
        if path.is_file():
            raise BadInput.one(path, "a file", "an edition's folder")
    known = [found.parent.name for found in (ROOT / "data").glob(f"*/{PACKAGE}")]
    hint = nearest(edition, known) or f"editions here: {', '.join(sorted(known))}"
    raise BadInput.one(edition, "no such edition", "a name under data/ or a path", hint)


def load(edition: str | Path) -> Edition:
    """An edition, read and checked.

    Parameters
    ----------
    edition : str or Path
        A name under ``data/``, or the path of a folder with a ``datapackage.json``.

    Raises
    ------
    BadInput
        With every fault found, when the edition cannot be used. Doubts do not stop it.

    Examples
    --------
    >>> load("oral-2022").report.declared_interviewees
    17
    """
    loaded, faults = examine(edition)
    errors = [fault for fault in faults if not fault.doubt]
    if errors or loaded is None:
        raise BadInput(errors)
    return loaded


def examine(edition: str | Path) -> tuple[Edition | None, list[Fault]]:
    """An edition and all that is wrong with it, found in one pass; no edition where nothing can be read."""
    path = find(edition)
    package, faults = _package(path / PACKAGE)
    if package is None:
        return None, faults
    tables: dict[str, nw.LazyFrame[Any]] = {}
    second: dict[str, nw.LazyFrame[Any]] = {}
    files: dict[str, str] = {}
    for name, file in _resources(path, package, faults):
        files[name] = _shown(file)
        frame, found = read_table(file, schema(name.removeprefix(SECOND)))
        faults += found
        if frame is not None:
            (second if name.startswith(SECOND) else tables)[name.removeprefix(SECOND)] = frame
    report, found = _report(package, _shown(path / PACKAGE))
    faults += found
    if not {"interviewees", "destinations"} & set(files):
        faults.append(
            Fault(_shown(path / PACKAGE), "neither interviewees nor destinations", "at least one of these tables")
        )
    if not faults or all(fault.doubt for fault in faults):
        faults += _content(tables, files, report, _shown(path / PACKAGE))
    return Edition(path.name, path, package, report, tables, files, second), faults


def _shown(path: Path) -> str:
    """A path as error lines show it: from the checkout or the working folder when inside, else whole."""
    for base in (Path.cwd(), ROOT):
        if path.is_relative_to(base):
            return str(path.relative_to(base))
    return str(path)


def _package(file: Path) -> tuple[dict[str, Any] | None, list[Fault]]:
    shown = _shown(file)
    try:
        package = json.loads(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        return None, [Fault(shown, f"a byte at {error.start} that is not UTF-8", "UTF-8", "save it as UTF-8")]
    except json.JSONDecodeError as error:
        return None, [Fault(shown, error.msg, "JSON", "mend it there", row=error.lineno)]
    if not isinstance(package, dict):
        return None, [Fault(shown, type(package).__name__, "a JSON object")]
    return package, []


def _report(package: Mapping[str, Any], file: str) -> tuple[Report, list[Fault]]:
    """The report object, checked by hand: it is small, and its messages matter."""
    given = package.get("report", {})
    faults: list[Fault] = []

    def wrong(column: str, found: object, needed: str) -> None:
        faults.append(Fault(file, show(found), needed, column=f"report.{column}"))

    if not isinstance(given, dict):
        return Report(), [Fault(file, show(given), "an object", column="report")]
    known = {"declared_interviewees", "collected_at", "reference_event", "minimum_cell"}
    for extra in given.keys() - known:
        faults.append(Fault(file, show(extra), f"one of {', '.join(sorted(known))}", nearest(extra, known), column="report"))
    declared, minimum = given.get("declared_interviewees"), given.get("minimum_cell", 1)
    event, place = given.get("reference_event") or {}, given.get("collected_at") or ""
    if declared is not None and (type(declared) is not int or declared < 0):
        wrong("declared_interviewees", declared, "a whole number, or leave it out")
        declared = None
    if type(minimum) is not int or minimum < 1:
        wrong("minimum_cell", minimum, "a whole number from 1")
        minimum = 1
    if not isinstance(event, dict):
        wrong("reference_event", event, "an object with title and date")
        event = {}
    day = event.get("date") or ""
    if day and not _is_date(day):
        wrong("reference_event.date", day, "a date as YYYY-MM-DD")
    return Report(declared, str(place), str(event.get("title") or ""), str(day), minimum), faults


def _is_date(text: object) -> bool:
    try:
        return bool(TYPES["date"][0].fullmatch(str(text)) and date.fromisoformat(str(text)))
    except ValueError:
        return False


def _resources(path: Path, package: Mapping[str, Any], faults: list[Fault]) -> Iterator[tuple[str, Path]]:
    """The tables that the package lists, with their files; faults are added to the list."""
    shown = _shown(path / PACKAGE)
    resources = package.get("resources")
    if not isinstance(resources, list) or not resources:
        faults.append(Fault(shown, "no resources", "a list of tables", column="resources"))
        return
    seen = set()
    for number, resource in enumerate(resources, 1):
        name, file = (resource.get(key) if isinstance(resource, dict) else None for key in ("name", "path"))
        where = f"resources[{number}]"
        if not isinstance(name, str) or not isinstance(file, str) or not name or not file:
            faults.append(Fault(shown, show(resource), "a name and a path", column=where))
            continue
        table = name.removeprefix(SECOND)
        if table not in TABLES:
            hint = nearest(name, TABLES)
            if hint:
                faults.append(Fault(shown, show(name), f"one of {', '.join(TABLES)}", hint, column=where, doubt=True))
            continue
        if name in seen:
            faults.append(Fault(shown, f"{show(name)} twice", "each table once", column=where))
            continue
        seen.add(name)
        target = path / file
        if Path(file).is_absolute() or not target.resolve().is_relative_to(path):
            faults.append(Fault(shown, show(file), "a path inside the edition's folder", column=where))
        elif not target.exists():
            faults.append(Fault(_shown(target), "no such file", f"the table {name} that datapackage.json lists", "add it, or take it off the list"))
        elif target.is_dir() and not any(target.glob("*.parquet")):
            faults.append(Fault(_shown(target), "a folder", "a CSV or Parquet file, or a folder of Parquet parts"))
        else:
            yield name, target
        if isinstance(resource, dict) and resource.get("schema") not in (None, raw(table)):
            faults.append(
                Fault(shown, f"a schema of {name} unlike data/schemas/{table}.json", "the same schema",
                      "run analysis check --embed to copy it anew", column=where, doubt=True)
            )  # fmt: skip


def read_table(file: Path, spec: Schema) -> tuple[nw.LazyFrame[Any] | None, list[Fault]]:
    """A table as a typed frame with ``_row``, and what could not be read of it."""
    if file.is_dir() or file.suffix == ".parquet":
        return _read_parquet(file, spec)
    return _read_csv(file, spec)


def _read_csv(file: Path, spec: Schema) -> tuple[nw.LazyFrame[Any] | None, list[Fault]]:
    shown = _shown(file)
    data = file.read_bytes()
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return None, [Fault(shown, "a byte order mark", "plain UTF-8", "save it as UTF-8 without BOM", row=1)]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        return None, [Fault(shown, f"byte 0x{data[error.start]:02x}", "UTF-8", "save it as UTF-8", row=row)]
    if "\0" in text:
        return None, [Fault(shown, "a NUL byte", "text", row=text[: text.index("\0")].count("\n") + 1)]
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    header: list[str] = []
    rows: list[list[str]] = []
    faults: list[Fault] = []
    at: list[int] = []
    try:
        header = next(reader, [])
        faults = _header_faults(header, spec, shown)
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                faults.append(Fault(shown, f"{len(row)} cells", f"{len(header)} cells, as in the header", "quote cells that hold a comma, or add the missing ones", row=reader.line_num))
            else:
                rows.append(row)
                at.append(reader.line_num)
    except csv.Error as error:
        return None, [Fault(shown, str(error), "CSV with commas and straight quotes", row=reader.line_num)]
    if any(not fault.doubt for fault in faults):
        return None, faults
    frame = pd.DataFrame(rows, columns=header, dtype="object")
    frame["_row"] = pd.Series(at, dtype="int64")
    return _typed(frame, spec, shown, faults)


def _header_faults(header: list[str], spec: Schema, shown: str) -> list[Fault]:
    if not header:
        return [Fault(shown, "an empty file", f"a header row: {','.join(spec.columns)}", row=1)]
    if len(header) == 1 and header[0].count(";") > 1:
        return [Fault(shown, "cells parted by semicolons", "cells parted by commas", "export it as comma-separated", row=1)]
    faults = []
    for column in sorted({name for name in header if header.count(name) > 1}):
        faults.append(Fault(shown, f"column {show(column)} twice", "each column once", row=1))
    extra = [name for name in header if name not in spec.columns]
    for column in spec.columns:
        if column not in header:
            hint = f"rename {show(nearest_name(column, extra))}" if nearest_name(column, extra) else "add it; it may be left blank"
            faults.append(Fault(shown, "no such column", f"column {column}", hint, row=1, column=column))
    return faults


def nearest_name(column: str, names: list[str]) -> str:
    """The name most like a column's, or nothing.

    Examples
    --------
    >>> nearest_name("age_min", ["age_mim", "x"])
    'age_mim'
    """
    hint = nearest(column, names)
    return hint.split("'")[1] if hint else ""


def _typed(frame: pd.DataFrame, spec: Schema, shown: str, faults: list[Fault]) -> tuple[nw.LazyFrame[Any], list[Fault]]:
    """Text cells to typed columns; blanks to missing; cells that cannot be read to faults."""
    typed: dict[str, Any] = {"_row": frame["_row"]}
    for name in frame.columns.drop("_row"):
        text = frame[name].where(frame[name] != "", None)
        spec_field = next((field for field in spec.fields if field.name == name), None)
        kind = TYPES.get(spec_field.type) if spec_field else None
        if kind is None:
            typed[name] = text.astype("str")
            continue
        pattern, dtype, needed = kind
        good = text.isna() | text.map(lambda cell: cell is not None and pattern.fullmatch(cell) is not None)
        if spec_field is not None and spec_field.type == "date":
            good &= text.map(lambda cell: cell is None or _is_date(cell))
        for position in frame.index[~good]:
            faults.append(Fault(shown, show(text[position]), needed, row=int(frame["_row"][position]), column=name))
        text = text.where(good, None)
        if dtype == "boolean":
            typed[name] = text.map({"true": True, "false": False}).astype("boolean")
        elif dtype == "object":
            typed[name] = text.astype("str")
        else:
            typed[name] = pd.to_numeric(text).astype(dtype)
    return nw.from_native(pd.DataFrame(typed)).lazy(), faults


def _read_parquet(file: Path, spec: Schema) -> tuple[nw.LazyFrame[Any] | None, list[Fault]]:
    """A Parquet table through DuckDB, lazily: only counts and rows at fault ever come to memory."""
    import duckdb

    shown = _shown(file)
    pattern = str(file / "*.parquet" if file.is_dir() else file).replace("'", "''")
    try:
        relation = duckdb.sql(f"SELECT *, file_row_number + 2 AS _row FROM read_parquet('{pattern}', file_row_number = true)")
    except duckdb.Error as error:
        return None, [Fault(shown, str(error).splitlines()[0], "a Parquet file")]
    columns = [name for name in relation.columns if name not in ("_row", "file_row_number")]
    faults = _header_faults(columns, spec, shown)
    if any(not fault.doubt for fault in faults):
        return None, faults
    sql = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN"}
    picked = ", ".join(f'CAST("{f.name}" AS {sql.get(f.type, "VARCHAR")}) AS "{f.name}"' for f in spec.fields)
    return nw.from_native(relation.project(f"{picked}, _row")).lazy(), faults


def _content(tables: Mapping[str, nw.LazyFrame[Any]], files: Mapping[str, str], report: Report, package: str) -> list[Fault]:
    """What must hold of the typed tables, alone and together."""
    faults: list[Fault] = []
    for name, frame in tables.items():
        faults += checks.table_faults(schema(name), frame, files[name])
    faults += checks.reference_faults(tables, files)
    if "destinations" in tables:
        faults += checks.code_faults(tables["destinations"], files["destinations"])
    if "interviewees" in tables and report.declared_interviewees is not None:
        counted = tables["interviewees"].filter(nw.col("counted") == "yes").select(nw.len()).collect().item()
        if counted > report.declared_interviewees:
            faults.append(Fault(package, str(report.declared_interviewees), f"at least {counted}, the interviewees counted yes", column="report.declared_interviewees"))
    if report.collected_at:
        places = tables.get("places")
        known = [str(place) for place in places.select("place").collect()["place"].to_list()] if places is not None else []
        if report.collected_at not in known:
            faults.append(Fault(package, show(report.collected_at), "a place of table places", nearest(report.collected_at, known), column="report.collected_at"))
    if "evidence" in tables and all(fault.doubt for fault in faults):
        faults += checks.evidence_faults(tables["evidence"], all_values(tables, report), files)
    return faults


def all_values(tables: Mapping[str, nw.LazyFrame[Any]], report: Report) -> dict[tuple[str, str, str], str]:
    """Every coded value of an edition, those of its report object included."""
    values = checks.coded_values(tables)
    given = {
        "declared_interviewees": checks.as_text(report.declared_interviewees),
        "collected_at": report.collected_at,
        "reference_event.date": report.event_date,
    }
    return {("report", "report", column): text for column, text in given.items() if text} | values


def embed(path: Path) -> bool:
    """Write the schemas of ``data/schemas`` into an edition's ``datapackage.json``; whether anything changed.

    A resource named ``second-`` and a table's name is that table as the second coder filled it.
    """
    file = path / PACKAGE
    before = file.read_text(encoding="utf-8")
    package = json.loads(before)
    for resource in package["resources"]:
        table = str(resource["name"]).removeprefix(SECOND)
        if table in TABLES:
            resource["schema"] = raw(table)
    after = json.dumps(package, indent=2, ensure_ascii=False) + "\n"
    if after != before:
        file.write_text(after, encoding="utf-8")
    return after != before
