"""Made-up people whose traits are few, some of them common and some rare; and editions of them."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from conftest import write_edition

from analysis.disclosure import NOT_STATED

TRAITS: dict[str, tuple[str, ...]] = {
    "age": ("17", "20", "24", "30", "40", "50", ""),
    "profession": ("lawyer", "nurse", "poet", "driver", "baker", "student", ""),
    "route": ("a c", "a b c", "b c", "b d", ""),
    "mode": ("air", "rail", "road", ""),
    "nights": ("1", "2", "3", ""),
    "departed": ("2022-09-22", "2022-09-24", ""),
    "onward": ("c", "d", ""),
}
PLACES = {"a": ("Ay", "RUS"), "b": ("Be", "RUS"), "c": ("Ce", "KAZ"), "d": ("De", "GEO")}
COUNTRIES = {"c": "Kazakhstan", "d": "Georgia", "": ""}
BANDS = {"under 18": 17, "18–24": 24, "25–34": 34, "35–44": 44, "45 and over": 200}
EVENT = "2022-09-21"

Person = dict[str, str]
Truth = dict[str, dict[tuple[str, ...], int]]


def crowd(seed: int) -> list[Person]:
    """From 8 to 60 people."""
    draw = random.Random(seed)
    known = {name: draw.sample(values, len(values)) for name, values in TRAITS.items()}
    falls = {name: draw.choice([1.0, 1.5, 2.5]) for name in TRAITS}
    return [
        {name: draw.choices(known[name], [falls[name] ** -n for n in range(len(known[name]))])[0] for name in TRAITS}
        for _ in range(draw.randint(8, 60))
    ]


def written(folder: Path, people: list[Person], undescribed: int = 4, **said: Any) -> Path:
    """An edition of these people."""
    who = [(f"i{n:02}", "yes", one["age"], one["age"], "", one["profession"]) for n, one in enumerate(people, 1)]
    legs: list[tuple[Any, ...]] = []
    for n, one in enumerate(people, 1):
        made = list(itertools.pairwise(one["route"].split()))
        for at, (start, end) in enumerate(made, 1):
            first = (one["departed"], one["nights"]) if at == 1 else ("", "")
            legs.append((f"i{n:02}", at, "made", start, end, one["mode"], *first))
        if one["onward"]:
            legs.append((f"i{n:02}", len(made) + 1, "intended", "", one["onward"]))
    places = [(key, *place, 50, 40 + 5 * n, "city") for n, (key, place) in enumerate(PLACES.items())]
    tables = {"interviewees": who, "legs": legs, "places": places}
    event = {"title": "the event", "date": EVENT}
    report = {"declared_interviewees": len(people) + undescribed, "reference_event": event, **said}
    return write_edition(folder, tables, name="crowd", title="A crowd", report=report)


def truth_of(people: list[Person]) -> Truth:
    """What the tables would hold without suppression, without those not described: counted by hand, from the traits."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for one in people:
        since = date.fromisoformat(one["departed"]) - date.fromisoformat(EVENT) if one["departed"] else None
        days = since.days + int(one["nights"] or 0) if since is not None else 0
        age = next(label for label, last in BANDS.items() if int(one["age"]) <= last) if one["age"] else ""
        told = {
            "interviewees-by-age": (age,),
            "interviewees-by-profession": (one["profession"],),
            "age-by-profession": (one["profession"], age),
            "interviewees-by-route": (" → ".join(PLACES[stop][0] for stop in one["route"].split()),),
            "interviewees-by-intention": (COUNTRIES[one["onward"]],),
            "nights-waited": (one["nights"] if one["route"] else "",),
            "days-to-border": (f"{days} or more" if days and one["route"] else "",),
            "legs-by-mode": (one["mode"] if one["route"] else "",),
        }
        for name, labels in told.items():
            found.setdefault(name, []).append(tuple(label or NOT_STATED for label in labels))
    truth = {name: dict(Counter(rows)) for name, rows in found.items()}
    truth["interviewees-by-age"] = dict.fromkeys([(band,) for band in BANDS], 0) | truth["interviewees-by-age"]
    return truth
