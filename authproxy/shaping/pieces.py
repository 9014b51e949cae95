"""I: Bodies of answers that do not come from a connection as they are: from memory, put together, or changed.

Each has the interface of `authproxy.upstream.body.ResponseBody`, so whoever relays an answer need not know. Who wraps a
body owns it: closing the outer one closes the inner one.
"""

from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

import httpx

from authproxy.headers import Pair
from authproxy.upstream import slim

_NOBODY_ASKED: Final = httpx.Request("GET", "http://gateway.invalid/")


class Pieces(Protocol):
    """A body that is read piece by piece."""

    @property
    def released(self) -> bool: ...

    def take(self) -> tuple[bytes, bool]:
        """What is there (perhaps nothing), and whether the body has ended with it. Never waits."""

    async def next(self) -> tuple[bytes, bool]:
        """The same, but waits until there is something. Raises httpx.TransportError."""

    def trailers(self) -> list[Pair]: ...

    async def aclose(self) -> None: ...


class MemoryBody(httpx.AsyncByteStream):
    """A body that is all there."""

    def __init__(self, data: bytes, trailers: list[Pair] | None = None) -> None:
        self._data = data
        self._trailers = trailers or []
        self.released = False

    def take(self) -> tuple[bytes, bool]:
        data, self._data = self._data, b""
        self.released = True
        return data, True

    async def next(self) -> tuple[bytes, bool]:
        return self.take()

    def trailers(self) -> list[Pair]:
        return self._trailers

    async def aclose(self) -> None:
        self.released = True


class ContinuedBody(httpx.AsyncByteStream):
    """A body of which the beginning was read already."""

    def __init__(self, beginning: bytes, rest: Pieces) -> None:
        self._beginning = beginning
        self._rest = rest

    @property
    def released(self) -> bool:
        return self._rest.released and not self._beginning

    def take(self) -> tuple[bytes, bool]:
        beginning, self._beginning = self._beginning, b""
        return (beginning, False) if beginning else self._rest.take()

    async def next(self) -> tuple[bytes, bool]:
        beginning, self._beginning = self._beginning, b""
        return (beginning, False) if beginning else await self._rest.next()

    def trailers(self) -> list[Pair]:
        return self._rest.trailers()

    async def aclose(self) -> None:
        self._beginning = b""
        if not self._rest.released:
            await self._rest.aclose()


class ChangedBody(httpx.AsyncByteStream):
    """A body that each piece of goes through `change`, and to whose end `finish` may add.

    For a stream whose beginning is worth waiting for, `change` may keep bytes back and give b"". What `gone` does is
    done once, when the body is closed or read to its end.
    """

    def __init__(
        self,
        inner: Pieces,
        change: Callable[[bytes], bytes],
        finish: Callable[[], bytes],
        gone: Callable[[bool], None] | None = None,
    ) -> None:
        self._inner = inner
        self._change = change
        self._finish = finish
        self._gone = gone
        self.released = False

    def take(self) -> tuple[bytes, bool]:
        return self._passed(*self._inner.take())

    async def next(self) -> tuple[bytes, bool]:
        while True:
            data, done = self._passed(*await self._inner.next())
            if data or done:
                return data, done

    def _passed(self, data: bytes, done: bool) -> tuple[bytes, bool]:
        if self.released:
            return b"", True
        changed = self._change(data) if data else b""
        if done:
            changed += self._finish()
            self._end(whole=True)
        return changed, done

    def _end(self, *, whole: bool) -> None:
        if not self.released:
            self.released = True
            if self._gone is not None:
                self._gone(whole)

    def trailers(self) -> list[Pair]:
        return self._inner.trailers()

    async def aclose(self) -> None:
        self._end(whole=False)
        if not self._inner.released:
            await self._inner.aclose()


class Whole(NamedTuple):
    """As much of a body as was asked for."""

    data: bytes
    complete: bool
    """False: there is more than the limit allows; it is still to be read from the body."""


async def collect(body: Pieces, limit: int) -> Whole:
    """Read a body of at most `limit` bytes; of a longer one, the beginning (a piece more than `limit` at most)."""
    parts: list[bytes] = []
    size = 0
    data, done = body.take()
    while True:
        parts.append(data)
        size += len(data)
        if done or size > limit:
            return Whole(b"".join(parts), done and size <= limit)
        data, done = await body.next()


def memory_response(status: int, headers: list[Pair], data: bytes) -> httpx.Response:
    """An answer that comes from memory, as if an upstream had given it."""
    return slim.response(status, headers, MemoryBody(data), {}, _NOBODY_ASKED)


def with_body(response: httpx.Response, headers: list[Pair], body: httpx.AsyncByteStream) -> httpx.Response:
    """`response` with other header fields and another body, which owns the old one if that is still to be read."""
    return slim.response(response.status_code, headers, body, response.extensions, response.request)
