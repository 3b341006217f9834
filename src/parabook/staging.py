"""Staging: executed notebooks made clean for Sphinx, their exhibits numbered, linked, and taken out as files.

A page keeps its place in the book. Where the setting ``pages`` names a folder, the pages in it stand at the top of
the book, its root page as ``index``: ``chapters/routes`` becomes ``routes.html``.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from parabook.book import SUFFIXES, Book
from parabook.protocol import EXHIBIT, LAB_ONLY, as_csv, exhibits

Notebook = dict[str, Any]

NOT_CARRIED = (".*", "_build", "__pycache__", "_toc.yml", "_config.yml")
"""What a book's folder holds and Sphinx need not see."""


@dataclass(frozen=True)
class Pages:
    """The pages that Sphinx makes."""

    site: Path
    """The folder that Sphinx reads."""
    files: Mapping[Path, str]
    """Each shown chapter's file in ``site``, by its path in the book, the root first."""
    left_out: Mapping[str, str]
    """The chapters that have nothing to show, by their name, each with the reason."""

    @property
    def root(self) -> str:
        """The root page's address, without suffix."""
        return address(next(iter(self.files.values())))


def address(file: str) -> str:
    """A page's address in the book, without suffix.

    Examples
    --------
    >>> address("part/routes.ipynb")
    'part/routes'
    """
    return str(PurePosixPath(file).with_suffix(""))


def stage(book: Book, executed: Mapping[str, str], into: Path) -> Pages:
    """Lay out what Sphinx reads and the files beside the book.

    Parameters
    ----------
    book : Book
        The book.
    executed : mapping of str
        Executed notebooks as text by chapter, the file's name without suffix, the root first.
    into : Path
        Gets ``site/`` for Sphinx, ``notebooks/``, ``tables/`` and ``charts/``.
    """
    site, folder, tables, charts = (into / name for name in ("site", "notebooks", "tables", "charts"))
    for each in (folder, tables, charts):
        each.mkdir()
    notebooks = {chapter: cleaned(json.loads(text)) for chapter, text in executed.items()}
    for chapter, notebook in notebooks.items():
        (folder / f"{chapter}.ipynb").write_text(as_text(notebook), encoding="utf-8")
    left_out = nothing_to_show(notebooks)
    files = {file: _place(book, file) for file in book.chapters if file.stem not in left_out}
    shown = {address(place): notebooks[file.stem] for file, place in files.items() if file.stem in notebooks}
    for notebook in shown.values():
        without_cells_for(notebook, left_out)
    link_exhibits(shown)
    for exhibit in (found for notebook in shown.values() for found in exhibits(notebook)):
        _write_files(exhibit, tables, charts)
    _carry(book, files, site)
    for page, notebook in shown.items():
        without_copies(notebook)
        (site / f"{page}.ipynb").write_text(as_text(notebook), encoding="utf-8")
    return Pages(site, files, left_out)


def _place(book: Book, file: Path) -> str:
    """Where a chapter's file stands in the site."""
    path = PurePosixPath(file.relative_to(book.root).as_posix())
    top = book.settings.get("pages")
    if not top:
        return str(path)
    if file == book.chapters[0]:
        return f"index{path.suffix}"
    return str(path.relative_to(top) if path.is_relative_to(top) else path)


def _carry(book: Book, files: Mapping[Path, str], site: Path) -> None:
    """Put into the site, as links, all of the book that pages may use, the pages in their places, and their contents."""
    import yaml

    skip = shutil.ignore_patterns(*NOT_CARRIED)
    moved = set(book.chapters)

    def ignore(folder: str, names: list[str]) -> set[str]:
        return {*skip(folder, names), *(name for name in names if Path(folder, name) in moved)}

    shutil.copytree(book.root, site, copy_function=os.symlink, ignore=ignore)
    for file, place in files.items():
        (site / place).parent.mkdir(parents=True, exist_ok=True)
        if file.suffix != ".ipynb":
            (site / place).symlink_to(file)
    toc = yaml.safe_load((book.root / "_toc.yml").read_text(encoding="utf-8"))
    places = {str(file.relative_to(book.root).with_suffix("")): address(place) for file, place in files.items()}
    (site / "_toc.yml").write_text(yaml.safe_dump(_contents(toc, places), sort_keys=False), encoding="utf-8")


def _contents(entry: Any, places: Mapping[str, str]) -> Any:
    """A table of contents with the pages' places, without those that have none and what lies under them."""
    if isinstance(entry, list):
        return [_contents(each, places) for each in entry if "file" not in each or _name(each["file"]) in places]
    if isinstance(entry, dict):
        return {
            key: places[_name(value)] if key in ("root", "file") else _contents(value, places)
            for key, value in entry.items()
        }
    return entry


def _name(file: str) -> str:
    return address(file) if file.endswith(SUFFIXES) else file


def cleaned(notebook: Notebook) -> Notebook:
    """An executed notebook without what differs from run to run: times, counts, paths, versions of the machine."""
    for cell in notebook["cells"]:
        metadata = {key: value for key, value in cell["metadata"].items() if key in ("tags", "mystnb") and value}
        if "injected-parameters" in metadata.get("tags", []):
            cell["id"] = "injected-parameters"  # papermill draws a new one at each run
            metadata["tags"] = [*metadata["tags"], "hide-input"]
        cell["metadata"] = metadata
        if cell["cell_type"] == "code":
            cell["execution_count"] = None
            for output in cell["outputs"]:
                output.pop("execution_count", None)
                output.get("metadata", {}).pop("transient", None)
    kept = {key: value for key, value in notebook["metadata"].items() if key in ("kernelspec", "mystnb", "widgets")}
    notebook["metadata"] = {**kept, "language_info": {"name": "python"}}
    return notebook


