"""The report's results: what chapters call, one call a question. Joins counts, sentences and charts to exhibits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import pandas as pd

from analysis import basemap, charts, minute, privacy, prose, tabulate
from analysis.edition import Edition, load
from analysis.exhibit import Cell, Exhibit, Link, Rulings, glue, show
from analysis.frames import FEW, MOST_MARKS, Row, isolated, records
from analysis.tabulate import NOT_SHOWN, NOT_STATED, Counts
from analysis.trail import (
    coded_tables,
    command,
    dictionary,
    evidence,
    inputs,
    keyed,
    known_tables,
    parameters,
    proof,
    rules,
    settlements,
    source,
    two_codings,
    versions,
    with_proof,
)  # fmt: skip

__all__ = [
    "coded_tables", "command", "dictionary", "evidence", "glue", "inputs", "known_tables", "load", "parameters",
    "rules", "settlements", "show", "two_codings", "versions",
]  # fmt: skip

TOLD_WAYS = "Two routes told with different places may have been one way: the table says what is told, no more."
TOGETHER = "People who travelled together are counted one by one."


def needs(
    id_: str, *tables: str, few: bool = False, dated: bool = False
) -> Callable[[Callable[..., Exhibit]], Callable[..., Exhibit]]:
    """For an exhibit that an edition may be unable to have: it says so instead.

    For want of tables; with too many people to list (``few``); or because it would show too few people together.
    """

    def around(make: Callable[..., Exhibit]) -> Callable[..., Exhibit]:
        @wraps(make)
        def made(edition: Edition, *arguments: Any) -> Exhibit:
            caption = "Not in this edition."
            lacking = [table for table in tables if table not in edition.tables]
            if lacking:
                told = f"This edition has no table {tabulate.listed(lacking)}, so there is nothing to count."
            elif dated and not edition.report.event_date:
                told = "This edition names no reference event with a date, so no days can be counted from it."
            elif few and edition.described > FEW:
                told = f"{edition.described:,} people are too many to list one by one; the counts hold them all."
            elif few and edition.report.minimum_cell > 1:
                caption, told = "Not in this book.", privacy.promise(edition.report.minimum_cell)
            else:
                try:
                    return make(edition, *arguments)
                except privacy.Withheld:
                    caption, told = "Not in this book.", privacy.promise(edition.report.minimum_cell)
            if caption == "Not in this edition.":
                return lacking_here(edition, id_, told)
            return Exhibit(id_, caption, pd.DataFrame(), told, source(edition))

        return made

    return around


def lacking_here(edition: Edition, id_: str, told: str) -> Exhibit:
    """In the place of an exhibit that would show nothing: why it is not there."""
    return Exhibit(id_, "Not in this edition.", pd.DataFrame(), told, source(edition), absent=True)


def _counted(
    edition: Edition, id_: str, caption: str, counts: Counts, finding: str, *notes: str, noun: str = "interviewees"
) -> Exhibit:
    """An exhibit of a table of counts, which are protected already."""
    heard = f"{caption} {finding} {prose.spread(counts) if counts.frame.shape[1] == 2 else ''}".strip()
    return Exhibit(
        id=id_,
        caption=caption,
        frame=counts.frame,
        description=finding,
        source=source(edition),
        view=with_proof(edition, id_, counts),
        notes=(*notes, *_hiding(edition, counts)),
        chart=partial(charts.tallied, counts, description=heard, noun=noun) if counts.total else None,
    )


def _kept(edition: Edition, counts: Counts) -> Counts:
    """A table of people as the edition's ``minimum_cell`` allows."""
    return privacy.protected(counts, edition.report.minimum_cell)


def _hiding(edition: Edition, counts: Counts) -> tuple[str, ...]:
    """What a reader must know of people who are not shown apart."""
    if NOT_SHOWN not in counts.states:
        return ()
    fewest = edition.report.minimum_cell
    return (
        f"This edition publishes no cell of fewer than {fewest:,} people. “{NOT_SHOWN.capitalize()}” are those of smaller rows, with as many larger rows as keep them hidden.",
    )


