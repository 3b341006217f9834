"""The second edition, destination-figures-2022: the collected figures, row by row; what compares ranked, nothing added.

The mapping stands here in words of its own, so that a person can hold it against the collected file and the codebook.
"""

from __future__ import annotations

import itertools
import json
import re
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pandas as pd
import pytest
from cells import Shown, run_cells
from conftest import ROOT, absent, read_csv, run, write_csv, write_edition

from analysis.coding.relations import MOST_WORDS
from analysis.coding.rules import words
from analysis.figure_sentences import where_to
from analysis.figures import list_figures, measure, web_addresses
from analysis.ranking import add_up, compare, overlapping, rank

NAME = "destination-figures-2022"
COLLECTED = ROOT.parent / "shared" / "data" / "destination-figures.csv"

SAME = {
    "fig_id": "figure", "measure": "measure", "low": "low", "high": "high", "period_start": "window_start",
    "period_end": "window_end", "stated_on": "stated_on", "reported_by": "reported_by", "url": "url", "role": "role",
}  # fmt: skip
"""Columns taken over as they are: the collected file's name, and ours."""

QUANTIFIERS = {"exact": "exact", "approximately": "about", "more_than": "more than"}

EUROPEAN_UNION = {
    "AUT", "BEL", "BGR", "CYP", "CZE", "DEU", "DNK", "ESP", "EST",
    "FIN", "FRA", "GRC", "HRV", "HUN", "IRL", "ITA", "LTU", "LUX",
    "LVA", "MLT", "NLD", "POL", "PRT", "ROU", "SVK", "SVN", "SWE",
}  # fmt: skip
DESTINATIONS = {  # where the collected file has no code: our codes, and whether countries not named are covered
    "EU (all)": (EUROPEAN_UNION, "false"),
    "all (KAZ+GEO+FIN)": ({"KAZ", "GEO", "FIN"}, "false"),
    "all": (set(), "true"),
}

NOBODY = "unattributed compilation"
"""What the collected file says where the page names no speaker; our column is blank there, and the note says so."""

MEASURES = {
    "entries": 18, "exits": 3, "remaining": 2, "present_stock": 1, "registrations": 2, "fsb_exits": 3,
    "net_relocated": 1, "immigrants_official": 1, "residence_permits": 2, "emigrants_estimate": 5, "aliyah": 1,
    "settled_estimate": 9, "asylum_applications": 8, "men_left": 1, "left": 1,
}  # fmt: skip
"""Figures a measure, counted by hand in the collected file."""


FIGURES = ("destinations", "figures-by-country", "overlapping-figures", "figures-by-measure")
"""The exhibits of figures."""


@pytest.fixture(scope="module")
def collected() -> list[dict[str, str]]:
    if not COLLECTED.is_file():
        absent(f"the collected figures ({COLLECTED})")
    return read_csv(COLLECTED)


@pytest.fixture(scope="module")
def ours() -> list[dict[str, str]]:
    return read_csv(ROOT / "data" / NAME / "destinations.csv")


@pytest.fixture(scope="module")
def shown() -> Shown:
    return run_cells(NAME, "destinations", "summary")


OWN_PAGE = "in a stored copy of the speaker's own page; not checked at the site."
PACKAGE = "in the data of the package named; not checked at the agency's site."
PAGE = "in a stored copy of the page named; the primary source was not seen."
"""Where a figure was read second-hand, as its note says."""


