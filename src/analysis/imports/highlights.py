"""From coded passages, as Taguette or REFI-QDA export them, to rows of an edition and the evidence they rest on.

A code stands for values of one row of one table; the passage is their evidence, when it has at most eight words that
stand in one paragraph of the text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from analysis.checks import MOST_WORDS
from analysis.coding.verify import fingerprints, paragraphs
from analysis.imports.answers import ASK, locate, quoted, refusals
from analysis.imports.exports import tidy
from analysis.rules import normalise, numbers, says, words
from analysis.schema import schema
from parabook.errors import InputError, Problem, show

Coding = tuple[str, str, Mapping[str, Any]]
"""Table, key of the row, and its values by column."""

PLACES: Final = ("from_place", "to_place", "collected_at")


@dataclass
class Coded:
    """The values of one row, and for each the passages (rows of the export) that it rests on."""

    cells: dict[str, str] = field(default_factory=dict)
    passages: dict[str, list[Any]] = field(default_factory=dict)


Rows = dict[tuple[str, str], Coded]


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
        By tag: (table, key, values by column), a list of these, "" for a tag that says nothing, "?" for one undecided.
        A key may hold `{person}`: whose interview the document is.
    text : str
        The text that was coded, a paragraph a line.
    people : mapping, optional
        The interviewee by document.
    places : mapping, optional
        Places by name, as `locate` takes them.
    shorter : mapping, optional
        By id of a passage, the words of it that stand as evidence, where it has more than eight.

    Examples
    --------
    >>> row = {"id": "1", "document": "Talk", "tag": "woman", "content": "she left"}
    >>> codes = {"woman": ("interviewees", "p1", {"gender": "woman"})}
    >>> tables, _ = highlights(pd.DataFrame([row]), codes, "Then she left.")
    >>> tables["evidence"][["key", "column", "exact", "basis"]].values.tolist()
    [['p1', 'counted', 'she left', 'judged'], ['p1', 'gender', 'she left', 'judged']]
    """
    if not passages["content"].any():
        found = "codes without passages" if len(passages) else "no passages"
        raise InputError.one(passages.attrs.get("source", "export"), found, "highlights, or a .qdpx with its sources")
    _refuse_undecided(passages, codes, people or {})
    rows = _rows(passages, codes, people or {})
    _add_places(rows, places or {})
    tables: dict[str, pd.DataFrame] = {}
    for table in dict.fromkeys(table for table, _ in rows if table != "report"):
        cells = [coded.cells for (name, _), coded in rows.items() if name == table]
        tables[table] = pd.DataFrame(cells, dtype="str").fillna("")
    if "legs" in tables:
        tables["legs"] = tables["legs"].sort_values(["interviewee", "leg"], ignore_index=True)
    evidence = _evidence(passages, rows, text, shorter or {})
    tables |= {"evidence": pd.DataFrame(evidence, columns=list(schema("evidence").columns))} | text_tables(text)
    return tables, rows[report].cells if (report := ("report", "report")) in rows else {}


def _refuse_undecided(passages: pd.DataFrame, codes: Mapping[str, Any], people: Mapping[str, str]) -> None:
    """One problem for each tag or document that the notebook does not decide."""
    known = {tidy(tag) for tag, coding in codes.items() if coding != ASK}
    hint = 'say of {}: ("interviewees", "p1", {{"gender": "woman"}}), or "" for a tag that says nothing'.format
    problems = list(
        refusals(passages["tag"], ~passages["tag"].isin(known), "what it codes", lambda tag: hint(quoted(tag)))
    )
    named = {tag for tag, coding in codes.items() for _, key, _ in _codings(coding) if "{person}" in key}
    asked = passages["tag"].isin(named) & ~passages["document"].isin([d for d, who in people.items() if who != ASK])
    needed = "whose interview it is"
    problems += refusals(
        passages["document"], asked, needed, lambda document: f'add {quoted(document)}: "p1" to people'
    )
    if problems:
        raise InputError(problems)


def _codings(coding: Any) -> Sequence[Coding]:
    return [] if coding in ("", None, ASK) else coding if isinstance(coding, list) else [coding]


