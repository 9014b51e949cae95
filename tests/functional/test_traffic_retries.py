"""Retries on real sockets: what is sent again, where, how often, and what never is."""

import asyncio
import time
from contextlib import AsyncExitStack
from time import monotonic
from typing import Any

import pytest

from tests.functional.test_proxying_faults import dead_port
from tests.support.gateway import RawClient, document, route
from tests.support.http2upstream import Http2Upstream, Stream
from tests.support.stopwatch import Stopwatch
from tests.support.traffic import Upstream, counted, error, traffic

MonkeyPatch = pytest.MonkeyPatch
RETRIES = {"attempts": 2, "backoff": "1ms", "budget": 1.0}


def retried(*urls: str, retries: dict[str, Any] | None = RETRIES, **more: Any) -> dict[str, Any]:
    service = {"targets": [{"url": url} for url in urls], **more}
    if retries is not None:
        service["retries"] = retries
    return document(route(service="s"), services={"s": service})


def told(upstream: Upstream) -> list[list[bytes]]:
    """The X-Retry-Count of each request that it got."""
    return [request.values("x-retry-count") for request in upstream.requests]


@pytest.mark.parametrize("first", [502, 503, 504, 0])
async def test_other_target_gets_the_retry(first: int, monkeypatch: MonkeyPatch) -> None:
    """After a listed status or a reset; it is told that it is the second attempt, and the caller sees one answer."""
    async with (
        Upstream(always=first, name="bad") as bad,
        Upstream(name="good") as good,
        traffic(retried(bad.url, good.url), monkeypatch) as plane,
    ):
        answers = [await plane.ask() for _ in range(10)]
    assert counted((answer.status, answer.body) for answer in answers) == {(200, b"good"): 10}
    assert told(bad) == [[]] * len(bad.requests)
    assert len(bad.requests) == 5
    assert counted(tuple(values) for values in told(good)) == {(): 5, (b"1",): 5}


async def test_target_that_nobody_listens_at(monkeypatch: MonkeyPatch) -> None:
    """Nothing was sent, so even a POST goes to the other one, without a retries section as well."""
    dead = f"http://127.0.0.1:{dead_port()}"
    async with Upstream() as good:
        for retries in (None, RETRIES):
            async with traffic(retried(dead, good.url, retries=retries), monkeypatch) as plane:
                statuses = [(await plane.ask(method="POST", body=b"order")).status for _ in range(10)]
            assert statuses == [200] * 10
    assert [request.body for request in good.requests] == [b"order"] * 20


async def test_service_with_one_target_is_asked_again(monkeypatch: MonkeyPatch) -> None:
    """There is no other target; twice at most, then the upstream's own answer is passed on."""
    async with (
        Upstream(503, 503, 200, 502, 200) as upstream,
        traffic(retried(upstream.url), monkeypatch) as plane,
    ):
        good = await plane.statuses(2)
        plane.time.pass_s(11)  # another budget
        upstream.then(503, 503, 503)
        bad = await plane.ask()
    assert (good, bad.status) == ([200, 200], 503)
    assert told(upstream) == [[], [b"1"], [b"2"], [], [b"1"], [], [b"1"], [b"2"]]


async def test_all_targets_before_any_twice(monkeypatch: MonkeyPatch) -> None:
    """Three attempts of one request reach three targets."""
    async with AsyncExitStack() as stack:
        upstreams = [await stack.enter_async_context(Upstream(always=503)) for _ in range(3)]
        async with traffic(retried(*(upstream.url for upstream in upstreams)), monkeypatch) as plane:
            status = (await plane.ask()).status
    assert status == 503
    assert [len(upstream.requests) for upstream in upstreams] == [1, 1, 1]


async def test_only_what_is_listed(monkeypatch: MonkeyPatch) -> None:
    """Other statuses and causes are passed on at once."""
    listed = {**RETRIES, "on": ["connect", 503]}
    async with (
        Upstream(0, 500, 502, 504, 503) as upstream,
        traffic(retried(upstream.url, retries=listed), monkeypatch) as plane,
    ):
        statuses = [(await plane.ask()).status for _ in range(5)]
    assert statuses == [502, 500, 502, 504, 200]
    assert len(upstream.requests) == 6


