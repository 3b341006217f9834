"""A Jupyter Book as its folder describes it: configuration, chapters in order, settings of parabook."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from parabook import files
from parabook.errors import InputError, nearest
from parabook.matrix import fanned_out
from parabook.notebooks import Execution, execution, is_notebook, read

SUFFIXES = (".ipynb", ".md", ".rst")
"""Suffixes of chapters, in the order in which Jupyter Book looks for them."""

NESTED = ("parts", "subtrees", "chapters", "entries", "sections")
"""Keys of a table of contents whose values are lists of entries."""

SETTINGS: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "plugin": (str, "text"),
    "pages": (str, "text"),
    "approved": (str, "text"),
    "jobs": (int, "a whole number"),
    "fail_on_warnings": (bool, "true or false"),
    "timeout": ((int, float), "a number of seconds"),
    "assembly_seconds": ((int, float), "a number of seconds"),
    "preload": (list, "a list"),
    "not_reviewed": (list, "a list"),
    "reviewed_with": (list, "a list"),
    "parameters": (dict, "a table"),
    "matrix": (dict, "a table"),
    "rests_on": (dict, "a table"),
}
"""The settings of ``[tool.parabook]``: the Python type of each, and that type in words."""

CACHE = Path("_build", ".cache")

MATRIX = CACHE / "matrix"
"""The folder of the notebooks that the setting ``matrix`` makes."""


class Sendable:
    """An object that can be pickled while other threads fill in its cached properties."""

    def __getstate__(self) -> dict[str, Any]:
        """A copy, made in one step: pickle iterates over the values, and fails when one is added meanwhile."""
        return dict(self.__dict__)


@dataclass(frozen=True)
class Book(Sendable):
    """A Jupyter Book's folder and the contents of its files, before anything is built."""

    root: Path
    config: Mapping[str, Any]
    """``_config.yml``."""
    chapters: tuple[Path, ...]
    """Files in the order of ``_toc.yml``, the root page first; parts and sections are flattened."""
    settings: Mapping[str, Any]
    """The table ``[tool.parabook]`` of the book's ``pyproject.toml``."""
    contents: Mapping[str, Any] = field(default_factory=dict)
    """``_toc.yml``, with the pages that a matrix makes."""

    own: tuple[Path, ...] = ()
    """Those of the chapters that come with an input and are not in ``_toc.yml``."""

    @classmethod
    def open(cls, root: Path) -> Book:
        """Read the book in a folder; an `InputError` when there is none, or one of its files cannot be read."""
        root = root.resolve()
        if not (root / "_toc.yml").is_file():
            hint = "one of Jupyter Book 2, which has myst.yml, cannot be built" if (root / "myst.yml").exists() else ""
            raise InputError.one(root, "no _toc.yml", "a Jupyter Book", hint)
        table, contents = settings(root), parsed(root / "_toc.yml")
        check_settings(table, pages(contents))
        contents = fanned_out(contents, table.get("matrix", {}), root, root / MATRIX)
        chapters = tuple(file for name in pages(contents) for file in _files(root, name))
        return cls(root, parsed(root / "_config.yml"), chapters, table, contents)

    def with_chapters(self, own: Sequence[Path]) -> Book:
        """The book with the chapters of an input at its end, which ``_toc.yml`` does not name."""
        if not own:
            return self
        stems = {file.stem for file in self.chapters}
        for file in own:
            if file.stem in stems:
                raise InputError.one(file, "the name of a chapter of the book", "a name of its own", "rename it")
        return replace(self, chapters=(*self.chapters, *own), own=tuple(own))

    @property
    def cache(self) -> Path:
        """The folder of cached results. Deleting it costs time and nothing else."""
        return self.root / CACHE

    @cached_property
    def stamps(self) -> dict[Path, tuple[int, ...]]:
        """Inode, size and time of change of each chapter, taken before it is read."""
        return {file: files.stamp(file) for file in self.chapters}

    @cached_property
    def read(self) -> dict[Path, dict[str, Any]]:
        """The chapters that are notebooks, parsed."""
        return {file: read(file, self.cache) for file in self.stamps if is_notebook(file)}

    @property
    def unlisted(self) -> tuple[Path, ...]:
        """Notebooks that ``_toc.yml`` does not name, in folders of chapters other than the root: probably forgotten."""
        folders = {file.parent for file in self.chapters if file not in self.own} - {self.root}
        beside = {file for folder in folders for file in folder.glob("[!.]*.ipynb")}
        return tuple(sorted(beside - {*self.chapters}))

    @cached_property
    def notebooks(self) -> tuple[Path, ...]:
        """The chapters that are run."""
        return tuple(file for file in self.read if self.execution(file).runs)

    def execution(self, notebook: Path) -> Execution:
        """How a notebook is run."""
        return execution(self.config, self.settings, notebook, self.read[notebook])

    def place(self, file: Path) -> Path:
        """Where a chapter belongs in the book's folder; a notebook that a matrix makes, beside its original."""
        top = self.root / MATRIX
        return self.root / file.relative_to(top) if file.is_relative_to(top) else file

    def name(self, file: Path) -> str:
        """A chapter's name: its path without suffix, from the folder of the setting ``pages`` if it is in there."""
        if file in self.own:
            return file.stem
        path = Path(os.path.relpath(self.place(file), self.root)).with_suffix("")
        top = self.settings.get("pages")
        return (path.relative_to(top) if top and path.is_relative_to(top) else path).as_posix()


