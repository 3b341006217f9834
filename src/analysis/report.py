"""The report's exhibits and sentences: what chapters call, one call a question. Joins counts, prose and charts."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from analysis import charts, prose, tabulate
from analysis.agreement import agreement
from analysis.edition import Edition, load
from analysis.exhibit import Exhibit, glue
from analysis.rules import RULES
from analysis.schema import TABLES, schema
from analysis.tabulate import Counts

__all__ = ["glue", "load"]

AGE = ("interviewees.age_min", "interviewees.age_max")
PROFESSION = ("interviewees.profession", "interviewees.isco08")
ROUTE = ("legs.status", "legs.from_place", "legs.to_place", "places.name", "places.country")


def source(edition: Edition) -> str:
    """The line under every exhibit: where its rows come from."""
    titles = [str(entry.get("title", "")) for entry in edition.package.get("sources", [])]
    return "Source: " + (tabulate.listed([f"“{title}”" for title in titles if title]) or "not named") + "; coded as the codebook says."


def _of_interviewees(edition: Edition, counts: Counts, id_: str, caption: str, what: str, rests_on: tuple[str, ...], *notes: str) -> Exhibit:
    description = f"{prose.largest(counts, what)} {prose.spread(counts) if counts.frame.shape[1] == 2 else ''}".strip()
    return Exhibit(
        id=id_,
        caption=f"{caption} Counted: {prose.whom(edition)}.",
        frame=counts.frame,
        description=description,
        source=source(edition),
        states=counts.states,
        who=counts.who,
        rests_on=rests_on,
        notes=notes,
        chart=charts.tallied(counts, description=f"{caption} {description}"),
    )


def interviewees_by_age(edition: Edition, age_bands: str) -> Exhibit:
    """Exhibit ``interviewees-by-age``."""
    counts = tabulate.by_age(edition.tables["interviewees"], age_bands=age_bands, declared=edition.report.declared_interviewees)
    return _of_interviewees(
        edition, counts, "interviewees-by-age", "Interviewees by age, in years.", "age band", AGE,
        "An age given as a range is in a band only when the whole range fits.",
    )  # fmt: skip


def interviewees_by_profession(edition: Edition, level: str) -> Exhibit:
    """Exhibit ``interviewees-by-profession``."""
    counts = tabulate.by_profession(edition.tables["interviewees"], level=level, declared=edition.report.declared_interviewees)
    caption = "Interviewees by profession." if level == "label" else f"Interviewees by {level} group of occupations (ISCO-08)."
    note = "Professions are labels of the source; everyone who studies is a student." if level == "label" else "A profession whose label does not decide its group counts as not stated."
    return _of_interviewees(edition, counts, "interviewees-by-profession", caption, "profession", PROFESSION, note)


def age_by_profession(edition: Edition, age_bands: str, level: str) -> Exhibit:
    """Exhibit ``age-by-profession``."""
    counts = tabulate.age_by_profession(
        edition.tables["interviewees"], age_bands=age_bands, level=level, declared=edition.report.declared_interviewees
    )
    both = counts.of("stated")
    description = f"Profession and age are both stated of {both:,} of {counts.total:,}; the rest lack one or both."
    return Exhibit(
        "age-by-profession", f"Interviewees by profession and age, in years. Counted: {prose.whom(edition)}.",
        counts.frame, description, source(edition), counts.states, counts.who, rests_on=AGE + PROFESSION,
        chart=charts.tallied(counts, description=f"Interviewees by profession and age. {description}"),
    )  # fmt: skip


def interviewees_by_route(edition: Edition, level: str) -> Exhibit:
    """Exhibit ``interviewees-by-route``."""
    counts = tabulate.by_route(
        edition.tables["interviewees"], edition.tables.get("legs"), edition.places, level=level, declared=edition.report.declared_interviewees
    )
    notes = [f"A route runs over the places the source names; “{tabulate.ON_THE_WAY}” is a place it does not name."]
    return _of_interviewees(edition, counts, "interviewees-by-route", f"Interviewees by route, by {level}.", "route", ROUTE, *notes)


def legs_by_mode(edition: Edition) -> Exhibit:
    """Exhibit ``legs-by-mode``."""
    counts = tabulate.by_mode(edition.tables["interviewees"], edition.tables["legs"])
    description = prose.spread(counts)
    return Exhibit(
        "legs-by-mode", "Legs made by the interviewees described, by mode of travel.", counts.frame, description,
        source(edition), counts.states, counts.who, rests_on=("legs.mode",),
        chart=charts.tallied(counts, description=f"Legs by mode. {description}", noun="legs"),
    )  # fmt: skip


def nights_waited(edition: Edition) -> Exhibit:
    """Exhibit ``nights-waited``."""
    counts = tabulate.by_nights(edition.tables["interviewees"], edition.tables["legs"], declared=edition.report.declared_interviewees)
    return _of_interviewees(
        edition, counts, "nights-waited", "Interviewees by nights waited on the way.", "number of nights", ("legs.nights_waited",),
        "Not stated is not none: somebody of whom no night is told may have waited.",
    )  # fmt: skip


def days_to_border(edition: Edition) -> Exhibit:
    """Exhibit ``days-to-border``."""
    counts = tabulate.by_days(
        edition.tables["interviewees"], edition.tables["legs"], event=edition.report.event_date, declared=edition.report.declared_interviewees
    )
    return _of_interviewees(
        edition, counts, "days-to-border", "Interviewees by days from the reference event to the border, at least.", "number of days",
        ("legs.departed", "legs.nights_waited", "report.reference_event.date"),
        "The least number of days: the last departure that is dated, and every night waited from there on.",
    )  # fmt: skip


def onward(edition: Edition) -> Exhibit:
    """Exhibit ``interviewees-by-intention``."""
    counts = tabulate.by_intention(
        edition.tables["interviewees"], edition.tables.get("legs"), edition.places, declared=edition.report.declared_interviewees
    )
    return _of_interviewees(
        edition, counts, "interviewees-by-intention", "Interviewees by the country they mean to go on to.", "country",
        ("legs.status", "legs.to_place"), "A hope or a plan, not a journey made.",
    )  # fmt: skip


def destinations(edition: Edition) -> Exhibit:
    """Exhibit ``destinations``."""
    table = tabulate.figures(edition.tables["destinations"])
    records = table.to_dict("records")
    view = pd.DataFrame(
        [
            (row["destination"], tabulate.number_of(row), row["measure"].replace("_", " "), tabulate.window_of(row), row["stated_by"] or tabulate.NOT_STATED)
            for row in records
        ],
        columns=["destination", "people", "measure", "window", "stated by"],
    )
    description = " ".join([prose.figures(table), *[prose.figure(row) for row in records[:6]]])
    return Exhibit(
        "destinations", "Figures of people gone abroad, as stated, one panel a measure.", table, description, source(edition),
        ("stated",) * len(table), tuple((row["figure"],) for row in records), "destinations", view,
        tuple(f"destinations.{column}" for column in ("countries", "low", "high", "quantifier", "measure", "window_start", "window_end", "stated_by")),
        ("A solid line spans what the words allow; a dashed end with an arrow head is open: no bound is stated that way, or the count goes on.",
         "A figure for several countries is one line, labelled with all of them."),
        charts.spans(tabulate.intervals(table), description=description) if len(table) else None,
    )  # fmt: skip


def people(edition: Edition) -> Exhibit:
    """Exhibit ``interviewees-described``: one row an interviewee that is counted."""
    who = edition.text["interviewees"]
    yes = who[who["counted"] == "yes"]
    frame, stops = tabulate.routes(edition.tables["interviewees"], edition.tables.get("legs"))
    went = {
        key: tabulate.route_of(row, edition.places, "place")
        for row in (tabulate.grouped(frame, stops).to_dict("records") if stops else [])
        for key in row["who"]
    }
    rows = [
        (row["interviewee"], age(row), row["gender"] or tabulate.NOT_STATED, row["profession"] or tabulate.NOT_STATED, went.get(row["interviewee"], tabulate.NOT_STATED))
        for row in yes.to_dict("records")
    ]
    table = pd.DataFrame(rows, columns=["interviewee", "age", "gender", "profession", "route"])
    keys = tuple((row[0],) for row in rows)
    return Exhibit(
        "interviewees-described", f"The interviewees described, one a row. Counted: {prose.whom(edition)}.", table,
        prose.coverage(edition, len(rows)), source(edition), ("stated",) * len(rows), keys,
        rests_on=(*AGE, "interviewees.gender", *PROFESSION, *ROUTE),
    )  # fmt: skip


def age(row: dict[str, str]) -> str:
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
    rest = who[who["counted"] != "yes"].to_dict("records")
    notes = _notes(edition)
    rows = [(row["interviewee"], row["counted"], notes.get(("interviewees", row["interviewee"], "counted"), "")) for row in rest]
    return Exhibit(
        "people-not-counted", "People the source speaks with who are left out of the tables.",
        pd.DataFrame(rows, columns=["interviewee", "counted", "why"]),
        f"{prose.plural(len(rows), 'person', 'people')} with a row {prose.are(len(rows))} not tabulated." if rows else "Nobody with a row is left out.",
        source(edition), ("stated",) * len(rows), tuple((row[0],) for row in rows), rests_on=("interviewees.counted",),
    )  # fmt: skip


def _notes(edition: Edition) -> dict[tuple[str, str, str], str]:
    if "evidence" not in edition.tables:
        return {}
    return {(row["table"], row["key"], row["column"]): row["note"] for row in edition.text["evidence"].to_dict("records")}


def statements(edition: Edition, *topics: str) -> Exhibit:
    """Exhibit ``statements-<topic>``: what the source says of the interviewees as a group."""
    table = edition.text.get("statements", pd.DataFrame(columns=schema("statements").columns))
    chosen = table[table["topic"].isin(topics)] if topics else table
    view = chosen[["quantifier", "says"]].rename(columns={"quantifier": "of whom"})
    return Exhibit(
        "-".join(["statements", *topics]), "What the source says of the interviewees as a group; counted nowhere.", chosen.reset_index(drop=True),
        f"{prose.plural(len(chosen), 'statement')} about the group.", source(edition), ("stated",) * len(chosen),
        tuple((key,) for key in chosen["statement"]), "statements", view.reset_index(drop=True), ("statements.says",),
    )  # fmt: skip


def evidence(edition: Edition, table: str) -> Exhibit:
    """Exhibit ``evidence-<table>``: every coded value of a table with the words it rests on."""
    from analysis.edition import all_values

    values = all_values(edition.tables, edition.report)
    rows = [row for row in edition.text["evidence"].to_dict("records") if row["table"] == table]
    frame = pd.DataFrame(
        [(row["key"], row["column"], values[row["table"], row["key"], row["column"]], row["exact"], row["paragraph"], row["basis"], row["note"]) for row in rows],
        columns=["row", "column", "value", "words of the source", "paragraph", "basis", "rule or reason"],
    )
    bases = frame["basis"].value_counts()
    told = tabulate.listed([f"{bases[basis]:,} {basis}" for basis in ("stated", "derived", "judged") if basis in bases])
    return Exhibit(
        f"evidence-{table}", f"Evidence for table {table}.", frame, f"{prose.plural(len(frame), 'value')}: {told}.",
        source(edition), ("stated",) * len(frame), tuple((row["key"],) for row in rows), table,
    )  # fmt: skip


def coded_tables(edition: Edition) -> list[str]:
    """The tables that evidence speaks of, the report object first."""
    if "evidence" not in edition.tables:
        return []
    found = set(edition.text["evidence"]["table"])
    return [name for name in ("report", *TABLES) if name in found]


def two_codings(edition: Edition) -> Exhibit:
    """Exhibit ``agreement``: how far two codings agree, column by column."""
    table = agreement(edition.text, edition.second_text, edition.text.get("settlements"))
    return Exhibit(
        "agreement", "Agreement of two independent codings, by column.", table,
        f"{table['alike'].sum():,} of {prose.plural(int(table['values'].sum()), 'value')} coded alike.", source(edition),
        notes=("Alpha is Krippendorff's, nominal; a blank is a coding of its own. One is perfect agreement, nought what chance would give.",),
    )  # fmt: skip


def settlements(edition: Edition) -> Exhibit:
    """Exhibit ``settlements``: each difference or doubt of the second coder, and the ruling."""
    table = edition.text.get("settlements", pd.DataFrame(columns=schema("settlements").columns))
    differ = int((table["first"] != table["second"]).sum())
    return Exhibit(
        "settlements", "Differences and doubts, settled.", table,
        f"{prose.plural(differ, 'value')} coded differently; {prose.plural(len(table) - differ, 'doubt')} settled though coded alike.", source(edition),
    )  # fmt: skip


def rules() -> Exhibit:
    """Exhibit ``rules``: the named rules that derived values are computed with again."""
    rows = [(name, (rule.__doc__ or "").strip()) for name, rule in RULES.items()]
    return Exhibit(
        "rules", "Named rules of derivation.", pd.DataFrame(rows, columns=["rule", "what it says"]),
        f"{prose.plural(len(rows), 'rule')}, each applied again at every verification.", "Source: the program.",
    )  # fmt: skip


def dictionary(table: str) -> Exhibit:
    """Exhibit ``dictionary-<table>``: the columns of a table, from its schema."""
    spec = schema(table)
    rows = [
        (field.name, field.type, "yes" if field.required else "no", field.description, ", ".join(field.enum))
        for field in spec.fields
    ]
    return Exhibit(
        f"dictionary-{table}", f"{spec.title}: {spec.description}",
        pd.DataFrame(rows, columns=["column", "type", "required", "meaning", "allowed values"]),
        f"{prose.plural(len(rows), 'column')}; key: {', '.join(spec.key)}.", f"Source: data/schemas/{table}.json.",
    )  # fmt: skip


def inputs(edition: Edition) -> Exhibit:
    """Exhibit ``inputs``: every file of the edition by its hash."""
    rows = list(edition.hashes().items())
    return Exhibit(
        "inputs", "Files of the edition.", pd.DataFrame(rows, columns=["file", "SHA-256"]),
        f"{prose.plural(len(rows), 'file')}.", "Source: the edition's folder.",
    )  # fmt: skip


def versions(*packages: str) -> Exhibit:
    """Exhibit ``versions``: what the numbers and charts were made with."""
    rows = [(name, version(name)) for name in packages]
    return Exhibit(
        "versions", "Versions of what counts and draws.", pd.DataFrame(rows, columns=["package", "version"]),
        f"{prose.plural(len(rows), 'package')}; the full list with hashes is requirements.txt.", "Source: the installed packages.",
    )  # fmt: skip


def facts(edition: Edition) -> dict[str, str]:
    """What the front page says of the edition itself."""
    counts = len(edition.text["interviewees"].query("counted == 'yes'")) if "interviewees" in edition.tables else 0
    place = edition.places.get(edition.report.collected_at)
    return {
        "title": edition.title,
        "about": str(edition.package.get("description", "")),
        "coverage": prose.coverage(edition, counts) if "interviewees" in edition.tables else "This edition has no table of interviewees.",
        "whereabouts": f"They were interviewed in {place['name']}." if place else "Where they were interviewed is not stated.",
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
    options = [f"-p {name}={shlex.quote(str(value))}" if str(value).isalnum() else f"-p {name}='{value}'" for name, value in given.items()]
    return " ".join(["analysis build", Path(edition).name, *options])
