"""Building a book again from its receipt: the same, or what differs, inputs first."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from parabook.book import Book
from parabook.build import DEFAULTS, BuildOptions, build, build_all
from parabook.checksums import LIST, PAGES, counts
from parabook.errors import InputError
from parabook.plan import make_plan
from parabook.plugins import Plugin
from parabook.progress import Progress
from parabook.receipt import inputs, versions

NEEDED = {"digest": str, "parameters": dict, "inputs": dict, "versions": dict, "outputs": dict}
"""What a receipt must have for a book to be built again from it, and of which kind."""


class NotReproduced(Exception):
    """The book could not be built again: the report is wrong, exit code 1."""


def read(file: Path, noun: str) -> dict[str, Any]:
    """A receipt, which names its input under ``noun``; an error when it is none, or not one to compare a book with."""
    needed = "the receipt.json of a book"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError.one(file, error.strerror or "an error", needed) from error
    except ValueError as error:  # no JSON, or no text
        raise InputError.one(file, "no JSON", needed) from error
    if not isinstance(found, dict):
        raise InputError.one(file, f"JSON of another kind ({type(found).__name__})", needed)
    for key, kind in {noun: str, **NEEDED}.items():
        if not isinstance(found.get(key), kind):
            raise InputError.one(file, f"no {key}" if key not in found else f"another kind of {key}", needed)
    if not all(isinstance(each, dict) for each in found["outputs"].values()):
        raise InputError.one(file, "outputs without hashes", needed)
    if Path(found[noun]).name != found[noun]:  # a stranger's receipt must not name a path or an address
        raise InputError.one(file, repr(found[noun]), f"the name of an {noun}", "say where it is now")
    if found["digest"] != found["outputs"].get(PAGES, {}).get(LIST):
        raise InputError.one(
            file, f"a digest that is not the hash of its {PAGES}/{LIST}", "a receipt as it was written"
        )
    return found


def differences(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[str]:
    """What differs between two sets of hashes by group and file, a line each.

    Examples
    --------
    >>> theirs = {"edition": {"a": "1", "b": "2", "d": "4"}, "requirements": "5"}
    >>> print(*differences(theirs, {"edition": {"a": "1", "b": "3", "c": "4"}, "requirements": "6"}), sep="; ")
    edition/b: differs; edition/c: not in the receipt; edition/d: missing; requirements: differs
    """
    old, new = dict(_flat(theirs)), dict(_flat(ours))
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            how = "missing" if name not in new else "not in the receipt" if name not in old else "differs"
            yield f"{name}: {how}"


def _flat(hashes: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for group, found in hashes.items():
        for name, each in (found if isinstance(found, dict) else {".": found}).items():
            yield group if name == "." else f"{group}/{name}", str(each)


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
    if gone := sorted(theirs.keys() - ours.keys()):
        yield f"not installed here: {', '.join(gone)}"
    if added := sorted(ours.keys() - theirs.keys()):
        yield f"not in the receipt: {', '.join(added)}"


def reproduce(
    receipt: Path,
    book: Book,
    plugin: Plugin,
    *,
    name: str = "",
    out: Path | None = None,
    options: BuildOptions = DEFAULTS,
    progress: Progress | None = None,
    report: Callable[[str], None] = print,
) -> bool:
    """Build a book again on the input and with the parameters of its receipt, and compare the outputs.

    Every chapter runs, whatever is in the cache. ``report`` gets the findings line by line, inputs and versions first.
    ``name`` says where the input is now, if not where its name leads; without ``out`` the book is not kept.

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
    values = theirs["parameters"].items()
    given = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in values}
    plan = make_plan(book, plugin, name or theirs[plugin.noun], given)
    if plan.input.name != theirs[plugin.noun]:
        report(f"input: the {plugin.noun}'s name: {plan.input.name}, the receipt has {theirs[plugin.noun]}")
    for line in differences(theirs["inputs"], inputs(plan)):
        report(f"input: {line}")
    for line in changed_versions(theirs["versions"], versions()):
        report(f"version: {line}")
    options = replace(options, force=True)
    with tempfile.TemporaryDirectory() as scratch:
        # Some way down, so that a library's shared folder lies inside as well.
        folder = (out or Path(scratch) / "book").resolve()
        if theirs.get("shared"):  # one of several books, that share their scripts
            outcome = build_all([plan], folder, options, lambda _: progress or Progress())[0]
            if outcome.failed:
                raise NotReproduced(outcome.failed)
            index = outcome.index
        else:
            index = build(plan, folder, options, progress)
        ours = json.loads((index.parent.parent / "receipt.json").read_text(encoding="utf-8"))
    found = list(differences(theirs["outputs"], ours["outputs"]))
    moved = [line for line in found if counts(line.rpartition(": ")[0])]
    for line in moved:
        report(f"output: {line}")
    if len(found) > len(moved):
        report(f"pictures that differ, as they may where fonts do: {len(found) - len(moved)}")
    report("differs" if moved else f"identical: {ours['digest']}")
    return not moved
