"""Building a book again from its receipt: the same, or what differs, inputs first."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from parabook.book import Book
from parabook.build import BuildOptions, build, build_all
from parabook.checksums import LIST, PAGES, counts
from parabook.errors import InputError
from parabook.plan import Plan, make_plan
from parabook.plugins import Plugin
from parabook.progress import Progress
from parabook.receipt import inputs, versions

Files = Mapping[str, Mapping[str, str]]

NEEDED = {"digest": str, "parameters": dict, "inputs": dict, "versions": dict, "outputs": dict}
"""What a receipt must have for a book to be made again from it, and of which kind."""


class NotReproduced(Exception):
    """The book could not be built again: the report is wrong, exit code 1."""


def read(file: Path, noun: str) -> dict[str, Any]:
    """A receipt, which names its input under ``noun``.

    Raises
    ------
    InputError
        When it is no receipt, or not one that a book can be held against.
    """
    needed = "the receipt.json of a book"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError.one(file, error.strerror or "an error", needed) from error
    except ValueError as error:  # no JSON, or no text
        raise InputError.one(file, "no JSON", needed) from error
    if not isinstance(found, dict):
        raise InputError.one(file, f"JSON of another kind ({type(found).__name__})", needed)
    for name, kind in {noun: str, **NEEDED}.items():
        if not isinstance(found.get(name), kind):
            raise InputError.one(file, f"no {name}" if name not in found else f"another kind of {name}", needed)
    if not all(_are_files(files) for files in found["outputs"].values()):
        raise InputError.one(file, "outputs without hashes", needed)
    if found["digest"] != found["outputs"].get(PAGES, {}).get(LIST):
        raise InputError.one(
            file, f"a digest that is not the hash of its {PAGES}/{LIST}", "a receipt as a build left it"
        )
    return found


def _are_files(files: object) -> bool:
    return isinstance(files, dict) and all(isinstance(each, str) for each in files.values())


def differences(theirs: Files, ours: Files) -> Iterator[str]:
    """What differs between two sets of hashes, a line each.

    Examples
    --------
    >>> print(*differences({"edition": {"a": "1", "b": "2", "d": "4"}}, {"edition": {"a": "1", "b": "3", "c": "4"}}), sep="; ")
    edition/b: differs; edition/c: not in the receipt; edition/d: missing
    """
    for group in dict.fromkeys([*theirs, *ours]):
        old, new = theirs.get(group, {}), ours.get(group, {})
        for name in sorted({*old, *new}):
            if old.get(name) != new.get(name):
                how = "missing" if name not in new else "not in the receipt" if name not in old else "differs"
                yield f"{group if name == '.' else f'{group}/{name}'}: {how}"


def changed_versions(theirs: Mapping[str, str], ours: Mapping[str, str]) -> Iterator[str]:
    """Packages of another version than the receipt's; those that only one side has, in one line.

    Examples
    --------
    >>> list(changed_versions({"python": "3.11", "a": "1", "b": "1"}, {"python": "3.12", "a": "1", "c": "1"}))
    ['python: 3.12, the receipt has 3.11', 'not installed here: b', 'not in the receipt: c']
    """
    for name in sorted(theirs.keys() & ours.keys(), key=lambda name: (name != "python", name)):
        if theirs[name] != ours[name]:
            yield f"{name}: {ours[name]}, the receipt has {theirs[name]}"
    for where, names in (
        ("not installed here", theirs.keys() - ours.keys()),
        ("not in the receipt", ours.keys() - theirs.keys()),
    ):
        if names:
            yield f"{where}: {', '.join(sorted(names))}"


def reproduce(
    receipt: Path,
    book: Book,
    plugin: Plugin,
    *,
    name: str = "",
    out: Path | None = None,
    options: BuildOptions = BuildOptions(),
    progress: Progress | None = None,
    report: Callable[[str], None] = print,
) -> bool:
    """Build a book again on the input and with the parameters of its receipt, and compare the outputs.

    Parameters
    ----------
    receipt : Path
        The receipt.
    book, plugin : Book, Plugin
        What to build.
    name : str
        Where the input is now; blank for the one of the name in the receipt.
    out : Path, optional
        Where the book goes; into a temporary folder when there is none.
    options : BuildOptions
        How to build; every chapter runs, whatever is in the cache.
    progress : Progress, optional
        What is told of each step.
    report : callable
        Gets the findings, line by line.

    Returns
    -------
    bool
        Whether every output but pictures is the same.

    Raises
    ------
    InputError
        When the receipt is none, or its input or parameters can no longer be used.
    NotReproduced
        When the book cannot be built any more.
    """
    theirs = read(receipt, plugin.noun)
    given = {key: _as_given(value) for key, value in theirs["parameters"].items()}
    plan = make_plan(book, plugin, name or theirs[plugin.noun], given)
    if plan.input.name != theirs[plugin.noun]:
        report(f"input: the {plugin.noun}'s name: {plan.input.name}, the receipt has {theirs[plugin.noun]}")
    for line in differences(_grouped(theirs["inputs"]), _grouped(inputs(plan))):
        report(f"input: {line}")
    for line in changed_versions(theirs["versions"], versions()):
        report(f"version: {line}")
    with tempfile.TemporaryDirectory() as scratch:
        # Some way down, so that a library's shared folder lies inside as well.
        folder = (out or Path(scratch) / "book").resolve()
        made = _build_again(plan, folder, replace(options, force=True), progress, shared=bool(theirs.get("shared")))
        ours = json.loads((made / "receipt.json").read_text(encoding="utf-8"))
    found = list(differences(theirs["outputs"], ours["outputs"]))
    moved = [line for line in found if counts(line.rpartition(": ")[0])]
    for line in moved:
        report(f"output: {line}")
    if len(found) > len(moved):
        report(f"pictures that differ, as they may where fonts do: {len(found) - len(moved)}")
    report("differs" if moved else f"identical: {ours['digest']}")
    return not moved


def _build_again(plan: Plan, folder: Path, options: BuildOptions, progress: Progress | None, *, shared: bool) -> Path:
    """Build a book, alone or as one of several, that share their scripts; the folder of its outputs."""
    if not shared:
        return build(plan, folder, options, progress).parent.parent
    outcome = build_all([plan], folder, options, lambda _: progress or Progress())[0]
    if outcome.failed:
        raise NotReproduced(outcome.failed)
    return outcome.index.parent.parent


def _as_given(value: Any) -> str:
    """A parameter as the call would give it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _grouped(found: Mapping[str, Any]) -> Files:
    """Inputs by group; a single file is a group of its own."""
    return {name: files if isinstance(files, dict) else {".": str(files)} for name, files in found.items()}
