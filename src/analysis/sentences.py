"""Sentences that stay true of other data. Pure: counts in, plain text out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence

import pandas as pd

from analysis.counts import known, unit_of
from analysis.disclosure import NO_BAND, NOT_SHOWN, NOT_STATED, STATED
from analysis.editions import Edition
from analysis.journeys import INTENDED
from analysis.text import isolate, join, plural, spell, spelled

MOST_NAMED, MOST_SPELLED = 6, 4
"""How many labels a sentence lists at most, and for how many it has a clause each."""


def whom(book: Edition) -> str:
    """The people whom the tables count, as a caption ends: the declared number, and where they were interviewed."""
    place = str(book.places.get(book.report.collected_at, {}).get("name", ""))
    where = f" in {isolate(place)}" if place else ""
    if book.declared is not None:
        return f"the {people(book.declared)} interviewed{where}"
    return f"the interviewees{where} {'whom the source portrays' if book.has('evidence') else 'in the data'}"


def coverage(book: Edition) -> str:
    """How many were interviewed, and of how many the source says something individual."""
    if not book.has("interviewees"):
        return "This edition has no table of interviewees."
    declared, described = book.declared, book.described
    if declared is None:
        survey = f"The data describe {people(described)}. How many were asked is not said."
        source = f"The source portrays {people(described)} and does not say how many were interviewed."
        return source if book.has("evidence") else survey
    if not declared:
        return "The source says that nobody was interviewed."
    if described == declared:
        everybody = "the one person" if declared == 1 else f"each of the {people(declared)}"
        return f"The source portrays {everybody} interviewed."
    if not described:
        return f"The source says that {people(declared)} {was(declared)} interviewed, and nothing individual about any of them."
    others = f"the other {spell(declared - described)}"
    return f"The source portrays {spell(described)} of the {people(declared)} interviewed and says nothing individual about {others}."


def finding(table: pd.DataFrame, what: str, says: Callable[[str, int], str] | None = None, *, share: str = "") -> str:
    """For how many people something is known, how many have each label, and the bounds of the largest label's share.

    Parameters
    ----------
    table : DataFrame
        Completed counts with one label column.
    what : str
        What is counted, such as ``"The age"``.
    says : callable
        The predicate for a label and its number of people, such as ``"are 18–24"``. With up to `MOST_SPELLED` labels
        each gets such a clause; else labels are listed.
    share : str
        The predicate of the bounds, such as ``"are {}"``. Leave it blank where "not stated" may mean that there is
        nothing to state.

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
    counts = list(zip(map(isolate, rows.iloc[:, 0]), map(int, rows[unit]), strict=True))
    hidden, no_band = (int(table.loc[table["state"] == state, unit].sum()) for state in (NOT_SHOWN, NO_BAND))
    unclear = [(NO_BAND, no_band)] if no_band else []  # known, and last
    if not counts and not unclear:
        return none_known(what, table)
    apart = f" {spell(hidden).capitalize()} {'is' if hidden == 1 else 'are'} {NOT_SHOWN}." if hidden else ""
    if says and len(counts) <= MOST_SPELLED and total > 1:
        predicates = [(n, says(label, n)) for label, n in counts]
        predicates += [(n, f"{'is' if n == 1 else 'are'} {label}") for label, n in unclear]
        subjects = [part(predicates[0][0], table).capitalize(), *(spell(n) for n, _ in predicates[1:])]
        clauses = [f"{subject} {predicate}" for subject, (_, predicate) in zip(subjects, predicates, strict=True)]
        rest = total - number - hidden - no_band
        other = f"; {what[:1].lower()}{what[1:]} of the other {spell(rest)} is not known" if rest > 0 else ""
        head = f"{join(clauses)}{other}.{apart}"
    else:
        listed = ", ".join(f"{label} ({n:,})" for label, n in [*counts[:MOST_NAMED], *unclear])
        more = f", and {plural(len(counts) - MOST_NAMED, 'other')}" if len(counts) > MOST_NAMED else ""
        head = f"{what} of {part(number + no_band, table)} is {'shown' if hidden else 'known'}: {listed}{more}.{apart}"
    # Where those not stated have a row of their own, those not shown apart are known to be something else.
    unknown = total - number - (hidden if NOT_STATED in set(table["state"]) else 0)
    tied = len(counts) > 1 and counts[0][1] == counts[1][1]
    if not share or not unknown or tied or not counts:
        return head
    label, n = counts[0]
    return f"{head} At least {spell(n)} and at most {spell(n + unknown)} of the {spell(total)} {share.format(label)}."