def _people(edition: Edition) -> dict[str, Any]:
    """What every table of interviewees is counted from."""
    return {"people": edition.tables["interviewees"], "declared": edition.report.declared_interviewees}


def _legs(edition: Edition) -> dict[str, Any]:
    return {"legs": edition.tables.get("legs"), **_people(edition)}


@needs("interviewees-by-age", "interviewees")
def interviewees_by_age(edition: Edition, age_bands: str) -> Exhibit:
    """Exhibit ``interviewees-by-age``."""
    counts = _kept(edition, tabulate.by_age(**_people(edition), age_bands=age_bands))
    caption = f"Interviewees by age in years, of {prose.whom(edition)}."
    note = "An age given as a range is in a band only when the whole range fits."
    return _counted(edition, "interviewees-by-age", caption, counts, prose.told(counts, "Age", "aged {}".format), note)


@needs("interviewees-by-profession", "interviewees")
def interviewees_by_profession(edition: Edition, level: str) -> Exhibit:
    """Exhibit ``interviewees-by-profession``."""
    counts = _kept(edition, tabulate.by_profession(**_people(edition), level=level))
    by = "profession" if level == "label" else f"{level} group of occupations (ISCO-08)"
    note = (
        "Labels are the source's; where it has a general word for a group and a narrower one for a member, the member has the narrower. Everyone who studies is a student."
        if level == "label"
        else "A profession whose label does not decide its group counts as not stated."
    )
    caption = f"Interviewees by {by}, of {prose.whom(edition)}."
    return _counted(edition, "interviewees-by-profession", caption, counts, prose.told(counts, "Profession"), note)


@needs("age-by-profession", "interviewees")
def age_by_profession(edition: Edition, age_bands: str, level: str) -> Exhibit:
    """Exhibit ``age-by-profession``."""
    counts = privacy.crossed(
        tabulate.age_by_profession(**_people(edition), age_bands=age_bands, level=level),
        _kept(edition, tabulate.by_profession(**_people(edition), level=level)),
        _kept(edition, tabulate.by_age(**_people(edition), age_bands=age_bands)),
        edition.report.minimum_cell,
    )
    known = "shown" if NOT_SHOWN in counts.states else "told"
    both = counts.of("stated")
    told = f"Both are {known} of {prose.part(both, counts)}."
    finding = told if both else prose.not_told("Age with profession", counts)
    caption = f"Interviewees by profession and age in years, of {prose.whom(edition)}."
    return _counted(edition, "age-by-profession", caption, counts, finding)


@needs("interviewees-by-route", "interviewees", "legs")
def interviewees_by_route(edition: Edition, level: str) -> Exhibit:
    """Exhibit ``interviewees-by-route``."""
    counts = _kept(edition, tabulate.by_route(**_legs(edition), places=edition.places, level=level))
    gap = f"A route runs over the places the source names; “{tabulate.ON_THE_WAY}” is a place it does not name."
    caption = f"Interviewees by route, {level} by {level}, of {prose.whom(edition)}."
    # No bound is given: a route told with fewer places may be the same way as one told with more.
    finding = prose.told(counts, "The route", bounded=False)
    return _counted(edition, "interviewees-by-route", caption, counts, finding, gap, TOLD_WAYS, TOGETHER)


