"""One notebook fanned out over values of its parameters: a page for each, under the page of the notebook.

A book's ``[tool.parabook.matrix]`` names notebooks, by path without suffix, and for each its parameters with their values.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from parabook.errors import InputError, nearest
from parabook.files import write_atomically
from parabook.notebooks import read
from parabook.parameters import parameters

Matrix = Mapping[str, Mapping[str, list[Any]]]


def fanned_out(contents: Any, matrix: Matrix, root: Path, made: Path) -> Any:
    """A table of contents with the pages that a matrix makes, whose notebooks are written to the folder ``made``."""
    if isinstance(contents, list):
        return [fanned_out(each, matrix, root, made) for each in contents]
    if not isinstance(contents, Mapping):
        return contents
    found = {key: fanned_out(each, matrix, root, made) for key, each in contents.items()}
    page = str(contents.get("file", "")).removesuffix(".ipynb").removesuffix(".md")
    if page in matrix:
        added = [
            {"file": (made / name).relative_to(root).as_posix()} for name in variants(root, page, matrix[page], made)
        ]
        found["sections"] = [*found.get("sections", ()), *added]
    return found


def variants(root: Path, page: str, values: Mapping[str, list[Any]], made: Path) -> Iterator[str]:
    """Write a notebook for each combination of values; their names.

    Each assigns its values in a cell of its own after the parameters, and says them in its title.
    """
    file = next((file for suffix in (".ipynb", ".md") if (file := root / f"{page}{suffix}").is_file()), root / page)
    notebook = read(file)
    known = parameters(notebook)
    for name, each in values.items():
        where = f"pyproject.toml, matrix of {page}"
        if name not in known:
            raise InputError.one(where, repr(name), "a parameter of the notebook", nearest(name, known))
        if not isinstance(each, list):
            raise InputError.one(f"{where}, {name}", repr(each), "a list of values")
    for combination in itertools.product(*values.values()):
        chosen = dict(zip(values, combination, strict=True))
        name = "-".join([page, *(re.sub(r"\W+", "-", str(each)) for each in combination)])
        text = json.dumps(_variant(notebook, chosen), indent=1)
        target = made / f"{name}.ipynb"
        if not target.is_file() or target.read_text(encoding="utf-8") != text:
            write_atomically(target, text)
        yield name


def _variant(notebook: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    values = ", ".join(f"{each}" for each in chosen.values())
    source = "\n".join(f"{name} = {each!r}" for name, each in chosen.items())
    own: dict[str, Any] = {
        "cell_type": "code",
        "id": "matrix",
        "metadata": {"tags": ["remove-input"]},
        "source": source,
    }
    own |= {"outputs": [], "execution_count": None}
    cells: list[dict[str, Any]] = []
    titled = False
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        if not titled and cell["cell_type"] == "markdown" and re.search("^# ", text, re.MULTILINE):
            text, titled = re.sub(r"^(# .*)$", rf"\1: {values}", text, count=1, flags=re.MULTILINE), True
        cells.append({**cell, "source": text})
        if "parameters" in cell["metadata"].get("tags", ()):
            cells.append(own)
    return {**notebook, "cells": cells}
