"""Who fled, how and where to: loaders, tabulations, charts and exhibits of one edition.

The direction of imports, each module knowing only those before it: ``faults``, ``frames``, ``schema``, ``folder``, ``rules``,
``tables``, ``checks``, ``edition``, ``evidence``, ``agreement``, ``tabulate``, ``prose``, ``basemap``, ``charts``,
``exhibit``, ``answers``, ``trail``, ``report`` (what chapters call), ``book`` (the machinery), ``cli``.
"""
