"""What must hold of an edition's tables. Pure: typed tables in, problems out; written once for every engine.

A table is a narwhals ``LazyFrame`` with the schema's columns and ``_row``, the row as a spreadsheet
numbers it (the header is row 1). Each check is an expression that is true of a bad row; all of a
table's checks are counted in one pass, and only the rows at problem are ever collected.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import and_
from typing import Any

import narwhals as nw

from analysis.frames import Frame, as_text
from analysis.rules import RULES, words
from analysis.schema import Field, Schema, countries, schema, vocabulary
from analysis.spread import first, gathered, summed
from analysis.tables import MOST_SHOWN, all_different, all_known
from parabook.errors import Problem, nearest, show

MOST_WORDS = 8
"""Longest fragment of the source that evidence may quote."""

RESERVED = ("not stated", "not described", "not shown apart")
"""Labels that tables of counts use for what is not known; as values they would merge with those rows."""

WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
"""What an identifier looks like."""

FAR = 100
"""How many times two figures of one measure and one place may differ before it is a warning."""

ODD = "[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffd]"
"""Control characters, and the sign that stands where a character was lost in conversion."""

BLANK = r"[\s" + "\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
"""A blank, spelt out, as DuckDB's ``\\s`` knows those of ASCII alone."""

FORMULA = r"^(?:[=@]|[+-].*[(|!])"
"""How text begins that a spreadsheet runs."""

DAY = r"^[0-9]{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01]))?)?$"
"""A year, with or without month and day."""

Tables = Mapping[str, Frame]

Unread = Mapping[str, frozenset[int] | None]
"""Of a table: rows whose cell of a column could not be read, by column, None for all rows. What was
found wrong there already is not found wrong again."""


@dataclass(frozen=True)
class Check:
    """One condition on the rows of a table: true where a row is at problem."""

    column: str
    bad: nw.Expr
    needed: str
    hint: str = ""
    allowed: tuple[str, ...] = ()
    warning: bool = False
    beside: tuple[str, ...] = ()
    """Further columns that the condition looks at."""
    hints: Mapping[str, str] = field(default_factory=dict)
    """How to hint, by the value found."""


def field_checks(field: Field) -> Iterator[Check]:
    """The checks that a column's schema asks for; only those of what a value is not must leave out blanks themselves."""
    column = nw.col(field.name)
    blank = column.is_null()
    if field.type == "string" and not field.enum:
        yield Check(
            field.name,
            column.str.contains(f"^{BLANK}|{BLANK}$|{ODD}"),
            "text without blanks at its ends or control characters",
            "retype the cell",
        )
    if field.type == "string" and not field.enum and not field.pattern:
        yield Check(
            field.name, column.is_in(RESERVED), "a value of the source", "leave the cell blank for what is not stated"
        )
        yield Check(
            field.name,
            column.str.contains(FORMULA),
            "text that no spreadsheet takes for a formula",
            "downloads hold it as it stands",
            warning=True,
        )
    if field.required:
        yield Check(field.name, blank, "a value", "this column may not be blank")
    if field.enum:
        yield Check(
            field.name, ~blank & ~column.is_in(field.enum), f"one of {', '.join(field.enum)}", allowed=field.enum
        )
    if field.pattern:
        yield Check(
            field.name,
            ~blank & ~column.str.contains(f"^(?:{field.pattern})$"),
            f"{field.title.lower()} of the form {field.pattern}",
        )
    if field.minimum is not None:
        yield Check(field.name, column < field.minimum, f"{field.minimum:g} or more")
    if field.maximum is not None:
        yield Check(field.name, column > field.maximum, f"{field.maximum:g} or less")


