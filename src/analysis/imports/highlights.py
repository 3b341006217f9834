"""Converts coded passages, as Taguette or REFI-QDA export them, into rows of an edition and their evidence.

A code stands for values of one row of one table; the passage is their evidence if it has at most eight words and stands
in one paragraph of the text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.coding.relations import MOST_WORDS
from analysis.coding.rules import length, normalise, numbers, says
from analysis.coding.verify import fingerprints, paragraphs
from analysis.imports.answers import ASK, locate, quoted, refusals, refuse
from analysis.imports.files import tidy
from analysis.schema import schema
from parabook.errors import Problem, show

PLACES = ("from_place", "to_place", "collected_at")
CELL = ["table", "key", "column"]


def text_tables(text: str) -> dict[str, pd.DataFrame]:
    """The table `paragraphs` of a text: number, words and fingerprint of each of its non-blank lines."""
    return {"paragraphs": pd.DataFrame(fingerprints(text), columns=[*schema("paragraphs").columns])}


def highlights(
    passages: pd.DataFrame,
    codes: Mapping[str, Any],
    text: str,
    *,
    people: Mapping[str, str] | None = None,
    places: Mapping[str, Any] | None = None,
    shorter: Mapping[str, str] | None = None,
) -> tuple[dict[str, pd.DataFrame], dict[str, str]]:
    """The tables that coded passages fill, evidence and paragraphs included, and values of the edition's report object.

    Parameters
    ----------
    passages : DataFrame
        From `read_export`.
    codes : mapping
        By tag: (table, key, values by column), a list of these, or "" for a tag that says nothing. `{person}` in a key
        stands for the interviewee of the document.
    text : str
        The text that was coded, a paragraph a line.
    people, places, shorter : mapping, optional
        The interviewee by document; places by name, as `locate` takes them; by id of a passage of more than eight words,
        those of them that stand as evidence.

    Examples
    --------
    >>> row = {"id": "1", "document": "Talk", "tag": "woman", "content": "she left"}
    >>> codes = {"woman": ("interviewees", "p1", {"gender": "woman"})}
    >>> tables, _ = highlights(pd.DataFrame([row]), codes, "Then she left.")
    >>> tables["evidence"][["key", "column", "exact", "basis"]].values.tolist()
    [['p1', 'counted', 'she left', 'judged'], ['p1', 'gender', 'she left', 'judged']]
    """
    source = str(passages.attrs.get("source", "export"))
    given = {tidy(tag): rows for tag, rows in codes.items() if rows != ASK}
    decided = {tag: [rows] if isinstance(rows, tuple) else rows for tag, rows in given.items()}
    hint = 'say of {}: ("interviewees", "p1", {"gender": "woman"}), or "" for a tag that says nothing'
    refuse(refusals(passages["tag"], ~passages["tag"].isin([*decided]), "what it codes", hint))
    personal = [tag for tag, given in decided.items() if any("{person}" in key for _, key, _ in given)]
    named = [document for document, person in (people or {}).items() if person != ASK]
    asked = passages["tag"].isin(personal) & ~passages["document"].isin(named)
    refuse(refusals(passages["document"], asked, "whose interview it is", 'say of {} in people: "p1"'))
    coded = _coded_cells(passages, decided, people or {}, places or {})
    cells = coded.drop_duplicates(CELL)
    differing = coded.merge(cells, on=CELL, suffixes=("", "_first")).query("value != value_first")
    refuse(
        Problem(source, f"{show(first)}, {show(value)}", f"one {column} of {table} {key}", "take a tag away", int(row))
        for row, table, key, column, value, _, first in differing.itertuples(index=False)
    )
    tables = {str(name): _table(str(name), each) for name, each in cells.groupby("table", sort=False)}
    report = tables.pop("report", pd.DataFrame([{}])).iloc[0]
    tables |= {"evidence": _evidence(passages, cells, text, shorter or {})} | text_tables(text)
    return tables, {str(column): str(value) for column, value in report.items()}


def _coded_cells(
    passages: pd.DataFrame, decided: Mapping[str, Any], people: Mapping[str, str], known: Mapping[str, Any]
) -> pd.DataFrame:
    """The cells that passages code and those of the places they name: row of the passage, table, key, column, value."""
    coded = []
    for row, passage in passages.iterrows():
        person = people.get(passage["document"], "").strip(ASK)
        for table, pattern, cells in decided[passage["tag"]]:
            key = pattern.replace("{person}", person)
            if table in ("interviewees", "legs"):
                who = key if table == "interviewees" else key.rpartition(".")[0]
                coded.append((row, "interviewees", who, "counted", "yes"))
            about = {"about": person or "interviewees"} if table == "statements" else {}
            coded += [(row, table, key, column, str(value)) for column, value in {**about, **cells}.items()]
    found = pd.DataFrame(coded, columns=["row", *CELL, "value"])
    naming = found["column"].isin(PLACES)
    names = found[naming].set_index("row")[["value"]]
    names.attrs = passages.attrs
    placed, places = locate(names, known)
    found.loc[naming, "value"] = placed["value"].to_numpy()
    described = places.astype(str).melt("place", var_name="column").query("value != ''").assign(table="places")
    named = found.loc[naming, ["row", "value"]].rename(columns={"value": "place"})
    return pd.concat([found, named.merge(described, on="place").rename(columns={"place": "key"})], ignore_index=True)


def _table(name: str, cells: pd.DataFrame) -> pd.DataFrame:
    """The rows of one table from its cells, ordered by key."""
    wide = cells.pivot(index="key", columns="column", values="value").fillna("")
    names = schema(name).key if name != "report" else ()
    keys = [dict(zip(names, key.rsplit(".", len(names) - 1), strict=False)) for key in wide.index]
    return wide.assign(**pd.DataFrame(keys, wide.index)).reset_index(drop=True)


def _evidence(passages: pd.DataFrame, cells: pd.DataFrame, text: str, shorter: Mapping[str, str]) -> pd.DataFrame:
    """A row of evidence for every cell: the first passage that codes it, or the words of it given in `shorter`."""
    lines = [normalise(line) for line in paragraphs(text)]
    needed = f"one to {MOST_WORDS} words of the passage that stand in one paragraph of the text"
    made, problems = [], {}
    for row, table, key, column, value in cells.itertuples(index=False):
        passage: dict[Any, str] = passages.loc[row].to_dict()
        short = shorter.get(passage["id"], ASK)
        exact = " ".join((passage["content"] if short == ASK else short).split())
        whole, part = normalise(passage["content"]), normalise(exact)
        at = [number for number, line in enumerate(lines, 1) if whole in line]
        at = at or [number for number, line in enumerate(lines, 1) if part in line]
        if len(at) != 1 or part not in whole or not 1 <= length(exact) <= MOST_WORDS:
            found = f"{show(exact)}: {length(exact)} words, in {len(at)} paragraphs"
            hint = f'say of {quoted(passage["id"])} in shorter: "some of its words"'
            problems[row] = Problem(str(passages.attrs.get("source")), found, needed, hint, int(row), "content")
            continue
        stated = says(exact, value) or (value.isdecimal() and float(value) in numbers(exact))
        stated = stated and table != "places" and column not in PLACES
        note = "place as the notebook describes it" if table == "places" else f"tagged “{passage['tag']}”"
        made.append((table, key, column, at[0], exact, "stated" if stated else "judged", note))
    refuse(problems.values())
    return pd.DataFrame(made, columns=[*schema("evidence").columns])
