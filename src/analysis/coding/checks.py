"""What must hold of each table by itself: each condition one expression, on every engine.

A check is an expression that is true of a bad row. Whether any is true of any row is asked first, as most tables
are sound, then which, and only the first rows at fault are ever collected.
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
"""Rows of one cause that are listed; the rest are counted."""

MOST_HINTS = 10
"""Rows of one cause for which similar values are looked up, which is slow."""

AT_ONCE = 12
"""Conditions that one expression joins."""

PLANES_END = "".join(chr(0x10000 * plane + last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
CONTROL = f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufffd\ufdd0-\ufdef{PLANES_END}]"
"""What neither a page nor a drawing can show: control characters, line ends that are none, what Unicode says is no
character, and the sign that stands where a character was lost in conversion."""

BLANK = r"[\s" + "\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
"""A blank, spelled out, as DuckDB's ``\\s`` knows those of ASCII alone."""

UNSEEN = "[\xad\u200b\u2060-\u2064\ufeff]"
"""Signs without width that no script needs: with one, two labels look the same and are not."""

ALPHABETS = "[A-Za-z][\u0370-\u052f]|[\u0370-\u052f][A-Za-z]"
"""A Greek or Cyrillic letter in a word of Latin ones, or the other way about: it may look like another word, and is not."""

RESERVED = r"(?i:^[^a-z]*not[^a-z]+(?:stated|described|shown[^a-z]+apart)[^a-z]*$)"
"""Labels that tables of counts use for what is not known; as values they would merge with those rows."""

FORMULA = r"^(?:[=@]|[+-].*[(|!])"
"""How text begins that a spreadsheet runs."""

DRAFT = "draft: "
"""How the note of a row of evidence begins that a coder has still to decide."""

Row = Mapping[str, Any]
Hint = str | Callable[[str], str]
"""What to do about a cell, or what makes that of the text found."""


@dataclass(frozen=True)
class Check:
    """One condition on the rows of a table: true where a row is at fault, null where a cell is blank."""

    column: str
    bad: Any
    needed: str
    hint: Hint = ""
    warning: bool = False


def field_checks(field: Field) -> Iterator[Check]:
    """The checks that a column's schema asks for, first whether it can be read."""
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
            yield Check(
                name,
                column.str.contains(ALPHABETS),
                "words of one alphabet",
                lambda text: ascii(text)[:60],
                warning=True,
            )
            wanted, hint = "text that no spreadsheet takes for a formula", "downloads hold it as it stands"
            yield Check(name, column.str.contains(FORMULA), wanted, hint, warning=True)
    if field.required:
        yield Check(name, blank(name), "a value", "this column may not be blank")
    if field.minimum is not None:
        yield Check(name, column < field.minimum, f"{field.minimum:g} or more")
    if field.maximum is not None:
        yield Check(name, column > field.maximum, f"{field.maximum:g} or less")


def how_to_write(kind: str, text: str) -> str:
    """How to write what is no cell of a type: a spreadsheet's date, a range of numbers; blank for what could be several things.

    Examples
    --------
    >>> how_to_write("date", "44828"), how_to_write("date", "24.09.2022"), how_to_write("date", "4/9/2022")
    ('as a spreadsheet counts days it is 2022-09-24', 'write 2022-09-24', '')
    >>> how_to_write("integer", "30-39")
    'a range is a lowest and a highest number'
    """
    if kind != "date":
        return "a range is a lowest and a highest number" * bool(re.fullmatch(r"\d+ ?[-–] ?\d+", text))
    if re.fullmatch(r"[34]\d{4}", text):
        return f"as a spreadsheet counts days it is {date(1899, 12, 30) + timedelta(int(text))}"
    try:
        return f"write {datetime.strptime(text, '%d.%m.%Y').date()}"
    except ValueError:
        return ""


def blank(column: str) -> nw.Expr:
    """Whether nothing stands in a cell; one that cannot be read is not blank."""
    return nw.col(TEXT + column).is_null()