def row_checks(table: str) -> Iterator[Check]:
    """The checks between the columns of one row, by table."""
    col = nw.col
    if table == "interviewees":
        yield Check(
            "age_max",
            col("age_min").is_null() != col("age_max").is_null(),
            "both ages or neither",
            "an exact age stands in both columns",
            beside=("age_min",),
        )
        yield Check(
            "age_min",
            col("age_min") > col("age_max"),
            "age_min no greater than age_max",
            "swap the two",
            beside=("age_max",),
        )
        yield Check(
            "age_min", col("age_min") < 10, "an age at which people are interviewed", "check the source", warning=True
        )
        yield Check(
            "age_max", col("age_max") > 100, "an age at which people are interviewed", "check the source", warning=True
        )
    if table == "places":
        known = (*countries(), *vocabulary("former-countries"))
        yield Check("country", ~col("country").is_in(known), "an ISO 3166-1 alpha-3 code in use")
        hints = {code: gone(former) for code, former in vocabulary("former-countries").items()}
        yield Check("country", col("country").is_in(tuple(hints)), IN_USE, hints=hints, warning=True)
        yield Check(
            "longitude",
            col("latitude").is_null() != col("longitude").is_null(),
            "both latitude and longitude or neither",
            beside=("latitude",),
        )
    if table == "destinations":
        yield Check("low", col("low") > col("high"), "low no greater than high", "swap the two", beside=("high",))
        yield Check(
            "low",
            col("low").is_null() & col("high").is_null(),
            "a low, a high or both",
            "a figure needs a number",
            beside=("high",),
        )
        for end in ("low", "high"):
            yield Check(end, col(end) % 1 != 0, "a whole number of people", "a share or a rate is no figure of people")
        yield Check(
            "stated_on",
            ~col("stated_on").is_null() & ~col("stated_on").str.contains(DAY),
            "a year, a month as YYYY-MM or a day as YYYY-MM-DD",
        )
        yield Check(
            "window_end",
            col("window_start") > col("window_end"),
            "a window that ends after it starts",
            beside=("window_start",),
        )
    if table == "evidence":
        yield Check(
            "note",
            (col("basis") == "judged") & col("note").is_null(),
            "a note that gives the reason",
            "a judged value needs one",
            beside=("basis",),
        )


IN_USE = "a code in use, unless the source means the country of that time"


def gone(former: Mapping[str, str]) -> str:
    """A hint for the code of a country that is no more.

    Examples
    --------
    >>> gone({"name": "Czechoslovakia", "now": "CZE SVK"})
    'once Czechoslovakia, now CZE SVK'
    """
    return f"once {former['name']}, now {former['now']}"


def table_problems(spec: Schema, frame: Frame, file: str, unread: Unread | None = None) -> list[Problem]:
    """Every problem of one table by itself.

    Parameters
    ----------
    spec : Schema
        What the table must satisfy.
    frame : LazyFrame
        The typed table, with ``_row``.
    file : str
        The name to show.
    unread : mapping, optional
        Cells that reading found wrong already.
    """
    known: Unread = unread or {}
    checks = [check for field in spec.fields for check in field_checks(field)] + list(row_checks(spec.name))
    sighted = [seen for check in checks if (seen := _sighted(check, known))]
    return [*_run(sighted, frame, file), *_duplicates(spec, frame, file, known)]


def _sighted(check: Check, unread: Unread) -> Check | None:
    """A check that looks only at rows whose cells could be read; none where no row is left."""
    looked_at = [unread[column] for column in (check.column, *check.beside) if column in unread]
    if None in looked_at:
        return None
    rows = sorted(set().union(*(rows for rows in looked_at if rows)))
    return replace(check, bad=check.bad & ~nw.col("_row").is_in(rows)) if rows else check


def _run(checks: list[Check], frame: Frame, file: str) -> Iterator[Problem]:
    if not checks:
        return
    counts = {f"c{n}": check.bad.sum() for n, check in enumerate(checks)}
    (tally,) = gathered(frame.select(**counts), summed())
    for n, check in enumerate(checks):
        bad = int(as_text(tally[f"c{n}"]) or 0)
        if not bad:
            continue
        rows = frame.filter(check.bad).select("_row", check.column).sort("_row").head(MOST_SHOWN)
        for row in gathered(rows, first(MOST_SHOWN)):
            value = row[check.column]
            hint = check.hint or check.hints.get(as_text(value)) or nearest(value, check.allowed)
            yield Problem(
                file, show(as_text(value) or None), check.needed, hint, int(row["_row"]), check.column, check.warning
            )
        yield from _rest(bad, file, check.column, check.needed, check.warning)


