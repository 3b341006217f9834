"""What a review found: what moved, because of what, and what became of cells, checks and evidence. Pure but for writing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from parabook.errors import Problem
from parabook.plugins import Evidence
from parabook.review.cells import Cell
from parabook.review.diff import Move, moves
from parabook.review.history import History
from parabook.review.results import CAUSES, Results

MOST_ROWS = 12
"""Input values named beside an exhibit; all are listed once below."""


@dataclass(frozen=True)
class Review:
    """What a reviewer is shown; without old results nothing was ever approved."""

    title: str
    old: Results | None
    new: Results
    about: str = ""
    """The title of the input."""
    history: History = History("", "")
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
    cache: Path = Path()
    """Where drawings are cached."""

    @cached_property
    def both(self) -> Results:
        """Old and new results in one, the new ones first to hand."""
        return {**(self.old or {}), **self.new}

    @cached_property
    def differences(self) -> list[Move]:
        """All that differs, results and what they were made from."""
        return [] if self.old is None else list(moves(self.old, self.new))

    @property
    def moves(self) -> list[Move]:
        """The results that moved."""
        return [move for move in self.differences if move.kind not in CAUSES]

    def causes(self, *kinds: str) -> list[Move]:
        """What differs of what results were made from, of some kinds or of all."""
        return [move for move in self.differences if move.kind in (kinds or CAUSES)]

    @cached_property
    def exhibits(self) -> dict[str, list[Move]]:
        """The moves of each exhibit that moved, by its id."""
        ids = [key.removeprefix("chapter/") for key in self.both if key.startswith("chapter/")]
        found = {id_: [move for move in self.moves if move.name == id_] for id_ in ids}
        return {id_: each for id_, each in found.items() if each}

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
        if self.old is None:
            found = "Nothing was ever approved: look at the book, then accept."
        else:
            found = f"{self._what()} {self._why() if self.moves else self._since()}".strip()
        return f"A cell failed: {self.failure}. Of the chapters that ran: {found}" if self.failure else found

    def _what(self) -> str:
        ids = {key.removeprefix("chapter/") for key in self.both if key.startswith("chapter/")}
        names = {key.partition("/")[2] for key in self.both if not key.startswith(tuple(f"{kind}/" for kind in CAUSES))}
        if not self.moves:
            held = f"{count(len(ids), 'exhibit')} and {count(len(names - ids), 'text')}"
            return f"Nothing moved: {held} are as they were."
        parts = [f"{len(self.exhibits):,} of {count(len(ids), 'exhibit')}"] * bool(self.exhibits)
        parts += [count(len(self.texts), "text")] * bool(self.texts)
        return f"Moved: {' and '.join(parts)}."

    def _since(self) -> str:
        kinds = (
            (sum(len(move.changes) for move in self.causes("input")), "input value"),
            (len(self.unread), "input file, rows not known", "input files, rows not known"),
            (len(self.causes("code")), "file of code", "files of code"),
            (len(self.causes("given", "version")), "parameter or version", "parameters or versions"),
        )
        changed = [count(*kind) for kind in kinds if kind[0]]
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
        alone = [id_ for id_ in self.exhibits if not self.rows_behind(id_)] if self.causes("input") else []
        return self._since() + (f" No input row explains {', '.join(alone)}." if alone else "")

    def rows_behind(self, exhibit: str) -> list[Move]:
        """The input's tables that moved, of those that an exhibit rests on, or that no output names."""
        rests_on = self.both.get(f"rests-on/{exhibit}", "*").split()
        named = {name for key, names in self.both.items() if key.startswith("rests-on/") for name in names.split()}
        moved = self.causes("input")
        return [move for move in moved if "*" in rests_on or move.name in rests_on or move.name not in named]

    def reasons(self, exhibit: str) -> Iterator[str]:
        """Because of what an exhibit can have moved, besides the code that all chapters share."""
        rows = [line for move in self.rows_behind(exhibit) for line in move.lines()]
        yield from rows[:MOST_ROWS]
        if len(rows) > MOST_ROWS:
            yield f"and {count(len(rows) - MOST_ROWS, 'input value')} more"
        if not self.known:
            yield "whether the input changed is not known: it hides small cells"
        elif self.unread:
            yield f"files of the input, rows not known: {', '.join(self.unread)}"
        elif not rows:
            yield "no input row that it rests on changed"
        chapter = self.both[f"chapter/{exhibit}"]
        yield from (f"{move.name} {move.what}" for move in self.causes("code") if Path(move.name).stem == chapter)

    def as_text(self) -> str:
        """The review in lines of plain text, the same in every terminal."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield self.verdict
        for id_, found in self.exhibits.items():
            because = ["because of", *(f"  {reason}" for reason in self.reasons(id_))]
            yield from _section(id_, [*_lines_of(found), *because])
        yield from _section("texts", _lines_of(self.texts))
        yield from _section("input rows that changed", _lines_of(self.causes("input")))
        yield from _section("since then", [text for text, _ in self.history.commits] if self.moves else [])
        if self.cells:
            yield f"evidence: {self.evidence or 'not held against the source text'}"

    def as_json(self) -> dict[str, Any]:
        """The review as plain values: each change of a result, and each of what results were made from."""
        return {
            "verdict": self.verdict,
            "moved": self.moved,
            "wrong": self.wrong,
            "moves": _plain(self.moves),
            "causes": _plain(self.causes()),
            "because": {id_: list(self.reasons(id_)) for id_ in self.exhibits},
            "commits": [{"commit": text, "files": list(names)} for text, names in self.history.commits],
        }

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


def _section(heading: str, lines: Sequence[str]) -> list[str]:
    return ["", f"{heading}:", *(f"  {line}" for line in lines)] if lines else []


def _lines_of(found: Sequence[Move]) -> list[str]:
    return [line for move in found for line in move.lines()]


def _plain(found: Sequence[Move]) -> list[dict[str, Any]]:
    pairs = ((move, change) for move in found for change in move.changes)
    return [{"kind": move.kind, "name": move.name, **asdict(change), "by": change.by} for move, change in pairs]


def count(n: int, noun: str, several: str = "") -> str:
    """A number with its noun.

    Examples
    --------
    >>> count(1, "cell"), count(2000, "cell")
    ('1 cell', '2,000 cells')
    """
    return f"{n:,} {noun if n == 1 else several or f'{noun}s'}"
