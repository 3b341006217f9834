"""Exhibits: the results that chapters show, as JSON for the book and as table and chart for a notebook.

Where an edition suppresses small cells, exhibits show only tables marked as safe, by `complete` or as holding no people;
other frames, and charts outside of exhibits, are not displayed (`open_edition`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import narwhals as nw
import pandas as pd
from IPython.core.getipython import get_ipython
from IPython.display import display

from analysis import editions
from analysis.counts import LISTED_UP_TO, too_many
from analysis.disclosure import NOBODY, NOT_DESCRIBED, NOT_SHOWN, NOT_STATED, is_safe, promise
from analysis.editions import Edition
from analysis.schema import TABLES
from analysis.sentences import spelled_out
from analysis.text import anchor, as_text, join
from parabook.errors import InputError, nearest
from parabook.protocol import EXHIBIT, LAB_ONLY, VEGALITE

GLUED = "application/papermill.record/"
"""Prefix of the MIME type of a glued text, which is pasted elsewhere and not shown where it is made."""

COUNTED = ("interviewees.counted",)
"""Where links lead for people of whom nothing is stated: the evidence that they are counted."""

DECLARED = ("report", "report", "declared_interviewees")
"""The coded value that the tables add up to."""

HIDDEN = ("state", "who")
"""Columns of a completed table that stay out of its CSV: how its rows are drawn, and who is behind them."""

PRIVATE: tuple[type | str, ...] = (
    pd.DataFrame, pd.Series, pd.Index, nw.DataFrame, nw.LazyFrame, nw.Series, alt.TopLevelMixin,
    "pandas.io.formats.style.Styler",
)  # fmt: skip
"""Types that may show people one by one, so not displayed where small cells are suppressed; Styler by name, so that it
need not be imported."""


@dataclass(frozen=True)
class Link:
    """A word that leads somewhere: to an anchor of the book (``#name``), or to an address."""

    text: str
    href: str = ""


def open_edition(edition: str, minimum_cell: int = 0) -> Edition:
    """Open an edition for a chapter, read and checked; where small cells are suppressed, no people are displayed.

    Parameters
    ----------
    edition : str
        A name under ``data/``, or the path of an edition's folder.
    minimum_cell : int
        The fewest people that a published count may stand for: 0 for the edition's own number, or one no less than it.
    """
    book = editions.open_edition(edition, minimum_cell)
    if book.minimum_cell > 1:
        _display_no_people(book)
    return book


def _display_no_people(book: Edition) -> None:
    """Have IPython show a line of text for charts and for frames not marked as safe; within lists, for all of them."""
    shell: Any = get_ipython()
    text = f"not displayed: {promise(book.minimum_cell)} Count with count_by() and complete(), show with exhibit()."

    def display_if_safe(shown: object) -> None:
        if isinstance(shown, pd.DataFrame) and is_safe(shown, book.minimum_cell):
            display({"text/html": shown.to_html(), "text/plain": shown.to_string()}, raw=True)
        else:
            display({"text/plain": text}, raw=True)

    def print_in_list(_: object, printer: Any, cycle: bool) -> None:
        printer.text(text)

    if shell is not None:
        for kind in PRIVATE:
            shell.display_formatter.ipython_display_formatter.for_type(kind, display_if_safe)
            shell.display_formatter.formatters["text/plain"].for_type(kind, print_in_list)


def exhibit(
    book: Edition,
    name: str,
    table: pd.DataFrame,
    chart: Any = None,
    *,
    caption: str,
    finding: str = "",
    notes: Sequence[str] = (),
    rests_on: Sequence[str] = (),
    source: str = "",
    key: str = "",
    status: str = "",
    view: pd.DataFrame | None = None,
    anchors: Sequence[str | Sequence[str]] = (),
    backlinks: str = "",
    absent: str | bool = "",
    layout: str = "",
    group: str = "",
    folded: bool = False,
) -> None:
    """Show a result of the report: numbered, captioned, with table, chart, downloads and links to the evidence.

    Parameters
    ----------
    book : Edition
        The edition that it is a result of.
    name : str
        Its name in the book, in ``tables/<name>.csv`` and in ``charts/<name>.vl.json``.
    table : DataFrame
        The table of its CSV, where the columns ``state`` and ``who`` are left out.
    chart : Altair chart, optional
        The drawing of it.
    caption, finding : str
        What is counted, of whom, when; and the result, in a sentence or two.
    notes : sequence of str
        What a reader must know.
    rests_on : sequence of str
        The coded columns behind it, as ``"legs.mode"``: for links to the evidence and back.
    source : str
        Where the rows come from; by default the edition's source.
    key : str
        The column that identifies one person, statement or figure a row; its cells link to the evidence. A table of
        people one by one is withheld where small cells are suppressed.
    status : str
        ``"made"`` or ``"intended"`` if it rests on such legs alone; blank for all.
    view : DataFrame, optional
        The table as the page shows it, where that differs; cells may be `Link` or lists of links. The columns ``state``
        and ``who`` of ``complete`` are not shown.
    anchors : sequence of str
        For each row of the view the name, or names, by which links lead to it.
    backlinks : str
        The heading of a column that the book fills with links to the exhibits that rest on a row.
    absent : str or bool
        The reason why the edition cannot have it, if it cannot; True if the finding gives it. A chapter of which all
        exhibits are absent is left out of the book. Tables that the edition lacks are known from ``rests_on``.
    layout : str
        ``"cards"`` for a card for each row of the view, ``"numbers"`` for its first cell set large, ``"lines"`` for a
        list to read: whom or when, what, and quietly the rest. Otherwise a table.
    group : str
        A column of the view, by whose values the rows are grouped; the groups are folded, except in ``"lines"``.
    folded : bool
        Whether the table opens with a click, as the table of an exhibit with a chart does.

    Raises
    ------
    InputError
        Where small cells are suppressed, for a table or a chart that neither ``complete`` nor ``no_people`` marked as safe.
    """
    columns = {tuple(each.split(".", 1)) for each in rests_on}
    if NOT_DESCRIBED in set(table.get("state", ())):
        columns.add(DECLARED[1:])
    reason = _lacking(book, name, table, {each for each, _ in columns}) or absent
    withheld = "" if reason else _withheld(book, table, key)
    seen = [table] if view is None or is_safe(table, NOBODY) else [table, view]
    if withheld or (reason and isinstance(reason, str)):
        caption = "Not in this edition." if reason else "Not in this book."
        table, chart, view, notes, finding = pd.DataFrame(), None, None, (), str(reason or withheld)
    elif not all(is_safe(each, book.minimum_cell) for each in seen):
        raise _unsafe(book, name, "a table shown")
    plain = table.drop(columns=[each for each in HIDDEN if each in table])
    keys = set(plain[key]) if key and len(plain) else {each for who in table.get("who", ()) for each in who}
    shown = _with_links(book, table if view is None else view, key, rests_on, status)
    if reason or withheld:
        anchors = ()
    if NOT_SHOWN in set(table.get("state", ())):
        notes = [*notes, _apart(book)]
    counts = spelled_out(table) if "state" in table and len(table.columns) == 4 else ""
    description = f"{caption} {finding} {counts}"
    content = {
        "id": name, "caption": caption, "finding": finding, "source": source or book.source, "notes": list(notes),
        **_as_json(plain), "view": _as_json(shown),
        "anchors": [[each] if isinstance(each, str) else list(each) for each in anchors], "backlinks": backlinks,
        "cites": list(_cited(book, columns, keys, status)), "absent": bool(reason),
        "layout": layout, "group": group, "folded": folded or chart is not None or "state" in table,
        "chart": None if chart is None else _drawn(book, name, chart) | {"description": description.strip()},
    }  # fmt: skip
    bundle = {EXHIBIT: content, "text/plain": f"{caption} {finding}"}
    show(bundle | ({VEGALITE: content["chart"]} if content["chart"] else {}))
    texts = "\n\n".join([caption, finding, *notes, source or book.source])
    show({LAB_ONLY: {}, "text/markdown": texts, "text/html": plain.to_html(index=False), "text/plain": ""})
    glue(name, finding)


def glue(name: str, text: str) -> None:
    """Give a text a name by which the prose of any chapter pastes it: ``{glue:text}``.

    Makes the output of ``myst_nb.glue(name, text, display=False)``, without loading Sphinx into every kernel.
    """
    show({f"{GLUED}text/plain": text}, scrapbook={"name": name, "mime_prefix": GLUED})


def show(data: Mapping[str, Any], **metadata: Any) -> None:
    """Display data by MIME type, with the inputs read so far, so that the chapter runs again when these change."""
    display(dict(data), raw=True, metadata={**metadata, "rests-on": sorted(editions.DEPENDENCIES)})


def _withheld(book: Edition, table: pd.DataFrame, key: str) -> str:
    """Why a table is not shown: it lists people one by one, or is withheld; blank if it can be shown."""
    if key in ("interviewee", "place"):
        if book.minimum_cell > 1:
            return promise(book.minimum_cell)
        if too_many(book):
            return f"More than {LISTED_UP_TO:,} people are too many to list one by one; the counts hold them all."
    return str(table.attrs.get("withheld", ""))


def _lacking(book: Edition, exhibit: str, table: pd.DataFrame, names: Iterable[str]) -> str:
    """That the edition lacks a table or a column which an exhibit needs, as a sentence; blank if it has all."""
    lacking = sorted(name for name in names if name != "report" and not book.has(name))
    if unknown := [name for name in lacking if name not in TABLES]:
        hint = nearest(unknown[0], TABLES)
        raise InputError.one(f"exhibit {exhibit}", f"rests_on {unknown[0]!r}", f"one of {', '.join(TABLES)}", hint)
    kind, lacking = ("table", lacking) if lacking else ("column", table.attrs.get("lacking", []))
    return f"This edition has no {kind} {join(lacking)}, so there is nothing to count." if lacking else ""


def _unsafe(book: Edition, name: str, what: str) -> InputError:
    needed = f"counts of which no cell is below {book.minimum_cell:,} people, as this edition promises"
    found = f"{what} that was not counted with complete()"
    return InputError.one(f"exhibit {name}", found, needed, "count with count_by() and complete()")


def _drawn(book: Edition, name: str, chart: Any) -> dict[str, Any]:
    """A chart as Vega-Lite; where small cells are suppressed, refused if it holds data not marked as safe."""
    if book.minimum_cell <= 1:
        return dict(chart.to_dict())
    counted: list[Any] = []
    with alt.data_transformers.enable("counted", minimum=book.minimum_cell, counted=counted):
        spec = dict(chart.to_dict())
    if any(data not in counted for data in (*spec.get("datasets", {}).values(), *_inline(spec))):
        raise _unsafe(book, name, "a table drawn")
    return spec


def _inline(spec: Any) -> Iterator[Any]:
    """The data values that stand inside a Vega-Lite specification, not in its list of datasets."""
    if isinstance(spec, dict):
        data = spec.get("data")
        if isinstance(data, dict) and "values" in data:
            yield data["values"]
        spec = [each for name, each in spec.items() if name != "datasets"]
    for each in spec if isinstance(spec, list) else ():
        yield from _inline(each)


def _collect_counted(data: Any, minimum: int, counted: list[Any]) -> dict[str, Any]:
    """An Altair data transformer that adds data without small cells to ``counted``; shapes of countries have none."""
    made: dict[str, Any] = dict(alt.to_values(data))
    if is_safe(data, minimum) if isinstance(data, pd.DataFrame) else hasattr(data, "__geo_interface__"):
        counted.append(made["values"])
    return made


alt.data_transformers.register("counted", _collect_counted)


def _apart(book: Edition) -> str:
    return (
        f"This edition publishes no cell of fewer than {book.minimum_cell:,} people. “{NOT_SHOWN.capitalize()}” are "
        "those of smaller rows, with as many larger rows as keep them hidden."
    )


def proof(book: Edition, key: str, rests_on: Sequence[str], status: str = "") -> Link:
    """A key as a link to its first evidence: for a column of ``rests_on``, else for any of its first table, else the person.

    Of legs only those of a ``status``, blank for all.
    """
    wanted = [tuple(each.split(".", 1)) for each in rests_on]
    wanted += [(table, "") for table, _ in wanted[:1]] + [("interviewees", "")]
    places = [place for place in _places(book, status) if place[1] == key or place[1].startswith(f"{key}.")]
    for table, column in wanted:
        for place in places:
            if place[0] == table and column in ("", place[2]):
                return Link(key, f"#{anchor(*place)}")
    return Link(key)


def _places(book: Edition, status: str) -> list[tuple[str, str, str]]:
    """The table, key and column of each value with evidence; of legs only those of a status, if it is not blank."""
    if not status:
        return list(book.evidence)
    legs = {f"{row['interviewee']}.{row['leg']}" for row in book.rows("legs") if row["status"] == status}
    return [place for place in book.evidence if place[0] != "legs" or place[1] in legs]


def _with_links(book: Edition, table: pd.DataFrame, key: str, rests_on: Sequence[str], status: str) -> pd.DataFrame:
    """The view of a table: keys link to their evidence, counts to the people behind them or to the declared number."""
    view = table.drop(columns=[each for each in HIDDEN if each in table]).astype("object")
    if key and key in view:
        linked: Any = [[proof(book, each, rests_on)] if isinstance(each, str) else each for each in view[key]]
        view[key] = linked
    if {"who", "state"} <= {*table.columns} and any(map(len, table["who"])):
        behind: Any = []
        for n, who, state in zip(table.iloc[:, -3], table["who"], table["state"], strict=True):
            links = [proof(book, each, COUNTED if state == NOT_STATED else rests_on, status) for each in who]
            if state == NOT_DESCRIBED and n and DECLARED in book.evidence:
                links = [Link("why so many?", f"#{anchor(*DECLARED)}")]
            behind.append(links)
        view["who"] = behind
    return view


def _cited(book: Edition, columns: set[tuple[str, ...]], keys: set[str], status: str) -> Iterator[str]:
    """The rows of evidence behind an exhibit: of its columns, for the people or rows that it shows."""
    if not keys or book.minimum_cell > 1:
        return
    for table, key, column in _places(book, status):
        if (table, column) in columns and (table == "report" or {key, key.rpartition(".")[0]} & keys):
            yield anchor(table, key, column)


def _as_json(table: pd.DataFrame) -> dict[str, Any]:
    rows = [[_cell(each) for each in row] for row in table.itertuples(index=False)]
    return {"columns": list(map(str, table.columns)), "rows": rows}


def _cell(cell: Any) -> Any:
    """A cell as plain JSON: text, a number, or links."""
    if isinstance(cell, Link):
        cell = [cell]
    if isinstance(cell, list):
        return [{"text": each.text, "href": each.href} for each in cell]
    if isinstance(cell, str):
        return cell
    if pd.isna(cell):
        return ""
    cell = cell.item() if hasattr(cell, "item") else cell
    return as_text(cell) if isinstance(cell, bool) else cell
