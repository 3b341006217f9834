"""Cells as tests: what pytest says of each, run as a reviewer runs it."""

from __future__ import annotations

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
PYTEST = [sys.executable, "-m", "pytest", "-p", "parabook.pytest_plugin", "-p", "no:cacheprovider"]
SETTINGS = '[tool.pytest.ini_options]\nchapters = ["chapters"]\n[tool.parabook]\nplugin = "analysis"\n'
MARK = "from pathlib import Path\nPath({!r}).open('a').write({!r})"


def chapter(project: Path, name: str, parameters: str = 'edition: str = "oral-2022"', **cells: str) -> None:
    """Write a chapter; cells by id, with a dash for an underscore."""
    code = [nbformat.v4.new_code_cell(source, id=name.replace("_", "-")) for name, source in cells.items()]
    first = nbformat.v4.new_code_cell(parameters, id="parameters", metadata={"tags": ["parameters"]})
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    (project / "chapters").mkdir(exist_ok=True)
    nbformat.write(
        nbformat.v4.new_notebook(cells=[first, *code], metadata=metadata), project / "chapters" / f"{name}.ipynb"
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that names its folder of chapters and its plug-in."""
    (tmp_path / "pyproject.toml").write_text(SETTINGS, encoding="utf-8")
    return tmp_path


class Run:
    """pytest's verdict on a project's cells: by cell its state, message, text, seconds and properties."""

    def __init__(self, project: Path, *arguments: str, code: int) -> None:
        junit = project / "junit.xml"
        call = [*PYTEST, "--junitxml", str(junit), *arguments]
        done = subprocess.run(call, cwd=project, capture_output=True, text=True, check=False)
        self.said = done.stdout + done.stderr
        assert done.returncode == code, self.said
        cases = ElementTree.parse(junit).findall(".//testcase") if junit.is_file() else []
        self.cells = {str(case.get("name")).partition("@")[0]: case for case in cases}
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
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A project with every kind of cell, run once, on an edition with two errors."""
    project = tmp_path_factory.mktemp("project")
    (project / "pyproject.toml").write_text(SETTINGS, encoding="utf-8")
    bad = Path(shutil.copytree(EDITION, project / "bad"))
    legs = (bad / "legs.csv").read_text(encoding="utf-8").splitlines()
    legs[2], legs[4] = legs[2].replace(",air,", ",aiir,"), legs[4].replace(",made,", ",mad,")
    (bad / "legs.csv").write_text("\n".join(legs) + "\n", encoding="utf-8")
    chapter(project, "breaks", before="x = 1", boom="y = 0\nx / y", after="print('never')")
    chapter(
        project, "noisy",
        warns="import warnings\nwarnings.warn('careful')",
        says="import sys\nprint('psst', file=sys.stderr)",
        mutters="import os, time\nos.write(2, b'from below\\n')\ntime.sleep(1)",
        naps="import time\ntime.sleep(0.4)",
        opens="from analysis.edition import load\nbook = load(edition)",
    )  # fmt: skip
    chapter(project, "dies", gone="import os\nos._exit(3)", later="1")
    chapter(project, "foreign", "colour = 'red'  # no edition", two="1 / 0")
    (project / "other").mkdir()
    shutil.copy(project / "chapters" / "breaks.ipynb", project / "other" / "outside.ipynb")
    return Run(project, "-ra", f"--edition={bad}", code=1)


def test_each_code_cell_is_reported_once_and_by_chapter(run: Run):
    assert run.states == {
        "parameters": "passed", "before": "passed", "boom": "failure", "after": "error", "warns": "failure",
        "says": "failure", "mutters": "failure", "naps": "passed", "opens": "failure", "gone": "failure", "later": "error",
    }  # fmt: skip
    assert run.cells["boom"].get("classname") == "chapters.breaks.ipynb"
    assert "6 failed, 5 passed, 2 errors" in run.said
    assert "FAILED chapters/breaks.ipynb::boom - ZeroDivisionError: division by zero" in run.said
    assert "ERROR chapters/breaks.ipynb::after - not run, as cell boom failed" in run.said


def test_an_error_shows_the_cell_and_where(run: Run):
    _, message, text = run.verdict("boom")
    assert message == "ZeroDivisionError: division by zero"
    assert "the cell:\n    y = 0\n    x / y\n" in text
    assert "----> 2 x / y" in text


def test_cells_behind_an_error_are_not_run_and_say_so(run: Run):
    assert run.verdict("after")[2] == "not run, as cell boom failed: ZeroDivisionError: division by zero"
    assert run.verdict("later")[2] == "not run, as cell gone failed: Kernel died"
    assert run.verdict("gone")[1] == "Kernel died"


def test_warnings_and_anything_on_stderr_fail_the_cell(run: Run):
    _, message, text = run.verdict("warns")
    assert message == "warning: UserWarning: careful"
    assert "cell:2: UserWarning: careful" in text
    assert run.verdict("says")[1] == "stderr: psst"
    assert run.verdict("mutters")[1] == "stderr: from below"


def test_a_cell_has_its_own_seconds(run: Run):
    assert float(run.properties("naps")["seconds"]) >= 0.4
    for name, case in run.cells.items():
        assert case.get("time") == f"{float(run.properties(name)['seconds']):.3f}", "of pytest's own, no time is told"
    assert run.properties("naps")["input"] == "bad"


def test_bad_input_shows_the_row_at_fault(run: Run):
    _, message, text = run.verdict("opens")
    lines = text.splitlines()
    assert lines[0] == message
    assert message.startswith("InputError: bad/legs.csv, row 5, column status: found 'mad', needed one of")
    assert '"interviewee": "i03", "leg": "1", "status": "mad"' in lines[1]
    assert lines[2].startswith("bad/legs.csv, row 3, column mode: found 'aiir', needed one of")
    assert "Traceback" not in text


def test_neither_colours_nor_the_plugin_s_own_frames(run: Run):
    texts = run.said + "".join(run.verdict(cell)[2] for cell in run.cells)
    for stray in ("\x1b", "#x1B", "pytest_plugin.py:", "ipykernel_"):  # the second is pytest's for what XML cannot hold
        assert stray not in texts


def test_cells_before_the_chosen_run_and_those_behind_do_not(project: Path):
    file = str(project / "marks")
    chapter(project, "steps", **{name: MARK.format(file, name) for name in ("one", "two", "three")})
    chapter(project, "fails", four="1 / 0", five="2")
    run = Run(project, "-k", "two or five", code=1)
    assert run.states == {"two": "passed", "five": "error"}, "a chosen cell behind an error is not green"
    assert Path(file).read_text() == "onetwo"


def test_several_workers_report_each_cell_once(project: Path):
    chapter(project, "first", **{f"first_{place}": "1" for place in "abcdef"}, bad="raise KeyError")
    run = Run(project, "-n", "2", "--dist", "loadgroup", code=1)
    assert "2 workers" in run.said
    assert run.verdict("bad")[:2] == ("failure", "KeyError: no message")
    assert list(run.states.values()).count("passed") == 7


@pytest.mark.slow
def test_ctrl_c_ends_the_session_and_the_chapter(project: Path):
    mark, out = project / "began", project / "out.txt"
    chapter(
        project, "first", waits=f"from pathlib import Path\nPath({str(mark)!r}).touch()\nimport time\ntime.sleep(600)"
    )
    with out.open("w") as text, subprocess.Popen(PYTEST, cwd=project, stdout=text, stderr=text) as running:
        while not mark.exists():
            assert running.poll() is None
            time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=120) == pytest.ExitCode.INTERRUPTED
    assert "no tests ran" in out.read_text()


