"""``datapackage.json`` and the files that it names: what must hold of them before a table is read.

Its form is in ``data/schemas/package.json``, a JSON Schema.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.coding.checks import CONTROL
from analysis.folder import PACKAGE, origin, remote_parts
from analysis.schema import TABLES, is_date, raw, with_own_fields
from analysis.tables import shown_path
from parabook.errors import InputError, Problem, nearest, show

if TYPE_CHECKING:
    from jsonschema import ValidationError

SECOND = "second-"
"""Prefix of a table's name: the same table as the second coder filled it."""

FORMATS = {
    "line": lambda text: not re.search(f"{CONTROL}|[\t\n]", text),
    "text": lambda text: not re.search(CONTROL, text),
    "day": lambda text: not text or is_date(text),
}
"""The formats that ``package.json`` names, each a condition on a text."""


@dataclass(frozen=True)
class Report:
    """The ``report`` object of ``datapackage.json``."""

    declared_interviewees: int | None = None
    collected_at: str = ""
    event_title: str = ""
    event_date: str = ""
    minimum_cell: int = 1
    """The fewest people that a published count may be of."""
    public_source: bool = False
    """Whether everybody can read the source, so that nothing about a person is first published here."""


@dataclass(frozen=True)
class Package:
    """The usable content of a ``datapackage.json``, and what is wrong with the rest."""

    content: Mapping[str, Any]
    report: Report
    tables: Mapping[str, tuple[Path, object]]
    """The files of the tables that can be read, and their embedded schemas, by name."""
    invalid: frozenset[str]
    """Tables and parts of ``datapackage.json`` with errors: what is missing from them is not reported once more."""
    problems: list[Problem]


def read_package(path: Path, *, validated: bool = False) -> Package:
    """The ``datapackage.json`` of an edition's folder; `InputError` where it is no JSON object."""
    content, shown = _json(path / PACKAGE), shown_path(path / PACKAGE)
    errors = [] if validated else _errors({"resources": None, **content})
    problems = [_problem(error, shown) for error in errors]
    wrong = {tuple(error.absolute_path)[:2] for error in errors if not error.schema.get("warning")}
    invalid, tables = {str(part[0]) for part in wrong}, dict[str, tuple[Path, object]]()
    for number, resource in enumerate([] if ("resources",) in wrong else content["resources"]):
        if ("resources", number) not in wrong:
            name, found = resource["name"], list(_resource_problems(path, resource, shown, number + 1, tables))
            problems += found
            if not all(problem.warning for problem in found):
                invalid.add(name)
            elif name.removeprefix(SECOND) in TABLES:
                tables[name] = path / resource["path"], resource.get("schema")
    if "resources" in invalid:
        invalid |= {coder + name for coder in ("", SECOND) for name in TABLES} - tables.keys()
    given = {} if "report" in invalid else content.get("report", {})
    event, declared = given.get("reference_event") or {}, given.get("declared_interviewees")
    report = Report(
        None if declared is None else int(declared), given.get("collected_at") or "", event.get("title") or "",
        event.get("date") or "", int(given.get("minimum_cell", 1)), given.get("public_source", False),
    )  # fmt: skip
    return Package(content, report, tables, frozenset(invalid), problems)


