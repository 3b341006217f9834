"""The record of a book: what came from what, by whom, under which terms, as an RO-Crate that other programs read.

One crate a book, by the Process Run Crate profile: an action for each chapter, whose instrument is the notebook, whose
objects are the tables it rests on and its parameters, whose results are the executed notebook, the page and the
exhibits. It says nothing of when or where the book was built: the same inputs give the same record.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parabook.checksums import LIST
from parabook.files import sha256
from parabook.parameters import parameters
from parabook.protocol import exhibits

if TYPE_CHECKING:
    from parabook.cache import ChapterRun
    from parabook.plan import Plan
    from parabook.plugins import Cover

PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
SHA256 = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}
"""The one word that RO-Crate 1.1 has no term for."""

DONE = "http://schema.org/CompletedActionStatus"

FORMATS = {
    ".csv": "text/csv", ".html": "text/html", ".ipynb": "application/x-ipynb+json", ".json": "application/json",
    ".md": "text/markdown", ".parquet": "application/vnd.apache.parquet", ".svg": "image/svg+xml",
}  # fmt: skip
FOLDERS = {"html": "The book", "notebooks": "Chapters, executed", "tables": "The exhibits' tables",
           "charts": "The exhibits' charts, as Vega-Lite"}  # fmt: skip
DRAWN = {"tables/{}.csv": "table", "charts/{}.vl.json": "chart", "html/exhibits/{}.svg": "drawing"}
"""The files of an exhibit, where it has them."""

Entity = Any
"""An entity of the library's, which has no types of its own."""


def record(plan: Plan, cover: Cover, runs: Sequence[ChapterRun], left_out: Iterable[str], folder: Path) -> str:
    """The record of a finished book in a folder, as the text of ``ro-crate-metadata.json``; ``runs`` has the root first."""
    return Record(plan, cover, folder).text([run for run in runs if run.chapter not in set(left_out)])


