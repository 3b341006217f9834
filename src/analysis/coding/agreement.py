"""How far two codings of the same source agree. Pure: two sets of tables in, a table of agreement out."""

from __future__ import annotations

from collections.abc import Mapping

import krippendorff
import pandas as pd

from analysis.schema import schema

NO_ROW = "(no row)"
ALIKE, FEWEST = "undefined: all values alike", 10
"""What stands for alpha where it is undefined, and the fewest values for which it is given: of fewer, one difference more
or less turns it over."""


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
    settled = settlements.to_dict("records") if settlements is not None else []
    found = []
    for name in (name for name in second if name in tables):
        first, other = _coded(tables[name], name), _coded(second[name], name)
        columns = first.columns
        for row in (row for row in settled if row["table"] == name):
            if row["column"] not in schema(name).key:
                first.loc[row["key"], row["column"]] = row["first"]
            elif not row["first"]:  # a row that neither coding had was compared by nobody
                first = first.drop(index=row["key"], errors="ignore")
        first, other = first.align(other)
        for column in columns:
            one, two = first[column].fillna(NO_ROW), other[column].fillna(NO_ROW)
            alike, blank = one == two, (one == "") & (two == "")
            found.append((name, column, len(one), alike.sum(), blank.sum(), _alpha(one, two)))
    return pd.DataFrame(found, columns=["table", "column", "values", "alike", "blank in both", "alpha"])


def _coded(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """The coded columns of a table, without its key and what coders put in words of their own, indexed by its key."""
    key = schema(table).key
    coded = [name for name in schema(table).columns if name in frame and name not in (*key, "note", "says")]
    return frame[coded].set_axis(frame[[*key]].agg(".".join, axis="columns") if len(frame) else [])


def _alpha(one: pd.Series, two: pd.Series) -> str:
    if len(one) < FEWEST:
        return f"fewer than {FEWEST} values"
    codes, values = pd.factorize(pd.concat([one, two]))
    if len(values) < 2:
        return ALIKE
    coders = codes.reshape(2, -1)
    return f"{krippendorff.alpha(reliability_data=coders, level_of_measurement='nominal'):.3f}"
