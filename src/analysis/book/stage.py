"""Staging: executed notebooks made clean and flat for Sphinx, their exhibits numbered and taken out as files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from analysis.book.render import as_csv
from analysis.exhibit import MIME
from analysis.schema import ROOT

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


def exhibits(notebook: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The exhibits that an executed notebook carries, in order."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            if MIME in output.get("data", {}):
                yield output["data"][MIME]


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


def stage(executed: Sequence[Path], into: Path) -> dict[str, dict[str, Any]]:
    """Lay out what Sphinx reads and the files beside the book.

    Parameters
    ----------
    executed : sequence of Path
        Executed notebooks, the root first; they are rewritten clean.
    into : Path
        Gets ``site/`` for Sphinx, ``tables/`` and ``charts/``.

    Returns
    -------
    dict
        Every exhibit by its id.
    """
    site, tables, charts = (into / name for name in ("site", "tables", "charts"))
    for folder in (site, tables, charts):
        folder.mkdir()
    notebooks = [cleaned(json.loads(file.read_text(encoding="utf-8"))) for file in executed]
    numbered(notebooks)
    pages = [ROOT_PAGE, *(file.stem for file in executed[1:])]
    found: dict[str, dict[str, Any]] = {}
    for file, page, notebook in zip(executed, pages, notebooks, strict=True):
        text = json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        file.write_text(text, encoding="utf-8")
        (site / f"{page}.ipynb").write_text(text, encoding="utf-8")
        for exhibit in exhibits(notebook):
            found[exhibit["id"]] = exhibit
    for name, exhibit in found.items():
        (tables / f"{name}.csv").write_text(as_csv(exhibit), encoding="utf-8")
        if exhibit["chart"]:
            chart = json.dumps(exhibit["chart"], indent=1, ensure_ascii=False, sort_keys=True) + "\n"
            (charts / f"{name}.vl.json").write_text(chart, encoding="utf-8")
    toc = "\n".join(["format: jb-book", f"root: {pages[0]}", "chapters:", *(f"  - file: {page}" for page in pages[1:])])
    (site / "_toc.yml").write_text(toc + "\n", encoding="utf-8")
    shutil.copytree(ROOT / "_static", site / "_static")
    return found
