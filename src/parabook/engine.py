"""How one notebook is executed: by papermill's client of nbclient, with a bound on what it may show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NotebookExecutionManager

from parabook.kernels import Manager

MOST_OUTPUT = 50_000_000
"""Characters that a chapter may show; no page could hold more."""


class Stopped(Exception):
    """A chapter was stopped, or its kernel died."""


class Client(PapermillNotebookClient):  # type: ignore[misc]
    """Counts what a chapter shows, and ends its kernel when that is too much."""

    def __init__(self, *arguments: Any, ready: Callable[[], object], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.ready = ready
        self.shown = 0

    def papermill_execute_cells(self) -> None:
        """Run the cells once the caller is ready; until then the kernel stands by."""
        self.ready()
        super().papermill_execute_cells()

    def process_message(self, message: Any, *arguments: Any, **options: Any) -> Any:
        """Take a message of the kernel, unless it has shown too much already."""
        content = message.get("content", {})
        self.shown += len(content.get("text", "")) + sum(len(str(part)) for part in content.get("data", {}).values())
        if self.shown <= MOST_OUTPUT:
            return super().process_message(message, *arguments, **options)
        if process := getattr(self.km.provisioner, "process", None):
            process.kill()
        return None


def execute(notebook: Any, kernel: str, folder: Path, seconds: float, ready: Callable[[], object]) -> None:
    """Execute a notebook in place, as far as its first failing cell.

    Raises
    ------
    Stopped
        When a cell took too long, or the chapter showed too much or ended its kernel.
    """
    manager = NotebookExecutionManager(notebook, progress_bar=False)
    manager.notebook_start()
    client = Client(
        manager,
        ready=ready,
        kernel_name=kernel,
        kernel_manager_class=Manager,
        timeout=seconds,
        resources={"metadata": {"path": str(folder)}},  # papermill's own cwd would move the whole process
        shutdown_kernel="immediate",  # it holds nothing worth a farewell, which takes most of a second
    )
    try:
        client.execute()
    except CellTimeoutError as error:
        raise Stopped(f"a cell was not done after {seconds:g} seconds") from error
    except DeadKernelError as error:
        flooded = client.shown > MOST_OUTPUT
        raise Stopped(f"more than {MOST_OUTPUT:,} characters of output" if flooded else "its kernel died") from error
    except RuntimeError as error:  # jupyter_client's way to say that a kernel does not start
        raise Stopped(str(error)) from error
    manager.notebook_complete()
