"""Comparing and reviewing: every seeded problem is caught and named, what changes no result moves nothing."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import inprocess
import pytest
from conftest import ROOT, SOURCE, run
from test_access import RULES
from test_book import changed

from analysis import charts, prose, report, tabulate, trail
from analysis import edition as editions
from parabook.review import judge
from parabook.review import page as review_page
from parabook.review import results as books
from parabook.review.compare import Comparison, as_text, compare, reasons, verdict
from parabook.review.judge import accept, only
from parabook.review.page import Review, as_html, as_markdown
from parabook.review.results import LEFT_OUT, Results, approved, approved_files, built

HOME = ROOT / "data" / "oral-2022"


@pytest.fixture(scope="module")
def loaded() -> editions.Edition:
    return editions.load(HOME)


@pytest.fixture(scope="module")
def base(loaded: editions.Edition) -> Results:
    """What the chapters say without any problem."""
    return inprocess.results(loaded)


def named(found: Comparison) -> set[tuple[str, str, str, str]]:
    """What a comparison names: part, exhibit or sentence, row, column or path."""
    return {(move.part, move.of, move.row, move.column) for move in found.moves}


FAULTS = {
    "a band's edge": (tabulate.bands, "b - 1, f\"{a}–{b - 1}\"", "b, f\"{a}–{b}\"", ("table", "interviewees-by-age", "18–25", "")),
    "silence read as youth": (tabulate.band_of, "return NOT_STATED\n", "return bands(edges)[0][2]\n", ("table", "interviewees-by-age", "under 18", "interviewees")),
    "not stated dropped": (tabulate.tally, "key = label(row)\n", "key = label(row)\n        if NOT_STATED in key: continue\n", ("table", "interviewees-by-age", "not stated", "")),
    "one of the not described lost": (tabulate.tally, "(declared - described, ())", "(declared - described - 1, ())", ("table", "interviewees-by-age", "not described", "interviewees")),
    "a route read backwards": (tabulate.route_of, '" → ".join(shown)', '" → ".join(reversed(shown))', ("table", "interviewees-by-route", "Kazakhstan → Moscow", "")),
    "a stop that is not named left out": (tabulate.route_of, "if not shown or", "if place is not None and not shown or place is not None and", ("table", "interviewees-by-route", "Krasnodar → … → Kazakhstan", "")),
    "countries swapped": (tabulate.destination_of, 'for code in codes]', 'for code in codes[::-1]]', ("table", "destinations", "f2", "destination")),
    "labels rewritten": (tabulate.profession_of, 'codes["profession"] or', 'codes["profession"].title() or', ("table", "interviewees-by-profession", "Blogger", "")),
    "people not counted counted": (tabulate.counted, '== "yes"', '!= ""', ("table", "interviewees-by-age", "not stated", "interviewees")),
    "a plan taken for a journey": (tabulate.routes, 'nw.col("status") == "made"', '~nw.col("status").is_null()', ("table", "interviewees-by-route", "Moscow → Kazakhstan", "")),
    "a join on the wrong place": (tabulate.setting_off, '"to_place", "country": "there"}), on="to_place"', '"from_place", "country": "there"}), on="from_place"', ("table", "days-to-border", "not stated", "interviewees")),
    "a join turned round": (tabulate.by_mode, 'how="semi"', 'how="anti"', ("table", "legs-by-mode", "air", "")),
    "silence counted as nought": (tabulate.by_nights, ' & ~nw.col("nights_waited").is_null()', "", ("table", "nights-waited", "0", "")),
    "a silent NaN": (tabulate.intervals, '"from": anchor if low is None', '"from": float("nan") if low is None', ("chart", "destinations", "data", "datasets.data-1")),
    "a day too many": (tabulate.days_after, ".days", ".days + 1", ("table", "timeline", "i02", "set off on day")),
    "a sum over measures": (prose.figures, "different measures, which are not added or ranked", "measures, {sum(float(row['high']) for row in rows):,.0f} in all", ("words", "destinations", "", "description")),
    "measures in one panel": (tabulate.intervals, 'measure_of(row["measure"])', '"people"', ("chart", "destinations", "", "vconcat")),
    "a hedge dropped": (tabulate.number_of, 'hedge == "exact"', "hedge", ("page", "destinations", "f1", "number")),
    "a bound too low": (tabulate.bounds, "(count + unknown) / total", "(count + unknown - 2) / total", ("words", "interviewees-by-age", "", "description")),
    "an order turned round": (tabulate.tally, "share = -sum", "share = sum", ("table", "interviewees-by-profession", "", "")),
    "a changed colour scale": (charts._marks, "counts, MARK, PAPER, PAPER, PAPER", "counts, MARK, MARK, PAPER, PAPER", ("chart", "interviewees-by-age", "", "layer[0].encoding.fill.scale.range")),
    "an axis cut off": (charts._panel, "domain=[0, top * 1.1]", "domain=[top * 0.5, top * 1.1]", ("chart", "destinations", "", "vconcat[0].layer[*].encoding.x.scale.domain")),
    "marks one short": (charts._marks, 'range(row["count"])', 'range(max(0, row["count"] - 1))', ("chart", "interviewees-by-age", "data", "datasets.data-1")),
    "a chart that says nothing": (report._counted, "description=heard", 'description=""', ("chart", "interviewees-by-age", "words", "description")),
    "a map on its side": (report.route_map, '(("x", "longitude"), ("y", "latitude"))', '(("x", "latitude"), ("y", "longitude"))', ("chart", "route-map", "data", "datasets.data-2")),
    "the wrong people behind a count": (trail.with_proof, "counts.who, counts.states", "counts.who[::-1], counts.states", ("page", "interviewees-by-age", "18–24", "rows behind it")),
    "links to the wrong words": (trail.proof, 'column in ("", place[2])', "True", ("page", "interviewees-by-age", "18–24", "rows behind it")),
    "a note left out": (report.interviewees_by_age, '"aged {}".format), note', '"aged {}".format)', ("words", "interviewees-by-age", "", "notes")),
}  # fmt: skip


@pytest.mark.parametrize("problem", FAULTS)
def test_a_fault_in_the_code_is_caught_and_named(
    problem: str, base: Results, loaded: editions.Edition, monkeypatch: pytest.MonkeyPatch
):
    function, old, new, expected = FAULTS[problem]
    inprocess.mutated(monkeypatch, function, old, new)
    chapter = base.words[expected[1]]["chapter"]  # the others would only take time
    found = compare(only(base, [chapter]), inprocess.results(replace(loaded), chapter))
    assert expected in named(found), sorted(named(found))
    if expected[0] in ("table", "page"):
        assert f"{expected[1]} ({expected[0]})" in as_text(found)
    assert "no input row that it rests on changed" in reasons(found, expected[1])


DATA = {
    "a night more": ("legs.csv", "i05,1,made,moscow,kazakhstan,,,1", "i05,1,made,moscow,kazakhstan,,,2", "legs i05.1 nights_waited: 1 → 2 (+1)", ("table", "nights-waited", "2", "")),
    "another trade": ("interviewees.csv", "bar manager", "bar owner", "interviewees i07 profession: bar manager → bar owner", ("table", "interviewees-by-profession", "bar manager", "")),
    "a revised figure": ("destinations.csv", "100000", "120000", "destinations f1 high: 100000 → 120000 (+20,000)", ("table", "destinations", "f1", "high")),
    "another country": ("places.csv", "kazakhstan,Kazakhstan,KAZ", "kazakhstan,Kazakhstan,RUS", "places kazakhstan country: KAZ → RUS", ("table", "days-to-border", "not stated", "interviewees")),
    "one more declared": ("datapackage.json", '"declared_interviewees": 17', '"declared_interviewees": 18', "report report declared_interviewees: 17 → 18 (+1)", ("table", "interviewees-by-age", "not described", "interviewees")),
    "an age of two bands": ("interviewees.csv", "i05,yes,20,20", "i05,yes,20,29", "interviewees i05 age_max: 20 → 29 (+9)", ("table", "interviewees-by-age", "18–24", "interviewees")),
    "a person not counted": ("interviewees.csv", "i08,yes", "i08,no", "interviewees i08 counted: yes → no", ("table", "interviewees-by-route", "not stated", "")),
    "a statement reworded": ("statements.csv", "against the war", "for peace", "statements s3 says: against the war → for peace", ("table", "statements", "s3", "says")),
}  # fmt: skip


@pytest.fixture
def twin(tmp_path: Path) -> Path:
    """A copy of the edition under its own name."""
    return Path(shutil.copytree(HOME, tmp_path / HOME.name))


@pytest.mark.parametrize("problem", DATA)
def test_a_fault_in_the_data_is_caught_and_leads_to_its_row(problem: str, base: Results, twin: Path):
    file, old, new, row, expected = DATA[problem]
    changed(twin, file, (old, new))
    chapter = base.words[expected[1]]["chapter"]
    found = compare(only(base, [chapter]), inprocess.results(twin, chapter))
    assert expected in named(found), sorted(named(found))
    assert f"input row {row}" in reasons(found, expected[1])
    assert row in [str(each) for each in found.behind(expected[1])]
    assert "None" not in as_text(found)


SAME = {
    "another way to join": (tabulate.route_of, '" → ".join(shown)', '"".join(f" → {name}" for name in shown).removeprefix(" → ")'),
    "another order of work": (tabulate.grouped, "for codes, n in sorted(groups)", "for codes, n in sorted(reversed(groups))"),
    "another name within": (charts._marks, "wide", "broad"),
    "a loop for a comprehension": (prose.spread, 'rows = [(str(row[0]), int(row[-1])) for row in counts.frame.itertuples(index=False)]', "rows = []\n    for row in counts.frame.itertuples(index=False):\n        rows.append((str(row[0]), int(row[-1])))"),
}  # fmt: skip


@pytest.mark.parametrize("change", SAME)
def test_a_refactoring_moves_nothing(
    change: str, base: Results, loaded: editions.Edition, monkeypatch: pytest.MonkeyPatch
):
    inprocess.mutated(monkeypatch, *SAME[change])
    found = compare(only(base, ["routes"]), inprocess.results(replace(loaded), "routes"))
    assert not found.moves
    assert verdict(found).startswith("Nothing moved: ")


def test_another_spelling_of_the_same_table_moves_nothing(base: Results, twin: Path):
    """Quotes and line ends are no results; the file's hash differs all the same."""
    text = (twin / "legs.csv").read_text(encoding="utf-8")
    rows = [",".join(f'"{cell}"' for cell in line.split(",")) for line in text.splitlines()]
    (twin / "legs.csv").write_bytes("\r\n".join([*rows, ""]).encode())
    found = compare(only(base, ["routes"]), inprocess.results(twin, "routes"))
    assert (found.moves, found.rows) == ((), ())
    assert found.old.origin.edition["legs.csv"] != found.new.origin.edition["legs.csv"]


