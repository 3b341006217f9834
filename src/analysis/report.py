"""The report's exhibits and sentences: what chapters call, one call a question. Joins counts, prose and charts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import narwhals as nw
import pandas as pd

from analysis import charts, prose, tabulate
from analysis.agreement import agreement
from analysis.edition import Edition, load
from analysis.exhibit import Cell, Exhibit, Link, glue
from analysis.frames import Row, records
from analysis.rules import RULES
from analysis.schema import TABLES, schema
from analysis.tabulate import Counts

__all__ = ["glue", "load"]

AGE = ("interviewees.age_min", "interviewees.age_max")
PROFESSION = ("interviewees.profession", "interviewees.isco08")
ROUTE = ("legs.to_place", "legs.from_place", "legs.status")
FIGURE = tuple(
    f"destinations.{column}"
    for column in (
        "countries",
        "includes_others",
        "measure",
        "low",
        "high",
        "quantifier",
        "window_start",
        "window_end",
        "stated_by",
    )
)

MADE_WITH = (
    "pandas",
    "narwhals",
    "duckdb",
    "altair",
    "vl-convert-python",
    "papermill",
    "nbclient",
    "jupyter-book",
    "sphinx",
)
"""The packages that count and draw."""

SHOWN_IN: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "interviewees-by-age": ("interviewees", AGE),
    "interviewees-by-profession": ("interviewees", PROFESSION),
    "age-by-profession": ("interviewees", AGE + PROFESSION),
    "interviewees-described": (
        "interviewees",
        (*AGE, "interviewees.gender", *PROFESSION, "interviewees.counted"),
    ),
    "people-not-counted": ("interviewees", ("interviewees.counted",)),
    "interviewees-by-route": ("routes", ROUTE),
    "legs-by-mode": ("routes", ("legs.mode",)),
    "nights-waited": ("routes", ("legs.nights_waited",)),
    "days-to-border": ("routes", ("legs.departed", "report.reference_event.date")),
    "interviewees-by-intention": ("destinations", ("legs.to_place", "legs.status")),
    "destinations": ("destinations", FIGURE),
    "statements": ("interviewees", ("statements.says", "statements.topic", "statements.quantifier")),
}
"""Each exhibit's chapter and the coded columns it rests on: the links from counts to evidence and back."""


def source(edition: Edition) -> str:
    """The line under every exhibit: where its rows come from."""
    titles = [str(entry.get("title", "")) for entry in edition.package.get("sources", [])]
    return (
        "Source: "
        + (tabulate.listed([f"“{title}”" for title in titles if title]) or "not named")
        + "; coded as the codebook says."
    )


def proof(edition: Edition, exhibit: str, key: str) -> Link:
    """A row's key, leading to the first evidence of a column that the exhibit rests on, or to the row's own."""
    places = edition.evidence_places
    wanted = [column.split(".", 1) for column in SHOWN_IN[exhibit][1]]
    table = wanted[0][0]
    for name, column in [*wanted, (table, ""), ("interviewees", "")]:
        for place in places:
            if place[0] == name and (place[1] == key or place[1].startswith(f"{key}.")) and column in ("", place[2]):
                return Link(key, f"evidence.html#{anchor(*place)}")
    return Link(key, "")


def anchor(table: str, key: str, column: str) -> str:
    """The name of an evidence row in the book.

    Examples
    --------
    >>> anchor("legs", "i02.1", "mode")
    'evidence-legs-i02.1-mode'
    """
    return f"evidence-{table}-{key}-{column}"


def with_proof(edition: Edition, exhibit: str, counts: Counts) -> tuple[Mapping[str, Cell], ...]:
    """The rows of a table of counts, with a last column that leads to those behind each count."""
    rows: list[Mapping[str, Cell]] = []
    for row, keys in zip(records(counts.frame), counts.who, strict=True):
        links = tuple(proof(edition, exhibit, key) for key in keys)
        rows.append({str(name): cell for name, cell in row.items()} | ({"who": links} if any(counts.who) else {}))
    return tuple(rows)


def _of_interviewees(edition: Edition, counts: Counts, id_: str, caption: str, what: str, *notes: str) -> Exhibit:
    description = f"{prose.largest(counts, what)} {prose.spread(counts) if counts.frame.shape[1] == 2 else ''}".strip()
    return Exhibit(
        id=id_,
        caption=f"{caption} Counted: {prose.whom(edition)}.",
        frame=counts.frame,
        description=description,
        source=source(edition),
        view=with_proof(edition, id_, counts),
        notes=notes,
        chart=charts.tallied(counts, description=f"{caption} {description}"),
    )


