"""A time limit for every request to an engine, and its errors in one line: a gRPC interceptor, imported with PySpark alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import grpc

from parabook.errors import InputError

READABLE = "Parquet that the engine can read"
"""What is needed where an engine answers with an error."""

GONE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


class Deadline(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):  # type: ignore[misc]
    """Ends each request to an engine after some ``seconds``, which a ``variable`` of the environment sets; raises an InputError for any that fails.

    All of PySpark's and narwhals' requests pass here, those too that they make to find out a schema.
    """

    def __init__(self, engine: str, seconds: float, variable: str) -> None:
        self.engine, self.seconds, self.variable = engine, seconds, variable

    def intercept_unary_unary(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        """Make a request with one answer."""
        answer = continuation(details._replace(timeout=self.seconds), request)
        if error := answer.exception():
            raise self._problem(error) from error
        return answer

    def intercept_unary_stream(self, continuation: Callable[..., Any], details: Any, request: Any) -> Iterator[Any]:
        """Make a request with many answers."""
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
