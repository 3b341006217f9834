"""The record of a book: an RO-Crate in which every exhibit leads to its chapter's run, its tables and its source."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from conftest import ROOT, run

from parabook.files import sha256

CHAPTERS = [file.stem for file in (ROOT / "chapters").glob("*.ipynb")]


def graph(out: Path) -> dict[str, dict]:
    """The entities of a book's record, by id; each id once."""
    entities = json.loads((out / "ro-crate-metadata.json").read_text(encoding="utf-8"))["@graph"]
    found = {entity["@id"]: entity for entity in entities}
    assert len(found) == len(entities)
    return found


def ids(value: object) -> set[str]:
    """The ids that a property refers to."""
    values = value if isinstance(value, list) else [value] if value is not None else []
    return {each["@id"] for each in values if isinstance(each, dict)}


@pytest.fixture(scope="module")
def crate(book: Path) -> dict[str, dict]:
    return graph(book)


def test_it_says_what_it_is(book: Path, crate: dict[str, dict]):
    descriptor, root = crate["ro-crate-metadata.json"], crate["./"]
    assert ids(descriptor["conformsTo"]) == {"https://w3id.org/ro/crate/1.1"}
    assert ids(root["conformsTo"]) == {"https://w3id.org/ro/wfrun/process/0.5"}
    package = json.loads((ROOT / "data" / "oral-2022" / "datapackage.json").read_text(encoding="utf-8"))
    assert root["name"] == package["title"]
    assert ids(root["license"]) == {each["path"] for each in package["licenses"]}
    assert [crate[each]["name"] for each in ids(root["author"])] == [each["title"] for each in package["contributors"]]
    edition = crate["#edition"]
    assert [crate[each]["name"] for each in ids(edition["isBasedOn"])] == [each["title"] for each in package["sources"]]
    assert crate[next(iter(ids(crate["#program"]["license"])))]["name"] == "MIT"


def test_nothing_is_referred_to_that_is_not_there(crate: dict[str, dict]):
    for entity in crate.values():
        for name, value in entity.items():
            lost = {
                each for each in ids(value) if each not in crate and not each.startswith("https://w3id.org/ro/crate")
            }
            assert not lost, (entity["@id"], name)


def test_every_table_of_the_edition_stands_in_it_by_its_fingerprint(crate: dict[str, dict]):
    edition = ROOT / "data" / "oral-2022"
    files = {file.relative_to(edition).as_posix(): file for file in edition.rglob("*") if file.is_file()}
    assert ids(crate["#edition"]["hasPart"]) == {f"#edition/{name}" for name in files}
    for name, file in files.items():
        assert crate[f"#edition/{name}"]["sha256"] == sha256(file)


def test_every_exhibit_is_the_result_of_its_chapters_run(book: Path, crate: dict[str, dict]):
    made = {each for name in CHAPTERS for each in ids(crate[f"#run/{name}"]["result"])}
    for folder in ("tables", "charts", "notebooks"):
        there = {f"{folder}/{file.name}" for file in (book / folder).iterdir()}
        assert there
        assert there <= made
    assert "charts/route-map.vl.json" in ids(crate["#run/routes"]["result"])
    assert "html/exhibits/route-map.svg" in ids(crate["#run/routes"]["result"])
    assert "html/index.html" in ids(crate["#run/summary"]["result"])
    assert ids(crate["#exhibit/route-map"]["isPartOf"]) == {"html/routes.html"}
    assert 'id="exhibit-route-map"' in (book / "html" / "routes.html").read_text(encoding="utf-8")


