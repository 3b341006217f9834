"""What must hold of an edition's tables. Pure: tables in, problems out; each condition one expression for every engine.

A check is an expression that is true of a bad row. All checks of a table are counted in one pass, and only the rows at
fault, `MOST_SHOWN` of a kind at most, are ever collected.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import and_
from typing import Any

import narwhals as nw

from analysis.coding.rules import RULES, rule_of, words
from analysis.schema import Field, countries, schema, vocabulary
from analysis.tables import (
    DATE,
    LONGEST_TEXT,
    MONTH_AND_DAY,
    PATTERNS,
    Frame,
    Table,
    as_text,
    collect_rows,
    matches,
    needed,
    respelled,
)
from parabook.errors import Problem, nearest, show

MOST_SHOWN = 100
"""Problems of one cause listed one by one; the rest are counted."""

MOST_HINTS = 10
"""Problems of one cause for which similar values are looked up, which is slow."""

MOST_WORDS = 8
"""Longest fragment of the source that evidence may quote."""

FAR = 100
"""How many times two figures of one measure and one place may differ before it is a warning."""

RESERVED = r"(?i)^[^a-z]*not[^a-z]+(?:stated|described|shown[^a-z]+apart)[^a-z]*$"
"""Labels that tables of counts use for what is not known; as values they would merge with those rows."""

CONTROL = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufffd\ufffe\uffff]"
"""Control characters, line ends that are none, and the sign that stands where a character was lost in conversion."""

BLANK = r"[\s" + "\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
"""A blank, spelled out, as DuckDB's ``\\s`` knows those of ASCII alone."""

FORMULA = r"^(?:[=@]|[+-].*[(|!])"
"""How text begins that a spreadsheet runs."""

YEAR_TO_DAY = f"[0-9]{{4}}(?:-(?:0[1-9]|1[0-2]))?|[0-9]{{4}}-(?:{MONTH_AND_DAY})|{DATE}"
"""A year, a month or a day that exists."""

IN_USE = "a code in use, unless the source means the country of that time"
CODED_TABLES = ("interviewees", "legs", "places", "destinations", "statements")
ONE_OR_BOTH = "both latitude and longitude or neither"

Place = tuple[str, str, str]
"""Where a coded value stands: table, key, column."""


@dataclass(frozen=True)
class Check:
    """One condition on the rows of a table: true where a row is at fault."""

    column: str
    bad: nw.Expr
    needed: str
    hint: str = ""
    allowed: tuple[str, ...] = ()
    warning: bool = False
    beside: tuple[str, ...] = ()
    """Further columns that the condition looks at."""
    hints: Mapping[str, str] = field(default_factory=dict)
    """Hints by the value found."""
    blank: bool = False
    """Whether it looks for missing values, which cells that could not be read are not."""


def field_checks(field: Field) -> Iterator[Check]:
    """The checks that a column's schema asks for. A blank cell makes an expression null, which is not true."""
    name, column = field.name, nw.col(field.name)
    text = field.type == "string" and not field.enum
    if text:
        odd = column.str.contains(f"^{BLANK}|{BLANK}$|{CONTROL}")
        yield Check(name, odd, "text without blanks at its ends or control characters", "retype the cell")
    if text and not field.pattern:
        hint = "leave the cell blank for what is not stated"
        yield Check(name, column.str.contains(RESERVED), "a value of the source", hint)
        formula = "text that no spreadsheet takes for a formula"
        yield Check(name, column.str.contains(FORMULA), formula, "downloads hold it as it stands", warning=True)
    if field.required:
        yield Check(name, column.is_null(), "a value", "this column may not be blank", blank=True)
    if field.enum:
        yield Check(
            name, ~column.is_null() & ~column.is_in(field.enum), f"one of {', '.join(field.enum)}", allowed=field.enum
        )
    if field.pattern:
        form = f"{field.title.lower()} of the form {field.pattern}"
        yield Check(name, ~column.is_null() & ~matches(column, field.pattern), form)
    if field.minimum is not None:
        yield Check(name, column < field.minimum, f"{field.minimum:g} or more")
    if field.maximum is not None:
        yield Check(name, column > field.maximum, f"{field.maximum:g} or less")


