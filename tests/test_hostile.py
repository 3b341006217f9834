"""Text that tries to be more than text: in every field that a coder fills, it is shown as typed and does nothing."""

from __future__ import annotations

import itertools
import os
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from cells import run_cells
from conftest import Visit, read_csv, run, write_edition
from test_browser import PAGES

from analysis.editions import examine
from analysis.schema import schema
from parabook.pdf import one_page
from parabook.templating import render

pytestmark = pytest.mark.browser

REMOTE = "http://evil.example"
THEME = "https://github.com/pradyunsg/furo"
"""The theme's own link, at the foot of each page."""

RECORD = "https://www.researchobject.org/ro-crate/"

HTML = [
    "<script>window.struck=1</script>",
    f"<img src={REMOTE}/a.png onerror='window.struck=2'>",
    f'<svg onload=window.struck=3></svg> <iframe src="{REMOTE}/b"></iframe>',
    "</script></title><script>window.struck=4</script>",
    '" onmouseover="window.struck=6" x=\'',
    f"</style><style>*{{background:url({REMOTE}/c)}}",
    "&lt;b&gt; &amp;amp; &#x41;",
    f'<base href="{REMOTE}/"><meta http-equiv=refresh content="0;url={REMOTE}/d">',
    f'<form action="{REMOTE}"><button autofocus onfocus=window.struck=7>',
    "<!--<script>window.struck=5",
]
PAYLOADS = [
    " ".join(HTML),
    "<!--<script>window.struck=8",
    "{{ 7*7 }} {% raise %} {# gone #} ${7*7} <%= 7*7 %> {0.__class__} {edition} %(name)s %s f'{1+1}'",
    'datum.x; \' + alert(1) + \' {"signal": "warn(1)"} {"expr": "1+1"} one|two|three a.b[0]\\.c:Q',
    "#0064a8",
    "{glue:text}`coverage` {doc}`index` |version| ```{raw} html <b>x</b> ``` :::{note} x ::: .. raw:: html",
    "[x](javascript:alert(1)) ![x](http://evil.example/e.png) <http://evil.example> [^1] (target)= **bold** # head --- | a |",
    r"$$\href{javascript:alert(1)}{x}$$ \(x\) \input{/etc/passwd} $x_1$ {math}`x^2`",
    '=HYPERLINK("http://evil.example","x")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\u202eevil\u202c left \u2069\u202eturned\u2069",
    "\u202eturned and not ended",
    "'; \"\"\" ''' \\ \\n \\u0041 `",
]
if not os.environ.get("THOROUGH"):
    PAYLOADS = PAYLOADS[:4] + PAYLOADS[8:10]  # of pages, of templates, of spreadsheets: half the time
ALL = " ".join(PAYLOADS)

TEXTS = {
    "interviewees": ["profession"],
    "places": ["name"],
    "destinations": ["measure", "quantifier", "stated_by", "reported_by", "url", "note"],
    "statements": ["quantifier", "says"],
    "evidence": ["note"],
    "settlements": ["reason"],
}
"""Columns that take any text, by table. `test_every_text_column_is_attacked` holds the list against the schemas."""

SHOWN = {
    "interviewees": ["profession"], "routes": ["name"], "evidence": ["note", "reason", "profession", "name", "url"],
    "destinations": ["measure", "quantifier", "stated_by"],
}  # fmt: skip
"""Where each of these columns reaches a page."""


