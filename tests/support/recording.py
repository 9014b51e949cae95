"""An upstream that remembers, behind a gateway with one route, for tests of proxying."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.support.gateway import DataPlane, RawClient, data_plane, document, route
from tests.support.upstreams import Peer, ReceivedRequest, ScriptedUpstream, response


class Recording:
    """An upstream that keeps what it gets and gives one answer."""

    def __init__(self, answer: bytes = b"") -> None:
        self.answer = answer or response(b"hello")
        self.requests: list[ReceivedRequest] = []

    async def __call__(self, peer: Peer) -> None:
        while True:
            self.requests.append(await peer.request())
            await peer.send(self.answer)

    @property
    def last(self) -> ReceivedRequest:
        return self.requests[-1]


@asynccontextmanager
async def proxied(recording: Recording, **keys: Any) -> AsyncIterator[tuple[DataPlane, RawClient]]:
    """A gateway with one route in front of `recording`, and a client connected to it."""
    trusted = keys.pop("trusted_proxies", ())
    async with ScriptedUpstream(recording) as upstream:
        raw = document(route(service="s", **keys), services={"s": upstream.url})
        async with data_plane(raw, trusted_proxies=trusted) as plane, RawClient(plane.port) as client:
            yield plane, client
