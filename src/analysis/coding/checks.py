"""What must hold of each table by itself. Pure: tables in, problems out; each condition one expression for every engine.

A check is an expression that is true of a bad row. All checks of a table are counted in one pass, and only the rows at
fault, `MOST_SHOWN` of a kind at most, are ever collected. Beside a typed column ``x`` stand ``_text:x``, its cells as text,
and ``_unread:x``, whether a cell cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any

import narwhals as nw

from analysis.coding.columns import Column
from analysis.schema import Field, countries, schema, vocabulary
from analysis.tables import (
    DATE,
    LONGEST_TEXT,
    MONTH_AND_DAY,
    PATTERNS,
    TEXT,
    UNREAD,
    Frame,
    Table,
    collect_rows,
    is_date,
    matches,
)
from analysis.tables import needed as readable
from analysis.text import as_text
from parabook.errors import Problem, nearest, show

MOST_SHOWN = 100
"""Problems of one cause listed one by one; the rest are counted."""

MOST_HINTS = 10
"""Problems of one cause for which similar values are looked up, which is slow."""

RESERVED = r"(?i:^[^a-z]*not[^a-z]+(?:stated|described|shown[^a-z]+apart)[^a-z]*$)"
"""Labels that tables of counts use for what is not known; as values they would merge with those rows."""

CONTROL = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufffd\ufffe\uffff]"
"""Control characters, line ends that are none, and the sign that stands where a character was lost in conversion."""

BLANK = r"[\s" + "\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
"""A blank, spelled out, as DuckDB's ``\\s`` knows those of ASCII alone."""

ODD = f"^{BLANK}|{BLANK}$|{CONTROL}"

FORMULA = r"^(?:[=@]|[+-].*[(|!])"
"""How text begins that a spreadsheet runs."""

YEAR_TO_DAY = f"[0-9]{{4}}(?:-(?:0[1-9]|1[0-2]))?|[0-9]{{4}}-(?:{MONTH_AND_DAY})|{DATE}"
"""A year, a month or a day that exists."""

IN_USE = "a code in use, unless the source means the country of that time"


Columns = Callable[[str], Any]
"""What gives a column by name: narwhals, or a small table in memory."""


@dataclass(frozen=True)
class Check:
    """One condition on the rows of a table: true where a row is at fault."""

    column: str
    bad: Any
    """An expression of narwhals, or a column in memory."""
    needed: str
    hint: str | Callable[[str], str] = ""
    """What to do about it, or what makes that of the text found."""
    warning: bool = False
    reading: bool = False
    """Whether it finds cells that cannot be read."""
    parts: tuple[Check, ...] = ()
    """The conditions of which this one, that any of them holds, saves a look."""


def reading_check(field: Field, col: Columns) -> Check:
    """Whether each cell of a column can be read."""
    if field.type in PATTERNS:
        bad = col(UNREAD + field.name)
        return Check(field.name, bad, readable(field.type), lambda text: respelled(text, field.type), reading=True)
    return Check(field.name, col(field.name).str.len_chars() > LONGEST_TEXT, readable(field.type), reading=True)


def field_checks(field: Field, col: Columns) -> Iterator[Check]:
    """The checks that a column's schema asks for. A blank cell makes an expression null, which is not true."""
    name, column = field.name, col(field.name)
    if field.type == "string" and not field.enum:
        hint, wanted = "retype the cell", "text without blanks at its ends or control characters"
        odd = Check(name, column.str.contains(ODD), wanted, hint)
        hint, wanted = "leave the cell blank for what is not stated", "a value of the source"
        reserved = Check(name, column.str.contains(RESERVED), wanted, hint)
        hint, wanted = "downloads hold it as it stands", "text that no spreadsheet takes for a formula"
        formula = Check(name, column.str.contains(FORMULA), wanted, hint, warning=True)
        unusual = column.str.contains(f"{ODD}|{RESERVED}|{FORMULA}")
        yield odd if field.pattern else Check(name, unusual, "", parts=(odd, reserved, formula))
    if field.required:
        yield Check(name, col(TEXT + name).is_null(), "a value", "this column may not be blank")
    if field.enum:
        bad = ~column.is_null() & ~column.is_in(field.enum)
        yield Check(name, bad, f"one of {', '.join(field.enum)}", lambda text: nearest(text, field.enum))
    if field.pattern:
        form = f"{field.title.lower()} of the form {field.pattern}"
        yield Check(name, ~matches(column, field.pattern), form)
    if field.minimum is not None:
        yield Check(name, column < field.minimum, f"{field.minimum:g} or more")
    if field.maximum is not None:
        yield Check(name, column > field.maximum, f"{field.maximum:g} or less")


