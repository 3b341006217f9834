"""Every value leads to words of the source, and a wrong value is found out."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from analysis.edition import load
from conftest import SOURCE, run

from analysis.coding.checks import CODED_TABLES
from analysis.coding.rules import RULES, Setting
from analysis.coding.verify import verify

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
    if column in ("departed", "window_start", "window_end"):
        return [value[:-1] + str((int(value[-1]) + 1) % 10)]
    try:
        number = float(value)
    except ValueError:
        return [other for other in OTHER[column] if other != value]
    return [f"{number + step:g}" for step in (1, -1)] if column != "isco08" else OTHER[column]


def test_every_value_of_the_edition_resolves(article):
    verdict = verify(load("oral-2022"), article)
    assert not verdict.problems
    assert verdict.resolved == verdict.values > 150


def test_each_wrong_value_is_named(article, edition: Path, record_property):
    """Change every stated or derived value, one at a time: verify names table, row, column each time."""
    evidence = pd.read_csv(edition / "evidence.csv", dtype=str, keep_default_na=False)
    loaded = load(edition)
    tried, caught, missed = 0, 0, []
    for row in evidence[evidence["basis"] != "judged"].to_dict("records"):
        table, key, column = row["table"], row["key"], row["column"]
        if table not in CODED_TABLES:
            continue
        frame = loaded.text[table]
        keys = (
            frame["interviewee"] + "." + frame["leg"]
            if table == "legs"
            else frame.iloc[:, list(frame.columns).index(frame.columns[1])]
        )
        at = keys[keys == key].index[0]
        before = frame.at[at, column]
        for other in wrong_values(column, before):
            if other == before:
                continue
            tried += 1
            frame.at[at, column] = other
            named = faults_of(loaded, article, frame, table)
            found = [
                problem
                for problem in named
                if problem.column == column and key in problem.file and table in problem.file
            ]
            caught += bool(found)
            if not found:
                missed.append((table, key, column, before, other))
        frame.at[at, column] = before
    record_property("mutations", f"{caught} of {tried}")
    assert not missed, f"{caught} of {tried}"
    assert tried > 250


def faults_of(loaded, article, frame, table):
    """Verify an edition with one table replaced by a frame of text."""
    import narwhals as nw
    from analysis.edition import Edition

    blank = frame.astype("str").where(frame != "", None)
    tables = {**loaded.tables, table: nw.from_native(blank).lazy()}
    changed = Edition(loaded.name, loaded.path, loaded.package, loaded.report, tables, loaded.files)
    return verify(changed, article).problems


def test_the_declared_number_is_evidence_too(article, edition: Path):
    package = edition / "datapackage.json"
    package.write_text(package.read_text().replace('"declared_interviewees": 17', '"declared_interviewees": 18'))
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


def test_verify_says_how_many(article):
    done = run("verify", "oral-2022", "--source", SOURCE)
    assert "165 of 165 values resolve, 0 problems" in done.stdout


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
    file = edition / "paragraphs.csv"
    lines = file.read_text(encoding="utf-8").splitlines()
    number, words, fingerprint = lines[3].split(",")
    lines[3] = f"{number},{int(words) + 1},{fingerprint}"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (problem,) = verify(load(edition), article).problems
    assert (problem.column, problem.found) == ("words", f"{int(words) + 1} words")
