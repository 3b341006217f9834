"""What moved between two sets of results, and because of what. Pure: two `Results` in, moves out.

Everything is compared exactly, as text: a number that is written otherwise has moved.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from analysis.prose import plural
from analysis.schema import TABLES, schema
from analysis.tabulate import listed
from analysis.trail import SHOWN_IN
from parabook.review.results import WORDS, Results, Table, row_hash

KEYS = tuple(dict.fromkeys(schema(name).key[0] for name in TABLES if len(schema(name).key) == 1))
"""Columns that name a row by themselves, in whatever table they stand."""

ALSO: Mapping[str, tuple[str, ...]] = {"one-by-one": ("legs.to_place", "legs.from_place", "legs.status")}
"""Columns that an exhibit rests on besides those that `SHOWN_IN` links it with."""

LINK = re.compile(r"([^\s,()][^,()]*) \(([^()]*)\)")
"""A link as `Results` spells it: its text, and where it leads."""

BEHIND = "rows behind it"
"""The column in which a page names the interviewees behind a count."""

TELLING: Mapping[str, tuple[str, ...]] = {
    "interviewees": ("counted",),
    "legs": ("status",),
    "places": ("name",),
    "destinations": ("measure",),
    "statements": ("topic", "quantifier"),
    "evidence": ("paragraph", "basis"),
}
"""Columns of an input row that help to judge a change of another one."""

QUOTES = ("people-not-counted",)
"""Exhibits that show words of an evidence row, besides those of the chapter on evidence."""

FROM_EVIDENCE = {"words of the source": "exact", "paragraph": "paragraph", "basis": "basis", "rule or reason": "note"}
"""Columns of the exhibits ``evidence-…``, and those of table ``evidence`` that they show."""

MACHINERY = ("src/analysis/book/", "src/analysis/new/", "src/analysis/review/", "src/analysis/cli.py")
"""Where the code lies that runs chapters and tells of them."""

FROM_THE_PROGRAM = ("rules", "parameters")
"""Exhibits that no row of an edition moves."""


@dataclass(frozen=True)
class Move:
    """One thing that is not as it was.

    Attributes
    ----------
    part : str
        ``table``, ``page`` (the table as its page shows it), ``chart``, ``words`` (caption, finding, notes,
        source), ``sentence``, ``output`` or ``exhibit``.
    of : str
        The exhibit; of a sentence its chapter and name.
    row, column : str
        The row by its labels, and the column; of a chart the JSON path.
    old, new : str
        From what to what; blank where it was not there or is gone.
    what : str
        ``changed``, ``added``, ``gone``, ``renamed``, ``in another order``.
    """

    part: str
    of: str
    row: str
    column: str
    old: str
    new: str
    what: str = "changed"

    @property
    def by(self) -> str:
        """By how much a number moved, exactly; blank for text.

        Examples
        --------
        >>> Move("table", "x", "18–24", "interviewees", "4", "6").by
        '+2'
        """
        return difference(self.old, self.new)

    def __str__(self) -> str:
        where = ", ".join(filter(None, [self.row, self.column]))
        return f"{self.part} {self.of}{f': {where}' if where else ''}: {change(self.old, self.new, self.what)}"


@dataclass(frozen=True)
class RowMove:
    """A value of an input row that changed; a row added or gone, with blank ``column``."""

    table: str
    key: str
    column: str
    old: str
    new: str
    what: str = "changed"

    def __str__(self) -> str:
        where = " ".join(filter(None, [self.table, self.key, self.column]))
        return f"{where}: {change(self.old, self.new, self.what)}"


NOT_COMMITTED = "not committed"
"""Among the commits of a file: it was changed since."""


@dataclass(frozen=True)
class Comparison:
    """Two sets of results, what moved, and in what their origins differ.

    ``files`` are those of the program that differ, by path: ``changed``, ``added`` or ``gone``;
    ``settings`` are versions and parameters, from what to what. ``commits`` are told by whoever can ask.
    """

    old: Results
    new: Results
    moves: tuple[Move, ...]
    rows: tuple[RowMove, ...]
    unknown: tuple[str, ...] = ()
    """Files of the edition that differ, where the rows in them are not known."""
    files: Mapping[str, str] = field(default_factory=dict)
    settings: tuple[tuple[str, str, str], ...] = ()
    commits: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def exhibits(self) -> list[str]:
        """The exhibits that moved, in the order of the results."""
        moved = {move.of for move in self.moves if move.part not in ("sentence", "output")}
        return [name for name in {**self.new.words, **self.old.words} if name in moved]

    def of(self, name: str, *parts: str) -> list[Move]:
        """The moves of an exhibit, of some parts of it."""
        return [move for move in self.moves if move.of == name and (not parts or move.part in parts)]

    @property
    def program(self) -> dict[str, str]:
        """The files of the program that can have moved a result: not the machinery, unless nothing else differs at all.

        No chapter imports the machinery (``tests/test_house.py``); it only gives them their parameters.
        """
        counts = {path: what for path, what in self.files.items() if not path.startswith(MACHINERY)}
        return counts or ({} if self.rows or self.unknown else dict(self.files))

    def named(self, key: str) -> str:
        """An interviewee's key; of one who is not counted it says so, as far as rows are known.

        Examples
        --------
        >>> from parabook.review.results import Origin
        >>> one = Results("x", origin=Origin(rows={"interviewees": {"i01": {"counted": "no"}}}))
        >>> compare(one, one).named("i01"), compare(one, one).named("i02")
        ('i01 (counted: no)', 'i02')
        """
        return named(self.old, self.new)(key)

    def about(self, row: RowMove) -> str:
        """What else helps to judge a changed input row: its own telling columns, and whether the person is counted.

        Examples
        --------
        >>> from parabook.review.results import Origin
        >>> leg = {"legs": {"i01.1": {"status": "made", "mode": "air"}}, "interviewees": {"i01": {"counted": "no"}}}
        >>> old, new = leg, {**leg, "legs": {"i01.1": {"status": "made", "mode": "rail"}}}
        >>> found = compare(*(Results("x", origin=Origin(rows=rows)) for rows in (old, new)))
        >>> found.about(found.rows[0])
        'status: made; i01 (counted: no)'
        """
        sides = [(side.origin.rows or {}).get(row.table, {}).get(row.key) for side in (self.new, self.old)]
        stated = next((side for side in sides if isinstance(side, Mapping)), {}) if row.column else {}
        told = [
            f"{column}: {stated[column]}"
            for column in TELLING.get(row.table, ())
            if column != row.column and stated.get(column)
        ]
        person = person_of(row)
        if row.table != "interviewees" and self.named(person) != person:
            told.append(self.named(person))
        return "; ".join(told)

    def behind(self, name: str) -> list[RowMove]:
        """The input rows that changed and that an exhibit rests on."""
        return [row for row in self.rows if rests_on(name, row)]


def compare(old: Results, new: Results) -> Comparison:
    """What moved from old to new.

    Examples
    --------
    >>> head = ("age", "interviewees")
    >>> old = Results("x", {"by-age": (head, ("18–24", "4"))})
    >>> new = Results("x", {"by-age": (head, ("18–24", "5"))})
    >>> print(*compare(old, new).moves)
    table by-age: 18–24, interviewees: 4 → 5 (+1)
    """
    moves = [*_exhibits(old, new)]
    for part, before, after in (("sentence", old.sentences, new.sentences), ("output", old.outputs, new.outputs)):
        moves += [Move(part, name, "", "", was, now, what) for name, was, now, what in _pairs(before, after)]
    a, b = old.origin, new.origin
    rows, unknown = _inputs(old, new)
    files = {path: what for path, _, _, what in _pairs(a.program, b.program)}
    both = a.versions.keys() & b.versions.keys()  # an approved state keeps few of them
    versions = [(name, a.versions[name], b.versions[name]) for name in sorted(both)]
    given = sorted(a.parameters.keys() | b.parameters.keys())
    parameters = [(name, a.parameters.get(name, "default"), b.parameters.get(name, "default")) for name in given]
    settings = tuple((name, was, now) for name, was, now in [*parameters, *versions] if was != now)
    return Comparison(old, new, tuple(moves), rows, unknown, files, settings)


def _pairs(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[tuple[str, str, str, str]]:
    """What differs between two mappings: name, from, to, and how."""
    for name in {**old, **new}:
        if old.get(name) != new.get(name):
            what = "added" if name not in old else "gone" if name not in new else "changed"
            yield name, old.get(name, ""), new.get(name, ""), what


def _exhibits(old: Results, new: Results) -> Iterator[Move]:
    before, after = ({**each.words, **each.tables, **each.charts} for each in (old, new))
    for name in {**after, **before}:
        if name not in before or name not in after:
            caption = (old if name in before else new).words.get(name, {}).get("caption", "")
            gone = name in before
            yield Move(
                "exhibit", name, "", "", caption if gone else "", "" if gone else caption, "gone" if gone else "added"
            )
            continue
        table = list(tables("table", name, old.tables.get(name, ()), new.tables.get(name, ())))
        yield from table
        labels = label_columns(old.tables.get(name, ()), new.tables.get(name, ()))
        told = {(move.row, move.column) for move in table} | {
            (move.row, "") for move in table if move.what != "changed"
        }
        was, now = (_page(each, name, labels) for each in (old, new))
        for move in tables("page", name, was, now, labels):
            if (move.row, move.column) not in told:
                yield _links(move, named(old, new))
            elif move.what in ("added", "gone"):
                yield from _people(
                    move, by_label(now if move.what == "added" else was, labels)[move.row], named(old, new)
                )
        yield from charts(name, old.charts.get(name), new.charts.get(name))
        for word in WORDS:
            said, says = (each.words.get(name, {}).get(word, "") for each in (old, new))
            if said != says:
                yield Move("words", name, "", word, said, says)


def _page(results: Results, name: str, labels: Sequence[str]) -> Table:
    """What an exhibit's page shows besides its table: the rows by the table's labels, and the columns that are the page's own."""
    table, view = results.tables.get(name, ()), results.views.get(name, ())
    if not view or len(view) != len(table):
        return view
    places = [table[0].index(label) for label in labels]
    same = {
        column
        for n, column in enumerate(view[0])
        if column in table[0] and _column(view, n) == _column(table, table[0].index(column))
    }
    own = [n for n, column in enumerate(view[0]) if column not in same and column not in labels]
    return tuple((*(row[n] for n in places), *(shown[n] for n in own)) for row, shown in zip(table, view, strict=True))


