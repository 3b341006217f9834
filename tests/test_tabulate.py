"""Properties of counting: nobody invented, nobody lost, the same on every engine, whatever the data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import altair as alt
import duckdb
import narwhals as nw
import pandas as pd
import pytest
from analysis.tabulate import NOT_DESCRIBED, NOT_STATED
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import ValidationError

from analysis import charts, tabulate
from parabook.errors import InputError

settings.register_profile("quick", max_examples=25, deadline=None, derandomize=True)
settings.load_profile("quick")

APPROVED = Path(__file__).parent / "approved"

PLACES = {
    "a": {"name": "Ay", "country": "RUS"},
    "b": {"name": "Be", "country": "KAZ"},
    "c": {"name": "Ce", "country": "KAZ"},
}

ages = st.one_of(st.none(), st.tuples(st.integers(0, 90), st.integers(0, 20)).map(lambda pair: (pair[0], sum(pair))))
person = st.fixed_dictionaries({
    "counted": st.sampled_from(["yes", "yes", "unclear", "no"]),
    "age": ages,
    "profession": st.sampled_from([None, "student", "lawyer", "blogger", "x|y, z"]),
    "isco08": st.sampled_from([None, "2611", "264", "2", "9"]),
    "legs": st.lists(
        st.tuples(st.sampled_from(["made", "made", "intended"]), st.sampled_from([None, *PLACES]), st.sampled_from([None, *PLACES]),
                  st.sampled_from([None, "air", "rail"]), st.sampled_from([None, 0, 1, 3])),
        max_size=4,
    ),
})  # fmt: skip
people = st.lists(person, max_size=12)


def tables(data: list[dict]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Interviewees and legs as the loader types them."""
    who = pd.DataFrame(
        [
            (f"i{n:02}", one["counted"], *(one["age"] or (None, None)), one["profession"], one["isco08"])
            for n, one in enumerate(data)
        ],
        columns=["interviewee", "counted", "age_min", "age_max", "profession", "isco08"],
    )
    who = who.astype(
        {
            "interviewee": "str",
            "counted": "str",
            "age_min": "Int64",
            "age_max": "Int64",
            "profession": "str",
            "isco08": "str",
        }
    )
    legs = pd.DataFrame(
        [
            (f"i{n:02}", at, *leg[:4], None, leg[4])
            for n, one in enumerate(data)
            for at, leg in enumerate(one["legs"], 1)
        ],
        columns=["interviewee", "leg", "status", "from_place", "to_place", "mode", "departed", "nights_waited"],
    )
    text = dict.fromkeys(["interviewee", "status", "from_place", "to_place", "mode", "departed"], "str")
    return who, legs.astype({**text, "leg": "Int64", "nights_waited": "Int64"})


def lazy(frame: pd.DataFrame):
    return nw.from_native(frame).lazy()


def in_duckdb(frame: pd.DataFrame):
    """The same rows as DuckDB holds them."""
    sql = {"Int64": "BIGINT"}
    columns = ", ".join(
        f'CAST("{name}" AS {sql.get(str(kind), "VARCHAR")}) AS "{name}"' for name, kind in frame.dtypes.items()
    )
    plain = frame.astype(object).where(frame.notna(), None)  # noqa: F841, DuckDB finds it by name
    return nw.from_native(duckdb.sql(f"SELECT {columns} FROM plain")).lazy()


def all_tables(who, legs, declared, move=lazy):
    """Every table of interviewees, by a name."""
    towns = move(
        pd.DataFrame(
            [(key, town["country"]) for key, town in PLACES.items()], columns=["place", "country"], dtype="str"
        )
    )
    return {
        "age": tabulate.by_age(who, age_bands="18,25,35,45", declared=declared),
        "profession": tabulate.by_profession(who, level="label", declared=declared),
        "major": tabulate.by_profession(who, level="major", declared=declared),
        "both": tabulate.age_by_profession(who, age_bands="18,30", level="sub-major", declared=declared),
        "place": tabulate.by_route(who, legs, PLACES, level="place", declared=declared),
        "country": tabulate.by_route(who, legs, PLACES, level="country", declared=declared),
        "nights": tabulate.by_nights(who, legs, declared=declared),
        "days": tabulate.by_days(who, legs, towns, event="2022-09-21", declared=declared),
        "plans": tabulate.by_intention(who, legs, PLACES, declared=declared),
    }


@given(people, st.integers(0, 5))
def test_every_table_adds_up_to_the_declared_number(data, missing):
    who, legs = tables(data)
    yes = sum(one["counted"] == "yes" for one in data)
    for name, counts in all_tables(lazy(who), lazy(legs), yes + missing).items():
        assert counts.total == yes + missing, name
        assert counts.of(NOT_DESCRIBED) == missing, name
        assert (counts.frame.iloc[:, -1] >= 0).all()
        assert sorted(key for keys in counts.who for key in keys) == sorted(who[who["counted"] == "yes"]["interviewee"])
        for n, keys, state in zip(counts.frame.iloc[:, -1], counts.who, counts.states, strict=True):
            assert len(keys) == (0 if state == NOT_DESCRIBED else n)


@given(people)
def test_without_a_declared_number_nobody_is_not_described(data):
    who, legs = tables(data)
    for counts in all_tables(lazy(who), lazy(legs), None).values():
        assert NOT_DESCRIBED not in counts.states


