"""What a project can add to the building of its book: inputs that the chapters run on, their checks, the cover.

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
    """What pages, and a page that lists several books, say about the input."""

    title: str
    lead: str = ""
    homepage: str = ""
    """The address at which the book will be published; blank when it is not known."""
    date: str = ""
    source: str = ""
    picture: str = ""
    """SVG of the picture that is shown with a link to the book; blank for none."""


@dataclass(frozen=True)
class Evidence:
    """The result of comparing an input with its source: a summary, and where they disagree."""

    summary: str
    problems: tuple[Problem, ...] = ()

    def __str__(self) -> str:
        return self.summary


Table = tuple[tuple[str, ...], ...]
"""Rows of text, the names of the columns first."""


class Plugin:
    """The hooks of a build and of a review, with defaults for a book whose input is its own folder.

    Instances are sent to other processes: they are created without arguments and have no state.
    """

    noun = "book"
    """The word for an input, in messages and as a key of receipts."""
    filled_in: tuple[str, ...] = ()
    """Parameters of chapters that `parameters` sets, and so a call must not."""
    preload: tuple[str, ...] = ()
    """Modules imported once for all kernels."""
    observes = True
    """Whether chapters depend on the files that they are observed to use; otherwise their outputs name them."""
    has_source = False
    """Whether inputs have evidence that a review can compare with the text of their source."""
    publishes_with: tuple[str, ...] = ()
    """Modules that `add_files` imports, to be loaded while chapters run."""

    def find(self, book: Book, name: str) -> Path:
        """The input that a user named; an `InputError` when there is none."""
        return book.root

    def files(self, book: Book, path: Path) -> dict[str, Path]:
        """The files of an input by name; when one changes, chapters that use it run again."""
        approved = f"{book.settings.get('approved', 'tests/approved')}/"
        top = [each for each in path.iterdir() if each.name != "_build" and not each.name.startswith(".")]
        found = {each.name: each for each in top if each.is_file()}
        found |= {f"{each.name}/{name}": file for each in top for name, file in listed(each).items()}
        apart = {name for name, file in found.items() if name.startswith(approved) or file in book.chapters}
        return {name: file for name, file in found.items() if name not in apart}

    def chapters(self, path: Path) -> Sequence[Path]:
        """Notebooks that come with an input, to be added at the end of its book."""
        return ()

    def behind(self, path: Path, names: Sequence[str]) -> list[str]:
        """The files or folders behind the names that a chapter's outputs say they rest on."""
        return list(names)

    def program(self, book: Book) -> dict[str, dict[str, Path]]:
        """The project's code and data by group and name; what only affects pages is in the group ``pages``."""
        return {}

    def parameters(self, path: Path) -> dict[str, Any]:
        """Parameters that the build sets in each chapter that declares them."""
        return {}

    def folder(self, path: Path, chapter: Path) -> Path:
        """The working folder of a chapter's kernel."""
        return chapter.parent

    def private(self, path: Path, given: Mapping[str, Any]) -> bool:
        """Whether guesses of the input could be tested against hashes of its files, so that these are not published."""
        return False

    def check(self, plan: Plan) -> Cover:
        """Check the input and the parameters, and describe the input; or raise `InputError`.

        Often in another process, and before any cell runs, except in a preview.
        """
        return Cover(str(plan.book.config.get("title", plan.book.root.name)))

    def cover(self, cover: Cover, glue: Mapping[str, str], drawing: str) -> Cover:
        """The cover with what the root chapter gives: texts that it glues, and its first chart as SVG.

        By default the texts ``lead`` and ``source``; the chart is not used.
        """
        return replace(cover, lead=glue.get("lead", cover.lead), source=glue.get("source", cover.source))

    def add_files(
        self, plan: Plan, cover: Cover, runs: Sequence[ChapterRun], left_out: Mapping[str, str], folder: Path
    ) -> None:
        """Write further outputs into the folder of a book, before its checksums are computed."""

    def rows(self, path: Path) -> dict[str, Table] | None:
        """The input's tables by name, key columns first, for a review; None for an input that hides small cells."""
        return {}

    def problems(self, path: Path) -> Sequence[Problem]:
        """All problems of an input, also warnings, with paths relative to it."""
        return ()

    def evidence(self, path: Path, source: Path) -> Evidence:
        """Compare an input with the file of its source; an `InputError` when that cannot be read."""
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
