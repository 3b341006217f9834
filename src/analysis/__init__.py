"""Who fled, how and where to: loaders, tabulations, charts and exhibits of one edition.

The direction of imports, each module knowing only those before it: ``faults``, ``schema``,
``rules``, ``checks``, ``edition``, ``evidence``, ``tabulate``, ``charts``, ``exhibit``,
``report`` (what chapters call), ``book`` (the machinery), ``cli``.
"""
