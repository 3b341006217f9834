"""``datapackage.json`` and the files that it names: what must hold of them before a table is read.

Its form is in ``data/schemas/package.json``, a JSON Schema.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.coding.checks import CONTROL
from analysis.csvfile import nearest_name
from analysis.folder import PACKAGE, origin, remote_parts
from analysis.schema import TABLES, raw, with_own_fields
from analysis.tables import is_date, shown_path
from parabook.errors import InputError, Problem, nearest, show

if TYPE_CHECKING:
    from jsonschema import ValidationError

SECOND = "second-"
"""Before a table's name: the same table as the second coder filled it."""

LONGEST_PATH = 200


@dataclass(frozen=True)
class Report:
    """The ``report`` object of ``datapackage.json``."""

    declared_interviewees: int | None = None
    collected_at: str = ""
    event_title: str = ""
    event_date: str = ""
    minimum_cell: int = 1
    """The fewest people that a published count may stand for."""
    public_source: bool = False
    """Whether everybody can read the source, so that nothing about a person is first published here."""


@dataclass(frozen=True)
class Package:
    """What ``datapackage.json`` says, as far as it can be used."""

    content: Mapping[str, Any]
    report: Report
    tables: Mapping[str, tuple[Path, object]]
    """The files of the tables that can be read, and their embedded schemas, by name."""
    listed: frozenset[str]
    """The tables that are meant to be there, misspelled or unreadable ones included."""
    problems: list[Problem]


def read_package(path: Path, *, validated: bool = False) -> Package:
    """The ``datapackage.json`` of an edition's folder; `InputError` where it is no JSON object."""
    content, problems = _json(path / PACKAGE)
    shown = shown_path(path / PACKAGE)
    wrong: set[tuple[str | int, ...]] = set()
    for error in () if validated else _errors(content):
        problems += _schema_problems(error, shown)
        if not error.schema.get("warning") and error.validator != "additionalProperties":
            wrong.add(tuple(error.absolute_path)[:2])
    report = {} if ("report",) in wrong else content.get("report", {})
    given = {key: value for key, value in report.items() if ("report", key) not in wrong}
    resources = content.get("resources") if ("resources",) not in wrong else []
    listed = [(n, each) for n, each in enumerate(resources or ()) if ("resources", n) not in wrong]
    known = [*TABLES, *(SECOND + table for table in TABLES)]
    tables = _tables(path, listed, shown, problems)
    meant = {nearest_name(each["name"], known) for _, each in listed}
    return Package(content, _report(given), tables, frozenset(meant), problems)


