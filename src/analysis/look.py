"""What notebooks, pages and the drawing program agree on: colours, the font, and the types that outputs come as."""

INK, MUTED, LINE, PAPER, MARK, LAND = "#1f2328", "#57606a", "#c8ced6", "#ffffff", "#0064a8", "#e3e6ea"
"""The palette. The book replaces each by a variable that follows the page's light or dark scheme."""

FONT = "'Report Sans', Arial, sans-serif"
"""The first travels with parabook (``parabook.fonts``), which draws with it and gives it to pages."""