def interviewees_by_age(edition: Edition, age_bands: str) -> Exhibit:
    """Exhibit ``interviewees-by-age``."""
    counts = tabulate.by_age(
        edition.tables["interviewees"], age_bands=age_bands, declared=edition.report.declared_interviewees
    )
    return _of_interviewees(
        edition,
        counts,
        "interviewees-by-age",
        "Interviewees by age, in years.",
        "age band",
        "An age given as a range is in a band only when the whole range fits.",
    )


def interviewees_by_profession(edition: Edition, level: str) -> Exhibit:
    """Exhibit ``interviewees-by-profession``."""
    counts = tabulate.by_profession(
        edition.tables["interviewees"], level=level, declared=edition.report.declared_interviewees
    )
    caption = (
        "Interviewees by profession."
        if level == "label"
        else f"Interviewees by {level} group of occupations (ISCO-08)."
    )
    note = (
        "Professions are labels of the source; everyone who studies is a student."
        if level == "label"
        else "A profession whose label does not decide its group counts as not stated."
    )
    return _of_interviewees(edition, counts, "interviewees-by-profession", caption, "profession", note)


def age_by_profession(edition: Edition, age_bands: str, level: str) -> Exhibit:
    """Exhibit ``age-by-profession``."""
    counts = tabulate.age_by_profession(
        edition.tables["interviewees"],
        age_bands=age_bands,
        level=level,
        declared=edition.report.declared_interviewees,
    )
    both = counts.of("stated")
    description = f"Profession and age are both stated of {both:,} of {counts.total:,}; the rest lack one or both."
    return Exhibit(
        "age-by-profession",
        f"Interviewees by profession and age, in years. Counted: {prose.whom(edition)}.",
        counts.frame,
        description,
        source(edition),
        with_proof(edition, "age-by-profession", counts),
        chart=charts.tallied(counts, description=f"Interviewees by profession and age. {description}"),
    )


def interviewees_by_route(edition: Edition, level: str) -> Exhibit:
    """Exhibit ``interviewees-by-route``."""
    counts = tabulate.by_route(
        edition.tables["interviewees"],
        edition.tables.get("legs"),
        edition.places,
        level=level,
        declared=edition.report.declared_interviewees,
    )
    notes = [f"A route runs over the places the source names; “{tabulate.ON_THE_WAY}” is a place it does not name."]
    return _of_interviewees(
        edition, counts, "interviewees-by-route", f"Interviewees by route, by {level}.", "route", *notes
    )


def legs_by_mode(edition: Edition) -> Exhibit:
    """Exhibit ``legs-by-mode``."""
    counts = tabulate.by_mode(edition.tables["interviewees"], edition.tables["legs"])
    description = prose.spread(counts)
    return Exhibit(
        "legs-by-mode",
        "Legs made by the interviewees described, by mode of travel.",
        counts.frame,
        description,
        source(edition),
        with_proof(edition, "legs-by-mode", counts),
        chart=charts.tallied(counts, description=f"Legs by mode. {description}", noun="legs"),
    )


def nights_waited(edition: Edition) -> Exhibit:
    """Exhibit ``nights-waited``."""
    counts = tabulate.by_nights(
        edition.tables["interviewees"], edition.tables["legs"], declared=edition.report.declared_interviewees
    )
    return _of_interviewees(
        edition,
        counts,
        "nights-waited",
        "Interviewees by nights waited on the way.",
        "number of nights",
        "Not stated is not none: somebody of whom no night is told may have waited.",
    )


def days_to_border(edition: Edition) -> Exhibit:
    """Exhibit ``days-to-border``."""
    counts = tabulate.by_days(
        edition.tables["interviewees"],
        edition.tables["legs"],
        event=edition.report.event_date,
        declared=edition.report.declared_interviewees,
    )
    return _of_interviewees(
        edition,
        counts,
        "days-to-border",
        "Interviewees by days from the reference event to the border, at least.",
        "number of days",
        "The least number of days: the last departure that is dated, and every night waited from there on.",
    )


def onward(edition: Edition) -> Exhibit:
    """Exhibit ``interviewees-by-intention``."""
    counts = tabulate.by_intention(
        edition.tables["interviewees"],
        edition.tables.get("legs"),
        edition.places,
        declared=edition.report.declared_interviewees,
    )
    return _of_interviewees(
        edition,
        counts,
        "interviewees-by-intention",
        "Interviewees by the country they mean to go on to.",
        "country",
        "A hope or a plan, not a journey made.",
    )


