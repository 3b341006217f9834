"""One edition: find its folder, read its tables, check them. The shared loaders; all disk access of the package."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd

from analysis import checks, fetch, folder
from analysis.folder import PACKAGE, find
from analysis.frames import Frame, Row, as_frame, as_text, records
from analysis.schema import TABLES, raw, schema
from analysis.spread import first, gathered, summed
from analysis.tables import MOST_SHOWN, Read, in_one_engine, is_date, nearest_name, read_table, shown_path
from parabook import files
from parabook.errors import InputError, Problem, nearest, show

SECOND = "second-"
"""Before a table's name: the same table as the second coder filled it."""


READ: set[str] = set()
"""The tables and files of editions that this process has read results from: what its outputs rest on."""

EVERYTHING = "*"
"""In `READ`: every file of the edition."""


class Noted(Mapping[str, Frame]):
    """Tables by name, each noted in `READ` when it is taken out. To ask whether there is one notes nothing."""

    def __init__(self, tables: Mapping[str, Frame], prefix: str) -> None:
        self._tables, self._prefix = tables, prefix

    def __getitem__(self, name: str) -> Frame:
        READ.add(self._prefix + name)
        return self._tables[name]

    def __contains__(self, name: object) -> bool:
        return name in self._tables

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)


class Texts(Mapping[str, pd.DataFrame]):
    """Tables as text, each made when it is first taken out."""

    def __init__(self, tables: Mapping[str, Frame]) -> None:
        self._tables = tables
        self._made: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._made:
            self._made[name] = as_frame(self._tables[name])
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._tables

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)


@dataclass(frozen=True)
class Report:
    """The ``report`` object of ``datapackage.json``."""

    declared_interviewees: int | None = None
    collected_at: str = ""
    event_title: str = ""
    event_date: str = ""
    minimum_cell: int = 1
    """The fewest people that a published count may stand for."""
    public_source: bool = False
    """Whether everybody can read the source, so that nothing about a person is first told here."""


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
    tables: Mapping[str, Frame] = field(repr=False)
    files: Mapping[str, str] = field(repr=False)
    second: Mapping[str, Frame] = field(repr=False, default_factory=dict)
    """The second coder's tables, where the edition keeps them."""

    @property
    def title(self) -> str:
        return str(self.package.get("title") or self.name)

    @property
    def date(self) -> str:
        """When the edition was made, or else the day of its reference event."""
        return str(self.package.get("created") or self.report.event_date)

    @property
    def homepage(self) -> str:
        """Where the book will stand, as the package says; blank when it does not."""
        return str(self.package.get("homepage") or "")

    @cached_property
    def text(self) -> Mapping[str, pd.DataFrame]:
        """Tables coded by hand as pandas frames of text, blank for missing: for listing, not for counting."""
        return Texts(self.tables)

    @cached_property
    def second_text(self) -> Mapping[str, pd.DataFrame]:
        """The second coder's tables, as `text` gives the edition's own."""
        return Texts(self.second)

    @cached_property
    def places(self) -> Mapping[str, Row]:
        """The rows of table ``places`` by their identifier."""
        rows = records(self.text["places"]) if "places" in self.tables else []
        return {row["place"]: row for row in rows}

    @cached_property
    def described(self) -> int:
        """How many interviewees are tabulated."""
        if "interviewees" not in self.tables:
            return 0
        yes = self.tables["interviewees"].filter(nw.col("counted") == "yes")
        return int(gathered(yes.select(nw.len().alias("n")), summed())[0]["n"])

    @cached_property
    def counted(self) -> frozenset[str]:
        """The interviewees that are tabulated; for editions coded by hand."""
        rows = records(self.text["interviewees"]) if "interviewees" in self.tables else []
        return frozenset(row["interviewee"] for row in rows if row["counted"] == "yes")

    @cached_property
    def evidence_places(self) -> Mapping[tuple[str, str, str], Row]:
        """The rows of table ``evidence`` by (table, key, column), in the table's order."""
        rows = records(self.text["evidence"]) if "evidence" in self.tables else []
        return {(row["table"], row["key"], row["column"]): row for row in rows}

    @cached_property
    def addresses(self) -> Mapping[str, str]:
        """Where each destination figure was read, by its key; blank where that is not told."""
        rows = records(self.text["destinations"]) if "destinations" in self.tables else []
        return {row["figure"]: row["url"] for row in rows}

    def codebook(self) -> str:
        """The edition's own rulings, Markdown; blank when it has none."""
        READ.add("codebook.md")
        file = self.path / "codebook.md"
        return file.read_text(encoding="utf-8") if file.is_file() else ""

    def hashes(self) -> dict[str, str]:
        """SHA-256 of every file of the edition, by path inside it."""
        READ.add(EVERYTHING)
        return folder.contents(self.path)


