"""What a review found: what moved, because of what, and what became of cells, checks and evidence. Pure but for writing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from parabook.errors import Problem
from parabook.plugins import Evidence
from parabook.review.cells import Cell
from parabook.review.diff import Move, moves
from parabook.review.history import UNKNOWN, History
from parabook.review.results import CAUSES, Results


@dataclass(frozen=True)
class Review:
    """What a reviewer is shown; without old results nothing was ever approved, or a cell failed."""

    title: str
    old: Results | None
    new: Results
    about: str = ""
    """The title of the input."""
    history: History = UNKNOWN
    cells: tuple[Cell, ...] = ()
    """The cells that ran for it; none where built books are compared."""
    checks: tuple[Problem, ...] = ()
    evidence: Evidence | None = None
    """Whether the input holds against its source; None where that was not asked."""
    failure: str = ""
    """The cell that failed, and how."""
    repeat: tuple[Move, ...] | None = None
    """What moved between two runs of the same inputs, where they were run twice."""
    approved: Path = Path()
    """The folder of the approved state."""
    cache: Path = Path("_build/.cache")
    """Where drawings are cached."""

    @cached_property
    def both(self) -> Results:
        """Old results and new ones, the new ones first to hand."""
        return {**(self.old or {}), **self.new}

    @cached_property
    def differences(self) -> list[Move]:
        """All that differs, results and what they were made from."""
        return [] if self.old is None else list(moves(self.old, self.new))

    @cached_property
    def moves(self) -> list[Move]:
        """The results that moved."""
        return [move for move in self.differences if move.kind not in CAUSES]

    def causes(self, *kinds: str) -> list[Move]:
        """What differs of what results were made from, of some kinds or of all."""
        return [move for move in self.differences if move.kind in (kinds or CAUSES)]

    @cached_property
    def exhibits(self) -> dict[str, list[Move]]:
        """The moves of each exhibit that moved, by its id."""
        ids = dict.fromkeys(move.name for move in self.moves if f"chapter/{move.name}" in self.both)
        return {id_: [move for move in self.moves if move.name == id_] for id_ in ids}

    @property
    def texts(self) -> list[Move]:
        """The moves outside exhibits."""
        return [move for move in self.moves if move.name not in self.exhibits]

    @property
    def moved(self) -> bool:
        """Whether anything is not as approved, or nothing was approved."""
        return self.old is None or bool(self.moves)

    @property
    def wrong(self) -> bool:
        """Whether the results must not be approved: a cell failed, or evidence does not hold."""
        return bool(self.failure or (self.evidence and self.evidence.problems))

    @property
    def known(self) -> bool:
        """Whether both inputs are known: one that hides small cells leaves neither rows nor hashes, which can be guessed."""
        return all(any(key.startswith("file/") for key in side) for side in (self.old or {}, self.new))

    @property
    def unread(self) -> list[str]:
        """Files of the input that differ, of whose rows it is not known which."""
        tables = {move.name for move in self.causes("input")}
        return [move.name for move in self.causes("file") if not {move.name, move.name.rpartition(".")[0]} & tables]

    @property
    def verdict(self) -> str:
        """What moved and why, in a few sentences."""
        if self.failure:
            return f"A cell failed: {self.failure}."
        if self.old is None:
            return "Nothing was ever approved: look at the book, then accept."
        whole = count(sum(key.startswith("chapter/") for key in self.both), "exhibit")
        if not self.moves:
            return f"Nothing moved: {whole} and all texts are as they were. {self._since()}".strip()
        texts = [count(len(self.texts), "text")] * bool(self.texts)
        found = [f"{len(self.exhibits):,} of {whole}"] * bool(self.exhibits) + texts
        return f"Moved: {' and '.join(found)}. {self._why()}"

    def _since(self) -> str:
        kinds = {
            "input value": sum(len(move.changes) for move in self.causes("input")),
            "unread input file": len(self.unread),
            "code file": len(self.causes("code")),
            "setting": len(self.causes("given", "version")),
        }
        changed = [count(n, noun) for noun, n in kinds.items() if n]
        return f"Since then changed: {', '.join(changed)}." if changed else ""

    def _why(self) -> str:
        if self.repeat:
            return f"The run does not repeat itself: run twice on the same inputs, {count(len(self.repeat), 'result')} differed."
        if not self.known:
            return f"{self._since()} Whether the input changed is not known: it hides small cells.".strip()
        if not self.causes():
            twice = "" if self.repeat is None else " Run twice, this program gave the same both times."
            return f"No input, code, parameter or version differs.{twice}"
        if not self.causes("input", "file"):
            return f"{self._since()} No input row changed."
        alone = [id_ for id_ in self.exhibits if not (self.rows_behind(id_) or self.unread)]
        return self._since() + (f" No input row explains {', '.join(alone)}." if alone else "")

    def rows_behind(self, exhibit: str) -> list[str]:
        """The moves of input rows, of tables that an exhibit rests on, or that no output names."""
        rests_on = self.both.get(f"rests-on/{exhibit}", "*").split()
        named = {name for key, names in self.both.items() if key.startswith("rests-on/") for name in names.split()}
        behind = (move for move in self.causes("input") if move.name not in named - {*rests_on} or "*" in rests_on)
        return [line for move in behind for line in move.lines()]

    def reasons(self, exhibit: str) -> Iterator[str]:
        """Because of what an exhibit can have moved, besides the code that all chapters share."""
        rows = self.rows_behind(exhibit)
        yield from rows[:12]  # all are listed once below
        if len(rows) > 12:
            yield f"and {count(len(rows) - 12, 'input value')} more"
        if not (rows or self.unread):
            yield "no input row that it rests on changed" if self.known else "the input hides small cells: not known"
        yield from (f"{name} changed, rows not known" for name in self.unread)
        chapter = f"chapters/{self.both[f'chapter/{exhibit}']}.ipynb"
        yield from (f"{chapter} {move.what}" for move in self.causes("code") if move.name == chapter)

    def as_text(self) -> str:
        """The review in lines of plain text, the same in every terminal."""
        lines = [line for move in (*self.moves, *self.causes("input")) for line in move.lines()]
        lines += [f"commit {text}" for text, _ in self.history.commits] if self.moves else []
        lines += [f"evidence: {self.evidence or 'not held against the source text'}"] * bool(self.cells)
        return "\n".join([self.verdict, *lines])

    def as_json(self) -> dict[str, Any]:
        """The review as plain values: each change of a result, and each of what results were made from."""
        moves, causes = (
            [{"kind": m.kind, "name": m.name, **asdict(change), "by": change.by} for m in found for change in m.changes]
            for found in (self.moves, self.causes())
        )
        because = {id_: list(self.reasons(id_)) for id_ in self.exhibits}
        return {"verdict": self.verdict, "moved": self.moved, "moves": moves, "causes": causes, "because": because}

    def write(self, folder: Path) -> Path:
        """Write ``review.html`` and ``review.md`` into a folder; the path of the page."""
        from parabook.review.page import as_html, as_markdown

        folder.mkdir(parents=True, exist_ok=True)
        (folder / "review.md").write_text(as_markdown(self), encoding="utf-8")
        (folder / "review.html").write_text(as_html(self), encoding="utf-8")
        return folder / "review.html"

    def accept(self) -> int:
        """Approve the results of this run; how many bytes were written."""
        from parabook.review.approved import write

        return write(self.new, self.approved)


def count(n: int, noun: str) -> str:
    """A number with its noun."""
    return f"{n:,} {noun}{'s' * (n != 1)}"
