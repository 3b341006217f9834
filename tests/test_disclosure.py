"""Small groups stay hidden: attacks on whole books by somebody who holds all that is printed, and the rule itself."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from cells import CHAPTERS, Shown, run_cells
from crowds import Truth, crowd, truth_of, written

from analysis import disclosure
from analysis.disclosure import (
    NOT_DESCRIBED,
    NOT_SHOWN,
    NOT_STATED,
    Withheld,
    hidden,
    is_safe,
    no_people,
    promise,
    withhold,
)
from analysis.editions import open_edition
from parabook.errors import InputError

COUNTING = ("summary", "interviewees", "routes", "destinations")
BY_ONE = ("interviewees-by-age", "interviewees-by-profession", "interviewees-by-route", "interviewees-by-intention")
"""The exhibits that count people by one trait where small cells are suppressed."""
NEVER = ("age-by-profession", "nights-waited", "days-to-border", "legs-by-mode")
"""What would narrow them."""
ONE_BY_ONE = ("people", "people-not-counted", "agreement", "inputs")
SEEDS = 4


def attack(shown: Shown, truth: Truth, minimum: int) -> Iterator[tuple[str, tuple[str, ...], bool]]:
    """Every small row that the tables hold without suppression, and whether it withstands the book.

    It withstands when it may be empty, and may hold ``minimum`` people and more. The attacker is told which labels there
    are, and the number of all, which is what the tables share; what the rule besides tells, `test_worlds` finds out.
    """
    for name in BY_ONE:
        found, together = shown.counts(name), shown.counts(name).get((NOT_SHOWN,), 0)
        there = sum(label not in found for label in truth[name])
        for label, n in truth[name].items():
            if 0 < n < minimum:
                yield name, label, not found or (label not in found and there > 1 and together >= minimum)


def test_no_small_cell_can_be_recovered_from_a_whole_book(tmp_path: Path):
    tried, published = Counter[int](), Counter[str]()
    for seed in range(SEEDS):
        people, minimum = crowd(seed), (3, 5)[seed % 2]
        folder = written(tmp_path / f"{seed}", people, undescribed=seed % 3 * 4)
        shown = run_cells(folder, *(COUNTING if seed else CHAPTERS), minimum_cell=minimum, drawn=seed == 0)
        attacked = list(attack(shown, truth_of(people), minimum))
        assert not [name for name in NEVER if name in shown.exhibits and shown[name]["rows"]]
        assert not [(seed, *cell) for *cell, withstood in attacked if not withstood]
        tried[minimum] += len(attacked)
        published += Counter(name for name, each in shown.exhibits.items() if each["rows"])
        says_nothing_of_one(shown, minimum)
    assert min(tried.values()) > SEEDS
    assert {*BY_ONE, "route-map"} <= set(published), "an exhibit that is never published was never attacked"


def test_of_the_first_edition_too():
    """It has what crowds have not: statements, some of a day, evidence, a second coding, a story."""
    shown = run_cells("oral-2022", minimum_cell=5)
    says_nothing_of_one(shown, 5)
    abouts = {row[1] for row in shown["statements"]["rows"]} | {row[0] for row in shown["evidence"]["rows"]}
    assert abouts <= {"arrivals", "residents", "volunteers", "officials", "places", "figures", "the report"}
    assert "places" not in {row[1] for row in shown["evidence"]["rows"]}, "where somebody came from"
    assert shown["calendar"]["rows"]
    assert "students" not in json.dumps(shown.glued), "no story"


def says_nothing_of_one(shown: Shown, minimum: int) -> None:
    """No small count and no identifier in tables, charts and sentences; no list of people; tables that add up."""
    assert not re.search(r"\bi\d\d\b", json.dumps(shown.exhibits) + json.dumps(shown.glued))
    for each in [shown[name] for name in ONE_BY_ONE if name in shown.exhibits]:
        assert not each["rows"]
        assert not each["view"]["rows"]
        assert not each["chart"]
        assert each["finding"] in (
            promise(minimum),
            "There is one coding.",
            "This edition has no table statements, so there is nothing to count.",
        )
    totals = set()
    for name in BY_ONE:
        rows = shown.counts(name)
        assert all(n == 0 or n >= minimum for key, n in rows.items() if NOT_DESCRIBED not in key)
        totals |= {sum(rows.values())} if rows else set()
        said = [shown[name]["finding"], *shown[name]["notes"]]
        of_people = [n.replace(",", "") for text in said for n in re.findall(r"\((\d[\d,]*)\)", text)]
        assert set(map(int, of_people)) <= set(rows.values())
        drawn = [row for data in (shown[name]["chart"] or {}).get("datasets", {}).values() for row in data]
        assert {row["interviewees"] for row in drawn if "interviewees" in row} <= set(rows.values())
    assert len(totals) <= 1
    routes = {key[0]: n for key, n in shown.counts("interviewees-by-route").items()}
    for (start, end, status), n in shown.counts("route-map").items():
        assert status == "made"
        assert n == sum(m for route, m in routes.items() if f"{start} → {end}" in route), "a map of the routes shown"


def test_the_attack_finds_what_careless_suppression_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Only small rows joined: the number of all gives them back, and the attack sees it."""

    def careless(sizes: dict[str, int], minimum: int) -> set[str]:
        return {label for label, n in sizes.items() if 0 < n < minimum}

    monkeypatch.setattr(disclosure, "hidden", careless)
    folder = written(tmp_path / "crowd", crowd(1))
    assert recovered(folder, crowd(1), *COUNTING)


