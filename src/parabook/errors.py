"""Problems of an input, each a line that says where, what was found and what is needed. Knows nothing of tables or files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

MOST_LIKE = 2000
"""How many values are compared with a typo at most: difflib takes a second for some ten thousand."""

NAMED = 3
"""How many rows and values the line of grouped problems names."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where it is, what was found, what is needed, and a hint how to put it right.

    Examples
    --------
    >>> print(Problem("legs.csv", "'aiir'", "one of air, rail", "did you mean 'air'?", row=3, column="mode"))
    legs.csv, row 3, column mode: found 'aiir', needed one of air, rail; did you mean 'air'?
    >>> print(Problem("legs.csv", "'by  air'", "one blank"))
    legs.csv: found 'by  air', needed one blank
    """

    file: str
    found: str
    needed: str
    hint: str = ""
    row: int | None = None
    column: str | None = None
    warning: bool = False
    """A warning is worth a look, but the book can be built."""
    times: int = 1
    """How many problems of one cause it stands for."""

    def __str__(self) -> str:
        row = f", row {self.row}" if self.row else ""
        column = f", column {self.column}" if self.column else ""
        hint = f"; {self.hint}" if self.hint else ""
        return printable(f"{self.file}{row}{column}: found {self.found}, needed {self.needed}{hint}")


class InputError(Exception):
    """The input or the call is wrong: exit code 2. ``known`` is a table of what would be right, to be printed below."""

    def __init__(self, problems: Iterable[Problem], known: str = "") -> None:
        self.problems, self.known = tuple(problems), known
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems, self.known)  # an exception is otherwise pickled with its text

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback: a line for each problem, in notebooks too."""
        return [str(problem) for problem in self.problems]

    @classmethod
    def one(cls, file: object, found: str, needed: str, hint: str = "", **where: Any) -> InputError:
        """A single problem, ready to raise."""
        return cls([Problem(str(file), found, needed, hint, **where)])


def printable(text: str) -> str:
    r"""A line in which control and format characters and unusual blanks are escaped, so that a terminal obeys none.

    Examples
    --------
    >>> print(printable("a\x1b[31m b\u202e"))
    a\x1b[31m b\u202e
    """
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def describe(error: BaseException) -> str:
    """What a user reads of an error: a line for each problem of an input, and one line for any other.

    Examples
    --------
    >>> describe(FileNotFoundError(2, "No such file or directory", "legs.csv")), describe(KeyError("id"))
    ('legs.csv: No such file or directory', "KeyError: 'id'")
    """
    text = str(error).strip()
    if isinstance(error, OSError):
        return printable(f"{error.filename or 'files'}: {error.strerror or error}")
    if isinstance(error, InputError) or type(error).__module__.partition(".")[0] == __package__:
        return text
    return printable(f"{type(error).__name__}: {(text or 'no message').splitlines()[0]}")


def tallied(problems: Iterable[Problem]) -> dict[str, dict[str, int]]:
    """The numbers of errors and warnings by file, of files that have any."""
    counts: dict[str, dict[str, int]] = {}
    for problem in problems:
        kinds = counts.setdefault(problem.file, {"errors": 0, "warnings": 0})
        kinds["warnings" if problem.warning else "errors"] += problem.times
    return counts


def grouped(problems: Iterable[Problem]) -> list[Problem]:
    """Problems that differ only in row and value as one: its first rows, what was found there, how many more there are.

    Examples
    --------
    >>> for each in grouped([Problem("a.csv", "'x'", "a number", row=n, column="age") for n in range(2, 9)]):
    ...     print(each)
    a.csv, rows 2, 3, 4 and 4 more, column age: found 'x', needed a number
    """
    causes: dict[tuple[object, ...], list[Problem]] = {}
    for each in problems:
        file = each.file.partition(" [")[0]
        causes.setdefault((file, each.column, each.needed, each.warning), []).append(each)
    return [alike[0] if sum(each.times for each in alike) == 1 else _together(alike) for alike in causes.values()]


def _together(alike: list[Problem]) -> Problem:
    first, times = alike[0], sum(each.times for each in alike)
    rows = [str(each.row) for each in alike if each.row][:NAMED]
    different = list(dict.fromkeys(each.found for each in alike))
    found = ", ".join(different[:NAMED]) + ", …" * (len(different) > NAMED)
    hints = " ".join(list(dict.fromkeys(each.hint for each in alike if each.hint))[:NAMED])
    more = f" and {times - len(rows):,} more" if times > len(rows) else ""
    if rows:
        file = f"{first.file}, rows {', '.join(rows)}{more}"
        return replace(first, file=file, found=found, hint=hints, row=None, times=times)
    return replace(first, found=f"{found} ({times:,} times)", hint=hints, times=times)


def missing(value: object) -> bool:
    """Whether a cell is blank: None, NaN (which differs from itself) or pandas' NA (which has no truth value)."""
    try:
        return value is None or bool(value != value)  # noqa: PLR0124
    except TypeError:
        return True


def show(value: object, most: int = 60) -> str:
    """A value as an error line shows it: quoted, on one line, cut when long; ``nothing`` for a blank."""
    text = "nothing" if missing(value) else repr(str(value))
    return text if len(text) <= most else text[: most - 2] + "…'"


def nearest(value: object, allowed: Iterable[str]) -> str:
    """A hint with the allowed value that is most like a typo; blank when none is like it.

    Examples
    --------
    >>> nearest("rial", ["air", "rail"])
    "did you mean 'rail'?"
    """
    from difflib import get_close_matches

    found = get_close_matches(str(value)[:200], list(islice(allowed, MOST_LIKE)), n=1)
    return f"did you mean {found[0]!r}?" if found else ""
