"""The built book: its outputs, its links, and that nothing is published when something is wrong."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

from analysis.coding.package import embed
from conftest import ROOT, run

from analysis.schema import raw

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
        rows = list(csv.reader((book / "tables" / f"{name}.csv").open(encoding="utf-8")))
        assert rows[0] == columns
        assert sum(int(row[-1]) for row in rows[1:]) == 17
        assert (book / "charts" / f"{name}.vl.json").is_file()
    assert (book / "tables" / "destinations.csv").is_file()


def test_the_receipt_accounts_for_every_code_cell(book: Path):
    receipt = json.loads((book / "receipt.json").read_text(encoding="utf-8"))
    ran = {chapter["chapter"]: [cell["cell"] for cell in chapter["cells"]] for chapter in receipt["chapters"]}
    for file in (ROOT / "chapters").glob("*.ipynb"):
        code = [
            cell["id"] for cell in json.loads(file.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"
        ]
        assert [cell for cell in ran[file.stem] if cell in code] == code
    assert receipt["inputs"]["edition"]["interviewees.csv"]
    assert receipt["versions"]["pandas"]
    assert len(receipt["digest"]) == 64


class Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if given.get("id"):
            self.ids.add(given["id"])
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])


def parsed(html: Path) -> dict[str, Anchors]:
    pages = {}
    for page in html.glob("*.html"):
        pages[page.name] = Anchors()
        pages[page.name].feed(page.read_text(encoding="utf-8"))
    return pages


def test_every_link_inside_the_book_leads_somewhere(book: Path):
    pages = parsed(book / "html")
    lost = []
    for name, page in pages.items():
        for link in page.links:
            if link.startswith(("http:", "https:", "mailto:")):
                continue
            target, _, anchor = link.partition("#")
            target = target or name
            if not target.endswith(".html") and (book / "html" / target).is_file():
                continue
            if target not in pages or (anchor and anchor not in pages[target].ids):
                lost.append((name, link))
    assert not lost


def test_every_count_leads_to_its_evidence_and_back(book: Path):
    pages = parsed(book / "html")
    there = [
        link
        for name in ("interviewees.html", "routes.html", "destinations.html")
        for link in pages[name].links
        if link.startswith("evidence.html#")
    ]
    back = [link for link in pages["evidence.html"].links if "#exhibit-" in link]
    assert len(there) > 60
    assert {link.split("#")[1] for link in back} >= {
        "exhibit-interviewees-by-age",
        "exhibit-interviewees-by-route",
        "exhibit-destinations",
    }
    # In each of the tables that the contract names, a link for each of the eight described and one for the 17.
    for exhibit in CONTRACT:
        page = "routes.html" if "route" in exhibit else "interviewees.html"
        html = (book / "html" / page).read_text(encoding="utf-8")
        figure = html[html.index(f'id="exhibit-{exhibit}"') :].split("</figure>")[0]
        assert figure.count('href="evidence.html#') == 9
        assert figure.count("evidence-report-report-declared_interviewees") == 1


def test_the_book_carries_no_path_of_this_machine(book: Path):
    for file in book.rglob("*"):
        if file.is_file() and file.suffix in (".html", ".json", ".ipynb", ".csv", ".js"):
            text = file.read_text(encoding="utf-8")
            assert str(ROOT) not in text, file
            assert str(book) not in text, file


def changed(edition: Path, file: str, *swaps: tuple[str, str]) -> None:
    path = edition / file
    text = path.read_text(encoding="utf-8")
    for old, new in swaps:
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def test_another_edition_gives_a_book_that_is_true_of_it(edition: Path, tmp_path: Path):
    """One interviewee added, one figure revised, one word of a label changed."""
    changed(
        edition, "interviewees.csv", ("i09,no", "i11,yes,41,41,woman,lawyer,2611\ni09,no"), ("bar manager", "bar owner")
    )
    changed(edition, "destinations.csv", ("100000", "120000"))
    changed(edition, "datapackage.json", ('"declared_interviewees": 17', '"declared_interviewees": 18'))
    (edition / "evidence.csv").unlink()
    package = json.loads((edition / "datapackage.json").read_text(encoding="utf-8"))
    package["resources"] = [each for each in package["resources"] if each["name"] != "evidence"]
    (edition / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    out = tmp_path / "out"
    run("build", edition, "--out", out)
    pages = {
        page.stem: re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8")))
        for page in (out / "html").glob("*.html")
    }
    assert "18 people were interviewed. It describes 9 of them; in every count the other 9 are" in pages["index"]
    assert "nearly 120,000 and counting" in pages["destinations"]
    assert "bar owner" in pages["interviewees"]
    assert "bar manager" not in pages["interviewees"]
    rows = dict(csv.reader((out / "tables" / "interviewees-by-age.csv").open(encoding="utf-8")))
    assert rows["35–44"] == "1"
    for text in pages.values():
        assert not re.search(r"\b(of|all|other|that) 17\b|\b17 (people|were)", text), "the old number"


def test_a_failing_cell_leaves_the_old_book_in_place(book: Path, tmp_path: Path):
    """In a copy of the checkout whose routes chapter divides by nought."""
    checkout = tmp_path / "checkout"
    for name in ("chapters", "data", "src", "_static"):
        shutil.copytree(ROOT / name, checkout / name)
    for name in ("_config.yml", "_toc.yml", "CITATION.cff", "pyproject.toml", "requirements.txt"):
        shutil.copy(ROOT / name, checkout / name)
    chapter = checkout / "chapters" / "routes.ipynb"
    notebook = json.loads(chapter.read_text(encoding="utf-8"))
    next(cell for cell in notebook["cells"] if cell["id"] == "by-mode")["source"] = "1 / 0"
    chapter.write_text(json.dumps(notebook), encoding="utf-8")
    out = Path(shutil.copytree(book, tmp_path / "out"))
    old = (out / "receipt.json").read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "analysis.publish.cli", "build", "--out", str(out)],
        cwd=checkout, env={"PYTHONPATH": str(checkout / "src"), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "chapter routes, cell by-mode: ZeroDivisionError: division by zero" in done.stderr
    assert "Traceback" not in done.stderr
    assert (out / "receipt.json").read_bytes() == old


HEAVY = ["pandas", "altair", "sphinx", "duckdb", "vl_convert"]


def test_the_command_line_loads_nothing_that_workers_do(book: Path):
    """Two threads of one process that import parts of the same packages can leave one half loaded; and it is slow."""
    code = (
        "import sys; from analysis.publish.cli import main; "
        f"assert main(['build', '--out', {str(book)!r}]) == 0; "
        f"import parabook.pool, parabook.engine, parabook.kernels; print(*(name for name in {HEAVY} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ""


def test_schemas_are_embedded_and_drift_is_told(edition: Path):
    assert embed(edition) is False  # what is committed is what the tool writes
    changed(edition, "datapackage.json", ("Whose leg.", "Whose?"))
    done = run("check", edition)
    assert "warning:" in done.stderr
    assert "legs" in done.stderr
    assert "--embed" in done.stderr
    run("check", edition, "--embed")
    assert "Whose leg." in (edition / "datapackage.json").read_text(encoding="utf-8")
    assert raw("legs")["primaryKey"] == ["interviewee", "leg"]


def test_frictionless_agrees():
    done = subprocess.run(
        [sys.executable, "-m", "frictionless", "validate", "data/oral-2022/datapackage.json", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(done.stdout)
    assert found["valid"], done.stdout
    assert len(found["tasks"]) == 11


def test_jupyter_book_builds_the_checkout(tmp_path: Path):
    """As anyone would who knows Jupyter Book and not us; a warning fails it."""
    done = subprocess.run(
        [Path(sys.executable).with_name("jupyter-book"), "build", str(ROOT), "--path-output", str(tmp_path), "-W", "--keep-going", "-q"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    page = tmp_path / "_build" / "html" / "chapters" / "interviewees.html"
    assert 'id="exhibit-interviewees-by-age"' in page.read_text(encoding="utf-8")


def test_the_title_shows_as_typed(browser, edition: Path, tmp_path: Path):
    payload = "T </title><script>window.pwned = 1</script><img src=x onerror='window.pwned = 2'> & {glue}`x`"
    package = json.loads((edition / "datapackage.json").read_text(encoding="utf-8"))
    package["title"] = package["description"] = payload
    (edition / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    run("build", edition, "--out", tmp_path / "out")
    page = browser.new_page()
    page.goto((tmp_path / "out" / "html" / "index.html").as_uri())
    page.wait_for_timeout(300)
    assert page.evaluate("window.pwned") is None
    assert payload in page.locator(".sidebar-brand-text").inner_text()
    assert payload in page.locator("article").inner_text()
    page.close()
