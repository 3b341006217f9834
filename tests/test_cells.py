"""Cells as tests: what pytest says of each, run as a reviewer runs it."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from conftest import ROOT

EDITION = ROOT / "data" / "oral-2022"
STARTS = 'edition: str = "oral-2022"  # the edition'
REPORT = "from analysis import report\nbook = report.load(edition)"


def chapter(project: Path, name: str, parameters: str = STARTS, **cells: str) -> None:
    """Write a chapter; cells by id, with a dash for an underscore."""
    code = [nbformat.v4.new_code_cell(source, id=name.replace("_", "-")) for name, source in cells.items()]
    first = nbformat.v4.new_code_cell(parameters, id="parameters", metadata={"tags": ["parameters"]})
    title = nbformat.v4.new_markdown_cell("# A chapter", id="title")
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = nbformat.v4.new_notebook(cells=[title, first, *code], metadata=metadata)
    (project / "chapters").mkdir(exist_ok=True)
    nbformat.write(notebook, project / "chapters" / f"{name}.ipynb")


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that names its folder of chapters."""
    project = tmp_path_factory.mktemp("project")
    (project / "pyproject.toml").write_text('[tool.pytest.ini_options]\nchapters = ["chapters"]\n', encoding="utf-8")
    return project


@pytest.fixture
def project(settled: Path) -> Path:
    """The same without chapters."""
    shutil.rmtree(settled / "chapters", ignore_errors=True)
    return settled


class Run:
    """pytest's verdict on a project's cells: by cell its state, message, text, seconds and properties."""

    def __init__(self, project: Path, *arguments: str, code: int) -> None:
        call = [sys.executable, "-m", "pytest", "-p", "parabook.pytest_plugin", "-p", "no:cacheprovider"]
        junit = project / "junit.xml"
        junit.unlink(missing_ok=True)
        done = subprocess.run(
            [*call, "--junitxml", str(junit), *arguments], cwd=project, capture_output=True, text=True, check=False
        )
        self.said = done.stdout + done.stderr
        assert done.returncode == code, self.said
        cases = ElementTree.parse(junit).findall(".//testcase") if junit.is_file() else []
        self.cells = {case.get("name"): case for case in cases}
        self.states = {name: self.verdict(name)[0] for name in self.cells}

    def verdict(self, cell: str) -> tuple[str, str, str]:
        """State, one-line message, whole text."""
        for state in ("failure", "error", "skipped"):
            found = self.cells[cell].find(state)
            if found is not None:
                return state, str(found.get("message")), str(found.text)
        return "passed", "", ""

    def properties(self, cell: str) -> dict[str, str]:
        """What JUnit's properties say of a cell."""
        return {str(each.get("name")): str(each.get("value")) for each in self.cells[cell].iter("property")}


@pytest.fixture(scope="module")
def run(settled: Path) -> Run:
    """A project with every kind of cell, run once."""
    chapter(settled, "breaks", before="x = 1", boom="y = 0\nx / y", after="print('never')")
    chapter(
        settled,
        "noisy",
        warns="import warnings\nwarnings.warn('careful')",
        says="import sys\nprint('psst', file=sys.stderr)",
        mutters="import os, time\nos.write(2, b'from below\\n')\ntime.sleep(1)",
        naps="import time\ntime.sleep(0.4)",
    )
    chapter(settled, "dies", gone="import os\nos._exit(3)", later="1")
    return Run(settled, "-ra", code=1)


