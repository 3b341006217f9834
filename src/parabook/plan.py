"""The plan of a build: its chapters, their parameters, and hashes of every file that it depends on.

Imports nothing heavy, so that a build with nothing to do ends at once.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parabook import dependencies, files
from parabook.book import Book, Sendable
from parabook.dependencies import EVERYTHING
from parabook.errors import InputError, nearest
from parabook.parameters import REPORTED, Parameter, fitted, parameters
from parabook.plugins import Plugin

if TYPE_CHECKING:
    from parabook.cache import ChapterRun

RUNNER = [
    f"{name}.py" for name in ("run", "kernels", "server", "observe", "dependencies", "protocol", "files", "errors")
]
"""The modules of this package that can affect the results of a chapter, and not only its page."""

OBSERVED = "observed"
"""The cache entry with the names of what notebooks depend on besides files of the book, see `dependencies`."""

MANY_BYTES = 2_000_000_000
"""An input larger than this takes some seconds to hash, which is announced."""

LARGE = 50_000_000
"""Files of the input of this size or more are not copied for a build."""

PAGES = "pages"
"""The group of files that affect pages and not the results of chapters."""


@dataclass(frozen=True)
class Plan(Sendable):
    """One build: a book, its input, the parameters, and the state of all files."""

    book: Book
    plugin: Plugin
    input: Path
    given: Mapping[str, Any]
    """Parameters of the call and of the setting ``parameters``, converted to the declared types."""
    declared: Mapping[Path, Mapping[str, Parameter]] = field(default_factory=dict, repr=False)
    """The parameters that each chapter declares."""
    sources: Mapping[str, Mapping[str, Path]] = field(default_factory=dict, repr=False)
    """All files that the build depends on, by group and name; the input's group is named by the plug-in's noun."""
    stamps: Mapping[Path, tuple[int, ...]] = field(default_factory=dict, repr=False)
    """Inode, size and time of change of each file, taken before it was hashed."""
    hashes: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    """Their SHA-256, by group and name."""
    copied: frozenset[Path] = frozenset()
    """The files of which the build uses a copy of its own."""
    checks_in_parallel: bool = False
    """Whether cells run while the input is being checked; their results are dropped if it proves wrong."""

    @property
    def notebooks(self) -> tuple[Path, ...]:
        """The chapters that are run."""
        return self.book.notebooks

    @property
    def contents(self) -> Mapping[str, str]:
        """SHA-256 of every file of the input."""
        return self.hashes[self.plugin.noun]

    @cached_property
    def private(self) -> bool:
        """Whether hashes of the input's files must not be published, see `Plugin.private`."""
        return self.plugin.private(self.input, self.given)

    @cached_property
    def published(self) -> Mapping[str, Mapping[str, str]]:
        """The hashes for the receipt: those of a private input are keyed with the secret of the cache."""
        if not self.private:
            return self.hashes
        keyed = {name: files.code(self.book.cache, name, found) for name, found in self.contents.items()}
        return {**self.hashes, self.plugin.noun: keyed}

    @cached_property
    def _values(self) -> dict[str, Any]:
        """The values of all parameters that the call, the plug-in or the build sets, by name."""
        filled = self.plugin.parameters(self.input)
        known = {name: each.default for declared in self.declared.values() for name, each in declared.items()}
        reported = {name: value for name, value in {**known, **self.given}.items() if name not in (*REPORTED, *filled)}
        overrides = json.dumps(dict(self.given), sort_keys=True) if self.given else ""
        return {**self.given, **filled, "overrides": overrides, "values": json.dumps(reported, sort_keys=True)}

    def chosen(self, notebook: Path) -> dict[str, Any]:
        """The values of the parameters that a chapter declares."""
        return {name: value for name, value in self._values.items() if name in self.declared[notebook]}

    def key(self, notebook: Path) -> str:
        """The hash of all that a chapter's results depend on, without the input, of which it reads only some files."""
        not_program = (self.plugin.noun, "chapters", PAGES)
        program = {group: found for group, found in self.hashes.items() if group not in not_program}
        given = [self.chosen(notebook), self.book.execution(notebook).allow_errors, self.book.settings.get("rests_on")]
        own = next(name for name, file in self.sources["chapters"].items() if file == notebook)
        return files.digest([self.hashes["chapters"][own], *given, program, self._made_with])

    @cached_property
    def book_key(self) -> str:
        """The hash of all that the book depends on."""
        chosen = [(notebook.name, self.chosen(notebook)) for notebook in self.notebooks]
        names = json.loads(files.stored(self.book.cache, OBSERVED) or "[]") if self.plugin.observes else ()
        beside = {name: dependencies.state(self.book.root, name) for name in names}
        return files.digest([self.published, chosen, beside, self._made_with])

    @property
    def _made_with(self) -> object:
        """The version of Python; where chapters are observed, of every package too, as there may be no lock file."""
        return dependencies.versions() if self.plugin.observes else sys.version

    def behind(self, names: Sequence[str]) -> dict[str, str]:
        """The hashes behind names on which a chapter's outputs depend; `EVERYTHING` is all files of the input."""
        whole = dict(self.contents) if EVERYTHING in names else {}
        if self.plugin.observes:
            if whole:
                whole |= self.hashes["chapters"]  # a notebook may read pages, too
            others = (name for name in names if name != EVERYTHING)
            return whole | {
                name: self.contents.get(name) or dependencies.state(self.book.root, name) for name in others
            }
        if whole:
            return whole
        paths = self.plugin.behind(self.input, names)
        inside = tuple(f"{path}/" for path in paths)
        return {name: found for name, found in self.contents.items() if name in paths or name.startswith(inside)}

    def hashed(self) -> Plan:
        """The plan with the files that it depends on and their hashes as of now."""
        sources = _sources(self.book, self.plugin, self.input)
        stamps = {file: files.stamp(file) for group in sources.values() for file in group.values()}
        stamps |= self.book.stamps
        if (size := sum(size for _, size, _ in stamps.values())) > MANY_BYTES:
            print(f"hashing {size / 1e9:,.0f} GB", file=sys.stderr)
        hashes = {group: {name: files.sha256(file) for name, file in found.items()} for group, found in sources.items()}
        return replace(self, sources=sources, stamps=stamps, hashes=hashes)

    def after(self, runs: Collection[ChapterRun]) -> Plan:
        """The plan after chapters ran: call it at once, as files are hashed anew if a chapter wrote any.

        Stores the names of what chapters used, and drops the cached `book_key`, which covers them.
        """
        if not self.plugin.observes:
            return self
        names = {name for run in runs for name in run.rests_on} - self.contents.keys() - {EVERYTHING}
        files.store(self.book.cache, OBSERVED, json.dumps(sorted(names)))
        return self.hashed() if any(run.wrote and not run.reused for run in runs) else replace(self)

    def changed(self, group: str) -> set[str]:
        """The files of a group that were written since they were hashed, even if they have the same content again."""
        return {name for name, file in self.sources[group].items() if files.stamp(file) != self.stamps[file]}

    def require_unchanged(self, runs: Collection[ChapterRun]) -> list[str]:
        """The files that were written since they were hashed, but of which the build used a copy.

        Raises an `InputError` for one without a copy, and for a new file of the book. Where chapters are observed, only those
        files of the input count that a run read and none wrote.
        """
        noun, now, saved = self.plugin.noun, _sources(self.book, self.plugin, self.input), list[str]()
        for group, sources in self.sources.items():
            written = self.changed(group)
            if group == noun and self.plugin.observes:
                read = {name for run in runs for name in run.rests_on}
                written &= read - {name for run in runs for name in run.wrote}
            added = now[group].keys() - sources.keys() if group != noun else set()  # chapters may add to the input
            for name in sorted({*written, *added}):
                where = f"{self.input.name if group == noun else group}/{name}"
                if name in added or sources[name] not in self.copied:
                    raise file_changed(where)
                saved.append(where)
        return saved


