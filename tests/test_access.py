"""Nobody is left out: axe finds nothing, the keyboard reaches everything, text may grow, no page needs JavaScript."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from conftest import first_chart
from test_browser import PAGES

pytestmark = pytest.mark.browser

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
SPACED = """* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }
p { margin-bottom: 2em !important }"""  # WCAG 1.4.12: spacing that readers may set
WIDE = "document.documentElement.scrollWidth - window.innerWidth"


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_and_the_page_stands_by_itself(visit, book: Path, name: str, scheme: str, width: int):
    """No request to another host, none unanswered, no error in the console."""
    page = visit(book / "html" / f"{name}.html", viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.wait_for_timeout(300)
    assert visit.elsewhere() == []
    assert visit.wrong == []
    assert violations(page) == []


def violations(page) -> list[tuple[str, str]]:
    """What axe finds wrong with a page; of what is right it then lists one node a rule, which is quicker."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={**RULES, "resultTypes": ["violations"]}).response["violations"]
    return [(each["id"], each["nodes"][0]["html"][:200]) for each in found]


# Tables that are wider than their place, and texts of charts smaller than 11 pixels as shown.
CUT = """() => [...document.querySelectorAll('figure.exhibit .table')]
  .filter((each) => each.scrollWidth > each.clientWidth + 1).map((each) => each.getAttribute('aria-labelledby'))"""
SMALL = """() => [...document.querySelectorAll('.chart svg text')]
  .filter((each) => each.textContent && parseFloat(getComputedStyle(each).fontSize) * each.getScreenCTM().a < 11).map((each) => each.textContent)"""


def test_no_page_scrolls_sideways_and_on_a_phone_nothing_is_cut_off_or_too_small(visit, book: Path):
    """Also with wide spacing, and at 200 %, where a window of 1280 pixels is one of 640."""
    page = visit("about:blank", device_scale_factor=2)
    for name in PAGES:
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto((book / "html" / f"{name}.html").as_uri())
        page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
        assert page.evaluate(CUT) == [], name
        assert page.evaluate(SMALL) == [], name
        page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = false))")
        for spacing in ("", SPACED):
            page.add_style_tag(content=spacing or "p {}")
            for width in (320, 640):
                page.set_viewport_size({"width": width, "height": 640})
                assert page.evaluate(WIDE) <= 0, (name, width, spacing)


def test_what_is_said_is_read_without_opening_a_fold(visit, book: Path):
    seen = visit(book / "html" / "statements.html").locator("article").inner_text()
    lines = (
        "IT workers (i02, i03 and i04)",
        "worry about housing prices",
        "Oral is a trading city",
        "is against the war",
    )
    assert [line for line in lines if line not in seen] == []


def test_charts_answer_the_keyboard(visit, book: Path):
    page = visit(book / "html" / "interviewees.html")
    chart = first_chart(page)
    chart.locator(".drawing").focus()
    heard = []
    for _ in range(17):
        page.keyboard.press("ArrowDown")
        heard.append(chart.locator(".said").inner_text())
    # Six people of known age, each heard once: the three of one party as one, the film student from twenty on, two of thirty-two.
    people = [text for text in dict.fromkeys(heard) if "interviewee: " in text]
    assert sorted(text.split("from: ")[1][:2] for text in people) == ["20", "20", "32", "32"]
    assert any("interviewee: i02, i03, i04" in text for text in people)


# What a reader can operate and see; the theme keeps its switch for the side bar as a hidden check box with a label.
CONTROLS = """() => {
  document.querySelectorAll('details').forEach((each) => (each.open = true));
  const found = [...document.querySelectorAll('a[href], button, input:not([type=checkbox]), summary, [tabindex="0"]')];
  window.controls = found.filter((each) => each.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && each.getClientRects().length);
  return window.controls.map((each) => each.outerHTML.slice(0, 120));
}"""
FOCUS = """() => {
  window.focused = {};  // by the number of a control whether its focus was seen, the first time
  document.addEventListener('focusin', ({ target }) => {
    const styles = [target, target.parentElement].map((each) => getComputedStyle(each));
    window.focused[window.controls.indexOf(target)] ??= styles.some((each) => each.outlineStyle !== 'none' || each.boxShadow !== 'none');
  });
}"""


@pytest.mark.parametrize("name", ["index", "interviewees", "search"])
def test_the_keyboard_reaches_every_control(visit, book: Path, name: str):
    """Tab after tab from the top, each thing that a pointer could use has the focus once, and shows it."""
    page = visit(book / "html" / f"{name}.html", viewport={"width": 1280, "height": 900})
    page.wait_for_timeout(300)
    wanted = page.evaluate(CONTROLS)
    page.evaluate(FOCUS)
    for _ in range(len(wanted) + 20):
        page.keyboard.press("Tab")
    seen = page.evaluate("window.focused")
    assert [text for n, text in enumerate(wanted) if not seen.get(str(n))] == []


def test_charts_are_seen_without_javascript_in_the_readers_colours(visit, book: Path):
    ink = set()
    for scheme in ("light", "dark"):
        page = visit(book / "html" / "interviewees.html", java_script_enabled=False, color_scheme=scheme)
        charts = page.locator("figure.exhibit .chart svg")
        boxes = [chart.bounding_box() for chart in charts.all()]
        assert len(boxes) >= 2  # ages and occupations
        assert all(box["width"] > 200 and box["height"] > 80 for box in boxes)
        ink.add(charts.first.locator("text").first.evaluate("text => getComputedStyle(text).fill"))
    assert len(ink) == 2


def test_pages_are_light(visit, book: Path):
    """Bytes until the first chart is seen, and with all that makes it interactive, gzipped."""
    first_chart(visit(book / "html" / "interviewees.html"))
    asked = {url.split("?")[0].split("/html/")[1] for url in visit.asked}
    weights = {name: len(gzip.compress((book / "html" / name).read_bytes(), 6)) for name in asked}
    assert sum(weight for name, weight in weights.items() if not name.endswith("vega.js")) <= 300_000
    assert sum(weights.values()) <= 620_000
