"""Small groups stay hidden: attacks on whole books by somebody who holds all that is printed, and the rule itself."""

from __future__ import annotations

import ast
import csv
import itertools
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from analysis.edition import examine, load
from analysis.exhibit import Exhibit
from analysis.tabulate import NOT_DESCRIBED, NOT_SHOWN, NOT_STATED, Counts
from conftest import ROOT, run

from analysis import charts, privacy, report
from parabook.errors import InputError

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
    "legs-by-mode",
)
"""The exhibits that count people by one trait under protection."""
ONE_BY_ONE = ("interviewees-described", "one-by-one", "timeline", "people-not-counted")
MINIMA = (3, 5)
SEEDS = 6

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
        patch.setattr(
            report, "load", lambda *given: read if given == (str(folder), minimum) else pytest.fail(str(given))
        )
        patch.setattr(report, "show", show)
        patch.setattr(report, "glue", sentences.update)
        for name in () if drawn else ("tallied", "followed", "spans", "timeline", "route_map"):
            patch.setattr(charts, name, lambda *given, **named: {})
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
        return any(
            self._solved(sums, {**bounds, each: (n, n)}) for n in range(bounds[each][1], bounds[each][0] - 1, -1)
        )


Attack = tuple[str, tuple[str, ...], bool]
Truth = dict[str, dict[tuple[str, ...], int]]


def attack(shown: dict[str, Any], truth: Truth, minimum: int, *joint: str) -> Iterator[Attack]:
    """Every small cell that the tables hold without protection, and whether it withstands the book.

    It withstands when it may hold ``minimum`` people and more, and what it may hold spans ``minimum`` at least; a row
    by one trait may besides be empty. The attacker is told which labels there are. What one table tells can bind the
    others through the people they share: of profession and age, and of the further traits that are ``joint``.
    """
    system = System()
    traits = [f"interviewees-by-{trait}" for trait in ("profession", "age", *joint)]
    labels = [[key for (key,) in truth[name]] for name in traits]
    cells = list(itertools.product(*labels))
    described = sum(truth["interviewees-by-age"].values())
    system.learn(cells, described)
    by: dict[str, dict[str, list[Any]]] = {}
    for at, name in enumerate(traits):
        by[name] = {label: [cell for cell in cells if cell[at] == label] for label in labels[at]}
        _learn_one(system, shown[name], by[name])
    _learn_crossed(system, shown, cells)
    for name in BY_ONE:
        asked, behind = system, by.get(name)
        if behind is None:  # alone: it shares but the number of all
            asked, behind = System(), {key: [key] for (key,) in truth[name]}
            asked.learn(behind, described)
            _learn_one(asked, shown[name], behind)
        for (label,), n in truth[name].items():
            if 0 < n < minimum:
                yield name, (label,), all(asked.possible(behind[label], m) for m in (0, minimum))
    for pair, n in truth["age-by-profession"].items():
        if 0 < n < minimum:
            at = [cell for cell in cells if cell[:2] == pair]
            least = next(m for m in range(n + 1) if system.possible(at, m))
            yield "age-by-profession", pair, system.possible(at, max(minimum, least + minimum))


def _learn_one(system: System, exhibit: dict[str, Any], behind: dict[str, list[Any]]) -> None:
    """What a table by one trait tells: each row, and what the rows not shown apart hold together."""
    found = table(exhibit)
    for label, cells in behind.items():
        if (label,) in found:
            system.learn(cells, found[label,])
    if (NOT_SHOWN,) in found:
        together = [cell for label in behind if (label,) not in found for cell in behind[label]]
        system.learn(together, found[NOT_SHOWN,])


