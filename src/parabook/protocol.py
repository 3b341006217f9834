"""The formats in which notebooks hand over exhibits, charts and texts, and functions that find them in a notebook."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

EXHIBIT = "application/vnd.parabook.exhibit+json"
"""The MIME type of an exhibit as plain JSON, from which pages are made."""

LAB_ONLY = "application/vnd.parabook.lab-only+json"
"""The MIME type that marks an output for notebook front ends only; pages show the exhibit instead."""

VEGALITE = "application/vnd.vegalite.v5+json"
"""The MIME type that JupyterLab draws charts from, also those of later versions of Vega-Lite."""

CHARTS = (VEGALITE, "application/vnd.vegalite.v6+json", "application/vnd.vegalite.v6.json")
"""The MIME types of charts; the last one is what Altair's renderer ``mimetype`` emits."""


def outputs(notebook: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The outputs of an executed notebook, in order."""
    return (output for cell in notebook["cells"] for output in cell.get("outputs", ()))


def exhibits(notebook: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The exhibits that an executed notebook carries, in order."""
    return (output["data"][EXHIBIT] for output in outputs(notebook) if EXHIBIT in output.get("data", ()))


def charts(notebook: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The Vega-Lite specifications that the page of an executed notebook shows, of exhibits and of other outputs."""
    for data in (output.get("data", {}) for output in outputs(notebook)):
        found = [data[EXHIBIT]["chart"]] if EXHIBIT in data else [data[kind] for kind in CHARTS if kind in data]
        yield from filter(None, [*found, in_html("".join(data.get("text/html", ())))][:1])


def in_html(text: str) -> dict[str, Any] | None:
    """The specification of the chart in HTML as Altair emits it by default, which loads scripts from a CDN.

    Examples
    --------
    >>> in_html('<script>(function(spec, embedOpt){ vegaEmbed("#a", spec); })({"mark": "bar"}, {"mode": "vega-lite"});')
    {'mark': 'bar'}
    """
    for place in re.finditer(r"\}\)\((?=\{)", text) if "vegaEmbed" in text else ():
        with contextlib.suppress(ValueError):
            found: dict[str, Any] = json.JSONDecoder().raw_decode(text[place.end() :])[0]
            return found
    return None


def as_csv(exhibit: Mapping[str, Any]) -> str:
    """An exhibit's table as CSV, with exactly its values, even those that a spreadsheet would take for a formula.

    Examples
    --------
    >>> as_csv({"columns": ["colour", "count"], "rows": [["red, dark", 4]]})
    'colour,count\\n"red, dark",4\\n'
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([exhibit["columns"], *exhibit["rows"]])
    return text.getvalue()


CHECKED_BESIDE = "PARABOOK_CHECKED_BESIDE"
"""The environment variable that tells cells that their input is being checked while they run.

They need not check it: their results are dropped if it is wrong."""


def glued(notebook: Mapping[str, Any]) -> dict[str, str]:
    """The texts that an executed notebook glues, by name."""
    return dict(found for output in outputs(notebook) if (found := glued_text(output)))


def glued_text(output: Mapping[str, Any]) -> tuple[str, str] | None:
    """The name and the text of an output that MyST-NB's ``glue`` made; None for another output.

    Examples
    --------
    >>> meta = {"scrapbook": {"name": "lead", "mime_prefix": "application/papermill.record/"}}
    >>> glued_text({"data": {"application/papermill.record/text/plain": "A sentence."}, "metadata": meta})
    ('lead', 'A sentence.')
    """
    glue = output.get("metadata", {}).get("scrapbook")
    if not glue:
        return None
    text = output.get("data", {}).get(f"{glue.get('mime_prefix', '')}text/plain", "")
    return str(glue["name"]), "".join(text)
