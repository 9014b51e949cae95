"""I: The endpoints for events in a test's own loop, on our server, behind the whole pipeline."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson

from authproxy.admission import Gatekeeper
from authproxy.changes import Changes
from authproxy.exchange import Receive, Scope, Send
from authproxy.identity import Identity
from realtime.hub.hub import Hub
from realtime.posting import Posting
from realtime.streams import Streams
from routing.topics import NO_RULES, TopicRules
from tests.support.callers import PEPPER, Callers, authenticator, minted
from tests.support.gateway import Answer, DataPlane, RawClient, document, serving

EVENTS, STREAM = "/api/v1/events", "/api/v1/events/stream"


@dataclass
class Desk:
    """What a test holds. Ada (user 7) is a user, `robot` a service, `root` staff; `eve` is known to the provider `idp`
    as 7. Tokens are their names."""

    plane: DataPlane
    hub: Hub
    streams: Streams
    changes: Changes
    rules: TopicRules = NO_RULES

    def may(self, identity: Identity, topic: str) -> bool:
        return self.rules.may_subscribe(topic, identity, frozenset())

    def may_publish(self, identity: Identity, topic: str) -> bool:
        return self.rules.may_publish(topic, identity, frozenset())

    async def post(self, given: Any, *headers: str, token: str = "robot") -> Answer:
        body = given if isinstance(given, bytes) else orjson.dumps(given)
        own = (f"Authorization: Bearer {token}",) if token else ()
        async with RawClient(self.plane.port) as client:
            return await client.get(EVENTS, *own, *headers, method="POST", body=body)


@asynccontextmanager
async def desk(*, lives_s: float = 1e6, is_open: bool = False) -> AsyncIterator[Desk]:
    changes, callers, now = Changes(), Callers(), time.time()
    known: dict[str, dict[str, Any]] = {
        "ada": {"user_id": "7", "subjects": ("user:7",)},
        "robot": {"kind": "service", "subjects": ("consumer:1",)},
        "root": {"user_id": "1", "is_staff": True},
        "eve": {"user_id": "7", "consumer": "idp:7", "provider": "idp"},
    }
    for name, more in known.items():
        callers.token(
            name, **{"consumer": name, "seq": 0, "issued_at": now, "expires_at": now + lives_s, **more}
        )
    keeper = Gatekeeper(
        authenticator(callers, changes=changes, clock=time.time), realm="t", pepper=PEPPER, mint=minted,
        report=lambda _: None,
    )  # fmt: skip
    plane, hub = DataPlane(gatekeeper=keeper), Hub(node="a")
    found = Desk(plane, hub, None, changes)  # type: ignore[arg-type]
    found.streams = Streams(
        hub, may=lambda *a: found.may(*a), changes=changes, realm="t", rng=Random(1), is_open=is_open
    )
    posting = Posting(hub, may_publish=lambda *a: found.may_publish(*a), realm="t", is_open=is_open)

    async def builtin(scope: Scope, receive: Receive, send: Send) -> None:
        await (posting if scope["path"] == EVENTS else found.streams)(scope, receive, send)

    plane.pipeline._builtin = builtin
    async with serving(plane, document()):
        yield found


class Reader:
    """Reads a stream event by event."""

    def __init__(self, client: RawClient) -> None:
        self._client = client
        self._text = b""
        self.head: Answer

    async def block(self) -> dict[str, str]:
        """The next one, its fields by name; comments are passed over."""
        while True:
            async with asyncio.timeout(10):
                while b"\n\n" not in self._text:
                    size = int(await self._client.reader.readline(), 16)
                    if not size:
                        raise EOFError
                    self._text += await self._client.reader.readexactly(size)
                    await self._client.reader.readline()
            text, _, self._text = self._text.partition(b"\n\n")
            fields = [line.partition(": ") for line in text.decode().split("\n")]
            found = {name: value for name, _, value in fields if name and name != ":"}
            if found and "retry" not in found:
                return found

    async def event(self) -> Any:
        """The next event's object."""
        return orjson.loads((await self.block())["data"])


@asynccontextmanager
async def reading(there: Desk, query: str, *headers: str, token: str = "ada") -> AsyncIterator[Reader]:
    """A stream that has begun."""
    own = (f"Authorization: Bearer {token}",) if token else ()
    async with RawClient(there.plane.port) as client:
        await client.send(
            "\r\n".join([f"GET {STREAM}{query} HTTP/1.1", "Host: t", *own, *headers, "", ""]).encode()
        )
        reader = Reader(client)
        reader.head = await client.head()
        yield reader
