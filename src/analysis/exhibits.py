"""Exhibits: what a chapter shows as a result of the report. JSON that the book draws, a table and a chart in a notebook.

Where an edition suppresses small cells, an exhibit shows only tables that were counted so, and nothing else of people
is displayed (`open_edition`).
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
"""Before the MIME type of a glued text: it is pasted elsewhere, and not shown where it is made."""

COUNTED = ("interviewees.counted",)
"""Where somebody's evidence begins, of whom nothing is stated that an exhibit counts."""

DECLARED = ("report", "report", "declared_interviewees")
"""The value behind every count that adds up to it."""

HIDDEN = ("state", "who")
"""Columns of a completed table that stay out of its CSV: how its rows are drawn, and who is behind them."""


PRIVATE: tuple[type | str, ...] = (
    pd.DataFrame, pd.Series, pd.Index, nw.DataFrame, nw.LazyFrame, nw.Series, alt.TopLevelMixin,
    "pandas.io.formats.style.Styler",
)  # fmt: skip
"""What may show people one by one, so that it is not displayed where small cells are suppressed; by name, not imported."""


@dataclass(frozen=True)
class Link:
    """A word that leads somewhere: to an anchor of the book (``#name``), or to an address."""

    text: str
    href: str = ""


def open_edition(edition: str, minimum_cell: int = 0) -> Edition:
    """An edition for a chapter: read, checked; people are not displayed where small cells are suppressed.

    Parameters
    ----------
    edition : str
        A name under ``data/``, or the path of an edition's folder.
    minimum_cell : int
        The fewest people that a published count may stand for; 0 for what the edition says, else no less than that.
    """
    book = editions.open_edition(edition, minimum_cell)
    if book.minimum_cell > 1:
        _display_no_people(book)
    return book


