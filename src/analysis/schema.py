"""The columns of an edition's tables, read from ``data/schemas/*.json`` (Table Schema), their only definition."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
"""The checkout: chapters, data and schemas lie beside the package."""

SCHEMAS = ROOT / "data" / "schemas"
VOCABULARIES = ROOT / "data" / "vocabularies"

TABLES = ("interviewees", "legs", "places", "destinations", "statements", "evidence", "paragraphs", "settlements")


@dataclass(frozen=True)
class Field:
    """One column: its type and what its values must satisfy."""

    name: str
    type: str
    title: str
    description: str
    required: bool = False
    unique: bool = False
    enum: tuple[str, ...] = ()
    pattern: str = ""
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class Schema:
    """One table: its columns in order, its key, and where its references lead."""

    name: str
    title: str
    description: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    references: tuple[tuple[str, str, str], ...]
    """(column, table it refers to, column there)"""

    own: tuple[Field, ...] = ()
    """Columns that an edition's embedded schema adds; in `fields` as soon as a file has them."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that every table of this kind has."""
        return tuple(field.name for field in self.fields)

    @property
    def coded(self) -> tuple[str, ...]:
        """The columns whose values need evidence: all but the key and the coder's own note.

        Examples
        --------
        >>> schema("legs").coded
        ('status', 'from_place', 'to_place', 'mode', 'departed', 'nights_waited')
        """
        return tuple(column for column in schema(self.name).columns if column not in (*self.key, "note"))

    def with_text(self, columns: Iterable[str]) -> Schema:
        """The schema of a file: its further columns come last, as text unless the edition's own schema types them.

        Examples
        --------
        >>> [field.type for field in schema("legs", own={"fields": [{"name": "price", "type": "number"}]})
        ...     .with_text(["interviewee", "price", "mood"]).fields][-2:]
        ['number', 'string']
        """
        known = {name.casefold() for name in self.columns} | {"_row", ""}
        typed = {field.name: field for field in self.own}
        further = []
        for name in columns:
            if name.casefold() not in known:
                known.add(name.casefold())
                further.append(typed.get(name, Field(name, "string", name, "")))
        return replace(self, fields=(*self.fields, *further))


@cache
def raw(name: str) -> dict[str, Any]:
    """The Table Schema of a table, as it stands in ``data/schemas``."""
    loaded: dict[str, Any] = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def schema(name: str, own: object = None) -> Schema:
    """The schema of one of `TABLES`, and beside it the columns that an edition's embedded schema adds.

    Examples
    --------
    >>> schema("legs").key
    ('interviewee', 'leg')
    >>> schema("interviewees").columns[:3]
    ('interviewee', 'counted', 'age_min')
    """
    shared = _schema(name)
    if own is None:
        return shared
    further = [field for field in with_own_fields(name, own)["fields"] if field["name"] not in shared.columns]
    typed = (Field(each["name"], str(each.get("type", "string")), each["name"], "") for each in further)
    return replace(shared, own=tuple(typed)) if further else shared


@cache
def _schema(name: str) -> Schema:
    spec = raw(name)
    fields = []
    for field in spec["fields"]:
        limits = dict(field.get("constraints", {}))
        limits["enum"] = tuple(limits.get("enum", ()))
        fields.append(Field(field["name"], field["type"], field["title"], field["description"], **limits))
    references = tuple(
        (key["fields"], key["reference"]["resource"], key["reference"]["fields"]) for key in spec.get("foreignKeys", ())
    )
    return Schema(name, spec["title"], spec["description"], tuple(fields), tuple(spec["primaryKey"]), references)


def with_own_fields(table: str, embedded: object) -> dict[str, Any]:
    """The Table Schema of a table, and after its columns those that an edition's embedded schema adds of its own.

    Examples
    --------
    >>> own = with_own_fields("legs", {"fields": [{"name": "leg"}, {"name": "price", "type": "number"}]})
    >>> [field["name"] for field in own["fields"]][-2:]
    ['nights_waited', 'price']
    """
    shared = raw(table)
    fields = embedded.get("fields") if isinstance(embedded, dict) else None
    known = {field["name"] for field in shared["fields"]}
    own = [
        field
        for field in (fields if isinstance(fields, list) else [])
        if isinstance(field, dict) and isinstance(field.get("name"), str) and field["name"] not in known
    ]
    return {**shared, "fields": [*shared["fields"], *own]}


@cache
def vocabulary(name: str) -> dict[str, dict[str, str]]:
    """A vocabulary of ``data/vocabularies``, by its first column.

    Examples
    --------
    >>> vocabulary("occupations")["lawyer"]["isco08"]
    '2611'
    """
    with (VOCABULARIES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row[next(iter(row))]: row for row in rows}


def country_name(code: str) -> str:
    """The name of a country that is or was; a code that never was stays as it is.

    Examples
    --------
    >>> country_name("KAZ"), country_name("YUG"), country_name("XXX")
    ('Kazakhstan', 'Yugoslavia', 'XXX')
    """
    former = vocabulary("former-countries").get(code, {})
    return countries().get(code) or former.get("name", code)


@cache
def countries() -> dict[str, str]:
    """Names of countries as readers know them, by ISO 3166-1 alpha-3 code.

    Examples
    --------
    >>> countries()["KAZ"], countries()["RUS"]
    ('Kazakhstan', 'Russia')
    """
    import iso3166

    short = {code: row["name"] for code, row in vocabulary("country-names").items()}
    return {country.alpha3: short.get(country.alpha3, country.name) for country in iso3166.countries}
