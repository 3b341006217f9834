"""Timing whole processes, side by side: seconds and peak memory of a command and all that it starts."""

from __future__ import annotations

import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Took:
    """One run: seconds, and the greatest memory of the process and its children together, in megabytes."""

    seconds: float
    megabytes: float


@dataclass(frozen=True)
class Row:
    """One comparison: ours and theirs, medians of the same number of rounds, and how many times faster ours is."""

    what: str
    ours: Took
    theirs: Took | None
    them: str

    @property
    def ratio(self) -> float | None:
        return self.theirs.seconds / self.ours.seconds if self.theirs else None

    def as_dict(self) -> dict[str, object]:
        """As plain values."""
        found: dict[str, object] = {"seconds": round(self.ours.seconds, 3), "megabytes": round(self.ours.megabytes)}
        if self.theirs and self.ratio:
            found |= {
                "beside": self.them,
                "their seconds": round(self.theirs.seconds, 3),
                "times": round(self.ratio, 1),
            }
            found["their megabytes"] = round(self.theirs.megabytes)
        return found


def run(command: Sequence[str], cwd: Path, environment: dict[str, str] | None = None) -> Took:
    """Run a command to its end; it must succeed. In rounds that are timed nobody looks at its memory: that takes a processor."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    peak = _watch(process.pid) if WATCHING else None
    said, _ = process.communicate()
    seconds = time.perf_counter() - started
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit {process.returncode}\n{said.decode(errors='replace')[-2000:]}")
    return Took(seconds, peak() / 1e6 if peak else 0.0)


WATCHING: list[bool] = []
"""Not empty while memory is looked at."""


def watched(side: Callable[[], Took]) -> float:
    """The greatest memory of one more run, in megabytes."""
    WATCHING.append(True)
    try:
        return side().megabytes
    finally:
        WATCHING.pop()


def _watch(pid: int) -> Callable[[], int]:
    """Sum the memory of a process and its children (what each has to itself) until told to stop; the greatest."""
    greatest = 0
    done = threading.Event()

    def look() -> None:
        nonlocal greatest
        while not done.is_set():
            try:
                parent = psutil.Process(pid)
                whole = sum(_own(each) for each in [parent, *parent.children(recursive=True)])
                greatest = max(greatest, whole)
            except psutil.Error:
                pass
            done.wait(0.05)

    thread = threading.Thread(target=look)
    thread.start()

    def stop() -> int:
        done.set()
        thread.join()
        return greatest

    return stop


def _own(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


def median(runs: Sequence[Took], megabytes: float) -> Took:
    """The median of seconds, and the memory that was seen."""
    return Took(statistics.median(r.seconds for r in runs), megabytes)


def alone(side: Callable[[], Took], rounds: int) -> Took:
    """One side by itself: once for its memory, also so that Python has compiled all of it, then against the clock."""
    megabytes = watched(side)
    return median([side() for _ in range(rounds)], megabytes)


def beside(what: str, ours: Callable[[], Took], theirs: Callable[[], Took], them: str, rounds: int) -> Row:
    """Two sides: each once for its memory, also so that Python has compiled all of it, then in turn against the clock."""
    megabytes = watched(ours), watched(theirs)
    runs = [(ours(), theirs()) for _ in range(rounds)]
    return Row(what, median([a for a, _ in runs], megabytes[0]), median([b for _, b in runs], megabytes[1]), them)


def stepped(runs: Sequence[Took]) -> Took:
    """Of steps that time themselves and tell their own memory: the medians."""
    return median(runs, statistics.median(each.megabytes for each in runs))


def in_turn(what: str, ours: Callable[[], Took], theirs: Callable[[], Took], them: str, rounds: int) -> Row:
    """Two sides of steps that time themselves, in turn."""
    runs = [(ours(), theirs()) for _ in range(rounds)]
    return Row(what, stepped([a for a, _ in runs]), stepped([b for _, b in runs]), them)


def as_table(rows: Sequence[Row]) -> str:
    """Rows as a Markdown table.

    Examples
    --------
    >>> print(as_table([Row("chapters", Took(2.0, 100.0), Took(20.0, 300.0), "papermill")]).splitlines()[2])
    | chapters | 2.00 s, 100 MB | papermill | 20.00 s, 300 MB | 10.0 × |
    """
    lines = ["| what | this project | beside | theirs | times faster |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        theirs = f"{row.theirs.seconds:.2f} s, {row.theirs.megabytes:,.0f} MB" if row.theirs else ""
        ratio = f"{row.ratio:.1f} ×" if row.ratio else ""
        ours = f"{row.ours.seconds:.2f} s, {row.ours.megabytes:,.0f} MB"
        lines.append(f"| {row.what} | {ours} | {row.them} | {theirs} | {ratio} |")
    return "\n".join(lines)