def test_kernels_say_the_same_as_this_process(base: Results, book: Path):
    """What the tests above seed problems into is what a book is made of."""
    found = compare(base, built(book))
    assert [str(move) for move in found.moves] == []
    assert (found.rows, found.unknown, found.files) == ((), (), {})


DOMAIN = {"encoding": {"x": {"scale": {"domain": [-0.5, 7.7]}}}}


@pytest.mark.parametrize(
    ("domain", "counts", "follows"),
    [
        ([-0.5, 8.7], ("7", "8"), True),  # by as much
        ([-0.5, 15.4], ("7", "14"), True),  # in the same ratio
        ([-0.5, 8.7], ("7", "7"), False),  # no count moved
        ([3, 8.7], ("7", "8"), False),  # cut off below
        ([-0.5, 4.7], ("7", "8"), False),  # cut off above
        ([-0.5, "8.7"], ("7", "x"), False),
        ([-0.5], ("7", "8"), False),
    ],
)
def test_an_axis_that_only_keeps_pace_with_its_table_is_no_move_of_its_own(
    domain: list[object], counts: tuple[str, str], follows: bool
):
    charts = (DOMAIN, {"encoding": {"x": {"scale": {"domain": domain}}}})
    found = compare(
        *(
            Results("x", {"x": (HEAD, ("a", count), ("b", "2"))}, charts={"x": chart})
            for count, chart in zip(counts, charts, strict=True)
        )
    )
    assert ("scale.domain" not in as_text(found)) is follows


