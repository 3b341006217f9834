"""Because of what results moved: rows of the input, files of code and their commits, parameters, versions."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from parabook.plugins import Table
from parabook.review.diff import Move, align, pairs, table_moves
from parabook.review.results import Exhibit, Origin

EVERYTHING = "*"
MOST_COMMITS = 3
"""Of each file that differs, so many commits are named."""

NOT_COMMITTED = "not committed"
"""Among the commits of a file: it was changed since."""


@dataclass(frozen=True)
class Causes:
    """In what the origins of two sets of results differ.

    Attributes
    ----------
    rows : tuple of Move
        What moved in the input's tables.
    inputs, code : mapping
        Files that differ, by path: ``changed``, ``added`` or ``gone``.
    settings : tuple
        Parameters and versions that differ: name, from, to.
    known : bool
        Whether both inputs are known; one that hides small cells leaves neither rows nor hashes.
    commits : mapping
        Messages of commits since the old results, by path.
    """

    rows: tuple[Move, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    settings: tuple[tuple[str, str, str], ...] = ()
    known: bool = True
    commits: Mapping[str, Sequence[str]] = field(default_factory=dict)
    named: frozenset[str] = frozenset()
    """Tables that outputs name when they rest on them; the others may be behind every output."""

    def __bool__(self) -> bool:
        return bool(self.rows or self.inputs or self.code or self.settings) or not self.known

    @property
    def unread(self) -> list[str]:
        """Files of the input that differ, of whose rows it is not known which."""
        tables = {move.of for move in self.rows}
        return [path for path in self.inputs if path.rpartition(".")[0] not in tables and path not in tables]

    @property
    def messages(self) -> list[str]:
        """The commits since the old results, each once: a reviewer holds the moves against what they say."""
        said = [message for messages in self.commits.values() for message in messages]
        return list(dict.fromkeys(message for message in said if message != NOT_COMMITTED))

    def behind(self, exhibit: Exhibit) -> list[Move]:
        """The moves of input rows that an exhibit may have moved because of."""
        rests_on = set(exhibit.rests_on)
        if EVERYTHING in rests_on:
            return list(self.rows)
        return [move for move in self.rows if move.of in rests_on or move.of not in self.named]

    def of(self, exhibit: Exhibit) -> Iterator[str]:
        """Because of what an exhibit can have moved: input rows first, then code with its commits, then settings."""
        rows = self.behind(exhibit)
        yield from map(str, rows[:12])
        if len(rows) > 12:
            yield f"and {len(rows) - 12:,} input values more"
        if self.unread:
            yield f"files of the input, rows not known: {', '.join(self.unread)}"
        if not self.known:
            yield "whether the input changed is not known: it hides small cells"
        elif not rows and not self.unread:
            yield "no input row that it rests on changed"
        for path, what in self.code.items():
            if not path.endswith(".ipynb") or Path(path).stem == exhibit.chapter:
                commits = f" ({'; '.join(self.commits[path])})" if self.commits.get(path) else ""
                yield f"{path} {what}{commits}"
        yield from (f"{name}: {was} → {now}" for name, was, now in self.settings)

    def __str__(self) -> str:
        kinds = ((len(self.rows), "input value"), (len(self.unread), "input file, rows not known", "input files, rows not known"),
                 (len(self.code), "file of code", "files of code"), (len(self.settings), "parameter or version", "parameters or versions"))  # fmt: skip
        changed = [count(*kind) for kind in kinds if kind[0]]
        return f"Since then changed: {', '.join(changed)}." if changed else ""


def count(n: int, noun: str, several: str = "") -> str:
    """A number with its noun.

    Examples
    --------
    >>> count(1, "cell"), count(2000, "cell")
    ('1 cell', '2,000 cells')
    """
    return f"{n:,} {noun if n == 1 else several or f'{noun}s'}"


def causes(old: Origin, new: Origin, exhibits: Iterable[Exhibit] = ()) -> Causes:
    """In what two origins differ.

    Parameters
    ----------
    exhibits : iterable of Exhibit
        All exhibits made from them.
    """
    rows = () if old.rows is None or new.rows is None else tuple(_rows(old.rows, new.rows))
    inputs, code = (
        {path: what for path, *_, what in pairs(*both)}
        for both in ((old.inputs or {}, new.inputs or {}), (old.code, new.code))
    )
    both = old.versions.keys() & new.versions.keys()  # an approved state keeps few of them
    given = sorted(old.parameters.keys() | new.parameters.keys())
    settings = [(name, old.parameters.get(name, "default"), new.parameters.get(name, "default")) for name in given]
    settings += [(name, old.versions[name], new.versions[name]) for name in sorted(both)]
    differing = tuple(each for each in settings if each[1] != each[2])
    known = old.inputs is not None and new.inputs is not None
    named = frozenset(name for exhibit in exhibits for name in exhibit.rests_on)
    return Causes(rows, inputs, code, differing, known, named=named)


def _rows(old: Mapping[str, Table], new: Mapping[str, Table]) -> Iterator[Move]:
    for table in sorted({**old, **new}):
        was, now = old.get(table, ()), new.get(table, ())
        if was != now:
            yield from table_moves("input", table, align(was, now, join="."))


@dataclass(frozen=True)
class History:
    """The git history of a book's folder, where there is one to ask."""

    root: Path

    def git(self, *arguments: str) -> str:
        """What git answers; blank where there is no git or no history."""
        call = ["git", "-C", str(self.root), *arguments]
        try:
            done = subprocess.run(call, capture_output=True, text=True, check=False, timeout=30)
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout.strip() if done.returncode == 0 else ""

    def __bool__(self) -> bool:
        return self.git("rev-parse", "--show-toplevel") == str(self.root)

    def approved(self, folder: Path) -> str:
        """What an approved state is: the commit that wrote it, where there is a whole history."""
        # In a shallow clone everything came with its oldest commit.
        if (
            not self
            or not folder.is_relative_to(self.root)
            or self.git("rev-parse", "--is-shallow-repository") != "false"
        ):
            return "the approved state"
        commit = self.git("log", "-1", "--format=%h (%cs)", "--", str(folder))
        changed = ", changed since and not committed" if commit else ", not committed"
        rest = changed if self.git("status", "--porcelain", "--", str(folder)) else ""
        return f"the state approved in commit {commit}{rest}" if commit else f"the approved state{rest}"

    def head(self, paths: Iterable[Path]) -> str:
        """What was run: the commit checked out, and whether anything that results are made from differs from it."""
        commit = self.git("log", "-1", "--format=%h (%cs)") if self else ""
        if not commit:
            return "this run"
        inside = [str(path) for path in paths if path.is_relative_to(self.root)]
        changed = self.git("status", "--porcelain", "--", *inside) if inside else ""
        return f"this run, at commit {commit}, {'with changes that are not committed' if changed else 'all of it committed'}"

    def commits(self, files: Mapping[str, Path], since: Path | None = None) -> dict[str, list[str]]:
        """The commits that touched each of some files, by name; only those after the one that wrote ``since``."""
        if not self:
            return {}
        inside = since is not None and since.is_relative_to(self.root)
        base = self.git("log", "-1", "--format=%H", "--", str(since)) if inside else ""
        return {name: self._commits(str(file), base) for name, file in files.items() if file.is_relative_to(self.root)}

    def _commits(self, file: str, base: str) -> list[str]:
        call = ("log", f"-{MOST_COMMITS}", "--format=%h %s")
        found = (self.git(*call, f"{base}..HEAD", "--", file) if base else "").splitlines()
        if self.git("status", "--porcelain", "--", file):
            return [NOT_COMMITTED, *found]
        return found or self.git("log", "-1", "--format=%h %s", "--", file).splitlines()
