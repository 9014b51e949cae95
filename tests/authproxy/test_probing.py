"""Checks over real sockets: they reach targets as requests do, end in time, and leave nothing open."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

from authproxy.probing import Probing
from authproxy.services import Upstreams
from gateway_project.server.ports import keep_port
from resilience.health import MOST_BODY, Answer, Failure
from resilience.leader import Alone, Leader
from resilience.prober import Prober
from resilience.state import StateTable
from routing.compiler import CompileOptions, compile_snapshot
from routing.snapshot import CompiledService, Snapshot
from tests.support.fetching import fetch, until
from tests.support.http2upstream import Http2Upstream, Stream
from tests.support.upstreams import Certificates, Peer, ScriptedUpstream, answering, response

CHECKS = {"path": "/health?deep=1", "interval": "1s"}


class Bench:
    """A worker's configuration, which may change, and its probing."""

    def __init__(self, *services: dict[str, Any]) -> None:
        self.upstreams = Upstreams(StateTable(), rng=Random(1))
        self.snapshot: Snapshot | None = None
        self.publish(*services)
        self.probing = Probing(lambda: self.services)

    @property
    def services(self) -> dict[str, CompiledService]:
        assert self.snapshot is not None
        return dict(self.snapshot.services)

    def publish(self, *services: dict[str, Any]) -> None:
        options = CompileOptions(prepare_service=self.upstreams.prepare)
        raw = {"version": 1, "services": list(services)}
        self.snapshot = compile_snapshot(raw, revision=1, options=options, previous=self.snapshot)
        self.upstreams.reconcile(self.snapshot, lambda _: None)

    async def ask(self, target: str, *, path: str = "/health", timeout_s: float = 5.0) -> Answer | Failure:
        return await self.probing("shop", target, path, timeout_s)


def shop(*urls: str, **keys: Any) -> dict[str, Any]:
    return {"name": "shop", "targets": [{"url": url} for url in urls], "health": CHECKS, **keys}


@asynccontextmanager
async def bench(*urls: str, **keys: Any) -> AsyncIterator[Bench]:
    made = Bench(shop(*urls, **keys))
    yield made
    await made.probing.aclose()
    await made.upstreams.aclose()


async def test_a_check_is_a_get_with_the_targets_host() -> None:
    """The target's own path comes first; nothing about any caller is in it."""
    seen = []

    async def script(peer: Peer) -> None:
        seen.append(await peer.request())
        await peer.send(response(b"well", status="203 Fine"))

    async with ScriptedUpstream(script) as upstream, bench(f"{upstream.url}/base") as made:
        answer = await made.ask(f"{upstream.url}/base", path="/health?deep=1&name=é x")

    assert isinstance(answer, Answer)
    assert (answer.status, answer.body) == (203, b"well")
    assert 0.0 < answer.latency_s < 5.0
    assert (seen[0].method, seen[0].target) == ("GET", b"/base/health?deep=1&name=%C3%A9%20x")
    assert seen[0].values("host") == [upstream.url.removeprefix("http://").encode()]
    assert seen[0].values("user-agent") == [b"torana-health"]


async def test_tls_is_the_services_own() -> None:
    """Its authority and its name; another authority's certificate is a failure."""
    certificates = Certificates()
    tls = {"ca": certificates.ca, "sni": "inner.test"}
    async with ScriptedUpstream(
        answering(response(b"ok")), tls=certificates.server_context("inner.test")
    ) as upstream:
        async with bench(upstream.url, protocol="https", tls=tls) as made:
            assert isinstance(await made.ask(upstream.url), Answer)
        async with bench(upstream.url, protocol="https", tls=tls | {"ca": Certificates().ca}) as made:
            answer = await made.ask(upstream.url)
    assert isinstance(answer, Failure)
    assert answer.why.startswith("tls_error")


async def test_unix_sockets_and_http2_are_reached(tmp_path: Path) -> None:
    """As the service's protocol and its targets say."""
    async with (
        ScriptedUpstream(answering(response(b"unix")), path=tmp_path / "s.sock") as upstream,
        bench(upstream.url) as made,
    ):
        answer = await made.ask(upstream.url)
        assert isinstance(answer, Answer)
        assert answer.body == b"unix"
    async with Http2Upstream() as upstream, bench(upstream.url, protocol="h2c") as made:
        for _ in range(2):
            answer = await made.ask(upstream.url)
            assert isinstance(answer, Answer)
            assert (answer.status, answer.body) == (200, b"hello")
        assert len(upstream.links) == 1


