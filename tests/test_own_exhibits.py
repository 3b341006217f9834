"""An analyst's own exhibits: where small cells are suppressed, nothing of people is shown that was not counted so."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import pytest
from crowds import crowd, written

from analysis import exhibit
from analysis.counts import complete, count_by
from analysis.editions import Edition, open_edition
from parabook.errors import InputError


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Edition:
    return open_edition(written(tmp_path_factory.mktemp("crowd") / "edition", crowd(0), minimum_cell=3))


def ages(book: Edition) -> pd.DataFrame:
    groups = count_by(book.interviewees, "age_min")
    return complete(groups.assign(age=groups["age_min"].astype("str")), "age", book)


OWN_TABLES = {
    "raw": lambda raw, safe: raw,
    "groups": lambda raw, safe: raw.groupby("profession").size().reset_index(name="n"),
    "counts": lambda raw, safe: raw["profession"].value_counts().reset_index(),
    "merged": lambda raw, safe: safe.merge(raw[["age_min", "profession"]], left_on="age", right_on="age_min"),
    "merged, the other way": lambda raw, safe: raw.merge(safe, left_on="age_min", right_on="age"),
    "put together": lambda raw, safe: pd.concat([safe, raw]),
}


@pytest.mark.parametrize("made", OWN_TABLES)
def test_a_table_of_an_analysts_own_is_shown_only_when_it_was_counted_so(book: Edition, made: str):
    own = OWN_TABLES[made](book.frame("interviewees"), ages(book))
    for given in ({"table": own}, {"table": ages(book), "view": own}):
        with pytest.raises(InputError) as caught:
            exhibit(book, "own", caption="My own", **given)
        assert str(caught.value) == (
            "exhibit own: found a table shown that was not counted with complete(), needed counts of which no cell "
            "is below 3 people, as this edition promises; count with count_by() and complete()"
        )


OWN_CHARTS = {
    "frame": lambda raw, safe: alt.Chart(raw).mark_point(),
    "layer": lambda raw, safe: alt.Chart(safe).mark_bar() + alt.Chart(raw).mark_point(),
    "facet": lambda raw, safe: alt.Chart(raw).mark_point().facet("profession:N"),
    "beside": lambda raw, safe: alt.Chart(safe).mark_bar() | (alt.Chart(safe).mark_bar() & alt.Chart(raw).mark_bar()),
    "groups": lambda raw, safe: alt.Chart(raw.groupby("profession").size().reset_index(name="n")).mark_bar(),
    "inline": lambda raw, safe: alt.Chart(alt.Data(values=raw.to_dict("records"))).mark_point(),
    "lookup": lambda raw, safe: (
        alt.Chart(safe).mark_bar().transform_lookup("age", from_=alt.LookupData(raw, "age_min", ["interviewee"]))
    ),
}


@pytest.mark.parametrize("made", OWN_CHARTS)
def test_a_chart_of_an_analysts_own_draws_only_what_was_counted_so(book: Edition, made: str):
    safe = ages(book).drop(columns="who")
    chart = OWN_CHARTS[made](book.frame("interviewees"), safe)
    with pytest.raises(InputError, match="exhibit own: found a table drawn that was not counted with complete"):
        exhibit(book, "own", safe, chart, caption="My own")


@contextmanager
def shell_on(folder: Path) -> Iterator[Any]:
    """A real IPython shell in which an edition was opened; gives a function from code to what it displays."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    main = sys.modules["__main__"]  # a shell takes its place
    shell = InteractiveShell.instance(config=config)

    shell.display_formatter.active_types = shell.display_formatter.format_types  # as in a notebook

    def displayed(code: str) -> str:
        with capture_output() as captured:
            done = shell.run_cell(code)
            done.raise_error()
            formatted = shell.display_formatter.format(done.result)
        return captured.stdout + json.dumps([formatted, *[output.data for output in captured.outputs]], default=str)

    try:
        displayed(f"import altair as alt\nfrom analysis import *\nbook = open_edition({str(folder)!r})")
        displayed("import narwhals as nw\nraw = book.frame('interviewees')")
        yield displayed
    finally:
        InteractiveShell.clear_instance()
        sys.modules["__main__"] = main


def test_frames_and_bare_charts_of_people_are_not_displayed(tmp_path: Path):
    ways = [
        "raw.head()", "display(raw)", "raw.set_index('interviewee').index", "raw['interviewee']", "[raw]",
        "nw.from_native(raw)", "book.interviewees", "raw.style", "count_by(book.interviewees, 'interviewee')",
        "alt.Chart(raw).mark_point()", "alt.Chart(raw).mark_point() + alt.Chart(raw).mark_bar()",
    ]  # fmt: skip
    with shell_on(written(tmp_path / "open", crowd(0))) as displayed:
        assert [way for way in ways if "i01" not in displayed(way)] == [], "else the test below could not fail"
    with shell_on(written(tmp_path / "closed", crowd(0), minimum_cell=3)) as displayed:
        for way in ways:
            found = displayed(way)
            assert "not displayed: Withheld: this edition publishes no cell of fewer than 3 people." in found, way
            assert "i01" not in found, way
        assert "i01" not in displayed("book")
        assert "interviewees-by-own" in displayed(
            "by = complete(count_by(book.interviewees, 'profession'), 'profession', book)\n"
            "exhibit(book, 'interviewees-by-own', by, people_chart(by, 'profession'), caption='Own')"
        )