# What is kept, and what a comparison says of tables and charts


def test_an_approved_state_is_read_back_as_it_was(base: Results, tmp_path: Path):
    for name, text in approved_files(base).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(text.encode())
    again = approved(tmp_path, base.name)
    assert again is not None
    found = compare(again, base)
    assert (found.moves, found.rows, found.files, found.settings) == ((), (), {}, ())
    assert not set(LEFT_OUT) & set(again.tables)


HEAD = ("label", "n")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ((HEAD, ("a", "1")), (HEAD, ("a", "1.0")), ["table x: a, n: 1 → 1.0 (±0)"]),
        ((HEAD, ("a", "1")), (HEAD, ("a", "nan")), ["table x: a, n: 1 → nan"]),
        ((HEAD, ("a", "1")), (HEAD,), ["table x: a: gone: n 1"]),
        ((HEAD, ("a", "1"), ("b", "2")), (HEAD, ("b", "2"), ("a", "1")), ["table x: rows in another order: a; b → b; a"]),
        ((HEAD, ("a", "1"), ("b", "2")), (HEAD, ("c", "1"), ("b", "2")), ["table x: a: renamed: a → c"]),
        ((HEAD, ("a", "1")), (("label", "m"), ("a", "1")), ["table x: n: gone: column n", "table x: m: added: column m"]),
        ((HEAD, ("a", "1"), ("a", "2")), (HEAD, ("a", "1"), ("a", "3")), ["table x: a (2), n: 2 → 3 (+1)"]),
        ((HEAD, ("a", "0.1")), (HEAD, ("a", "0.30000000000000004")), ["table x: a, n: 0.1 → 0.30000000000000004 (+0.20000000000000004)"]),
    ],
)  # fmt: skip
def test_a_table_tells_its_moves(old: books.Table, new: books.Table, told: list[str]):
    found = compare(Results("x", {"x": old}), Results("x", {"x": new}))
    assert [str(move) for move in found.moves] == told