async def test_a_redirect_is_not_followed() -> None:
    """It is an answer like any other."""
    moved = response(status="302 Found", headers=[("Location", "/elsewhere")])
    async with ScriptedUpstream(answering(moved, response())) as upstream, bench(upstream.url) as made:
        answer = await made.ask(upstream.url)
        assert isinstance(answer, Answer)
        assert answer.status == 302
        assert upstream.accepted == 1


async def test_of_a_long_body_the_beginning_is_read() -> None:
    """Then its connection is closed."""
    long = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 40
    )

    async def endless(peer: Peer) -> None:
        await peer.request()
        await peer.send(long)
        await peer.until_closed()

    async with ScriptedUpstream(endless) as upstream, bench(upstream.url) as made:
        answer = await made.ask(upstream.url)
        assert isinstance(answer, Answer)
        assert answer.body == b"x" * MOST_BODY
        await upstream.until_open(0)


async def test_each_check_has_a_connection_of_its_own() -> None:
    """It is closed afterwards, and nothing is kept of the target."""
    async with ScriptedUpstream(answering(response(b"ok"))) as upstream, bench(upstream.url) as made:
        for number in (1, 2, 3):
            assert isinstance(await made.ask(upstream.url), Answer)
            await upstream.until_open(0)
            assert upstream.accepted == number
        transport = made.probing._known["shop"].transport
        await until(lambda: not transport.stats())


