"""The one script that makes charts interactive: Vega for the browser, bundled by vl-convert, which takes a second."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

from parabook.files import write_atomically

VEGALITE_VERSION = "6.4"
"""What vl-convert offers of the version that Altair writes."""

INSTALLED = Path(sys.prefix) / "share" / "parabook"
"""Where setting up leaves the script, by ``python -m parabook.vega``; where it did not, a cache has it from the first book on."""


def script(cache: Path) -> str:
    """The script, as it was installed, or from a cache, or made anew for the cache."""
    name = f"vega-{version('vl-convert-python')}-{VEGALITE_VERSION}.js"
    for file in (INSTALLED / name, cache / name):
        if file.is_file():
            return file.read_text(encoding="utf-8")
    import vl_convert

    bundle = vl_convert.javascript_bundle("window.parabookEmbed = vegaEmbed;", vl_version=VEGALITE_VERSION)
    made = f"(() => {{{bundle}}})();\n"  # its names would collide with Sphinx's own
    write_atomically(cache / name, made)
    return made


if __name__ == "__main__":
    script(INSTALLED)
