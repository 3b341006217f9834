"""Parquet tables on an engine that speaks Spark Connect: a session, its time limits, and errors in one line.

Nothing of PySpark is imported until an address is given. Any Spark server will do, and so does Sail (``pysail``).
"""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from analysis.folder import seconds
from parabook.errors import InputError

ENGINE, TIMEOUT = "ANALYSIS_ENGINE", "ANALYSIS_ENGINE_TIMEOUT"
"""Environment variables, which kernels inherit: the engine's address, and the limit of a query in seconds."""

CONNECT_TIMEOUT = 15.0
"""Seconds within which an engine must answer at all."""


def address(engine: str = "") -> str:
    """The engine's address, given or from the environment, or blank; InputError unless it is ``sc://HOST:PORT``."""
    given = engine or os.environ.get(ENGINE, "")
    if given and not re.fullmatch(r"sc://[^\s:/]+:[0-9]{1,5}(/\S*)?", given):
        raise InputError.one("--engine", repr(given), "an address of the form sc://HOST:PORT")
    return given


@cache
def session(engine: str) -> Any:
    """A session on an engine, which must answer. Each of its requests ends within a limit, or in an InputError."""
    limit = seconds(TIMEOUT, 120)
    warnings.filterwarnings("ignore", module=r"pyspark\b")  # of pandas 3, which it does not know yet
    main = vars(sys.modules["__main__"])
    file = main.setdefault("__file__", "")  # without one PySpark believes that it runs its own doctests, and exits
    try:
        from pyspark.sql.connect.client import DefaultChannelBuilder
        from pyspark.sql.connect.session import SparkSession

        from analysis.deadline import Deadline
    except ImportError as error:
        hint = "pip install 'PATH_TO_THE_CHECKOUT[spark]'"
        raise InputError.one("--engine", "no package pyspark", "a Spark Connect client", hint) from error
    finally:
        if not file:
            del main["__file__"]
    builder, deadline = DefaultChannelBuilder(engine), Deadline(engine, min(limit, CONNECT_TIMEOUT), TIMEOUT)
    builder.add_interceptor(deadline)
    made = SparkSession.builder.channelBuilder(builder).create()
    made.client.set_retry_policies([])  # its own retry for ten minutes
    made.client.disable_reattachable_execute()  # a query is one request, under one limit
    try:
        made.range(1).collect()
    except InputError:
        deadline.seconds = 1
        made.stop()  # else PySpark would hand this dead session to whoever asks for one
        raise
    deadline.seconds = limit
    return made


def read_parquet(engine: str, paths: Sequence[str]) -> Any:
    """A Spark data frame of Parquet files, by paths that the engine can read."""
    frame = session(engine).read.parquet(*paths)
    try:
        frame.schema  # noqa: B018 - asks the engine now, while an error can only be one of these files
    except InputError as error:
        from analysis.deadline import READABLE

        at = ", ".join(paths)
        raise InputError([replace(it, file=at) if it.needed == READABLE else it for it in error.problems]) from error
    return frame


def create_table(engine: str, rows: Sequence[tuple[object, ...]], columns: str) -> Any:
    """A Spark data frame of a few local rows, with columns as Spark's DDL has them."""
    return session(engine).createDataFrame(list(rows), columns)