@needs("route-map", "interviewees", "legs", "places")
def route_map(edition: Edition, level: str = "place") -> Exhibit:
    """Exhibit ``route-map``; with a ``minimum_cell`` the legs of the routes that are shown, at their level."""
    counts = (
        tabulate.movements(edition.tables["interviewees"], edition.tables["legs"], edition.places)
        if edition.report.minimum_cell == 1
        else privacy.legs_between(
            _kept(edition, tabulate.by_route(**_legs(edition), places=edition.places, level=level))
        )
    )
    at = {place["name"]: place for place in edition.places.values() if place["latitude"]}
    drawn = [row for row in records(counts.frame) if row["from"] in at and row["to"] in at]
    lost = int(counts.total - sum(row["legs"] for row in drawn))
    finding = f"{prose.plural(counts.total, 'leg')} between {prose.plural(len(counts.frame), 'pair')} of places."
    notes = [
        "Solid lines are journeys made, dashed ones hopes or plans; the wider, the more people. Lines are not the way travelled.",
        "A dot is a town; a ring is somewhere in a region or a country, drawn where its name fits.",
    ]
    if lost:
        notes.append(f"Not drawn, as an end is not named or has no position: {prose.plural(lost, 'leg')}.")
    if edition.report.minimum_cell > 1:
        notes.append("Only the legs of the routes that the table of routes shows apart.")
    names = {row[end] for row in drawn for end in ("from", "to")}
    chart = None
    if drawn:
        spots = [at[name] for name in sorted(names)]
        box = _view([(float(place["longitude"]), float(place["latitude"])) for place in spots])
        lines = pd.DataFrame(
            [
                {
                    **row,
                    **{
                        f"{axis}{n}": float(at[row[end]][column])
                        for n, end in ((1, "from"), (2, "to"))
                        for axis, column in (("x", "longitude"), ("y", "latitude"))
                    },
                }
                for row in drawn
            ]
        )
        points = pd.DataFrame(
            [
                {
                    "name": place["name"],
                    "precision": place["precision"],
                    "kind": "place" if place["precision"] in ("site", "city") else "area",
                    "x": float(place["longitude"]),
                    "y": float(place["latitude"]),
                }
                for place in spots
            ]
        )
        heard = " ".join(f"{row['from']} to {row['to']}, {row['status']}: {row['legs']:,}." for row in drawn[:12])
        heard = f"Map of legs. {heard}"
        chart = partial(charts.route_map, lines, points, basemap.land(box), box, description=heard)
    view = with_proof(edition, "route-map", counts)
    caption = "Legs of the interviewees described, from place to place."
    return Exhibit("route-map", caption, counts.frame, finding, source(edition), view, notes=tuple(notes), chart=chart)