def row_checks(table: str, col: Columns) -> list[Check]:
    """The checks that the schema of a table has no words for, most of them between the columns of one row."""

    def blank(column: str) -> Any:
        return col(TEXT + column).is_null()

    if table == "interviewees":
        low, high = col("age_min"), col("age_max")
        plausible, source = "an age at which people are interviewed", "check the source"
        exact = "an exact age stands in both columns"
        return [
            Check("age_max", blank("age_min") != blank("age_max"), "both ages or neither", exact),
            Check("age_min", low > high, "age_min no greater than age_max", "swap the two"),
            Check("age_min", low < 10, plausible, source, warning=True),
            Check("age_max", high > 100, plausible, source, warning=True),
        ]
    if table == "places":
        former, country = vocabulary("former-countries"), col("country")
        unknown = ~country.is_null() & ~country.is_in((*countries(), *former))
        position = "both latitude and longitude or neither"
        return [
            Check("country", unknown, "an ISO 3166-1 alpha-3 code in use"),
            Check("country", country.is_in(tuple(former)), IN_USE, lambda code: former_hint(former[code]), True),
            Check("longitude", blank("latitude") != blank("longitude"), position),
        ]
    if table == "destinations":
        low, high, share = col("low"), col("high"), "a share or a rate is no figure of people"
        dates = "a year, a month as YYYY-MM or a day as YYYY-MM-DD"
        return [
            Check("low", low > high, "low no greater than high", "swap the two"),
            Check("low", blank("low") & blank("high"), "a low, a high or both", "a figure needs a number"),
            Check("low", low % 1 != 0, "a whole number of people", share),
            Check("high", high % 1 != 0, "a whole number of people", share),
            Check("stated_on", ~matches(col("stated_on"), YEAR_TO_DAY), dates),
            Check("window_end", col("window_start") > col("window_end"), "a window that ends after it starts"),
        ]
    if table == "evidence":
        bare = (col("basis") == "judged") & blank("note")
        return [Check("note", bare, "a note that gives the reason", "a judged value needs one")]
    return []


def former_hint(former: Mapping[str, str]) -> str:
    return f"once {former['name']}, now {former['now']}"


@dataclass(frozen=True)
class Checked:
    """What checking one table found."""

    problems: list[Problem]
    unread: frozenset[str]
    """Columns that are absent or of which some cell could not be read: further checks leave them out, so that nothing is
    reported twice."""
    rows: int


def table_problems(table: Table) -> Checked:
    """Check one table by itself: all conditions counted in one pass, then the rows at fault of those that hold anywhere."""
    present = [each for each in table.spec.fields if each.name not in table.absent]
    frame = _frame(table, present) if table.cells is None else None
    col: Columns = nw.col if frame is not None else _in_memory(table)
    reading = [reading_check(each, col) for each in present]
    known = [each for each in present if each.name in schema(table.spec.name).columns]
    rules = [check for each in known for check in field_checks(each, col)]
    checks = [*reading, *rules, *(row_checks(table.spec.name, col) if not table.absent else ())]
    rows, found = _found(checks, table, frame)
    problems = [
        problem for check, count in found for problem in _listed(table, check, _at_fault(table, check, frame), count)
    ]
    unread = {check.column for check, _ in found if check.reading}
    return Checked([*problems, *_duplicates(table)], frozenset(unread | table.absent), rows)


