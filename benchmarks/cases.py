"""The comparisons: the same notebooks and the same edition, by this project and by the tools people use."""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path

from benchmarks import editions, scale
from benchmarks.foreign import foreign  # noqa: F401  # one of the comparisons
from benchmarks.timing import Row, Took, in_turn, run, watched
from parabook.book import Book

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
CHAPTERS = [f"chapters/{file.name}" for file in Book.open(ROOT).notebooks]
BUILD = [sys.executable, "-m", "analysis.publish.cli", "build"]
ALL = ("chapters", "book", "many", "ten_million")
MORE = ("foreign",)
"""Runs only where it is asked for."""
SOME = 20
"""Editions that are built in one call."""

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


@contextmanager
def checkout() -> Iterator[tuple[Path, Path]]:
    """A copy of the checkout, so that nothing cached is at hand and nothing is left behind; and a folder for outputs."""
    with tempfile.TemporaryDirectory() as base:
        leave = shutil.ignore_patterns("_build", ".venv", ".git", ".*_cache", ".hypothesis", "__pycache__")
        shutil.copytree(ROOT, copy := Path(base) / "checkout", ignore=leave)
        (out := Path(base) / "out").mkdir()
        yield copy, out


def call(copy: Path, *command: str | Path, forget: Path | None = None) -> Took:
    """Run a command on the copy, whose package is the one imported, after forgetting a cache."""
    if forget:
        shutil.rmtree(forget, ignore_errors=True)
    environment = {**os.environ, "PYTHONPATH": str(copy / "src"), "JUPYTER_PLATFORM_DIRS": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # what has run once is compiled, as on anybody's machine
    return run(list(map(str, command)), copy, environment)


def loop(copy: Path, out: Path, *parameters: str) -> Took:
    """What people write: papermill for one chapter after the other."""
    end = " ".join(("-k python3 --no-progress-bar", *parameters))
    lines = [f"{BIN}/papermill {name} {out}/{Path(name).name} {end}" for name in CHAPTERS]
    return call(copy, "bash", "-ec", "\n".join(lines))


def chapters(rounds: int) -> list[Row]:
    """All chapters of the first edition, from a cold command line, checked first."""
    with checkout() as (copy, out):
        convert = (f"{BIN}/jupyter-nbconvert", "--to", "notebook", "--execute", "--output-dir", out, *CHAPTERS)
        nbmake = (
            f"{BIN}/pytest",
            "--nbmake",
            "-q",
            "-p",
            "no:cacheprovider",
            "-o",
            "addopts=",
            "-o",
            "chapters=",
            *CHAPTERS,
        )
        ours = partial(call, copy, sys.executable, "-c", RUN_CHAPTERS, forget=copy / "_build")
        return in_turn("chapters, nothing cached", ours, {
            "papermill in a loop": partial(loop, copy, out),
            "nbmake": partial(call, copy, *nbmake),
            "nbconvert --execute": partial(call, copy, *convert),
        }, rounds)  # fmt: skip


def book(rounds: int) -> list[Row]:
    """The book beside jupyter-book, which executes the same chapters: nothing cached, nothing changed, one value changed."""
    with checkout() as (copy, out):
        theirs = (f"{BIN}/jupyter-book", "build", ".", "--path-output", out)
        figures, numbers = copy / "data" / "oral-2022" / "destinations.csv", count(100_001)
        text = figures.read_text(encoding="utf-8")
        cold = partial(call, copy, *theirs, forget=out / "_build")

        def changed() -> Took:
            figures.write_text(text.replace("100000", str(next(numbers))), encoding="utf-8")
            return call(copy, *BUILD)

        build = partial(call, copy, *BUILD)
        return [
            *in_turn("book, nothing cached", partial(build, forget=copy / "_build"), {"jupyter-book build": cold}, rounds),
            *in_turn("book, nothing changed", build, {"jupyter-book build": partial(call, copy, *theirs)}, rounds),
            *in_turn("book, one value changed", changed, {"jupyter-book build --all, as it knows of no data": cold}, rounds),
        ]  # fmt: skip


def many(rounds: int) -> list[Row]:
    """An edition of many in one call, book and all, beside a papermill loop for one; and the memory of one beside it."""
    with checkout() as (copy, out):
        made = editions.many(out, SOME)

        def ours(number: int) -> Took:
            shutil.rmtree(out / "books", ignore_errors=True)
            took = call(copy, *BUILD, *made[:number], "--out", out / "books", forget=copy / "_build")
            return Took(took.seconds / number, took.megabytes)

        theirs = {"papermill in a loop, no book": partial(loop, copy, out, f"-p edition {made[0]}")}
        few = Row("an edition of two", Took(ours(2).seconds, watched(partial(ours, 2))))
        return [few, *in_turn(f"an edition of {SOME}", partial(ours, SOME), theirs, min(rounds, 1))]


def ten_million(rounds: int) -> list[Row]:
    """Ten million interviewees in Parquet: checked, and tabulated, on DuckDB and on Sail."""
    with tempfile.TemporaryDirectory() as base, scale.sail() as (engine, server):
        edition = editions.large(Path(base) / "large", 10_000_000)

        def side(name: str, *where: object) -> Took:
            steps = [scale.step(name, edition, *where) for _ in range(rounds)]  # type: ignore[arg-type]
            return Took(statistics.median(each.seconds for each in steps), max(each.megabytes for each in steps))

        check, tables = side("check"), side("tabulate")
        return [
            Row("check of ten million, on DuckDB", check, side("check", engine, server), "on Sail"),
            Row("tabulations of ten million, on DuckDB", tables, side("sql"), "DuckDB's own SQL"),
            Row("tabulations of ten million, on DuckDB", tables, side("tabulate", engine, server), "on Sail"),
        ]
