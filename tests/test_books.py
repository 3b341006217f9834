"""Books that nobody here wrote, as different as real ones: built as stock Jupyter Book builds them, and run as little as may be."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from conftest import edit_json, replace_text

from parabook.book import Book
from parabook.build import build, start
from parabook.cli import parabook
from parabook.errors import InputError
from parabook.kernels import SPECS
from parabook.plan import Plan, make_plan
from parabook.plugins import Plugin
from parabook.progress import Progress
from parabook.run import ChapterFailed, run_all
from parabook.server import stop_all

BOOKS = Path(__file__).parent / "books"
STOCK = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build"]


@pytest.fixture(scope="module", autouse=True)
def _own_server() -> Iterator[None]:
    """A preloaded process of their own: that of another book's tests has loaded what is not theirs."""
    stop_all()
    yield
    stop_all()


def copy(name: str, into: Path) -> Path:
    skip = shutil.ignore_patterns("_build", "__pycache__", ".ipynb_checkpoints")
    return Path(shutil.copytree(BOOKS / name, into / name, ignore=skip))


def plan_of(root: Path) -> Plan:
    return make_plan(Book.open(root), Plugin(), "", {})


def ran(root: Path) -> list[str]:
    """Run a book's notebooks; the names of those that were not taken from the cache."""
    plan = plan_of(root)
    start(plan)
    return [run.chapter for run in run_all(plan) if not run.reused]


