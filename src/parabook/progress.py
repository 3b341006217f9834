"""The progress of a build: plain lines, or on a terminal one line that is redrawn in place."""

from __future__ import annotations

import sys
from typing import Any

from parabook.errors import printable


class Progress:
    """Prints the progress of one book; ``name`` begins its lines, and a blank one prints nothing.

    If ``live``, a terminal shows how many chapters are done, which are running, and for how long.
    """

    def __init__(self, name: str = "", *, live: bool = False) -> None:
        self._name, self._running = printable(name), dict[str, None]()
        self._live: bool = live and sys.stderr.isatty()
        self._display: Any = None

    def start(self, chapters: int) -> None:
        """Begin, with the number of chapters to run."""
        if self._live:
            from rich.console import Console
            from rich.progress import MofNCompleteColumn, TimeElapsedColumn
            from rich.progress import Progress as Display

            counts = (MofNCompleteColumn(), "chapters", TimeElapsedColumn())
            columns = ("{task.description}", *counts, "{task.fields[now]}")
            self._display = Display(*columns, console=Console(stderr=True), transient=True)
            self._display.add_task(self._name, total=chapters, now="")
            self._display.start()

    def begin(self, chapter: str) -> None:
        """A chapter begins."""
        self._running[chapter] = None
        self._show()

    def end(self, chapter: str, seconds: float | None) -> None:
        """A chapter has run, in so many seconds; None if it came from the cache."""
        self._running.pop(chapter, None)
        self._show(1)
        if seconds is not None and not self._display:
            self.message(f"{chapter} {seconds:.1f} s")

    def message(self, text: str) -> None:
        """Print a message; a live display shows it until the next one."""
        if self._display:
            self._display.update(0, now=text)
        elif self._name:
            sys.stderr.write(f"{self._name}: {text}\n")  # at once, as books are built side by side

    def warn(self, text: str) -> None:
        """Print what is to be read after the build, too."""
        if self._display:
            self._display.console.print(f"{self._name}: {text}", markup=False, highlight=False, soft_wrap=True)
        else:
            self.message(text)

    def _show(self, done: int = 0) -> None:
        if self._display:
            self._display.update(0, advance=done, now=", ".join(self._running))

    def close(self) -> None:
        """End, and print nothing more."""
        if self._display:
            self._display.stop()
        self._name = ""
