"""I: The endpoint `/api/v1/ws` in a test's own loop, on our server, and real clients for it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from authproxy.changes import Changes
from realtime.consumers import Endpoint
from realtime.hub.hub import Hub
from realtime.routing import application, endpoints
from realtime.sessions.sessions import Sessions
from tests.support.callers import Callers, authenticator, gatekeeper
from tests.support.gateway import DataPlane, document, serving

PATH = "/api/v1/ws"


@dataclass
class Place:
    """What a test holds."""

    plane: DataPlane
    hub: Hub
    sessions: Sessions
    callers: Callers
    changes: Changes

    def client(self, query: str = "", *, token: str = "ada", **more: Any) -> Any:
        """A client that connects; without a token if it is empty."""
        more.setdefault("compression", None)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"ws://127.0.0.1:{self.plane.port}{PATH}{query}"
        return connect(url, additional_headers={**headers, **more.pop("headers", {})}, **more)


@asynccontextmanager
async def endpoint(hub: Hub | None = None, clock: Any = None, **sessions: Any) -> AsyncIterator[Place]:
    """Ada (user 7) and Bob (user 8) come with tokens of their names."""
    callers, changes = Callers(), Changes()
    for name, number in (("ada", "7"), ("bob", "8")):
        callers.token(name, consumer=name, user_id=number, subjects=(f"user:{number}",), seq=0)
    keeper = gatekeeper(callers)
    keeper.authenticator = authenticator(callers, changes=changes, clock=clock)
    hub = hub or Hub(node="a")
    plane = DataPlane(gatekeeper=keeper)
    more = {"wall": clock} if clock else {}
    found = Sessions(
        hub,
        snapshot=plane._current,
        authenticator=keeper.authenticator,
        changes=changes,
        key=b"key",
        rng=Random(1),
        **more,
        **sessions,
    )
    plane.pipeline._builtin_socket = application(endpoints("/api/v1", Endpoint(found, realm="torana")))
    async with serving(plane, document()):
        await hub.start()
        try:
            yield Place(plane, hub, found, callers, changes)
        finally:
            found.stop()
            await hub.stop()


async def heard(client: ClientConnection, kind: str = "") -> dict[str, Any]:
    """The next message; of that type if it is given, passing over none."""
    message: dict[str, Any] = json.loads(await client.recv())
    assert not kind or message["type"] == kind, message
    return message


async def say(client: ClientConnection, kind: str, **fields: Any) -> None:
    """One message."""
    await client.send(json.dumps({"type": kind, **fields}))


async def subscribed(client: ClientConnection, topic: str, **fields: Any) -> dict[str, Any]:
    """Subscribes, and waits until it counts."""
    await say(client, "subscribe", topic=topic, **fields)
    return await heard(client, "subscribed")
