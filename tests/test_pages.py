"""Pages of any book: a bare chart is drawn offline, layout and theme are the book's own, links find their page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from conftest import ROOT

from parabook.book import Book
from parabook.drawings import for_a_page, panels
from parabook.outputs import Site, assemble
from parabook.plugins import Cover
from parabook.protocol import CHARTS, EXHIBIT
from parabook.staging import AssemblyFailed, link_exhibits, stage

CHART = {
    "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
    "description": "Two bars",
    "data": {"values": [{"a": "</script><b>x", "n": 1}, {"a": "y", "n": 2}]},
    "mark": {"type": "bar", "fill": "#123456"},
    "encoding": {"x": {"field": "n", "type": "quantitative"}, "y": {"field": "a"}, "tooltip": {"field": "a"}},
}
KINDS = (".py", ".css", ".js", ".j2", ".html")
DOT = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0\x1f\x15\xc4\x89\0\0\0\nIDATx\x9cc\0\1\0\0\5\0\1\r\n-\xb4\0\0\0\0IEND\xaeB`\x82"


def notebook(*data: dict) -> str:
    outputs = [{"output_type": "display_data", "metadata": {}, "data": each} for each in data]
    code = {"cell_type": "code", "id": "a", "metadata": {}, "execution_count": 1, "source": "x", "outputs": outputs}
    title = {"cell_type": "markdown", "id": "t", "metadata": {}, "source": "# A chart\n\n![dot](../images/dot.png)"}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [title, code]})


def foreign(root: Path, config: str = "", settings: str = "") -> Book:
    """A book of others: parts, a folder, MyST pages, an image, no theme of ours."""
    for folder in ("part", "images"):
        (root / folder).mkdir(parents=True)
    (root / "images" / "dot.png").write_bytes(DOT)
    (root / "_config.yml").write_text(f"title: Foreign\nonly_build_toc_files: true\n{config}", encoding="utf-8")
    contents = "format: jb-book\nroot: intro\nparts:\n- caption: One\n  chapters:\n  - file: part/one\n    sections:\n    - file: part/two\n"
    (root / "_toc.yml").write_text(contents, encoding="utf-8")
    (root / "pyproject.toml").write_text(f"[tool.parabook]\n{settings}", encoding="utf-8")
    (root / "intro.md").write_text("# Hello\n\n{doc}`part/two`", encoding="utf-8")
    (root / "part" / "two.md").write_text("# Two\n\nBack to [one](one.ipynb).", encoding="utf-8")
    (root / "part" / "one.ipynb").write_text(notebook(), encoding="utf-8")
    (root / "stray.md").write_text("# In no table of contents", encoding="utf-8")
    return Book.open(root)


def made(book: Book, out: Path, *data: dict) -> Path:
    out.mkdir()
    names, _ = stage(book, {"part/one": notebook(*data)}, out)
    assemble(Site(book, names, Cover("Foreign & own", lead="What it says."), {}), out)
    return out / "html"


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("foreign")
    book = foreign(folder / "book", "sphinx: {config: {parabook_palette: colours.json}}")
    (book.root / "colours.json").write_text('{"bar": ["#123456", "#abcdef"]}', encoding="utf-8")
    return made(book, folder / "out", *({kind: CHART, "text/plain": "alt.Chart(...)"} for kind in CHARTS))


def test_a_foreign_book_keeps_its_layout_and_theme(html: Path):
    one = (html / "part" / "one.html").read_text(encoding="utf-8")
    assert "pydata" in one
    assert "One</span>" in one  # the caption of the part
    assert '<meta property="og:description" content="What it says.">' in one
    assert (html / "_images" / "dot.png").read_bytes() == DOT
    assert 'href="one.html"' in (html / "part" / "two.html").read_text(encoding="utf-8")
    assert "url=intro.html" in (html / "index.html").read_text(encoding="utf-8")
    assert not (html / "stray.html").exists()


@pytest.mark.browser
def test_bare_charts_are_drawn_and_ask_no_other_host(visit, html: Path):
    page = visit(html / "part" / "one.html", color_scheme="dark")
    page.wait_for_selector(".chart[data-ready]")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_function("document.querySelectorAll('.chart[data-ready]').length === 3")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    bar = page.locator(".chart svg [fill='#123456']").first
    assert bar.evaluate("e => getComputedStyle(e).fill") == "rgb(171, 205, 239)"
    page.locator(".drawing").first.focus()
    page.keyboard.press("ArrowDown")
    assert "</script><b>x" in page.locator(".said").first.inner_text()
    hosts = {re.split("[/?]", url)[2] for url in visit.elsewhere()}
    assert hosts <= {"cdn.jsdelivr.net", "cdnjs.cloudflare.com"}, hosts  # what the theme of the book asks for itself


def test_a_bare_chart_is_seen_without_javascript(html: Path):
    text = (html / "part" / "one.html").read_text(encoding="utf-8")
    assert text.count('<div class="drawing" role="img" aria-label="Two bars"><svg') == 3
    assert "</script><b>x" not in text


def test_warnings_fail_only_where_the_book_says_so(tmp_path: Path):
    config = "sphinx: {config: {html_theme: furo, html_theme_options: {}}}"
    strict = foreign(tmp_path / "strict", config, "fail_on_warnings = true")
    lenient = foreign(tmp_path / "lenient", config)
    for book in (strict, lenient):
        (book.root / "intro.md").write_text("# Hello\n\n{doc}`nowhere`", encoding="utf-8")
    with pytest.raises(AssemblyFailed, match=r"intro\.md:3: WARNING: .*nowhere"):
        made(strict, tmp_path / "strict-out")
    assert (made(lenient, tmp_path / "lenient-out") / "intro.html").is_file()


def exhibit(ident: str, rows: list, **more: object) -> dict:
    plain = {"id": ident, "caption": "c", "finding": "f", "source": "s", "notes": [], "columns": ["a"], "rows": [],
             "view": {"columns": ["a"], "rows": rows}, "anchors": [[] for _ in rows], "chart": None, "absent": False}  # fmt: skip
    return {"cells": [{"cell_type": "code", "metadata": {}, "outputs": [{"data": {EXHIBIT: {**plain, **more}}}]}]}


def test_links_find_the_page_that_has_their_anchor():
    ages = exhibit("by-age", [[[{"text": "i1", "href": "#e-1"}, {"text": "i2", "href": "#gone"}]]], cites=["e-1"])
    words = exhibit("words", [["x"], ["y"]], anchors=[["e-1", "e-1b"], ["e-2"]], backlinks="shown in")
    pages = {"part/ages": ages, "words": words}
    link_exhibits(pages)
    first, second = (next(iter(each["cells"]))["outputs"][0]["data"][EXHIBIT] for each in pages.values())
    assert first["view"]["rows"] == [[[{"text": "i1", "href": "../words.html#e-1"}, {"text": "i2", "href": ""}]]]
    assert second["view"]["columns"] == ["a", "shown in"]
    assert second["view"]["rows"] == [["x", [{"text": "by age", "href": "part/ages.html#exhibit-by-age"}]], ["y", []]]
    assert (first["number"], second["number"]) == ("1.1", "2.1")


def test_prose_that_needs_an_exhibit_goes_with_it_and_stands_back_where_a_text_is_glued(tmp_path: Path):
    book, out = foreign(tmp_path / "book"), tmp_path / "out"
    out.mkdir()
    tags = {
        "of-gone": "needs-gone",
        "of-kept": "needs-kept",
        "in-general": "unless-story",
        "without-poem": "unless-poem",
    }
    markdown = {"cell_type": "markdown", "source": "Prose."}
    prose = [{**markdown, "id": each, "metadata": {"tags": [tag]}} for each, tag in tags.items()]
    found = [exhibit("gone", [], absent=True), exhibit("kept", [["x"]])]
    outputs = [each["cells"][0]["outputs"][0] | {"output_type": "display_data", "metadata": {}} for each in found]
    prefix = "application/papermill.record/"
    story = {
        "output_type": "display_data",
        "data": {f"{prefix}text/plain": "'It was so.'"},
        "metadata": {"scrapbook": {"name": "story", "mime_prefix": prefix}},
    }
    page = json.loads(notebook())
    page["cells"] += [*prose, {**page["cells"][1], "id": "b", "outputs": [*outputs, story]}]
    stage(book, {"part/one": json.dumps(page)}, out)
    cells = json.loads((out / "site" / "part" / "one.ipynb").read_text(encoding="utf-8"))["cells"]
    assert [each["id"] for each in cells if each["id"] in tags] == ["of-kept", "without-poem"]


def test_charts_that_stand_apart_are_drawn_each_by_itself():
    parts = [{"mark": "bar", "data": {"name": name}, "title": {"text": name}} for name in ("a", "b")]
    whole = {"vconcat": parts, "datasets": {"a": [{"n": 1}], "b": [{"n": 2}]}}
    own = {**parts[1], "datasets": {"b": [{"n": 2}]}, "description": "b"}
    assert panels({**whole, "usermeta": {"apart": True}})[1] == own
    assert panels(whole) == [whole]


def test_a_drawing_has_ids_of_its_own_and_its_words_stay():
    drawn = '<svg role="img"><g clip-path="url(#clip7)"><text>id="clip7"</text></g><clipPath id="clip7"/></svg>'
    own = '<svg><g clip-path="url(#a-0)"><text>id="clip7"</text></g><clipPath id="a-0" /></svg>'
    assert for_a_page(drawn, "a") == own


def test_colours_stand_in_one_place():
    palette = json.loads((ROOT / "src" / "analysis" / "palette.json").read_text(encoding="utf-8"))
    colours = {colour for both in palette.values() for colour in both}
    files = [file for folder in ("src", "_static") for file in (ROOT / folder).rglob("*.*") if file.suffix in KINDS]
    assert [file for file in files if any(colour in file.read_text(encoding="utf-8") for colour in colours)] == []
