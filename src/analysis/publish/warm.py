"""Imported once, in the process that all kernels are forked from; a count and a chart load what libraries load lazily."""

import altair as alt
import duckdb
import markdown_it
import narwhals as nw
import narwhals.selectors as ncs
import pandas as pd

import analysis.coding.agreement
import analysis.events
import analysis.figure_sentences
import analysis.figures
import analysis.journeys
import analysis.labels
import analysis.maps
import analysis.story  # noqa: F401
from analysis.basemap import world

people = pd.DataFrame({"kind": ["a", "b"], "number": [1, 2]})
with duckdb.connect() as connection:  # closed again: a fork copies no threads
    connection.register("people", people)
    for frame in (nw.from_native(connection.table("people")), nw.from_native(people).lazy()):
        counted = frame.group_by("kind").agg(nw.len(), nw.col("number").sum().alias("sum")).sort("kind")
        few = counted.filter(nw.col("kind").str.starts_with("a")).select(ncs.string(), "sum")
        few.collect("pandas").to_pandas()
points = alt.Chart(people).mark_point()
chart = points.encode(x=alt.X("number", axis=None), y=alt.Y("kind", sort=None), tooltip=["kind"])
(chart + chart.mark_text(dx=16).encode(text="number")).to_dict()
str(people), people.to_html(), people.to_dict("records")
world(), markdown_it.MarkdownIt("commonmark").render("*a*")