def file_changed(file: str) -> InputError:
    """The error for a file that was written during the build."""
    return InputError.one(file, "a file changed during the build", "one left alone", "build again")


def snapshot(plan: Plan, folder: Path) -> Plan:
    """The plan on a copy of its input in an empty folder, so that a build is not affected by what is saved meanwhile.

    Large files are linked to, and a book that is its own input is not copied: `Plan.require_unchanged` finds what was
    written there. Raises an `InputError` when a file is saved while it is copied.
    """
    noun, copy = plan.plugin.noun, folder / plan.input.name
    if plan.input == plan.book.root:
        return plan
    there = plan.plugin.files(plan.book, plan.input)
    stamps = {file: files.stamp(file) for file in there.values()}
    copied = frozenset(file for file, (_, size, _) in stamps.items() if size < LARGE)
    hashes: dict[str, str] = {}
    for name, file in there.items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        if file in copied and file.is_file():
            hashes[name] = files.sha256(Path(shutil.copyfile(file, copy / name)))
        else:
            (copy / name).symlink_to(file)
            hashes[name] = plan.contents.get(name, "")
        if files.stamp(file) != (stamps if file in copied else plan.stamps).get(file):
            raise file_changed(f"{plan.input.name}/{name}")
    (folder / files.ADDRESS).write_bytes(os.fsencode(plan.input))
    return replace(
        plan, input=copy, copied=copied, hashes={**plan.hashes, noun: hashes},
        sources={**plan.sources, noun: there}, stamps={**plan.stamps, **stamps},
    )  # fmt: skip