class Record:
    """One record while it is put together."""

    def __init__(self, plan: Plan, cover: Cover, folder: Path) -> None:
        import yaml
        from rocrate.rocrate import ROCrate

        self.plan, self.cover, self.folder = plan, cover, folder
        self.package = json.loads((plan.input / "datapackage.json").read_text(encoding="utf-8"))
        self.citation = yaml.safe_load((plan.book.root / "CITATION.cff").read_text(encoding="utf-8"))
        self.crate = ROCrate(version="1.1")
        self.crate.metadata.extra_terms.update(SHA256)
        self.program, self.edition = self._program(), self._edition()

    def text(self, runs: Sequence[ChapterRun]) -> str:
        """The record, with these chapters."""
        self._describe_root()
        html, *_ = [
            self.crate.add_dataset(dest_path=f"{path}/", properties={"name": FOLDERS[path]}) for path in FOLDERS
        ]
        actions = [self._run(run, "index" if run is runs[0] else run.chapter) for run in runs]
        executed = [self._file(f"notebooks/{run.chapter}.ipynb") for run in runs]
        checksums = self._file(f"html/{LIST}", "Fingerprints of the book's files", encodingFormat="text/plain")
        said = "The executed chapters made into pages, by Jupyter Book and Sphinx."
        used = [*executed, self.edition]
        actions.append(self._action("assemble", "The pages put together", said, self.program, used, [html, checksums]))
        self._file("receipt.json", "The receipt: inputs, parameters, versions, cells, seconds")
        self.crate.root_dataset["mentions"] = actions
        return json.dumps(self.crate.metadata.generate(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"

    def _describe_root(self) -> None:
        package, citation = self.package, self.citation
        said = _known(
            name=self.cover.title,
            description=str(package.get("description") or self.cover.title),
            # The library would write the time of the build; this is the date of the data, or of the program.
            datePublished=str(package.get("created") or citation["date-released"])[:10],
            keywords=", ".join(map(str, package.get("keywords") or citation.get("keywords", []))),
            conformsTo=self._thing(PROFILE, "CreativeWork", name="Process Run Crate", version="0.5"),
            isBasedOn=self.edition,
            license=self.edition.get("license"),
            author=self.edition.get("author"),
        )
        for name, value in said.items():
            self.crate.root_dataset[name] = value

    def _program(self) -> Entity:
        about, lock = self.citation, self.plan.book.root / "requirements.txt"
        url = f"https://spdx.org/licenses/{about['license']}"
        names = [each.get("name") or f"{each['given-names']} {each['family-names']}" for each in about["authors"]]
        return self._thing(
            "#program", "SoftwareApplication", name=about["title"], softwareVersion=str(about["version"]),
            url=about.get("repository-code"), license=self._thing(url, "CreativeWork", name=about["license"], url=url),
            author=[self._thing(f"#maker-{n}", "Organization", name=name) for n, name in enumerate(names, 1)],
            softwareRequirements=self._thing(
                "#requirements", "CreativeWork", name=lock.name, encodingFormat="text/plain", sha256=sha256(lock)
            ),
        )  # fmt: skip

    def _edition(self) -> Entity:
        """The edition as a whole; its files are known by their hashes, as the book does not carry them."""
        files = [
            self._thing(f"#edition/{name}", "CreativeWork", name=name, encodingFormat=FORMATS.get(Path(name).suffix), sha256=digest)
            for name, digest in sorted(self.plan.contents.items())
        ]  # fmt: skip
        return self._thing(
            "#edition", "CreativeWork", name=self.plan.input.name, description=self.cover.title, url=self.cover.homepage,
            sha256=self.plan.contents["datapackage.json"], hasPart=files, license=self._listed("licenses", "License"),
            author=self._listed("contributors"), isBasedOn=self._listed("sources"),
        )  # fmt: skip

    def _listed(self, what: str, unnamed: str = "not named") -> list[Entity]:
        """The licenses, contributors or sources of ``datapackage.json``."""
        found = []
        for n, each in enumerate((each for each in self.package.get(what) or () if isinstance(each, dict)), 1):
            name, url = each.get("name"), each.get("path")
            ident, kind = f"#{what.removesuffix('s')}-{n}", "CreativeWork"
            if what == "licenses":
                ident = url or f"#license-{name or n}"
            if what == "contributors":  # a person only where it says so, as a team may stand there as well
                kind = "Person" if {"givenName", "familyName", "organization"} & each.keys() else "Organization"
            shown = str(each.get("title") or name or (what == "sources" and url) or unnamed)
            found.append(self._thing(ident, kind, name=shown, identifier=name, url=url, description=each.get("role")))
        return found

    def _run(self, run: ChapterRun, page_name: str) -> Entity:
        """The run of a chapter: what it used, and the files that it made."""
        source = next(file for file in self.plan.notebooks if file.stem == run.chapter)
        notebook = self._thing(
            f"#chapter/{run.chapter}", "SoftwareSourceCode", name=f"chapters/{source.name}", programmingLanguage="Python",
            version=str(self.citation["version"]), sha256=sha256(source), softwareRequirements=self.program,
        )  # fmt: skip
        page = self._file(f"html/{page_name}.html", f"The page of chapter {run.chapter}")
        executed = self._file(f"notebooks/{run.chapter}.ipynb", f"Chapter {run.chapter}, executed")
        read = [self.crate.get(f"#edition/{name}") for name in self.plan.behind(run.rests_on)]
        shown = [file for each in exhibits(json.loads(run.notebook)) for file in self._exhibit(each, page, read)]
        values = {name: each.default for name, each in parameters(source).items()} | self.plan.chosen(source)
        used = [
            self._thing(f"#parameter/{run.chapter}/{name}", "PropertyValue", name=name, value=value)
            for name, value in values.items()
            if name not in ("overrides", "values")  # which repeat the others, for the page that prints them
        ]
        said = "The notebook executed by Papermill with these parameters, in a kernel of its own."
        made = [executed, page, *shown]
        return self._action(f"run/{run.chapter}", f"Chapter {run.chapter}, run", said, notebook, [*read, *used], made)

    def _exhibit(self, exhibit: Mapping[str, Any], page: Entity, read: list[Entity]) -> list[Entity]:
        """The files of an exhibit, tied to it."""
        ident, said = exhibit["id"], {"description": exhibit["finding"]}
        paths = {path.format(ident): f"{exhibit['caption']} ({what})" for path, what in DRAWN.items()}
        files = [self._file(path, name, **said) for path, name in paths.items() if (self.folder / path).is_file()]
        url = f"{page.id}#exhibit-{ident}"
        self._thing(f"#exhibit/{ident}", "CreativeWork", name=exhibit["caption"], hasPart=files, isPartOf=page,
                    isBasedOn=read, url=url, **said)  # fmt: skip
        return files

    def _action(
        self, ident: str, name: str, description: str, instrument: Entity, used: list[Entity], made: list[Entity]
    ) -> Entity:
        """A step of the build. No agent and no times: they would make two records of the same book differ."""
        said = _known(name=name, description=description, actionStatus=DONE, object=used, result=made)
        return self.crate.add_action(instrument, f"#{ident}", properties=said)

    def _file(self, path: str, name: str = "", **properties: Any) -> Entity:
        """A file of the book, with its hash, but for the two lists that hold this record's own."""
        if known := self.crate.get(path):
            return known
        file = self.folder / path
        said = _known(name=name, **{"encodingFormat": FORMATS.get(file.suffix), **properties})
        if file.name not in (LIST, "receipt.json"):
            said |= {"sha256": sha256(file), "contentSize": str(file.stat().st_size)}
        return self.crate.add_file(dest_path=path, properties=said)

    def _thing(self, ident: str, kind: str, **properties: Any) -> Entity:
        """Something that the record speaks of and the book does not carry."""
        from rocrate.model import ContextEntity

        known = self.crate.get(ident)
        return known or self.crate.add(ContextEntity(self.crate, ident, {"@type": kind, **_known(**properties)}))


def _known(**properties: Any) -> dict[str, Any]:
    """Properties that are known; one value stands by itself, as RO-Crate asks.

    Examples
    --------
    >>> _known(a=["x"], b=["x", "y"], c=None, d=0)
    {'a': 'x', 'b': ['x', 'y'], 'd': 0}
    """
    known = {name: value for name, value in properties.items() if value is not None and value not in ("", [])}
    return {name: value[0] if isinstance(value, list) and len(value) == 1 else value for name, value in known.items()}