def _view(points: list[tuple[float, float]]) -> basemap.Box:
    """What a map shows: all points, with room around them and never less than some degrees."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    wide, tall = max(max(xs) - min(xs), 12.0), max(max(ys) - min(ys), 8.0)
    x, y = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    return (x - wide * 0.62, max(y - tall * 0.75, -80.0), x + wide * 0.62, min(y + tall * 0.75, 80.0))


@needs("legs-by-mode", "interviewees", "legs")
def legs_by_mode(edition: Edition) -> Exhibit:
    """Exhibit ``legs-by-mode``; with a ``minimum_cell`` it counts people, as one person may have many legs."""
    if edition.report.minimum_cell > 1:
        people = _kept(edition, tabulate.by_modes(**_legs(edition)))
        caption = f"Interviewees by the modes of travel told of the legs they made, of {prose.whom(edition)}."
        finding = prose.told(people, "The mode", "by {}".format, bounded=False)
        return _counted(edition, "legs-by-mode", caption, people, finding, TOGETHER)
    counts = tabulate.by_mode(edition.tables["interviewees"], edition.tables["legs"])
    caption = "Legs of the journeys that the interviewees described have made, by mode of travel."
    finding = prose.told(counts, "The mode", "by {}".format, bounded=False)
    return _counted(edition, "legs-by-mode", caption, counts, finding, TOGETHER, noun="legs")


@needs("nights-waited", "interviewees", "legs")
def nights_waited(edition: Edition) -> Exhibit:
    """Exhibit ``nights-waited``."""
    counts = _kept(edition, tabulate.by_nights(**_legs(edition)))
    caption = f"Interviewees by nights waited on the way, of {prose.whom(edition)}."
    finding = prose.told(counts, "A wait", lambda n: prose.plural(int(n), "night"), bounded=False)
    note = "Not stated is not none: somebody of whom no night is told may have waited."
    return _counted(edition, "nights-waited", caption, counts, finding, note, TOGETHER)


@needs("days-to-border", "interviewees", "legs", "places", dated=True)
def days_to_border(edition: Edition) -> Exhibit:
    """Exhibit ``days-to-border``."""
    days = tabulate.by_days(**_legs(edition), places=edition.tables["places"], event=edition.report.event_date)
    counts = _kept(edition, days)
    event = f"{isolated(edition.report.event_title) or 'the reference event'} ({tabulate.day_of(edition.report.event_date) or 'no date'})"
    caption = f"Interviewees by days from {event} to crossing the border, at least, of {prose.whom(edition)}."
    finding = prose.told(counts, "The day of crossing, at least,", "{} days".format, bounded=False)
    note = "The least number of days: the last departure that is dated, and every night waited from there on. Who has no dated departure, or no leg that is told to end abroad, is not stated."
    return _counted(edition, "days-to-border", caption, counts, finding, note, TOGETHER)


@needs("timeline", "interviewees", "legs", "places", few=True, dated=True)
def timeline(edition: Edition) -> Exhibit:
    """Exhibit ``timeline``: day by day from the reference event, one line a person; for few cases."""
    event = edition.report.event_date
    groups = tabulate.setting_off(edition.tables["interviewees"], edition.tables["legs"], edition.tables["places"])
    rows = []
    for row in records(groups):
        day = tabulate.days_after(event, row["set_off"]) if event and row["set_off"] else None
        border = NOT_STATED if day is None else f"{day + int(row['nights'] or 0)} or more"
        rows += [(key, NOT_STATED if day is None else str(day), border) for key in row["who"]]
    table = pd.DataFrame(sorted(rows), columns=["interviewee", "set off on day", "crossed on day"])
    dated = [row for row in rows if row[1] != NOT_STATED]
    caption = f"Days since {isolated(edition.report.event_title) or 'the reference event'}, {tabulate.day_of(event) or 'not dated'}, by interviewee described."
    people = prose.plural(len(rows), "person", "people")
    finding = f"A day is told of {len(dated):,} of {people}." if dated else "A day is told of nobody."
    notes = (
        "Day nought is the day of the event. A dot is the day of setting off; the arrow begins on the first day on which the border can have been crossed.",
    )
    few = len(dated) > 0 and len(rows) <= MOST_MARKS
    heard = " ".join(f"{who}: set off on day {day}, crossed on day {border}." for who, day, border in dated)
    chart = partial(charts.timeline, table, description=f"{caption} {finding} {heard}") if few else None
    view = keyed(edition, "timeline", table)
    return Exhibit("timeline", caption, table, finding, source(edition), view, notes=notes, chart=chart)


@needs("interviewees-by-intention", "interviewees", "legs")
def onward(edition: Edition) -> Exhibit:
    """Exhibit ``interviewees-by-intention``."""
    counts = _kept(edition, tabulate.by_intention(**_legs(edition), places=edition.places))
    caption = f"Interviewees by the country they mean to go on to, of {prose.whom(edition)}."
    finding = prose.told(counts, "A plan to go on", "to {}".format, bounded=False)
    notes = ("A hope or a plan, not a journey made.", "Not stated may mean that there is no plan.")
    return _counted(edition, "interviewees-by-intention", caption, counts, finding, *notes)


@needs("figures-by-measure", "destinations")
def figures_by_measure(edition: Edition) -> Exhibit:
    """Exhibit ``figures-by-measure``: what the figures count, how many there are, and for which destinations."""
    figures = tabulate.figures(edition.tables["destinations"])
    table = tabulate.by_measure(figures)
    caption = "Destination figures by measure: how many there are, and where to."
    finding = f"{prose.plural(len(figures), 'figure')} of {prose.plural(len(table), 'measure')}."
    notes = ["This counts figures, not people. Measures stand in the order of the table."]
    if figures.duplicated(["measure", "destination"]).any():
        notes.append("A number in brackets says that there are so many figures for the destination.")
    return Exhibit("figures-by-measure", caption, table, finding, source(edition), notes=tuple(notes))


@needs("destinations", "destinations")
def destinations(edition: Edition) -> Exhibit:
    """Exhibit ``destinations``."""
    table = tabulate.figures(edition.tables["destinations"])
    rows = records(table)
    view = tuple(figure_row(edition, row) for row in rows)
    heard = " ".join([prose.figures(table), *[prose.figure(row) for row in rows[:6]]])
    return Exhibit(
        "destinations",
        "Figures of how many went where, as stated, a panel for each measure.",
        table,
        prose.figures(table),
        source(edition),
        view,
        notes=(
            "A solid line spans what the words allow; a tick alone is one number, hedged as its words say. A dashed end with an arrow head is open: no bound is stated that way, or the count goes on; its length means nothing.",
            "Each panel has a scale of its own from nought: lengths of different panels cannot be compared, and within one only those of the same window.",
            "Entries and exits count crossings of a border, and may count one person more than once.",
            "A figure for several countries is one line, labelled with all of them.",
        ),
        chart=partial(charts.spans, tabulate.intervals(table), description=heard) if 0 < len(rows) <= FEW else None,
    )


def figure_row(edition: Edition, row: Row) -> dict[str, Cell]:
    """A destination figure as tables on pages show it: its key leads to its evidence, its reporter to the page."""
    address = _addresses(edition).get(row["figure"], "")
    web = address if address.startswith(("https://", "http://")) else ""
    return {
        "destination": row["destination"],
        "number": tabulate.number_of(row),
        "measure": tabulate.measure_of(row["measure"]),
        "window": tabulate.days_of(row).removeprefix("window "),
        "stated by": ", ".join(filter(None, [row["stated_by"] or NOT_STATED, tabulate.day_of(row["stated_on"])])),
        "read in": (Link(row["reported_by"] or web or NOT_STATED, web),),
        "figure": (proof(edition, "destinations", row["figure"]),),
    }


@needs("overlapping-figures", "destinations")
def overlapping_figures(edition: Edition) -> Exhibit:
    """Exhibit ``overlapping-figures``: figures of one measure for one destination that share days, side by side."""
    table = tabulate.overlapping(tabulate.figures(edition.tables["destinations"]))
    if table.empty:
        told = "No two figures of the same measure for the same destination share days."
        return lacking_here(edition, "overlapping-figures", told)
    view = tuple(_beside_others(figure_row(edition, row), row["shares days with"]) for row in records(table))
    return Exhibit(
        "overlapping-figures",
        "Figures of the same measure for the same destination whose windows share days, side by side.",
        table,
        prose.overlaps(table),
        source(edition),
        view,
        notes=(
            "Within, holds and overlaps say how the window lies to that of the other figure.",
            "Windows that differ explain some differences, not all: a longer window may hold more, and two counts may have different rules.",
            "Of a window with one end not stated only the day that is stated is known to be covered.",
        ),
    )


def _beside_others(cells: dict[str, Cell], shares: str) -> dict[str, Cell]:
    """The cells of a figure, with its measure beside its destination, and the figures that it shares days with."""
    first = {"destination": f"{cells['destination']}, {cells['measure']}", "figure": cells["figure"]}
    rest = {name: cells[name] for name in ("number", "window")}
    return {**first, **rest, "shares days with": shares, **{name: cells[name] for name in ("stated by", "read in")}}


@needs("figure-notes", "destinations")
def figure_notes(edition: Edition) -> Exhibit:
    """Exhibit ``figure-notes``: what must be known of a figure before it is used, in the coder's words."""
    figures = tabulate.figures(edition.tables["destinations"])
    table = figures[figures["note"] != ""][["figure", "destination", "note"]]
    if table.empty:
        return lacking_here(edition, "figure-notes", "No figure carries a note.")
    finding = f"{prose.of_all(len(table), len(figures))} of the {len(figures):,} figures {'carries' if len(table) == 1 else 'carry'} a note."
    view = tuple({**row, "figure": (proof(edition, "destinations", row["figure"]),)} for row in records(table))
    return Exhibit("figure-notes", "What to know of each figure.", table, finding, source(edition), view)


