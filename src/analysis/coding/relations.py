"""What must hold between the rows of an edition: references, people who stand alone, evidence, settlements.

Pure, as `checks` is: tables that are right by themselves in, problems out, on every engine.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import narwhals as nw

from analysis.coding.checks import MOST_HINTS, MOST_LISTED, listed, problem_at
from analysis.coding.package import Report
from analysis.coding.rules import RULES, rule_of, words
from analysis.schema import schema
from analysis.tables import Frame, Table, collect_rows
from analysis.text import as_text
from parabook.errors import Problem, nearest, show

MOST_WORDS = 8
"""Longest fragment of the source that evidence may quote."""

CODED_TABLES = ("interviewees", "legs", "places", "destinations", "statements")

Place = tuple[str, str, str]
"""Where a coded value stands: table, key, column."""


def reference_problems(
    of: Mapping[str, Table], tables: Mapping[str, Table], unsound: Collection[str] = ()
) -> Iterator[Problem]:
    """Values that refer to a row which is not there; legs that are not numbered 1 to n.

    Rows are looked for in ``tables``. Of ``unsound`` ones, that a row is missing proves nothing.
    """
    for name, table in of.items():
        for column, other, there in schema(name).references:
            if other in tables or not {other, "resources"} & {*unsound, "paragraphs"}:
                yield from _lost(table, column, other, there, tables.get(other))
    if "legs" in of:
        legs = of["legs"]
        rows = [nw.col(name).max() for name in legs.rows]
        counts = legs.frame.group_by("interviewee").agg(nw.len().alias("_n"), nw.col("leg").max(), *rows)
        gaps = counts.filter(nw.col("_n") != nw.col("leg")).with_columns(nw.col("leg").alias("_"))
        yield from listed(legs, gaps, "leg", "legs numbered 1 to n, as many as the person has", "renumber them")


def _lost(table: Table, column: str, name: str, there: str, other: Table | None) -> Iterator[Problem]:
    """Values of a column that are no key of another table."""
    if table.cells and other and other.cells and {*table.cells[column]} <= {None, *other.cells[there]}:
        return
    lost = table.frame.filter(~nw.col(column).is_null()).with_columns(nw.col(column).alias("_"))
    known: list[str] = []

    def hint(value: str) -> str:
        if other and not known:
            known.extend(as_text(row["_"]) for row in collect_rows(keys.head(2000)))
        return nearest(value, known) or f"add it to {name}, or correct it here"

    if other:
        keys = other.frame.select(nw.col(there).alias("_")).unique()
        lost = lost.join(keys, on="_", how="anti")
    yield from listed(table, lost, column, f"the {there} of a row of table {name}", hint)


def lone_problems(table: Table) -> Iterator[Problem]:
    """The people whom the book would show alone: nobody else has the same age, gender and profession.

    Somebody of whom fewer than two of the three are stated is not looked at. Who is tabulated with others here can still
    be alone by a route.
    """
    stated = sum((~nw.col(trait).is_null()).cast(nw.Int64) for trait in ("age_min", "gender", "profession"))
    traits = ("age_min", "age_max", "gender", "profession", "isco08")
    people = table.frame.filter((nw.col("counted") == "yes") & (stated >= 2))
    first = [nw.col(name).min() for name in dict.fromkeys([*table.locator, "interviewee"])]
    alone = people.group_by(*traits).agg(nw.len().alias("_n"), *first).filter(nw.col("_n") == 1)
    wanted = "somebody else of the same age, gender and profession, as these could identify a person"
    hint = "set report.minimum_cell to 3 or more in datapackage.json, or report.public_source to true where everybody can read the source"
    named = alone.with_columns(nw.col("interviewee").alias("_"))
    yield from listed(table, named, "interviewee", wanted, hint, warning=True)


def named_problems(interviewees: Frame, text: str, file: str) -> Iterator[Problem]:
    """Identifiers of people in a text of the edition, which the book prints as it is."""
    lines = [*enumerate(text.splitlines(), 1)]
    mentioned = {word: row for row, line in reversed(lines) for word in re.findall(r"[A-Za-z0-9][A-Za-z0-9_-]*", line)}
    known = interviewees.filter(nw.col("interviewee").is_in(list(mentioned))).select("interviewee")
    for who in sorted(str(row["interviewee"]) for row in collect_rows(known))[:MOST_LISTED] if mentioned else []:
        wanted = "nothing that tells of one person, as report.minimum_cell asks"
        yield Problem(file, show(who), wanted, "the book prints this text: reword it", mentioned[who], warning=True)


def coded_values(tables: Mapping[str, Frame], report: Report) -> dict[Place, str]:
    """Every coded value that is not blank, as text, those of the report object included. Only for editions coded by hand.

    Of an edition's own columns those that evidence speaks of.
    """
    given = {
        "declared_interviewees": as_text(report.declared_interviewees),
        "collected_at": report.collected_at,
        "reference_event.date": report.event_date,
    }
    values = {("report", "report", column): text for column, text in given.items()}
    for name in (name for name in CODED_TABLES if name in tables):
        frame = tables[name]
        further = {row["column"] for row in shown if row["table"] == name} - {*schema(name).columns}
        for row in collect_rows(frame.sort("_row") if "_row" in frame.collect_schema() else frame):
            key = ".".join(as_text(row[part]) for part in schema(name).key)
            columns = [*schema(name).coded, *(column for column in further if column in row)]
            values |= {(name, key, column): as_text(row[column]) for column in columns}
    return {place: text for place, text in values.items() if text}


def evidence_problems(table: Table, values: Mapping[Place, str], unsound: Collection[str] = ()) -> Iterator[Problem]:
    """Evidence that leads nowhere, says too much, or names no rule; values that have none.

    Of ``unsound`` tables, that a value is not there proves nothing.
    """
    seen, hints = set(), 0
    for row in collect_rows(table.frame.sort(*table.locator)):
        place = _place(row)
        seen.add(place)
        if place not in values and place[0] not in unsound:
            hints += 1
            hint = nearest(".".join(place), map(".".join, values)) if hints <= MOST_HINTS else ""
            wanted = "table, key and column of a value that is not blank"
            yield problem_at(table, row, "key", ".".join(place), wanted, hint)
        if not 1 <= len(words(as_text(row["exact"]))) <= MOST_WORDS:
            wanted, hint = f"one to {MOST_WORDS} words", "quote a fragment of the source"
            yield problem_at(table, row, "exact", row["exact"], wanted, hint)
        if row["basis"] == "derived" and (rule := rule_of(row["note"])) not in RULES:
            hint = nearest(rule, RULES) or f"one of {', '.join(RULES)}"
            yield problem_at(table, row, "note", row["note"], "a rule's name first in the note", hint)
    for name, key, column in (place for place in values if place not in seen):
        found, wanted = f"no evidence for {name} {key} {column}", "one row of evidence for every coded value"
        yield Problem(table.shown, found, wanted, "add it, or blank the value", None, column)


def settlement_problems(table: Table, values: Mapping[Place, str]) -> Iterator[Problem]:
    """Settlements whose ruling is not what the edition now carries."""
    for row in collect_rows(table.frame.sort(*table.locator)):
        carried, settled = values.get(_place(row), ""), as_text(row["settled"])
        if carried != settled:
            wanted = f"{show(carried or None)}, as {'.'.join(_place(row))} has it"
            hint = "correct the table or the settlement"
            yield problem_at(table, row, "settled", settled, wanted, hint, warning=True)


def _place(row: Mapping[str, Any]) -> Place:
    return as_text(row["table"]), as_text(row["key"]), as_text(row["column"])
