"""One step on an edition of many rows, in a process of its own: ``python -m benchmarks.large STEP EDITION [ENGINE]``.

Prints seconds, seconds of processors, the megabytes of this process at most, and a hash of what it found. What is
imported and opened beforehand counts for memory alone.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

AGE, JOB = ("age_min", "age_max"), ("profession", "isco08")
COLUMNS = (AGE, JOB, (*AGE, *JOB))
SQL = [f"SELECT {', '.join(each)}, count(*) FROM '{{file}}' WHERE counted = 'yes' GROUP BY ALL" for each in COLUMNS]
"""The groups that the tables of interviewees are counted from, as one would write them by hand."""


def check(edition: Path, engine: str) -> Callable[[], object]:
    """Everything that ``analysis check`` does."""
    from analysis import spark
    from analysis.editions import examine

    if engine:
        spark.session(engine)

    def step() -> object:
        problems = examine(edition, engine=engine)[1]
        assert not [problem for problem in problems if not problem.warning], problems
        return [(asdict(each) | {"row": None, "file": each.file.partition(" [")[0]}) for each in problems]

    return step


def tabulate(edition: Path, engine: str) -> Callable[[], object]:
    """The groups of interviewees that chapters count."""
    from analysis import count_by
    from analysis.editions import examine

    loaded = examine(edition, validated=True, engine=engine)[0]
    assert loaded is not None
    people = loaded.interviewees
    people.collect_schema()
    return lambda: [sorted(count_by(people, *columns)["n"].tolist()) for columns in COLUMNS]


def sql(edition: Path, engine: str) -> Callable[[], object]:
    """The same groups by DuckDB's own SQL."""
    import duckdb

    queries = [query.format(file=edition / "interviewees.parquet") for query in SQL]
    return lambda: [sorted(row[-1] for row in duckdb.sql(query).fetchall()) for query in queries]


def main(name: str, edition: str, engine: str = "") -> None:
    """Do a step."""
    import resource

    from parabook.files import digest

    step = {"check": check, "tabulate": tabulate, "sql": sql}[name](Path(edition), engine)
    started, before = time.perf_counter(), time.process_time()
    found = step()
    seconds, processors = time.perf_counter() - started, time.process_time() - before
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"{seconds:.4f} {processors:.4f} {megabytes:.1f} {digest(found)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