@needs("interviewees-described", "interviewees", few=True)
def people(edition: Edition) -> Exhibit:
    """Exhibit ``interviewees-described``: one row an interviewee that is counted."""
    frame, stops = tabulate.routes(edition.tables["interviewees"], edition.tables.get("legs"))
    went = {
        key: tabulate.route_of(row, edition.places, "place")
        for row in (records(tabulate.grouped(frame, stops)) if stops else [])
        for key in row["who"]
    }
    yes = [row for row in records(edition.text["interviewees"]) if row["counted"] == "yes"]
    rows = [
        (
            row["interviewee"],
            age(row),
            row["gender"] or NOT_STATED,
            row["profession"] or NOT_STATED,
            went.get(row["interviewee"], NOT_STATED),
        )
        for row in yes
    ]
    table = pd.DataFrame(rows, columns=["interviewee", "age", "gender", "profession", "route"])
    declared = edition.report.declared_interviewees
    rest = (declared or 0) - len(rows)
    finding = (
        f"{prose.plural(len(rows), 'row')}; of {rest:,} more the source tells nothing one by one."
        if rest > 0
        else f"{prose.plural(len(rows), 'row')}."
    )
    caption = "The interviewees that the source describes, one a row."
    view = keyed(edition, "interviewees-described", table)
    return Exhibit("interviewees-described", caption, table, finding, source(edition), view)


