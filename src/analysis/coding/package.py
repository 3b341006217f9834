"""``datapackage.json`` and the files that it names: what must hold of them before a table is read."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis import fetch
from analysis.coding.checks import CONTROL
from analysis.csvfile import nearest_name
from analysis.folder import PACKAGE
from analysis.schema import TABLES, with_own_fields
from analysis.tables import is_date, shown_path
from parabook.errors import InputError, Problem, nearest, show

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


def read_package(file: Path) -> tuple[dict[str, Any] | None, list[Problem]]:
    """The JSON object of ``datapackage.json``, strictly, and what is wrong with its descriptive properties."""
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
        text = file.read_text(encoding="utf-8")
        package = json.loads(text, object_pairs_hook=unique, parse_constant=no_number)
        json.dumps(package, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as error:
        return None, [not_utf8(shown, error)]
    except UnicodeEncodeError:
        return None, [Problem(shown, "half of a surrogate pair", "whole characters", "retype the text")]
    except json.JSONDecodeError as error:
        return None, [Problem(shown, error.msg, "JSON", "correct it there", row=error.lineno)]
    except (ValueError, RecursionError) as error:
        return None, [Problem(shown, str(error).split(";")[0].splitlines()[0], "JSON of an ordinary size")]
    if not isinstance(package, dict):
        return None, [Problem(shown, show(json.dumps(package)), "a JSON object")]
    return package, [*problems, *_metadata_problems(package, shown)]


def not_utf8(shown: str, error: UnicodeDecodeError) -> Problem:
    """The problem of a text file in another encoding."""
    return Problem(shown, f"a byte at {error.start} that is not UTF-8", "UTF-8", "save it as UTF-8")


def _metadata_problems(package: Mapping[str, Any], shown: str) -> Iterator[Problem]:
    for key in ("name", "title", "description", "homepage", "created"):
        yield from _text_problems(package.get(key, ""), shown, key, lines=key == "description")
    home = package.get("homepage") or ""
    if isinstance(home, str) and home and not re.fullmatch(r"https?://[^\s<>\"']+", home):
        yield Problem(shown, show(home), "an address that begins with http:// or https://", column="homepage")
    for key, kind in (("licenses", "name"), ("sources", "title"), ("contributors", "title")):
        yield from _list_problems(package, key, kind, shown)
    for key in ("title", "description"):
        if isinstance(package.get(key), str) and not package[key].strip():
            yield Problem(shown, "nothing", f"a {key}, which the book prints", "fill it in", column=key, warning=True)


def _list_problems(package: Mapping[str, Any], key: str, kind: str, shown: str) -> Iterator[Problem]:
    given = package.get(key, [])
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        yield Problem(shown, show(json.dumps(given)), f"a list of objects with a {kind}", column=key)
        return
    for number, each in enumerate(given, 1):
        for part in ("name", "title", "path", "role", "email", "organization"):
            yield from _text_problems(each.get(part, ""), shown, f"{key}[{number}].{part}")
    if key in package and not any(str(each.get("title", "")).strip() for each in given):
        wanted = f"titles of {key}, which the book prints"
        yield Problem(shown, "nothing", wanted, "fill them in", column=key, warning=True)


def _text_problems(given: object, shown: str, column: str, *, lines: bool = False) -> Iterator[Problem]:
    """Why a value of the package is no text that a page can show; a title stands on one line."""
    if not isinstance(given, str):
        yield Problem(shown, show(json.dumps(given)), "text", column=column)
    elif re.search(CONTROL, given) or (not lines and re.search(r"[\t\n]", given)):
        wanted = "text without control characters" if lines else "text on one line, without control characters"
        yield Problem(shown, show(given), wanted, "retype it", column=column)


def read_report(package: Mapping[str, Any], file: str) -> tuple[Report, list[Problem]]:
    """The report object and its problems; what is wrong counts as left out."""
    given = package.get("report", {})
    if not isinstance(given, dict):
        return Report(), [Problem(file, show(json.dumps(given)), "an object", column="report")]
    problems: list[Problem] = []
    known = ("collected_at", "declared_interviewees", "minimum_cell", "public_source", "reference_event")
    for extra in sorted(given.keys() - set(known)):
        problems.append(
            Problem(file, show(extra), f"one of {', '.join(known)}", nearest(extra, known), column="report")
        )

    def valid(name: str, value: Any, good: bool, wanted: str, default: Any) -> Any:
        if good:
            return value
        found = show(value) if isinstance(value, str) else json.dumps(value)
        problems.append(Problem(file, found if len(found) < 80 else show(found), wanted, column=f"report.{name}"))
        return default

    def integer(value: object, least: int) -> bool:
        return type(value) is int and least <= value < 10**12

    declared, place, event = (given.get(name) for name in ("declared_interviewees", "collected_at", "reference_event"))
    minimum, public = given.get("minimum_cell", 1), given.get("public_source", False)
    whole = "a whole number, or leave it out"
    declared = valid("declared_interviewees", declared, declared is None or integer(declared, 0), whole, None)
    minimum = valid("minimum_cell", minimum, integer(minimum, 1), "a whole number from 1", 1)
    public = valid("public_source", public, isinstance(public, bool), "true or false", False)
    identifier = "the identifier of a place, as text"
    place = valid("collected_at", place, place is None or isinstance(place, str), identifier, "")
    is_object = event is None or isinstance(event, dict)
    event = valid("reference_event", event, is_object, "an object with title and date", {}) or {}
    title, day = event.get("title") or "", event.get("date") or ""
    problems += _text_problems(title, file, "report.reference_event.title")
    day = valid("reference_event.date", day, day == "" or is_date(day), "a date as YYYY-MM-DD", "")
    return Report(declared, place or "", str(title), str(day), minimum, public), problems


def listed_tables(package: Mapping[str, Any]) -> set[str]:
    """The tables that a package means to have, misspelled or unreadable ones included."""
    resources = package.get("resources")
    names = [each.get("name") for each in resources if isinstance(each, dict)] if isinstance(resources, list) else []
    known = [*TABLES, *(SECOND + table for table in TABLES)]
    return {near for name in names if isinstance(name, str) and (near := nearest_name(name, known))}


def resources(path: Path, package: Mapping[str, Any], problems: list[Problem]) -> Iterator[tuple[str, Path, object]]:
    """The tables that the package lists: name, file, embedded schema. Problems are added to the list."""
    shown = shown_path(path / PACKAGE)
    listed = package.get("resources")
    if not isinstance(listed, list) or not listed:
        problems.append(Problem(shown, "no resources", "a list of tables", column="resources"))
        return
    seen: dict[str, str] = {}
    for number, resource in enumerate(listed, 1):
        where = f"resources[{number}]"
        name, file = (resource.get(key) if isinstance(resource, dict) else None for key in ("name", "path"))
        if not (isinstance(name, str) and isinstance(file, str) and name and file):
            problems.append(Problem(shown, show(resource), "a name and a path", column=where))
            continue
        table = name.removeprefix(SECOND)
        if table not in TABLES:
            if hint := nearest(name, TABLES):
                wanted = f"one of {', '.join(TABLES)}"
                problems.append(Problem(shown, show(name), wanted, hint, column=where, warning=True))
            continue
        normal = os.path.normpath(file)
        if name in seen:
            problems.append(Problem(shown, f"{show(name)} twice", "each table once", column=where))
            continue
        if normal in seen.values():
            problems.append(Problem(shown, f"{show(file)} twice", "each file for one table", column=where))
        elif wrong := _file_problem(path, file, shown, where):
            problems.append(wrong)
        else:
            yield name, path / file, resource.get("schema")
        seen[name] = normal
        embedded = resource.get("schema")
        if embedded is not None and embedded != with_own_fields(table, embedded):
            found, hint = (
                f"a schema of {name} unlike data/schemas/{table}.json",
                "run analysis check --embed to copy it anew",
            )
            problems.append(Problem(shown, found, "the same schema", hint, column=where, warning=True))


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
    if fetch.remote_parts(target):
        return None
    if not target.exists():
        hint = "add it, or take it off the list"
        return Problem(shown_path(target), "no such file", "the table that datapackage.json lists", hint)
    if target.is_dir():
        return _folder_problem(target, path)
    return None if target.is_file() else Problem(shown_path(target), "no ordinary file", "a CSV or Parquet file")


def _folder_problem(folder: Path, path: Path) -> Problem | None:
    """Why a folder is no table, if it is none: whatever lies in it and would be ignored is reported."""
    parts = [part for part in sorted(folder.iterdir()) if not part.name.startswith((".", "_"))]
    if not any(part.suffix == ".parquet" for part in parts):
        return Problem(shown_path(folder), "a folder", "a CSV or Parquet file, or a folder of Parquet parts")
    for part in parts:
        if part.is_dir():
            found, hint = "a folder inside a table's folder", "move its parts up"
            return Problem(shown_path(part), found, "Parquet parts only", hint)
        if part.suffix != ".parquet" or not part.is_file() or not _inside(part, path):
            found, hint = "no Parquet part of this edition", "take it out of the folder"
            return Problem(shown_path(part), found, "Parquet parts only", hint)
    return None


def text_file_problems(file: Path) -> Iterator[Problem]:
    """What is wrong with a text of the edition that the book prints: its codebook, its story."""
    shown = shown_path(file)
    if not file.exists() and not file.is_symlink():
        return
    if not _inside(file, file.parent) or not file.is_file():
        yield Problem(shown, "no ordinary file of the edition's folder", "a text file")
        return
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        yield not_utf8(shown, error)
    except OSError as error:
        yield Problem(shown, error.strerror or "an error", "a file that can be read")
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
    if fetch.origin(path):
        hint = "copy it here first"
        raise InputError.one(fetch.origin(path), "an address", "a folder on this machine, to write to", hint)
    file = path / PACKAGE
    package, problems = read_package(file)
    if package is None:
        raise InputError(problems)
    before = file.read_text(encoding="utf-8")
    for resource in package["resources"] if isinstance(package.get("resources"), list) else []:
        table = str(resource.get("name", "")).removeprefix(SECOND) if isinstance(resource, dict) else ""
        if table in TABLES:
            resource["schema"] = with_own_fields(table, resource.get("schema"))
    after = json.dumps(package, indent=2, ensure_ascii=False) + "\n"
    if after != before:
        file.write_text(after, encoding="utf-8")
    return after != before
