"""Renders the Jinja templates of a package, which contain all markup; values are escaped."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


@cache
def environment(package: str = "parabook") -> Environment:
    """The environment of the templates in a package's folder ``templates``."""
    loader = PackageLoader(package)
    found = Environment(autoescape=True, loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    found.policies["json.dumps_kwargs"] = {"sort_keys": True, "ensure_ascii": False}
    return found


def render(template: str, package: str = "parabook", **context: Any) -> str:
    """A template of a package, filled in."""
    return environment(package).get_template(template).render(context)
