"""How far two codings of the same source agree. Pure: two sets of tables in, a table of agreement out."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from analysis.schema import schema

NO_ROW = "(no row)"
ALIKE = "undefined: all values alike"


def first_coding(
    tables: Mapping[str, pd.DataFrame], settlements: pd.DataFrame | None
) -> dict[str, dict[tuple[str, str], str]]:
    """The first coder's values, by table and by (key, column): the edition's, with settled differences undone."""
    first = {name: values(frame, name) for name, frame in tables.items()}
    for row in settlements.to_dict("records") if settlements is not None else []:
        if row["table"] in first:
            first[row["table"]][row["key"], row["column"]] = row["first"]
    return first


def values(frame: pd.DataFrame, table: str) -> dict[tuple[str, str], str]:
    """The cells of a table by (key, column), without the key's own and the coder's note."""
    spec = schema(table)
    columns = [column for column in spec.columns if column not in (*spec.key, "note")]
    return {
        (".".join(row[part] for part in spec.key), column): row[column]
        for row in frame.to_dict("records")
        for column in columns
    }


def agreement(
    tables: Mapping[str, pd.DataFrame], second: Mapping[str, pd.DataFrame], settlements: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Krippendorff's alpha per column, nominal; a blank is a coding of its own, and so is a missing row.

    Parameters
    ----------
    tables, second : mapping of DataFrame
        Tables as text: the edition's and the second coder's.
    settlements : DataFrame, optional
        The settled differences, from which the first coding is restored.

    Returns
    -------
    DataFrame
        ``table``, ``column``, ``values`` compared, those ``alike``, those ``blank in both``, ``alpha`` (text, three
        decimals).

    Examples
    --------
    >>> one = pd.DataFrame({"statement": ["s1", "s2"], "topic": ["age", "route"], "quantifier": "", "says": "x"})
    >>> agreement({"statements": one}, {"statements": one})[["column", "alike", "alpha"]].values.tolist()[0]
    ['topic', 2, '1.000']
    """
    first = first_coding({name: tables[name] for name in second if name in tables}, settlements)
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
