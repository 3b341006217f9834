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

import narwhals as nw
import pandas as pd
import pytest
from conftest import ROOT, absent, run

from analysis import charts, prose, report, tabulate
from analysis.coding.relations import MOST_WORDS
from analysis.coding.rules import words
from analysis.edition import load
from analysis.frames import records
from parabook import drawings
from parabook.drawings import canonical, panels
from parabook.render import chart_html

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
def edition():
    return load(NAME)


@pytest.fixture(scope="module")
def exhibits(edition):
    made = [report.figures_by_measure, report.destinations, report.overlapping_figures, report.figure_notes]
    return {exhibit.id: exhibit for exhibit in (make(edition) for make in made)}


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


class TestTold:
    def test_figures_a_measure_as_counted_by_hand(self, exhibits):
        frame = exhibits["figures-by-measure"].frame
        assert list(zip(frame["measure"], frame["figures"], strict=True)) == [
            (tabulate.measure_of(code), n) for code, n in MEASURES.items()
        ]
        assert sum(MEASURES.values()) == 58

    def test_every_measure_says_what_it_counts(self, exhibits):
        assert tabulate.NOT_STATED not in set(exhibits["figures-by-measure"].frame["what is counted"])

    def test_joint_figures_by_name(self, exhibits):
        frame = exhibits["destinations"].frame.set_index("figure")["destination"]
        assert frame["f20"] == "the European Union (27 countries)"
        assert frame["f56"] == "Kazakhstan, Georgia and Finland"
        assert set(frame[["f54", "f55", "f57", "f58"]]) == {"any country"}

    def test_what_shares_days_as_counted_by_hand(self, exhibits):
        frame = exhibits["overlapping-figures"].frame
        groups = frame.groupby(["measure", "destination"], sort=False)["figure"].agg(sorted).to_dict()
        assert groups == {
            ("entries", "Kazakhstan"): ["f01", "f03", "f05", "f07", "f09"],
            ("entries", "Georgia"): ["f10", "f11", "f13", "f15", "f19"],
            ("entries", "Finland"): ["f16", "f17", "f18"],
            ("entries", "Mongolia"): ["f21", "f22"],
            ("exits", "Kazakhstan"): ["f02", "f04"],
            ("registrations", "Kyrgyzstan"): ["f23", "f24"],
            ("asylum_applications", "Norway"): ["f46", "f53"],
        }
        lies = frame.set_index("figure")["shares days with"]
        assert lies["f16"] == "within f17 and f18; counted for more countries in f20 and f56"
        assert lies["f46"] == "same days as f53"
        assert lies["f07"].startswith("overlaps"), "its end is not stated"

    def test_only_norway_says_two_things_of_the_same_days(self, edition):
        figures = tabulate.figures(edition.tables["destinations"])
        assert [(a["figure"], b["figure"]) for a, b in tabulate.at_odds(figures)] == [("f46", "f53")]

    def test_every_figure_leads_to_the_page_where_it_was_read(self, exhibits, ours):
        leads = {row["figure"][0].text: row["read in"][0].href for row in exhibits["destinations"].view}
        assert leads == {row["figure"]: row["url"] for row in ours}

    def test_the_front_page_counts_and_does_not_choose(self, edition):
        card, compared, checked = report.in_a_minute(edition, "18,25,35,45", "label", "place").answers
        assert (card.answer, card.unknown) == ("58 figures", "never added or ranked, 6 with an open end")
        assert card.of == "of 15 measures, for 15 countries; 6 figures for several at once"
        assert (compared.answer, compared.unknown[:6]) == ("21 figures to compare", "1 pair")
        assert checked.answer == "58 figures with their pages"


class TestNothingAddedOrRanked:
    def test_each_panel_has_a_scale_of_its_own_from_nought(self, exhibits):
        chart = exhibits["destinations"].chart()
        assert "resolve" not in chart
        assert len(chart["vconcat"]) == len(MEASURES)
        tops = {}
        for panel, code in zip(chart["vconcat"], MEASURES, strict=True):
            assert panel["title"] == tabulate.measure_of(code)
            scales = [
                layer["encoding"]["x"].get("scale") for layer in panel["layer"] if "field" in layer["encoding"]["x"]
            ]
            (low, high) = scales[0]["domain"]
            assert low == 0
            assert all(scale == scales[0] for scale in scales)
            tops[code] = high
        assert tops["entries"] > 837_000
        assert tops["asylum_applications"] < 2000

    def test_a_panel_holds_the_figures_of_one_measure(self, exhibits):
        chart = exhibits["destinations"].chart()
        for panel in chart["vconcat"]:
            name = panel["layer"][0]["data"]["name"]
            assert {row["measure"] for row in chart["datasets"][name]} == {panel["title"]}

    def test_all_figures_for_a_destination_stand_together_by_window(self, exhibits):
        rows = records(exhibits["destinations"].frame)
        groups = [(row["measure"], row["destination"]) for row in rows]
        assert len([pair for pair in pairwise(groups) if pair[0] != pair[1]]) + 1 == len(set(groups))
        for one, other in pairwise(rows):
            if (one["measure"], one["destination"]) == (other["measure"], other["destination"]):
                assert (one["window_start"] or "9") <= (other["window_start"] or "9")

    def test_sizes_change_no_order(self, edition):
        """With every number replaced, the figures stand in the same order: it does not come from size."""
        table = edition.tables["destinations"].collect("pandas")
        native = table.to_native()
        turned = native.assign(low=native["low"][::-1].values, high=native["high"][::-1].values)
        orders = [list(tabulate.figures(nw.from_native(t).lazy())["figure"]) for t in (native, turned)]
        assert orders[0] == orders[1]

    def test_no_number_is_told_that_no_row_has(self, exhibits, edition, ours):
        """Every number of more than two digits in a finding, a sentence or a chart is a row's, a year or in a name."""
        known = {f"{float(row[end]):.0f}" for row in ours for end in ("low", "high") if row[end]}
        figures = tabulate.figures(edition.tables["destinations"])
        told = [prose.figures(figures), prose.each_figure(figures)]
        told += [exhibit.description for exhibit in exhibits.values()]
        chart = exhibits["destinations"].chart()
        told += [chart["description"]]
        told += [row["text"] for rows in chart["datasets"].values() for row in rows if "text" in row]
        for text in told:
            found = set(re.findall(r"(?<![\w.])\d{3,}", text.replace(",", "")))
            assert found - known <= {"2022", "2023", "2024"}, text

    def test_no_figure_is_called_most_or_least(self, exhibits):
        ranks = re.compile(r"\b(most|largest|biggest|highest|lowest|smallest|total|top|average)\b", re.IGNORECASE)
        for exhibit in exhibits.values():
            for text in (exhibit.caption, exhibit.description, *exhibit.notes):
                assert not ranks.search(text), text


