"""Checks of targets in one worker: who is asked, and what becomes of the answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from authproxy.services import Upstreams
from gateway_project.checking import Checking
from resilience.state import StateTable
from routing.compiler import CompileOptions, compile_snapshot
from routing.leasing import LeasedTarget
from routing.snapshot import Snapshot
from routing.targets import parse_target
from tests.support.upstreams import Peer, ScriptedUpstream, answering, response

HEALTH = {"interval": "20ms", "timeout": "1s", "unhealthy_after": 1}


class Worker:
    """A worker's checks of one service, without Redis and database."""

    def __init__(self, **keys: Any) -> None:
        self.upstreams = Upstreams(StateTable(), rng=Random(1))
        options = CompileOptions(prepare_service=self.upstreams.prepare)
        raw = {"version": 1, "services": [{"name": "s", **keys}]}
        self.snapshot: Snapshot | None = compile_snapshot(raw, revision=1, options=options)
        self.checking = Checking(
            name="torana",
            worker="w",
            link=None,
            redis_url=None,
            current=lambda: self.snapshot,
            rng=Random(1),
            database=False,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        assert self.snapshot is not None
        self.upstreams.reconcile(self.snapshot, lambda _transport: None)
        self.checking.reconcile()
        await self.checking.start()
        try:
            yield
        finally:
            await self.checking.stop()
            await self.upstreams.aclose()

    async def until(self, url: str, healthy: bool | None) -> None:
        """Waits until the target is thought of like that."""
        assert self.snapshot is not None
        heard = asyncio.Event()
        self.checking.prober.on_verdict(lambda _verdict, _is_change: heard.set())
        async with asyncio.timeout(10):
            while self.snapshot.services["s"].runtime.state.targets[url].healthy is not healthy:
                heard.clear()
                await heard.wait()


async def test_targets_of_a_service_with_checks_are_asked() -> None:
    """One that answers is healthy, one that does not is not."""
    async with ScriptedUpstream(answering(response(b"ok"))) as good:
        urls = [good.url, "http://127.0.0.1:1"]
        worker = Worker(targets=[{"url": url} for url in urls], health=HEALTH)
        async with worker.running():
            await worker.until(urls[0], True)
            await worker.until(urls[1], False)
            assert worker.snapshot is not None
            targets = worker.snapshot.services["s"].runtime.state.targets
            assert [targets[url].healthy for url in urls] == [True, False]


async def test_discovered_targets_are_asked_as_they_want() -> None:
    """Where the service says nothing; their answers decide whether their leases live."""
    asked: list[bytes] = []

    async def script(peer: Peer) -> None:
        while True:
            asked.append((await peer.request()).target)
            await peer.send(response(b"ok"))

    async with ScriptedUpstream(script) as good:
        worker = Worker(targets=[])
        lease = LeasedTarget("l", good.url, 1, "/are-you-well", 0.02, None)
        async with worker.running():
            assert worker.snapshot is not None
            worker.upstreams.lease("s", (parse_target(good.url),), worker.snapshot)
            worker.checking.lease("s", (lease,))
            assert worker.checking.passes(good.url) is None
            await worker.until(good.url, True)
            assert worker.checking.passes(good.url) is True
            worker.upstreams.lease("s", (), worker.snapshot)
            worker.checking.lease("s", ())
            assert worker.checking.passes(good.url) is None
    assert set(asked) == {b"/are-you-well"}


async def test_nobody_is_asked_before_there_is_a_configuration() -> None:
    """A worker may stop before it began."""
    worker = Worker(targets=[{"url": "http://127.0.0.1:1"}])
    worker.snapshot = None
    assert worker.checking.reconcile() == []
    await worker.checking.stop()
