"""Makes a page of a notebook for each combination of values of its parameters, below the page of the notebook.

The setting ``matrix`` of a book names notebooks, by path without suffix, and the values of their parameters.
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
    """A table of contents with the pages of a matrix added; their notebooks are written to the folder ``made``."""
    if isinstance(contents, list):
        return [fanned_out(each, matrix, root, made) for each in contents]
    if not isinstance(contents, Mapping):
        return contents
    found = {key: fanned_out(each, matrix, root, made) for key, each in contents.items()}
    page = str(contents.get("file", "")).removesuffix(".ipynb").removesuffix(".md")
    if page in matrix:
        names = variants(root, page, matrix[page], made)
        added = [{"file": (made / name).relative_to(root).as_posix()} for name in names]
        found["sections"] = [*found.get("sections", ()), *added]
    return found


def variants(root: Path, page: str, values: Mapping[str, list[Any]], made: Path) -> Iterator[str]:
    """Write a notebook for each combination of values; yields their names.

    Its values are assigned in a cell below the parameters, and stand in its title.
    """
    candidates = [root / f"{page}.ipynb", root / f"{page}.md", root / page]
    notebook = read(next((file for file in candidates if file.is_file()), candidates[-1]))
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
    values = ", ".join(map(str, chosen.values()))
    source = "\n".join(f"{name} = {each!r}" for name, each in chosen.items())
    assignments: dict[str, Any] = {"cell_type": "code", "id": "matrix", "metadata": {"tags": ["remove-input"]}}
    assignments |= {"source": source, "outputs": [], "execution_count": None}
    cells: list[dict[str, Any]] = []
    titled = False
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        if not titled and cell["cell_type"] == "markdown" and re.search("^# ", text, re.MULTILINE):
            text, titled = re.sub(r"^(# .*)$", rf"\1: {values}", text, count=1, flags=re.MULTILINE), True
        cells.append({**cell, "source": text})
        if "parameters" in cell["metadata"].get("tags", ()):
            cells.append(assignments)
    return {**notebook, "cells": cells}
