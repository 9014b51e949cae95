"""What holds traffic in check holds WebSocket connections, too: breakers and canaries hear at the handshake, places are
held as long as a connection lasts. Services behind shares, TLS and Unix sockets."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve, unix_serve
from websockets.exceptions import InvalidStatus

from realtime.tunnel.opening import tunnel_for
from realtime.tunnel.sockets import Sockets
from resilience.breaker import State
from resilience.breakers import Breakers
from resilience.canaries import Canaries
from tests.support.gateway import DataPlane, data_plane, document, route
from tests.support.process import eventually
from tests.support.sockets import echo, line
from tests.support.upstreams import Certificates


def to(plane: DataPlane, path: str = "/") -> Any:
    """A client's connection."""
    return connect(f"ws://127.0.0.1:{plane.port}{path}", proxy=None)


async def refusal(connecting: Any) -> tuple[int, str]:
    """Status and code of the answer that a handshake gets."""
    with pytest.raises(InvalidStatus) as raised:
        await connecting.__aenter__()
    response = raised.value.response
    return response.status_code, json.loads(response.body or b"")["error"]["code"]


async def said(socket: Any) -> Any:
    """The answer to a message."""
    await socket.send("x")
    return await socket.recv()


@asynccontextmanager
async def serving(raw: dict[str, Any], **doors: Any) -> AsyncIterator[DataPlane]:
    """A gateway that carries connections."""
    more = {"tunnel": tunnel_for(Sockets(rng=Random(1))), **doors}
    async with data_plane(raw, more_doors=more) as plane:
        yield plane


async def test_the_breaker_hears_at_the_handshake() -> None:
    """A trial that becomes a connection closes it while the connection goes on; failures open it."""
    async with line() as there:
        plane, url = there.plane, there.raw["services"][0]["targets"][0]["url"]
        plane.upstreams._breakers = breakers = Breakers(worker="w")
        breaker = {"failure_threshold": 1, "min_throughput": 1, "recovery_timeout": "100ms"}
        down = {"targets": [{"url": "http://127.0.0.1:1"}], "breaker": breaker, "retries": {"attempts": 0}}
        plane.publish(document(route("live", websocket={}, service="s"), services={"s": down}))
        assert await refusal(to(plane)) == (502, "BAD_GATEWAY")
        assert await refusal(to(plane)) == (503, "CIRCUIT_OPEN")

        up = {**down, "targets": [{"url": url}]}
        plane.publish(document(route("live", websocket={}, service="s"), services={"s": up}))
        guard = plane._current().services["s"].runtime.breaker

        async def let_in() -> Any:
            try:
                return await to(plane).__aenter__()
            except InvalidStatus:
                return None

        socket = await eventually(let_in)
        assert guard.state is State.CLOSED
        assert await said(socket) == "x"
        await socket.close()
        await breakers.stop()


@pytest.mark.parametrize("where", ["route", "service"])
async def test_a_place_is_held_as_long_as_the_connection_lasts(where: str) -> None:
    """Of the route, or of the service; its end makes room."""
    async with line() as there:
        plane = there.plane
        service: dict[str, Any] = {"targets": there.raw["services"][0]["targets"]}
        keys: dict[str, Any] = {"websocket": {}, "service": "s"}
        (
            keys.update(limits={"max_concurrency": 1})
            if where == "route"
            else service.update(max_concurrency=1)
        )
        plane.publish(document(route("live", **keys), services={"s": service}))
        runtime = plane._current().services["s"].runtime
        async with to(plane) as socket:
            assert await said(socket) == "x"
            assert runtime.state.in_flight == runtime.pool.states[0].in_flight == 1
            assert await refusal(to(plane)) == (503, "OVERLOADED")

        async def there_is_room() -> bool:
            return runtime.state.in_flight == 0

        await eventually(there_is_room)
        assert runtime.pool.states[0].in_flight == 0
        async with to(plane) as socket:
            assert await said(socket) == "x"


