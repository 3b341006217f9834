"""Staging: executed notebooks made clean and flat for Sphinx, their exhibits numbered and taken out as files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.schema import ROOT
from parabook.chapters import exhibits
from parabook.protocol import EXHIBIT, LAB_ONLY
from parabook.render import as_csv

ROOT_PAGE = "index"
"""The root chapter's name in the book, so that ``html/index.html`` is the front page itself."""


def cleaned(notebook: dict[str, Any]) -> dict[str, Any]:
    """An executed notebook without what differs from run to run: times, counts, paths, versions of the machine."""
    for cell in notebook["cells"]:
        tags = cell["metadata"].get("tags", [])
        if "injected-parameters" in tags:
            cell["id"] = "injected-parameters"  # papermill draws a new one at each run
            tags = [*tags, "hide-input"]
        cell["metadata"] = {"tags": tags} if tags else {}
        if cell["cell_type"] == "code":
            cell["execution_count"] = None
            for output in cell["outputs"]:
                output.pop("execution_count", None)
                output.get("metadata", {}).pop("transient", None)
    kernel = notebook["metadata"].get("kernelspec", {})
    notebook["metadata"] = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return notebook


def glued(notebook: dict[str, Any]) -> dict[str, str]:
    """The sentences that an executed notebook offers to its prose, by name."""
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
    named = [(output, output.get("metadata", {}).get("scrapbook", {}).get("name")) for output in outputs]
    return {name: "".join(output["data"]["text/plain"]) for output, name in named if name}


def numbered(notebooks: Sequence[dict[str, Any]]) -> None:
    """Number every exhibit, in place: chapter, full stop, place in the chapter; the root is chapter 0."""
    for chapter, notebook in enumerate(notebooks):
        for place, exhibit in enumerate(exhibits(notebook), 1):
            exhibit["number"] = f"{chapter}.{place}"


def cleaned_text(notebook: Mapping[str, Any]) -> str:
    """A notebook as its file holds it: a cell a line.

    Examples
    --------
    >>> print(cleaned_text({"nbformat": 4, "cells": [{"id": "a"}, {"id": "b"}]}), end="")
    {"cells": [
    {"id": "a"},
    {"id": "b"}
    ], "nbformat": 4}
    """
    cells = ",\n".join(_dumped(cell) for cell in notebook["cells"])
    rest = _dumped({name: value for name, value in notebook.items() if name != "cells"})
    return f'{{"cells": [\n{cells}\n], {rest[1:]}\n'


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def for_pages(notebook: dict[str, Any]) -> dict[str, Any]:
    """A notebook with no more than pages are made from: without what front ends of notebooks show in place of exhibits.

    Exhibits are in it as text: MyST-NB copies, validates and writes notebooks, value by value.
    """
    cells = [
        {**cell, "outputs": [_for_page(output) for output in cell["outputs"] if LAB_ONLY not in output.get("data", {})]}
        if cell["cell_type"] == "code"
        else cell
        for cell in notebook["cells"]
    ]
    return {**notebook, "cells": cells}


def _for_page(output: dict[str, Any]) -> dict[str, Any]:
    data = output.get("data", {})
    return (
        {**output, "data": {EXHIBIT: _dumped(data[EXHIBIT]), "text/plain": data["text/plain"]}}
        if EXHIBIT in data
        else output
    )


def stage(executed: Mapping[str, str], into: Path) -> dict[str, str]:
    """Lay out what Sphinx reads and the files beside the book.

    Parameters
    ----------
    executed : mapping of str
        Executed notebooks as text by chapter, the root first.
    into : Path
        Gets ``site/`` for Sphinx, ``notebooks/``, ``tables/`` and ``charts/``.

    Returns
    -------
    dict
        The chapters that have nothing to show, each with the reason: they are left out of the book.
    """
    site, folder, tables, charts = (into / name for name in ("site", "notebooks", "tables", "charts"))
    for each in (site, folder, tables, charts):
        each.mkdir()
    notebooks = {chapter: cleaned(json.loads(text)) for chapter, text in executed.items()}
    for chapter, notebook in notebooks.items():
        (folder / f"{chapter}.ipynb").write_text(cleaned_text(notebook), encoding="utf-8")
    left_out = nothing_to_show(notebooks)
    shown = {chapter: notebook for chapter, notebook in notebooks.items() if chapter not in left_out}
    numbered(list(shown.values()))
    for notebook in shown.values():
        for exhibit in exhibits(notebook):
            _write_files(exhibit, tables, charts)
        for gone in left_out:
            forget(notebook, gone)
    pages = [ROOT_PAGE, *list(shown)[1:]]
    for page, notebook in zip(pages, shown.values(), strict=True):
        (site / f"{page}.ipynb").write_text(cleaned_text(for_pages(notebook)), encoding="utf-8")
    toc = "\n".join(["format: jb-book", f"root: {pages[0]}", "chapters:", *(f"  - file: {page}" for page in pages[1:])])
    (site / "_toc.yml").write_text(toc + "\n", encoding="utf-8")
    shutil.copytree(ROOT / "_static", site / "_static")
    return left_out


def _write_files(exhibit: dict[str, Any], tables: Path, charts: Path) -> None:
    (tables / f"{exhibit['id']}.csv").write_text(as_csv(exhibit), encoding="utf-8")
    if exhibit["chart"]:
        chart = json.dumps(exhibit["chart"], indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        (charts / f"{exhibit['id']}.vl.json").write_text(chart, encoding="utf-8")


def nothing_to_show(notebooks: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    """The chapters of whose exhibits the edition can have none, with the reason; the root always stays."""
    found = {}
    for chapter, notebook in list(notebooks.items())[1:]:
        shown = list(exhibits(notebook))
        if shown and all(exhibit.get("absent") for exhibit in shown):
            found[chapter] = str(shown[0]["description"])
    return found


def forget(notebook: dict[str, Any], chapter: str) -> None:
    """Take out of a page, in place, what leads to a chapter that the book does not have.

    Cells tagged ``needs-`` and the chapter's name go; links of tables into it become plain text.
    """
    notebook["cells"] = [
        cell for cell in notebook["cells"] if f"needs-{chapter}" not in cell["metadata"].get("tags", [])
    ]
    for exhibit in exhibits(notebook):
        for row in exhibit["view"]["rows"]:
            for link in (link for cell in row if isinstance(cell, list) for link in cell):
                if link["href"].partition("#")[0] == f"{chapter}.html":
                    link["href"] = ""
