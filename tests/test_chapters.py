"""The chapters as they are kept: clean, short, commented; and each runs by the ordinary tools."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT, run

from parabook.book import Book
from parabook.parameters import parameters

NOTEBOOKS = sorted((ROOT / "chapters").glob("*.ipynb"))


def code_cells(file: Path) -> list[str]:
    """The source of every code cell but the parameters."""
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code" and "parameters" not in cell["metadata"]["tags"]]
    return ["".join(cell["source"]) for cell in code]


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
class TestKept:
    def test_valid_and_without_outputs(self, file: Path):
        notebook = nbformat.read(file, as_version=4)
        nbformat.validate(notebook)
        for cell in notebook.cells:
            assert re.fullmatch(r"[a-z]+(-[a-z]+)*", cell["id"]), "ids are words, kept by hand"
            if cell.cell_type == "code":
                assert not cell.outputs
                assert cell.execution_count is None
                assert len(cell.source.splitlines()) <= 6
        assert len({cell["id"] for cell in notebook.cells}) == len(notebook.cells)

    def test_every_parameter_has_a_type_and_a_comment(self, file: Path):
        declared = parameters(file)
        assert "edition" in declared
        assert all(each.comment and each.type in ("str", "int", "float", "bool") for each in declared.values())

    def test_uses_every_parameter_it_declares(self, file: Path):
        code = "\n".join(code_cells(file))
        assert all(re.search(rf"\b{name}\b", code) for name in parameters(file))

    def test_imports_nothing_but_the_report(self, file: Path):
        code = "\n".join(code_cells(file))
        assert re.findall(r"^\s*(?:from|import)\b.*", code, re.MULTILINE) == ["from analysis import report"]

    def test_headings_below_the_title_ask(self, file: Path):
        text = "\n".join(
            "".join(cell["source"])
            for cell in json.loads(file.read_text(encoding="utf-8"))["cells"]
            if cell["cell_type"] == "markdown"
        )
        assert all(line.endswith("?") for line in text.splitlines() if line.startswith("## "))


def test_the_toc_lists_every_chapter():
    assert {file.name for file in Book.open(ROOT).chapters} == {file.name for file in (ROOT / "chapters").iterdir()}


def test_a_chapter_runs_through_papermill_from_the_command_line(tmp_path: Path):
    out = tmp_path / "out.ipynb"
    call = [sys.executable, "-m", "papermill", "chapters/interviewees.ipynb", str(out)]
    options = ["-p", "edition", "data/oral-2022", "-p", "age_bands", "18,30", "--no-progress-bar"]
    subprocess.run([*call, *options], cwd=ROOT, check=True, capture_output=True)
    assert "18–29" in out.read_text(encoding="utf-8")


def test_an_unknown_parameter_prints_the_table_of_those_known(tmp_path: Path):
    done = run("build", "-p", "age_band=18,30", "--out", tmp_path / "out", code=2)
    first, *table = done.stderr.splitlines()
    assert (
        first
        == "parameter age_band: found '18,30', needed a parameter that a chapter declares; did you mean 'age_bands'?"
    )
    assert table[0].split() == ["parameter", "type", "default", "meaning"]
    listed = {line.split()[0]: line for line in table[1:]}
    assert set(listed) == {"age_bands", "profession_level", "route_level", "minimum_cell"}
    assert "str" in listed["age_bands"]
    assert "'18,25,35,45'" in listed["age_bands"]
    assert "lower edges" in listed["age_bands"]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("age_bands=25,18", "age_bands"),
        ("profession_level=minor", "profession_level"),
        ("route_level=village", "route_level"),
        ("minimum_cell=-1", "minimum_cell"),
        ("edition", "NAME=VALUE"),
    ],
)
def test_a_wrong_value_of_a_parameter_is_named_before_anything_runs(given: str, told: str, tmp_path: Path):
    done = run("build", "-p", given, "--out", tmp_path / "out", code=2)
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
