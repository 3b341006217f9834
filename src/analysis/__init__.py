"""Who fled, how and where to: what chapters import. Loaders, honest counts, labels, sentences, charts, exhibits.

The direction of imports, each module knowing only those before it: ``schema``, ``text``, ``disclosure``, ``fetch``,
``folder``, ``spark``, ``csvfile``, ``tables``, ``coding.rules``, ``coding.checks``, ``coding.relations``, ``coding.package``,
``coding.validation``, ``editions``, ``counts``, ``labels``, ``journeys``, ``figures``, ``sentences``, ``charts``, ``maps``,
``exhibits``, ``sources``, ``coding.verify``, ``coding.agreement``.
"""

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
