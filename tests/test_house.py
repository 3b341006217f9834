"""The house itself: imports point one way, and each room knows only what it may."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from conftest import ROOT

import analysis

SOURCES = ROOT / "src"
ORDER = re.findall(r"``([\w.]+)``", analysis.__doc__ or "")
"""The modules that chapters import, each knowing only those before it."""

LIGHT = {"parabook.errors", "parabook.files", "parabook.protocol"}
"""What of parabook they may import: nothing that runs or publishes books."""


def imported(file: Path) -> set[str]:
    """The project's modules that a module imports, anywhere in it, by their full names."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            inner = [f"{module}.{each.name}" for each in node.names]
            names = [name if is_module(name) else module for name in inner]
        found |= {name for name in names if name.split(".")[0] in ("analysis", "parabook")}
    return found


def is_module(name: str) -> bool:
    path = SOURCES / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").is_file()


@pytest.mark.parametrize("name", ORDER)
def test_imports_point_one_way(name: str):
    uses = imported(SOURCES / "analysis" / f"{name.replace('.', '/')}.py")
    before = {f"analysis.{each}" for each in ORDER[: ORDER.index(name)]}
    assert uses - LIGHT <= before


def test_every_module_has_its_place_in_the_order():
    modules = {file.stem for file in (SOURCES / "analysis").glob("*.py")}
    modules |= {f"coding.{file.stem}" for file in (SOURCES / "analysis" / "coding").glob("*.py")}
    assert set(ORDER) == modules - {"__init__", "coding.__init__"}


def test_rooms_know_what_they_may():
    """Coding and imports know what chapters import, not what publishes; the engine knows nothing of this report."""
    for file in (SOURCES / "analysis" / "coding").glob("*.py"):
        uses = imported(file) - LIGHT
        assert not {use for use in uses if use.startswith(("parabook", "analysis.publish"))}, file.name
    for file in (SOURCES / "parabook").rglob("*.py"):
        assert not {use for use in imported(file) if use.startswith("analysis")}, file.name
