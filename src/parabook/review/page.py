"""A comparison as a page: the same blocks as one HTML file and as Markdown. Pure; all that comes from data is escaped."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from operator import itemgetter
from string import punctuation
from typing import Any

import pandas as pd

from analysis import charts
from analysis.coding.verify import Verdict
from analysis.prose import plural
from parabook.drawings import as_svg
from parabook.errors import Problem
from parabook.render import followed, silent
from parabook.review.compare import (
    NOT_COMMITTED,
    Comparison,
    Move,
    by_label,
    difference,
    follows,
    label_columns,
    reasons,
    verdict,
)
from parabook.review.results import Cell

MOST_ROWS = 40
"""Of a longer table only the rows that moved are shown."""

MOST_CLAIMS = 8
"""Commits named before what moved; all stand beside the files that differ."""

LONG = 48
"""Letters of a row from which a table stands as blocks on a narrow screen: in columns its words would stand one by one."""

MOST_IN_MARKDOWN = 1000
"""Rows of one table in Markdown: a summary of a pull request takes a megabyte."""

UNMOVED = "as it was"
"""What the last cell of a row says where there is nothing to look at."""


@dataclass(frozen=True)
class Marked:
    """A text of which some words are marked: those that are not in the other."""

    words: tuple[tuple[str, bool], ...]


Text = str | Marked


@dataclass(frozen=True)
class Heading:
    level: int
    text: str
    anchor: str = ""


@dataclass(frozen=True)
class Words:
    """A paragraph, or items of a list."""

    lines: tuple[str, ...]
    listed: bool = False
    weighty: bool = False


@dataclass(frozen=True)
class Grid:
    """A table: its caption, its columns, its rows, the first cell of each naming the row."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Text, ...], ...]


@dataclass(frozen=True)
class Drawing:
    """A chart with what it is."""

    caption: str
    svg: str


@dataclass(frozen=True)
class Drawings:
    """Charts side by side."""

    drawings: tuple[Drawing, ...]


@dataclass(frozen=True)
class Folded:
    """A table of what says nothing, behind words that can be opened; Markdown leaves it out."""

    summary: str
    grid: Grid


Block = Heading | Words | Grid | Drawings | Folded


@dataclass(frozen=True)
class Review:
    """What a reviewer is told. Without a comparison nothing was ever approved; without cells nothing was run."""

    title: str
    verdict: str
    comparison: Comparison | None
    old: str = "old"
    new: str = "new"
    cells: tuple[Cell, ...] = ()
    checks: tuple[Problem, ...] = ()
    ran: bool = False
    edition: str = ""
    """Its title."""
    evidence: Verdict | None = None
    """Whether the coded values hold against the source text; None where they were not held against it."""


def blocks(review: Review) -> Iterator[Block]:
    """The page, from what matters most to what matters least."""
    yield Heading(1, review.title)
    yield Words((review.verdict,), weighty=True)
    comparison = review.comparison
    if review.edition:
        yield Words((f"Edition: {review.edition}",))
    if comparison is not None:
        yield Words((f"From: {review.old}. To: {review.new}.",))
        yield from _claims(comparison)
    if review.ran:
        yield _evidence(review.evidence)
    if comparison is not None:
        yield from _moved(comparison)
        yield from _input_rows(comparison)
    if review.evidence and review.evidence.problems:
        yield Heading(2, "Evidence that does not hold", "evidence")
        yield Words(tuple(map(str, review.evidence.problems)), listed=True)
    if review.ran:
        yield from _cells(review.cells)
        yield from _checks(review.checks)
    if comparison is not None:
        yield from _origins(comparison)