def _json(file: Path) -> dict[str, Any]:
    """Read a JSON object strictly: UTF-8, no key twice, no NaN, no lone surrogates."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        counts = Counter(key for key, _ in pairs)
        if len(counts) < len(pairs):
            raise ValueError(f"key {counts.most_common(1)[0][0]!r} twice")
        return dict(pairs)

    try:
        content = json.loads(file.read_text("utf-8"), object_pairs_hook=unique)
        json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        found, needed = str(error).splitlines()[0], "JSON in UTF-8, of ordinary size, each key once, whole characters"
        raise InputError.one(shown_path(file), found, needed, row=getattr(error, "lineno", None)) from error
    if not isinstance(content, dict):
        raise InputError.one(shown_path(file), json.dumps(content)[:60], "a JSON object")
    return content


def _errors(content: object) -> list[ValidationError]:
    from jsonschema import Draft202012Validator, FormatChecker

    checker = FormatChecker(formats=())
    for name, good in FORMATS.items():
        checker.checks(name)(lambda value, good=good: not isinstance(value, str) or good(value))
    return list(Draft202012Validator(raw("package"), format_checker=checker).iter_errors(content))


def _problem(error: ValidationError, shown: str) -> Problem:
    """A `Problem` for an error of JSON Schema: its path is the column, with list items numbered from one."""
    names = [f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path]
    value, rule = error.instance, error.schema
    found = show(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)[:60]
    hint = rule.get("hint", "") or nearest(value, rule.get("enum", ()))
    column = "".join(names).lstrip(".")
    return Problem(shown, found, rule["needed"], hint, column=column, warning=rule.get("warning", False))


def _resource_problems(
    path: Path, resource: Mapping[str, Any], shown: str, number: int, others: Mapping[str, tuple[Path, object]]
) -> Iterator[Problem]:
    """What is wrong with a table that the package lists, given the tables listed before it, or with its file."""
    name, file, own = resource["name"], resource["path"], resource.get("schema")
    table, target, where = name.removeprefix(SECOND), path / file, f"resources[{number}]"
    if table not in TABLES:
        if hint := nearest(name, TABLES):
            yield Problem(shown, show(name), f"one of {', '.join(TABLES)}", hint, column=where, warning=True)
    elif name in others or os.path.normpath(target) in [os.path.normpath(other) for other, _ in others.values()]:
        found = f"{show(name if name in others else file)} twice"
        yield Problem(shown, found, "each file for one table", column=where)
    elif Path(file).is_absolute() or not _inside(target, path):
        yield Problem(shown, show(file), "a path inside the edition's folder", column=where)
    elif target.is_dir() and not remote_parts(target):
        parts = [part for part in sorted(target.iterdir()) if not part.name.startswith((".", "_"))]
        for part in parts or [target]:  # a file that no table would be read from is a problem
            if part.suffix != ".parquet" or not part.is_file() or not _inside(part, path):
                found, hint = "no Parquet part of this edition", "take it out of the folder"
                yield Problem(shown_path(part), found, "a folder of Parquet parts alone", hint)
    elif not target.is_file() and not remote_parts(target):
        found = "no ordinary file" if target.exists() else "no such file"
        yield Problem(shown_path(target), found, "a CSV or Parquet file", "add it, or take it off the list")
    elif own not in (None, with_own_fields(table, own)):
        found, hint = f"a schema of {name} unlike data/schemas/{table}.json", "run analysis check --embed"
        yield Problem(shown, found, "the same schema", hint, column=where, warning=True)


def _inside(target: Path, folder: Path) -> bool:
    try:
        target.exists()  # raises for a path that no system could have
        return target.resolve().is_relative_to(folder)
    except (OSError, RuntimeError, ValueError):
        return False


def text_file_problems(file: Path) -> Iterator[Problem]:
    """What is wrong with a text that the book prints, the edition's codebook or story, if there is one."""
    shown = shown_path(file)
    if not _inside(file, file.parent) or not file.is_file():
        if os.path.lexists(file):
            yield Problem(shown, "no ordinary file of the edition's folder", "a text file")
        return
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        yield Problem(shown, f"a byte at {error.start} that is not UTF-8", "UTF-8", "save it as UTF-8")
    else:
        if odd := re.search(CONTROL, text):
            row = text[: odd.start()].count("\n") + 1
            yield Problem(shown, show(odd[0]), "text without control characters", "remove it", row=row)


def name_problems(path: Path) -> Iterator[Problem]:
    """Files with names that receipts and pages cannot show."""
    for name in (str(file.relative_to(path)) for file in path.rglob("*")):
        if re.search(f"{CONTROL}|[\ud800-\udfff]", name):
            needed = "file names in UTF-8, without control characters"
            yield Problem(shown_path(path), f"a file named {name!a}", needed, "rename or remove it")


def embed(path: Path) -> bool:
    """Write the schemas of ``data/schemas`` into an edition's ``datapackage.json``; whether anything changed.

    Columns that an edition's schema adds of its own are kept.
    """
    if origin(path):
        hint = "copy it here first"
        raise InputError.one(origin(path), "an address", "a folder on this machine, to write to", hint)
    file = path / PACKAGE
    package = _json(file)
    for resource in package["resources"] if isinstance(package.get("resources"), list) else []:
        table = str(resource.get("name", "")).removeprefix(SECOND) if isinstance(resource, dict) else ""
        if table in TABLES:
            resource["schema"] = with_own_fields(table, resource.get("schema"))
    before, after = file.read_text(encoding="utf-8"), json.dumps(package, indent=2, ensure_ascii=False) + "\n"
    if after != before:
        file.write_text(after, encoding="utf-8")
    return after != before