def make_plan(book: Book, plugin: Plugin, name: str, given: Mapping[str, str]) -> Plan:
    """Plan the build of a book on the input called ``name``, with parameters as text; may raise an `InputError`."""
    for file in book.unlisted:
        print(f"{file.relative_to(book.root)}: not in _toc.yml, so in no book; add it there", file=sys.stderr)
    path = plugin.find(book, name)
    book = book.with_chapters(plugin.chapters(path))
    names = [book.name(file) for file in book.chapters]
    for pattern in book.settings.get("rests_on", {}):
        if not any(fnmatch(page, pattern) for page in names):
            warning = f"pyproject.toml, rests_on: no page is called {pattern!r}; {nearest(pattern, names)}"
            print(warning.rstrip("; "), file=sys.stderr)
    declared = {notebook: parameters(book.read[notebook]) for notebook in book.notebooks}
    filled_in = (*REPORTED, *plugin.filled_in)
    known = {name: each for found in declared.values() for name, each in found.items() if name not in filled_in}
    preset = {key: str(value) for key, value in book.settings.get("parameters", {}).items()}
    return Plan(book, plugin, path, fitted({**preset, **given}, known), declared).hashed()


def _sources(book: Book, plugin: Plugin, path: Path) -> dict[str, dict[str, Path]]:
    """The files that a build depends on, by group and name."""

    def existing(*names: str) -> dict[str, Path]:
        return {name: book.root / name for name in names if (book.root / name).is_file()}

    program = plugin.program(book)
    own = {f"parabook/{name}": file for name, file in files.listed(Path(__file__).parent).items()}
    runner = {f"parabook/{name}": own.pop(f"parabook/{name}") for name in RUNNER}
    static = {f"_static/{name}": file for name, file in files.listed(book.root / "_static").items()}
    pages = own | static | existing("_config.yml", "_toc.yml", "pyproject.toml") | program.get(PAGES, {})
    return {
        plugin.noun: plugin.files(book, path),
        "chapters": {f"{book.name(file)}{file.suffix}": file for file in book.chapters},
        **program,
        "code": runner | program.get("code", {}),
        "requirements": existing("requirements.txt"),
        PAGES: pages,
    }


def is_current(plan: Plan, out: Path) -> bool:
    """Whether a folder already has the very book that this build would make, with all its files."""
    try:
        receipt = json.loads((out / "receipt.json").read_text(encoding="utf-8"))
        if receipt["key"] != plan.book_key:
            return False
        return all(files.hash_files(out / name) == hashes for name, hashes in receipt["outputs"].items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