def test_a_chapters_run_used_what_the_receipt_says(book: Path, crate: dict[str, dict]):
    receipt = json.loads((book / "receipt.json").read_text(encoding="utf-8"))
    assert {each["chapter"] for each in receipt["chapters"]} == set(CHAPTERS)
    for chapter in receipt["chapters"]:
        name, tables = chapter["chapter"], chapter["rests_on"]
        action = crate[f"#run/{name}"]
        used = {each.removeprefix("#edition/") for each in ids(action["object"]) if each.startswith("#edition/")}
        if "*" in tables:
            assert used == set(receipt["inputs"]["edition"])
        else:
            assert {Path(file).stem for file in used} == {Path(table.removeprefix("second-")).stem for table in tables}
        assert ids(action["instrument"]) == {f"#chapter/{name}"}
        assert crate[f"#chapter/{name}"]["sha256"] == receipt["inputs"]["chapters"][f"{name}.ipynb"]
    values = {each["name"]: each["value"] for each in crate.values() if each["@id"].startswith("#parameter/routes/")}
    assert values["route_level"] == "place"


def test_files_are_there_and_are_what_it_says(book: Path, crate: dict[str, dict]):
    files = [entity for entity in crate.values() if entity["@type"] == "File"]
    assert len(files) > 60
    for entity in files:
        file = book / entity["@id"]
        assert file.is_file(), entity["@id"]
        if "sha256" in entity:
            assert entity["sha256"] == sha256(file)
            assert int(entity["contentSize"]) == file.stat().st_size
    bare = {entity["@id"] for entity in files if "sha256" not in entity}
    assert bare == {"receipt.json", "html/SHA256SUMS"}  # each of them holds the record's own fingerprint


def test_the_library_reads_it_back(book: Path):
    from rocrate.rocrate import ROCrate

    crate = ROCrate(book)
    assert len(crate.get_by_type("CreateAction")) == len(CHAPTERS) + 1
    assert crate.dereference("tables/destinations.csv")["encodingFormat"] == "text/csv"


def test_it_tells_of_another_edition_and_parameters(edition: Path, tmp_path: Path):
    """Several sources and licences, nobody named but one person, fewer tables."""
    package = json.loads((edition / "datapackage.json").read_text(encoding="utf-8"))
    package |= {"licenses": [{"name": "ODC-BY-1.0"}, {"name": "X", "path": "https://example.org/x", "title": "X terms"}], "created": "2023-05-06",
                "sources": [{"title": "One"}, {"title": "Two", "path": "https://example.org/two"}]}  # fmt: skip
    package["contributors"] = [{"title": "A B", "givenName": "A", "role": "author"}]
    gone = ("destinations", "settlements")
    for name in gone:
        (edition / f"{name}.csv").unlink()
    shutil.rmtree(edition / "second-coding")
    package["resources"] = [
        each
        for each in package["resources"]
        if each["name"] not in gone and not each["path"].startswith("second-coding")
    ]
    evidence = edition / "evidence.csv"
    rows = list(csv.reader(evidence.read_text(encoding="utf-8").splitlines()))
    with evidence.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened, lineterminator="\n").writerows(row for row in rows if row[0] not in gone)
    (edition / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    out = tmp_path / "out"
    run("build", edition, "-p", "route_level=country", "--out", out)
    crate = graph(out)
    root = crate["./"]
    assert root["datePublished"] == "2023-05-06"
    assert ids(root["license"]) == {"#license-ODC-BY-1.0", "https://example.org/x"}
    assert crate["#contributor-1"]["@type"] == "Person"
    assert {crate[each]["name"] for each in ids(crate["#edition"]["isBasedOn"])} == {"One", "Two"}
    assert crate["#parameter/routes/route_level"]["value"] == "country"
    left = {file.relative_to(edition).as_posix() for file in edition.rglob("*") if file.is_file()}
    assert ids(crate["#edition"]["hasPart"]) == {f"#edition/{name}" for name in left}


def test_it_validates(book: Path):
    """With the validator of the RO-Crate community, where it is installed (roc-validator); it asks the network for contexts."""
    services = pytest.importorskip("rocrate_validator.services", reason="roc-validator is not here")
    models = pytest.importorskip("rocrate_validator.models")
    for profile in ("ro-crate-1.1", "process-run-crate-0.5"):
        settings = services.ValidationSettings(
            rocrate_uri=str(book), profile_identifier=profile, requirement_severity=models.Severity.REQUIRED
        )
        assert not services.validate(settings).get_issues(), profile
