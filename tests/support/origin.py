"""I: A service that counts its requests and answers each as a test says, behind a gateway whose route caches."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.support.gateway import Answer, DataPlane, RawClient, data_plane, document, route
from tests.support.upstreams import Peer, ReceivedRequest, ScriptedUpstream, response

Reply = bytes | Callable[[ReceivedRequest], bytes]


class Origin:
    """`reply` may be changed between requests; `held` makes answers wait until it is set."""

    def __init__(self, reply: Reply = b"") -> None:
        self.reply: Reply = reply or fresh(b"hello")
        self.requests: list[ReceivedRequest] = []
        self.held: asyncio.Event | None = None
        self.arrived = asyncio.Event()

    async def __call__(self, peer: Peer) -> None:
        while True:
            request = await peer.request()
            self.requests.append(request)
            self.arrived.set()
            if self.held is not None:
                await self.held.wait()
            await peer.send(self.reply(request) if callable(self.reply) else self.reply)

    @property
    def count(self) -> int:
        return len(self.requests)

    @property
    def last(self) -> ReceivedRequest:
        return self.requests[-1]


def fresh(body: bytes = b"hello", *headers: tuple[str, str], status: str = "200 OK") -> bytes:
    """An answer that says that it is fresh for a minute, unless `headers` say something else."""
    names = {name.lower() for name, _ in headers}
    control = [] if "cache-control" in names else [("Cache-Control", "max-age=60")]
    return response(body, status=status, headers=[*control, *headers])


@asynccontextmanager
async def cached(
    origin: Origin, cache: dict[str, Any] | None = None, **keys: Any
) -> AsyncIterator[tuple[DataPlane, RawClient]]:
    """A gateway with one public route that caches, and a client connected to it."""
    keeper = keys.pop("keeper", None)
    async with ScriptedUpstream(origin) as upstream:
        raw = document(route(service="s", cache=cache or {}, **keys), services={"s": upstream.url})
        async with data_plane(raw, keeper=keeper) as plane, RawClient(plane.port) as client:
            yield plane, client


def kind(answer: Answer) -> str | None:
    """HIT, MISS, STALE or BYPASS."""
    return answer.header("x-cache")
