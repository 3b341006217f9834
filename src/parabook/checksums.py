"""The list by which anyone can check a copy of a book: ``html/SHA256SUMS``, in the format of ``sha256sum``.

Its own SHA-256 is the book's digest. A line for each page and each file of a page; what lies beside the pages
stands in it behind a ``#``, so that the pages can be checked wherever they are without the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from parabook.files import hash_files

LIST = "SHA256SUMS"

PAGES = "html"

RECEIPT = "receipt.json"
"""The receipt, which states the digest and so has no part in it."""

HEAD = """\
## sha256sum --check SHA256SUMS                        checks the pages and their files
## sed -n 's/^# //p' SHA256SUMS | sha256sum --check    checks what lies beside the pages
## sha256sum SHA256SUMS                                prints the digest of the book
"""


def outputs(folder: Path) -> dict[str, dict[str, str]]:
    """SHA-256 of all that a build made but the receipt, by output and by path inside it; the pages first."""
    names = sorted((each.name for each in folder.iterdir()), key=lambda name: (name != PAGES, name))
    return {name: hash_files(folder / name) for name in names if name != RECEIPT}


def checksums(found: Mapping[str, Mapping[str, str]]) -> str:
    """The list for the outputs of a book.

    Examples
    --------
    >>> record = {"ro-crate-metadata.json": {".": "55"}}
    >>> found = {"html": {"b.html": "22", "a.css": "11", "card.png": "33", LIST: "44"}, **record}
    >>> print(checksums(found).removeprefix(HEAD))
    11  a.css
    22  b.html
    # 55  ../ro-crate-metadata.json
    <BLANKLINE>
    """
    lines = []
    for output, files in found.items():
        before, folder = ("", "") if output == PAGES else ("# ", f"../{output}/")
        for name, digest in sorted(files.items()):
            if counts(name) and (output, name) != (PAGES, LIST):
                lines.append(f"{before}{digest}  {f'{folder}{name}'.removesuffix('/.')}\n")
    return HEAD + "".join(lines)


def counts(file: str) -> bool:
    """Whether a file has a part in the digest: all but pictures, whose pixels depend on a machine."""
    return not file.endswith(".png")


def write_checksums(folder: Path) -> None:
    """Write the list of a finished book beside its pages."""
    (folder / PAGES / LIST).write_bytes(checksums(outputs(folder)).encode())