class TestRowByRow:
    def test_every_collected_figure_is_one_row_in_its_order(self, collected, ours):
        assert len(ours) == 58
        assert [row["figure"] for row in ours] == [row["fig_id"] for row in collected]

    def test_each_row_says_what_was_collected(self, collected, ours):
        for theirs, row in zip(collected, ours, strict=True):
            expected = {column: theirs[name] for name, column in SAME.items()}
            expected["quantifier"] = QUANTIFIERS[theirs["quantifier"]]
            expected["stated_by"] = "" if theirs["stated_by"] == NOBODY else theirs["stated_by"]
            assert {column: row[column] for column in expected} == expected
            one = ({theirs["iso3"]}, "false")
            destination = one if theirs["iso3"] else DESTINATIONS[theirs["country"]]
            assert (set(row["countries"].split()), row["includes_others"]) == destination, row["figure"]

    def test_each_note_says_that_it_was_read_second_hand_and_loses_no_number(self, collected, ours):
        for theirs, row in zip(collected, ours, strict=True):
            assert ("names nobody" in row["note"]) == (theirs["stated_by"] == NOBODY)
            read = PACKAGE if "package" in theirs["reported_by"] else PAGE
            read = OWN_PAGE if theirs["stated_by"] == theirs["reported_by"] else read
            assert row["note"].startswith(f"Read second-hand, {read}")
            lost = numbers(theirs["note"]) - numbers(row["note"]) - {row["low"], row["high"]}
            assert not lost, (row["figure"], lost)

    def test_what_the_collected_notes_quote_is_short(self, collected):
        """Their wording is the collectors' own; what stands in quotation marks is a source's."""
        for theirs in collected:
            quoted = re.findall(r"(?<!\w)'([^']+)'(?!\w)", theirs["note"])
            assert all(len(words(fragment)) <= MOST_WORDS for fragment in quoted), theirs["fig_id"]


def numbers(note: str) -> set[str]:
    """The numbers of a note, thousands and millions written out; years, days of a month and form codes with them."""
    plain = re.sub(r"(\d),(\d{3})", r"\1\2", note)
    plain = re.sub(r"(\d+)-(\d+)k", r"\g<1>000-\g<2>000", plain)
    plain = re.sub(r"(\d+)k", r"\g<1>000", plain)
    plain = re.sub(r"~?(\d+(?:\.\d+)?) ?m(?:illion)?\b", lambda m: f"{float(m[1]) * 1e6:.0f}", plain)
    plain = re.sub(r"\b(\d)-(\d)000\b", r"\g<1>000-\g<2>000", plain)
    return set(re.findall(r"(?<![A-Za-z\d.])\d+(?:\.\d+)?", plain))


def test_numbers_are_read_in_both_spellings():
    assert numbers("up to 30,000 a day; 8-9,000 before; 2.9m; 600-700k and ~1m; Q3 2021") == {
        "30000", "8000", "9000", "2900000", "600000", "700000", "1000000", "2021",
    }  # fmt: skip
    assert numbers("about 1 million, 8,000 to 9,000") == {"1000000", "8000", "9000"}


def test_it_has_no_fault_and_embeds_the_schema_with_its_own_column(tmp_path: Path):
    assert "0 errors, 0 warnings" in run("check", NAME).stdout
    package = json.loads((ROOT / "data" / NAME / "datapackage.json").read_text(encoding="utf-8"))
    (table,) = package["resources"]
    assert table["schema"]["fields"][-1]["name"] == "role"


