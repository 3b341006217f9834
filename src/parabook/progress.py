"""What a build says while it works: a line for each step that is done."""

from __future__ import annotations

import sys


class Progress:
    """The progress of one book: ``name`` begins its lines; blank to say nothing."""

    def __init__(self, name: str = "") -> None:
        self._name = name

    def end(self, chapter: str, seconds: float | None) -> None:
        """A chapter has run, or came from the cache: in None seconds."""
        if seconds is not None:
            self.message(f"{chapter} {seconds:.1f} s")

    def message(self, text: str) -> None:
        """Something else is done."""
        if self._name:
            sys.stderr.write(f"{self._name}: {text}\n")  # at once, as books are built side by side

    def close(self) -> None:
        """The build has ended: say nothing more."""
        self._name = ""
