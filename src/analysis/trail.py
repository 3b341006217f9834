"""From counts to rows to words: the exhibits that let a reader check, and the links between them and results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from analysis import privacy, prose, tabulate
from analysis.coding.agreement import agreement
from analysis.coding.rules import RULES
from analysis.edition import Edition, all_values
from analysis.exhibit import Cell, Exhibit, Link
from analysis.frames import Row, isolated, records
from analysis.schema import TABLES, schema
from analysis.tabulate import NOT_DESCRIBED, Counts

AGE = ("interviewees.age_min", "interviewees.age_max")
PROFESSION = ("interviewees.profession", "interviewees.isco08")
ROUTE = ("legs.to_place", "legs.from_place", "legs.status")
FIGURE = tuple(f"destinations.{column}" for column in schema("destinations").columns[1:10])
SAYS = ("statements.says", "statements.topic", "statements.quantifier")

SHOWN_IN: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "interviewees-by-age": ("interviewees", AGE),
    "interviewees-by-profession": ("interviewees", PROFESSION),
    "age-by-profession": ("interviewees", AGE + PROFESSION),
    "interviewees-described": ("interviewees", (*AGE, "interviewees.gender", *PROFESSION, "interviewees.counted")),
    "one-by-one": ("index", (*AGE, *PROFESSION)),
    "people-not-counted": ("interviewees", ("interviewees.counted",)),
    "interviewees-by-route": ("routes", ROUTE),
    "route-map": ("routes", ROUTE),
    "legs-by-mode": ("routes", ("legs.mode",)),
    "nights-waited": ("routes", ("legs.nights_waited",)),
    "days-to-border": ("routes", ("legs.departed", "report.reference_event.date")),
    "timeline": ("routes", ("legs.departed", "legs.nights_waited", "report.reference_event.date")),
    "interviewees-by-intention": ("destinations", ("legs.to_place", "legs.status")),
    "destinations": ("destinations", FIGURE),
    "statements": ("interviewees", SAYS),
}
"""Each exhibit's chapter and the coded columns it rests on: the links from counts to evidence and back."""

MADE_WITH = ("pandas", "narwhals", "duckdb", "altair", "vl-convert-python", "papermill", "nbclient", "jupyter-book")
"""The packages that count, draw and assemble."""


def anchor(table: str, key: str, column: str) -> str:
    """The name of an evidence row in the book.

    Examples
    --------
    >>> anchor("legs", "i02.1", "mode")
    'evidence-legs-i02.1-mode'
    """
    return f"evidence-{table}-{key}-{column}"


def proof(edition: Edition, exhibit: str, key: str) -> Link:
    """A row's key, leading to the first evidence of a column that the exhibit rests on, or to the row's own."""
    wanted = [column.split(".", 1) for column in SHOWN_IN[exhibit][1]]
    for name, column in [*wanted, (wanted[0][0], ""), ("interviewees", "")]:
        for place in edition.evidence:
            if place[0] == name and (place[1] == key or place[1].startswith(f"{key}.")) and column in ("", place[2]):
                return Link(key, f"evidence.html#{anchor(*place)}")
    return Link(key, "")


def with_proof(edition: Edition, exhibit: str, counts: Counts) -> tuple[Mapping[str, Cell], ...]:
    """The rows of a table of counts, with a last column that leads to what stands behind each count."""
    rows: list[Mapping[str, Cell]] = []
    number = ("report", "report", "declared_interviewees")
    for row, keys, state in zip(records(counts.frame), counts.who, counts.states, strict=True):
        links = tuple(proof(edition, exhibit, key) for key in keys)
        if state == NOT_DESCRIBED and number in edition.evidence:
            links = (Link("the number the source gives", f"evidence.html#{anchor(*number)}"),)
        rows.append(row | ({"rows behind it": links} if any(counts.who) else {}))
    return tuple(rows)


def keyed(edition: Edition, exhibit: str, frame: pd.DataFrame) -> tuple[Mapping[str, Cell], ...]:
    """Rows whose first cell, a key, leads to its evidence."""
    first = frame.columns[0]
    return tuple({**row, first: (proof(edition, exhibit, row[first]),)} for row in records(frame))


