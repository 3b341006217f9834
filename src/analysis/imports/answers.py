"""Answers of an export read as what an edition holds, or refused: codes, numbers, ages, days, choices, legs, places.

Answers are text, "" for blank. What a call cannot read it refuses with one `InputError`: each answer once, with its first
row, how many rows have it, and the line to add. Knows no form tool and decides nothing that is not said in a call.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final

import pandas as pd

from analysis.imports.exports import tidy
from analysis.schema import TABLES, Field, schema
from parabook.errors import InputError, Problem, nearest, show

ASK: Final = "?"
"""Stands in a draft where only the analyst knows the answer; whatever reads it stops."""

MOST_ANSWERS: Final = 25
"""Different answers of one column that a refusal lists; the rest are counted."""

Codes = Mapping[str, object]
"""What answers mean, by the answer."""


def refusals(answers: pd.Series, bad: pd.Series, needed: str, hint: Callable[[str], str]) -> Iterator[Problem]:
    """A problem for each different answer among those marked, the most frequent first."""
    source, wrong = str(answers.attrs.get("source", "export")), answers[bad]
    counts = wrong.value_counts()
    for value, count in counts.head(MOST_ANSWERS).items():
        first, times = wrong.index[wrong == value][0], f" ({count:,} rows)" if count > 1 else ""
        row, column = int(first), None if answers.name is None else str(answers.name)
        yield Problem(source, f"{show(value)}{times}", needed, hint(str(value)), row=row, column=column)
    if len(counts) > MOST_ANSWERS:
        more = f"{len(counts) - MOST_ANSWERS:,} more answers like these"
        yield Problem(source, more, needed, "see sheet and header", column=str(answers.name))


def _refuse(problems: Iterator[Problem]) -> None:
    found = list(problems)
    if found:
        raise InputError(found)


def recode(answers: pd.Series, codes: Codes, column: str = "", *, keep: bool = False) -> pd.Series:
    """Answers replaced by their codes; blank stays blank, and an answer without a code is refused.

    Parameters
    ----------
    answers : Series
        A column of `read_export`.
    codes : mapping
        Code by answer; "" for what says nothing, "?" for what is to be decided.
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
    parabook.errors.InputError: export, row 1, column Sex: found 'x' (2 rows), needed its code: woman, man, other or ""; add "x": "…" to the codes
    """
    _refuse(_unforeseen(answers, codes, column, keep))
    return _coded(answers, codes)


def recode_all(answers: pd.DataFrame, codes: Mapping[str, Codes]) -> pd.DataFrame:
    """Several columns recoded, by their name in the export; all that has no code is refused in one message."""
    _refuse(problem for name, given in codes.items() for problem in _unforeseen(answers[name], given, "", False))
    coded = answers.assign(**{name: _coded(answers[name], given) for name, given in codes.items()})
    coded.attrs = answers.attrs
    return coded


def _unforeseen(answers: pd.Series, codes: Codes, column: str, keep: bool) -> Iterator[Problem]:
    known = {tidy(answer): code for answer, code in codes.items()}
    field = _field(column)
    bad = answers.map(lambda answer: known.get(answer, answer if keep or not answer else ASK) == ASK)
    one_of = f': {", ".join(field.enum)} or ""' if field and field.enum else ', or ""'
    where = f"to the codes{f' of {quoted(answers.name)}' if not column and answers.name else ''}"
    yield from refusals(answers, bad, f"its code{one_of}", lambda answer: f'add {quoted(answer)}: "…" {where}')
    for code in dict.fromkeys(known.values()):
        if field and field.enum and code not in (*field.enum, "", ASK):
            yield Problem(
                "codes", show(code), f"one of {', '.join(field.enum)}", nearest(code, field.enum), column=column
            )


def _coded(answers: pd.Series, codes: Codes) -> pd.Series:
    known = {tidy(answer): code for answer, code in codes.items()}
    coded = answers.map(lambda answer: known.get(answer, answer))
    coded.attrs = answers.attrs
    return coded


def _field(column: str) -> Field | None:
    """The first column of that name among the tables of an edition."""
    return next((field for table in TABLES for field in schema(table).fields if column and field.name == column), None)


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


# --- numbers, ages, days ---------------------------------------------------------------------------------------------


def whole_number(answers: pd.Series, codes: Codes | None = None, *, thousands: str = "") -> pd.Series:
    """Whole numbers of answers, missing for blank: 34, 34.0, digits of any script; others by `codes`, or refused.

    Examples
    --------
    >>> whole_number(pd.Series(["34.0", "٢٥", "", "don't know"]), {"don't know": ""}).tolist()
    [34, 25, <NA>, <NA>]
    """
    coded = _coded(answers, codes or {}).map(_latin)
    if thousands:
        grouped = rf"[+-]?[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}})+(?:\.0+)?"
        coded = coded.map(lambda text: text.replace(thousands, "") if re.fullmatch(grouped, text) else text)
    bad = coded.map(lambda text: bool(text) and not re.fullmatch(r"[+-]?[0-9]{1,15}(?:\.0+)?", text))
    comma = (
        'thousands="," if the comma parts thousands, or '
        if bad.any() and coded[bad].str.contains(r"\d,\d{3}").any()
        else ""
    )
    _refuse(refusals(answers, bad, "a whole number", lambda answer: f'{comma}add {quoted(answer)}: "…" to the codes'))
    return pd.Series([int(float(text)) if text else pd.NA for text in coded], answers.index, "Int64", answers.name)


def _latin(value: object) -> str:
    """A text with the digits of any script as 0 to 9."""
    return "".join(str(unicodedata.digit(sign)) if sign.isdecimal() else sign for sign in tidy(str(value)))


def age_range(
    answers: pd.Series, codes: Codes | None = None, *, least: int | None = None, most: int | None = None
) -> pd.DataFrame:
    """Columns `age_min` and `age_max` of answers such as 34, 25 to 34, > 60, 34 years, early twenties; missing for blank.

    Parameters
    ----------
    answers : Series
        A column of `read_export`.
    codes : mapping, optional
        What other answers mean: another spelling of a range, or "".
    least, most : int, optional
        The age that "under 20" begins with, and that "60+" ends with, as the survey's own rules say.

    Examples
    --------
    >>> age_range(pd.Series(["25–34", "> 60", "forties", "n/a"]), {"n/a": ""}, most=99).values.tolist()
    [[25, 34], [61, 99], [40, 49], [<NA>, <NA>]]
    """
    texts = _coded(answers, codes or {}).map(_latin)
    ends = texts.map(lambda text: bounds(text) or ((None, None) if text else ()))
    young, old = (ends.map(lambda pair, at=at: bool(pair) and pair[at] is None) for at in (0, 1))
    _refuse(_odd_ages(answers, young, old, least, most))
    filled = [
        (pair[0] if pair[0] is not None else least, pair[1] if pair[1] is not None else most)
        if pair
        else (pd.NA, pd.NA)
        for pair in ends
    ]
    return pd.DataFrame(filled, columns=["age_min", "age_max"], index=answers.index, dtype="Int64")


def _odd_ages(answers: pd.Series, young: pd.Series, old: pd.Series, least: object, most: object) -> Iterator[Problem]:
    yield from refusals(
        answers, young & old, "an age or a range", lambda answer: f'add {quoted(answer)}: "…" to the codes'
    )
    if least is None:
        yield from refusals(answers, young & ~old, "a lowest age", lambda _: "say least=AGE")
    if most is None:
        yield from refusals(answers, old & ~young, "a highest age", lambda _: "say most=AGE")


NUMBER = "([0-9]{1,3})(?:\\.0+)?"
RANGES: Final = (
    (NUMBER, 0, 0),
    (rf"(?:between )?{NUMBER} ?(?:-|to|and) ?{NUMBER}", 0, 0),
    (rf"{NUMBER} ?\+|{NUMBER} (?:and|or) (?:over|older|above|more|up)|(?:at least|from|≥|>=) ?{NUMBER}", 0, None),
    (rf"(?:over|above|older than|more than|>) ?{NUMBER}", 1, None),
    (rf"{NUMBER} (?:and|or) (?:under|younger|below|less)|(?:up to|at most|≤|<=) ?{NUMBER}", None, 0),
    (rf"(?:under|below|younger than|less than|<) ?{NUMBER}", None, -1),
)
"""How people write ages: the form, and what its bounds are moved by; None for an end that stays open."""
DECADES: Final = {
    word: 10 * n
    for n, word in enumerate(
        ["twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties", "nineties"], 2
    )
}
PARTS: Final = {"early": (0, 3), "mid": (4, 6), "late": (7, 9), None: (0, 9)}


@lru_cache(maxsize=4096)
def bounds(text: str) -> tuple[int | None, int | None] | None:
    """The lowest and the highest age that a text gives, None for an open end; None where it is no range.

    Examples
    --------
    >>> bounds("20–24"), bounds("35+"), bounds("under 18"), bounds("in her late 30s"), bounds("young"), bounds("24-20")
    ((20, 24), (35, None), (None, 17), (37, 39), None, None)
    """
    plain = re.sub("[‐‑‒–—−]", "-", text.casefold())
    plain = " ".join(re.sub(r"\b(?:years?|yrs?|old|aged?|in (?:his|her|their))\b", " ", plain).split())
    decade = re.fullmatch(rf"(?:(early|mid|late)[ -])?(?:([2-9]0)s|({'|'.join(DECADES)}))", plain)
    if decade:
        low, high = PARTS[decade[1]]
        start = int(decade[2]) if decade[2] else DECADES[decade[3]]
        return start + low, start + high
    for form, up, down in RANGES:
        match = re.fullmatch(form, plain)
        if match:
            found = [int(part) for part in match.groups() if part]
            low_end = None if up is None else found[0] + up
            high_end = None if down is None else found[-1] + down
            return (low_end, high_end) if low_end is None or high_end is None or low_end <= high_end else None
    return None


def dates(answers: pd.Series, form: str = "", codes: Codes | None = None) -> pd.Series:
    """Days as YYYY-MM-DD of answers in that form, of timestamps, or of the `form` given; others by `codes`, or refused.

    Examples
    --------
    >>> dates(pd.Series(["2022-09-24T10:11:12+05:00", "24/9/2022", ""]), "%d/%m/%Y").tolist()
    ['2022-09-24', '2022-09-24', '']
    """
    days = _coded(answers, codes or {}).map(lambda text: _day(_latin(text), form))
    hint = (
        f"it is not of the form {form}; "
        if form
        else 'say form="%d/%m/%Y" (day, month, year, as the export has them), or '
    )
    _refuse(
        refusals(answers, days.isna(), "a day", lambda answer: f'{hint}add {quoted(answer)}: "YYYY-MM-DD" to codes')
    )
    return days


def _day(text: str, form: str) -> str | None:
    if not text:
        return ""
    try:
        if re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ]|$)", text):
            return date.fromisoformat(text[:10]).isoformat()
        return datetime.strptime(text, form).date().isoformat() if form else None
    except ValueError:
        return None


# --- columns that belong together ------------------------------------------------------------------------------------

TICKED: Final = {"1": True, "true": True, "yes": True, "x": True, "": False, "0": False, "false": False, "no": False}


def choices(answers: pd.DataFrame, codes: Codes, several: str = ASK) -> pd.Series:
    """The code of the one column that is ticked, of a multiple choice with a column a choice; "" for none.

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
    marks = answers[list(codes)]
    ticked = marks.map(lambda text: TICKED.get(text.casefold()))
    _refuse(
        problem
        for column in marks
        for problem in refusals(answers[column], ticked[column].isna(), "1 or 0, as a choice is exported", lambda _: "")
    )
    found = [{str(code) for column, code in codes.items() if row[column]} for row in ticked.to_dict("records")]
    kinds = pd.Series(found, answers.index, dtype="object")
    together = kinds.map(lambda found: " + ".join(sorted(found)))
    together.attrs = answers.attrs
    if several == ASK:
        _refuse(refusals(together, kinds.map(len) > 1, "one code", lambda _: 'say several="" or what several give'))
    undecided = kinds.map(lambda found: ASK in found)
    _refuse(refusals(together, undecided, "the code of each choice", lambda _: 'replace "?" in the codes'))
    return together.where(kinds.map(len) < 2, several)


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
    >>> town, next_town = pd.Series(["Oral", "Oral"]), pd.Series(["", "Georgia"])
    >>> journeys(pd.Series(["p1", "p2"]), [{"status": "made", "to_place": town},
    ...     {"status": "intended", "from_place": town, "to_place": next_town}])[["interviewee", "leg", "to_place"]].values.tolist()
    [['p1', 1, 'Oral'], ['p2', 1, 'Oral'], ['p2', 2, 'Georgia']]
    """
    columns = [name for name in schema("legs").columns if any(name in leg for leg in legs)]
    rows, index = [], []
    for row, person in interviewee.items():
        last = ""
        for leg in legs:
            cells = {name: _at(leg.get(name, ""), row) for name in columns}
            fresh = [name for name, value in cells.items() if name != "status" and not pd.isna(value) and value != ""]
            if fresh == ["from_place"] and cells["from_place"] == last:
                continue
            if fresh:
                rows.append({"interviewee": person, **cells})
                index.append(row)
                last = str(cells.get("to_place", ""))
    made = pd.DataFrame(rows, columns=["interviewee", *columns], index=pd.Index(index, name=interviewee.index.name))
    made.insert(1, "leg", made.groupby("interviewee", sort=False).cumcount() + 1)
    made.attrs = interviewee.attrs
    return made


def _at(value: Any, row: Any) -> Any:
    return value.at[row] if isinstance(value, pd.Series) else value


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
    first = {name: entry if isinstance(entry, str) and entry else name for name, entry in known.items()}
    entries = {name: known.get(spelt, ASK) for name, spelt in first.items()}
    asked = [each for column in names for each in _unplaced(names[column], entries)]
    asked += _unplaced(pd.Series(also, range(len(also)), dtype="str", name="also"), entries)
    _refuse(iter({each.found.split(" (")[0]: each for each in reversed(asked)}.values()))
    rows = {name: _place(first[name], entry) for name, entry in entries.items() if isinstance(entry, Mapping)}
    placed = names.map(lambda name: rows[name]["place"] if name in rows else "")
    placed.attrs = names.attrs
    used = dict.fromkeys([*names.to_numpy().ravel(), *also])
    columns = list(schema("places").columns)
    table = pd.DataFrame([rows[name] for name in used if name in rows], columns=columns)
    return placed, table.drop_duplicates("place", ignore_index=True)


def _place(name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a place; its identifier is its name in small letters of ASCII, unless it is given."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    place = entry.get("place") or re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    rest = {key: entry.get(key, "") for key in ("country", "latitude", "longitude", "precision")}
    return {"place": place, "name": entry.get("name") or name} | rest


def _unplaced(names: pd.Series, entries: Mapping[str, Any]) -> Iterator[Problem]:
    def settled(name: str) -> bool:
        entry = entries.get(name)
        if isinstance(entry, Mapping):
            return ASK not in entry.values() and bool(_place(name, entry)["place"])
        return entry == "" or not name

    def hint(name: str) -> str:
        if isinstance(entries.get(name), Mapping) and ASK not in entries[name].values():
            return f'add "place": "city-1" or the like to {quoted(name)}'
        near = nearest(
            name, [each for each, entry in entries.items() if isinstance(entry, Mapping) and ASK not in entry.values()]
        )
        line = f'say of {quoted(name)}: {{"country": "…", "precision": "…"}}'
        return f"{line}, or the name it is another spelling of; {near}" if near else line

    yield from refusals(names, ~names.map(settled), "country and precision of the place", hint)
