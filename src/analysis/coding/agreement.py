"""How far two codings of the same source agree. Pure: two sets of tables in, a table of agreement out."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from analysis.schema import schema

NO_ROW = "(no row)"
ALIKE = "undefined: all values alike"


def values(frame: pd.DataFrame, table: str) -> dict[tuple[str, str], str]:
    """The coded cells of a table by (key, column)."""
    spec = schema(table)
    rows = [(".".join(row[part] for part in spec.key), row) for row in frame.to_dict("records")]
    return {(key, column): row[column] for key, row in rows for column in spec.coded}


def agreement(
    tables: Mapping[str, pd.DataFrame], second: Mapping[str, pd.DataFrame], settlements: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Krippendorff's alpha per column, nominal; a blank is a coding of its own, and so is a missing row.

    Takes tables as text, the edition's and the second coder's; from the settled differences the first coding is restored.
    Columns: ``table``, ``column``, ``values`` compared, those ``alike``, those ``blank in both``, ``alpha`` (text).

    Examples
    --------
    >>> one = pd.DataFrame({"statement": ["s1", "s2"], "topic": ["age", "route"], "quantifier": "", "says": "x"})
    >>> agreement({"statements": one}, {"statements": one})[["column", "alike", "alpha"]].values.tolist()[0]
    ['topic', 2, '1.000']
    """
    first = {name: values(tables[name], name) for name in second if name in tables}
    for row in settlements.to_dict("records") if settlements is not None else []:
        if row["table"] in first:
            first[row["table"]][row["key"], row["column"]] = row["first"]
    rows = []
    for name, table in first.items():
        other = values(second[name], name)
        units = sorted({key for key, _ in (*table, *other)})
        columns = [c for c in schema(name).columns if any(column == c for _, column in (*table, *other))]
        for column in columns:
            pairs = [(table.get((key, column), NO_ROW), other.get((key, column), NO_ROW)) for key in units]
            alike = sum(a == b for a, b in pairs)
            blank = sum(pair == ("", "") for pair in pairs)
            rows.append((name, column, len(pairs), alike, blank, _alpha(pairs)))
    return pd.DataFrame(rows, columns=["table", "column", "values", "alike", "blank in both", "alpha"])


def _alpha(pairs: list[tuple[str, str]]) -> str:
    import krippendorff

    found = sorted({value for pair in pairs for value in pair})
    if len(found) < 2:
        return ALIKE
    codes = [[found.index(pair[coder]) for pair in pairs] for coder in (0, 1)]
    return f"{krippendorff.alpha(reliability_data=codes, level_of_measurement='nominal'):.3f}"
