"""Editions made up for benchmarks: many small ones, and one with more rows than anyone would list."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from analysis.schema import ROOT

FIRST = ROOT / "data" / "oral-2022"

LARGE = """
COPY (
  SELECT 'p' || i AS interviewee, 'yes' AS counted,
    CASE WHEN i % 11 = 0 THEN NULL ELSE 18 + i % 50 END AS age_min,
    CASE WHEN i % 11 = 0 THEN NULL ELSE 18 + i % 50 END AS age_max,
    CASE i % 3 WHEN 0 THEN 'man' WHEN 1 THEN 'woman' END AS gender,
    CASE i % 7 WHEN 0 THEN 'lawyer' WHEN 1 THEN 'teacher' WHEN 2 THEN 'student' WHEN 3 THEN 'driver' WHEN 4 THEN 'cook' END AS profession,
    CASE i % 7 WHEN 0 THEN '2611' WHEN 1 THEN '2330' WHEN 3 THEN '8322' WHEN 4 THEN '5120' END AS isco08
  FROM range({rows}) AS t(i)
) TO '{file}' (FORMAT parquet)
"""


LEGS = """
COPY (
  SELECT 'p' || i AS interviewee, leg, 'made' AS status, ['oral', 'samara', 'uralsk'][1 + (i + leg) % 3] AS from_place,
    CASE WHEN i % 13 > 0 THEN ['oral', 'samara', 'uralsk'][1 + (i + leg + 1) % 3] END AS to_place,
    CASE i % 3 WHEN 0 THEN 'air' WHEN 1 THEN 'rail' END AS mode, NULL AS departed, i % 4 AS nights_waited
  FROM range({rows}) AS t(i), (VALUES (1), (2)) AS n(leg) WHERE i % 2 = 0 AND leg <= 1 + i // 2 % 2
) TO '{file}' (FORMAT parquet)
"""

PLACES = """place,name,country,latitude,longitude,precision
oral,Oral,KAZ,51.23,51.37,city
samara,Samara,RUS,53.2,50.15,city
uralsk,Ural,RUS,,,region
"""


def many(base: Path, number: int) -> list[Path]:
    """Copies of the first edition, each with another number declared, so that no two give the same book."""
    made = []
    for n in range(number):
        edition = Path(shutil.copytree(FIRST, base / f"edition-{n:03d}"))
        package = json.loads((edition / "datapackage.json").read_text(encoding="utf-8"))
        package["report"]["declared_interviewees"] = 17 + n
        (edition / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
        story, holds = edition / "story.md", "report declared_interviewees"
        text = story.read_text(encoding="utf-8")
        story.write_text(text.replace(f"17 {holds}", f"{17 + n} {holds}"), encoding="utf-8")
        evidence = edition / "evidence.csv"
        rows = [
            row
            for row in evidence.read_text(encoding="utf-8").splitlines()
            if "declared_interviewees" not in row or not n
        ]
        if n:
            rows.append(
                f"report,report,declared_interviewees,1,made up,judged,number {17 + n} is made up for a benchmark"
            )
        evidence.write_text("\n".join(rows) + "\n", encoding="utf-8")
        made.append(edition)
    return made


def large(folder: Path, rows: int, *, legs: bool = False) -> Path:
    """An edition of so many interviewees in Parquet; with three legs for four of them, if asked, and places in CSV."""
    import duckdb

    folder.mkdir(parents=True)
    duckdb.sql(LARGE.format(rows=rows, file=folder / "interviewees.parquet"))
    package: dict[str, Any] = {
        "name": "large",
        "title": "Made up for a benchmark",
        "report": {"declared_interviewees": rows + rows // 10, "public_source": True},
        "resources": [{"name": "interviewees", "path": "interviewees.parquet"}],
    }
    if legs:
        duckdb.sql(LEGS.format(rows=rows, file=folder / "legs.parquet"))
        (folder / "places.csv").write_text(PLACES, encoding="utf-8")
        package["resources"] += [{"name": "legs", "path": "legs.parquet"}, {"name": "places", "path": "places.csv"}]
    (folder / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    return folder
