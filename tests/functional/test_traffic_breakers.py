"""Breakers on real sockets, by counting what reaches the service: of Phoenix and of ISaaS, and whose fault counts."""

import asyncio
from typing import Any

import pytest

from resilience.policies import BreakerPolicy
from routing.traffic import TrafficDefaults
from tests.support.fetching import until
from tests.support.gateway import RawClient, document, leave, route
from tests.support.traffic import TrafficPlane, Upstream, counted, error, traffic
from tests.support.upstreams import Peer, ScriptedUpstream

MonkeyPatch = pytest.MonkeyPatch
PHOENIX = {"failure_threshold": 5, "failure_window": "10s", "recovery_timeout": "60s"}
ISAAS = {
    "failure_threshold": 5, "failure_window": "120s", "recovery_timeout": "60s", "half_open_timeout": "30s",
    "min_throughput": 5,
}  # fmt: skip


def broken(upstream: Upstream, breaker: dict[str, Any] | None = PHOENIX, **more: Any) -> dict[str, Any]:
    service = {"targets": [{"url": upstream.url}], **more}
    if breaker is not None:
        service["breaker"] = breaker
    return document(route(service="s"), services={"s": service})


async def opened(plane: TrafficPlane, upstream: Upstream) -> None:
    """Makes it fail as often as is needed, and has it well from then on."""
    upstream.then(always=500)
    await plane.statuses(5)
    assert plane.breaker() == "open"
    upstream.then()


async def test_phoenix(monkeypatch: MonkeyPatch) -> None:
    """Five failures in ten seconds open it, four do not; open for 60 s; one success closes it."""
    async with Upstream(always=500) as upstream, traffic(broken(upstream), monkeypatch) as plane:
        four = await plane.statuses(4)
        plane.time.pass_s(11)
        four += await plane.statuses(4)
        still = plane.breaker()
        fifth = await plane.statuses(1)
        refused = await plane.statuses(10)
        asked = len(upstream.requests)
        plane.time.pass_s(59)
        early = await plane.ask()
        plane.time.pass_s(1)
        upstream.then()
        trial = await plane.statuses(1)
        closed = plane.breaker()
        after = await plane.statuses(20)
    assert (four, still, fifth) == ([500] * 8, "closed", [500])
    assert (refused, asked) == ([503] * 10, 9)
    assert early.status == 503
    assert (trial, closed, after) == ([200], "closed", [200] * 20)


async def test_isaas(monkeypatch: MonkeyPatch) -> None:
    """Five within two minutes, spread out; a trial that fails opens it for a minute more."""
    async with Upstream(always=503) as upstream, traffic(broken(upstream, ISAAS), monkeypatch) as plane:
        for _ in range(4):
            await plane.statuses(1)
            plane.time.pass_s(28)
        before = plane.breaker()
        await plane.statuses(1)  # 112 s after the first
        states = [before, plane.breaker()]
        plane.time.pass_s(60)
        trial = await plane.statuses(3)
        states.append(plane.breaker())
        plane.time.pass_s(59)
        still = await plane.statuses(1)
        plane.time.pass_s(1.5)
        upstream.then()
        after = await plane.statuses(3)
        states.append(plane.breaker())
        asked = len(upstream.requests)
    assert states == ["closed", "open", "open", "closed"]
    assert (trial, still, after) == ([503] * 3, [503], [200] * 3)
    assert asked == 5 + 1 + 3


async def test_isaas_trial_without_an_end_gives_its_place_back(monkeypatch: MonkeyPatch) -> None:
    """While one trial is under way others are refused; after 30 s another one may be made."""
    async with Upstream() as upstream, traffic(broken(upstream, ISAAS), monkeypatch) as plane:
        await opened(plane, upstream)
        plane.time.pass_s(60)
        upstream.holds = True
        hanging = asyncio.create_task(plane.ask())
        await upstream.until_asked(6)
        meanwhile = await plane.ask()
        plane.time.pass_s(30)
        second = asyncio.create_task(plane.ask())
        await upstream.until_asked(7)
        upstream.release.set()
        answers = [(await second).status, (await hanging).status]
        state = plane.breaker()
    assert (meanwhile.status, meanwhile.header("retry-after")) == (503, "1")
    assert (answers, state) == ([200, 200], "closed")