def source(edition: Edition) -> str:
    """The line under every exhibit: where its rows come from."""
    titles = [str(entry.get("title") or "") for entry in edition.package.get("sources", [])]
    return f"Source: {'; '.join(map(isolated, filter(None, titles))) or 'not named'}. Coded as the codebook says."


def evidence(edition: Edition, table: str) -> Exhibit:
    """Exhibit ``evidence-<table>``: every coded value of a table with the words it rests on."""
    if table in privacy.PEOPLE and edition.report.minimum_cell > 1:
        return _withheld(edition, f"evidence-{table}", f"Evidence for table {table}.")
    values = all_values(edition.tables, edition.report)
    places = [place for place in edition.evidence if place[0] == table]
    frame = pd.DataFrame(
        [
            (key, column, values[name, key, column], *(row[part] for part in ("exact", "paragraph", "basis", "note")))
            for (name, key, column) in places
            for row in [edition.evidence[name, key, column]]
        ],
        columns=["row", "column", "value", "words of the source", "paragraph", "basis", "rule or reason"],
    )
    view: tuple[Mapping[str, Cell], ...] = tuple(
        {
            "value": f"{row['row']} {row['column']}: {isolated(row['value'])}",
            "words of the source": f"“{isolated(row['words of the source'])}”, paragraph {row['paragraph']}",
            "why": ": ".join(filter(None, [row["basis"], isolated(row["rule or reason"])])),
            "shown in": shown_in(edition, table, row),
        }
        for row in records(frame)
    )
    bases = frame["basis"].value_counts()
    told = tabulate.listed([f"{bases[basis]:,} {basis}" for basis in ("stated", "derived", "judged") if basis in bases])
    anchors = tuple((anchor(*place),) for place in places)
    finding = f"{prose.plural(len(frame), 'value')}: {told}."
    return Exhibit(f"evidence-{table}", f"Evidence for table {table}.", frame, finding, source(edition), view, anchors)


def _withheld(edition: Edition, id_: str, caption: str) -> Exhibit:
    """In place of an exhibit that would tell of people one by one."""
    return Exhibit(id_, caption, pd.DataFrame(), privacy.promise(edition.report.minimum_cell), source(edition))


def shown_in(edition: Edition, table: str, row: Row) -> tuple[Link, ...]:
    """The exhibits that a coded value stands behind; people who are not counted stand in one only."""
    person = row["row"].split(".")[0] if table in ("interviewees", "legs") else ""
    left_out = bool(person) and person not in edition.counted
    return tuple(
        Link(exhibit.replace("-", " "), f"{chapter}.html#exhibit-{exhibit}")
        for exhibit, (chapter, columns) in SHOWN_IN.items()
        if f"{table}.{row['column']}" in columns and left_out == (exhibit == "people-not-counted")
    )


def coded_tables(edition: Edition) -> list[str]:
    """The tables that evidence speaks of, the report object first."""
    found = {place[0] for place in edition.evidence}
    return [name for name in ("report", *TABLES) if name in found]


def two_codings(edition: Edition) -> Exhibit:
    """Exhibit ``agreement``: how far two codings agree, column by column."""
    # How many values are blank is how many people of whom nothing is told.
    if edition.report.minimum_cell > 1 and edition.second:
        return _withheld(edition, "agreement", "Agreement of the two codings, by column.")
    table = agreement(edition.text, edition.second_text, edition.text.get("settlements"))
    alike, compared, blank = (int(table[column].sum()) for column in ("alike", "values", "blank in both"))
    return Exhibit(
        "agreement",
        "Agreement of the two codings, by column.",
        table,
        f"{alike:,} of {prose.plural(compared, 'value')} coded alike; {blank:,} of them blank in both."
        if compared
        else "There is one coding.",
        source(edition),
        notes=(
            "Alpha is Krippendorff's, nominal; a blank is a coding of its own. One is perfect agreement, nought what "
            "chance would give; of a handful of values it says little, and of values all alike nothing.",
        ),
        absent=not compared,
    )


