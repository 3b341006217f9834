"""From coded passages, as Taguette or REFI-QDA export them, to rows of an edition and the evidence they rest on.

A code stands for values of one row of one table; the passage is their evidence, when it has at most eight words that
stand in one paragraph of the text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from analysis.coding.relations import MOST_WORDS
from analysis.coding.rules import normalise, numbers, says, words
from analysis.coding.verify import fingerprints, paragraphs
from analysis.imports.answers import ASK, locate, quoted, refusals, refuse
from analysis.imports.exports import tidy
from analysis.schema import schema
from parabook.errors import InputError, Problem, show

PLACES = ("from_place", "to_place", "collected_at")


@dataclass
class Coded:
    """The values of one row, and for each the rows of the export whose passages it rests on."""

    cells: dict[str, str]
    passages: dict[str, list[Any]] = field(default_factory=dict)


Rows = dict[tuple[str, str], Coded]
"""By table and key."""


def text_tables(text: str) -> dict[str, pd.DataFrame]:
    """The table `paragraphs` of a text: number, words and fingerprint of each of its non-blank lines.

    Examples
    --------
    >>> text_tables("Title\\n\\nTwo words.")["paragraphs"][["paragraph", "words"]].values.tolist()
    [[1, 1], [2, 2]]
    """
    return {"paragraphs": pd.DataFrame(fingerprints(text), columns=list(schema("paragraphs").columns))}


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
        Columns `id`, `document`, `tag`, `content`, from `read_export`.
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
    if not passages["content"].any():
        raise InputError.one(
            passages.attrs.get("source", "export"), "no passages", "highlights, or a .qdpx with sources"
        )
    listed = {tag: given if isinstance(given, list) else [given] for tag, given in codes.items() if given != ASK}
    codings = {tidy(tag): [coding for coding in given if coding] for tag, given in listed.items()}
    _refuse_undecided(passages, codings, people or {})
    rows = _rows(passages, codings, people or {})
    _add_places(rows, places or {})
    tables = _frames(rows)
    evidence = _evidence(passages, rows, text, shorter or {})
    tables |= {"evidence": pd.DataFrame(evidence, columns=list(schema("evidence").columns))} | text_tables(text)
    return tables, rows.get(("report", "report"), Coded({})).cells


def _frames(rows: Rows) -> dict[str, pd.DataFrame]:
    """The rows by table, in the order of their keys."""
    tables = {}
    for table in dict.fromkeys(table for table, _ in rows if table != "report"):
        cells = [coded.cells for (name, _), coded in rows.items() if name == table]
        tables[table] = pd.DataFrame(cells, dtype="str").fillna("").sort_values([*schema(table).key], ignore_index=True)
    return tables


def _refuse_undecided(passages: pd.DataFrame, codings: Mapping[str, Any], people: Mapping[str, str]) -> None:
    """One problem for each different tag or document that the notebook does not decide."""
    hint = 'say of {}: ("interviewees", "p1", {{"gender": "woman"}}), or "" for a tag that says nothing'.format
    unknown = ~passages["tag"].isin([*codings])
    refuse(refusals(passages["tag"], unknown, "what it codes", lambda tag: hint(quoted(tag))))
    named = [tag for tag, given in codings.items() if any("{person}" in key for _, key, _ in given)]
    asked = passages["tag"].isin(named) & ~passages["document"].isin([d for d, who in people.items() if who != ASK])
    needed = "whose interview it is"
    refuse(refusals(passages["document"], asked, needed, lambda name: f'say of {quoted(name)} in people: "p1"'))


def _rows(passages: pd.DataFrame, codings: Mapping[str, Any], people: Mapping[str, str]) -> Rows:
    """The rows that the passages code; two values for one cell are refused."""
    rows: Rows = {}
    problems = []
    for number, passage in passages.iterrows():
        for table, pattern, values in codings[passage["tag"]]:
            key = pattern.replace("{person}", people.get(passage["document"], ""))
            own = dict(zip(schema(table).key, key.rsplit(".", 1), strict=False)) if table != "report" else {}
            if person := own.get("interviewee"):
                _set(rows, ("interviewees", person), {"interviewee": person}, {"counted": "yes"}, number)
            for column in _set(rows, (table, key), own, values, number):
                source = str(passages.attrs.get("source", "export"))
                needed = f"one {column} of {table} {key}, which an earlier passage gives otherwise"
                problems.append(Problem(source, show(passage["tag"]), needed, "take one away", int(str(number)), "tag"))
    refuse(problems)
    return rows


def _set(rows: Rows, at: tuple[str, str], own: Mapping[str, str], values: Mapping[str, Any], passage: Any) -> list[str]:
    """Put values into a row; the columns that hold another value already."""
    coded = rows.setdefault(at, Coded(dict(own)))
    other = [column for column, value in values.items() if coded.cells.get(column, str(value)) != str(value)]
    for column in values.keys() - {*other}:
        coded.cells[column] = str(values[column])
    for column in values:
        coded.passages.setdefault(column, []).append(passage)
    return other


def _add_places(rows: Rows, known: Mapping[str, Any]) -> None:
    """Identifiers in place of names of places, and a row for each place, which rests on the passage that names it first."""
    for coded in [*rows.values()]:
        for column in (column for column in PLACES if coded.cells.get(column)):
            passage = coded.passages[column][0]
            placed, table = locate(pd.DataFrame({"place": [coded.cells[column]]}, index=[int(passage)]), known)
            coded.cells[column] = str(placed["place"].iloc[0])
            for cells in table.to_dict("records"):
                own = {"place": str(cells["place"])}
                values = {str(key): value for key, value in cells.items() if value != "" and key != "place"}
                _set(rows, ("places", own["place"]), own, values, passage)


def _evidence(passages: pd.DataFrame, rows: Rows, text: str, shorter: Mapping[str, str]) -> list[tuple[Any, ...]]:
    """A row of evidence for every value; a value none of whose passages can stand as evidence is a problem."""
    lines = [normalise(line) for line in paragraphs(text)]
    made: list[tuple[Any, ...]] = []
    problems: dict[Problem, None] = {}
    for (table, key), coded in rows.items():
        for column, numbered in coded.passages.items():
            tried = [_fragment(passages, number, lines, shorter) for number in numbered]
            found = next((each for each in tried if not isinstance(each, Problem)), None)
            if found is None:
                problems |= {each: None for each in tried[:1] if isinstance(each, Problem)}
                continue
            value, (tag, fragment, paragraph) = coded.cells[column], found
            read = says(fragment, value) or (value.isdecimal() and float(value) in numbers(fragment))
            basis = "stated" if read and column not in PLACES and table != "places" else "judged"
            note = "place as the notebook describes it" if table == "places" else f"tagged “{tag}”"
            made.append((table, key, column, paragraph, fragment, basis, note))
    refuse(problems)
    return made


def _fragment(
    passages: pd.DataFrame, number: Any, lines: Sequence[str], shorter: Mapping[str, str]
) -> tuple[str, str, int] | Problem:
    """Tag of a passage, the words of it that stand as evidence, and their paragraph; or why there are none."""
    passage = {str(name): str(value) for name, value in passages.loc[number].items()}
    short = shorter.get(passage["id"], ASK)
    fragment = " ".join((passage["content"] if short == ASK else short).split())
    where = str(passages.attrs.get("source", "export")), int(number), "content"
    if not 1 <= len(words(fragment)) <= MOST_WORDS:
        found, needed = f"{len(words(fragment))} words", f"one to {MOST_WORDS} words, to stand as evidence"
        hint = f'say of {quoted(passage["id"])} in shorter: "some of its words"'
    elif normalise(fragment) not in normalise(passage["content"]):
        found, needed, hint = show(fragment), "words of the passage, one after another", "see shorter"
    else:
        whole, part = normalise(passage["content"]), normalise(fragment)
        at = [n for n, line in enumerate(lines, 1) if whole in line] or [
            n for n, line in enumerate(lines, 1) if part in line
        ]
        if len(at) == 1:
            return passage["tag"], fragment, at[0]
        found, needed = f"{show(fragment)} in {len(at)} paragraphs", "words that stand in one paragraph of the text"
        hint = "code other words"
    return Problem(where[0], found, needed, hint, where[1], where[2])
