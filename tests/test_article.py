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
    return run_cells(ORAL, "summary", "interviewees", "statements", "routes", "destinations", "evidence", drawn=False)


def test_seventeen_people_spoke_and_eight_are_described(shown):
    assert open_edition(ORAL).declared == 17
    assert len(shown["people"]["rows"]) == 8


def test_by_age(shown):
    # Three in their early twenties and one of twenty; two of thirty-two; a young woman and a blogger without an age.
    assert shown.counts("interviewees-by-age") == {
        ("under 18",): 0, ("18–24",): 4, ("25–34",): 2, ("35–44",): 0, ("45 and over",): 0,
        ("not stated",): 2, ("not described",): 9,
    }  # fmt: skip


def test_an_age_range_that_straddles_an_edge_is_in_no_band():
    by_age = run_cells(ORAL, "interviewees", age_bands="18,22,35", drawn=False).counts("interviewees-by-age")
    assert by_age["18–21",] == 1  # only the one of twenty
    assert by_age["in no single band",] == 3  # the three early twenties
    assert by_age["not stated",] == 2


def test_by_profession(shown):
    # Three IT workers, two students, a bar manager, a blogger; one of whom no profession is told.
    assert shown.counts("interviewees-by-profession") == {
        ("IT worker",): 3, ("student",): 2, ("bar manager",): 1, ("blogger",): 1,
        ("not stated",): 1, ("not described",): 9,
    }  # fmt: skip


def test_by_gender(shown):
    # Five of whom the article says he or his, one young woman; of the developer's two friends it says only they.
    assert shown.counts("interviewees-by-gender") == {
        ("man",): 5, ("woman",): 1, ("not stated",): 2, ("not described",): 9
    }  # fmt: skip


def test_the_three_friends_are_one_party(shown):
    with_whom = dict(zip(shown.column("people", "interviewee"), shown.column("people", "travelled with"), strict=True))
    assert {who for who, others in with_whom.items() if others} == {"i02", "i03", "i04"}
    assert with_whom["i02"] == "IT worker (i03); IT worker (i04)"  # the developer's two friends are in IT as he is
    finding = shown["interviewees-by-route"]["finding"]
    assert "Three people who travelled together took the route Moscow → Astrakhan" in finding


def test_a_party_is_one_card_and_judgements_are_marked(shown):
    view = shown["people"]["view"]
    cards = [dict(zip(view["columns"], row, strict=True)) for row in view["rows"]]
    last = [card["person"][-1]["text"] for card in cards]
    assert last == ["travelled together", "i05", "i06", "i07", "i08", "i10"]
    trio, krasnodar = cards[0], cards[2]
    assert [link["text"][:4] for link in trio["members"]] == ["i02:", "i03:", "i04:"]
    # All three could have been made to fight; one of them saw prison ahead.
    own = [link["text"] for link in trio["why"]]
    assert own[0].endswith("that they opposed")
    assert own[1].endswith("(i02)")
    # Whether she studies, where she set out, on which day, and by which bike is our reading of the article.
    read = {link["text"] for link in krasnodar["our reading"]}
    assert read == {"the work", "where it began", "the day", "the means of travel"}
    assert all(link["href"] for card in cards for link in card["our reading"])
    # The article gives no route, reason or age of the blogger, no reason of the bar manager, no work of the man from Bryansk.
    said = {
        name: {column: [link["text"] for link in links] for column, links in card.items()}
        for name, card in zip(last, cards, strict=True)
    }
    assert (said["i08"]["route"], said["i08"]["why"]) == (["not stated"], ["not stated"])
    assert said["i08"]["person"][1] == "age not stated"
    assert said["i07"]["why"] == ["not stated"]
    assert said["i10"]["person"][0] == "Work not stated"
    assert "by bicycle (our reading)" in said["i06"]["journey"]


def test_what_single_people_say(shown):
    # The rally that the student of Krasnodar was called to was on the Friday before the week of writing.
    rows = [dict(zip(shown["statements"]["columns"], row, strict=True)) for row in shown["statements"]["rows"]]
    (rally,) = [row for row in rows if row["about"] == "i06" and row["topic"] == "motive"]
    assert rally["day"] == "2022-09-23"
    # The man of Bryansk alone speaks of going back.
    assert [row["about"] for row in rows if row["topic"] == "return"] == ["i10"]
    # Those who worry, and those who resent helping, are residents of Oral; the psychologist is one of them.
    assert {row["about"] for row in rows if row["topic"] == "concern"} == {"residents", "i09"}


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
    # The day after the announcement, and one night in the queue: two days at least; and the student, a few days after Friday.
    days = {("2 or more",): 3, ("4 or more",): 1, ("not stated",): 4, ("not described",): 9}
    assert shown.counts("days-to-border") == days
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
    assert set(shown.column("agreement", "table")) == {"interviewees", "legs", "destinations", "statements"}
    assert sum(shown.column("agreement", "values")) == 10 * 6 + 13 * 6 + 2 * 12 + 71 * 3
    # Of persons, legs and figures the two coders' files are the same, line by line; of statements 22 cells differ.
    differ = sum(shown.column("agreement", "values")) - sum(shown.column("agreement", "alike"))
    assert differ == 22
    columns = [shown.column("agreement", name) for name in ("table", "values", "alike")]
    assert {table for table, values, alike in zip(*columns, strict=True) if values != alike} == {"statements"}


def test_the_journeys_of_the_map(shown):
    # Eight people: three by Astrakhan, one each from Moscow, Krasnodar, Siberia and Bryansk, and one who hopes for Georgia.
    assert shown.counts("route-map") == {
        ("Moscow", "Astrakhan", "made"): 3, ("Astrakhan", "Kazakhstan", "made"): 3, ("Moscow", "Kazakhstan", "made"): 1,
        ("Krasnodar", "Kazakhstan", "made, by a place not named"): 1, ("Siberia", "Kazakhstan", "made"): 1,
        ("Bryansk", "Kazakhstan", "made"): 1, ("Oral", "Georgia", "intended"): 1,
    }  # fmt: skip


def test_what_neither_coding_had_counts_for_no_agreement(shown):
    # Editors added twelve statements to the 71 that both had coded.
    rows = [dict(zip(shown["agreement"]["columns"], row, strict=True)) for row in shown["agreement"]["rows"]]
    compared = {(row["table"], row["column"]): (row["values"], row["alpha"]) for row in rows}
    assert compared["statements", "topic"][0] == 71
    assert compared["destinations", "low"] == (2, "fewer than 10 values")
    assert len(shown["statements"]["rows"]) == 83


def test_the_calendar(shown):
    # Announced on the 21st; three set off on the 22nd; on the 23rd the rally, and their earliest crossing; hers on the 25th; thanks on the 29th.
    assert sorted(set(shown.column("calendar", "date"))) == [f"2022-09-{day}" for day in (21, 22, 23, 25, 29)]
