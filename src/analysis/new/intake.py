"""From the rows of an export to the tables of an edition, as a map says. Pure: rows and a plan in, tables and problems out.

Nothing is guessed: a value that the map does not foresee is a problem with the line to add to the map. Values are
text throughout; what a cell must satisfy in the end, the checks of every edition say.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from analysis.new.answers import bounds, day, quoted, slug, tidy, ungrouped
from analysis.new.maps import PAIRS, PREFIXES, Plan, Recipe, TablePlan, field_of
from analysis.schema import schema, vocabulary
from parabook.errors import Problem, nearest, show


@dataclass(frozen=True)
class Sheet:
    """One table of an export: its columns, and its rows that are not blank, as trimmed text."""

    file: str
    """The file and, where it has several, the sheet, as error lines show them."""
    columns: tuple[str, ...]
    rows: tuple[tuple[int, Mapping[str, str]], ...]
    """The row as a spreadsheet numbers it, and its cells by column."""
    odd: Mapping[tuple[int, str], str] = field(default_factory=dict)
    """What is wrong with a cell that has no value to read: a formula never computed, an error."""
    blank: int = 0
    """Rows without any value, between others."""


@dataclass(frozen=True)
class Line:
    """A row of a table, and where each of its values was read."""

    cells: Mapping[str, str]
    file: str
    row: int
    source: Mapping[str, str] = field(default_factory=dict)
    """Column of the export by column of the table."""


@dataclass
class Filled:
    """What an import gives: tables, what is wrong, and what a person must be told."""

    tables: dict[str, list[Line]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    report: dict[str, str] = field(default_factory=dict)
    """Values of the report object of ``datapackage.json``."""
    unused: tuple[str, ...] = ()
    """Columns of the export that the map does not name: never copied."""


class Unforeseen(Exception):
    """A value that the map does not foresee: what is needed, and the line that hint it."""

    def __init__(self, column: str, found: str, needed: str, hint: str = "") -> None:
        super().__init__(found)
        self.column, self.found, self.needed, self.hint = column, found, needed, hint


class Gathered:
    """Problems of many rows, each kind told once with its first row and how many rows have it."""

    def __init__(self) -> None:
        self.kinds: dict[tuple[str, str, str, str, str], list[int]] = {}
        self.passed_over: dict[tuple[str, int], int] = {}
        """By table and number of the group: rows in which it had no answers but those of an earlier group."""

    def add(self, sheet: Sheet, row: int, wrong: Unforeseen) -> None:
        self.kinds.setdefault((sheet.file, wrong.column, wrong.found, wrong.needed, wrong.hint), []).append(row)

    def problems(self) -> Iterator[Problem]:
        for (file, column, found, needed, hint), places in self.kinds.items():
            rows = list(dict.fromkeys(places))  # a column that several rules read is at problem once
            several = f" (and in {len(rows) - 1} more row{'s' * (len(rows) > 2)})" if len(rows) > 1 else ""
            yield Problem(file, found + several, needed, hint, rows[0], column or None)


def fill(plan: Plan, sheets: Mapping[str, Sheet]) -> Filled:
    """The tables that a plan makes of the sheets of an export.

    Parameters
    ----------
    plan : Plan
        From `read_plan`.
    sheets : mapping of str to Sheet
        By name; the one under ``""`` is the one that tables use unless they name another.

    Examples
    --------
    >>> from analysis.new.maps import read_plan
    >>> plan, _ = read_plan({"tables": {"interviewees": {"columns": {
    ...     "counted": {"constant": "yes"}, "age": "Age", "gender": {"column": "Sex", "values": {"Male": "man"}}}}}}, "m.yml")
    >>> sheet = Sheet("s.csv", ("Age", "Sex"), ((2, {"Age": "20-24", "Sex": "Male"}), (3, {"Age": "", "Sex": ""})))
    >>> [dict(line.cells)["age_max"] for line in fill(plan, {"": sheet}).tables["interviewees"]]
    ['24', '']
    """
    filled, gathered = Filled(), Gathered()
    filled.problems += absent(plan, sheets)
    if filled.problems:
        return filled
    people: dict[int, str] = {}
    owners: dict[int, str] = {}
    for table in plan.tables:
        sheet = sheets[table.sheet]
        rows = [row for row in sheet.rows if all(row[1].get(c, "") in wanted for c, wanted in table.where.items())]
        if table.name == "legs":  # what people who are left out answered is not looked at
            owners = _owners(table, sheets, people, gathered)
            rows = [row for row in rows if row[0] in owners]
        lines = [line for row in rows for line in _lines(plan, table, sheet, row, gathered)]
        if table.name == "interviewees":
            people = {line.row: line.cells.get("interviewee", "") for line in lines}
        elif table.name == "legs":
            lines = list(_numbered(lines, owners))
        if table.where and len(rows) < len(sheet.rows):
            filled.notes.append(
                f"{table.name}: {len(sheet.rows) - len(rows)} of {len(sheet.rows)} rows left out by `where`"
            )
        filled.tables[table.name] = lines
    for (name, position), n in gathered.passed_over.items():
        filled.notes.append(
            f"{name}: group {position} made no row for {n} of the export's, where it had no answers of its own"
        )
    filled.tables |= _places(plan, filled, gathered)
    filled.problems += gathered.problems()
    used = {c for table in plan.tables for recipe in table.recipes for c in recipe.reads}
    used |= {c for table in plan.tables for c in (*table.where, table.parent, table.key)}
    seen = {table.sheet for table in plan.tables}
    filled.unused = tuple(dict.fromkeys(c for name in sorted(seen) for c in sheets[name].columns if c not in used))
    return filled


def absent(plan: Plan, sheets: Mapping[str, Sheet]) -> Iterator[Problem]:
    """Columns that the map names and the export lacks."""
    for table in plan.tables:
        sheet = sheets[table.sheet]
        named = [(recipe.where, c) for recipe in table.recipes for c in recipe.reads]
        named += [(f"tables.{table.name}.where", c) for c in table.where]
        named += [(f"tables.{table.name}.parent", table.parent)] if table.parent else []
        for where, column in named:
            if column not in sheet.columns:
                hint = nearest(column, sheet.columns) or f"columns there: {', '.join(sheet.columns)}"
                yield Problem(plan.file, show(column), f"a column of {sheet.file}", hint, column=where)
        if table.key and table.key not in sheets[""].columns:
            hint = nearest(table.key, sheets[""].columns)
            yield Problem(
                plan.file, show(table.key), f"a column of {sheets[''].file}", hint, column=f"tables.{table.name}.key"
            )


def _lines(
    plan: Plan, table: TablePlan, sheet: Sheet, row: tuple[int, Mapping[str, str]], gathered: Gathered
) -> Iterator[Line]:
    """The rows that one row of the export makes: one, or one for each group of columns that adds something."""
    number, cells = row
    read: set[str] = set()
    for position, group in enumerate(table.each or ((),), 1):
        # The end of one leg is the start of the next: what only repeats an earlier group's answers adds no row.
        own = group if table.each else table.columns
        fresh = {column for recipe in own for column in recipe.reads} - read
        read |= fresh
        optional = bool(table.each) or table.name == "legs"
        if optional and not any(cells.get(c, "") or (number, c) in sheet.odd for c in fresh):
            if any(cells.get(c, "") for recipe in group for c in recipe.reads):
                gathered.passed_over[table.name, position] = gathered.passed_over.get((table.name, position), 0) + 1
            continue
        made: dict[str, str] = {}
        source: dict[str, str] = {}
        told: set[str] = set()
        for recipe in table.columns + group:
            try:
                values = _values(plan, table.name, recipe, sheet, number, cells)
            except Unforeseen as wrong:
                gathered.add(sheet, number, wrong)
                values = {}
            made |= values
            source |= {column: " + ".join(recipe.reads) for column in values}
            told |= {value for value in values.values() if fresh & {*recipe.reads}}
        if (optional and not any(told)) or (table.name == "destinations" and not (made.get("low") or made.get("high"))):
            continue  # every answer of its own is blank, or recoded to blank
        key = schema(table.name).key[-1]
        if table.name in PREFIXES and not made.get(key):
            made[key] = f"{PREFIXES[table.name]}{number:04d}" + (f"-{position}" if len(table.each) > 1 else "")
        yield Line(made, sheet.file, number, source)


def _values(
    plan: Plan, table: str, recipe: Recipe, sheet: Sheet, number: int, cells: Mapping[str, str]
) -> dict[str, str]:
    """What one recipe makes of one row, by column of the table."""
    if recipe.rows is not None:
        return {recipe.target: f"{recipe.rows}{number:04d}"}
    for column in recipe.reads:
        if (number, column) in sheet.odd:
            raise Unforeseen(column, sheet.odd[number, column], "a value", "paste the column as values and save")
    found = _chosen(recipe, cells) if recipe.choices else cells.get(recipe.column, "")
    if recipe.constant is not None:
        found = recipe.constant
    pair = PAIRS.get(table, {}).get(recipe.target)
    if recipe.values is not None and found in recipe.values:
        found = recipe.values[found]
    elif recipe.values is not None and not recipe.rest and found and not pair and _is_free(table, recipe.target):
        hint = f"{_recode(recipe, found)}, or rest: keep to copy all that is not listed"
        raise Unforeseen(recipe.column, show(found), f"a value that the map recodes into {recipe.target}", hint)
    if pair:
        return dict(zip(pair, _pair(recipe, found), strict=True))
    return {recipe.target: _one(plan, table, recipe, found)}


def _is_free(table: str, column: str) -> bool:
    """Whether any text may stand in a column, so that only `values` can tell a value that was foreseen."""
    spec = field_of(table, column)
    return spec.type == "string" and not spec.enum and not _is_place(table, column)


def _is_place(table: str, column: str) -> bool:
    return any(own == column and other == "places" for own, other, _ in schema(table).references)


def _recode(recipe: Recipe, found: str) -> str:
    """The line that adds a value to what a recipe recodes."""
    if recipe.values is None:
        return f"add to {recipe.where}: values: {{{quoted(found)}: …}}"
    return f"add to {recipe.where}.values: {quoted(found)}: …"


def _chosen(recipe: Recipe, cells: Mapping[str, str]) -> str:
    """The value of the one column ticked among several; what several give, only if the map says so."""
    ticked = []
    for column in recipe.choices:
        given = cells.get(column, "").casefold()
        if given in ("1", "true", "yes", "x"):
            ticked.append(column)
        elif given not in ("", "0", "false", "no"):
            raise Unforeseen(column, show(given), "1 or 0, as a multiple choice is exported", "map it as a column")
    values = {recipe.choices[column] for column in ticked}
    if len(values) > 1:
        if recipe.several is not None:
            return recipe.several
        raise Unforeseen(
            " + ".join(ticked),
            "several choices",
            f"one value of {recipe.target}",
            f'add to {recipe.where}: several: ""',
        )
    return values.pop() if values else ""


def _pair(recipe: Recipe, found: str) -> tuple[str, str]:
    """The two bounds of a range; ages need both, numbers one, years give their first and last day."""
    if not found:
        return "", ""
    digits = ungrouped(found, recipe.thousands)
    limits = bounds(digits)
    recode = _recode(recipe, found)
    if limits is None:
        needed = {"age": "an age or a range, such as 20-24", "year": "a year", "end_of_year": "a year"}.get(
            recipe.target, "a number or a range"
        )
        known = '; write thousands: "," if the comma parts thousands' if re.search(r"\d,\d{3}", found) else ""
        raise Unforeseen(recipe.column, show(found), needed, recode + known)
    low, high = limits[0] or recipe.least, limits[1] or recipe.most
    if recipe.target in ("year", "end_of_year"):
        if not re.fullmatch(r"(19|20)[0-9]{2}", low) or not re.fullmatch(r"(19|20)[0-9]{2}", high):
            raise Unforeseen(recipe.column, show(found), "a year", recode)
        return f"{low}-01-01" if recipe.target == "year" else f"{low}-12-31", f"{high}-12-31"
    if recipe.target == "age" and not (low and high):
        end, key = ("upper", "most") if low else ("lower", "least")
        needed = f"a range with both ends, for {show(found)} has no {end} one"
        raise Unforeseen(
            recipe.column, show(found), needed, f"add to {recipe.where}: {key}: NUMBER, or recode the value"
        )
    return low, high


def _one(plan: Plan, table: str, recipe: Recipe, found: str) -> str:
    """One value, recoded: held against what its column allows, as far as a map can hint it."""
    spec = field_of(table, recipe.target)
    recode = _recode(recipe, found)
    if not found:
        if spec.required:
            raise Unforeseen(
                recipe.column, "nothing", f"a value for {spec.name}", f"{recode}, or leave the rows out by `where`"
            )
        return ""
    if recipe.target == "interviewee" and not re.search("[0-9]", found):  # a name would be printed on every page
        hint = "leave interviewee out of the map, and rows are numbered"
        raise Unforeseen(recipe.column, show(found), "an identifier of the form tool, which has a digit", hint)
    if spec.enum and found not in spec.enum:
        raise Unforeseen(recipe.column, show(found), f"one of {', '.join(spec.enum)}", recode)
    if spec.type == "date":
        iso = day(found, recipe.date)
        if iso is None:
            hint = f'add to {recipe.where}: date: "%d/%m/%Y" (day, month, year, as the export has them)'
            if recipe.date:
                hint = f"it is not of the form {recipe.date}; {_recode(recipe, found).replace('…', 'YYYY-MM-DD')}"
            raise Unforeseen(recipe.column, show(found), "a date", hint)
        return iso
    if _is_place(table, recipe.target):
        return place_row(plan, recipe.column, found)[0]
    return recipe.prefix + (ungrouped(found, recipe.thousands) if spec.type in ("integer", "number") else found)


def place_row(plan: Plan, column: str, found: str) -> tuple[str, dict[str, str]]:
    """The identifier of a place that an answer names, and its row."""
    name, entry = found, plan.places.get(found)
    if isinstance(entry, str) and entry:  # another spelling of a place
        name, entry = tidy(entry), plan.places.get(tidy(entry))
    if not isinstance(entry, Mapping):
        alike = {name.casefold(): name for name in plan.places}
        near = difflib.get_close_matches(found.casefold(), alike, n=1, cutoff=0.8)
        known = vocabulary("gazetteer").get(found, {})
        country, precision = known.get("country", "…"), known.get("precision", "…")
        raise Unforeseen(
            column,
            show(found),
            "a place that the map describes",
            f"add to places: {quoted(found)}: {{country: {country}, precision: {precision}}}"
            + (f"; or, if it is the same place, {quoted(found)}: {quoted(alike[near[0]])}" if near else ""),
        )
    place = entry.get("place") or slug(name)
    if not place:
        hint = f"add an identifier to places.{name}, such as place: city-1"
        raise Unforeseen(column, show(found), "a name to make an identifier of", hint)
    rest = {key: entry.get(key, "") for key in ("country", "latitude", "longitude", "precision")}
    return place, {"place": place, "name": entry.get("name") or name, **rest}


def _places(plan: Plan, filled: Filled, gathered: Gathered) -> dict[str, list[Line]]:
    """The table of the places that legs name, in the order they are first named."""
    made: dict[str, Line] = {}
    names = {place: name for name in plan.places for place in [_id_of(plan, name)] if place}
    answers = [
        (line, line.cells.get(c, ""), c) for line in filled.tables.get("legs", []) for c in ("from_place", "to_place")
    ]
    for line, place, column in answers:
        if place and place not in made:
            made[place] = Line(
                place_row(plan, "", names[place])[1], line.file, line.row, {"name": line.source.get(column, "")}
            )
    if plan.collected_at:
        try:
            place, cells = place_row(plan, "collected_at", plan.collected_at)
            filled.report["collected_at"] = place
            made.setdefault(place, Line(cells, plan.file, 0))
        except Unforeseen as wrong:
            gathered.add(Sheet(plan.file, (), ()), 0, wrong)
    spelt = Counter(_id_of(plan, name) for name, entry in plan.places.items() if isinstance(entry, Mapping))
    for place, times in spelt.items():
        if place and times > 1:
            hint = "give one of them a place: of its own, or write the other's name for another spelling"
            double = Unforeseen("places", f"{show(place)} for {times} names", "an identifier for each place", hint)
            gathered.add(Sheet(plan.file, (), ()), 0, double)
    return {"places": list(made.values())} if made else {}


def _id_of(plan: Plan, name: str) -> str:
    try:
        return place_row(plan, "", name)[0]
    except Unforeseen:
        return ""


def _owners(
    table: TablePlan, sheets: Mapping[str, Sheet], people: Mapping[int, str], gathered: Gathered
) -> dict[int, str]:
    """The interviewee whose legs a row tells, by row: the person of that row, or of the row that its parent names."""
    if not table.parent:
        return dict(people)
    main, sheet = sheets[""], sheets[table.sheet]
    by_key: dict[str, int] = {}
    for row, cells in main.rows:
        key = cells.get(table.key, "")
        if key in by_key:
            gathered.add(main, row, Unforeseen(table.key, f"{show(key)} again", "a different key in every row"))
        by_key[key] = row
    owners = {}
    for row, cells in sheet.rows:
        parent = cells.get(table.parent, "")
        if not parent or parent not in by_key:
            needed = f"a value of {table.key} in {main.file}"
            gathered.add(sheet, row, Unforeseen(table.parent, show(parent or None), needed))
        elif by_key[parent] in people:
            owners[row] = people[by_key[parent]]
    return owners


def _numbered(lines: list[Line], owners: Mapping[int, str]) -> Iterator[Line]:
    """Legs with the interviewee they are of, numbered in their order."""
    counted: Counter[str] = Counter()
    for line in lines:
        person = owners[line.row]
        counted[person] += 1
        cells = {**line.cells, "interviewee": person, "leg": str(counted[person])}
        yield Line(cells, line.file, line.row, line.source)
