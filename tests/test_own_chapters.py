"""Chapters of an edition's own are in its book alone; a notebook that no book has is said."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from analysis.publish.plugin import EditionPlugin
from parabook.book import Book
from parabook.errors import InputError
from parabook.plan import make_plan


def edition(folder: Path, chapter: str) -> Path:
    copy = folder / "mine"
    shutil.copytree(ROOT / "data" / "oral-2022", copy)
    (copy / "chapters").mkdir()
    shutil.copy(ROOT / "chapters" / "evidence.ipynb", copy / "chapters" / chapter)
    return copy


def test_they_stand_last_in_the_edition_s_book_and_in_no_other(tmp_path: Path):
    book, plugin = Book.open(ROOT), EditionPlugin()
    mine = make_plan(book, plugin, str(edition(tmp_path, "more.ipynb")), {})
    assert [file.name for file in mine.notebooks] == [*(file.name for file in book.notebooks), "more.ipynb"]
    assert make_plan(book, plugin, "oral-2022", {}).notebooks == book.notebooks


def test_none_has_the_name_of_a_chapter(tmp_path: Path):
    with pytest.raises(InputError, match="rename it"):
        make_plan(Book.open(ROOT), EditionPlugin(), str(edition(tmp_path, "evidence.ipynb")), {})


@pytest.mark.parametrize(
    ("opens", "refused"),
    [
        ("open_edition(edition)", True),
        ("open_edition(edition, minimum_cell=1)", True),
        ("open_edition(str(edition), minimum_cell=minimum_cell)  # not open_edition(edition)", False),
    ],
)
def test_one_that_would_show_smaller_cells_than_a_call_allows_is_refused(tmp_path: Path, opens: str, refused: bool):
    mine = edition(tmp_path, "more.ipynb")
    file, plugin = mine / "chapters" / "more.ipynb", EditionPlugin()
    text = file.read_text(encoding="utf-8")
    assert "open_edition(edition, minimum_cell)" in text
    file.write_text(text.replace("open_edition(edition, minimum_cell)", opens), encoding="utf-8")
    plugin.check(make_plan(Book.open(ROOT), plugin, str(mine), {}))
    plan = make_plan(Book.open(ROOT), plugin, str(mine), {"minimum_cell": "5"})
    if not refused:
        plugin.check(plan)
        return
    with pytest.raises(InputError, match=r"^chapter more: found open_edition\(\) without the parameter minimum_cell"):
        plugin.check(plan)


def test_its_cells_are_tests(tmp_path: Path):
    mine = edition(tmp_path, "more.ipynb")
    call = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--collect-only",
        f"--edition={mine}",
        "--rootdir",
        ROOT,
        "-c",
        ROOT / "pyproject.toml",
        mine,
    ]
    found = subprocess.run(list(map(str, call)), cwd=ROOT, capture_output=True, text=True, check=False).stdout
    assert "more.ipynb::values" in found


def test_a_notebook_that_no_book_has_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    from parabook.plugins import Plugin

    (tmp_path / "chapters").mkdir()
    for name in ("one", "two"):
        shutil.copy(ROOT / "chapters" / "evidence.ipynb", tmp_path / "chapters" / f"{name}.ipynb")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: chapters/one\n")
    make_plan(Book.open(tmp_path), Plugin(), "", {})
    assert capsys.readouterr().err == "chapters/two.ipynb: not in _toc.yml, so in no book; add it there\n"
