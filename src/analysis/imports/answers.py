"""Answers of an export read as what an edition holds, or refused: codes, numbers, days, choices, legs, places; ages in `ages`.

Answers are text, "" for blank. What a call cannot read it refuses with one `InputError`: each answer once, with its first
row, how many rows have it, and what to add. `codes` say what answers mean; "?" in them is still to be decided.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import pandas as pd

from analysis.imports.exports import tidy
from analysis.schema import TABLES, schema
from parabook.errors import InputError, Problem, nearest, show

ASK: Final = "?"
MOST_ANSWERS: Final = 25
"""Different answers of one column that a refusal lists; the rest are counted."""

Codes = Mapping[str, object]


def refusals(answers: pd.Series, bad: pd.Series, needed: str, hint: Callable[[str], str]) -> Iterator[Problem]:
    """A problem for each different answer among those marked, the most frequent first."""
    source, wrong = str(answers.attrs.get("source", "export")), answers[bad]
    column = None if answers.name is None else str(answers.name)
    counts = wrong.value_counts()
    for value, count in counts.head(MOST_ANSWERS).items():
        times = f" ({count:,} rows)" if count > 1 else ""
        row = int(wrong.index[wrong == value][0])
        yield Problem(source, f"{show(value)}{times}", needed, hint(str(value)), row, column)
    if len(counts) > MOST_ANSWERS:
        more = f"{len(counts) - MOST_ANSWERS:,} more answers like these"
        yield Problem(source, more, needed, "see sheet and header", column=column)


def refuse(problems: Iterable[Problem]) -> None:
    """Raise all problems together, if there are any."""
    if found := list(problems):
        raise InputError(found)


def quoted(value: object) -> str:
    """A text as Python spells it, on one line, whatever it holds: line breaks of every alphabet are escaped.

    Examples
    --------
    >>> print(quoted('say "yes"'), quoted("a\\u2028b\\r"))
    "say \\"yes\\"" 'a\\u2028b\\r'
    """
    text = str(value)
    plain = text.isprintable() and "\\" not in text
    return '"' + text.replace('"', '\\"') + '"' if plain else repr(text)


def add_hint(answer: str) -> str:
    return f'add {quoted(answer)}: "…" to its codes'


# --- codes -----------------------------------------------------------------------------------------------------------


def recode(answers: pd.Series, codes: Codes, column: str = "", *, keep: bool = False) -> pd.Series:
    """Answers replaced by their codes; blank stays blank, and an answer without a code is refused.

    Parameters
    ----------
    answers : Series
        A column of `read_export`.
    codes : mapping
        Code by answer; "" for what says nothing.
    column : str
        The column of an edition that they go into, whose allowed codes are checked and named.
    keep : bool
        Copy answers that have no code as they stand.

    Examples
    --------
    >>> recode(pd.Series(["m", "", "f"]), {"m": "man", "f": "woman"}, "gender").tolist()
    ['man', '', 'woman']
    >>> recode(pd.Series(["m", "x", "x"], name="Sex"), {"m": "man"}, "gender")
    Traceback (most recent call last):
    parabook.errors.InputError: export, row 1, column Sex: found 'x' (2 rows), needed its code: woman, man, other or ""; add "x": "…" to its codes
    """
    refuse(_unforeseen(answers, codes, column, keep))
    return coded_as(answers, codes)


def recode_all(answers: pd.DataFrame, codes: Mapping[str, Codes]) -> pd.DataFrame:
    """Several columns recoded, by their name in the export; all that has no code is refused in one message."""
    refuse(problem for name, given in codes.items() for problem in _unforeseen(answers[name], given, "", False))
    coded = answers.assign(**{name: coded_as(answers[name], given) for name, given in codes.items()})
    coded.attrs = answers.attrs
    return coded


def _unforeseen(answers: pd.Series, codes: Codes, column: str, keep: bool) -> Iterator[Problem]:
    fields = [field for table in TABLES for field in schema(table).fields if column and field.name == column]
    allowed = fields[0].enum if fields else ()
    coded = coded_as(answers, codes, lambda answer: answer if keep or not answer else ASK)
    needed = f'its code: {", ".join(allowed)} or ""' if allowed else "its code"
    yield from refusals(answers, coded == ASK, needed, add_hint)
    for code in dict.fromkeys(codes.values()):
        if allowed and code not in (*allowed, "", ASK):
            hint = nearest(code, allowed)
            yield Problem("codes", show(code), f"one of {', '.join(allowed)}", hint, column=column)


def coded_as(answers: pd.Series, codes: Codes | None, other: Callable[[str], str] = str) -> pd.Series:
    """Answers with what codes say of them, and what `other` says of the rest."""
    known = {tidy(answer): code for answer, code in (codes or {}).items()}
    coded = answers.map(lambda answer: known[answer] if answer in known else other(answer))
    coded.attrs = answers.attrs
    return coded


# --- numbers, days ---------------------------------------------------------------------------------------------------


def whole_number(answers: pd.Series, codes: Codes | None = None, *, thousands: str = "") -> pd.Series:
    """Whole numbers of answers, missing for blank: 34, 34.0, digits of any script, thousands parted by that sign.

    Examples
    --------
    >>> whole_number(pd.Series(["34.0", "٢٥", "", "don't know"]), {"don't know": ""}).tolist()
    [34, 25, <NA>, <NA>]
    """
    grouped = rf"[+-]?[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}})+"
    texts = coded_as(answers, codes).map(latin)
    texts = texts.map(lambda text: text.replace(thousands, "") if thousands and re.fullmatch(grouped, text) else text)
    bad = texts.map(lambda text: bool(text) and not re.fullmatch(r"[+-]?[0-9]{1,15}(?:\.0+)?", text))
    comma = 'say thousands="," if it parts thousands, or ' if texts[bad].str.fullmatch(r"[0-9]+,[0-9]{3}").any() else ""
    refuse(refusals(answers, bad, "a whole number", lambda answer: comma + add_hint(answer)))
    return pd.Series([int(float(text)) if text else pd.NA for text in texts], answers.index, "Int64", answers.name)


def latin(value: object) -> str:
    """A text with the digits of any script as 0 to 9."""
    return "".join(str(unicodedata.digit(sign)) if sign.isdecimal() else sign for sign in tidy(str(value)))


def dates(answers: pd.Series, form: str = "", codes: Codes | None = None) -> pd.Series:
    """Days as YYYY-MM-DD of answers in that form, of timestamps, or of the `form` given.

    Examples
    --------
    >>> dates(pd.Series(["2022-09-24T10:11:12+05:00", "24/9/2022", ""]), "%d/%m/%Y").tolist()
    ['2022-09-24', '2022-09-24', '']
    """
    days = coded_as(answers, codes).map(lambda text: _day(latin(text), form))
    hint = f"it is not of the form {form}; " if form else 'say form="%d/%m/%Y" (day, month, year, as written), or '
    refuse(refusals(answers, days.isna(), "a day", lambda answer: hint + add_hint(answer).replace("…", "YYYY-MM-DD")))
    return days


def _day(text: str, form: str) -> str | None:
    try:
        if not text or re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ]|$)", text):
            return date.fromisoformat(text[:10]).isoformat() if text else ""
        return datetime.strptime(text, form).date().isoformat() if form else None
    except ValueError:
        return None


# --- columns that belong together ------------------------------------------------------------------------------------

TICKED: Final = {"1": True, "true": True, "yes": True, "x": True, "": False, "0": False, "false": False, "no": False}


def choices(answers: pd.DataFrame, codes: Codes, several: str = ASK) -> pd.Series:
    """The code of the column that is ticked, of a multiple choice with a column a choice; "" for none.

    Parameters
    ----------
    answers : DataFrame
        From `read_export`.
    codes : mapping
        Code by column.
    several : str
        What more than one code gives; "?" refuses it.

    Examples
    --------
    >>> choices(pd.DataFrame({"Bus": ["1", "0"], "Train": ["0", "0"]}), {"Bus": "road", "Train": "rail"}).tolist()
    ['road', '']
    """
    marks = answers[list(codes)].map(lambda text: TICKED.get(text.casefold()))
    problems: list[Problem] = []
    for column, code in codes.items():
        problems += refusals(answers[column], marks[column].isna(), "1 or 0, as a choice is exported", lambda _: "")
        undecided = marks[column].eq(True) & (code == ASK)
        problems += refusals(answers[column], undecided, "the code of this choice", lambda _: 'replace its "?"')
    refuse(problems)
    rows = marks.to_dict("records")
    found = [sorted({str(code) for column, code in codes.items() if row[column]}) for row in rows]
    together = pd.Series([" + ".join(kinds) for kinds in found], answers.index, name=f"{next(iter(codes))} and others")
    together.attrs = answers.attrs
    many = pd.Series([len(kinds) > 1 for kinds in found], answers.index)
    if several == ASK:
        refuse(refusals(together, many, "one code", lambda _: 'say several="", or what several of them give'))
    return together.where(~many, several)


def journeys(interviewee: pd.Series, legs: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Legs of columns: a row for each leg that a person's answers say something of, numbered in their order.

    Parameters
    ----------
    interviewee : Series
        Identifiers.
    legs : sequence of mappings
        For each leg, columns of the table `legs` as Series or constants. A leg that repeats only where the one before
        ended is none.

    Examples
    --------
    >>> town, later = pd.Series(["Oral", "Oral"]), pd.Series(["", "Georgia"])
    >>> legs = [{"status": "made", "to_place": town}, {"status": "intended", "from_place": town, "to_place": later}]
    >>> journeys(pd.Series(["p1", "p2"]), legs)[["interviewee", "leg", "to_place"]].values.tolist()
    [['p1', 1, 'Oral'], ['p2', 1, 'Oral'], ['p2', 2, 'Georgia']]
    """
    rows, last = [], dict.fromkeys(interviewee.index, "")
    for number, leg in enumerate(legs):
        frame = pd.DataFrame(dict(leg), index=interviewee.index)
        for row, cells in zip(frame.index, frame.to_dict("records"), strict=True):
            given = {name for name, value in cells.items() if name != "status" and not pd.isna(value) and value != ""}
            if given and (given != {"from_place"} or cells["from_place"] != last[row]):
                rows.append((row, number, {"interviewee": interviewee[row], **cells}))
                last[row] = cells.get("to_place", "")
    rows.sort(key=lambda each: (interviewee.index.get_loc(each[0]), each[1]))
    index = pd.Index([row for row, _, _ in rows], name=interviewee.index.name)
    made = pd.DataFrame([cells for _, _, cells in rows], index, columns=None if rows else ["interviewee"])
    made.insert(1, "leg", made.groupby("interviewee", sort=False).cumcount() + 1)
    return made


