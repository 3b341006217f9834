"""The checks of each table by itself: every condition is one expression, which runs on every engine.

A check is an expression that is true of a bad row. One query finds the checks that any row fails; only the first
rows that fail one are ever collected.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import narwhals as nw

from analysis.schema import LONGEST_TEXT, PATTERNS, YEAR_TO_DAY, Field, countries, needed, vocabulary
from analysis.tables import TEXT, UNREAD, Frame, Table, collect_rows, count, matches, until_broken
from analysis.text import as_text
from parabook.errors import Problem, nearest, show

MOST_LISTED = 100
"""Rows that are listed for one failed check; the rest are counted."""

MOST_HINTS = 10
"""Rows of one failed check for which similar values are looked up, which is slow."""

PLANES_END = "".join(chr(0x10000 * plane + last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
CONTROL = f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufffd\ufdd0-\ufdef{PLANES_END}]"
"""Characters that neither a page nor a drawing can show: control characters, Unicode's line and paragraph separators,
its noncharacters, and the replacement character that stands where another was lost in conversion."""

BLANK = r"[\s" + "\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
"""Whitespace, spelled out because DuckDB's ``\\s`` matches that of ASCII only."""

UNSEEN = "[\xad\u200b\u2060-\u2064\ufeff]"
"""Characters without width that no script needs: with one of them, two different labels look the same."""

ALPHABETS = "[A-Za-z][\u0370-\u052f]|[\u0370-\u052f][A-Za-z]"
"""A Greek or Cyrillic letter beside a Latin one: the word may look like another one."""

RESERVED = r"(?i:^[^a-z]*not[^a-z]+(?:stated|described|shown[^a-z]+apart)[^a-z]*$)"
"""Labels that tables of counts use for unknown values; as values of a cell they would merge with those rows."""

FORMULA = r"^(?:[=@]|[+-].*[(|!])"
"""Beginning of a text that a spreadsheet runs as a formula."""

DRAFT = "draft: "
"""Beginning of the note of a row of evidence that a coder has still to decide."""

Row = Mapping[str, Any]
Hint = str | Callable[[str], str]
"""How to correct a cell: a text, or a function that makes one of the cell's text."""


@dataclass(frozen=True)
class Check:
    """One condition on the rows of a table: true for a bad row, null where the cell is blank."""

    column: str
    bad: Any
    needed: str
    hint: Hint = ""
    warning: bool = False


def field_checks(field: Field) -> Iterator[Check]:
    """The checks that follow from a column's schema, first whether its cells can be read."""
    name, column = field.name, nw.col(field.name)
    if field.type in PATTERNS:
        yield Check(name, nw.col(UNREAD + name), needed(field.type), partial(how_to_write, field.type))
    elif field.enum:
        bad = ~column.is_null() & ~column.is_in(field.enum)
        yield Check(name, bad, f"one of {', '.join(field.enum)}", lambda text: nearest(text, field.enum))
    else:
        yield Check(name, column.str.len_chars() > LONGEST_TEXT, needed(field.type))
        if field.pattern:
            yield Check(name, ~matches(column, field.pattern), f"{field.title.lower()} of the form {field.pattern}")
        else:
            wanted = "text of the source without blanks at its ends or control characters"
            hint = "retype the cell; leave it blank for what is not stated"
            yield Check(name, column.str.contains(f"^{BLANK}|{BLANK}$|{CONTROL}|{UNSEEN}|{RESERVED}"), wanted, hint)
            mixed, escaped = column.str.contains(ALPHABETS), lambda text: ascii(text)[:60]
            yield Check(name, mixed, "words of one alphabet", escaped, warning=True)
            wanted, hint = "text that no spreadsheet takes for a formula", "downloads hold it as it stands"
            yield Check(name, column.str.contains(FORMULA), wanted, hint, warning=True)
    if field.required:
        yield Check(name, blank(name), "a value", "this column may not be blank")
    if field.minimum is not None:
        yield Check(name, column < field.minimum, f"{field.minimum:g} or more")
    if field.maximum is not None:
        yield Check(name, column > field.maximum, f"{field.maximum:g} or less")


def how_to_write(kind: str, text: str) -> str:
    """How to write a cell that cannot be read as its type; blank where it could mean several things.

    Examples
    --------
    >>> how_to_write("date", "44828"), how_to_write("date", "24.09.2022"), how_to_write("date", "4/9/2022")
    ('as a spreadsheet counts days it is 2022-09-24', 'write 2022-09-24', '')
    >>> how_to_write("integer", "30-39")
    'a range is a lowest and a highest number'
    """
    if kind != "date":
        is_range = re.fullmatch(r"\d+ ?[-–] ?\d+", text)
        return "a range is a lowest and a highest number" if is_range else ""
    if re.fullmatch(r"[34]\d{4}", text):
        return f"as a spreadsheet counts days it is {date(1899, 12, 30) + timedelta(int(text))}"
    try:
        return f"write {datetime.strptime(text, '%d.%m.%Y').date()}"
    except ValueError:
        return ""


def blank(column: str) -> nw.Expr:
    """Whether a cell is empty in the file; one that cannot be read as its type is not."""
    return nw.col(TEXT + column).is_null()