def made(root: Path, **cells: str) -> Path:
    """A book of notebooks of one cell each."""
    root.mkdir(exist_ok=True)
    contents = "format: jb-book\nroot: index\nchapters:\n" + "".join(f"  - file: {name}\n" for name in cells)
    (root / "_toc.yml").write_text(contents)
    (root / "index.md").write_text("# A book\n")
    for name, source in cells.items():
        cell = {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
        notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
        (root / f"{name}.ipynb").write_text(json.dumps(notebook))
    return root


def shown(page: Path) -> dict[str, Any]:
    """What a page says, links to and pictures, but for what is no two runs' alike."""
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    for apart in soup.select("div.chart, a[href*='_sources/']"):  # drawings in place of scripts; the executed notebook
        apart.decompose()
    pictures = [each["src"] for each in soup.select("img[src]")]
    links = [each["href"] for each in soup.select("a[href]")]
    text = [line for line in (soup.body or soup).stripped_strings if " at 0x" not in line]
    return {"text": text, "links": links, "pictures": pictures}


@pytest.mark.parametrize("name", ["lectures", "altair", "report"])
def test_the_pages_are_those_of_stock_jupyter_book(name: str, tmp_path: Path):
    stock, ours = copy(name, tmp_path / "stock"), copy(name, tmp_path / "ours")
    done = subprocess.run([*STOCK, str(stock)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    html = build(plan_of(ours), tmp_path / "out").parent
    pages = {file.relative_to(html): file for file in html.rglob("*.html")}
    assert {*pages} == {file.relative_to(stock / "_build/html") for file in (stock / "_build/html").rglob("*.html")}
    for page, file in pages.items():
        assert shown(file) == shown(stock / "_build/html" / page)


def test_a_chart_of_altairs_own_needs_no_other_host_and_sphinxs_warnings_are_told(tmp_path: Path, capfd):
    root = copy("altair", tmp_path)
    (root / "index.md").write_text("# Charts\n\n{doc}`nowhere`\n")
    index = build(plan_of(root), tmp_path / "out", progress=Progress("book"))
    warning = r"^book: index.md:3: WARNING: unknown document: '?nowhere"
    assert re.search(warning, capfd.readouterr().err, re.MULTILINE)
    page = (index.parent / "charts" / "bars.html").read_text(encoding="utf-8")
    assert page.count('class="drawing"') == 1
    assert "cdn.jsdelivr" not in page.partition("<article")[2]
    assert (index.parent / "_static" / "vega.js").is_file()
    assert "charts.js" not in index.read_text(encoding="utf-8")  # a page without a chart is the book's own


def test_a_page_of_rests_on_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    root = made(tmp_path, one="1")
    (root / "pyproject.toml").write_text('[tool.parabook.rests_on]\non = ["a.csv"]\n"o*" = []\n')
    plan_of(root)
    assert capsys.readouterr().err == "pyproject.toml, rests_on: no page is called 'on'; did you mean 'one'?\n"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("jobs = 'two'", "[tool.parabook] jobs: found 'two', needed a whole number"),
        ("parametrs = {}", "[tool.parabook]: found 'parametrs', needed one of .*; did you mean 'parameters'?"),
        ("rests_on = { one = 'a.csv' }", "rests_on of one: found 'a.csv', needed a list of paths"),
        ("matrix = { on = { a = [1] } }", "matrix: found 'on', needed a page of _toc.yml, without suffix; did you mean 'one'?"),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_used_is_refused(tmp_path: Path, settings: str, message: str):
    root = made(tmp_path, one="1")
    (root / "pyproject.toml").write_text(f"[tool.parabook]\n{settings}\n")
    pattern = re.escape(message).replace(r"\.\*", ".*")
    with pytest.raises(InputError, match=pattern):
        Book.open(root)


def test_a_folder_that_is_no_book_says_why(tmp_path: Path):
    (tmp_path / "myst.yml").write_text("version: 1\n")
    with pytest.raises(InputError, match=r"found no _toc.yml, needed a Jupyter Book; one of Jupyter Book 2"):
        Book.open(tmp_path)
    (tmp_path / "_toc.yml").write_text("root: a\nchapters: [{file: b]\n")
    with pytest.raises(InputError, match=r"_toc.yml: found an error in line 2 \(did not find expected"):
        Book.open(tmp_path)


def test_what_cannot_be_seen_may_be_a_page_or_lie_outside(tmp_path: Path):
    """A program that a notebook starts reads a page of the book; what is declared is outside, by its whole path."""
    (root := tmp_path / "book").mkdir()
    made(root, starts="import subprocess\nsubprocess.run(['cat', 'index.md'])", declares="import duckdb")
    (outside := tmp_path / "far.csv").write_text("1")
    (root / "pyproject.toml").write_text(f"[tool.parabook.rests_on]\ndeclares = ['{outside}', '.']\n")
    assert ran(root) == ["starts", "declares"]
    assert ran(root) == []
    (root / "index.md").write_text("# Another book\n")
    assert ran(root) == ["starts"]
    outside.write_text("2")
    assert ran(root) == ["declares"]


def test_an_error_that_the_book_allows_is_shown_and_no_other(tmp_path: Path):
    root = copy("lectures", tmp_path)
    (root / "_toc.yml").write_text("format: jb-book\nroot: lectures/mistakes\n")
    assert ran(root) == ["lectures/mistakes"]
    replace_text(root / "lectures" / "mistakes.md", "execution_allow_errors: true", "render_text_lexer: none")
    with pytest.raises(ChapterFailed, match=r"chapter lectures/mistakes, cell cell-2: ValueError: could not convert"):
        ran(root)
    (root / "_config.yml").write_text("title: A\nexecute:\n  allow_errors: true\n")
    assert ran(root) == ["lectures/mistakes"]
    (root / "_config.yml").write_text("title: A\nexecute:\n  exclude_patterns: [lectures/m*]\n")
    assert ran(root) == []


ARROW = {"by_arrow": "from pyarrow import csv\ncsv.read_csv('arrow.csv')"} if find_spec("pyarrow") else {}
"""It comes with Spark."""
READERS = ARROW | {
    "by_pandas": "import pandas as pd\npd.read_csv('pandas.csv')",
    "by_open": "print(open('open.csv').read())",
    "by_numpy": "import numpy as np\nnp.loadtxt('numpy.csv', skiprows=1)",
    "by_path": "from pathlib import Path\nPath('path.csv').read_bytes()",
    "by_duckdb": "import duckdb\nduckdb.sql(\"from 'duckdb.csv'\").df()",
    "by_module": "import helper\nhelper.rows()",
    "by_listing": "import glob\nglob.glob('listed/*')",
}
RUNS: dict[str, tuple[str, ...]] = {
    **{f"{name.removeprefix('by_')}.csv": (name,) for name in READERS if name not in ("by_module", "by_listing")},
    "module.csv": ("by_module",), "helper.py": ("by_module",), "listed/new.csv": ("by_listing",), "listed/b/c.csv": ("by_listing",),
    "other.csv": (),
}  # fmt: skip
"""Files and what reads them."""


def test_what_changed_runs_what_reads_it_and_nothing_else(tmp_path: Path):
    root = made(tmp_path, **READERS)
    declared = "by_duckdb = ['duckdb.csv']\nby_arrow = ['arrow.csv']\n"
    (root / "pyproject.toml").write_text(f"[tool.parabook.rests_on]\n{declared}")
    (root / "helper.py").write_text("def rows():\n    return open('module.csv').read()\n")
    for name in (name for name in RUNS if name.endswith(".csv") and "/" not in name):
        (root / name).write_text("number\n1\n")
    (root / "listed").mkdir()
    assert ran(root) == list(READERS)
    assert ran(root) == []
    found = {}
    for name in RUNS:
        file = root / name
        file.parent.mkdir(exist_ok=True)
        file.write_text((file.read_text() if file.exists() else "") + ("2\n" if file.suffix == ".csv" else "\n"))
        found[name] = tuple(ran(root))
    assert found == RUNS
    (root / "pyproject.toml").unlink()  # nobody says what DuckDB reads: it may be any file
    assert ran(root) == list(READERS)
    (root / "other.csv").write_text("number\n3\n")
    assert ran(root) == [name for name in READERS if name in ("by_duckdb", "by_arrow")]


def test_what_is_outside_of_the_book_and_in_the_environment_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))  # what lies in a temporary folder is nobody's input
    monkeypatch.setenv("REPORT_YEAR", "2023")
    (tmp_path / "data.csv").write_text("1")
    (tmp_path / "book").mkdir()
    cells = {"outside": "open('../data.csv').read()", "year": "import os\nos.environ.get('REPORT_YEAR')", "none": "1"}
    root = made(tmp_path / "book", **cells)
    out = tmp_path / "out"

    def built() -> list[str]:
        build(plan_of(root), out)
        chapters = json.loads((out / "receipt.json").read_text())["chapters"]
        return [each["chapter"] for each in chapters if not each["reused"]]

    assert built() == ["outside", "year", "none"]
    stamp = (out / "receipt.json").stat().st_mtime_ns
    built()
    assert (out / "receipt.json").stat().st_mtime_ns == stamp  # nothing changed
    (tmp_path / "data.csv").write_text("2")
    assert built() == ["outside"]
    monkeypatch.setenv("REPORT_YEAR", "2024")
    assert ran(root) == ["year"]


def test_a_notebook_that_reads_what_another_wrote_runs_after_it(tmp_path: Path):
    writes = "import time\nrows = open('raw.csv').read()\ntime.sleep(1)\nopen('clean.csv', 'w').write(rows.upper())"
    root = made(tmp_path, reads="print(open('clean.csv').read())", writes=writes, alone="1")
    (root / "raw.csv").write_text("a")
    plan = plan_of(root)
    start(plan)
    assert '"A\\n"' in run_all(plan)[0].notebook
    assert ran(root) == []
    (root / "raw.csv").write_text("b")
    assert ran(root) == ["reads", "writes"]
    assert ran(root) == []


@pytest.mark.parametrize(
    "change, needed",
    [
        (lambda root: (root / "a.ipynb").write_text("{}"), "needed a notebook of format 4"),
        (lambda root: _kernel(root, "ir"), "found 'ir', needed an installed kernel: "),
        (lambda root: (root / "_toc.yml").write_text("format: jb-book\nroot: none\n"), "found 'none'"),
    ],
)
def test_errors_are_one_line(change: Callable[[Path], object], needed: str, tmp_path: Path):
    root = made(tmp_path, a="1")
    change(root)
    with pytest.raises(InputError, match=needed) as error:
        ran(root)
    assert "\n" not in str(error.value)


def _kernel(root: Path, name: str) -> None:
    with edit_json(root / "a.ipynb") as notebook:
        notebook["metadata"]["kernelspec"] = {"name": name, "display_name": name}


def test_another_environments_kernel_runs_cold_and_is_observed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    spec = tmp_path / "share" / "kernels" / "theirs"
    spec.mkdir(parents=True)
    theirs = tmp_path / "python"  # in another folder: another environment
    theirs.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    theirs.chmod(0o755)
    called = [str(theirs), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": called, "display_name": "Theirs", "language": "python"}))
    monkeypatch.setattr("parabook.kernels.SPECS.kernel_dirs", [*SPECS.kernel_dirs, str(spec.parent)])
    (tmp_path / "book").mkdir()
    root = made(tmp_path / "book", a="import os\nprint(os.getppid(), open('a.csv').read())", b="2")
    _kernel(root, "theirs")
    (root / "a.csv").write_text("1")
    assert ran(root) == ["a", "b"]
    (root / "a.csv").write_text("2")
    assert ran(root) == ["a"]


def test_cells_of_any_book_are_tests(tmp_path: Path):
    root = made(tmp_path, good="1", bad="1 / 0")
    call = [sys.executable, "-m", "parabook.cli", "test", str(root), "-q"]
    env = {**os.environ, "PYTEST_ADDOPTS": "-p parabook.pytest_plugin", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(call, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 1, done.stderr
    assert "1 failed, 1 passed" in done.stdout
    assert "bad.ipynb::cell-1" in done.stdout, "a cell without an id is named by its position"
    assert "ZeroDivisionError: division by zero" in done.stdout


def test_a_books_results_are_approved_and_compared(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    root = made(tmp_path, a="print(open('a.csv').read())")
    (root / "a.csv").write_text("1")

    def review(*options: str) -> tuple[int, str]:
        return parabook.main(["review", str(root), *options], standalone_mode=False), capfd.readouterr().out

    assert "Nothing was ever approved" in review("--accept")[1]
    assert review()[0] == 0
    (root / "a.csv").write_text("7")
    code, text = review()
    assert code == 1
    assert "7" in text


def test_the_wheel_builds_a_book_in_an_environment_of_its_own(tmp_path: Path):
    """Its packages are those of this one, which are searched after its own."""
    skip = shutil.ignore_patterns(".*", "_build", "tests", "data", "build")
    source = shutil.copytree(BOOKS.parents[1], tmp_path / "source", ignore=skip)
    wheel = ["pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    subprocess.run([sys.executable, "-m", *wheel, tmp_path, source], check=True, capture_output=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    site = next((tmp_path / "venv").glob("lib/*/site-packages"))
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as packed:
        packed.extractall(site)
    (site / "others.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    root, python = copy("report", tmp_path), tmp_path / "venv" / "bin" / "python"
    code = "import parabook.cli as c, sys; print(c.__file__, file=sys.stderr); sys.exit(c.main())"
    call = [python, "-c", code, "build", root]
    done = subprocess.run(call, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert str(site) in done.stderr
    assert Path(done.stdout.strip()).is_file()


def test_a_matrix_makes_a_page_for_each_value(tmp_path: Path):
    root = copy("report", tmp_path)
    matrix = 'parameters = { unit = "USD" }\n\n[tool.parabook.matrix]\n"notebooks/sales" = { year = [2023, 2024] }\n'
    replace_text(root / "pyproject.toml", "timeout = 30\n", f"timeout = 30\n{matrix}")
    index = build(plan_of(root), tmp_path / "out")
    sales = pd.read_csv(root / "data" / "sales.csv").groupby("year").amount.sum()
    for year in (2023, 2024):
        page = (index.parent / "notebooks" / f"sales-{year}.html").read_text(encoding="utf-8")
        assert f"<h1>Sales: {year}<" in page
        assert f"{year}: {sales[year]} USD" in page
    assert "notebooks/sales-2023.html" in index.read_text(encoding="utf-8")
    assert ran(root) == []
    with (root / "data" / "costs.csv").open("a") as costs:
        costs.write("2024,1\n")
    assert ran(root) == ["notebooks/costs"]
    (root / "pyproject.toml").write_text("[tool.parabook.matrix]\n'notebooks/sales' = { yaer = [1] }\n")
    with pytest.raises(InputError, match=r"matrix of notebooks/sales: found 'yaer', needed .*; did you mean 'year'"):
        Book.open(root)