def row_checks(table: str) -> Sequence[Check]:
    """The checks between the columns of one row, by table."""
    return {"interviewees": _people, "places": _places, "destinations": _figures, "evidence": _judged}.get(
        table, tuple
    )()


def _one_blank(one: str, other: str) -> nw.Expr:
    return nw.col(one).is_null() != nw.col(other).is_null()


def _people() -> Sequence[Check]:
    low, high = nw.col("age_min"), nw.col("age_max")
    plausible, source = "an age at which people are interviewed", "check the source"
    exact = "an exact age stands in both columns"
    return (
        Check(
            "age_max", _one_blank("age_min", "age_max"), "both ages or neither", exact, beside=("age_min",), blank=True
        ),
        Check("age_min", low > high, "age_min no greater than age_max", "swap the two", beside=("age_max",)),
        Check("age_min", low < 10, plausible, source, warning=True),
        Check("age_max", high > 100, plausible, source, warning=True),
    )


def _places() -> Sequence[Check]:
    former = {code: _former_hint(row) for code, row in vocabulary("former-countries").items()}
    country = nw.col("country")
    return (
        Check(
            "country", ~country.is_null() & ~country.is_in((*countries(), *former)), "an ISO 3166-1 alpha-3 code in use"
        ),
        Check("country", country.is_in(tuple(former)), IN_USE, hints=former, warning=True),
        Check("longitude", _one_blank("latitude", "longitude"), ONE_OR_BOTH, beside=("latitude",), blank=True),
    )


def _figures() -> Sequence[Check]:
    low, high = nw.col("low"), nw.col("high")
    whole, share = "a whole number of people", "a share or a rate is no figure of people"
    dates = "a year, a month as YYYY-MM or a day as YYYY-MM-DD"
    backwards = nw.col("window_start") > nw.col("window_end")
    number = "a figure needs a number"
    return (
        Check("low", low > high, "low no greater than high", "swap the two", beside=("high",)),
        Check("low", low.is_null() & high.is_null(), "a low, a high or both", number, beside=("high",), blank=True),
        Check("low", low % 1 != 0, whole, share),
        Check("high", high % 1 != 0, whole, share),
        Check("stated_on", ~nw.col("stated_on").is_null() & ~matches(nw.col("stated_on"), YEAR_TO_DAY), dates),
        Check("window_end", backwards, "a window that ends after it starts", beside=("window_start",)),
    )


def _judged() -> Sequence[Check]:
    bare = (nw.col("basis") == "judged") & nw.col("note").is_null()
    return (Check("note", bare, "a note that gives the reason", "a judged value needs one", beside=("basis",)),)


def _former_hint(former: Mapping[str, str]) -> str:
    return f"once {former['name']}, now {former['now']}"


@dataclass(frozen=True)
class Checked:
    """What checking one table found."""

    problems: list[Problem]
    unread: frozenset[str]
    """Columns of which some cell could not be read: left out of all further checks, so that nothing is reported twice."""
    rows: int


def table_problems(table: Table) -> Checked:
    """Check one table by itself: all conditions counted in one pass, then the rows at fault of those that hold anywhere."""
    fields = [each for each in table.spec.fields if each.name not in table.absent]
    typed = [each for each in fields if each.type in PATTERNS]
    reading = [Check(each.name, _too_long(each), needed(each.type)) for each in fields if each not in typed]
    reading += [Check(each.name, _unread(each.name), needed(each.type)) for each in typed]
    shared = [each for each in fields if each.name in schema(table.spec.name).columns]
    rules = [*(check for each in shared for check in field_checks(each)), *row_checks(table.spec.name)]
    checks = [check for check in rules if not table.absent & {check.column, *check.beside}]
    names = {each.name for each in typed}
    conditions = [check.bad if not check.blank else _readable(check, names) for check in [*reading, *checks]]
    frame = _checked_frame(table, typed)
    sums = [bad.cast(nw.Int64).sum().alias(f"c{n}") for n, bad in enumerate(conditions)]
    (counts,) = collect_rows(frame.select(nw.len().alias("rows"), *sums, *_different_keys(table)))
    problems: list[Problem] = []
    for n, (check, bad) in enumerate(zip([*reading, *checks], conditions, strict=True)):
        if count := int(counts[f"c{n}"] or 0):
            raw = n < len(reading)
            rows = _checked_frame(table, typed, check.column if raw else "").filter(bad)
            problems += _listed(table, check, rows, count, raw=raw)
    unread = frozenset(check.column for n, check in enumerate(reading) if counts[f"c{n}"])
    if counts.get("keys") != counts["rows"]:
        problems += _duplicates(table, frame)
    return Checked(problems, unread, int(counts["rows"]))


