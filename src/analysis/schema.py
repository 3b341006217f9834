"""The columns of an edition's tables, as defined by the Table Schemas in ``data/schemas/*.json``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
"""The checkout: chapters, data and schemas lie beside the package."""

TABLES = ("interviewees", "legs", "places", "destinations", "statements", "evidence", "paragraphs", "settlements")

GROUPS = ("interviewees", "arrivals", "residents", "volunteers", "officials", "places")
"""Whom or what a statement may be about, besides single interviewees."""

OTHERS = GROUPS[1:]
"""Groups of which the interviewees are at most a small part: statements about them are shown at any `minimum_cell`."""

LONGEST_TEXT = 5000
"""The most characters of a cell; more is neither a label nor a note."""

MONTH_AND_DAY = (
    "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8])"
)
LEAP_DAY = "(?:19(?:0[48]|[2468][048]|[13579][26])|20(?:[02468][048]|[13579][26]))-02-29"
DATE = f"(?:19|20)[0-9]{{2}}-(?:{MONTH_AND_DAY})|{LEAP_DAY}"
"""Matches the days that exist, of this century or the last, in the regular expressions of every engine."""

YEAR_TO_DAY = f"[0-9]{{4}}(?:-(?:0[1-9]|1[0-2]))?|[0-9]{{4}}-(?:{MONTH_AND_DAY})|{DATE}"
"""Matches a year, a month or a day that exists."""

PATTERNS = {
    "integer": ("[+-]?[0-9]{1,15}", "a whole number"),
    "number": (r"[+-]?[0-9]{1,15}(?:\.[0-9]+)?", "a number in digits, with a point"),
    "boolean": ("true|false", "true or false"),
    "date": (DATE, "a date as YYYY-MM-DD, of this century or the last"),
}


@dataclass(frozen=True)
class Field:
    """One column: its type and what its values must satisfy."""

    name: str
    type: str = "string"
    title: str = ""
    description: str = ""
    required: bool = False
    unique: bool = False
    enum: tuple[str, ...] = ()
    pattern: str = ""
    minimum: float | None = None
    maximum: float | None = None
    evidence: bool = True
    """Whether a value needs evidence of its own."""


@dataclass(frozen=True)
class Schema:
    """One table: its columns in order, its key, and its references to other tables."""

    name: str
    title: str
    description: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    references: tuple[tuple[str, str, str], ...]
    """Column, the table that it refers to, the column there."""

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    @property
    def coded(self) -> tuple[str, ...]:
        """The columns whose values need evidence: all but the key, the coder's note, and what another column proves.

        >>> schema("legs").coded
        ('status', 'from_place', 'to_place', 'mode', 'departed', 'nights_waited')
        """
        fields = schema(self.name).fields
        return tuple(each.name for each in fields if each.evidence and each.name not in (*self.key, "note"))

    def described(self, embedded: object = None, columns: Iterable[str] | None = None) -> Schema:
        """The schema with an edition's own columns last: those among ``columns``, or all that its embedded schema adds.

        They are typed and described by the embedded schema; a column that is not in it is text.
        """
        own = {
            each["name"]: Field(each["name"], str(each.get("type", "string")), "", str(each.get("description", "")))
            for each in own_fields(self.name, embedded)
        }
        known = {name.casefold() for name in self.columns} | {"_row", ""}
        names = own if columns is None else [name for name in dict.fromkeys(columns) if name.casefold() not in known]
        return replace(self, fields=(*self.fields, *(own.get(name, Field(name)) for name in names)))


@cache
def raw(name: str) -> dict[str, Any]:
    """The content of a JSON file in ``data/schemas``."""
    loaded: dict[str, Any] = json.loads((ROOT / "data" / "schemas" / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


@cache
def schema(name: str) -> Schema:
    """The schema of one of `TABLES`.

    >>> schema("legs").key, schema("interviewees").columns[:3]
    (('interviewee', 'leg'), ('interviewee', 'counted', 'age_min'))
    """
    spec, fields = raw(name), []
    for field in spec["fields"]:
        limits = {"enum": (), **field.get("constraints", {}), "evidence": field.get("evidence", True)}
        said = {key: field[key] for key in ("name", "type", "title", "description")}
        fields.append(Field(**said, **limits | {"enum": tuple(limits["enum"])}))
    keys = [(key["fields"], key["reference"]) for key in spec.get("foreignKeys", ())]
    references = tuple((column, there["resource"], there["fields"]) for column, there in keys)
    return Schema(name, spec["title"], spec["description"], tuple(fields), tuple(spec["primaryKey"]), references)


def own_fields(table: str, embedded: object) -> list[dict[str, Any]]:
    """The fields that an edition's embedded schema adds to those of a table; it may be any JSON."""
    fields = embedded.get("fields") if isinstance(embedded, dict) else None
    named = [each for each in fields if isinstance(each, dict)] if isinstance(fields, list) else []
    return [each for each in named if isinstance(each.get("name"), str) and each["name"] not in schema(table).columns]


def with_own_fields(table: str, embedded: object) -> dict[str, Any]:
    """The Table Schema of a table, with the fields last that an edition's embedded schema adds."""
    return {**raw(table), "fields": [*raw(table)["fields"], *own_fields(table, embedded)]}


@cache
def vocabulary(name: str) -> dict[str, dict[str, str]]:
    """The rows of a vocabulary in ``data/vocabularies``, by their first column."""
    import csv

    with (ROOT / "data" / "vocabularies" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return {next(iter(row.values())): row for row in csv.DictReader(file)}


@cache
def countries() -> dict[str, str]:
    """Names of countries as readers know them, by ISO 3166-1 alpha-3 code."""
    import iso3166

    short = {code: row["name"] for code, row in vocabulary("country-names").items()}
    return {country.alpha3: short.get(country.alpha3, country.name) for country in iso3166.countries}


def country_name(code: str) -> str:
    """The name of a present or former country; any other code stays as it is.

    >>> country_name("KAZ"), country_name("YUG"), country_name("XXX")
    ('Kazakhstan', 'Yugoslavia', 'XXX')
    """
    return countries().get(code) or vocabulary("former-countries").get(code, {}).get("name", code)


def needed(kind: str) -> str:
    """What a cell of a type must hold, for an error."""
    return PATTERNS[kind][1] if kind in PATTERNS else f"text of {LONGEST_TEXT:,} characters or fewer"


def is_date(text: object) -> bool:
    """Whether a text is a day that exists, as YYYY-MM-DD."""
    return re.fullmatch(DATE, str(text)) is not None
