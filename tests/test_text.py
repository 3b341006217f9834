"""What may not be written: digits typed into prose, sentences of the source, names of people."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from conftest import ROOT

from analysis.coding.relations import MOST_WORDS

CITED = ("ISCO-08", "SHA-256", "SHA256SUMS", "sha256(sum)?")
"""Names that contain digits; everything else with a digit in prose must be computed."""

NAMES = ["Alexander", "Artyom", "Andrei", "Vadim", "Grigory", "Alexei", "Sibirskiy", "Aizhana", "Mazaliyeva"]
"""The people of the article who are not officials."""


def chapters() -> list[Path]:
    return sorted((ROOT / "chapters").glob("*"))


def prose(file: Path) -> list[str]:
    if file.suffix == ".md":
        return [file.read_text(encoding="utf-8")]
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]


def test_no_digit_in_prose_is_typed_by_hand():
    typed = []
    for file in chapters():
        for text in prose(file):
            plain = re.sub("|".join(CITED), "", text)
            typed += [f"{file.name}: {line}" for line in plain.splitlines() if re.search(r"\d", line)]
    assert not typed


@pytest.mark.parametrize("name", ["oral-2022", "destination-figures-2022"])
def test_no_digit_in_the_codebook_but_identifiers_and_dates(name: str):
    text = (ROOT / "data" / name / "codebook.md").read_text(encoding="utf-8")
    assert not re.search(r"\d", re.sub(r"`i\d\d`|\b\d+ (September|October|paragraphs)|\b20\d\d\b", "", text))


def reprinted(text: str, article: str) -> str:
    """The first run of nine words that a text shares with the article, its title apart."""
    size = MOST_WORDS + 1
    plain = re.findall(r"[^\W_]+", article.split("\n", 1)[1].casefold())
    known = {tuple(plain[n : n + size]) for n in range(len(plain) - size + 1)}
    said = re.findall(r"[^\W_]+", text.casefold())
    runs = (tuple(said[n : n + size]) for n in range(len(said) - size + 1))
    return " ".join(next((run for run in runs if run in known), ()))


def test_the_search_for_reprints_finds_one(article):
    line = article.splitlines()[4]
    assert reprinted(" ".join(line.split()[:12]), article)
    assert not reprinted(article.splitlines()[0], article)


def test_no_sentence_of_the_source_is_in_the_repository(article):
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = {}
    for name in listed.splitlines():
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        if run := reprinted(text, article):
            found[name] = run
    assert not found


def test_no_sentence_of_the_source_is_in_the_book(article, book: Path):
    pages = [BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser") for page in book.rglob("*.html")]
    assert len(pages) > 7
    assert not [found for page in pages if (found := reprinted(" ".join(page.find_all(string=True)), article))]
    others = [file for folder in ("tables", "charts", "notebooks") for file in (book / folder).iterdir()]
    assert not [file.name for file in others if reprinted(file.read_text(encoding="utf-8"), article)]


def test_no_name_of_a_person_is_in_tables_charts_or_pages(book: Path):
    name = re.compile(rf"\b({'|'.join(NAMES)})\b", re.IGNORECASE)
    files = [file for file in book.rglob("*") if file.suffix in (".html", ".csv", ".json", ".ipynb", ".js")]
    assert len(files) > 50
    assert [(file.name, found) for file in files if (found := name.findall(file.read_text(encoding="utf-8")))] == []


def test_no_name_of_a_person_is_in_the_edition():
    for file in (ROOT / "data" / "oral-2022").rglob("*"):
        if file.is_file():
            text = file.read_text(encoding="utf-8")
            assert not [name for name in NAMES if name in text], file.name