def destinations(edition: Edition) -> Exhibit:
    """Exhibit ``destinations``."""
    table = tabulate.figures(edition.tables["destinations"])
    rows = records(table)
    view = tuple(
        {
            "destination": row["destination"],
            "people": tabulate.number_of(row),
            "measure": row["measure"].replace("_", " "),
            "window": tabulate.window_of(row),
            "stated by": row["stated_by"] or tabulate.NOT_STATED,
            "figure": (proof(edition, "destinations", row["figure"]),),
        }
        for row in rows
    )
    description = " ".join([prose.figures(table), *[prose.figure(row) for row in rows[:6]]])
    return Exhibit(
        "destinations",
        "Figures of people gone abroad, as stated, one panel a measure.",
        table,
        description,
        source(edition),
        view,
        (),
        (
            "A solid line spans what the words allow; a dashed end with an arrow head is open: no bound is stated that way, or the count goes on.",
            "A figure for several countries is one line, labelled with all of them.",
        ),
        charts.spans(tabulate.intervals(table), description=description) if len(table) else None,
    )


def people(edition: Edition) -> Exhibit:
    """Exhibit ``interviewees-described``: one row an interviewee that is counted."""
    who = edition.text["interviewees"]
    yes = who[who["counted"] == "yes"]
    frame, stops = tabulate.routes(edition.tables["interviewees"], edition.tables.get("legs"))
    went = {
        key: tabulate.route_of(row, edition.places, "place")
        for row in (records(tabulate.grouped(frame, stops)) if stops else [])
        for key in row["who"]
    }
    rows = [
        (
            row["interviewee"],
            age(row),
            row["gender"] or tabulate.NOT_STATED,
            row["profession"] or tabulate.NOT_STATED,
            went.get(row["interviewee"], tabulate.NOT_STATED),
        )
        for row in records(yes)
    ]
    table = pd.DataFrame(rows, columns=["interviewee", "age", "gender", "profession", "route"])
    return Exhibit(
        "interviewees-described",
        f"The interviewees described, one a row. Counted: {prose.whom(edition)}.",
        table,
        prose.coverage(edition, len(rows)),
        source(edition),
        _keyed(edition, "interviewees-described", table),
    )


def _keyed(edition: Edition, exhibit: str, frame: pd.DataFrame) -> tuple[Mapping[str, Cell], ...]:
    """Rows whose first cell, a key, leads to its evidence."""
    first = frame.columns[0]
    return tuple({**row, first: (proof(edition, exhibit, row[first]),)} for row in records(frame))


def age(row: Row) -> str:
    """An age or a range of ages.

    Examples
    --------
    >>> age({"age_min": "20", "age_max": "23"})
    '20–23'
    """
    low, high = row["age_min"], row["age_max"]
    return tabulate.NOT_STATED if not low else low if low == high else f"{low}–{high}"


def not_counted(edition: Edition) -> Exhibit:
    """Exhibit ``people-not-counted``: people with a row who are not, or not surely, of the declared number."""
    who = edition.text["interviewees"]
    rest = records(who[who["counted"] != "yes"])
    reasons = {place: row["note"] for place, row in edition.evidence_places.items()}
    rows = [
        (row["interviewee"], row["counted"], reasons.get(("interviewees", row["interviewee"], "counted"), ""))
        for row in rest
    ]
    table = pd.DataFrame(rows, columns=["interviewee", "counted", "why"])
    return Exhibit(
        "people-not-counted",
        "People the source speaks with who are left out of the tables.",
        table,
        f"{prose.plural(len(rows), 'person', 'people')} with a row {prose.are(len(rows))} not tabulated."
        if rows
        else "Nobody with a row is left out.",
        source(edition),
        _keyed(edition, "people-not-counted", table),
    )


def statements(edition: Edition) -> Exhibit:
    """Exhibit ``statements``: what the source says of the interviewees as a group."""
    table = edition.text.get("statements", pd.DataFrame(columns=schema("statements").columns))
    table = table[["statement", "topic", "quantifier", "says"]]
    return Exhibit(
        "statements",
        "What the source says of the interviewees as a group; counted nowhere.",
        table,
        f"{prose.plural(len(table), 'statement')} about the group.",
        source(edition),
        _keyed(edition, "statements", table),
    )


