"""Chapters of an edition's own are in its book alone; a notebook that no book has is said."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from conftest import ROOT, replace_text

from analysis.publish.plugin import EditionPlugin
from parabook.book import Book
from parabook.errors import InputError
from parabook.plan import Plan, make_plan
from parabook.plugins import Plugin


def edition(folder: Path, chapter: str) -> Path:
    copy = folder / "mine"
    shutil.copytree(ROOT / "data" / "oral-2022", copy)
    (copy / "chapters").mkdir()
    shutil.copy(ROOT / "chapters" / "evidence.ipynb", copy / "chapters" / chapter)
    return copy


def plan_of(edition: Path | str, **given: str) -> Plan:
    return make_plan(Book.open(ROOT), EditionPlugin(), str(edition), given)


def test_they_stand_last_in_the_edition_s_book_and_in_no_other(tmp_path: Path):
    mine, other = plan_of(edition(tmp_path, "more.ipynb")), plan_of("oral-2022")
    assert mine.notebooks[:-1] == other.notebooks
    assert mine.notebooks[-1].name == "more.ipynb"


def test_none_has_the_name_of_a_chapter(tmp_path: Path):
    with pytest.raises(InputError, match="rename it"):
        plan_of(edition(tmp_path, "evidence.ipynb"))


def test_one_that_would_show_smaller_cells_than_a_call_allows_is_refused(tmp_path: Path):
    mine, plugin, opened = edition(tmp_path, "more.ipynb"), EditionPlugin(), "open_edition(edition, minimum_cell)"
    for opens in ("open_edition(edition)", "open_edition(edition, minimum_cell=1)"):
        replace_text(mine / "chapters" / "more.ipynb", opened, opens)
        plugin.check(plan_of(mine))
        refused = r"^chapter more: found open_edition\(\) without the parameter minimum_cell"
        with pytest.raises(InputError, match=refused):
            plugin.check(plan_of(mine, minimum_cell="5"))
        opened = opens
    fits = "open_edition(str(edition), minimum_cell=minimum_cell)  # not open_edition(edition)"
    replace_text(mine / "chapters" / "more.ipynb", opened, fits)
    plugin.check(plan_of(mine, minimum_cell="5"))


def test_a_notebook_that_no_book_has_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "chapters").mkdir()
    for name in ("one", "two"):
        shutil.copy(ROOT / "chapters" / "evidence.ipynb", tmp_path / "chapters" / f"{name}.ipynb")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: chapters/one\n")
    make_plan(Book.open(tmp_path), Plugin(), "", {})
    assert capsys.readouterr().err == "chapters/two.ipynb: not in _toc.yml, so in no book; add it there\n"