def locate(
    names: pd.DataFrame, known: Mapping[str, Any], *, also: Sequence[str] = ()
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Identifiers in place of names of places, and the table of these places.

    Parameters
    ----------
    names : DataFrame
        Columns of answers that name places.
    known : mapping
        By name: `country`, `precision` (and `latitude`, `longitude`, `place`), or the name that it is another spelling
        of, or "" for what is no place.
    also : sequence of str
        Further names, such as where the interviews were.

    Examples
    --------
    >>> known = {"Oral": {"country": "KAZ", "precision": "city"}, "stay": ""}
    >>> stops, places = locate(pd.DataFrame({"to": ["Oral", "stay"]}), known)
    >>> stops["to"].tolist(), places[["place", "name", "country"]].values.tolist()
    (['oral', ''], [['oral', 'Oral', 'KAZ']])
    """
    spelt = {name: entry if isinstance(entry, str) and entry else name for name, entry in known.items()}
    rows = {name: _place(first, known[first]) for name, first in spelt.items() if isinstance(known.get(first), Mapping)}
    settled = {"", *(name for name, entry in known.items() if entry == "")}
    settled |= {name for name, row in rows.items() if row["place"] and ASK not in row.values()}
    asked = [*(names[column] for column in names), pd.Series(also, range(len(also)), dtype="str", name="also")]
    needed, near = "country and precision of the place", [name for name in rows if name in settled]

    def hint(name: str) -> str:
        if name in rows and not rows[name]["place"]:
            return f'add "place": "city-1" or the like to {quoted(name)}'
        line = f'say of {quoted(name)}: {{"country": "…", "precision": "…"}}, or the name it is another spelling of'
        return "; ".join(filter(None, [line, nearest(name, near)]))

    found = [each for column in asked for each in refusals(column, ~column.isin(settled), needed, hint)]
    refuse({each.hint: each for each in reversed(found)}.values())
    placed = names.map(lambda name: rows[name]["place"] if name in rows else "")
    used = dict.fromkeys([*names.to_numpy().ravel(), *also])
    table = pd.DataFrame([rows[name] for name in used if name in rows], columns=list(schema("places").columns))
    return placed, table.drop_duplicates("place", ignore_index=True)


def _place(name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a place; its identifier is its name in small letters of ASCII, unless it is given."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    made = {"place": re.sub(r"[^a-z0-9]+", "-", plain).strip("-"), "name": name}
    return made | {key: entry.get(key, made.get(key, "")) for key in schema("places").columns}