def _rest(bad: int, file: str, column: str, needed: str, warning: bool = False) -> Iterator[Problem]:
    if bad > MOST_SHOWN:
        yield Problem(
            file, f"{bad - MOST_SHOWN} more rows like these", needed, "hint these first", None, column, warning
        )


def _duplicates(spec: Schema, frame: Frame, file: str, unread: Unread) -> Iterator[Problem]:
    key = list(spec.key)
    if any(unread.get(part, ()) is None for part in key) or all_different(frame, key):
        return
    twice = (
        frame.filter(reduce(and_, (~nw.col(part).is_null() for part in key)))
        .group_by(key)
        .agg(nw.len().alias("_n"), nw.col("_row").max().alias("_row"))
        .filter(nw.col("_n") > 1)
        .sort("_row")
        .head(MOST_SHOWN)
    )
    for row in gathered(twice, first(MOST_SHOWN), by=key):
        found = ".".join(str(row[part]) for part in key)
        yield Problem(
            file,
            f"{show(found)} {row['_n']} times",
            "each key once",
            "remove or renumber a row",
            int(row["_row"]),
            key[-1],
        )


def reference_problems(
    tables: Tables,
    files: Mapping[str, str],
    of: Tables | None = None,
    *,
    unsure: Collection[str] = (),
    unread: Mapping[str, Unread] | None = None,
) -> Iterator[Problem]:
    """Values that refer to a row which is not there; legs that are not numbered 1 to n.

    Parameters
    ----------
    tables : mapping of LazyFrame
        Where rows are looked for.
    files : mapping of str
        The names to show.
    of : mapping of LazyFrame, optional
        The tables whose values are looked at, all of them unless given.
    unsure : collection of str
        Tables whose rows or keys are themselves at problem: that one of their rows is missing proves nothing.
    unread : mapping, optional
        By table, cells that reading found wrong already.
    """
    looked_at, known_wrong = (tables if of is None else of), unread or {}
    for name, frame in looked_at.items():
        for column, other, there in schema(name).references:
            if other in unsure or known_wrong.get(name, {}).get(column, ()) is None:
                continue
            if other in tables:
                if all_known(frame, column, tables[other], there):
                    continue
                known = tables[other].select(nw.col(there).alias(column)).unique()
            elif other == "paragraphs":
                continue
            else:
                known = None
            given = frame.filter(~nw.col(column).is_null()).select("_row", column)
            lost = given if known is None else given.join(known, on=column, how="anti")
            rows = gathered(lost.sort("_row").head(MOST_SHOWN + 1), first(MOST_SHOWN + 1))
            if not rows:
                continue
            near = (
                [] if known is None else [str(k[column]) for k in known.head(5000).collect("pandas").rows(named=True)]
            )
            needed = f"the {there} of a row of table {other}"
            for row in rows[:MOST_SHOWN]:
                hint = nearest(row[column], near) or f"add it to {other}, or hint it here"
                yield Problem(files[name], show(row[column]), needed, hint, int(row["_row"]), column)
            if len(rows) > MOST_SHOWN:
                (more,) = gathered(lost.select(nw.len().alias("n")), summed())
                yield from _rest(int(more["n"]), files[name], column, needed)
    if "legs" in looked_at and "legs" not in unsure and not {"leg", "interviewee"} & set(known_wrong.get("legs", {})):
        gaps = (
            looked_at["legs"]
            .group_by("interviewee")
            .agg(nw.len().alias("_n"), nw.col("leg").max().alias("_last"), nw.col("_row").max().alias("_row"))
            .filter(nw.col("_n") != nw.col("_last"))
            .sort("_row")
            .head(MOST_SHOWN)
        )
        for row in gathered(gaps, first(MOST_SHOWN), by=("interviewee",)):
            yield Problem(
                files["legs"],
                f"{row['_n']} legs of {row['interviewee']}, the last numbered {row['_last']}",
                "legs numbered 1 to n",
                "renumber them",
                int(row["_row"]),
                "leg",
            )