async def test_every_failure_says_what_it_was() -> None:
    """And comes in time."""

    async def silent(peer: Peer) -> None:
        await peer.until_closed()

    async def broken(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        peer.close()

    refused = f"http://127.0.0.1:{keep_port()}"
    async with (
        ScriptedUpstream(silent) as hangs,
        ScriptedUpstream(broken) as breaks,
        bench(refused, hangs.url, breaks.url) as made,
    ):
        whys = []
        for url in (refused, hangs.url, breaks.url):
            answer = await made.ask(url, timeout_s=0.2)
            assert isinstance(answer, Failure)
            whys.append(answer.why.partition(":")[0])
        assert whys == ["connect_refused", "total_timeout", "body_broken"]
        await hangs.until_open(0)


async def test_a_service_whose_connections_are_taken_is_not_ill() -> None:
    """Checks have connections of their own."""
    held = asyncio.Event()

    async def script(peer: Peer) -> None:
        request = await peer.request()
        if request.target == b"/held":
            held.set()
            await peer.until_closed()
        await peer.send(response(b"ok"))

    async with ScriptedUpstream(script) as upstream, bench(upstream.url, max_connections=1) as made:
        runtime = made.services["shop"].runtime
        busy = asyncio.ensure_future(fetch(runtime.transport, upstream.url, target=b"/held"))
        await held.wait()
        assert isinstance(await made.ask(upstream.url), Answer)
        busy.cancel()
        await asyncio.gather(busy, return_exceptions=True)


async def test_sessions_of_tls_stay_as_long_as_their_targets() -> None:
    """One for each target, resumed by its checks; those of targets that go are forgotten."""
    resumed: list[bool] = []

    async def script(peer: Peer) -> None:
        resumed.append(peer.writer.get_extra_info("ssl_object").session_reused)
        await peer.request()
        await peer.send(response(b"ok"))
        await peer.until_closed()

    certificates = Certificates()
    tls = certificates.server_context("inner.test")
    keys = {"protocol": "https", "tls": {"ca": certificates.ca, "sni": "inner.test"}}
    async with (
        ScriptedUpstream(script, tls=tls) as stays,
        ScriptedUpstream(script, tls=tls) as goes,
        bench(stays.url, goes.url, **keys) as made,
    ):
        for url in (stays.url, goes.url) * 2:
            assert isinstance(await made.ask(url), Answer)
        assert resumed == [False, False, True, True]
        sessions = made.probing._known["shop"].sessions
        made.publish(shop(stays.url, **keys))
        assert made.probing.reconcile() == []
        assert len(sessions) == 1
        assert isinstance(await made.ask(stays.url), Answer)
        assert resumed[4:] == [True]


async def test_what_is_not_configured_is_not_asked() -> None:
    """Neither another service nor another target."""
    async with ScriptedUpstream(answering(response(b"ok"))) as upstream, bench(upstream.url) as made:
        assert isinstance(await made.ask("http://127.0.0.1:1"), Failure)
        assert isinstance(await made.probing("store", upstream.url, "/", 1.0), Failure)
        assert upstream.accepted == 0


async def test_a_change_of_targets_changes_who_can_be_asked() -> None:
    """Other settings of connections, or no checks any more, hand the transport out for closing."""
    async with (
        ScriptedUpstream(answering(response(b"ok"))) as stays,
        ScriptedUpstream(answering(response(b"ok"))) as goes,
        bench(stays.url, goes.url) as made,
    ):
        assert made.probing.reconcile() == []
        assert isinstance(await made.ask(goes.url), Answer)
        first = made.probing._known["shop"].transport
        made.publish(shop(stays.url))
        assert made.probing.reconcile() == []
        assert isinstance(await made.ask(goes.url), Failure)
        made.publish(shop(stays.url, goes.url, timeout={"total": "9s"}))
        assert isinstance(await made.ask(goes.url), Answer)
        made.publish(shop(stays.url, tls={"verify": False}))
        assert isinstance(await made.ask(stays.url), Answer)
        assert made.probing.reconcile() == [first]
        assert made.probing.reconcile() == []
        assert isinstance(await made.ask(stays.url), Answer)
        second = made.probing._known["shop"].transport
        made.publish(shop(stays.url, health=None))
        assert made.probing.reconcile() == [second]
        made.publish()
        assert made.probing.reconcile() == []


async def test_the_prober_watches_what_has_checks() -> None:
    """With the policy, the targets and the state that pools go by."""
    made = Bench(shop("http://127.0.0.1:1", "http://127.0.0.1:2"), {"name": "store", "targets": [
        {"url": "http://127.0.0.1:3"}]})  # fmt: skip
    (watched,) = made.probing.watched().values()

    assert watched.policy.path == "/health?deep=1"
    assert watched.targets == ("http://127.0.0.1:1", "http://127.0.0.1:2")
    assert watched.state is made.services["shop"].runtime.state
    assert watched.state.targets.keys() == set(watched.targets)


async def test_checks_reach_the_pool() -> None:
    """A target that falls ill takes no requests, and does again when it is well."""
    well = asyncio.Event()
    well.set()

    async def script(stream: Stream) -> None:
        stream.head(200 if well.is_set() else 500, end=True)

    async with Http2Upstream(script) as upstream:
        checks = CHECKS | {"interval": "50ms", "unhealthy_after": 1}
        async with bench(upstream.url, protocol="h2c", health=checks) as made:
            leader = Leader(Alone(), holder="me", rng=Random(1))
            await leader.start()
            prober = Prober(made.probing, node="me", leader=leader, rng=Random(1))
            changes: asyncio.Queue[bool | None] = asyncio.Queue()
            prober.on_verdict(
                lambda verdict, changed: changes.put_nowait(verdict.standing.healthy) if changed else None
            )
            prober.start()
            prober.watch(made.probing.watched())
            pool = made.services["shop"].runtime.pool
            for healthy, picked in ((True, 0), (False, None), (True, 0)):
                assert await changes.get() is healthy
                assert pool.pick(time.monotonic(), ()) == picked
                well.clear() if healthy else well.set()
            await prober.stop()
            await leader.stop()


async def test_a_thousand_targets_cost_less_than_a_twentieth_of_a_core() -> None:
    """At the usual interval, with a new connection for each check, as it is when half a minute lies between two."""
    number, a_second = 200, 1000 / 30

    async def once(peer: Peer) -> None:
        await peer.request()
        await peer.send(response(b"ok", headers=[("Connection", "close")]))
        peer.close()

    async with ScriptedUpstream(once) as upstream, bench(upstream.url) as made:
        costs = []
        for _ in range(number):
            began = time.process_time()
            assert isinstance(await made.ask(upstream.url), Answer)
            costs.append(time.process_time() - began)
        assert upstream.accepted == number
    # What the target itself takes is in it as well: it is in this process.
    assert sorted(costs)[number // 2] * a_second < 0.05
