"""What import notebooks call between an export and an edition; worth calling from any notebook.

`files` reads exports, `workbook` reads workbooks at arm's length, `answers` reads answers or refuses them, `highlights` makes rows
and evidence of coded passages, `write` fills an edition. None knows a form tool's or a survey's own words.
"""

from analysis.imports.answers import age_range, choices, dates, journeys, locate, recode, whole_number
from analysis.imports.files import read_export, read_text
from analysis.imports.highlights import highlights, text_tables
from analysis.imports.write import write_edition

__all__ = [
    "age_range", "choices", "dates", "highlights", "journeys", "locate", "read_export", "read_text", "recode",
    "text_tables", "whole_number", "write_edition",
]  # fmt: skip
