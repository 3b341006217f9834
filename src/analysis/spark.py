"""Parquet tables on an engine that speaks Spark Connect: a session, its time limits, and errors in one line.

Nothing of PySpark is imported until an address is given. Any Spark server will do, and so does Sail (``pysail``).
"""

from __future__ import annotations

import os
import re
import threading
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from parabook.errors import InputError

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

T = TypeVar("T")

ENGINE = "ANALYSIS_ENGINE"
"""Environment variable with the address of the engine, which kernels inherit."""

TIMEOUT = "ANALYSIS_ENGINE_TIMEOUT"
"""Environment variable with the seconds that a query may take."""

DEFAULT_TIMEOUT = 120.0
CONNECT_TIMEOUT = 15.0
"""Seconds within which an engine must answer at all."""

KEEPALIVE = (
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
)
"""gRPC drops the connection to a server that is killed or paused while a query runs."""


def address(engine: str = "") -> str:
    """The engine's address: as given, or from the environment; blank for none.

    Raises
    ------
    InputError
        When it is not of the form ``sc://HOST:PORT``.

    Examples
    --------
    >>> address("sc://localhost:50051")
    'sc://localhost:50051'
    """
    given = engine or os.environ.get(ENGINE, "")
    if given and not re.fullmatch(r"sc://[^\s:/]+:[0-9]{1,5}(/\S*)?", given):
        raise InputError.one("--engine", repr(given), "an address of the form sc://HOST:PORT")
    return given


def timeout() -> float:
    """Seconds that a query may take."""
    given = os.environ.get(TIMEOUT, "")
    if given and not re.fullmatch(r"[0-9]{1,6}(\.[0-9]+)?", given):
        raise InputError.one(TIMEOUT, repr(given), "a number of seconds")
    return float(given) if given else DEFAULT_TIMEOUT


@cache
def session(engine: str) -> SparkSession:
    """A session on an engine that answers."""
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    try:
        from pyspark.sql.connect.client import DefaultChannelBuilder
        from pyspark.sql.connect.session import SparkSession
    except ImportError as error:
        hint = "pip install 'analysis[spark]'"
        raise InputError.one("--engine", "no package pyspark", "a Spark Connect client", hint) from error

    def connect() -> SparkSession:
        made = SparkSession.builder.channelBuilder(DefaultChannelBuilder(engine, list(KEEPALIVE))).create()
        made.client.set_retry_policies([])  # its own retry for ten minutes
        made.range(1).collect()
        return made

    return within(CONNECT_TIMEOUT, engine, connect)


def read_parquet(engine: str, paths: Sequence[str]) -> Any:
    """A Spark data frame of Parquet files, by paths that the engine can read."""
    return within(timeout(), engine, lambda: _with_schema(session(engine).read.parquet(*paths)), ", ".join(paths))


def _with_schema(frame: Any) -> Any:
    frame.schema  # noqa: B018 - asks the engine now, where its errors are understood
    return frame


def create_table(engine: str, rows: Sequence[tuple[object, ...]], columns: str) -> Any:
    """A Spark data frame of a few local rows, with columns as Spark's DDL has them."""
    return within(timeout(), engine, lambda: session(engine).createDataFrame(list(rows), columns))


def collect(frame: Any, engine: str = "") -> list[dict[str, Any]]:
    """The rows of a small result."""
    rows = within(timeout(), engine or address() or "the engine", frame.collect)
    return [row.asDict() for row in rows]


def within(seconds: float, engine: str, call: Callable[[], T], path: str = "") -> T:
    """What a call to the engine returns, if it does within so many seconds.

    Raises
    ------
    InputError
        When it takes longer or fails: the engine is gone, or cannot read a path.
    """
    outcome: list[T] = []
    failure: list[Exception] = []

    def run() -> None:
        try:
            outcome.append(call())
        except Exception as error:
            failure.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if outcome:
        return outcome[0]
    if not failure:
        hint = f"start it, or allow it more seconds by {TIMEOUT}"
        raise InputError.one(engine, f"no answer within {seconds:g} s", "an engine that answers", hint)
    if isinstance(failure[0], InputError):
        raise failure[0]
    raise _explained(failure[0], engine, path) from failure[0]


def _explained(error: Exception, engine: str, path: str) -> InputError:
    message = " ".join(str(error).split())
    gone = re.search(
        r"UNAVAILABLE|failed to connect|Connection (?:reset|refused)|keepalive|Socket closed|SESSION", message
    )
    if gone:
        hint = "start it, and try again"
        return InputError.one(engine, "nothing that answers", "a Spark Connect server, as sc://HOST:PORT", hint)
    if path:
        hint = "use a path or an address, as s3://bucket/folder, that the engine can read"
        return InputError.one(path, f"an error of {engine} ({message[:120]})", "Parquet that the engine can read", hint)
    return InputError.one(engine, message[:160], "an answer", "is it a Spark of version 4?")
