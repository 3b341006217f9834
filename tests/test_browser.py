"""The built book in a real browser: nothing asked of other hosts, nothing broken, charts seen, on desk and phone."""

from __future__ import annotations

from pathlib import Path

import pytest

PAGES = ["index", "interviewees", "routes", "destinations", "evidence", "codebook", "reproduce", "search"]
WIDTHS = [1280, 360]

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_stands_by_itself(browser, book: Path, name: str, width: int):
    page = browser.new_page(viewport={"width": width, "height": 900})
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto((book / "html" / f"{name}.html").as_uri())
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "scrolls sideways"
    page.close()


def test_charts_are_seen_without_javascript(browser, book: Path):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((book / "html" / "interviewees.html").as_uri())
    charts = page.locator("figure.exhibit .chart svg")
    assert charts.count() >= 3
    for number in range(charts.count()):
        box = charts.nth(number).bounding_box()
        assert box["width"] > 200
        assert box["height"] > 80
    context.close()


def test_colours_follow_the_scheme(browser, book: Path):
    ink = []
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)
        page = context.new_page()
        page.goto((book / "html" / "interviewees.html").as_uri())
        ink.append(page.evaluate("getComputedStyle(document.querySelector('.chart svg text')).fill"))
        context.close()
    assert ink[0] != ink[1]


def test_from_a_count_to_the_words_and_back(browser, book: Path):
    page = browser.new_page()
    page.goto((book / "html" / "interviewees.html").as_uri())
    page.locator("#exhibit-interviewees-by-age tr", has_text="18–24").get_by_role("link", name="i05").click()
    row = page.locator("tr:target")
    assert "20, a Moscow film student" in row.inner_text()
    row.get_by_role("link", name="interviewees by age").click()
    assert page.url.endswith("interviewees.html#exhibit-interviewees-by-age")
    page.close()


def test_the_book_prints(browser, book: Path, tmp_path: Path):
    """Cover, contents, every chapter, charts as vectors: the sheet that Chromium prints, and the PDF."""
    from parabook.pdf import begins, one_page, print_book

    sheet = one_page(book / "html")
    chapters = ["index", "interviewees", "routes", "destinations", "evidence", "codebook", "reproduce"]
    for name in chapters:
        assert f'href="#page-{name}"' in sheet
        assert f'<section class="page" id="page-{name}">' in sheet
    assert sheet.count("<svg") >= 9
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(book, copy)
    pdf = print_book(copy)
    assert pdf.read_bytes().startswith(b"%PDF")
    begin = begins(pdf)
    assert set(begin) == set(chapters)
    assert [begin[name] for name in chapters] == sorted(set(begin.values()))  # each on a page of its own, in order
    from pypdf import PdfReader

    cover = PdfReader(pdf).pages[0].extract_text()
    for name in chapters:
        assert str(begin[name]) in cover.split()
    assert not (copy / "html" / ".print.html").exists()


def test_a_shared_link_says_what_the_book_is(book: Path):
    front = (book / "html" / "index.html").read_text(encoding="utf-8")
    assert '<meta property="og:description" content="The source says that 17 people were interviewed.' in front
    assert '<meta property="og:image" content="card.png">' in front
    card = (book / "html" / "card.png").read_bytes()
    assert card.startswith(b"\x89PNG")
    assert (int.from_bytes(card[16:20], "big"), int.from_bytes(card[20:24], "big")) == (1200, 630)


def test_the_front_page_answers_in_a_minute(browser, book: Path):
    """What the article says, counted by a person: 17, of whom 8 are described; each card leads to its exhibit."""
    page = browser.new_page()
    page.goto((book / "html" / "index.html").as_uri())
    cards = [card.inner_text().split("\n") for card in page.locator("ul.answers li").all()]
    told = {question: rest for question, *rest in cards}
    assert told["Who was interviewed?"] == ["17 people", "●" * 8 + "□" * 9, "8 described one by one", "9 not described"]
    assert told["How old?"] == ["18–24", "4 of the 17", "11 not known"]
    assert told["How did they get out?"] == ["Moscow → Astrakhan → Kazakhstan", "3 of the 17", "10 not known"]
    assert told["Where to?"][0] == "nearly 100,000 and counting"
    page.get_by_role("link", name="How old?").click()
    assert page.url.endswith("interviewees.html#exhibit-interviewees-by-age")
    page.close()
