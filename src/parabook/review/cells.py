"""What became of the cells of an executed chapter. Knows nothing of pytest."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from parabook.review.results import cell_name, joined

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


def cells_of(chapter: str, notebook: Mapping[str, Any], failure: str = "") -> Iterator[Cell]:
    """The code cells of a chapter as papermill left it.

    ``failure`` is why the run ended, where the last cell that began does not say so itself.
    """
    because = failure or "the run ended before"
    cells = [(cell_name(cell, n), cell) for n, cell in enumerate(notebook["cells"], 1) if cell["cell_type"] == "code"]
    begun = [name for name, cell in cells if cell["metadata"].get("papermill", {}).get("start_time")]
    for name, cell in cells:
        if name not in begun:
            yield Cell(chapter, name, "not run", problem=f"not run, as {because}")
            continue
        said = (joined(output["text"]) for output in cell["outputs"] if output.get("name") == "stderr")
        error, noise = _error(cell), _plain("".join(said)).rstrip()
        problem = error.get("problem") or (failure if name == begun[-1] else "")
        state = "failed" if problem else "ran"
        because = f"cell {name} failed: {problem}" if problem else because
        if noise and not problem:
            warned = WARNING.search(noise)
            problem = f"warning: {warned[1]}" if warned else f"stderr: {_first_line(noise)}"
        parts = {"the cell": joined(cell["source"]), "on stderr": noise, "the error": error.get("traceback", "")}
        details = "\n".join(f"{name}:\n{textwrap.indent(text, '    ')}" for name, text in parts.items() if text)
        seconds = round(float(cell["metadata"]["papermill"].get("duration") or 0.0), 3)
        yield Cell(chapter, name, state, seconds, problem, details if problem else "")


def _error(cell: Mapping[str, Any]) -> dict[str, str]:
    """The error that a cell shows, unless Jupyter's own tag says that an error is what it is there to show."""
    found = next((output for output in cell["outputs"] if output["output_type"] == "error"), None)
    if not found or "raises-exception" in cell["metadata"].get("tags", ()):
        return {}
    problem = f"{found['ename']}: {_first_line(_plain(found['evalue']))}"
    return {"problem": problem, "traceback": _plain("\n".join(found["traceback"]))}


def _plain(text: str) -> str:
    return TEMPORARY.sub("cell", ANSI.sub("", text))


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "no message")