def _column(table: Table, place: int) -> list[str]:
    return [row[place] for row in table]


def _links(move: Move, naming: Callable[[str], str]) -> Move:
    """A move of a list of links as the links that came and went."""
    old, new = (re.findall(LINK, text) for text in (move.old, move.new))
    if move.what != "changed" or not (old or new):
        return move
    was, now = ([name for name, _ in links] for links in (old, new))
    if was == now:
        return replace(move, old=", ".join(href for _, href in old), new=", ".join(href for _, href in new))
    lost, found = ([name for name in side if name not in other] for side, other in ((was, now), (now, was)))
    what = "changed" if lost and found else "gone" if lost else "added"
    return replace(move, old=_with(lost, move.column, naming), new=_with(found, move.column, naming), what=what)


def _people(move: Move, row: Mapping[str, str], naming: Callable[[str], str]) -> Iterator[Move]:
    """The interviewees behind a row that came or went."""
    people = _with([name for name, _ in re.findall(LINK, row.get(BEHIND, ""))], BEHIND, naming)
    if people:
        old, new = (people, "") if move.what == "gone" else ("", people)
        yield replace(move, column=BEHIND, old=old, new=new)


def _with(names: Sequence[str], column: str, naming: Callable[[str], str]) -> str:
    return f"with {listed([naming(name) if column == BEHIND else name for name in names])}" if names else ""