def evidence(edition: Edition, table: str) -> Exhibit:
    """Exhibit ``evidence-<table>``: every coded value of a table with the words it rests on."""
    from analysis.edition import all_values

    values = all_values(edition.tables, edition.report)
    places = [place for place in edition.evidence_places if place[0] == table]
    rows = [edition.evidence_places[place] for place in places]
    frame = pd.DataFrame(
        [
            (
                key,
                column,
                values[name, key, column],
                row["exact"],
                row["paragraph"],
                row["basis"],
                row["note"],
            )
            for (name, key, column), row in zip(places, rows, strict=True)
        ],
        columns=["row", "column", "value", "words of the source", "paragraph", "basis", "rule or reason"],
    )
    view = tuple(
        {
            "value": f"{row['row']} {row['column']}: {row['value']}",
            "words of the source": f"“{row['words of the source']}”, paragraph {row['paragraph']}",
            "why": ": ".join(filter(None, [row["basis"], row["rule or reason"]])),
            "shown in": shown_in(table, row["column"], row["value"]),
        }
        for row in records(frame)
    )
    bases = frame["basis"].value_counts()
    told = tabulate.listed([f"{bases[basis]:,} {basis}" for basis in ("stated", "derived", "judged") if basis in bases])
    return Exhibit(
        f"evidence-{table}",
        f"Evidence for table {table}.",
        frame,
        f"{prose.plural(len(frame), 'value')}: {told}.",
        source(edition),
        view,
        tuple((anchor(*place),) for place in places),
    )


def shown_in(table: str, column: str, value: str = "") -> tuple[Link, ...]:
    """The exhibits that a coded value stands behind.

    Examples
    --------
    >>> [link.href for link in shown_in("legs", "mode")]
    ['routes.html#exhibit-legs-by-mode']
    """
    elsewhere = "people-not-counted" if value == "yes" else "interviewees-described" if column == "counted" else ""
    return tuple(
        Link(exhibit.replace("-", " "), f"{chapter}.html#exhibit-{exhibit}")
        for exhibit, (chapter, columns) in SHOWN_IN.items()
        if f"{table}.{column}" in columns and exhibit != elsewhere
    )


def coded_tables(edition: Edition) -> list[str]:
    """The tables that evidence speaks of, the report object first."""
    if "evidence" not in edition.tables:
        return []
    found = {place[0] for place in edition.evidence_places}
    return [name for name in ("report", *TABLES) if name in found]


def two_codings(edition: Edition) -> Exhibit:
    """Exhibit ``agreement``: how far two codings agree, column by column."""
    table = agreement(edition.text, edition.second_text, edition.text.get("settlements"))
    return Exhibit(
        "agreement",
        "Agreement of two independent codings, by column.",
        table,
        f"{table['alike'].sum():,} of {prose.plural(int(table['values'].sum()), 'value')} coded alike.",
        source(edition),
        notes=(
            "Alpha is Krippendorff's, nominal; a blank is a coding of its own. One is perfect agreement, nought what chance would give.",
        ),
    )


def settlements(edition: Edition) -> Exhibit:
    """Exhibit ``settlements``: each difference or doubt of the second coder, and the ruling."""
    table = edition.text.get("settlements", pd.DataFrame(columns=schema("settlements").columns)).drop(
        columns="_row", errors="ignore"
    )
    differ = int((table["first"] != table["second"]).sum())
    return Exhibit(
        "settlements",
        "Differences and doubts, settled.",
        table,
        f"{prose.plural(differ, 'value')} coded differently; {prose.plural(len(table) - differ, 'doubt')} settled though coded alike.",
        source(edition),
    )


def rules() -> Exhibit:
    """Exhibit ``rules``: the named rules that derived values are computed with again."""
    rows = [(name, (rule.__doc__ or "").strip()) for name, rule in RULES.items()]
    return Exhibit(
        "rules",
        "Named rules of derivation.",
        pd.DataFrame(rows, columns=["rule", "what it says"]),
        f"{prose.plural(len(rows), 'rule')}, each applied again at every verification.",
        "Source: the program.",
    )


def dictionary(table: str) -> Exhibit:
    """Exhibit ``dictionary-<table>``: the columns of a table, from its schema."""
    spec = schema(table)
    rows = [
        (field.name, field.type, "yes" if field.required else "no", field.description, ", ".join(field.enum))
        for field in spec.fields
    ]
    return Exhibit(
        f"dictionary-{table}",
        f"{spec.title}: {spec.description}",
        pd.DataFrame(rows, columns=["column", "type", "required", "meaning", "allowed values"]),
        f"{prose.plural(len(rows), 'column')}; key: {', '.join(spec.key)}.",
        f"Source: data/schemas/{table}.json.",
    )


