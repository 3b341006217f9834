"""Beginning an edition: empty tables to fill by hand, or a notebook that imports an export, drafted from what it holds."""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from analysis.folder import PACKAGE
from analysis.imports.files import read_text
from analysis.imports.highlights import text_tables
from analysis.imports.write import NOTEBOOK, resource
from analysis.publish.draft import TEMPLATES, draft, environment
from analysis.schema import ROOT, TABLES, schema
from analysis.tables import shown_path
from parabook.errors import InputError, show

HOWTO = "HOWTO.md"
STARTED = tuple(name for name in TABLES if name != "settlements")
"""The tables of an empty edition; settled differences need a second coding first."""


def target(name: str, into: Path | None = None) -> Path:
    """The folder that a new edition gets: under ``data/``, in another folder, or the path that the name is.

    Examples
    --------
    >>> target("survey-2024").relative_to(ROOT).as_posix()
    'data/survey-2024'
    >>> target("My survey!")
    Traceback (most recent call last):
    parabook.errors.InputError: NAME: found 'My survey!', needed small letters, digits, - and _, beginning with a letter or digit
    """
    path = Path(name) if "/" in name else (into or ROOT / "data") / name
    if (
        not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", name.rpartition("/")[2])
        or ".." in path.parts
        or ("/" in name and into)
    ):
        raise InputError.one("NAME", show(name), "small letters, digits, - and _, beginning with a letter or digit")
    if not path.parent.is_dir():
        raise InputError.one(path.parent, "no such folder", "a folder to write the edition into", "make it first")
    return path.parent.resolve() / path.name


def start(path: Path, export: Path | None = None, source: Path | None = None) -> tuple[str, str]:
    """Begin an edition in a folder that is new or empty, from `target`: what was read of its export, and what comes next.

    With an `export` a notebook that imports it is drafted, and no table is written yet; else the tables are empty, but
    for the paragraphs of the text that is coded, the `source`. Nothing is written when something stands there already,
    or a file cannot be read (InputError).
    """
    if os.path.lexists(path) and (not path.is_dir() or path.is_symlink() or any(path.iterdir())):
        again = f"; to import the next export, run its {NOTEBOOK} again" if (path / NOTEBOOK).is_file() else ""
        raise InputError.one(shown_path(path), "something that stands there", f"a new name, or an empty folder{again}")
    files, said = _files(path, export, source)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=path.parent) as folder:
        stage = Path(folder) / path.name
        stage.mkdir()
        for name, text in files.items():
            (stage / name).write_text(text, encoding="utf-8")
        stage.replace(path)
    shown = os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
    first = f'look at each cell of {shown}/{NOTEBOOK}, replace every "?", and run it'
    steps = [first if export else f"fill the tables of {shown}, see {HOWTO} there", f"fill {shown}/{PACKAGE}"]
    steps += [f"analysis check {shown}", f"analysis build {shown}"]
    return said, "\n".join([f"{shown}: begun; next:", *(f"  {step}" for step in steps)])


def _files(path: Path, export: Path | None, source: Path | None) -> tuple[dict[str, str], str]:
    """The files of a new edition, and what was read of its export."""
    tables, said = () if export else STARTED, ""
    files = {f"{name}.csv": ",".join(schema(name).columns) + "\n" for name in tables}
    if export:
        files[NOTEBOOK], said = draft(path, export, source)
    elif source:
        files["paragraphs.csv"] = text_tables(read_text(source))["paragraphs"].to_csv(index=False)
    blank: dict[str, Any] = json.loads((TEMPLATES / PACKAGE).read_text(encoding="utf-8"))
    package = {"name": path.name, **blank, "resources": [resource(name) for name in tables]}
    files[PACKAGE] = json.dumps(package, indent=2, ensure_ascii=False) + "\n"
    called = path.name if path.parent == ROOT / "data" else f"path/to/{path.name}"
    howto = environment().get_template("howto.md.j2")
    described = [schema(name) for name in tables or STARTED]
    files[HOWTO] = howto.render(tables=described, notebook=export.name if export else "", called=called)
    return files, said