def recovered(folder: Path, people: list[dict[str, str]], *chapters: str) -> set[str]:
    shown = run_cells(folder, *chapters, minimum_cell=3, drawn=False)
    return {name for name, _, withstood in attack(shown, truth_of(people), 3) if not withstood}


def test_no_more_rows_are_hidden_than_must_be():
    """Small rows that hide each other stay among themselves; else larger rows join them, until they hold twice the minimum."""
    assert hidden({"a": 9, "b": 8, "c": 2, "d": 1, "e": 1, NOT_STATED: 0}, 3) == {"c", "d", "e", NOT_STATED}
    assert hidden({"a": 29, "b": 18, "c": 2, NOT_STATED: 7}, 3) == {"c", NOT_STATED}
    assert hidden({"a": 29, "b": 18, "c": 1, NOT_STATED: 3}, 3) == {"b", "c", NOT_STATED}


def test_other_people_in_the_small_rows_make_the_very_same_book(tmp_path: Path):
    """Two hidden labels exchanged: tables, charts, sentences, downloads are the same to the byte, so tell neither."""
    changed = 0
    for seed in range(12):
        people = crowd(seed)
        sizes = Counter(one["profession"] for one in people)
        try:
            joined = hidden({NOT_STATED: sizes.pop("", 0), **sizes}, 3) - {NOT_STATED}
        except Withheld:
            continue
        small = sorted(joined, key=lambda label: (sizes[label], label))
        if changed < 2 and len(small) > 1 and sizes[small[0]] != sizes[small[-1]]:
            swap = {small[0]: small[-1], small[-1]: small[0]}
            others = [{**one, "profession": swap.get(one["profession"], one["profession"])} for one in people]
            chapters = COUNTING if changed else ("interviewees",)
            one, other = (
                run_cells(written(tmp_path / "edition", each), *chapters, minimum_cell=3) for each in (people, others)
            )
            assert [name for name in one.exhibits if one[name] != other[name]] == []
            assert one.glued == other.glued
            changed += 1
    assert changed == 2


@pytest.mark.parametrize("minimum", [2**31 + 1, 10**23 - 1])
def test_of_any_minimum_what_holds_no_people_is_shown_and_what_is_withheld_is_safe(minimum: int):
    people = pd.DataFrame({"a": [1]})
    shown = [is_safe(each, minimum) for each in (no_people(people), withhold(people, minimum), people)]
    assert shown == [True, True, False]


def test_where_no_cell_is_small_only_identifiers_go(tmp_path: Path):
    people = [dict(one) for one in crowd(3)[:4] for _ in range(8)]
    folder = written(tmp_path / "even", people)
    plain, kept = (run_cells(folder, "interviewees", "destinations", minimum_cell=n, drawn=False) for n in (0, 5))
    for name in ("interviewees-by-age", "interviewees-by-profession", "interviewees-by-intention"):
        assert kept[name]["rows"] == plain[name]["rows"]
        assert kept[name]["finding"] == plain[name]["finding"]


@pytest.mark.parametrize("own", [1, 5])
def test_a_parameter_raises_the_number_of_the_edition_and_never_lowers_it(tmp_path: Path, own: int):
    folder = written(tmp_path / "own", crowd(1), minimum_cell=own)
    assert open_edition(folder).minimum_cell == own
    assert open_edition(folder, 7).minimum_cell == 7
    if own > 1:
        with pytest.raises(InputError) as caught:
            open_edition(folder, 3)
        wanted = "parameter minimum_cell: found 3, needed 5 or more, or 0; 5 is the edition's own number"
        assert str(caught.value) == wanted