def _claims(comparison: Comparison) -> Iterator[Words]:
    """What a reviewer holds the moves against: what the changes are meant to do, and whether the data gave a cause."""
    program = comparison.program
    touched = [told for path, told in comparison.commits.items() if path in program or path.startswith("edition: ")]
    said = list(dict.fromkeys(said for each in touched for said in each if said != NOT_COMMITTED))
    if said:
        more = len(said) - MOST_CLAIMS
        rest = [f"and {more} more, beside the files that differ"] if more > 0 else []
        yield Words(("What was done since then, in the words of those who did it:",))
        yield Words((*said[:MOST_CLAIMS], *rest), listed=True)
    if comparison.moves and not (comparison.rows or comparison.unknown or comparison.settings):
        told = "Results moved though no data did: the program counts, words or draws something otherwise than before."
        yield Words((told,), weighty=True)


def _evidence(held: Verdict | None) -> Words:
    if held is None:
        return Words(("Evidence: not held against the source text; --source FILE does it.",))
    return Words((f"Evidence: {held} against the source text.",), weighty=bool(held.problems))


def _moved(comparison: Comparison) -> Iterator[Block]:
    yield Heading(2, "What moved", "moved")
    if not comparison.moves:
        yield Words(("Nothing.",))
    if len(comparison.exhibits) > 1:
        yield _at_a_glance(comparison)
    for name in comparison.exhibits:
        yield from _exhibit(comparison, name)
    for part, title in (("sentence", "Sentences in the text"), ("output", "Other outputs of cells")):
        moves = [move for move in comparison.moves if move.part == part]
        if moves:
            yield Heading(2, title, part)
            yield _from_to(f"{title} that moved", "where", [(move.of, move) for move in moves])


def _at_a_glance(comparison: Comparison) -> Grid:
    """The exhibits that moved, a row each; their sums where one of them counts."""
    sums = {name: _adds_up(comparison, name) for name in comparison.exhibits}
    counts = ("sum of the counts",) if any(sums.values()) else ()
    rows = []
    for name in comparison.exhibits:
        moves = comparison.of(name)
        rows.append((name, str(len(moves)), _gist(moves), *(sums[name] for _ in counts), _briefly(comparison, name)))
    return Grid("Exhibits that moved", ("exhibit", "moves", "the first of them", *counts, "because of"), tuple(rows))


def _gist(moves: Sequence[Move]) -> str:
    first = moves[0]
    told = str(first).removeprefix(f"{first.part} {first.of}").removeprefix(": ")
    return told if first.part == "table" else f"{first.part}: {told}"


def _briefly(comparison: Comparison, name: str) -> str:
    told = reasons(comparison, name)
    rows = [reason.removeprefix("input row ").split(":")[0] for reason in told if reason.startswith("input row ")]
    rest = [*rows[:2], *([f"{len(rows) - 2:,} input values more"] if len(rows) > 2 else [])]
    return ", ".join(rest) or told[0]


def _adds_up(comparison: Comparison, name: str) -> str:
    """Whether a table of counts adds up to what it did."""
    old, new = comparison.old.tables.get(name, ()), comparison.new.tables.get(name, ())
    if not old or not new or old[0] != new[0] or len(old[0]) < 2:
        return ""
    was, now = ([dict(zip(side[0], row, strict=False)) for row in side[1:]] for side in (old, new))
    sums = _sum(was, now, old[0][-1])
    if sums is None:
        return ""
    return f"{sums[0]:,}, as it was" if sums[0] == sums[1] else f"{sums[0]:,} → {sums[1]:,}"


def _exhibit(comparison: Comparison, name: str) -> Iterator[Block]:
    old, new = comparison.old, comparison.new
    words = new.words.get(name) or old.words.get(name, {})
    yield Heading(3, f"{name}: {words.get('caption', '')}", f"exhibit-{name}")
    yield Words(tuple(reasons(comparison, name)), listed=True)
    whole = comparison.of(name, "exhibit")
    if whole:
        yield Words((f"The exhibit is {'new' if whole[0].what == 'added' else 'gone'}.",))
    if whole or comparison.of(name, "table"):
        yield from _side_by_side(comparison, name)
    page = comparison.of(name, "page")
    if page:
        yield _from_to(
            f"{name}, on its page",
            "row, column",
            [(", ".join(filter(None, [_row_named(comparison, name, m.row), m.column])), m) for m in page],
        )
    told = comparison.of(name, "words")
    if told:
        yield _from_to(f"{name}, its words", "what", [(move.column, move) for move in told])
    if whole or comparison.of(name, "table", "chart"):
        yield from _drawn(comparison, name)


