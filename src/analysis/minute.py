"""The front page's answers: each question with the most common answer, of how many, and how many are not known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import pandas as pd

from analysis import prose
from analysis.exhibit import display
from analysis.frames import MOST_MARKS, Row, isolated
from analysis.tabulate import (
    NOT_DESCRIBED,
    NOT_SHOWN,
    Counts,
    at_odds,
    destination_of,
    listed,
    measure_of,
    number_of,
    overlapping,
)


@dataclass(frozen=True)
class Answer:
    """One question, answered as far as the source answers it."""

    question: str
    answer: str
    of: str
    """Of how many the answer is told."""
    unknown: str
    """How many are not known, or what else the answer leaves open."""
    href: str
    """The exhibit behind it."""
    marks: str = ""
    """One mark a person, where they are few."""


@dataclass(frozen=True)
class Answers:
    """Answers as a list of cards."""

    answers: Sequence[Answer]

    def _ipython_display_(self) -> None:
        plain = "; ".join(f"{each.question} {each.answer}, {each.of}, {each.unknown}" for each in self.answers)
        display({"text/html": self.html(), "text/plain": plain})

    def html(self) -> str:
        """The cards as the front page shows them."""
        return f'<ul class="answers">{"".join(map(_card, self.answers))}</ul>'


def _card(answer: Answer) -> str:
    marks = f'<span class="marks" aria-hidden="true">{escape(answer.marks)}</span>' if answer.marks else ""
    return (
        f'<li><a href="{escape(answer.href, quote=True)}">{escape(answer.question)}</a>'
        f"<strong>{escape(answer.answer)}</strong>{marks}<span>{escape(answer.of)}</span>"
        f'<span class="unknown">{escape(answer.unknown)}</span></li>'
    )


def interviewed(declared: int | None, described: int) -> Answer:
    """How many were interviewed, and how many of them the source describes.

    Examples
    --------
    >>> interviewed(5, 3).of, interviewed(5, 3).unknown, interviewed(5, 3).marks
    ('3 described one by one', '2 not described', '●●●□□')
    """
    whole = described if declared is None else declared
    rest = whole - described
    return Answer(
        "Who was interviewed?",
        prose.plural(whole, "person", "people"),
        f"{described:,} described one by one",
        "the source names no number" if declared is None else f"{rest:,} {NOT_DESCRIBED}" if rest else "none left out",
        "interviewees.html",
        one_mark_each(declared, described),
    )


def one_mark_each(declared: int | None, described: int) -> str:
    """A full mark for everyone described, a hollow one for everyone who is not; nothing when they are many.

    Examples
    --------
    >>> one_mark_each(5, 3), one_mark_each(None, 2), one_mark_each(5000, 3)
    ('●●●□□', '●●', '')
    """
    whole = described if declared is None else declared
    return "●" * described + "□" * (whole - described) if whole <= MOST_MARKS else ""


def most_common(question: str, counts: Counts, href: str) -> Answer:
    """The most common of what is told; ties are all named, or counted when there are more than two.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"age": ["18–24", "25–34", "not stated"], "interviewees": [4, 2, 11]})
    >>> most_common("How old?", Counts(frame, ("stated", "stated", "not stated"), ((), (), ())), "").of
    '4 of the 17'
    """
    rows = [
        (str(row[0]), int(row[-1]))
        for row, state in zip(counts.frame.itertuples(index=False), counts.states, strict=True)
        if state == "stated" and row[-1]
    ]
    apart = counts.of(NOT_SHOWN)
    unknown = counts.total - sum(n for _, n in rows) - apart
    not_known = f"{unknown:,} not known" if unknown else "all known"
    if apart:
        not_known += f", {apart:,} {NOT_SHOWN}"
    if not rows:
        of = f"of none of the {counts.total:,}" if counts.total else "nobody to count"
        return Answer(question, "not told", of, not_known if counts.total else "", href)
    top = max(n for _, n in rows)
    labels = [isolated(label) for label, n in rows if n == top]
    answer = listed(labels) if len(labels) <= 2 else f"{labels[0]} and {len(labels) - 1:,} others alike"
    each = " each" if len(labels) > 1 else ""
    of = f"{top:,}{each} of the {counts.total:,}" if counts.total > 1 else "the one there is"
    return Answer(question, answer, of, not_known, href)


def where_to(rows: Sequence[Row]) -> Answer:
    """The figure that a source gives, or how many it gives and of how many measures.

    Examples
    --------
    >>> row = {"countries": "KAZ", "includes_others": "", "measure": "entries", "low": "", "high": "9", "quantifier": "nearly"}
    >>> where_to([row]).answer, where_to([row]).of
    ('nearly 9', 'Kazakhstan (measure: entries)')
    >>> where_to([row, row, {**row, "countries": "KAZ GEO"}]).of
    'of 1 measure, for 1 country; 1 figure for several at once'
    >>> where_to([row] * 3).answer, where_to([row] * 3).of
    ('3 figures', 'of 1 measure, for 1 country')
    """
    if not rows:
        return Answer("Where to?", "not told", "the source gives no figure", "all not known", "destinations.html")
    measures = {row["measure"] for row in rows}
    open_ended = sum(not row["low"] or not row["high"] or "counting" in row["quantifier"] for row in rows)
    left = f"{open_ended:,} with an open end" if open_ended else "none with an open end"
    if len(rows) <= 2:
        first, *more = [(number_of(row), _about(row)) for row in rows]
        told = "; ".join([first[1], *(f"and {about}: {number}" for number, about in more)])
        return Answer(
            "Where to?", first[0], told[:1].upper() + told[1:], left, "destinations.html#exhibit-destinations"
        )
    alone = [row["countries"] for row in rows if len(row["countries"]) == 3 and row["includes_others"] != "true"]
    places = [prose.plural(len(set(alone)), "country", "countries")] if alone else []
    if len(alone) < len(rows):
        places.append(f"{prose.plural(len(rows) - len(alone), 'figure')} for several at once")
    of = f"of {prose.plural(len(measures), 'measure')}, for {'; '.join(places)}"
    apart = "never added or ranked, " if len(measures) > 1 else ""
    answer = prose.plural(len(rows), "figure")
    return Answer("Where to?", answer, of, apart + left, "destinations.html#exhibit-destinations")


def held_together(figures: pd.DataFrame) -> Answer:
    """How many figures can be held against another, and whether some cannot both be right.

    Parameters
    ----------
    figures : DataFrame
        As ``tabulate.figures`` gives them.
    """
    beside = overlapping(figures)
    groups = len(beside[["measure", "destination"]].drop_duplicates())
    odd = len(at_odds(beside))
    return Answer(
        "Do they agree?",
        f"{prose.plural(len(beside), 'figure')} to compare",
        f"in {prose.plural(groups, 'group')} of one measure, one destination and days in common",
        f"{prose.plural(odd, 'pair')} at odds over the very same days, all kept"
        if odd
        else "none at odds over the very same days",
        "destinations.html#exhibit-overlapping-figures",
    )


def addressed(addresses: Sequence[str]) -> Answer:
    """How many figures lead to the page where they were read, where there are no words of the source.

    Examples
    --------
    >>> addressed(["https://one.example", ""]).answer, addressed(["https://one.example", ""]).unknown
    ('1 figure with its page', '1 without; no words of the source')
    """
    given = sum(map(bool, addresses))
    rest = len(addresses) - given
    return Answer(
        "How do I check it?",
        f"{prose.plural(given, 'figure')} with {'its page' if given == 1 else 'their pages'}",
        f"of {prose.plural(len(addresses), 'figure')}; a page is where a figure was read",
        f"{rest:,} without; no words of the source" if rest else "no words of the source",
        "destinations.html#exhibit-destinations",
    )


def traced(bases: Sequence[str]) -> Answer:
    """How many values are coded, and on what each rests.

    Examples
    --------
    >>> traced(["stated", "stated", "judged"]).of, traced(["stated", "judged"]).unknown
    ('2 stated and 1 judged', '1 the coder had to judge')
    """
    counted = [(bases.count(basis), basis) for basis in ("stated", "derived", "judged")]
    judged = bases.count("judged")
    return Answer(
        "How do I check it?",
        f"{prose.plural(len(bases), 'value')} with the words of the source",
        listed([f"{n:,} {basis}" for n, basis in counted if n]),
        f"{judged:,} the coder had to judge" if judged else "none the coder had to judge",
        "evidence.html",
    )


def _about(row: Row) -> str:
    return f"{destination_of(row)} (measure: {isolated(measure_of(row['measure']))})"
