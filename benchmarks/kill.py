"""Kill a rebuild at random moments, and see that the book in place is whole each time: ``python -m benchmarks.kill 100``."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from analysis.schema import ROOT
from parabook.files import hash_files

BUILD = [sys.executable, "-m", "analysis.publish.cli", "build"]


def main(times: int) -> int:
    """Two states of an edition in turn; each build is killed at a random moment of the time that it takes."""
    with tempfile.TemporaryDirectory() as base:
        edition = Path(shutil.copytree(ROOT / "data" / "oral-2022", Path(base) / "oral-2022"))
        out, figures = Path(base) / "out", edition / "destinations.csv"
        states = [figures.read_text(encoding="utf-8"), figures.read_text(encoding="utf-8").replace("100000", "110000")]
        call = [*BUILD, str(edition), "--out", str(out)]
        books, seconds = [], 0.0
        for state in (*states, states[0]):
            figures.write_text(state, encoding="utf-8")
            started = time.perf_counter()
            subprocess.run(call, cwd=ROOT, check=True, capture_output=True)
            seconds = time.perf_counter() - started
            books.append(hash_files(out / "html"))
        random_moments, killed, whole, old = random.Random(times), 0, 0, 0
        for number in range(times):
            figures.write_text(states[(number + 1) % 2], encoding="utf-8")
            process = subprocess.Popen(call, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(random_moments.uniform(0, seconds * 0.9))
            process.send_signal(signal.SIGKILL)
            killed += process.wait() == -signal.SIGKILL
            in_place = hash_files(out / "html")
            whole += in_place in books
            old += in_place == books[number % 2]
            if (
                number % 10 == 9 or number == times - 1
            ):  # the next build succeeds, and its outputs are those of one build
                subprocess.run(call, cwd=ROOT, check=True, capture_output=True)
                receipt = json.loads((out / "receipt.json").read_text(encoding="utf-8"))
                assert all(hash_files(out / name) == files for name, files in receipt["outputs"].items())
        subprocess.run([*call, "--force"], cwd=ROOT, check=True, capture_output=True)  # cleans up what killed ones left
        left = [path.name for path in out.parent.glob(".*.parabook")]
        print(
            f"{times} rebuilds, {killed} killed before their end: {whole} of {times} books whole, {old} of them the old one; left: {left}"
        )
        return 0 if whole == times and not left else 1


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1])))