def _too_long(field: Field) -> nw.Expr:
    return nw.col(field.name).str.len_chars() > LONGEST_TEXT


def _unread(column: str) -> nw.Expr:
    return nw.col(f"_unread:{column}")


def _readable(check: Check, typed: Collection[str]) -> nw.Expr:
    """A condition that looks for missing values, of rows whose cells could be read."""
    unread = (_unread(column) for column in (check.column, *check.beside) if column in typed)
    return reduce(and_, (~mark.fill_null(False) for mark in unread), check.bad)


def _checked_frame(table: Table, typed: Sequence[Field], raw: str = "") -> Frame:
    """A typed table with marks of the cells that cannot be read; ``raw`` is a column whose text comes along."""
    assert table.stored is not None
    marks = [table.unreadable(each).alias(f"_unread:{each.name}") for each in typed]
    text = [table.text(raw).alias("_text")] if raw else []
    rows = ["_row"] if "_row" in table.dtypes else []
    return table.stored.select(
        *(table.typed(each).alias(each.name) for each in table.spec.fields), *marks, *text, *rows
    )


def _different_keys(table: Table) -> list[nw.Expr]:
    """How many different keys there are, of a table small enough to hold them all."""
    if table.cells is None or table.absent & set(table.spec.key):
        return []
    key = [nw.col(part).cast(nw.String) for part in table.spec.key]
    return [(key[0] if len(key) == 1 else nw.concat_str(*key, separator="\n")).n_unique().alias("keys")]


def _listed(table: Table, check: Check, bad: Frame, count: int, *, raw: bool) -> Iterator[Problem]:
    """The problems of one check: its first rows, and how many more there are."""
    shown = "_text" if raw else check.column
    columns = dict.fromkeys([*table.locator, shown])
    kind = next(each.type for each in table.spec.fields if each.name == check.column)
    rows = collect_rows(bad.select(*columns).sort(*table.locator).head(MOST_SHOWN))
    for n, row in enumerate(rows):
        text = as_text(row[shown])
        hint = check.hint or check.hints.get(text) or (nearest(text, check.allowed) if n < MOST_HINTS else "")
        hint = respelled(text, kind) if raw else hint
        yield located(table, row, show(text or None), check.needed, hint, check.column, warning=check.warning)
    yield from _rest(count, table.shown, check.column, check.needed, warning=check.warning)


def located(table: Table, row: Mapping[str, Any], *what: str, warning: bool = False) -> Problem:
    """A problem (found, needed, hint, column) at a row: by its number, or by its key where rows have none."""
    found, wanted, hint, column = what
    if "_row" in row:
        return Problem(table.shown, found, wanted, hint, int(row["_row"]), column, warning)
    key = ".".join(as_text(row[part]) for part in table.spec.key if part in row)
    return Problem(f"{table.shown} [{key}]", found, wanted, hint, None, column, warning)


def _rest(count: int, file: str, column: str, wanted: str, *, warning: bool = False) -> Iterator[Problem]:
    if count > MOST_SHOWN:
        found = f"{count - MOST_SHOWN:,} more rows like these"
        yield Problem(file, found, wanted, "correct these first", None, column, warning)


