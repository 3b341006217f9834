"""The outcome of each code cell of an executed chapter. Knows nothing of pytest."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ANSI_CODES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
WARNING = re.compile(r"^\S.*?:\d+: (\w*Warning: .*)$", re.MULTILINE)
TEMPORARY = re.compile(r"\S*ipykernel_\d+\S*?\.py")


@dataclass(frozen=True)
class Cell:
    """A code cell of a chapter and its state: ``ran``, ``failed`` or ``not run``; ``problem`` is blank when nothing is wrong."""

    chapter: str
    name: str
    state: str = "ran"
    seconds: float = 0.0
    problem: str = ""
    details: str = ""


def code_cells(notebook: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The code cells of a notebook by id; by position before format 4.5, which has no ids."""
    named = [(cell, str(cell.get("id") or f"cell-{place}")) for place, cell in enumerate(notebook["cells"], 1)]
    return {name: cell for cell, name in named if cell["cell_type"] == "code"}


def cells_of(
    chapter: str, notebook: Mapping[str, Any], failure: str = "", allow_errors: bool = False
) -> Iterator[Cell]:
    """The code cells of a chapter as papermill left it; ``failure`` is why the run ended, where no cell's error says it."""
    cells, reason = code_cells(notebook), failure or "the run ended before"
    begun = [name for name, cell in cells.items() if cell["metadata"].get("papermill", {}).get("start_time")]
    for name, cell in cells.items():
        if name not in begun:
            yield Cell(chapter, name, "not run", problem=f"not run, as {reason}")
            continue
        written = ["".join(each["text"]) for each in cell["outputs"] if each.get("name") == "stderr"]
        stderr = _plain("".join(written)).strip()
        # With Jupyter's own tag an error is what the cell is meant to show.
        allowed = allow_errors or "raises-exception" in cell["metadata"].get("tags", ())
        error = next((each for each in cell["outputs"] if each["output_type"] == "error" and not allowed), None)
        problem = failure if name == begun[-1] else ""
        if error:
            first = _plain(error["evalue"]).strip().partition("\n")[0]
            problem = f"{error['ename']}: {first or 'no message'}"
        state = "failed" if problem else "ran"
        if problem:
            reason = f"cell {name} failed: {problem}"
        elif stderr:
            warned = WARNING.search(stderr)
            problem = f"warning: {warned[1]}" if warned else f"stderr: {stderr.splitlines()[0]}"
        traceback = _plain("\n".join(error["traceback"])) if error else ""
        parts = {"the cell": "".join(cell["source"]), "on stderr": stderr, "the error": traceback}
        details = "\n".join(f"{part}:\n{textwrap.indent(text, '    ')}" for part, text in parts.items() if text)
        seconds = round(float(cell["metadata"]["papermill"].get("duration") or 0.0), 3)
        yield Cell(chapter, name, state, seconds, problem, details)


def _plain(text: str) -> str:
    """A text without the codes of colours and the names of IPython's temporary files."""
    return TEMPORARY.sub("cell", ANSI_CODES.sub("", text))
