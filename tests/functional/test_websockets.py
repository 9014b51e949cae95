"""WebSocket connections through real gateways with two workers: listed, ended, followed when routes change, drained."""

import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import serve

from tests.support.gateway import document, route
from tests.support.process import Running, Site, eventually
from tests.support.redisserver import RedisServer
from tests.support.sockets import closed, echo

pytestmark = [pytest.mark.timeout(120)]


def routes(port: int, *, is_on: bool = True) -> dict[str, Any]:
    """`live`, which closes what it has when it goes, and `stays`."""
    first = route("live", path="/live", service="chat", websocket={"on_change": "close"}, enabled=is_on)
    other = route("stays", path="/stays", service="chat", websocket={})
    return document(first, other, services={"chat": f"http://127.0.0.1:{port}"})


async def opened(stack: AsyncExitStack, running: Running, path: str) -> ClientConnection:
    """A connection that has been answered by the service."""
    url = f"ws://127.0.0.1:{running.port}{path}"
    client: ClientConnection = await stack.enter_async_context(connect(url, proxy=None))
    await client.send("hi")
    assert await client.recv() == "hi"
    return client


async def listed(site: Site) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await site.gateway("sockets", "list", "--json")).data
    return found


async def of_both_workers(stack: AsyncExitStack, running: Running, site: Site) -> list[ClientConnection]:
    """As many connections as it takes for each worker to have one; all are listed."""
    clients: list[ClientConnection] = []
    while True:
        clients += [await opened(stack, running, "/live") for _ in range(4)]

        async def all_are_listed(count: int = len(clients)) -> list[dict[str, Any]] | None:
            rows = await listed(site)
            return rows if len(rows) == count else None

        if len({row["worker"] for row in await eventually(all_are_listed)}) == 2:
            return clients


async def test_a_day_in_the_life_of_connections(site: Site, tmp_path: Path) -> None:
    """Each worker carries its own; operators and routes reach them all, and a restart asks them to come back."""
    with RedisServer(tmp_path) as server:
        site.env["REDIS_URL"] = server.url
        async with serve(echo, "127.0.0.1", 0) as upstream, AsyncExitStack() as stack:
            port = upstream.sockets[0].getsockname()[1]
            await site.apply(routes(port))
            async with site.serving("--workers", "2") as running:
                clients = await of_both_workers(stack, running, site)
                (row, *_) = await listed(site)
                assert (row["route"], row["service"], row["address"]) == ("live", "chat", "127.0.0.1")

                done = await site.gateway("sockets", "end", "--all", "--reason", "try")
                assert done.code == 0, done.err
                ended = await asyncio.gather(*map(closed, clients))
                assert set(ended) == {(1001, "ended by an operator")}

                gone, stays = [await opened(stack, running, path) for path in ("/live", "/stays")]
                await site.apply(routes(port, is_on=False))
                assert await closed(gone) == (1001, "the route has changed")
                await stays.send("still here")
                assert await stays.recv() == "still here"

                running.process.send_signal(signal.SIGTERM)
                assert await closed(stays) == (1012, "restart")
                await running.ended()
