"""From the stage to HTML, by Jupyter Book's own configuration and Sphinx; any warning fails it."""

from __future__ import annotations

import contextlib
import io
import os
from html import escape
from pathlib import Path

from analysis.schema import ROOT
from parabook.checksums import LIST

CHECK = "Fingerprints of this copy"
"""The words in the foot of every page that lead to the list of its files."""


class AssemblyFailed(Exception):
    """Sphinx warned or failed: the report is wrong, exit code 1."""


def assemble(site: Path, output: Path, title: str, description: str = "", home: str = "") -> None:
    """Build the staged site.

    Parameters
    ----------
    site : Path
        As ``stage.stage`` lays it out.
    output : Path
        The folder for the HTML; must not exist.
    title : str
        The book's title.
    description : str
        What a link to the book says of it.
    home : str
        The address where the book will stand; blank when it is not known.

    Raises
    ------
    AssemblyFailed
        With the first warning, when there is any.
    """
    from jupyter_book.sphinx import build_sphinx

    overrides = {
        "html_title": escape(title),  # the theme puts both into pages as they are
        "project": escape(title),
        "external_toc_path": str(site / "_toc.yml"),
        "nb_execution_mode": "off",  # papermill ran them
        "include_patterns": ["*.ipynb", "*.md"],
        "report_description": description,
        "report_home": home,
        "language": "en",
        "latex_individualpages": False,
        "html_theme_options": {"footer_icons": [{"name": CHECK, "html": CHECK, "url": LIST, "class": ""}]},
    }
    said = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        result = build_sphinx(
            str(site),
            str(output),
            path_config=str(ROOT / "_config.yml"),
            noconfig=True,
            confoverrides=overrides,
            doctreedir=str(site.parent / "doctrees"),
            freshenv=True,
            warningiserror=True,
            keep_going=True,
            quiet=True,
        )
    if isinstance(result, KeyboardInterrupt):
        raise result
    if result:
        lines = [line.strip() for line in _plain(said.getvalue()).splitlines() if line.strip()]
        lines = [line.replace(f"{site}{os.sep}", "") for line in lines if "treated as errors" not in line]
        first = next((line for line in lines if "WARNING" in line or "ERROR" in line), " ".join(lines[:3]))
        raise AssemblyFailed(f"assembling the book: {first or result}")
    (output / ".buildinfo").unlink(missing_ok=True)  # Sphinx's note to itself; web servers leave hidden files out


def _plain(text: str) -> str:
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", text)