def _json(file: Path) -> tuple[dict[str, Any], list[Problem]]:
    """A JSON object, strictly: each key once, no NaN, whole characters."""
    shown = shown_path(file)
    problems: list[Problem] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        for key, times in Counter(key for key, _ in pairs).items():
            if times > 1:
                found = f"key {show(key)} {times} times"
                problems.append(Problem(shown, found, "each key once", "remove one", column=key))
        return dict(pairs)

    def no_number(text: str) -> None:
        problems.append(Problem(shown, text, "a number of JSON"))

    try:
        content = json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=unique, parse_constant=no_number)
        json.dumps(content, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError([not_utf8(shown, error)]) from error
    except UnicodeEncodeError as error:
        raise InputError.one(shown, "half of a surrogate pair", "whole characters", "retype the text") from error
    except json.JSONDecodeError as error:
        raise InputError.one(shown, error.msg, "JSON", "correct it there", row=error.lineno) from error
    except (ValueError, RecursionError) as error:
        raise InputError.one(shown, str(error).split(";")[0].splitlines()[0], "JSON of an ordinary size") from error
    if not isinstance(content, dict):
        raise InputError.one(shown, json.dumps(content)[:60], "a JSON object")
    return content, problems


def not_utf8(shown: str, error: UnicodeDecodeError) -> Problem:
    """The problem of a text file in another encoding."""
    return Problem(shown, f"a byte at {error.start} that is not UTF-8", "UTF-8", "save it as UTF-8")


FORMATS = {
    "line": lambda text: not re.search(f"{CONTROL}|[\t\n]", text),
    "text": lambda text: not re.search(CONTROL, text),
    "day": lambda text: not text or is_date(text),
}
"""What the formats of ``package.json`` ask of a text."""


def _errors(content: object) -> Iterable[ValidationError]:
    from jsonschema import Draft202012Validator, FormatChecker

    checker = FormatChecker(formats=())
    for name, good in FORMATS.items():
        checker.checks(name)(lambda value, good=good: not isinstance(value, str) or good(value))
    errors: Iterable[ValidationError] = Draft202012Validator(raw("package"), format_checker=checker).iter_errors(
        content
    )
    return errors


def _schema_problems(error: ValidationError, shown: str) -> Iterator[Problem]:
    """An error of JSON Schema as problems: the path in it as the column, list items numbered from one."""
    names = [f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path]
    column = "".join(names).lstrip(".") or None
    needed, hint, warning = (error.schema.get(key, "") for key in ("needed", "hint", "warning"))
    value = error.instance
    found = show(value) if isinstance(value, str) and value.strip() else json.dumps(value, ensure_ascii=False)
    if error.validator == "additionalProperties":
        known = list(error.schema["properties"])
        for extra in sorted(value.keys() - set(known)):
            yield Problem(shown, show(extra), f"one of {', '.join(known)}", nearest(extra, known), column=column)
    elif error.validator == "required" and column is None:
        yield Problem(shown, "no resources", "a list of tables", column="resources")
    else:
        found = "nothing" if warning else found if len(found) < 80 else show(found)
        yield Problem(shown, found, needed, hint, column=column, warning=bool(warning))


def _report(given: Mapping[str, Any]) -> Report:
    """The report object; what was found wrong with it counts as left out."""
    event = given.get("reference_event") or {}
    declared = given.get("declared_interviewees")
    return Report(
        declared_interviewees=None if declared is None else int(declared),
        collected_at=given.get("collected_at") or "",
        event_title=event.get("title") or "",
        event_date=event.get("date") or "",
        minimum_cell=int(given.get("minimum_cell", 1)),
        public_source=given.get("public_source", False),
    )


def _tables(
    path: Path, listed: Iterable[tuple[int, Mapping[str, Any]]], shown: str, problems: list[Problem]
) -> dict[str, tuple[Path, object]]:
    """The files of the listed tables and their embedded schemas, by table. Problems are added to the list."""
    tables: dict[str, tuple[Path, object]] = {}
    seen: set[str] = set()
    for number, resource in listed:
        name, file, where = resource["name"], resource["path"], f"resources[{number + 1}]"
        table, own, normal = name.removeprefix(SECOND), resource.get("schema"), os.path.normpath(file)
        if table not in TABLES:
            if hint := nearest(name, TABLES):
                wanted = f"one of {', '.join(TABLES)}"
                problems.append(Problem(shown, show(name), wanted, hint, column=where, warning=True))
            continue
        if name in seen or normal in seen:
            found = f"{show(name if name in seen else file)} twice"
            problems.append(Problem(shown, found, "each file for one table", column=where))
        elif wrong := _file_problem(path, file, shown, where):
            problems.append(wrong)
        else:
            tables[name] = path / file, own
            if own not in (None, with_own_fields(table, own)):
                found, hint = f"a schema of {name} unlike data/schemas/{table}.json", "run analysis check --embed"
                problems.append(Problem(shown, found, "the same schema", hint, column=where, warning=True))
        seen |= {name, normal}
    return tables


def _inside(target: Path, folder: Path) -> bool:
    try:
        return target.resolve().is_relative_to(folder)
    except (OSError, RuntimeError):  # links in a circle
        return False


def _file_problem(path: Path, file: str, shown: str, where: str) -> Problem | None:
    """Why a table's file cannot be one, if it cannot."""
    target = path / file
    if "\0" in file or len(file) > LONGEST_PATH:
        return Problem(shown, show(file), "a path of ordinary characters and length", column=where)
    if Path(file).is_absolute() or not _inside(target, path):
        return Problem(shown, show(file), "a path inside the edition's folder", column=where)
    if not target.exists():
        hint = "add it, or take it off the list"
        missing = Problem(shown_path(target), "no such file", "the table that datapackage.json lists", hint)
        return None if remote_parts(target) else missing
    if not target.is_dir():
        return None if target.is_file() else Problem(shown_path(target), "no ordinary file", "a CSV or Parquet file")
    return None if remote_parts(target) else _folder_problem(target, path)


def _folder_problem(target: Path, path: Path) -> Problem | None:
    """Why a folder is no table, if it is none: whatever lies in it and would be ignored is a problem."""
    parts = [part for part in sorted(target.iterdir()) if not part.name.startswith((".", "_"))]
    if not any(part.suffix == ".parquet" for part in parts):
        return Problem(shown_path(target), "a folder", "a CSV or Parquet file, or a folder of Parquet parts")
    for part in (part for part in parts if part.suffix != ".parquet" or not part.is_file() or not _inside(part, path)):
        found, hint = "no Parquet part of this edition", "take it out of the folder"
        return Problem(shown_path(part), found, "Parquet parts only", hint)
    return None


def text_file_problems(file: Path) -> Iterator[Problem]:
    """What is wrong with a text of the edition that the book prints: its codebook, its story."""
    shown = shown_path(file)
    if (file.exists() or file.is_symlink()) and (not _inside(file, file.parent) or not file.is_file()):
        yield Problem(shown, "no ordinary file of the edition's folder", "a text file")
        return
    try:
        text = file.read_text(encoding="utf-8") if file.exists() else ""
    except UnicodeDecodeError as error:
        yield not_utf8(shown, error)
    else:
        if odd := re.search(CONTROL, text):
            row = text[: odd.start()].count("\n") + 1
            yield Problem(shown, show(odd[0]), "text without control characters", "remove it", row=row)


def name_problems(path: Path) -> Iterator[Problem]:
    """Files whose names no receipt could carry."""
    for file in path.rglob("*"):
        name = str(file.relative_to(path))
        if name != name.encode("utf-8", "replace").decode():
            yield Problem(shown_path(path), f"a file named {name!a}", "file names in UTF-8", "rename or remove it")


def embed(path: Path) -> bool:
    """Write the schemas of ``data/schemas`` into an edition's ``datapackage.json``; whether anything changed.

    Columns that an edition's schema adds of its own are kept.
    """
    if origin(path):
        hint = "copy it here first"
        raise InputError.one(origin(path), "an address", "a folder on this machine, to write to", hint)
    file = path / PACKAGE
    package, _ = _json(file)
    for resource in package["resources"] if isinstance(package.get("resources"), list) else []:
        table = str(resource.get("name", "")).removeprefix(SECOND) if isinstance(resource, dict) else ""
        if table in TABLES:
            resource["schema"] = with_own_fields(table, resource.get("schema"))
    before, after = file.read_text(encoding="utf-8"), json.dumps(package, indent=2, ensure_ascii=False) + "\n"
    if after != before:
        file.write_text(after, encoding="utf-8")
    return after != before
