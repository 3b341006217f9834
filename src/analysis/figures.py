"""Destination figures: how many went where, as stated. Never added or ranked across measures or windows. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any, cast

import pandas as pd

from analysis.disclosure import NOT_STATED, no_people
from analysis.editions import Edition
from analysis.schema import country_name, schema, vocabulary
from analysis.text import day, isolate, join, words

Row = Mapping[str, Any]

OVERLAPS = ("same days as", "within", "holds", "overlaps")
WIDER = "counted for more countries in"
"""How a figure's days lie to another's of the same measure; or that the other counts its destination too."""


def list_figures(book: Edition) -> pd.DataFrame:
    """Destination figures as text, one a row, with a readable ``destination`` first.

    Measures, and the destinations within one, keep the order in which the table first names them: nothing is
    ranked. All figures of one measure for one destination stand together, by window, then by the day they were
    stated; what is not dated comes last.
    """
    columns = [name for name in schema("destinations").columns if name != "url"]
    figures = book.frame("destinations")[columns]
    figures.insert(0, "destination", _texts(figures, destination_of))
    order = pd.DataFrame({
        "measure": pd.factorize(figures["measure"])[0],
        "destination": pd.factorize(figures["destination"])[0],
        **{name: figures[name].replace("", "9") for name in ("window_start", "window_end", "stated_on")},
    })  # fmt: skip
    return no_people(figures.loc[order.sort_values(list(order.columns), kind="stable").index].reset_index(drop=True))


def rows_of(figures: pd.DataFrame) -> list[Row]:
    """Figures one by one."""
    return cast("list[Row]", figures.to_dict("records"))


def _texts(figures: pd.DataFrame, of: Callable[[Row], str]) -> pd.Series[str]:
    """A text for each figure; a column of text also where there is no figure."""
    return pd.Series([of(row) for row in rows_of(figures)], figures.index, dtype="str")


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
        names.append("others" if names else "any country")
    return join(names) or "countries not named"


def measure(code: str) -> str:
    """What a measure is called, by the vocabulary of measures; one that it lacks is called by its code.

    Examples
    --------
    >>> measure("fsb_exits"), measure("ferry_tickets")
    ('departures from Russia (FSB)', 'ferry tickets')
    """
    return vocabulary("measures").get(code, {}).get("title") or words(code)


def what_is_counted(code: str) -> str:
    """What a measure counts, by the vocabulary of measures; blank when it lacks the measure.

    Examples
    --------
    >>> what_is_counted("remaining")
    'people who had come and were still in the country when they were counted'
    """
    return vocabulary("measures").get(code, {}).get("counts", "")


def number(row: Row) -> str:
    """A figure's number with its hedge, as a reader would say it.

    Examples
    --------
    >>> number({"low": "", "high": "100000", "quantifier": "nearly and counting"})
    'nearly 100,000 and counting'
    >>> number({"low": "20000", "high": "99999", "quantifier": "tens of thousands"})
    'tens of thousands (read as 20,000 to 99,999)'
    >>> number({"low": "650000", "high": "666000", "quantifier": "more than"})
    'more than 650,000, up to 666,000'
    """
    ends = list(dict.fromkeys(f"{float(row[end]):,.0f}" for end in ("low", "high") if row[end]))
    hedge = words(row["quantifier"])
    stated = (", up to " if hedge == "more than" else " to ").join(ends)
    if hedge.endswith("of thousands"):
        return f"{hedge} (read as {stated})"
    if hedge == "exact":
        return stated
    before, joint, after = hedge.partition(" and ")
    return f"{isolate(before)} {stated}{joint}{isolate(after)}".strip()


def window(row: Row, *, short: bool = False) -> str:
    """The days a figure covers, in words; or as short as a chart needs it.

    Examples
    --------
    >>> window({"window_start": "2022-09-21", "window_end": ""})
    'from 21 September 2022, end not stated'
    >>> window({"window_start": "2022-09-21", "window_end": "2022-09-27"}, short=True)
    '21–27 Sep 2022'
    >>> window({"window_start": "2022-01-01", "window_end": "2022-12-31"}, short=True)
    'all of 2022'
    """
    first, last = row["window_start"], row["window_end"]
    start, end = day(first, short=short), day(last, short=short)
    if not start or not end:
        return f"from {start}, end not stated" if start else f"until {end}, start not stated" if end else NOT_STATED
    if start == end:
        return start
    if not short:
        return f"{start} to {end}"
    if (first[4:], last[4:]) == ("-01-01", "-12-31") and first[:4] == last[:4]:
        return f"all of {first[:4]}"
    if first[:7] == last[:7]:
        return f"{start.split()[0]}–{end}"
    return f"{start.removesuffix(f' {last[:4]}')} – {end}"


def overlapping(figures: pd.DataFrame) -> pd.DataFrame:
    """The figures that share days with another of the same measure for the same destination.

    Parameters
    ----------
    figures : DataFrame
        As `list_figures` gives them.

    Returns
    -------
    DataFrame
        Rows and order as given, with a last column ``shares days with``: how the window lies to those of the others,
        and which figures for more countries count the destination as well.
    """
    rows = []
    index = []
    for _, panel in figures.groupby("measure", sort=False):
        records = rows_of(panel)
        for at, row in zip(panel.index, records, strict=True):
            others = [other for other in records if other is not row]
            found = [(relation(row, other), other["figure"]) for other in others]
            keys = {how: [figure for given, figure in found if given == how] for how in (*OVERLAPS, WIDER)}
            if any(keys[how] for how in OVERLAPS):
                shares = "; ".join(f"{how} {join(each)}" for how, each in keys.items() if each)
                rows.append({**row, "shares days with": shares})
                index.append(at)
    return no_people(pd.DataFrame(rows, index, columns=[*figures.columns, "shares days with"]))


def relation(row: Row, other: Row) -> str:
    """How a figure's window lies to another's; blank when they share no day that is stated, or no destination.

    Of a window with one end only that one day is known to be covered.
    """
    own, its = _days(row), _days(other)
    if not own or not its or own[0] > its[1] or its[0] > own[1]:
        return ""
    if row["destination"] != other["destination"]:
        inside = set(row["countries"].split()) < set(other["countries"].split()) and row["includes_others"] != "true"
        anywhere = other["includes_others"] == "true" and not other["countries"]
        several = " " in other["countries"] or other["includes_others"] == "true"
        return WIDER if several and (inside or anywhere) else ""
    closed = all(each[end] for each in (row, other) for end in ("window_start", "window_end"))
    if closed and own == its:
        return "same days as"
    if closed and its[0] <= own[0] and own[1] <= its[1]:
        return "within"
    return "holds" if closed and own[0] <= its[0] and its[1] <= own[1] else "overlaps"


def _days(row: Row) -> tuple[str, str] | None:
    """The first and last day that a figure is known to cover, ISO."""
    start, end = row["window_start"], row["window_end"]
    return (start or end, end or start) if start or end else None


def contradictions(figures: pd.DataFrame) -> list[tuple[Row, Row]]:
    """Pairs of figures of one measure for one destination over the very same days, whose ranges share no number.

    Examples
    --------
    >>> row = {"destination": "A", "countries": "", "includes_others": "", "measure": "entries", "low": "5", "high": "5"}
    >>> days = {"window_start": "2022-09-21", "window_end": "2022-09-30"}
    >>> one, other = {**row, **days, "figure": "f1"}, {**row, **days, "figure": "f2", "low": "7", "high": ""}
    >>> [(a["figure"], b["figure"]) for a, b in contradictions(pd.DataFrame([one, other]))]
    [('f1', 'f2')]
    >>> contradictions(pd.DataFrame([one, {**other, "low": "4"}]))
    []
    """

    def ends(row: Row) -> tuple[float, float]:
        return (float(row["low"] or 0), float(row["high"] or "inf"))

    return [
        (one, other)
        for _, panel in figures.groupby(["measure", "destination"], sort=False)
        for one, other in itertools.combinations(rows_of(panel), 2)
        if relation(one, other) == "same days as" and (ends(one)[1] < ends(other)[0] or ends(other)[1] < ends(one)[0])
    ]


def intervals(figures: pd.DataFrame) -> pd.DataFrame:
    """Where to draw each figure: ``from``, ``to`` of the solid line, and whether each end is open.

    A missing bound is an open end, and so is the upper end of a count that goes on.
    """
    low, high = (pd.to_numeric(figures[end], errors="coerce") for end in ("low", "high"))
    columns: dict[str, Any] = {
        "from": low.fillna(high).fillna(0.0),
        "to": high.fillna(low).fillna(0.0),
        "open below": low.isna(),
        "open above": high.isna() | figures["quantifier"].str.contains("and counting"),
        "counted": _texts(figures, lambda row: what_is_counted(row["measure"])),
        "measure": _texts(figures, lambda row: measure(row["measure"])),
        "number": _texts(figures, number),
        "days": _texts(figures, lambda row: window(row, short=True)),
        "stated by": figures["stated_by"].replace("", "speaker not stated"),
    }  # fmt: skip
    return figures.assign(**columns)