def test_charts_of_any_figures_keep_long_and_foreign_labels():
    """A panel is as tall as its words need, and words wider than the chart are cut at its edge."""
    row = {"figure": "f1", "destination": "Kazakhstan", "measure": "entries", "low": "5", "high": "", "quantifier": "more than",
           "window_start": "", "window_end": "", "stated_by": "内務省" * 40}  # fmt: skip
    short = charts.spans(tabulate.intervals(pd.DataFrame([{**row, "stated_by": "x"}])), description="x")
    long = charts.spans(tabulate.intervals(pd.DataFrame([row])), description="x")
    assert long["vconcat"][0]["height"] > short["vconcat"][0]["height"]
    marks = [layer["mark"] for layer in long["vconcat"][0]["layer"] if layer["mark"]["type"] == "text"]
    assert {mark["limit"] for mark in marks} == {charts.WIDTH}


def test_an_address_that_is_none_of_the_web_is_no_link(edition):
    row = {**records(tabulate.figures(edition.tables["destinations"]))[0], "figure": "x"}
    for address in ("javascript:alert(1)", "data:text/html,x", ""):
        dangerous = SimpleNamespace(rows=lambda _, address=address: [{"figure": "x", "url": address}], evidence={})
        (link,) = report.figure_row(dangerous, row)["read in"]
        assert (link.text, link.href) == (row["reported_by"], "")


def test_a_chart_is_drawn_alike_whatever_was_drawn_before():
    """A map cuts its marks at its edge, by the ids of paths that the drawing program numbers on and on."""
    land = [{"type": "Feature", "geometry": {"type": "Point", "coordinates": [0, 0]}, "properties": {}}]
    lines = pd.DataFrame([{"from": "a", "to": "b", "status": "made", "legs": 1, "x1": 0, "y1": 0, "x2": 1, "y2": 1}])
    places = pd.DataFrame([{"name": "a", "precision": "city", "kind": "place", "x": 0, "y": 0}])
    one, two = (canonical(charts.route_map(lines, places, land, (-1, -1, east, 2), description="")) for east in (2, 3))
    first, other, again = drawings._svg(one), drawings._svg(two), drawings._svg(one)
    assert first == again
    ids, theirs = (set(re.findall(r'<clipPath id="([^"]+)"', svg)) for svg in (first, other))
    assert ids
    assert not ids & theirs
    assert ids == set(re.findall(r"url\(#([^)]+)\)", first))


def test_a_row_of_many_marks_is_as_tall_as_its_lines_and_beside_its_label():
    people = {"people": load("oral-2022").tables["interviewees"], "declared": 46}
    counts = tabulate.by_age(**people, age_bands="18,25,35,45")
    assert list(counts.frame["interviewees"])[-1] == 38, "not described"
    svg = drawings._svg(canonical(charts.tallied(counts, description="")))
    rows, lines = len(counts.frame), 4
    height = float(re.search(r'height="([\d.]+)"', svg)[1])
    assert rows * lines * 12 < height < rows * (lines * 17 + 7) + 40
    at = r' transform="translate\(([\d.]+),([\d.]+)\)"'
    marks = [(float(x), float(y)) for x, y in re.findall(rf'<path aria-label="x: [^"]*"[^>]*?{at}', svg)]
    assert len(set(marks)) == 46, "none upon another"
    hidden = sorted({y for _, y in marks})[-lines:]
    assert min(b - a for a, b in pairwise(hidden)) >= 12
    ((_, number),) = re.findall(rf"<text[^>]*?{at}[^>]*>38</text>", svg)
    assert abs(float(number) - sum(hidden) / lines) < 8


def test_panels_of_a_chart_are_drawn_apart(exhibits):
    chart = exhibits["destinations"].chart()
    parts = panels(chart)
    assert [part["title"] for part in parts] == [tabulate.measure_of(code) for code in MEASURES]
    drawn = chart_html(chart, "")
    assert drawn.count('role="img"') == len(MEASURES)
    assert "Norway, all of 2022: 294; Norway, all of 2022: 334" in drawn, "told to those who hear it"


def test_an_edition_without_overlaps_or_notes_says_so():
    oral = load("oral-2022")
    for make in (report.overlapping_figures, report.figure_notes):
        assert make(oral).caption == "Not in this edition."
        assert make(oral).frame.empty


def test_digits_in_the_codebook_are_none():
    text = (ROOT / "data" / NAME / "codebook.md").read_text(encoding="utf-8")
    assert not re.search(r"\d", text)