async def test_quotas_count_a_handshake_as_one_request() -> None:
    """However much is said afterwards."""
    async with line() as there:
        raw = {
            **document(
                route("live", websocket={}, service="s", quotas=["few"]),
                services={"s": there.raw["services"][0]["targets"][0]["url"]},
            ),
            "quotas": [{"name": "few", "limit": 2, "per": "1h", "algorithm": "fixed_window", "key": "ip"}],
        }
        there.plane.publish(raw)
        for left in ("1", "0"):
            async with to(there.plane) as socket:
                assert [await said(socket) for _ in range(5)] == ["x"] * 5
                assert socket.response.headers["x-ratelimit-remaining"] == left
        assert await refusal(to(there.plane)) == (429, "RATE_LIMIT")


async def test_shares_and_canaries_choose_for_connections() -> None:
    """The outcome counts when the handshake is over, not when the connection is."""

    async def named(socket: ServerConnection) -> None:
        await socket.send("next")
        await echo(socket)

    async with serve(echo, "127.0.0.1", 0) as old, serve(named, "127.0.0.1", 0) as new:
        services = {
            name: f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            for name, server in (("old", old), ("new", new))
        }
        backends = [{"service": "old", "weight": 0}, {"service": "new", "weight": 100}]
        canaries = Canaries()
        canary = {"steps": [100], "every": "1h"}
        raw = document(
            route("split", path="/split", backends=backends, websocket={}),
            route("canary", path="/canary", backends=backends, canary=canary, websocket={}),
            services=services,
        )
        async with serving(raw, canaries=canaries) as plane:
            async with to(plane, "/split") as socket:
                assert await socket.recv() == "next"
            live = canaries._live["canary"]
            live.percent = 100
            async with to(plane, "/canary") as socket:
                assert await socket.recv() == "next"
                assert live.tally.canary.counts().seen().requests == 1
            await plane.until_finished(2)
            assert live.tally.canary.counts().seen().requests == 1


async def test_services_behind_tls_and_unix_sockets(tmp_path: Path) -> None:
    """With the service's own settings."""
    certificates, path = Certificates(), str(tmp_path / "chat.sock")
    async with (
        serve(echo, "127.0.0.1", 0, ssl=certificates.server_context()) as secure,
        unix_serve(echo, path),
    ):
        port = secure.sockets[0].getsockname()[1]
        tls = {"protocol": "https", "targets": [{"url": f"https://127.0.0.1:{port}"}]}
        raw = document(
            route("tls", path="/tls", websocket={}, service="tls"),
            route("unsure", path="/unsure", websocket={}, service="unsure"),
            route("unix", path="/unix", websocket={}, service="unix"),
            services={
                "tls": {**tls, "tls": {"ca": certificates.ca}},
                "unsure": tls,
                "unix": {"targets": [{"url": f"unix://{path}"}]},
            },
        )
        async with serving(raw) as plane:
            for where in ("/tls", "/unix"):
                async with to(plane, where) as socket:
                    await socket.send("x" * 200_000)
                    assert await socket.recv() == "x" * 200_000
            assert await refusal(to(plane, "/unsure")) == (502, "BAD_GATEWAY")


async def test_a_client_that_leaves_during_the_handshake_takes_it_along() -> None:
    """Nobody waits for the service's answer any more, and nobody is to blame."""
    asked, gone = asyncio.Event(), asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        assert await reader.read() == b""
        gone.set()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        raw = document(
            route("live", websocket={}, service="s"),
            services={"s": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"},
        )
        async with serving(raw) as plane:
            connecting = asyncio.ensure_future(to(plane).__aenter__())
            async with asyncio.timeout(10):
                await asked.wait()
                connecting.cancel()
                await gone.wait()
            (exchange,) = await plane.until_finished(1)
            assert exchange.status == 499


async def test_connections_take_no_place_among_those_of_requests() -> None:
    """`max_connections` bounds what requests share."""
    async with line() as there:
        targets = there.raw["services"][0]["targets"]
        service = {"targets": targets, "max_connections": 1}
        there.plane.publish(document(route("live", websocket={}, service="s"), services={"s": service}))
        async with to(there.plane) as one, to(there.plane) as two, to(there.plane) as three:
            assert [await said(each) for each in (one, two, three)] == ["x"] * 3
            transport = there.plane._current().services["s"].runtime.transport
            assert [stats.open for stats in transport.stats().values()] in ([], [0])
