"""What a build says while it works: plain lines, or on a terminal one line that is redrawn in place."""

from __future__ import annotations

import sys
from typing import Any

from parabook.errors import printable


class Progress:
    """The progress of one book: ``name`` begins its lines, blank to say nothing.

    If ``live``, a terminal shows how many chapters are done, which are running, and for how long.
    """

    def __init__(self, name: str = "", *, live: bool = False) -> None:
        self._name, self._running = printable(name), dict[str, None]()
        self._live: bool = live and sys.stderr.isatty()
        self._display: Any = None

    def start(self, chapters: int) -> None:
        """So many chapters are to be run."""
        if self._live:
            from rich import progress
            from rich.console import Console

            columns = (
                "{task.description}",
                progress.MofNCompleteColumn(),
                "chapters",
                progress.TimeElapsedColumn(),
                "{task.fields[now]}",
            )
            self._display = progress.Progress(*columns, console=Console(stderr=True), transient=True)
            self._display.add_task(self._name, total=chapters, now="")
            self._display.start()

    def begin(self, chapter: str) -> None:
        """A chapter begins."""
        self._running[chapter] = None
        self._show()

    def end(self, chapter: str, seconds: float | None) -> None:
        """A chapter has run, or came from the cache: in None seconds."""
        self._running.pop(chapter, None)
        self._show(1)
        if seconds is not None and not self._display:
            self.message(f"{chapter} {seconds:.1f} s")

    def message(self, text: str) -> None:
        """Something else is done."""
        if self._display:
            self._display.update(0, now=text)
        elif self._name:
            sys.stderr.write(f"{self._name}: {text}\n")  # at once, as books are built side by side

    def warn(self, text: str) -> None:
        """Something that is to be read afterwards, too."""
        if self._display:
            self._display.console.print(f"{self._name}: {text}", markup=False, highlight=False, soft_wrap=True)
        else:
            self.message(text)

    def _show(self, done: int = 0) -> None:
        if self._display:
            self._display.update(0, advance=done, now=", ".join(self._running))

    def close(self) -> None:
        """The build has ended: say nothing more."""
        if self._display:
            self._display.stop()
        self._name = ""
