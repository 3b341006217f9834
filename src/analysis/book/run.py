"""Running the chapters: each through papermill in a kernel of its own, some side by side."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.book.chapters import FILLED_IN, all_parameters, parameters
from analysis.book.warm import KERNEL, stop_all

CELL_SECONDS = 600
"""How long one cell may take."""


@dataclass(frozen=True)
class Ran:
    """One chapter that ran: where its executed notebook lies, and how long each cell took."""

    chapter: str
    notebook: Path
    seconds: float
    cells: tuple[tuple[str, float], ...]


class ChapterFailed(Exception):
    """A cell of a chapter failed: the report is wrong, exit code 1."""


def run_all(
    notebooks: Sequence[Path],
    edition: Path,
    given: Mapping[str, Any],
    overrides: str,
    into: Path,
    jobs: int,
    tell: Callable[[str], None],
) -> list[Ran]:
    """Run chapters for one edition.

    Parameters
    ----------
    notebooks : sequence of Path
        The chapters, in the order of the book.
    edition : Path
        The edition's folder; kernels run beside it and know it by its folder's name, so that no
        page carries the path of a machine.
    given : mapping
        Parameters; a chapter gets those it declares.
    overrides : str
        The same as JSON, for the chapter that prints them.
    into : Path
        Where executed notebooks go.

    Raises
    ------
    ChapterFailed
        With chapter, cell and error, when a cell fails. Chapters not yet begun are not run.
    """
    values = filled(notebooks, edition, given, overrides)

    def one(notebook: Path) -> Ran:
        ran = run_one(notebook, into / notebook.name, declared(notebook, values), edition.parent)
        tell(f"{ran.chapter} {ran.seconds:.1f} s")
        return ran

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        futures = [pool.submit(one, notebook) for notebook in notebooks if notebook.suffix == ".ipynb"]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        except BaseException:  # interrupted: no chapter is worth waiting for
            pool.shutdown(wait=False, cancel_futures=True)
            stop_all()
            raise
        pool.shutdown(wait=True, cancel_futures=True)
    failed = [error for future in futures if not future.cancelled() and (error := future.exception())]
    if failed:
        raise failed[0]
    return [future.result() for future in futures]


def filled(notebooks: Sequence[Path], edition: Path, given: Mapping[str, Any], overrides: str) -> dict[str, Any]:
    """The parameters of a call together with those that the build fills in."""
    known = all_parameters(notebooks)
    whole = {name: given.get(name, each.default) for name, each in known.items() if name not in FILLED_IN}
    return {**given, "edition": edition.name, "overrides": overrides, "values": json.dumps(whole, sort_keys=True)}


def declared(notebook: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those parameters that a chapter declares."""
    names = parameters(notebook)
    return {name: value for name, value in values.items() if name in names}


def run_one(notebook: Path, output: Path, given: Mapping[str, Any], folder: Path) -> Ran:
    """Run one chapter through papermill."""
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    started = time.monotonic()
    try:
        executed = papermill.execute_notebook(
            notebook,
            output,
            dict(given),
            resources={"metadata": {"path": str(folder)}},  # papermill's own cwd would move the whole process
            progress_bar=False,
            log_output=False,
            execution_timeout=CELL_SECONDS,
            kernel_name=KERNEL,
            shutdown_kernel="immediate",  # it holds nothing worth a farewell, which takes most of a second
        )
    except PapermillExecutionError as error:
        cell = _failed_cell(output)
        last = str(error.evalue).strip().splitlines()
        raise ChapterFailed(
            f"chapter {notebook.stem}, cell {cell}: {error.ename}: {last[0] if last else 'no message'}"
        ) from error
    except (CellTimeoutError, DeadKernelError) as error:
        raise ChapterFailed(f"chapter {notebook.stem}: {str(error).strip().splitlines()[0]}") from error
    cells = tuple(
        (cell["id"], float(cell.metadata.get("papermill", {}).get("duration") or 0.0))
        for cell in executed.cells
        if cell.cell_type == "code"
    )
    return Ran(notebook.stem, output, time.monotonic() - started, cells)


def _failed_cell(output: Path) -> str:
    import nbformat

    if not output.is_file():
        return "unknown"
    for cell in nbformat.read(output, as_version=4).cells:
        if any(out.get("output_type") == "error" for out in cell.get("outputs", ())):
            return str(cell["id"])
    return "unknown"
