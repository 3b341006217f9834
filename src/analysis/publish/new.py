"""Beginning an edition: empty tables to fill by hand, or a notebook that imports an export, drafted from what it holds."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from analysis.folder import PACKAGE
from analysis.imports.exports import read_text
from analysis.imports.highlights import text_tables
from analysis.imports.write import NOTEBOOK, resource
from analysis.publish.draft import TEMPLATES, draft, render
from analysis.schema import ROOT, TABLES, schema
from analysis.tables import shown_path
from parabook.errors import InputError, show

HOWTO: Final = "HOWTO.md"
STARTED: Final = tuple(name for name in TABLES if name != "settlements")
"""The tables of an empty edition; settled differences need a second coding first."""


@dataclass(frozen=True)
class Created:
    """What was begun: notes for the one who asked, and a text that says what comes next."""

    notes: tuple[str, ...]
    text: str


def target(name: str, into: Path | None = None) -> Path:
    """The folder that a new edition gets: under ``data/``, in another folder, or the path that the name is.

    Examples
    --------
    >>> target("survey-2024").relative_to(ROOT).as_posix()
    'data/survey-2024'
    >>> target("My survey!")
    Traceback (most recent call last):
    parabook.errors.InputError: NAME: found 'My survey!', needed small letters, digits, - and _, beginning with a letter or digit; such as 'my-survey'
    """
    path = Path(name)
    if "/" in name and into:
        raise InputError.one("NAME", show(name), "a plain name beside --into", "put the folder into --into")
    if ".." in path.parts:
        raise InputError.one("NAME", show(name), "a path without ..", "name the folder with --into")
    plain = path.name if "/" in name else name
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", plain):
        better = re.sub(r"[^a-z0-9]+", "-", plain.casefold()).strip("-")[:64]
        needed = "small letters, digits, - and _, beginning with a letter or digit"
        raise InputError.one("NAME", show(name), needed, f"such as {better!r}" if better else "")
    folder = path.parent if "/" in name else into or ROOT / "data"
    if not folder.is_dir():
        raise InputError.one(folder, "no such folder", "a folder to write the edition into", "make it first")
    return folder.resolve() / plain


def start(path: Path, export: Path | None = None, source: Path | None = None) -> Created:
    """Begin an edition in a folder that is new or empty.

    Parameters
    ----------
    path : Path
        From `target`.
    export : Path, optional
        What the edition is to be filled from: a notebook that imports it is drafted, and no table is written yet.
    source : Path, optional
        The text that is coded. Without an export its paragraphs are written, the other tables empty.

    Raises
    ------
    InputError
        When something stands there already, or a file cannot be read; nothing is written then.
    """
    _refuse_taken(path)
    called = path.name if path.parent == ROOT / "data" else f"path/to/{path.name}"
    shown = os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
    notes: tuple[str, ...] = ()
    tables: tuple[str, ...] = STARTED
    if export:
        notebook, said = draft(path, export, source)
        notes, tables = (said,), ()
        steps = [f'look at each cell of {os.path.join(shown, NOTEBOOK)}, replace every "?", and run it']
    else:
        steps = [f"fill the tables of {shown}, see {HOWTO} there"]
    filled = text_tables(read_text(source)) if source and not export else {}
    with _staged(path) as stage:
        for name in tables:
            columns = list(schema(name).columns)
            table = filled[name].to_csv(index=False) if name in filled else ",".join(columns) + "\n"
            (stage / f"{name}.csv").write_text(table, encoding="utf-8")
        if export:
            (stage / NOTEBOOK).write_text(notebook, encoding="utf-8")
        package = json.dumps(described(path.name, tables), indent=2, ensure_ascii=False)
        (stage / PACKAGE).write_text(package + "\n", encoding="utf-8")
        context = {"notebook": export.name if export else "", "called": called}
        howto = render("howto.md.j2", tables=[schema(name) for name in tables or STARTED], **context)
        (stage / HOWTO).write_text(howto, encoding="utf-8")
    steps += [f"fill {os.path.join(shown, PACKAGE)}", f"analysis check {shown}", f"analysis build {shown}"]
    return Created(notes, "\n".join([f"{shown}: begun; next:", *(f"  {step}" for step in steps)]))


def described(name: str, tables: tuple[str, ...]) -> dict[str, Any]:
    """The ``datapackage.json`` of a new edition: blank where a person must say.

    Examples
    --------
    >>> [each["path"] for each in described("x", ("places",))["resources"]]
    ['places.csv']
    """
    blank: dict[str, Any] = json.loads((TEMPLATES / "datapackage.json").read_text(encoding="utf-8"))
    return {"name": name, **blank, "resources": [resource(table) for table in tables]}


def _refuse_taken(path: Path) -> None:
    """Refuse a place where something stands already."""
    if path.is_dir() and not path.is_symlink() and not any(path.iterdir()):
        return
    if (path / PACKAGE).is_file():
        again = f"; to import the next export, run its {NOTEBOOK} again" if (path / NOTEBOOK).is_file() else ""
        raise InputError.one(shown_path(path), "an edition", f"a new name{again}")
    if os.path.lexists(path):
        found = "a folder that is not empty" if path.is_dir() else "a file"
        raise InputError.one(shown_path(path), found, "a new name, or an empty folder")


@contextmanager
def _staged(path: Path) -> Iterator[Path]:
    """A folder to write an edition in, which takes its place once all is written and is gone if anything fails."""
    folder = Path(tempfile.mkdtemp(prefix=".new-", dir=path.parent))
    try:
        stage = folder / path.name
        stage.mkdir()
        yield stage
        if path.is_dir():
            path.rmdir()
        stage.rename(path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