def named(*sides: Results) -> Callable[[str], str]:
    """How to name an interviewee: by key, and with what ``counted`` says where it is not yes; the last side that knows it says."""
    counted: dict[str, str] = {}
    for side in sides:
        rows = (side.origin.rows or {}).get("interviewees", {})
        counted |= {key: str(row.get("counted") or "yes") for key, row in rows.items() if isinstance(row, Mapping)}
    return lambda key: key if counted.get(key, "yes") == "yes" else f"{key} (counted: {counted[key]})"


# Tables


def tables(part: str, of: str, old: Table, new: Table, labels: Sequence[str] = ()) -> Iterator[Move]:
    """What moved between two tables: columns, rows by their labels, cells, order."""
    if old == new:
        return
    yield from _columns(part, of, old, new)
    labels = labels or label_columns(old, new)
    was, now = by_label(old, labels), by_label(new, labels)
    renamed = _renamed(was, now, labels)
    for label, row in was.items():
        other = now.get(renamed.get(label, label))
        if other is None:
            yield Move(part, of, label, "", _row(row, labels), "", "gone")
            continue
        if label in renamed:
            yield Move(part, of, label, "", label, renamed[label], "renamed")
        for column in shared_columns(old, new):
            if row[column] != other[column] and column not in (labels if label in renamed else ()):
                yield Move(part, of, renamed.get(label, label), column, row[column], other[column])
    for label, row in now.items():
        if label not in was and label not in renamed.values():
            yield Move(part, of, label, "", "", _row(row, labels), "added")
    stayed = [renamed.get(label, label) for label in was if renamed.get(label, label) in now]
    if stayed != [label for label in now if label in stayed]:
        order = [label for label in now if label in stayed]
        yield Move(part, of, "", "", "; ".join(stayed), "; ".join(order), "rows in another order")


