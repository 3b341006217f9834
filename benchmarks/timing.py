"""Timing whole processes, side by side: seconds and peak memory of a command and all that it starts."""

from __future__ import annotations

import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
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
    """One comparison: ours and theirs, medians of the same number of rounds."""

    what: str
    ours: Took
    theirs: Took | None = None
    them: str = ""
    times: float | None = None
    """The median of the ratios of rounds; that of the medians where it is None."""

    @property
    def ratio(self) -> float | None:
        """How many times as long theirs takes."""
        return self.times or (self.theirs.seconds / self.ours.seconds if self.theirs else None)


Side = Callable[[], Took]


def run(command: Sequence[str], cwd: Path, environment: dict[str, str] | None = None) -> Took:
    """Run a command to its end; it must succeed. In rounds that are timed nobody looks at its memory: that takes a processor."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    peak = _watch(process.pid) if WATCHING else None
    said, _ = process.communicate()
    seconds, most = time.perf_counter() - started, peak() if peak else 0
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit {process.returncode}\n{said.decode(errors='replace')[-2000:]}")
    return Took(seconds, most / 1e6)


WATCHING: list[bool] = []
"""Not empty while memory is looked at."""


def watched(side: Side) -> float:
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
            done.wait(0.1)

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


def in_turn(what: str, ours: Side, others: Mapping[str, Side], rounds: int) -> list[Row]:
    """Ours beside others: each once for its memory, also so that Python has compiled all of it, then in turn by the clock."""
    sides = {"": ours, **others}
    memory = {name: watched(side) for name, side in sides.items()}
    runs = [{name: side().seconds for name, side in sides.items()} for _ in range(rounds)]
    took = {name: Took(statistics.median(each[name] for each in runs), memory[name]) for name in sides}
    ratios = {name: statistics.median(each[name] / each[""] for each in runs) for name in others}
    return [Row(what, took[""], took[name], name, ratios[name]) for name in others]


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
