"""Several editions as one library: a front page over them, and a failing one holds up none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from conftest import ROOT, edit_json, first_chart, run
from test_access import violations


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first edition, one with figures alone, and one whose legs are lost."""
    base = tmp_path_factory.mktemp("library")
    figures, broken = (
        Path(shutil.copytree(ROOT / "data" / "oral-2022", base / name)) for name in ("figures", "broken")
    )
    (broken / "legs.csv").unlink()
    (figures / "story.md").unlink()  # it tells of people
    with edit_json(figures / "datapackage.json") as package:
        package |= {"title": "Figures <b>alone</b>", "report": {}}
        package["resources"] = [each for each in package["resources"] if each["name"] == "destinations"]
    done = run("build", "oral-2022", broken, figures, "--out", base / "out", code=1)
    assert "broken: not built: " in done.stderr
    assert "legs.csv: found no such file" in done.stderr
    assert done.stdout.splitlines()[0] == "2 of 3 editions built"
    return base / "out"


def test_a_chapter_with_nothing_to_show_leaves_the_contents_and_the_receipt_says_so(library: Path):
    receipt = json.loads((library / "figures" / "receipt.json").read_text(encoding="utf-8"))
    assert [each["chapter"] for each in receipt["left_out"]] == ["interviewees", "statements", "routes", "evidence"]
    assert receipt["left_out"][0]["why"] == "This edition has no table interviewees, so there is nothing to count."
    html = library / "figures" / "html"
    pages = {"index", "destinations", "codebook", "reproduce", "search"}
    assert {file.stem for file in html.glob("*.html")} == pages
    assert not any("interviewees.html" in file.read_text(encoding="utf-8") for file in html.glob("*.html"))
    front = (html / "index.html").read_text(encoding="utf-8")
    assert "How did they get out?" not in front
    assert "“Tens of thousands”" in front


@pytest.mark.browser
def test_the_front_page_is_for_everyone_and_leads_to_books_that_work(visit, library: Path):
    for scheme in ("light", "dark"):
        page = visit(library / "index.html", viewport={"width": 320, "height": 800}, color_scheme=scheme)
        titles = page.locator("h2 a").all_inner_texts()
        assert titles == ["Figures <b>alone</b>", "Russians interviewed in Oral, Kazakhstan, 2022"]
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert visit.wrong == []
        assert violations(page) == []
        visit.wrong.clear()  # axe asks for styles, as it may not
    page.get_by_role("link", name="Russians").click()
    page.wait_for_load_state("networkidle")
    first_chart(visit(page.url.replace("index.html", "interviewees.html")))
    assert visit.wrong == []


def test_a_second_call_does_nothing_but_say_so(library: Path):
    base = library.parent
    done = run("build", "oral-2022", base / "figures", "--out", library)
    assert done.stderr.splitlines() == ["oral-2022: nothing changed", "figures: nothing changed"]


def test_wrong_calls_are_refused_before_anything_runs(tmp_path: Path):
    done = run("build", "oral-2022", "oral-2202", "--out", tmp_path / "out", code=2)
    assert done.stderr.startswith("oral-2202: found no such edition")
    twin = shutil.copytree(ROOT / "data" / "oral-2022", tmp_path / "oral-2022")
    done = run("build", "oral-2022", twin, "--out", tmp_path / "out", code=2)
    assert "a second edition named oral-2022" in done.stderr
    assert not (tmp_path / "out").exists()
