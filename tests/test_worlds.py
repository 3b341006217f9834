"""What somebody who knows the rule can find out: all worlds that print the very same tables, enumerated."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cells import Shown, run_cells
from crowds import Person, crowd, truth_of, written

from analysis import disclosure
from analysis.disclosure import NOT_DESCRIBED, NOT_SHOWN, NOT_STATED, Withheld, hidden

PRINTED = ("interviewees-by-age", "interviewees-by-profession", "interviewees-by-route", "interviewees-by-intention")
NEVER = ("age-by-profession", "legs-by-mode", "nights-waited", "days-to-border")
"""What would narrow the tables above."""

World = tuple[int, ...]
Print = tuple[frozenset[str], tuple[int, ...]] | None
"""The labels that are not shown, and the numbers of the others; None where nothing is."""


def worlds(people: int, rows: int) -> Iterator[World]:
    """Every way in which so many people can be in so many rows."""
    if rows == 1:
        yield (people,)
        return
    for first in range(people + 1):
        yield from ((first, *rest) for rest in worlds(people - first, rows - 1))


def printed(labels: tuple[str, ...], world: World, minimum: int, fixed: bool) -> Print:
    """What a table prints; its rows are ``fixed``, as bands of age are, or those labels that somebody has."""
    sizes = {label: n for label, n in zip(labels, world, strict=True) if n or fixed or label == NOT_STATED}
    try:
        joined = disclosure.hidden(sizes, minimum)
    except Withheld:
        return None
    there = {label: n for label, n in sizes.items() if label not in joined}
    return frozenset({*labels} - {*there}), tuple(there.values())


@cache
def alike(labels: tuple[str, ...], people: int, minimum: int, fixed: bool) -> dict[Print, list[World]]:
    """All worlds by what they print."""
    found: dict[Print, list[World]] = {}
    for world in worlds(people, len(labels)):
        found.setdefault(printed(labels, world, minimum, fixed), []).append(world)
    return found


def learnt(labels: tuple[str, ...], seen: Print, possible: list[World], minimum: int) -> Iterator[str]:
    """What a reader of a table knows who knows the rule: it should be nothing."""
    joined = {*labels} if seen is None else seen[0]
    at = [n for n, label in enumerate(labels) if label in joined]
    people = sum(possible[0])
    if any(0 < n < minimum for n in (seen or ((), ()))[1]) or (seen and 0 < people - sum(seen[1]) < minimum):
        yield "a small number is printed"
    if people and any(all(world[n] == people for world in possible) for n in range(len(labels))):
        yield "everybody's row is known"
    if seen and people == sum(seen[1]):
        return  # nobody is hidden: the labels that are not there have nobody
    for n in at:
        if len({world[n] for world in possible}) < 2:
            yield f"row {labels[n]} is known"
    if at and minimum > 2 and people > 1 and len({tuple(sorted(world[n] for n in at)) for world in possible}) < 2:
        yield "what the hidden rows hold is known, but for the order"


def found_out(rows: Iterable[int], people: Iterable[int], minimums: Iterable[int]) -> list[tuple[Any, ...]]:
    """Everything that is learnt from any table of so many rows, people, and such a minimum."""
    return [
        (minimum, fixed, seen, said)
        for minimum, many, n, fixed in itertools.product(minimums, rows, people, (True, False))
        for labels in [(NOT_STATED, *"abcde")[:many]]
        for seen, possible in alike(labels, n, minimum, fixed).items()
        # Which labels somebody has, nobody is told: there is one more.
        if fixed
        or any(not world[at] for world in possible for at in range(1, many) if labels[at] in (seen or (labels,))[0])
        for said in learnt(labels, seen, possible, minimum)
    ]


def test_who_knows_the_rule_learns_no_hidden_row():
    assert found_out((2, 3, 4), range(1, 13), (2, 3, 5)) == []


@pytest.mark.slow
def test_who_knows_the_rule_learns_no_hidden_row_of_any_table():
    assert found_out((2, 3, 4, 5), range(1, 17), (2, 3, 4, 5, 7)) == []
    assert found_out((6,), range(1, 15), (2, 3, 4, 5)) == []


def test_the_minimality_attack_finds_what_joining_as_little_as_can_be_leaves(monkeypatch: pytest.MonkeyPatch):
    """Six not shown apart, of a minimum of 5: with one larger row joined and no more they were 1 and 5."""

    def frugal(sizes: dict[str, int], minimum: int) -> set[str]:
        small = {label for label, n in sizes.items() if n < minimum}
        larger = sorted((n, label) for label, n in sizes.items() if n >= minimum)
        return small | {larger[0][1]} if any(sizes[each] for each in small) and len(larger) > 1 else small

    assert hidden({"a": 40, "b": 31, "c": 5, "d": 1}, 5) == {"b", "c", "d"}
    monkeypatch.setattr(disclosure, "hidden", frugal)
    alike.cache_clear()
    assert {said for *_, said in found_out((3, 4), (12,), (3, 5))} >= {
        "what the hidden rows hold is known, but for the order"
    }
    alike.cache_clear()


def shown_of(people: list[Person], minimum: int, folder: Path, *chapters: str) -> Shown:
    return run_cells(written(folder, people), *chapters, minimum_cell=minimum, drawn=False)


def of_a_book(shown: Shown, people: list[Person], minimum: int) -> list[tuple[str, str]]:
    """What is learnt from the tables of a book, each held against all worlds that print it."""
    found = []
    for name in PRINTED:
        truth = truth_of(people)[name]
        fixed = name == "interviewees-by-age"
        others = {label for (label,) in truth} - {NOT_STATED} | {"another"} - {"another" * fixed}
        labels = (NOT_STATED, *sorted(others))
        world = tuple(truth.get((label,), 0) for label in labels)
        seen, rows = printed(labels, world, minimum, fixed), shown.counts(name)
        there = {label: n for (label,), n in rows.items() if label not in (NOT_SHOWN, NOT_DESCRIBED)}
        wanted = (
            {} if seen is None else dict(zip([each for each in labels if each not in seen[0]], seen[1], strict=True))
        )
        assert {label: n for label, n in there.items() if n} == {label: n for label, n in wanted.items() if n}, name
        found += [
            (name, said) for said in learnt(labels, seen, alike(labels, len(people), minimum, fixed)[seen], minimum)
        ]
    assert not [name for name in NEVER if shown[name]["rows"]]
    routes = {key[0]: n for key, n in shown.counts("interviewees-by-route").items()}
    for (start, end, _), n in shown.counts("route-map").items():
        assert n == sum(m for route, m in routes.items() if f"{start} → {end}" in route), "a map of the routes shown"
    return found


EDITIONS, WHOLE = 240, int(os.environ.get("WHOLE_EDITIONS", "40"))
"""Random editions, and of how many the slow test runs the chapters; all 240 take ten minutes."""

CHAPTERS = ("interviewees", "routes", "destinations", "summary")


def editions(count: int) -> Iterator[tuple[int, list[Person], int]]:
    """Random editions of two to twelve people with few traits, so that tables of them are shown at all."""
    for seed in range(count):
        people = crowd(seed)
        yield seed, (people * 3)[: 2 + seed % 11], (2, 3)[seed % 2]


@pytest.mark.slow
def test_many_editions_tell_of_nobody(tmp_path: Path):
    tables = 0
    for seed, people, minimum in itertools.islice(editions(EDITIONS), 0, EDITIONS, EDITIONS // WHOLE):
        shown = shown_of(people, minimum, tmp_path / f"{seed}", *CHAPTERS)
        assert of_a_book(shown, people, minimum) == [], seed
        tables += sum(bool(shown[name]["rows"]) for name in PRINTED)
    assert tables > WHOLE / 4


def test_a_table_of_days_does_not_tell_who_hid_from_that_of_routes(tmp_path: Path):
    """Twenty are shown on the route abroad, five not apart; that 24 crossed the border would tell of four of these."""
    base = {"age": "20", "profession": "cook", "mode": "air", "nights": "1", "departed": "2022-09-22", "onward": ""}
    ways = ["a c"] * 20 + ["b c"] * 2 + ["b d"] * 2 + [""]
    shown = shown_of([{**base, "route": way} for way in ways], 5, tmp_path / "narrow", "routes")
    assert not [name for name in NEVER[1:] if shown[name]["rows"]]


def test_a_row_that_holds_everybody_is_not_shown(tmp_path: Path):
    people = [
        {"age": "20", "profession": "cook", "route": "a c", "mode": "air", "nights": "", "departed": "", "onward": "c"}
    ] * 9
    shown = shown_of(people, 3, tmp_path / "one", *CHAPTERS)
    assert not [name for name in (*PRINTED, *NEVER, "route-map") if shown[name]["rows"]]
