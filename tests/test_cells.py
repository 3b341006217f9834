"""Cells as tests: what pytest says of each, run as a reviewer runs it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from conftest import ROOT

EDITION = ROOT / "data" / "oral-2022"
PYTEST = [sys.executable, "-m", "pytest", "-p", "parabook.pytest_plugin", "-p", "no:cacheprovider"]
ALONE = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
"""Without the plug-ins of these tests, which take as long to load as a chapter to run."""


def chapter(project: Path, name: str, parameters: str = 'edition: str = "oral-2022"', **cells: str) -> None:
    """Write a chapter; cells by id."""
    code = [nbformat.v4.new_code_cell(source, id=id_) for id_, source in cells.items()]
    first = nbformat.v4.new_code_cell(parameters, id="parameters", metadata={"tags": ["parameters"]})
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = nbformat.v4.new_notebook(cells=[first, *code], metadata=metadata)
    nbformat.write(notebook, project / "chapters" / f"{name}.ipynb")


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory):
    """Makes projects that name their folder of chapters and their plug-in."""

    def made() -> Path:
        project = tmp_path_factory.mktemp("project")
        settings = '[tool.pytest.ini_options]\nchapters = ["chapters"]\n[tool.parabook]\nplugin = "analysis"\n'
        (project / "pyproject.toml").write_text(settings, encoding="utf-8")
        (project / "chapters").mkdir()
        return project

    return made


class Run:
    """pytest's verdict on a project's cells: by cell its state, one-line message, whole text; and JUnit's elements."""

    def __init__(self, project: Path, *arguments: str, code: int) -> None:
        junit = project / "junit.xml"
        call = [*PYTEST, "--junitxml", str(junit), *arguments]
        done = subprocess.run(call, cwd=project, env=ALONE, capture_output=True, text=True, check=False)
        self.said = done.stdout + done.stderr
        assert done.returncode == code, self.said
        cases = ElementTree.parse(junit).findall(".//testcase") if junit.is_file() else []
        self.cells = {str(case.get("name")).partition("@")[0]: case for case in cases}
        self.states = {name: self.verdict(name)[0] for name in self.cells}

    def verdict(self, cell: str) -> tuple[str, str, str]:
        for state in ("failure", "error", "skipped"):
            found = self.cells[cell].find(state)
            if found is not None:
                return state, str(found.get("message")), str(found.text)
        return "passed", "", ""


@pytest.fixture(scope="module")
def run(make) -> Run:
    """A project with every kind of cell, run once, on an edition with two errors."""
    project = make()
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
        opens="from analysis.editions import open_edition\nopen_edition(edition)",
    )  # fmt: skip
    chapter(project, "dies", gone="import os\nos._exit(3)", later="1")
    return Run(project, "-ra", f"--edition={bad}", code=1)


def test_each_code_cell_is_reported_once_and_by_chapter(run: Run):
    assert run.states == {
        "parameters": "passed", "before": "passed", "boom": "failure", "after": "error", "warns": "failure",
        "says": "failure", "mutters": "failure", "naps": "passed", "opens": "failure", "gone": "failure", "later": "error",
    }  # fmt: skip
    assert run.cells["boom"].get("classname") == "chapters.breaks.ipynb"
    assert "FAILED chapters/breaks.ipynb::boom - Failed: ZeroDivisionError: division by zero" in run.said
    assert "ERROR chapters/breaks.ipynb::after - Failed: not run, as cell boom failed" in run.said


def test_an_error_shows_the_cell_and_where_and_no_frame_of_the_plugin(run: Run):
    _, message, text = run.verdict("boom")
    assert message.startswith("Failed: ZeroDivisionError: division by zero\n")
    assert "the cell:\n    y = 0\n    x / y\n" in text
    assert "----> 2 x / y" in text
    texts = run.said + "".join(run.verdict(cell)[2] for cell in run.cells)
    for stray in ("\x1b", "#x1B", "pytest_plugin.py:", "ipykernel_"):  # the second is pytest's for what XML cannot hold
        assert stray not in texts


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("after", "not run, as cell boom failed: ZeroDivisionError: division by zero"),
        ("gone", "its kernel died"),
        ("later", "not run, as cell gone failed: its kernel died"),
        ("warns", "warning: UserWarning: careful"),
        ("says", "stderr: psst"),
        ("mutters", "stderr: from below"),
    ],
)
def test_cells_behind_an_error_warnings_and_anything_on_stderr_are_named(run: Run, cell: str, message: str):
    assert run.verdict(cell)[2].splitlines()[0] == message


