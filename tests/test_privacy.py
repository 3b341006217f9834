"""Small groups stay hidden: attacks on whole books by somebody who holds all that is printed, and the rule itself."""

from __future__ import annotations

import ast
import csv
import itertools
import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import ROOT, run

from analysis import charts, privacy, report
from analysis.edition import examine, load
from analysis.exhibit import Exhibit
from analysis.faults import BadInput
from analysis.tabulate import NOT_DESCRIBED, NOT_SHOWN, NOT_STATED, Counts

TRAITS: dict[str, tuple[str, ...]] = {
    "age": ("17", "20", "24", "30", "40", "50", ""),
    "profession": ("lawyer", "nurse", "poet", "driver", "baker", "student", ""),
    "route": ("a c", "a b c", "b c", "b d", ""),
    "mode": ("air", "rail", "road", ""),
    "nights": ("1", "2", "3", ""),
    "departed": ("2022-09-22", "2022-09-24", ""),
    "onward": ("c", "d", ""),
}
PLACES = {"a": ("Ay", "RUS"), "b": ("Be", "RUS"), "c": ("Ce", "KAZ"), "d": ("De", "GEO")}
BY_ONE = (
    "interviewees-by-age",
    "interviewees-by-profession",
    "interviewees-by-route",
    "interviewees-by-intention",
    "nights-waited",
    "days-to-border",
)
"""The exhibits that count people by one trait with and without protection."""
ONE_BY_ONE = ("interviewees-described", "one-by-one", "timeline", "people-not-counted")
PRINTS_NO_COUNT = ("rules", "versions", "parameters", "evidence-report")
MINIMA = (3, 5)

Person = dict[str, str]


def crowd(seed: int) -> list[Person]:
    """From 8 to 60 people whose traits are few, some of them common and some rare."""
    draw = random.Random(seed)
    known = {name: draw.sample(values, len(values)) for name, values in TRAITS.items()}
    falls = {name: draw.choice([1.0, 1.5, 2.5]) for name in TRAITS}
    return [
        {name: draw.choices(known[name], [falls[name] ** -n for n in range(len(known[name]))])[0] for name in TRAITS}
        for _ in range(draw.randint(8, 60))
    ]


def written(folder: Path, people: list[Person], undescribed: int = 4, **said: Any) -> Path:
    """An edition of these people."""
    folder.mkdir(exist_ok=True)
    who = [(f"i{n:02}", "yes", one["age"], one["age"], "", one["profession"], "") for n, one in enumerate(people, 1)]
    legs = []
    for n, one in enumerate(people, 1):
        stops = one["route"].split()
        made = list(itertools.pairwise(stops))
        for at, (start, end) in enumerate(made, 1):
            first = at == 1
            legs.append(
                (f"i{n:02}", at, "made", start, end, one["mode"], one["departed"] * first, one["nights"] * first)
            )
        if one["onward"]:
            legs.append((f"i{n:02}", len(made) + 1, "intended", "", one["onward"], "", "", ""))
    tables = {
        "interviewees": ("interviewee counted age_min age_max gender profession isco08", who),
        "legs": ("interviewee leg status from_place to_place mode departed nights_waited", legs),
        "places": (
            "place name country latitude longitude precision",
            [(key, *place, 50, 40 + 5 * n, "city") for n, (key, place) in enumerate(PLACES.items())],
        ),
    }
    for name, (columns, rows) in tables.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([columns.split(), *rows])
    event = {"title": "the event", "date": "2022-09-21"}
    told = {"declared_interviewees": len(people) + undescribed, "reference_event": event, **said}
    package = {"name": "crowd", "title": "A crowd", "report": told}
    package["resources"] = [{"name": name, "path": f"{name}.csv"} for name in tables]
    (folder / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    return folder


def printed(folder: Path, minimum: int, *, drawn: bool = False) -> tuple[dict[str, Any], dict[str, str]]:
    """All that a book prints of an edition: every exhibit by its id, and every sentence, as its chapters make them.

    Charts take most of the time, and are left out unless ``drawn``.
    """
    shown: dict[str, Any] = {}
    sentences: dict[str, str] = {}
    read = load(folder, minimum)

    def show(*exhibits: object) -> None:
        shown.update({each.id: each.as_json() for each in exhibits if isinstance(each, Exhibit)})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "load", lambda *given: read if given == (str(folder), minimum) else pytest.fail())
        patch.setattr(report, "show", show)
        patch.setattr(report, "glue", sentences.update)
        for name in () if drawn else ("tallied", "followed", "spans", "timeline", "route_map"):
            patch.setattr(charts, name, lambda *given, **named: None)
        for chapter in sorted((ROOT / "chapters").glob("*.ipynb")):
            if "minimum_cell" in chapter.read_text(encoding="utf-8"):  # the others count nobody
                _run_cells(chapter, {"edition": str(folder), "minimum_cell": minimum}, show)
    return shown, sentences


