"""Maps: which column of an export fills which column of a table, and how its values are recoded.

Pure: what a YAML file holds in, a plan and everything that is wrong with it out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from analysis.new.answers import named, tells_dates, tidy
from analysis.schema import Field, schema
from parabook.errors import Problem, nearest, show

IMPORTED: Final = ("interviewees", "legs", "destinations", "statements")
"""The tables whose rows an export can fill. Places follow from the names that legs give."""

PREFIXES: Final = {"interviewees": "p", "destinations": "f", "statements": "s"}
"""What an identifier made from the row of the export begins with, unless the map says otherwise."""

PAIRS: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "interviewees": {"age": ("age_min", "age_max")},
    "destinations": {
        "number": ("low", "high"),
        "year": ("window_start", "window_end"),  # what happened in a year
        "end_of_year": ("window_start", "window_end"),  # what stood on its last day
    },
}
"""One answer that fills two columns: its lower and its upper bound."""

PLACE_KEYS: Final = ("country", "precision", "latitude", "longitude", "place", "name")
MAP_KEYS: Final = ("sheet", "header", "delimiter", "collected_at", "tables", "places", "highlights")
TABLE_KEYS: Final = ("columns", "each", "where", "sheet", "parent", "key")
RECIPE_KEYS: Final = ("column", "values", "constant", "rows", "prefix", "choices", "several", "date", "least", "most",
                      "thousands", "rest")  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """How one column of a table, or a pair of them, is filled."""

    target: str
    where: str
    """Its place in the map."""
    column: str = ""
    values: Mapping[str, str] | None = None
    constant: str | None = None
    rows: str | None = None
    prefix: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    several: str | None = None
    date: str = ""
    least: str = ""
    most: str = ""
    thousands: str = ""
    rest: str = ""
    """``keep``: what ``values`` does not list is copied as it stands."""

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns of the export that it looks at."""
        return (self.column,) if self.column else tuple(self.choices)


@dataclass(frozen=True)
class TablePlan:
    """How one table is filled: common columns, and groups of columns that each make a row of their own."""

    name: str
    columns: tuple[Recipe, ...]
    each: tuple[tuple[Recipe, ...], ...] = ()
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sheet: str = ""
    parent: str = ""
    key: str = ""

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        return self.columns + tuple(recipe for group in self.each for recipe in group)


@dataclass(frozen=True)
class Plan:
    """A map, read and found sound in itself."""

    file: str
    tables: tuple[TablePlan, ...]
    places: Mapping[str, Mapping[str, str] | str]
    sheet: str = ""
    header: int = 1
    delimiter: str = ""
    collected_at: str = ""
    highlights: Mapping[str, Any] = field(default_factory=dict)