class TestShown:
    def test_figures_a_measure_as_counted_by_hand(self, shown):
        counts = {row["measure"]: row["figures"] for row in records(shown, "figures-by-measure")}
        assert list(counts.items()) == [(measure(code), n) for code, n in MEASURES.items()]
        assert sum(MEASURES.values()) == 58
        assert "not stated" not in shown.column("figures-by-measure", "what is counted")

    def test_joint_figures_by_name(self, shown):
        names = {row["figure"]: row["destination"] for row in records(shown, "destinations")}
        assert names["f20"] == "the European Union (27 countries)"
        assert names["f56"] == "Kazakhstan, Georgia and Finland"
        assert {names[figure] for figure in ("f54", "f55", "f57", "f58")} == {"all countries together"}

    def test_what_shares_days_as_counted_by_hand(self, shown):
        groups: dict[tuple[str, str], list[str]] = {}
        lies = {}
        for row in records(shown, "overlapping-figures"):
            groups.setdefault((row["measure"], row["destination"]), []).append(row["figure"])
            lies[row["figure"]] = (row["shares days with"], row["counted also in"])
        assert {group: sorted(figures) for group, figures in groups.items()} == {
            ("entries", "Kazakhstan"): ["f01", "f03", "f05", "f07", "f09"],
            ("entries", "Georgia"): ["f10", "f11", "f13", "f15", "f19"],
            ("entries", "Finland"): ["f16", "f17", "f18"],
            ("entries", "Mongolia"): ["f21", "f22"],
            ("exits", "Kazakhstan"): ["f02", "f04"],
            ("registrations", "Kyrgyzstan"): ["f23", "f24"],
            ("asylum_applications", "Norway"): ["f46", "f53"],
        }
        assert lies["f16"] == ("f17 and f18", "f20 and f56")
        assert lies["f46"] == ("f53", "")
        assert lies["f07"][0] == "f09, f01, f03 and f05", "its end is not stated, so only its first day counts"

    def test_only_norway_says_two_things_of_the_same_days(self, shown):
        finding = shown["overlapping-figures"]["finding"]
        differ = "Two figures differ although they cover the same days: 294 asylum applications in Norway, all of 2022"
        assert finding.count("all of 2022") == 2
        assert f"{differ} (according to Norwegian" in finding
        assert "and 334 asylum applications in Norway, all of 2022 (according to UNHCR Refugee Data Finder)." in finding

    def test_every_figure_leads_to_the_page_where_it_was_read(self, shown, ours):
        view = shown["destinations"]["view"]
        read, figure = (view["columns"].index(name) for name in ("read in", "figure"))
        links = {row[figure][0]["text"]: row[read][0]["href"] for row in view["rows"]}
        assert links == {row["figure"]: row["url"] for row in ours}

    def test_the_front_page_names_what_compares_and_adds_nothing(self, shown):
        assert shown.glued["destinations-answer"] == (
            "Which country has the highest figure depends on what is counted. Of the three with a figure here from FSB border "
            "statistics (RBC) it is Türkiye: about 2,100,000 to 2,160,000 departures from Russia (FSB), 1 July – 30 September "
            "2022. Of the four with a figure here from Re:Russia it is Serbia: about 150,000 emigrants (estimate), 24 February "
            "2022 – 28 July 2023. Of the eight with a figure here from The Bell it is Armenia: about 110,000 people settled "
            "abroad (estimate), 24 February 2022 – 16 July 2024. Of the seven with a figure here from UNHCR Refugee Data Finder "
            "it is Finland: 1,096 asylum applications, all of 2022. The 58 figures are not added up, as they count different "
            "things."
        )
        assert shown.glued["lead"].startswith("How many Russians left after")

    def test_each_country_s_range_by_hand(self, shown):
        rows = [tuple(row) for row in shown["figures-by-country"]["rows"] if row[0] in ("Kazakhstan", "Mongolia")]
        assert rows == [
            ("Kazakhstan", "border crossings into the country", 98000, 837000, 5),
            ("Kazakhstan", "border crossings out of the country", 64000, 147000, 2),
            ("Kazakhstan", "people still in the country", 100000, 100000, 1),
            ("Kazakhstan", "citizens of Russia present", 298000, 298000, 1),
            ("Kazakhstan", "people settled abroad (estimate)", 80000, 80000, 1),
            ("Kazakhstan", "asylum applications", 23, 23, 1),
            ("Mongolia", "border crossings into the country", 3000, 6268, 2),
        ]
        assert sum(shown.column("figures-by-country", "figures")) == 58


def records(shown: Shown, name: str) -> list[dict[str, str]]:
    return [dict(zip(shown[name]["columns"], row, strict=True)) for row in shown[name]["rows"]]


def drawn(shown: Shown) -> list[list[dict[str, object]]]:
    """The rows that the chart of figures draws, by panel."""
    chart = shown["destinations"]["chart"]
    return [chart["datasets"][part.get("data", chart.get("data"))["name"]] for part in chart["vconcat"]]


