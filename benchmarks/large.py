"""One step on an edition of many rows, in a process of its own: ``python -m benchmarks.large STEP EDITION``."""

from __future__ import annotations

import sys
import time
from pathlib import Path

SQL = [
    "SELECT age_min, age_max, count(*) FROM '{file}' WHERE counted = 'yes' GROUP BY ALL",
    "SELECT profession, isco08, count(*) FROM '{file}' WHERE counted = 'yes' GROUP BY ALL",
    "SELECT age_min, age_max, profession, isco08, count(*) FROM '{file}' WHERE counted = 'yes' GROUP BY ALL",
]
"""The groups that the tables of interviewees are counted from, as one would write them by hand."""


def check(edition: Path) -> float:
    """Everything that ``analysis check`` does."""
    from analysis.edition import examine

    started = time.perf_counter()
    _, faults = examine(edition)
    assert not [fault for fault in faults if not fault.doubt], faults
    return time.perf_counter() - started


def tabulate(edition: Path) -> float:
    """The tables of interviewees."""
    from analysis import tabulate
    from analysis.edition import examine

    loaded, _ = examine(edition, sound=True)
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
    return seconds


def sql(edition: Path) -> float:
    """The same groups by DuckDB's own SQL."""
    import duckdb

    started = time.perf_counter()
    for query in SQL:
        duckdb.sql(query.format(file=edition / "interviewees.parquet")).fetchall()
    return time.perf_counter() - started


if __name__ == "__main__":
    import resource

    took = {"check": check, "tabulate": tabulate, "sql": sql}[sys.argv[1]](Path(sys.argv[2]))
    print(f"{took:.4f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:.1f}")
