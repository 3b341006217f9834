"""A Jupyter Book as its folder describes it: configuration, chapters in order, settings for this program."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from parabook import files
from parabook.errors import InputError

SUFFIXES = (".ipynb", ".md", ".rst")
"""What a chapter's file may end in, in the order in which Jupyter Book looks for it."""

NESTED = ("parts", "subtrees", "chapters", "entries", "sections")
"""The keys of a table of contents under which further entries lie."""


CACHE = Path("_build", ".cache")


@dataclass(frozen=True)
class Book:
    """A book that has not been built: where it lies and what its files say."""

    root: Path
    config: Mapping[str, Any]
    """``_config.yml``."""
    chapters: tuple[Path, ...]
    """Files in the order of ``_toc.yml``, the root page first; parts and sections are flattened."""
    settings: Mapping[str, Any]
    """The table ``[tool.parabook]`` of the book's ``pyproject.toml``."""

    own: tuple[Path, ...] = ()
    """Those of the chapters that only the book of one input has."""

    @classmethod
    def open(cls, root: Path) -> Book:
        """Read the book in a folder; an error where there is none, or a file of it cannot be read."""
        root = root.resolve()
        if not (root / "_toc.yml").is_file():
            raise InputError.one(root, "no _toc.yml", "a Jupyter Book")
        chapters = tuple(_file(root, name) for name in pages(_parsed(root / "_toc.yml")))
        return cls(root, _parsed(root / "_config.yml"), chapters, settings(root))

    def with_chapters(self, own: Sequence[Path]) -> Book:
        """The book with further chapters at its end, which ``_toc.yml`` does not name: those of one input alone."""
        stems = {file.stem for file in self.chapters}
        for file in own:
            if file.stem in stems:
                raise InputError.one(file, "the name of a chapter of the book", "a name of its own", "rename it")
        return replace(self, chapters=(*self.chapters, *own), own=tuple(own))

    @property
    def cache(self) -> Path:
        """The folder of what earlier builds found out. Deleting it costs time and nothing else."""
        return self.root / CACHE

    @property
    def unlisted(self) -> tuple[Path, ...]:
        """Notebooks beside the chapters that ``_toc.yml`` does not name, so that no book has them."""
        folders = {file.parent for file in self.chapters if file not in self.own} - {self.root}
        return tuple(sorted({file for folder in folders for file in folder.glob("[!.]*.ipynb")} - {*self.chapters}))

    @property
    def notebooks(self) -> tuple[Path, ...]:
        """The chapters that are run."""
        return tuple(file for file in self.chapters if file.suffix == ".ipynb")


def pages(entry: Mapping[str, Any]) -> Iterator[str]:
    """The files that a table of contents names, in the order of reading."""
    if name := entry.get("root") or entry.get("file"):
        yield str(name)
    for key in NESTED:
        for each in entry.get(key) or ():
            yield from pages(each)


def settings(root: Path) -> dict[str, Any]:
    """The table ``[tool.parabook]`` of a folder's ``pyproject.toml``; empty where there is none."""
    table: dict[str, Any] = _parsed(root / "pyproject.toml").get("tool", {}).get("parabook", {})
    return table


def _file(root: Path, name: str) -> Path:
    for suffix in ("", *SUFFIXES):
        if (file := root / f"{name}{suffix}").is_file():
            return file
    raise InputError.one("_toc.yml", repr(name), "the name of a file of the book")


def _parsed(file: Path) -> dict[str, Any]:
    """The keys and values of a file, none where there is no such file; from the cache, as parsers take long to load."""
    cache, entry = file.parent / CACHE, f"parsed/{file.name}"
    try:
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        known = json.loads(files.stored(cache, entry) or "[]")
        found = known[1] if known[:1] == [text] else _parse(text, file.suffix) if text else {}
    except ValueError as error:
        raise InputError.one(file, str(error).splitlines()[0], "a file that can be read") from error
    if not isinstance(found, dict):
        raise InputError.one(file, "no keys and values", "a file of keys and values")
    with contextlib.suppress(TypeError):  # dates, say, are none of JSON's
        if known != [text, found] == json.loads(json.dumps([text, found])):
            files.store(cache, entry, json.dumps([text, found]))
    return found


def _parse(text: str, suffix: str) -> Any:
    if suffix == ".toml":
        import tomllib

        return tomllib.loads(text)
    import yaml

    try:
        return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # the one in C, where it is there
    except yaml.YAMLError as error:
        raise ValueError(error) from error
