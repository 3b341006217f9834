"""Seconds from saving a file to the new page, by ``analysis preview``, and its memory: ``python -m benchmarks.live``.

A page is new when the server tells browsers so, which then load it. Prints medians, and what is left of processes.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]


class Watcher:
    """What a preview tells the browser of one page."""

    def __init__(self, address: str, page: str) -> None:
        self.told: dict[str, Any] = {}
        self.time = 0.0
        threading.Thread(target=self._listen, args=(f"{address}-/events?page={page}",), daemon=True).start()

    def _listen(self, address: str) -> None:
        with urllib.request.urlopen(address) as answer:
            for line in answer:
                if line.startswith(b"data: "):
                    self.told, self.time = json.loads(line[6:]), time.perf_counter()

    def until(self, holds: Callable[[dict[str, Any]], bool]) -> float:
        """When it first told something that holds."""
        for _ in range(12000):
            if self.told and holds(self.told):
                return self.time
            time.sleep(0.005)
        raise TimeoutError(str(self.told))

    def after(self, file: Path, text: str, page: str) -> float:
        """Seconds from saving a file to a new page, or to new styles where none is named."""

        def shown(told: dict[str, Any]) -> object:
            return told["pages"].get(page) if page else told["styles"]

        self.until(lambda told: bool(told["pages"]) and not told["busy"])
        time.sleep(1)  # nobody saves the moment a page is new
        before = shown(self.told)
        file.write_text(text, encoding="utf-8")
        saved = time.perf_counter()
        return self.until(lambda told: shown(told) != before) - saved


def memory(process: psutil.Process) -> float:
    """Of a process and its children, what each has to itself, in megabytes."""
    found = 0.0
    for each in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.Error):  # it has just ended
            found += each.memory_full_info().pss / 1e6
    return found


def main(rounds: int) -> None:
    """Save a cell, a style, a story and a table in turn, so many times each."""
    with tempfile.TemporaryDirectory() as base:
        leave = shutil.ignore_patterns("_build", ".venv", ".git", ".*_cache", ".hypothesis", "__pycache__")
        root = Path(shutil.copytree(ROOT, Path(base) / "copy", ignore=leave))
        edition = root / "data" / "oral-2022"
        chapter, story, style, table = (
            root / "chapters" / "interviewees.ipynb",
            edition / "story.md",
            root / "_static" / "report.css",
            edition / "interviewees.csv",
        )
        old = {file: file.read_text(encoding="utf-8") for file in (chapter, story, style, table)}

        def cell(number: int) -> str:
            notebook = json.loads(old[chapter])
            code = [each for each in notebook["cells"] if each["cell_type"] == "code"][2]
            code["source"] = [*code["source"], f"\nprint({number})"]
            return json.dumps(notebook)

        def value(number: int) -> str:
            rows = list(csv.DictReader(io.StringIO(old[table])))
            row = next(each for each in rows if each["age_min"] != each["age_max"])
            row["age_min"] = str(int(row["age_max"]) - 1 - number % 2)  # an age of which the story says nothing
            text = io.StringIO()
            writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
            return text.getvalue()

        edits: dict[str, tuple[Path, Callable[[int], str], str]] = {
            "cell": (chapter, cell, "interviewees.html"),
            "style": (style, lambda number: f"{old[style]}\n/* {number} */", ""),
            "story": (story, lambda number: f"{old[story]}\nThe end, {number}.\n", "index.html"),
            "table": (table, value, "interviewees.html"),
        }
        code = f"import sys; sys.path.insert(0, {str(root / 'src')!r}); from analysis.publish.cli import command; sys.exit(command())"
        command = [sys.executable, "-c", code, "preview", str(edition), "--port", "0"]
        with subprocess.Popen(
            command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            try:
                address = process.stdout.readline().strip() if process.stdout else ""
                for what, (file, text, page) in edits.items():
                    watcher = Watcher(address, page or "index.html")
                    seconds = [watcher.after(file, text(number), page) for number in range(rounds)]
                    watcher.until(lambda told: not told["busy"])
                    mega = memory(psutil.Process(process.pid))
                    each = f"median {statistics.median(seconds):.2f} s, most {max(seconds):.2f} s"
                    print(f"{what}: {each}; {mega:.0f} MB", flush=True)
                    file.write_text(old[file], encoding="utf-8")
                    time.sleep(3)
            finally:
                started = psutil.Process(process.pid).children(recursive=True)
                process.terminate()
                process.wait(30)
                print(f"left: {psutil.wait_procs(started, timeout=5)[1]}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
