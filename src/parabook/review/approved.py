"""The approved state of a book's results: a folder of plain files whose diffs can be read."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from parabook.errors import InputError
from parabook.files import swap
from parabook.review.results import Results

MARKER = "approved.json"
"""The file that marks the folder and holds the results without files of their own: hashes, versions, inputs of exhibits."""

FILES = {"table": ".csv", "input": ".csv", "chart": ".vl.json", "exhibit": ".txt", "page": ".txt"}
"""Suffixes of files by the kind of result; the folder has the name of the kind, with an s."""


def read(folder: Path) -> dict[str, str] | None:
    """The approved results in a folder; None where nothing was ever approved. `InputError` for a broken state."""
    if not (folder / MARKER).is_file():
        return None
    try:
        found: dict[str, str] = json.loads((folder / MARKER).read_bytes())
        if not all(isinstance(text, str) for text in found.values()):
            raise ValueError(f"{MARKER} of another format")
        for kind, suffix in FILES.items():
            for file in sorted((folder / f"{kind}s").rglob(f"*{suffix}")):
                name = file.relative_to(folder / f"{kind}s").as_posix().removesuffix(suffix)
                found[f"{kind}/{name}"] = file.read_bytes().decode()
                if kind == "chart":
                    json.loads(found[f"{kind}/{name}"])
    except (OSError, ValueError, AttributeError) as error:
        hint = "take it from the history, or approve anew in another folder"
        raise InputError.one(folder, f"a file that cannot be read ({error})", "an approved state", hint) from error
    return found


def write(results: Results, folder: Path) -> int:
    """Replace the approved state in a folder by these results, all at once; the bytes written.

    `InputError` where the folder holds other files, which would be lost.
    """
    folder = folder.resolve()
    known = {folder / _file(key) for key in read(folder) or {}}
    for path in folder.rglob("*"):
        if path not in known and (path.is_symlink() or not path.is_dir()):
            needed = "an approved state, or no folder yet"
            raise InputError.one(path, "a file of another kind", needed, "see --approved")
    short = {key: text for key, text in results.items() if _file(key) == MARKER}
    marker = json.dumps(short, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    files = {_file(key): text.encode() for key, text in results.items()} | {MARKER: marker.encode()}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".approved-", dir=folder.parent) as made:
        for name, content in files.items():
            file = Path(made, "state", name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        swap(Path(made, "state"), folder)
    return sum(map(len, files.values()))


def _file(key: str) -> str:
    kind, _, name = key.partition("/")
    return f"{kind}s/{name}{FILES[kind]}" if kind in FILES else MARKER
