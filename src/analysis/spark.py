"""Parquet tables on an engine that speaks Spark Connect: a session, its time limits, and errors in one line.

Nothing of PySpark is imported until an address is given. Any Spark server will do, and so does Sail (``pysail``).
"""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar

from analysis.folder import seconds as seconds_of
from analysis.folder import within
from parabook.errors import InputError

T = TypeVar("T")

ENGINE, TIMEOUT = "ANALYSIS_ENGINE", "ANALYSIS_ENGINE_TIMEOUT"
"""Environment variables, which kernels inherit: the engine's address, and the seconds that a query may take."""

CONNECT_TIMEOUT = 15.0
"""Seconds within which an engine must answer at all."""

GONE = r"UNAVAILABLE|failed to connect|Connection (?:reset|refused)|keepalive|Socket closed|SESSION"
"""What gRPC's errors say of a server that does not answer."""


def address(engine: str = "") -> str:
    """The engine's address: as given, or from the environment; blank for none. InputError when it is no ``sc://HOST:PORT``."""
    given = engine or os.environ.get(ENGINE, "")
    if given and not re.fullmatch(r"sc://[^\s:/]+:[0-9]{1,5}(/\S*)?", given):
        raise InputError.one("--engine", repr(given), "an address of the form sc://HOST:PORT")
    return given


@cache
def session(engine: str) -> Any:
    """A session on an engine that answers."""
    warnings.filterwarnings("ignore", module=r"pyspark\b")  # of pandas 3, which it does not know yet
    main = vars(sys.modules["__main__"])
    file = main.setdefault("__file__", "")  # PySpark takes a Python without one for its own doctests, and ends it
    try:
        from pyspark.sql.connect.client import DefaultChannelBuilder
        from pyspark.sql.connect.session import SparkSession
    except ImportError as error:
        hint = "pip install 'analysis[spark]'"
        raise InputError.one("--engine", "no package pyspark", "a Spark Connect client", hint) from error
    finally:
        if not file:
            del main["__file__"]

    def connect() -> Any:
        made = SparkSession.builder.channelBuilder(DefaultChannelBuilder(engine)).create()
        made.client.set_retry_policies([])  # its own retry for ten minutes
        made.range(1).collect()
        return made

    return ask(connect, engine, seconds=CONNECT_TIMEOUT)


def read_parquet(engine: str, paths: Sequence[str]) -> Any:
    """A Spark data frame of Parquet files, by paths that the engine can read."""
    spark = session(engine)

    def read() -> Any:
        frame = spark.read.parquet(*paths)
        frame.schema  # noqa: B018 - asks the engine now, where its errors are understood
        return frame

    return ask(read, engine, ", ".join(paths))


def create_table(engine: str, rows: Sequence[tuple[object, ...]], columns: str) -> Any:
    """A Spark data frame of a few local rows, with columns as Spark's DDL has them."""
    spark = session(engine)
    return ask(lambda: spark.createDataFrame(list(rows), columns), engine)


def ask(call: Callable[[], T], engine: str = "", path: str = "", seconds: float = 0) -> T:
    """What a call to the engine returns; InputError when it fails or takes too long, by default the environment's limit."""
    engine, limit = engine or address() or "the engine", seconds or seconds_of(TIMEOUT, 120)
    try:
        return within(limit, call)
    except TimeoutError:
        hint = f"start it, or allow it more seconds by {TIMEOUT}"
        raise InputError.one(engine, f"no answer within {limit:g} s", "an engine that answers", hint) from None
    except Exception as error:
        message = " ".join(str(error).split())
        found, needed, hint = f"an error of {engine} ({message[:120]})", "an answer", "is it a Spark of version 4?"
        if re.search(GONE, message):
            path, found, hint = "", "nothing that answers", "start it, and try again"
            needed = "a Spark Connect server, as sc://HOST:PORT"
        elif path:
            needed, hint = "Parquet that the engine can read", "use a path or an address, as s3://bucket/folder"
        raise InputError.one(path or engine, found, needed, hint) from error
