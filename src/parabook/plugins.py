"""What a project can add to the building of its book: the input that chapters are run on, its checks and its cover.

A plug-in is registered under the entry point group ``parabook.plugins``, and a book asks for it by name:
``[tool.parabook] plugin = "NAME"`` in its ``pyproject.toml``. A book without one is run as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parabook.errors import InputError, Problem, nearest
from parabook.files import listed

if TYPE_CHECKING:
    from parabook.book import Book
    from parabook.cache import ChapterRun
    from parabook.plan import Plan


@dataclass(frozen=True)
class Cover:
    """What the pages of a book, and a page that lists several books, say of the input."""

    title: str
    lead: str = ""
    homepage: str = ""
    """The address at which the book will stand; blank when it is not known."""
    date: str = ""
    source: str = ""
    picture: str = ""
    """SVG of the picture that is shown where a link to the book is shared; blank for none."""


@dataclass(frozen=True)
class Evidence:
    """What holding an input against its source gave: in words, and what does not hold."""

    summary: str
    problems: tuple[Problem, ...] = ()

    def __str__(self) -> str:
        return self.summary


Table = tuple[tuple[str, ...], ...]
"""Rows of text, the names of the columns first."""


class Plugin:
    """The hooks of a build and of a review. As it stands, a plug-in for a book that runs on nothing but its own files.

    Instances travel between processes, so they are created without arguments and hold no state.
    """

    noun = "book"
    """What an input is called, in messages and as the key of a receipt."""
    filled_in: tuple[str, ...] = ()
    """Parameters of chapters that no call may give, as `parameters` does."""
    preload: tuple[str, ...] = ()
    """Modules imported once for all kernels."""
    observes = True
    """Whether chapters rest on what they were seen to use; else their outputs name it."""
    has_source = False
    """Whether inputs have evidence that a review can hold against the text of their source."""
    publishes_with: tuple[str, ...] = ()
    """Modules that `add_files` imports, loaded while chapters run."""

    def find(self, book: Book, name: str) -> Path:
        """The input that a user named; an `InputError` when there is none."""
        return book.root

    def files(self, book: Book, path: Path) -> dict[str, Path]:
        """The files of an input by their names; a change of one runs chapters again."""
        approved = f"{book.settings.get('approved', 'tests/approved')}/"
        top = [each for each in path.iterdir() if each.name != "_build" and not each.name.startswith(".")]
        found = {each.name: each for each in top if each.is_file()}
        found |= {f"{each.name}/{name}": file for each in top for name, file in listed(each).items()}
        return {
            name: file for name, file in found.items() if not name.startswith(approved) and file not in book.chapters
        }

    def chapters(self, path: Path) -> Sequence[Path]:
        """Notebooks of an input's own, which its book has after the others."""
        return ()

    def behind(self, path: Path, names: Sequence[str]) -> list[str]:
        """The files, or folders of files, behind the names that outputs of a chapter say they rest on."""
        return list(names)

    def program(self, book: Book) -> dict[str, dict[str, Path]]:
        """Code and data of the project by group and name; in the group ``pages`` what has no part in chapters' results."""
        return {}

    def parameters(self, path: Path) -> dict[str, Any]:
        """Parameters that the build gives to each chapter that declares them."""
        return {}

    def folder(self, path: Path, chapter: Path) -> Path:
        """The working folder of a chapter's kernel."""
        return chapter.parent

    def private(self, path: Path, given: Mapping[str, Any]) -> bool:
        """Whether the input could be guessed, and the guess proved, from hashes of its files: they are not published then."""
        return False

    def check(self, plan: Plan) -> Cover:
        """Check a plan's input and parameters in a worker, before any cell runs, and describe the input; or `InputError`."""
        return Cover(str(plan.book.config.get("title", plan.book.root.name)))

    def cover(self, cover: Cover, glue: Mapping[str, str], drawing: str) -> Cover:
        """The cover, completed by what the root chapter glued, by default its ``lead`` and ``source``, or drew first, as SVG."""
        return replace(cover, lead=glue.get("lead", cover.lead), source=glue.get("source", cover.source))

    def add_files(
        self, plan: Plan, cover: Cover, runs: Sequence[ChapterRun], left_out: Mapping[str, str], folder: Path
    ) -> None:
        """Write further outputs into the folder of a finished book, before its checksums are taken."""

    def rows(self, path: Path) -> dict[str, Table] | None:
        """The input's tables by name, key columns first, for a review; None for an input that hides small cells."""
        return {}

    def problems(self, path: Path) -> Sequence[Problem]:
        """All problems of an input, warnings included, with paths inside the input."""
        return ()

    def evidence(self, path: Path, source: Path) -> Evidence:
        """Hold an input against the file of its source; an `InputError` when that cannot be read."""
        raise InputError.one("--source", str(source), "an input with evidence", "this book's has none")


def plugin_of(book: Book) -> Plugin:
    """The plug-in that a book asks for; an `InputError` when none of that name is installed."""
    name = book.settings.get("plugin")
    if not name:
        return Plugin()
    from importlib.metadata import entry_points

    known = entry_points(group="parabook.plugins")
    if name not in known.names:
        raise InputError.one("pyproject.toml", f"plugin {name!r}", "an installed plug-in", nearest(name, known.names))
    made: Plugin = known[name].load()()
    return made