def test_of_links_those_are_told_that_came_and_went():
    def told(old: str, new: str) -> tuple[str, str, str]:
        views = [{"x": (("label", "rows"), ("a", links))} for links in (old, new)]
        move = compare(*(Results("x", {"x": (HEAD, ("a", "1"))}, view) for view in views)).moves[0]
        return move.old, move.new, move.what

    assert told("i02 (a), i03 (b)", "i01 (z), i02 (a), i03 (b)") == ("", "with i01", "added")
    assert told("i01 (z), i02 (a), i03 (b)", "i04 (c), i02 (a)") == ("with i01 and i03", "with i04", "changed")
    assert told("i01 (z), i02 (a)", "i01 (z), i02 (b)") == ("z, a", "z, b", "changed")


def test_an_exhibit_that_is_gone_or_new_has_moved():
    table = (HEAD, ("a", "1"))
    words = {"x": {"chapter": "c", "caption": "Caption."}}
    whole, nothing = Results("x", {"x": table}, words=words), Results("x")
    assert [str(move) for move in compare(whole, nothing).moves] == ["exhibit x: gone: Caption."]
    assert [str(move) for move in compare(nothing, whole).moves] == ["exhibit x: added: Caption."]


def test_a_run_that_does_not_repeat_itself_says_so():
    found = compare(Results("x", sentences={"c: a": "1"}), Results("x", sentences={"c: a": "2"}))
    assert "the run does not repeat itself" in verdict(found)


def kept(results: Results, folder: Path) -> Results:
    """Results as an approved state keeps them."""
    accept(books.Outcome(results, ()), folder)
    found = approved(folder, results.name)
    assert found is not None
    return found


S4 = "some acknowledged that it had taken", "taken the mobilisation decree to bring it home"


def test_an_evidence_row_is_told_from_what_to_what(base: Results, twin: Path, tmp_path: Path):
    """The approved state keeps it as a hash; its exhibit has the words. It stands behind no exhibit that shows no words."""
    changed(twin, "evidence.csv", tuple(f"statements,s4,says,21,{words}" for words in S4))
    changed(twin, "statements.csv", ("only the mobilisation brought", "nothing but the mobilisation brought"))
    old = kept(base, tmp_path / "state")
    assert isinstance((old.origin.rows or {})["evidence"]["statements.s4.says"], str)
    found = compare(old, inprocess.results(twin, "evidence"))
    row = f"evidence statements.s4.says exact: {' → '.join(S4)}"
    assert [str(each) for each in found.rows if each.table == "evidence"] == [row]
    assert f"input row {row}" in reasons(found, "evidence-statements")
    assert [each.table for each in found.behind("evidence-statements")] == ["evidence", "statements"]
    assert [each.table for each in found.behind("statements")] == ["statements"]


def test_evidence_stands_behind_what_shows_it(base: Results, twin: Path, tmp_path: Path):
    """A reason shown with a person moves with it; a row of evidence that is gone leaves its links."""
    text = (twin / "evidence.csv").read_text(encoding="utf-8")
    reason = next(line for line in text.splitlines() if line.startswith("interviewees,i09,counted"))
    changed(twin, "evidence.csv", (reason, reason.replace("A local host", "A host")))
    found = compare(kept(base, tmp_path / "state"), inprocess.results(twin, "evidence", "interviewees"))
    assert {"people-not-counted", "evidence-interviewees"} <= set(found.exhibits)
    assert [each.column for each in found.behind("people-not-counted")] == ["note"]
    assert found.behind("interviewees-by-age") == []


def test_an_evidence_row_that_no_exhibit_lists_is_told_by_its_hash(base: Results, twin: Path, tmp_path: Path):
    changed(twin, "evidence.csv", tuple(f"statements,s4,says,21,{words}" for words in S4))
    old, new = (
        replace(each, tables={}) for each in (kept(base, tmp_path / "state"), inprocess.results(twin, "codebook"))
    )
    assert [each.old.rpartition(" ")[0] for each in compare(old, new).rows] == ["a row of hash"]


def test_people_who_are_not_counted_are_named_as_such(
    base: Results, twin: Path, loaded: editions.Edition, monkeypatch: pytest.MonkeyPatch
):
    """A leg of theirs that is counted by mistake, a row of a list of people, and an input row of theirs."""
    changed(twin, "legs.csv", ("i01,1,made,kolomna,kazakhstan,,,2", "i01,1,made,kolomna,kazakhstan,,,3"))
    inprocess.mutated(monkeypatch, tabulate.counted, '== "yes"', '!= ""')
    found = compare(base, inprocess.results(twin, "routes", "summary"))
    told = {(move.of, move.row, move.column): move.new for move in found.moves if move.part == "page"}
    assert told["legs-by-mode", "not stated", "rows behind it"] == "with i01 (counted: no)"
    assert told["nights-waited", "3", "rows behind it"] == "with i01 (counted: no)"  # a row of its own
    page = as_markdown(Review("R", verdict(found), found))
    assert "| i01 (counted: no) |" in page  # the row of the exhibit one-by-one
    row = "| legs i01.1 | nights\\_waited | **2** | **3** | changed | status: made; i01 (counted: no) |"
    assert row in page
    assert "input row legs i01.1 nights_waited: 2 → 3 (+1); of i01 (counted: no)" in reasons(found, "nights-waited")


