"""The whole gateway in processes: a worker is killed, all are reloaded, all are stopped, with traffic on them.

Supervisor and workers are programs here, as they are where a gateway is run, and no forks.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.gateway import RawClient, document, route
from tests.support.process import Running, Site, children, command_line, eventually, gone
from tests.support.upstreams import Peer, ScriptedUpstream, response

HELD = b"/api/held"


class Upstream(ScriptedUpstream):
    """Answers `upstream`; a request for /api/held is held until it is released."""

    def __init__(self) -> None:
        super().__init__(self._serve_peer)
        self.holding = asyncio.Event()
        self.release = asyncio.Event()

    async def _serve_peer(self, peer: Peer) -> None:
        while True:
            request = await peer.request()
            if request.target == HELD:
                self.holding.set()
                await self.release.wait()
            await peer.send(response(b"upstream"))


@asynccontextmanager
async def routed(site: Site, *arguments: str) -> AsyncIterator[tuple[Running, Upstream]]:
    """A gateway with one route, to an upstream."""
    async with Upstream() as upstream:
        await site.apply(document(route("api", path="/api", service="u"), services={"u": upstream.url}))
        async with site.serving(*arguments, anew=True) as running:
            yield running, upstream


def two_without(victim: int, running: Running) -> list[int] | None:
    workers = [pid for pid in running.workers() if pid != victim]
    return workers if len(workers) == 2 else None


async def is_refused(running: Running) -> bool:
    """Whether nobody listens; a connection that was made just before that is reset, or closed without an answer."""
    try:
        await running.get("/api/x")
    except ConnectionRefusedError:
        return True
    except (ConnectionResetError, asyncio.IncompleteReadError):
        return False
    return False


async def load(running: Running, stop: asyncio.Event) -> int:
    """Keeps asking over kept-alive connections; how many answers there were. A failed one raises."""
    count = 0
    while not stop.is_set():
        async with RawClient(running.port) as client:
            persists = True
            while persists and not stop.is_set():
                answer = await client.get("/api/x")
                assert (answer.status, answer.body) == (200, b"upstream")
                persists = answer.header("connection") != "close"
                count += 1
                await asyncio.sleep(0.01)
    return count


async def test_killed_worker_is_replaced_and_reload_fails_no_request(site: Site, redis_url: str) -> None:
    """kill -9 of one of two: others serve and a new one comes; SIGHUP under load: every answer is whole."""
    site.env["REDIS_URL"] = redis_url
    async with routed(site, "--workers", "2") as (running, _):
        victim, survivor = running.workers()
        os.kill(victim, signal.SIGKILL)
        await running.said(rf"worker {victim} was killed by SIGKILL; replacing it now")
        meanwhile = [(await running.get("/api/x")).status for _ in range(5)]
        replaced = await eventually(lambda: two_without(victim, running))
        stop = asyncio.Event()
        clients = [asyncio.create_task(load(running, stop)) for _ in range(4)]
        running.process.send_signal(signal.SIGHUP)
        await gone(replaced)
        stop.set()
        counts = await asyncio.gather(*clients)
        reloaded = running.workers()

    assert meanwhile == [200] * 5
    assert survivor in replaced
    assert len(reloaded) == 2
    assert not set(reloaded) & set(replaced)
    assert min(counts) > 10


async def test_stop_lets_requests_finish(site: Site) -> None:
    """SIGTERM: readiness says no while connections are still accepted, a request in flight ends, then exit 0."""
    async with routed(site, "--grace", "2") as (running, upstream):
        workers = running.workers()
        in_flight = asyncio.create_task(running.get(HELD.decode()))
        await upstream.holding.wait()
        before = await running.get("/health/ready")
        running.process.terminate()
        await running.said("stopping")
        ready = await running.until("/health/ready", 503)
        still_served = await running.get("/api/x")
        await eventually(lambda: is_refused(running))
        is_waiting = not in_flight.done()
        upstream.release.set()
        finished = await in_flight
        status = await running.ended()
        await gone(workers)
        left = site.sql("SELECT name FROM routing_node")

    assert (before.status, ready.status, still_served.status) == (200, 503, 200)
    assert b"draining" in ready.body
    assert is_waiting
    assert (finished.status, finished.body, status) == (200, b"upstream", 0)
    assert left == []


async def test_embedded_store_lives_and_dies_with_the_gateway(site: Site) -> None:
    """Where no Redis is named one is started; Ctrl-C, and a kill -9 too, end it and the workers."""
    site.env["REDIS_URL"] = ""
    for end in (lambda running: running.interrupt(), lambda running: running.process.kill()):
        async with site.serving("--workers", "2", anew=True) as running:
            processes = children(running.process.pid)
            names = [command_line(pid) for pid in processes]
            end(running)
            await running.ended()
            await gone(processes)
        assert sum("valkey" in name for name in names) == 1
        assert sum("server.worker" in name for name in names) == 2
