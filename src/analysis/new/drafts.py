"""Drafts of maps: what the columns of an export hold, beside what a map may say. Pure, and decides nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from analysis.new.answers import quoted
from analysis.new.intake import Sheet
from analysis.new.maps import PAIRS
from analysis.schema import schema
from parabook.errors import Problem

UNPRINTED: Final = "#|"
"""What lines of a draft begin with that tell an export's values: they are for the one who fills the map, and are left
out of the copy that the edition keeps."""

FEW: Final = 12
"""A draft tells the values of a column that has no more different ones, and no fewer than two rows for each."""

GUIDE: Final = """Nothing is decided yet: take the # away from what you need, and fill it. Lines that begin as this one does are not
copied into the edition. Only columns of the export that are named below are ever copied; a value that `values` does
not list is refused, never guessed; "" stands for a blank cell. Examples:
  age: {column: "How old are you?", least: 18, most: 99}    24 and "20-24"; "35+" up to most, "under 20" from least
  gender: {column: "Sex", values: {"Male": man, "Female": woman, "No answer": ""}}
  counted: {constant: yes}
  departed: {column: "When?", date: "%d/%m/%Y"}
  mode: {choices: {"how/bus": road, "how/train": rail}, several: ""}    a multiple choice
Several legs (or figures) in one row go below `each`, a list of groups of columns, in place of `columns`.
Places go below places: "Oral": {country: KAZ, precision: city}; another spelling of one: "Uralsk": Oral"""
"""How to fill a draft."""


def draft_text(file: str, sheets: Mapping[str, Sheet], unread: Sequence[Problem] = ()) -> str:
    """The draft of a map: YAML to fill.

    Examples
    --------
    >>> rows = tuple((n, {"Sex": "Male"}) for n in (2, 3))
    >>> print(draft_text("s.csv", {"": Sheet("s.csv", ("Sex",), rows)}).splitlines()[-1])
    #|   values: {"Male": }   # rows: 2
    """
    several = len(sheets) + len(unread) > 1
    named = (
        [f"sheet: {quoted(next(iter(sheets)))}   # one of {len(sheets) + len(unread)} sheets, see below"]
        if several
        else []
    )
    first = next(iter(sheets.values()))
    begin = ["tables:", *(line for table in ("interviewees", "legs", "destinations") for line in _unfilled(table))]
    if {"document", "tag", "content"} <= {*first.columns}:
        begin = list(_untagged(first))
    listed = [line for name, sheet in sheets.items() for line in _columns(name, sheet)]
    return "\n".join(
        [
            f"{UNPRINTED} Draft of a map for {file}.",
            *(f"{UNPRINTED} {line}" for line in GUIDE.splitlines()),
            *named,
            *begin,
            "",
            "#places:",
            "",
            f"{UNPRINTED} The columns of the export:",
            *listed,
            *(f"{UNPRINTED} {problem}" for problem in unread),
            "",
        ]
    )


def _unfilled(table: str) -> Iterator[str]:
    """A table's section of a draft: its columns with nothing decided."""
    yield from ("", f"#  {table}:", "#    columns:")
    pairs = PAIRS.get(table, {})
    paired = {column for pair in pairs.values() for column in pair}
    for name, (low, high) in pairs.items():
        yield f"#      {name}: {{column: }}   # a number or a range: {low} and {high}"
    for field in schema(table).fields:
        if field.name not in paired and field.name not in ("interviewee", "leg", "figure"):
            needed = "needed. " if field.required else ""
            allowed = f"{', '.join(field.enum)}. " if field.enum else ""
            yield f"#      {field.name}: {{column: }}   # {needed}{allowed}{field.description}"


def _untagged(sheet: Sheet) -> Iterator[str]:
    """A draft's section for highlights: every tag, with nothing decided."""
    yield from (
        "highlights:",
        "#  counted: yes   # if every document is an interview with one of the people counted",
        "#  interviewees: {DOCUMENT: p1}   # whose interview each document is; or interviewee: p1 beside what a tag codes",
        "#  tags:   # ignore, or {interviewees: {gender: woman}}, {legs: {leg: 1, status: made, to_place: Oral}},",
        "#          # {statements: {topic: departure, quantifier: all, says: WORDS}}; basis: stated if the words say the value",
    )
    for tag in sorted({cells.get("tag", "") for _, cells in sheet.rows}):
        yield f"#    {quoted(tag)}: "


def _columns(name: str, sheet: Sheet) -> Iterator[str]:
    """What a sheet's columns hold, for the one who fills the map."""
    if name:
        yield f"{UNPRINTED} Sheet {quoted(name)}: {len(sheet.rows)} rows"
    for column in sheet.columns:
        values = Counter(cells.get(column, "") for _, cells in sheet.rows)
        blank = values.pop("", 0)
        yield f"{UNPRINTED} {quoted(column)}: different values {len(values)}, blank rows {blank} of {len(sheet.rows)}"
        if values and len(values) <= FEW and 2 * len(values) <= sum(values.values()):
            ranked = sorted(values.items(), key=lambda pair: (-pair[1], pair[0]))
            spelt = ", ".join(f"{quoted(value)}: " for value, _ in ranked)
            yield f"{UNPRINTED}   values: {{{spelt}}}   # rows: {', '.join(str(times) for _, times in ranked)}"
