"""What must hold of an edition as a whole: its tables alone and together, its report object, its texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import narwhals as nw

from analysis.coding import relations
from analysis.coding.checks import count, listed, table_problems
from analysis.coding.package import SECOND, Package, name_problems, text_file_problems
from analysis.folder import PACKAGE
from analysis.schema import TABLES
from analysis.tables import Table, broken_parquet, collect_rows, duckdb_errors, shown_path
from analysis.text import as_text
from parabook.errors import Problem, nearest, show

TEXTS = ("codebook.md", "story.md")
"""Texts of the edition that the book prints."""


class Validation:
    """One pass over an edition: problems are gathered, tables replaced by what is fit to count.

    A table that is broken does not keep the others from being checked. What must hold between tables is asked of those
    that are right by themselves, so that nothing is reported twice.
    """

    def __init__(self, read: Mapping[str, Table], package: Package, path: Path, engine: str) -> None:
        self.report, self.path, self.package_file = package.report, path, shown_path(path / PACKAGE)
        self.tables: dict[str, Table] = {}
        self.sound: dict[str, Table] = {}
        self.unsound = set(package.unsound)
        self.problems: list[Problem] = []
        for name, table in read.items():
            found = self._table_problems(table)
            self.problems += found
            sound = all(problem.warning for problem in found)
            if table.stored is not None:
                self.tables[name] = replace(table, checked=sound).moved(engine)
            if sound:
                self.sound[name] = self.tables[name]
            else:
                self.unsound.add(name)
        self.problems += self._empty_problems()
        self.problems += self._text_problems()
        for coder in ("", SECOND):
            self.problems += self._reference_problems(coder)
        self.problems += self._report_problems()
        self.problems += self._coding_problems()

    def _table_problems(self, table: Table) -> list[Problem]:
        try:
            return [*table.problems, *(table_problems(table) if table.stored is not None else ())]
        except duckdb_errors() as error:
            return [broken_parquet(error, table.shown)]

    def _empty_problems(self) -> Iterator[Problem]:
        """An edition without people and figures, or that nobody has filled yet; evidence without rows, which is as none."""
        main = {name: self.sound[name] for name in ("interviewees", "destinations") if name in self.sound}
        if not main and not self.unsound:
            found = "neither interviewees nor destinations"
            yield Problem(self.package_file, found, "at least one of these tables")
        elif not self.unsound and not any(count(table.frame) for table in main.values()):
            hint = "add rows below the header: a person or a figure each"
            wanted = "at least one interviewee or one destination figure"
            files = ", and none in ".join(table.shown for table in main.values())
            yield Problem(files, "no rows", wanted, hint)
        if "evidence" in self.sound and not count(self.sound["evidence"].frame):
            hint = "add them, or take the table off the list in datapackage.json if the source is no text"
            wanted = "a row of evidence for every coded value"
            del self.sound["evidence"]
            yield Problem(self.tables.pop("evidence").shown, "no rows", wanted, hint, warning=True)

    def _text_problems(self) -> Iterator[Problem]:
        """What is wrong with file names and texts; what gives single people away, in texts or in tables."""
        yield from name_problems(self.path)
        people, hidden = self.sound.get("interviewees"), self.report.minimum_cell > 1
        for file in (self.path / name for name in TEXTS):
            problems = list(text_file_problems(file))
            yield from problems
            if hidden and people and file.is_file() and not problems:
                yield from relations.named_problems(people.frame, file.read_text(encoding="utf-8"), shown_path(file))
        if people and not hidden and not self.report.public_source:
            yield from relations.lone_problems(people)

    def _reference_problems(self, coder: str) -> Iterator[Problem]:
        """References of one coder's tables. The second coder's legs are of the second coder's people, between the edition's places."""
        there = self.sound.keys() | self.unsound
        names = {name: coder + name if coder + name in there else name for name in TABLES}
        yield from relations.reference_problems(
            {name: self.sound[coder + name] for name in TABLES if coder + name in self.sound},
            {name: self.sound[own] for name, own in names.items() if own in self.sound},
            {name for name, own in names.items() if own in self.unsound} | self.unsound & {"resources"},
        )

    def _report_problems(self) -> Iterator[Problem]:
        """What the report object says that the tables contradict."""
        sound, report = self.sound, self.report
        if "interviewees" in sound and report.declared_interviewees is not None:
            counted = count(sound["interviewees"].frame.filter(nw.col("counted") == "yes"))
            if counted > report.declared_interviewees:
                found, wanted = str(report.declared_interviewees), f"at least {counted}, the interviewees counted yes"
                yield Problem(self.package_file, found, wanted, column="report.declared_interviewees")
        if report.collected_at and "places" not in self.unsound:
            rows = collect_rows(sound["places"].frame.select("place")) if "places" in sound else []
            known = [as_text(row["place"]) for row in rows]
            if report.collected_at not in known:
                found, hint = show(report.collected_at), nearest(report.collected_at, known)
                yield Problem(self.package_file, found, "a place of table places", hint, column="report.collected_at")
        if report.event_date and "legs" in sound:
            early = sound["legs"].frame.filter(nw.col("departed") < report.event_date)
            wanted = f"a day from {report.event_date} on, the date of report.reference_event"
            bad = early.with_columns(nw.col("departed").alias("_"))
            yield from listed(sound["legs"], bad, "departed", wanted, "check the source", warning=True)

    def _coding_problems(self) -> Iterator[Problem]:
        """What is wrong with evidence and settlements."""
        sound = self.sound
        if {"evidence", "settlements"} & sound.keys():
            values = relations.coded_values({name: table.frame for name, table in sound.items()}, self.report)
            if "evidence" in sound:
                yield from relations.evidence_problems(sound["evidence"], values, self.unsound)
            if "settlements" in sound and not self.unsound:
                yield from relations.settlement_problems(sound["settlements"], values)
