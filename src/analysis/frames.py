"""Tables as plain text: what listing, evidence and agreement work on. Counting works on typed tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import narwhals as nw
import pandas as pd

from analysis.faults import missing

Frame = nw.LazyFrame[Any]
"""A table that an engine counts: pandas for CSV, DuckDB for Parquet."""

FEW = 200
"""Up to so many interviewees are listed one by one, and tables say which of them stand behind a count."""

MOST_MARKS = 60
"""Up to so many cases in all are drawn one by one."""

Row = Mapping[str, str]
"""A row of text, blank for missing."""


def as_text(value: object) -> str:
    """A cell as its CSV would spell it; blank for a missing value.

    Examples
    --------
    >>> as_text(20.0), as_text(True), as_text(None), as_text(51.23)
    ('20', 'true', '', '51.23')
    """
    if missing(value):
        return ""
    if hasattr(value, "item"):  # numpy's scalars as Python's
        value = value.item()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def as_frame(table: Frame) -> pd.DataFrame:
    """A table as text, blank for missing."""
    collected = table.collect("pandas")
    return pd.DataFrame([map(as_text, row) for row in collected.rows()], columns=collected.columns)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame, in order."""
    return cast("list[dict[str, Any]]", frame.to_dict("records"))
