"""The functions that import notebooks call between an export and an edition; none is specific to one tool or survey."""

from analysis.imports.answers import age_range, dates, locate, recode, whole_number
from analysis.imports.files import read_export, read_text
from analysis.imports.highlights import highlights, text_tables
from analysis.imports.write import write_edition

__all__ = [
    "age_range", "dates", "highlights", "locate", "read_export", "read_text", "recode", "text_tables",
    "whole_number", "write_edition",
]  # fmt: skip