class TestOneRun:
    """What is reported of each kind of cell."""

    def test_each_code_cell_is_reported_once_and_by_chapter(self, run: Run):
        assert run.states == {
            "parameters": "passed", "before": "passed", "boom": "failure", "after": "error", "warns": "failure",
            "says": "failure", "mutters": "failure", "naps": "passed", "gone": "failure", "later": "error",
        }  # fmt: skip
        assert run.cells["boom"].get("classname") == "chapters.breaks.ipynb"
        assert "5 failed, 5 passed, 2 errors" in run.said

    def test_an_error_shows_the_cell_and_where(self, run: Run):
        _, message, text = run.verdict("boom")
        assert message == "ZeroDivisionError: division by zero"
        assert "the cell:\n    y = 0\n    x / y\n" in text
        assert "----> 2 x / y" in text

    def test_cells_behind_an_error_are_not_run_and_say_so(self, run: Run):
        state, message, text = run.verdict("after")
        assert state == "error"
        assert message == 'failed on setup with "not run, as cell boom failed: ZeroDivisionError: division by zero"'
        assert text == "not run, as cell boom failed: ZeroDivisionError: division by zero"
        assert run.verdict("later")[2] == "not run, as cell gone failed: Kernel died"

    def test_a_kernel_that_dies_is_the_cell_s_failure(self, run: Run):
        _, message, text = run.verdict("gone")
        assert message == "Kernel died"
        assert "os._exit(3)" in text

    def test_a_warning_fails_the_cell_and_is_named(self, run: Run):
        _, message, text = run.verdict("warns")
        assert message == "warning: UserWarning: careful"
        assert "cell:2: UserWarning: careful" in text

    def test_anything_on_stderr_fails_the_cell(self, run: Run):
        assert run.verdict("says")[1] == "stderr: psst"
        assert run.verdict("mutters")[1] == "stderr: from below"

    def test_a_cell_has_its_own_seconds(self, run: Run):
        assert float(run.properties("naps")["seconds"]) >= 0.4
        for name, case in run.cells.items():
            assert case.get("time") == f"{float(run.properties(name)['seconds']):.3f}", (
                "of pytest's own, no time is told"
            )
        assert run.properties("naps")["edition"] == "oral-2022"

    def test_the_summary_says_which_in_one_line(self, run: Run):
        assert "FAILED chapters/breaks.ipynb::boom - ZeroDivisionError: division by zero" in run.said
        assert "ERROR chapters/breaks.ipynb::after - not run, as cell boom failed" in run.said

    def test_neither_colours_nor_the_plugin_s_own_frames(self, run: Run):
        texts = run.said + "".join(run.verdict(cell)[2] for cell in run.cells)
        assert "\x1b" not in texts
        assert "#x1B" not in texts, "pytest's stand-in for what XML cannot hold"
        assert "cells.py" not in texts
        assert "ipykernel_" not in texts


def test_bad_input_shows_the_row_at_fault(tmp_path: Path):
    bad = Path(shutil.copytree(EDITION, tmp_path / "bad"))
    legs = (bad / "legs.csv").read_text(encoding="utf-8").splitlines()
    legs[2], legs[4] = legs[2].replace(",air,", ",aiir,"), legs[4].replace(",made,", ",mad,")
    (bad / "legs.csv").write_text("\n".join(legs) + "\n", encoding="utf-8")
    junit = tmp_path / "out.xml"
    call = [sys.executable, "-m", "pytest", "-p", "parabook.pytest_plugin", "-p", "no:cacheprovider", "-q"]
    call += ["chapters/routes.ipynb", "-k", "open-edition", "--edition", str(bad), "--junitxml", str(junit)]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout
    failure = ElementTree.parse(junit).find(".//failure")
    assert failure is not None
    lines = str(failure.text).splitlines()
    assert lines[0] == failure.get("message")
    assert lines[0].startswith("InputError: bad/legs.csv, row 5, column status: found 'mad', needed one of")
    assert '"interviewee": "i03", "leg": "1", "status": "mad"' in lines[1]
    assert lines[2].startswith("bad/legs.csv, row 3, column mode: found 'aiir', needed one of")
    assert '"interviewee": "i02", "leg": "1"' in lines[3]
    assert "    book = report.load(edition, minimum_cell)" in lines
    assert not re.search(r"Traceback|File ", str(failure.text))


class TestChosen:
    """Only some cells, some chapters, several workers."""

    MARK = "from pathlib import Path\nPath({!r}).open('a').write({!r})"

    def test_cells_before_the_chosen_run_and_those_behind_do_not(self, project: Path, tmp_path: Path):
        file = str(tmp_path / "marks")
        cells = {name: self.MARK.format(file, name) for name in ("one", "two", "three")}
        chapter(project, "steps", **cells)
        run = Run(project, "-k", "two", code=0)
        assert run.states == {"two": "passed"}
        assert Path(file).read_text() == "onetwo"

    def test_by_name_in_any_order(self, project: Path):
        chapter(project, "steps", one="x = 1", two="assert x == 1")
        run = Run(project, "chapters/steps.ipynb::two", "chapters/steps.ipynb::one", code=0)
        assert run.states == {"two": "passed", "one": "passed"}

    def test_a_chosen_cell_behind_an_error_is_not_green(self, project: Path):
        chapter(project, "steps", one="1 / 0", two="2")
        run = Run(project, "-k", "two", code=1)
        assert run.states == {"two": "error"}

    def test_several_workers_run_a_chapter_once(self, project: Path, tmp_path: Path):
        for name in ("first", "second"):
            cells = {f"{name}_{place}": "1" for place in "abcdefgh"}
            chapter(project, name, counts=self.MARK.format(str(tmp_path / name), "x"), **cells, bad="raise KeyError")
        run = Run(project, "-n", "2", "--dist", "each", code=1)
        assert "2 workers" in run.said
        assert (tmp_path / "first").read_text() == (tmp_path / "second").read_text() == "x"
        run = Run(project, "-n", "2", code=1)
        assert (tmp_path / "first").read_text() == (tmp_path / "second").read_text() == "xx"
        assert run.states["first-a"] == "passed"
        assert run.verdict("bad")[:2] == ("failure", "KeyError: no message")
        assert "FAILED chapters/first.ipynb::bad - KeyError" in run.said