def pages(entry: Mapping[str, Any]) -> Iterator[str]:
    """The files that a table of contents names, in the order of reading."""
    if name := entry.get("root") or entry.get("file") or entry.get("glob"):
        yield str(name)
    for key in NESTED:
        for each in entry.get(key) or ():
            yield from pages(each)


def settings(root: Path) -> dict[str, Any]:
    """The table ``[tool.parabook]`` of a folder's ``pyproject.toml``; empty when there is none."""
    table: dict[str, Any] = parsed(root / "pyproject.toml").get("tool", {}).get("parabook", {})
    return table


def check_settings(table: Mapping[str, Any], named: Iterable[str]) -> None:
    """Raise an `InputError` for an unknown setting, a value of the wrong type, or a matrix of a page not ``named``."""
    where = "pyproject.toml, [tool.parabook]"
    for name, value in table.items():
        if name not in SETTINGS:
            raise InputError.one(where, repr(name), f"one of {', '.join(SETTINGS)}", nearest(name, SETTINGS))
        kind, needed = SETTINGS[name]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise InputError.one(f"{where} {name}", repr(value), needed)
    for page, globs in table.get("rests_on", {}).items():
        if not isinstance(globs, list) or not all(isinstance(each, str) for each in globs):
            raise InputError.one(f"{where} rests_on of {page}", repr(globs), 'a list of paths, as ["data/*.csv"]')
    known = {str(Path(name).with_suffix("")) if name.endswith(SUFFIXES) else name for name in named}
    for page in table.get("matrix", {}):
        if page not in known:
            hint = nearest(page, known)
            raise InputError.one(f"{where} matrix", repr(page), "a page of _toc.yml, without suffix", hint)


def _files(root: Path, name: str) -> list[Path]:
    for suffix in ("", *SUFFIXES):
        if (file := root / f"{name}{suffix}").is_file():
            return [file]
    if "*" in name:
        return sorted(
            {file for suffix in ("", *SUFFIXES) for file in root.glob(f"{name}{suffix}") if file.suffix in SUFFIXES}
        )
    raise InputError.one("_toc.yml", repr(name), "the name of a file of the book")


def parsed(file: Path) -> dict[str, Any]:
    """The contents of a YAML or TOML file; empty when there is no such file.

    From the cache, as importing the parsers takes a sixth of the time of a build with nothing to do.
    """
    cache, entry = file.parent / CACHE, f"parsed/{file.name}"
    try:
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        cached = json.loads(files.stored(cache, entry) or "[]")
        found = cached[1] if cached[:1] == [text] else _parse(text, file.suffix) if text else {}
    except ValueError as error:
        raise InputError.one(file, str(error).splitlines()[0], "a file that can be read") from error
    if not isinstance(found, dict):
        raise InputError.one(file, "no keys and values", "a file of keys and values")
    with contextlib.suppress(TypeError):  # JSON has no dates, say
        if cached != [text, found] == json.loads(json.dumps([text, found])):
            files.store(cache, entry, json.dumps([text, found]))
    return found


def _parse(text: str, suffix: str) -> Any:
    if suffix == ".toml":
        import tomllib

        return tomllib.loads(text)
    import yaml

    try:
        return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # the faster one, where it is compiled
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise ValueError(f"an error{where} ({getattr(error, 'problem', None) or error})") from error
