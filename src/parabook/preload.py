"""What the server of warm kernels has loaded before it forks the first one; imported there and nowhere else."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from importlib import import_module

from parabook.server import seldom_collect

KERNELS = (
    "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.debugger", "IPython.core.completerlib",
    "IPython.core.debugger", "IPython.core.oinspect", "IPython.extensions.storemagic", "psutil", "sqlite3",
    "tornado.platform.asyncio",
)  # fmt: skip
"""Kernels, and what they load as they start."""

CHAPTERS = (
    "analysis.report", "krippendorff", "iso3166", "markdown_it", "narwhals.group_by", "narwhals._pandas_like.namespace",
    "narwhals._pandas_like.selectors", "pandas.core.methods.to_dict", "pandas.io.formats.html",
)  # fmt: skip
"""What chapters import, and what that loads when it comes to it."""

gc.disable()  # what is loaded here stays
sys.modules["debugpy"] = None  # type: ignore[assignment] # nobody debugs while a book is built: as if not installed
for module in KERNELS:
    import_module(module)
del sys.modules["debugpy"]  # whoever asks for it has it
for module in CHAPTERS:
    import_module(module)
atexit.register(os._exit, 0)  # nothing is left to tidy when the last build that it served is gone
gc.freeze()  # a collection in a kernel would touch, and so copy, every page that it shares with the server
seldom_collect()
gc.enable()
