"""The record of a book: what came from what, by whom, under which terms, as an RO-Crate that other programs read.

One crate a book, by the Process Run Crate profile: an action for each chapter, whose instrument is the notebook, whose
objects are the tables it rests on and its parameters, whose results are the executed notebook, the page and the
exhibits. It says nothing of when or where the book was built: the same inputs give the same record.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from analysis.folder import PACKAGE
from analysis.publish.about import About
from analysis.schema import ROOT
from parabook.cache import Ran
from parabook.chapters import FILLED_IN, exhibits, parameters
from parabook.checksums import LIST
from parabook.files import sha256
from parabook.plan import Plan, rests_on
from parabook.staging import ROOT_PAGE

RO_CRATE = "1.1"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
SHA256 = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}
"""The one word that RO-Crate 1.1 has no term for."""

FORMATS = {
    ".csv": "text/csv", ".html": "text/html", ".ipynb": "application/x-ipynb+json", ".json": "application/json", ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet", ".svg": "image/svg+xml",
}  # fmt: skip

FOLDERS = {
    "html/": "The book",
    "notebooks/": "Chapters, executed",
    "tables/": "The exhibits' tables",
    "charts/": "The exhibits' charts, as Vega-Lite",
}

Entity = Any
"""An entity of the library's, which has no types of its own."""


def record(plan: Plan, edition: About, ran: Sequence[Ran], left_out: Mapping[str, str], stage: Path) -> str:
    """The record of a staged and assembled book, as the text of ``ro-crate-metadata.json``.

    Parameters
    ----------
    plan : Plan
        The build.
    edition : About
        What it was made from.
    ran : sequence of Ran
        The chapters, executed.
    left_out : mapping of str
        The chapters that the book does not have.
    stage : Path
        Where ``html``, ``notebooks``, ``tables`` and ``charts`` lie.
    """
    return Crate(plan, edition, stage).told([each for each in ran if each.chapter not in left_out])


