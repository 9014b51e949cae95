"""Balancing on real sockets, by counting who gets what: algorithms, weights, zones, drains, ejections and panic."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from routing.traffic import TrafficDefaults
from tests.functional.test_proxying_faults import dead_port
from tests.support.callers import Callers
from tests.support.gateway import document, route
from tests.support.traffic import TrafficPlane, Upstream, counted, error, traffic

MonkeyPatch = pytest.MonkeyPatch


@asynccontextmanager
async def upstreams(count: int = 3) -> AsyncIterator[list[Upstream]]:
    """Called 0, 1, 2, …"""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Upstream(name=str(number))) for number in range(count)]


def balanced(*targets: Upstream | dict[str, Any], **more: Any) -> dict[str, Any]:
    listed = [{"url": each.url} if isinstance(each, Upstream) else each for each in targets]
    return document(route(service="s"), services={"s": {"targets": listed, **more}})


async def served(plane: TrafficPlane, count: int, *headers: str) -> dict[str, int]:
    """How many of so many requests each upstream got."""
    answers = [await plane.ask("/", *headers) for _ in range(count)]
    assert {answer.status for answer in answers} == {200}
    return counted(answer.body.decode() for answer in answers)


async def test_round_robin(monkeypatch: MonkeyPatch) -> None:
    """Each in turn, whatever the weights."""
    async with upstreams() as three:
        targets = [{"url": each.url, "weight": weight} for each, weight in zip(three, (9, 1, 5), strict=True)]
        async with traffic(balanced(*targets), monkeypatch) as plane:
            answers = [(await plane.ask()).body.decode() for _ in range(30)]
    assert counted(answers) == {"0": 10, "1": 10, "2": 10}
    assert answers[:3] * 10 == answers


async def test_weighted_round_robin(monkeypatch: MonkeyPatch) -> None:
    """In exact proportion, and the heavy one never takes a whole block."""
    async with upstreams() as three:
        targets = [{"url": each.url, "weight": weight} for each, weight in zip(three, (5, 3, 2), strict=True)]
        async with traffic(balanced(*targets, load_balancing="weighted_round_robin"), monkeypatch) as plane:
            answers = [(await plane.ask()).body.decode() for _ in range(100)]
    assert counted(answers) == {"0": 50, "1": 30, "2": 20}
    assert "000" not in "".join(answers)


async def test_random(monkeypatch: MonkeyPatch) -> None:
    """In proportion to the weights, more or less."""
    async with upstreams(2) as two:
        targets = [{"url": two[0].url, "weight": 3}, {"url": two[1].url}]
        async with traffic(balanced(*targets, load_balancing="random"), monkeypatch) as plane:
            shares = await served(plane, 300)
    assert 190 <= shares["0"] <= 260


async def test_least_connections(monkeypatch: MonkeyPatch) -> None:
    """Who is busy gets no more: the slow one keeps its two requests while the other serves all that come."""
    async with upstreams(2) as (slow, quick):
        slow.holds = True
        async with traffic(balanced(slow, quick, load_balancing="least_connections"), monkeypatch) as plane:
            waiting = [asyncio.create_task(plane.ask()) for _ in range(2)]
            await slow.until_asked(1)
            others = await served(plane, 20)
            slow.release.set()
            await asyncio.gather(*waiting)
    assert len(slow.requests) == 1
    assert others == {"1": 20}


@pytest.mark.parametrize("hash_on", [{"header": "X-Room"}, {"cookie": "room"}, "consumer", "ip"])
async def test_consistent_hash(hash_on: Any, monkeypatch: MonkeyPatch) -> None:
    """The same key, the same target; when one target goes, only its keys move."""
    callers = Callers()
    for number in range(40):
        callers.token(f"t{number}", consumer=f"c{number}")

    def fields(key: int) -> list[str]:
        return [
            f"X-Room: {key}",
            f"Cookie: a=b; room={key}",
            f"Authorization: Bearer t{key}",
            f"X-Forwarded-For: 192.0.2.{key + 1}",
        ]

    async def owners(plane: TrafficPlane) -> list[bytes]:
        return [(await plane.ask("/", *fields(key))).body for key in range(40)]

    async with upstreams(3) as three:
        policy: dict[str, Any] = {"load_balancing": "consistent_hash", "hash_on": hash_on}
        raw = balanced(*three, **policy)
        async with traffic(raw, monkeypatch, callers=callers, trusted_proxies=("127.0.0.1",)) as plane:
            first, again = await owners(plane), await owners(plane)
            plane.publish(balanced(*three[:2], **policy))
            fewer = await owners(plane)
            plane.publish(raw)
            back = await owners(plane)
    assert first == again == back
    assert set(first) == {b"0", b"1", b"2"}
    assert [after for before, after in zip(first, fewer, strict=True) if before != b"2"] == [
        before for before in first if before != b"2"
    ]


async def test_drain(monkeypatch: MonkeyPatch) -> None:
    """What it has may finish, nothing new comes; all draining, nobody is asked."""
    async with (
        upstreams(2) as (leaving, staying),
        traffic(balanced(leaving, staying), monkeypatch) as plane,
    ):
        leaving.holds = True
        waiting = [asyncio.create_task(plane.ask()) for _ in range(2)]
        await leaving.until_asked(1)
        plane.publish(balanced({"url": leaving.url, "drain": True}, staying))
        others = await served(plane, 20)
        leaving.release.set()
        finished = {answer.body for answer in await asyncio.gather(*waiting)}
        plane.publish(balanced({"url": leaving.url, "drain": True}, panic=True))
        nobody = await plane.ask()
    assert others == {"1": 20}
    assert finished == {b"0", b"1"}
    assert (nobody.status, error(nobody)["code"], nobody.header("retry-after")) == (
        503,
        "SERVICE_UNAVAILABLE",
        "1",
    )


async def test_zones_and_backups(monkeypatch: MonkeyPatch) -> None:
    """The gateway's own zone first, then the other, then backups; a retry goes down the same line."""
    async with upstreams(3) as (near, far, spare):
        targets = [
            {"url": near.url, "zone": "a"},
            {"url": far.url, "zone": "b"},
            {"url": spare.url, "zone": "a", "backup": True},
        ]
        raw = balanced(*targets, retries={"attempts": 2, "budget": 1.0, "backoff": "1ms"})
        async with traffic(raw, monkeypatch, defaults=TrafficDefaults(zone="a")) as plane:
            usual = await served(plane, 10)
            near.then(always=503)
            second = await served(plane, 3)
            plane.time.pass_s(11)
            far.then(always=503)
            third = await served(plane, 1)
    assert (usual, second, third) == ({"0": 10}, {"1": 3}, {"2": 1})


