"""Columns of a small table in memory, with what checks are written in of narwhals' expressions.

To plan an expression on an engine takes a millisecond, many times what it takes to work it out for a few rows.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Sequence
from itertools import repeat
from typing import Any

Pattern = str  # within the class the name is that of narwhals' namespace of texts


def _lifted(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of cells as one of columns: missing where one of its arguments is."""

    def method(self: Column, *others: Any) -> Column:
        rest = (each.values if isinstance(each, Column) else repeat(each) for each in others)
        return Column([None if None in cells else function(*cells) for cells in zip(self.values, *rest, strict=False)])

    return method


class Column:  # noqa: PLW1641 - never hashed
    """The cells of a column, None for missing.

    Examples
    --------
    >>> age = Column([9, None, 20])
    >>> (age < 10).values, (~age.is_null()).values
    ([True, None, False], [True, False, True])
    """

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = values

    @property
    def str(self) -> Column:
        return self

    def is_null(self) -> Column:
        return Column([value is None for value in self.values])

    def is_in(self, allowed: Collection[Any]) -> Column:
        return Column([value if value is None else value in allowed for value in self.values])

    def contains(self, pattern: Pattern) -> Column:
        search = re.compile(pattern.replace(r"\z", r"\Z")).search
        return Column([value if value is None else search(value) is not None for value in self.values])

    len_chars = _lifted(len)
    __lt__, __gt__, __ne__ = map(_lifted, (operator.lt, operator.gt, operator.ne))
    __eq__ = _lifted(operator.eq)
    __and__, __or__, __mod__ = map(_lifted, (operator.and_, operator.or_, operator.mod))
    __invert__ = _lifted(operator.not_)
