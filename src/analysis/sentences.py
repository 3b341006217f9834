"""Sentences that stay true of other data. Pure: counts in, plain text out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence

import pandas as pd

from analysis.counts import known, unit_of
from analysis.disclosure import NO_BAND, NOT_SHOWN, NOT_STATED, STATED
from analysis.editions import Edition
from analysis.journeys import INTENDED
from analysis.labels import by_means
from analysis.text import isolate, join, plural, spell, spelled

MOST_NAMED, MOST_SPELLED = 6, 4
"""As many labels as a sentence can list, and as it can tell of one by one."""


def whom(book: Edition) -> str:
    """Of whom the tables count, as a caption ends: the declared number, and where they were interviewed."""
    where = f" in {isolate(_collected_at(book))}" if _collected_at(book) else ""
    if book.declared is None:
        return f"the interviewees{where} {'whom the source portrays' if book.has('evidence') else 'in the data'}"
    return f"the {people(book.declared)} interviewed{where}"


def _collected_at(book: Edition) -> str:
    return str(book.places.get(book.report.collected_at, {}).get("name", ""))


def coverage(book: Edition) -> str:
    """How many were interviewed, and of how many the source says something individual."""
    if not book.has("interviewees"):
        return "This edition has no table of interviewees."
    declared, described = book.declared, book.described
    if declared is None:
        asked = f"The data describe {people(described)}. How many were asked is not said."  # as of a survey
        return (
            asked
            if not book.has("evidence")
            else f"The source portrays {people(described)} and does not say how many were interviewed."
        )
    if not declared:
        return "The source says that nobody was interviewed."
    if described == declared:
        return f"The source portrays {'the one person' if declared == 1 else f'each of the {people(declared)}'} interviewed."
    if not described:
        return f"The source says that {people(declared)} {was(declared)} interviewed, and nothing individual about any of them."
    others = f"the other {spell(declared - described)}"
    return f"The source portrays {spell(described)} of the {people(declared)} interviewed and says nothing individual about {others}."


def finding(table: pd.DataFrame, what: str, says: Callable[[str, int], str] | None = None, *, share: str = "") -> str:
    """Of how many something is known, what it is, and between which bounds the most common of it lies.

    Parameters
    ----------
    table : DataFrame
        Completed counts with one label column.
    what : str
        What is counted, such as ``"The age"``.
    says : callable
        What is said of so many with a label, such as ``"are 18–24"``; up to `MOST_SPELLED` labels are told so, others listed.
    share : str
        How the bounds end, such as ``"are {}"``; blank where not stated may mean that there is nothing to state.

    Examples
    --------
    >>> rows = [("18–24", 4, "stated", ()), ("25–34", 2, "stated", ()), ("not stated", 4, "not stated", ())]
    >>> table = pd.DataFrame(rows, columns=["age", "interviewees", "state", "who"])
    >>> print(finding(table, "The age", share="are {}").replace("). ", ").\\n"))
    The age of six of the ten is known: 18–24 (4), 25–34 (2).
    At least four and at most eight of the ten are 18–24.
    >>> finding(table, "The age", lambda label, n: f"are {label}")
    'Four of the ten are 18–24 and two are 25–34; the age of the other four is not known.'
    >>> finding(table.assign(state=["stated", "in no single band", "not stated"]), "The age", lambda label, n: f"are {label}")
    'Four of the ten are 18–24 and two are in no single band; the age of the other four is not known.'
    """
    if table.attrs.get("withheld"):
        return str(table.attrs["withheld"])
    unit, rows = unit_of(table), known(table)
    number, total = int(rows[unit].sum()), int(table[unit].sum())
    pairs = list(zip(map(isolate, rows.iloc[:, 0]), map(int, rows[unit]), strict=True))
    hidden, between = (int(table.loc[table["state"] == state, unit].sum()) for state in (NOT_SHOWN, NO_BAND))
    unclear = [(NO_BAND, between)] if between else []  # known, and last
    if not pairs and not unclear:
        return none_known(what, table)
    apart = f" {spell(hidden).capitalize()} {'is' if hidden == 1 else 'are'} {NOT_SHOWN}." if hidden else ""
    # Where those not stated have a row of their own, those not shown apart are known to be something else.
    unknown = total - number - (hidden if NOT_STATED in set(table["state"]) else 0)
    if says and len(pairs) <= MOST_SPELLED and total > 1:
        parts = [
            *((n, says(label, n)) for label, n in pairs),
            *((n, f"{'is' if n == 1 else 'are'} {NO_BAND}") for _, n in unclear),
        ]
        told = [f"{spell(n) if at else part(n, table).capitalize()} {text}" for at, (n, text) in enumerate(parts)]
        rest = total - number - hidden - between
        what = what[:1].lower() + what[1:]
        head = join(told) + (f"; {what} of the other {spell(rest)} is not known." if rest > 0 else ".") + apart
    else:
        listed = ", ".join(f"{label} ({n:,})" for label, n in [*pairs[:MOST_NAMED], *unclear])
        listed += f", and {plural(len(pairs) - MOST_NAMED, 'other')}" if len(pairs) > MOST_NAMED else ""
        head = f"{what} of {part(number + between, table)} is {'shown' if hidden else 'known'}: {listed}.{apart}"
    tied = len(pairs) > 1 and pairs[0][1] == pairs[1][1]
    if not share or not unknown or tied or not pairs:
        return head
    label, n = pairs[0]
    return f"{head} At least {spell(n)} and at most {spell(n + unknown)} of the {spell(total)} {share.format(label)}."


def came_from(book: Edition, routes: pd.DataFrame) -> str:
    """From where people came, by the first stop of their ``route``; blank where these are more than six, or nobody's is known.

    ``routes`` are counts with ``route``, ``n`` and ``who``.
    """
    firsts = routes.assign(start=[str(route).split(" → ")[0] for route in routes["route"]]).query("start != ''")
    starts = firsts.groupby("start")[["n", "who"]].sum().sort_values("n", ascending=False, kind="stable")
    if not 0 < len(starts) <= MOST_NAMED or book.minimum_cell > 1:
        return ""
    numbers = [(isolate(str(start)), int(n)) for start, n in starts["n"].items()]
    ones = [start for start, n in numbers if n == 1]
    came = [f"{spell(n)} from {start}" for start, n in numbers if n > 1]
    came += [f"one {'each ' if len(ones) > 1 else ''}from {join(ones)}"] if ones else []
    missing = book.described - int(starts["n"].sum())
    of = f" of the {spell(book.described)}" if missing or len(numbers) > 1 else ""
    told = ", ".join(came).replace(" from ", f"{of} came from ", 1)
    said = [f"{told[:1].upper()}{told[1:]}."]
    parties = sorted(_parties(book, starts["who"].iloc[0]).values(), reverse=True)
    said += [f"{spell(n).capitalize()} of those from {numbers[0][0]} travelled together." for n in parties if n > 1]
    said += [f"Where {spell(missing)} of the {spell(book.described)} came from is not stated."] if missing else []
    return " ".join(said)


def most_travelled(book: Edition, legs: pd.DataFrame) -> str:
    """The way from place to place that most people took: of `journeys.legs_of_routes`; blank where small cells are suppressed."""
    made = legs[(legs["state"] == STATED) & (legs["status"] != INTENDED)]
    ways = made.groupby(["from", "to"])["people"].sum()
    first = ways[ways == ways.max()]
    if first.empty or book.minimum_cell > 1:  # larger ones may not be shown
        return ""
    n = people(int(first.iloc[0]))
    if len(first) > 1:
        return f"No way from one place to another was taken by more than {n}."
    start, end = map(isolate, first.index[0])
    return f"Most travelled was the way from {start} to {end}, by {n}."


def routes_known(book: Edition, table: pd.DataFrame) -> str:
    """Of how many something of the route is known, and which of them travelled it together: of counts by route."""
    rows = table[table["state"] == STATED]
    if rows.empty:
        return finding(table, "The route")
    shown = "shown" if NOT_SHOWN in set(table["state"]) else "known"
    said = [f"For {part(int(rows['interviewees'].sum()), table)} at least part of the route is {shown}."]
    for route, n, _, who in rows.itertuples(index=False):
        if together(book, who):
            said.append(f"{people(n).capitalize()} who travelled together took the route {isolate(route)}.")
    return " ".join(said)


def one_journey(book: Edition, by_mode: pd.DataFrame) -> str:
    """Which legs by one means of travel are a single journey of one party, as a further sentence: of counts by mode."""
    rows = by_mode[by_mode["state"] == STATED].itertuples(index=False)
    modes = [by_means(mode) for mode, n, _, who in rows if n == len(who) and together(book, who)]
    return "".join(f" The legs {mode} are one journey of people who travelled together." for mode in modes)


def modes_read(book: Edition) -> str:
    """Which means of travel the source does not name in so many words, as a further sentence."""
    rows = book.rows("legs") if book.minimum_cell == 1 else []
    proofs = [(row["mode"], book.evidence.get(("legs", f"{row['interviewee']}.{row['leg']}", "mode"))) for row in rows]
    ours = sorted({by_means(mode) for mode, proof in proofs if proof and proof["basis"] == "judged"})
    return f" “{join(ours).capitalize()}” is our reading of the source." if ours else ""


def wait_of_others(book: Edition) -> str:
    """The longest wait of somebody who is quoted but not counted, as a further sentence."""
    if book.minimum_cell > 1 or book.described > 30:
        return ""
    others = {row["interviewee"] for row in book.rows("interviewees") if row["counted"] != "yes"}
    nights = [
        int(row["nights_waited"]) for row in book.rows("legs") if row["interviewee"] in others and row["nights_waited"]
    ]
    return f" Somebody who is quoted but not counted here spent {spell(max(nights))}." if nights else ""


def crossed(by_days: pd.DataFrame, soonest: Sequence[tuple[int, int, Sequence[str]]], event: str) -> str:
    """How many days after an event people crossed the border at the earliest: ``soonest`` has how many, days, and who."""
    if not soonest:
        return finding(by_days, "The earliest day of crossing")
    (first, days, _), *others = soonest
    of = part(sum(n for n, _, _ in soonest), by_days)
    if len(soonest) > MOST_SPELLED:
        span = f"{days:,} to {soonest[-1][1]:,} days after {event}"
        return f"For {of} the earliest possible day of crossing is known: {span}."
    said = [f"{spelled(days, 'day')} after {event}{f' for {spell(first)} of them' if others else ''}"]
    said += [f"{spelled(days, 'day')} for {spell(n)}" for n, days, _ in others]
    return f"For {of} the earliest possible day of crossing is known: {join(said)}."


def together(book: Edition, who: Collection[str]) -> bool:
    """Whether these are several people of whom the source says that they travelled as one party."""
    sizes = _parties(book, who)
    return len(set(who)) > 1 and list(sizes.values()) == [len(set(who))]


def one_party(book: Edition, table: pd.DataFrame) -> str:
    """How many of those of whom something is known travelled as one party, as a further sentence; blank where none did."""
    who = {each for those in known(table)["who"] for each in those}
    parts = [spell(n) for n in sorted(_parties(book, who).values(), reverse=True) if n > 1]
    if parts == [spell(len(who))]:
        return f" These {parts[0]} travelled together."
    if len(parts) == 1:
        return f" {parts[0].capitalize()} of these {spell(len(who))} travelled together."
    return f" Of these {spell(len(who))}, {join(parts)} travelled as one party each." if parts else ""


def _parties(book: Edition, who: Collection[str]) -> Counter[str]:
    """How many of these people are in each party."""
    rows = book.rows("interviewees") if who and book.minimum_cell == 1 else []  # tables of many people name none
    return Counter(row["party"] for row in rows if row["interviewee"] in who and row.get("party"))


def people(n: int) -> str:
    """So many people, in words.

    Examples
    --------
    >>> people(1), people(17)
    ('one person', '17 people')
    """
    return f"{spell(n)} {'person' if n == 1 else 'people'}"


def part(n: int, table: pd.DataFrame) -> str:
    """How many of those counted.

    Examples
    --------
    >>> table = pd.DataFrame({"age": ["18–24"], "interviewees": [17], "state": "stated", "who": [()]})
    >>> part(0, table), part(3, table), part(17, table)
    ('none of the 17', 'three of the 17', 'all 17')
    """
    total = int(table[unit_of(table)].sum())
    if total == 1:
        return f"the one {unit_of(table).rstrip('s')}"
    of = spell(total) if unit_of(table) == "interviewees" else f"{spell(total)} {unit_of(table)}"
    return f"all {of}" if n == total else f"{spell(n) if n else 'none'} of the {of}"


def none_known(what: str, table: pd.DataFrame) -> str:
    """That something is known of nobody, or that there is nobody."""
    total = int(table[unit_of(table)].sum())
    return (
        f"{what} is not stated for any {part(0, table).removeprefix('none ')}."
        if total > 1
        else f"{what} is not stated."
        if total
        else "There is nobody to count."
    )


def of_each(table: pd.DataFrame, what: str) -> str:
    """Of how many something is known, without saying what: for tables of two labels."""
    if table.attrs.get("withheld"):
        return str(table.attrs["withheld"])
    n = int(table.loc[table["state"].isin([STATED, NO_BAND]), unit_of(table)].sum())
    shown = "shown" if NOT_SHOWN in set(table["state"]) else "known"
    return (
        f"{what} of {part(n, table)} {'is' if ' and ' not in what else 'are'} {shown}."
        if n
        else none_known(what, table)
    )


def spelled_out(table: pd.DataFrame) -> str:
    """A table of counts in a sentence, for those who hear the chart.

    Examples
    --------
    >>> spelled_out(pd.DataFrame({"age": ["18–24", "none"], "interviewees": [4, 0], "state": "stated", "who": [()] * 2}))
    '18–24: 4.'
    """
    unit = unit_of(table)
    labels = [join(list(dict.fromkeys(map(str, row)))) for row in table.iloc[:, :-3].itertuples(index=False)]
    pairs = [f"{isolate(label)}: {n:,}" for label, n in zip(labels, table[unit], strict=True) if n]
    return "; ".join([*pairs[:12], *([f"and {len(pairs) - 12} rows more"] if len(pairs) > 12 else [])]) + "."


def was(n: int) -> str:
    """The verb for n of something past."""
    return "was" if n == 1 else "were"
