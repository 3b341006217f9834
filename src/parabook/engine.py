"""The engine that papermill runs chapters with: nbclient, with bounds on a chapter's time and on what it prints."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines

from parabook.kernels import Manager

NAME = "parabook-bounded"

MOST_OUTPUT = 50_000_000
"""Characters that a chapter may show; no page could hold more."""


class Bounded(PapermillNotebookClient):  # type: ignore[misc]
    """Ends the kernel of a chapter that takes too long or prints without end, and remembers why."""

    def __init__(self, *arguments: Any, chapter_seconds: float, ready: Callable[[], object], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.seconds = chapter_seconds
        self.ready = ready
        self.shown = 0
        self.ended = ""

    def execute(self, **options: Any) -> Any:
        """Run the chapter."""
        try:
            return super().execute(**options)
        except Exception as error:
            if self.ended:
                raise OutOfBounds(self.ended) from error
            raise

    def papermill_execute_cells(self) -> None:
        """Run its cells, once whoever asked for it is ready; the kernel stands by."""
        self.ready()
        timer = threading.Timer(self.seconds, self.end, [f"not done after {self.seconds:g} seconds"])
        timer.daemon = True
        timer.start()
        try:
            super().papermill_execute_cells()
        finally:
            timer.cancel()

    def process_message(self, message: Any, *arguments: Any, **options: Any) -> Any:
        """Take a message of the kernel, unless it has shown too much already."""
        content = message.get("content", {})
        self.shown += len(content.get("text", "")) + sum(len(str(part)) for part in content.get("data", {}).values())
        if self.shown > MOST_OUTPUT:
            self.end(f"more than {MOST_OUTPUT:,} characters of output")
            return None
        return super().process_message(message, *arguments, **options)

    def end(self, why: str) -> None:
        """End the kernel at once."""
        process = getattr(getattr(self.km, "provisioner", None), "process", None)
        if not self.ended and process is not None:
            self.ended = why
            process.kill()


class OutOfBounds(Exception):
    """A chapter took too long or printed too much."""


class BoundedEngine(NBClientEngine):  # type: ignore[misc]
    """The engine, as papermill calls it."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> Any:
        """Run one notebook."""
        known = {name: options[name] for name in ("resources", "shutdown_kernel", "chapter_seconds", "ready")}
        kernel: dict[str, Any] = {"kernel_name": kernel_name, "kernel_manager_class": Manager, "startup_timeout": 60}
        return Bounded(nb_man, timeout=None, **kernel, **known).execute()


papermill_engines.register(NAME, BoundedEngine)