def as_text(notebook: Mapping[str, Any]) -> str:
    """A notebook as its file holds it: a cell a line."""
    cells = ",\n".join(_dumped(cell) for cell in notebook["cells"])
    rest = _dumped({name: value for name, value in notebook.items() if name != "cells"})
    return f'{{"cells": [\n{cells}\n], {rest[1:]}\n'


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def glued(notebook: Mapping[str, Any]) -> dict[str, str]:
    """The sentences that an executed notebook offers to prose, by name."""
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
    named = [(output, output.get("metadata", {}).get("scrapbook", {}).get("name")) for output in outputs]
    return {name: "".join(output["data"]["text/plain"]) for output, name in named if name}


def nothing_to_show(notebooks: Mapping[str, Notebook]) -> dict[str, str]:
    """The chapters of whose exhibits the input can have none, with the reason; the root always stays."""
    found = {}
    for chapter, notebook in list(notebooks.items())[1:]:
        shown = list(exhibits(notebook))
        if shown and all(exhibit.get("absent") for exhibit in shown):
            found[chapter] = str(shown[0]["finding"])
    return found


def without_cells_for(notebook: Notebook, left_out: Mapping[str, str]) -> None:
    """Remove, in place, the cells tagged ``needs-<chapter>`` of chapters that the book does not have."""
    needs = {f"needs-{chapter}" for chapter in left_out}
    notebook["cells"] = [cell for cell in notebook["cells"] if not needs & {*cell["metadata"].get("tags", [])}]


def link_exhibits(pages: Mapping[str, Notebook]) -> None:
    """Number the exhibits of pages, in place, add the backlinks that they ask for, and resolve their links.

    A number is the chapter's place, the root's being 0, and the exhibit's place in it. A link to ``#anchor`` leads to
    the page that has the anchor; where none has it, the link is plain text.
    """
    found = [(page, exhibit) for page, notebook in pages.items() for exhibit in exhibits(notebook)]
    anchors = {name: page for page, exhibit in found for names in exhibit["anchors"] for name in names}
    anchors |= {f"exhibit-{exhibit['id']}": page for page, exhibit in found}
    for chapter, notebook in enumerate(pages.values()):
        for place, exhibit in enumerate(exhibits(notebook), 1):
            exhibit["number"] = f"{chapter}.{place}"
    for _, exhibit in found:
        if exhibit.get("backlinks"):
            _add_backlinks(exhibit, [other for _, other in found])
    for page, exhibit in found:
        for link in _links(exhibit):
            if link["href"].startswith("#"):
                link["href"] = _resolved(link["href"][1:], page, anchors)


def _links(exhibit: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    return (link for row in exhibit["view"]["rows"] for cell in row if isinstance(cell, list) for link in cell)


def _add_backlinks(exhibit: dict[str, Any], others: list[dict[str, Any]]) -> None:
    """Add a column to an exhibit's view: for each row, links to the exhibits that cite one of its anchors."""
    exhibit["view"]["columns"] = [*exhibit["view"]["columns"], exhibit["backlinks"]]
    cited = {other["id"]: set(other.get("cites", ())) for other in others}
    for row, names in zip(exhibit["view"]["rows"], exhibit["anchors"], strict=True):
        citing = [ident for ident, cites in cited.items() if not cites.isdisjoint(names)]
        row.append([{"text": ident.replace("-", " "), "href": f"#exhibit-{ident}"} for ident in citing])


def _resolved(anchor: str, page: str, anchors: Mapping[str, str]) -> str:
    """The address of an anchor from a page; blank where no page has it."""
    if anchor not in anchors:
        return ""
    target = PurePosixPath(os.path.relpath(f"{anchors[anchor]}.html", PurePosixPath(page).parent)).as_posix()
    return f"#{anchor}" if anchors[anchor] == page else f"{target}#{anchor}"


def without_copies(notebook: Notebook) -> None:
    """Remove, in place, what front ends of notebooks show in place of exhibits, and make each exhibit one text.

    MyST-NB copies, validates and writes notebooks, value by value.
    """
    for cell in (cell for cell in notebook["cells"] if cell["cell_type"] == "code"):
        cell["outputs"] = [output for output in cell["outputs"] if LAB_ONLY not in output.get("data", {})]
        for output in cell["outputs"]:
            if exhibit := output.get("data", {}).get(EXHIBIT):
                output["data"] = {EXHIBIT: _dumped(exhibit), "text/plain": output["data"]["text/plain"]}


def _write_files(exhibit: Mapping[str, Any], tables: Path, charts: Path) -> None:
    (tables / f"{exhibit['id']}.csv").write_text(as_csv(exhibit), encoding="utf-8")
    if exhibit["chart"]:
        chart = json.dumps(exhibit["chart"], indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        (charts / f"{exhibit['id']}.vl.json").write_text(chart, encoding="utf-8")
