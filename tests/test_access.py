"""Nobody is left out: axe finds nothing, the keyboard reaches everything, text may grow, nothing scrolls sideways."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from test_browser import PAGES, WIDTHS

pytestmark = pytest.mark.browser

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(browser, book: Path, name: str, scheme: str, width: int):
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto((book / "html" / f"{name}.html").as_uri())
    page.wait_for_timeout(300)
    found = Axe().run(page, options=RULES).response["violations"]
    context.close()
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == []


def test_a_chart_answers_the_keyboard(browser, book: Path):
    page = browser.new_page()
    page.goto((book / "html" / "interviewees.html").as_uri())
    page.wait_for_selector(".chart[data-ready]")
    chart = page.locator(".chart").first
    chart.locator(".drawing").focus()
    heard = []
    for _ in range(17):
        page.keyboard.press("ArrowDown")
        heard.append(chart.locator(".said").inner_text())
    assert sum("18–24" in text for text in heard) == 4
    assert sum("not described" in text for text in heard) == 9
    page.close()


# What a reader can operate and see; the theme keeps its switch for the side bar as a hidden check box with a label.
CONTROLS = """() => {
  const found = [...document.querySelectorAll('a[href], button, input:not([type=checkbox]), summary, [tabindex="0"]')];
  window.controls = found.filter((each) => each.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && each.getClientRects().length);
  return window.controls.map((each) => each.outerHTML.slice(0, 120));
}"""


@pytest.mark.parametrize("name", PAGES)
def test_the_keyboard_reaches_every_control(browser, book: Path, name: str):
    """Tab after tab from the top, each thing that a pointer could use has the focus once, and shows it."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((book / "html" / f"{name}.html").as_uri())
    page.wait_for_timeout(300)
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    wanted = page.evaluate(CONTROLS)
    seen = set()
    for _ in range(len(wanted) + 20):
        page.keyboard.press("Tab")
        at = page.evaluate("window.controls.indexOf(document.activeElement)")
        if at >= 0 and at not in seen:
            look = page.evaluate(
                "[document.activeElement].map((e) => [e, e.parentElement].map((x) => getComputedStyle(x)).some((s) => s.outlineStyle !== 'none' || s.boxShadow !== 'none'))[0]"
            )
            assert look, f"focus is not seen on {wanted[at]}"
        seen.add(at)
    page.close()
    assert [text for n, text in enumerate(wanted) if n not in seen] == []


def test_one_person_is_followed_through_every_panel(browser, book: Path):
    page = browser.new_page()
    page.goto((book / "html" / "index.html").as_uri())
    exhibit = page.locator("#exhibit-one-by-one")
    exhibit.scroll_into_view_if_needed()
    page.wait_for_selector("#exhibit-one-by-one .chart[data-ready]")
    exhibit.locator(".drawing").focus()
    for _ in range(4):  # the fourth of those of eighteen to twenty-four
        page.keyboard.press("ArrowDown")
    assert exhibit.locator(".said").inner_text() == "i05: 18–24; student; Moscow → Kazakhstan; Georgia"
    assert exhibit.locator(".ring").count() == 4
    page.close()


def test_charts_far_from_the_view_load_nothing(browser, book: Path):
    page = browser.new_page(viewport={"width": 1280, "height": 400})
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((book / "html" / "codebook.html").as_uri())
    page.wait_for_timeout(300)
    assert not [url for url in asked if url.endswith("vega.js")]
    page.close()


@pytest.mark.parametrize("name", PAGES)
def test_no_page_scrolls_sideways_at_320_pixels(browser, book: Path, name: str):
    page = browser.new_page(viewport={"width": 320, "height": 640})
    page.goto((book / "html" / f"{name}.html").as_uri())
    wide = "document.documentElement.scrollWidth"
    assert page.evaluate(wide) <= 320
    # WCAG 1.4.12: spacing that readers may set
    page.add_style_tag(
        content="* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important } p { margin-bottom: 2em !important }"
    )
    assert page.evaluate(wide) <= 320
    page.close()


def weight(book: Path, *names: str) -> int:
    return sum(len(gzip.compress((book / "html" / name).read_bytes(), 6)) for name in names)


def test_pages_are_light(browser, book: Path):
    """Bytes until the first chart is seen, and with all that makes it interactive, gzipped."""
    page = browser.new_page()
    asked = set()
    page.on("request", lambda request: asked.add(request.url.split("?")[0]))
    page.goto((book / "html" / "interviewees.html").as_uri())
    page.wait_for_selector(".chart[data-ready]")
    files = [url.split("/html/")[1] for url in asked]
    first = weight(book, *[name for name in files if not name.endswith("vega.js")])
    whole = weight(book, *files)
    page.close()
    assert first <= 300_000
    assert whole <= 620_000


def test_a_server_is_asked_for_nothing_else(browser, book: Path):
    """Over http as from disk: every request goes to the book's own host and is answered."""
    import functools
    import http.server
    import threading

    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(quiet, directory=str(book / "html")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home = f"http://127.0.0.1:{server.server_port}/"
    page = browser.new_page()
    asked, failed = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("response", lambda response: failed.append(response.url) if response.status >= 400 else None)
    for name in PAGES:
        page.goto(f"{home}{name}.html")
        page.wait_for_load_state("networkidle")
    page.goto(f"{home}interviewees.html")
    page.wait_for_selector(".chart[data-ready]")
    assert [url for url in asked if not url.startswith((home, "data:"))] == []
    assert failed == []
    page.close()
    server.shutdown()


@pytest.mark.parametrize("name", PAGES)
def test_pages_survive_a_zoom_of_200_percent(browser, book: Path, name: str):
    """A window of 1280 pixels at 200 % is one of 640."""
    context = browser.new_context(viewport={"width": 640, "height": 450}, device_scale_factor=2)
    page = context.new_page()
    page.goto((book / "html" / f"{name}.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
    context.close()
