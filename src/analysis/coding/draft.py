"""Drafts of evidence: where the values of an edition can be read in its source, for the coder to confirm.

A value that only a person can decide gets a row whose note begins with `DRAFT`. `check` refuses such rows, and also two
rows for one value.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import pairwise, product
from pathlib import Path

from analysis.coding.checks import DRAFT
from analysis.coding.relations import MOST_WORDS, Place, needs_evidence
from analysis.coding.rules import MONTHS, TYPED, WORD, Setting, gazetteer, length, normalise, numbers, words
from analysis.coding.verify import derived, named, paragraph_problems, paragraphs, readable, same
from analysis.editions import Edition, Row, examine
from analysis.folder import PACKAGE, origin, shown_path
from analysis.schema import schema
from parabook.errors import InputError, grouped, show

STATED = "stated"
READ_BY: Mapping[str, Sequence[str]] = {
    "age_min": (STATED, "age-phrase"), "age_max": (STATED, "age-phrase"), "gender": (STATED, "pronoun"),
    "isco08": ("occupations",), "status": ("movement-word",), "mode": ("mode-word",), "departed": (STATED, "day-count"),
    "measure": ("measure-word",), "destinations.quantifier": ("hedge",), "low": (STATED, "order-of-magnitude"),
    "high": (STATED, "order-of-magnitude"), "window_start": (STATED, "reference-event"), "includes_others": ("others-word",),
    "counted": (), "says": (),
}  # fmt: skip
"""The bases tried for a column, or for one table's column: the value is stated, or derived by a rule. By default stated."""
SHARED = dict.fromkeys(("country", "latitude", "longitude", "precision"), "gazetteer")
SHARED |= {"includes_others": "others-word", "from_place": "collected-at"}
"""Columns whose value a rule may derive from a fragment quoted for another value of the row, and that rule."""
ANYWHERE = ("name", "collected_at", "reported_by")
"""Columns for which the first mention in the source is taken."""
CUES = {"legs.nights_waited": r"\bnights?\b", "destinations.quantifier": r"\d|dozen|hundred|thousand|million"}
"""Patterns that a fragment must match as well, by column of a table."""
BY_HAND = {"counted": "whether this is one of those interviewed", "says": "that this is said, and by whom"}
MOST_CANDIDATES, CLEAR = 4, 1.5
"""The most rows drafted for one value, and how many times the weight of any other a site needs to be the only one."""
BREAK = re.compile(r"[.?!;:()\[\]\"—…“”]|\s[-–]\s")
WHOLE = re.compile(rf"(?:{WORD.pattern})+")
"""A run of words without blanks between them, such as 30s, in which `WORD` finds two."""
LINKS = re.compile(
    r"(?:an?|the|and|but|or|as|at|by|for|from|in|of|on|to|with|who|that|is|was|were|ha[ds]|have|he|she|they|his|her|its|their)$"
)
"""Words that are cut off at the end of a fragment."""

Site = tuple[int, str, str, str]
"""A candidate for a row of evidence: paragraph, fragment, basis and note."""


def add_evidence(path: Path, text: str) -> tuple[int, int, int]:
    """Append drafted rows to an edition's evidence: how many values are read in one place, in several, and are left open.

    Existing rows stay as they are. InputError, and nothing is written, where the edition has errors of another kind.
    """
    edition, problems = examine(path)
    errors = [each for each in problems if not each.warning]
    if edition is None:
        raise InputError(errors)
    shown, file = edition.files.get("evidence", ""), path / "evidence.csv"
    if not shown.endswith(file.name) or origin(path):
        raise InputError.one(shown_path(path), "no table evidence.csv", f"one here, on the list in {PACKAGE}")
    # Errors in rows of evidence are left out: drafts of an earlier call are among them.
    errors = [each for each in errors if each.file != shown or not each.column or each.row == 1]
    errors += paragraph_problems(edition, text)
    if errors:
        raise InputError(grouped(errors), _places(edition))
    rows, before, out = draft(edition, text), file.read_bytes(), io.StringIO()
    columns = next(csv.reader(io.StringIO(before.decode("utf-8-sig"))))
    csv.DictWriter(out, columns, lineterminator="\r\n" if b"\r\n" in before else "\n").writerows(rows)
    with tempfile.TemporaryDirectory(prefix=".evidence-", dir=path) as folder:
        new = Path(folder, file.name)
        new.write_bytes(before + b"\n" * (before[-1:] != b"\n") + out.getvalue().encode())
        new.replace(file.resolve())
    times = Counter((row["table"], row["key"], row["column"]) for row in rows)
    several, left = sum(n > 1 for n in times.values()), sum(row["note"].startswith(DRAFT) for row in rows)
    return len(times) - several - left, several, left