def row_checks(table: str) -> list[Check]:
    """The checks that the schema of a table has no words for, most of them between the columns of one row."""
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
    """Codes that ISO 3166-1 does not know, and codes of countries that are no more."""
    former = vocabulary("former-countries")

    def now(text: str) -> str:
        gone = [former[code] for code in text.split() if code in former]
        return "; ".join(f"once {each['name']}, now {each['now']}" for each in gone)

    code = f"(?:{'|'.join((*countries(), *former))})"
    yield Check(column, ~matches(nw.col(column), f"{code}(?: {code})*"), "ISO 3166-1 alpha-3 codes in use")
    wanted = "a code in use, unless the source means the country of that time"
    yield Check(column, nw.col(column).str.contains("|".join(former)), wanted, now, warning=True)


def table_problems(table: Table) -> list[Problem]:
    """Check one table by itself: each condition of each row, then its key."""
    found = _problems(table, table.cells) if table.cells is not None else ()
    return [*table.problems, *until_broken(found, table.shown)]


def _problems(table: Table, cells: Frame) -> Iterator[Problem]:
    for odd in (each.name for each in table.spec.fields if re.search(CONTROL, each.name)):
        yield Problem(table.shown, f"column {show(odd)}", "a name without control characters", "rename it", row=1)
    checks = [each for field in table.spec.fields if field.name not in table.absent for each in field_checks(field)]
    checks += [] if table.absent else row_checks(table.spec.name)
    every = [check.bad for check in checks]
    if every and collect_rows(cells.select(any_of(every).any().alias("_")))[0]["_"]:
        faults = cells.select(check.bad.any().alias(str(n)) for n, check in enumerate(checks))
        for check, found in zip(checks, collect_rows(faults)[0].values(), strict=True):
            if found:
                bad = cells.filter(check.bad).with_columns(nw.col(TEXT + check.column).alias("_"))
                yield from listed(table, bad, check.column, check.needed, check.hint, warning=check.warning)
    key = list(table.spec.key)
    if not table.absent & set(key):
        given = cells.filter(*(~nw.col(part).is_null() for part in key))
        groups = given.group_by(key).agg(nw.len().alias("_n"), *(nw.col(name).max() for name in table.rows))
        joined = nw.concat_str(*(nw.col(part).cast(nw.String) for part in key), separator=".").alias("_")
        twice = groups.filter(nw.col("_n") > 1).with_columns(joined)
        yield from listed(table, twice, key[-1], "each key once", "remove or renumber a row")


def any_of(conditions: Sequence[Any]) -> nw.Expr:
    """Whether any condition is true of a row: of a few at a time, as Spark Connect takes no long chain of them."""
    few = [conditions[at : at + AT_ONCE] for at in range(0, len(conditions), AT_ONCE)]
    return nw.any_horizontal(*(nw.any_horizontal(*each, ignore_nulls=True) for each in few), ignore_nulls=True)


def listed(
    table: Table, bad: Frame | Sequence[Row], column: str, needed: str, hint: Hint = "", *, warning: bool = False
) -> Iterator[Problem]:
    """The problems of one cause, given the rows at fault with what stands there as ``_``.

    A problem each of the first rows; the last of them stands for all beyond as well.
    """
    if isinstance(bad, Sequence):
        rows, total = bad[:MOST_LISTED], len(bad)
    else:
        rows = collect_rows(bad.select(*table.locator, "_").sort(*table.locator).head(MOST_LISTED))
        total = count(bad) if len(rows) == MOST_LISTED else len(rows)
    for n, row in enumerate(rows, 1):
        said = hint if isinstance(hint, str) else hint(as_text(row["_"])) if n <= MOST_HINTS else ""
        (file, number), found = table.place(row), show(as_text(row["_"]) or None)
        times = 1 + total - n if n == len(rows) else 1
        yield Problem(file, found, needed, said, number, column, warning, times)
