"""Two sets of results held against each other: what moved, because of what, in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from parabook.review.causes import Causes, causes, count
from parabook.review.diff import FOLLOWS, Move, exhibit_moves, text_moves
from parabook.review.results import Exhibit, Results


@dataclass(frozen=True)
class Comparison:
    """Two sets of results, what moved, and in what their origins differ.

    ``repeat`` is what moved between two runs of the very same inputs, where they were run twice; else None.
    """

    old: Results
    new: Results
    moves: tuple[Move, ...]
    causes: Causes
    repeat: tuple[Move, ...] | None = None

    @property
    def moved(self) -> bool:
        """Whether any result moved."""
        return bool(self.moves)

    @cached_property
    def exhibits(self) -> dict[str, Exhibit]:
        """The exhibits that moved, as they are or were, in the order of the results."""
        moved = {move.of for move in self.moves}
        return {id_: each for id_, each in {**self.old.exhibits, **self.new.exhibits}.items() if id_ in moved}

    def of(self, id_: str, *parts: str) -> list[Move]:
        """The moves of an exhibit, of some parts of it."""
        return [move for move in self.moves if move.of == id_ and (not parts or move.part in parts)]

    @property
    def texts(self) -> list[Move]:
        """The moves outside exhibits."""
        return [move for move in self.moves if move.part in self.new.texts or move.part in self.old.texts]

    def worth_showing(self, id_: str, *parts: str) -> list[Move]:
        """The same without the moves of a chart that say again what the moves of its table say."""
        table = self.of(id_, "table")
        return [
            move
            for move in self.of(id_, *parts)
            if not (table and move.part == "chart" and FOLLOWS.search(move.column))
        ]

    @property
    def verdict(self) -> str:
        """What moved and why, in a few sentences."""
        texts = len(self.texts)
        if not self.moves:
            held = count(len(self.new.exhibits), "exhibit"), count(sum(map(len, self.new.texts.values())), "text")
            return f"Nothing moved: {held[0]} and {held[1]} are as they were. {self.causes}".strip()
        whole = count(len({**self.old.exhibits, **self.new.exhibits}), "exhibit")
        parts = [f"{len(self.exhibits):,} of {whole}"] * bool(self.exhibits) + [count(texts, "text")] * bool(texts)
        return f"Moved: {' and '.join(parts)}. {self._why()}"

    def _why(self) -> str:
        if self.repeat:
            return f"The run does not repeat itself: run twice on the same inputs, {count(len(self.repeat), 'result')} differed."
        if not self.causes:
            twice = " Run twice, this program gave the same both times." if self.repeat == () else ""
            return f"No input, code, parameter or version differs.{twice}"
        alone = [id_ for id_, exhibit in self.exhibits.items() if not self.causes.behind(exhibit)]
        if not self.causes.known:
            return f"{self.causes} Whether the input changed is not known: it hides small cells.".strip()
        if not self.causes.inputs:
            return f"{self.causes} No input row changed."
        rest = f" No input row explains {', '.join(alone)}." if self.causes.rows and alone else ""
        return f"{self.causes}{rest}"

    def as_text(self) -> str:
        """The comparison in lines of plain text, the same in every terminal."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield self.verdict
        for id_, exhibit in self.exhibits.items():
            yield from ("", f"{id_}:", *(f"  {_cut(move)}" for move in self.worth_showing(id_)))
            yield from ("  because of", *(f"    {reason}" for reason in self.causes.of(exhibit)))
        if self.texts:
            yield from ("", "texts:", *(f"  {_cut(move)}" for move in self.texts))
        if self.causes.rows:
            yield from ("", "input rows that changed:", *(f"  {_cut(move)}" for move in self.causes.rows))

    def as_json(self) -> dict[str, Any]:
        """The comparison as plain values."""
        code = [{"path": path, "what": what, "commits": list(self.causes.commits.get(path, ()))}
                for path, what in self.causes.code.items()]  # fmt: skip
        return {
            "verdict": self.verdict,
            "moved": self.moved,
            "moves": [asdict(move) | {"by": move.by} for move in self.moves],
            "inputs": [asdict(move) | {"by": move.by} for move in self.causes.rows],
            "input files, rows not known": self.causes.unread,
            "code": code,
            "settings": [{"name": name, "old": was, "new": now} for name, was, now in self.causes.settings],
            "because": {id_: list(self.causes.of(exhibit)) for id_, exhibit in self.exhibits.items()},
        }


def _cut(move: Move, most: int = 300) -> str:
    text = " ".join(str(move).split())
    return text if len(text) <= most else f"{text[: most - 1]}…"


def compare(old: Results, new: Results) -> Comparison:
    """What moved from old to new.

    Examples
    --------
    >>> tables = ((("age", "n"), ("18–24", n)) for n in "45")
    >>> old, new = (Results("x", {"by-age": Exhibit("people", table=table)}) for table in tables)
    >>> print(*compare(old, new).moves)
    table by-age: 18–24, n: 4 → 5 (+1)
    """
    ids = {**new.exhibits, **old.exhibits}
    both = ((id_, old.exhibits.get(id_), new.exhibits.get(id_)) for id_ in ids)
    moves = [move for each in both if each[1] != each[2] for move in exhibit_moves(*each)]
    moves += text_moves(old, new)
    exhibits = [*old.exhibits.values(), *new.exhibits.values()]
    return Comparison(old, new, tuple(moves), causes(old.origin, new.origin, exhibits))
