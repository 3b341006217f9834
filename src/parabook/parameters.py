"""Parameters of chapters: which they declare, and the values of a call in the declared types."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from parabook.errors import InputError, Problem, nearest

REPORTED = ("overrides", "values")
"""Parameters that every build sets, for a chapter that prints them: the parameters of the call, and the values of all, as JSON."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a chapter."""

    name: str
    type: str
    default: Any
    comment: str


def parameters(notebook: Mapping[str, Any]) -> dict[str, Parameter]:
    """The parameters that a chapter declares in its cell tagged ``parameters``, by name."""
    sources = (
        "".join(cell["source"])
        for cell in notebook["cells"]
        if "parameters" in cell.get("metadata", {}).get("tags", [])
    )
    return {each.name: each for source in sources for each in declared(source)}


def all_parameters(notebooks: Iterable[Mapping[str, Any]]) -> dict[str, Parameter]:
    """Every parameter that some chapter declares, by name."""
    return {name: found for notebook in notebooks for name, found in parameters(notebook).items()}


def declared(source: str) -> list[Parameter]:
    """The assignments of literals in a cell.

    Examples
    --------
    >>> declared("level: str = 'place'  # place or country")
    [Parameter(name='level', type='str', default='place', comment='place or country')]
    """
    found, lines = [], source.encode().splitlines()
    for node in ast.parse(source).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(target, ast.Name) and node.value:
            default = ast.literal_eval(node.value)
            kind = ast.unparse(node.annotation) if isinstance(node, ast.AnnAssign) else type(default).__name__
            after = lines[(node.end_lineno or 1) - 1][node.end_col_offset :].decode()
            found.append(Parameter(target.id, kind, default, after.partition("#")[2].strip()))
    return found


def fitted(given: Mapping[str, str], known: Mapping[str, Parameter]) -> dict[str, Any]:
    """A call's parameters in the types that chapters declare; an `InputError` for an unknown one or a wrong value."""
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
        raise InputError(problems, table(known.values()))
    return values


def _typed(text: str, kind: str) -> Any:
    if kind == "bool":
        return bool(["false", "true"].index(text.lower()))
    return {"int": int, "float": float}.get(kind, str)(text)


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
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