def inputs(edition: Edition) -> Exhibit:
    """Exhibit ``inputs``: every file of the edition by its hash."""
    rows = list(edition.hashes().items())
    return Exhibit(
        "inputs",
        "Files of the edition.",
        pd.DataFrame(rows, columns=["file", "SHA-256"]),
        f"{prose.plural(len(rows), 'file')}.",
        "Source: the edition's folder.",
    )


def versions() -> Exhibit:
    """Exhibit ``versions``: what the numbers and charts were made with."""
    rows = [(name, version(name)) for name in MADE_WITH]
    return Exhibit(
        "versions",
        "Versions of what counts and draws.",
        pd.DataFrame(rows, columns=["package", "version"]),
        f"{prose.plural(len(rows), 'package')}; the full list with hashes is requirements.txt.",
        "Source: the installed packages.",
    )


def facts(edition: Edition) -> dict[str, str]:
    """What the edition says of itself, by the names that prose pastes."""
    place = edition.places.get(edition.report.collected_at)
    return {
        "title": edition.title,
        "about": str(edition.package.get("description", "")),
        "coverage": prose.coverage(edition, described(edition)),
        "whereabouts": f"They were interviewed in {place['name']}."
        if place
        else "Where they were interviewed is not stated.",
    }


def described(edition: Edition) -> int:
    """How many interviewees are tabulated."""
    return int(tabulate.counted(edition.tables["interviewees"]).select(nw.len()).collect("pandas").item())


def findings(edition: Edition, age_bands: str, profession_level: str, route_level: str) -> dict[str, str]:
    """The few sentences of the summary, by the names that prose pastes."""
    people_, legs, declared = (
        edition.tables["interviewees"],
        edition.tables["legs"],
        edition.report.declared_interviewees,
    )
    return {
        "age": prose.largest(tabulate.by_age(people_, age_bands=age_bands, declared=declared), "age band"),
        "profession": prose.largest(
            tabulate.by_profession(people_, level=profession_level, declared=declared), "profession"
        ),
        "route": prose.largest(
            tabulate.by_route(people_, legs, edition.places, level=route_level, declared=declared), "route"
        ),
        "nights": prose.largest(
            tabulate.by_nights(people_, legs, declared=declared), "number of nights waited on the way"
        ),
        "onward": prose.largest(
            tabulate.by_intention(people_, legs, edition.places, declared=declared), "country they mean to go on to"
        ),
        "figures": prose.figures(tabulate.figures(edition.tables["destinations"])),
    }


def command(edition: str, overrides: str = "") -> str:
    """The command that makes the book.

    Examples
    --------
    >>> command("oral-2022", '{"age_bands": "18,30"}')
    "analysis build oral-2022 -p age_bands='18,30'"
    """
    import shlex

    given = json.loads(overrides) if overrides else {}
    options = [
        f"-p {name}={shlex.quote(str(value))}" if str(value).isalnum() else f"-p {name}='{value}'"
        for name, value in given.items()
    ]
    return " ".join(["analysis build", Path(edition).name, *options])


def show(*exhibits: Exhibit) -> None:
    """Show several exhibits, in order."""
    from IPython.display import display

    for exhibit in exhibits:
        display(exhibit)


def known_tables(edition: Edition) -> list[str]:
    """The tables this edition has, in the order of the design."""
    return [name for name in TABLES if name in edition.tables]


def parameters(overrides: str) -> Exhibit:
    """Exhibit ``parameters``: what the build was given beside the chapters' own defaults."""
    given = json.loads(overrides) if overrides else {}
    table = pd.DataFrame([(name, str(value)) for name, value in given.items()], columns=["parameter", "value"])
    told = (
        f"{prose.plural(len(table), 'parameter')} given."
        if len(table)
        else "None was given: every chapter ran with its defaults."
    )
    return Exhibit("parameters", "Parameters given to the build.", table, told, "Source: the call.")


def rulings(edition: Edition) -> Rulings:
    """The edition's own codebook, for display."""
    return Rulings(edition.codebook())


class Rulings:
    """An edition's codebook as HTML; raw HTML in it is shown, not obeyed, and its headings stand below the chapter's."""

    def __init__(self, markdown: str) -> None:
        self.markdown = markdown

    def _repr_html_(self) -> str:
        from markdown_it import MarkdownIt

        if not self.markdown.strip():
            return "<p>This edition keeps no codebook of its own.</p>"
        html = MarkdownIt("commonmark", {"html": False}).render(self.markdown)
        for level in (3, 2, 1):
            html = html.replace(f"<h{level}>", f"<h{level + 1}>").replace(f"</h{level}>", f"</h{level + 1}>")
        return f'<div class="rulings">{html}</div>'