def test_a_cell_has_its_own_seconds(run: Run):
    properties = {str(each.get("name")): str(each.get("value")) for each in run.cells["naps"].iter("property")}
    assert float(properties["seconds"]) >= 0.4
    assert properties["input"] == "bad"


def test_bad_input_is_named_in_full_without_a_traceback(run: Run):
    _, message, text = run.verdict("opens")
    assert message.startswith("Failed: InputError: bad/legs.csv, row 5, column status: found 'mad', needed one of")
    assert "bad/legs.csv, row 3, column mode: found 'aiir', needed one of" in text
    assert "Traceback" not in text


def test_another_input_with_a_chapter_of_its_own_and_a_parameter(make):
    project = make()
    other = Path(shutil.copytree(EDITION, project / "other"))
    (other / "chapters").mkdir()
    chapter(other, "more", own="assert edition == 'other'")
    asked = "assert (edition, route_level) == ('other', 'country')"
    chapter(project, "steps", 'edition: str = "oral-2022"\nroute_level: str = "place"', asked=asked)
    chapter(project, "fails", four="1 / 0", five="2")
    chosen = ("-k", "asked or five or own", f"--book-input={other}", "--chapter-parameter", "route_level=country")
    states = {"asked": "passed", "five": "error", "own": "passed"}
    assert Run(project, *chosen, code=1).states == states, "a chosen cell behind an error is not green"


@pytest.mark.slow
def test_several_workers_report_each_cell_once(make):
    project = make()
    chapter(project, "first", a="1", b="1", bad="raise KeyError")
    run = Run(project, "-p", "xdist", "-n", "2", "--dist", "loadfile", code=1)
    assert "2 workers" in run.said
    assert run.verdict("bad")[1].startswith("Failed: KeyError: no message")
    assert list(run.states.values()).count("passed") == 3


@pytest.mark.slow
def test_ctrl_c_ends_the_session_and_the_chapter(make):
    project = make()
    mark, out = project / "began", project / "out.txt"
    waits = f"from pathlib import Path\nPath({str(mark)!r}).touch()\nimport time\ntime.sleep(600)"
    chapter(project, "first", waits=waits)
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)  # where it is ignored a child would ignore it too
    with out.open("w") as text, subprocess.Popen(PYTEST, cwd=project, stdout=text, stderr=text) as running:
        signal.signal(signal.SIGINT, ours)
        try:
            while not mark.exists():
                assert running.poll() is None
                time.sleep(0.1)
            running.send_signal(signal.SIGINT)
            assert running.wait(timeout=60) == pytest.ExitCode.INTERRUPTED
        finally:
            running.kill()  # or leaving the block would wait for the cell
    assert "no tests ran" in out.read_text()


def test_what_cannot_be_used_is_refused_before_anything_runs(make):
    project = make()
    chapter(project, "asks", 'edition: str = "oral-2022"\nroute_level: str = "place"', which="1 / 0")
    for argument, message in {
        "--edition=oral-2202": "oral-2202: found no such edition, needed a name under data/ or a path; did",
        "--chapter-parameter=route_levle=place": "did you mean 'route_level'?\nparameter    type",
        "--chapter-parameter=route_level": "--chapter-parameter: found 'route_level', needed NAME=VALUE",
    }.items():
        run = Run(project, argument, code=4)
        assert message in run.said
        assert "Traceback" not in run.said
        assert not run.cells
    (project / "chapters" / "broken.ipynb").write_text("{", encoding="utf-8")
    assert "broken.ipynb: found JSONDecodeError: Expecting property name" in Run(project, code=2).said


def test_loading_the_plugin_loads_nothing_heavy():
    heavy = "{'pandas', 'altair', 'nbclient', 'nbformat', 'papermill', 'jupyter_client', 'narwhals', 'bs4'}"
    code = f"import sys, parabook.pytest_plugin; raise SystemExit(str({heavy} & set(sys.modules) or '') or 0)"
    subprocess.run([sys.executable, "-c", code], check=True)
