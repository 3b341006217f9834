"""The checks of an edition as a whole: references, people who are identifiable, evidence, the report object, texts.

As in `checks`, tables go in and problems come out, on every engine; only the texts are read from disk.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import narwhals as nw

from analysis.coding.checks import MOST_LISTED, Row, listed, table_problems
from analysis.coding.package import SECOND, Package, Report, name_problems, text_file_problems
from analysis.coding.rules import RULES, length, rule_of
from analysis.coding.spelling import spelling_problems
from analysis.folder import PACKAGE, TEXTS
from analysis.schema import GROUPS, TABLES, schema
from analysis.tables import Frame, Table, collect_rows, count, shown_path, until_broken
from analysis.text import as_text
from parabook.errors import Problem, nearest, show

MOST_WORDS = 8
"""The most words of the source that a row of evidence may quote."""

CODED_TABLES = ("interviewees", "legs", "places", "destinations", "statements")
Place = tuple[str, str, str]
"""The place of a coded value: table, key, column."""


def validate(read: Mapping[str, Table], package: Package, path: Path) -> tuple[dict[str, Table], list[Problem]]:
    """The tables of an edition that can be counted, and all problems of its tables and texts.

    Only tables without errors of their own (``valid``) are checked against each other, so that nothing is reported twice
    and one broken table does not keep the others from being checked.
    """
    problems, invalid = list[Problem](), {*package.invalid}
    for name, table in read.items():
        found = table_problems(table)
        problems += found
        if not all(each.warning for each in found):
            invalid.add(name)
    tables = {name: table for name, table in read.items() if table.cells is not None}
    if "evidence" in tables and "evidence" not in invalid and not count(tables["evidence"].frame):
        hint = "add them, or take the table off the list in datapackage.json if the source is no text"
        shown, needed = tables.pop("evidence").shown, "a row of evidence for every coded value"
        problems.append(Problem(shown, "no rows", needed, hint, warning=True))
    valid = {name: table for name, table in tables.items() if name not in invalid}
    file = shown_path(path / PACKAGE)
    problems += until_broken(relation_problems(valid, invalid, package.report, file), file)
    problems += text_problems(path, valid.get("interviewees"), package.report)
    return tables, problems


def relation_problems(
    valid: Mapping[str, Table], invalid: Collection[str], report: Report, file: str
) -> Iterator[Problem]:
    """What is wrong between the tables, and between them and the report object in ``file``."""
    main = [valid[name] for name in ("interviewees", "destinations") if name in valid]
    if not invalid and not any(count(table.frame) for table in main):
        where, found = (main[0].shown, "no rows") if main else (file, "no such table")
        hint = "add rows below the header: a person or a figure each"
        yield Problem(where, found, "at least one interviewee or one destination figure", hint)
    yield from spelling_problems({name: table for name, table in valid.items() if name in TABLES})
    there = {*valid, *invalid}
    for coder in ("", SECOND):  # a second coder's legs refer to that coder's interviewees, and to the edition's places
        names = {name: coder + name if coder + name in there else name for name in TABLES}
        yield from reference_problems(
            {name: valid[coder + name] for name in TABLES if coder + name in valid},
            {name: valid[own] for name, own in names.items() if own in valid},
            {name for name, own in names.items() if own in invalid},
        )
    yield from report_problems(valid, invalid, report, file)
    if {"evidence", "settlements"} & valid.keys():
        values = coded_values({name: table.frame for name, table in valid.items()}, report)
        yield from evidence_problems(valid["evidence"], values, invalid) if "evidence" in valid else ()
        yield from settlement_problems(valid["settlements"], values) if "settlements" in valid and not invalid else ()


def report_problems(
    valid: Mapping[str, Table], invalid: Collection[str], report: Report, file: str
) -> Iterator[Problem]:
    """What the report object says that the tables contradict."""
    if "interviewees" in valid and report.declared_interviewees is not None:
        counted = count(valid["interviewees"].frame.filter(nw.col("counted") == "yes"))
        if counted > report.declared_interviewees:
            found, needed = str(report.declared_interviewees), f"at least {counted}, the interviewees counted yes"
            yield Problem(file, found, needed, column="report.declared_interviewees")
    if report.collected_at and "places" not in invalid:
        rows = collect_rows(valid["places"].frame.select("place")) if "places" in valid else []
        known = [as_text(row["place"]) for row in rows]
        if report.collected_at not in known:
            found, hint = show(report.collected_at), nearest(report.collected_at, known)
            yield Problem(file, found, "a place of table places", hint, column="report.collected_at")
    if report.event_date and "legs" in valid:
        early = valid["legs"].frame.filter(nw.col("departed") < report.event_date)
        needed = f"a day from {report.event_date} on, the date of report.reference_event"
        bad = early.with_columns(nw.col("departed").alias("_"))
        yield from listed(valid["legs"], bad, "departed", needed, "check the source", warning=True)


def text_problems(path: Path, people: Table | None, report: Report) -> Iterator[Problem]:
    """What is wrong with file names and texts, and what would identify a person, in texts or in the table ``people``."""
    yield from name_problems(path)
    for file in (path / name for name in TEXTS):
        problems = list(text_file_problems(file))
        yield from problems
        if report.minimum_cell > 1 and people and file.is_file() and not problems:
            yield from named_problems(people.frame, file.read_text(encoding="utf-8"), shown_path(file))
    if people and report.minimum_cell == 1 and not report.public_source:
        yield from lone_problems(people)


def reference_problems(
    of: Mapping[str, Table], tables: Mapping[str, Table], invalid: Collection[str]
) -> Iterator[Problem]:
    """Values that refer to a row which is not in ``tables``; legs that are not numbered 1 to n.

    References to ``invalid`` tables are not checked, as the row may be one that could not be read.
    """
    for name, table in of.items():
        for column, other, there in schema(name).references:
            if other in tables or other not in (*invalid, "paragraphs"):
                yield from _lost(table, column, other, there, tables.get(other))
    if "statements" in of and ("interviewees" in tables or "interviewees" not in invalid):
        yield from _lost(of["statements"], "about", "interviewees", "interviewee", tables.get("interviewees"), GROUPS)
    if "legs" in of:
        legs = of["legs"]
        rows = [nw.col(name).max() for name in legs.rows]
        counts = legs.frame.group_by("interviewee").agg(nw.len().alias("_n"), nw.col("leg").max(), *rows)
        gaps = counts.filter(nw.col("_n") != nw.col("leg")).with_columns(nw.col("leg").alias("_"))
        yield from listed(legs, gaps, "leg", "legs numbered 1 to n, as many as the person has", "renumber them")


def _lost(
    table: Table, column: str, name: str, there: str, other: Table | None, besides: Sequence[str] = ()
) -> Iterator[Problem]:
    """Values of a column that are neither a key of another table nor one of the other values allowed (``besides``)."""
    lost = table.frame.filter(~nw.col(column).is_null(), ~nw.col(column).is_in(besides))
    lost = lost.with_columns(nw.col(column).alias("_"))
    keys = other.frame.select(nw.col(there).alias("_")).unique() if other else None

    @cache
    def known() -> list[str]:
        return [as_text(row["_"]) for row in collect_rows(keys.head(2000))] if keys is not None else []

    def hint(value: str) -> str:
        return nearest(value, known()) or f"add it to {name}, or correct it here"

    needed = f"the {there} of a row of table {name}" + (f", or {', '.join(besides)}" if besides else "")
    yield from listed(table, lost if keys is None else lost.join(keys, on="_", how="anti"), column, needed, hint)


def lone_problems(table: Table) -> Iterator[Problem]:
    """The people whom the book would make identifiable: nobody else has the same age, gender and profession.

    People with fewer than two of the three stated are left out. Somebody who is not alone by these may still be by a route.
    """
    stated = sum((~nw.col(trait).is_null()).cast(nw.Int64) for trait in ("age_min", "gender", "profession"))
    people = table.frame.filter((nw.col("counted") == "yes") & (stated >= 2))
    first = [nw.col(name).min() for name in dict.fromkeys([*table.locator, "interviewee"])]
    groups = people.group_by("age_min", "age_max", "gender", "profession", "isco08").agg(nw.len().alias("_n"), *first)
    alone = groups.filter(nw.col("_n") == 1).with_columns(nw.col("interviewee").alias("_"))
    needed = "somebody else of the same age, gender and profession, as these could identify a person"
    hint = "set report.minimum_cell to 3 or more in datapackage.json, or report.public_source to true where everybody can read the source"
    yield from listed(table, alone, "interviewee", needed, hint, warning=True)


def named_problems(interviewees: Frame, text: str, file: str) -> Iterator[Problem]:
    """Identifiers of interviewees in a text that the book prints as it is."""
    lines = [*enumerate(text.splitlines(), 1)]
    mentioned = {word: row for row, line in reversed(lines) for word in re.findall(r"[A-Za-z0-9][A-Za-z0-9_-]*", line)}
    known = interviewees.filter(nw.col("interviewee").is_in(list(mentioned))).select("interviewee")
    for who in sorted(str(row["interviewee"]) for row in collect_rows(known))[:MOST_LISTED] if mentioned else []:
        needed = "nothing that tells of one person, as report.minimum_cell asks"
        yield Problem(file, show(who), needed, "the book prints this text: reword it", mentioned[who], warning=True)


def coded_values(tables: Mapping[str, Frame], report: Report) -> dict[Place, str]:
    """All values but keys and blanks, as text, those of the report object included.

    Values that need no evidence are among them: an edition's own columns, and whom a statement is about. All rows are
    collected, so this is for editions coded by hand.
    """
    values = {
        ("report", "report", "declared_interviewees"): as_text(report.declared_interviewees),
        ("report", "report", "collected_at"): report.collected_at,
        ("report", "report", "reference_event.date"): report.event_date,
    }
    for name in (name for name in CODED_TABLES if name in tables):
        frame = tables[name]
        for row in collect_rows(frame.sort("_row") if "_row" in frame.collect_schema() else frame):
            key = ".".join(as_text(row[part]) for part in schema(name).key)
            columns = [column for column in row if column not in (*schema(name).key, "note", "_row")]
            values |= {(name, key, column): as_text(row[column]) for column in columns}
    return {place: text for place, text in values.items() if text}


def needs_evidence(place: Place) -> bool:
    """Whether a value must have a row of evidence."""
    return place[0] == "report" or place[2] in schema(place[0]).coded


def evidence_problems(table: Table, values: Mapping[Place, str], invalid: Collection[str]) -> Iterator[Problem]:
    """Evidence of no value, of too many words, or of no known rule; values without evidence.

    Evidence of ``invalid`` tables is not looked up, as its value may be one that could not be read.
    """
    rows = collect_rows(table.frame.sort(*table.locator))

    def near(place: str) -> str:
        return nearest(place, map(".".join, values))

    def rule(note: str) -> str:
        return nearest(rule_of(note), RULES) or f"one of {', '.join(RULES)}"

    lost = [row for row in rows if _place(row) not in values and row["table"] not in invalid]
    bad = [{**row, "_": ".".join(_place(row))} for row in lost]
    yield from listed(table, bad, "key", "table, key and column of a value that is not blank", near)
    bad = [{**row, "_": row["exact"]} for row in rows if not 1 <= length(as_text(row["exact"])) <= MOST_WORDS]
    yield from listed(table, bad, "exact", f"one to {MOST_WORDS} words", "quote a fragment of the source")
    derived = [row for row in rows if row["basis"] == "derived"]
    bad = [{**row, "_": row["note"]} for row in derived if rule_of(row["note"]) not in RULES]
    yield from listed(table, bad, "note", "a rule's name first in the note", rule)
    seen, needed = {_place(row) for row in rows}, "one row of evidence for every coded value"
    hint = "add it (analysis evidence drafts it), or blank the value"
    for name, key, column in (place for place in values if place not in seen and needs_evidence(place)):
        place = f"{key} {column}" if key == name else f"{name} {key} {column}"
        yield Problem(table.shown, f"no evidence for {place}", needed, hint, None, column)


def settlement_problems(table: Table, values: Mapping[Place, str]) -> Iterator[Problem]:
    """Settlements whose settled value is not the edition's."""
    rows = {(name, key): key for name, key, _ in values}
    for row in collect_rows(table.frame.sort(*table.locator)):
        place, settled = _place(row), as_text(row["settled"])
        whole = place[0] in TABLES and place[2] in schema(place[0]).key  # the coders differed about a whole row
        value = rows.get(place[:2], "") if whole else values.get(place, "")
        if value != settled:
            needed = f"{show(value or None)}, as {'.'.join(place)} has it"
            (file, number), hint = table.place(row), "correct the table or the settlement"
            yield Problem(file, show(settled or None), needed, hint, number, "settled", warning=True)


def _place(row: Row) -> Place:
    return as_text(row["table"]), as_text(row["key"]), as_text(row["column"])
