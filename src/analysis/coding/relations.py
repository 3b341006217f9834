"""What must hold between the rows of an edition: references, figures, people who stand alone, evidence, settlements.

Pure, as `checks` is: tables in, problems out, on every engine.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import narwhals as nw

from analysis.coding.checks import IN_USE, MOST_HINTS, MOST_SHOWN, former_hint, problem_at, rest
from analysis.coding.package import Report
from analysis.coding.rules import RULES, rule_of, words
from analysis.schema import countries, schema, vocabulary
from analysis.tables import Frame, Table, collect_rows
from analysis.text import as_text
from parabook.errors import Problem, nearest, show

MOST_WORDS = 8
"""Longest fragment of the source that evidence may quote."""

CODED_TABLES = ("interviewees", "legs", "places", "destinations", "statements")

Place = tuple[str, str, str]
"""Where a coded value stands: table, key, column."""


def reference_problems(
    of: Mapping[str, Table],
    tables: Mapping[str, Table],
    *,
    untrusted: Collection[str],
    unread: Mapping[str, Collection[str]],
) -> Iterator[Problem]:
    """Values that refer to a row which is not there; legs that are not numbered 1 to n.

    Rows are looked for in ``tables``. Of ``untrusted`` ones rows or keys are themselves at fault: that a row is missing
    there proves nothing. ``unread`` are by table the columns that are absent or of which some cell could not be read.
    """
    for name, table in of.items():
        for column, other, there in schema(name).references:
            absent = column in table.absent or (other not in tables and other == "paragraphs")
            if not absent and other not in untrusted:
                yield from _lost(table, column, tables.get(other), there, other)
    legs = of.get("legs")
    if legs and "legs" not in untrusted and not {"leg", "interviewee"} & set(unread.get("legs", ())):
        last = [nw.col(name).max().alias(name) for name in legs.rows]
        counts = legs.frame.group_by("interviewee").agg(nw.len().alias("_n"), nw.col("leg").max().alias("_last"), *last)
        by = (*legs.rows, "interviewee")[0]
        for row in collect_rows(counts.filter(nw.col("_n") != nw.col("_last")).sort(by).head(MOST_SHOWN)):
            found = f"{row['_n']} legs of {row['interviewee']}, the last numbered {row['_last']}"
            yield problem_at(legs, row, found, "legs numbered 1 to n", "renumber them", "leg")


def _lost(table: Table, column: str, other: Table | None, there: str, name: str) -> Iterator[Problem]:
    """Values of a column that are no key of another table."""
    if table.cells and other and other.cells and {*table.cells[column]} <= {None, *other.cells[there]}:
        return
    lost = table.frame.filter(~nw.col(column).is_null()).select(*dict.fromkeys([*table.locator, column]))
    known: list[str] = []
    if other:
        keys = other.frame.select(nw.col(there).alias(column)).unique()
        lost = lost.join(keys, on=column, how="anti")
    rows = collect_rows(lost.sort(*table.locator).head(MOST_SHOWN + 1))
    if rows and other:
        known = [as_text(row[column]) for row in collect_rows(keys.head(2000))]
    wanted = f"the {there} of a row of table {name}"
    for n, row in enumerate(rows[:MOST_SHOWN]):
        hint = (nearest(row[column], known) if n < MOST_HINTS else "") or f"add it to {name}, or correct it here"
        yield problem_at(table, row, show(as_text(row[column])), wanted, hint, column)
    if len(rows) > MOST_SHOWN:
        yield from rest(count(lost), table.shown, column, wanted)


def count(frame: Frame) -> int:
    """How many rows a table has."""
    return int(collect_rows(frame.select(nw.len().alias("n")))[0]["n"])


def country_problems(table: Table) -> Iterator[Problem]:
    """Country codes of figures that ISO 3166-1 does not know, or that stand there twice."""
    rows = collect_rows(table.frame.select(*dict.fromkeys([*table.locator, "countries"])).sort(*table.locator))
    for row in rows:
        codes = as_text(row["countries"]).split()
        if len(set(codes)) < len(codes):
            yield problem_at(table, row, show(row["countries"]), "each country once", "", "countries")
        for code in dict.fromkeys(codes):
            former = vocabulary("former-countries").get(code)
            if former:
                yield problem_at(table, row, show(code), IN_USE, former_hint(former), "countries", warning=True)
            elif code not in countries():
                hint = nearest(code, countries()) if len(code) == 3 else ""
                yield problem_at(table, row, show(code), "an ISO 3166-1 alpha-3 code in use", hint, "countries")


def lone_problems(table: Table) -> Iterator[Problem]:
    """The people whom the book would show alone: nobody else has the same age, gender and profession.

    One warning for all of them. Somebody of whom fewer than two of the three are stated is not looked at. Who is
    tabulated with others here can still be alone by a route.
    """
    stated = sum((~nw.col(trait).is_null()).cast(nw.Int64) for trait in ("age_min", "gender", "profession"))
    traits = ("age_min", "age_max", "gender", "profession", "isco08")
    first = [nw.col(name).min().alias(name) for name in table.locator]
    people = table.frame.filter((nw.col("counted") == "yes") & (stated >= 2))
    alone = people.group_by(*traits).agg(nw.len().alias("_n"), *first).filter(nw.col("_n") == 1).select(*table.locator)
    many = count(alone)
    if many:
        rows = [as_text(row[table.locator[0]]) for row in collect_rows(alone.sort(*table.locator).head(20))]
        more = f" and {many - 20:,} more" if many > 20 else ""
        which = f"{many:,} {'row that is' if many == 1 else 'rows that are'} alone"
        found = f"{which} in age, gender and profession (row {', '.join(rows)}{more})"
        hint = "set report.minimum_cell to 3 or more in datapackage.json, or report.public_source to true where everybody can read the source"
        yield Problem(table.shown, found, "nobody whom these could identify", hint, warning=True)


def named_problems(interviewees: Frame, text: str, file: str) -> Iterator[Problem]:
    """Identifiers of people in a text of the edition, which the book prints as it is."""
    lines = [*enumerate(text.splitlines(), 1)]
    mentioned = {word: row for row, line in reversed(lines) for word in re.findall(r"[A-Za-z0-9][A-Za-z0-9_-]*", line)}
    known = interviewees.filter(nw.col("interviewee").is_in(list(mentioned))).select("interviewee")
    for who in sorted(str(row["interviewee"]) for row in collect_rows(known))[:MOST_SHOWN] if mentioned else []:
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
    values = {("report", "report", column): text for column, text in given.items() if text}
    shown = collect_rows(tables["evidence"].select("table", "column").unique()) if "evidence" in tables else []
    for name in (name for name in CODED_TABLES if name in tables):
        frame = tables[name]
        further = {row["column"] for row in shown if row["table"] == name} - {*schema(name).columns}
        for row in collect_rows(frame.sort("_row") if "_row" in frame.collect_schema() else frame):
            key = ".".join(as_text(row[part]) for part in schema(name).key)
            columns = [*schema(name).coded, *(column for column in further if column in row)]
            values |= {(name, key, column): as_text(row[column]) for column in columns}
    return {place: text for place, text in values.items() if text}


def _place(row: Mapping[str, Any]) -> Place:
    return as_text(row["table"]), as_text(row["key"]), as_text(row["column"])


def evidence_problems(
    table: Table, values: Mapping[Place, str], *, untrusted: Collection[str], unread: Collection[tuple[str, str]]
) -> Iterator[Problem]:
    """Evidence that leads nowhere, says too much, or names no rule; values that have none.

    That a value is not there proves nothing of ``untrusted`` tables, and of columns ``unread`` in part.
    """
    seen, hints = set(), 0
    for row in collect_rows(table.frame.sort(*table.locator)):
        place = _place(row)
        seen.add(place)
        if place not in values and place[0] not in untrusted and (place[0], place[2]) not in unread:
            hints += 1
            hint = nearest(".".join(place), map(".".join, values)) if hints <= MOST_HINTS else ""
            wanted = "table, key and column of a value that is not blank"
            yield problem_at(table, row, show(".".join(place)), wanted, hint, "key")
        if as_text(row["exact"]) and not 1 <= len(words(as_text(row["exact"]))) <= MOST_WORDS:
            wanted, hint = f"one to {MOST_WORDS} words", "quote a fragment of the source"
            yield problem_at(table, row, show(row["exact"]), wanted, hint, "exact")
        if row["basis"] == "derived" and rule_of(row["note"]) not in RULES:
            hint = nearest(rule_of(row["note"]), RULES) or f"one of {', '.join(RULES)}"
            yield problem_at(table, row, show(row["note"]), "a rule's name first in the note", hint, "note")
    wanted = "one row of evidence for every coded value"
    lacking = [] if "evidence" in untrusted else [p for p in values if p not in seen and p[0] not in untrusted]
    for name, key, column in lacking[:MOST_SHOWN]:
        found = f"no evidence for {name} {key} {column}"
        yield Problem(table.shown, found, wanted, "add it, or blank the value", None, column)
    yield from rest(len(lacking), table.shown, "", wanted)


def settlement_problems(table: Table, values: Mapping[Place, str]) -> Iterator[Problem]:
    """Settlements whose ruling is not what the edition now carries."""
    for row in collect_rows(table.frame.sort(*table.locator)):
        carried, settled = values.get(_place(row), ""), as_text(row["settled"])
        if carried != settled:
            wanted = f"{show(carried or None)}, as {'.'.join(_place(row))} has it"
            hint = "correct the table or the settlement"
            yield problem_at(table, row, show(settled or None), wanted, hint, "settled", warning=True)
