"""Who fled, how and where to: what chapters import. Loaders, honest counts, labels, sentences, charts, exhibits.

Each module imports only those before it: ``schema``, ``text``, ``disclosure``, ``folder``, ``deadline``, ``spark``,
``csvfile``, ``tables``, ``coding.rules``, ``coding.checks``, ``coding.package``, ``coding.spelling``,
``coding.relations``, ``editions``, ``story``, ``counts``, ``labels``, ``journeys``, ``figures``, ``sentences``,
``charts``, ``ranking``, ``figure_sentences``, ``basemap``, ``placement``, ``maps``, ``exhibits``, ``sources``,
``events``, ``coding.verify``, ``coding.draft``, ``coding.agreement``.

Names are imported when first used, so that commands which only find and hash an edition load neither pandas nor Altair.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.charts import people_chart as people_chart
    from analysis.counts import complete as complete
    from analysis.counts import count_by as count_by
    from analysis.counts import list_people as list_people
    from analysis.exhibits import Link as Link
    from analysis.exhibits import exhibit as exhibit
    from analysis.exhibits import glue as glue
    from analysis.exhibits import open_edition as open_edition
    from analysis.sentences import coverage as coverage
    from analysis.sentences import finding as finding
    from analysis.sentences import whom as whom

HOMES = {
    "charts": ("people_chart",), "counts": ("complete", "count_by", "list_people"),
    "exhibits": ("Link", "exhibit", "glue", "open_edition"),
    "sentences": ("coverage", "finding", "whom"),
}  # fmt: skip
"""The names that chapters import from here, by the module that defines them."""

__all__ = [name for names in HOMES.values() for name in names]


def __getattr__(name: str) -> Any:
    for module, names in HOMES.items():
        if name in names:
            return getattr(import_module(f"analysis.{module}"), name)
    raise AttributeError(f"module 'analysis' has no attribute {name!r}")
