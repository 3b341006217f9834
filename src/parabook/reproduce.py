"""Building a book again from its receipt: the same, or what differs, inputs first."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from parabook.book import Book
from parabook.build import DEFAULTS, BuildOptions, build
from parabook.checksums import LIST, PAGES, RECEIPT, counts
from parabook.errors import InputError
from parabook.plan import make_plan
from parabook.plugins import Plugin
from parabook.progress import Progress
from parabook.receipt import inputs, versions


def read(file: Path, noun: str) -> dict[str, Any]:
    """A receipt, which names its input under ``noun``; an error when it is none, or was changed."""
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        hashed = all(isinstance(found[key], dict) for key in ("parameters", "inputs", "versions", "outputs"))
        hashed = hashed and all(isinstance(each, dict) for each in found["outputs"].values())
        # A stranger's receipt must not name a path or an address.
        if hashed and found["digest"] == found["outputs"][PAGES][LIST] and Path(found[noun]).name == found[noun]:
            return found
    except (ValueError, KeyError, TypeError):  # no JSON, or another's
        pass
    raise InputError.one(file, "no receipt, or one that was changed", f"the receipt.json of a book of an {noun}")


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
            yield f"{name}: {'missing' if name not in new else 'not in the receipt' if name not in old else 'differs'}"


def _flat(hashes: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for group, found in hashes.items():
        for name, each in (found if isinstance(found, dict) else {".": found}).items():
            yield f"{group}/{name}".removesuffix("/."), str(each)


def changed_versions(theirs: Mapping[str, str], ours: Mapping[str, str]) -> Iterator[str]:
    """Packages of another version than the receipt's; those that only one side has, in one line."""
    both = sorted(theirs.keys() & ours.keys())
    yield from (f"{name}: {ours[name]}, the receipt has {theirs[name]}" for name in both if theirs[name] != ours[name])
    only = {"not installed here": theirs.keys() - ours.keys(), "not in the receipt": ours.keys() - theirs.keys()}
    yield from (f"{where}: {', '.join(sorted(names))}" for where, names in only.items() if names)


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
    ChapterFailed, AssemblyFailed
        When the book cannot be built any more.
    """
    theirs = read(receipt, plugin.noun)
    values = theirs["parameters"].items()
    given = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in values}
    plan = make_plan(book, plugin, name or theirs[plugin.noun], given)
    for line in differences(theirs["inputs"], inputs(plan)):
        report(f"input: {line}")
    for line in changed_versions(theirs["versions"], versions()):
        report(f"version: {line}")
    with tempfile.TemporaryDirectory() as scratch:
        index = build(plan, out or Path(scratch) / "book", replace(options, force=True), progress)
        ours = json.loads((index.parents[1] / RECEIPT).read_text(encoding="utf-8"))
    found = list(differences(theirs["outputs"], ours["outputs"]))
    differ = [line for line in found if counts(line.rpartition(": ")[0])]
    for line in differ:
        report(f"output: {line}")
    if len(found) > len(differ):
        report(f"pictures that differ, as they may where fonts do: {len(found) - len(differ)}")
    report("differs" if differ else f"identical: {ours['digest']}")
    return not differ
