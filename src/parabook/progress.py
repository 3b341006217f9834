"""What a build says while it works: plain lines, or on a terminal the chapters that run, redrawn in place."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType


class Progress:
    """Says nothing; what a build reports to."""

    def start(self, chapters: int) -> None:
        """So many chapters are to be run."""

    def begin(self, chapter: str) -> None:
        """A chapter begins."""

    def end(self, chapter: str, seconds: float | None) -> None:
        """A chapter has run; in no time at all, when it came from the cache."""

    def message(self, text: str) -> None:
        """Something else is done."""

    def silence(self) -> None:
        """Say nothing more: the last word is that of an interruption."""

    def close(self) -> None:
        """The build has ended."""


class Lines(Progress):
    """A line for each chapter that ran, to stderr."""

    def __init__(self, name: str) -> None:
        self.name, self.silent = name, False

    def end(self, chapter: str, seconds: float | None) -> None:
        """Print a line, unless the chapter came from the cache."""
        if seconds is not None:
            self.message(f"{chapter} {seconds:.1f} s")

    def message(self, text: str) -> None:
        """Print a line."""
        if not self.silent:
            sys.stderr.write(f"{self.name}: {text}\n")  # at once, as books are made side by side

    def silence(self) -> None:
        """Print nothing more."""
        self.silent = True


class Live(Progress):
    """One line on a terminal, redrawn in place: chapters done, those that run, seconds."""

    def __init__(self, name: str) -> None:
        from rich.console import Console
        from rich.live import Live as Display

        self.name, self.chapters, self.done = name, 0, 0
        self.running: list[str] = []
        self.step = ""
        self.started = time.monotonic()
        console = Console(stderr=True, highlight=False)
        self.display = Display(console=console, transient=True, refresh_per_second=4, get_renderable=self._line)

    def _line(self) -> RenderableType:
        from rich.text import Text

        what = self.step or f"{self.done} of {self.chapters} chapters" + (
            f"; running: {', '.join(self.running)}" if self.running else ""
        )
        return Text(f"{self.name}: {what}; {time.monotonic() - self.started:.0f} s", overflow="ellipsis", no_wrap=True)

    def start(self, chapters: int) -> None:
        """Show the line."""
        self.chapters = chapters
        self.display.start()

    def begin(self, chapter: str) -> None:
        """Name the chapter among those that run."""
        self.running.append(chapter)

    def end(self, chapter: str, seconds: float | None) -> None:
        """Count the chapter."""
        self.done += 1
        if chapter in self.running:
            self.running.remove(chapter)

    def message(self, text: str) -> None:
        """Show the step, or print it where no line is shown."""
        if self.display.is_started:
            self.step = text
        else:
            self.display.console.print(f"{self.name}: {text}", markup=False)

    def silence(self) -> None:
        """Take the line away."""
        self.display.stop()

    close = silence


def progress_for(name: str, *, alone: bool = True) -> Progress:
    """What shows the progress of a book: on a terminal, and of one book at a time, in place; else line by line."""
    return Live(name) if alone and sys.stderr.isatty() else Lines(name)
