"""Small groups stay hidden: attacks on whole books by somebody who holds all that is printed, and the rule itself."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cells import CHAPTERS, Shown, run_cells
from crowds import TRAITS, Truth, crowd, truth_of, written

from analysis import disclosure
from analysis.disclosure import NOT_DESCRIBED, NOT_SHOWN, NOT_STATED, Withheld, hidden, promise
from analysis.editions import open_edition
from parabook.errors import InputError

COUNTING = ("summary", "interviewees", "routes", "destinations")
BY_ONE = (
    "interviewees-by-age", "interviewees-by-profession", "interviewees-by-route", "interviewees-by-intention",
    "nights-waited", "days-to-border", "legs-by-mode",
)  # fmt: skip
"""The exhibits that count people by one trait where small cells are suppressed."""
ONE_BY_ONE = ("people", "people-not-counted", "agreement", "inputs")
SEEDS = 6


class System:
    """What an attacker knows: cells that hold people in whole numbers, and the sums of some of them."""

    def __init__(self) -> None:
        self.sums: list[tuple[frozenset[Any], int]] = []

    def learn(self, cells: Iterable[Any], total: int) -> None:
        self.sums.append((frozenset(cells), total))

    def possible(self, cells: Iterable[Any], value: int) -> bool:
        """Whether some distribution of people agrees with everything and has ``value`` in these cells."""
        sums = [*self.sums, (frozenset(cells), value)]
        of_all = max(total for _, total in sums)
        alike = {  # cells in the very same sums cannot be told apart, and are one unknown
            cell: tuple(n for n, (known, _) in enumerate(sums) if cell in known) for known, _ in sums for cell in known
        }
        joined = [(frozenset(alike[cell] for cell in known), total) for known, total in sums]
        return self._solved(joined, dict.fromkeys(alike.values(), (0, of_all)))

    def _solved(self, sums: list[tuple[frozenset[Any], int]], bounds: dict[Any, tuple[int, int]]) -> bool:
        changed = True
        while changed:
            changed = False
            for cells, total in sums:
                low, high = (sum(bounds[each][end] for each in cells) for end in (0, 1))
                if not low <= total <= high:
                    return False
                for each in cells:
                    a, b = bounds[each]
                    tight = max(a, total - (high - b)), min(b, total - (low - a))
                    if tight != (a, b):
                        low, high = low + tight[0] - a, high + tight[1] - b
                        bounds[each], changed = tight, True
        left = [each for each, (a, b) in bounds.items() if a < b]
        if not left:
            return True
        each = min(left, key=lambda cell: (bounds[cell][1] - bounds[cell][0], cell))
        ways = range(bounds[each][1], bounds[each][0] - 1, -1)
        return any(self._solved(sums, {**bounds, each: (n, n)}) for n in ways)


def attack(shown: Shown, truth: Truth, minimum: int) -> Iterator[tuple[str, tuple[str, ...], bool]]:
    """Every small cell that the tables hold without suppression, and whether it withstands the book.

    It withstands when it may hold ``minimum`` people and more, and what it may hold spans ``minimum`` at least; a row
    by one trait may besides be empty. The attacker is told which labels there are. What one table tells can bind the
    others through the people they share, of profession and age.
    """
    system = System()
    traits = ("interviewees-by-profession", "interviewees-by-age")
    labels = [[key for (key,) in truth[name]] for name in traits]
    cells = list(itertools.product(*labels))
    described = sum(truth["interviewees-by-age"].values())
    system.learn(cells, described)
    by: dict[str, dict[str, list[Any]]] = {}
    for at, name in enumerate(traits):
        by[name] = {label: [cell for cell in cells if cell[at] == label] for label in labels[at]}
        learn_one(system, shown.counts(name), by[name])
    learn_crossed(system, shown, cells)
    for name in BY_ONE:
        if name not in shown.exhibits:
            continue
        asked, behind = system, by.get(name)
        if behind is None:  # alone: it shares but the number of all
            asked, behind = System(), {key: [key] for (key,) in truth[name]}
            asked.learn(behind, described)
            learn_one(asked, shown.counts(name), behind)
        for (label,), n in truth[name].items():
            if 0 < n < minimum:
                yield name, (label,), all(asked.possible(behind[label], m) for m in (0, minimum))
    for pair, n in truth["age-by-profession"].items():
        if 0 < n < minimum:
            least = next(m for m in range(n + 1) if system.possible([pair], m))
            yield "age-by-profession", pair, system.possible([pair], max(minimum, least + minimum))


def learn_one(system: System, found: dict[tuple[str, ...], int], behind: dict[str, list[Any]]) -> None:
    """What a table by one trait tells: each row, and what the rows not shown apart hold together."""
    for label, cells in behind.items():
        if (label,) in found:
            system.learn(cells, found[label,])
    if (NOT_SHOWN,) in found:
        together = [cell for label in behind if (label,) not in found for cell in behind[label]]
        system.learn(together, found[NOT_SHOWN,])


def learn_crossed(system: System, shown: Shown, cells: list[tuple[str, ...]]) -> None:
    """What the crossed table tells: of a group that is split, every cell, those that it does not list being empty."""
    found = shown.counts("age-by-profession")
    listed = [set(shown.counts(f"interviewees-by-{trait}")) for trait in ("profession", "age")]

    def block(cell: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(label if (label,) in known else NOT_SHOWN for label, known in zip(cell, listed, strict=True))

    for profession in {key[0] for key in found}:
        if [key for key in found if key[0] == profession] != [(profession, NOT_SHOWN)]:
            for key in {block(cell) for cell in cells if block(cell)[0] == profession}:
                system.learn([cell for cell in cells if block(cell) == key], found.get(key, 0))


def test_no_small_cell_can_be_recovered_from_a_whole_book(tmp_path: Path):
    tried, published = Counter[int](), Counter[str]()
    for seed in range(SEEDS):
        people, minimum = crowd(seed), (3, 5)[seed % 2]
        folder = written(tmp_path / f"{seed}", people, undescribed=seed % 3 * 4)
        shown = run_cells(folder, *(COUNTING if seed else CHAPTERS), minimum_cell=minimum, drawn=seed == 0)
        attacked = list(attack(shown, truth_of(people), minimum))
        assert not [(seed, *cell) for *cell, withstood in attacked if not withstood]
        tried[minimum] += len(attacked)
        published += Counter(name for name, each in shown.exhibits.items() if each["rows"])
        says_nothing_of_one(shown, minimum)
    assert min(tried.values()) > 15 * SEEDS / 2
    attacked_once = {*BY_ONE, "age-by-profession", "route-map"}
    assert attacked_once <= set(published), "an exhibit that is never published was never attacked"


def says_nothing_of_one(shown: Shown, minimum: int) -> None:
    """No small count and no identifier in tables, charts and sentences; no list of people; tables that add up."""
    assert not re.search(r"\bi\d\d\b", json.dumps(shown.exhibits) + json.dumps(shown.glued))
    for each in [shown[name] for name in ONE_BY_ONE if name in shown.exhibits]:
        assert not each["rows"]
        assert not each["view"]["rows"]
        assert not each["chart"]
        assert each["finding"] in (promise(minimum), "There is one coding.", "This edition has no table statements, so there is nothing to count.")
    totals = set()
    for name in (*BY_ONE, "age-by-profession"):
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
    """Only small rows joined, only small pairs joined: totals and margins give them back, and the attack sees it."""

    def careless(sizes: dict[str, int], minimum: int) -> set[str]:
        return {label for label, n in sizes.items() if 0 < n < minimum}

    def forgetful(cells: dict[str, dict[str, int]], minimum: int) -> set[str]:
        return {group for group, row in cells.items() if any(0 < n < minimum for n in row.values())}

    cells = {"driver": {"20": 5, "30": 1}, "nurse": {"20": 3, "30": 3}, "baker": {"20": 4, "30": 4}}
    rows = [(profession, age) for profession, ages in cells.items() for age, n in ages.items() for _ in range(n)]
    simple = [{**dict.fromkeys(TRAITS, ""), "profession": profession, "age": age} for profession, age in rows]
    monkeypatch.setattr(disclosure, "unsplit", forgetful)
    assert "age-by-profession" in recovered(written(tmp_path / "simple", simple), simple, "interviewees")
    monkeypatch.setattr(disclosure, "hidden", careless)
    folder = written(tmp_path / "crowd", crowd(1))
    assert {"interviewees-by-age", "nights-waited"} <= recovered(folder, crowd(1), "interviewees", "routes")


def recovered(folder: Path, people: list[dict[str, str]], *chapters: str) -> set[str]:
    shown = run_cells(folder, *chapters, minimum_cell=3, drawn=False)
    return {name for name, _, withstood in attack(shown, truth_of(people), 3) if not withstood}


def distributions(people: int, cells: int) -> Iterator[tuple[int, ...]]:
    """Every way in which so many people can be in so many cells."""
    if cells == 1:
        yield (people,)
        return
    for first in range(people + 1):
        yield from ((first, *rest) for rest in distributions(people - first, cells - 1))


@pytest.mark.parametrize("minimum", [2, 3, 5])
def test_who_knows_the_rule_does_not_learn_a_hidden_number_either(minimum: int):
    """Of all distributions that the rule prints alike, no two small cells agree in every one."""
    labels = ("a", "b", "c", NOT_STATED)
    for people in range(1, 13):
        alike: dict[object, list[tuple[int, ...]]] = {}
        for spread in distributions(people, len(labels)):
            sizes = dict(zip(labels, spread, strict=True))
            try:
                joined = hidden(sizes, minimum)
                if joined >= set(labels[:3]):
                    raise Withheld
                seen: object = (frozenset(joined), tuple(n for label, n in sizes.items() if label not in joined))
            except Withheld:
                seen = None
            alike.setdefault(seen, []).append(spread)
        for spreads in alike.values():
            for at in zip(*spreads, strict=True):
                assert len(set(at)) > 1 or not 0 < at[0] < minimum, spreads


def test_no_more_rows_are_hidden_than_must_be():
    """Small rows that hide each other stay among themselves; else the next larger row joins them, and none besides."""
    assert hidden({"a": 9, "b": 8, "c": 2, "d": 1, NOT_STATED: 0}, 3) == {"c", "d", NOT_STATED}
    assert hidden({"a": 9, "b": 8, "c": 2, NOT_STATED: 7}, 3) == {"c", NOT_STATED}


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
            chapters = COUNTING if changed else ("interviewees", "summary")
            one, other = (
                run_cells(written(tmp_path / "edition", each), *chapters, minimum_cell=3) for each in (people, others)
            )
            assert [name for name in one.exhibits if one[name] != other[name]] == []
            assert one.glued == other.glued
            changed += 1
    assert changed == 2


def test_where_no_cell_is_small_only_identifiers_go(tmp_path: Path):
    people = [dict(one) for one in crowd(3)[:4] for _ in range(8)]
    folder = written(tmp_path / "even", people)
    plain, kept = (run_cells(folder, "interviewees", "destinations", minimum_cell=n, drawn=False) for n in (0, 5))
    for name in ("age-by-profession", "interviewees-by-age", "interviewees-by-profession", "interviewees-by-intention"):
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
