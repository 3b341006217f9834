"""Two workers of a Dask cluster beside one: the chapters of several copies of the first edition, without their books.

Run by hand, on a machine with nothing else to do and a processor for each worker: ``python -m benchmarks.cluster``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from analysis.book.cluster import Cluster, connected
from analysis.book.plan import Plan, plan
from analysis.book.run import run_all
from benchmarks.editions import many

ROOT = Path(__file__).resolve().parents[1]
DASK = [sys.executable, "-m", "dask"]


@contextmanager
def workers(number: int, *, warm: bool = True) -> Iterator[Cluster]:
    """A cluster of so many workers on this machine, each with one thread; warmed, by one edition, to run chapters."""
    with tempfile.TemporaryDirectory() as base:
        told = Path(base) / "scheduler.json"
        common = ["--scheduler-file", str(told), "--no-dashboard"]
        here = {**os.environ, "DASK_DISTRIBUTED__WORKER__DAEMON": "False", "PYTHONPATH": str(ROOT / "src")}
        calls = [
            ["scheduler", *common, "--host", "127.0.0.1", "--port", "0"],
            ["worker", *common, "--nthreads", "1", "--nworkers", str(number), "--local-directory", base],
        ]
        log = (Path(base) / "log").open("w")
        started = []
        try:
            for call in calls:
                started.append(subprocess.Popen([*DASK, *call], cwd=base, env=here, stdout=log, stderr=log))
                while not told.is_file():
                    time.sleep(0.1)
            address = json.loads(told.read_text(encoding="utf-8"))["address"]
            with connected(address, number) as cluster:
                cluster.client.wait_for_workers(number, timeout=60)
                if warm:
                    chapters(cluster, [plan("oral-2022", {})] * number)
                yield cluster
        finally:
            for process in reversed(started):
                process.terminate()
                process.wait()


def chapters(cluster: Cluster, plans: Sequence[Plan]) -> float:
    """Run all chapters of some editions; seconds."""

    def one(each: Plan) -> None:
        run_all(each, cluster.jobs, lambda line: None, force=True, one=cluster.running(each))

    started = time.perf_counter()
    with ThreadPoolExecutor(max_workers=cluster.editions(len(plans[0].notebooks))) as pool:
        list(pool.map(one, plans))
    return time.perf_counter() - started


def lose_one(editions: int) -> int:
    """Build editions, books and all, on two workers, one of which is killed on the way: how many were built."""
    with tempfile.TemporaryDirectory() as base, workers(2) as cluster:
        made = many(Path(base), editions)
        address = cluster.client.scheduler.address
        call = [
            sys.executable,
            "-m",
            "analysis.cli",
            "build",
            *map(str, made),
            "--out",
            f"{base}/out",
            "--scheduler",
            address,
        ]
        building = subprocess.Popen(call, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        while len(list(Path(base).glob("out/*/receipt.json"))) < editions // 3:
            time.sleep(0.2)
        lost = next(iter(cluster.client.run(os.getpid).values()))
        os.kill(lost, signal.SIGKILL)
        said, _ = building.communicate()
        print(f"worker {lost} killed after {editions // 3} books; exit {building.returncode}: {said.splitlines()[0]}")
        return len(list(Path(base).glob("out/*/receipt.json")))


def main() -> int:
    """One worker and two in turn, medians and their ratio; or how many books come of it when a worker is lost."""
    parser = argparse.ArgumentParser(prog="benchmarks.cluster", description=__doc__)
    parser.add_argument("--editions", type=int, default=10, help="copies of the first edition (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="how often each side runs (default: %(default)s)")
    parser.add_argument("--lose", action="store_true", help="kill one of two workers while books are made")
    options = parser.parse_args()
    if options.lose:
        print(f"{lose_one(options.editions)} of {options.editions} books made")
        return 0
    took: dict[int, list[float]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as base:
        copies = [Path(base) / f"copy-{number}" for number in range(options.editions)]
        plans = [plan(shutil.copytree(ROOT / "data" / "oral-2022", copy), {}) for copy in copies]
        for _ in range(options.rounds):
            for number, seconds in took.items():
                with workers(number) as cluster:
                    seconds.append(chapters(cluster, plans))
                    print(f"{number} workers: {seconds[-1]:.1f} s, load {os.getloadavg()[0]:.1f}", flush=True)
    one, two = (statistics.median(seconds) for seconds in took.values())
    runs = len(plans) * len(plans[0].notebooks)
    print(
        f"{runs} chapters on {os.cpu_count()} processors: {one:.1f} s with a worker, {two:.1f} s with two, {one / two:.2f} ×"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
