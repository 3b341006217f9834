"""What must hold of each table by itself. Pure: tables in, problems out; each condition one expression for every engine.

A check is an expression that is true of a bad row. All checks of a table are counted in one pass, and only the rows at
fault, `MOST_SHOWN` of a kind at most, are ever collected.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import reduce
from operator import and_
from typing import Any

import narwhals as nw

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
    is_date,
    matches,
    needed,
)
from parabook.errors import Problem, nearest, show

MOST_SHOWN = 100
"""Problems of one cause listed one by one; the rest are counted."""

MOST_HINTS = 10
"""Problems of one cause for which similar values are looked up, which is slow."""

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
ONE_OR_BOTH = "both latitude and longitude or neither"


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
    former = {code: former_hint(row) for code, row in vocabulary("former-countries").items()}
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


def former_hint(former: Mapping[str, str]) -> str:
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
    yield from rest(count, table.shown, check.column, check.needed, warning=check.warning)


def located(table: Table, row: Mapping[str, Any], *what: str, warning: bool = False) -> Problem:
    """A problem (found, needed, hint, column) at a row: by its number, or by its key where rows have none."""
    found, wanted, hint, column = what
    if "_row" in row:
        return Problem(table.shown, found, wanted, hint, int(row["_row"]), column, warning)
    key = ".".join(as_text(row[part]) for part in table.spec.key if part in row)
    return Problem(f"{table.shown} [{key}]", found, wanted, hint, None, column, warning)


def rest(count: int, file: str, column: str, wanted: str, *, warning: bool = False) -> Iterator[Problem]:
    if count > MOST_SHOWN:
        found = f"{count - MOST_SHOWN:,} more rows like these"
        yield Problem(file, found, wanted, "correct these first", None, column, warning)


def last_row(table: Table) -> list[nw.Expr]:
    return [nw.col("_row").max().alias("_row")] if "_row" in table.dtypes else []


def _duplicates(table: Table, frame: Frame) -> Iterator[Problem]:
    key = list(table.spec.key)
    if table.absent & set(key):
        return
    given = frame.filter(*(~nw.col(part).is_null() for part in key))
    twice = given.group_by(key).agg(nw.len().alias("_n"), *last_row(table)).filter(nw.col("_n") > 1)
    for row in collect_rows(twice.sort(*table.locator).head(MOST_SHOWN)):
        found = f"{show('.'.join(as_text(row[part]) for part in key))} {row['_n']} times"
        yield located(table, row, found, "each key once", "remove or renumber a row", key[-1])


def respelled(cell: str, kind: str) -> str:
    """A hint for a cell that a spreadsheet spelled its own way, or nothing.

    Examples
    --------
    >>> respelled("21/09/2022", "date"), respelled("44825", "date"), respelled("100,000", "integer")
    ('did you mean 2022-09-21?', "a spreadsheet's count of days? 2022-09-21", 'did you mean 100000?')
    >>> respelled("03/04/2022", "date"), respelled("51,2", "number")
    ('did you mean 2022-04-03, or 2022-03-04?', 'did you mean 51.2?')
    """
    if kind == "date":
        if re.fullmatch(r"[1-9][0-9]{4}", cell):
            return f"a spreadsheet's count of days? {date(1899, 12, 30) + timedelta(days=int(cell))}"
        parts = re.fullmatch(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]((?:19|20)[0-9]{2})", cell)
        one, two, year = parts.groups() if parts else ("0", "0", "0")
        spelled = [f"{year}-{month:0>2}-{day:0>2}" for day, month in ((one, two), (two, one))]
        days = list(dict.fromkeys(day for day in spelled if is_date(day)))
        return f"did you mean {', or '.join(days)}?" if days else ""
    if kind in ("integer", "number"):
        plain = re.sub(r"(?<=[0-9])[,'\u2009\u202f\xa0 ](?=[0-9]{3}(?![0-9]))", "", cell.strip())
        plain = re.sub(r"\.0+$", "", plain) if kind == "integer" else plain.replace(",", ".")
        return f"did you mean {plain}?" if plain != cell and re.fullmatch(PATTERNS[kind][0], plain) else ""
    return f"did you mean {cell.lower()}?" if kind == "boolean" and cell.lower() in ("true", "false") else ""