def _last_row(table: Table) -> list[nw.Expr]:
    return [nw.col("_row").max().alias("_row")] if "_row" in table.dtypes else []


def _duplicates(table: Table, frame: Frame) -> Iterator[Problem]:
    key = list(table.spec.key)
    if table.absent & set(key):
        return
    given = frame.filter(*(~nw.col(part).is_null() for part in key))
    twice = given.group_by(key).agg(nw.len().alias("_n"), *_last_row(table)).filter(nw.col("_n") > 1)
    for row in collect_rows(twice.sort(*table.locator).head(MOST_SHOWN)):
        found = f"{show('.'.join(as_text(row[part]) for part in key))} {row['_n']} times"
        yield located(table, row, found, "each key once", "remove or renumber a row", key[-1])


def reference_problems(
    tables: Mapping[str, Table],
    of: Mapping[str, Table],
    *,
    untrusted: Collection[str],
    unread: Mapping[str, frozenset[str]],
) -> Iterator[Problem]:
    """Values that refer to a row which is not there; legs that are not numbered 1 to n.

    Parameters
    ----------
    tables : mapping of Table
        Where rows are looked for.
    of : mapping of Table
        The tables whose values are looked at.
    untrusted : collection of str
        Tables whose rows or keys are themselves at fault: that one of their rows is missing proves nothing.
    unread : mapping
        By table, columns of which some cell could not be read.
    """
    for name, table in of.items():
        for column, other, there in schema(name).references:
            absent = column in table.absent or (other not in tables and other == "paragraphs")
            if not absent and other not in untrusted:
                yield from _lost(table, column, tables.get(other), there, other)
    legs = of.get("legs")
    if legs and "legs" not in untrusted and not {"leg", "interviewee"} & unread.get("legs", frozenset()):
        last = nw.col("leg").max().alias("_last")
        counts = legs.frame.group_by("interviewee").agg(nw.len().alias("_n"), last, *_last_row(legs))
        by = "_row" if "_row" in legs.dtypes else "interviewee"
        for row in collect_rows(counts.filter(nw.col("_n") != nw.col("_last")).sort(by).head(MOST_SHOWN)):
            found = f"{row['_n']} legs of {row['interviewee']}, the last numbered {row['_last']}"
            yield located(legs, row, found, "legs numbered 1 to n", "renumber them", "leg")


def _lost(table: Table, column: str, other: Table | None, there: str, name: str) -> Iterator[Problem]:
    """Values of a column that are no key of another table."""
    if table.cells and other and other.cells and table.texts(column) <= {"", *other.texts(there)}:
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
        yield located(table, row, show(as_text(row[column])), wanted, hint, column)
    if len(rows) > MOST_SHOWN:
        (more,) = collect_rows(lost.select(nw.len().alias("n")))
        yield from _rest(int(more["n"]), table.shown, column, wanted)


def figure_problems(table: Table) -> Iterator[Problem]:
    """Country codes of figures that ISO 3166-1 does not know; figures far from others like them."""
    columns = ("figure", "countries", "measure", "low", "high")
    rows = collect_rows(table.frame.select(*dict.fromkeys([*table.locator, *columns])).sort(*table.locator))
    alike: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        yield from _code_problems(table, row)
        alike.setdefault((as_text(row["countries"]), as_text(row["measure"])), []).append(row)
    for (_, measure), group in alike.items():
        ends = [row for row in group if row["high"] is not None]
        if not ends:
            continue
        least = min(ends, key=lambda row: float(row["high"]))
        for row in group:
            if row["low"] is not None and row is not least and row["low"] > FAR * least["high"]:
                near = f"{least['high']:,.0f}, the high of {least['figure']} ({measure}, same countries)"
                wanted = f"no more than {FAR:,} times {near}"
                yield located(table, row, as_text(row["low"]), wanted, "check both", "low", warning=True)


