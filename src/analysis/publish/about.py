"""What a book tells of its edition on its own pages: no tables, so that it travels between processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.edition import Edition


@dataclass(frozen=True)
class About:
    """An edition as its cover and its record know it."""

    title: str
    date: str
    homepage: str
    package: Mapping[str, Any]
    """What ``datapackage.json`` says."""
    declared: int | None
    """How many interviewees the source declares, if it does."""
    described: int


def about(edition: Edition) -> About:
    """What a book tells of an edition.

    Examples
    --------
    >>> from analysis.edition import load
    >>> about(load("oral-2022")).declared
    17
    """
    return About(
        edition.title,
        edition.date,
        edition.homepage,
        edition.package,
        edition.report.declared_interviewees,
        edition.described,
    )