def _learn_crossed(system: System, shown: dict[str, Any], cells: list[tuple[str, ...]]) -> None:
    """What the crossed table tells: of a group that is split, every cell, those that it does not list being empty."""
    found = table(shown["age-by-profession"])
    listed = [set(table(shown[f"interviewees-by-{trait}"])) for trait in ("profession", "age")]

    def block(cell: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(label if (label,) in known else NOT_SHOWN for label, known in zip(cell, listed, strict=False))

    for profession in {key[0] for key in found}:
        if [key for key in found if key[0] == profession] != [(profession, NOT_SHOWN)]:
            for key in {block(cell) for cell in cells if block(cell)[0] == profession}:
                system.learn([cell for cell in cells if block(cell) == key], found.get(key, 0))


def unprotected(folder: Path) -> Truth:
    """The tables of an edition as they are without protection, without those not described; people by mode too."""
    shown, _ = printed(folder, 0)
    truth = {name: table(shown[name]) for name in (*BY_ONE, "age-by-profession") if name != "legs-by-mode"}
    with (folder / "legs.csv").open(encoding="utf-8") as file:
        modes = {row["interviewee"]: row["mode"] for row in csv.DictReader(file) if row["status"] == "made"}
    with (folder / "interviewees.csv").open(encoding="utf-8") as file:
        people = [modes.get(row["interviewee"]) or NOT_STATED for row in csv.DictReader(file)]
    truth["legs-by-mode"] = {(mode,): n for mode, n in Counter(people).items()}
    return {name: {key: n for key, n in rows.items() if NOT_DESCRIBED not in key} for name, rows in truth.items()}


def test_no_small_cell_can_be_recovered_from_a_whole_book(tmp_path: Path):
    tried, published = dict.fromkeys(MINIMA, 0), dict.fromkeys((*BY_ONE, "age-by-profession", "route-map"), 0)
    for seed in range(SEEDS):
        folder = written(tmp_path / f"{seed}", crowd(seed), undescribed=seed % 3 * 4)
        truth = unprotected(folder)
        for minimum in MINIMA:
            shown, sentences = printed(folder, minimum, drawn=seed == 0)
            attacked = list(attack(shown, truth, minimum))
            assert not [(seed, *cell) for *cell, withstood in attacked if not withstood]
            tried[minimum] += len(attacked)
            for name in published:
                published[name] += bool(table(shown[name]))
            says_nothing_of_one(shown, sentences, minimum)
    assert min(tried.values()) > 15 * SEEDS
    assert all(published.values()), "an exhibit that is never published was never attacked"


def says_nothing_of_one(shown: dict[str, Any], sentences: dict[str, str], minimum: int) -> None:
    """No small count and no identifier in tables, charts and sentences; no list of people; tables that add up."""
    assert not re.search(r"\bi\d\d\b", json.dumps(shown) + json.dumps(sentences))
    for name in (*ONE_BY_ONE, "agreement", "inputs"):
        assert not shown[name]["rows"]
        assert not shown[name]["chart"]
        assert shown[name]["description"] in (privacy.promise(minimum), "There is one coding.")
    totals = set()
    for name in (*BY_ONE, "age-by-profession"):
        rows = table(shown[name])
        assert all(n == 0 or n >= minimum for key, n in rows.items() if NOT_DESCRIBED not in key)
        totals |= {sum(rows.values())} if rows else set()
        told = [shown[name]["description"], *shown[name]["notes"]]
        of_people = [n.replace(",", "") for text in told for n in re.findall(r"\((\d[\d,]*)\)", text)]
        assert set(map(int, of_people)) <= set(rows.values())
        drawn = [row for data in ((shown[name]["chart"] or {}).get("datasets") or {}).values() for row in data]
        assert {row["count"] for row in drawn if "count" in row} <= set(rows.values())
    assert len(totals) <= 1
    routes = {key[0]: n for key, n in table(shown["interviewees-by-route"]).items()}
    for (start, end, status), n in table(shown["route-map"]).items():
        assert status == "made"
        assert n == sum(m for route, m in routes.items() if f"{start} → {end}" in route), "a map of the routes shown"


def test_the_attack_finds_what_careless_protection_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Only small rows joined, only small pairs joined: totals and margins give them back, and the attack sees it."""

    def careless(sizes: dict[str, int], minimum: int) -> set[str]:
        return {label for label, n in sizes.items() if 0 < n < minimum}

    def forgetful(cells: dict[str, dict[str, int]], minimum: int) -> set[str]:
        return {group for group, row in cells.items() if any(0 < n < minimum for n in row.values())}

    cells = {"driver": {"20": 5, "30": 1}, "nurse": {"20": 3, "30": 3}, "baker": {"20": 4, "30": 4}}
    rows = [(profession, age) for profession, ages in cells.items() for age, n in ages.items() for _ in range(n)]
    simple = [{**dict.fromkeys(TRAITS, ""), "profession": profession, "age": age} for profession, age in rows]
    found = set()
    for people in (simple, crowd(0), crowd(1)):
        folder = written(tmp_path / "edition", people)
        truth = unprotected(folder)
        for name in ("hidden", "_unsplit"):
            with monkeypatch.context() as patch:
                patch.setattr(privacy, "_unsplit", forgetful)
                if name == "hidden":
                    patch.setattr(privacy, "hidden", careless)
                shown, _ = printed(folder, 3)
            found |= {(name, exhibit) for exhibit, _, withstood in attack(shown, truth, 3) if not withstood}
    assert {("hidden", "interviewees-by-age"), ("hidden", "nights-waited"), ("_unsplit", "age-by-profession")} <= found


def distributions(people: int, cells: int) -> Iterator[tuple[int, ...]]:
    """Every way in which so many people can be in so many cells."""
    if cells == 1:
        yield (people,)
        return
    for first in range(people + 1):
        yield from ((first, *rest) for rest in distributions(people - first, cells - 1))


@pytest.mark.parametrize("minimum", [2, *MINIMA])
def test_who_knows_the_rule_does_not_learn_a_hidden_number_either(minimum: int):
    """Of all distributions that the rule prints alike, no two small cells agree in every one."""
    labels = ("a", "b", "c", NOT_STATED)
    for people in range(1, 15):
        alike: dict[object, list[tuple[int, ...]]] = {}
        for spread in distributions(people, len(labels)):
            sizes = dict(zip(labels, spread, strict=True))
            try:
                joined = privacy.hidden(sizes, minimum)
                if joined >= set(labels[:3]):
                    raise privacy.Withheld
                seen: object = (frozenset(joined), tuple(n for label, n in sizes.items() if label not in joined))
            except privacy.Withheld:
                seen = None
            alike.setdefault(seen, []).append(spread)
        for spreads in alike.values():
            for at in zip(*spreads, strict=True):
                assert len(set(at)) > 1 or not 0 < at[0] < minimum, spreads


def test_other_people_in_the_small_rows_make_the_very_same_book(tmp_path: Path):
    """Two hidden labels exchanged: tables, charts, sentences, downloads are the same to the byte, so tell neither."""
    changed = 0
    for seed in range(4):
        people = crowd(seed)
        before = printed(written(tmp_path / "edition", people), 3, drawn=True)
        shown = table(before[0]["interviewees-by-profession"])
        sizes = Counter(one["profession"] for one in people if one["profession"])
        small = sorted((label for label in sizes if (label,) not in shown), key=lambda label: sizes[label])
        if len(small) > 1 and sizes[small[0]] != sizes[small[-1]]:
            swap = {small[0]: small[-1], small[-1]: small[0]}
            others = [{**one, "profession": swap.get(one["profession"], one["profession"])} for one in people]
            after = printed(written(tmp_path / "edition", others), 3, drawn=True)
            assert [name for name in before[0] if before[0][name] != after[0][name]] == []
            assert before == after
            changed += 1
    assert changed > 1


def test_without_a_minimum_nothing_is_held_back():
    """The first edition, whose source everybody can read, lists its eight people and every small count."""
    edition = load("oral-2022")
    assert edition.report.minimum_cell == 1
    assert report.interviewees_by_age(edition, "18,25").frame["interviewees"].tolist() == [0, 4, 2, 2, 9]
    assert len(report.people(edition).frame) == 8
    whole = Counts(pd.DataFrame({"age": ["18–24"], "interviewees": [1]}), ("stated",), (("i01",),))
    assert privacy.protected(whole, 1) is whole


def test_where_no_cell_is_small_only_identifiers_go(tmp_path: Path):
    people = [dict(one) for one in crowd(3)[:4] for _ in range(5)]
    folder = written(tmp_path / "even", people)
    plain, kept = (printed(folder, minimum)[0] for minimum in (0, 5))
    for name in ("age-by-profession", *BY_ONE[:-1]):
        assert kept[name]["rows"] == plain[name]["rows"]
        assert kept[name]["description"] == plain[name]["description"]


@pytest.mark.parametrize("own", [1, 5])
def test_a_parameter_raises_the_number_of_the_edition_and_never_lowers_it(tmp_path: Path, own: int):
    folder = written(tmp_path / "own", crowd(1), minimum_cell=own)
    assert load(folder).report.minimum_cell == own
    assert load(folder, 7).report.minimum_cell == 7
    if own == 1:
        return
    with pytest.raises(InputError) as caught:
        load(folder, 3)
    assert str(caught.value) == "parameter minimum_cell: found 3, needed 5 or more, or 0; 5 is the edition's own number"
    done = run("build", folder, "-p", "minimum_cell=3", "--out", tmp_path / "out", code=2)
    assert done.stderr.splitlines() == [str(caught.value)]
    assert not (tmp_path / "out").exists()


def test_people_who_are_alone_are_one_doubt(tmp_path: Path):
    people = [{**crowd(1)[0], "age": "20", "profession": "nurse"} for _ in range(30)]
    for n in (4, 9):
        people[n] = {**people[n], "age": f"{30 + n}"}
    folder = written(tmp_path / "lone", people)
    done = run("check", folder)
    (warning,) = done.stderr.splitlines()
    assert warning.startswith("warning: ")
    assert "interviewees.csv: found 2 rows that are alone in age, gender and profession (row 6, 11), needed" in warning
    for said in ({"minimum_cell": 3}, {"public_source": True}):
        assert not examine(written(folder, people, **said))[1]
    everybody = written(folder, [{**people[0], "age": str(20 + n)} for n in range(30)])
    (problem,) = examine(everybody)[1]
    assert "30 rows that are alone" in str(problem)
    assert "20, 21 and 10 more)" in str(problem)


def test_the_same_people_are_alone_in_parquet(tmp_path: Path):
    import duckdb

    folder = written(tmp_path / "lone", crowd(2))
    (before,) = examine(folder)[1]
    for name in ("interviewees", "legs", "places"):
        csv_file = folder / f"{name}.csv"
        duckdb.sql(f"SELECT * FROM read_csv('{csv_file}', all_varchar=true)").write_parquet(
            str(folder / f"{name}.parquet")
        )
        csv_file.unlink()
    package = (folder / "datapackage.json").read_text(encoding="utf-8")
    (folder / "datapackage.json").write_text(package.replace(".csv", ".parquet"), encoding="utf-8")
    after = [problem for problem in examine(folder)[1] if "alone" in problem.found]
    assert [problem.found for problem in after] == [before.found]


def test_a_codebook_that_names_somebody_is_a_doubt_where_people_are_hidden(tmp_path: Path):
    folder = written(tmp_path / "named", crowd(1), minimum_cell=3)
    (folder / "codebook.md").write_text("Rules.\n\nThe profession of i02 is as told, not i999.\n", encoding="utf-8")
    (warning,) = examine(folder)[1]
    assert warning.warning
    assert (warning.row, warning.found) == (3, "'i02'")


@pytest.mark.parametrize("wrong", ["yes", 1, None])
def test_whether_the_source_is_public_is_true_or_false(tmp_path: Path, wrong: object):
    problems = examine(written(tmp_path / "wrong", crowd(1), public_source=wrong))[1]
    assert [problem.column for problem in problems if not problem.warning] == ["report.public_source"]