def test_who_is_counted_is_not_told_where_small_cells_are_hidden():
    rows = {"interviewees": {"i01": "0123456789ab"}, "legs": {"i01.1": "0123456789ab"}}
    found = compare(*(Results("x", origin=books.Origin(rows=each)) for each in (rows, rows)))
    assert found.named("i01") == "i01"


# The page


def bare(page: str) -> str:
    """The words of a page."""
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", page)).split())


PAYLOAD = "</td><script>window.pwned = 1</script><img src=x onerror='window.pwned = 2'> [a](javascript:1) | `x` $y$ @z"


def hostile(base: Results) -> Review:
    """A review whose every text is hostile, in all the places where text from data stands."""
    text = json.dumps(
        books.approved_files(base) and {"words": base.words, "tables": base.tables, "charts": base.charts}
    )
    swapped = json.loads(
        text.replace("Moscow", json.dumps(PAYLOAD)[1:-1]).replace("student", json.dumps(PAYLOAD)[1:-1])
    )
    tables = {name: tuple(map(tuple, rows)) for name, rows in swapped["tables"].items()}
    new = replace(
        base, words=swapped["words"], tables=tables, charts=swapped["charts"], sentences={"c: x": PAYLOAD},
        outputs={"c: cell": PAYLOAD},
        origin=replace(base.origin, rows={**(base.origin.rows or {}), "legs": {PAYLOAD: {"mode": PAYLOAD}}}, program={PAYLOAD: "1"}),
    )  # fmt: skip
    found = compare(base, new)
    cells = (books.Cell(PAYLOAD, PAYLOAD, "failed", 1.0, PAYLOAD), books.Cell(PAYLOAD, PAYLOAD, "ran"))
    return Review(f"Review {PAYLOAD}", verdict(found), found, PAYLOAD, PAYLOAD, cells, (), True)


@pytest.fixture(scope="module")
def hostile_page(base: Results) -> str:
    return as_html(hostile(base))


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_is_for_everyone_and_runs_nothing(browser, hostile_page: str, tmp_path: Path, scheme: str, width: int):
    from axe_playwright_python.sync_playwright import Axe

    (tmp_path / "review.html").write_text(hostile_page, encoding="utf-8")
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    page = context.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto((tmp_path / "review.html").as_uri())
    page.wait_for_timeout(200)
    assert [url for url in asked if not url.endswith("review.html")] == []
    assert said == []
    assert page.evaluate("window.pwned") is None
    assert PAYLOAD in page.locator("h1").inner_text()
    assert page.locator("svg").count() > 10
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "scrolls sideways"
    found = Axe().run(page, options=RULES).response["violations"]
    context.close()
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == []


def test_markdown_shows_text_as_typed(base: Results):
    from markdown_it import MarkdownIt

    page = MarkdownIt("gfm-like", {"linkify": False}).render(as_markdown(hostile(base)))
    assert "<script" not in page
    assert "<img" not in page
    assert "<a " not in page
    assert "&lt;script&gt;window.pwned = 1&lt;/script&gt;" in page
    assert page.count("<table>") > 5


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("only the mobilisation brought the war close enough to act", "only the mobilisation made the war real, and made them act"),
        ("a red car", "a big red car"),
        ("a big red car", "a car"),
        ("their families and others", "their families, and others"),
        ("a b", "a, (b)"),
        ("x1y2z", "x,y;z"),
        ("says it", "«says» it’s"),
        ("3 * 4 | a_b <i>", "3 ** 5 | a_c <b>"),
        ("told of 6", "told of"),
    ],
)  # fmt: skip
def test_words_stay_apart_and_marks_take_effect_in_markdown(old: str, new: str):
    from markdown_it import MarkdownIt

    for text, marked in zip((old, new), review_page.marked(old, new), strict=True):
        shown = MarkdownIt("commonmark").renderInline(review_page._cell(marked))
        assert html.unescape(re.sub("</?strong>", "", shown)) == text
        assert isinstance(marked, review_page.Marked)
        bold = [html.unescape(each) for each in re.findall("<strong>(.*?)</strong>", shown)]
        assert bold == [words.strip() for words, new in marked.words if new and words.strip()]


@pytest.mark.parametrize(("to", "counted"), [("2", True), ("b", False)])
def test_sums_are_told_where_something_is_counted(to: str, counted: bool):
    tables = [dict.fromkeys("xy", (HEAD, ("a", text))) for text in ("1", to)]
    found = compare(*(Results("x", each, words={name: {"caption": name} for name in each}) for each in tables))
    page = as_markdown(Review("R", verdict(found), found))
    assert ("| exhibit | moves | the first of them | because of |" in page) is not counted
    assert ("| exhibit | moves | the first of them | sum of the counts | because of |" in page) is counted