def test_another_input_and_a_parameter(project: Path):
    other = shutil.copytree(EDITION, project / "other")
    parameters = 'edition: str = "oral-2022"\nroute_level: str = "place"'
    chapter(project, "asks", parameters, which="assert (edition, route_level) == ('other', 'country')")
    run = Run(project, f"--book-input={other}", "--chapter-parameter", "route_level=country", code=0)
    assert run.states == {"parameters": "passed", "which": "passed"}
    assert f"chapters: input {other}, route_level=country" in run.said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--edition", "oral-2202"], "oral-2202: found no such edition, needed a name under data/ or a path; did"),
        (["--edition", "/mnt"], "write --book-input=PATH in one word"),
        (["--chapter-parameter", "route_levle=place"], "did you mean 'route_level'?\nparameter    type"),
        (["--chapter-parameter", "route_level"], "--chapter-parameter: found 'route_level', needed NAME=VALUE"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_runs(project: Path, arguments: list[str], message: str):
    chapter(project, "asks", 'edition: str = "oral-2022"\nroute_level: str = "place"', which="1 / 0")
    run = Run(project, *arguments, code=4)
    assert message in run.said
    assert "Traceback" not in run.said
    assert not run.cells


def test_a_broken_notebook_is_an_error_in_one_line(project: Path):
    (project / "chapters").mkdir()
    (project / "chapters" / "broken.ipynb").write_text("{", encoding="utf-8")
    run = Run(project, code=2)
    assert "broken.ipynb: found JSONDecodeError: Expecting property name" in run.said
    assert "Traceback" not in run.said


def test_loading_the_plugin_loads_nothing_heavy():
    heavy = (
        "{'pandas', 'altair', 'nbclient', 'nbformat', 'papermill', 'jupyter_client', 'narwhals', 'daff', 'deepdiff'}"
    )
    code = f"import sys, parabook.pytest_plugin; raise SystemExit(str({heavy} & set(sys.modules) or '') or 0)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_this_project_s_chapters_are_tests():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["tool"]["pytest"]["ini_options"]["chapters"] == ["chapters"]
    # Where names differ, `-p` and the entry point would register one plug-in twice, and pytest would refuse.
    assert settings["project"]["entry-points"]["pytest11"] == {"parabook.pytest_plugin": "parabook.pytest_plugin"}