def test_ctrl_c_ends_the_session_and_the_chapter(project: Path, tmp_path: Path):
    mark = tmp_path / "began"
    waits = f"from pathlib import Path\nPath({str(mark)!r}).touch()\nimport time\ntime.sleep(600)"
    for name in ("first", "second"):
        chapter(project, name, waits=waits)
    call = [sys.executable, "-m", "pytest", "-p", "parabook.pytest_plugin", "-p", "no:cacheprovider"]
    with subprocess.Popen(call, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        while not mark.exists():
            assert running.poll() is None
            time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        said, _ = running.communicate(timeout=120)
    assert running.returncode == pytest.ExitCode.INTERRUPTED
    assert "KeyboardInterrupt" in said
    assert "no tests ran" in said


class TestAsked:
    """With an edition and parameters of the call's."""

    TELLS = f"{STARTS}\nroute_level: str = 'place'  # place or country"

    def test_another_edition_and_a_parameter(self, project: Path, tmp_path: Path):
        other = shutil.copytree(EDITION, tmp_path / "other")
        chapter(project, "asks", self.TELLS, which="assert (edition, route_level) == ('other', 'country')", real=REPORT)
        assert Run(project, code=1).states["which"] == "failure"
        run = Run(project, f"--edition={other}", "--chapter-parameter", "route_level=country", code=0)
        assert run.states == {"parameters": "passed", "which": "passed", "real": "passed"}
        assert run.properties("which")["edition"] == "other"
        assert f"chapters: edition {other}, route_level=country" in run.said

    def test_a_path_that_pytest_takes_for_tests_is_found_out(self, project: Path, tmp_path: Path):
        other = shutil.copytree(EDITION, tmp_path / "other")
        chapter(project, "asks", self.TELLS, which="1 / 0")
        run = Run(project, "--edition", str(other), code=4)
        assert "write --edition=PATH in one word" in run.said

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["--edition", "oral-2202"], "oral-2202: found no such edition, needed a name under data/ or a path; did"),
            (["--chapter-parameter", "route_levle=place"], "did you mean 'route_level'?\nparameter    type"),
            (["--chapter-parameter", "route_level=village"], "route_level: found 'village', needed one of"),
            (["--chapter-parameter", "route_level"], "--chapter-parameter: found 'route_level', needed NAME=VALUE"),
        ],
    )
    def test_what_cannot_be_used_is_refused_before_anything_runs(self, project: Path, arguments: list[str], told: str):
        chapter(project, "asks", self.TELLS, which="1 / 0")
        run = Run(project, *arguments, code=4)
        assert told in run.said
        assert "Traceback" not in run.said
        assert not run.cells


class TestNotAsked:
    """Notebooks that are no chapters."""

    def test_nothing_outside_the_folder_of_chapters(self, project: Path):
        chapter(project, "inside", one="1")
        (project / "other").mkdir(exist_ok=True)
        shutil.copy(project / "chapters" / "inside.ipynb", project / "other" / "outside.ipynb")
        chapter(project, "foreign", "colour = 'red'  # no edition", two="1 / 0")
        assert Run(project, code=0).states == {"parameters": "passed", "one": "passed"}

    def test_nothing_where_no_folder_is_named(self, project: Path, tmp_path: Path):
        chapter(tmp_path, "inside", one="1")
        (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        run = Run(tmp_path, code=5)
        assert "no tests ran" in run.said

    def test_a_broken_notebook_is_an_error_in_one_line(self, project: Path):
        chapter(project, "inside", one="1")
        (project / "chapters" / "broken.ipynb").write_text("{", encoding="utf-8")
        run = Run(project, code=2)
        assert "broken.ipynb: found JSONDecodeError: Expecting property name" in run.said
        assert "needed a notebook of format 4.5" in run.said
        assert "Traceback" not in run.said

    def test_loading_the_plugin_loads_nothing_heavy(self):
        heavy = "{'pandas', 'altair', 'nbclient', 'nbformat', 'papermill', 'jupyter_client', 'narwhals'}"
        code = f"import sys, parabook.pytest_plugin; raise SystemExit(str({heavy} & set(sys.modules) or '') or 0)"
        subprocess.run([sys.executable, "-c", code], check=True)


def test_this_project_s_chapters_are_tests():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    options = settings["tool"]["pytest"]["ini_options"]
    assert options["chapters"] == ["chapters"]
    assert "chapters" in options["testpaths"]
    # Where names differ, `-p` and the entry point would register one plugin twice, and pytest would refuse.
    assert settings["project"]["entry-points"]["pytest11"] == {"parabook.pytest_plugin": "parabook.pytest_plugin"}