def _from_to(caption: str, first: str, moves: Sequence[tuple[str, Move]]) -> Grid:
    rows = [(where, *_ends(move), move.what + (f", {move.by}" if move.by else "")) for where, move in moves]
    return Grid(caption, (first, "from", "to", "what"), tuple(rows))


def _ends(move: Move) -> tuple[Text, Text]:
    """From what to what; of what came or went there is one of the two."""
    return (move.old or "–", move.new or "–") if move.what in ("added", "gone") else marked(move.old, move.new)


def marked(old: str, new: str) -> tuple[Text, Text]:
    """Two texts, with the words marked that are not in the other.

    Examples
    --------
    >>> marked("told of 6", "told of 5")[1]
    Marked(words=(('told of ', False), ('5', True)))
    """
    if not old or not new:
        return old or "(blank)", new or "(blank)"
    a, b = (re.findall(r"\w+|\s+|[^\w\s]", text) for text in (old, new))
    was, now = [], []
    for kind, a1, a2, b1, b2 in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        was.append(("".join(a[a1:a2]), kind != "equal"))
        now.append(("".join(b[b1:b2]), kind != "equal"))
    return Marked(tuple(part for part in was if part[0])), Marked(tuple(part for part in now if part[0]))


def _row_named(comparison: Comparison, name: str, label: str) -> str:
    """A row's label; of one that names an interviewee who is not counted it says so."""
    table = comparison.new.tables.get(name) or comparison.old.tables.get(name, ())
    return comparison.named(label) if table and table[0][0] == "interviewee" else label


def _side_by_side(comparison: Comparison, name: str) -> Iterator[Block]:
    """The table from and to: a row's labels, each column that moved twice, and in words what became of the row."""
    old, new = (side.tables.get(name, ()) for side in (comparison.old, comparison.new))
    moves = comparison.of(name, "table")
    labels = label_columns(old, new)
    was, now = by_label(old, labels), by_label(new, labels)
    renamed = {move.new: move.old for move in moves if move.what == "renamed"}
    columns = [column for column in dict.fromkeys((*(old or ((),))[0], *(new or ((),))[0])) if column not in labels]
    touched = {move.column for move in moves if move.row}
    shown = [column for column in columns if column in touched] or columns[-1:] if not _whole(moves) else columns
    order = [*now, *(label for label in was if label not in now and label not in renamed.values())]
    rows: list[tuple[Text, ...]] = []
    for label in order:
        before, after = was.get(renamed.get(label, label)), now.get(label)
        state = _state(before, after, renamed.get(label, ""))
        if len(order) > MOST_ROWS and not state:
            continue
        pairs = [((before or {}).get(column, ""), (after or {}).get(column, "")) for column in shown]
        moved = [difference(*pair) for pair in pairs if pair[0] != pair[1] and difference(*pair)]
        cells = [cell for a, b in pairs for cell in (marked(a, b) if a != b else (a, b))]
        rows.append((_row_named(comparison, name, label), *cells, ", ".join(filter(None, [state, *moved])) or UNMOVED))
    sums = [_sum(was.values(), now.values(), column) for column in shown]
    if len(columns) == 1 and sums[0]:
        a, b = sums[0]
        told = f"changed, {difference(str(a), str(b))}" if a != b else UNMOVED
        rows.append(("sum of the column", *marked(f"{a:,}", f"{b:,}"), told))
    head = (", ".join(labels), *(f"{column}, {end}" for column in shown for end in ("from", "to")), "what")
    if rows:
        yield Grid(f"{name}, the table from and to", head, tuple(rows))
    rest = [move for move in moves if not move.row]
    if rest:
        yield _from_to(f"{name}, the table as a whole", "what", [(move.column or move.what, move) for move in rest])


