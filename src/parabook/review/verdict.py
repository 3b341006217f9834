"""What a review found: what moved, because of what, and what became of cells, checks and evidence. Pure but for writing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from parabook.errors import Problem
from parabook.plugins import Evidence
from parabook.review import approved
from parabook.review.cells import Cell
from parabook.review.diff import Change, changes
from parabook.review.history import Commits
from parabook.review.results import CAUSES, Results


@dataclass(frozen=True)
class Review:
    """What a reviewer is shown; without old results nothing was ever approved, or the book could not be built.

    ``commits`` are those since the one of the approved state, ``since``. ``repeat`` is what moved between two runs of the
    same inputs, and ``evidence`` whether they hold against the source; None where that was not asked.
    """

    title: str
    old: Results | None
    new: Results
    about: str = ""
    since: str = ""
    commits: Commits = ()
    cells: tuple[Cell, ...] = ()
    checks: tuple[Problem, ...] = ()
    evidence: Evidence | None = None
    failure: str = ""
    repeat: tuple[Change, ...] | None = None
    approved: Path = Path()
    cache: Path = Path("_build/.cache")

    @cached_property
    def both(self) -> Results:
        """Old results and new ones, the new ones first to hand."""
        return {**(self.old or {}), **self.new}

    @cached_property
    def differences(self) -> list[Change]:
        """All that differs, results and what they were made from."""
        return [] if self.old is None else list(changes(self.old, self.new))

    @cached_property
    def moves(self) -> list[Change]:
        """What moved of the results."""
        return [change for change in self.differences if change.kind not in CAUSES]

    def causes(self, *kinds: str) -> list[Change]:
        """What differs of what results were made from, of some kinds or of all."""
        return [change for change in self.differences if change.kind in (kinds or CAUSES)]

    @cached_property
    def exhibits(self) -> dict[str, list[Change]]:
        """What moved of each exhibit, by its id; of all else under no name, last."""
        names = [change.name if f"chapter/{change.name}" in self.both else "" for change in self.moves]
        found = {
            name: [c for c, of in zip(self.moves, names, strict=True) if of == name] for name in dict.fromkeys(names)
        }
        return {**{name: each for name, each in found.items() if name}, "": found.get("", [])}

    @property
    def moved(self) -> bool:
        """Whether anything is not as approved, or nothing was approved."""
        return self.old is None or bool(self.moves)

    @property
    def wrong(self) -> bool:
        """Whether the results must not be approved: the book could not be built, or evidence does not hold."""
        return bool(self.failure or (self.evidence and self.evidence.problems))

    @property
    def known(self) -> bool:
        """Whether both inputs are known: one that hides small cells leaves neither rows nor hashes, which can be guessed."""
        return all(any(key.startswith("file/") for key in side) for side in (self.old or {}, self.new))

    @property
    def unread(self) -> list[str]:
        """Files of the input that differ, of whose rows it is not known which."""
        tables = {change.name for change in self.causes("input")}
        return [each.name for each in self.causes("file") if not {each.name, each.name.rpartition(".")[0]} & tables]

    @property
    def verdict(self) -> str:
        """What moved and why, in a few sentences."""
        if self.failure:
            return f"The book could not be built: {self.failure}."
        if self.old is None:
            return "Nothing was ever approved: look at the book, then accept."
        numbers: dict[str, Sequence[object]] = {"input value": self.causes("input"), "unread input file": self.unread}
        numbers |= {"code file": self.causes("code"), "setting": self.causes("given", "version")}
        since = ", ".join(count(len(found), noun) for noun, found in numbers.items() if found)
        since = f" Since then changed: {since}." if since else ""
        whole = count(sum(key.startswith("chapter/") for key in self.both), "exhibit")
        if not self.moves:
            return f"Nothing moved: {whole} and all pages are as they were.{since}"
        others = len({(change.kind, change.name) for change in self.exhibits[""]})
        return f"Moved: {len(self.exhibits) - 1:,} of {whole}, {count(others, 'page or file')}.{since}{self._why()}"

    def _why(self) -> str:
        if self.repeat:
            return f" The run does not repeat itself: on the same inputs, a second one differed in {count(len(self.repeat), 'value')}."
        if not self.known:
            return " Whether the input changed is not known: it hides small cells."
        if not self.causes():
            twice = "" if self.repeat is None else " Run twice, this program gave the same both times."
            return f" No input, code, parameter or version differs.{twice}"
        alone = [name for name in self.exhibits if name and not (self.rows_behind(name) or self.unread)]
        return f" No input row explains {', '.join(alone)}." if alone else ""

    def rows_behind(self, exhibit: str) -> list[str]:
        """What moved of the input tables that an exhibit rests on, or that no output names."""
        rests_on = self.both.get(f"rests-on/{exhibit}", "*").split()
        named = {name for key, names in self.both.items() if key.startswith("rests-on/") for name in names.split()}
        return [str(c) for c in self.causes("input") if "*" in rests_on or c.name not in named - {*rests_on}]

    def reasons(self, exhibit: str) -> Iterator[str]:
        """Because of what an exhibit can have moved, besides the code that all chapters share."""
        rows = [*self.rows_behind(exhibit), *(f"{name} changed, rows not known" for name in self.unread)]
        yield from rows[:12]  # all are listed once below
        if len(rows) > 12:
            yield f"and {count(len(rows) - 12, 'input value')} more"
        if not rows:
            yield "no input row that it rests on changed" if self.known else "the input hides small cells: not known"
        chapter = f"chapters/{self.both[f'chapter/{exhibit}']}.ipynb"
        yield from (f"{chapter} {change.what}" for change in self.causes("code") if change.name == chapter)

    def as_text(self) -> str:
        """The review in lines of plain text, the same in every terminal."""
        lines = [*map(str, self.moves), *map(str, self.causes("input"))]
        lines += [f"commit {text}" for text, _ in self.commits] if self.moves else []
        lines += [f"evidence: {self.evidence or 'not held against the source text'}"] * bool(self.cells)
        return "\n".join([self.verdict, *lines])

    def as_json(self) -> dict[str, Any]:
        """The review as plain values: each change of a result, and each of what results were made from."""
        moves, causes = ([{**asdict(each), "by": each.by} for each in found] for found in (self.moves, self.causes()))
        return {"verdict": self.verdict, "moved": self.moved, "moves": moves, "causes": causes}

    def write(self, folder: Path) -> Path:
        """Write ``review.html`` and ``review.md`` into a folder; the path of the page."""
        from parabook.review.page import as_html, as_markdown

        folder.mkdir(parents=True, exist_ok=True)
        (folder / "review.md").write_text(as_markdown(self), encoding="utf-8")
        (folder / "review.html").write_text(as_html(self), encoding="utf-8")
        return folder / "review.html"

    def accept(self) -> int:
        """Approve the results of this run; how many bytes were written."""
        return approved.write(self.new, self.approved)


def count(n: int, noun: str) -> str:
    """A number with its noun."""
    return f"{n:,} {noun}{'s' * (n != 1)}"