def figure_problems(destinations: Frame, file: str) -> Iterator[Problem]:
    """Country codes of figures that ISO 3166-1 does not know; figures far from others like them."""
    columns = ("_row", "figure", "countries", "measure", "low", "high")
    rows = destinations.select(*columns).sort("_row").collect("pandas").rows(named=True)
    for row in rows:
        codes = as_text(row["countries"]).split()
        if len(set(codes)) < len(codes):
            yield Problem(file, show(row["countries"]), "each country once", "", int(row["_row"]), "countries")
        for code in dict.fromkeys(codes):
            former = vocabulary("former-countries").get(code)
            if former:
                yield Problem(file, show(code), IN_USE, gone(former), int(row["_row"]), "countries", warning=True)
            elif code not in countries():
                hint = nearest(code, countries()) if len(code) == 3 else ""
                yield Problem(
                    file, show(code), "an ISO 3166-1 alpha-3 code in use", hint, int(row["_row"]), "countries"
                )
    alike: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        alike.setdefault((as_text(row["countries"]), as_text(row["measure"])), []).append(row)
    for (_, measure), group in alike.items():
        ends = [(float(high), row) for row in group if (high := as_text(row["high"]))]
        if not ends:
            continue
        least, neighbour = min(ends, key=lambda end: end[0])
        for row in group:
            low = as_text(row["low"])
            if low and row is not neighbour and float(low) > FAR * least:
                needed = f"no more than {FAR:,} times {least:,.0f}, the high of {neighbour['figure']} ({measure}, same countries)"
                yield Problem(file, low, needed, "check both", int(as_text(row["_row"])), "low", warning=True)


def lone_problems(interviewees: Frame, file: str) -> Iterator[Problem]:
    """The people whom the book would show alone: nobody else has the same age, gender and profession.

    One warning for all of them. Somebody of whom fewer than two of the three are told is not looked at. Who is
    tabulated with others here can still be alone by a route.
    """
    told = sum((~nw.col(trait).is_null()).cast(nw.Int64) for trait in ("age_min", "gender", "profession"))
    traits = ("age_min", "age_max", "gender", "profession", "isco08")
    single = (
        interviewees.filter((nw.col("counted") == "yes") & (told >= 2))
        .group_by(*traits)
        .agg(nw.len().alias("_n"), nw.col("_row").min().alias("_row"))
        .filter(nw.col("_n") == 1)
        .select("_row")
    )
    rows = sorted(int(row["_row"]) for row in gathered(single, by=traits))
    if rows:
        shown = ", ".join(map(str, rows[:20]))
        more = f" and {len(rows) - 20:,} more" if len(rows) > 20 else ""
        alone = "row that is" if len(rows) == 1 else "rows that are"
        yield Problem(
            file,
            f"{len(rows):,} {alone} alone in age, gender and profession (row {shown}{more})",
            "nobody whom these could identify",
            "set report.minimum_cell to 3 or more in datapackage.json, or report.public_source to true where everybody can read the source",
            warning=True,
        )


def named_problems(interviewees: Frame, codebook: str, file: str) -> Iterator[Problem]:
    """Identifiers of people in the edition's codebook, which the book prints as it is."""
    said = {word: row for row, line in reversed([*enumerate(codebook.splitlines(), 1)]) for word in WORD.findall(line)}
    known = gathered(interviewees.filter(nw.col("interviewee").is_in(list(said))).select("interviewee")) if said else []
    for who in sorted(str(row["interviewee"]) for row in known)[:MOST_SHOWN]:
        needed = "nothing that tells of one person, as report.minimum_cell asks"
        yield Problem(file, show(who), needed, "the book prints this text: reword it", said[who], warning=True)


