"""The built book: its outputs, its links, and that nothing is published when something is wrong."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from conftest import ROOT, edit_json, read_csv, replace_text, run

from analysis.publish.plugin import EditionPlugin
from parabook.book import Book
from parabook.build import build
from parabook.plan import make_plan
from parabook.run import ChapterFailed

CONTRACT = {
    "interviewees-by-age": ["age", "interviewees"],
    "interviewees-by-profession": ["profession", "interviewees"],
    "interviewees-by-route": ["route", "interviewees"],
}


def test_outputs_are_those_of_the_design(book: Path):
    expected = {"html", "notebooks", "tables", "charts", "receipt.json", "ro-crate-metadata.json"}
    assert {path.name for path in book.iterdir()} == expected
    chapters = {file.stem for file in (ROOT / "chapters").glob("*.ipynb")}
    assert {file.stem for file in (book / "notebooks").iterdir()} == chapters
    assert (book / "html" / "index.html").is_file()
    for name, columns in CONTRACT.items():
        rows = read_csv(book / "tables" / f"{name}.csv")
        assert list(rows[0]) == columns
        assert sum(int(row["interviewees"]) for row in rows) == 17
        assert (book / "charts" / f"{name}.vl.json").is_file()
    assert (book / "tables" / "destinations.csv").is_file()


def test_the_receipt_accounts_for_every_code_cell(book: Path):
    receipt = json.loads((book / "receipt.json").read_text(encoding="utf-8"))
    ran = {chapter["chapter"]: [cell["cell"] for cell in chapter["cells"]] for chapter in receipt["chapters"]}
    for file in (ROOT / "chapters").glob("*.ipynb"):
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        code = [cell["id"] for cell in cells if cell["cell_type"] == "code"]
        assert [cell for cell in ran[file.stem] if cell in code] == code
    assert receipt["inputs"]["edition"]["interviewees.csv"]
    assert receipt["versions"]["pandas"]
    assert receipt["versions"]["jupyter-book"]
    assert len(receipt["digest"]) == 64


def parsed(html: Path) -> dict[str, BeautifulSoup]:
    return {page.name: BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser") for page in html.glob("*.html")}


@pytest.fixture(scope="module")
def pages(book: Path) -> dict[str, BeautifulSoup]:
    return parsed(book / "html")


def links(page: BeautifulSoup) -> list[str]:
    return [link["href"] for link in page.select("a[href]")]


def test_every_link_inside_the_book_leads_somewhere(book: Path, pages: dict[str, BeautifulSoup]):
    ids = {name: {each["id"] for each in page.select("[id]")} for name, page in pages.items()}
    lost = []
    for name, page in pages.items():
        for link in links(page):
            target, _, anchor = link.partition("#")
            known = link.startswith(("http:", "https:", "mailto:")) or (target and (book / "html" / target).is_file())
            if (target and not known) or (anchor and not link.startswith("http") and anchor not in ids[target or name]):
                lost.append((name, link))
    assert not lost


def test_every_count_leads_to_its_evidence_and_back(pages: dict[str, BeautifulSoup]):
    back = {link.split("#")[1] for link in links(pages["evidence.html"]) if "#exhibit-" in link}
    assert back >= {"exhibit-interviewees-by-age", "exhibit-interviewees-by-route", "exhibit-destinations"}
    # In each of the tables that the contract names, a link for each of the eight described and one for the 17.
    for exhibit in CONTRACT:
        page = pages["routes.html" if "route" in exhibit else "interviewees.html"]
        there = [link for link in links(page.select_one(f"#exhibit-{exhibit}")) if link.startswith("evidence.html#")]
        assert len(there) == 9
        assert sum("evidence-report-report-declared_interviewees" in link for link in there) == 1


def test_the_book_carries_no_path_of_this_machine(book: Path):
    for file in book.rglob("*"):
        if file.suffix in (".html", ".json", ".ipynb", ".csv", ".js"):
            text = file.read_text(encoding="utf-8")
            assert str(ROOT) not in text, file
            assert str(book) not in text, file


@pytest.mark.slow
def test_another_edition_gives_a_book_that_is_true_of_it(edition: Path, tmp_path: Path):
    """One interviewee added, one figure revised, one word of a label changed."""
    replace_text(edition / "interviewees.csv", "i09,no", "i11,yes,41,41,woman,lawyer,2611,\ni09,no")
    replace_text(edition / "interviewees.csv", "bar manager", "bar owner")
    replace_text(edition / "destinations.csv", "100000", "120000")
    for name in ("evidence.csv", "story.md"):  # whose claims are of the edition as it was
        (edition / name).unlink()
    with edit_json(edition / "datapackage.json") as package:
        package["report"]["declared_interviewees"] = 18
        package["resources"] = [each for each in package["resources"] if each["name"] != "evidence"]
    out = tmp_path / "out"
    run("build", edition, "--out", out)
    pages = {name: re.sub(r"\s+", " ", page.get_text()) for name, page in parsed(out / "html").items()}
    portrayed = "portrays nine of the 18 people interviewed and says nothing individual about the other nine"
    assert portrayed in pages["index.html"]
    assert "nearly 120,000 border crossings into Kazakhstan" in pages["destinations.html"]
    assert "bar owner" in pages["interviewees.html"]
    assert "bar manager" not in pages["interviewees.html"]
    assert {"age": "35–44", "interviewees": "1"} in read_csv(out / "tables" / "interviewees-by-age.csv")
    for text in pages.values():
        assert not re.search(r"\b(of|all|other|that) 17\b(?! is not known)|\b17 (people|were)", text), "the old number"


def test_a_failing_cell_leaves_the_old_book_in_place(book: Path, tmp_path: Path):
    """In a book whose routes chapter divides by nought."""
    chapter = Path(shutil.copy(ROOT / "chapters" / "routes.ipynb", tmp_path))
    with edit_json(chapter) as notebook:
        next(cell for cell in notebook["cells"] if cell["id"] == "by-mode")["source"] = "1 / 0"
    out = Path(shutil.copytree(book, tmp_path / "books" / "out"))
    old = (out / "receipt.json").read_bytes()
    whole = Book.open(ROOT)
    chapters = tuple(chapter if file.name == chapter.name else file for file in whole.chapters)
    planned = make_plan(replace(whole, chapters=chapters), EditionPlugin(), "oral-2022", {})
    with pytest.raises(ChapterFailed, match=r"routes, cell by-mode: ZeroDivisionError: division by zero$"):
        build(planned, out)
    assert (out / "receipt.json").read_bytes() == old
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_the_command_line_loads_nothing_that_workers_do(book: Path):
    """Two threads of one process that import parts of the same packages can leave one half loaded; and it is slow."""
    heavy = ["pandas", "altair", "sphinx", "duckdb", "vl_convert", "IPython", "rich", "jinja2"]
    code = (
        "import sys; from analysis.publish.cli import main; "
        f"assert main(['build', '--out', {str(book)!r}]) == 0; "
        f"print(*(name for name in {heavy} if name in sys.modules)); import parabook.run; "
        f"print(*(name for name in {heavy[:-1]} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == "oral-2022: nothing changed\n"
    assert done.stdout.splitlines()[-2:] == ["", ""]


@pytest.mark.parametrize(("name", "tables"), [("oral-2022", 12), ("destination-figures-2022", 1)])
def test_frictionless_agrees(name: str, tables: int):
    """As an ordinary tool for data packages."""
    import frictionless  # here, as it takes half a second in each process of the tests

    found = frictionless.validate(str(ROOT / "data" / name / "datapackage.json"))
    assert found.valid, found.flatten(["rowNumber", "fieldName", "note"])
    assert len(found.tasks) == tables


@pytest.mark.parametrize("root", [pytest.param("", marks=pytest.mark.slow, id="all"), "chapters/interviewees"])
def test_jupyter_book_builds_the_checkout(root: str, tmp_path: Path):
    """As anyone would who knows Jupyter Book and not us; a warning fails it. Its kernels are warm, to take a third of the time."""
    ready = Path(shutil.copytree(ROOT / "src/parabook/jupyter/kernels/parabook-warm", tmp_path / "kernels" / "python3"))
    program = Path(sys.executable).with_name("jupyter-book")
    call = [program, "build", str(ROOT), "--path-output", str(tmp_path), "-W", "--keep-going", "-q"]
    if root:
        (tmp_path / "_toc.yml").write_text(f"format: jb-book\nroot: {root}\n")
        call += ["--toc", str(tmp_path / "_toc.yml")]
    warm = {**os.environ, "JUPYTER_PATH": str(ready.parents[1])}
    done = subprocess.run(call, cwd=ROOT, env=warm, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    page = tmp_path / "_build" / "html" / "chapters" / "interviewees.html"
    assert 'id="exhibit-interviewees-by-age"' in page.read_text(encoding="utf-8")
