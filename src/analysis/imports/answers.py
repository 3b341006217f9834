"""Answers of an export read as what an edition holds, or refused: codes, numbers, ages, days, choices, legs, places.

Answers are text, "" for blank. What a call cannot read it refuses with one `InputError`: each answer once, with its first
row, how many rows have it, and what to add. `codes` say what answers mean; "?" in them is still to be decided.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from analysis.imports.files import tidy
from analysis.schema import schema
from analysis.text import as_text
from parabook.errors import InputError, Problem, nearest, show

ASK = "?"
MOST_ANSWERS = 25
"""Different answers of one column that a refusal lists; the rest are counted."""

Codes = Mapping[str, object]


def quoted(value: object) -> str:
    """A text as Python spells it, on one line, whatever it holds: line breaks of every alphabet are escaped.

    Examples
    --------
    >>> print(quoted("yes"), quoted('say "yes"'), quoted("a\\u2028b\\r"))
    "yes" 'say "yes"' "a\\u2028b\\r"
    """
    text = repr(str(value))
    return f'"{text[1:-1]}"' if '"' not in text else text


def add_hint(answer: str) -> str:
    return f'add {quoted(answer)}: "…" to its codes'


def refusals(answers: pd.Series, bad: pd.Series, needed: str, hint: Callable[[str], str] = add_hint) -> list[Problem]:
    """A problem for each different answer among those marked, the most frequent first."""
    source, wrong = str(answers.attrs.get("source", "export")), answers[bad]
    column = None if answers.name is None else str(answers.name)
    counts = wrong.value_counts()
    found = []
    for value, count in counts.head(MOST_ANSWERS).items():
        times = f" ({count:,} rows)" if count > 1 else ""
        row = int(wrong.index[wrong == value][0])
        found.append(Problem(source, f"{show(value)}{times}", needed, hint(str(value)), row, column))
    if len(counts) > MOST_ANSWERS:
        more = f"{len(counts) - MOST_ANSWERS:,} more answers like these"
        found.append(Problem(source, more, needed, "see sheet and header", column=column))
    return found


def refuse(problems: Iterable[Problem]) -> None:
    """Raise all problems together, if there are any."""
    if found := list(problems):
        raise InputError(found)


def _coded(answers: pd.Series, codes: Codes | None, keep: bool = True) -> pd.Series:
    """Answers with what codes say of them; others kept, or else "?" but for blank ones."""
    known = {tidy(answer): code for answer, code in (codes or {}).items()}
    return answers.map(lambda answer: known.get(answer, answer if keep or answer == "" else ASK))


def _latin(value: object) -> str:
    """A text with the digits of any script as 0 to 9."""
    return "".join(str(unicodedata.digit(sign)) if sign.isdecimal() else sign for sign in str(value))


# --- codes, numbers, days, ages --------------------------------------------------------------------------------------


def recode(answers: pd.DataFrame, codes: Mapping[str, Codes], keep: Collection[str] = ()) -> pd.DataFrame:
    """Columns with answers replaced by their codes, "" for what says nothing; answers without a code are refused together.

    `codes` give by column the code of each answer; in the columns of `keep` answers without one stay as they stand.

    Examples
    --------
    >>> recode(pd.DataFrame({"Sex": ["m", "", "f"]}), {"Sex": {"m": "man", "f": "woman"}})["Sex"].tolist()
    ['man', '', 'woman']
    >>> recode(pd.DataFrame({"Sex": ["m", "x", "x"]}), {"Sex": {"m": "man"}})
    Traceback (most recent call last):
    parabook.errors.InputError: export, row 1, column Sex: found 'x' (2 rows), needed its code; add "x": "…" to its codes
    """
    coded = {column: _coded(answers[column], given, column in keep) for column, given in codes.items()}
    refuse(each for column in coded for each in refusals(answers[column], coded[column] == ASK, "its code"))
    return answers.assign(**coded)


def whole_number(answers: pd.Series, codes: Codes | None = None, *, thousands: str = "") -> pd.Series:
    """Whole numbers of answers, missing for blank: 34, 34.0, digits of any script, thousands parted by that sign.

    Examples
    --------
    >>> whole_number(pd.Series(["34.0", "٢٥", "", "don't know"]), {"don't know": ""}).tolist()
    [34, 25, <NA>, <NA>]
    """
    grouped = rf"[+-]?[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}})+"
    texts = _coded(answers, codes).map(_latin)
    texts = texts.map(lambda text: text.replace(thousands, "") if re.fullmatch(grouped, text) else text)
    bad = texts.map(lambda text: not re.fullmatch(r"(?:[+-]?[0-9]{1,15}(?:\.0+)?)?", text))
    refuse(
        refusals(
            answers, bad, "a whole number", lambda it: f'{add_hint(it)}, or say thousands="," if that is what it parts'
        )
    )
    return pd.Series([int(float(text)) if text else pd.NA for text in texts], answers.index, "Int64", answers.name)


def dates(answers: pd.Series, form: str = "%Y-%m-%d", codes: Codes | None = None) -> pd.Series:
    """Days as YYYY-MM-DD of answers in that form, of timestamps, or of the `form` given.

    Examples
    --------
    >>> dates(pd.Series(["2022-09-24T10:11:12+05:00", "24/9/2022", ""]), "%d/%m/%Y").tolist()
    ['2022-09-24', '2022-09-24', '']
    """
    texts = _coded(answers, codes).map(_latin)
    days = pd.to_datetime(texts.str.split("[T ]", regex=True).str[0], format="%Y-%m-%d", errors="coerce")
    days = days.fillna(pd.to_datetime(texts, format=form, errors="coerce"))
    hint = f'it is not of the form {form}, which form="%d/%m/%Y" or the like changes; '
    refuse(refusals(answers, days.isna() & (texts != ""), "a day", lambda answer: hint + add_hint(answer)))
    return days.dt.strftime("%Y-%m-%d").fillna("")


NUMBER = r"([0-9]{1,3})(?:\.0+)?"
AGES = {NUMBER: (0, 0), rf"(?:between )?{NUMBER} ?(?:-|to|and) ?{NUMBER}": (0, 0), "([2-9]0)s": (0, 9),
        "early.([2-9]0)s": (0, 3), "mid.([2-9]0)s": (4, 6), "late.([2-9]0)s": (7, 9)}  # fmt: skip
"""How people write ages, and what is added to the first and the last number for the lowest and the highest age."""
DECADES = ("twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties", "nineties")


def bounds(text: str) -> tuple[int, int] | None:
    """The lowest and the highest age that a text gives; None where it is no closed range.

    Examples
    --------
    >>> bounds("20–24"), bounds("between 20 and 24"), bounds("in her late 30s"), bounds("60+"), bounds("24-20")
    ((20, 24), (20, 24), (37, 39), None, None)
    """
    plain = re.sub("[‐‑‒–—−]", "-", _latin(text).casefold())
    for first, word in enumerate(DECADES, 2):
        plain = plain.replace(word, f"{first}0s")
    plain = " ".join(re.sub(r"\b(?:years?|yrs?|old|aged?|in (?:his|her|their))\b", " ", plain).split())
    for form, (low, high) in AGES.items():
        if match := re.fullmatch(form, plain):
            first, last = int(match[1]) + low, int(match[match.lastindex or 1]) + high
            return (first, last) if first <= last else None
    return None


def age_range(answers: pd.Series, codes: Codes | None = None) -> pd.DataFrame:
    """Columns `age_min` and `age_max` of answers such as 34, 25 to 34, 34 years, early twenties; missing for blank.

    What has no end, such as "60+", is refused: `codes` say where it ends by the survey's own rules, "60-64".

    Examples
    --------
    >>> age_range(pd.Series(["25–34", "60+", "forties", "n/a"]), {"60+": "60-64", "n/a": ""}).values.tolist()
    [[25, 34], [60, 64], [40, 49], [<NA>, <NA>]]
    """
    texts = _coded(answers, codes).map(str)
    ends = [bounds(text) for text in texts]
    unread = pd.Series([end is None for end in ends], answers.index) & (texts != "")
    refuse(refusals(answers, unread, 'an age or a range of ages, such as "60-64"'))
    return pd.DataFrame([end or (pd.NA, pd.NA) for end in ends], answers.index, ["age_min", "age_max"], "Int64")


# --- columns that belong together ------------------------------------------------------------------------------------


def choices(answers: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """The choices ticked, of a multiple choice with a column a choice, as one answer to recode: "bus + train".

    Examples
    --------
    >>> choices(pd.DataFrame({"by/bus": ["1", "0"], "by/train": ["1", "0"]}), ["by/bus", "by/train"]).tolist()
    ['bus + train', '']
    """
    ticked = answers[list(columns)].map(lambda mark: mark.casefold() in ("1", "true", "yes", "x")).to_dict("records")
    names = [" + ".join(column.rpartition("/")[2] for column in columns if row[column]) for row in ticked]
    return pd.Series(names, answers.index, dtype="str")


def journeys(interviewee: pd.Series, legs: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Legs of columns: a row for each leg that a person's answers say something of, numbered in their order.

    Each of `legs` gives columns of the table `legs` as Series or constants. A leg that repeats only where the one before
    ended is none.

    Examples
    --------
    >>> town, later = pd.Series(["Oral", "Oral"]), pd.Series(["", "Georgia"])
    >>> legs = [{"status": "made", "to_place": town}, {"status": "intended", "from_place": town, "to_place": later}]
    >>> journeys(pd.Series(["p1", "p2"]), legs)[["interviewee", "leg", "to_place"]].values.tolist()
    [['p1', 1, 'Oral'], ['p2', 1, 'Oral'], ['p2', 2, 'Georgia']]
    """
    made, last = [], pd.Series("", interviewee.index)
    for columns in legs:
        leg = pd.DataFrame({"interviewee": interviewee, **columns}, interviewee.index)
        given = leg.drop(columns=["interviewee", "status"], errors="ignore").map(lambda value: as_text(value) != "")
        if "from_place" in leg:
            given["from_place"] &= leg["from_place"] != last
        said = given.any(axis="columns")
        made.append(leg[said])
        last = leg.get("to_place", last).where(said, last)
    found = pd.concat(made).sort_index(kind="stable")
    found.insert(1, "leg", found.groupby("interviewee", sort=False).cumcount() + 1)
    return found