class TestComparedAndNotAdded:
    """By hand: which figures count the same, for single countries, over the same days, by the same speaker."""

    WHERE: ClassVar = {
        "fsb_exits": "Türkiye Armenia Tajikistan",
        "emigrants_estimate": "Serbia Türkiye Israel Montenegro",
        "settled_estimate": "Armenia Kazakhstan Israel Georgia United States Germany Serbia Türkiye",
        "asylum_applications": "Finland Israel Norway Georgia Kazakhstan Armenia Serbia",
    }  # fmt: skip

    def test_a_panel_for_each_measure_in_order_of_size_each_from_nought(self, shown):
        panels = {rows[0]["measure"]: " ".join(str(row["destination"]) for row in rows) for rows in drawn(shown)}
        assert panels == self.WHERE
        for rows in drawn(shown):
            assert [row["least"] for row in rows] == sorted((row["least"] for row in rows), reverse=True)
        parts = shown["destinations"]["chart"]["vconcat"]
        assert [part["layer"][0]["encoding"]["x"]["scale"]["domain"][0] for part in parts] == [0] * len(parts)
        titles = [" ".join(part["title"]["text"]) for part in parts]
        assert titles[0] == "People settled abroad (estimate): Armenia highest of eight"
        assert titles[-1] == "Departures from Russia (FSB): Türkiye highest of three"

    def test_entries_of_unlike_days_and_speakers_are_not_ranked(self, ours):
        table = compare(list_figures(book_of(ours))).set_index("figure")
        assert (table.loc[table["measure"] == "entries", "days"] == "").all()
        assert table.loc[["f10", "f56", "f20", "f08", "f07", "f46"], "apart"].tolist() == [
            "no other country by that speaker over those days", "several countries together", "several countries together",
            "days not stated", "days without an end", "no other country by that speaker over those days",
        ]  # fmt: skip
        assert ((table["days"] == "") == (table["apart"] != "")).all()

    PERIODS: ClassVar = {
        "Border crossings into Kazakhstan": "f01 09-21 09-27, f09 09-01 09-30, f03 09-21 10-04, f05 09-21 11-29, f07 09-21 -",
        "Border crossings into Georgia": "f11 09-17 09-26, f10 09-21 09-26, f19 09-21 09-29, f13 09-01 09-30, f15 09-21 11-13",
    }
    """By hand, from the collected file: the days of what most figures are of."""

    def test_which_days_each_counts_leads_the_front_page(self, shown):
        front = shown["figures-by-period"]
        assert front["finding"] == (
            "Of the five figures for border crossings into Kazakhstan no two are known to cover exactly the same days. "
            "The five figures for border crossings into Georgia cover five different periods."
        )
        rows, found = records(shown, "figures-by-period"), dict.fromkeys(self.PERIODS, "")
        for row, into in itertools.product(rows, found):
            if into.endswith(row["destination"]):
                found[into] += f", {row['figure']} {row['start'][5:]} {row['end'][5:] or '-'}"
        assert {into: each[2:] for into, each in found.items()} == self.PERIODS
        for part in front["chart"]["vconcat"]:
            assert part["layer"][0]["encoding"]["x"]["scale"]["domain"] == [19236, 19326]  # 1 September to 29 November

    def test_figures_that_share_no_day_are_not_drawn_together(self, ours):
        years = [
            {**ours[0], "figure": f"f{n}", "window_start": f"{n}-01-01", "window_end": f"{n}-12-31"}
            for n in (2020, 2021, 2022)
        ]
        assert overlapping(list_figures(book_of(years))) == []
        two = [row for row in ours if row["figure"] in ("f21", "f22", "f23", "f24", "f08", "f56")]  # of each at most
        assert overlapping(list_figures(book_of(two))) == []

    def test_all_figures_for_a_destination_stand_together_by_window(self, shown):
        rows = records(shown, "destinations")
        groups = [(row["measure"], row["destination"]) for row in rows]
        assert len([pair for pair in pairwise(groups) if pair[0] != pair[1]]) + 1 == len(set(groups))
        for one, other in pairwise(rows):
            if (one["measure"], one["destination"]) == (other["measure"], other["destination"]):
                assert (one["window_start"] or "9") <= (other["window_start"] or "9")

    def test_no_number_is_named_that_no_row_has(self, shown, ours):
        """Every number of more than two digits in a finding, a sentence or a chart is a row's, a year or in a name."""
        known = {f"{float(row[end]):.0f}" for row in ours for end in ("low", "high") if row[end]}
        texts = [*(shown[name]["finding"] for name in FIGURES), shown.glued["destinations-answer"]]
        texts += [" ".join(row["label"]) for rows in drawn(shown) for row in rows]
        for text in texts:
            found = set(re.findall(r"(?<![\w.])\d{3,}", text.replace(",", "")))
            assert found - known <= {"2022", "2023", "2024"}, text

    def test_nothing_is_summed(self, shown):
        for name in FIGURES:
            for text in (shown[name]["caption"], shown[name]["finding"], *shown[name]["notes"]):
                assert not re.search(r"\b(total|sum|average)\b", text, re.IGNORECASE), text


