"""The chapters as the book knows them: their order, their parameters, and how a call's parameters fit them."""

from __future__ import annotations

import ast
import io
import json
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from analysis.schema import ROOT
from parabook.errors import InputError, Problem, nearest
from parabook.protocol import EXHIBIT

CHAPTERS = ROOT / "chapters"
FILLED_IN = ("edition", "overrides", "values")
"""Parameters that the build fills in itself."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a chapter: its name, type, default and comment."""

    name: str
    type: str
    default: Any
    comment: str


def order() -> list[Path]:
    """The chapters in the order of ``_toc.yml``, the root first."""
    import yaml

    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    names = [toc["root"], *(entry["file"] for entry in toc.get("chapters", []))]
    return [_existing(ROOT / name) for name in names]


def _existing(stem: Path) -> Path:
    return next((file for file in (stem.with_suffix(".ipynb"), stem.with_suffix(".md")) if file.is_file()), stem)


def parameters(notebook: Path) -> dict[str, Parameter]:
    """The parameters that a chapter's cell tagged ``parameters`` declares, each with its comment.

    Examples
    --------
    >>> parameters(CHAPTERS / "routes.ipynb")["route_level"].default
    'place'
    """
    if notebook.suffix != ".ipynb":
        return {}
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    return {name: found for source in sources for name, found in _declared(source).items()}


@cache  # also because Python 3.11 may fail to parse in several threads at once: the first call is before they start
def _declared(source: str) -> dict[str, Parameter]:
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    found = {}
    for node in ast.parse(source).body:
        target = (
            node.target
            if isinstance(node, ast.AnnAssign)
            else node.targets[0]
            if isinstance(node, ast.Assign)
            else None
        )
        if isinstance(target, ast.Name) and isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            default = ast.literal_eval(node.value)
            kind = ast.unparse(node.annotation) if isinstance(node, ast.AnnAssign) else type(default).__name__
            found[target.id] = Parameter(target.id, kind, default, comments.get(node.lineno, ""))
    return found


def all_parameters(notebooks: Iterable[Path]) -> dict[str, Parameter]:
    """Every parameter that some chapter declares, by name."""
    return {name: found for notebook in notebooks for name, found in parameters(notebook).items()}


def fitted(given: Mapping[str, str], notebooks: Iterable[Path]) -> dict[str, Any]:
    """A call's parameters with the types the chapters declare.

    Raises
    ------
    InputError
        For a parameter that no chapter knows, with the table of those they do; for a value of another type.
    """
    known = {name: found for name, found in all_parameters(notebooks).items() if name not in FILLED_IN}
    problems, values = [], {}
    for name, text in given.items():
        if name not in known:
            hint = nearest(name, known)
            problems.append(Problem(f"parameter {name}", repr(text), "a parameter that a chapter declares", hint))
            continue
        try:
            values[name] = _typed(text, known[name].type)
        except ValueError:
            problems.append(Problem(f"parameter {name}", repr(text), f"a value of type {known[name].type}"))
    if problems:
        raise ParameterError(problems, table(known.values()))
    return values


def _typed(text: str, kind: str) -> Any:
    if kind == "bool":
        return {"true": True, "false": False}[text.lower()] if text.lower() in ("true", "false") else _refuse()
    return {"int": int, "float": float}.get(kind, str)(text)


def _refuse() -> Any:
    raise ValueError


class ParameterError(InputError):
    """Parameters that do not fit, with the table of those that would."""

    def __init__(self, problems: Iterable[Problem], known: str) -> None:
        super().__init__(problems)
        self.known = known

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems, self.known)


def table(known: Iterable[Parameter]) -> str:
    """Parameters as an aligned table: name, type, default, comment.

    Examples
    --------
    >>> print(table([Parameter("route_level", "str", "place", "place or country")]))
    parameter    type  default  meaning
    route_level  str   'place'  place or country
    """
    rows = [("parameter", "type", "default", "meaning")]
    rows += [(each.name, each.type, repr(each.default), each.comment) for each in known]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows
    )


def exhibits(notebook: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The exhibits that an executed notebook carries, in order."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            if EXHIBIT in output.get("data", {}):
                yield output["data"][EXHIBIT]