def coded_columns(name: str) -> tuple[str, ...]:
    """The columns whose values need evidence: all but the key and the coder's own note.

    Examples
    --------
    >>> coded_columns("legs")
    ('status', 'from_place', 'to_place', 'mode', 'departed', 'nights_waited')
    """
    spec = schema(name)
    return tuple(column for column in spec.columns if column not in (*spec.key, "note"))


CODED_TABLES = ("interviewees", "legs", "places", "destinations", "statements")


def coded_values(tables: Tables) -> dict[tuple[str, str, str], str]:
    """Every coded value that is not blank, as text, by (table, key, column).

    Only for editions with an evidence table: those are coded by hand and fit in memory.
    """
    values = {}
    for name in CODED_TABLES:
        if name not in tables:
            continue
        for row in tables[name].collect("pandas").rows(named=True):
            key = ".".join(as_text(row[part]) for part in schema(name).key)
            for column in coded_columns(name):
                if text := as_text(row[column]):
                    values[name, key, column] = text
    return values


def evidence_problems(
    evidence: Frame,
    values: Mapping[tuple[str, str, str], str],
    files: Mapping[str, str],
    *,
    unsure: Collection[str] = (),
    blind: Collection[tuple[str, str]] = (),
) -> Iterator[Problem]:
    """Evidence that leads nowhere, says too much, or names no rule; values that have none.

    ``unsure`` are tables whose rows or keys are themselves at problem, ``blind`` columns (with their table) of
    which some cell could not be read: that a value of theirs is not there proves nothing.
    """
    file, seen = files["evidence"], set()
    for row in evidence.sort("_row").collect("pandas").rows(named=True):
        place = (as_text(row["table"]), as_text(row["key"]), as_text(row["column"]))
        seen.add(place)
        where = int(row["_row"])
        if place not in values and place[0] not in unsure and (place[0], place[2]) not in blind:
            hint = nearest(".".join(place), (".".join(known) for known in values))
            yield Problem(
                file, show(".".join(place)), "table, key and column of a value that is not blank", hint, where, "key"
            )
        if as_text(row["exact"]) and not 1 <= len(words(as_text(row["exact"]))) <= MOST_WORDS:
            yield Problem(
                file, show(row["exact"]), f"one to {MOST_WORDS} words", "quote a fragment of the source", where, "exact"
            )
        if row["basis"] == "derived" and rule_of(row["note"]) not in RULES:
            hint = nearest(rule_of(row["note"]), RULES) or f"one of {', '.join(RULES)}"
            yield Problem(file, show(row["note"]), "a rule's name first in the note", hint, where, "note")
    for name, key, column in values:
        if (name, key, column) not in seen and not {"evidence", name} & set(unsure):
            yield Problem(
                file,
                f"no evidence for {name} {key} {column}",
                "one row of evidence for every coded value",
                "add it, or blank the value",
                None,
                column,
            )


def settlement_problems(
    settlements: Frame, values: Mapping[tuple[str, str, str], str], files: Mapping[str, str]
) -> Iterator[Problem]:
    """Settlements whose ruling is not what the edition now carries."""
    for row in settlements.sort("_row").collect("pandas").rows(named=True):
        place = (as_text(row["table"]), as_text(row["key"]), as_text(row["column"]))
        carried, settled = values.get(place, ""), as_text(row["settled"])
        if carried != settled:
            yield Problem(
                files["settlements"],
                show(settled or None),
                f"{show(carried or None)}, as {'.'.join(place)} has it",
                "hint the table or the settlement",
                int(row["_row"]),
                "settled",
                warning=True,
            )


def rule_of(note: object) -> str:
    """The rule that the note of a derived value begins with.

    Examples
    --------
    >>> rule_of("pronoun: he"), rule_of(None)
    ('pronoun', '')
    """
    return as_text(note).split(":", 1)[0].strip()
