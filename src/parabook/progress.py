"""What a build says while it works: plain lines, or on a terminal one line that is redrawn in place."""

from __future__ import annotations

import sys
from typing import Any


class Progress:
    """What a build reports to; as it stands, it says nothing."""

    def start(self, chapters: int) -> None:
        """So many chapters are to be run."""

    def begin(self, chapter: str) -> None:
        """A chapter begins."""

    def end(self, chapter: str, seconds: float | None) -> None:
        """A chapter has run, or came from the cache: in None seconds."""

    def message(self, text: str) -> None:
        """Something else is done."""

    def close(self) -> None:
        """The build has ended: say nothing more."""


class Lines(Progress):
    """A line to stderr for each chapter that ran."""

    def __init__(self, name: str) -> None:
        self.name, self.closed = name, False

    def end(self, chapter: str, seconds: float | None) -> None:
        """Print a line, unless the chapter came from the cache."""
        if seconds is not None:
            self.message(f"{chapter} {seconds:.1f} s")

    def message(self, text: str) -> None:
        """Print a line."""
        if not self.closed:
            sys.stderr.write(f"{self.name}: {text}\n")  # at once, as books are built side by side

    def close(self) -> None:
        """Print nothing more."""
        self.closed = True


class Live(Lines):
    """On a terminal: how many chapters are done, which are running, and for how long."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.running: list[str] = []
        self.display: Any = None

    def start(self, chapters: int) -> None:
        """Show the line."""
        from rich import progress
        from rich.console import Console

        columns = (
            "{task.description}",
            progress.MofNCompleteColumn(),
            "chapters",
            progress.TimeElapsedColumn(),
            "{task.fields[now]}",
        )
        self.display = progress.Progress(*columns, console=Console(stderr=True), transient=True)
        self.task = self.display.add_task(self.name, total=chapters, now="")
        self.display.start()

    def begin(self, chapter: str) -> None:
        """Name the chapter among those that run."""
        self.running.append(chapter)
        self.display.update(self.task, now=", ".join(self.running))

    def end(self, chapter: str, seconds: float | None) -> None:
        """Count the chapter."""
        self.running = [each for each in self.running if each != chapter]
        self.display.update(self.task, advance=1, now=", ".join(self.running))

    def message(self, text: str) -> None:
        """Show the step, or print it where no chapters are shown."""
        if self.display:
            self.display.update(self.task, now=text)
        else:
            super().message(text)

    def close(self) -> None:
        """Take the line away."""
        super().close()
        if self.display:
            self.display.stop()


def progress_for(name: str, *, alone: bool = True) -> Progress:
    """What shows the progress of a book: on a terminal, and of one book at a time, in place; else line by line."""
    return Live(name) if alone and sys.stderr.isatty() else Lines(name)
