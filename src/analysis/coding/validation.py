"""What must hold of an edition as a whole: its tables alone and together, its report object, its texts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import narwhals as nw

from analysis import folder
from analysis.coding import checks, relations
from analysis.coding.checks import MOST_SHOWN, Checked
from analysis.coding.package import SECOND, Report, listed_tables, name_problems, text_file_problems
from analysis.coding.relations import Place
from analysis.folder import PACKAGE
from analysis.schema import TABLES
from analysis.tables import Frame, Table, as_text, broken_parquet, collect_rows, shown_path, to_spark
from parabook import files
from parabook.errors import Problem, nearest, show


@dataclass
class Readings:
    """The tables of an edition as they were read; checking replaces them by what is fit to count."""

    read: dict[str, Table]
    files: Mapping[str, str]
    report: Report
    engine: str = ""
    """Address of the engine that holds some of the tables, so that all move there to be joined."""

    def __post_init__(self) -> None:
        self.tables = {name: table for name, table in self.read.items() if table.stored is not None}
        self.unread: dict[str, frozenset[str]] = {}
        self.rows: dict[str, int] = {}
        self.untrusted: set[str] = set()
        """Tables whose rows or keys are at fault: that one of their rows is missing proves nothing."""


def content_problems(readings: Readings, path: Path, package: Mapping[str, Any]) -> list[Problem]:
    """Every problem of an edition but those of ``datapackage.json`` by itself."""
    shown, report = shown_path(path / PACKAGE), readings.report
    problems = [problem for table in readings.read.values() for problem in table.problems]
    listed = listed_tables(package)
    if not {"interviewees", "destinations"} & listed:
        found = "neither interviewees nor destinations"
        problems.append(Problem(shown, found, "at least one of these tables"))
    problems += [problem for name in ("codebook.md", "story.md") for problem in text_file_problems(path / name)]
    problems += name_problems(path)
    readings.untrusted |= {name for name in listed if name not in readings.tables or not readings.read[name].complete}
    for name in list(readings.tables):
        problems += _table_problems(readings, name)
    if all(table.complete for table in readings.read.values()):
        problems += _without_rows(readings)
    for coder in ("", SECOND):
        problems += _reference_problems(readings, coder)
    problems += _report_problems(readings, shown)
    problems += _coding_problems(readings)
    people = readings.tables.get("interviewees")
    if people and report.minimum_cell == 1 and not report.public_source and not readings.unread.get("interviewees"):
        problems += relations.lone_problems(people)
    if people and report.minimum_cell > 1 and all(problem.warning for problem in problems):
        for file in (path / "codebook.md", path / "story.md"):
            text = file.read_text(encoding="utf-8") if file.is_file() else ""
            problems += relations.named_problems(people.frame, text, shown_path(file))
    return [_located(problem, readings.read.values()) for problem in problems]


def _located(problem: Problem, tables: Collection[Table]) -> Problem:
    for table in tables:
        problem = table.located(problem)
    return problem


def _table_problems(readings: Readings, name: str) -> list[Problem]:
    """The problems of one table; afterwards it is typed as plainly as they allow, on the engine of the others."""
    import duckdb

    table = readings.tables[name]
    marker = _marker(table)
    try:
        validated = marker is not None and marker.exists()
        checked = Checked([], frozenset(), table.count) if validated else checks.table_problems(table)
    except duckdb.Error as error:
        del readings.tables[name]
        readings.untrusted.add(name)
        return [broken_parquet(error, table.shown)]
    problems = checked.problems
    if marker and not (problems or table.problems or table.absent):
        files.write_atomically(marker)
        files.prune(marker.parent, 500)
    readings.unread[name] = checked.unread | table.absent
    readings.rows[name] = checked.rows
    errors = {problem.column for problem in problems if not problem.warning} | readings.unread[name]
    if errors & set(table.spec.key):
        readings.untrusted.add(name)
    table = replace(table, checked=not checked.unread)
    assert table.stored is not None
    moved = readings.engine and not table.stored.implementation.is_spark_like()
    readings.tables[name] = to_spark(table, readings.engine) if moved else table
    if (
        name.removeprefix(SECOND) == "destinations"
        and not {"countries", "measure", "low", "high"} & readings.unread[name]
    ):
        problems += relations.figure_problems(table)
    return problems


def _marker(table: Table) -> Path | None:
    """Path of the marker file that exists once a CSV table has been found valid by this version of the program."""
    if not table.cells:
        return None
    key = files.digest([table.cells.sha256, str(table.spec), folder.program()])
    return folder.CACHE / "validated-tables" / key


def _without_rows(readings: Readings) -> Iterator[Problem]:
    """An edition that nobody has filled yet; an evidence table without rows, which is as none."""
    main = [name for name in ("interviewees", "destinations") if name in readings.files]
    looked_at = [name for name in (*main, "evidence") if name in readings.tables]
    empty = {name for name in looked_at if not readings.rows[name]}
    if main and set(main) <= empty:
        other = f", and none in {readings.files[main[1]]}" if main[1:] else ""
        hint = "add rows below the header: a person or a figure each"
        wanted = "at least one interviewee or one destination figure"
        yield Problem(readings.files[main[0]], f"no rows{other}", wanted, hint)
    if "evidence" in empty:
        del readings.tables["evidence"]
        hint = "add them, or take the table off the list in datapackage.json if the source is no text"
        wanted = "a row of evidence for every coded value"
        yield Problem(readings.files["evidence"], "no rows", wanted, hint, warning=True)


def _reference_problems(readings: Readings, coder: str) -> Iterator[Problem]:
    """References of one coder's tables. The second coder's legs are of the second coder's people, between the edition's places."""
    own = {name.removeprefix(SECOND) for name in readings.tables if name.startswith(SECOND) == bool(coder)}
    names = {table: coder + table if table in own else table for table in TABLES}
    return relations.reference_problems(
        {table: readings.tables[name] for table, name in names.items() if name in readings.tables},
        {table: readings.tables[coder + table] for table in sorted(own, key=TABLES.index)},
        untrusted={table for table, name in names.items() if {name, coder + table} & readings.untrusted},
        unread={table: readings.unread[coder + table] for table in own},
    )


def _report_problems(readings: Readings, shown: str) -> Iterator[Problem]:
    """What the report object says that the tables contradict."""
    tables, report = readings.tables, readings.report
    if "interviewees" in tables and report.declared_interviewees is not None:
        yes = tables["interviewees"].frame.filter(nw.col("counted") == "yes")
        counted = int(collect_rows(yes.select(nw.len().alias("n")))[0]["n"])
        if counted > report.declared_interviewees:
            wanted = f"at least {counted}, the interviewees counted yes"
            yield Problem(shown, str(report.declared_interviewees), wanted, column="report.declared_interviewees")
    if report.collected_at and "places" not in readings.untrusted:
        places = tables["places"].frame if "places" in tables else None
        found = collect_rows(places.filter(nw.col("place") == report.collected_at).head(1)) if places else []
        if not found:
            known = [as_text(row["place"]) for row in collect_rows(places.select("place").head(2000))] if places else []
            hint, wanted = nearest(report.collected_at, known), "a place of table places"
            yield Problem(shown, show(report.collected_at), wanted, hint, column="report.collected_at")
    if report.event_date and "legs" in tables:
        legs = tables["legs"]
        early = legs.frame.filter(nw.col("departed") < report.event_date).select(*{*legs.locator, "departed"})
        for row in collect_rows(early.sort(*legs.locator).head(MOST_SHOWN)):
            where = f"row {row['_row']}" if "_row" in row else ".".join(as_text(row[part]) for part in legs.locator)
            wanted = f"departures from {report.event_date} on, the reference event"
            found_day, column = f"a departure on {row['departed']} (legs, {where})", "report.reference_event.date"
            yield Problem(shown, found_day, wanted, "check the source", column=column, warning=True)


def _coding_problems(readings: Readings) -> Iterator[Problem]:
    """What is wrong with evidence and settlements."""
    tables = {name: table for name, table in readings.tables.items() if not name.startswith(SECOND)}
    if not {"evidence", "settlements"} & tables.keys():
        return
    values = report_values({name: table.frame for name, table in tables.items()}, readings.report)
    unread = {(name, column) for name, columns in readings.unread.items() for column in columns}
    if "evidence" in tables and readings.unread["evidence"] <= {"paragraph"}:
        yield from relations.evidence_problems(tables["evidence"], values, untrusted=readings.untrusted, unread=unread)
    if "settlements" in tables and not readings.untrusted:
        yield from relations.settlement_problems(tables["settlements"], values)


def report_values(tables: Mapping[str, Frame], report: Report) -> dict[Place, str]:
    """Every coded value as text by (table, key, column), those of the report object included."""
    given = {
        "declared_interviewees": as_text(report.declared_interviewees),
        "collected_at": report.collected_at,
        "reference_event.date": report.event_date,
    }
    return {("report", "report", column): text for column, text in given.items() if text} | relations.coded_values(
        tables
    )
