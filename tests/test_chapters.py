"""The chapters as they are kept: clean, short, commented; and each runs by the ordinary tools."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT, run

NOTEBOOKS = sorted((ROOT / "chapters").glob("*.ipynb"))
PARAMETER = re.compile(r"(?P<name>[a-z_]+): (str|int|float|bool) = [^#]+  # \S.+")
"""A parameter: its type, its default, and what it means."""


def sources(file: Path, kind: str) -> list[str]:
    """The cells of a kind: markdown, code, or parameters."""
    found = []
    for cell in nbformat.read(file, as_version=4).cells:
        declares = "parameters" in cell.metadata.get("tags", [])
        if kind == ("parameters" if declares else cell.cell_type):
            found.append(cell.source)
    return found


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
        assert len({cell["id"] for cell in notebook.cells}) == len(notebook.cells)

    def test_every_parameter_has_a_type_and_a_comment_and_is_used(self, file: Path):
        (cell,) = sources(file, "parameters")
        declared = [PARAMETER.fullmatch(line) for line in cell.splitlines()]
        assert all(declared), cell
        assert declared[0]["name"] == "edition"
        code = "\n".join(sources(file, "code"))
        assert all(re.search(rf"\b{each['name']}\b", code) for each in declared)

    def test_a_cell_fits_a_screen(self, file: Path):
        cells = [cell.splitlines() for cell in sources(file, "code")]
        assert all(len(lines) <= 30 and max(map(len, lines)) <= 150 for lines in cells)

    def test_imports_stand_in_one_cell_and_are_of_analysis_pandas_and_altair(self, file: Path):
        importing = [cell for cell in sources(file, "code") if re.search(r"^(from|import)\b", cell, re.MULTILINE)]
        assert len(importing) == 1
        nodes = [node for node in ast.walk(ast.parse(importing[0])) if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {getattr(node, "module", None) or node.names[0].name for node in nodes}
        allowed = {"analysis", "pandas", "altair", *sys.stdlib_module_names}
        assert {name.split(".")[0] for name in names} <= allowed

    def test_headings_below_the_title_ask(self, file: Path):
        lines = "\n".join(sources(file, "markdown")).splitlines()
        assert all(line.endswith("?") for line in lines if line.startswith("## "))


def test_a_chapter_runs_through_papermill_from_the_command_line(tmp_path: Path):
    out = tmp_path / "out.ipynb"
    call = [sys.executable, "-m", "papermill", "chapters/interviewees.ipynb", str(out)]
    options = ["-p", "edition", "data/oral-2022", "-p", "age_bands", "18,30", "--no-progress-bar"]
    subprocess.run([*call, *options], cwd=ROOT, check=True, capture_output=True)
    assert "18–29" in out.read_text(encoding="utf-8")


def test_an_unknown_parameter_prints_the_table_of_those_known(tmp_path: Path):
    done = run("build", "-p", "age_band=18,30", "--out", tmp_path / "out", code=2)
    first, *table = done.stderr.splitlines()
    needed = "needed a parameter that a chapter declares; did you mean 'age_bands'?"
    assert first == f"parameter age_band: found '18,30', {needed}"
    assert table[0].split() == ["parameter", "type", "default", "meaning"]
    listed = {line.split()[0]: line for line in table[1:]}
    assert set(listed) == {"age_bands", "profession_level", "route_level", "minimum_cell"}
    assert all(words in listed["age_bands"] for words in ("str", "'18,25,35,45'", "lower edges"))
    assert not (tmp_path / "out").exists()


WRONG = {
    "age_bands=25,18": "age_bands", "profession_level=minor": "profession_level", "route_level=village": "route_level",
    "minimum_cell=-1": "minimum_cell", "edition": "NAME=VALUE",
}  # fmt: skip


@pytest.mark.parametrize(("given", "told"), WRONG.items())
def test_a_wrong_value_of_a_parameter_is_named_before_anything_runs(given: str, told: str, tmp_path: Path):
    done = run("build", "-p", given, "--out", tmp_path / "out", code=2)
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
