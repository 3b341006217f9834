"""The font that travels with parabook: drawings are measured and drawn with it alone, and pages show it.

How it was made, from what, and what it holds: ``fonts/README.md``.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from parabook.files import hash_files

STACK = "'Report Sans', sans-serif"
"""What charts are drawn with that name no font themselves; no system has the first."""

FOLDER = Path(__file__).with_name("fonts")

PAGES = FOLDER / "pages"
"""What pages need: ``fonts.css``, the font by scripts, its licence. Sphinx copies it as a folder of static files."""


@cache
def register() -> None:
    """Give vl-convert this font and keep the system's from it, once a process, before anything is drawn.

    vl-convert reads the system's fonts when it is first used. On Linux it asks fontconfig's configuration where they
    are, so it is shown one without any, and other programs of this process are not. Elsewhere it reads them, but has no
    need of them: the font has a glyph for every character.
    """
    import vl_convert

    before = dict(os.environ)
    os.environ["FONTCONFIG_FILE"] = str(FOLDER / "fonts.conf")
    vl_convert.register_font_directory(str(FOLDER))
    del os.environ["FONTCONFIG_FILE"]
    os.environ.update(before)


@cache
def fingerprint() -> str:
    """What drawings depend on, of the font."""
    return str(sorted(hash_files(FOLDER).items()))