async def test_refusal_is_the_contracts(monkeypatch: MonkeyPatch) -> None:
    """CIRCUIT_OPEN says which service, and when to come again; nothing is sent and the connection goes on."""
    async with Upstream() as upstream, traffic(broken(upstream), monkeypatch) as plane:
        await opened(plane, upstream)
        plane.time.pass_s(20)
        async with RawClient(plane.port) as client:
            answer, again = await client.get("/"), await client.get("/", method="POST", body=b"hello")
        asked = len(upstream.requests)
    assert (answer.status, again.status, asked) == (503, 503, 5)
    assert answer.header("retry-after") == "40"
    assert error(answer) == {
        "code": "CIRCUIT_OPEN",
        "message": "The service has failed repeatedly and is left alone for a while.",
        "details": {"service": "s", "retry_after": 40},
    }


async def test_half_open_lets_through_as_many_as_it_says(monkeypatch: MonkeyPatch) -> None:
    """Three at a time, and three successes close it."""
    policy = {**PHOENIX, "half_open_requests": 3}
    async with Upstream() as upstream, traffic(broken(upstream, policy), monkeypatch) as plane:
        await opened(plane, upstream)
        plane.time.pass_s(60)
        upstream.holds = True
        trials = [asyncio.create_task(plane.ask()) for _ in range(3)]
        await upstream.until_asked(8)
        others = [(await plane.ask()).status for _ in range(5)]
        half = plane.breaker()
        upstream.release.set()
        statuses = [(await trial).status for trial in trials]
        state, asked = plane.breaker(), len(upstream.requests)
    assert (others, half, statuses, state, asked) == ([503] * 5, "half_open", [200] * 3, "closed", 8)


async def test_few_requests_never_open_it(monkeypatch: MonkeyPatch) -> None:
    """Below `min_throughput` in the window, however many of them fail."""
    policy = {**PHOENIX, "failure_threshold": 3, "min_throughput": 10}
    async with Upstream(always=500) as upstream, traffic(broken(upstream, policy), monkeypatch) as plane:
        await plane.statuses(9)
        before = plane.breaker()
        await plane.statuses(1)
        after = plane.breaker()
    assert (before, after) == ("closed", "open")


FAULTS = [
    pytest.param([0] * 5, 502, id="reset"),
    pytest.param([500, 502, 503, 504, 599], None, id="5xx"),
]


@pytest.mark.parametrize(("statuses", "told"), FAULTS)
async def test_what_counts(statuses: list[int], told: int | None, monkeypatch: MonkeyPatch) -> None:
    """Connections that break and every status from 500 on."""
    async with Upstream(*statuses) as upstream, traffic(broken(upstream), monkeypatch) as plane:
        found = await plane.statuses(5)
        state = plane.breaker()
    assert (found, state) == ([told] * 5 if told else statuses, "open")


async def test_refused_connections_and_timeouts_count(monkeypatch: MonkeyPatch) -> None:
    """Nobody listens; or nobody answers in the service's own time."""
    async with Upstream() as upstream:
        raw = broken(upstream, timeout={"total": "50ms"})
        async with traffic(raw, monkeypatch) as plane:
            upstream.holds = True
            silent = await plane.statuses(5)
            states = [plane.breaker()]
        await upstream.stop()
        async with traffic(raw, monkeypatch) as plane:
            gone = await plane.statuses(5)
            states.append(plane.breaker())
    assert (silent, gone, states) == ([504] * 5, [502] * 5, ["open", "open"])


async def test_what_does_not_count(monkeypatch: MonkeyPatch) -> None:
    """A client's errors that the service answers, bodies that are too large, and other times than the service's own."""
    async with Upstream(*[404, 401, 429, 400, 409] * 4) as upstream:
        raw = broken(upstream)
        raw["routes"][0]["limits"] = {"max_body": "1KB"}
        async with traffic(raw, monkeypatch) as plane:
            answered = await plane.statuses(20)
            large = [(await plane.ask(method="POST", body=bytes(2000))).status for _ in range(10)]
            upstream.holds = True
            hurried = [(await plane.ask("/", "X-Request-Timeout-Ms: 30")) for _ in range(10)]
            state = plane.breaker()
    assert counted(answered) == {404: 4, 401: 4, 429: 4, 400: 4, 409: 4}
    assert large == [413] * 10
    assert {(answer.status, error(answer)["details"]["reason"]) for answer in hurried} == {(504, "no_time")}
    assert state == "closed"


