"""One step on an edition of many rows, in a process of its own: ``python -m benchmarks.large STEP EDITION [ENGINE]``.

Prints seconds, the megabytes of this process at most, and a fingerprint of what it found.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

SQL = [
    "SELECT age_min, age_max, count(*) FROM '{file}' WHERE counted = 'yes' GROUP BY ALL",
    "SELECT profession, isco08, count(*) FROM '{file}' WHERE counted = 'yes' GROUP BY ALL",
    "SELECT age_min, age_max, profession, isco08, count(*) FROM '{file}' WHERE counted = 'yes' GROUP BY ALL",
]
"""The groups that the tables of interviewees are counted from, as one would write them by hand."""


Found = tuple[float, object]
"""Seconds, and what came of it."""


def check(edition: Path) -> Found:
    """Everything that ``analysis check`` does."""
    from analysis.editions import examine

    started = time.perf_counter()
    _, problems = examine(edition)
    assert not [problem for problem in problems if not problem.warning], problems
    return time.perf_counter() - started, [problem.as_dict() for problem in problems]


def tabulate(edition: Path) -> Found:
    """The tables of interviewees."""
    from analysis import tabulate
    from analysis.editions import examine

    loaded, _ = examine(edition, validated=True)
    assert loaded is not None
    people = {"people": loaded.tables["interviewees"], "declared": loaded.report.declared_interviewees}
    started = time.perf_counter()
    tables = [
        tabulate.by_age(**people, age_bands="18,25,35,45"),
        tabulate.by_profession(**people, level="label"),
        tabulate.age_by_profession(**people, age_bands="18,25,35,45", level="label"),
    ]
    seconds = time.perf_counter() - started
    assert len({table.total for table in tables}) == 1
    return seconds, [table.frame.to_dict("list") for table in tables]


def routes(edition: Path) -> Found:
    """The table of routes, for which people are joined with their legs."""
    from analysis import tabulate
    from analysis.editions import examine

    loaded, _ = examine(edition, validated=True)
    assert loaded is not None
    started = time.perf_counter()
    people, legs = (loaded.tables[name] for name in ("interviewees", "legs"))
    table = tabulate.by_route(people, legs, loaded.places, level="place", declared=None)
    return time.perf_counter() - started, table.frame.to_dict("list")


def sql(edition: Path) -> Found:
    """The same groups by DuckDB's own SQL."""
    import duckdb

    started = time.perf_counter()
    for query in SQL:
        duckdb.sql(query.format(file=edition / "interviewees.parquet")).fetchall()
    return time.perf_counter() - started, None


def main(step: str, edition: str, engine: str = "") -> None:
    """Do a step, on a Spark Connect engine where one is named."""
    import resource

    from analysis.spark import ENGINE
    from parabook.files import digest

    steps = {"check": check, "tabulate": tabulate, "routes": routes, "sql": sql}
    os.environ |= {ENGINE: engine} if engine else {}
    took, found = steps[step](Path(edition))
    print(f"{took:.4f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:.1f} {digest(found)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