def locate(
    names: pd.DataFrame, known: Mapping[str, Any], also: Sequence[str] = ()
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Identifiers in place of names of places, and the table of these places.

    `known` gives by name `country` and `precision` (and `latitude`, `longitude`, `place`), or the name that it is another
    spelling of, or "" for what is no place; `also` are further names, such as where the interviews were.

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

    def hint(name: str) -> str:
        if name in rows and not rows[name]["place"]:
            return f'add "place": "city-1" or the like to {quoted(name)}'
        line = f'say of {quoted(name)}: {{"country": "…", "precision": "…"}}, or the name it is another spelling of'
        return "; ".join(filter(None, [line, nearest(name, settled & rows.keys())]))

    used = pd.concat([*(names[column] for column in names), pd.Series(also, dtype="str")]).rename("place")
    used.attrs = names.attrs
    refuse(refusals(used, ~used.isin(settled), "country and precision of the place", hint))
    table = pd.DataFrame([rows[name] for name in used.unique() if name in rows], columns=[*schema("places").columns])
    return names.map(lambda name: rows[name]["place"] if name in rows else ""), table.drop_duplicates("place")


def _place(name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a place; its identifier is its name in small letters of ASCII, unless it is given."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    made = {"place": re.sub(r"[^a-z0-9]+", "-", plain).strip("-"), "name": name}
    return made | {key: entry.get(key, made.get(key, "")) for key in schema("places").columns}