async def test_ejection(monkeypatch: MonkeyPatch) -> None:
    """After three errors in a row it is left out for 30 s, the next time for 60; then it is tried again."""
    policy = {"consecutive_errors": 3, "for": "30s"}
    async with upstreams(2) as (bad, good):
        bad.then(always=500)
        async with traffic(balanced(bad, good, ejection=policy), monkeypatch) as plane:
            await plane.statuses(6)
            counts = [len(bad.requests)]
            for pause_s in (0, 29, 1.5, 30, 31):
                plane.time.pass_s(pause_s)
                before = len(bad.requests)
                await plane.statuses(10)
                counts.append(len(bad.requests) - before)
            bad.then()
            plane.time.pass_s(91)
            well = await served(plane, 10)
    assert counts == [3, 0, 0, 3, 0, 3]
    assert well == {"0": 5, "1": 5}


async def test_last_target_is_never_ejected(monkeypatch: MonkeyPatch) -> None:
    """Half of the targets may be out; a service with one target keeps it."""
    policy = {"consecutive_errors": 1, "for": "30s", "max_percent": 50}
    async with upstreams(4) as four:
        for each in four:
            each.then(always=500)
        async with traffic(balanced(*four, ejection=policy), monkeypatch) as plane:
            await plane.statuses(40)
            out = sum(state.is_ejected for state in plane.service().pool.states)
            plane.publish(balanced(four[0], ejection=policy))
            before = len(four[0].requests)
            await plane.statuses(5)
    assert out == 2
    assert len(four[0].requests) - before == 5


async def test_ejected_stay_out_over_a_publish(monkeypatch: MonkeyPatch) -> None:
    """What is known of a target does not depend on the revision."""
    policy = {"consecutive_errors": 2, "for": "30s"}
    async with upstreams(2) as (bad, good):
        bad.then(always=500)
        raw = balanced(bad, good, ejection=policy)
        async with traffic(raw, monkeypatch) as plane:
            await plane.statuses(4)
            plane.publish({**raw, "routes": [route(service="s", path="/")]})
            after = await served(plane, 10)
    assert after == {"1": 10}


async def test_panic(monkeypatch: MonkeyPatch) -> None:
    """With every target unhealthy: 503 by default, and all are tried where the operator says so."""
    async with upstreams(2) as two:
        raw, panic = balanced(*two), balanced(*two, panic=True)
        async with traffic(raw, monkeypatch) as plane:

            def unhealthy() -> None:
                for state in plane.service().pool.states:
                    state.healthy = False
                plane.service().state.changed()

            unhealthy()
            refused = await plane.ask()
            plane.publish(panic)
            tried = await served(plane, 10)
            plane.publish(raw)
            again = await plane.ask()
            plane.service().pool.states[1].healthy = True
            plane.service().state.changed()
            back = await served(plane, 5)
    assert (refused.status, error(refused)["details"]) == (503, {"service": "s", "reason": "no_target"})
    assert set(tried) == {"0", "1"}
    assert (again.status, back) == (503, {"1": 5})


async def test_no_target_at_all_is_no_failure_of_the_breaker(monkeypatch: MonkeyPatch) -> None:
    """Nothing was tried, so nothing is known; a dead target is another matter."""
    breaker = {"failure_threshold": 3, "min_throughput": 3}
    async with traffic(balanced(breaker=breaker), monkeypatch) as plane:
        empty = [error(await plane.ask())["code"] for _ in range(6)]
        plane.publish(balanced({"url": f"http://127.0.0.1:{dead_port()}"}, breaker=breaker))
        dead = [error(await plane.ask())["code"] for _ in range(4)]
    assert empty == ["SERVICE_UNAVAILABLE"] * 6
    assert dead == ["BAD_GATEWAY"] * 3 + ["CIRCUIT_OPEN"]


async def test_settings_name_the_algorithm(monkeypatch: MonkeyPatch) -> None:
    """Of services that name none; consistent hashing goes by the address then."""
    async with upstreams(3) as three:
        for algorithm, most in (("round_robin", 10), ("consistent_hash", 30)):
            defaults = TrafficDefaults(load_balancing=algorithm)  # type: ignore[arg-type]
            async with traffic(balanced(*three), monkeypatch, defaults=defaults) as plane:
                assert max((await served(plane, 30)).values()) == most
