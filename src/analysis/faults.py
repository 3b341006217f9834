"""What is wrong with an input, said in one line each. Knows nothing of tables or files."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Fault:
    """One thing to mend: where it is, what was found, what is needed, how to mend it.

    Examples
    --------
    >>> print(Fault("legs.csv", "'aiir'", "one of air, rail", "did you mean 'air'?", row=3, column="mode"))
    legs.csv, row 3, column mode: found 'aiir', needed one of air, rail; did you mean 'air'?
    """

    file: str
    found: str
    needed: str
    mend: str = ""
    row: int | None = None
    column: str | None = None
    doubt: bool = False
    """A doubt is worth a look, but the book can be built."""

    def __str__(self) -> str:
        row = f", row {self.row}" if self.row else ""
        column = f", column {self.column}" if self.column else ""
        mend = f"; {self.mend}" if self.mend else ""
        return " ".join(f"{self.file}{row}{column}: found {self.found}, needed {self.needed}{mend}".split())

    def as_dict(self) -> dict[str, object]:
        """The fault as plain values, for JSON."""
        return asdict(self)


class BadInput(Exception):
    """The input or the call is wrong: exit code 2. Carries every fault found.

    Examples
    --------
    >>> BadInput.one("data/x", "no such folder", "an edition").faults[0].file
    'data/x'
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.faults,)  # and not with its text, as an exception travels otherwise

    @classmethod
    def one(cls, file: object, found: str, needed: str, mend: str = "", **where: object) -> BadInput:
        """A single fault, ready to raise."""
        return cls([Fault(str(file), found, needed, mend, **where)])  # type: ignore[arg-type]


def tallied(faults: Iterable[Fault]) -> dict[str, dict[str, int]]:
    """How many faults and doubts there are, by file; a file without any is not listed.

    Examples
    --------
    >>> tallied([Fault("legs.csv", "'aiir'", "air"), Fault("legs.csv", "3", "more", doubt=True)])
    {'legs.csv': {'faults': 1, 'doubts': 1}}
    """
    counts: dict[str, dict[str, int]] = {}
    for fault in faults:
        counts.setdefault(fault.file, {"faults": 0, "doubts": 0})["doubts" if fault.doubt else "faults"] += 1
    return counts


def missing(value: object) -> bool:
    """Whether a cell is blank: None, NaN (unlike itself) or pandas' NA (which will not say).

    Examples
    --------
    >>> missing(None), missing(float("nan")), missing(0)
    (True, True, False)
    """
    try:
        return value is None or bool(value != value)  # noqa: PLR0124
    except TypeError:
        return True


def show(value: object, most: int = 60) -> str:
    """A value as an error line shows it: quoted, on one line, cut when long.

    Examples
    --------
    >>> show("a\\nb")
    "'a\\\\nb'"
    >>> show(None)
    'nothing'
    """
    if missing(value):
        return "nothing"
    text = repr(value) if isinstance(value, str) else repr(str(value))
    return text if len(text) <= most else text[: most - 2] + "…'"


def nearest(value: object, allowed: Iterable[str]) -> str:
    """A hint with the allowed value most like a typo, or nothing.

    Examples
    --------
    >>> nearest("rial", ["air", "rail"])
    "did you mean 'rail'?"
    """
    found = difflib.get_close_matches(str(value), list(allowed), n=1, cutoff=0.6)
    return f"did you mean {found[0]!r}?" if found else ""
