"""Staging: executed notebooks made clean for Sphinx, their exhibits numbered, linked, and taken out as files.

A page keeps its place in the book. Where the setting ``pages`` names a folder, the pages in it stand at the top of
the book, its root page as ``index``: ``chapters/routes`` becomes ``routes.html``.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from parabook.book import Book
from parabook.drawings import canonical
from parabook.protocol import as_csv, exhibits

Notebook = dict[str, Any]
Exhibit = dict[str, Any]

NOT_CARRIED = (".*", "_build", "__pycache__", "_toc.yml", "_config.yml")
"""What a book's folder holds and Sphinx need not see."""


class AssemblyFailed(Exception):
    """What chapters gave makes no book, or Sphinx will not have it: the report is wrong, exit code 1."""


class Pages(NamedTuple):
    """The pages that Sphinx makes."""

    site: Path
    """The folder that Sphinx reads."""
    names: Mapping[Path, str]
    """Each shown chapter's place in ``site``, without suffix, by its file in the book, the root first."""
    left_out: Mapping[str, str]
    """The chapters that have nothing to show, by their name, each with the reason."""


def stage(book: Book, executed: Mapping[str, str], into: Path) -> Pages:
    """Write ``site/`` for Sphinx, ``notebooks/``, ``tables/`` and ``charts/``.

    ``executed`` has the text of executed notebooks by chapter, the file's name without suffix, the root first. Cells
    tagged ``needs-<chapter>`` are left out with that chapter.
    """
    notebooks = {chapter: cleaned(json.loads(text)) for chapter, text in executed.items()}
    _write_notebooks(notebooks, into / "notebooks")
    left_out = nothing_to_show(notebooks)
    names = {file: page_name(book, file) for file in book.chapters if file.stem not in left_out}
    shown = {name: notebooks[file.stem] for file, name in names.items() if file.stem in notebooks}
    lost = {f"needs-{chapter}" for chapter in left_out}
    for notebook in shown.values():
        notebook["cells"] = [cell for cell in notebook["cells"] if lost.isdisjoint(cell["metadata"].get("tags", []))]
    link_exhibits(shown)
    _write_exhibits((exhibit for notebook in shown.values() for exhibit in exhibits(notebook)), into)
    _carry(book, names, into / "site")
    _write_notebooks(shown, into / "site")
    return Pages(into / "site", names, left_out)


def cleaned(notebook: Notebook) -> Notebook:
    """An executed notebook without what differs from run to run: times, paths, versions of the machine."""
    for cell in notebook["cells"]:
        cell["metadata"] = {key: cell["metadata"][key] for key in ("tags", "mystnb") if cell["metadata"].get(key)}
        if "injected-parameters" in cell["metadata"].get("tags", []):
            cell["metadata"]["tags"].append("hide-input")
    metadata = {key: value for key, value in notebook["metadata"].items() if key in ("kernelspec", "mystnb", "widgets")}
    notebook["metadata"] = {**metadata, "language_info": {"name": "python"}}
    return notebook


def nothing_to_show(notebooks: Mapping[str, Notebook]) -> dict[str, str]:
    """The chapters of whose exhibits the input can have none, with the reason; the root always stays."""
    found = {chapter: list(exhibits(notebook)) for chapter, notebook in list(notebooks.items())[1:]}
    absent = {chapter: each for chapter, each in found.items() if each and all(one.get("absent") for one in each)}
    return {chapter: str(each[0]["finding"]) for chapter, each in absent.items()}


def page_name(book: Book, file: Path) -> str:
    """Where a chapter stands in the site, without suffix."""
    path, top = file.relative_to(book.root).with_suffix(""), book.settings.get("pages")
    if top and file == book.chapters[0]:
        return "index"
    return (path.relative_to(top) if top and path.is_relative_to(top) else path).as_posix()


def _write_notebooks(notebooks: Mapping[str, Notebook], folder: Path) -> None:
    """Write notebooks by their names, a cell a line."""
    for name, notebook in notebooks.items():
        file = folder / f"{name}.ipynb"
        file.parent.mkdir(parents=True, exist_ok=True)
        cells = ",\n".join(map(canonical, notebook["cells"]))
        rest = canonical({key: value for key, value in notebook.items() if key != "cells"})
        file.write_text(f'{{"cells": [\n{cells}\n], {rest[1:]}\n', encoding="utf-8")


