"""How far two codings of the same source agree. Pure: two sets of tables in, a table of agreement out."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from analysis.schema import schema

NO_ROW = "(no row)"
ALIKE, FEWEST = "undefined: all values alike", 10
"""Of fewer values than that alpha says nothing: one difference more or less turns it over."""


def agreement(
    tables: Mapping[str, pd.DataFrame], second: Mapping[str, pd.DataFrame], settlements: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Krippendorff's alpha per column, nominal; a blank is a coding of its own, and so is a missing row.

    Takes tables as text, the edition's and the second coder's; from the settled differences the first coding is restored.
    Columns: ``table``, ``column``, ``values`` compared, those ``alike``, those ``blank in both``, ``alpha`` (text).

    >>> one = pd.DataFrame({"statement": ["s1", "s2"], "topic": ["age", "route"], "says": "x"})
    >>> agreement({"statements": one}, {"statements": one})[["column", "alike", "alpha"]].values.tolist()[0]
    ['topic', 2, 'fewer than 10 values']
    """
    rows = []
    for name in (name for name in second if name in tables):
        first, other = (_by_key(frame, name) for frame in (tables[name], second[name]))
        for row in settlements.to_dict("records") if settlements is not None else []:
            if row["table"] != name:
                continue
            if row["column"] in schema(name).key:  # a row that neither coding had was compared by nobody
                first = first if row["first"] else first.drop(row["key"], errors="ignore")
            else:
                first.loc[row["key"], row["column"]] = row["first"]
        for column in (column for column in schema(name).columns if column in first):
            both = [first[column], other.get(column, pd.Series(dtype="object"))]
            pairs = pd.concat(both, axis=1, keys=["one", "two"]).fillna(NO_ROW)
            alike = pairs["one"] == pairs["two"]
            counts = len(pairs), int(alike.sum()), int((alike & (pairs["one"] == "")).sum())
            rows.append((name, column, *counts, _alpha(pairs)))
    return pd.DataFrame(rows, columns=["table", "column", "values", "alike", "blank in both", "alpha"])


def _by_key(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """The coded cells of a table, by key; not what coders put in words of their own."""
    spec = schema(table)
    columns = [column for column in spec.columns if column not in (*spec.key, "note", "says")]
    return frame.set_axis(frame[list(spec.key)].agg(".".join, axis=1)).filter(items=columns).astype("object")


def _alpha(pairs: pd.DataFrame) -> str:
    import krippendorff

    if len(pairs) < FEWEST:
        return f"fewer than {FEWEST} values"
    codes, values = pd.factorize(pairs.to_numpy().ravel(), sort=True)
    if len(values) < 2:
        return ALIKE
    coders = codes.reshape(pairs.shape).T
    return f"{krippendorff.alpha(reliability_data=coders, level_of_measurement='nominal'):.3f}"
