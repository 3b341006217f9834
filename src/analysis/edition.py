"""Earlier names of `analysis.editions`, for rooms that are about to be redrawn."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.coding.package import SECOND, Report, embed
from analysis.coding.validation import report_values as all_values
from analysis.editions import DEPENDENCIES as READ
from analysis.editions import Edition, examine
from analysis.editions import open_edition as load

__all__ = ["READ", "SECOND", "Edition", "Mapping", "Report", "all_values", "embed", "examine", "load"]
