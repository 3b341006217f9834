"""Counting honestly. Pure: an edition's tables in, small tables of counts out; no disk, no charts.

The engine groups by the raw codes (`grouped`), so that it works the same on pandas, on DuckDB and on a cluster;
labels, bands and rows for what is not known are made afterwards, from the handful of groups.
Every table of interviewees adds up to the declared number.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import narwhals as nw
import pandas as pd

from analysis.frames import FEW, Frame, Row, as_text, isolated, readable, records
from analysis.schema import country_name, schema, vocabulary
from analysis.tables import collect_rows
from parabook.errors import InputError, nearest

NOT_STATED = "not stated"
NOT_DESCRIBED = "not described"
NOT_SHOWN = "not shown apart"
"""People of small rows taken together, see ``privacy``."""
ON_THE_WAY = "…"
"""A place on a route that the source does not name."""


@dataclass(frozen=True)
class Counts:
    """A table of counts: what its CSV holds, and beside each row its state and its cases.

    ``frame`` has one or more label columns and a last column of counts, and no total row.
    ``states`` says of each row whether it is ``stated``, `NOT_STATED`, `NOT_DESCRIBED` or `NOT_SHOWN`;
    ``who`` holds the identifiers behind each row, where they are few.
    """

    frame: pd.DataFrame
    states: tuple[str, ...]
    who: tuple[tuple[str, ...], ...]

    @property
    def total(self) -> int:
        return int(self.frame.iloc[:, -1].sum())

    def of(self, state: str) -> int:
        """The sum of the counts of one state."""
        return int(sum(n for n, s in zip(self.frame.iloc[:, -1], self.states, strict=True) if s == state))


def counted(people: Frame) -> Frame:
    """The interviewees that are tabulated: those counted ``yes``."""
    return people.filter(nw.col("counted") == "yes")


def grouped(frame: Frame, columns: Sequence[str], key: str = "interviewee") -> pd.DataFrame:
    """Rows per group of raw codes.

    Parameters
    ----------
    frame : LazyFrame
        Has ``key`` and the columns.
    columns : sequence of str
        What to group by; blanks are a group.

    Returns
    -------
    DataFrame
        The columns as text (blank for missing), ``n``, and ``who``: a tuple of keys, empty when there
        are more than `FEW` rows in all.
    """
    many = collect_rows(frame.group_by(list(columns)).agg(nw.len().alias("n")))
    total = sum(int(row["n"]) for row in many)
    behind: dict[tuple[str, ...], list[str]] = {}
    if total <= FEW:
        for row in collect_rows(frame.select(key, *columns)):
            behind.setdefault(tuple(as_text(row[c]) for c in columns), []).append(as_text(row[key]))
    groups = [(tuple(as_text(row[column]) for column in columns), int(row["n"])) for row in many]
    return pd.DataFrame(
        [(*codes, n, tuple(sorted(behind.get(codes, ())))) for codes, n in sorted(groups)],
        columns=[*columns, "n", "who"],
    )


def tally(
    groups: pd.DataFrame,
    names: Sequence[str],
    label: Callable[[Row], tuple[str, ...]],
    *,
    levels: Sequence[Sequence[str]] = (),
    declared: int | None = None,
    unit: str = "interviewees",
) -> Counts:
    """Groups of raw codes to a table of counts by label.

    Parameters
    ----------
    groups : DataFrame
        As `grouped` gives them.
    names : sequence of str
        The label columns of the result.
    label : callable
        A group's codes to its labels, `NOT_STATED` where the source is silent.
    levels : sequence of sequences
        For each label column the labels that appear even when nobody has them, in order; a
        column without levels is ordered by count, then by label.
    declared : int, optional
        How many there are in all; the rest are `NOT_DESCRIBED`.
    """
    found: dict[tuple[str, ...], tuple[int, tuple[str, ...]]] = {}
    for row in records(groups):
        key = label(row)
        n, who = found.get(key, (0, ()))
        found[key] = (n + row["n"], (*who, *row["who"]))
    if len(names) == 1 and levels and levels[0]:
        for level in levels[0]:
            found.setdefault((level,), (0, ()))
    if declared is not None:
        described = sum(n for n, _ in found.values())
        found[(NOT_DESCRIBED,) * len(names)] = (declared - described, ())

    def place(key: tuple[str, ...]) -> tuple[object, ...]:
        order: list[object] = []
        for column, text in enumerate(key):
            fixed = list(levels[column]) if column < len(levels) else []
            share = -sum(n for other, (n, _) in found.items() if other[column] == text)
            rank = fixed.index(text) if text in fixed else share if not fixed else len(fixed)
            order += [{NOT_STATED: 1, NOT_DESCRIBED: 2}.get(text, 0), rank, text]
        return tuple(order)

    keys = sorted(found, key=place)
    frame = pd.DataFrame([(*key, found[key][0]) for key in keys], columns=[*names, unit]).astype({unit: "int64"})
    states = tuple(
        NOT_DESCRIBED if NOT_DESCRIBED in key else NOT_STATED if NOT_STATED in key else "stated" for key in keys
    )
    return Counts(frame, states, tuple(tuple(sorted(found[key][1])) for key in keys))


def bands(edges: str) -> list[tuple[int, int, str]]:
    """Age bands from their lower edges: (youngest, oldest, label), the first and last of them open.

    Examples
    --------
    >>> [label for _, _, label in bands("18,25")]
    ['under 18', '18–24', '25 and over']
    """
    given = [edge.strip() for edge in edges.split(",")]
    lower = [int(edge) for edge in given] if all(edge.isascii() and edge.isdigit() for edge in given) else []
    if not lower or lower != sorted(set(lower)) or lower[0] < 1 or lower[-1] > 120:
        raise InputError.one(
            "parameter age_bands", repr(edges), "rising whole numbers with commas between", "such as 18,25,35,45"
        )
    inner = [(a, b - 1, f"{a}–{b - 1}" if b - a > 1 else f"{a}") for a, b in itertools.pairwise(lower)]
    return [(0, lower[0] - 1, f"under {lower[0]}"), *inner, (lower[-1], 200, f"{lower[-1]} and over")]


def band_of(codes: Row, edges: str) -> str:
    """The band that holds a whole age range, else `NOT_STATED`.

    Examples
    --------
    >>> band_of({"age_min": "20", "age_max": "23"}, "18,25,35")
    '18–24'
    >>> band_of({"age_min": "20", "age_max": "29"}, "18,25,35")
    'not stated'
    """
    if not codes["age_min"]:
        return NOT_STATED
    low, high = int(codes["age_min"]), int(codes["age_max"])
    return next((label for a, b, label in bands(edges) if a <= low and high <= b), NOT_STATED)


PROFESSION_LEVELS = ("label", "major", "sub-major")
ROUTE_LEVELS = ("place", "country")


def checked(parameters: Mapping[str, Any]) -> None:
    """Refuse a value of a chapter's parameter that no table could be made with, before anything runs."""
    if "age_bands" in parameters:
        bands(parameters["age_bands"])
    if parameters.get("minimum_cell", 0) < 0:
        raise InputError.one("parameter minimum_cell", repr(parameters["minimum_cell"]), "a whole number from 0")
    for name, levels in (("profession_level", PROFESSION_LEVELS), ("route_level", ROUTE_LEVELS)):
        if name in parameters:
            _one_of(name, parameters[name], levels)