def _whole(moves: Sequence[Move]) -> bool:
    """Whether whole rows come or go, or the table is new or gone: then every column is worth showing."""
    return not moves or any(move.what in ("added", "gone") and move.row for move in moves)


def _state(before: object, after: object, renamed: str) -> str:
    if before is None or after is None:
        return "row added" if before is None else "row gone"
    if renamed:
        return f"renamed, was “{renamed}”"
    return "changed" if before != after else ""


def _sum(was: Any, now: Any, column: str) -> tuple[int, int] | None:
    cells = [[row.get(column, "") for row in rows] for rows in (was, now)]
    if not all(cell.isascii() and cell.isdigit() for side in cells for cell in side):
        return None
    return sum(map(int, cells[0])), sum(map(int, cells[1]))


def _drawn(comparison: Comparison, name: str) -> Iterator[Block]:
    """The chart from and to; where it shows counts, both in one before."""
    specs = (comparison.old.charts.get(name), comparison.new.charts.get(name))
    drawings = [*_overlay(comparison, name)]
    moved = comparison.of(name, "chart", "exhibit")
    for end, spec in zip(("from", "to"), specs if moved else (), strict=False):
        if spec:
            drawings += _drawing(f"{name}, {end}", spec)
    if drawings:
        yield Drawings(tuple(drawings))
    chart = comparison.of(name, "chart")
    moves = [move for move in chart if not follows(comparison, move)]
    if moves:
        yield _from_to(f"{name}, the chart by path in its Vega-Lite", "path", [(move.column, move) for move in moves])
    elif chart:
        yield Words(("The chart moved as its table did, and its axes with it; how it is drawn is as it was.",))


def _drawing(caption: str, spec: Any) -> Iterator[Drawing]:
    try:
        yield Drawing(caption, as_svg(json.dumps(spec, sort_keys=True)))
    except ValueError as error:  # a chart that cannot be drawn is for the reviewer to see
        yield Drawing(f"{caption}: cannot be drawn: {str(error).splitlines()[0]}", "")


def _overlay(comparison: Comparison, name: str) -> Iterator[Drawing]:
    old, new = comparison.old.tables.get(name, ()), comparison.new.tables.get(name, ())
    moved = [move for move in comparison.of(name, "table") if move.row]
    if not moved or not old or not new or old[0] != new[0]:
        return
    *labels, count = old[0]
    was, now = by_label(old, labels), by_label(new, labels)
    if not labels or _sum(was.values(), now.values(), count) is None:
        return
    rows = [(label, *(int(side.get(label, {}).get(count, 0)) for side in (was, now))) for label in {**now, **was}]
    if len(rows) > MOST_ROWS:
        return
    frame = pd.DataFrame(rows, columns=["label", "was", "now"])
    yield from _drawing(f"{name}, both: hollow from, filled to", charts.overlaid(frame, description=name))


def _input_rows(comparison: Comparison) -> Iterator[Block]:
    yield Heading(2, "Input rows that changed", "inputs")
    if comparison.unknown:
        files = ", ".join(comparison.unknown)
        yield Words(
            (f"These files of the edition differ; which rows, is not known, as not both editions are here: {files}.",)
        )
    elif not comparison.rows:
        yield Words(("None.",))
    if comparison.rows:
        rows = [
            (f"{row.table} {row.key}".strip(), row.column or "the row", *marked(row.old, row.new), row.what,
             comparison.about(row),
             ", ".join(name for name in comparison.exhibits if row in comparison.behind(name)) or "no exhibit that moved")
            for row in comparison.rows
        ]  # fmt: skip
        yield Grid(
            "Input rows that changed", ("row", "column", "from", "to", "what", "about the row", "behind"), tuple(rows)
        )


