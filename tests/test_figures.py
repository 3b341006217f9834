"""The second edition, destination-figures-2022: the collected figures, row by row, and nothing added or ranked.

The mapping stands here in words of its own, so that a person can hold it against the collected file and the codebook.
"""

from __future__ import annotations

import csv
import json
import re
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from cells import Shown, run_cells
from conftest import ROOT, absent, run

from analysis.coding.relations import MOST_WORDS
from analysis.coding.rules import words
from analysis.figures import list_figures, measure, web_addresses

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


FIGURES = ("figures-by-measure", "destinations", "overlapping-figures", "figure-notes")
"""The exhibits of figures."""


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


@pytest.fixture(scope="module")
def collected() -> list[dict[str, str]]:
    if not COLLECTED.is_file():
        absent(f"the collected figures ({COLLECTED})")
    return rows_of(COLLECTED)


@pytest.fixture(scope="module")
def ours() -> list[dict[str, str]]:
    return rows_of(ROOT / "data" / NAME / "destinations.csv")


@pytest.fixture(scope="module")
def shown() -> Shown:
    return run_cells(NAME, "destinations", "summary")


class TestRowByRow:
    def test_every_collected_figure_is_one_row_in_its_order(self, collected, ours):
        assert [row["figure"] for row in ours] == [row["fig_id"] for row in collected]
        assert len(ours) == 58

    def test_values_taken_over_as_they_are(self, collected, ours):
        for theirs, row in zip(collected, ours, strict=True):
            assert {column: row[column] for column in SAME.values()} == {SAME[name]: theirs[name] for name in SAME}

    def test_quantifiers(self, collected, ours):
        for theirs, row in zip(collected, ours, strict=True):
            assert row["quantifier"] == QUANTIFIERS[theirs["quantifier"]], row["figure"]

    def test_destinations(self, collected, ours):
        for theirs, row in zip(collected, ours, strict=True):
            one = ({theirs["iso3"]}, "false")
            wanted = one if theirs["iso3"] else DESTINATIONS[theirs["country"]]
            assert (set(row["countries"].split()), row["includes_others"]) == wanted, row["figure"]

    def test_speakers(self, collected, ours):
        for theirs, row in zip(collected, ours, strict=True):
            assert row["stated_by"] == ("" if theirs["stated_by"] == NOBODY else theirs["stated_by"])
            assert ("names nobody" in row["note"]) == (theirs["stated_by"] == NOBODY)

    def test_every_note_says_that_it_was_read_second_hand(self, collected, ours):
        own = "in a stored copy of the speaker's own page; not checked at the site."
        package = "in the data of the package named; not checked at the agency's site."
        page = "in a stored copy of the page named; the primary source was not seen."
        for theirs, row in zip(collected, ours, strict=True):
            itself, data = theirs["stated_by"] == theirs["reported_by"], "package" in theirs["reported_by"]
            assert row["note"].startswith(f"Read second-hand, {own if itself else package if data else page}")

    def test_notes_lose_no_number(self, collected, ours):
        for theirs, row in zip(collected, ours, strict=True):
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


def test_an_ordinary_tool_accepts_it():
    frictionless = pytest.importorskip("frictionless")
    result = frictionless.validate(str(ROOT / "data" / NAME / "datapackage.json"))
    assert result.valid, result.flatten(["rowNumber", "fieldName", "note"])


class TestShown:
    def test_figures_a_measure_as_counted_by_hand(self, shown):
        counts = {row["measure"]: row["figures"] for row in records(shown, "figures-by-measure")}
        assert list(counts.items()) == [(measure(code), n) for code, n in MEASURES.items()]
        assert sum(MEASURES.values()) == 58

    def test_every_measure_says_what_it_counts(self, shown):
        assert "not stated" not in shown.column("figures-by-measure", "what is counted")

    def test_joint_figures_by_name(self, shown):
        names = {row["figure"]: row["destination"] for row in records(shown, "destinations")}
        assert names["f20"] == "the European Union (27 countries)"
        assert names["f56"] == "Kazakhstan, Georgia and Finland"
        assert {names[figure] for figure in ("f54", "f55", "f57", "f58")} == {"any country"}

    def test_what_shares_days_as_counted_by_hand(self, shown):
        groups: dict[tuple[str, str], list[str]] = {}
        lies = {}
        for row in records(shown, "overlapping-figures"):
            groups.setdefault((row["measure"], row["destination"]), []).append(row["figure"])
            lies[row["figure"]] = row["shares days with"]
        assert {group: sorted(figures) for group, figures in groups.items()} == {
            ("entries", "Kazakhstan"): ["f01", "f03", "f05", "f07", "f09"],
            ("entries", "Georgia"): ["f10", "f11", "f13", "f15", "f19"],
            ("entries", "Finland"): ["f16", "f17", "f18"],
            ("entries", "Mongolia"): ["f21", "f22"],
            ("exits", "Kazakhstan"): ["f02", "f04"],
            ("registrations", "Kyrgyzstan"): ["f23", "f24"],
            ("asylum_applications", "Norway"): ["f46", "f53"],
        }
        assert lies["f16"] == "within f17 and f18; counted for more countries in f20 and f56"
        assert lies["f46"] == "same days as f53"
        assert lies["f07"].startswith("overlaps"), "its end is not stated"

    def test_only_norway_says_two_things_of_the_same_days(self, shown):
        finding = shown["overlapping-figures"]["finding"]
        assert finding.endswith("these differ: Norway, asylum applications, 294 (f46) and 334 (f53).")

    def test_every_figure_leads_to_the_page_where_it_was_read(self, shown, ours):
        rows = shown["destinations"]["view"]["rows"]
        assert {row[-1][0]["text"]: row[-2][0]["href"] for row in rows} == {row["figure"]: row["url"] for row in ours}

    def test_the_front_page_counts_and_does_not_choose(self, shown):
        assert shown.glued["lead"] == (
            "The sources give 58 figures of 15 different measures, which are not added or ranked. 6 have an open end. "
            "6 cover several countries at once, not split."
        )


