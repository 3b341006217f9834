"""What became of the cells of an executed chapter. Knows nothing of pytest."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
WARNING = re.compile(r"^\S.*?:\d+: (\w*Warning: .*)$", re.MULTILINE)
TEMPORARY = re.compile(r"\S*ipykernel_\d+\S*?\.py")


@dataclass(frozen=True)
class Cell:
    """One code cell of a chapter in a run: ``state`` is ``ran``, ``failed`` or ``not run``.

    ``problem`` says in a line what is wrong, blank when nothing is, and ``details`` the rest.
    """

    chapter: str
    name: str
    state: str = "ran"
    seconds: float = 0.0
    problem: str = ""
    details: str = ""


def code_cells(notebook: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The code cells of a notebook by name: their id, which notebooks before format 4.5 lack, else their position."""
    named = [(cell, str(cell.get("id") or f"cell-{place}")) for place, cell in enumerate(notebook["cells"], 1)]
    return {name: cell for cell, name in named if cell["cell_type"] == "code"}


def cells_of(chapter: str, notebook: Mapping[str, Any], failure: str = "") -> Iterator[Cell]:
    """The code cells of a chapter as papermill left it.

    ``failure`` is why the run ended, where the last cell that began does not say so itself.
    """
    because = failure or "the run ended before"
    cells = code_cells(notebook)
    begun = [name for name, cell in cells.items() if cell["metadata"].get("papermill", {}).get("start_time")]
    for name, cell in cells.items():
        if name not in begun:
            yield Cell(chapter, name, "not run", problem=f"not run, as {because}")
            continue
        texts = ("".join(output["text"]) for output in cell["outputs"] if output.get("name") == "stderr")
        problem, traceback, noise = *_error(cell), _plain("".join(texts)).rstrip()
        problem = problem or (failure if name == begun[-1] else "")
        state = "failed" if problem else "ran"
        because = f"cell {name} failed: {problem}" if problem else because
        if noise and not problem:
            warned = WARNING.search(noise)
            problem = f"warning: {warned[1]}" if warned else f"stderr: {_first_line(noise)}"
        parts = {"the cell": "".join(cell["source"]), "on stderr": noise, "the error": traceback}
        details = "\n".join(f"{name}:\n{textwrap.indent(text, '    ')}" for name, text in parts.items() if text)
        seconds = round(float(cell["metadata"]["papermill"].get("duration") or 0.0), 3)
        yield Cell(chapter, name, state, seconds, problem, details if problem else "")


def _error(cell: Mapping[str, Any]) -> tuple[str, str]:
    """The error of a cell and its traceback, unless Jupyter's own tag says that an error is what it is there to show."""
    found = next((output for output in cell["outputs"] if output["output_type"] == "error"), None)
    if not found or "raises-exception" in cell["metadata"].get("tags", ()):
        return "", ""
    return f"{found['ename']}: {_first_line(_plain(found['evalue']))}", _plain("\n".join(found["traceback"]))


def _plain(text: str) -> str:
    return TEMPORARY.sub("cell", ANSI.sub("", text))


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "no message")
