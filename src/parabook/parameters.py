"""Parameters of chapters: what each declares, and whether the values of a call fit."""

from __future__ import annotations

import ast
import io
import json
import tokenize
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from parabook.errors import InputError, Problem, nearest

REPORTED = ("overrides", "values")
"""Parameters that the build fills in itself, for a chapter that prints them: those of the call, and all, as JSON."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a chapter."""

    name: str
    type: str
    default: Any
    comment: str


def parameters(notebook: Path) -> dict[str, Parameter]:
    """The parameters that a chapter declares in its cell tagged ``parameters``, by name."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if "parameters" in cell.get("metadata", {}).get("tags", [])]
    return {each.name: each for source in sources for each in _declared(source)}


@cache  # also because Python 3.11 may fail to parse in several threads at once: the first call is before they start
def _declared(source: str) -> tuple[Parameter, ...]:
    """The assignments of literals in a cell.

    Examples
    --------
    >>> _declared("level: str = 'place'  # place or country")
    (Parameter(name='level', type='str', default='place', comment='place or country'),)
    """
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = {token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT}
    found = []
    for node in ast.parse(source).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(target, ast.Name) and node.value:
            default = ast.literal_eval(node.value)
            kind = ast.unparse(node.annotation) if isinstance(node, ast.AnnAssign) else type(default).__name__
            found.append(Parameter(target.id, kind, default, comments.get(node.lineno, "")))
    return tuple(found)


def all_parameters(notebooks: Iterable[Path]) -> dict[str, Parameter]:
    """Every parameter that some chapter declares, by name."""
    return {name: found for notebook in notebooks for name, found in parameters(notebook).items()}


def fitted(given: Mapping[str, str], notebooks: Iterable[Path], filled_in: Collection[str] = ()) -> dict[str, Any]:
    """A call's parameters with the types that the chapters declare; ``filled_in`` names those that no call may give.

    Raises
    ------
    ParameterError
        For a parameter that no chapter knows, and for a value of another type.
    """
    known = {name: found for name, found in all_parameters(notebooks).items() if name not in (*REPORTED, *filled_in)}
    problems, values = [], {}
    for name, text in given.items():
        try:
            values[name] = _typed(text, known[name].type)
        except KeyError:
            needed = "a parameter that a chapter declares"
            problems.append(Problem(f"parameter {name}", repr(text), needed, nearest(name, known)))
        except ValueError:
            problems.append(Problem(f"parameter {name}", repr(text), f"a value of type {known[name].type}"))
    if problems:
        raise ParameterError(problems, table(known.values()))
    return values


def _typed(text: str, kind: str) -> Any:
    if kind == "bool":
        return bool(["false", "true"].index(text.lower()))
    return {"int": int, "float": float}.get(kind, str)(text)


class ParameterError(InputError):
    """Parameters that do not fit, with the table of those that would."""

    def __init__(self, problems: Iterable[Problem], known: str = "") -> None:
        super().__init__(problems)
        self.known = known


def table(known: Iterable[Parameter]) -> str:
    """Parameters as an aligned table.

    Examples
    --------
    >>> print(table([Parameter("route_level", "str", "place", "place or country")]))
    parameter    type  default  meaning
    route_level  str   'place'  place or country
    """
    rows = [("parameter", "type", "default", "meaning")]
    rows += [(each.name, each.type, repr(each.default), each.comment) for each in known]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
