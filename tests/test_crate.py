"""The record of a book: an RO-Crate in which every exhibit leads to its chapter's run, its tables and its source."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import ROOT, edit_json
from rocrate.rocrate import ROCrate

from analysis.publish.crate import record
from parabook.files import hash_files, sha256

CHAPTERS = [file.stem for file in (ROOT / "chapters").glob("*.ipynb")]
Graph = dict[str, dict]


def graph(text: str) -> Graph:
    """The entities of a record, by id; each id once, and every one that is referred to is there."""
    entities = json.loads(text)["@graph"]
    found = {entity["@id"]: entity for entity in entities}
    assert len(found) == len(entities)
    lost = {each for entity in entities for value in entity.values() for each in ids(value)} - found.keys()
    assert {each for each in lost if not each.startswith("https://w3id.org/ro/crate")} == set()
    return found


def ids(value: object) -> set[str]:
    """The ids that a property refers to."""
    return {each["@id"] for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict)}


def names(crate: Graph, value: object) -> set[str]:
    return {crate[each]["name"] for each in ids(value)}


@pytest.fixture(scope="module")
def crate(book: Path) -> Graph:
    return graph((book / "ro-crate-metadata.json").read_text(encoding="utf-8"))


def test_it_says_what_the_book_is_and_rests_on(crate: Graph):
    root, edition, folder = crate["./"], crate["#edition"], ROOT / "data" / "oral-2022"
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    assert ids(root["conformsTo"]) == {"https://w3id.org/ro/wfrun/process/0.5"}
    assert root["name"] == package["title"]
    assert ids(root["license"]) == {each["path"] for each in package["licenses"]}
    assert names(crate, root["author"]) == {each["title"] for each in package["contributors"]}
    assert names(crate, edition["isBasedOn"]) == {each["title"] for each in package["sources"]}
    assert {crate[each]["name"]: crate[each]["sha256"] for each in ids(edition["hasPart"])} == hash_files(folder)


def test_every_result_is_of_its_chapters_run(book: Path, crate: Graph):
    made = {each for name in CHAPTERS for each in ids(crate[f"#run/{name}"]["result"])}
    folders = ("tables", "charts", "notebooks")
    assert {f"{folder}/{file.name}" for folder in folders for file in (book / folder).iterdir()} <= made
    drawn = {"charts/interviewees-by-route.vl.json", "html/exhibits/interviewees-by-route.svg", "html/routes.html"}
    assert drawn <= ids(crate["#run/routes"]["result"])
    assert "html/index.html" in ids(crate["#run/summary"]["result"])
    files = {entity["@id"]: entity["sha256"] for entity in crate.values() if entity["@type"] == "File"}
    assert files == {name: sha256(book / name) for name in made}


def test_a_chapters_run_used_what_the_receipt_says(book: Path, crate: Graph):
    receipt = json.loads((book / "receipt.json").read_text(encoding="utf-8"))
    assert {each["chapter"] for each in receipt["chapters"]} == set(CHAPTERS)
    for chapter in receipt["chapters"]:
        name, tables = chapter["chapter"], chapter["rests_on"]
        action = crate[f"#run/{name}"]
        used = {each.removeprefix("#edition/") for each in ids(action["object"]) if each.startswith("#edition/")}
        if "*" in tables:
            assert used == {file.removeprefix("#edition/") for file in ids(crate["#edition"]["hasPart"])}
        else:
            expected = {Path(table.removeprefix("second-")).stem for table in tables}
            assert {Path(file).stem for file in used} == {"datapackage", *expected}
        assert crate[ids(action["instrument"]).pop()]["sha256"] == sha256(ROOT / "chapters" / f"{name}.ipynb")
    assert crate["#parameter/routes/route_level"]["value"] == "place"
    assert len(ROCrate(book).get_by_type("CreateAction")) == len(CHAPTERS)


def test_it_describes_another_edition(edition: Path, tmp_path: Path):
    """Several sources and licences, nobody named but one person."""
    with edit_json(edition / "datapackage.json") as package:
        package |= {
            "licenses": [{"name": "ODC-BY-1.0"}, {"name": "X", "path": "https://example.org/x", "title": "X terms"}],
            "sources": [{"title": "One"}, {"title": "Two", "path": "https://example.org/two"}],
            "contributors": [{"title": "A B", "givenName": "A", "role": "author"}],
            "created": "2023-05-06",
        }
    chapter = ROOT / "chapters" / "routes.ipynb"
    read = {chapter: json.loads(chapter.read_text(encoding="utf-8"))}
    plan = SimpleNamespace(
        book=SimpleNamespace(root=ROOT, read=read), input=edition, contents=hash_files(edition), private=False, notebooks=[chapter],
        chosen=lambda _: {"route_level": "country"}, behind=lambda _: {"legs.csv": ""},
    )  # fmt: skip
    run = SimpleNamespace(chapter="routes", notebook='{"cells": []}', rests_on=["legs"])
    crate = graph(record(plan, SimpleNamespace(title="T", homepage=""), [run], {}, tmp_path))
    assert crate["./"]["datePublished"] == "2023-05-06"
    assert ids(crate["./"]["license"]) == {"#license-1", "https://example.org/x"}
    assert crate["#contributor-1"]["@type"] == "Person"
    assert names(crate, crate["#edition"]["isBasedOn"]) == {"One", "Two"}
    assert crate["#parameter/routes/route_level"]["value"] == "country"
    assert "#edition/legs.csv" in ids(crate["#run/routes"]["object"])
