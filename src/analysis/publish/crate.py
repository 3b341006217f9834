"""The record of a book: what came from what, by whom, under which terms, as an RO-Crate that other programs read.

By the Process Run Crate profile: an action for each chapter, whose instrument is the notebook, whose objects are the
tables it rests on and its parameters, whose results are the executed notebook, the page and the exhibits. It says
nothing of when or where the book was built: the same inputs give the same record.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.folder import PACKAGE
from parabook.files import sha256
from parabook.parameters import REPORTED, parameters
from parabook.protocol import exhibits

if TYPE_CHECKING:
    from parabook.cache import ChapterRun
    from parabook.plan import Plan
    from parabook.plugins import Cover

PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
SHA256 = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}
"""The one word that RO-Crate 1.1 has no term for."""

DONE = "http://schema.org/CompletedActionStatus"

FILES = ("tables/{}.csv", "charts/{}.vl.json", "html/exhibits/{}.svg")
"""The files of an exhibit, where it has them."""


def record(plan: Plan, cover: Cover, runs: Sequence[ChapterRun], left_out: Iterable[str], folder: Path) -> str:
    """The record of a finished book in a folder, as the text of ``ro-crate-metadata.json``; ``runs`` has the root first."""
    made = Record(plan, cover, folder)
    for run in (run for run in runs if run.chapter not in set(left_out)):
        made.add_run(run, "index" if run is runs[0] else run.chapter)
    return json.dumps(made.crate.metadata.generate(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


class Record:
    """A record to which chapters are added."""

    def __init__(self, plan: Plan, cover: Cover, folder: Path) -> None:
        import yaml
        from rocrate.rocrate import ROCrate

        self.plan, self.folder, self.crate = plan, folder, ROCrate(version="1.1")
        self.crate.metadata.extra_terms.update(SHA256)
        package = json.loads((plan.input / PACKAGE).read_text(encoding="utf-8"))
        citation = yaml.safe_load((plan.book.root / "CITATION.cff").read_text(encoding="utf-8"))
        self.program, edition = self._program(citation), self._edition(package, cover)
        # The library would write the time of the build; this is the date of the data, or of the program.
        date = str(package.get("created") or citation["date-released"])[:10]
        profile = self._add(PROFILE, "CreativeWork", name="Process Run Crate", version="0.5")
        root = _known(
            name=cover.title, description=str(package.get("description") or cover.title), datePublished=date,
            conformsTo=profile, isBasedOn=edition, license=edition.get("license"), author=edition.get("author"),
        )  # fmt: skip
        for name, value in root.items():
            self.crate.root_dataset[name] = value

    def _program(self, citation: Mapping[str, Any]) -> Any:
        names = [each.get("name") or f"{each['given-names']} {each['family-names']}" for each in citation["authors"]]
        return self._add(
            "#program", "SoftwareApplication", name=citation["title"], softwareVersion=str(citation["version"]),
            url=citation.get("repository-code"), license=f"https://spdx.org/licenses/{citation['license']}",
            author=[self._add(f"#maker-{n}", "Organization", name=name) for n, name in enumerate(names, 1)],
        )  # fmt: skip

    def _edition(self, package: Mapping[str, Any], cover: Cover) -> Any:
        """The edition as a whole; its files are known by their hashes, as the book does not carry them."""
        files = [
            self._add(f"#edition/{name}", "CreativeWork", name=name, sha256=found)
            for name, found in sorted(self.plan.contents.items())
        ]
        return self._add(
            "#edition", "CreativeWork", name=self.plan.input.name, description=cover.title, url=cover.homepage, hasPart=files,
            license=self._listed(package, "licenses"), author=self._listed(package, "contributors"),
            isBasedOn=self._listed(package, "sources"),
        )  # fmt: skip

    def _listed(self, package: Mapping[str, Any], what: str) -> list[Any]:
        """The licenses, contributors or sources of ``datapackage.json``."""
        found = []
        for n, each in enumerate((each for each in package.get(what) or () if isinstance(each, dict)), 1):
            kind, url = "CreativeWork", each.get("path")
            if what == "contributors":  # a person only where it says so, as a team may stand there as well
                kind = "Person" if {"givenName", "familyName"} & each.keys() else "Organization"
            ident = url if url and what == "licenses" else f"#{what.removesuffix('s')}-{n}"
            name = str(each.get("title") or each.get("name") or url or "not named")
            found.append(self._add(ident, kind, name=name, url=url, description=each.get("role")))
        return found

    def add_run(self, run: ChapterRun, page: str) -> None:
        """Add the run of a chapter: what it used, and the files that it made.

        No agent and no times: they would make two records of the same book differ.
        """
        source = next(file for file in self.plan.notebooks if file.stem == run.chapter)
        notebook = self._add(
            f"#chapter/{run.chapter}", "SoftwareSourceCode", name=source.name, sha256=sha256(source), softwareRequirements=self.program
        )  # fmt: skip
        read = [self.crate.get(f"#edition/{name}") for name in self.plan.behind([PACKAGE, *run.rests_on])]
        values = {name: each.default for name, each in parameters(source).items()} | self.plan.chosen(source)
        used = [
            self._add(f"#parameter/{run.chapter}/{name}", "PropertyValue", name=name, value=value)
            for name, value in values.items()
            if name not in REPORTED
        ]
        paths = [path.format(each["id"]) for each in exhibits(json.loads(run.notebook)) for path in FILES]
        made = [self._file(path) for path in (f"notebooks/{run.chapter}.ipynb", f"html/{page}.html", *paths)]
        properties = {"name": f"Chapter {run.chapter}, run", "actionStatus": DONE}
        action = self.crate.add_action(
            notebook, f"#run/{run.chapter}", [*read, *used], list(filter(None, made)), properties
        )
        self.crate.root_dataset.append_to("mentions", action)

    def _file(self, path: str) -> Any:
        """A file of the book, with its hash; None where the book has no such file."""
        file = self.folder / path
        if not file.is_file():
            return None
        return self.crate.add_file(dest_path=path, properties={"name": path, "sha256": sha256(file)})

    def _add(self, ident: str, kind: str, **properties: Any) -> Any:
        """Something that the record speaks of and the book does not carry."""
        from rocrate.model import ContextEntity

        known = self.crate.get(ident)
        return known or self.crate.add(ContextEntity(self.crate, ident, {"@type": kind, **_known(**properties)}))


def _known(**properties: Any) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if value not in (None, "", [])}