class _Reader:
    """A map's parts, each looked at once; what is wrong gathers in ``problems``."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def wrong(self, where: str, found: str, needed: str, hint: str = "") -> None:
        self.problems.append(Problem(self.file, found, needed, hint, column=where or None))

    def section(self, given: object, where: str, keys: Iterable[str] = ()) -> dict[str, Any]:
        """A mapping whose keys, if told, are known."""
        if given in ("", None):
            return {}
        if not isinstance(given, dict):
            self.wrong(where, show(given if isinstance(given, str) else "a list"), "names with values below them")
            return {}
        keys = tuple(keys)
        for key in given:
            if not isinstance(key, str):
                self.wrong(where, "no name before a colon", "a name", 'write "" for a blank cell')
            elif keys and key not in keys:
                self.wrong(where, show(key), f"one of {', '.join(keys)}", nearest(key, keys))
        return {key: value for key, value in given.items() if isinstance(key, str) and (not keys or key in keys)}

    def text(self, given: object, where: str) -> str:
        if isinstance(given, str):
            return given
        nothing = given is None
        hint = 'write "" for a blank cell' if nothing else ""
        self.wrong(where, "nothing" if nothing else "a list or further names", "one value", hint)
        return ""

    def words(self, given: object, where: str) -> dict[str, str]:
        return {tidy(key): self.text(value, f"{where}.{key}") for key, value in self.section(given, where).items()}

    def recipe(self, table: str, target: str, given: object, where: str) -> Recipe | None:
        where = f"{where}.{target}"
        known = (*schema(table).columns, *PAIRS.get(table, {}))
        if target not in known:
            self.wrong(where, show(target), f"a column of {table}: {', '.join(known)}", nearest(target, known))
            return None
        if isinstance(given, str):
            given = {"column": given}
        entry = self.section(given, where, RECIPE_KEYS)
        ways = [key for key in ("column", "constant", "rows", "choices") if key in entry]
        if len(ways) != 1:
            self.wrong(where, " and ".join(ways) or "no source", "one of column, constant, rows, choices")
            return None
        plain: dict[str, str] = {
            key: self.text(entry[key], f"{where}.{key}")
            for key in ("constant", "rows", "prefix", "several", "date", "least", "most", "thousands", "rest")
            if key in entry
        }
        for key in ("least", "most"):
            if plain.get(key) and not re.fullmatch("[0-9]{1,9}", plain[key]):
                self.wrong(f"{where}.{key}", show(plain[key]), "a whole number")
        if plain.get("date") and not tells_dates(plain["date"]):
            self.wrong(f"{where}.date", show(plain["date"]), "a form of dates such as %d/%m/%Y")
        if plain.get("rest", "keep") != "keep":
            self.wrong(f"{where}.rest", show(plain["rest"]), "keep, or leave it out")
        column = named(self.text(entry.get("column", ""), f"{where}.column"))
        if ways == ["column"] and not column:
            self.wrong(where, "no column", "the name of a column of the export")
            return None
        values = self.words(entry["values"], f"{where}.values") if "values" in entry else None
        choices = {named(key): value for key, value in self.words(entry.get("choices", {}), f"{where}.choices").items()}
        recipe = Recipe(target, where, column, values, choices=choices, **plain)
        self.allowed(table, recipe)
        return recipe

    def allowed(self, table: str, recipe: Recipe) -> None:
        """Whether the values that a recipe gives by itself are ones that the column takes."""
        enum = () if recipe.target in PAIRS.get(table, {}) else field_of(table, recipe.target).enum
        gives = {"constant": recipe.constant, "several": recipe.several}
        gives |= {f"values.{key}": value for key, value in (recipe.values or {}).items()}
        gives |= {f"choices.{key}": value for key, value in recipe.choices.items()}
        for key, value in gives.items():
            if enum and value and value not in enum:
                self.wrong(f"{recipe.where}.{key}", show(value), f"one of {', '.join(enum)}", nearest(value, enum))

    def group(self, table: str, given: object, where: str) -> tuple[Recipe, ...]:
        found = (self.recipe(table, key, value, where) for key, value in self.section(given, where).items())
        return tuple(recipe for recipe in found if recipe)

    def table(self, name: str, given: object) -> TablePlan:
        where = f"tables.{name}"
        entry = self.section(given, where, TABLE_KEYS)
        columns = self.group(name, entry.get("columns", {}), f"{where}.columns")
        groups = entry.get("each", [])
        if not isinstance(groups, list):
            self.wrong(f"{where}.each", "no list", "a list of groups of columns, each beginning with a hyphen")
            groups = []
        each = tuple(self.group(name, group, f"{where}.each[{n}]") for n, group in enumerate(groups, 1))
        only = {}
        for column, wanted in self.section(entry.get("where", {}), f"{where}.where").items():
            several = wanted if isinstance(wanted, list) else [wanted]
            only[named(column)] = tuple(tidy(self.text(value, f"{where}.where.{column}")) for value in several)
        plain = {key: self.text(entry[key], f"{where}.{key}") for key in ("sheet", "parent", "key") if key in entry}
        plain |= {key: named(plain[key]) for key in ("parent", "key") if key in plain}
        plan = TablePlan(name, columns, each, only, **plain)
        self.whole(plan, where)
        return plan

    def whole(self, plan: TablePlan, where: str) -> None:
        """Whether every column that may not be blank is filled, and none twice."""
        spec = schema(plan.name)
        own = {*spec.key[-1:], "interviewee"} if plan.name in ("legs", *PREFIXES) else set()
        for group in plan.each or ((),):
            targets = [part for recipe in plan.columns + group for part in parts(plan.name, recipe.target)]
            for twice in sorted({target for target in targets if targets.count(target) > 1}):
                self.wrong(where, f"{twice} filled twice", "each column once")
            for needed in spec.fields:
                if needed.required and needed.name not in targets and needed.name not in own:
                    example = f"{{constant: {needed.enum[0]}}}" if needed.enum else "a column or a constant"
                    self.wrong(
                        where, f"no {needed.name}", "it, as it may not be blank", f"add {needed.name}: {example}"
                    )
        if bool(plan.parent) != bool(plan.key):
            self.wrong(where, "one of parent and key", "both, to tell whose each row is")


def read_plan(given: object, file: str) -> tuple[Plan, list[Problem]]:
    """A map as a plan, and everything that is wrong with it in itself.

    Parameters
    ----------
    given : object
        What the YAML file holds: mappings, lists and text, no other types.
    file : str
        The name to show.

    Examples
    --------
    >>> plan, problems = read_plan({"tables": {"interviewees": {"columns": {"gendr": "sex"}}}}, "map.yml")
    >>> print(problems[0])
    map.yml, column tables.interviewees.columns.gendr: found 'gendr', needed a column of interviewees: interviewee, counted, age_min, age_max, gender, profession, isco08, age; did you mean 'gender'?
    """
    reader = _Reader(file)
    top = reader.section(given, "", MAP_KEYS)
    tables = reader.section(top.get("tables", {}), "tables", IMPORTED)
    highlights = reader.section(top.get("highlights", {}), "highlights")
    if not tables and not highlights:
        reader.wrong("tables", "nothing", f"at least one of {', '.join(IMPORTED)}", "say which columns fill them")
    plans = tuple(reader.table(name, tables[name]) for name in IMPORTED if name in tables)
    if "legs" in tables and "interviewees" not in tables:
        reader.wrong("tables.legs", "legs without interviewees", "interviewees as well, for a leg is somebody's")
    places: dict[str, Mapping[str, str] | str] = {}
    for name, entry in reader.section(top.get("places", {}), "places").items():
        where = f"places.{name}"
        places[tidy(name)] = (
            entry
            if isinstance(entry, str)
            else {
                key: reader.text(value, f"{where}.{key}")
                for key, value in reader.section(entry, where, PLACE_KEYS).items()
            }
        )
    header = reader.text(top.get("header", "1"), "header")
    if not re.fullmatch("[1-9][0-9]{0,3}", header):
        reader.wrong("header", show(header), "the number of the row that names the columns")
        header = "1"
    plain = {key: reader.text(top.get(key, ""), key) for key in ("sheet", "delimiter", "collected_at")}
    if plain["delimiter"] not in ("", ",", ";", "\t", "|"):
        reader.wrong("delimiter", show(plain["delimiter"]), 'one of "," ";" "|" "\\t"')
    plain["collected_at"] = tidy(plain["collected_at"])
    if highlights and plain["collected_at"]:
        hint = "let a tag say it: report: {collected_at: PLACE}"
        reader.wrong("collected_at", "it beside highlights", "its evidence as well", hint)
    return Plan(file, plans, places, header=int(header), highlights=highlights, **plain), reader.problems


@cache
def field_of(table: str, column: str) -> Field:
    """A column of a table, as its schema defines it."""
    return next(field for field in schema(table).fields if field.name == column)


def parts(table: str, target: str) -> tuple[str, ...]:
    return PAIRS.get(table, {}).get(target, (target,))