def came_from(book: Edition, routes: pd.DataFrame) -> str:
    """From where people came, by the first stop of their ``route``; blank where nobody's is known, or there are more than six.

    ``routes`` are counts with ``route``, ``n`` and ``who``.
    """
    firsts = routes.assign(start=[str(route).split(" → ")[0] for route in routes["route"]]).query("start != ''")
    starts = firsts.groupby("start")[["n", "who"]].sum().sort_values("n", ascending=False, kind="stable")
    if not 0 < len(starts) <= MOST_NAMED or book.minimum_cell > 1:
        return ""
    numbers = [(isolate(str(start)), int(n)) for start, n in starts["n"].items()]
    ones = [start for start, n in numbers if n == 1]
    groups = [(spell(n), start) for start, n in numbers if n > 1]
    groups += [("one each" if len(ones) > 1 else "one", join(ones))] if ones else []
    (many, start), *others = groups
    missing = book.described - int(starts["n"].sum())
    of = f" of the {spell(book.described)}" if missing or len(numbers) > 1 else ""
    clauses = [f"{many.capitalize()}{of} came from {start}", *(f"{n} from {place}" for n, place in others)]
    sentences = [f"{', '.join(clauses)}."]
    parties = sorted(_parties(book, starts["who"].iloc[0]).values(), reverse=True)
    sentences += [
        f"{spell(n).capitalize()} of those from {numbers[0][0]} travelled together." for n in parties if n > 1
    ]
    if missing:
        sentences.append(f"Where {spell(missing)} of the {spell(book.described)} came from is not stated.")
    return " ".join(sentences)


def most_travelled(book: Edition, legs: pd.DataFrame) -> str:
    """The way that most people travelled, or, where several are equal, that none was travelled by more.

    ``legs`` are those of `journeys.legs_of_routes`. Blank where there is none, or small cells are suppressed.
    """
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


def crossed(by_days: pd.DataFrame, soonest: Sequence[tuple[int, int, Sequence[str]]], event: str) -> str:
    """How many days after an event people crossed the border at the earliest.

    ``soonest`` has for each number of days how many people, the days, and who they are; the fewest days come first.
    """
    if not soonest:
        return finding(by_days, "The earliest day of crossing")
    (first, days, _), *others = soonest
    of = part(sum(n for n, _, _ in soonest), by_days)
    if len(soonest) > MOST_SPELLED:
        span = f"{days:,} to {soonest[-1][1]:,} days after {event}"
        return f"For {of} the earliest possible day of crossing is known: {span}."
    clauses = [f"{spelled(days, 'day')} after {event}{f' for {spell(first)} of them' if others else ''}"]
    clauses += [f"{spelled(days, 'day')} for {spell(n)}" for n, days, _ in others]
    return f"For {of} the earliest possible day of crossing is known: {join(clauses)}."


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
    if not total:
        return "There is nobody to count."
    if total == 1:
        return f"{what} is not stated."
    return f"{what} is not stated for any {part(0, table).removeprefix('none ')}."


def of_each(table: pd.DataFrame, what: str) -> str:
    """For how many people something is known, without saying what: for tables of two labels."""
    if table.attrs.get("withheld"):
        return str(table.attrs["withheld"])
    n = int(table.loc[table["state"].isin([STATED, NO_BAND]), unit_of(table)].sum())
    if not n:
        return none_known(what, table)
    shown = "shown" if NOT_SHOWN in set(table["state"]) else "known"
    return f"{what} of {part(n, table)} {'are' if ' and ' in what else 'is'} {shown}."


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
    more = [f"and {len(pairs) - 12} rows more"] if len(pairs) > 12 else []
    return "; ".join([*pairs[:12], *more]) + "."


def was(n: int) -> str:
    """The verb for n of something past."""
    return "was" if n == 1 else "were"