@pytest.mark.parametrize("failure", [503, 0])
async def test_post_is_never_sent_twice(failure: int, monkeypatch: MonkeyPatch) -> None:
    """It may have arrived."""
    async with (
        Upstream(always=failure) as one,
        Upstream(always=failure) as other,
        traffic(retried(one.url, other.url), monkeypatch) as plane,
    ):
        for method in ("POST", "PATCH"):
            answer = await plane.ask(method=method, body=b"order")
            assert answer.status == (failure or 502)
    assert len(one.requests) + len(other.requests) == 2


async def test_post_with_a_key_or_on_the_list_is(monkeypatch: MonkeyPatch) -> None:
    """The service knows repetitions, or the operator says that it does; the body comes whole each time."""
    by_list = {**RETRIES, "methods": ["POST"]}
    async with Upstream(503, 0, 200) as upstream:
        async with traffic(retried(upstream.url), monkeypatch) as plane:
            keyed = await plane.ask("/", "Idempotency-Key: 7", method="POST", body=b"order")
        upstream.then(503, 503, 200)
        async with traffic(retried(upstream.url, retries=by_list), monkeypatch) as plane:
            listed = await plane.ask(method="POST", body=b"order")
            upstream.then(503)
            not_listed = await plane.ask()
    assert (keyed.status, listed.status, not_listed.status) == (200, 200, 503)
    assert [request.body for request in upstream.requests] == [b"order"] * 6 + [b""]
    assert [request.values("idempotency-key") for request in upstream.requests[:3]] == [[b"7"]] * 3


