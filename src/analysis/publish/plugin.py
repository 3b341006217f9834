"""What this report adds to the building of its book: editions, which chapters are run on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis import folder
from analysis.schema import ROOT
from parabook.files import listed
from parabook.plugins import Cover, Evidence, Plugin, Table

if TYPE_CHECKING:
    from parabook.book import Book
    from parabook.cache import ChapterRun
    from parabook.errors import Problem
    from parabook.plan import Plan

ENGINE = "ANALYSIS_ENGINE"
"""The environment variable with the address of the engine that counts; blank or unset for the one in the process."""

RECORD = "ro-crate-metadata.json"

DATA = {"schemas": "*.json", "vocabularies": "*.csv", "basemap": "*.geojson"}
"""The folders under ``data`` that the program reads, and which files of them."""

ROOMS = ("imports/", "publish/")
"""Folders of this package that chapters do not import."""


@dataclass(frozen=True)
class EditionCover(Cover):
    """The cover of an edition, with how many people were interviewed and how many of them it describes."""

    declared: int | None = None
    described: int = 0


class EditionPlugin(Plugin):
    """The plug-in of this report."""

    noun = "edition"
    filled_in = ("edition",)
    preload = ("analysis.publish.warm",)
    publishes_with = ("rocrate.rocrate",)

    def find(self, book: Book, name: str) -> Path:
        """The folder of an edition, given its name under ``data/``, a path or an address."""
        return folder.find(name)

    def files(self, book: Book, path: Path) -> dict[str, Path]:
        """The files of an edition."""
        return folder.files(path)

    def behind(self, path: Path, names: Sequence[str]) -> list[str]:
        """The files of the tables, as the edition's package names them, and the package itself, which every chapter reads."""
        package = json.loads((path / folder.PACKAGE).read_text(encoding="utf-8"))
        files = {each["name"]: each["path"].rstrip("/") for each in package["resources"] if isinstance(each, dict)}
        return [folder.PACKAGE, *(files.get(name, name) for name in names)]

    def program(self, book: Book) -> dict[str, dict[str, Path]]:
        """The package and the data that it reads; apart what makes, checks and publishes editions, and who made it."""
        package = {f"analysis/{name}": file for name, file in listed(Path(__file__).parents[1]).items()}
        apart = {name for name in package if name.removeprefix("analysis/").startswith(ROOMS)}
        pages = {name: package.pop(name) for name in apart} | {"CITATION.cff": ROOT / "CITATION.cff"}
        data = {group: listed(ROOT / "data" / group, pattern) for group, pattern in DATA.items()}
        return {**data, "code": package, "pages": pages}

    def parameters(self, path: Path) -> dict[str, Any]:
        """Kernels run beside the edition and know it by its folder's name, so that no page has a path of the machine."""
        return {"edition": path.name}

    def folder(self, path: Path, chapter: Path) -> Path:
        """The folder that the edition lies in."""
        return path.parent

    def check(self, plan: Plan) -> Cover:
        """Load the edition and check its tables, and the parameters against it."""
        from analysis.editions import open_edition
        from analysis.labels import check_parameters

        check_parameters(plan.given)
        edition = open_edition(plan.input, plan.given.get("minimum_cell", 0))
        declared = edition.report.declared_interviewees
        return EditionCover(
            edition.title, homepage=edition.homepage, date=edition.date, declared=declared, described=edition.described
        )

    def cover(self, cover: Cover, glue: Mapping[str, str]) -> Cover:
        """The cover with the first sentence of the summary, and a picture with a mark for each person."""
        from analysis.publish.card import card_svg, one_mark_each

        cover = super().cover(cover, glue)
        marks = one_mark_each(cover.declared, cover.described) if isinstance(cover, EditionCover) else ""
        return replace(cover, picture=card_svg(cover.title, cover.lead, marks))

    def add_files(
        self, plan: Plan, cover: Cover, runs: Sequence[ChapterRun], left_out: Mapping[str, str], folder: Path
    ) -> None:
        """Write the record of the book as RO-Crate."""
        from analysis.publish.crate import record

        (folder / RECORD).write_text(record(plan, cover, runs, left_out, folder), encoding="utf-8")

    def rows(self, path: Path) -> dict[str, Table] | None:
        """The rows of the edition's tables."""
        from analysis.publish import reviewed

        return reviewed.rows(path)

    def problems(self, path: Path) -> Sequence[Problem]:
        """What checking the edition finds."""
        from analysis.publish import reviewed

        return reviewed.problems(path)

    def evidence(self, path: Path, source: Path) -> Evidence:
        """Whether the coded values hold against the source text."""
        from analysis.publish import reviewed

        return reviewed.evidence(path, source)
