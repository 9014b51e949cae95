"""I: Requests through an upstream transport, as short as tests want them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import httpx

from authproxy.upstream import slim
from authproxy.upstream.base import Transport
from authproxy.upstream.http1 import Http1Transport
from authproxy.upstream.pool import PoolLimits

Pair = tuple[bytes, bytes]
HOST: Pair = (b"host", b"upstream.test")


class Pieces(httpx.AsyncByteStream):
    """A request body that comes in pieces."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self.pieces = pieces

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.pieces


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer that was read to its end."""

    status: int
    headers: list[Pair]
    body: bytes
    response: httpx.Response

    @property
    def reused(self) -> bool:
        return bool(self.response.extensions["reused"])


def ask(
    url: str | httpx.URL,
    *,
    method: str = "GET",
    target: bytes = b"/",
    headers: Iterable[Pair] = (),
    body: bytes | httpx.AsyncByteStream = b"",
    **extensions: Any,
) -> httpx.Request:
    """A request as the forwarder would make it. Framing is up to `headers`, Host is there."""
    stream = httpx.ByteStream(body) if isinstance(body, bytes) else body
    return slim.request(
        method, httpx.URL(url), [HOST, *headers], stream=stream, extensions={"target": target, **extensions}
    )


async def fetch(transport: Transport, url: str | httpx.URL, **options: Any) -> Fetched:
    """Send and read the whole answer; options as those of `ask`."""
    response = await transport.handle_async_request(ask(url, **options))
    return await read(response)


async def read(response: httpx.Response) -> Fetched:
    """Read the rest of an answer the way the forwarder does."""
    body = slim.body(response)
    whole = bytearray()
    try:
        data, done = body.take()
        whole += data
        while not done:
            data, done = await body.next()
            whole += data
    finally:
        await body.aclose()
    return Fetched(response.status_code, list(slim.raw_pairs(response)), bytes(whole), response)


async def until(condition: Callable[[], bool], *, within_s: float = 5.0) -> None:
    """Wait for something that has no event of its own."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


def limited(**limits: float) -> Http1Transport:
    """A transport with these PoolLimits, and a quick sweeper."""
    return Http1Transport(limits=PoolLimits(**limits), sweep_s=0.01)  # type: ignore[arg-type]