def test_what_says_something_is_never_cut_or_folded():
    """Of sixty cells the last but one warned and the last failed; of sixty rows all moved."""
    cells = [books.Cell("c", f"cell-{n}", "ran") for n in range(58)]
    cells += [
        books.Cell("c", "late", "ran", 0.1, "careful"),
        books.Cell("c", "last", "failed", 0.1, "ZeroDivisionError"),
    ]
    tables = [{"x": (HEAD, *((f"row-{n}", str(n + more)) for n in range(60)))} for more in (0, 1)]
    found = compare(*(Results("x", table, words={"x": {"caption": "C."}}) for table in tables))
    review = Review("R", verdict(found), found, cells=tuple(cells), ran=True)
    text, page = as_markdown(review), as_html(review)
    assert "| c late | ran | 0.10 | careful |" in text
    assert "| c last | failed | 0.10 | ZeroDivisionError |" in text
    assert "| row-59 | **59** | **60** | changed, +1 |" in text
    assert "rows more" not in text
    assert "cell-57" not in text
    assert "59 of 60 cells ran" in text
    sight, folded = page.split("<details><summary>58 cells that ran and said nothing, with seconds</summary>")
    assert "c last" in sight
    assert "c cell-57" in folded


@pytest.mark.browser
def test_on_a_narrow_screen_no_words_stand_in_a_column_of_one_word(browser, tmp_path: Path):
    """Rows with long texts are blocks, each cell with its column's name; tables of short ones stay tables, and scroll."""
    words = " ".join(["only the mobilisation brought the war close enough to them"] * 2)
    tables = [{"x": (("statement", "says"), ("s4", f"{words} {n}")), "y": (("mode", "legs"), ("air", n))} for n in "12"]
    found = compare(*(Results("x", each, words={name: {"caption": name} for name in each}) for each in tables))
    (tmp_path / "review.html").write_text(as_html(Review("R", verdict(found), found)), encoding="utf-8")
    page = browser.new_page(viewport={"width": 375, "height": 800})
    page.goto((tmp_path / "review.html").as_uri())
    cells = page.locator("td", has_text="mobilisation")
    assert cells.count() >= 2
    assert min(cells.nth(n).bounding_box()["width"] for n in range(cells.count())) > 300
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    names = "[...document.querySelectorAll('td')].map(td => getComputedStyle(td, '::before').content)"
    assert '"says, from: "' in page.evaluate(names)
    short = page.get_by_role("cell", name="2", exact=True).last
    assert short.evaluate("cell => getComputedStyle(cell).display") == "table-cell"
    assert page.get_by_role("table").count() == page.locator("table").count()
    page.close()


def test_both_values_of_a_count_stand_in_one_drawing(base: Results):
    rows = tuple((a, "6" if a == "18–24" else b) for a, b in base.tables["interviewees-by-age"])
    found = compare(base, replace(base, tables={**base.tables, "interviewees-by-age": rows}))
    page = as_html(Review("R", verdict(found), found))
    assert ">4 → 6</text>" in page
    assert "sum of the column 17 19 changed, +2" in bare(page)  # the sum, which should have stayed
    assert page.count("<mark>17</mark>") == page.count("<mark>19</mark>") == 1
    assert "interviewees-by-age, both: hollow from, filled to" in page


def test_what_was_meant_stands_beside_what_moved(base: Results):
    rows = tuple((a, "6" if a == "18–24" else b) for a, b in base.tables["interviewees-by-age"])
    moved = replace(base, tables={**base.tables, "interviewees-by-age": rows})
    said = {"src/analysis/tabulate.py": ["not committed", "7eb292f Say in one place which legs were travelled"]}
    files = {"src/analysis/tabulate.py": "changed", "src/analysis/book/run.py": "changed"}
    said |= {"src/analysis/book/run.py": ["abc1234 What cannot have moved a result"]}
    page = as_markdown(Review("R", "V", replace(compare(base, moved), commits=said, files=files)))
    assert "abc1234" not in page.partition("## What moved")[0]
    assert "in the words of those who did it:\n\n- 7eb292f Say in one place which legs were travelled\n\n" in page
    assert "moved though no data did" in page
    changed_row = replace(compare(base, moved), unknown=("legs.csv",))
    assert "moved though no data did" not in as_markdown(Review("R", "V", changed_row))
    assert "moved though" not in as_markdown(Review("R", "V", compare(base, base)))


# The commands


def test_one_fault_is_one_fault(twin: Path):
    changed(twin, "legs.csv", ("i02,1,made,moscow,astrakhan,air", "i02,1,made,moscow,astrakhan,aiir"))
    assert run("check", twin, code=2).stdout.splitlines()[-1].startswith(f"{twin}: 1 problem, 0 warnings (")