def _found(checks: Sequence[Check], table: Table, frame: Frame | None) -> tuple[int, list[tuple[Check, int]]]:
    """How many rows there are, and the checks that are true of some, with how many; parts in place of a whole."""
    if frame is None:
        rows, counts = len((table.cells or {})["_row"]), [sum(map(bool, check.bad.values)) for check in checks]
    else:
        sums = [check.bad.cast(nw.Int64).sum().alias(f"{n}") for n, check in enumerate(checks)]
        (row,) = collect_rows(frame.select(nw.len().alias("rows"), *sums))
        rows, counts = int(row["rows"]), [int(row[f"{n}"] or 0) for n in range(len(checks))]
    found = [(check, count) for check, count in zip(checks, counts, strict=True) if count]
    parts = [part for check, _ in found for part in check.parts]
    further = _found(parts, table, frame)[1] if parts else []
    return rows, [(check, count) for check, count in found if not check.parts] + further


def _frame(table: Table, fields: Sequence[Field]) -> Frame:
    """The typed columns of a table, and beside them their texts and what cannot be read of them."""
    texts = [table.text(each.name).alias(TEXT + each.name) for each in fields]
    return table.select(
        *texts, *(table.unreadable(each).alias(UNREAD + each.name) for each in fields if each.type in PATTERNS)
    )


def _in_memory(table: Table) -> Columns:
    cells = table.cells or {}
    return lambda name: Column(cells[name] if name in cells else cells[name.removeprefix(TEXT)])


def _at_fault(table: Table, check: Check, frame: Frame | None) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The first rows of which a check is true, and the text found there."""
    if frame is not None:
        shown = frame.filter(check.bad).sort(*table.locator).head(MOST_SHOWN)
        for row in collect_rows(shown.select(*table.locator, nw.col(TEXT + check.column).alias("_"))):
            yield row, as_text(row["_"])
        return
    col = _in_memory(table)
    rows = zip(check.bad.values, col("_row").values, col(TEXT + check.column).values, strict=True)
    yield from islice((({"_row": row}, text or "") for bad, row, text in rows if bad), MOST_SHOWN)


def _listed(table: Table, check: Check, rows: Iterable[tuple[Mapping[str, Any], str]], count: int) -> Iterator[Problem]:
    """The problems of one check: its first rows, and how many more there are."""
    for n, (row, text) in enumerate(rows):
        hint = check.hint if isinstance(check.hint, str) else check.hint(text) if n < MOST_HINTS else ""
        yield problem_at(table, row, show(text or None), check.needed, hint, check.column, warning=check.warning)
    yield from rest(count, table.shown, check.column, check.needed, warning=check.warning)


def problem_at(table: Table, row: Mapping[str, Any], *what: str, warning: bool = False) -> Problem:
    """A problem (found, needed, hint, column) at a row of a table."""
    found, wanted, hint, column = what
    file, number = table.place(row)
    return Problem(file, found, wanted, hint, number, column, warning)


def rest(count: int, file: str, column: str, wanted: str, *, warning: bool = False) -> Iterator[Problem]:
    """How many more problems of one cause there are than are listed."""
    if count > MOST_SHOWN:
        found = f"{count - MOST_SHOWN:,} more rows like these"
        yield Problem(file, found, wanted, "correct these first", None, column, warning)


def _duplicates(table: Table) -> Iterator[Problem]:
    key = list(table.spec.key)
    if table.absent & set(key):
        return
    if table.cells and len(set(rows := list(zip(*(table.cells[part] for part in key), strict=True)))) == len(rows):
        return
    given = table.frame.filter(*(~nw.col(part).is_null() for part in key))
    last = [nw.col(name).max().alias(name) for name in table.rows]
    twice = given.group_by(key).agg(nw.len().alias("_n"), *last).filter(nw.col("_n") > 1)
    for row in collect_rows(twice.sort(*table.locator).head(MOST_SHOWN)):
        found = f"{show('.'.join(as_text(row[part]) for part in key))} {row['_n']} times"
        yield problem_at(table, row, found, "each key once", "remove or renumber a row", key[-1])


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
    return f"did you mean {cell.lower()}?" if cell.lower() in ("true", "false") else ""
