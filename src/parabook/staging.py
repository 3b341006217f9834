"""Staging: executed notebooks made clean for Sphinx, their exhibits numbered, linked, and taken out as files.

A page keeps its place in the book. Where the setting ``pages`` names a folder, the pages in it stand at the top of
the book, its root page as ``index``: ``chapters/routes`` becomes ``routes.html``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from parabook.book import Book
from parabook.drawings import canonical
from parabook.protocol import EXHIBIT, as_csv, exhibits, glued, outputs

Notebook = dict[str, Any]

RUN = ("papermill", "execution", "language_info", "source_map", "scrolled", "collapsed", "ExecuteTime")
"""What runs, and front ends, note in a notebook."""

SITE = "site"
"""The folder that Sphinx reads, among the outputs until they are done."""

APART = ("_build", "__pycache__", "_toc.yml", "_config.yml")
"""What pages have no use for, or get anew."""


class AssemblyFailed(Exception):
    """What chapters gave makes no book, or Sphinx will not have it: the report is wrong, exit code 1."""


def stage(book: Book, executed: Mapping[str, str], into: Path) -> tuple[dict[Path, str], dict[str, str]]:
    """Write ``site/`` for Sphinx, ``notebooks/``, ``tables/`` and ``charts/``.

    ``executed`` has the text of executed notebooks by chapter, the root first. A chapter
    of whose exhibits the input can have none is left out. So are cells tagged ``needs-<name>`` of such a chapter or exhibit,
    and cells tagged ``unless-<name>`` of a text that is glued.

    So are exhibits that the input cannot have, and headings under which nothing else stands.

    Returns the place of each shown chapter in ``site``, without suffix, by its file in the book, the root first; and
    the chapters that are left out, with the reason.
    """
    notebooks = {chapter: cleaned(json.loads(text)) for chapter, text in executed.items()}
    _write_notebooks(notebooks, into / "notebooks")
    made = {chapter: list(exhibits(notebook)) for chapter, notebook in notebooks.items()}
    absent = [chapter for chapter, each in made.items() if each and all(exhibit.get("absent") for exhibit in each)]
    left_out = {chapter: str(made[chapter][0]["finding"]) for chapter in absent if chapter != next(iter(notebooks))}
    names = {file: page_name(book, file) for file in book.chapters if book.name(file) not in left_out}
    shown = {name: notebooks[book.name(file)] for file, name in names.items() if book.name(file) in notebooks}
    none = [exhibit["id"] for each in made.values() for exhibit in each if exhibit.get("absent")]
    lost = {f"needs-{name}" for name in (*left_out, *none)}
    lost |= {f"unless-{name}" for notebook in notebooks.values() for name in glued(notebook)}
    for notebook in shown.values():
        cells = [cell for cell in notebook["cells"] if lost.isdisjoint(cell["metadata"].get("tags", []))]
        notebook["cells"] = with_code_together(without_absent(cells))
    link_exhibits(shown)
    for folder in ("tables", "charts"):
        (into / folder).mkdir()
    for exhibit in (exhibit for notebook in shown.values() for exhibit in exhibits(notebook)):
        (into / "tables" / f"{exhibit['id']}.csv").write_text(as_csv(exhibit), encoding="utf-8")
        if exhibit["chart"]:
            chart = json.dumps(exhibit["chart"], indent=1, ensure_ascii=False, sort_keys=True) + "\n"
            (into / "charts" / f"{exhibit['id']}.vl.json").write_text(chart, encoding="utf-8")
    executed_files = [file for file in names if book.name(file) in notebooks]
    _carry(book, names, executed_files, into / SITE)
    for output in (each for notebook in shown.values() for each in outputs(notebook)):
        if EXHIBIT in output.get("data", ()):  # what only front ends show Sphinx would read, copy and keep, too
            output["data"] = {EXHIBIT: output["data"][EXHIBIT]}
    _write_notebooks(shown, into / SITE)
    return names, left_out


def without_absent(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Cells without those whose exhibits are absent, and without the sections of which this leaves no exhibit."""

    def absent(*cells: dict[str, Any]) -> bool:
        found = list(exhibits({"cells": cells}))
        return bool(found) and all(exhibit.get("absent") for exhibit in found)

    sections: list[list[dict[str, Any]]] = [[]]
    for cell in cells:
        if cell["cell_type"] == "markdown" and "".join(cell["source"]).startswith("## "):
            sections.append([])
        sections[-1].append(cell)
    top, *others = sections
    return [
        cell for part in (top, *(each for each in others if not absent(*each))) for cell in part if not absent(cell)
    ]