def age(row: Row) -> str:
    """An age or a range of ages.

    Examples
    --------
    >>> age({"age_min": "20", "age_max": "23"})
    '20–23'
    """
    low, high = row["age_min"], row["age_max"]
    return NOT_STATED if not low else low if low == high else f"{low}–{high}"


@needs("people-not-counted", "interviewees", few=True)
def not_counted(edition: Edition) -> Exhibit:
    """Exhibit ``people-not-counted``: people with a row who are not, or not surely, of the declared number."""
    reasons = {place: row["note"] for place, row in edition.evidence.items()}
    rows = [
        (row["interviewee"], row["counted"], reasons.get(("interviewees", row["interviewee"], "counted"), ""))
        for row in records(edition.text["interviewees"])
        if row["counted"] != "yes"
    ]
    table = pd.DataFrame(rows, columns=["interviewee", "counted", "why"])
    finding = (
        f"{prose.plural(len(rows), 'person is', 'people are')} coded but not counted."
        if rows
        else "Nobody is left out."
    )
    view = keyed(edition, "people-not-counted", table)
    return Exhibit("people-not-counted", "People coded but not counted.", table, finding, source(edition), view)


@needs("statements", "statements")
def statements(edition: Edition) -> Exhibit:
    """Exhibit ``statements``: what the source says of the interviewees as a group."""
    table = edition.text["statements"][["statement", "topic", "quantifier", "says"]]
    finding = f"{prose.plural(len(table), 'statement')} about the group, counted in no table."
    view = keyed(edition, "statements", table)
    return Exhibit(
        "statements", "What the source says of the interviewees as a group.", table, finding, source(edition), view
    )


@needs("one-by-one", "interviewees", "legs", few=True)
def one_by_one(edition: Edition, age_bands: str, profession_level: str, route_level: str) -> Exhibit:
    """Exhibit ``one-by-one``: each interviewee through age, profession, route and plans; for few cases."""
    panels = [
        ("Age", tabulate.by_age(**_people(edition), age_bands=age_bands)),
        ("Profession", tabulate.by_profession(**_people(edition), level=profession_level)),
        ("Route", tabulate.by_route(**_legs(edition), places=edition.places, level=route_level)),
        ("Means to go on to", tabulate.by_intention(**_legs(edition), places=edition.places)),
    ]
    whose: dict[str, list[str]] = {}
    for _, counts in panels:
        for label, keys in zip(counts.frame.iloc[:, 0], counts.who, strict=True):
            for key in keys:
                whose.setdefault(key, []).append(str(label))
    rows = [(key, *labels) for key, labels in sorted(whose.items())]
    table = pd.DataFrame(rows, columns=["interviewee", "age", "profession", "route", "means to go on to"])
    few = 0 < panels[0][1].total <= MOST_MARKS
    caption = f"The same people four times: by age, profession, route and plans, of {prose.whom(edition)}."
    finding = "One mark is one person; choose one to see it in every panel." if few else "Too many to show one by one."
    heard = " ".join(f"{title}: {prose.spread(counts)}" for title, counts in panels)
    chart = partial(charts.followed, panels, description=f"{caption} {heard}") if few else None
    return Exhibit(
        "one-by-one", caption, table, finding, source(edition), keyed(edition, "one-by-one", table), chart=chart
    )