def _display_no_people(book: Edition) -> None:
    """Have frames and charts displayed as a line of text, by themselves and within lists, whatever formats they offer."""
    shell: Any = get_ipython()
    text = f"not displayed: {promise(book.minimum_cell)} Count with count_by() and complete(), show with exhibit()."

    def whole(shown: object) -> None:
        if isinstance(shown, pd.DataFrame) and is_safe(shown, book.minimum_cell):
            display({"text/html": shown.to_html(), "text/plain": shown.to_string()}, raw=True)
        else:
            display({"text/plain": text}, raw=True)

    def within(_: object, printer: Any, cycle: bool) -> None:
        printer.text(text)

    if shell is not None:
        for kind in PRIVATE:
            shell.display_formatter.ipython_display_formatter.for_type(kind, whole)
            shell.display_formatter.formatters["text/plain"].for_type(kind, within)


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
        Whose result it is.
    name : str
        Names the exhibit in the book, in ``tables/<name>.csv`` and in ``charts/<name>.vl.json``.
    table : DataFrame
        What its CSV holds, without the columns ``state`` and ``who``.
    chart : Altair chart, optional
        How it is drawn.
    caption, finding : str
        What is counted, of whom, when; and what comes out, in a sentence or two.
    notes : sequence of str
        What a reader must know.
    rests_on : sequence of str
        The coded columns behind it, as ``"legs.mode"``: for links to the evidence and back.
    source : str
        Where the rows come from; by default the edition's source.
    key : str
        The column that names one person, statement or figure a row, and leads to its evidence. A table of people one
        by one is withheld where small cells are suppressed.
    status : str
        Of the legs behind it only those ``made`` or ``intended``; blank for all.
    view : DataFrame, optional
        The table as the page shows it, where that differs; cells may be `Link` or lists of such. Its columns ``state`` and
        ``who``, if any, are those of ``complete``, and not shown.
    anchors : sequence of str
        For each row of the view the name, or names, by which links lead to it.
    backlinks : str
        The heading of a column, filled by the book, with links to the exhibits that rest on a row.
    absent : str or bool
        Why the edition can't have it, if it can't, or True where the finding says so. A chapter of which all exhibits
        are absent is left out of the book. A table that an edition lacks is found by ``rests_on``.
    layout : str
        ``"cards"`` for a card a row of the view, ``"numbers"`` for its first cell set large, ``"lines"`` for a list to
        read: whom or when, what, and quietly the rest. A table otherwise.
    group : str
        A column of the view: its rows are put under each of its values, folded but for lines.
    folded : bool
        Whether the table opens with a click, as that of an exhibit with a chart does.

    Raises
    ------
    InputError
        Where small cells are suppressed, for a table or a chart that was not counted with ``complete``.
    """
    columns = {tuple(each.split(".", 1)) for each in rests_on}
    if NOT_DESCRIBED in set(table.get("state", ())):
        columns.add(DECLARED[1:])
    reason = _lacking(book, name, table, {each for each, _ in columns}) or absent
    withheld = "" if reason else _withheld(book, table, key)
    if (isinstance(reason, str) and reason) or withheld:
        caption = "Not in this edition." if reason else "Not in this book."
        table, chart, view, notes, finding = pd.DataFrame(), None, None, (), str(reason or withheld)
    else:
        _refuse_unsafe(book, name, table, view)
    plain = table.drop(columns=[each for each in HIDDEN if each in table])
    keys = set(plain[key]) if key and len(plain) else {each for who in table.get("who", ()) for each in who}
    shown = _with_links(book, table if view is None else view, key, rests_on, status)
    notes = [*notes, *([_apart(book)] if NOT_SHOWN in set(table.get("state", ())) else [])]
    heard = f"{caption} {finding}{f' {spelled_out(table)}' if 'state' in table and len(table.columns) == 4 else ''}"
    emit({
        "id": name, "caption": caption, "finding": finding, "source": source or book.source, "notes": notes,
        "columns": list(map(str, plain.columns)), "rows": list(map(_cells, plain.itertuples(index=False))),
        "view": {"columns": list(map(str, shown.columns)), "rows": list(map(_cells, shown.itertuples(index=False)))},
        "anchors": [[each] if isinstance(each, str) else list(each) for each in anchors] if not (reason or withheld) else [], "backlinks": backlinks,
        "cites": list(_cited(book, columns, keys, status)), "absent": bool(reason),
        "layout": layout, "group": group, "folded": folded or chart is not None or "state" in table,
        "chart": None if chart is None else _drawn(book, name, chart) | {"description": heard.strip()},
    }, plain)  # fmt: skip
    glue(name, finding)


def emit(content: Mapping[str, Any], plain: pd.DataFrame) -> None:
    """Display an exhibit as JSON for the book, and as chart and table for notebooks."""
    bundle: dict[str, Any] = {EXHIBIT: dict(content), "text/plain": f"{content['caption']} {content['finding']}"}
    if content["chart"]:
        bundle[VEGALITE] = content["chart"]
    show(bundle)
    texts = [content["caption"], content["finding"], *content["notes"], content["source"]]
    show({LAB_ONLY: {}, "text/markdown": "\n\n".join(texts), "text/html": plain.to_html(index=False), "text/plain": ""})


def glue(name: str, text: str) -> None:
    """Offer a text under a name that prose pastes by ``{glue:text}``, also that of other chapters.

    The output that ``myst_nb.glue(name, text, display=False)`` makes, without loading Sphinx into every kernel.
    """
    show({f"{GLUED}text/plain": text}, scrapbook={"name": name, "mime_prefix": GLUED})


def show(data: Mapping[str, Any], **metadata: Any) -> None:
    """Display data by MIME type, and the inputs read so far, so that it is made anew when these change."""
    display(dict(data), raw=True, metadata={**metadata, "rests-on": sorted(editions.DEPENDENCIES)})


def _withheld(book: Edition, table: pd.DataFrame, key: str) -> str:
    if key in ("interviewee", "place") or (key and table.attrs.get("people")):
        if book.minimum_cell > 1:
            return promise(book.minimum_cell)
        if too_many(book):
            return f"More than {LISTED_UP_TO:,} people are too many to list one by one; the counts hold them all."
    return str(table.attrs.get("withheld", ""))


def _lacking(book: Edition, exhibit: str, table: pd.DataFrame, names: Iterable[str]) -> str:
    """Which table or column of its own an edition would need for an exhibit, and has not; blank where it has all."""
    lacking = sorted(name for name in names if name != "report" and not book.has(name))
    if unknown := [name for name in lacking if name not in TABLES]:
        hint = nearest(unknown[0], TABLES)
        raise InputError.one(f"exhibit {exhibit}", f"rests_on {unknown[0]!r}", f"one of {', '.join(TABLES)}", hint)
    kind, lacking = ("table", lacking) if lacking else ("column", table.attrs.get("lacking", []))
    return f"This edition has no {kind} {join(lacking)}, so there is nothing to count." if lacking else ""


def _refuse_unsafe(book: Edition, name: str, table: pd.DataFrame, view: pd.DataFrame | None) -> None:
    """Where small cells are suppressed, refuse a table that was not counted so."""
    seen = [table] if view is None or is_safe(table, NOBODY) else [table, view]
    if not all(is_safe(each, book.minimum_cell) for each in seen):
        raise _unsafe(book, name, "a table shown")


def _unsafe(book: Edition, name: str, what: str) -> InputError:
    needed = f"counts of which no cell is below {book.minimum_cell:,} people, as this edition promises"
    found = f"{what} that was not counted with complete()"
    return InputError.one(f"exhibit {name}", found, needed, "count with count_by() and complete()")


def _drawn(book: Edition, name: str, chart: Any) -> dict[str, Any]:
    """A chart as Vega-Lite; where small cells are suppressed, data that were not counted so are refused."""
    if book.minimum_cell <= 1:
        spec: dict[str, Any] = chart.to_dict()
        return spec
    counted: list[Any] = []
    with alt.data_transformers.enable("counted", minimum=book.minimum_cell, counted=counted):
        spec = chart.to_dict()
    if any(data not in counted for data in (*spec.get("datasets", {}).values(), *_inline(spec))):
        raise _unsafe(book, name, "a table drawn")
    return spec


def _inline(spec: Any) -> Iterator[Any]:
    """The data that stand within a chart, not in its list of datasets."""
    if isinstance(spec, dict):
        data = spec.get("data")
        if isinstance(data, dict) and "values" in data:
            yield data["values"]
        spec = [each for name, each in spec.items() if name != "datasets"]
    for each in spec if isinstance(spec, list) else ():
        yield from _inline(each)


def _note_counted(data: Any, minimum: int, counted: list[Any]) -> dict[str, Any]:
    """Hand a chart its data, and note those in which no cell is too small; shapes of countries hold no people."""
    made: dict[str, Any] = dict(alt.to_values(data))
    if is_safe(data, minimum) if isinstance(data, pd.DataFrame) else hasattr(data, "__geo_interface__"):
        counted.append(made["values"])
    return made


alt.data_transformers.register("counted", _note_counted)


def _apart(book: Edition) -> str:
    return (
        f"This edition publishes no cell of fewer than {book.minimum_cell:,} people. “{NOT_SHOWN.capitalize()}” are "
        "those of smaller rows, with as many larger rows as keep them hidden."
    )


def proof(book: Edition, key: str, rests_on: Sequence[str], status: str = "") -> Link:
    """A key that leads to the first evidence of a column that an exhibit rests on, of legs of a status, or to the row's own."""
    wanted = [tuple(each.split(".", 1)) for each in rests_on]
    tables, places = [name for name, _ in wanted[:1]], _places(book, status)
    for name, column in [*wanted, *((table, "") for table in tables), ("interviewees", "")]:
        for place in places:
            if place[0] == name and (place[1] == key or place[1].startswith(f"{key}.")) and column in ("", place[2]):
                return Link(key, f"#{anchor(*place)}")
    return Link(key)


