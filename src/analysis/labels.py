"""From codes to words a reader knows: age bands, professions, countries, routes. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from analysis.disclosure import NO_BAND
from analysis.schema import country_name, vocabulary
from analysis.text import isolate
from parabook.errors import InputError, nearest

UNNAMED = "…"
"""A place on a route that the source does not name."""

PROFESSION_LEVELS = {"label": 0, "major": 1, "sub-major": 2}
"""Ways to group professions, with the digits of the ISCO-08 code that each takes; 0: by the profession's own label."""

ROUTE_LEVELS = ("place", "country")


def age_limits(edges: str) -> list[tuple[int, int, str]]:
    """Age bands from their lower edges: (youngest, oldest, label), the first and last of them open.

    Raises
    ------
    InputError
        When the edges are not rising whole numbers.

    Examples
    --------
    >>> [label for _, _, label in age_limits("18,25")]
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


def age_bands_of(edges: str) -> list[str]:
    """The labels of age bands, in order.

    Examples
    --------
    >>> age_bands_of("18,25")
    ['under 18', '18–24', '25 and over']
    """
    return [label for _, _, label in age_limits(edges)]


def age_band(low: Any, high: Any, edges: str) -> str:
    """The band that holds a whole range of ages, `NO_BAND` where none does; blank where the age is missing.

    Examples
    --------
    >>> age_band(20, 23, "18,25,35"), age_band(20, 29, "18,25,35"), age_band(None, None, "18")
    ('18–24', 'in no single band', '')
    """
    if pd.isna(low) or pd.isna(high):
        return ""
    return next((label for a, b, label in age_limits(edges) if a <= low and high <= b), NO_BAND)


def age_range(low: Any, high: Any) -> str:
    """An age, or a range of ages, in years.

    Examples
    --------
    >>> age_range(20, 23), age_range(32, 32), age_range(None, None)
    ('20–23', '32', '')
    """
    return "" if pd.isna(low) else f"{low}" if low == high else f"{low}–{high}"


def profession_at(level: str, profession: str, isco08: str) -> str:
    """A profession's label, or the title of its ISCO-08 major or sub-major group; blank where the code does not decide.

    Examples
    --------
    >>> profession_at("major", "developer", "251"), profession_at("major", "IT worker", ""), profession_at("label", "x", "")
    ('Professionals', '', 'x')
    """
    one_of("profession_level", level, PROFESSION_LEVELS)
    if level == "label" or profession == "student":
        return profession
    digits = PROFESSION_LEVELS[level]
    code = isco08[:digits]
    return vocabulary("isco08").get(code, {}).get("title", "") if len(code) == digits else ""


def place_names(places: Mapping[str, Mapping[str, str]], level: str) -> dict[str, str]:
    """What each place is called on a route: its own name, or its country's.

    Examples
    --------
    >>> place_names({"a": {"name": "Ay", "country": "RUS"}}, "country")
    {'a': 'Russia'}
    """
    one_of("route_level", level, ROUTE_LEVELS)
    return {key: place["name"] if level == "place" else country_name(place["country"]) for key, place in places.items()}


def join_stops(stops: Sequence[str], names: Mapping[str, str]) -> str:
    """A route over its stops, each named once in a row; blank where no stop is named.

    Parameters
    ----------
    stops : sequence of str
        Places; "?" for one that the source does not name, blank after the last.
    names : mapping of str
        What places are called, as `place_names` gives it.

    Examples
    --------
    >>> join_stops(["a", "?", "b", ""], {"a": "Ay", "b": "Be"})
    'Ay → … → Be'
    """
    found = [UNNAMED if stop == "?" else names.get(stop, UNNAMED) for stop in stops if stop]
    route = [name for name, _ in itertools.groupby(found)]
    return " → ".join(route) if set(route) - {UNNAMED} else ""


def one_of(parameter: str, value: str, allowed: Collection[str]) -> None:
    """Refuse a parameter's value that is not among those allowed."""
    if value not in allowed:
        raise InputError.one(
            f"parameter {parameter}", repr(value), f"one of {', '.join(allowed)}", nearest(value, allowed)
        )


def check_parameters(given: Mapping[str, Any]) -> None:
    """Refuse, before anything runs, values of the chapters' parameters with which no table can be made."""
    if "age_bands" in given:
        age_limits(given["age_bands"])
    if given.get("minimum_cell", 0) < 0:
        raise InputError.one("parameter minimum_cell", repr(given["minimum_cell"]), "a whole number from 0")
    for name, levels in (("profession_level", PROFESSION_LEVELS), ("route_level", ROUTE_LEVELS)):
        if name in given:
            one_of(name, given[name], levels)


def by_means(mode: str) -> str:
    """A means of travel as an adverb.

    Examples
    --------
    >>> by_means("air"), by_means("foot")
    ('by air', 'on foot')
    """
    return "on foot" if mode == "foot" else f"by {isolate(mode)}"