def _cells(cells: Sequence[Cell]) -> Iterator[Block]:
    yield Heading(2, "Cells", "cells")
    ran = sum(cell.state == "ran" for cell in cells)
    said = [cell for cell in cells if cell.said]
    seconds = sum(cell.seconds for cell in cells)
    yield Words(
        (
            f"{ran:,} of {plural(len(cells), 'cell')} ran, in {seconds:.1f} seconds of work; {len(said):,} said something unexpected.",
        )
    )
    quiet = [cell for cell in cells if cell.state == "ran" and not cell.said]
    odd = [cell for cell in cells if cell not in quiet]
    if odd:
        yield _cells_listed("Cells that failed, warned or did not run", odd)
    if quiet:
        told = f"{plural(len(quiet), 'cell')} that ran and said nothing, with seconds"
        yield Folded(told, _cells_listed("Cells that ran and said nothing", quiet))


def _cells_listed(caption: str, cells: Sequence[Cell]) -> Grid:
    rows = [
        (f"{cell.chapter} {cell.cell}", cell.state, f"{cell.seconds:.2f}", cell.said or "nothing") for cell in cells
    ]
    return Grid(caption, ("cell", "state", "seconds", "errors and warnings"), tuple(rows))


def _checks(checks: Sequence[Problem]) -> Iterator[Block]:
    yield Heading(2, "Checks of the edition", "checks")
    problems = [problem for problem in checks if not problem.warning]
    yield Words((f"{plural(len(problems), 'problem')}, {plural(len(checks) - len(problems), 'warning')}.",))
    if checks:
        yield Words(
            tuple(f"{'warning' if problem.warning else 'problem'}: {problem}" for problem in checks), listed=True
        )


def _origins(comparison: Comparison) -> Iterator[Block]:
    yield Heading(2, "Inputs, parameters and versions", "origins")
    files = [
        (path, what, "; ".join(comparison.commits.get(path, ())) or "not known")
        for path, what in comparison.files.items()
    ]
    old, new = comparison.old.origin.edition, comparison.new.origin.edition
    for path in sorted(old.keys() | new.keys()):
        if old.get(path) != new.get(path):
            what = "added" if path not in old else "gone" if path not in new else "changed"
            files.append(
                (f"edition: {path}", what, "; ".join(comparison.commits.get(f"edition: {path}", ())) or "not known")
            )
    if files:
        yield Grid("Files that differ", ("file", "what", "commits"), tuple(files))
    if comparison.settings:
        yield Grid("Parameters and versions that differ", ("name", "from", "to"), comparison.settings)
    if not files and not comparison.settings:
        yield Words(("The same files, parameters and versions.",))
    made = comparison.new.origin
    given = ", ".join(f"{name}={value}" for name, value in made.parameters.items()) or "none, all defaults"
    yield Words(
        (
            f"Parameters given: {given}. "
            + f"The edition has {plural(len(made.edition), 'file')}, the program {plural(len(made.program), 'file')}.",
        )
    )


# As HTML

STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --muted: #57606a; --line: #c8ced6; --paper: #ffffff; --mark: #0064a8;
 --land: #e3e6ea; --new: #fff3b0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --muted: #a9b1ba; --line: #4a525c; --paper: #131416;
 --mark: #6cb8f0; --land: #34393f; --new: #5a4a00; } }
:root { --chart-ink: var(--ink); --chart-muted: var(--muted); --chart-line: var(--line); --chart-paper: var(--paper);
 --chart-mark: var(--mark); --chart-land: var(--land); }