def attacked(folder: Path) -> None:
    """An edition with every payload in every column that takes any text, and in every text of its package."""
    texts = dict(enumerate(PAYLOADS, 1))
    days = ("2022-09-21", "2022-09-27")
    tables: dict[str, list[list[object]]] = {
        "interviewees": [[f"i{n}", "yes", 20, 23, "", text] for n, text in texts.items()],
        "legs": [
            *([f"i{n}", 1, "made", f"p{n}", "here", "", "", 1] for n in texts),
            *([f"i{n}", 2, "intended", "here", f"p{n}"] for n in texts),
        ],
        "places": [
            *([f"p{n}", text, "KAZ", 40 + n * 0.2, 50 + n * 0.3, "city"] for n, text in texts.items()),
            ["here", ALL, "KAZ", 45, 55, "city"],
        ],
        "destinations": [
            [f"{place}{n}", place, "false", text, n, n * 2, text, *days, text, "", text, text, text]
            for n, text in texts.items()
            for place in ("KAZ", "GEO")  # two that compare, so that they are drawn
        ],
        "statements": [[f"s{n}", "interviewees", "other", text, text] for n, text in texts.items()],
    }
    package = {
        "name": ALL,
        "title": ALL,
        "description": ALL,
        "licenses": [{"name": ALL, "title": ALL, "path": "javascript:window.struck=8"}],
        "sources": [{"title": text, "path": "javascript:window.struck=9"} for text in PAYLOADS],
        "contributors": [{"title": text, "role": text, "email": text} for text in PAYLOADS],
        "report": {
            "declared_interviewees": len(PAYLOADS) + 2,
            "collected_at": "here",
            "reference_event": {"title": ALL, "date": "2022-09-21"},
        },
    }
    coded, _ = examine(write_edition(folder, tables, **package))
    values = zip(coded.values(), itertools.cycle(PAYLOADS), strict=False)
    tables["evidence"] = [[*place, 1, "a fragment", "judged", text] for place, text in values]
    tables["settlements"] = [["interviewees", f"i{n}", "profession", *[text] * 4] for n, text in texts.items()]
    write_edition(folder, tables, **package)
    (folder / "codebook.md").write_text("\n\n".join([*HTML, *PAYLOADS[1:]]) + "\n", encoding="utf-8")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An edition full of payloads, in a folder whose name is one too."""
    base = tmp_path_factory.mktemp("hostile")
    attacked(base / NAME)
    return base / NAME


@pytest.fixture(scope="session")
def hostile(folder: Path) -> Path:
    """Its built book."""
    run("build", folder, "--out", folder.parent / "out")
    return folder.parent / "out"


NAME = "a'b\"c $(x) {{ y }} <i>"


def test_every_text_column_is_attacked():
    """Columns without a pattern or a list of words; keys, references and fragments are held to rows or to the source."""
    held = {("legs", "interviewee"), ("legs", "from_place"), ("legs", "to_place"), ("destinations", "stated_on"), ("statements", "about"),
            *((table, column) for table in ("evidence", "settlements") for column in ("table", "key", "column")),
            ("evidence", "exact"), ("settlements", "first"), ("settlements", "second"), ("settlements", "settled")}  # fmt: skip
    free = {
        (table, field.name)
        for table in ("interviewees", "legs", "places", "destinations", "statements", "evidence", "settlements")
        for field in schema(table).fields
        if field.type == "string" and not field.enum and not field.pattern
    }
    assert free - held == {(table, column) for table, columns in TEXTS.items() for column in columns}


def test_no_exhibit_makes_markup_of_it(folder: Path):
    """Without a browser, of every exhibit; that nothing runs on whole pages the slow tests see."""
    for name, exhibit in run_cells(folder, drawn=False).exhibits.items():
        markup = render("exhibit.html.j2", exhibit={"number": "", **exhibit}, panels=[], links={})
        page = BeautifulSoup(markup, "html.parser")
        assert page.select("script, img, svg, iframe, base, meta, form, style, object, button") == [], name
        assert [key for each in page.find_all(True) for key in each.attrs if key.startswith("on")] == [], name
        assert [href for each in page.select("[href]") if ":" in (href := str(each["href"]))] == [], name


def seen(text: str) -> str:
    """A text as a page shows it: blanks are one; marks of isolation and line ends are not seen."""
    return re.sub(r"\s+", " ", re.sub("[\u2066-\u2069]", "", text)).strip()


def shown(page) -> str:
    return seen(page.evaluate("document.body.innerText"))


ASK = """(drawing, times) => Array.from({ length: times }, () => {
  drawing.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown', bubbles: true }));
  return drawing.closest('.chart').querySelector('.said').innerText;
})"""


MADE = """[...document.querySelectorAll('iframe, article form:not(.vega-bindings), base, object, article img, [onload], [onerror], [onfocus], [onmouseover]')].map(node => node.outerHTML)"""
# The codebook and the description, which opens the front page, are Markdown, so a link in them is a link.
LINKS = """[...document.querySelectorAll('a[href]')].filter(link => !link.closest('.rulings, .opening')).map(link => link.getAttribute('href'))"""


@pytest.fixture(scope="session")
def visited(browser, hostile: Path):
    """Every page opened, scrolled through, each chart asked by keyboard: what it showed and what it did."""
    found = {}
    for name in PAGES:
        visit, dialogs = Visit(browser), []
        page = visit(hostile / "html" / f"{name}.html", viewport={"width": 1280, "height": 900})
        page.on("dialog", lambda dialog, dialogs=dialogs: (dialogs.append(dialog.message), dialog.dismiss()))
        heard = []
        for number in range(page.locator(".chart:has(> script)").count()):
            chart = page.locator(".chart").nth(number)
            chart.scroll_into_view_if_needed()
            page.wait_for_function("n => document.querySelectorAll('.chart')[n].dataset.ready", arg=number)
            heard += chart.locator(".drawing").evaluate(ASK, 6 * len(PAYLOADS))
            assert chart.locator(".said").evaluate("node => node.children.length") == 0
        page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
        found[name] = {
            "text": shown(page), "asked": visit.elsewhere(), "said": dialogs + visit.wrong, "heard": seen(" ".join(heard)),
            "struck": page.evaluate("window.struck"), "title": page.title(), "made": page.evaluate(MADE),
            "brand": page.locator(".sidebar-brand-text").inner_text(), "links": page.evaluate(LINKS),
        }  # fmt: skip
        page.close()
    return found


def test_nothing_runs_and_nothing_is_asked_for(visited):
    for name, page in visited.items():
        assert (page["struck"], page["said"], page["made"]) == (None, [], []), name
        assert page["asked"] == [], name
        assert [href for href in page["links"] if ":" in href and not href.startswith((THEME, RECORD))] == [], name


@pytest.mark.parametrize("number", range(len(PAYLOADS)))
def test_it_is_shown_as_typed(visited, number: int):
    text = seen(PAYLOADS[number])
    for name, columns in SHOWN.items():
        assert text in visited[name]["text"], f"{columns} on page {name}"
    assert text in visited["index"]["text"]
    assert text in visited["routes"]["text"].split("how long did it take?")[1]  # the event's title
    assert text in visited["statements"]["text"]
    # Of measures that compare nothing else the first eight are drawn.
    for name in ("interviewees", "routes", *["destinations"] * (number < 8)):
        assert text in visited[name]["heard"], f"asked on page {name}"


def test_titles_and_the_codebook_are_shown_as_typed(visited):
    for name in PAGES:
        assert seen(ALL) in seen(visited[name]["title"]), name
        assert seen(ALL) in seen(visited[name]["brand"]), name
    for payload in HTML:
        assert seen(payload.replace("&lt;b&gt; &amp;amp; &#x41;", "<b> &amp; A")) in visited["codebook"]["text"]


def test_a_search_finds_the_words_and_runs_none(visit, hostile: Path):
    words = "?q=hyperlink+%3Cscript%3Ewindow.struck%3D1%3C%2Fscript%3E"
    page = visit((hostile / "html" / "search.html").as_uri() + words)
    page.wait_for_timeout(500)
    assert page.evaluate("window.struck") is None


def test_the_sheet_that_is_printed_runs_nothing_either(visit, hostile: Path):
    page = visit("about:blank")
    page.set_content(one_page(hostile / "html"))
    assert page.evaluate("window.struck") is None
    assert visit.elsewhere("about:") == []
    assert seen(PAYLOADS[1]) in shown(page)


def test_downloads_hold_exactly_the_values(hostile: Path):
    rows = read_csv(hostile / "tables" / "interviewees-by-profession.csv")
    assert set(PAYLOADS) <= {row["profession"] for row in rows}
    for file in (hostile / "html" / "exhibits").glob("*.csv"):
        assert (hostile / "tables" / file.name).read_bytes() == file.read_bytes()


def test_a_spreadsheets_formula_is_a_warning(folder: Path):
    warned = {problem.found for problem in examine(folder)[1] if problem.column == "profession"}
    assert len(warned) == 2
    assert any("HYPERLINK" in found for found in warned)
    assert any("@SUM" in found for found in warned)