def _columns(part: str, of: str, old: Table, new: Table) -> Iterator[Move]:
    before, after = (old or ((),))[0], (new or ((),))[0]
    for column in before:
        if column not in after:
            yield Move(part, of, "", column, f"column {column}", "", "gone")
    for column in after:
        if column not in before:
            yield Move(part, of, "", column, "", f"column {column}", "added")
    if [column for column in after if column in before] != [column for column in before if column in after]:
        yield Move(part, of, "", "", ", ".join(before), ", ".join(after), "columns in another order")


def shared_columns(old: Table, new: Table) -> list[str]:
    """The columns that both tables have; all of one that is compared with nothing."""
    return [column for column in (old or new or ((),))[0] if not (old and new) or column in new[0]]


def label_columns(old: Table, new: Table) -> list[str]:
    """The columns that name the rows of both tables: a key, else the fewest from the left that name each row once.

    Examples
    --------
    >>> label_columns((("from", "to", "legs"), ("a", "b", "1"), ("a", "c", "1")), (("from", "to", "legs"),))
    ['from', 'to']
    """
    shared = shared_columns(old, new)

    def unique(columns: Sequence[str]) -> bool:
        for table in filter(None, (old, new)):
            places = [table[0].index(column) for column in columns]
            named = [tuple(row[place] for place in places) for row in table[1:]]
            if len(set(named)) < len(named):
                return False
        return True

    for key in KEYS:
        if key in shared and unique([key]):
            return [key]
    # What is counted stands in the last column: it names no row, even where that leaves two rows of one name.
    return next((shared[:n] for n in range(1, len(shared)) if unique(shared[:n])), shared[:-1] or shared)


def by_label(table: Table, labels: Sequence[str]) -> dict[str, dict[str, str]]:
    """The rows of a table as mappings, by their labels; a label that comes again is numbered."""
    found: dict[str, dict[str, str]] = {}
    for cells in table[1:]:
        row = dict(zip(table[0], cells, strict=False))
        first = label = ", ".join(row[column] for column in labels if column in row) or "(blank)"
        again = 1
        while label in found:
            again += 1
            label = f"{first} ({again})"
        found[label] = row
    return found