def load(edition: str | Path, minimum_cell: int = 0) -> Edition:
    """An edition, read and checked.

    Parameters
    ----------
    edition : str or Path
        A name under ``data/``, or the path of a folder with a ``datapackage.json``.
    minimum_cell : int
        The fewest people that a published count may stand for; 0 for what the edition says. It may ask
        for more than the edition does, never for less: who gave the data was promised the edition's number.

    Raises
    ------
    InputError
        With every problem found, when the edition cannot be used. Doubts do not stop it. Also for a
        ``minimum_cell`` below the edition's.

    Examples
    --------
    >>> load("oral-2022").report.declared_interviewees
    17
    """
    path = find(edition)
    before = folder.found_sound(path)
    loaded, problems = examine(path, sound=before.exists())
    errors = [problem for problem in problems if not problem.warning]
    if errors or loaded is None:
        raise InputError(errors)
    own = loaded.report.minimum_cell
    if minimum_cell and minimum_cell < own:
        raise InputError.one(
            "parameter minimum_cell", str(minimum_cell), f"{own} or more, or 0", f"{own} is the edition's own number"
        )
    if not before.exists():
        files.write_atomically(before)
        files.prune(before.parent, 200)
    return replace(loaded, report=replace(loaded.report, minimum_cell=max(own, minimum_cell)))


def examine(edition: str | Path, *, sound: bool = False) -> tuple[Edition | None, list[Problem]]:
    """An edition and all that is wrong with it, found in one pass; no edition where nothing can be read.

    A table that is broken does not keep the others from being checked. What depends on what could not be read
    is left out, rather than reported as wrong. What is known to be ``sound``, byte for byte, is not checked again.
    """
    path = find(edition)
    package, problems = _package(path / PACKAGE)
    if package is None:
        return None, problems
    reads: dict[str, Read] = {}
    files: dict[str, str] = {}
    for name, file in _resources(path, package, problems):
        files[name] = shown_path(file)
        reads[name] = read_table(file, schema(name.removeprefix(SECOND)), sound=sound)
        problems += reads[name].problems
    together = in_one_engine({name: read.frame for name, read in reads.items() if read.frame is not None})
    tables = {name: table for name, table in together.items() if not name.startswith(SECOND)}
    second = {name.removeprefix(SECOND): table for name, table in together.items() if name.startswith(SECOND)}
    report, found = _report(package, shown_path(path / PACKAGE))
    problems += found
    listed = _listed(package)
    if not {"interviewees", "destinations"} & listed:
        problems.append(
            Problem(shown_path(path / PACKAGE), "neither interviewees nor destinations", "at least one of these tables")
        )
    if all(read.whole for read in reads.values()):
        problems += _without_rows(tables, files)
    if not sound:
        problems += _codebook_problems(path)
        checked = {name: table for name, table in together.items() if name.startswith(SECOND) or name in tables}
        problems += _content(checked, reads, files, listed, report, shown_path(path / PACKAGE))
    for name, read in reads.items():
        problems = [read.located(problem, files[name]) for problem in problems]
    noted = Noted(tables, ""), Noted(second, SECOND)
    whole = Edition(path.name, path, package, report, noted[0], files, noted[1])
    if (
        not sound
        and report.minimum_cell > 1
        and "interviewees" in tables
        and all(problem.warning for problem in problems)
    ):
        problems += checks.named_problems(tables["interviewees"], whole.codebook(), shown_path(path / "codebook.md"))
        READ.discard("codebook.md")  # to look for problems is not to tell results
    return whole, problems


