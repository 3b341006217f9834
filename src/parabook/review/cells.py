"""What became of the cells of an executed chapter. Knows nothing of pytest."""

from __future__ import annotations

import csv
import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parabook.review.results import cell_name, joined

ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
WARNING = re.compile(r"^\S.*?:\d+: (?P<what>\w*Warning: .*)$", re.MULTILINE)
TEMPORARY = re.compile(r"\S*ipykernel_\d+\S*?\.py")
ROW = re.compile(r"^(?P<file>.+?\.csv), row (?P<row>\d+)\b")


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


def cells_of(chapter: str, notebook: Mapping[str, Any], folder: Path, failure: str = "") -> Iterator[Cell]:
    """The code cells of a chapter as papermill left it.

    Parameters
    ----------
    folder : Path
        Where its kernel worked: paths in messages start from there.
    failure : str
        Why the run ended, where the last cell that began does not say so itself.
    """
    because = failure or "the run ended before"
    cells = [(n, cell) for n, cell in enumerate(notebook["cells"], 1) if cell["cell_type"] == "code"]
    begun = [n for n, cell in cells if cell["metadata"].get("papermill", {}).get("start_time")]
    for n, cell in cells:
        name = cell_name(cell, n)
        if n not in begun:
            yield Cell(chapter, name, "not run", problem=f"not run, as {because}")
            continue
        error = _error(cell)
        problem, details = _judge(cell, folder)
        failed = bool(error) or bool(failure and n == begun[-1])
        if failed:
            problem = problem if error else failure
            because = f"cell {name} failed: {problem}"
        seconds = round(float(cell["metadata"]["papermill"].get("duration") or 0.0), 3)
        yield Cell(chapter, name, "failed" if failed else "ran", seconds, problem, details if problem else "")


def _error(cell: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The error that a cell shows, unless Jupyter's own tag says that an error is what it is there to show."""
    if "raises-exception" in cell["metadata"].get("tags", ()):
        return None
    return next((output for output in cell["outputs"] if output["output_type"] == "error"), None)


def _judge(cell: Mapping[str, Any], folder: Path) -> tuple[str, str]:
    """What is wrong with an executed cell, in one line and in full; the line is blank when nothing is."""
    said = [f"the cell:\n{textwrap.indent(joined(cell['source']), '    ')}"]
    noise = "".join(joined(output["text"]) for output in cell["outputs"] if output.get("name") == "stderr")
    noise = _plain(noise).rstrip()
    if noise:
        said.append(f"on stderr:\n{textwrap.indent(noise, '    ')}")
    if error := _error(cell):
        value = _plain(error["evalue"])
        if error["ename"] in ("InputError", "ParameterError"):
            said[:0] = _input_rows(value, folder)
        else:
            said.append(_plain("\n".join(error["traceback"])))
        return f"{error['ename']}: {_first_line(value)}", "\n".join(said)
    warned = WARNING.search(noise)
    problem = f"warning: {warned['what']}" if warned else f"stderr: {_first_line(noise)}" if noise else ""
    return problem, "\n".join(said)


def _plain(text: str) -> str:
    return TEMPORARY.sub("cell", ANSI.sub("", text))


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "no message")


def _input_rows(problems: str, folder: Path) -> Iterator[str]:
    """Each problem of an `InputError`, the first without its message, with the row of a CSV table that it blames."""
    for place, line in enumerate(problems.splitlines()):
        if place:
            yield line
        found = ROW.match(line)
        if found and (folder / found["file"]).is_file():
            with (folder / found["file"]).open(encoding="utf-8", errors="replace", newline="") as text:
                reader = csv.DictReader(text)
                row = next((row for row in reader if reader.line_num == int(found["row"])), {})
            yield f"    the row: {json.dumps(row, ensure_ascii=False)}"
