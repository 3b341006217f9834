"""What notebooks and the book agree on: the MIME types of exhibits and charts, and how to find them in a notebook."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

EXHIBIT = "application/vnd.parabook.exhibit+json"
"""An exhibit as plain JSON: what the book draws from."""

LAB_ONLY = "application/vnd.parabook.lab-only+json"
"""Marks an output that is for notebook front ends; the book draws its content from the exhibit."""

VEGALITE = "application/vnd.vegalite.v5+json"
"""The type that JupyterLab draws charts from, also of the later Vega-Lite that Altair writes."""

CHARTS = (VEGALITE, "application/vnd.vegalite.v6+json", "application/vnd.vegalite.v6.json")
"""The types that charts come as; the last one is what Altair's renderer ``mimetype`` emits."""


def outputs(notebook: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The outputs of an executed notebook, in order."""
    return (output for cell in notebook["cells"] for output in cell.get("outputs", ()))


def exhibits(notebook: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The exhibits that an executed notebook carries, in order."""
    return (output["data"][EXHIBIT] for output in outputs(notebook) if EXHIBIT in output.get("data", ()))


def charts(notebook: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The Vega-Lite specifications that the pages of an executed notebook show: of exhibits, and of outputs without one."""
    for data in (output.get("data", {}) for output in outputs(notebook)):
        found = [data[EXHIBIT]["chart"]] if EXHIBIT in data else [data[kind] for kind in CHARTS if kind in data]
        yield from filter(None, [*found, in_html("".join(data.get("text/html", ())))][:1])


def in_html(text: str) -> dict[str, Any] | None:
    """The specification of the chart that HTML draws, as Altair emits it by default, with scripts from elsewhere.

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
    """An exhibit's table as CSV: exactly its values, also those that a spreadsheet would take for a formula.

    Examples
    --------
    >>> as_csv({"columns": ["colour", "count"], "rows": [["red, dark", 4]]})
    'colour,count\\n"red, dark",4\\n'
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([exhibit["columns"], *exhibit["rows"]])
    return text.getvalue()


CHECKED_BESIDE = "PARABOOK_CHECKED_BESIDE"
"""The variable that tells cells that their input is being checked while they run: what they give is dropped if it is wrong."""


def glued(notebook: Mapping[str, Any]) -> dict[str, str]:
    """The texts that an executed notebook offers to prose, by name."""
    return dict(found for output in outputs(notebook) if (found := glued_text(output)))


def glued_text(output: Mapping[str, Any]) -> tuple[str, str] | None:
    """The name and the text that an output offers to prose, as MyST-NB's ``glue`` makes it; None where it is no glue.

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