async def test_body_is_replayed_only_whole(monkeypatch: MonkeyPatch) -> None:
    """A PUT that is there as a whole is sent again, byte for byte; one that is still arriving is not."""
    async with Upstream(503, 200) as upstream, traffic(retried(upstream.url), monkeypatch) as plane:
        body = bytes(range(256)) * 40
        whole = await plane.ask(method="PUT", body=body)
        upstream.then(503, 200)
        async with RawClient(plane.port) as client:
            await client.send(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n" + bytes(1000))
            await asyncio.sleep(0.05)
            await client.send(bytes(199_000))
            streamed = await client.answer()
    assert (whole.status, streamed.status) == (200, 503)
    assert [request.body for request in upstream.requests[:2]] == [body, body]
    assert len(upstream.requests) == 3


async def test_budget_bounds_what_retries_add(monkeypatch: MonkeyPatch) -> None:
    """Of a hundred requests that all fail, a fifth is tried again, not all of them twice; ten seconds later anew."""
    policy = {**RETRIES, "budget": 0.2}
    async with (
        Upstream(always=503) as upstream,
        traffic(retried(upstream.url, retries=policy), monkeypatch) as plane,
    ):
        await plane.statuses(100)
        first = len(upstream.requests)
        plane.time.pass_s(11)
        await plane.statuses(100)
        second = len(upstream.requests) - first
        plane.time.pass_s(11)
        await plane.statuses(4)
        quiet = len(upstream.requests) - first - second
    assert (first, second) == (120, 120)
    assert quiet == 4 + 3  # a quiet service may always have three


async def test_no_budget_no_retry(monkeypatch: MonkeyPatch) -> None:
    """What was never sent is no load: it goes on to other targets whatever the budget."""
    policy = {**RETRIES, "attempts": 1, "budget": 0.0}
    dead = f"http://127.0.0.1:{dead_port()}"
    async with (
        Upstream() as upstream,
        traffic(retried(dead, upstream.url, retries=policy), monkeypatch) as plane,
    ):
        statuses = await plane.statuses(20)
    assert statuses == [200] * 20


async def test_retries_stay_within_the_time(monkeypatch: MonkeyPatch, stopwatch: Stopwatch) -> None:
    """Of the route, or less if the client has less patience; each attempt is told what is left of it."""
    policy = {"attempts": 10, "backoff": "60ms", "budget": 1.0}
    async with Upstream(always=503) as upstream:
        raw = retried(upstream.url, retries=policy, timeout={"total": "5s"})
        async with traffic(raw, monkeypatch) as plane:
            began = time.time()
            answer = await plane.ask("/", "X-Request-Timeout-Ms: 300")
            took_s = stopwatch.since(began)
    left = [int(request.values("x-request-timeout-ms")[0]) for request in upstream.requests]
    assert answer.status in (503, 504)
    assert took_s < 0.6
    assert left == sorted(left, reverse=True)
    assert all(0 < ms <= 300 for ms in left)


async def test_retry_after_of_the_upstream_is_kept(monkeypatch: MonkeyPatch) -> None:
    """Who asks for a second gets it; who asks for more than there is time is not asked again."""
    policy = {**RETRIES, "attempts": 1}
    async with Upstream(503, 200, headers=(("Retry-After", "1"),)) as upstream:
        raw = retried(upstream.url, retries=policy, timeout={"total": "3s"})
        async with traffic(raw, monkeypatch) as plane:
            began = monotonic()
            waited = await plane.ask()
            took_s = monotonic() - began
            upstream.then(503)
            hurried = await plane.ask("/", "X-Request-Timeout-Ms: 900")
    assert (waited.status, hurried.status) == (200, 503)
    assert took_s >= 1.0
    assert len(upstream.requests) == 3


async def test_discarded_answers_hold_nothing(monkeypatch: MonkeyPatch) -> None:
    """After fifty retries no place and no connection is held by an answer that nobody wanted."""
    async with Upstream(*[503, 200] * 50, name="x" * 3000) as upstream:
        raw = retried(upstream.url, max_connections=2)
        async with traffic(raw, monkeypatch) as plane:
            statuses = [(await plane.ask()).status for _ in range(50)]
            runtime = plane.service()
            held = [state.in_flight for state in runtime.pool.states]
            connections = list(runtime.transport.stats().values())
            service = runtime.state.in_flight
            assert upstream.open <= 2
            assert upstream.accepted == 1
    assert statuses == [200] * 50
    assert (held, service) == ([0], 0)
    assert [(each.open - each.idle) for each in connections] == [0]


async def test_retry_survives_a_publish(monkeypatch: MonkeyPatch) -> None:
    """A request ends with the policy that it began with; the budget goes on counting."""
    policy = {**RETRIES, "budget": 0.2}
    async with Upstream(always=503) as upstream:
        raw = retried(upstream.url, retries=policy)
        async with traffic(raw, monkeypatch) as plane:
            await plane.statuses(50)
            plane.publish(raw)
            await plane.statuses(50)
            first = len(upstream.requests)
            upstream.holds = True
            asked = asyncio.create_task(plane.ask())
            await upstream.until_asked(first + 1)
            plane.publish(retried(upstream.url, retries=None))
            upstream.then(200)
            upstream.release.set()
            under_way = (await asked).status
    assert first == 120
    assert under_way == 200


async def test_all_targets_fail(monkeypatch: MonkeyPatch) -> None:
    """The last failure is what the caller hears, with the service's name."""
    urls = [f"http://127.0.0.1:{dead_port()}" for _ in range(2)]
    async with traffic(retried(*urls), monkeypatch) as plane:
        answer = await plane.ask()
        finished = await plane.until_finished(1)
    assert (answer.status, error(answer)["details"]) == (502, {"service": "s", "reason": "connect_refused"})
    assert finished[0].attempts == 3


async def test_http2(monkeypatch: MonkeyPatch) -> None:
    """The same over HTTP/2: the body comes whole each time, and one connection serves all attempts."""
    streams: list[Stream] = []

    async def moody(stream: Stream) -> None:
        streams.append(stream)
        await stream.complete.wait()
        if len(streams) % 2:
            stream.head(503)
            stream.data(b"x" * 1000, end=True)
        else:
            stream.head(200, end=True)

    async with Http2Upstream(moody) as upstream:
        raw = retried(upstream.url, protocol="h2c")
        async with traffic(raw, monkeypatch) as plane:
            statuses = [(await plane.ask(method="PUT", body=b"order")).status for _ in range(5)]
            held = [state.in_flight for state in plane.service().pool.states]
    assert statuses == [200] * 5
    assert [bytes(stream.body) for stream in streams] == [b"order"] * 10
    assert (held, len(upstream.links)) == ([0], 1)


async def test_http2_window_survives_discarded_answers(monkeypatch: MonkeyPatch) -> None:
    """Bodies that nobody wants are read off: many of them do not use up the window that all streams share."""
    streams: list[Stream] = []

    async def moody(stream: Stream) -> None:
        streams.append(stream)
        await stream.complete.wait()
        stream.head(503 if len(streams) % 2 else 200)
        for number in range(4):
            stream.data(bytes(15_000), end=number == 3)

    async with Http2Upstream(moody) as upstream:
        raw = retried(upstream.url, protocol="h2c")
        async with traffic(raw, monkeypatch) as plane:
            statuses = []
            for _ in range(100):
                statuses += await plane.statuses(2)
                plane.time.pass_s(11)  # another budget
    assert statuses == [200] * 200
    assert len(streams) * 60_000 > 1 << 24
    assert len(upstream.links) == 1
