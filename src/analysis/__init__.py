"""Who fled, how and where to: loaders, tabulations, charts and exhibits of one edition.

The direction of imports, each module knowing only those before it: ``look``, ``problems``, ``frames``, ``schema``, ``fetch``,
``folder``, ``rules``, ``spread``, ``tables``, ``checks``, ``edition``, ``evidence``, ``agreement``, ``tabulate``, ``privacy``, ``prose``, ``basemap``, ``charts``,
``exhibit``, ``minute``, ``trail``, ``report`` (what chapters call), then the rooms ``new`` (new editions), ``book`` (what
runs chapters and binds books), ``review`` (results held against others), and last ``cli``.
"""