def _places(edition: Edition) -> str:
    """Rows of table places to paste: those without a country, as the gazetteer completes them."""
    known, columns = "", ("country", "latitude", "longitude", "precision")
    for row in edition.rows("places"):
        cells = [row["place"], row["name"], *(gazetteer(row["name"], Setting(column)) for column in columns)]
        if all(cells) and not row["country"]:
            known += f"\n{','.join(map(str, cells))}"
    return f"the gazetteer has, for {edition.files['places']}:{known}" if known else ""


def draft(edition: Edition, text: str) -> list[Row]:
    """Rows of evidence for each value that needs some and has none: one, or one a paragraph where it is read in several."""
    evident, values = edition.evidence, edition.values()
    missing = [place for place in values if place not in evident and needs_evidence(place)]
    sites = cache(Reader(edition, text).sites)
    own = [place for place in missing if not _is_shared(place, values, edition)]
    found, homes = _near_subjects({place: sites(place[0], place[2], values[place]) for place in own}, evident)
    known = {place: (int(row["paragraph"] or 0), row["exact"]) for place, row in evident.items() if row["exact"]}
    known |= {place: each[0][:2] for place, each in found.items() if len(each) == 1 and DRAFT not in each[0][3]}
    rows: list[Row] = []
    for place in missing:
        if place not in found:
            beside = [site for other, site in known.items() if other[:2] == place[:2]]
            found[place] = [*_shared_site(place, values[place], beside, edition)]
        correct = f"{show(values[place])}, which nothing near by says: correct it, or say why it is so"
        note = f"{DRAFT}quote what shows {BY_HAND.get(place[2], correct)}"
        for site in found[place] or [(homes.get(_subject(place), 0), "", "judged", note)]:
            cells = (str(cell or "") for cell in (*place, *site))
            rows.append(dict(zip(schema("evidence").columns, cells, strict=True)))
    return rows


def _near_subjects(
    found: Mapping[Place, list[Site]], evident: Mapping[Place, Row]
) -> tuple[dict[Place, list[Site]], dict[str, int]]:
    """The sites of each value near other sites of the same person or figure, and the main paragraph of each of these."""
    weights = defaultdict[str, dict[int, float]](lambda: defaultdict(float))
    certain = defaultdict[str, Counter[int]](Counter)
    for place, sites in found.items():
        for number, *_ in sites:
            weights[_subject(place)][number] += 1 / len(sites)
            certain[_subject(place)][number] += len(sites) == 1
    for place, row in evident.items():
        weights[_subject(place)][int(row["paragraph"] or 0)] += 2
        certain[_subject(place)][int(row["paragraph"] or 0)] += 2
    homes = {subject: max(several, key=several.__getitem__) for subject, several in weights.items()}
    near = dict[Place, list[Site]]()
    for place, sites in found.items():
        subject, least = _subject(place), int(len(sites) == 1)  # a value's own site is no proof of its paragraph
        read = {number for number, times in certain[subject].items() if times > least}
        others = {number for other, number in homes.items() if other != subject and "." not in other}
        near[place] = _nearest(sites, weights[subject], read, others - {homes.get(subject), *read}, place[2])
    return near, homes


def _is_shared(place: Place, values: Mapping[Place, str], edition: Edition) -> bool:
    """Whether the evidence of a value is a fragment that is quoted for another value of its row."""
    if place[2] == "from_place":
        return values.get((*place[:2], "status")) == "intended" and values[place] == edition.report.collected_at
    return place[2] in SHARED and values[place] != "true"


def _shared_site(place: Place, value: str, beside: Sequence[tuple[int, str]], edition: Edition) -> Iterator[Site]:
    """The first fragment of the row from which the rule derives the value; else the first of all, as a draft."""
    rule, given = SHARED[place[2]], ""
    for number, exact in beside:
        given = derived(rule, place[2], exact, edition)
        if same(given, value, place[0], place[2]):
            yield number, exact, "derived", rule
            return
    note = f"{DRAFT}{rule} gives {show(given or None)}: correct {show(value)}, or say why it is so"
    yield from ((*site, "judged", note) for site in beside[:1])


def _subject(place: Place) -> str:
    """The person, or the row of another table, to which a value belongs."""
    table, key, _ = place
    return key.partition(".")[0] if table in ("interviewees", "legs") else f"{table}.{key}"