def _code_problems(table: Table, row: Mapping[str, Any]) -> Iterator[Problem]:
    codes = as_text(row["countries"]).split()
    if len(set(codes)) < len(codes):
        yield located(table, row, show(row["countries"]), "each country once", "", "countries")
    for code in dict.fromkeys(codes):
        former = vocabulary("former-countries").get(code)
        if former:
            yield located(table, row, show(code), IN_USE, _former_hint(former), "countries", warning=True)
        elif code not in countries():
            hint = nearest(code, countries()) if len(code) == 3 else ""
            yield located(table, row, show(code), "an ISO 3166-1 alpha-3 code in use", hint, "countries")


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
    (count,) = collect_rows(alone.select(nw.len().alias("n")))
    if not count["n"]:
        return
    rows = [as_text(row[table.locator[0]]) for row in collect_rows(alone.sort(*table.locator).head(20))]
    more = f" and {count['n'] - 20:,} more" if count["n"] > 20 else ""
    which = f"{count['n']:,} {'row that is' if count['n'] == 1 else 'rows that are'} alone"
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


def coded_values(tables: Mapping[str, Frame]) -> dict[Place, str]:
    """Every coded value that is not blank, as text. Only for editions coded by hand, which fit in memory."""
    values = {}
    for name in (name for name in CODED_TABLES if name in tables):
        frame = tables[name]
        for row in collect_rows(frame.sort("_row") if "_row" in frame.collect_schema() else frame):
            key = ".".join(as_text(row[part]) for part in schema(name).key)
            values |= {(name, key, column): text for column in schema(name).coded if (text := as_text(row[column]))}
    return values


def evidence_problems(
    table: Table, values: Mapping[Place, str], *, untrusted: Collection[str], unread: Collection[tuple[str, str]]
) -> Iterator[Problem]:
    """Evidence that leads nowhere, says too much, or names no rule; values that have none.

    ``untrusted`` are tables whose rows or keys are themselves at fault, ``unread`` columns (with their table) of
    which some cell could not be read: that a value of theirs is not there proves nothing.
    """
    seen, hints = set(), 0
    for row in collect_rows(table.frame.sort(*table.locator)):
        place = (as_text(row["table"]), as_text(row["key"]), as_text(row["column"]))
        seen.add(place)
        if place not in values and place[0] not in untrusted and (place[0], place[2]) not in unread:
            hints += 1
            hint = nearest(".".join(place), map(".".join, values)) if hints <= MOST_HINTS else ""
            wanted = "table, key and column of a value that is not blank"
            yield located(table, row, show(".".join(place)), wanted, hint, "key")
        if as_text(row["exact"]) and not 1 <= len(words(as_text(row["exact"]))) <= MOST_WORDS:
            wanted, hint = f"one to {MOST_WORDS} words", "quote a fragment of the source"
            yield located(table, row, show(row["exact"]), wanted, hint, "exact")
        if row["basis"] == "derived" and rule_of(row["note"]) not in RULES:
            hint = nearest(rule_of(row["note"]), RULES) or f"one of {', '.join(RULES)}"
            yield located(table, row, show(row["note"]), "a rule's name first in the note", hint, "note")
    wanted = "one row of evidence for every coded value"
    lacking = [] if "evidence" in untrusted else [p for p in values if p not in seen and p[0] not in untrusted]
    for name, key, column in lacking[:MOST_SHOWN]:
        found = f"no evidence for {name} {key} {column}"
        yield Problem(table.shown, found, wanted, "add it, or blank the value", None, column)
    yield from _rest(len(lacking), table.shown, "", wanted)


def settlement_problems(table: Table, values: Mapping[Place, str]) -> Iterator[Problem]:
    """Settlements whose ruling is not what the edition now carries."""
    for row in collect_rows(table.frame.sort(*table.locator)):
        place = (as_text(row["table"]), as_text(row["key"]), as_text(row["column"]))
        carried, settled = values.get(place, ""), as_text(row["settled"])
        if carried != settled:
            wanted, hint = (
                f"{show(carried or None)}, as {'.'.join(place)} has it",
                "correct the table or the settlement",
            )
            yield located(table, row, show(settled or None), wanted, hint, "settled", warning=True)
