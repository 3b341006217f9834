"""Destination figures: how many went where, as stated, and in words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import pandas as pd

from analysis.disclosure import no_people
from analysis.editions import Edition
from analysis.schema import country_name, schema, vocabulary
from analysis.text import day, isolate, join, words

Row = Mapping[str, Any]

FEW = 4
"""Fewer figures than this are set large, one by one: no chart, no table."""


def list_figures(book: Edition) -> pd.DataFrame:
    """Destination figures as text, one a row, with a readable ``destination`` first.

    Measures, and the destinations of one, keep the order in which the table first names them. The figures of one measure
    for one destination stand together, by window, then by the day they were stated; what is not dated comes last.
    """
    table = book.frame("destinations")
    columns = [name for name in (*schema("destinations").columns, "additive") if name in table and name != "url"]
    figures = table[columns]
    figures.insert(0, "destination", for_each(figures, destination_of))

    def order(column: pd.Series[str]) -> Any:
        first_named = column.name in ("measure", "destination")
        return pd.factorize(column)[0] if first_named else column.replace("", "9")

    by = ["measure", "destination", "window_start", "window_end", "stated_on"]
    return no_people(figures.sort_values(by, key=order, ignore_index=True))


def rows_of(figures: pd.DataFrame) -> list[Row]:
    """Figures one by one."""
    return cast("list[Row]", figures.to_dict("records"))


def for_each(figures: pd.DataFrame, of: Callable[[Row], object], dtype: Any = "str") -> pd.Series[Any]:
    """A column with a value for each figure; it has its type also where there is no figure."""
    return pd.Series([of(row) for row in rows_of(figures)], figures.index, dtype=dtype)


def in_words(figures: pd.DataFrame) -> pd.DataFrame:
    """What readers see of each figure: ``number``, ``what``, ``whose``, ``open``, ``days`` and the whole ``sentence``."""
    texts: dict[str, Callable[[Row], str]] = {
        "number": number, "what": what_and_when, "whose": whose, "open": lambda row: "; ".join(leaves_open(row)),
        "days": lambda row: window(row, short=True), "sentence": one_figure,
    }  # fmt: skip
    return no_people(pd.DataFrame({name: for_each(figures, of) for name, of in texts.items()}, figures.index))


def by_number(compared: pd.DataFrame) -> pd.Index[Any]:
    """The order in which a few figures are read: first those that do not compare, as they stand, then the others by number.

    So none leads for being named first.

    ``compared`` are rows of `ranking.compare`.
    """
    size = compared["from"].where(compared["days"] != "", float("inf"))
    return size.sort_values(ascending=False, kind="stable").index


def web_addresses(book: Edition, figures: pd.DataFrame) -> list[str]:
    """Where each figure was read, on the web; blank where no page is named."""
    table = book.frame("destinations")
    urls = dict(zip(table["figure"], table["url"], strict=True))
    return [urls[key] if urls[key].startswith(("https://", "http://")) else "" for key in figures["figure"]]


def destination_of(row: Row) -> str:
    """The countries a figure covers, by name; those of a whole group, such as the European Union, by the group's.

    Examples
    --------
    >>> destination_of({"countries": "GEO FIN", "includes_others": "true"})
    'Georgia, Finland and others'
    >>> destination_of({"countries": "", "includes_others": ""})
    'countries not named'
    """
    codes = row["countries"].split()
    names = []
    for group in vocabulary("country-groups").values():
        members = group["countries"].split()
        if set(members) <= set(codes):
            names.append(f"{group['name']} ({len(members)} countries)")
            codes = [code for code in codes if code not in members]
    names += [country_name(code) for code in codes]
    if row["includes_others"] == "true":
        names.append("others" if names else "all countries together")
    return join(names) or "countries not named"


def measure(code: str, column: str = "title") -> str:
    """What a measure is called, or another column of its vocabulary; one that it lacks is called by its code.

    Examples
    --------
    >>> measure("fsb_exits"), measure("ferry_tickets"), measure("ferry_tickets", "counts")
    ('departures from Russia (FSB)', 'ferry tickets', '')
    """
    return vocabulary("measures").get(code, {"title": words(code)}).get(column, "")


def counted_at(code: str, place: str) -> str:
    """What a measure counts at a place, as a sentence has it.

    >>> counted_at("entries", "Kazakhstan"), counted_at("ferry_tickets", "Finland")
    ('border crossings into Kazakhstan', 'ferry tickets (Finland)')
    """
    return (measure(code, "reads") or f"{isolate(measure(code))} ({{}})").replace("{}", isolate(place))


def number(row: Row) -> str:
    """A figure's number with its hedge, as a reader would say it.

    Examples
    --------
    >>> number({"low": "", "high": "100000", "quantifier": "nearly and counting"})
    'nearly 100,000'
    >>> number({"low": "20000", "high": "99999", "quantifier": "tens of thousands"})
    '“tens of thousands”'
    >>> number({"low": "650000", "high": "666000", "quantifier": "more than"})
    'more than 650,000, up to 666,000'
    """
    ends = list(dict.fromkeys(f"{float(row[end]):,.0f}" for end in ("low", "high") if row[end]))
    hedge = words(row["quantifier"]).removesuffix(" and counting")
    if hedge.endswith("of thousands"):
        return f"“{hedge}”"
    stated = (", up to " if hedge == "more than" else " to ").join(ends)
    return stated if hedge == "exact" else f"{isolate(hedge)} {stated}".strip()


def leaves_open(row: Row) -> list[str]:
    """What a figure does not settle, in a few words each.

    Examples
    --------
    >>> row = {"countries": "KAZ GEO", "includes_others": "false", "window_start": "", "window_end": "", "low": "20000"}
    >>> leaves_open({**row, "quantifier": "tens of thousands"})
    ['at least 20,000', 'a combined figure for several countries', 'days not stated']
    """
    vague = row["low"] and row["quantifier"].endswith("of thousands")
    several = "a combined figure for several countries" if row["countries"] else "for no country by name"
    return [
        *([f"at least {float(row['low']):,.0f}"] if vague else []),
        *(["still rising at the time"] if "counting" in row["quantifier"] else []),
        *([several] if is_joint(row) else []),
        *([] if window(row) else ["days not stated"]),
    ]


def is_joint(row: Row) -> bool:
    """Whether a figure is for several countries, or names none."""
    return " " in row["countries"] or not row["countries"] or row["includes_others"] == "true"


def window(row: Row, *, short: bool = False) -> str:
    """The days a figure covers, in words; blank where none is stated.

    >>> window({"window_start": "2022-09-21", "window_end": ""})
    'since 21 September 2022'
    >>> window({"window_start": "2022-09-21", "window_end": "2022-09-27"}, short=True)
    '21–27 Sep 2022'
    >>> window({"window_start": "2022-01-01", "window_end": "2022-12-31"})
    'all of 2022'
    """
    first, last = row["window_start"], row["window_end"]
    start, end = day(first, short=short), day(last, short=short)
    if not start or not end:
        return f"since {start}" if start else f"until {end}" if end else ""
    if start == end:
        return start
    if (first[4:], last[4:]) == ("-01-01", "-12-31") and first[:4] == last[:4]:
        return f"all of {first[:4]}"
    if first[:7] == last[:7]:
        return f"{start.split()[0]}–{end}"
    return f"{start.removesuffix(f' {last[:4]}')} – {end}"


def what_and_when(row: Row) -> str:
    """What a figure counts, where and when, as a sentence goes on after its number."""
    days = window(row)
    of = "of " if number(row).endswith("”") else ""
    pause = " " if days.startswith(("since", "until")) else ", " if days else ""
    return f"{of}{counted_at(row['measure'], row['destination'])}{pause}{days}"


def whose(row: Row) -> str:
    """Who states a figure, as a reader would say it.

    >>> whose({"stated_by": "Frontex"}), whose({"stated_by": "", "reported_by": "The Paper"})
    ('according to Frontex', 'The Paper names no source')
    """
    if row["stated_by"]:
        return f"according to {isolate(row['stated_by'])}"
    return f"{isolate(row['reported_by'])} names no source" if row["reported_by"] else "no source named"


def bounds(figures: pd.DataFrame) -> pd.DataFrame:
    """Figures with the numbers they lie between, ``from`` and ``to``, and whether each end is open.

    A missing bound is an open end, and so is the upper end of a count that goes on.
    """
    low, high = (pd.to_numeric(figures[end], errors="coerce") for end in ("low", "high"))
    columns: dict[str, Any] = {
        "from": low.fillna(high).fillna(0.0), "to": high.fillna(low).fillna(0.0), "open below": low.isna(),
        "open above": high.isna() | figures["quantifier"].str.contains("counting"),
    }  # fmt: skip
    return no_people(figures.assign(**columns))


def spread(rows: Sequence[Row]) -> str:
    """The number of one figure; of several with their `bounds`, the least and the greatest."""
    if len(rows) == 1:
        return number(rows[0])
    return between(min(row["from"] for row in rows), max(row["to"] for row in rows))


def between(least: float, most: float) -> str:
    return f"{least:,.0f} to {most:,.0f}" if least < most else f"{most:,.0f}"


def one_figure(row: Row) -> str:
    """A figure in a sentence."""
    text = f"{number(row)} {', '.join([what_and_when(row), *leaves_open(row)])} ({whose(row)})."
    at = 1 if text.startswith("“") else 0
    return text[:at] + text[at:][:1].upper() + text[at + 1 :]
