"""The one script that makes charts interactive: Vega for the browser, bundled by vl-convert.

It depends on vl-convert alone. Setting up makes it once and keeps it with the installed packages, as bundling takes a
second: ``python -m parabook.vega``. Where that was not done, the first book makes it and keeps it in the cache.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

from analysis.folder import CACHE
from parabook.files import write_atomically

VEGALITE_VERSION = "6.4"
"""What vl-convert offers of the version that Altair writes."""


def script() -> str:
    """The script."""
    name = file_name()
    for kept in (installed() / name, CACHE / name):
        if kept.is_file():
            return kept.read_text(encoding="utf-8")
    made = bundled()
    write_atomically(CACHE / name, made)
    return made


def file_name() -> str:
    """Under which name it is kept."""
    return f"vega-{version('vl-convert-python')}-{VEGALITE_VERSION}.js"


def installed() -> Path:
    """The folder where setting up leaves the script."""
    return Path(sys.prefix) / "share" / "analysis"


def bundled() -> str:
    """The script, made anew."""
    import vl_convert

    bundle = vl_convert.javascript_bundle("window.reportEmbed = vegaEmbed;", vl_version=VEGALITE_VERSION)
    return f"(() => {{{bundle}}})();\n"  # its names would collide with Sphinx's own


if __name__ == "__main__":
    write_atomically(installed() / file_name(), bundled())