def _without_rows(tables: dict[str, Frame], files: Mapping[str, str]) -> Iterator[Problem]:
    """An edition that nobody has filled yet; an evidence table without rows, which is as none."""
    main = [name for name in ("interviewees", "destinations") if name in files]
    read = [name for name in main if name in tables]
    empty = {name for name in (*read, *({"evidence"} & tables.keys())) if _is_empty(tables[name])}
    if main and set(main) <= empty:
        other = f", and none in {files[main[1]]}" if main[1:] else ""
        hint = "add rows below the header: a person or a figure each"
        yield Problem(files[main[0]], f"no rows{other}", "at least one interviewee or one destination figure", hint)
    if "evidence" in empty:
        del tables["evidence"]
        hint = "add them, or take the table off the list in datapackage.json if the source is no text"
        yield Problem(files["evidence"], "no rows", "a row of evidence for every coded value", hint, warning=True)


def _is_empty(table: Frame) -> bool:
    return not len(table.select("_row").head(1).collect("pandas"))


def _listed(package: Mapping[str, Any]) -> set[str]:
    """The tables that a package means to have, misspelt or unreadable ones included."""
    resources = package.get("resources")
    names = [each.get("name") for each in resources if isinstance(each, dict)] if isinstance(resources, list) else []
    known = [*TABLES, *(SECOND + table for table in TABLES)]
    return {near for name in names if isinstance(name, str) and (near := nearest_name(name, known))}


def _codebook_problems(path: Path) -> Iterator[Problem]:
    file, shown = path / "codebook.md", shown_path(path / "codebook.md")
    if not file.exists() and not file.is_symlink():
        return
    if not _inside(file, path) or not file.is_file():
        yield Problem(shown, "no ordinary file of the edition's folder", "a text file")
        return
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        yield Problem(shown, f"a byte at {error.start} that is not UTF-8", "UTF-8", "save it as UTF-8")
    except OSError as error:
        yield Problem(shown, error.strerror or "an error", "a file that can be read")
    else:
        odd = re.search(checks.ODD, text)
        if odd:
            row = text[: odd.start()].count("\n") + 1
            yield Problem(shown, show(odd[0]), "text without control characters", "remove it", row=row)


