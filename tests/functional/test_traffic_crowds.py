"""Requests at a time, time that is left, and faults on purpose, on real sockets."""

import asyncio
import time
from time import monotonic
from typing import Any

import pytest

from routing.traffic import TrafficDefaults
from tests.support.fetching import until
from tests.support.gateway import Answer, RawClient, document, leave, route
from tests.support.stopwatch import Stopwatch
from tests.support.traffic import TrafficPlane, Upstream, counted, error, traffic

MonkeyPatch = pytest.MonkeyPatch
FIXED = {"status": 200, "body": "x"}


def crowded(upstream: Upstream, *, service: dict[str, Any] | None = None, **keys: Any) -> dict[str, Any]:
    services = {"s": {"targets": [{"url": upstream.url}], **(service or {})}}
    return document(route(service="s", **keys), services=services)


async def together(plane: TrafficPlane, upstream: Upstream, count: int, inside: int) -> list[Answer]:
    """So many requests at once, of which `inside` reach the service; it answers when all others were refused."""
    upstream.holds, before = True, len(plane.finished)
    asked = [asyncio.create_task(plane.ask()) for _ in range(count)]
    await upstream.until_asked(inside)
    await plane.until_finished(before + count - inside)
    upstream.holds = False
    upstream.release.set()
    return list(await asyncio.gather(*asked))


@pytest.mark.parametrize("whose", ["route", "service"])
async def test_so_many_at_a_time(whose: str, monkeypatch: MonkeyPatch) -> None:
    """Four of ten are inside, six hear OVERLOADED at once; afterwards all places are free."""
    async with Upstream() as upstream:
        own = {"limits": {"max_concurrency": 4}} if whose == "route" else {"service": {"max_concurrency": 4}}
        async with traffic(crowded(upstream, **own), monkeypatch) as plane:
            answers = await together(plane, upstream, 10, 4)
            later = await plane.statuses(10)
    refused = [answer for answer in answers if answer.status == 503]
    assert counted(answer.status for answer in answers) == {200: 4, 503: 6}
    assert {answer.header("retry-after") for answer in refused} == {"1"}
    assert {str(error(answer)) for answer in refused} == {
        str(
            {
                "code": "OVERLOADED",
                "message": "There are too many requests at a time.",
                "details": {whose: whose[0], "reason": "max_concurrency", "retry_after": 1},
            }
        )
    }
    assert later == [200] * 10
    assert len(upstream.requests) == 14


async def test_queue(monkeypatch: MonkeyPatch) -> None:
    """Two inside, three wait and come in turn, the others are refused; who leaves the queue leaves no gap."""
    async with Upstream() as upstream:
        raw = crowded(upstream, limits={"max_concurrency": 2, "queue": 3})
        async with traffic(raw, monkeypatch) as plane:
            limit = plane.doors.crowds.get("r", None)  # type: ignore[arg-type]
            upstream.holds = True
            asked = [asyncio.create_task(plane.ask()) for _ in range(4)]
            await upstream.until_asked(2)
            async with RawClient(plane.port) as client:
                await client.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                await until(lambda: limit.waiting == 3)
                full = await plane.ask()
                leave(client)
            await plane.until_finished(2)
            asked.append(asyncio.create_task(plane.ask()))
            upstream.release.set()
            statuses = [answer.status for answer in await asyncio.gather(*asked)]
            left = (limit.in_flight, limit.waiting)
    assert full.status == 503
    assert statuses == [200] * 5
    assert left == (0, 0)


async def test_log_mode_only_counts(monkeypatch: MonkeyPatch) -> None:
    """All pass; how many would not have is known."""
    async with Upstream() as upstream:
        raw = crowded(upstream, limits={"max_concurrency": 2, "mode": "log"})
        async with traffic(raw, monkeypatch) as plane:
            answers = await together(plane, upstream, 6, 6)
            found = dict(plane.doors.crowds.items())["r"].would_refuse
    assert counted(answer.status for answer in answers) == {200: 6}
    assert found == 4


async def test_places_survive_a_publish(monkeypatch: MonkeyPatch) -> None:
    """Who is inside counts for the next revision as well."""
    async with Upstream() as upstream:
        raw = crowded(upstream, limits={"max_concurrency": 2})
        async with traffic(raw, monkeypatch) as plane:
            upstream.holds = True
            inside = [asyncio.create_task(plane.ask()) for _ in range(2)]
            await upstream.until_asked(2)
            plane.publish(crowded(upstream, limits={"max_concurrency": 3}))
            inside.append(asyncio.create_task(plane.ask()))
            await upstream.until_asked(3)
            fourth = await plane.ask()
            upstream.release.set()
            statuses = [answer.status for answer in await asyncio.gather(*inside)]
    assert (fourth.status, statuses) == (503, [200] * 3)


