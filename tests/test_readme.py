"""README's example is a cell that runs, and shows what it says."""

from __future__ import annotations

import re

from cells import run_cells
from conftest import ROOT

EXAMPLE = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


def test_the_example_makes_an_exhibit():
    assert EXAMPLE
    shown = run_cells("oral-2022", "interviewees", after=EXAMPLE[1])
    assert shown.counts("age-by-gender") == {  # counted by hand: five men, a woman, two of whom it is not stated
        ("man", "18–24"): 2, ("man", "25–34"): 2, ("man", "not stated"): 1, ("woman", "not stated"): 1,
        ("not stated", "18–24"): 2, ("not described", "not described"): 9,
    }  # fmt: skip
    assert shown["age-by-gender"]["cites"]


def test_small_cells_of_the_example_are_withheld():
    shown = run_cells("oral-2022", "interviewees", after=EXAMPLE[1], minimum_cell=3)
    assert shown["age-by-gender"]["finding"].startswith("Withheld: ")
    assert not shown["age-by-gender"]["rows"]
