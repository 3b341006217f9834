"""The built book in a real browser: nothing asked of other hosts, nothing broken, from a count to the words, on paper."""

from __future__ import annotations

import functools
import http.server
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import first_chart

from parabook.pdf import one_page, print_book

PAGES = ["index", "interviewees", "statements", "routes", "destinations", "evidence", "codebook", "reproduce", "search"]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def home(book: Path) -> Iterator[str]:
    """The address of a server of the book."""
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(quiet, directory=str(book / "html")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def test_pages_stand_by_themselves_on_a_server(visit, home: str):
    """No request to another host, none unanswered, no error; from disk `test_access` opens them all."""
    visit(f"{home}search.html").wait_for_load_state("networkidle")
    first_chart(visit(f"{home}interviewees.html"))
    assert visit.elsewhere(home) == []
    assert visit.wrong == []


def test_the_scripts_of_charts_are_asked_for_where_one_is_seen(visit, book: Path):
    visit(book / "html" / "codebook.html").wait_for_load_state("networkidle")
    assert not any(url.endswith("vega.js") for url in visit.asked)
    first_chart(visit(book / "html" / "interviewees.html", viewport={"width": 1280, "height": 400}))
    assert any(url.endswith("vega.js") for url in visit.asked)
    assert visit.wrong == []


def test_from_a_count_to_the_words_and_back(visit, book: Path):
    page = visit(book / "html" / "interviewees.html")
    page.locator("#exhibit-interviewees-by-age details.about > summary").click()
    page.locator("#exhibit-interviewees-by-age tr", has_text="18–24").get_by_role("link", name="i05").click()
    row = page.locator("tr:target")
    assert "20, a Moscow film student" in row.inner_text()
    row.get_by_role("link", name="interviewees by age").click()
    assert page.url.endswith("interviewees.html#exhibit-interviewees-by-age")


def test_the_sheet_that_is_printed_has_every_page_and_chart(book: Path):
    sheet = one_page(book / "html")
    assert sheet.count("<svg") >= 4  # the map, ages, occupations, routes
    assert re.findall('<li><a href="#page-([a-z]+)"', sheet) == PAGES[:-1]


def test_the_book_prints(book: Path, tmp_path: Path):
    """Cover, contents, every chapter in the outline."""
    copy = Path(shutil.copytree(book, tmp_path / "copy"))
    pdf = print_book(copy).read_bytes()
    titles = (
        "The people, Reasons and reception, How they got out, Where they went, Evidence, Codebook, Check and rebuild"
    )
    assert all(f"/Title ({title})".encode() in pdf for title in titles.split(", "))
    assert not (copy / "html" / ".print.html").exists()


def test_a_shared_link_says_what_the_book_is(book: Path):
    front = (book / "html" / "index.html").read_text(encoding="utf-8")
    assert '<meta property="og:description" content="On 21 September 2022 Russia announced a draft' in front
    assert '<meta property="og:image" content="card.png">' in front
    card = (book / "html" / "card.png").read_bytes()
    assert card.startswith(b"\x89PNG")
    assert (int.from_bytes(card[16:20], "big"), int.from_bytes(card[20:24], "big")) == (1200, 630)


def test_the_front_page_answers_in_a_minute(visit, book: Path):
    """What the article says, counted by a person: 17, of whom 8 are described; each answer leads to its chapter."""
    page = visit(book / "html" / "index.html")
    text = page.locator("article").inner_text()
    for answer in (
        "nearly 100,000",
        "17 of them; it portrays eight",
        "three IT workers in their early twenties who travelled together, a film student, a young woman",
        "The six whose ages are given are between 20 and 32",
        "four of the eight spent a night queueing or sleeping rough",
    ):
        assert answer in text
    page.locator("article").get_by_role("link", name="Who", exact=True).click()
    assert page.url.endswith("interviewees.html")


def test_back_leads_to_where_a_link_was_followed(visit, book: Path):
    """Also where the link led into a fold, which opened and moved the page."""
    page = visit(book / "html" / "evidence.html", viewport={"width": 1280, "height": 600})
    page.evaluate(
        'document.body.insertAdjacentHTML(\'beforeend\', \'<p style="margin-top: 60rem"><a id="in" href="#evidence-interviewees-i10-age_min">in</a>\')'
    )
    link = page.locator("#in")
    link.scroll_into_view_if_needed()
    before = link.bounding_box()["y"]
    link.click()
    assert page.locator("tr:target").is_visible()
    for turn in (page.go_back, page.go_forward, page.go_back):
        turn()
        page.wait_for_timeout(500)
    assert abs(link.bounding_box()["y"] - before) < 5


def test_a_dotted_line_answers_a_finger(visit, book: Path):
    page = visit(book / "html" / "index.html", viewport={"width": 390, "height": 844})
    first_chart(page)
    middle = page.evaluate("""() => {
      const dotted = [...document.querySelectorAll(".chart path")].filter((path) => (path.getAttribute("stroke-dasharray") || "").startsWith("0.1,"));
      const line = dotted.sort((a, b) => b.getTotalLength() - a.getTotalLength())[0];
      const at = line.getPointAtLength(line.getTotalLength() / 2).matrixTransform(line.getScreenCTM());
      return [at.x + 2, at.y + 2];
    }""")
    page.mouse.click(*middle)
    assert "route: not stated" in page.locator(".said.stays").first.inner_text()


def test_the_contents_of_the_front_page_list_its_story(book: Path):
    front = (book / "html" / "index.html").read_text(encoding="utf-8")
    contents = front[front.index('class="toc-tree"') :]
    for heading in ("In short", "Why they left", "What the article does not say", "How can I check it?"):
        assert f">{heading}</a>" in contents
        ident = re.search(rf'href="#([^"]+)">{re.escape(heading)}<', contents)[1]
        assert f'id="{ident}"' in front


def test_a_search_knows_the_words_of_neighbouring_cells_apart(book: Path):
    index = (book / "html" / "searchindex.js").read_text(encoding="utf-8")
    assert '"bryansk"' in index or "bryansk:" in index
    assert "bryanskkazakhstan" not in index


def test_no_link_to_skip_to_is_printed(visit, book: Path):
    page = visit(book / "html" / "routes.html")
    page.emulate_media(media="print")
    assert page.locator(".skip-to-content").count() == 1
    assert not page.locator(".skip-to-content").is_visible()