def _run_cells(chapter: Path, given: dict[str, Any], show: Callable[[object], None]) -> None:
    names: dict[str, Any] = {}
    for cell in json.loads(chapter.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            *before, last = ast.parse("".join(cell["source"])).body
            if not isinstance(last, ast.Expr):
                before.append(last)
            exec(compile(ast.Module(before, []), chapter.name, "exec"), names)
            if isinstance(last, ast.Expr):
                show(eval(compile(ast.Expression(last.value), chapter.name, "eval"), names))
            if "parameters" in cell["metadata"]["tags"]:
                names.update(given)


def table(exhibit: dict[str, Any]) -> dict[tuple[str, ...], int]:
    """The counts of an exhibit by label; none where it is withheld."""
    return {tuple(row[:-1]): row[-1] for row in exhibit["rows"]}


class System:
    """What an attacker knows: cells that hold people, whole numbers, and sums of some of them."""

    def __init__(self) -> None:
        self.sums: list[tuple[frozenset[Any], int]] = []

    def learn(self, cells: Any, total: int) -> None:
        self.sums.append((frozenset(cells), total))

    def possible(self, cell: Any, value: int) -> bool:
        """Whether some distribution of people agrees with everything and has ``value`` in ``cell``."""
        most = max(total for _, total in self.sums)
        bounds = {each: (0, most) for cells, _ in self.sums for each in cells}
        bounds.setdefault(cell, (0, most))
        bounds[cell] = (value, value)
        return self._solve(bounds)

    def _solve(self, bounds: dict[Any, tuple[int, int]]) -> bool:
        changed = True
        while changed:
            changed = False
            for cells, total in self.sums:
                low, high = (sum(bounds[each][end] for each in cells) for end in (0, 1))
                if not low <= total <= high:
                    return False
                for each in cells:
                    a, b = bounds[each]
                    tight = max(a, total - (high - b)), min(b, total - (low - a))
                    if tight[0] > tight[1]:
                        return False
                    if tight != (a, b):
                        low, high = low + tight[0] - a, high + tight[1] - b
                        bounds[each], changed = tight, True
        open_ = [each for each, (a, b) in bounds.items() if a < b]
        if not open_:
            return True
        each = min(open_, key=lambda cell: (bounds[cell][1] - bounds[cell][0], repr(cell)))
        a, b = bounds[each]
        return any(self._solve({**bounds, each: (n, n)}) for n in range(b, a - 1, -1))


def attack(shown: dict[str, Any], truth: dict[str, Any], minimum: int) -> Iterator[tuple[str, tuple[str, ...], bool]]:
    """Every small cell of the unprotected tables, and whether it withstands the printed book.

    The attacker is told which labels there are, and how many people each table counts.
    """
    described = sum(n for key, n in table(truth["interviewees-by-age"]).items() if key != (NOT_DESCRIBED,))
    for name in BY_ONE:
        system, found = System(), table(shown[name])
        labels = [key for key in table(truth[name]) if key != (NOT_DESCRIBED,)]
        system.learn(labels, described)
        _learn_one(system, found, labels, [(key,) for key in labels])
        for key in labels:
            if 0 < table(truth[name])[key] < minimum:
                yield name, key, system.possible(key, 0) and any(system.possible(key, minimum + n) for n in range(3))
    system = System()
    ages, professions = (table(truth[f"interviewees-by-{trait}"]) for trait in ("age", "profession"))
    pairs = [(p, a) for (p,) in professions for (a,) in ages if NOT_DESCRIBED not in (p, a)]
    system.learn(pairs, described)
    for at, name in ((1, "age"), (0, "profession")):
        labels = [key for key in table(truth[f"interviewees-by-{name}"]) if key != (NOT_DESCRIBED,)]
        groups = [[pair for pair in pairs if pair[at] == key[0]] for key in labels]
        _learn_one(system, table(shown[f"interviewees-by-{name}"]), labels, groups)
    _learn_crossed(system, shown, pairs)
    for pair, n in table(truth["age-by-profession"]).items():
        if 0 < n < minimum and NOT_DESCRIBED not in pair:
            least = next(m for m in range(n + 1) if system.possible(pair, m))
            most = next((m for m in range(minimum + least, described + 1) if system.possible(pair, m)), -1)
            yield "age-by-profession", pair, most >= minimum and most - least >= minimum


def _learn_one(system: System, found: dict[tuple[str, ...], int], labels: Any, groups: Any) -> None:
    """What a table by one trait tells: each row, and what the rows not shown apart hold together."""
    together: list[Any] = []
    for key, cells in zip(labels, groups, strict=True):
        if key in found:
            system.learn(cells, found[key])
        else:
            together += cells
    if (NOT_SHOWN,) in found:
        system.learn(together, found[NOT_SHOWN,])


def _learn_crossed(system: System, shown: dict[str, Any], pairs: list[tuple[str, str]]) -> None:
    """What the crossed table tells: of a group that is split, every cell, those that it does not list being empty."""
    found = {key: n for key, n in table(shown["age-by-profession"]).items() if NOT_DESCRIBED not in key}
    listed = [{key[0] for key in table(shown[f"interviewees-by-{trait}"])} for trait in ("profession", "age")]
    group = {
        pair: tuple(label if label in listed[at] else NOT_SHOWN for at, label in enumerate(pair)) for pair in pairs
    }
    for profession in {key[0] for key in found}:
        if [key for key in found if key[0] == profession] == [(profession, NOT_SHOWN)]:
            continue
        for block in {group[pair] for pair in pairs if group[pair][0] == profession}:
            system.learn([pair for pair in pairs if group[pair] == block], found.get(block, 0))


@pytest.mark.parametrize("minimum", MINIMA)
def test_no_small_cell_can_be_recovered_from_a_whole_book(tmp_path: Path, minimum: int):
    tried, kept = 0, {name: 0 for name in (*BY_ONE, "age-by-profession", "legs-by-mode", "route-map")}
    for seed in range(30):
        folder = written(tmp_path / f"{seed}", crowd(seed), undescribed=seed % 3 * 4)
        truth, _ = printed(folder, 1)
        shown, sentences = printed(folder, minimum)
        attacked = list(attack(shown, truth, minimum))
        tried += len(attacked)
        assert not [(seed, name, key) for name, key, withstood in attacked if not withstood]
        for name in kept:
            kept[name] += bool(table(shown[name]))
            assert all(n == 0 or n >= minimum for key, n in table(shown[name]).items() if key[0] != NOT_DESCRIBED)
        _says_nothing_of_one(shown, sentences, len(truth["interviewees-described"]["rows"]))
    print(minimum, tried, kept)
    assert tried > 500
    assert all(kept.values()), "each exhibit must be published now and then, or there was nothing to attack"


def _says_nothing_of_one(shown: dict[str, Any], sentences: dict[str, str], people: int) -> None:
    """No list of people, no identifier anywhere, tables that add up."""
    assert not re.search(r"\bi\d\d\b", json.dumps(shown) + json.dumps(sentences))
    for name in (*ONE_BY_ONE, "agreement", "inputs"):
        assert not shown[name]["rows"]
        assert not shown[name]["chart"]
        assert "Withheld" in shown[name]["description"]
    for name in (*BY_ONE, "age-by-profession", "legs-by-mode"):
        rows = table(shown[name])
        assert not rows or sum(n for key, n in rows.items() if key[0] != NOT_DESCRIBED) == people
        assert all(type(n) is int for n in rows.values())