def _rows(passages: pd.DataFrame, codes: Mapping[str, Any], people: Mapping[str, str]) -> Rows:
    """The rows that the passages code, by table and key; two values for one cell are refused."""
    rows: Rows = {}
    problems = []
    for number, passage in passages.iterrows():
        for table, pattern, values in _codings(codes[passage["tag"]]):
            key = pattern.replace("{person}", people.get(passage["document"], ""))
            own = dict(zip(schema(table).key, key.rsplit(".", 1), strict=False)) if table != "report" else {}
            person = own.get("interviewee")
            if person:
                _set(rows, "interviewees", person, {"interviewee": person}, {"counted": "yes"}, number)
            for column in _set(rows, table, key, own, values, number):
                needed = f"one {column} of {table} {key}, which an earlier passage gives otherwise"
                source = str(passages.attrs.get("source", "export"))
                problems.append(Problem(source, show(passage["tag"]), needed, "take one away", int(str(number)), "tag"))
    if problems:
        raise InputError(problems)
    return rows


def _set(
    rows: Rows, table: str, key: str, own: Mapping[str, str], values: Mapping[str, Any], passage: Any
) -> list[str]:
    """Put values into a row; the columns that hold another value already."""
    coded = rows.setdefault((table, key), Coded(dict(own)))
    other = [column for column, value in values.items() if coded.cells.get(column, str(value)) != str(value)]
    for column, value in values.items():
        if column not in other:
            coded.cells[column] = str(value)
            coded.passages.setdefault(column, []).append(passage)
    return other


def _add_places(rows: Rows, known: Mapping[str, Any]) -> None:
    """Identifiers in place of names of places, and a row for each place, which rests on the passages that name it."""
    for coded in [*rows.values()]:
        for column in PLACES:
            if coded.cells.get(column):
                name = pd.DataFrame({"to_place": [coded.cells[column]]}, index=[int(coded.passages[column][0])])
                placed, table = locate(name, known)
                coded.cells[column] = str(placed["to_place"].iloc[0])
                for cells in table.to_dict("records"):
                    own = {"place": str(cells.pop("place"))}
                    given = {str(key): value for key, value in cells.items() if value != ""}
                    _set(rows, "places", own["place"], own, given, coded.passages[column][0])


def _evidence(passages: pd.DataFrame, rows: Rows, text: str, shorter: Mapping[str, str]) -> list[tuple[Any, ...]]:
    """A row of evidence for every value; a value none of whose passages can stand as evidence is a problem."""
    lines = [normalise(line) for line in paragraphs(text)]
    made, problems = [], []
    for (table, key), coded in rows.items():
        for column, numbered in coded.passages.items():
            tried = [_fragment(passages, number, lines, shorter) for number in numbered]
            found = next((each for each in tried if not isinstance(each, Problem)), None)
            if found is None:
                problems += [each for each in tried[:1] if isinstance(each, Problem) and each not in problems]
                continue
            value, passage = coded.cells[column], passages.loc[numbered[0]]
            stated = column not in PLACES and (says(found[0], value) or _number(value) in numbers(found[0]))
            note = f"tagged “{passage['tag']}”" if table != "places" else "place as the notebook describes it"
            made.append((table, key, column, found[1], found[0], "stated" if stated else "judged", note))
    if problems:
        raise InputError(problems)
    return made


def _number(value: str) -> float:
    return float(value) if value.isdecimal() else -1.0


def _fragment(
    passages: pd.DataFrame, number: Any, lines: Sequence[str], shorter: Mapping[str, str]
) -> tuple[str, int] | Problem:
    """The words of a passage that stand as evidence and their paragraph, or why there are none."""
    passage = passages.loc[[number]].iloc[0]
    short = shorter.get(passage["id"], "")
    fragment = " ".join((short if short != ASK and short else passage["content"]).split())
    needed, hint = "", ""
    if not 1 <= len(words(fragment)) <= MOST_WORDS:
        found, needed = f"{len(words(fragment))} words", f"one to {MOST_WORDS} words, to stand as evidence"
        hint = f'add {quoted(passage["id"])}: "some of its words" to shorter'
    elif normalise(fragment) not in normalise(passage["content"]):
        found, needed, hint = show(fragment), "words of the passage, one after another", f"see shorter {passage['id']}"
    else:
        at = [n for n, line in enumerate(lines, 1) if normalise(passage["content"]) in line]
        at = at or [n for n, line in enumerate(lines, 1) if normalise(fragment) in line]
        if len(at) == 1:
            return fragment, at[0]
        found = f"{show(fragment)} in {len(at)} paragraphs"
        needed, hint = "words that stand in one paragraph of the text", "code other words"
    source = str(passages.attrs.get("source", "export"))
    return Problem(source, found, needed, hint, int(str(number)), "content")
