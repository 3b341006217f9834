"""From coded passages, as Taguette or REFI-QDA export them, to rows of an edition and the evidence they rest on.

A code stands for values of one row of one table; the passage is their evidence, when it has at most eight words that
stand in one paragraph of the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from analysis.coding.relations import MOST_WORDS
from analysis.coding.rules import normalise, numbers, says, words
from analysis.coding.verify import fingerprints, paragraphs
from analysis.imports.answers import ASK, locate, quoted, refusals, refuse
from analysis.imports.files import tidy
from analysis.schema import schema
from parabook.errors import InputError, Problem, show

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
        By tag: (table, key, values by column), a list of these, or "" for a tag that says nothing. A key may hold
        `{person}`: whose interview the document is.
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
    if not passages["content"].any():
        raise InputError.one(source, "no passages", "highlights, or a .qdpx with sources")
    said = {tidy(tag): [given] if isinstance(given, tuple) else given for tag, given in codes.items() if given != ASK}
    _refuse_undecided(passages, said, people or {})
    rows = pd.DataFrame(_values(passages, said, people or {}), columns=["row", *CELL, "value"])
    rows = _with_places(rows, passages, places or {})
    for (table, key, column), each in rows.groupby(CELL):
        if len(found := each["value"].unique()) > 1:
            needed = f"one {column} of {table} {key}"
            raise InputError.one(source, ", ".join(map(show, found)), needed, "take a tag away", row=max(each["row"]))
    report = rows[rows["table"] == "report"]
    filled = rows[rows["table"] != "report"].groupby("table", sort=False)
    tables = {str(name): _table(str(name), each) for name, each in filled}
    tables |= {"evidence": _evidence(passages, rows, text, shorter or {})} | text_tables(text)
    return tables, dict(zip(report["column"], report["value"], strict=True))


def _refuse_undecided(passages: pd.DataFrame, decided: Mapping[str, Any], people: Mapping[str, str]) -> None:
    """One problem for each different tag or document that the notebook does not decide."""
    hint = 'say of {}: ("interviewees", "p1", {{"gender": "woman"}}), or "" for a tag that says nothing'.format
    unknown = ~passages["tag"].isin([*decided])
    refuse(refusals(passages["tag"], unknown, "what it codes", lambda tag: hint(quoted(tag))))
    named = [tag for tag, given in decided.items() if any("{person}" in key for _, key, _ in given)]
    asked = passages["tag"].isin(named) & ~passages["document"].isin(
        [name for name, who in people.items() if who != ASK]
    )
    needed = "whose interview it is"
    refuse(refusals(passages["document"], asked, needed, lambda name: f'say of {quoted(name)} in people: "p1"'))


def _values(passages: pd.DataFrame, decided: Mapping[str, Any], people: Mapping[str, str]) -> Iterator[tuple[Any, ...]]:
    """Row of the passage, table, key, column and value of each cell that a passage codes."""
    for row, passage in passages.iterrows():
        for table, pattern, cells in decided[passage["tag"]]:
            key = pattern.replace("{person}", people.get(passage["document"], ""))
            if table in ("interviewees", "legs"):
                yield row, "interviewees", key if table == "interviewees" else key.rpartition(".")[0], "counted", "yes"
            yield from ((row, table, key, column, str(value)) for column, value in cells.items())


def _with_places(rows: pd.DataFrame, passages: pd.DataFrame, known: Mapping[str, Any]) -> pd.DataFrame:
    """Identifiers in place of names of places, and the cells of the places, which rest on the passages that name them."""
    naming = rows["column"].isin(PLACES)
    names = rows[naming].set_index("row")[["value"]]
    names.attrs = passages.attrs
    placed, table = locate(names, known)
    rows.loc[naming, "value"] = placed["value"].to_numpy()
    cells = table.astype(str).melt("place", var_name="column").query("value != ''")
    described = rows.loc[naming, ["row", "value"]].rename(columns={"value": "key"}).assign(table="places")
    return pd.concat([rows, described.merge(cells, left_on="key", right_on="place")[rows.columns]], ignore_index=True)


def _table(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    """The cells of one table as its rows, in the order of their keys."""
    wide = rows.drop_duplicates(CELL).pivot(index="key", columns="column", values="value").fillna("")
    names = schema(name).key
    keys = pd.DataFrame([key.rsplit(".", len(names) - 1) for key in wide.index], wide.index, [*names])
    return keys.join(wide).reset_index(drop=True)


def _evidence(passages: pd.DataFrame, rows: pd.DataFrame, text: str, shorter: Mapping[str, str]) -> pd.DataFrame:
    """A row of evidence for every cell; cells none of whose passages can stand as evidence are refused."""
    lines = [normalise(line) for line in paragraphs(text)]
    found = {row: _fragment(passages, row, lines, shorter) for row in rows["row"].unique()}
    rows = rows.assign(lacking=[isinstance(found[row], Problem) for row in rows["row"]])
    rows = rows.sort_values("lacking", kind="stable").drop_duplicates(CELL).sort_index()
    refuse(each for row in rows.loc[rows["lacking"], "row"].unique() if isinstance(each := found[row], Problem))
    made = []
    for row, table, key, column, value in rows[["row", *CELL, "value"]].itertuples(index=False):
        paragraph, fragment = found[row]
        read = says(fragment, value) or (value.isdecimal() and float(value) in numbers(fragment))
        basis = "stated" if read and table != "places" and column not in PLACES else "judged"
        note = "place as the notebook describes it" if table == "places" else f"tagged “{passages.loc[row, 'tag']}”"
        made.append((table, key, column, paragraph, fragment, basis, note))
    return pd.DataFrame(made, columns=[*schema("evidence").columns])


def _fragment(passages: pd.DataFrame, row: int, lines: Sequence[str], shorter: Mapping[str, str]) -> Any:
    """The paragraph of a passage and those of its words that stand as evidence, or the problem why there are none."""
    passage: dict[Any, str] = passages.loc[row].to_dict()
    short = shorter.get(passage["id"], ASK)
    fragment = " ".join((passage["content"] if short == ASK else short).split())
    whole, part = normalise(passage["content"]), normalise(fragment)
    at = [number for number, line in enumerate(lines, 1) if whole in line]
    at = at or [number for number, line in enumerate(lines, 1) if part in line]
    if len(at) == 1 and part in whole and 1 <= len(words(fragment)) <= MOST_WORDS:
        return at[0], fragment
    found = f"{show(fragment)}: {len(words(fragment))} words, in {len(at)} paragraphs"
    needed = f"one to {MOST_WORDS} words of the passage that stand in one paragraph of the text"
    hint = f'say of {quoted(passage["id"])} in shorter: "some of its words"'
    return Problem(str(passages.attrs.get("source", "export")), found, needed, hint, int(row), "content")
