"""What a build would do, found out without doing it: its chapters, their parameters, and what all of it rests on.

Imports nothing heavy, so that a build with nothing to do ends at once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from analysis import folder
from analysis.schema import ROOT
from parabook import chapters, files

EVERYTHING = "*"
"""Among what an output rests on: every file of the edition."""

SETTINGS = ("_config.yml", "_toc.yml", "CITATION.cff")
"""What says how the book is put together, and who made the program."""


@dataclass(frozen=True)
class Plan:
    """One build: of which edition, of which chapters, with which parameters, and by which fingerprints."""

    edition: Path
    notebooks: tuple[Path, ...]
    given: Mapping[str, Any]
    """Parameters of the call, typed."""
    contents: Mapping[str, str]
    """SHA-256 of every file of the edition."""

    @property
    def overrides(self) -> str:
        """The parameters of the call as JSON, for the chapter that prints them."""
        return json.dumps(dict(self.given), sort_keys=True) if self.given else ""

    def chosen(self, notebook: Path) -> dict[str, Any]:
        """The parameters that a chapter is run with: those it declares.

        Kernels run beside the edition and know it by its folder's name, so that no page carries the path of a machine.
        """
        known = chapters.all_parameters(self.notebooks)
        whole = {n: self.given.get(n, each.default) for n, each in known.items() if n not in chapters.FILLED_IN}
        values = {**self.given, "edition": self.edition.name, "overrides": self.overrides}
        values["values"] = json.dumps(whole, sort_keys=True)
        return {name: value for name, value in values.items() if name in chapters.parameters(notebook)}

    def key(self, notebook: Path) -> str:
        """A chapter's fingerprint: its notebook, parameters, program, lock file and Python, but for the tables it reads."""
        package = self.contents.get(folder.PACKAGE, "")
        return files.digest([files.sha256(notebook), self.chosen(notebook), package, runs_with()])

    @property
    def book_key(self) -> str:
        """The fingerprint of all that the book rests on."""
        keys = [(notebook.stem, self.key(notebook)) for notebook in self.notebooks]
        return files.digest([keys, dict(self.contents), _assembled_with()])


@cache
def runs_with() -> Any:
    """What runs chapters, and what they import."""
    book = ROOT / "src" / "parabook"
    machinery = {name: files.sha256(book / f"{name}.py") for name in ("run", "engine", "server", "kernels", "preload")}
    return [folder.program(), machinery, files.sha256(ROOT / "requirements.txt"), sys.version]


@cache
def _assembled_with() -> Any:
    """What makes a book of chapters."""
    code = files.hash_files(ROOT / "src", "*.py")
    return [code, files.hash_files(ROOT / "_static"), *(files.sha256(ROOT / name) for name in SETTINGS)]


def plan(edition: str | Path, given: Mapping[str, str]) -> Plan:
    """The build of an edition with parameters as the call gives them.

    Raises
    ------
    InputError
        When there is no such edition, or a parameter does not fit.
    """
    notebooks = tuple(chapters.order())
    values = chapters.fitted(given, notebooks)
    path = folder.find(edition)
    return Plan(path, notebooks, values, folder.contents(path))


def rests_on(plan: Plan, names: list[str]) -> dict[str, str]:
    """The fingerprints of the files behind names of tables and files of an edition; `EVERYTHING` is all of them."""
    if EVERYTHING in names:
        return dict(plan.contents)
    package = json.loads((plan.edition / folder.PACKAGE).read_text(encoding="utf-8"))
    paths = {each["name"]: each["path"].rstrip("/") for each in package["resources"] if isinstance(each, dict)}
    wanted = [paths.get(name, name) for name in names]
    return {
        file: found
        for file, found in plan.contents.items()
        if any(file == path or file.startswith(f"{path}/") for path in wanted)
    }


def unchanged(plan: Plan, out: Path, *, library: bool = False) -> bool:
    """Whether the book in place is the one that this build would make, every file of it."""
    try:
        receipt = json.loads((out / "receipt.json").read_text(encoding="utf-8"))
        if receipt["key"] != plan.book_key or bool(receipt["shared"]) != library:
            return False
        if library and not (out.parent / receipt["shared"]).is_dir():
            return False
        return all(files.hash_files(out / name) == files for name, files in receipt["outputs"].items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
