"""A gRPC interceptor: limits the time of requests to an engine, reports errors in one line. Needs PySpark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import grpc

from parabook.errors import InputError

READABLE = "Parquet that the engine can read"
"""What an error of an engine says is needed."""

GONE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


class Deadline(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):  # type: ignore[misc]
    """Ends each request to an engine after some ``seconds``, and raises an InputError for any that fails.

    All requests of PySpark and narwhals pass here, also those for a schema. Users set the limit by the environment
    ``variable``.
    """

    def __init__(self, engine: str, seconds: float, variable: str) -> None:
        self.engine, self.seconds, self.variable = engine, seconds, variable

    def intercept_unary_unary(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        """Make a request that has one answer."""
        answer = continuation(details._replace(timeout=self.seconds), request)
        if error := answer.exception():
            raise self._problem(error) from error
        return answer

    def intercept_unary_stream(self, continuation: Callable[..., Any], details: Any, request: Any) -> Iterator[Any]:
        """Make a request that has a stream of answers."""
        try:
            yield from continuation(details._replace(timeout=self.seconds), request)
        except grpc.RpcError as error:
            raise self._problem(error) from error

    def _problem(self, error: Any) -> InputError:
        code, message = error.code(), " ".join(str(error.details()).split())
        if code in GONE:
            found, needed = "nothing that answers", "a Spark Connect server, as sc://HOST:PORT"
            hint = "start it, and try again"
        elif code == grpc.StatusCode.DEADLINE_EXCEEDED:
            found, needed = f"no answer within {self.seconds:g} s", "an engine that answers"
            hint = f"start it, or allow it more seconds by {self.variable}"
        else:
            found, needed = f"an error of the engine ({message[:200]})", READABLE
            hint = "is it a Spark of version 4? it needs paths of its own, or addresses as s3://bucket/folder"
        return InputError.one(self.engine, found, needed, hint)
