"""The theme of charts: the palette's colours for light pages, and the font."""

import json
from pathlib import Path

_PALETTE = json.loads((Path(__file__).parent / "palette.json").read_text(encoding="utf-8"))
INK, MUTED, LINE, PAPER, MARK, LAND = (_PALETTE[name][0] for name in ("ink", "muted", "line", "paper", "mark", "land"))
"""The palette. The book replaces each by a variable that follows the page's light or dark scheme."""

FONT = "'Liberation Sans', Arial, sans-serif"
"""The drawing program carries the first, browsers have one of its widths: a chart is laid out alike on every machine."""
