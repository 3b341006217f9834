"""What became of the cells of chapters, and running a chapter for it. Knows nothing of pytest."""

from __future__ import annotations

import csv
import json
import os
import re
import textwrap
import time
from collections.abc import Collection, Iterator, Mapping
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
    """One code cell of a chapter in a run.

    ``state`` is ``ran``, ``failed`` or ``not run``; ``problem`` says in a line what is wrong, blank when nothing is, and
    ``details`` the rest.
    """

    chapter: str
    name: str
    state: str = "ran"
    seconds: float = 0.0
    problem: str = ""
    details: str = ""


def cells_of(chapter: str, notebook: Mapping[str, Any], folder: Path, stopped: str = "") -> Iterator[Cell]:
    """The code cells of an executed notebook.

    Parameters
    ----------
    folder : Path
        Where its kernel worked: paths in messages start from there.
    stopped : str
        Why the run ended in the last cell that began, where that cell does not say so itself.
    """
    because = stopped or "the run ended before"
    cells = [(n, cell) for n, cell in enumerate(notebook["cells"], 1) if cell["cell_type"] == "code"]
    begun = [n for n, cell in cells if cell["metadata"].get("papermill", {}).get("start_time")]
    for n, cell in cells:
        name = cell_name(cell, n)
        if n not in begun:
            yield Cell(chapter, name, "not run", problem=f"not run, as {because}")
            continue
        problem, details = judge(cell, stopped if n == begun[-1] else "", folder)
        failed = bool(stopped and n == begun[-1]) or bool(_error(cell))
        if failed:
            because = f"cell {name} failed: {problem}"
        seconds = round(float(cell["metadata"]["papermill"].get("duration") or 0.0), 3)
        yield Cell(chapter, name, "failed" if failed else "ran", seconds, problem, details)


def _error(cell: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The error that a cell shows, unless Jupyter's own tag says that an error is what it is there to show."""
    if "raises-exception" in cell["metadata"].get("tags", ()):
        return None
    return next((output for output in cell["outputs"] if output["output_type"] == "error"), None)


def judge(cell: Mapping[str, Any], stopped: str, folder: Path) -> tuple[str, str]:
    """What is wrong with an executed cell, in one line and in full; blank when nothing is."""
    said = [f"the cell:\n{textwrap.indent(joined(cell['source']), '    ')}"]
    noise = "".join(joined(output["text"]) for output in cell["outputs"] if output.get("name") == "stderr")
    noise = TEMPORARY.sub("cell", ANSI.sub("", noise)).rstrip()
    if noise:
        said.append(f"on stderr:\n{textwrap.indent(noise, '    ')}")
    error = _error(cell)
    if error and not stopped:
        value = ANSI.sub("", error["evalue"])
        if error["ename"] in ("InputError", "ParameterError"):
            said[:0] = _input_rows(value, folder)
        else:
            said.append(TEMPORARY.sub("cell", ANSI.sub("", "\n".join(error["traceback"]))))
        return f"{error['ename']}: {first_line(value)}", "\n".join(said)
    warned = WARNING.search(noise)
    problem = stopped or (f"warning: {warned['what']}" if warned else f"stderr: {first_line(noise)}" if noise else "")
    return problem, "\n".join(said) if problem else ""


def first_line(text: str) -> str:
    """The first line of a message."""
    return next(iter(text.strip().splitlines()), "no message")


def _input_rows(problems: str, folder: Path) -> list[str]:
    """Each problem of an `InputError`, the first without its message, with the row of a CSV table that it blames."""
    lines: list[str] = []
    for place, line in enumerate(problems.splitlines()):
        lines += [line] * bool(place)
        found = ROW.match(line)
        row = _row(folder / found["file"], int(found["row"])) if found else {}
        lines += [f"    the row: {json.dumps(row, ensure_ascii=False)}"] * bool(row)
    return lines


def _row(file: Path, line: int) -> dict[str, str]:
    if not file.is_file():
        return {}
    with file.open(encoding="utf-8", errors="replace", newline="") as text:
        reader = csv.reader(text)
        header = next(reader, [])
        return next((dict(zip(header, row, strict=False)) for row in reader if reader.line_num == line), {})


def run_cells(
    notebook: Path, given: Mapping[str, Any], folder: Path, chosen: Collection[str], seconds: int
) -> dict[str, Cell]:
    """Run a chapter in a kernel of its own, up to the last of the chosen cells.

    Parameters
    ----------
    given : mapping
        Values of parameters that the chapter declares.
    folder : Path
        Where the kernel works.
    seconds : int
        How long a cell may take.

    Returns
    -------
    dict
        Cells by name, in the chapter's order.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    from parabook.kernels import KERNEL, Manager

    loaded = load_notebook_node(str(notebook))
    last = max(n for n, cell in enumerate(loaded.cells, 1) if cell_name(cell, n) in chosen)
    del loaded.cells[last:]
    book = parameterize_notebook(loaded, dict(given), kernel_name=KERNEL, language="python")

    def began(cell: Any, **_: Any) -> None:
        cell.metadata["papermill"] = {"start_time": time.monotonic()}

    def ended(cell: Any, **_: Any) -> None:
        cell.metadata.papermill["duration"] = time.monotonic() - cell.metadata.papermill["start_time"]

    client = NotebookClient(
        book,
        kernel_name=KERNEL,
        kernel_manager_class=Manager,
        timeout=seconds,
        resources={"metadata": {"path": str(folder)}},
        shutdown_kernel="immediate",
        on_cell_execute=began,
        on_cell_executed=ended,
    )
    # With pytest's variables IPython's kernel no longer hears what libraries write to the process's own stderr.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    stopped = ""
    try:
        client.execute(env=environment)
    except CellExecutionError:
        pass  # the cell has it as an output
    except (CellTimeoutError, DeadKernelError) as error:
        stopped = first_line(str(error))
    return {cell.name: cell for cell in cells_of(notebook.stem, book, folder, stopped)}
