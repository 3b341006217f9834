"""One step on an edition of many rows, in a process of its own: ``python -m benchmarks.large STEP EDITION``.

Prints seconds, the megabytes of this process at most, and a hash of what it found.
"""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from pathlib import Path

AGE, JOB = ("age_min", "age_max"), ("profession", "isco08")
COLUMNS = (AGE, JOB, (*AGE, *JOB))
SQL = [f"SELECT {', '.join(each)}, count(*) FROM '{{file}}' WHERE counted = 'yes' GROUP BY ALL" for each in COLUMNS]
"""The groups that the tables of interviewees are counted from, as one would write them by hand."""


Found = tuple[float, object]
"""Seconds, and what came of it."""


def check(edition: Path) -> Found:
    """Everything that ``analysis check`` does."""
    from analysis.editions import examine

    started = time.perf_counter()
    _, problems = examine(edition)
    assert not [problem for problem in problems if not problem.warning], problems
    return time.perf_counter() - started, [asdict(problem) for problem in problems]


def tabulate(edition: Path) -> Found:
    """The groups of interviewees that chapters count."""
    from analysis import count_by
    from analysis.editions import examine

    loaded, _ = examine(edition, validated=True)
    assert loaded is not None
    people = loaded.interviewees
    started = time.perf_counter()
    tables = [count_by(people, *columns) for columns in COLUMNS]
    seconds = time.perf_counter() - started
    assert len({int(table["n"].sum()) for table in tables}) == 1
    return seconds, [table["n"].tolist() for table in tables]


def sql(edition: Path) -> Found:
    """The same groups by DuckDB's own SQL."""
    import duckdb

    started = time.perf_counter()
    for query in SQL:
        duckdb.sql(query.format(file=edition / "interviewees.parquet")).fetchall()
    return time.perf_counter() - started, None


def main(step: str, edition: str) -> None:
    """Do a step."""
    import resource

    from parabook.files import digest

    steps = {"check": check, "tabulate": tabulate, "sql": sql}
    took, found = steps[step](Path(edition))
    print(f"{took:.4f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:.1f} {digest(found)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