async def test_clients_that_leave_never_count(monkeypatch: MonkeyPatch) -> None:
    """Not before the answer and not within it; a trial whose client leaves gives its place back at once."""
    async with Upstream() as upstream, traffic(broken(upstream), monkeypatch) as plane:
        upstream.holds = True
        for number in range(1, 11):
            async with RawClient(plane.port) as client:
                await client.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                await upstream.until_asked(number)
                leave(client)
            await plane.until_finished(number)
        closed = plane.breaker()
        upstream.holds = False
        await opened(plane, upstream)
        plane.time.pass_s(60)
        upstream.holds = True
        async with RawClient(plane.port) as client:
            await client.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            await upstream.until_asked(16)
            half = plane.breaker()
            leave(client)
        await plane.until_finished(16)
        upstream.release.set()
        trial = await plane.statuses(1)
        state = plane.breaker()
    assert (closed, half, trial, state) == ("closed", "half_open", [200], "closed")


async def test_body_that_is_too_large_is_no_trial(monkeypatch: MonkeyPatch) -> None:
    """It never reaches the service, so it says nothing of it, and the next request is the trial."""
    async with Upstream() as upstream:
        raw = broken(upstream)
        raw["routes"][0]["limits"] = {"max_body": "1KB"}
        async with traffic(raw, monkeypatch) as plane:
            await opened(plane, upstream)
            plane.time.pass_s(60)
            large = await plane.ask(method="POST", body=bytes(2000))
            between = plane.breaker()
            trial = await plane.statuses(1)
            state = plane.breaker()
    assert (large.status, between, trial, state) == (413, "half_open", [200], "closed")


async def test_retries_count_once_by_their_end(monkeypatch: MonkeyPatch) -> None:
    """Failures that end in success are none; a request that fails twice is one failure."""
    retries = {"attempts": 1, "backoff": "1ms", "budget": 1.0}
    script = [503, 200] * 5
    async with (
        Upstream(*script, always=503) as upstream,
        traffic(broken(upstream, retries=retries), monkeypatch) as plane,
    ):
        good = await plane.statuses(5)
        state = plane.breaker()
        plane.time.pass_s(11)  # another budget
        bad = await plane.statuses(4)
        four = plane.breaker()
        bad += await plane.statuses(1)
        five = plane.breaker()
        asked = len(upstream.requests)
    assert (good, state) == ([200] * 5, "closed")
    assert (bad, four, five, asked) == ([503] * 5, "closed", "open", 20)


async def test_state_survives_a_publish(monkeypatch: MonkeyPatch) -> None:
    """Open stays open, counts stay counted; another policy holds at once; no section, no breaker."""
    async with Upstream() as upstream, traffic(broken(upstream), monkeypatch) as plane:
        upstream.then(always=500)
        await plane.statuses(4)
        plane.publish(broken(upstream, {**PHOENIX, "recovery_timeout": "30s"}))
        await plane.statuses(1)
        states = [plane.breaker()]
        plane.publish(broken(upstream, {**PHOENIX, "recovery_timeout": "20s"}))
        states.append(plane.breaker())
        plane.time.pass_s(20)
        upstream.then()
        await plane.statuses(1)
        states.append(plane.breaker())
        plane.publish(broken(upstream, None))
        none = plane.service().breaker
    assert states == ["open", "open", "closed"]
    assert none is None


async def test_settings_may_ask_for_breakers_everywhere(monkeypatch: MonkeyPatch) -> None:
    """Without a section there is none; with CIRCUIT_BREAKER_… given there is; `enabled: false` wins; off is off."""
    everywhere = TrafficDefaults(breaker=BreakerPolicy(failure_threshold=7), breaks_everywhere=True)
    cases: list[tuple[TrafficDefaults, dict[str, Any] | None, int]] = [
        (TrafficDefaults(), None, 20),
        (everywhere, None, 7),
        (everywhere, {}, 7),
        (everywhere, {"failure_threshold": 6}, 6),
        (everywhere, {"enabled": False}, 20),
        (TrafficDefaults(breaks=False), PHOENIX, 20),
    ]
    for defaults, breaker, reached in cases:
        async with (
            Upstream(always=500) as upstream,
            traffic(broken(upstream, breaker), monkeypatch, defaults=defaults) as plane,
        ):
            await plane.statuses(20)
        assert len(upstream.requests) == reached, (defaults, breaker)


async def test_answers_that_break_off_count(monkeypatch: MonkeyPatch) -> None:
    """After the head as well: the client's connection is cut, and the fifth time opens it."""

    async def half(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel")
        peer.reset()

    async with ScriptedUpstream(half) as upstream:
        service = {"targets": [{"url": upstream.url}], "breaker": PHOENIX}
        raw = document(route(service="s"), services={"s": service})
        async with traffic(raw, monkeypatch) as plane:
            for _ in range(5):
                async with RawClient(plane.port) as client:
                    await client.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                    assert (await client.head()).status == 200
            await until(lambda: plane.breaker() == "open")
