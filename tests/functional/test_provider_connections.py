"""Connections of somebody whom a real OpenID provider knows, through a real gateway: whose they are, what ends them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import serve

from tests.support import oidc
from tests.support.clients import signed_in, staff_of
from tests.support.gateway import RawClient, document, route
from tests.support.oidcserver import CLIENT_ID
from tests.support.process import Running, Site
from tests.support.sockets import closed, echo
from tests.support.streams import STREAM, Reader

TOPIC = "user.idp:1"


def configured(port: int, discovery_url: str) -> dict[str, Any]:
    raw = document(
        route("live", path="/live", service="chat", websocket={}, auth={"level": "user"}),
        services={"chat": f"http://127.0.0.1:{port}"},
    )
    raw["identity_providers"] = [{"name": "idp", "discovery_url": discovery_url, "audience": CLIENT_ID}]
    return raw


@asynccontextmanager
async def opened(running: Running, path: str, field: str) -> AsyncIterator[ClientConnection]:
    name, _, value = field.partition(": ")
    async with connect(
        f"ws://127.0.0.1:{running.port}{path}", additional_headers={name: value}, proxy=None
    ) as socket:
        yield socket


async def echoes(socket: ClientConnection) -> bool:
    await socket.send("x")
    return await socket.recv() == "x"


async def answer(socket: ClientConnection, **message: str) -> dict[str, Any]:
    await socket.send(orjson.dumps(message).decode())
    found: dict[str, Any] = orjson.loads(await socket.recv())
    return found


@pytest.mark.timeout(120)
async def test_somebody_of_a_provider(site: Site, tmp_path_factory: pytest.TempPathFactory) -> None:
    """An account of the same id ends without them; without the provider they are nobody any more."""
    with oidc.process(tmp_path_factory.mktemp("provider")) as port:
        async with oidc.reached(port) as provider, serve(echo, "127.0.0.1", 0) as upstream:
            raw = configured(upstream.sockets[0].getsockname()[1], provider.discovery_url)
            await site.apply(raw)
            async with site.serving() as running, staff_of(site) as staff:
                number = await staff.do("account('ann'); result = user('ann').pk")
                assert f"idp:{number}" == TOPIC.removeprefix("user.")  # as of the provider's ann
                ann = (await signed_in(running, "ann")).field
                theirs = f"Authorization: Bearer {await provider.id_token()}"
                async with (
                    opened(running, "/live", theirs) as proxied,
                    opened(running, "/api/v1/ws", theirs) as own,
                    opened(running, "/live", ann) as anns,
                    RawClient(running.port) as client,
                ):
                    assert orjson.loads(await own.recv())["type"] == "connected"
                    assert (await answer(own, type="subscribe", topic=TOPIC))["type"] == "subscribed"
                    await client.send(
                        f"GET {STREAM}?topic={TOPIC} HTTP/1.1\r\nHost: t\r\n{theirs}\r\n\r\n".encode()
                    )
                    stream = Reader(client)
                    assert (await client.head()).status == 200

                    await staff.do("accounts.set_active([user('ann')], False, by='test')")
                    assert (await closed(anns))[0] == 4401
                    assert await echoes(proxied)
                    assert (await answer(own, type="ping"))["type"] == "pong"

                    await site.apply({**raw, "identity_providers": []}, "--prune")
                    assert await closed(proxied) == (4401, "the identity provider is gone")
                    assert (await closed(own))[0] == 4401
                    assert orjson.loads((await stream.block())["data"])["code"] == "AUTH_ERROR"
