"""The findings of a review: what moved and why, and the outcome of cells, checks and evidence. Pure but for writing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from parabook.errors import Problem
from parabook.plugins import Evidence
from parabook.review import approved
from parabook.review.cells import Cell
from parabook.review.diff import Change, changes
from parabook.review.results import CAUSES, Results


@dataclass(frozen=True)
class Review:
    """The findings of a review; ``old`` is None where nothing was ever approved or the book could not be built."""

    title: str
    old: Results | None
    new: Results
    about: str = ""
    commits: tuple[str, ...] = ()
    cells: tuple[Cell, ...] = ()
    checks: tuple[Problem, ...] = ()
    evidence: Evidence | None = None
    failure: str = ""
    approved: Path = Path()
    cache: Path = Path("_build/.cache")
    has_source: bool = True

    @cached_property
    def differences(self) -> list[Change]:
        return [] if self.old is None else list(changes(self.old, self.new))

    @cached_property
    def moves(self) -> list[Change]:
        return [change for change in self.differences if change.kind not in CAUSES]

    def causes(self, *kinds: str) -> list[Change]:
        """The differences in what results were made from, of some kinds or of all."""
        return [change for change in self.differences if change.kind in (kinds or CAUSES)]

    @cached_property
    def rests_on(self) -> dict[str, set[str]]:
        """The names of the input that each exhibit rests on, by its id."""
        both = {**(self.old or {}), **self.new}.items()
        return {key.removeprefix("rests-on/"): {*names.split()} for key, names in both if key.startswith("rests-on/")}

    @cached_property
    def exhibits(self) -> dict[str, list[Change]]:
        """The moves of each exhibit by its id, and last those of all else under a blank one."""
        names = [c.name if c.name in self.rests_on and c.kind not in ("page", "asset") else "" for c in self.moves]
        found = {name: list[Change]() for name in [*filter(None, names), ""]}
        for name, change in zip(names, self.moves, strict=True):
            found[name].append(change)
        return found

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
        """Whether both sides list the files of their inputs, which those that hide small cells do not."""
        return all(any(key.startswith("file/") for key in side) for side in (self.old or {}, self.new))

    def behind(self, exhibit: str) -> list[str]:
        """The changed tables and files of the input that an exhibit rests on (``*`` is all), or that no exhibit names."""
        own = self.rests_on[exhibit]
        others = {name for names in self.rests_on.values() for name in names} - own
        changed = dict.fromkeys(each.name.removesuffix(".csv") for each in self.causes("input", "file"))
        return [name for name in changed if name not in others or "*" in own]

    @property
    def verdict(self) -> str:
        """What moved and why, in a few sentences."""
        if self.failure:
            return f"The book could not be built: {self.failure}."
        if self.old is None:
            return "Nothing was ever approved: look at the book, then accept."
        since = [count(len(self.causes(kind)), noun) for kind, noun in CAUSES.items() if self.causes(kind)]
        exhibits = count(len(self.rests_on), "exhibit")
        if self.moves:
            n = len({(change.kind, change.name) for change in self.exhibits[""]})
            others = f"{n:,} other {'page or file' if n == 1 else 'pages or files'}"
            moved = f"{len(self.exhibits) - 1:,} of {exhibits}, " if self.rests_on else ""
            found = f"Moved: {moved}{others}."
        else:
            found = f"Nothing moved: {f'{exhibits} and ' if self.rests_on else ''}all pages are as they were."
        found += f" Since then changed: {', '.join(since) or 'nothing'}."
        if not self.known:
            return f"{found} Whether the input changed is not known: it hides small cells."
        alone = [name for name in self.exhibits if name and not self.behind(name)]
        return f"{found} No input row explains {', '.join(alone)}." if alone else found

    def as_text(self) -> str:
        """The review as lines of plain text."""
        lines = [*map(str, self.moves), *map(str, self.causes("input"))]
        lines += [f"commit {text}" for text in self.commits] if self.moves else []
        if self.cells and self.has_source:
            lines.append(f"evidence: {self.evidence or 'not held against the source text'}")
        return "\n".join([self.verdict, *lines])

    def as_json(self) -> dict[str, Any]:
        """The review as plain values: each change of a result, and each of what results were made from."""
        lists = {"moves": [*map(asdict, self.moves)], "causes": [*map(asdict, self.causes())]}
        return {"verdict": self.verdict, "moved": self.moved, **lists}

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
    return f"{n:,} {noun}{'s' * (n != 1)}"
