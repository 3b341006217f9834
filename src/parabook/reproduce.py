"""Building a book again from its receipt: the same, or what differs, inputs first."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from parabook.build import How, build, build_all
from parabook.checksums import LIST, PAGES, counts
from parabook.errors import InputError
from parabook.plan import plan
from parabook.receipt import inputs, versions

Files = Mapping[str, Mapping[str, str]]

NEEDED = {"edition": str, "digest": str, "parameters": dict, "inputs": dict, "versions": dict, "outputs": dict}
"""What a receipt must have for a book to be made again from it, and of which kind."""


class NotReproduced(Exception):
    """The book could not be built again: the report is wrong, exit code 1."""


def read(file: Path) -> dict[str, Any]:
    """A receipt.

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
    for name, kind in NEEDED.items():
        if not isinstance(found.get(name), kind):
            raise InputError.one(file, f"no {name}" if name not in found else f"another kind of {name}", needed)
    if not all(_are_files(files) for files in found["outputs"].values()):
        raise InputError.one(file, "outputs without fingerprints", needed)
    if found["digest"] != found["outputs"].get(PAGES, {}).get(LIST):
        raise InputError.one(
            file, f"a digest that is not the fingerprint of its {PAGES}/{LIST}", "a receipt as a build left it"
        )
    return found


def _are_files(files: object) -> bool:
    return isinstance(files, dict) and all(isinstance(each, str) for each in files.values())


def differences(theirs: Files, ours: Files) -> Iterator[str]:
    """What differs between two sets of fingerprints, a line each.

    Examples
    --------
    >>> print(*differences({"edition": {"a": "1", "b": "2", "d": "4"}}, {"edition": {"a": "1", "b": "3", "c": "4"}}), sep="; ")
    edition/b: differs; edition/c: not in the receipt; edition/d: missing
    """
    for group in dict.fromkeys([*theirs, *ours]):
        old, new = theirs.get(group, {}), ours.get(group, {})
        for name in sorted({*old, *new}):
            if old.get(name) != new.get(name):
                told = "missing" if name not in new else "not in the receipt" if name not in old else "differs"
                yield f"{group if name == '.' else f'{group}/{name}'}: {told}"


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
    for told, names in (
        ("not installed here", theirs.keys() - ours.keys()),
        ("not in the receipt", ours.keys() - theirs.keys()),
    ):
        if names:
            yield f"{told}: {', '.join(sorted(names))}"


def reproduce(
    receipt: Path, edition: str = "", out: Path | None = None, how: How | None = None, *,
    tell: Callable[[str], None] = lambda line: None, say: Callable[[str], None] = print,
) -> bool:  # fmt: skip
    """Build a book again with the edition and parameters of its receipt, and hold the two against each other.

    Parameters
    ----------
    receipt : Path
        The receipt.
    edition : str
        Where the edition is now; blank for the one of the name in the receipt.
    out : Path, optional
        Where the book goes; it is not kept when there is none.
    how : How, optional
        How to build; every chapter runs, whatever was kept.
    tell, say : callable
        Get progress and findings, line by line.

    Returns
    -------
    bool
        Whether every output but pictures is the same.

    Raises
    ------
    InputError
        When the receipt is none, or its edition or parameters can no longer be used.
    NotReproduced
        When the book cannot be built any more.
    """
    theirs = read(receipt)
    name = edition or theirs["edition"]
    given = {key: _as_given(value) for key, value in theirs["parameters"].items()}
    planned = plan(name, given)
    if planned.edition.name != theirs["edition"]:
        say(f"input: the edition's name: {planned.edition.name}, the receipt has {theirs['edition']}")
    for line in differences(_grouped(theirs["inputs"]), _grouped(inputs(planned))):
        say(f"input: {line}")
    for line in changed_versions(theirs["versions"], versions()):
        say(f"version: {line}")
    with tempfile.TemporaryDirectory() as scratch:
        # Some way down, so that a library's shared folder lies inside as well.
        place = (out or Path(scratch) / "book").resolve()
        how = replace(how or How(), force=True)
        if theirs.get("shared"):  # one of several books, that share their scripts
            outcome = build_all([name], given, place, how, lambda _, line: tell(line))[0]
            if outcome.failed:
                raise NotReproduced(outcome.failed)
            made = outcome.index.parent.parent
        else:
            made = build(name, given, place, how, tell).parent.parent
        ours = json.loads((made / "receipt.json").read_text(encoding="utf-8"))
    found = list(differences(theirs["outputs"], ours["outputs"]))
    moved = [line for line in found if counts(line.rpartition(": ")[0])]
    for line in moved:
        say(f"output: {line}")
    pictures = len(found) - len(moved)
    if pictures:
        say(f"pictures that differ, as they may where fonts do: {pictures}")
    say("differs" if moved else f"identical: {ours['digest']}")
    return not moved


def _as_given(value: Any) -> str:
    """A parameter as the call would give it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _grouped(found: Mapping[str, Any]) -> Files:
    """Inputs by group; a single file is a group of its own."""
    return {name: files if isinstance(files, dict) else {".": str(files)} for name, files in found.items()}