def book_of(rows: list[dict[str, str]]) -> SimpleNamespace:
    """What an edition of these figures offers to those who list them."""
    return SimpleNamespace(frame=lambda _: pd.DataFrame(rows))


def test_charts_of_any_figures_keep_long_and_foreign_labels(tmp_path: Path, ours):
    """A figure's words are broken where the chart ends, and make its place taller."""
    rows = [
        {**ours[0], "figure": f"g{n}", "countries": place, "measure": "内務省" * 40}
        for n, place in enumerate(("KAZ", "GEO", "FIN", "BIH"))
    ]
    shown = run_cells(written(tmp_path / "long", rows), "destinations")
    (rows,) = drawn(shown)
    assert max(len(line) for row in rows for line in row["label"]) <= 50
    title = shown["destinations"]["chart"]["vconcat"][0]["title"]["text"]
    assert len(title) > 3
    assert max(map(len, title)) <= 50


def written(folder: Path, rows: list[dict[str, str]]) -> Path:
    """An edition of nothing but these figures, with the package of the edition."""
    package = json.loads((ROOT / "data" / NAME / "datapackage.json").read_text(encoding="utf-8"))
    del package["resources"]
    write_edition(folder, {"destinations": []}, **package)
    write_csv(folder / "destinations.csv", list(rows[0]), rows)  # with columns of its own
    return folder


def yearly() -> list[dict[str, str]]:
    """Such figures as UNHCR's: 175 rows, a country of asylum, a year and a measure each; of the last year not all."""
    countries = re.findall("...", "GEOKAZFINARMSRBISRNORDEUUSAPOLLTULVAESTFRAITAESPTURKGZUZBMNGAZECANGBRSWENLD")
    numbers = itertools.product(
        ("2021", "2022", "2023", "2024"), enumerate(countries, 1), ("refugees", "asylum_seekers")
    )
    rows = [
        {
            "countries": country, "includes_others": "", "measure": measure, "quantifier": "exact", "note": "", "url": "",
            "low": str(size * int(year[-1])), "high": str(size * int(year[-1])), "window_start": f"{year}-12-31",
            "window_end": f"{year}-12-31", "stated_by": "UNHCR", "stated_on": "2025", "reported_by": "Refugee Data Finder",
        }
        for year, (size, country), measure in numbers
    ]  # fmt: skip
    return [{"figure": f"f{number}", **row} for number, row in enumerate(rows[:175], 1)]


def test_of_several_years_the_latest_is_drawn_with_the_change(tmp_path: Path):
    """Of 2024 there are 13 countries of refugees and 12 of asylum-seekers: half of 25 is not enough to be drawn."""
    shown = run_cells(written(tmp_path / "yearly", yearly()), "destinations")
    asylum_seekers, refugees = drawn(shown)  # those of most countries first
    assert len(yearly()) == 175
    assert {row["days"] for row in refugees} == {"31 December 2024"}
    assert {row["days"] for row in asylum_seekers} == {"31 December 2023"}
    assert refugees[0]["label"] == ["Estonia: 52 (a year before: 39)"]
    assert (len(refugees), len(asylum_seekers)) == (13, 20)
    assert "The 20 highest of each measure are drawn; the table has them all." in shown["destinations"]["notes"]
    changed = "Among asylum-seekers, Netherlands changed most within a year: from 50 to 75"
    assert changed in shown["destinations"]["finding"]
    assert shown["overlapping-figures"]["caption"] == "Not in this edition.", "a year is not another"


