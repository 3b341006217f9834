"""Every value leads to words of the source, and a wrong value is found out."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import SOURCE, read_csv, replace_text, run, write_csv

from analysis.coding.relations import CODED_TABLES
from analysis.coding.rules import RULES, Setting
from analysis.coding.verify import readable, verify
from analysis.editions import open_edition

OTHER = {
    "counted": ["unclear"], "gender": ["woman", "man", "other"], "status": ["made", "intended"],
    "mode": ["air", "rail", "road", "bicycle", "foot"], "includes_others": ["true", "false"],
    "precision": ["site", "city", "region", "country"], "country": ["KAZ", "RUS", "GEO", "FIN"],
    "countries": ["KAZ", "GEO", "GEO FIN", "FIN GEO MNG"], "from_place": ["oral", "moscow", "georgia"],
    "to_place": ["oral", "moscow", "georgia"], "measure": ["entries", "exits", "estimate"],
    "quantifier": ["about", "exact", "nearly"], "stated_by": ["Georgia"], "reported_by": ["Reuters"],
    "profession": ["lawyer", "student", "developer"], "isco08": ["2611", "264"], "name": ["Samara"],
}  # fmt: skip


def wrong_values(column: str, value: str) -> list[str]:
    """Other values that a column could hold, in place of one."""
    if column in ("departed", "window_start", "window_end", "day"):
        return [value[:-1] + str((int(value[-1]) + 1) % 10)]
    try:
        number = float(value)
    except ValueError:
        return [other for other in OTHER[column] if other != value]
    return [f"{number + step:g}" for step in (1, -1)] if column != "isco08" else OTHER[column]


def test_every_value_of_the_edition_resolves(article):
    assert run("verify", "oral-2022", "--source", SOURCE).stdout.endswith("255 of 255 values resolve, 0 problems\n")


def test_each_wrong_value_is_named(article, record_property):
    """Change stated and derived values, one at a time: verify names table, row, column each time. A third of them if not all."""
    edition = open_edition("oral-2022")
    values = edition.values()
    changed = SimpleNamespace(
        values=lambda: values, evidence=edition.evidence, has=edition.has, rows=edition.rows, places=edition.places,
        files=edition.files, report=edition.report, name=edition.name,
    )  # fmt: skip
    tried, missed = 0, []
    for place, row in [*edition.evidence.items()][:: 1 if os.environ.get("THOROUGH") else 3]:
        table, key, column = place
        if row["basis"] == "judged" or table not in CODED_TABLES:
            continue
        before = values[place]
        for other in wrong_values(column, before):
            if other == before:
                continue
            tried += 1
            values[place] = other
            named = [problem for problem in verify(changed, article).problems if problem.column == column]
            if not any(key in problem.file and table in problem.file for problem in named):
                missed.append((*place, before, other))
        values[place] = before
    record_property("mutations", f"{tried - len(missed)} of {tried}")
    assert not missed
    assert tried > (250 if os.environ.get("THOROUGH") else 80)


def test_the_declared_number_is_evidence_too(article, edition: Path):
    replace_text(edition / "datapackage.json", '"declared_interviewees": 17', '"declared_interviewees": 18')
    done = run("verify", edition, "--source", SOURCE, code=1)
    assert "declared_interviewees" in done.stderr
    assert "'18'" in done.stderr
    assert "Of the 17 Russians" in done.stderr


def test_a_changed_source_is_found_out(article, edition: Path, tmp_path: Path):
    other = tmp_path / "other.txt"
    other.write_text(article.replace("Astrakhan", "Samara"), encoding="utf-8")
    done = run("verify", edition, "--source", other, code=1)
    assert "paragraphs.csv [9]" in done.stderr
    assert "fingerprint" in done.stderr
    assert "legs.csv [i02.1]" in done.stderr
    assert "Astrakhan" in done.stderr


@pytest.mark.parametrize(
    ("rule", "fragment", "column", "value"),
    [
        ("age-phrase", "in his mid-30s", "age_min", 34),
        ("age-phrase", "in her late 40s", "age_max", 49),
        ("age-phrase", "in their 20s", "age_max", 29),
        ("pronoun", "she said her brother", "gender", "woman"),
        ("pronoun", "she met him", "gender", None),
        ("mode-word", "took a train", "mode", "rail"),
        ("movement-word", "plans to leave", "status", "intended"),
        ("day-count", "three days later", "departed", "2022-09-24"),
        ("hedge", "more than 64,000 people", "quantifier", "more than"),
        ("hedge", "94 people", "quantifier", "exact"),
        ("order-of-magnitude", "hundreds of thousands", "high", 999_999),
        ("others-word", "and other states", "includes_others", "true"),
    ],
)
def test_rules_give_what_the_codebook_says(rule, fragment, column, value):
    assert RULES[rule](fragment, Setting(column, "oral", "2022-09-21")) == value


def test_a_wrong_count_of_words_is_named(article, edition: Path):
    paragraphs = read_csv(edition / "paragraphs.csv")
    wrong = str(int(paragraphs[2]["words"]) + 1)
    paragraphs[2]["words"] = wrong
    write_csv(edition / "paragraphs.csv", list(paragraphs[0]), paragraphs)
    (problem,) = verify(open_edition(edition), article).problems
    assert (problem.column, problem.found) == ("words", f"words {wrong}")


@pytest.mark.parametrize(
    ("table", "column", "value", "fragment", "holds"),
    [
        ("legs", "departed", "2022-09-21", "On September 21", True),  # the reference event's year
        ("legs", "departed", "1922-09-21", "On September 21", False),
        ("legs", "departed", "2021-09-21", "On September 21, 2021", True),
        ("legs", "departed", "2022-09-21", "On September 21, 2021", False),
        ("interviewees", "age_min", "21", "On September 21", False),
        ("interviewees", "age_min", "24", "24, on September 21", True),
        ("interviewees", "age_min", "20", "in March 2020", False),
        ("destinations", "low", "2022", "in 2022", False),
        ("interviewees", "profession", "1-13-5", "a 1-13-5", True),
        ("interviewees", "profession", "1-13-5", "a 1-13-6", False),
        ("interviewees", "profession", "7", "the 7 of them", True),
    ],
)
def test_a_value_is_read_in_its_fragment_as_what_it_is(table, column, value, fragment, holds):
    """No year that is not stated, no age from a date, no date from any three numbers."""
    assert readable(value, table, column, fragment, open_edition("oral-2022")) is holds