def _places(book: Edition, status: str) -> list[tuple[str, str, str]]:
    """What has evidence, in the table's order; of legs only those of a status, blank for all."""
    legs = (
        {f"{row['interviewee']}.{row['leg']}" for row in book.rows("legs") if row["status"] == status} if status else ()
    )
    return [place for place in book.evidence if not status or place[0] != "legs" or place[1] in legs]


def _with_links(book: Edition, table: pd.DataFrame, key: str, rests_on: Sequence[str], status: str) -> pd.DataFrame:
    """The view of a table: keys lead to their evidence, counts to the rows behind them, and where nothing is stated to the people."""
    view = table.drop(columns=[each for each in HIDDEN if each in table]).astype("object")
    if key and key in view:
        keys: Any = [[proof(book, each, rests_on)] if isinstance(each, str) else each for each in view[key]]
        view[key] = keys
    if {"who", "state"} <= {*table.columns} and any(map(len, table["who"])):
        whole = [Link("why so many?", f"#{anchor(*DECLARED)}")] if DECLARED in book.evidence else []
        behind: Any = [
            whole
            if state == NOT_DESCRIBED and n
            else [proof(book, each, COUNTED if state == NOT_STATED else rests_on, status) for each in who]
            for n, who, state in zip(table.iloc[:, -3], table["who"], table["state"], strict=True)
        ]
        view["who"] = behind
    return view


def _cited(book: Edition, columns: set[tuple[str, ...]], keys: set[str], status: str) -> Iterator[str]:
    """The rows of evidence behind an exhibit: of its columns, for the people or rows that it shows."""
    if not keys or book.minimum_cell > 1:
        return
    for table, key, column in _places(book, status):
        if (table, column) in columns and (table == "report" or {key, key.rpartition(".")[0]} & keys):
            yield anchor(table, key, column)


def _cells(row: Sequence[Any]) -> list[Any]:
    return [_cell(each) for each in row]


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
