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
    settled = settlements.to_dict("records") if settlements is not None else []
    found = []
    for name in (name for name in second if name in tables):
        first, other, key = _by_key(tables[name], name), _by_key(second[name], name), schema(name).key
        for row in (row for row in settled if row["table"] == name):
            if row["column"] not in key:
                first.setdefault(row["key"], {})[row["column"]] = row["first"]
            elif not row["first"]:  # a row that neither coding had was compared by nobody
                first.pop(row["key"], None)
        keys = dict.fromkeys([*first, *other])
        for column in (each for each in schema(name).columns if each in _coded(tables[name], name)):
            pairs = [tuple(rows.get(each, {}).get(column, NO_ROW) for rows in (first, other)) for each in keys]
            counts = len(pairs), sum(one == two for one, two in pairs), pairs.count(("", ""))
            found.append((name, column, *counts, _alpha(pairs)))
    return pd.DataFrame(found, columns=["table", "column", "values", "alike", "blank in both", "alpha"])


def _coded(frame: pd.DataFrame, table: str) -> list[str]:
    """The columns of a table that are coded; not its key, nor what coders put in words of their own."""
    return [
        name for name in schema(table).columns if name in frame and name not in (*schema(table).key, "note", "says")
    ]


def _by_key(frame: pd.DataFrame, table: str) -> dict[str, dict[str, str]]:
    """The coded cells of each row of a table, by its key."""
    cells = {name: frame[name].tolist() for name in _coded(frame, table)}
    keys = zip(*(frame[name].tolist() for name in schema(table).key), strict=True)
    return {".".join(key): {name: column[at] for name, column in cells.items()} for at, key in enumerate(keys)}


def _alpha(pairs: list[tuple[str, ...]]) -> str:
    import krippendorff

    if len(pairs) < FEWEST:
        return f"fewer than {FEWEST} values"
    codes = {value: code for code, value in enumerate(sorted({value for pair in pairs for value in pair}))}
    if len(codes) < 2:
        return ALIKE
    coders = [[codes[value] for value in coder] for coder in zip(*pairs, strict=True)]
    return f"{krippendorff.alpha(reliability_data=coders, level_of_measurement='nominal'):.3f}"