def with_code_together(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Cells in which folded code that shows nothing stands before that of the next cell, behind one button."""
    found: list[dict[str, Any]] = []
    for cell in cells:
        last = found[-1] if found else cell
        folded = all("hide-input" in each["metadata"].get("tags", ()) for each in (last, cell))
        if folded and last is not cell and last["cell_type"] == cell["cell_type"] == "code" and not last["outputs"]:
            found[-1] = {**cell, "source": "".join(last["source"]) + "\n\n" + "".join(cell["source"])}
        else:
            found.append(cell)
    return found


def cleaned(notebook: Notebook) -> Notebook:
    """An executed notebook without what differs from run to run: times, paths, versions of the machine."""
    language = notebook["metadata"].get("language_info", {})
    for cell in notebook["cells"]:
        cell["metadata"] = {key: found for key, found in cell["metadata"].items() if key not in RUN and found}
        if "injected-parameters" in cell["metadata"].get("tags", []):
            cell["metadata"]["tags"].append("remove-input")
    notebook["metadata"] = {key: value for key, value in notebook["metadata"].items() if key not in RUN}
    shown = {key: language[key] for key in ("name", "pygments_lexer") if key in language}
    notebook["metadata"]["language_info"] = shown or {"name": "python"}
    return notebook


def page_name(book: Book, file: Path) -> str:
    """Where a chapter stands in the site, without suffix."""
    return "index" if book.settings.get("pages") and file == book.chapters[0] else book.name(file)


def _write_notebooks(notebooks: Mapping[str, Notebook], folder: Path) -> None:
    for name, notebook in notebooks.items():
        file = folder / f"{name}.ipynb"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(canonical(notebook), encoding="utf-8")


def _carry(book: Book, names: Mapping[Path, str], executed: Collection[Path], site: Path) -> None:
    """Put into the site, as links, all of the book that pages may use, its pages in their places, and its contents."""
    import yaml

    listed = {file: name for file, name in names.items() if file not in book.own}
    old = [file.relative_to(book.root) for file in book.chapters if file not in book.own]
    _link(book.root, site, {folder for each in (*old, *map(Path, names.values())) for folder in each.parents})
    for file in (file for file in book.chapters if file not in book.own):
        if file.suffix != ".md" or file not in executed:  # links of other pages lead to it
            (site / file.relative_to(book.root)).unlink(missing_ok=True)
    places: dict[str, str] = {}
    for file, name in listed.items():
        path = file.relative_to(book.root)
        places |= {path.as_posix(): name, path.with_suffix("").as_posix(): name}
        if file not in executed:
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            (site / f"{name}{file.suffix}").symlink_to(file)

    def placed(entry: Any) -> Any:
        """Contents with the pages' places, without those that have none and what lies under them."""
        if isinstance(entry, list):
            return [placed(each) for each in entry if "file" not in each or each["file"] in places]
        if isinstance(entry, dict):
            return {key: places[each] if key in ("root", "file") else placed(each) for key, each in entry.items()}
        return entry

    contents = placed(book.contents)
    if own := [{"file": name} for file, name in names.items() if file in book.own]:
        last = contents["parts"][-1] if "parts" in contents else contents
        last.setdefault("sections" if "sections" in last else "chapters", []).extend(own)
    (site / "_toc.yml").write_text(yaml.safe_dump(contents, sort_keys=False), encoding="utf-8")


def _link(root: Path, site: Path, with_pages: Collection[Path], folder: Path = Path()) -> None:
    """Link to what lies in a folder of the book; folders ``with_pages`` are made anew, as pages are written there."""
    (site / folder).mkdir()
    for each in (root / folder).iterdir():
        if each.name in APART or each.name.startswith("."):
            continue
        if each.is_dir() and folder / each.name in with_pages:
            _link(root, site, with_pages, folder / each.name)
        elif each.exists():
            (site / folder / each.name).symlink_to(each)


def link_exhibits(pages: Mapping[str, Notebook]) -> None:
    """Number the exhibits of pages by chapter and place, in place, add the backlinks they ask for, resolve their links.

    A link leads from its page to the page of its anchor, and nowhere where no page has it.
    """
    found: list[tuple[str, dict[str, Any]]] = []
    anchors: dict[str, str] = {}
    for chapter, (page, notebook) in enumerate(pages.items(), 1):
        for place, exhibit in enumerate(exhibits(notebook), 1):
            own = f"exhibit-{exhibit['id']}"
            if own in anchors:  # their files would replace each other
                there = f"{anchors[own]} and in {page}"
                raise AssemblyFailed(f"exhibit {exhibit['id']}: found in {there}, needed one name each")
            exhibit["number"] = f"{chapter}.{place}"
            anchors |= {name: page for names in [[own], *exhibit["anchors"]] for name in names}
            found.append((page, exhibit))
    cited = {exhibit["id"]: set(exhibit.get("cites", ())) for _, exhibit in found}
    for page, exhibit in found:
        rows = exhibit["view"]["rows"]
        if exhibit.get("backlinks"):  # a column with links to the exhibits that cite one of the row's anchors
            exhibit["view"]["columns"].append(exhibit["backlinks"])
            for row, names in zip(rows, exhibit["anchors"], strict=True):
                citing = [ident for ident, cites in cited.items() if not cites.isdisjoint(names)]
                row.append([{"text": ident.replace("-", " "), "href": f"#exhibit-{ident}"} for ident in citing])
        cells = (cell for row in rows for cell in row if isinstance(cell, list))
        for link in (link for cell in cells for link in cell if link["href"].startswith("#")):
            target = anchors.get(link["href"][1:])
            path = "" if target == page else os.path.relpath(f"{target}.html", PurePosixPath(page).parent)
            link["href"] = f"{path}{link['href']}" if target else ""
