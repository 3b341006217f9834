"""Answers of an export converted into values of an edition, or refused: codes, numbers, ages, days, places.

Answers are text, "" for blank. A call refuses all answers that it cannot convert with one `InputError`: each answer once,
with its first row, the number of rows that have it, and what to add. `codes` give the meanings of answers, "?" for
meanings still to be decided.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from analysis.imports.files import tidy
from analysis.schema import schema
from parabook.errors import InputError, Problem, show

ASK = "?"
MOST_ANSWERS = 25
"""Different answers of one column that are listed when refused; the rest are counted."""
AGE = re.compile(
    r"(?:aged? |between )*(\d{1,3})(?:[.,]0+)?(?: ?(?:[‐-―−-]|to|and) ?(\d{1,3})(?:\.0+)?)?(?: ?(?:years?|yrs?|old|ans|jahre|лет|год|года))*",
    re.I,
)

Codes = Mapping[str, object]


def quoted(value: object) -> str:
    """A text as a Python literal, in double quotes where possible; on one line, as `repr` escapes Unicode's line breaks too."""
    text = repr(str(value))
    return f'"{text[1:-1]}"' if '"' not in text else text


def refusals(answers: pd.Series, bad: pd.Series, needed: str, hint: str = 'add {}: "…" to its codes') -> list[Problem]:
    """A problem for each different answer marked as bad, the most frequent first; "{}" in the hint stands for the answer."""
    source, wrong = str(answers.attrs.get("source", "export")), answers[bad.astype(bool)]
    column = None if answers.name is None else str(answers.name)
    counts, found = wrong.value_counts(), []
    for value, count in counts.head(MOST_ANSWERS).items():
        times = f" ({count:,} rows)" if count > 1 else ""
        row = int(wrong.index[wrong == value][0])
        found.append(Problem(source, f"{show(value)}{times}", needed, hint.replace("{}", quoted(value)), row, column))
    if len(counts) > MOST_ANSWERS:
        found.append(Problem(source, f"{len(counts) - MOST_ANSWERS:,} more answers like these", needed, column=column))
    return found


def refuse(problems: Iterable[Problem]) -> None:
    """Raise all problems together, if there are any."""
    if found := list(problems):
        raise InputError(found)


def _coded(answers: pd.Series, codes: Codes | None, otherwise: str = "") -> pd.Series:
    """Answers replaced by their codes; others stay as they are, or are all replaced by ``otherwise``."""
    known = {tidy(answer): str(code) for answer, code in (codes or {}).items()} | {"": ""}
    return answers.map(lambda answer: known.get(answer, otherwise or answer)).astype("str")


def recode(answers: pd.DataFrame, codes: Mapping[str, Codes], keep: Collection[str] = ()) -> pd.DataFrame:
    """The answers with those of some columns replaced by codes; answers without a code are refused together.

    `codes` give by column the code of each answer, "" for one that says nothing; in the columns of `keep` answers without
    a code stay as they are.

    Examples
    --------
    >>> recode(pd.DataFrame({"Sex": ["m", "", "f"]}), {"Sex": {"m": "man", "f": "woman"}})["Sex"].tolist()
    ['man', '', 'woman']
    >>> recode(pd.DataFrame({"Sex": ["m", "x", "x"]}), {"Sex": {"m": "man"}})
    Traceback (most recent call last):
    parabook.errors.InputError: export, row 1, column Sex: found 'x' (2 rows), needed its code; add "x": "…" to its codes
    """
    coded = {name: _coded(answers[name], given, "" if name in keep else ASK) for name, given in codes.items()}
    refuse(each for name in coded for each in refusals(answers[name], coded[name] == ASK, "its code"))
    return answers.assign(**coded)


def whole_number(answers: pd.Series, codes: Codes | None = None, *, thousands: str = "") -> pd.Series:
    """Whole numbers of answers, missing for blank: 34, 34.0, digits of any script, with the separator of ``thousands``.

    Examples
    --------
    >>> whole_number(pd.Series(["34.0", "٢٥", "", "don't know"]), {"don't know": ""}).tolist()
    [34, 25, <NA>, <NA>]
    """
    grouped = rf"[+-]?\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})+"
    texts = _coded(answers, codes)
    texts = texts.where(~texts.str.fullmatch(grouped), texts.str.replace(thousands, "", regex=False))
    bad = ~texts.str.fullmatch(r"(?:[+-]?\d{1,15}(?:\.0+)?)?")
    hint = 'say thousands="," where that parts them, or add {}: "…" to its codes'
    refuse(refusals(answers, bad, "a whole number", hint))
    return pd.Series([int(float(text)) if text else pd.NA for text in texts], answers.index, "Int64", answers.name)


