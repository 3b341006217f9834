"""One step on an edition of many rows, in a process of its own: ``python -m benchmarks.large STEP EDITION [ENGINE]``.

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


def check(edition: Path, engine: str) -> Found:
    """Everything that ``analysis check`` does."""
    from analysis.editions import examine

    started = time.perf_counter()
    _, problems = examine(edition, engine=engine)
    seconds = time.perf_counter() - started
    assert not [problem for problem in problems if not problem.warning], problems
    return seconds, [{**asdict(problem), "row": None, "file": problem.file.partition(" [")[0]} for problem in problems]


def tabulate(edition: Path, engine: str) -> Found:
    """The groups of interviewees that chapters count."""
    from analysis import count_by
    from analysis.editions import examine

    loaded, _ = examine(edition, validated=True, engine=engine)
    assert loaded is not None
    people = loaded.interviewees
    people.collect_schema()  # opens the file, or the session on the engine
    started = time.perf_counter()
    tables = [count_by(people, *columns) for columns in COLUMNS]
    seconds = time.perf_counter() - started
    assert len({int(table["n"].sum()) for table in tables}) == 1
    return seconds, [sorted(table["n"].tolist()) for table in tables]


def sql(edition: Path, engine: str) -> Found:
    """The same groups by the engine's own SQL: DuckDB's, or Spark's."""
    import duckdb

    started = time.perf_counter()
    found = [duckdb.sql(query.format(file=edition / "interviewees.parquet")).fetchall() for query in SQL]
    return time.perf_counter() - started, [sorted(row[-1] for row in rows) for rows in found]


def main(step: str, edition: str, engine: str = "") -> None:
    """Do a step."""
    import resource

    from parabook.files import digest

    steps = {"check": check, "tabulate": tabulate, "sql": sql}
    took, found = steps[step](Path(edition), engine)
    print(f"{took:.4f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:.1f} {digest(found)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
