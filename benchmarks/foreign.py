"""The books of tests/books beside stock Jupyter Book: nothing cached, nothing changed, one CSV changed."""

from __future__ import annotations

import shutil
import sys
import tempfile
from functools import partial
from itertools import count
from pathlib import Path

from benchmarks.timing import Row, Took, in_turn, run

BOOKS = Path(__file__).resolve().parents[1] / "tests" / "books"
BIN = Path(sys.executable).parent
OURS = [sys.executable, "-m", "parabook.cli", "build", "."]
STOCK = [f"{BIN}/jupyter-book", "build", "."]
DATA = {"lectures": "data/rates.csv", "altair": "charts/rain.csv", "report": "data/costs.csv"}


def foreign(rounds: int) -> list[Row]:
    """Each book by parabook and by jupyter-book, which runs no notebook again for its data: it shows the old number."""
    rows = []
    for name, file in DATA.items():
        with tempfile.TemporaryDirectory() as base:
            ours, stock = (Path(shutil.copytree(BOOKS / name, Path(base) / side / name)) for side in ("ours", "stock"))
            number = count(1)

            def cold(root: Path, command: list[str]) -> Took:
                shutil.rmtree(root / "_build", ignore_errors=True)
                return run(command, root)

            def changed(root: Path, command: list[str], text: str, number: count[int], file: str) -> Took:
                (root / file).write_text(text.replace(text.strip()[-1], str(next(number) % 8 + 1)), encoding="utf-8")
                return run(command, root)

            text = (ours / file).read_text(encoding="utf-8")
            beside = "jupyter-book build"
            rows += in_turn(
                f"{name}, nothing cached", partial(cold, ours, OURS), {beside: partial(cold, stock, STOCK)}, rounds
            )
            rows += in_turn(
                f"{name}, nothing changed", partial(run, OURS, ours), {beside: partial(run, STOCK, stock)}, rounds
            )
            sides = [
                partial(changed, root, command, text, number, file) for root, command in ((ours, OURS), (stock, STOCK))
            ]
            rows += in_turn(f"{name}, one CSV changed", sides[0], {f"{beside}, which runs none": sides[1]}, rounds)
    return rows
