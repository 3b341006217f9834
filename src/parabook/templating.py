"""The Jinja templates of a package: all markup is written there, and what is put into it is escaped."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def environment(package: str = "parabook") -> Environment:
    """The environment of the templates in a package's folder ``templates``."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    options: dict[str, Any] = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
    found = Environment(loader=PackageLoader(package), undefined=StrictUndefined, **options)
    found.policies["json.dumps_kwargs"] = {"sort_keys": True, "ensure_ascii": False}
    return found


def render(template: str, package: str = "parabook", **context: Any) -> str:
    """A template of a package, filled in."""
    return environment(package).get_template(template).render(context)