def citation(edition: Edition) -> str:
    """How to cite the edition: who made it, what it is called, which it is."""
    makers = [str(each.get("title") or "") for each in edition.package.get("contributors", [])]
    return f"{tabulate.listed([isolated(name) for name in makers if name]) or 'Author not named'}: {isolated(edition.title)}. Edition {edition.name}."


def facts(edition: Edition) -> dict[str, str]:
    """What the edition says of itself, by the names that prose pastes."""
    place = edition.places.get(edition.report.collected_at)
    lacking = "This edition has no table of interviewees."
    people, figures = ("interviewees" in edition.tables, "destinations" in edition.tables)
    coverage = prose.coverage(edition, edition.described) if people else lacking
    return {
        "title": isolated(edition.title),
        "about": isolated(str(edition.package.get("description") or "") or "No description is given."),
        "source": source(edition),
        "citation": citation(edition),
        "coverage": coverage,
        "lead": coverage if people or not figures else prose.figures(tabulate.figures(edition.tables["destinations"])),
        "trail": "Every count of people described leads to the rows behind it, and every row to the words of the source."
        if edition.report.minimum_cell == 1
        else f"No count leads to people one by one: this edition publishes no cell of fewer than {edition.report.minimum_cell:,} people.",
        "whereabouts": f"They were interviewed in {isolated(place['name'])}."
        if place
        else "Where they were interviewed is not stated.",
    }


def findings(edition: Edition, age_bands: str, profession_level: str, route_level: str) -> dict[str, str]:
    """The few sentences of the summary, by the names that prose pastes."""
    exhibits = {
        "age": interviewees_by_age(edition, age_bands),
        "profession": interviewees_by_profession(edition, profession_level),
        "route": interviewees_by_route(edition, route_level),
        "nights": nights_waited(edition),
        "onward": onward(edition),
        "figures": destinations(edition),
    }
    sentences = {name: exhibit.description for name, exhibit in exhibits.items()}
    figures = edition.tables.get("destinations")
    return {**sentences, "each-figure": prose.each_figure(tabulate.figures(figures)) if figures is not None else ""}


def in_a_minute(edition: Edition, age_bands: str, profession_level: str, route_level: str) -> minute.Answers:
    """The front page's answers, each leading to the exhibit behind it."""
    cards = []
    if "interviewees" in edition.tables:
        people, page = _people(edition), "interviewees.html#exhibit-interviewees-by-"
        cards = [
            minute.interviewed(edition.report.declared_interviewees, edition.described),
            _card(edition, "How old?", tabulate.by_age(**people, age_bands=age_bands), f"{page}age"),
            _card(
                edition,
                "What do they do?",
                tabulate.by_profession(**people, level=profession_level),
                f"{page}profession",
            ),
        ]
        if "legs" in edition.tables:
            route = tabulate.by_route(**_legs(edition), places=edition.places, level=route_level)
            cards.append(_card(edition, "How did they get out?", route, "routes.html#exhibit-interviewees-by-route"))
    if "destinations" in edition.tables:
        figures = tabulate.figures(edition.tables["destinations"])
        cards.append(minute.where_to(records(figures)))
        if len(tabulate.overlapping(figures)):
            cards.append(minute.held_together(figures))
        if "evidence" not in edition.tables and any(_addresses(edition).values()):
            cards.append(minute.addressed(list(_addresses(edition).values())))
    if "evidence" in edition.tables and edition.report.minimum_cell == 1:
        cards.append(minute.traced([row["basis"] for row in edition.evidence.values()]))
    return minute.Answers(cards)


def _card(edition: Edition, question: str, counts: Counts, href: str) -> minute.Answer:
    try:
        return minute.most_common(question, _kept(edition, counts), href)
    except privacy.Withheld:
        return minute.Answer(question, "withheld", "", privacy.promise(edition.report.minimum_cell), href)


def rulings(edition: Edition) -> Rulings:
    """The edition's own codebook, for display."""
    return Rulings(edition.codebook())


def _addresses(edition: Edition) -> dict[str, str]:
    return {row["figure"]: row["url"] for row in edition.rows("destinations")}