def _renamed(
    old: Mapping[str, Mapping[str, str]], new: Mapping[str, Mapping[str, str]], labels: Sequence[str]
) -> dict[str, str]:
    """The one row that differs in its label alone, and stands in the same place; of several, which is which is not known."""
    gone, added = ([label for label in side if label not in other] for side, other in ((old, new), (new, old)))
    if len(gone) != 1 or len(added) != 1 or list(old).index(gone[0]) != list(new).index(added[0]):
        return {}
    was, now = ([text for column, text in row.items() if column not in labels] for row in (old[gone[0]], new[added[0]]))
    return {gone[0]: added[0]} if was == now and was else {}


def _row(row: Mapping[str, str], labels: Sequence[str]) -> str:
    rest = [f"{column} {text}" for column, text in row.items() if column not in labels and text]
    return ", ".join(rest) or "a row"


# Charts


SAYS = {"description": "words", "title": "words", "text": "words", "sort": "order of rows"} | dict.fromkeys(
    ("width", "height", "step", "yOffset"), "size"
)
"""Keys of a chart that say what is drawn, or how large that is, not how."""


def charts(of: str, old: Any, new: Any) -> Iterator[Move]:
    """What moved between two charts, by JSON path: data a set at a time, drawing value by value."""
    if (old is None) != (new is None):
        yield Move("chart", of, "", "", "a chart" if old else "", "a chart" if new else "", "gone" if old else "added")
        return
    found: dict[tuple[str, str, str, str], Move] = {}
    for move in _differences(of, "", old, new):
        path = re.sub(r"\blayer\[\d+\]", "layer[*]", move.column)
        first = found.get((path, move.row, move.old, move.new))
        # The layers of a chart share their axes: the same change in several of them is told once.
        found[path, move.row, move.old, move.new] = replace(move, column=path) if first else move
    yield from sorted(found.values(), key=lambda move: (is_drawing(move), move.column))


def is_drawing(move: Move) -> bool:
    """Whether a chart's move is of how it is drawn (encoding, scale, size), not of what is drawn or said."""
    return move.part == "chart" and not move.row


def _differences(of: str, path: str, old: Any, new: Any) -> Iterator[Move]:
    if _json(old) == _json(new):
        return
    if path.startswith("datasets.") or path.endswith("data.values"):
        yield Move("chart", of, "data", path, *_sets(old, new))
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _differences(of, f"{path}.{key}".strip("."), old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new) and _nested(old):
        for place, (was, now) in enumerate(zip(old, new, strict=True)):
            yield from _differences(of, f"{path}[{place}]", was, now)
    else:
        row = next((SAYS[key] for key in path.split(".")[-2:] if key in SAYS), "")
        yield Move("chart", of, row, path, "" if old is None else _json(old), "" if new is None else _json(new))


def _nested(values: Sequence[Any]) -> bool:
    return any(isinstance(value, (dict, list)) for value in values)


def _sets(old: Any, new: Any) -> tuple[str, str]:
    """What stands in one data set and not in the other, row by row."""
    was, now = (Counter(map(_json, rows if isinstance(rows, list) else [rows])) for rows in (old, new))

    def only(rows: Counter[str]) -> str:
        left = list(rows.elements())
        shown = [_cut(row, 160) for row in left[:3]]
        return "; ".join([*shown, *([f"and {len(left) - 3:,} more"] if len(left) > 3 else [])])

    return only(was - now), only(now - was) or "the same rows in another order"


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


# Inputs


def _inputs(old: Results, new: Results) -> tuple[tuple[RowMove, ...], tuple[str, ...]]:
    a, b = old.origin, new.origin
    files = tuple(path for path, *_ in _pairs(a.edition, b.edition))
    if a.rows is None or b.rows is None:
        return (), files
    rows = tuple(
        move
        for table in {**a.rows, **b.rows}
        for move in _rows(table, *_told(table, (a.rows.get(table, {}), old), (b.rows.get(table, {}), new)))
    )
    rows += tuple(
        RowMove("codebook.md", "", "", a.edition.get(path, ""), b.edition.get(path, ""))
        for path in files
        if path == "codebook.md"
    )
    return rows, ()