@given(people, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(data, random):
    who, legs = tables(data)
    mixed = who.sample(frac=1, random_state=random.randrange(1000)), legs.sample(frac=1, random_state=1)
    one, other = all_tables(lazy(who), lazy(legs), 20), all_tables(lazy(mixed[0]), lazy(mixed[1]), 20)
    for name in one:
        pd.testing.assert_frame_equal(one[name].frame, other[name].frame)
        assert one[name].who == other[name].who


@settings(max_examples=6)
@given(people)
def test_pandas_and_duckdb_count_the_same(data):
    who, legs = tables(data)
    one, other = all_tables(lazy(who), lazy(legs), 20), all_tables(in_duckdb(who), in_duckdb(legs), 20, in_duckdb)
    for name in one:
        pd.testing.assert_frame_equal(one[name].frame, other[name].frame)
        assert one[name].who == other[name].who


@given(people)
def test_a_band_holds_only_whole_ranges(data):
    who, _ = tables(data)
    counts = tabulate.by_age(lazy(who), age_bands="18,25,35,45", declared=None)
    ranges = {f"i{n:02}": one["age"] for n, one in enumerate(data)}
    limits = {label: (low, high) for low, high, label in tabulate.bands("18,25,35,45")}
    for label, keys in zip(counts.frame["age"], counts.who, strict=True):
        for key in keys:
            fits = [
                band
                for band, (low, high) in limits.items()
                if ranges[key] and low <= ranges[key][0] and ranges[key][1] <= high
            ]
            assert fits == ([] if label == NOT_STATED else [label])


@settings(max_examples=3)
@given(people, st.integers(0, 100))
def test_every_table_can_be_drawn(data, missing):
    who, legs = tables(data)
    for counts in all_tables(lazy(who), lazy(legs), 20 + missing).values():
        drawn = charts.tallied(counts, description="told")
        assert drawn["description"] == "told"
        alt.Chart.from_dict(drawn)  # as the schema of Vega-Lite wants it
    marks = charts.tallied(tabulate.by_age(lazy(who), age_bands="18,25", declared=20), description="x")
    dots = max(marks["datasets"].values(), key=len)
    assert len(dots) == 20, "one mark a person"


@pytest.mark.parametrize("file", sorted(APPROVED.glob("*/charts/*.json")), ids=lambda file: file.name)
def test_every_chart_of_both_editions_is_sound_vega_lite(file: Path):
    """Charts are not held against its schema as they are drawn: that takes longer than all else."""
    spec = json.loads(file.read_text(encoding="utf-8"))
    alt.Chart.from_dict(spec)
    mark = next(part for part in _parts(spec) if "mark" in part)
    mark["mark"] = {"type": "no such mark"}
    with pytest.raises(ValidationError):
        alt.Chart.from_dict(spec)


def _parts(spec: Any) -> Iterator[dict[str, Any]]:
    """A specification and all views in it."""
    if isinstance(spec, dict):
        yield spec
    for each in spec.values() if isinstance(spec, dict) else spec if isinstance(spec, list) else ():
        yield from _parts(each)


@pytest.mark.parametrize("edges", ["", "a", "25,18", "18,18", "0,5", "18;25", "18,500"])
def test_edges_that_make_no_bands_are_refused(edges):
    with pytest.raises(InputError, match="age_bands"):
        tabulate.bands(edges)


def test_a_route_keeps_a_gap_and_merges_a_country():
    row = {"s0": "a", "s1": "", "m1": "true", "s2": "b", "m2": "true", "s3": "c", "m3": "true"}
    assert tabulate.route_of(row, PLACES, "place") == "Ay → … → Be → Ce"
    assert tabulate.route_of(row, PLACES, "country") == "Russia → … → Kazakhstan"


def test_days_end_at_the_border():
    """A leg after the crossing, and its date and nights, say nothing of when the border was crossed."""
    who, legs = tables([{"counted": "yes", "age": None, "profession": None, "isco08": None, "legs": [
        ("made", "a", "b", None, 1), ("made", "b", "c", None, 3),
    ]}])  # fmt: skip
    legs["departed"] = pd.Series(["2022-09-23", "2022-10-30"], dtype="str")
    counts = all_tables(lazy(who), lazy(legs), 1)["days"]
    assert counts.frame.values.tolist()[0] == ["3 or more", 1]


def test_open_ends_are_drawn_open():
    rows = pd.DataFrame([
        {"figure": "f1", "destination": "A", "measure": "entries", "low": "", "high": "10", "quantifier": "nearly and counting", "window_start": "", "window_end": "", "stated_by": ""},
        {"figure": "f2", "destination": "B", "measure": "entries", "low": "5", "high": "", "quantifier": "more than", "window_start": "", "window_end": "", "stated_by": ""},
        {"figure": "f3", "destination": "C", "measure": "exits", "low": "5", "high": "7", "quantifier": "about", "window_start": "", "window_end": "", "stated_by": ""},
    ])  # fmt: skip
    drawn = tabulate.intervals(rows)
    assert drawn[["from", "to", "open below", "open above"]].values.tolist() == [
        [10, 10, True, True], [5, 5, False, True], [5, 7, False, False],
    ]  # fmt: skip
    spec = charts.spans(drawn, description="x")
    assert [panel["title"] for panel in spec["vconcat"]] == ["entries", "exits"], "a panel a measure"
