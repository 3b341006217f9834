"""The one script that makes charts interactive: Vega for the browser, bundled by vl-convert.

It depends on vl-convert alone. Setting up makes it once and keeps it with the installed packages, as bundling takes a
second: ``python -m parabook.vega``. Where that was not done, the first book makes it and keeps it in its cache.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

from parabook.files import write_atomically

VEGALITE_VERSION = "6.4"
"""What vl-convert offers of the version that Altair writes."""

INSTALLED = Path(sys.prefix) / "share" / "parabook"
"""The folder where setting up leaves the script."""


def script(cache: Path) -> str:
    """The script, as it was installed, or from a cache, or made anew for the cache."""
    name = f"vega-{version('vl-convert-python')}-{VEGALITE_VERSION}.js"
    for file in (INSTALLED / name, cache / name):
        if file.is_file():
            return file.read_text(encoding="utf-8")
    made = bundled()
    write_atomically(cache / name, made)
    return made


def bundled() -> str:
    """The script, made anew."""
    import vl_convert

    bundle = vl_convert.javascript_bundle("window.parabookEmbed = vegaEmbed;", vl_version=VEGALITE_VERSION)
    return f"(() => {{{bundle}}})();\n"  # its names would collide with Sphinx's own


if __name__ == "__main__":
    write_atomically(INSTALLED / f"vega-{version('vl-convert-python')}-{VEGALITE_VERSION}.js", bundled())