def settlements(edition: Edition) -> Exhibit:
    """Exhibit ``settlements``: each difference or warning of the second coder, and the ruling."""
    if edition.report.minimum_cell > 1 and "settlements" in edition.tables:
        return _withheld(edition, "settlements", "Differences and doubts, settled.")
    columns = schema("settlements").columns
    table = edition.text.get("settlements", pd.DataFrame(columns=columns))[list(columns)]
    differ = int((table["first"] != table["second"]).sum())
    doubts = prose.plural(len(table) - differ, "doubt")
    finding = f"{prose.plural(differ, 'value')} coded differently; {doubts} settled though coded alike."
    absent = "settlements" not in edition.tables
    return Exhibit("settlements", "Differences and doubts, settled.", table, finding, source(edition), absent=absent)


def rules() -> Exhibit:
    """Exhibit ``rules``: the named rules that derived values are computed with again."""
    rows = [(name, (rule.__doc__ or "").strip()) for name, rule in RULES.items()]
    table = pd.DataFrame(rows, columns=["rule", "what it says"])
    finding = f"{prose.plural(len(rows), 'rule')}, each applied again at every verification."
    return Exhibit("rules", "Named rules of derivation.", table, finding, "Source: the program.")


def dictionary(table: str) -> Exhibit:
    """Exhibit ``dictionary-<table>``: the columns of a table, from its schema."""
    spec = schema(table)
    rows = [
        (
            field.name,
            field.type,
            "yes" if field.required else "no",
            field.description.replace("`", ""),
            ", ".join(field.enum),
        )
        for field in spec.fields
    ]
    frame = pd.DataFrame(rows, columns=["column", "type", "required", "meaning", "allowed values"])
    finding = f"{prose.plural(len(rows), 'column')}; key: {', '.join(spec.key)}."
    caption = f"{spec.title}: {spec.description}"
    return Exhibit(f"dictionary-{table}", caption, frame, finding, f"Source: data/schemas/{table}.json.")


def known_tables(edition: Edition) -> list[str]:
    """The tables this edition has, in the order of the design."""
    return [name for name in TABLES if name in edition.tables]


def inputs(edition: Edition) -> Exhibit:
    """Exhibit ``inputs``: every file of the edition by its hash."""
    if edition.report.minimum_cell > 1:  # with a hash at hand a guess at a small table can be proved
        return _withheld(edition, "inputs", "Files of the edition.")
    table = pd.DataFrame(list(edition.hashes().items()), columns=["file", "SHA-256"])
    return Exhibit(
        "inputs",
        "Files of the edition.",
        table,
        f"{prose.plural(len(table), 'file')}.",
        "Source: the edition's folder.",
    )


def versions() -> Exhibit:
    """Exhibit ``versions``: what the numbers and charts were made with."""
    table = pd.DataFrame([(name, version(name)) for name in MADE_WITH], columns=["package", "version"])
    finding = f"{prose.plural(len(table), 'package')}; the full list with hashes is requirements.txt."
    return Exhibit("versions", "Versions of what counts and draws.", table, finding, "Source: the installed packages.")


def parameters(overrides: str, values: str) -> Exhibit:
    """Exhibit ``parameters``: the value of every chapter's parameter, and which of them the build was given."""
    given = json.loads(overrides) if overrides else {}
    rows = [
        (name, str(value), "given" if name in given else "default")
        for name, value in json.loads(values or "{}").items()
    ]
    table = pd.DataFrame(rows, columns=["parameter", "value", "from"])
    told = (
        f"{len(given):,} of {prose.plural(len(rows), 'parameter')} given."
        if rows
        else "This chapter was run by itself."
    )
    return Exhibit("parameters", "Parameters of the chapters.", table, told, "Source: the command and the chapters.")


def command(edition: str, overrides: str = "") -> str:
    """The command that makes the book.

    Examples
    --------
    >>> command("oral-2022", '{"age_bands": "18,30"}')
    'analysis build oral-2022 -p age_bands=18,30'
    """
    import shlex

    given = json.loads(overrides) if overrides else {}
    options = [part for name, value in given.items() for part in ("-p", f"{name}={value}")]
    return shlex.join(["analysis", "build", Path(edition).name, *options])