def test_totals_are_of_one_measure_speaker_and_window_where_they_are_said_to_add_up(tmp_path: Path):
    rows = yearly()
    said = [{**row, "additive": "true" if row["measure"] == "refugees" else "false"} for row in rows]
    twice = {**said[0], "figure": "again", "low": "9", "high": "9"}
    table = add_up(list_figures(book_of([*said, twice])))
    refugees = pd.DataFrame(rows).astype({"low": int}).query("measure == 'refugees'")
    plain = refugees.groupby("window_end")["low"].agg(["size", "sum"])
    plain = plain.drop(said[0]["window_end"])  # a country of that day has two figures
    assert table[["window_end", "countries", "least"]].values.tolist() == plain.reset_index().values.tolist()
    assert add_up(list_figures(book_of(rows))).empty
    shown = run_cells(written(tmp_path / "yearly", said), "destinations")
    last = records(shown, "figures-together")[-1]
    assert f"{int(last['least']):,} refugees in 13 countries, 31 December 2024" in shown["figures-together"]["finding"]
    assert len(shown["figures-on-the-map"]["rows"]) == 25


def test_who_is_only_named_first_does_not_lead(ours):
    """Three figures that compare come by size, and of more only the highest is named."""
    day = {"window_start": "2022-12-31", "window_end": "2022-12-31"}
    same = {**ours[0], **day, "measure": "refugees", "quantifier": "exact"}
    rows = [
        {**same, "figure": f"f{n}", "countries": c, "low": str(n), "high": str(n)}
        for n, c in ((85, "CYP"), (400, "ARM"), (90, "GEO"))
    ]
    assert where_to(list_figures(book_of(rows))).startswith("400 refugees in Armenia, 31 December 2022")
    rows.append({**rows[0], "figure": "f4", "countries": "FIN"})
    highest = "The highest figure that can be compared is 400 refugees in Armenia"
    assert where_to(list_figures(book_of(rows))).startswith(highest)


def test_nobody_is_first_where_numbers_overlap(ours):
    same = {**ours[0], "measure": "refugees", "quantifier": "about"}
    rows = [
        {**same, "figure": f"f{n}", "countries": c, "low": str(n), "high": "500"}
        for n, c in enumerate(("CYP", "ARM", "GEO", "FIN"), 300)
    ]
    figures = list_figures(book_of(rows))
    assert "is 300 to 500 refugees in Finland or Georgia or Armenia or others (21–27" in where_to(figures)
    assert rank(compare(figures))["before"].isna().all()


def test_what_does_not_compare_is_not_ranked(ours):
    rows = [{**ours[0], "figure": f"f{n}", "measure": f"measure_{word}"} for n, word in enumerate(("a", "b", "c", "d"))]
    assert where_to(list_figures(book_of(rows))) == (
        "The 4 figures compare no countries: no two of them count the same thing over the same days by one speaker."
    )


def test_an_address_that_is_none_of_the_web_is_no_link(ours):
    for address in ("javascript:alert(1)", "data:text/html,x", ""):
        book = book_of([{**ours[0], "url": address}])
        assert web_addresses(book, list_figures(book)) == [""]


def test_few_figures_are_set_large():
    shown = run_cells("oral-2022", "destinations")
    exhibit = shown["destinations"]
    assert (exhibit["layout"], exhibit["chart"]) == ("numbers", None)
    links = [row.pop()[0]["text"] for row in exhibit["view"]["rows"]]
    assert links == ["f1", "f2"]
    assert exhibit["view"]["rows"] == [
        ["nearly 100,000", "border crossings into Kazakhstan since 21 September 2022", "according to Kazakhstan", "still rising at the time. The source says Russians who have crossed; we read crossings."],
        ["“tens of thousands”", "of people who left for Georgia, Finland, Mongolia and others (method unknown)", "Financial Times names no source",
         "at least 20,000; a combined figure for several countries; days not stated"],
    ]  # fmt: skip
    answer = "Nearly 100,000 border crossings into Kazakhstan since 21 Sept"
    assert shown.glued["destinations-answer"].startswith(answer)
    assert any("That caution is ours" in note for note in exhibit["notes"])
    for name in FIGURES[1:]:
        assert shown[name]["absent"], name
