"""I: A stream of answers: its messages as they come, and what becomes of one that breaks."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import httpx
from grpc import aio

from authproxy import problems
from authproxy.grpc.calling import Call, item, trouble
from authproxy.grpc.statuses import status_of
from authproxy.headers import Pair
from resilience.outcomes import Outcome

Errors = Callable[[Call, aio.AioRpcError], Any]


class StreamBody(httpx.AsyncByteStream):
    """The messages of a stream as they come; closing it ends the call."""

    def __init__(self, call: Call, running: Any, first: Any, *, read_s: float | None, error: Errors) -> None:
        self._error = error
        self._call = call
        self._running = running
        self._first = first
        self._read_s = read_s
        self.released = False

    def take(self) -> tuple[bytes, bool]:
        first, self._first = self._first, None
        if first is aio.EOF:
            self._end()
            return b"", True
        return (b"", self.released) if first is None else self._written(first)

    async def next(self) -> tuple[bytes, bool]:
        if self.released:
            return b"", True
        if self._first is not None:
            return self.take()
        try:
            async with asyncio.timeout(self._read_s):
                message = await self._running.read()
            if message is aio.EOF:
                await raise_for(self._running)
                self._end()
                return b"", True
        except TimeoutError:
            silent = problems.bad_answer(self._call.service, "The service sent nothing for too long.")
            return self._broke(silent, Outcome.BODY_TIMEOUT)
        except aio.AioRpcError as failure:
            return self._broke(self._error(self._call, failure), blame(failure))
        return self._written(message)

    def _written(self, message: bytes) -> tuple[bytes, bool]:
        data = self._call.method.decode(message)
        if data is None:
            unfit = problems.bad_answer(self._call.service, "A message does not fit its descriptor.")
            return self._broke(unfit, Outcome.BODY_BROKEN)
        return item(self._call, data), False

    def _broke(self, why: Any, outcome: Outcome | None) -> tuple[bytes, bool]:
        """The answer has begun with 200: its last item says what went wrong, and the breaker hears of it."""
        self._end()
        if outcome is not None:
            self._call.ended(outcome)
        error = {"code": why.code.value, "message": why.message, "details": dict(why.details)}
        return trouble(self._call, error), True

    def _end(self) -> None:
        self.released = True
        self._running.cancel()

    def trailers(self) -> list[Pair]:
        return []

    async def __aiter__(self) -> AsyncIterator[bytes]:
        done = False
        while not done:
            data, done = await self.next()
            if data:
                yield data

    async def aclose(self) -> None:
        self._end()


async def raise_for(running: Any) -> None:
    """Raises AioRpcError unless the call has ended well."""
    code = await running.code()
    if code is not grpc.StatusCode.OK:
        raise aio.AioRpcError(
            code, await running.initial_metadata(), await running.trailing_metadata(), await running.details()
        )


def blame(failure: aio.AioRpcError) -> Outcome | None:
    """How a stream that had begun ended; None: by a status that is no fault of the service, such as NOT_FOUND."""
    if failure.code() is grpc.StatusCode.UNAVAILABLE:
        return Outcome.BODY_BROKEN  # which is also what a lost connection is
    return Outcome.UPSTREAM_ERROR if status_of(failure.code().value[0]).http >= 500 else None
