"""One rule of what can be shown: any text that the check accepts can be drawn, and stands in a page as it is."""

from __future__ import annotations

import html
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from conftest import tries, write_edition
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from analysis.charts import people_chart
from analysis.coding.checks import CONTROL
from analysis.counts import complete, count_by
from analysis.editions import examine, open_edition
from parabook.drawings import as_svg, canonical

JAVASCRIPT = ["constructor", "toString", "valueOf", "hasOwnProperty", "isPrototypeOf", "toLocaleString", "__proto__"]
"""What every object of the drawing program has of its own."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shown")


def accepted(folder: Path, text: str) -> bool:
    """Whether the check accepts a text as a profession."""
    professions = [text, "cook", "baker", "cook", "baker"]
    people = [[f"i{n}", "yes", "", "", "", each] for n, each in enumerate(professions)]
    return all(problem.warning for problem in examine(write_edition(folder, {"interviewees": people}))[1])


def drawn(folder: Path, text: str) -> str:
    """The words of the chart of professions, in which a text stands."""
    book = open_edition(folder)
    chart = people_chart(complete(count_by(book.interviewees, "profession"), "profession", book), "profession")
    assert chart
    svg = as_svg(canonical(chart.to_dict()), folder)
    return " ".join(each.text or "" for each in ElementTree.fromstring(svg).iter() if each.tag.endswith("text"))


@settings(max_examples=tries(30), deadline=None)
@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1, max_size=12))
@example("a\x1bb")
@example("a\u2028b")
@example("a\ufffeb")
@example("a\U0001ffffb")
@example("a\ufdd0b")
@example("a\u0085b")
def test_what_is_accepted_is_drawn_and_printed(folder: Path, text: str):
    taken = accepted(folder, text)
    assert not (taken and re.search(CONTROL, text))
    assume(taken)
    drawn(folder, text)
    cell = BeautifulSoup(f"<td>{html.escape(text)}</td>", "html.parser").td
    assert cell
    assert cell.text == text


@pytest.mark.parametrize("text", JAVASCRIPT)
def test_names_of_the_drawing_programs_own_are_drawn(folder: Path, text: str):
    assert accepted(folder, text)
    assert text in drawn(folder, text)
