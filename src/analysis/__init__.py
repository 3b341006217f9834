"""Who fled, how and where to: what chapters import. Loaders, honest counts, labels, sentences, charts, exhibits.

The direction of imports, each module knowing only those before it: ``schema``, ``text``, ``disclosure``, ``deadline``,
``fetch``, ``folder``, ``spark``, ``csvfile``, ``tables``, ``coding.rules``, ``coding.columns``, ``coding.checks``,
``coding.package``, ``coding.relations``, ``coding.validation``, ``editions``, ``counts``, ``labels``, ``journeys``,
``figures``, ``sentences``, ``charts``, ``maps``, ``exhibits``, ``sources``, ``coding.verify``, ``coding.agreement``.

Names are imported when they are first used: what looks for an edition and hashes it loads neither pandas nor Altair.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.charts import people_chart
    from analysis.counts import complete, count_by, list_people
    from analysis.exhibits import Link, exhibit, glue, open_edition
    from analysis.sentences import coverage, finding, whereabouts, whom

__all__ = [
    "Link",
    "complete",
    "count_by",
    "coverage",
    "exhibit",
    "finding",
    "glue",
    "list_people",
    "open_edition",
    "people_chart",
    "whereabouts",
    "whom",
]

_HOMES = ("charts", "counts", "exhibits", "sentences")


def __getattr__(name: str) -> Any:
    """One of `__all__`, from the module that defines it."""
    if name in __all__:
        for module in map(import_module, (f"analysis.{home}" for home in _HOMES)):
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module 'analysis' has no attribute {name!r}")
