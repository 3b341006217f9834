"""The first edition says what the article says. Every number here was counted by a person reading the article."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from analysis.edition import load

from analysis import report


@pytest.fixture(scope="module")
def oral():
    return load("oral-2022")


def rows(exhibit):
    return {tuple(row[:-1]): row[-1] for row in exhibit.as_json()["rows"]}


def test_seventeen_people_spoke_and_eight_are_described(oral):
    assert oral.report.declared_interviewees == 17
    assert len(oral.counted) == 8


def test_by_age(oral):
    # Three in their early twenties and one of twenty; two of thirty-two; a young woman and a blogger without an age.
    assert rows(report.interviewees_by_age(oral, "18,25,35,45")) == {
        ("under 18",): 0, ("18–24",): 4, ("25–34",): 2, ("35–44",): 0, ("45 and over",): 0,
        ("not stated",): 2, ("not described",): 9,
    }  # fmt: skip


def test_an_age_range_that_straddles_an_edge_is_in_no_band(oral):
    by_age = rows(report.interviewees_by_age(oral, "18,22,35"))
    assert by_age[("18–21",)] == 1  # only the one of twenty
    assert by_age[("not stated",)] == 5  # the three early twenties join the two without an age


def test_by_profession(oral):
    # A developer and two more IT workers, two students, a bar manager, a blogger; one of whom no profession is told.
    assert rows(report.interviewees_by_profession(oral, "label")) == {
        ("developer",): 1, ("IT worker",): 2, ("student",): 2, ("bar manager",): 1, ("blogger",): 1,
        ("not stated",): 1, ("not described",): 9,
    }  # fmt: skip


def test_by_route(oral):
    # The three flew from Moscow to Astrakhan; others set out from Moscow, Krasnodar, Siberia, Bryansk.
    assert rows(report.interviewees_by_route(oral, "place")) == {
        ("Moscow → Astrakhan → Kazakhstan",): 3, ("Moscow → Kazakhstan",): 1, ("Krasnodar → … → Kazakhstan",): 1,
        ("Siberia → Kazakhstan",): 1, ("Bryansk → Kazakhstan",): 1, ("not stated",): 1, ("not described",): 9,
    }  # fmt: skip


@pytest.mark.parametrize("level", ["label", "major", "sub-major"])
def test_every_table_of_interviewees_adds_up_to_seventeen(oral, level):
    exhibits = [
        report.interviewees_by_age(oral, "18,25,35,45"),
        report.interviewees_by_profession(oral, level),
        report.age_by_profession(oral, "18,25,35,45", level),
        report.interviewees_by_route(oral, "place"),
        report.interviewees_by_route(oral, "country"),
        report.nights_waited(oral),
        report.days_to_border(oral),
        report.onward(oral),
    ]
    assert {exhibit.id: sum(rows(exhibit).values()) for exhibit in exhibits} == {e.id: 17 for e in exhibits}


def test_modes_nights_days_and_plans(oral):
    assert rows(report.legs_by_mode(oral)) == {("air",): 3, ("bicycle",): 1, ("not stated",): 7}
    assert rows(report.nights_waited(oral)) == {("1",): 4, ("not stated",): 4, ("not described",): 9}
    # The day after the announcement, and one night in the queue: two days at least.
    assert rows(report.days_to_border(oral)) == {("2 or more",): 3, ("not stated",): 5, ("not described",): 9}
    assert rows(report.onward(oral)) == {("Georgia",): 1, ("not stated",): 7, ("not described",): 9}


def test_two_figures_one_open_one_joint(oral):
    with (Path(oral.path) / "destinations.csv").open(encoding="utf-8") as file:
        kazakhstan, others = csv.DictReader(file)
    assert (kazakhstan["countries"], kazakhstan["low"], kazakhstan["high"]) == ("KAZ", "", "100000")
    assert kazakhstan["quantifier"] == "nearly and counting"
    assert (others["countries"], others["includes_others"]) == ("GEO FIN MNG", "true")
    assert (others["low"], others["high"], others["quantifier"]) == ("20000", "99999", "tens of thousands")
    assert kazakhstan["measure"] != others["measure"]


def test_who_is_left_out(oral):
    # The young person at the border and the local psychologist.
    assert [row[1] for row in report.not_counted(oral).as_json()["rows"]] == ["no", "no"]


def test_two_codings_are_compared_value_by_value(oral):
    table = report.two_codings(oral).frame
    assert set(table["table"]) == {"interviewees", "legs", "destinations"}
    assert table["values"].sum() == 10 * 6 + 13 * 6 + 2 * 12
    # The two coders' files are the same, line by line.
    assert (table["alike"] == table["values"]).all()


def test_the_map_draws_every_leg_that_has_two_places(oral):
    exhibit = report.route_map(oral)
    legs = rows(exhibit)
    assert legs["Moscow", "Astrakhan", "made"] == 3
    assert legs["Astrakhan", "Kazakhstan", "made"] == 3
    assert legs["Oral", "Georgia", "intended"] == 1
    assert sum(legs.values()) == 12
    assert any("2 legs" in note for note in exhibit.notes), "the two without both ends are told of"
    assert not any("Kolomna" in pair for pair in legs), "the party at the border is not counted"
