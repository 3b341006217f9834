"""Staging: prepares executed notebooks for Sphinx, numbers and links their exhibits, and writes these as files.

A page keeps its path in the book. Where the setting ``pages`` names a folder, pages in it move to the top of the site, and
the root page becomes ``index``: ``chapters/routes`` becomes ``routes.html``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from parabook.book import Book
from parabook.drawings import canonical
from parabook.protocol import EXHIBIT, as_csv, exhibits, glued, outputs

Notebook = dict[str, Any]

RUN = ("papermill", "execution", "language_info", "source_map", "scrolled", "collapsed", "ExecuteTime")
"""Metadata that runs and front ends add to notebooks."""

SITE = "site"
"""The folder that Sphinx reads; it lies among the outputs until they are complete."""

APART = ("_build", "__pycache__", "_toc.yml", "_config.yml")
"""Files and folders of the book that are not linked into the site."""


class AssemblyFailed(Exception):
    """The results of chapters cannot be made into a book, or Sphinx found an error in them: exit code 1."""


def stage(book: Book, executed: Mapping[str, str], into: Path) -> tuple[dict[Path, str], dict[str, str]]:
    """Write ``site/`` for Sphinx, ``notebooks/``, ``tables/`` and ``charts/``.

    Exhibits that the input cannot have are left out, with their cells. A section (``## ``), or a chapter other than the
    root, goes whole if it has exhibits and all are absent. So are cells tagged ``needs-<name>`` of such an exhibit or chapter, and cells
    tagged ``unless-<name>`` of a text that is glued.

    ``executed`` has executed notebooks as text, by chapter, the root first. Returns the place of each shown chapter in
    ``site``, without suffix, by its file in the book, the root first; and the chapters that are left out, with the reason.
    """
    notebooks = {chapter: cleaned(json.loads(text)) for chapter, text in executed.items()}
    _write_notebooks(notebooks, into / "notebooks")
    absent_chapters = [name for name, each in notebooks.items() if all_absent(each["cells"])]
    root = [book.name(file) for file in book.chapters[:1]]
    left_out = {name: str(next(exhibits(notebooks[name]))["finding"]) for name in absent_chapters if name not in root}
    absent = [each["id"] for notebook in notebooks.values() for each in exhibits(notebook) if each.get("absent")]
    dropped_tags = {f"needs-{name}" for name in (*left_out, *absent)}
    dropped_tags |= {f"unless-{name}" for notebook in notebooks.values() for name in glued(notebook)}
    names = {file: page_name(book, file) for file in book.chapters if book.name(file) not in left_out}
    shown = {name: notebooks[book.name(file)] for file, name in names.items() if book.name(file) in notebooks}
    for notebook in shown.values():
        cells = [cell for cell in notebook["cells"] if dropped_tags.isdisjoint(cell["metadata"].get("tags", []))]
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
    _link_book(book, names, executed_files, into / SITE)
    for output in (each for notebook in shown.values() for each in outputs(notebook)):
        if EXHIBIT in output.get("data", ()):  # the other types are for front ends; Sphinx would copy and keep them
            output["data"] = {EXHIBIT: output["data"][EXHIBIT]}
    _write_notebooks(shown, into / SITE)
    return names, left_out


def all_absent(cells: Iterable[dict[str, Any]]) -> bool:
    """Whether cells have exhibits, none of which the input can have."""
    found = list(exhibits({"cells": cells}))
    return bool(found) and all(exhibit.get("absent") for exhibit in found)


def without_absent(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Cells without those whose exhibits are absent, and without sections all of whose exhibits are."""
    sections: list[list[dict[str, Any]]] = [[]]
    for cell in cells:
        if cell["cell_type"] == "markdown" and "".join(cell["source"]).startswith("## "):
            sections.append([])
        sections[-1].append(cell)
    top, *others = sections  # what stands above the first heading stays
    shown = [top, *(section for section in others if not all_absent(section))]
    return [cell for section in shown for cell in section if not all_absent([cell])]


def with_code_together(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Cells in which the folded code of a cell without output is joined to that of the next cell, behind one button."""
    found: list[dict[str, Any]] = []
    for cell in cells:
        last = found[-1] if found else None
        if last and _is_folded(last) and _is_folded(cell) and not last["outputs"]:
            found[-1] = {**cell, "source": "".join(last["source"]) + "\n\n" + "".join(cell["source"])}
        else:
            found.append(cell)
    return found


def _is_folded(cell: dict[str, Any]) -> bool:
    return cell["cell_type"] == "code" and "hide-input" in cell["metadata"].get("tags", ())


def cleaned(notebook: Notebook) -> Notebook:
    """An executed notebook without what differs from run to run: times, paths, versions."""
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
    """The place of a chapter in the site, without suffix."""
    return "index" if book.settings.get("pages") and file == book.chapters[0] else book.name(file)


def _write_notebooks(notebooks: Mapping[str, Notebook], folder: Path) -> None:
    for name, notebook in notebooks.items():
        file = folder / f"{name}.ipynb"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(canonical(notebook), encoding="utf-8")


def _link_book(book: Book, names: Mapping[Path, str], executed: Collection[Path], site: Path) -> None:
    """Link into the site whatever pages may use, and the pages that were not run; write the table of contents."""
    import yaml

    listed = [file for file in book.chapters if file not in book.own]
    folders = [file.relative_to(book.root) for file in listed] + [Path(name) for name in names.values()]
    _link(book.root, site, {parent for path in folders for parent in path.parents})
    for file in listed:
        # The file of an executed MyST page stays: links of other pages lead to it.
        if file.suffix != ".md" or file not in executed:
            (site / file.relative_to(book.root)).unlink(missing_ok=True)
    places: dict[str, str] = {}
    for file, name in names.items():
        if file in book.own:
            continue
        path = file.relative_to(book.root)
        places |= {path.as_posix(): name, path.with_suffix("").as_posix(): name}
        if file not in executed:
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            (site / f"{name}{file.suffix}").symlink_to(file)

    def placed(entry: Any) -> Any:
        """An entry of the contents with the places of pages, without those that are not shown and all below them."""
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
    """Link the contents of a folder of the book into the site; folders ``with_pages`` are made anew, not linked."""
    (site / folder).mkdir()
    for each in (root / folder).iterdir():
        if each.name in APART or each.name.startswith("."):
            continue
        if each.is_dir() and folder / each.name in with_pages:
            _link(root, site, with_pages, folder / each.name)
        elif each.exists():
            (site / folder / each.name).symlink_to(each)


def link_exhibits(pages: Mapping[str, Notebook]) -> None:
    """Number the exhibits of pages by chapter and place, add the backlinks they ask for, and resolve links to anchors.

    Changes the notebooks. A link to an anchor of another page gets that page's path; a link to none becomes plain text.
    """
    found: list[tuple[str, dict[str, Any]]] = []
    anchors: dict[str, str] = {}
    for chapter, (page, notebook) in enumerate(pages.items(), 1):
        for place, exhibit in enumerate(exhibits(notebook), 1):
            own = f"exhibit-{exhibit['id']}"
            if own in anchors:  # one file would overwrite the other
                there = f"{anchors[own]} and in {page}"
                raise AssemblyFailed(f"exhibit {exhibit['id']}: found in {there}, needed one name each")
            exhibit["number"] = f"{chapter}.{place}"
            anchors |= {name: page for names in [[own], *exhibit["anchors"]] for name in names}
            found.append((page, exhibit))
    cited = {exhibit["id"]: set(exhibit.get("cites", ())) for _, exhibit in found}
    for page, exhibit in found:
        rows = exhibit["view"]["rows"]
        if exhibit.get("backlinks"):  # a column of links to the exhibits that cite an anchor of the row
            exhibit["view"]["columns"].append(exhibit["backlinks"])
            for row, names in zip(rows, exhibit["anchors"], strict=True):
                citing = [ident for ident, cites in cited.items() if not cites.isdisjoint(names)]
                row.append([{"text": ident.replace("-", " "), "href": f"#exhibit-{ident}"} for ident in citing])
        cells = (cell for row in rows for cell in row if isinstance(cell, list))
        for link in (link for cell in cells for link in cell if link["href"].startswith("#")):
            target = anchors.get(link["href"][1:])
            path = "" if target == page else os.path.relpath(f"{target}.html", PurePosixPath(page).parent)
            link["href"] = f"{path}{link['href']}" if target else ""
