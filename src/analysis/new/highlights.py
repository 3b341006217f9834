"""From tagged passages of interviews, as Taguette exports them, to coded rows and their evidence. Pure, as `intake` is.

A tag codes values of the person whose interview the document is, of one of the person's legs, of a figure, or of the
group. The passage is the evidence, when it has at most eight words and the source text tells its paragraph.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from analysis.coding.relations import MOST_WORDS
from analysis.coding.rules import normalise, words
from analysis.coding.verify import fingerprints, paragraphs
from analysis.new.answers import bounds, named, quoted, tidy
from analysis.new.intake import Filled, Gathered, Line, Sheet, Unforeseen, place_row
from analysis.new.maps import IMPORTED, PAIRS, Plan
from analysis.schema import schema
from parabook.errors import Problem, nearest, show

KEYS: Final = ("id", "document", "tag", "content", "interviewees", "counted", "fragments", "tags")
REPORT: Final = ("declared_interviewees", "collected_at", "reference_event.date")
"""What a tag may say of the whole edition, for the report object of ``datapackage.json``."""

CODED: Final = (*IMPORTED, "report")
TAG_KEYS: Final = (*CODED, "interviewee", "basis", "note")


@dataclass
class Coded:
    """A row in the making: its values, and the passages that each rests on."""

    cells: dict[str, str]
    line: tuple[str, int]
    passages: dict[str, list[Passage]] = field(default_factory=dict)


@dataclass(frozen=True)
class Passage:
    """One highlight: where it stands in the export, its words, and what its tag says of the basis."""

    row: int
    id: str
    content: str
    basis: str
    note: str


def fill_highlights(plan: Plan, sheet: Sheet, source: str | None, filled: Filled) -> Filled:
    """Add what an export of highlights codes to the tables filled so far.

    Parameters
    ----------
    plan : Plan
        With a section ``highlights``.
    sheet : Sheet
        One row a highlight and tag.
    source : str, optional
        The text that was tagged, one paragraph a line. Without it no evidence is made, for the paragraphs are not known.

    Examples
    --------
    >>> plan = Plan("m.yml", (), {}, highlights={"interviewees": {"Talk 1": "p1"}, "counted": "yes",
    ...     "tags": {"woman": {"interviewees": {"gender": "woman"}}}})
    >>> cells = {"id": "1", "document": "Talk 1", "tag": "woman", "content": "she left"}
    >>> sheet = Sheet("t.csv", tuple(cells), ((2, cells),))
    >>> filled = fill_highlights(plan, sheet, "Then she left.", Filled())
    >>> [line.cells["exact"] for line in filled.tables["evidence"]]
    ['she left', 'she left']
    """
    coder = _Coder(plan, sheet)
    if coder.problems:
        filled.problems += coder.problems
        return filled
    for row, cells in sheet.rows:
        try:
            coder.take(row, cells)
        except Unforeseen as wrong:
            coder.gathered.add(sheet, row, wrong)
    filled.tables |= coder.tables()
    filled.report |= coder.report()
    if source is None:
        filled.notes.append(
            "no evidence made: the paragraphs of highlights are known from the source text only (--source FILE)"
        )
    elif not coder.gathered.kinds:
        filled.tables["evidence"] = list(coder.evidence(source))
        filled.tables["paragraphs"] = [
            Line(dict(zip(schema("paragraphs").columns, map(str, row), strict=True)), "source text", row[0])
            for row in fingerprints(source)
        ]
    filled.problems += coder.problems + list(coder.gathered.problems())
    return filled


class _Coder:
    """Rows as the tags of highlights code them."""

    def __init__(self, plan: Plan, sheet: Sheet) -> None:
        self.plan, self.sheet = plan, sheet
        self.given = plan.highlights
        self.gathered = Gathered()
        self.rows: dict[tuple[str, str], Coded] = {}
        self.places: dict[str, Coded] = {}
        self.column = {key: named(str(self.given.get(key) or key)) for key in ("id", "document", "tag", "content")}
        self.tags = {tidy(tag): what for tag, what in self._section("tags").items()}
        self.people = {tidy(name): str(person) for name, person in self._section("interviewees").items()}
        self.fragments = {tidy(key): str(text) for key, text in self._section("fragments").items()}
        self.problems = list(self._wrong())

    def _section(self, key: str) -> Mapping[str, Any]:
        given = self.given.get(key) or {}
        return given if isinstance(given, Mapping) else {}

    def _wrong(self) -> Iterator[Problem]:
        """What is wrong with the section itself, or with the columns it names."""
        file = self.plan.file
        for key in self.given:
            if key not in KEYS:
                yield Problem(file, show(key), f"one of {', '.join(KEYS)}", nearest(key, KEYS), column="highlights")
        for key in ("tags", "interviewees", "fragments"):
            if not isinstance(self.given.get(key) or {}, Mapping):
                yield Problem(file, "a list or one value", "names with values below them", column=f"highlights.{key}")
        for key in ("interviewees", "fragments"):
            for name, text in self._section(key).items():
                if not isinstance(text, str) or not text:
                    yield Problem(file, "nothing, or further names", "one value", column=f"highlights.{key}.{name}")
        for key, column in self.column.items():
            if column not in self.sheet.columns:
                hint = nearest(column, self.sheet.columns) or f"columns there: {', '.join(self.sheet.columns)}"
                yield Problem(file, show(column), f"a column of {self.sheet.file}", hint, column=f"highlights.{key}")
        for tag, what in self.tags.items():
            yield from self._wrong_tag(f"highlights.tags.{tag}", what)

    def _wrong_tag(self, where: str, what: object) -> Iterator[Problem]:
        if what == "ignore":
            return
        if not isinstance(what, Mapping):
            yield Problem(self.plan.file, show(what), "ignore, or the table and columns it codes", column=where)
            return
        for key, entry in what.items():
            if key not in TAG_KEYS:
                yield Problem(
                    self.plan.file, show(key), f"one of {', '.join(TAG_KEYS)}", nearest(key, TAG_KEYS), column=where
                )
            elif key not in CODED:
                if not isinstance(entry, str):
                    yield Problem(self.plan.file, "a list or further names", "one value", column=f"{where}.{key}")
            elif not isinstance(entry, Mapping) or not all(isinstance(value, str) for value in entry.values()):
                yield Problem(
                    self.plan.file, "no columns", f"columns of {key} with their values", column=f"{where}.{key}"
                )
            else:
                known = REPORT if key == "report" else (*schema(key).columns, *PAIRS.get(key, {}))
                for column in entry:
                    if column not in known:
                        yield Problem(
                            self.plan.file,
                            show(column),
                            f"one of {', '.join(known)}",
                            nearest(column, known),
                            column=f"{where}.{key}",
                        )
        if what.get("basis", "judged") not in ("judged", "stated"):
            yield Problem(self.plan.file, show(what["basis"]), "judged or stated", column=f"{where}.basis")

    def take(self, row: int, cells: Mapping[str, str]) -> None:
        """What one highlight with one tag codes."""
        told = {key: cells.get(column, "") for key, column in self.column.items()}
        what = self.tags.get(told["tag"])
        if what is None:
            hint = f"add to highlights.tags: {quoted(told['tag'])}: ignore, or what it codes"
            raise Unforeseen(self.column["tag"], show(told["tag"] or None), "a tag that the map knows", hint)
        if what == "ignore":
            return
        note = str(what.get("note") or f"tagged “{told['tag']}”")
        passage = Passage(row, told["id"], told["content"], str(what.get("basis") or "judged"), note)
        person = str(what.get("interviewee") or self.people.get(told["document"]) or "")
        for table in CODED:
            if table in what:
                self._code(table, dict(what[table]), person, told, passage)

    def _code(self, table: str, entry: dict[str, str], person: str, told: Mapping[str, str], passage: Passage) -> None:
        if table in ("interviewees", "legs") and not person:
            hint = f"add to highlights.interviewees: {quoted(told['document'])}: p1"
            raise Unforeseen(self.column["document"], show(told["document"] or None), "whose interview it is", hint)
        for pair, (low, high) in PAIRS.get(table, {}).items():
            if pair in entry:
                ends = bounds(entry.pop(pair))
                if not ends or (pair == "age" and not all(ends)) or pair.endswith("year"):
                    hint = f"hint highlights.tags.{told['tag']}"
                    raise Unforeseen(
                        self.column["tag"], show(told["tag"]), f"{low} and {high}, or a range with both ends", hint
                    )
                entry |= {low: ends[0], high: ends[1]}
        key = self._key(table, entry, person, told["tag"])
        for place in ("from_place", "to_place", "collected_at"):
            if entry.get(place):
                entry[place] = self._place(entry[place], passage)
        if table == "interviewees" and "counted" in self.given:
            basis = Passage(passage.row, passage.id, passage.content, "judged", "words of this person's interview")
            self._set(table, person, {"interviewee": person}, {"counted": str(self.given["counted"])}, basis)
        if table == "legs":
            self._code("interviewees", {}, person, told, passage)
        own = {column: entry.pop(column) for column in _keys(table) if column in entry}
        self._set(table, key, own, entry, passage)

    def report(self) -> dict[str, str]:
        """What tags say of the whole edition."""
        coded = self.rows.get(("report", "report"))
        return coded.cells if coded else {}

    def _key(self, table: str, entry: dict[str, str], person: str, tag: str) -> str:
        """The key of the row that a tag codes, put into the entry as well."""
        if table == "interviewees":
            entry["interviewee"] = person
            return person
        if table == "legs":
            entry["interviewee"], entry["leg"] = person, entry.get("leg", "1")
            return f"{person}.{entry['leg']}"
        if table == "report":
            return table
        column = schema(table).key[0]
        entry.setdefault(column, f"{column[0]}{list(self.tags).index(tag) + 1}")
        return entry[column]

    def _place(self, name: str, passage: Passage) -> str:
        place, cells = place_row(self.plan, self.column["tag"], tidy(name))
        told = Passage(passage.row, passage.id, passage.content, "judged", "place as the map describes it")
        self._set("places", place, {"place": place}, {k: v for k, v in cells.items() if k != "place"}, told)
        return place

    def _set(self, table: str, key: str, own: Mapping[str, str], entry: Mapping[str, str], passage: Passage) -> None:
        coded = self.rows.setdefault((table, key), Coded(dict(own), (self.sheet.file, passage.row)))
        for column, value in entry.items():
            if not value:
                continue
            if coded.cells.get(column, value) != value:
                needed = f"one {column} of {table} {key}, which an earlier row gives as {show(coded.cells[column])}"
                raise Unforeseen(self.column["tag"], show(value), needed, "take one of the tags away")
            coded.cells[column] = value
            coded.passages.setdefault(column, []).append(passage)

    def tables(self) -> dict[str, list[Line]]:
        """The rows coded, by table; legs in their order."""
        made: dict[str, list[Line]] = {}
        for (table, _), coded in self.rows.items():
            if table == "report":
                continue
            source = dict.fromkeys(coded.cells, self.column["tag"])
            made.setdefault(table, []).append(Line(coded.cells, *coded.line, source))
        if "legs" in made:
            made["legs"].sort(key=lambda line: (line.cells["interviewee"], len(line.cells["leg"]), line.cells["leg"]))
        return made

    def evidence(self, source: str) -> Iterator[Line]:
        """A row of evidence for every value; values whose passages are all too long, or not in the source, are problems."""
        lines = [normalise(line) for line in paragraphs(source)]
        for (table, key), coded in self.rows.items():
            for column, passages in coded.passages.items():
                wrong: list[Unforeseen] = []
                for passage in passages:
                    try:
                        fragment, paragraph = self._fragment(passage, lines)
                    except Unforeseen as error:
                        wrong.append(error)
                        continue
                    cells = {
                        "table": table, "key": key, "column": column, "paragraph": str(paragraph), "exact": fragment,
                        "basis": passage.basis, "note": passage.note,
                    }  # fmt: skip
                    yield Line(cells, self.sheet.file, passage.row, {"exact": self.column["content"]})
                    break
                else:
                    self._complain(passages[0].row, wrong[0])

    def _complain(self, row: int, wrong: Unforeseen) -> None:
        """Once a passage, however many values rest on it."""
        told = Problem(self.sheet.file, wrong.found, wrong.needed, wrong.hint, row, wrong.column)
        if told not in self.problems:
            self.problems.append(told)

    def _fragment(self, passage: Passage, lines: list[str]) -> tuple[str, int]:
        """The words that stand as evidence, and the paragraph they stand in."""
        column = self.column["content"]
        shorter = self.fragments.get(passage.id, "")
        fragment = " ".join((shorter or passage.content).split())
        if shorter and normalise(shorter) not in normalise(passage.content):
            hint = f"hint highlights.fragments.{passage.id}"
            raise Unforeseen(column, show(shorter), "consecutive words of the highlight", hint)
        count = len(words(fragment))
        if not 1 <= count <= MOST_WORDS:
            hint = f'shorten the highlight, or add to highlights.fragments: {quoted(passage.id)}: "words of it"'
            raise Unforeseen(column, f"{count} words", f"one to {MOST_WORDS} words, to stand as evidence", hint)
        found = [n for n, line in enumerate(lines, 1) if normalise(passage.content) in line]
        found = found or [n for n, line in enumerate(lines, 1) if normalise(fragment) in line]
        if len(found) != 1:
            many = f"{show(fragment)} in {len(found)} paragraphs" if found else show(fragment)
            raise Unforeseen(
                column, many, "words that stand in one paragraph of the source text", "highlight other words"
            )
        return fragment, found[0]


def _keys(table: str) -> tuple[str, ...]:
    return () if table == "report" else schema(table).key
