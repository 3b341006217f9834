"""Where the time of a cold build goes: when each step begins and ends, and the processor time of each kind of process.

Run by hand: ``python -m benchmarks.where``. Everything kept from earlier builds is forgotten first.
"""

from __future__ import annotations

import functools
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

BEGAN = time.perf_counter()
STEPS: list[tuple[str, float, float]] = []
"""What was done, from when to when, in seconds since the beginning."""

KERNELS: list[float] = []
"""Processor seconds of each kernel."""


def timed(owner: Any, name: str, told: str) -> None:
    """Have a function note when it begins and ends."""
    inner: Callable[..., Any] = getattr(owner, name)

    @functools.wraps(inner)
    def outer(*arguments: Any, **options: Any) -> Any:
        began = time.perf_counter() - BEGAN
        try:
            return inner(*arguments, **options)
        finally:
            STEPS.append((told, began, time.perf_counter() - BEGAN))

    setattr(owner, name, outer)


def seconds_of(pid: int) -> float:
    """The processor time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Build once, cold, and print the table."""
    from parabook.server import start_server

    start_server()
    from parabook import engine  # noqa: F401 - as the command does

    STEPS.append(("papermill is loaded", 0.0, time.perf_counter() - BEGAN))
    from concurrent.futures import Future
    from multiprocessing import forkserver

    from analysis.folder import CACHE
    from parabook import build, publish, run
    from parabook import kernels as warm
    from parabook import pool as bindery

    kill = warm.WarmProvisioner.kill

    async def noted(self: Any, restart: bool = False) -> None:
        KERNELS.append(seconds_of(self.pid))
        await kill(self, restart)

    warm.WarmProvisioner.kill = noted  # type: ignore[method-assign]
    check = bindery.Bindery.check

    def checked(self: Any, *arguments: Any) -> Future[Any]:
        found = check(self, *arguments)
        told = "the server loads; the edition is checked"
        found.add_done_callback(lambda done: STEPS.append((told, 0.0, time.perf_counter() - BEGAN)))
        return found

    bindery.Bindery.check = checked  # type: ignore[method-assign]
    bound = bindery.Bindery.bind

    def binding(self: Any, *arguments: Any) -> None:
        bound(self, *arguments)
        hands.extend(each.submit(time.process_time).result() for each in (self._binders, self._draughtsmen))

    hands: list[float] = []
    bindery.Bindery.bind = binding  # type: ignore[method-assign]
    timed(run, "run_all", "the chapters run")
    timed(bindery.Bindery, "bind", "the book is bound: staged, assembled by Sphinx, recorded, sealed")
    timed(publish, "publish", "the book takes its place")
    shutil.rmtree(CACHE, ignore_errors=True)
    with tempfile.TemporaryDirectory() as base:
        build.build("oral-2022", {}, Path(base) / "out", build.How(), lambda line: None)
        chapters = json.loads((Path(base) / "out" / "receipt.json").read_text(encoding="utf-8"))["chapters"]
        server = seconds_of(forkserver._forkserver._forkserver_pid)  # type: ignore[attr-defined]
    whole = time.perf_counter() - BEGAN
    print("| step | from | to | seconds |\n| --- | --- | --- | --- |")
    for told, began, ended in sorted(STEPS, key=lambda step: step[1]):
        print(f"| {told} | {began:.2f} | {ended:.2f} | {ended - began:.2f} |")
    print(f"| all | 0.00 | {whole:.2f} | {whole:.2f} |\n")
    own = resource.getrusage(resource.RUSAGE_SELF)
    spent = {
        "the command itself: papermill, messages": own.ru_utime + own.ru_stime,
        "the warm server": server,
        f"{len(chapters)} kernels": sum(KERNELS),
        "the binder: check, Sphinx": hands[0],
        "the draughtsman": hands[1],
    }
    print("| process | processor seconds |\n| --- | --- |")
    for told, seconds in spent.items():
        print(f"| {told} | {seconds:.2f} |")
    print(f"| all, on {os.cpu_count()} processors | {sum(spent.values()):.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