class Crate:
    """One record while it is put together."""

    def __init__(self, plan: Plan, edition: About, stage: Path) -> None:
        from rocrate.rocrate import ROCrate

        self.plan, self.edition, self.stage = plan, edition, stage
        self.crate = ROCrate(version=RO_CRATE)
        self.crate.metadata.extra_terms.update(SHA256)
        self.program = self._program()
        self.inputs = {name: self._input(name) for name in sorted(plan.contents)}

    def told(self, ran: Sequence[Ran]) -> str:
        """The record, with these chapters."""
        self._root()
        folders = [self.crate.add_dataset(dest_path=path, properties={"name": name}) for path, name in FOLDERS.items()]
        actions = [self._chapter(place, each) for place, each in enumerate(ran)]
        executed = [self._file(f"notebooks/{each.chapter}.ipynb") for each in ran]
        list_of_files = self._file(f"html/{LIST}", "Fingerprints of the book's files", encodingFormat="text/plain")
        actions.append(
            self._action(
                "assemble",
                "The pages put together",
                "The executed chapters made into pages, by Jupyter Book and Sphinx.",
                self.program,
                [*executed, self._package()],
                [folders[0], list_of_files],
            )
        )
        self._file("receipt.json", "The receipt: inputs, parameters, versions, cells, seconds", hashed=False)
        self.crate.root_dataset["mentions"] = actions
        return json.dumps(self.crate.metadata.generate(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"

    def _root(self) -> None:
        profile = self._thing(PROFILE, "CreativeWork", name="Process Run Crate", version="0.5")
        given = {
            "name": self.edition.title,
            "description": str(self.edition.package.get("description") or self.edition.title),
            # The library would write the time of the build; the record tells of the data and of the program's release.
            "datePublished": str(self.edition.package.get("created") or self.citation["date-released"])[:10],
            "conformsTo": profile,
            "isBasedOn": self._package(),
            "keywords": ", ".join(map(str, self.edition.package.get("keywords") or self.citation.get("keywords", []))),
            "license": self._licenses(),
            "author": self._contributors(),
        }
        for name, value in given.items():
            if value:
                self.crate.root_dataset[name] = _one_or_many(value)

    @cached_property
    def citation(self) -> Mapping[str, Any]:
        """What the program says of itself."""
        import yaml

        found: dict[str, Any] = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
        return found

    def _program(self) -> Entity:
        told = self.citation
        license = f"https://spdx.org/licenses/{told['license']}"
        makers = [
            each.get("name") or f"{each.get('given-names', '')} {each.get('family-names', '')}"
            for each in told["authors"]
        ]
        return self._thing(
            "#program", "SoftwareApplication",
            name=told["title"], softwareVersion=str(told["version"]),
            url=told.get("repository-code"), license=self._thing(license, "CreativeWork", name=told["license"], url=license),
            author=[self._thing(f"#maker-{n}", "Organization", name=name.strip()) for n, name in enumerate(makers, 1)],
            softwareRequirements=self._thing("#requirements", "CreativeWork", name="requirements.txt", encodingFormat="text/plain",
                                             sha256=sha256(ROOT / "requirements.txt")),
        )  # fmt: skip

    def _package(self) -> Entity:
        """The edition as a whole."""
        known = self.crate.get("#edition")
        return known or self._thing(
            "#edition", "CreativeWork",
            name=self.plan.edition.name, description=self.edition.title, license=self._licenses(), author=self._contributors(),
            url=self.edition.homepage or None, sha256=self.plan.contents[PACKAGE], hasPart=list(self.inputs.values()),
            isBasedOn=[self._thing(f"#source-{n}", "CreativeWork", name=str(each.get("title") or each.get("path") or "not named"),
                                   url=each.get("path")) for n, each in self._listed("sources")],
        )  # fmt: skip

    def _listed(self, what: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
        return enumerate((each for each in self.edition.package.get(what) or () if isinstance(each, dict)), 1)

    def _licenses(self) -> list[Entity]:
        return [
            self._thing(str(each.get("path") or f"#license-{each.get('name') or n}"), "CreativeWork",
                        name=str(each.get("title") or each.get("name") or "License"), identifier=each.get("name"), url=each.get("path"))
            for n, each in self._listed("licenses")
        ]  # fmt: skip

    def _contributors(self) -> list[Entity]:
        """Those who made the edition; a person only where the package says so, as a team may stand there as well."""
        people = {"givenName", "familyName", "organization"}
        return [
            self._thing(f"#contributor-{n}", "Person" if people & each.keys() else "Organization",
                        name=str(each.get("title") or "not named"), url=each.get("path"), description=each.get("role"))
            for n, each in self._listed("contributors")
        ]  # fmt: skip

    def _input(self, name: str) -> Entity:
        """A file of the edition: told by its content, as the book does not carry it."""
        return self._thing(
            f"#edition/{name}", "CreativeWork", name=name, encodingFormat=FORMATS.get(Path(name).suffix), sha256=self.plan.contents[name]
        )  # fmt: skip

    def _chapter(self, place: int, ran: Ran) -> Entity:
        source = next(file for file in self.plan.notebooks if file.stem == ran.chapter)
        instrument = self._thing(
            f"#chapter/{ran.chapter}", "SoftwareSourceCode",
            name=f"chapters/{source.name}", programmingLanguage="Python", version=str(self.citation["version"]),
            encodingFormat=FORMATS[source.suffix], sha256=sha256(source),
            softwareRequirements=self.program,
        )  # fmt: skip
        page = self._file(f"html/{ran.chapter if place else ROOT_PAGE}.html", f"The page of chapter {ran.chapter}")
        executed = self._file(f"notebooks/{ran.chapter}.ipynb", f"Chapter {ran.chapter}, executed")
        read = [self.inputs[name] for name in rests_on(self.plan, list(ran.rests_on))]
        shown = [file for each in exhibits(json.loads(ran.notebook)) for file in self._exhibit(each, page, read)]
        results = [executed, page, *shown]
        used = [*read, *self._parameters(ran.chapter, source)]
        told = "The notebook executed by Papermill with these parameters, in a kernel of its own."
        return self._action(f"run/{ran.chapter}", f"Chapter {ran.chapter}, run", told, instrument, used, results)

    def _parameters(self, chapter: str, source: Path) -> Iterator[Entity]:
        """Every parameter of a chapter with the value it had; not those that repeat them for the page that prints them."""
        chosen = self.plan.chosen(source)
        for name, each in parameters(source).items():
            if name not in FILLED_IN or name == "edition":
                value = chosen.get(name, each.default)
                yield self._thing(f"#parameter/{chapter}/{name}", "PropertyValue", name=name, value=value)

    def _exhibit(self, exhibit: Mapping[str, Any], page: Entity, read: Sequence[Entity]) -> list[Entity]:
        """The files of an exhibit, tied to it."""
        ident, caption = exhibit["id"], exhibit["caption"]
        paths = {
            f"tables/{ident}.csv": "table",
            f"charts/{ident}.vl.json": "chart",
            f"html/exhibits/{ident}.svg": "drawing",
        }
        files = [
            self._file(path, f"{caption} ({what})", description=exhibit["description"])
            for path, what in paths.items()
            if (self.stage / path).is_file()
        ]
        self._thing(
            f"#exhibit/{ident}", "CreativeWork", name=caption, description=exhibit["description"], hasPart=files, isPartOf=page,
            isBasedOn=read, url=f"{page.id}#exhibit-{ident}",
        )  # fmt: skip
        return files

    def _action(
        self, ident: str, name: str, told: str, instrument: Entity, used: Iterable[Entity], made: Iterable[Entity]
    ) -> Entity:
        """A step of the build. No agent and no times: they would make two records of the same book differ."""
        return self.crate.add_action(
            instrument,
            identifier=f"#{ident}",
            object=_one_or_many(list(used)),
            result=_one_or_many(list(made)),
            properties={"name": name, "description": told, "actionStatus": "http://schema.org/CompletedActionStatus"},
        )

    def _file(self, path: str, name: str = "", *, hashed: bool = True, **properties: Any) -> Entity:
        """A file of the book. The list of all fingerprints has none here: it holds this record's own."""
        if known := self.crate.get(path):
            return known
        told = {"name": name, "encodingFormat": FORMATS.get(Path(path).suffix), **properties}
        if hashed and not path.endswith(LIST):
            told |= {"sha256": sha256(self.stage / path), "contentSize": str((self.stage / path).stat().st_size)}
        return self.crate.add_file(
            dest_path=path, properties={key: value for key, value in told.items() if value is not None}
        )

    def _thing(self, ident: str, kind: str, **properties: Any) -> Entity:
        """Something that the record speaks of and the book does not carry; what is not known is left out."""
        from rocrate.model import ContextEntity

        if known := self.crate.get(ident):
            return known
        told = {key: _one_or_many(value) for key, value in properties.items() if value is not None and value != []}
        return self.crate.add(ContextEntity(self.crate, ident, properties={"@type": kind, **told}))


def _one_or_many(value: Any) -> Any:
    """One value by itself, as RO-Crate asks, and several as a list.

    Examples
    --------
    >>> _one_or_many(["a"]), _one_or_many(["a", "b"]), _one_or_many("a")
    ('a', ['a', 'b'], 'a')
    """
    return value[0] if isinstance(value, list) and len(value) == 1 else value