body { font: 1rem/1.5 system-ui, 'DejaVu Sans', sans-serif; color: var(--ink); background: var(--paper); margin: 0; }
main { max-width: 72rem; margin: 0 auto; padding: 1rem; }
h2 { border-top: 1px solid var(--line); padding-top: 1rem; margin-top: 2rem; }
h1, h2, h3, p, li, figcaption { overflow-wrap: anywhere; }
td, th { overflow-wrap: break-word; max-width: 24rem; }
p.verdict { font-size: 1.2rem; font-weight: bold; }
div.table { overflow-x: auto; margin: 1rem 0; }
div.table:focus-visible { outline: 2px solid var(--mark); }
table { border-collapse: collapse; font-size: 0.9rem; }
caption { text-align: left; color: var(--muted); padding-bottom: 0.3rem; }
th, td { border-bottom: 1px solid var(--line); padding: 0.25rem 1rem 0.25rem 0; text-align: left; vertical-align: top; min-width: 4rem; }
tbody th { font-weight: normal; }
mark { background: var(--new); color: var(--ink); font-weight: bold; text-decoration: underline; }
tr.moved td:last-child { font-weight: bold; }
@media (max-width: 40rem) {
 th, td { padding-right: 0.5rem; min-width: 3rem; }
 table.long, table.long :is(tbody, tr, th, td) { display: block; max-width: none; min-width: 0; }
 table.long caption { display: block; }
 table.long thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
 table.long tr { border-bottom: 1px solid var(--line); padding: 0.5rem 0; }
 table.long :is(th, td) { border: 0; padding: 0.1rem 0; overflow-wrap: anywhere; }
 table.long tbody th { font-weight: bold; }
 table.long :is(td:empty, tr:not(.moved) td[data-column$=", to"]) { display: none; }
 table.long td::before { content: attr(data-column) ": "; color: var(--muted); font-weight: normal; }
}
div.drawings { display: flex; flex-wrap: wrap; gap: 1.5rem; }
summary { cursor: pointer; }
summary:focus-visible { outline: 2px solid var(--mark); }
figure { margin: 0; max-width: 100%; }
figure svg { max-width: 100%; height: auto; }
figcaption { color: var(--muted); font-size: 0.9rem; }
"""


def as_html(review: Review) -> str:
    """The page as one HTML file that needs nothing else."""
    body = "\n".join(_html(block, number) for number, block in enumerate(blocks(review)))
    title = escape(f"{review.title}: {review.verdict.split('.')[0]}")
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
        f"<style>{STYLE}</style></head><body><main>\n{body}\n</main></body></html>\n"
    )


def _html(block: Block, number: int) -> str:
    if isinstance(block, Heading):
        anchor = f' id="{escape(block.anchor, quote=True)}"' if block.anchor else ""
        return f"<h{block.level}{anchor}>{escape(block.text)}</h{block.level}>"
    if isinstance(block, Words):
        if block.listed:
            return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in block.lines)}</ul>"
        weight = ' class="verdict"' if block.weighty else ""
        return "".join(f"<p{weight}>{escape(line)}</p>" for line in block.lines)
    if isinstance(block, Drawings):
        drawn = (_figure(each, f"{number}-{place}") for place, each in enumerate(block.drawings))
        return f'<div class="drawings">{"".join(drawn)}</div>'
    if isinstance(block, Folded):
        return f"<details><summary>{escape(block.summary)}</summary>{_html(block.grid, number)}</details>"
    # Roles are written out: a table that is shown as blocks is none to every browser.
    head = "".join(f'<th scope="col" role="columnheader">{escape(text)}</th>' for text in block.head)
    rows = "".join(_tr(row, block.head) for row in block.rows)
    caption = f'<caption id="table-{number}">{escape(block.caption)}</caption>'
    long = ' class="long"' if any(sum(map(_length, row)) > LONG for row in block.rows) else ""
    return (
        f'<div class="table" role="region" tabindex="0" aria-labelledby="table-{number}">'
        f'<table{long} role="table">{caption}<thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{rows}</tbody></table></div>'
    )


def _length(text: Text) -> int:
    return len(text) if isinstance(text, str) else sum(len(words) for words, _ in text.words)


def _tr(row: Sequence[Text], head: Sequence[str]) -> str:
    first, *rest = row
    moved = ' class="moved"' if head[-1] == "what" and row[-1] != UNMOVED else ""
    cells = "".join(
        f'<td role="cell" data-column="{escape(column, quote=True)}">{_inline(cell)}</td>'
        for column, cell in zip(head[1:], rest, strict=True)
    )
    return f'<tr{moved} role="row"><th scope="row" role="rowheader">{_inline(first)}</th>{cells}</tr>'


def _inline(text: Text) -> str:
    if isinstance(text, str):
        return escape(text)
    return "".join(f"<mark>{escape(words)}</mark>" if new else escape(words) for words, new in text.words)


def _figure(drawing: Drawing, ident: str) -> str:
    """A drawing as one image, its inner names its own: several stand on one page."""
    svg = followed(silent(drawing.svg))
    svg = re.sub(r'\bid="([^"]+)"', rf'id="d{ident}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#d{ident}-\1)", svg)
    svg = svg.replace('xlink:href="#', f'xlink:href="#d{ident}-')
    image = f'<div role="img" aria-labelledby="drawing-{ident}">{svg}</div>' if svg else ""
    return f'<figure>{image}<figcaption id="drawing-{ident}">{escape(drawing.caption)}</figcaption></figure>'


# As Markdown


def as_markdown(review: Review) -> str:
    """The same for the summary of a pull request, without drawings."""
    return "\n\n".join(filter(None, map(_markdown, blocks(review)))) + "\n"


def plain(text: str) -> str:
    """Text that Markdown shows as typed.

    Examples
    --------
    >>> print(plain("a|b <i>*c*</i> @d"))
    a\\|b &lt;i&gt;\\*c\\*&lt;/i&gt; \\@d
    """
    text = re.sub(r"([\\`*_{}\[\]|~@$#!])", r"\\\1", text).replace("://", ":\\//")
    return " ".join(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").split())


def _markdown(block: Block) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {plain(block.text)}"
    if isinstance(block, Words):
        mark = "**" if block.weighty else ""
        return "\n".join(f"{'- ' if block.listed else ''}{mark}{plain(line)}{mark}" for line in block.lines)
    if isinstance(block, (Drawings, Folded)):
        return ""
    shown = block.rows[:MOST_IN_MARKDOWN]
    rows = [map(plain, block.head), ("---",) * len(block.head), *(map(_cell, row) for row in shown)]
    more = len(block.rows) - len(shown)
    lines = [f"| {' | '.join(row)} |" for row in rows]
    rest = ["", f"And {plural(more, 'row')} more, on the page."] if more else []
    return "\n".join([f"{plain(block.caption)}:", "", *lines, *rest])


def _cell(text: Text) -> str:
    """A text with its marked words in bold.

    Examples
    --------
    >>> print(_cell(Marked((("it", False), (" brought ", True), ("the war", False)))))
    it **brought** the war
    >>> print(_cell(Marked((("families", False), (",", True), (" and", False)))))
    familie&#115;**,** and
    """
    if isinstance(text, str):
        return plain(text)
    pieces: list[tuple[str, bool]] = []
    for words, new in text.words:  # what stands in bold begins and ends with a word; spaces stand beside it
        spaces = (words[:1].isspace(), words[-1:].isspace())
        pieces += [(" " * spaces[0], False), (plain(words), new and not words.isspace()), (" " * spaces[1], False)]
    runs = [
        ("".join(piece for piece, _ in each), new)
        for new, each in groupby(filter(itemgetter(0), pieces), key=itemgetter(1))
    ]
    for place, (bold, new) in enumerate(runs):
        if new:
            before, after = (runs[n][0] if 0 <= n < len(runs) else "" for n in (place - 1, place + 1))
            if not bold[0].isalnum() and _in_a_word(before[-1:]):
                runs[place - 1] = (before[:-1] + _reference(before[-1]), False)
            if not bold[-1].isalnum() and _in_a_word(after[:1]):
                runs[place + 1] = (_reference(after[0]) + after[1:], False)
    return " ".join("".join(f"**{run}**" if new else run for run, new in runs).split())


def _in_a_word(beside: str) -> bool:
    """Whether stars between this and a mark of punctuation would be taken for stars: CommonMark wants a space or punctuation beside."""
    return bool(beside) and not beside.isspace() and beside not in punctuation


def _reference(character: str) -> str:
    """The character shown as itself, and written as punctuation."""
    return f"&#{ord(character)};"


__all__ = ["Review", "as_html", "as_markdown", "verdict"]
