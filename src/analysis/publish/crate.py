"""The provenance of a book as an RO-Crate: what was made from what, by whom, under which terms.

It follows the Process Run Crate profile: each chapter is an action with the notebook as instrument, the tables it rests
on and its parameters as objects, and the executed notebook, the page and the exhibits as results. Neither time nor place
of the build is recorded, so that the same inputs give the same record.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from rocrate.model import ContextEntity
from rocrate.rocrate import ROCrate

from analysis.folder import PACKAGE
from parabook.cache import ChapterRun
from parabook.files import sha256
from parabook.parameters import REPORTED, parameters
from parabook.plan import Plan
from parabook.plugins import Cover
from parabook.protocol import exhibits

PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
SHA256 = "https://w3id.org/ro/terms/workflow-run#sha256"
"""The one term used that RO-Crate 1.1 does not define."""
FILES = ("tables/{}.csv", "charts/{}.vl.json", "html/exhibits/{}.svg")
"""The files of an exhibit, where it has them."""


def record(plan: Plan, cover: Cover, runs: Sequence[ChapterRun], left_out: Collection[str], folder: Path) -> str:
    """The text of ``ro-crate-metadata.json`` for a finished book in a folder; ``runs`` begins with the root chapter."""
    crate = ROCrate(version="1.1")
    crate.metadata.extra_terms["sha256"] = SHA256
    package = json.loads((plan.input / PACKAGE).read_text(encoding="utf-8"))
    citation = yaml.safe_load((plan.book.root / "CITATION.cff").read_text(encoding="utf-8"))
    program = _add(
        crate, "#program", "SoftwareApplication", name=citation["title"], softwareVersion=str(citation["version"]),
        url=citation.get("repository-code"), license=f"https://spdx.org/licenses/{citation['license']}",
    )  # fmt: skip
    edition = _add(
        crate, "#edition", "CreativeWork", name=plan.input.name, description=cover.title, url=cover.homepage,
        hasPart=[
            _add(crate, f"#edition/{file}", "CreativeWork", name=file, sha256=None if plan.private else found)
            for file, found in sorted(plan.contents.items())
        ],
        isBasedOn=_listed(crate, package, "sources"),
    )  # fmt: skip
    known = {
        "name": cover.title, "description": str(package.get("description") or cover.title), "isBasedOn": edition,
        # The library's default is the time of the build; this is the date of the data, or of the program.
        "datePublished": str(package.get("created") or citation["date-released"])[:10],
        "conformsTo": _add(crate, PROFILE, "CreativeWork", name="Process Run Crate", version="0.5"),
        "license": _listed(crate, package, "licenses"), "author": _listed(crate, package, "contributors"),
    }  # fmt: skip
    for name, value in known.items():
        if value:
            crate.root_dataset[name] = value
    for run in (run for run in runs if run.chapter not in left_out):
        page = "index" if run is runs[0] else run.chapter
        crate.root_dataset.append_to("mentions", _run(crate, plan, run, page, folder, program))
    return json.dumps(crate.metadata.generate(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _listed(crate: Any, package: Mapping[str, Any], what: str) -> list[Any]:
    """The licenses, contributors or sources of ``datapackage.json``."""
    found, kind = [], "CreativeWork"
    for n, each in enumerate((each for each in package.get(what) or () if isinstance(each, dict)), 1):
        if what == "contributors":  # a team, unless it has the names of a person
            kind = "Person" if {"givenName", "familyName"} & each.keys() else "Organization"
        url = each.get("path")
        name = str(each.get("title") or each.get("name") or url or "not named")
        ident = url if url and what == "licenses" else f"#{what.removesuffix('s')}-{n}"
        found.append(_add(crate, ident, kind, name=name, url=url, description=each.get("role")))
    return found


def _run(crate: Any, plan: Plan, run: ChapterRun, page: str, folder: Path, program: Any) -> Any:
    """The run of a chapter: what it used, and the files that it made; no agent and no times, as two records would differ."""
    source = next(file for file in plan.notebooks if file.stem == run.chapter)
    described = {"name": source.name, "sha256": sha256(source), "softwareRequirements": program}
    notebook = _add(crate, f"#chapter/{run.chapter}", "SoftwareSourceCode", **described)
    values = {name: each.default for name, each in parameters(plan.book.read[source]).items()} | plan.chosen(source)
    used = [crate.get(f"#edition/{name}") for name in plan.behind([PACKAGE, *run.rests_on])]
    used += [
        _add(crate, f"#parameter/{run.chapter}/{name}", "PropertyValue", name=name, value=value)
        for name, value in values.items()
        if name not in REPORTED
    ]
    exhibited = [path.format(each["id"]) for each in exhibits(json.loads(run.notebook)) for path in FILES]
    made = [
        crate.add_file(dest_path=path, properties={"name": path, "sha256": sha256(folder / path)})
        for path in (f"notebooks/{run.chapter}.ipynb", f"html/{page}.html", *exhibited)
        if (folder / path).is_file()
    ]
    outcome = {"name": f"Chapter {run.chapter}, run", "actionStatus": "http://schema.org/CompletedActionStatus"}
    return crate.add_action(notebook, f"#run/{run.chapter}", used, made, outcome)


def _add(crate: Any, ident: str, kind: str, **properties: Any) -> Any:
    """Add an entity that is no file of the book, or get it if it was added before."""
    given = {name: value for name, value in properties.items() if value not in (None, "", [])}
    return crate.get(ident) or crate.add(ContextEntity(crate, ident, {"@type": kind, **given}))
