"""The plug-in with which parabook builds and reviews this report: it knows the editions that chapters run on."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from analysis import folder
from analysis.folder import ROOMS
from analysis.schema import ROOT
from parabook.book import Book
from parabook.cache import ChapterRun
from parabook.errors import InputError, Problem, grouped
from parabook.files import listed
from parabook.notebooks import code
from parabook.plan import Plan
from parabook.plugins import Cover, Evidence, Plugin, Table

RECORD = "ro-crate-metadata.json"
DATA = {"schemas": "*.json", "vocabularies": "*.csv", "basemap": "*.geojson"}
"""The folders under ``data`` that the program reads, and the pattern of their files."""
MOST_ROWS = 20_000
"""The longest table that a review compares row by row; of longer ones it only says that the file changed."""


class EditionPlugin(Plugin):
    """The plug-in of this report; `Plugin` documents the hooks."""

    noun = "edition"
    observes = False  # editions are read by DuckDB, and exhibits name the tables they rest on
    has_source = True
    filled_in = ("edition",)
    preload = ("analysis.publish.warm",)
    publishes_with = ("rocrate.rocrate",)

    def find(self, book: Book, name: str) -> Path:
        return folder.find(name)

    def files(self, book: Book, path: Path) -> dict[str, Path]:
        return folder.files(path)

    def chapters(self, path: Path) -> Sequence[Path]:
        return sorted((path / "chapters").glob("[!.]*.ipynb"))

    def behind(self, path: Path, names: Sequence[str]) -> list[str]:
        """The package, which every chapter reads, and the files of tables as it names them."""
        package = json.loads((path / folder.PACKAGE).read_text(encoding="utf-8"))
        files = {each["name"]: each["path"].rstrip("/") for each in package["resources"] if isinstance(each, dict)}
        return [folder.PACKAGE, *(files.get(name, name) for name in names)]

    def program(self, book: Book) -> dict[str, dict[str, Path]]:
        """The package and the data that it reads, and apart from these the modules on which no chapter's result depends."""
        package = {f"analysis/{name}": file for name, file in listed(Path(__file__).parents[1]).items()}
        apart = {name for name in package if name.removeprefix("analysis/").startswith(ROOMS)}
        pages = {name: package.pop(name) for name in apart} | {"CITATION.cff": ROOT / "CITATION.cff"}
        data = {group: listed(ROOT / "data" / group, pattern) for group, pattern in DATA.items()}
        return {**data, "code": package, "pages": pages}

    def parameters(self, path: Path) -> dict[str, Any]:
        """The edition by its folder's name: kernels run beside it, so that no page shows a path of this machine."""
        return {"edition": path.name}

    def folder(self, path: Path, chapter: Path) -> Path:
        return path.parent

    def private(self, path: Path, given: Mapping[str, Any]) -> bool:
        """Whether small cells are suppressed; True also where the package is broken, which `check` reports."""
        try:
            report = json.loads((path / folder.PACKAGE).read_text(encoding="utf-8")).get("report", {})
            return bool(max(report.get("minimum_cell", 1), given.get("minimum_cell", 0)) > 1)
        except (OSError, ValueError, TypeError, AttributeError, RecursionError):
            return True

    def check(self, plan: Plan) -> Cover:
        from analysis.editions import open_edition
        from analysis.labels import check_parameters
        from analysis.story import read_story

        check_parameters(plan.given)
        _require_passed_on(plan)
        edition = open_edition(plan.input, plan.given.get("minimum_cell", 0))
        read_story(edition)
        date = str(edition.package.get("created") or "")[:10] or edition.report.event_date
        return Cover(edition.title, homepage=str(edition.package.get("homepage") or ""), date=date)

    def cover(self, cover: Cover, glue: Mapping[str, str], drawing: str) -> Cover:
        """The cover with the lead of the summary, and a picture: its headline with the map, or with the lead without one."""
        from analysis.publish.card import card_svg

        cover = super().cover(cover, glue, drawing)
        return replace(cover, picture=card_svg(glue.get("headline", cover.title), cover.lead, drawing))

    def add_files(
        self, plan: Plan, cover: Cover, runs: Sequence[ChapterRun], left_out: Mapping[str, str], folder: Path
    ) -> None:
        from analysis.publish.crate import record

        (folder / RECORD).write_text(record(plan, cover, runs, left_out, folder), encoding="utf-8")

    def rows(self, path: Path) -> dict[str, Table] | None:
        from analysis.editions import open_edition
        from analysis.tables import count

        edition = open_edition(path)
        if edition.minimum_cell > 1:
            return None
        fields = {key: value for key, value in edition.package.items() if key not in ("resources", "report")}
        fields |= {f"report.{key}": value for key, value in edition.package.get("report", {}).items()}
        texts = (
            value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in fields.values()
        )
        found: dict[str, Table] = {folder.PACKAGE: (("field", "value"), *zip(fields, texts, strict=True))}
        for name, frame in edition.tables.items():
            if count(frame) <= MOST_ROWS:
                table = edition.text[name]
                found[name] = tuple(table.columns), *table.itertuples(index=False, name=None)
        return found

    def problems(self, path: Path) -> Sequence[Problem]:
        from analysis.story import examine

        return _inside(path, grouped(examine(path)[1]))

    def evidence(self, path: Path, source: Path) -> Evidence:
        """The result of ``analysis verify``; for an edition that hides small cells, only the number of problems."""
        from analysis.coding.verify import source_text, verify
        from analysis.editions import open_edition

        text, edition = source_text(source), open_edition(path)
        verdict = verify(edition, text)
        found = _inside(path, verdict.problems)
        if found and edition.minimum_cell > 1:
            found = (Problem(edition.name, f"{len(found):,} problems", "none", "analysis verify names them"),)
        return Evidence(str(verdict), found)


def _require_passed_on(plan: Plan) -> None:
    """`InputError` for a chapter that ignores the ``minimum_cell`` of a call and would show smaller cells."""
    for file in plan.notebooks if plan.given.get("minimum_cell") else ():
        if not _passes_on(code(plan.book.read[file])):
            found = "open_edition() without the parameter minimum_cell"
            needed = "open_edition(edition, minimum_cell), and minimum_cell: int = 0 in its cell tagged parameters"
            hint = "it would show smaller cells than this call allows"
            raise InputError.one(f"chapter {plan.book.name(file)}", found, needed, hint)


def _passes_on(source: str) -> bool:
    """Whether every call of ``open_edition`` passes the variable ``minimum_cell``, and that is assigned somewhere.

    Examples
    --------
    >>> _passes_on("minimum_cell = 0\\nbook = open_edition(str(edition), minimum_cell)"), _passes_on("open_edition(edition)")
    (True, False)
    >>> _passes_on("?open_edition"), _passes_on("%%bash\\nls -l data")
    (False, True)
    """
    try:
        nodes = list(ast.walk(ast.parse(re.sub(r"^\s*[%!].*", "", source, flags=re.MULTILINE))))
    except SyntaxError:  # another language, or a cell magic
        return "open_edition" not in source
    calls = [node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("open_edition")]
    given = [[*call.args[1:2], *(each.value for each in call.keywords if each.arg == "minimum_cell")] for call in calls]
    assigned = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    named = all([ast.unparse(value) for value in values] == ["minimum_cell"] for values in given)
    return not calls or (named and "minimum_cell" in assigned)


def _inside(path: Path, found: Iterable[Problem]) -> tuple[Problem, ...]:
    """Problems with paths inside the edition's folder."""
    prefix = f"{folder.shown_path(path)}/"
    return tuple(replace(each, file=each.file.removeprefix(prefix)) for each in found)
