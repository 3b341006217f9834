"""How long things take beside the tools people use today: each comparison in one run, A B A B, medians and ratios.

Run by ``make bench``; ``python -m benchmarks chapters book`` runs some of it, ``--rounds`` says how often.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from importlib.metadata import version

from benchmarks import cases
from benchmarks.timing import Row, as_table

PACKAGES = ("papermill", "nbclient", "nbconvert", "nbmake", "jupyter-book", "pandas", "duckdb", "pysail")


def main() -> int:
    """Run the comparisons that are asked for, print them as one table."""
    known = {name: getattr(cases, name) for name in (*cases.ALL, *cases.MORE)}
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument(
        "case", nargs="*", choices=[*known, []], help=f"any of {', '.join(known)} (default: {', '.join(cases.ALL)})"
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often each side runs (default: %(default)s)")
    options = parser.parse_args()
    rows: list[Row] = []
    for name in options.case or cases.ALL:
        print(f"{name} …", file=sys.stderr, flush=True)
        rows += (found := known[name](options.rounds))
        print(as_table(found), file=sys.stderr, flush=True)
    made = f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}; " + ", ".join(
        f"{name} {version(name)}" for name in PACKAGES
    )
    text = f"{as_table(rows)}\n\nMedians of {options.rounds} rounds, side by side in one run. {made}.\n"
    print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