def dates(answers: pd.Series, form: str = "%Y-%m-%d", codes: Codes | None = None) -> pd.Series:
    """Days as YYYY-MM-DD, of answers in that form, of timestamps, or of answers in another `form`.

    Examples
    --------
    >>> dates(pd.Series(["2022-09-24T10:11:12+05:00", "24/9/2022", ""]), "%d/%m/%Y").tolist()
    ['2022-09-24', '2022-09-24', '']
    """
    texts = _coded(answers, codes)
    days = pd.to_datetime(texts.str.split("[T ]", regex=True).str[0], format="%Y-%m-%d", errors="coerce")
    days = days.fillna(pd.to_datetime(texts, format=form, errors="coerce"))
    hint = 'say form="%d/%m/%Y" or the like, or add {}: "…" to its codes'
    refuse(refusals(answers, days.isna() & (texts != ""), f"a day of the form {form}", hint))
    return days.dt.strftime("%Y-%m-%d").fillna("")


def bare(text: str) -> str:
    """A text without diacritics: Metier for Métier."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))


def bounds(text: str) -> tuple[int, int] | None:
    """The lowest and the highest age that a text gives; None where it gives no closed range."""
    match = AGE.fullmatch(" ".join(text.split()))
    low, high = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    return (low, high) if low <= high else None


def age_range(answers: pd.Series, codes: Codes | None = None) -> pd.DataFrame:
    """Columns `age_min` and `age_max` of answers such as 34, 25 to 34, 34 years old; missing for blank.

    An open range such as "60+" is refused; `codes` close it by the survey's own rules, such as "60-64".

    Examples
    --------
    >>> age_range(pd.Series(["25–34", "60+", "24-20"]), {"60+": "60-64", "24-20": ""}).values.tolist()
    [[25, 34], [60, 64], [<NA>, <NA>]]
    """
    texts = _coded(answers, codes)
    ends = [bounds(text) for text in texts]
    unread = pd.Series([end is None for end in ends], answers.index) & (texts != "")
    refuse(refusals(answers, unread, 'an age or a range of ages, such as "60-64"'))
    return pd.DataFrame([end or (pd.NA, pd.NA) for end in ends], answers.index, ["age_min", "age_max"], "Int64")


def locate(
    names: pd.DataFrame, known: Mapping[str, Any], also: Sequence[str] = ()
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The names of places replaced by identifiers, and the table of these places.

    `known` gives by name `country` and `precision` (and `latitude`, `longitude`, `place`), or the usual name if it is
    another spelling, or "" if it is no place; `also` are further names, such as where the interviews were.

    Examples
    --------
    >>> known = {"Oral": {"country": "KAZ", "precision": "city"}, "stay": ""}
    >>> stops, places = locate(pd.DataFrame({"to": ["Oral", "stay"]}), known)
    >>> stops["to"].tolist(), places[["place", "name", "country"]].values.tolist()
    (['oral', ''], [['oral', 'Oral', 'KAZ']])
    """
    columns, rows = [*schema("places").columns], dict[str, dict[str, Any]]()
    for spelling, entry in known.items():
        name = entry if isinstance(entry, str) else spelling
        if isinstance(known.get(name), Mapping):
            plain = bare(name).encode("ascii", "ignore").decode().casefold()
            row = {"place": re.sub(r"[^a-z0-9]+", "-", plain).strip("-"), "name": name, **known[name]}
            rows[spelling] = {column: row.get(column, "") for column in columns}
    settled = [name for name, row in rows.items() if row["place"] and ASK not in row.values()]
    nothing = ["", *(name for name, entry in known.items() if entry == "")]
    used = pd.concat([*(names[column] for column in names), pd.Series(also, dtype="str")]).rename("place")
    used.attrs = names.attrs
    hint = 'say of {}: {"country": "…", "precision": "…"}, with "place": "city-1" if it has no Latin letters, or the name it is another spelling of'
    refuse(refusals(used, ~used.isin([*settled, *nothing]), "country and precision of the place", hint))
    table = pd.DataFrame([rows[name] for name in used.unique() if name in rows], columns=columns)
    return names.map(lambda name: rows[name]["place"] if name in rows else ""), table.drop_duplicates("place")
