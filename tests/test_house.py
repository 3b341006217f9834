"""The house itself: imports point one way, chapters never reach the machinery."""

from __future__ import annotations

import ast
import re

from conftest import ROOT

import analysis

PACKAGE = ROOT / "src" / "analysis"
ROOMS = [file.parent for file in PACKAGE.glob("*/__init__.py")]


def imported(file) -> set[str]:
    """The modules of the project that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("analysis"):
            inner = node.module.split(".")[1:]
            found |= {inner[0]} if inner else {alias.name for alias in node.names}
    return found


def test_imports_point_one_way():
    order = re.findall(r"``(\w+)``", analysis.__doc__ or "")
    modules = {file.stem: imported(file) for file in PACKAGE.glob("*.py") if file.stem != "__init__"}
    rooms = {folder.name: set().union(*map(imported, folder.glob("*.py"))) - {folder.name} for folder in ROOMS}
    modules |= rooms
    assert set(order) == modules.keys()
    for name, uses in modules.items():
        assert {order.index(use) < order.index(name) for use in uses} <= {True}, (name, uses)


def test_only_the_command_line_knows_the_machinery():
    rooms = {folder.name for folder in ROOMS}
    assert rooms == {"new", "book", "review"}
    assert [file.stem for file in PACKAGE.glob("*.py") if rooms & imported(file)] == ["cli"]
