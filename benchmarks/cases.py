"""The comparisons: the same notebooks and the same edition, by this project and by the tools people use."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

from benchmarks import editions
from benchmarks.timing import Row, Took, alone, beside, in_turn, run, stepped, watched
from parabook.book import Book

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
NOTEBOOKS = Book.open(ROOT).notebooks
ALL = ("ran", "built", "unchanged", "one_value", "hundred", "ten_million", "large_book")

RUN_CHAPTERS = """
from analysis.publish.plugin import EditionPlugin
from analysis.schema import ROOT
from parabook.book import Book
from parabook.build import start
from parabook.plan import make_plan
plan = make_plan(Book.open(ROOT), EditionPlugin(), "oral-2022", {})
start(plan)
from parabook.run import run_all
from parabook.server import Workers
with Workers() as workers:
    run_all(plan, force=True, ready=workers.submit(plan.plugin.check, plan).result)
import gc
gc.freeze()
"""
"""All chapters, from a cold Python, checked first; no book. Begins and ends as the command line does."""


def processors() -> int:
    """How many there are."""
    return os.cpu_count() or 1


@contextmanager
def checkout() -> Iterator[Path]:
    """A copy of the checkout, so that nothing cached is at hand and nothing is left behind."""
    with tempfile.TemporaryDirectory() as base:
        copy = Path(base) / "checkout"
        leave = shutil.ignore_patterns("_build", ".venv", ".git", ".*_cache", ".hypothesis", "__pycache__")
        shutil.copytree(ROOT, copy, ignore=leave)
        yield copy


def here(copy: Path) -> dict[str, str]:
    """The environment in which the copy's package is the one imported."""
    environment = {**os.environ, "PYTHONPATH": str(copy / "src"), "JUPYTER_PLATFORM_DIRS": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # what has run once is compiled, as on anybody's machine
    return environment


def forget(copy: Path) -> None:
    """Remove every cache of this project."""
    shutil.rmtree(copy / "_build", ignore_errors=True)


def ran(rounds: int) -> list[Row]:
    """All chapters of the first edition, from a cold command line."""
    names = [f"chapters/{file.name}" for file in NOTEBOOKS]
    with checkout() as copy, tempfile.TemporaryDirectory() as out:
        env = here(copy)

        def ours() -> Took:
            forget(copy)
            return run([sys.executable, "-c", RUN_CHAPTERS], copy, env)

        def loop() -> Took:
            lines = [f"{BIN}/papermill {name} {out}/{Path(name).name} -k python3 --no-progress-bar" for name in names]
            return run(["bash", "-ec", "\n".join(lines)], copy, env)

        def convert() -> Took:
            call = [f"{BIN}/jupyter-nbconvert", "--to", "notebook", "--execute", "--output-dir", out, *names]
            return run(call, copy, env)

        def make() -> Took:
            return run(
                [f"{BIN}/pytest", "--nbmake", "-q", "-p", "no:cacheprovider", "-o", "addopts=", *names], copy, env
            )

        return [
            beside("chapters run", ours, loop, "papermill in a loop", rounds),
            beside("chapters run", ours, convert, "nbconvert --execute", rounds),
            beside("chapters run", ours, make, "nbmake", rounds),
        ]


def built(rounds: int) -> list[Row]:
    """The book, nothing cached, beside jupyter-book executing the same chapters."""
    with checkout() as copy, tempfile.TemporaryDirectory() as out:
        env = here(copy)

        def ours() -> Took:
            forget(copy)
            return run([sys.executable, "-m", "analysis.publish.cli", "build"], copy, env)

        def theirs() -> Took:
            shutil.rmtree(Path(out) / "_build", ignore_errors=True)
            return run([f"{BIN}/jupyter-book", "build", ".", "--path-output", out, "--all"], copy, env)

        return [beside("book built, nothing cached", ours, theirs, "jupyter-book build", rounds)]


def unchanged(rounds: int) -> list[Row]:
    """The same again, nothing changed."""
    with checkout() as copy, tempfile.TemporaryDirectory() as out:
        env = here(copy)
        mine = [sys.executable, "-m", "analysis.publish.cli", "build"]
        theirs = [f"{BIN}/jupyter-book", "build", ".", "--path-output", out]
        run(mine, copy, env)
        run(theirs, copy, env)
        return [
            beside(
                "nothing changed",
                lambda: run(mine, copy, env),
                lambda: run(theirs, copy, env),
                "jupyter-book build",
                rounds,
            )
        ]


def one_value(rounds: int) -> list[Row]:
    """One value of one table changed: the chapters that read it run, and the book is assembled."""
    with checkout() as copy:
        env = here(copy)
        mine = [sys.executable, "-m", "analysis.publish.cli", "build"]
        run(mine, copy, env)
        figures = copy / "data" / "oral-2022" / "destinations.csv"
        text = figures.read_text(encoding="utf-8")
        numbers = count(100_001)

        def changed() -> Took:
            figures.write_text(text.replace("100000", str(next(numbers))), encoding="utf-8")
            return run(mine, copy, env)

        return [Row("one figure changed", alone(changed, rounds), None, "")]


def hundred(rounds: int) -> list[Row]:
    """A hundred editions beside a papermill loop over one of them, per edition; and the memory of ten beside it."""
    with checkout() as copy, tempfile.TemporaryDirectory() as base:
        env = here(copy)
        made = editions.many(Path(base), 100)
        names = [f"chapters/{file.name}" for file in NOTEBOOKS]

        def ours(number: int) -> Took:
            forget(copy)
            out = Path(base) / f"out-{number}"
            shutil.rmtree(out, ignore_errors=True)
            call = [sys.executable, "-m", "analysis.publish.cli", "build", *map(str, made[:number]), "--out", str(out)]
            return run(call, copy, env)

        lines = [
            f"{BIN}/papermill {name} {base}/out.ipynb -k python3 --no-progress-bar -p edition {made[0]}"
            for name in names
        ]

        def loop() -> Took:
            return run(["bash", "-ec", "\n".join(lines)], copy, env)

        memory = {number: watched(lambda n=number: ours(n)) for number in (10, 100)}  # type: ignore[misc]
        # Between two loops, so that what else the machine does meets both sides.
        before, all_of_them, after = loop(), ours(100), loop()
        each = Took(all_of_them.seconds / 100, memory[100])
        theirs = Took((before.seconds + after.seconds) / 2, watched(loop))
        return [
            Row("an edition of a hundred, book and all", each, theirs, "papermill in a loop, chapters only"),
            Row("ten editions (for the memory)", Took(ours(10).seconds, memory[10]), None, ""),
        ]


def ten_million(rounds: int) -> list[Row]:
    """Ten million interviewees in Parquet: checking, and all tabulations beside the same GROUP BYs in DuckDB's SQL."""
    with tempfile.TemporaryDirectory() as base:
        edition = editions.large(Path(base) / "large", 10_000_000)
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}

        def step(name: str) -> Took:
            """A step times itself, so that loading Python is not counted."""
            call = [sys.executable, "-m", "benchmarks.large", name, str(edition)]
            said = subprocess.run(call, cwd=ROOT, env=env, check=True, capture_output=True, text=True).stdout
            seconds, megabytes, _ = said.split()[-3:]
            return Took(float(seconds), float(megabytes))

        return [
            Row("check of ten million rows", stepped([step("check") for _ in range(rounds)]), None, ""),
            in_turn(
                "all tabulations of ten million rows",
                lambda: step("tabulate"),
                lambda: step("sql"),
                "DuckDB's own SQL",
                rounds,
            ),
        ]


def large_book(rounds: int) -> list[Row]:
    """A book of ten million interviewees, with legs, beside one of seventeen: seconds, memory, and the bytes of the pages."""
    with tempfile.TemporaryDirectory() as base:
        made = {rows: editions.large(Path(base) / str(rows) / "large", rows, legs=True) for rows in (17, 10_000_000)}
        env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}

        def book(rows: int) -> Took:
            out = Path(base) / f"out-{rows}"
            return run(
                [sys.executable, "-m", "analysis.publish.cli", "build", "--force", str(made[rows]), "--out", str(out)],
                Path(base),
                env,
            )

        row = beside("a book of ten million people", lambda: book(10_000_000), lambda: book(17), "one of 17", rounds)
        sizes = {rows: sum(file.stat().st_size for file in Path(base).glob(f"out-{rows}/html/*.html")) for rows in made}
        bytes_of = " and ".join(f"{size:,}" for size in sizes.values())
        return [replace(row, what=f"{row.what} (pages of 17 and of ten million: {bytes_of} bytes)")]
