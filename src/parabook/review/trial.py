"""One chapter run for its tests: what became of each cell. Knows nothing of pytest."""

from __future__ import annotations

import csv
import json
import os
import re
import textwrap
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parabook.kernels import KERNEL, Manager, warm_up

ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
WARNING = re.compile(r"^(?P<where>\S.*?):\d+: (?P<what>\w*Warning: .*)$", re.MULTILINE)
TEMPORARY = re.compile(r"\S*ipykernel_\d+\S*?\.py")
ROW = re.compile(r"^(?P<file>.+?), row (?P<row>\d+)\b")
INJECTED = "injected-parameters"


@dataclass(frozen=True)
class Outcome:
    """What became of one cell: ``problem`` says in one line what is wrong, blank when nothing is; ``details`` the rest."""

    seconds: float = 0.0
    problem: str = ""
    details: str = ""
    ran: bool = True


def trial(
    notebook: Path, given: Mapping[str, Any], folder: Path, chosen: Collection[str], seconds: int
) -> dict[str, Outcome]:
    """Run a chapter in a kernel of its own.

    Parameters
    ----------
    notebook : Path
        The chapter.
    given : mapping
        Values of parameters that it declares.
    folder : Path
        Where the kernel works: beside the edition.
    chosen : collection of str
        Cells whose outcome is asked for: those before them run as well, those behind them do not.
    seconds : int
        How long a cell may take.

    Returns
    -------
    dict
        Outcomes by cell, in the chapter's order.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    warm_up()
    book = load_notebook_node(str(notebook))
    book = parameterize_notebook(book, dict(given), kernel_name=KERNEL, language="python")
    for cell in book.cells:
        if INJECTED in cell.metadata.get("tags", ()):
            cell["id"] = INJECTED
    behind = max(place for place, cell in enumerate(book.cells, 1) if cell["id"] in chosen)
    book.cells = book.cells[:behind]

    began: dict[str, float] = {}
    ended: dict[str, float] = {}
    client = NotebookClient(
        book,
        kernel_name=KERNEL,
        kernel_manager_class=Manager,
        timeout=seconds,
        resources={"metadata": {"path": str(folder)}},
        shutdown_kernel="immediate",
        on_cell_execute=lambda cell, cell_index: began.setdefault(cell["id"], time.monotonic()),
        on_cell_executed=lambda cell, cell_index, execute_reply: ended.setdefault(cell["id"], time.monotonic()),
    )
    # A cell is not to know that it is tested: IPython's kernel, for one, no longer hears what libraries write to
    # the process's own stderr when pytest's variables are set.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    stopped = ""
    try:
        client.execute(env=environment)
    except (CellTimeoutError, DeadKernelError) as error:
        stopped = _one_line(str(error))
    except RuntimeError as error:  # jupyter_client's word for a kernel that does not start
        if began:
            raise
        stopped = f"the kernel did not start: {_one_line(str(error))}"
    except CellExecutionError:
        pass  # the cell has it as an output
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    now = time.monotonic()
    times = {cell: ended.get(cell, now) - start for cell, start in began.items()}
    return dict(outcomes(code, times, stopped, folder))


def outcomes(
    code: Sequence[Mapping[str, Any]], seconds: Mapping[str, float], stopped: str, folder: Path
) -> Iterator[tuple[str, Outcome]]:
    """What became of each code cell, given those that began, and why the kernel stopped if it did.

    Examples
    --------
    >>> quiet = {"id": "a", "source": "1", "metadata": {}, "outputs": []}
    >>> loud = {**quiet, "id": "b", "outputs": [{"output_type": "stream", "name": "stderr", "text": "oh\\n"}]}
    >>> never = {**quiet, "id": "c"}
    >>> for cell, outcome in outcomes([quiet, loud, never], {"a": 1, "b": 1}, "", Path()):
    ...     print(cell, outcome.problem or "good")
    a good
    b stderr: oh
    c not run, as cell b failed: stderr: oh
    """
    because = stopped
    begun = [cell["id"] for cell in code if cell["id"] in seconds]
    for cell in code:
        name = cell["id"]
        if name not in seconds:
            yield name, Outcome(problem=f"not run, as {because}", ran=False)
            continue
        problem, details = judged(cell, stopped if name == begun[-1] else "", folder)
        because = f"cell {name} failed: {problem}"
        yield name, Outcome(seconds[name], problem, details)


def judged(cell: Mapping[str, Any], stopped: str, folder: Path) -> tuple[str, str]:
    """What is wrong with an executed cell, in one line and in full; blank when nothing is."""
    said = [f"the cell:\n{textwrap.indent(cell['source'], '    ')}"]
    error = next((out for out in cell["outputs"] if out["output_type"] == "error"), None)
    noise = "".join(out["text"] for out in cell["outputs"] if out.get("name") == "stderr")
    noise = TEMPORARY.sub("cell", ANSI.sub("", noise)).rstrip()
    if noise:
        said.append(f"on stderr:\n{textwrap.indent(noise, '    ')}")
    if stopped:
        return stopped, "\n".join(said)
    # Jupyter's own way to say that an error is what a cell is there to show.
    if error and "raises-exception" not in cell["metadata"].get("tags", ()):
        value = ANSI.sub("", error["evalue"])
        if error["ename"] in ("InputError", "ParameterError"):
            said[:0] = list(_input_rows(value, folder))
        else:
            told = ANSI.sub("", "\n".join(error["traceback"]))
            said.append(TEMPORARY.sub("cell", told))
        return f"{error['ename']}: {_one_line(value)}", "\n".join(said)
    if noise:
        warned = WARNING.search(noise)
        return (f"warning: {warned['what']}" if warned else f"stderr: {_one_line(noise)}"), "\n".join(said)
    return "", ""


def _one_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[0] if lines else "no message"


def _input_rows(problems: str, folder: Path) -> Iterator[str]:
    """Each problem of a ``InputError`` with the row that it blames, as the table has it; the first is told already."""
    for place, line in enumerate(problems.splitlines()):
        if place:
            yield line
        found = ROW.match(line)
        row = input_row(folder / found["file"], int(found["row"])) if found else {}
        if row:
            yield "    the row: " + json.dumps(row, ensure_ascii=False)


def input_row(file: Path, row: int) -> dict[str, str]:
    """A row of a CSV table by its line in the file; nothing where there is no such line, or it is the header.

    Examples
    --------
    >>> from analysis.folder import find
    >>> input_row(find("oral-2022") / "legs.csv", 2)["from_place"]
    'kolomna'
    """
    if file.suffix != ".csv" or not file.is_file():
        return {}
    with file.open(encoding="utf-8", errors="replace", newline="") as text:
        reader = csv.reader(text)
        header = next(reader, [])
        for cells in reader:
            if reader.line_num == row:
                return dict(zip(header, cells, strict=False))
    return {}
