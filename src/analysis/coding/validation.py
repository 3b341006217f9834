"""What must hold of an edition as a whole: its tables alone and together, its report object, its texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import narwhals as nw

from analysis.coding import checks, relations
from analysis.coding.checks import MOST_SHOWN
from analysis.coding.package import SECOND, Package, name_problems, text_file_problems
from analysis.coding.relations import count
from analysis.folder import PACKAGE
from analysis.schema import TABLES
from analysis.tables import Table, broken_parquet, collect_rows, duckdb_errors, shown_path
from analysis.text import as_text
from parabook.errors import Problem, nearest, show

TEXTS = ("codebook.md", "story.md")
"""Texts of the edition that the book prints."""


class Validation:
    """One pass over an edition: problems are gathered, tables replaced by what is fit to count.

    A table that is broken does not keep the others from being checked. What depends on what could not be read is left
    out, rather than reported as wrong.
    """

    def __init__(self, read: Mapping[str, Table], package: Package, path: Path, engine: str) -> None:
        self.package, self.report, self.engine = package, package.report, engine
        self.problems = [problem for table in read.values() for problem in table.problems]
        self.tables = {name: table for name, table in read.items() if table.stored is not None}
        self.unread: dict[str, frozenset[str]] = {}
        self.rows: dict[str, int] = {}
        whole = {name for name, table in self.tables.items() if not table.problems}
        self.untrusted = set(package.listed - whole)
        """Tables whose rows or keys are at fault: that one of their rows is missing proves nothing."""
        self._check(path)

    def _check(self, path: Path) -> None:
        shown = shown_path(path / PACKAGE)
        if not {"interviewees", "destinations"} & self.package.listed:
            found = "neither interviewees nor destinations"
            self.problems.append(Problem(shown, found, "at least one of these tables"))
        self.problems += [problem for name in TEXTS for problem in text_file_problems(path / name)]
        self.problems += name_problems(path)
        unfilled = not self.untrusted
        for name in list(self.tables):
            self._check_table(name)
        if unfilled:
            self.problems += self._without_rows()
        for coder in ("", SECOND):
            self.problems += self._reference_problems(coder)
        self.problems += self._report_problems(shown)
        self.problems += self._coding_problems()
        self.problems += self._privacy_problems(path)

    def _check_table(self, name: str) -> None:
        """Check one table; afterwards it is typed as plainly as its problems allow, on the engine of the others."""
        table = self.tables.pop(name)
        try:
            checked = checks.table_problems(table)
        except duckdb_errors() as error:
            self.untrusted.add(name)
            self.problems.append(broken_parquet(error, table.shown))
            return
        self.problems += checked.problems
        self.unread[name], self.rows[name] = checked.unread, checked.rows
        wrong = {problem.column for problem in checked.problems if not problem.warning} | checked.unread
        if wrong & set(table.spec.key):
            self.untrusted.add(name)
        table = replace(table, checked=not checked.unread)
        self.tables[name] = table.moved(self.engine)
        if table.spec.name == "destinations" and "countries" not in checked.unread:
            self.problems += relations.country_problems(table)

    def _without_rows(self) -> Iterator[Problem]:
        """An edition that nobody has filled yet; an evidence table without rows, which is as none."""
        empty = [table for name, table in self.tables.items() if not self.rows[name]]
        main = [each for name in ("interviewees", "destinations") if (each := self.tables.get(name))]
        if main and all(table in empty for table in main):
            other = f", and none in {main[1].shown}" if main[1:] else ""
            hint = "add rows below the header: a person or a figure each"
            wanted = "at least one interviewee or one destination figure"
            yield Problem(main[0].shown, f"no rows{other}", wanted, hint)
        if self.tables.get("evidence") in empty:
            hint = "add them, or take the table off the list in datapackage.json if the source is no text"
            wanted = "a row of evidence for every coded value"
            yield Problem(self.tables.pop("evidence").shown, "no rows", wanted, hint, warning=True)

    def _reference_problems(self, coder: str) -> Iterator[Problem]:
        """References of one coder's tables. The second coder's legs are of the second coder's people, between the edition's places."""
        own = [table for table in TABLES if coder + table in self.tables]
        names = {table: coder + table if table in own else table for table in TABLES}
        return relations.reference_problems(
            {table: self.tables[coder + table] for table in own},
            {table: self.tables[name] for table, name in names.items() if name in self.tables},
            untrusted={table for table, name in names.items() if {name, coder + table} & self.untrusted},
            unread={table: self.unread[coder + table] for table in own},
        )

    def _report_problems(self, shown: str) -> Iterator[Problem]:
        """What the report object says that the tables contradict."""
        tables, report = self.tables, self.report
        if "interviewees" in tables and report.declared_interviewees is not None:
            counted = count(tables["interviewees"].frame.filter(nw.col("counted") == "yes"))
            if counted > report.declared_interviewees:
                wanted = f"at least {counted}, the interviewees counted yes"
                yield Problem(shown, str(report.declared_interviewees), wanted, column="report.declared_interviewees")
        if report.collected_at and "places" not in self.untrusted:
            rows = collect_rows(tables["places"].frame.select("place").head(2000)) if "places" in tables else []
            known = [as_text(row["place"]) for row in rows]
            if report.collected_at not in known:
                hint, wanted = nearest(report.collected_at, known), "a place of table places"
                yield Problem(shown, show(report.collected_at), wanted, hint, column="report.collected_at")
        if report.event_date and "legs" in tables:
            legs = tables["legs"]
            early = legs.frame.filter(nw.col("departed") < report.event_date).select(*{*legs.locator, "departed"})
            for row in collect_rows(early.sort(*legs.locator).head(MOST_SHOWN)):
                where = ".".join(as_text(row[part]) for part in legs.locator)
                found = f"a departure on {row['departed']} (legs, {'row ' * bool(legs.rows)}{where})"
                wanted, column = f"departures from {report.event_date} on", "report.reference_event.date"
                yield Problem(shown, found, wanted, "check the source", column=column, warning=True)

    def _coding_problems(self) -> Iterator[Problem]:
        """What is wrong with evidence and settlements."""
        tables = {name: table for name, table in self.tables.items() if not name.startswith(SECOND)}
        if not {"evidence", "settlements"} & tables.keys():
            return
        values = relations.coded_values({name: table.frame for name, table in tables.items()}, self.report)
        unread = {(name, column) for name, columns in self.unread.items() for column in columns}
        if "evidence" in tables and self.unread["evidence"] <= {"paragraph"}:
            yield from relations.evidence_problems(tables["evidence"], values, untrusted=self.untrusted, unread=unread)
        if "settlements" in tables and not self.untrusted:
            yield from relations.settlement_problems(tables["settlements"], values)

    def _privacy_problems(self, path: Path) -> Iterator[Problem]:
        """What gives single people away, where the source is not public or small cells are suppressed."""
        people, report = self.tables.get("interviewees"), self.report
        if people is None or self.unread["interviewees"]:
            return
        if report.minimum_cell == 1 and not report.public_source:
            yield from relations.lone_problems(people)
        for file in (path / name for name in TEXTS if report.minimum_cell > 1):
            if file.is_file() and not list(text_file_problems(file)):
                yield from relations.named_problems(people.frame, file.read_text(encoding="utf-8"), shown_path(file))
