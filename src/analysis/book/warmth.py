"""What the server of warm kernels has loaded before it forks the first one; imported there and nowhere else."""

from __future__ import annotations

import gc
import os
from importlib import import_module

from analysis.book.server import seldom_collect

KERNELS = (
    "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.debugger", "IPython.core.completerlib",
    "IPython.core.debugger", "IPython.extensions.storemagic", "psutil", "tornado.platform.asyncio",
)  # fmt: skip
"""Kernels, and what they load as they start."""

CHAPTERS = ("analysis.report", "krippendorff", "iso3166", "markdown_it")
"""What chapters import, and what that loads when it comes to it."""

os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # nobody debugs here; it would say so on stderr
gc.disable()  # what is loaded here stays
for module in (*KERNELS, *CHAPTERS):
    import_module(module)
gc.freeze()  # a collection in a kernel would touch, and so copy, every page that it shares with the server
seldom_collect()
gc.enable()