def records(shown: Shown, name: str) -> list[dict[str, str]]:
    return [dict(zip(shown[name]["columns"], row, strict=True)) for row in shown[name]["rows"]]


def drawn(shown: Shown) -> list[dict[str, object]]:
    """The rows that the chart of figures draws."""
    (rows,) = shown["destinations"]["chart"]["datasets"].values()
    return rows


class TestNothingAddedOrRanked:
    def test_a_panel_for_each_measure_with_a_scale_of_its_own_from_nought(self, shown):
        chart = shown["destinations"]["chart"]
        row = chart["facet"]["row"]
        assert (row["field"], row["sort"]) == ("measure", [measure(code) for code in MEASURES])
        assert chart["resolve"]["scale"] == {"x": "independent", "y": "independent"}
        assert chart["spec"]["layer"][0]["encoding"]["x"]["scale"] == {"domainMin": 0}

    def test_all_figures_for_a_destination_stand_together_by_window(self, shown):
        rows = records(shown, "destinations")
        assert [row["figure"] for row in drawn(shown)] == [row["figure"] for row in rows]
        groups = [(row["measure"], row["destination"]) for row in rows]
        assert len([pair for pair in pairwise(groups) if pair[0] != pair[1]]) + 1 == len(set(groups))
        for one, other in pairwise(rows):
            if (one["measure"], one["destination"]) == (other["measure"], other["destination"]):
                assert (one["window_start"] or "9") <= (other["window_start"] or "9")

    def test_sizes_change_no_order(self, shown, ours):
        """With every number replaced, the figures stand in the same order: it does not come from size."""
        turned = [{**a, "low": b["low"], "high": b["high"]} for a, b in zip(ours, ours[::-1], strict=True)]
        assert list(list_figures(book_of(turned))["figure"]) == shown.column("destinations", "figure")

    def test_no_number_is_told_that_no_row_has(self, shown, ours):
        """Every number of more than two digits in a finding, a sentence or a chart is a row's, a year or in a name."""
        known = {f"{float(row[end]):.0f}" for row in ours for end in ("low", "high") if row[end]}
        texts = [*(shown[name]["finding"] for name in FIGURES), shown.glued["each-figure"], shown.glued["lead"]]
        texts += [shown["destinations"]["chart"]["description"]]
        texts += [line for row in drawn(shown) for line in row["label"]]
        for text in texts:
            found = set(re.findall(r"(?<![\w.])\d{3,}", text.replace(",", "")))
            assert found - known <= {"2022", "2023", "2024"}, text

    def test_no_figure_is_called_most_or_least(self, shown):
        ranks = re.compile(r"\b(most|largest|biggest|highest|lowest|smallest|total|top|average)\b", re.IGNORECASE)
        for name in FIGURES:
            for text in (shown[name]["caption"], shown[name]["finding"], *shown[name]["notes"]):
                assert not ranks.search(text), text


def book_of(rows: list[dict[str, str]]) -> SimpleNamespace:
    """What an edition of these figures offers to those who list them."""
    return SimpleNamespace(frame=lambda _: pd.DataFrame(rows))


def test_charts_of_any_figures_keep_long_and_foreign_labels(edition: Path):
    """A figure's words are broken where the chart ends, and make its place taller."""
    file = edition / "destinations.csv"
    rows = rows_of(file)
    plain = run_cells(edition, "destinations")["destinations"]["chart"]
    with file.open("w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows([{**rows[0], "stated_by": "内務省" * 40}, *rows[1:]])
    shown = run_cells(edition, "destinations")
    assert shown["destinations"]["chart"]["spec"]["height"]["step"] > plain["spec"]["height"]["step"]
    assert max(len(line) for row in drawn(shown) for line in row["label"]) <= 56


def test_an_address_that_is_none_of_the_web_is_no_link(ours):
    for address in ("javascript:alert(1)", "data:text/html,x", ""):
        book = book_of([{**ours[0], "url": address}])
        assert web_addresses(book, list_figures(book)) == [""]


def test_an_edition_without_overlaps_or_notes_says_so():
    shown = run_cells("oral-2022", "destinations", drawn=False)
    for name in ("overlapping-figures", "figure-notes"):
        assert shown[name]["caption"] == "Not in this edition."
        assert shown[name]["rows"] == []


def test_digits_in_the_codebook_are_none():
    text = (ROOT / "data" / NAME / "codebook.md").read_text(encoding="utf-8")
    assert not re.search(r"\d", text)