def test_the_default_edition_is_as_approved(tmp_path: Path):
    done = run("review", "--out", tmp_path)
    assert done.stdout.startswith("Nothing moved: ")
    assert (tmp_path / "review.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    page = (tmp_path / "review.md").read_text(encoding="utf-8")
    assert "Nothing moved" in page
    assert "Evidence: not held against the source text" in page


def test_a_review_holds_the_evidence_against_the_source(article: str, tmp_path: Path):
    done = run("review", "--source", SOURCE, "--out", tmp_path)
    assert "evidence: 165 of 165 values resolve" in done.stdout
    assert "Evidence: 165 of 165 values resolve" in (tmp_path / "review.md").read_text(encoding="utf-8")


def test_a_value_that_does_not_resolve_fails_the_review_and_is_not_accepted(article: str, twin: Path, tmp_path: Path):
    changed(twin, "legs.csv", ("i05,1,made,moscow,kazakhstan,,,1", "i05,1,made,moscow,kazakhstan,,,3"))
    state = tmp_path / "state"
    done = run("review", twin, "--source", SOURCE, "--approved", state, "--accept", "--out", tmp_path / "out", code=1)
    assert "evidence: 164 of 165 values resolve" in done.stdout
    assert done.stderr.splitlines()[-1] == "not accepted"
    assert not state.exists()
    page = (tmp_path / "out" / "review.md").read_text(encoding="utf-8")
    assert "**Evidence: 164 of 165 values resolve" in page
    assert (
        "- legs.csv \\[i05.1\\], column nights\\_waited: found '3'" in page
    )  # in the edition's folder, not on this machine
    assert str(tmp_path) not in page


def test_a_source_that_cannot_be_read_stops_a_review_before_it_runs(tmp_path: Path):
    done = run("review", "--source", tmp_path / "nowhere.txt", "--out", tmp_path / "out", code=2)
    assert "nowhere.txt: found No such file or directory, needed the source text" in done.stderr
    assert not (tmp_path / "out").exists()


def test_evidence_that_hides_small_cells_is_counted_and_not_quoted(article: str, twin: Path):
    changed(twin, "legs.csv", ("i05,1,made,moscow,kazakhstan,,,1", "i05,1,made,moscow,kazakhstan,,,3"))
    changed(twin, "datapackage.json", ('"minimum_cell": 1', '"minimum_cell": 3'))
    held = judge._held(editions.load(twin), article)
    assert [str(problem) for problem in held.problems] == [
        "oral-2022: found 1 problem, needed none; analysis verify names them"
    ]


def test_nothing_is_approved_without_being_asked(twin: Path, tmp_path: Path):
    """A missing approval fails and writes nothing; --accept writes; then a change, however the machine is set."""
    state, out = tmp_path / "state", tmp_path / "out"
    done = run("review", twin, "--approved", state, "--out", out, code=1)
    assert "--accept" in done.stdout
    assert not state.exists()
    run("review", twin, "--approved", state, "--out", out, "--accept")
    kept = {file: file.read_bytes() for file in state.rglob("*") if file.is_file()}
    changed(twin, "legs.csv", ("i05,1,made,moscow,kazakhstan,,,1", "i05,1,made,moscow,kazakhstan,,,3"))
    (state / "tables" / "older.csv").write_text("a,b\n1,2\n")
    setting = {
        "TZ": "Asia/Almaty",
        "PYTHONHASHSEED": "7",
        "COLUMNS": "40",
        "LANG": "C",
        "LC_ALL": "C",
        "PYTHONUTF8": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "analysis.publish.cli", "review", str(twin), "--approved", str(state), "--out", str(out)],
        cwd=tmp_path, env=os.environ | setting, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    old = approved(state, twin.name)
    assert old is not None
    # The same as this process says, in another zone, locale, order and width, without kernels.
    assert done.stdout.startswith(as_text(compare(old, inprocess.results(twin))))
    assert "legs i05.1 nights_waited: 1 → 3 (+2)" in done.stdout
    assert "older (exhibit)" in done.stdout
    assert {file: file.read_bytes() for file in kept} == kept
    page = (out / "review.html").read_text(encoding="utf-8")
    assert "<mark>3</mark>" in page
    assert (
        page.index("What moved") < page.index("Input rows that changed") < page.index(">Cells<") < page.index(">Checks")
    )


def test_only_an_approved_state_is_ever_replaced(base: Results, tmp_path: Path):
    from parabook.errors import InputError

    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("x")
    with pytest.raises(InputError, match=r"a folder without inputs\.json"):
        accept(books.Outcome(base, ()), tmp_path / "mine")
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "file"]
    accept(books.Outcome(base, ()), tmp_path / "new")
    (tmp_path / "new" / "tables" / "older.csv").write_text("a,b\n")
    accept(books.Outcome(base, ()), tmp_path / "new")
    assert not (tmp_path / "new" / "tables" / "older.csv").exists()


