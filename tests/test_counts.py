"""Properties of counting: nobody invented, nobody lost, the same on every engine, whatever the data."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import altair as alt
import duckdb
import narwhals as nw
import pandas as pd
import pytest
from cells import Shown, run_cells
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from analysis.charts import MARKS_UP_TO, people_chart
from analysis.counts import LISTED_UP_TO, complete, count_by, list_people
from analysis.disclosure import NO_BAND, NOT_DESCRIBED, NOT_STATED
from analysis.editions import Edition, open_edition
from analysis.figures import bounds
from analysis.journeys import departures, stops
from analysis.labels import age_band, age_bands_of, age_limits, join_stops, place_names
from parabook.errors import InputError

settings.register_profile("quick", max_examples=25, deadline=None, derandomize=True)
settings.load_profile("quick")

whole_chapters = settings(max_examples=3, phases=[Phase.generate])
"""Each example takes long: a failing one is not made smaller."""

CHAPTERS = ("summary", "interviewees", "routes", "destinations")
OF_PEOPLE = (
    "interviewees-by-age", "interviewees-by-profession", "age-by-profession", "interviewees-by-route",
    "nights-waited", "days-to-border", "interviewees-by-intention",
)  # fmt: skip
PLACES = [("a", "Ay", "RUS"), ("b", "Be", "KAZ"), ("c", "Ce", "KAZ")]
LEVELS = ("label", "major", "sub-major")

ages = st.one_of(st.none(), st.tuples(st.integers(0, 90), st.integers(0, 20)).map(lambda pair: (pair[0], sum(pair))))
stop = st.sampled_from([None, "a", "b", "c"])
person = st.fixed_dictionaries({
    "counted": st.sampled_from(["yes", "yes", "unclear", "no"]),
    "age": ages,
    "profession": st.sampled_from([None, "student", "lawyer", "blogger", "x|y, z"]),
    "isco08": st.sampled_from([None, "2611", "264", "2", "9"]),
    "legs": st.lists(
        st.tuples(st.sampled_from(["made", "made", "intended"]), stop, stop, st.sampled_from([None, "air", "rail"]),
                  st.sampled_from([None, "2022-09-23", "2022-10-30"]), st.sampled_from([None, 0, 1, 3])),
        max_size=4,
    ),
})  # fmt: skip
people = st.lists(person, max_size=12)
crowds = st.lists(person, min_size=9, max_size=14)


def frame(rows: list[tuple[Any, ...]], columns: str, *numbers: str) -> pd.DataFrame:
    """A table as the loader types it."""
    made = pd.DataFrame(rows, columns=columns.split())
    return made.astype({name: "Int64" if name in numbers else "str" for name in made})


def in_pandas(table: pd.DataFrame) -> nw.LazyFrame[Any]:
    return nw.from_native(table).lazy()


def in_duckdb(table: pd.DataFrame) -> nw.LazyFrame[Any]:
    kinds = {name: "BIGINT" if str(kind) == "Int64" else "VARCHAR" for name, kind in table.dtypes.items()}
    columns = ", ".join(f'CAST("{name}" AS {kind}) AS "{name}"' for name, kind in kinds.items())
    plain = table.astype(object).where(table.notna(), None)  # noqa: F841, DuckDB finds it by name
    return nw.from_native(duckdb.sql(f"SELECT {columns} FROM plain")).lazy()


@functools.cache
def oral() -> Edition:
    return open_edition("oral-2022")


def book_of(
    data: list[dict[str, Any]], missing: int | None = 0, move: Callable[..., Any] = in_pandas, seed: int | None = None
) -> Edition:
    """An edition of these people and as many not described; with a seed, its rows in another order."""
    who = [
        (f"i{n:02}", one["counted"], *(one["age"] or (None, None)), None, one["profession"], one["isco08"])
        for n, one in enumerate(data)
    ]
    legs = [(f"i{n:02}", at, *leg) for n, one in enumerate(data) for at, leg in enumerate(one["legs"], 1)]
    tables = {
        "interviewees": frame(who, "interviewee counted age_min age_max gender profession isco08", "age_min", "age_max"),
        "legs": frame(legs, "interviewee leg status from_place to_place mode departed nights_waited", "leg", "nights_waited"),
        "places": frame(PLACES, "place name country").assign(latitude="", longitude="", precision="city"),
    }  # fmt: skip
    if seed is not None:
        tables = {name: table.sample(frac=1, random_state=seed) for name, table in tables.items()}
    counted = sum(one["counted"] == "yes" for one in data)
    report = replace(oral().report, declared_interviewees=None if missing is None else counted + missing)
    path = oral().path.parent / "a crowd"  # where no story is
    return replace(oral(), path=path, tables={name: move(table) for name, table in tables.items()}, report=report)


def shown_of(*given: Any, **named: Any) -> Shown:
    return run_cells(book_of(*given, **named), *CHAPTERS, drawn=False, profession_level="major", route_level="country")


@settings(whole_chapters)
@given(crowds, st.integers(0, 5))
def test_every_table_adds_up_to_the_declared_number(data, missing):
    shown = shown_of(data, missing)
    counted = [f"i{n:02}" for n, one in enumerate(data) if one["counted"] == "yes"]
    for name in OF_PEOPLE:
        if shown[name]["absent"]:  # of few people age and occupation are on their cards
            assert name == "age-by-profession"
            continue
        counts = shown.counts(name)
        assert sum(counts.values()) == len(counted) + missing, name
        assert sum(n for labels, n in counts.items() if NOT_DESCRIBED in labels) == missing, name
        assert min(counts.values(), default=0) >= 0
        behind = shown.behind(name) if counted else []
        assert sorted(key for keys in behind for key in keys) == counted, name
        for (labels, n), keys in zip(counts.items(), behind, strict=False):
            assert len(keys) == (0 if NOT_DESCRIBED in labels else n)


@settings(whole_chapters, max_examples=1)
@given(crowds, st.integers(0, 99))
def test_the_order_of_rows_changes_nothing(data, seed):
    assert shown_of(data, 3).exhibits == shown_of(data, 3, seed=seed).exhibits


@settings(whole_chapters, max_examples=1)
@given(crowds)
def test_pandas_and_duckdb_count_the_same(data):
    one, other = shown_of(data, 3), shown_of(data, 3, move=in_duckdb)
    for name in (*OF_PEOPLE, "legs-by-mode", "route-map"):
        assert one[name] == other[name]


def by_age(book: Edition, edges: str) -> pd.DataFrame:
    groups = count_by(book.interviewees, "age_min", "age_max")
    groups["age"] = [age_band(low, high, edges) for low, high in zip(groups["age_min"], groups["age_max"], strict=True)]
    return complete(groups, "age", book, rows=age_bands_of(edges))


@given(people)
def test_a_band_holds_only_whole_ranges_and_without_a_declared_number_nobody_is_not_described(data):
    table = by_age(book_of(data, None), "18,25,35,45")
    assert NOT_DESCRIBED not in set(table["state"])
    limits = {label: (low, high) for low, high, label in age_limits("18,25,35,45")}
    for label, keys in zip(table["age"], table["who"], strict=True):
        for low, high in [data[int(key[1:])]["age"] or (-1, -1) for key in keys]:
            fits = [band for band, (least, most) in limits.items() if least <= low and high <= most]
            assert fits == ([] if label in (NOT_STATED, NO_BAND) else [label])
            assert (label == NO_BAND) == (low >= 0 and not fits)


@settings(max_examples=5)
@given(people, st.integers(0, 60))
def test_every_table_can_be_drawn(data, missing):
    table = by_age(book_of(data, missing), "18,25")
    chart = people_chart(table, "age")
    stated = table[(table["state"] == "stated") & (table["interviewees"] > 0)]
    few = len(stated) < 2 or stated["interviewees"].sum() < 5
    assert (chart is None) == few, "one known label, or fewer than five known people, are a sentence"
    if chart is not None:
        drawn = chart.to_dict()  # held against the schema of Vega-Lite
        alt.Chart.from_dict(drawn)
        total = int(stated["interviewees"].sum())
        assert total > MARKS_UP_TO or total in map(len, drawn["datasets"].values()), "a mark a person"
        assert "who" not in str(drawn["datasets"])


def test_of_a_person_each_leg_counts_and_of_those_not_counted_none():
    leg = ("made", "a", "b", "air", None, None)
    one = {"counted": "yes", "age": None, "profession": None, "isco08": None, "legs": [leg, leg]}
    shown = run_cells(book_of([one, {**one, "counted": "no"}], 4), "summary", "routes", drawn=False)
    assert shown.counts("legs-by-mode") == {("air",): 2}, "of those counted, and nobody is not described"
    assert shown.counts("route-map") == {("Ay", "Be", "made"): 1}, "of people, who went there once or more"


@pytest.mark.parametrize("edges", ["", "a", "25,18", "18,18", "0,5", "18;25", "18,500"])
def test_edges_that_make_no_bands_are_refused(edges):
    with pytest.raises(InputError, match="age_bands"):
        age_limits(edges)


def journey(*legs: tuple[Any, ...]) -> Edition:
    return book_of([{"counted": "yes", "age": None, "profession": None, "isco08": None, "legs": legs}])


def test_a_route_keeps_a_gap_and_merges_a_country():
    """From nowhere named to one place, on from another; a further leg starts where the last did not end."""
    end = (None, None, None)
    book = journey(
        ("made", "a", None, *end), ("made", None, "b", *end), ("intended", "b", "a", *end), ("made", "b", "c", *end)
    )
    (way,) = count_by(stops(book), *stops(book).columns[1:]).filter(like="stop_").itertuples(index=False)
    assert join_stops(way, place_names(book.places, "place")) == "Ay → … → Be → Ce"
    assert join_stops(way, place_names(book.places, "country")) == "Russia → … → Kazakhstan"


def test_days_end_at_the_border():
    """A leg after the crossing, and its date and nights, say nothing of when the border was crossed."""
    book = journey(("made", "a", "b", None, "2022-09-23", 1), ("made", "b", "c", None, "2022-10-30", 3))
    assert list_people(book, departures(book)).values.tolist() == [["i00", "2022-09-23", 1]]
    assert run_cells(book, "routes", drawn=False).counts("days-to-border")["3 or more",] == 1


def test_more_people_than_are_listed_are_counted_without_their_names():
    one = {"counted": "yes", "age": (20, 20), "profession": None, "isco08": None, "legs": []}
    book = book_of([one] * (LISTED_UP_TO + 1))
    table = by_age(book, "18")
    assert table[["interviewees", "who"]].values.tolist()[1] == [LISTED_UP_TO + 1, ()]
    assert list_people(book).empty
    assert "not portrayed one by one" in run_cells(book, "interviewees", drawn=False)["people"]["finding"]


def test_open_ends_are_drawn_open():
    row = {"destination": "A", "window_start": "", "window_end": "", "stated_by": ""}
    figures = pd.DataFrame([
        {**row, "figure": "f1", "measure": "entries", "low": "", "high": "10", "quantifier": "nearly and counting"},
        {**row, "figure": "f2", "measure": "entries", "low": "5", "high": "", "quantifier": "more than"},
        {**row, "figure": "f3", "measure": "exits", "low": "5", "high": "7", "quantifier": "about"},
    ])  # fmt: skip
    assert bounds(figures)[["from", "to", "open below", "open above"]].values.tolist() == [
        [10, 10, True, True], [5, 5, False, True], [5, 7, False, False],
    ]  # fmt: skip