def _told(table: str, *sides: tuple[Mapping[str, Any], Results]) -> Iterator[dict[str, Any]]:
    """The rows of a table on both sides; what is kept as a hash, and differs, by the values that its exhibit lists."""
    kept = {key for rows, _ in sides for key, row in rows.items() if isinstance(row, str)}
    codes = [{key: row if isinstance(row, str) else row_hash(row) for key, row in rows.items()} for rows, _ in sides]
    shown = [_listed(table, results) for _, results in sides]
    known = {
        key
        for key in kept
        if codes[0].get(key) != codes[1].get(key)
        and shown[0].get(key) != shown[1].get(key)  # what differs may be what no exhibit lists
        and all(key in each for each, (rows, _) in zip(shown, sides, strict=True) if key in rows)
    }
    for (rows, _), each in zip(sides, shown, strict=True):
        yield {key: each[key] if key in known else row for key, row in rows.items()}


def _listed(table: str, results: Results) -> dict[str, dict[str, str]]:
    """The rows of table ``evidence`` by key, as far as exhibits list them."""
    if table != "evidence":
        return {}
    return {
        f"{name.removeprefix('evidence-')}.{row['row']}.{row['column']}": {
            column: row[shown] for shown, column in FROM_EVIDENCE.items()
        }
        for name, rows in results.tables.items()
        if name.startswith("evidence-") and rows and {"row", "column", *FROM_EVIDENCE} <= set(rows[0])
        for row in (dict(zip(rows[0], cells, strict=False)) for cells in rows[1:])
    }


