"""How a check and the tabulations grow with the rows, on DuckDB and on Sail: ``python -m benchmarks.scale 17 10000 1000000``.

Seconds are a clock's; processor seconds, of which two a second are spent on two processors, hold on a busy machine as
well. Memory is that of the step and of the server together, at most. The exponent is that of the processor seconds from
one size to the next: 1 is as many more seconds as rows.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks import editions

ROOT = Path(__file__).resolve().parents[1]
STEPS = ("check", "tabulate", "sql")
SERVER = """
from pysail.spark import SparkConnectServer
import time
server = SparkConnectServer("127.0.0.1", 0)
server.start(background=True)
print(server.listening_address[1], flush=True)
time.sleep(36000)
"""


@dataclass(frozen=True)
class Step:
    """What a step took: seconds of the clock and of processors, megabytes, and a hash of what it found."""

    seconds: float
    processors: float
    megabytes: float
    found: str


@contextmanager
def sail() -> Iterator[tuple[str, psutil.Process]]:
    """A server, by its address and process."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        try:
            yield f"sc://127.0.0.1:{process.stdout.readline().strip()}", psutil.Process(process.pid)
        finally:
            process.kill()


def step(name: str, edition: Path, engine: str = "", server: psutil.Process | None = None) -> Step:
    """Run a step in a process of its own."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    env["ANALYSIS_ENGINE_TIMEOUT"] = "36000"
    before = sum(server.cpu_times()[:2]) if server else 0.0
    call = [sys.executable, "-m", "benchmarks.large", name, str(edition), *([engine] if engine else [])]
    printed = subprocess.run(call, cwd=ROOT, env=env, check=True, capture_output=True, text=True).stdout
    seconds, processors, megabytes, found = printed.split()[-4:]
    spent = sum(server.cpu_times()[:2]) - before if server else 0.0
    return Step(float(seconds), float(processors) + spent, float(megabytes) + (_peak(server) if server else 0), found)


def _peak(server: psutil.Process) -> float:
    status = Path(f"/proc/{server.pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def main(sizes: list[int]) -> None:
    """Print a row a size, step and engine, as each is known."""
    print(
        "| people | step | engine | seconds | processor seconds | MB | exponent |\n| --: | --- | --- | --: | --: | --: | --: |"
    )
    last: dict[tuple[str, str], tuple[int, float]] = {}
    with tempfile.TemporaryDirectory() as base:
        for size in sizes:
            edition = editions.large(Path(base) / str(size) / "large", size, legs=True)
            found: dict[str, set[str]] = {}
            for name in STEPS:
                took = {"DuckDB": step(name, edition)}
                if name != "sql":
                    with sail() as (engine, server):
                        took["Sail"] = step(name, edition, engine, server)
                for where, each in took.items():
                    rows, spent = last.get((name, where), (0, 0.0))
                    grown = f"{math.log(each.processors / spent) / math.log(size / rows):.2f}" if spent else ""
                    last[name, where] = size, each.processors
                    found.setdefault("check" if name == "check" else "counts", set()).add(each.found)
                    print(f"| {size:,} | {name} | {where} | {each.seconds:.2f} | {each.processors:.2f} | {each.megabytes:,.0f} | {grown} |", flush=True)  # fmt: skip
            assert all(len(each) == 1 for each in found.values()), f"engines disagree: {found}"


if __name__ == "__main__":
    main([*map(int, sys.argv[1:])] or [17, 10_000, 1_000_000, 10_000_000])
