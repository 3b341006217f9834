"""Stub for the chapters branch: today's edition under its coming names."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd

from analysis import edition as _edition
from analysis.disclosure import no_people
from analysis.schema import schema


@dataclass(frozen=True)
class Edition(_edition.Edition):
    @property
    def declared(self) -> int | None:
        return self.report.declared_interviewees

    @property
    def minimum_cell(self) -> int:
        return self.report.minimum_cell

    @property
    def source(self) -> str:
        from analysis.text import isolate

        titles = [str(entry.get("title") or "") for entry in self.package.get("sources", [])]
        return f"Source: {'; '.join(map(isolate, filter(None, titles))) or 'not named'}. Coded as the codebook says."

    def has(self, name: str) -> bool:
        return name in self.tables

    def table(self, name: str) -> nw.LazyFrame[Any]:
        if name in self.tables:
            return self.tables[name]
        types = {"integer": "Int64", "number": "Float64", "boolean": "boolean"}
        columns = {f.name: pd.array([], dtype=types.get(f.type, "str")) for f in schema(name).fields}
        return nw.from_native(pd.DataFrame(columns)).lazy()

    @cached_property
    def values(self) -> Any:
        return _edition.all_values(self.tables, self.report)

    def frame(self, name: str) -> pd.DataFrame:
        found = pd.DataFrame(columns=list(schema(name).columns), dtype="str")
        if name in self.tables:
            found = self.text[name].drop(columns="_row", errors="ignore")
        return no_people(found) if name in ("statements", "destinations", "paragraphs") else found

    @property
    def interviewees(self) -> nw.LazyFrame[Any]:
        return self.table("interviewees").filter(nw.col("counted") == "yes")

    @cached_property
    def evidence(self) -> Any:
        return self.evidence_places


def tables_read() -> set[str]:
    return set(_edition.READ)


def open_edition(edition: str | Path, minimum_cell: int = 0) -> Edition:
    found = _edition.load(edition, minimum_cell)
    return Edition(**{f.name: getattr(found, f.name) for f in fields(found)})