def profession_of(codes: Row, level: str) -> str:
    """The profession at a level: its label, or the title of its ISCO-08 major or sub-major group.

    Examples
    --------
    >>> profession_of({"profession": "developer", "isco08": "251"}, "major")
    'Professionals'
    >>> profession_of({"profession": "IT worker", "isco08": ""}, "major")
    'not stated'
    """
    _one_of("profession_level", level, PROFESSION_LEVELS)
    if level == "label" or codes["profession"] == "student":
        return codes["profession"] or NOT_STATED
    digits = {"major": 1, "sub-major": 2}[level]
    code = codes["isco08"][:digits]
    title = vocabulary("isco08").get(code, {}).get("title", NOT_STATED)
    return title if len(code) == digits else NOT_STATED


def _one_of(parameter: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise InputError.one(
            f"parameter {parameter}", repr(value), f"one of {', '.join(allowed)}", nearest(value, allowed)
        )


def by_age(people: Frame, *, age_bands: str, declared: int | None) -> Counts:
    """Interviewees by age band."""
    labels = [label for _, _, label in bands(age_bands)]
    return tally(
        grouped(counted(people), ["age_min", "age_max"]),
        ["age"],
        lambda codes: (band_of(codes, age_bands),),
        levels=[labels],
        declared=declared,
    )


def by_profession(people: Frame, *, level: str, declared: int | None) -> Counts:
    """Interviewees by profession."""
    return tally(
        grouped(counted(people), ["profession", "isco08"]),
        ["profession"],
        lambda codes: (profession_of(codes, level),),
        declared=declared,
    )


def age_by_profession(people: Frame, *, age_bands: str, level: str, declared: int | None) -> Counts:
    """Interviewees by profession and age band, one row a pair that occurs."""
    labels = [label for _, _, label in bands(age_bands)]
    return tally(
        grouped(counted(people), ["age_min", "age_max", "profession", "isco08"]),
        ["profession", "age"],
        lambda codes: (profession_of(codes, level), band_of(codes, age_bands)),
        levels=[[], labels],
        declared=declared,
    )


def routes(people: Frame, legs: Frame | None) -> tuple[Frame, list[str]]:
    """Counted interviewees with the stops of the legs they made, a column a stop: ``s0``, ``s1``, …

    A stop that the source does not name is missing; where a leg starts elsewhere than the last one
    ended, the place it starts from is taken only if the end was not named.
    """
    frame = counted(people).select("interviewee")
    if legs is None:
        return frame, []
    made = legs.filter(nw.col("status") == "made")
    (last,) = collect_rows(made.select(nw.col("leg").max()))
    stops: list[str] = []
    for number in range(1, int(as_text(last["leg"]) or 0) + 1):
        here = f"s{number}"
        step = made.filter(nw.col("leg") == number).select(
            "interviewee",
            nw.col("from_place").alias(f"f{number}"),
            nw.col("to_place").alias(here),
            nw.lit(True).alias(f"m{number}"),
        )
        frame = frame.join(step, on="interviewee", how="left")
        if number == 1:
            frame = frame.with_columns(nw.col("f1").alias("s0"))
            stops.append("s0")
        else:
            frame = frame.with_columns(nw.coalesce(f"s{number - 1}", f"f{number}").alias(f"s{number - 1}"))
        stops += [here, f"m{number}"]
    return frame, stops


def route_of(codes: Row, places: Mapping[str, Row], level: str) -> str:
    """The route that a row of `routes` took, by place or by country; `NOT_STATED` when no stop is named.

    Examples
    --------
    >>> towns = {"a": {"name": "Ay", "country": "RUS"}, "b": {"name": "Be", "country": "KAZ"}}
    >>> route_of({"s0": "a", "s1": "", "m1": "true", "s2": "b", "m2": "true"}, towns, "place")
    'Ay → … → Be'
    >>> route_of({"s0": "a", "s1": "b", "m1": "true", "s2": "", "m2": ""}, towns, "country")
    'Russia → Kazakhstan'
    """
    _one_of("route_level", level, ROUTE_LEVELS)
    legs = [int(name[1:]) for name in codes if name.startswith("m") and codes[name]]
    if not legs:
        return NOT_STATED
    stops = [codes[f"s{n}"] for n in range(max(legs) + 1)]
    if not any(stops):
        return NOT_STATED
    shown: list[str] = []
    for stop in stops:
        place = places.get(stop)
        name = ON_THE_WAY if place is None else place["name"] if level == "place" else country_name(place["country"])
        if not shown or shown[-1] != name:
            shown.append(name)
    return " → ".join(shown)


def by_route(
    people: Frame, legs: Frame | None, places: Mapping[str, Row], *, level: str, declared: int | None
) -> Counts:
    """Interviewees by the route they took."""
    frame, stops = routes(people, legs)
    groups = grouped(frame, stops) if stops else grouped(frame.with_columns(nw.lit("").alias("none")), ["none"])
    return tally(groups, ["route"], lambda codes: (route_of(codes, places, level),), declared=declared)


def by_mode(people: Frame, legs: Frame) -> Counts:
    """Legs made by counted interviewees, by mode."""
    made = legs.filter(nw.col("status") == "made").join(
        counted(people).select("interviewee"), on="interviewee", how="semi"
    )
    groups = grouped(made, ["mode"])
    return tally(groups, ["mode"], lambda codes: (codes["mode"] or NOT_STATED,), unit="legs")


def by_modes(people: Frame, legs: Frame, *, declared: int | None) -> Counts:
    """Interviewees by the modes told of the legs they made, all of a person's together.

    Where a leg would tell of a person who made several, this counts people.
    """
    modes = next(field for field in schema("legs").fields if field.name == "mode").enum
    used = (
        legs.filter(nw.col("status") == "made")
        .with_columns((nw.col("mode") == mode).fill_null(False).cast(nw.Int64).alias(mode) for mode in modes)
        .group_by("interviewee")
        .agg(*(nw.col(mode).max() for mode in modes))
    )
    frame = counted(people).select("interviewee").join(used, on="interviewee", how="left")

    def label(codes: Row) -> tuple[str, ...]:
        return (listed([mode for mode in modes if codes[mode] == "1"]) or NOT_STATED,)

    return tally(grouped(frame, modes), ["mode"], label, declared=declared)


def by_nights(people: Frame, legs: Frame, *, declared: int | None) -> Counts:
    """Interviewees by the nights they waited on the way, over all legs made; silence on a leg adds nothing."""
    nights = (
        legs.filter((nw.col("status") == "made") & ~nw.col("nights_waited").is_null())
        .group_by("interviewee")
        .agg(nw.col("nights_waited").sum().alias("nights"))
    )
    frame = counted(people).select("interviewee").join(nights, on="interviewee", how="left")
    groups = grouped(frame, ["nights"])
    levels = sorted({int(text) for text in groups["nights"] if text})
    return tally(
        groups,
        ["nights"],
        lambda codes: (codes["nights"] or NOT_STATED,),
        levels=[[str(level) for level in levels]],
        declared=declared,
    )


def setting_off(people: Frame, legs: Frame, places: Frame) -> pd.DataFrame:
    """When counted interviewees set off, and the nights they waited from there to the border.

    The border is crossed on the first leg made that ends in another country than that of the first place told; an end
    that is not told crosses nothing. Only legs up to it count. Groups of ``set_off`` (the last departure that is
    dated, ISO) and ``nights``, both blank where not told.
    """
    country = places.select("place", "country")
    made = (
        legs.filter(nw.col("status") == "made")
        .join(country.rename({"place": "from_place", "country": "here"}), on="from_place", how="left")
        .join(country.rename({"place": "to_place", "country": "there"}), on="to_place", how="left")
    )
    known = made.with_columns(nw.coalesce("here", "there").alias("origin")).filter(~nw.col("origin").is_null())
    first = known.group_by("interviewee").agg(nw.col("leg").min())
    origin = known.select("interviewee", "leg", "origin").join(first, on=["interviewee", "leg"], how="inner")
    crossing = (
        made.filter(~nw.col("there").is_null())
        .join(origin.select("interviewee", "origin"), on="interviewee", how="inner")
        .filter(nw.col("there") != nw.col("origin"))
        .group_by("interviewee")
        .agg(nw.col("leg").min().alias("crossing"))
    )
    before = made.join(crossing, on="interviewee", how="inner").filter(nw.col("leg") <= nw.col("crossing"))
    dated = (
        before.filter(~nw.col("departed").is_null())
        .group_by("interviewee")
        .agg(nw.col("departed").max().alias("set_off"), nw.col("leg").max().alias("since"))
    )
    waited = (
        before.filter(~nw.col("nights_waited").is_null())
        .join(dated, on="interviewee", how="inner")
        .filter(nw.col("leg") >= nw.col("since"))
        .group_by("interviewee")
        .agg(nw.col("nights_waited").sum().alias("nights"))
    )
    frame = counted(people).select("interviewee").join(dated, on="interviewee", how="left")
    return grouped(frame.join(waited, on="interviewee", how="left"), ["set_off", "nights"])


def days_after(event: str, day: str) -> int:
    """Days from one ISO date to another.

    Examples
    --------
    >>> days_after("2022-09-21", "2022-09-22")
    1
    """
    return (date.fromisoformat(day) - date.fromisoformat(event)).days


def by_days(people: Frame, legs: Frame, places: Frame, *, event: str, declared: int | None) -> Counts:
    """Interviewees by the least number of days from the reference event to crossing the border.

    The last dated departure before it plus every night waited from there on: the border was crossed no
    sooner. Without a date, or without a leg between two countries, not stated.
    """

    def label(codes: Row) -> tuple[str, ...]:
        if not codes["set_off"] or not event:
            return (NOT_STATED,)
        return (f"{days_after(event, codes['set_off']) + int(codes['nights'] or 0)} or more",)

    groups = setting_off(people, legs, places)
    found = {label(row)[0] for row in records(groups)} - {NOT_STATED}
    levels = sorted(found, key=lambda text: int(text.split()[0]))
    return tally(groups, ["days"], label, levels=[levels], declared=declared)


def by_intention(people: Frame, legs: Frame | None, places: Mapping[str, Row], *, declared: int | None) -> Counts:
    """Interviewees by the country they mean to go on to: the end of the last leg intended."""
    frame = counted(people).select("interviewee")
    if legs is None:
        frame = frame.with_columns(nw.lit("").alias("to_place"))
    else:
        intended = legs.filter(nw.col("status") == "intended")
        last = intended.group_by("interviewee").agg(nw.col("leg").max().alias("leg"))
        ends = intended.join(last, on=["interviewee", "leg"], how="inner").select("interviewee", "to_place")
        frame = frame.join(ends, on="interviewee", how="left")

    def label(codes: Row) -> tuple[str, ...]:
        place = places.get(codes["to_place"])
        return (country_name(place["country"]) if place else NOT_STATED,)

    return tally(grouped(frame, ["to_place"]), ["destination"], label, declared=declared)


def movements(people: Frame, legs: Frame, places: Mapping[str, Row]) -> Counts:
    """Legs of counted interviewees between the same two places, by status."""
    told = legs.join(counted(people).select("interviewee"), on="interviewee", how="semi")

    def label(codes: Row) -> tuple[str, ...]:
        names = (places[codes[end]]["name"] if codes[end] else NOT_STATED for end in ("from_place", "to_place"))
        return (*names, codes["status"])

    groups = grouped(told, ["from_place", "to_place", "status"])
    return tally(groups, ["from", "to", "status"], label, unit="legs")


def bounds(count: int, unknown: int, total: int) -> tuple[float, float]:
    """The share of the whole that a count can stand for: from none of the unknown to all of them.

    Examples
    --------
    >>> low, high = bounds(4, 11, 17)
    >>> f"{low:.0%} to {high:.0%}"
    '24% to 88%'
    """
    return (count / total, (count + unknown) / total) if total else (0.0, 1.0)


def figures(destinations: Frame) -> pd.DataFrame:
    """Destination figures as they stand, one a row, with a readable ``destination`` first.

    Measures, and the destinations within one, keep the order in which the table first names them: nothing is
    ranked. All figures of one measure for one destination stand together, by window, then by the day they were
    stated; what is not dated comes last.
    """
    columns = [
        "figure",
        "countries",
        "includes_others",
        "measure",
        "low",
        "high",
        "quantifier",
        "window_start",
        "window_end",
        "stated_by",
        "stated_on",
        "reported_by",
        "note",
    ]
    rows = destinations.sort("_row").select(*columns).collect("pandas").rows(named=True)
    told: list[Row] = [{name: as_text(row[name]) for name in columns} for row in rows]
    told = [{"destination": destination_of(row), **row} for row in told]
    measures = {measure: n for n, measure in enumerate(dict.fromkeys(row["measure"] for row in told))}
    places = {place: n for n, place in enumerate(dict.fromkeys(row["destination"] for row in told))}

    def order(row: Row) -> tuple[int, int, list[str]]:
        days = [row[name] or "9" for name in ("window_start", "window_end", "stated_on")]
        return (measures[row["measure"]], places[row["destination"]], days)

    told.sort(key=order)
    return pd.DataFrame(told, columns=["destination", *columns])


def measure_of(code: str) -> str:
    """What a measure is called, by the vocabulary of measures; one that it lacks is called by its code.

    Examples
    --------
    >>> measure_of("fsb_exits"), measure_of("ferry_tickets")
    ('departures from Russia (FSB)', 'ferry tickets')
    """
    return vocabulary("measures").get(code, {}).get("title") or readable(code)


def counts_of(code: str) -> str:
    """What a measure counts, by the vocabulary of measures; blank when it lacks the measure.

    Examples
    --------
    >>> counts_of("remaining")
    'people who had come and were still in the country when they were counted'
    """
    return vocabulary("measures").get(code, {}).get("counts", "")


def by_measure(figures: pd.DataFrame) -> pd.DataFrame:
    """How many figures there are of each measure, and for which destinations; in the order of `figures`.

    Columns ``measure``, ``what is counted``, ``figures``, ``destinations``: after a destination with several
    figures stands how many.
    """
    rows = []
    for code, panel in figures.groupby("measure", sort=False):
        places = panel["destination"].value_counts(sort=False)
        named = [f"{place} ({n})" if n > 1 else str(place) for place, n in places.items()]
        rows.append((measure_of(str(code)), counts_of(str(code)) or NOT_STATED, len(panel), "; ".join(named)))
    return pd.DataFrame(rows, columns=["measure", "what is counted", "figures", "destinations"])


def overlapping(figures: pd.DataFrame) -> pd.DataFrame:
    """The figures that share days with another of the same measure for the same destination.

    Parameters
    ----------
    figures : DataFrame
        As `figures` gives them.

    Returns
    -------
    DataFrame
        Rows and order as given, with a last column ``shares days with``: how the window lies to those of the others,
        and which figures for more countries count the destination as well.
    """
    rows = []
    for panel in _panels(figures, ["measure"]):
        wide = [row for row in panel if " " in row["countries"] or row["includes_others"] == "true"]
        same: dict[str, list[Row]] = {}
        for row in panel:
            same.setdefault(row["destination"], []).append(row)
        for row in panel:
            lies: dict[str, list[str]] = {}
            others = [other for other in wide if other["destination"] != row["destination"]]
            for other in [*same[row["destination"]], *others]:
                how = "" if other is row else _beside(row, other)
                if how:
                    lies.setdefault(how, []).append(other["figure"])
            if set(lies) - {WIDER}:
                told = "; ".join(f"{how} {listed(lies[how])}" for how in (*WINDOWS, WIDER) if how in lies)
                rows.append({**row, "shares days with": told})
    return pd.DataFrame(rows, columns=[*figures.columns, "shares days with"])


WINDOWS = ("same days as", "within", "holds", "overlaps")
WIDER = "counted for more countries in"


def _beside(row: Row, other: Row) -> str:
    """How a figure's window lies to another's; blank when they share no day that is told, or no destination.

    Of a window with one end only that one day is known to be covered.
    """
    own, its = _days(row), _days(other)
    if not own or not its or own[0] > its[1] or its[0] > own[1]:
        return ""
    if row["destination"] != other["destination"]:
        inside = set(row["countries"].split()) < set(other["countries"].split()) and row["includes_others"] != "true"
        anywhere = other["includes_others"] == "true" and not other["countries"]
        return WIDER if inside or anywhere else ""
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


def at_odds(figures: pd.DataFrame) -> list[tuple[Row, Row]]:
    """Pairs of figures of one measure for one destination over the very same days, whose ranges share no number.

    Examples
    --------
    >>> row = {"destination": "A", "countries": "", "includes_others": "", "measure": "entries", "low": "5", "high": "5"}
    >>> days = {"window_start": "2022-09-21", "window_end": "2022-09-30"}
    >>> one, other = {**row, **days, "figure": "f1"}, {**row, **days, "figure": "f2", "low": "7", "high": ""}
    >>> [(a["figure"], b["figure"]) for a, b in at_odds(pd.DataFrame([one, other]))]
    [('f1', 'f2')]
    >>> at_odds(pd.DataFrame([one, {**other, "low": "4"}]))
    []
    """

    def ends(row: Row) -> tuple[float, float]:
        return (float(row["low"] or 0), float(row["high"] or "inf"))

    return [
        (one, other)
        for panel in _panels(figures, ["measure", "destination"])
        for one, other in itertools.combinations(panel, 2)
        if _beside(one, other) == "same days as" and (ends(one)[1] < ends(other)[0] or ends(other)[1] < ends(one)[0])
    ]


def _panels(figures: pd.DataFrame, columns: list[str]) -> list[list[dict[str, str]]]:
    """The rows of a table of figures, those alike in some columns together, in the order given."""
    return [records(panel) for _, panel in figures.groupby(columns, sort=False)]


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
    return listed(names) or "countries not named"


def listed(items: Sequence[str]) -> str:
    """Items as a sentence lists them.

    Examples
    --------
    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def number_of(row: Row) -> str:
    """A figure's number with its hedge, as a reader would say it.

    Examples
    --------
    >>> number_of({"low": "", "high": "100000", "quantifier": "nearly and counting"})
    'nearly 100,000 and counting'
    >>> number_of({"low": "20000", "high": "99999", "quantifier": "tens of thousands"})
    'tens of thousands (read as 20,000 to 99,999)'
    >>> number_of({"low": "64000", "high": "", "quantifier": "more than"})
    'more than 64,000'
    >>> number_of({"low": "650000", "high": "666000", "quantifier": "more than"})
    'more than 650,000, up to 666,000'
    """
    ends = list(dict.fromkeys(f"{float(row[end]):,.0f}" for end in ("low", "high") if row[end]))
    hedge = readable(row["quantifier"])
    number = (", up to " if hedge == "more than" else " to ").join(ends)
    if hedge.endswith("of thousands"):
        return f"{hedge} (read as {number})"
    if hedge == "exact":
        return number
    first, joint, rest = hedge.partition(" and ")
    return f"{isolated(first)} {number}{joint}{isolated(rest)}".strip()


def intervals(figures: pd.DataFrame) -> pd.DataFrame:
    """Where to draw each figure: ``from``, ``to`` of the solid line, and whether each end is open.

    A missing bound is an open end, and so is the upper end of a count that goes on.
    """
    rows = []
    for row in records(figures):
        low, high = (float(row[end]) if row[end] else None for end in ("low", "high"))
        anchor = low if low is not None else high if high is not None else 0.0
        rows.append(
            {
                "figure": row["figure"],
                "destination": row["destination"],
                "measure": measure_of(row["measure"]),
                "counts": counts_of(row["measure"]),
                "number": number_of(row),
                "window": window_of(row),
                "days": days_of(row),
                "stated by": row["stated_by"] or NOT_STATED,
                "from": anchor if low is None else low,
                "to": anchor if high is None else high,
                "open below": low is None,
                "open above": high is None or "and counting" in row["quantifier"],
            }
        )
    return pd.DataFrame(rows)


def window_of(row: Row) -> str:
    """The days a figure covers, in words.

    Examples
    --------
    >>> window_of({"window_start": "2022-09-21", "window_end": ""})
    'from 21 September 2022, end not stated'
    >>> window_of({"window_start": "", "window_end": ""})
    'not stated'
    """
    start, end = (day_of(row[name]) for name in ("window_start", "window_end"))
    if not start and not end:
        return NOT_STATED
    if start == end:
        return start
    return (
        f"from {start}, end not stated"
        if not end
        else f"until {end}, start not stated"
        if not start
        else f"{start} to {end}"
    )


def days_of(row: Row) -> str:
    """The days a figure covers, as short as a chart needs it.

    Examples
    --------
    >>> days_of({"window_start": "2022-09-21", "window_end": "2022-09-27"})
    '21–27 Sep 2022'
    >>> days_of({"window_start": "2022-09-21", "window_end": "2022-10-04"})
    '21 Sep – 4 Oct 2022'
    >>> days_of({"window_start": "2022-01-01", "window_end": "2022-12-31"})
    'all of 2022'
    >>> days_of({"window_start": "", "window_end": "2023-05-15"})
    'until 15 May 2023, start not stated'
    """
    start, end = row["window_start"], row["window_end"]
    if not start or not end or start == end:
        told = window_of(row)
        for month in MONTHS:
            told = told.replace(month, month[:3])
        return f"window {NOT_STATED}" if told == NOT_STATED else told
    if start[:4] == end[:4] and start[4:] == "-01-01" and end[4:] == "-12-31":
        return f"all of {start[:4]}"
    (day, month, year), (last_day, last_month, last_year) = (
        (str(int(iso[8:])), MONTHS[int(iso[5:7]) - 1][:3], iso[:4]) for iso in (start, end)
    )
    if year != last_year:
        return f"{day} {month} {year} – {last_day} {last_month} {last_year}"
    return (
        f"{day}–{last_day} {month} {year}" if month == last_month else f"{day} {month} – {last_day} {last_month} {year}"
    )


MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def day_of(iso: str) -> str:
    """A day, month or year as text; blank stays blank.

    Examples
    --------
    >>> day_of("2022-09-21"), day_of("2022-10"), day_of("2022")
    ('21 September 2022', 'October 2022', '2022')
    """
    parts = iso.split("-") if iso else []
    if len(parts) > 1:
        parts[1] = MONTHS[int(parts[1]) - 1]
    return " ".join([parts[2].lstrip("0"), parts[1], parts[0]] if len(parts) == 3 else parts[::-1])