def test_a_book_and_an_edition_compare(book: Path, twin: Path, tmp_path: Path):
    done = run("compare", book, book, "--json", "-")
    assert json.loads(done.stdout)["moved"] is False
    changed(twin, "destinations.csv", ("100000", "120000"))
    page, file = tmp_path / "page.html", tmp_path / "moves.json"
    done = run("compare", book, twin, "--json", file, "--page", page, code=1)
    told = json.loads(file.read_text(encoding="utf-8"))
    move = {
        "part": "table",
        "of": "destinations",
        "row": "f1",
        "column": "high",
        "old": "100000",
        "new": "120000",
        "what": "changed",
        "by": "+20,000",
    }
    assert move in told["moves"]
    assert told["because"]["destinations"][0] == "input row destinations f1 high: 100000 → 120000 (+20,000)"
    assert "destinations f1 high: 100000 → 120000" in done.stdout
    assert "Comparison of oral-2022" in page.read_text(encoding="utf-8")
    done = run("compare", book, tmp_path / "nowhere", code=2)
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the checkout with a history of its own."""
    made = tmp_path / "checkout"
    for name in ("chapters", "data", "src", "_static", "tests/approved"):
        shutil.copytree(ROOT / name, made / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("_config.yml", "_toc.yml", "requirements.txt"):
        shutil.copy(ROOT / name, made / name)
    for step in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "As approved"]):
        git(made, *step)
    return made


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True)


def reviewed(checkout: Path, out: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "analysis.publish.cli", "review", "--out", str(out)],
        cwd=checkout, env=os.environ | {"PYTHONPATH": str(checkout / "src")}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_move_leads_to_the_commit_it_comes_from(checkout: Path, tmp_path: Path):
    """A chapter's default and a rule of counting, each in a commit of its own; through kernels, as in CI."""
    changed(checkout, "chapters/interviewees.ipynb", ("18,25,35,45", "18,22,35,45"))
    git(checkout, "commit", "-qam", "Young is younger")
    changed(
        checkout, "src/analysis/charts.py", ("counts, MARK, PAPER, PAPER, PAPER", "counts, MARK, MARK, PAPER, PAPER")
    )
    done = reviewed(checkout, tmp_path / "out")
    assert done.returncode == 1, done.stderr
    reason = done.stdout[done.stdout.index("interviewees-by-age: because of") :].split("\n\n")[0]
    assert "no input row that it rests on changed" in reason
    assert "chapters/interviewees.ipynb changed (" in reason
    assert "Young is younger" in reason
    assert "src/analysis/charts.py changed (not committed)" in reason
    said = subprocess.run(["git", "log", "--format=%h (%cs)"], cwd=checkout, capture_output=True, text=True, check=True)
    here, state = said.stdout.split("\n")[:2]
    page = html.unescape((tmp_path / "out" / "review.html").read_text(encoding="utf-8"))
    assert f"From: the state approved in commit {state}. " in page
    assert f"To: this run, at commit {here}, with changes that are not committed." in page
    assert f"Edition: {editions.load(HOME).title}<" in page
    assert str(tmp_path) not in page


def test_without_a_history_the_page_names_no_commit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(judge, "_git", lambda *arguments: "")
    assert (judge._state(tmp_path), judge._here(HOME, tmp_path)) == ("the approved state", "this run")


def test_a_cell_that_fails_is_named_on_the_page(checkout: Path, tmp_path: Path):
    changed(checkout, "chapters/routes.ipynb", ("report.legs_by_mode(book)", "1 / 0"))
    done = reviewed(checkout, tmp_path / "out")
    assert done.returncode == 1
    assert "A cell failed: chapter routes, cell by-mode: ZeroDivisionError: division by zero" in done.stdout
    page = (tmp_path / "out" / "review.md").read_text(encoding="utf-8")
    assert "| routes by-mode | failed |" in page
    assert "nights-waited" not in page  # of a chapter that failed nothing is compared


def test_an_approved_state_that_is_broken_is_refused(tmp_path: Path):
    from parabook.errors import InputError

    for name, text in (("inputs.json", '{"else": 1}'), ("inputs.json", "{"), ("exhibits.json", "{}\xff")):
        (tmp_path / "inputs.json").write_text("{}")
        (tmp_path / name).write_bytes(text.encode("latin-1"))
        with pytest.raises(InputError, match="an approved state"):
            approved(tmp_path, "x")


def test_rows_of_an_edition_that_hides_small_cells_are_not_told(twin: Path):
    changed(twin, "datapackage.json", ('"minimum_cell": 1', '"minimum_cell": 3'))
    rows = books.input_rows(editions.load(twin))
    assert {type(row) for row in rows["interviewees"].values()} == {str}


def test_of_a_very_long_table_it_is_told_that_it_differs(twin: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(books, "MOST_HASHED", 3)
    before = books.input_rows(editions.load(twin))
    assert list(before["legs"]) == ["all rows"]
    changed(twin, "legs.csv", ("i05,1,made,moscow,kazakhstan,,,1", "i05,1,made,moscow,kazakhstan,,,3"))
    after = books.input_rows(editions.load(twin))
    assert [name for name in before if before[name] != after[name]] == ["legs"]
