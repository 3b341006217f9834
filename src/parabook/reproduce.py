"""Builds a book again from its receipt, and prints what differs."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from parabook.book import Book
from parabook.build import BuildOptions, build
from parabook.dependencies import versions
from parabook.errors import InputError
from parabook.plan import make_plan
from parabook.plugins import Plugin
from parabook.progress import Progress
from parabook.receipt import LIST, PAGES, RECEIPT


def read(file: Path, noun: str) -> dict[str, Any]:
    """A receipt, which names its input under ``noun``; an `InputError` when it is none, or was changed."""
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        maps = [found["parameters"], found["versions"], *found["inputs"].values(), *found["outputs"].values()]
        genuine = all(isinstance(each, dict) for each in maps) and found["digest"] == found["outputs"][PAGES][LIST]
        # The receipt may be a stranger's: it must name an input, and no path or address.
        if genuine and Path(found[noun]).name == found[noun]:
            return found
    except (ValueError, KeyError, TypeError, AttributeError):  # no JSON, or another's
        pass
    raise InputError.one(file, "no receipt, or one that was changed", f"the receipt.json of a book of an {noun}")


def differences(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[str]:
    """The differences between two sets of hashes by group and file, a line each."""
    for group in sorted({*theirs, *ours}):
        old, new = theirs.get(group, {}), ours.get(group, {})
        for name in sorted({*old, *new}):
            if old.get(name) != new.get(name):
                what = "missing" if name not in new else "not in the receipt" if name not in old else "differs"
                yield f"{group}/{name}: {what}".replace("/.:", ":")


def reproduce(
    receipt: Path, book: Book, plugin: Plugin, name: str, out: Path | None, options: BuildOptions, progress: Progress
) -> bool:
    """Build a book again on the input and with the parameters of its receipt; whether every output is the same.

    Every chapter runs, whatever is in the cache. What differs is printed line by line, inputs and versions first.
    ``name`` says where the input is now, blank for where its name leads; without ``out`` the book is not kept. An
    `InputError` when the receipt is none, or its input or parameters can no longer be used.
    """
    theirs, here = read(receipt, plugin.noun), versions()
    values = theirs["parameters"].items()
    given = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in values}
    plan = make_plan(book, plugin, name or theirs[plugin.noun], given)
    ours = plan.published
    if plan.private and not {*theirs["inputs"].get(plugin.noun, {}).values()} & {*plan.published[plugin.noun].values()}:
        print(f"input: {plugin.noun}: not compared, as its hashes are keyed with the secret of another cache")
        ours = {**ours, plugin.noun: theirs["inputs"].get(plugin.noun, {})}
    for line in differences(theirs["inputs"], ours):
        print(f"input: {line}")
    for package, there in theirs["versions"].items():
        if here.get(package, there) != there:
            print(f"version: {package}: {here[package]}, the receipt has {there}")
    if one_sided := here.keys() ^ theirs["versions"].keys():
        print(f"version: only here or only in the receipt: {', '.join(sorted(one_sided))}")
    with tempfile.TemporaryDirectory() as scratch:
        index = build(plan, out or Path(scratch) / "book", replace(options, force=True), progress)
        again = json.loads((index.parents[1] / RECEIPT).read_text(encoding="utf-8"))
    found = [f"output: {line}" for line in differences(theirs["outputs"], again["outputs"])]
    print(*found, "differs" if found else f"identical: {again['digest']}", sep="\n")
    return not found
