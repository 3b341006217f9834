"""The first edition says what the article says. Every number here was counted by a person reading the article."""

from __future__ import annotations

import csv

import pytest
from cells import Shown, run_cells
from conftest import ROOT

from analysis.editions import open_edition

ORAL = "oral-2022"


@pytest.fixture(scope="module")
def shown() -> Shown:
    return run_cells(ORAL, "interviewees", "routes", "destinations", "evidence", drawn=False)


def test_seventeen_people_spoke_and_eight_are_described(shown):
    assert open_edition(ORAL).declared == 17
    assert len(shown["interviewees-described"]["rows"]) == 8


def test_by_age(shown):
    # Three in their early twenties and one of twenty; two of thirty-two; a young woman and a blogger without an age.
    assert shown.counts("interviewees-by-age") == {
        ("under 18",): 0, ("18–24",): 4, ("25–34",): 2, ("35–44",): 0, ("45 and over",): 0,
        ("not stated",): 2, ("not described",): 9,
    }  # fmt: skip


def test_an_age_range_that_straddles_an_edge_is_in_no_band():
    by_age = run_cells(ORAL, "interviewees", age_bands="18,22,35", drawn=False).counts("interviewees-by-age")
    assert by_age["18–21",] == 1  # only the one of twenty
    assert by_age["not stated",] == 5  # the three early twenties join the two without an age


def test_by_profession(shown):
    # A developer and two more IT workers, two students, a bar manager, a blogger; one of whom no profession is told.
    assert shown.counts("interviewees-by-profession") == {
        ("developer",): 1, ("IT worker",): 2, ("student",): 2, ("bar manager",): 1, ("blogger",): 1,
        ("not stated",): 1, ("not described",): 9,
    }  # fmt: skip


def test_by_route(shown):
    # The three flew from Moscow to Astrakhan; others set out from Moscow, Krasnodar, Siberia, Bryansk.
    assert shown.counts("interviewees-by-route") == {
        ("Moscow → Astrakhan → Kazakhstan",): 3, ("Moscow → Kazakhstan",): 1, ("Krasnodar → … → Kazakhstan",): 1,
        ("Siberia → Kazakhstan",): 1, ("Bryansk → Kazakhstan",): 1, ("not stated",): 1, ("not described",): 9,
    }  # fmt: skip


@pytest.mark.parametrize("profession, route", [("label", "place"), ("major", "country"), ("sub-major", "place")])
def test_every_table_of_interviewees_adds_up_to_seventeen(profession, route):
    levels = {"profession_level": profession, "route_level": route}
    shown = run_cells(ORAL, "interviewees", "routes", "destinations", drawn=False, **levels)
    of_people = [name for name, each in shown.exhibits.items() if each["columns"][-1:] == ["interviewees"]]
    assert len(of_people) == 7
    assert {name: sum(shown.counts(name).values()) for name in of_people} == dict.fromkeys(of_people, 17)


def test_modes_nights_days_and_plans(shown):
    assert shown.counts("legs-by-mode") == {("air",): 3, ("bicycle",): 1, ("not stated",): 7}
    assert shown.counts("nights-waited") == {("1",): 4, ("not stated",): 4, ("not described",): 9}
    # The day after the announcement, and one night in the queue: two days at least.
    assert shown.counts("days-to-border") == {("2 or more",): 3, ("not stated",): 5, ("not described",): 9}
    plans = {("Georgia",): 1, ("not stated",): 7, ("not described",): 9}
    assert shown.counts("interviewees-by-intention") == plans


def test_two_figures_one_open_one_joint():
    with (ROOT / "data" / ORAL / "destinations.csv").open(encoding="utf-8") as file:
        kazakhstan, others = csv.DictReader(file)
    assert (kazakhstan["countries"], kazakhstan["low"], kazakhstan["high"]) == ("KAZ", "", "100000")
    assert kazakhstan["quantifier"] == "nearly and counting"
    assert (others["countries"], others["includes_others"]) == ("GEO FIN MNG", "true")
    assert (others["low"], others["high"], others["quantifier"]) == ("20000", "99999", "tens of thousands")
    assert kazakhstan["measure"] != others["measure"]


def test_who_is_left_out(shown):
    # The young person at the border and the local psychologist.
    assert shown.column("people-not-counted", "counted") == ["no", "no"]


def test_two_codings_are_compared_value_by_value(shown):
    assert set(shown.column("agreement", "table")) == {"interviewees", "legs", "destinations"}
    assert sum(shown.column("agreement", "values")) == 10 * 6 + 13 * 6 + 2 * 12
    # The two coders' files are the same, line by line.
    assert shown.column("agreement", "alike") == shown.column("agreement", "values")


def test_legs_lead_from_each_place_named_to_the_next(shown):
    legs = shown.counts("route-map")
    assert legs["Moscow", "Astrakhan", "made"] == 3
    assert legs["Astrakhan", "Kazakhstan", "made"] == 3
    assert legs["Krasnodar", "Kazakhstan", "made, by a place not named"] == 1
    assert legs["Oral", "Georgia", "intended"] == 1
    assert not any("Kolomna" in pair for pair in legs), "the party at the border is not counted"
    assert sum(legs.values()) == 11