def _package(file: Path) -> tuple[dict[str, Any] | None, list[Problem]]:
    shown = shown_path(file)
    problems: list[Problem] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        for key, times in Counter(key for key, _ in pairs).items():
            if times > 1:
                problems.append(
                    Problem(shown, f"key {show(key)} {times} times", "each key once", "remove one", column=key)
                )
        return dict(pairs)

    def no_number(text: str) -> None:
        problems.append(Problem(shown, text, "a number of JSON"))

    try:
        text = file.read_text(encoding="utf-8")
        package = json.loads(text, object_pairs_hook=once, parse_constant=no_number)
        json.dumps(package, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as error:
        return None, [Problem(shown, f"a byte at {error.start} that is not UTF-8", "UTF-8", "save it as UTF-8")]
    except UnicodeEncodeError:
        return None, [Problem(shown, "half of a surrogate pair", "whole characters", "retype the text")]
    except json.JSONDecodeError as error:
        return None, [Problem(shown, error.msg, "JSON", "hint it there", row=error.lineno)]
    except (ValueError, RecursionError) as error:
        return None, [Problem(shown, str(error).split(";")[0].splitlines()[0], "JSON of an ordinary size")]
    if not isinstance(package, dict):
        return None, [Problem(shown, show(json.dumps(package)), "a JSON object")]
    return package, [*problems, *_metadata_problems(package, shown)]


def _metadata_problems(package: Mapping[str, Any], shown: str) -> Iterator[Problem]:
    for key in ("name", "title", "description", "homepage", "created"):
        yield from _text_problems(package.get(key, ""), shown, key, lines=key == "description")
    home = package.get("homepage") or ""
    if isinstance(home, str) and home and not re.fullmatch(r"https?://[^\s<>\"']+", home):
        yield Problem(shown, show(home), "an address that begins with http:// or https://", column="homepage")
    for key, kind in (("licenses", "name"), ("sources", "title"), ("contributors", "title")):
        given = package.get(key, [])
        if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
            yield Problem(shown, show(json.dumps(given)), f"a list of objects with a {kind}", column=key)
            continue
        for number, each in enumerate(given, 1):
            for part in ("name", "title", "path", "role", "email", "organization"):
                yield from _text_problems(each.get(part, ""), shown, f"{key}[{number}].{part}")
        if key in package and not any(str(each.get("title", "")).strip() for each in given):
            yield Problem(
                shown, "nothing", f"titles of {key}, which the book prints", "fill them in", column=key, warning=True
            )
    for key in ("title", "description"):
        if isinstance(package.get(key), str) and not package[key].strip():
            yield Problem(shown, "nothing", f"a {key}, which the book prints", "fill it in", column=key, warning=True)


def _text_problems(given: object, shown: str, column: str, *, lines: bool = False) -> Iterator[Problem]:
    """Why a value of the package is no text that a page can show; a title stands on one line."""
    if not isinstance(given, str):
        yield Problem(shown, show(json.dumps(given)), "text", column=column)
    elif re.search(checks.ODD, given) or (not lines and re.search(r"[\t\n]", given)):
        needed = "text without control characters" if lines else "text on one line, without control characters"
        yield Problem(shown, show(given), needed, "retype it", column=column)


def _report(package: Mapping[str, Any], file: str) -> tuple[Report, list[Problem]]:
    """The report object, checked by hand: it is small, and its messages matter."""
    given = package.get("report", {})
    problems: list[Problem] = []

    def wrong(column: str, found: object, needed: str) -> None:
        told = show(found) if isinstance(found, str) else json.dumps(found)
        problems.append(Problem(file, told if len(told) < 80 else show(told), needed, column=f"report.{column}"))

    if not isinstance(given, dict):
        return Report(), [Problem(file, show(json.dumps(given)), "an object", column="report")]
    known = {"declared_interviewees", "collected_at", "reference_event", "minimum_cell", "public_source"}
    for extra in sorted(given.keys() - known):
        problems.append(
            Problem(file, show(extra), f"one of {', '.join(sorted(known))}", nearest(extra, known), column="report")
        )
    declared, minimum = given.get("declared_interviewees"), given.get("minimum_cell", 1)
    event, place = given.get("reference_event"), given.get("collected_at")
    if declared is not None and (type(declared) is not int or not 0 <= declared < 10**12):
        wrong("declared_interviewees", declared, "a whole number, or leave it out")
        declared = None
    if type(minimum) is not int or not 1 <= minimum < 10**12:
        wrong("minimum_cell", minimum, "a whole number from 1")
        minimum = 1
    public = given.get("public_source", False)
    if not isinstance(public, bool):
        wrong("public_source", public, "true or false")
        public = False
    if place is not None and not isinstance(place, str):
        wrong("collected_at", place, "the identifier of a place, as text")
        place = None
    if event is not None and not isinstance(event, dict):
        wrong("reference_event", event, "an object with title and date")
        event = None
    title, day = ((event or {}).get(key) for key in ("title", "date"))
    if title is not None:
        problems += _text_problems(title, file, "report.reference_event.title")
    if day is not None and day != "" and not is_date(day):
        wrong("reference_event.date", day, "a date as YYYY-MM-DD")
        day = ""
    return Report(declared, place or "", str(title or ""), str(day or ""), minimum, public), problems


def _inside(target: Path, folder: Path) -> bool:
    try:
        return target.resolve().is_relative_to(folder)
    except (OSError, RuntimeError):  # links in a circle
        return False


def _file_fault(path: Path, file: str, shown: str, where: str) -> Problem | None:
    """Why a table's file cannot be one, if it cannot."""
    target = path / file
    if "\0" in file or len(file) > 200:
        return Problem(shown, show(file), "a path of ordinary characters and length", column=where)
    if Path(file).is_absolute() or not _inside(target, path):
        return Problem(shown, show(file), "a path inside the edition's folder", column=where)
    if not target.exists():
        return Problem(
            shown_path(target),
            "no such file",
            "the table that datapackage.json lists",
            "add it, or take it off the list",
        )
    if target.is_dir():
        return _folder_fault(target, path)
    if not target.is_file():
        return Problem(shown_path(target), "no ordinary file", "a CSV or Parquet file")
    return None


def _folder_fault(folder: Path, path: Path) -> Problem | None:
    """Why a folder is no table, if it is none: what lies in it and would be passed over is said."""
    parts = [part for part in sorted(folder.iterdir()) if not part.name.startswith((".", "_"))]
    if not any(part.suffix == ".parquet" for part in parts):
        return Problem(shown_path(folder), "a folder", "a CSV or Parquet file, or a folder of Parquet parts")
    for part in parts:
        if part.is_dir():
            return Problem(
                shown_path(part), "a folder inside a table's folder", "Parquet parts only", "move its parts up"
            )
        if part.suffix != ".parquet" or not part.is_file() or not _inside(part, path):
            return Problem(
                shown_path(part), "no Parquet part of this edition", "Parquet parts only", "take it out of the folder"
            )
    return None


def _resources(path: Path, package: Mapping[str, Any], problems: list[Problem]) -> Iterator[tuple[str, Path]]:
    """The tables that the package lists, with their files; problems are added to the list."""
    shown = shown_path(path / PACKAGE)
    resources = package.get("resources")
    if not isinstance(resources, list) or not resources:
        problems.append(Problem(shown, "no resources", "a list of tables", column="resources"))
        return
    seen: set[str] = set()
    paths: set[str] = set()
    for number, resource in enumerate(resources, 1):
        name, file = (resource.get(key) if isinstance(resource, dict) else None for key in ("name", "path"))
        where = f"resources[{number}]"
        if not isinstance(name, str) or not isinstance(file, str) or not name or not file:
            problems.append(Problem(shown, show(resource), "a name and a path", column=where))
            continue
        table = name.removeprefix(SECOND)
        if table not in TABLES:
            hint = nearest(name, TABLES)
            if hint:
                problems.append(
                    Problem(shown, show(name), f"one of {', '.join(TABLES)}", hint, column=where, warning=True)
                )
            continue
        if name in seen:
            problems.append(Problem(shown, f"{show(name)} twice", "each table once", column=where))
            continue
        seen.add(name)
        target = path / file
        wrong = _file_fault(path, file, shown, where)
        if os.path.normpath(file) in paths:
            problems.append(Problem(shown, f"{show(file)} twice", "each file for one table", column=where))
        elif wrong:
            problems.append(wrong)
        else:
            yield name, target
        paths.add(os.path.normpath(file))
        given = resource.get("schema") if isinstance(resource, dict) else None
        if given is not None and given != with_own_fields(table, given):
            problems.append(
                Problem(
                    shown,
                    f"a schema of {name} unlike data/schemas/{table}.json",
                    "the same schema",
                    "run analysis check --embed to copy it anew",
                    column=where,
                    warning=True,
                )
            )


def _content(
    together: Mapping[str, Frame],
    reads: Mapping[str, Read],
    files: Mapping[str, str],
    listed: Collection[str],
    report: Report,
    package: str,
) -> list[Problem]:
    """What must hold of the typed tables, alone and together; of the second coder's as of the first's.

    ``listed`` are the tables that there should be, also those that could not be read.
    """
    problems: list[Problem] = []
    unsure = {name for name in listed if name not in reads or not reads[name].whole or name not in together}
    unread = {name: reads[name].unread for name in together}
    for name, frame in together.items():
        spec = schema(name.removeprefix(SECOND))
        found = checks.table_problems(spec, frame, files[name], unread[name])
        if set(spec.key) & ({problem.column for problem in found if not problem.warning} | set(unread[name])):
            unsure.add(name)
        if spec.name == "destinations" and not {"countries", "measure", "low", "high"} & set(unread[name]):
            found += checks.figure_problems(frame, files[name])
        problems += found
    for coder in ("", SECOND):
        # The second coder's legs are of the second coder's people, between the edition's places.
        own = {name.removeprefix(coder) for name in together if name.startswith(SECOND) == bool(coder)}
        theirs = {table: coder + table if table in own else table for table in TABLES}
        seen = {table: together[name] for table, name in theirs.items() if name in together}
        problems += checks.reference_problems(
            seen,
            {table: files[name] for table, name in theirs.items() if name in files},
            of={table: together[coder + table] for table in sorted(own, key=TABLES.index)},
            unsure={table for table, name in theirs.items() if {name, coder + table} & unsure},
            unread={table: unread[coder + table] for table in own},
        )
    tables = {name: table for name, table in together.items() if not name.startswith(SECOND)}
    problems += _report_problems(tables, report, package, unsure)
    if (
        "interviewees" in tables
        and report.minimum_cell == 1
        and not report.public_source
        and not unread["interviewees"]
    ):
        problems += checks.lone_problems(tables["interviewees"], files["interviewees"])
    if {"evidence", "settlements"} & set(tables):
        values = all_values(tables, report)
        blind = {(name, column) for name, columns in unread.items() for column in columns}
        if "evidence" in tables and set(unread["evidence"]) <= {"paragraph"}:
            problems += checks.evidence_problems(tables["evidence"], values, files, unsure=unsure, blind=blind)
        if "settlements" in tables and not unsure:
            problems += checks.settlement_problems(tables["settlements"], values, files)
    return problems


def _report_problems(
    tables: Mapping[str, Frame], report: Report, package: str, unsure: Collection[str]
) -> Iterator[Problem]:
    """What the report object says that the tables contradict."""
    if "interviewees" in tables and report.declared_interviewees is not None:
        yes = tables["interviewees"].filter(nw.col("counted") == "yes")
        counted = int(gathered(yes.select(nw.len().alias("n")), summed())[0]["n"])
        if counted > report.declared_interviewees:
            needed = f"at least {counted}, the interviewees counted yes"
            yield Problem(package, str(report.declared_interviewees), needed, column="report.declared_interviewees")
    if report.collected_at and "places" not in unsure:
        places = tables["places"].collect("pandas")["place"].to_list() if "places" in tables else []
        known = [str(place) for place in places]
        if report.collected_at not in known:
            hint = nearest(report.collected_at, known)
            found = show(report.collected_at)
            yield Problem(package, found, "a place of table places", hint, column="report.collected_at")
    if report.event_date and "legs" in tables:
        early = tables["legs"].filter(nw.col("departed") < report.event_date).select("_row", "departed")
        for row in gathered(early.sort("_row").head(MOST_SHOWN), first(MOST_SHOWN)):
            yield Problem(
                package,
                f"a departure on {row['departed']} (legs, row {row['_row']})",
                f"departures from {report.event_date} on, the reference event",
                "check the source",
                column="report.reference_event.date",
                warning=True,
            )


def all_values(tables: Mapping[str, Frame], report: Report) -> dict[tuple[str, str, str], str]:
    """Every coded value of an edition, those of its report object included."""
    values = checks.coded_values(tables)
    given = {
        "declared_interviewees": as_text(report.declared_interviewees),
        "collected_at": report.collected_at,
        "reference_event.date": report.event_date,
    }
    return {("report", "report", column): text for column, text in given.items() if text} | values


def with_own_fields(table: str, given: object) -> dict[str, Any]:
    """The schema of a table, and after its columns those that an edition's embedded schema adds of its own.

    Examples
    --------
    >>> own = with_own_fields("legs", {"fields": [{"name": "leg"}, {"name": "price", "type": "number"}]})
    >>> [field["name"] for field in own["fields"]][-2:]
    ['nights_waited', 'price']
    """
    ours = raw(table)
    fields = given.get("fields") if isinstance(given, dict) else None
    known = {field["name"] for field in ours["fields"]}
    own = [
        field
        for field in (fields if isinstance(fields, list) else [])
        if isinstance(field, dict) and isinstance(field.get("name"), str) and field["name"] not in known
    ]
    return {**ours, "fields": [*ours["fields"], *own]}


def embed(path: Path) -> bool:
    """Write the schemas of ``data/schemas`` into an edition's ``datapackage.json``; whether anything changed.

    Columns that an edition's schema adds of its own are kept. A resource named ``second-`` and a table's name is that table as the second coder filled it.
    """
    if fetch.origin(path):
        raise InputError.one(
            fetch.origin(path), "an address", "a folder on this machine, to write to", "copy it here first"
        )
    file = path / PACKAGE
    package, problems = _package(file)
    if package is None:
        raise InputError(problems)
    before = file.read_text(encoding="utf-8")
    for resource in package["resources"] if isinstance(package.get("resources"), list) else []:
        table = str(resource.get("name", "")).removeprefix(SECOND) if isinstance(resource, dict) else ""
        if table in TABLES:
            resource["schema"] = with_own_fields(table, resource.get("schema"))
    after = json.dumps(package, indent=2, ensure_ascii=False) + "\n"
    if after != before:
        file.write_text(after, encoding="utf-8")
    return after != before