async def test_overload_is_no_failure_of_the_service(monkeypatch: MonkeyPatch) -> None:
    """The breaker counts what the service did, not whom the gateway turned away."""
    async with Upstream() as upstream:
        raw = crowded(upstream, service={"max_concurrency": 1, "breaker": {"failure_threshold": 2}})
        async with traffic(raw, monkeypatch) as plane:
            await together(plane, upstream, 20, 1)
            state = plane.breaker()
    assert state == "closed"


async def test_time_that_is_left_is_passed_on(monkeypatch: MonkeyPatch) -> None:
    """The route's own, or the client's if that is less; nonsense is ignored, and nobody can have more."""
    async with Upstream() as upstream:
        raw = crowded(upstream, service={"timeout": {"total": "20s"}}, timeout="8s")
        async with traffic(raw, monkeypatch) as plane:
            for claimed in ("", "4000", "60000", "soon", "-1", "0", "1e3"):
                fields = [f"X-Request-Timeout-Ms: {claimed}"] if claimed else []
                assert (await plane.ask("/", *fields)).status == 200
    told = [int(request.values("x-request-timeout-ms")[0]) for request in upstream.requests]
    assert 1000 < told[1] <= 4000
    assert all(5000 < ms <= 8000 for ms in (*told[:1], *told[2:]))
    assert all(len(request.values("x-request-timeout-ms")) == 1 for request in upstream.requests)


async def test_time_of_the_client_ends_the_request(monkeypatch: MonkeyPatch, stopwatch: Stopwatch) -> None:
    """504 when it is over, however long the service has."""
    async with Upstream() as upstream, traffic(crowded(upstream), monkeypatch) as plane:
        upstream.holds = True
        began = time.time()
        answer = await plane.ask("/", "X-Request-Timeout-Ms: 100")
        took_s = time.time() - began
        quiet_s = stopwatch.since(began)
    assert (answer.status, error(answer)["code"]) == (504, "UPSTREAM_TIMEOUT")
    assert error(answer)["details"] == {"service": "s", "reason": "no_time"}
    assert took_s >= 0.1
    assert quiet_s < 1.0


async def test_abort(monkeypatch: MonkeyPatch) -> None:
    """Its share of the requests hears the status and never reaches the service; the breaker counts none of them."""
    fault = {"abort": 503, "percent": 30, "until": "2099-01-01"}
    async with Upstream() as upstream:
        raw = crowded(
            upstream, service={"breaker": {"failure_threshold": 1, "min_throughput": 1}}, fault=fault
        )
        async with traffic(raw, monkeypatch) as plane:
            answers = [await plane.ask() for _ in range(200)]
            state = plane.breaker()
    found = counted(answer.status for answer in answers)
    refused = next(answer for answer in answers if answer.status == 503)
    assert set(found) == {200, 503}
    assert 40 <= found[503] <= 80
    assert len(upstream.requests) == found[200]
    assert error(refused)["details"] == {"reason": "fault"}
    assert state == "closed"


async def test_delay(monkeypatch: MonkeyPatch) -> None:
    """The request waits first and then goes on, with less time than it had."""
    async with Upstream() as upstream:
        raw = crowded(upstream, timeout="2s", fault={"until": "2099-01-01", "delay": "150ms"})
        async with traffic(raw, monkeypatch) as plane:
            began = monotonic()
            answer = await plane.ask()
            took_s = monotonic() - began
    assert answer.status == 200
    assert took_s >= 0.15
    assert int(upstream.requests[0].values("x-request-timeout-ms")[0]) <= 1850


async def test_delay_beyond_the_time_is_nobodys_failure(monkeypatch: MonkeyPatch) -> None:
    """The service is not asked any more, and its breaker does not hear of it."""
    async with Upstream() as upstream:
        service = {"breaker": {"failure_threshold": 1, "min_throughput": 1}}
        raw = crowded(
            upstream, service=service, timeout="50ms", fault={"until": "2099-01-01", "delay": "80ms"}
        )
        async with traffic(raw, monkeypatch) as plane:
            answers = [await plane.ask() for _ in range(3)]
            state = plane.breaker()
    assert [error(answer)["details"]["reason"] for answer in answers] == ["no_time"] * 3
    assert (len(upstream.requests), state) == (0, "closed")


@pytest.mark.parametrize(
    ("fault", "defaults", "status"),
    [
        ({"abort": 500, "until": "2020-01-01"}, TrafficDefaults(), 200),
        ({"abort": 500, "until": "2120-01-01"}, TrafficDefaults(), 500),
        ({"abort": 500, "until": "2120-01-01"}, TrafficDefaults(faults=False), 200),
        ({"abort": 500, "percent": 0, "until": "2120-01-01"}, TrafficDefaults(), 200),
        ({"abort": 418, "until": "2120-01-01"}, TrafficDefaults(), 418),
    ],
)
async def test_when_faults_act(
    fault: dict[str, Any], defaults: TrafficDefaults, status: int, monkeypatch: MonkeyPatch
) -> None:
    """Until their time is over, and where the settings let them."""
    raw = document(route(respond=FIXED, fault=fault))
    async with traffic(raw, monkeypatch, defaults=defaults) as plane:
        assert await plane.statuses(5) == [status] * 5