def _write_exhibits(found: Iterable[Exhibit], into: Path) -> None:
    for name in ("tables", "charts"):
        (into / name).mkdir()
    for exhibit in found:
        (into / "tables" / f"{exhibit['id']}.csv").write_text(as_csv(exhibit), encoding="utf-8")
        if exhibit["chart"]:
            chart = json.dumps(exhibit["chart"], indent=1, ensure_ascii=False, sort_keys=True) + "\n"
            (into / "charts" / f"{exhibit['id']}.vl.json").write_text(chart, encoding="utf-8")


def _carry(book: Book, names: Mapping[Path, str], site: Path) -> None:
    """Put into the site, as links, all of the book that pages may use, its pages in their places, and its contents."""
    import yaml

    skip = shutil.ignore_patterns(*NOT_CARRIED)

    def ignore(folder: str, entries: list[str]) -> set[str]:
        return {*skip(folder, entries), *(entry for entry in entries if Path(folder, entry) in book.chapters)}

    shutil.copytree(book.root, site, copy_function=os.symlink, ignore=ignore, ignore_dangling_symlinks=True)
    places: dict[str, str] = {}
    for file, name in names.items():
        path = file.relative_to(book.root)
        places |= {path.as_posix(): name, path.with_suffix("").as_posix(): name}
        if file.suffix != ".ipynb":
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            (site / f"{name}{file.suffix}").symlink_to(file)

    def placed(entry: Any) -> Any:
        """Contents with the pages' places, without those that have none and what lies under them."""
        if isinstance(entry, list):
            return [placed(each) for each in entry if "file" not in each or each["file"] in places]
        if isinstance(entry, dict):
            return {key: places[each] if key in ("root", "file") else placed(each) for key, each in entry.items()}
        return entry

    contents = placed(yaml.safe_load((book.root / "_toc.yml").read_text(encoding="utf-8")))
    (site / "_toc.yml").write_text(yaml.safe_dump(contents, sort_keys=False), encoding="utf-8")


def link_exhibits(pages: Mapping[str, Notebook]) -> None:
    """Number the exhibits of pages by chapter and place, in place, add the backlinks they ask for, resolve their links.

    A link leads from its page to the page of its anchor, and nowhere where no page has it.
    """
    found: list[tuple[str, Exhibit]] = []
    anchors: dict[str, str] = {}
    for chapter, (page, notebook) in enumerate(pages.items()):
        for place, exhibit in enumerate(exhibits(notebook), 1):
            ident = f"exhibit-{exhibit['id']}"
            if ident in anchors:  # their files would replace each other
                raise AssemblyFailed(
                    f"exhibit {exhibit['id']}: found in {anchors[ident]} and in {page}, needed one name each"
                )
            exhibit["number"] = f"{chapter}.{place}"
            anchors |= {name: page for names in [[ident], *exhibit["anchors"]] for name in names}
            found.append((page, exhibit))
    cited = {exhibit["id"]: set(exhibit.get("cites", ())) for _, exhibit in found}
    for page, exhibit in found:
        if exhibit.get("backlinks"):
            _add_backlinks(exhibit, cited)
        cells = (cell for row in exhibit["view"]["rows"] for cell in row if isinstance(cell, list))
        for link in (link for cell in cells for link in cell if link["href"].startswith("#")):
            target = anchors.get(link["href"][1:])
            if target is None:
                link["href"] = ""
            elif target != page:
                path = os.path.relpath(f"{target}.html", PurePosixPath(page).parent)
                link["href"] = f"{path}{link['href']}"


def _add_backlinks(exhibit: Exhibit, cited: Mapping[str, set[str]]) -> None:
    """Add a column to an exhibit's view: for each row, links to the exhibits that cite one of its anchors."""
    exhibit["view"]["columns"].append(exhibit["backlinks"])
    for row, names in zip(exhibit["view"]["rows"], exhibit["anchors"], strict=True):
        citing = [ident for ident, cites in cited.items() if not cites.isdisjoint(names)]
        row.append([{"text": ident.replace("-", " "), "href": f"#exhibit-{ident}"} for ident in citing])