def _nearest(
    sites: list[Site], near: Mapping[int, float], sure: Collection[int], others: Collection[int], column: str
) -> list[Site]:
    """The site nearest to the other sites of the same subject, or several if they are about as near.

    ``near`` weighs the subject's paragraphs, ``sure`` are those certainly about it, ``others`` those about other people.
    A single site is taken unless it is in one of the ``others``, and for columns `ANYWHERE` the first. Of several, one
    must be in or next to a sure paragraph, if there is any, and in none of the others; if none is, the nearest becomes a
    draft.
    """
    if column in ANYWHERE or not sites or (len(sites) < 2 and sites[0][0] not in others):
        return sites[:1]
    weights = {site: sum(n / 4 ** abs(number - site[0]) for number, n in near.items()) for site in sites}
    ordered = sorted(sites, key=lambda site: -weights[site])
    close = [site for site in ordered if not sure or min(abs(site[0] - number) for number in sure) <= 1]
    close = [site for site in close if site[0] not in others]
    if not close:
        number, exact, basis, note = ordered[0]
        why = "where somebody else is spoken of" if number in others else "far from what else is read of the same"
        return [(number, exact, basis, f"{DRAFT}{note or basis}, but {why}")]
    return sorted(each for each in close[:MOST_CANDIDATES] if weights[each] * CLEAR > weights[close[0]])


class Reader:
    """Finds fragments in the paragraphs of a source that may be quoted: without names of people, as far as capitals tell."""

    def __init__(self, edition: Edition, text: str) -> None:
        self.edition, self.lines = edition, paragraphs(text)
        plain = [line.replace("…", ".").translate(TYPED) for line in self.lines]  # as long as the lines themselves
        self.spans = [[match.span() for match in WHOLE.finditer(line)] for line in plain]
        self.spelt = {line[a:b] for line, spans in zip(plain, self.spans, strict=True) for a, b in spans}
        self.known = {word for row in edition.rows("places") for word in words(row["name"])} | {*MONTHS}

    def sites(self, table: str, column: str, value: str) -> list[Site]:
        """Where a value can be read: the shortest fragment of each paragraph that gives it, with some words around."""
        rules, sites = READ_BY.get(f"{table}.{column}", READ_BY.get(column, (STATED,))), list[Site]()
        for at in range(len(self.lines)):
            for rule in rules:
                if exact := self._exact(at, partial(self._gives, rule, value, table, column)):
                    sites.append((at + 1, exact, STATED, "") if rule == STATED else (at + 1, exact, "derived", rule))
                    break
        return sites

    def _gives(self, rule: str, value: str, table: str, column: str, fragment: str, whole: bool = False) -> bool:
        """Whether a fragment states a value or a rule derives it; of a whole paragraph, whether any fragment could."""
        if not re.search(CUES.get(f"{table}.{column}", ""), normalise(fragment)):
            return False
        if whole and (rule != STATED or column == "countries"):
            return rule != STATED or {*value.split()} <= {*named(fragment)}
        if rule != STATED:
            return same(derived(rule, column, fragment, self.edition), value, table, column)
        country = partial(gazetteer, setting=Setting("country"))  # a place's name is quoted with no other place's
        alone = whole or column != "name" or country(fragment) == country(value)
        return alone and readable(value, table, column, fragment, self.edition)

    def _exact(self, at: int, gives: Callable[..., bool]) -> str:
        """The fragment of a paragraph that gives a value, blank if none does."""
        line, spans = self.lines[at], self.spans[at]
        joined = [not BREAK.search(line[end:start]) for (_, end), (start, _) in pairwise(spans)]  # to the next word

        def text(low: int, high: int) -> str:
            return " ".join(line[spans[low][0] : spans[high][1]].split())

        def free(n: int) -> bool:
            """Whether a word is no person's name: in lower case, a known place or month, or usual at the start of a sentence."""
            word, first = line[slice(*spans[n])], n == 0 or not joined[n - 1]
            return not word[0].isupper() or word.casefold() in self.known or (first and word.casefold() in self.spelt)

        for size, low in product(range(1, MOST_WORDS + 1), range(len(spans))) if gives(line, whole=True) else ():
            high = low + size - 1
            if high >= len(spans) or not all(joined[low:high]) or not gives(text(low, high)):
                continue
            if numbers(text(low, high)) and not gives(text(max(0, low - 2), min(high + 2, len(spans) - 1))):
                continue  # part of a date, or of a number that a word before it qualifies
            starts, ends = [low], [high]
            while starts[-1] > low - 3 and starts[-1] > 0 and joined[starts[-1] - 1] and free(starts[-1] - 1):
                starts.append(starts[-1] - 1)
            while ends[-1] + 1 < len(spans) and joined[ends[-1]] and free(ends[-1] + 1):
                ends.append(ends[-1] + 1)
            ends = [high, *(end for end in ends[1:] if not LINKS.match(line[slice(*spans[end])]))]
            longest = sorted(product(starts, ends), key=lambda each: (each[0] - each[1], each[0]))
            fitting = (exact for each in longest if length(exact := text(*each)) <= MOST_WORDS)
            return next(filter(gives, fitting), "")
        return ""