def _rows(table: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[RowMove]:
    for key in {**before, **after}:
        was, now = before.get(key), after.get(key)
        if was is None or now is None:
            gone = now is None
            told = _values(was if gone else now)
            yield RowMove(table, key, "", told if gone else "", "" if gone else told, "gone" if gone else "added")
        elif isinstance(was, str) or isinstance(now, str):
            was, now = (each if isinstance(each, str) else row_hash(each) for each in (was, now))
            if was != now:
                yield RowMove(table, key, "", f"a row of hash {was}", f"a row of hash {now}")
        else:
            for column in {**was, **now}:
                if was.get(column, "") != now.get(column, ""):
                    yield RowMove(table, key, column, was.get(column, ""), now.get(column, ""))


def _values(row: Any) -> str:
    if not isinstance(row, Mapping):
        return f"a row of hash {row}"
    return ", ".join(f"{column} {text}" for column, text in row.items() if text)


def person_of(row: RowMove) -> str:
    """The interviewee whom an input row tells of; blank where it tells of none.

    Examples
    --------
    >>> person_of(RowMove("evidence", "legs.i05.1.mode", "exact", "a", "b"))
    'i05'
    """
    table, _, key = row.key.partition(".") if row.table == "evidence" else (row.table, "", row.key)
    return key.split(".")[0] if table in ("interviewees", "legs") else ""


def rests_on(exhibit: str, row: RowMove) -> bool:
    """Whether an exhibit may have moved because of an input row. In warning, it may.

    Examples
    --------
    >>> rests_on("nights-waited", RowMove("legs", "i05.1", "nights_waited", "1", "2"))
    True
    >>> rests_on("interviewees-by-age", RowMove("legs", "i05.1", "nights_waited", "1", "2"))
    False
    """
    if row.table == "evidence":
        table, _, rest = row.key.partition(".")
        key, _, column = rest.rpartition(".")
        # Another exhibit shows where an evidence row is, not what it says.
        leads_there = row.what != "changed" or exhibit in QUOTES
        value = RowMove(table, key, column, "", "")
        return exhibit == f"evidence-{table}" or (leads_there and rests_on(exhibit, value))
    if exhibit in SHOWN_IN:
        return _counted_from((*SHOWN_IN[exhibit][1], *ALSO.get(exhibit, ())), row)
    kind, _, table = exhibit.partition("-")
    if kind == "evidence":
        return row.table in (table, "paragraphs")
    return kind != "dictionary" and exhibit not in FROM_THE_PROGRAM


def _counted_from(columns: Sequence[str], row: RowMove) -> bool:
    """Whether an exhibit of these columns may have moved because of a row: who is counted, and of how many, touches all."""
    of = {column.split(".")[0] for column in columns}
    people = bool(of & {"interviewees", "legs"})
    if row.table == "report" or (row.table == "places" and "legs" in of):
        return True
    if row.table == "interviewees" and row.column in ("", "counted"):
        return people
    return row.table in of and (not row.column or not people or f"{row.table}.{row.column}" in columns)


# In words


def difference(old: str, new: str) -> str:
    """By how much a number moved; blank where either is none.

    Examples
    --------
    >>> difference("100000", "120000"), difference("0.1", "0.3"), difference("a", "3"), difference("1", "1.0")
    ('+20,000', '+0.2', '', '±0')
    """
    try:
        by = Decimal(new) - Decimal(old)
    except InvalidOperation:
        return ""
    if not by.is_finite():
        return ""
    return f"{by:+,f}" if by else "±0"


def change(old: str, new: str, what: str) -> str:
    """A change in words.

    Examples
    --------
    >>> change("", "3", "changed"), change("a", "", "gone")
    ('blank → 3', 'gone: a')
    """
    if what in ("added", "gone"):
        return f"{what}: {old or new}"
    by = difference(old, new)
    how = "" if what == "changed" else f"{what}: "
    return f"{how}{old or 'blank'} → {new or 'blank'}{f' ({by})' if by else ''}"


def verdict(comparison: Comparison) -> str:
    """What moved, in one sentence.

    Examples
    --------
    >>> verdict(compare(Results("x"), Results("x")))
    'Nothing moved: 0 exhibits, 0 charts and 0 sentences are as they were.'
    """
    new = comparison.new
    if not comparison.moves:
        counts = (plural(len(new.tables), "exhibit"), plural(len(new.charts), "chart"))
        return f"Nothing moved: {counts[0]}, {counts[1]} and {plural(len(new.sentences), 'sentence')} are as they were."
    moved = comparison.exhibits
    parts = [f"{len(moved):,} of {plural(len({**comparison.old.words, **new.words}), 'exhibit')}"] if moved else []
    for part, noun in (("sentence", "sentence"), ("output", "other output")):
        n = len([move for move in comparison.moves if move.part == part])
        parts += [plural(n, noun)] if n else []
    return f"Moved: {listed(parts)}. {cause(comparison)}"


def cause(comparison: Comparison) -> str:
    """Where the moves can come from, over all."""
    alone = [name for name in comparison.exhibits if not comparison.behind(name)]
    known = []
    if comparison.rows:
        known.append(f"{plural(len(comparison.rows), 'input value')} changed")
    if comparison.unknown:
        known.append(f"{plural(len(comparison.unknown), 'file')} of the edition changed, rows not known")
    paths = list(comparison.program)
    if paths:
        names = f": {', '.join(paths)}" if len(paths) <= 3 else ""
        known.append(f"{plural(len(paths), 'file')} of the program changed{names}")
    if comparison.settings:
        known.append(f"{plural(len(comparison.settings), 'version or parameter', 'versions or parameters')} changed")
    if not known:
        return "Neither inputs nor program, versions or parameters changed: the run does not repeat itself."
    rest = "" if comparison.rows or comparison.unknown else " No input row changed."
    if comparison.rows and alone:
        rest = f" No input row explains {plural(len(alone), 'exhibit')}: {', '.join(alone)}."
    return f"Since then {listed(known)}.{rest}"


def reasons(comparison: Comparison, name: str) -> list[str]:
    """Because of what an exhibit can have moved: input rows first, then files of the program with their commits."""
    rows = comparison.behind(name)
    if not name.startswith("evidence-"):  # elsewhere evidence comes with its value
        rows = [row for row in rows if row.table != "evidence"] or rows
    told = [_reason(comparison, row) for row in rows[:12]]
    told += [f"and {len(rows) - 12:,} input values more"] if len(rows) > 12 else []
    if comparison.unknown:
        told.append(f"files of the edition, rows not known: {', '.join(comparison.unknown)}")
    elif not rows:
        told.append("no input row that it rests on changed")
    chapter = comparison.new.words.get(name, comparison.old.words.get(name, {})).get("chapter", "")
    for path, what in comparison.program.items():
        if path.startswith("chapters/") and path != f"chapters/{chapter}.ipynb":
            continue
        commits = f" ({'; '.join(comparison.commits[path])})" if comparison.commits.get(path) else ""
        told.append(f"{path} {what}{commits}")
    return told + [f"{setting}: {was} → {now}" for setting, was, now in comparison.settings]


def _reason(comparison: Comparison, row: RowMove) -> str:
    person = person_of(row)
    of = comparison.named(person)
    return f"input row {row}" + (f"; of {of}" if of != person and row.column not in ("", "counted") else "")


def as_text(comparison: Comparison) -> str:
    """The comparison as a table of plain text, the same in every terminal."""
    lines = [verdict(comparison)]
    moves = [move for move in comparison.moves if not follows(comparison, move)]
    if moves:
        head = ("where", "row", "column", "from", "to", "by")
        rows = [head, *((f"{m.of} ({m.part})", m.row, m.column, *_ends(m), m.by) for m in moves)]
        cut = [[_cut(" ".join(cell.split()), 60) for cell in row] for row in rows]
        widths = [max(len(row[n]) for row in cut) for n in range(len(head))]
        lines += ["", *("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cut)]
    for name in comparison.exhibits:
        lines += ["", f"{name}: because of", *(f"  {reason}" for reason in reasons(comparison, name))]
    if comparison.rows:
        lines += ["", "input rows that changed", *(f"  {row}" for row in comparison.rows)]
    return "\n".join(lines)


def _ends(move: Move) -> tuple[str, str]:
    if move.what in ("added", "gone", "changed"):
        return move.old or ("(none)" if move.what == "added" else "blank"), move.new or (
            "(gone)" if move.what == "gone" else "blank"
        )
    return f"{move.what}: {move.old}", move.new


def follows(comparison: Comparison, move: Move) -> bool:
    """Whether a chart's move says again what its table's moves say: its data, words, order, size and the end of an axis."""
    table = comparison.of(move.of, "table")
    if move.part != "chart" or not table:
        return False
    return bool(move.row) or (move.column.endswith("scale.domain") and _keeps_pace(comparison, move, table))


def _keeps_pace(comparison: Comparison, domain: Move, table: Sequence[Move]) -> bool:
    """Whether an axis begins where it did, and ends as much further off or nearer as a number of its table moved.

    By as much, or in the same ratio: one that is cut off moves otherwise.
    """
    try:
        (low, was), (begin, now) = (map(Decimal, map(str, json.loads(end))) for end in (domain.old, domain.new))
    except (ValueError, TypeError, InvalidOperation):  # no two numbers
        return False
    ends = [(_number(move.old), _number(move.new)) for move in table]
    old, new = (side.tables.get(domain.of, ()) for side in (comparison.old, comparison.new))
    for column in shared_columns(old, new):
        ends.append((_largest(old, column), _largest(new, column)))
    told = [(a, b) for a, b in ends if a is not None and b is not None and a != b]
    return low == begin and any(now - was == b - a or (b and now * a == was * b) for a, b in told)


def _number(text: str) -> Decimal | None:
    return Decimal(text) if re.fullmatch(r"-?\d+(\.\d+)?", text, re.ASCII) else None


def _largest(table: Table, column: str) -> Decimal | None:
    numbers = (_number(row[table[0].index(column)]) for row in table[1:])
    return max((number for number in numbers if number is not None), default=None)


def as_json(comparison: Comparison) -> dict[str, Any]:
    """The comparison as plain values."""
    return {
        "verdict": verdict(comparison),
        "moved": bool(comparison.moves),
        "moves": [asdict(move) | {"by": move.by} for move in comparison.moves],
        "inputs": [asdict(row) for row in comparison.rows],
        "input files, rows not known": list(comparison.unknown),
        "program": [
            {"path": path, "what": what, "commits": list(comparison.commits.get(path, ()))}
            for path, what in comparison.files.items()
        ],
        "settings": [{"name": name, "old": was, "new": now} for name, was, now in comparison.settings],
        "because": {name: reasons(comparison, name) for name in comparison.exhibits},
    }