def row_checks(table: str) -> list[Check]:
    """The checks that the schema of a table cannot express, most of them between the columns of one row."""
    col = nw.col
    if table == "interviewees":
        low, high = col("age_min"), col("age_max")
        plausible, exact = "an age at which people are interviewed", "an exact age stands in both columns"
        return [
            Check("age_max", blank("age_min") != blank("age_max"), "both ages or neither", exact),
            Check("age_min", low > high, "age_min no greater than age_max", "swap the two"),
            Check("age_min", low < 10, plausible, "check the source", warning=True),
            Check("age_max", high > 100, plausible, "check the source", warning=True),
        ]
    if table == "places":
        position = "both latitude and longitude or neither"
        return [*country_checks("country"), Check("longitude", blank("latitude") != blank("longitude"), position)]
    if table == "destinations":
        low, high, share = col("low"), col("high"), "a share or a rate is no figure of people"
        dates = "a year, a month as YYYY-MM or a day as YYYY-MM-DD"
        twice = "|".join(f"{code}.*{code}" for code in countries())
        return [
            *country_checks("countries"),
            Check("countries", col("countries").str.contains(twice), "each country once"),
            Check("low", low > high, "low no greater than high", "swap the two"),
            Check("low", blank("low") & blank("high"), "a low, a high or both", "a figure needs a number"),
            Check("low", low % 1 != 0, "a whole number of people", share),
            Check("high", high % 1 != 0, "a whole number of people", share),
            Check("stated_on", ~matches(col("stated_on"), YEAR_TO_DAY), dates),
            Check("window_end", col("window_start") > col("window_end"), "a window that ends after it starts"),
        ]
    if table == "evidence":
        bare, open_ = (col("basis") == "judged") & blank("note"), col("note").str.contains(f"^{DRAFT}")
        todo = "fill in the row, and put your reason in place of the note"
        return [
            Check("note", bare, "a note that gives the reason", "a judged value needs one"),
            Check("note", open_, "what the draft asks for", todo),
        ]
    return []


def country_checks(column: str) -> Iterator[Check]:
    """Codes that ISO 3166-1 does not list, and codes of countries that no longer exist."""
    former = vocabulary("former-countries")

    def now(text: str) -> str:
        gone = [former[code] for code in text.split() if code in former]
        return "; ".join(f"once {each['name']}, now {each['now']}" for each in gone)

    code = f"(?:{'|'.join((*countries(), *former))})"
    yield Check(column, ~matches(nw.col(column), f"{code}(?: {code})*"), "ISO 3166-1 alpha-3 codes in use")
    wanted = "a code in use, unless the source means the country of that time"
    yield Check(column, nw.col(column).str.contains("|".join(former)), wanted, now, warning=True)


def table_problems(table: Table) -> list[Problem]:
    """Check one table by itself: the conditions on its rows, then its key."""
    found = _problems(table, table.cells) if table.cells is not None else ()
    return [*table.problems, *until_broken(found, table.shown)]


def _problems(table: Table, cells: Frame) -> Iterator[Problem]:
    for odd in (each.name for each in table.spec.fields if re.search(CONTROL, each.name)):
        yield Problem(table.shown, f"column {show(odd)}", "a name without control characters", "rename it", row=1)
    checks = [each for field in table.spec.fields if field.name not in table.absent for each in field_checks(field)]
    checks += [] if table.absent else row_checks(table.spec.name)
    failed = [check.bad.any().alias(str(n)) for n, check in enumerate(checks)]
    answers = collect_rows(cells.select(failed))[0] if failed else {}  # none where every column is missing or nested
    for check, has_failed in zip(checks, answers.values(), strict=True):
        if has_failed:
            bad = cells.filter(check.bad).with_columns(nw.col(TEXT + check.column).alias("_"))
            yield from listed(table, bad, check.column, check.needed, check.hint, warning=check.warning)
    key = list(table.spec.key)
    if not table.absent & set(key):
        given = cells.filter(*(~nw.col(part).is_null() for part in key))
        groups = given.group_by(key).agg(nw.len().alias("_n"), *(nw.col(name).max() for name in table.rows))
        joined = nw.concat_str(*(nw.col(part).cast(nw.String) for part in key), separator=".").alias("_")
        twice = groups.filter(nw.col("_n") > 1).with_columns(joined)
        yield from listed(table, twice, key[-1], "each key once", "remove or renumber a row")


def listed(
    table: Table, bad: Frame | Sequence[Row], column: str, needed: str, hint: Hint = "", *, warning: bool = False
) -> Iterator[Problem]:
    """The problems of one failed check, given its bad rows with the text of the bad cell as ``_``.

    The first rows get a problem each; the last of these also counts for all rows that are not listed.
    """
    if isinstance(bad, Sequence):
        rows, total = bad[:MOST_LISTED], len(bad)
    else:
        rows = collect_rows(bad.select(*table.locator, "_").sort(*table.locator).head(MOST_LISTED))
        total = count(bad) if len(rows) == MOST_LISTED else len(rows)
    for n, row in enumerate(rows, 1):
        text, (file, number) = as_text(row["_"]), table.place(row)
        remedy = hint if isinstance(hint, str) else ""
        if callable(hint) and n <= MOST_HINTS:
            remedy = hint(text)
        times = 1 + total - n if n == len(rows) else 1
        yield Problem(file, show(text or None), needed, remedy, number, column, warning, times)
