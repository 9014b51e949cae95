"""Breakers of several workers over a real Redis: one decision, a few milliseconds, and no harm when Redis goes."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import pytest

from gateway_project.embedded import start_valkey
from resilience.breaker import Cause, Permit, Refused, State
from resilience.breakers import BreakerEvent, Breakers, Order, Recorded
from resilience.clock import monotonic, wall_clock
from resilience.guard import Guard
from resilience.policies import BreakerPolicy
from tests.support.breakers import Worker, all_are, permit, request, unique_prefix, until, workers
from tests.support.stopwatch import Stopwatch

CLOSED, OPEN, HALF_OPEN = State
POLICY = BreakerPolicy()
QUICK = BreakerPolicy(recovery_timeout_s=0.2, half_open_requests=2, half_open_timeout_s=5.0)


class Server:
    """A Redis of the test's own, which it stops, hangs and starts again, empty."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._run: Any = None
        self.start()
        self.url: str = self._run.url

    def start(self) -> None:
        self._run = start_valkey(self._folder)
        assert self._run is not None

    def stop(self) -> None:
        self._run.stop()

    def hang(self, hangs: bool = True) -> None:
        os.kill(self._run.process.pid, signal.SIGSTOP if hangs else signal.SIGCONT)


@pytest.fixture
def server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="torana-breakers-"))
    found = Server(folder)
    try:
        yield found
    finally:
        found.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def five(redis_url: str) -> AsyncIterator[list[Worker]]:
    async with workers(redis_url, 5, timeout_s=5.0) as found:  # a busy machine is no Redis that is away
        yield found


async def opened(found: list[Worker], policy: BreakerPolicy = QUICK) -> list[Any]:
    """The guards of all workers, open."""
    guards = [each.guard(policy) for each in found]
    for number in range(5):
        await request(guards[number % len(guards)], True)
    await all_are(guards, OPEN)
    return guards


async def test_five_failures_anywhere_open_it_everywhere_within_100_ms(
    five: list[Worker], stopwatch: Stopwatch
) -> None:
    """One of each worker; it is written down once."""
    guards = [each.guard(POLICY) for each in five]
    for guard in guards:
        assert await request(guard, True, "connect_refused")
    assert await stopwatch.of(all_are(guards, OPEN)) < 0.1
    assert not await request(guards[0], False)
    await until(lambda: any(each.changes for each in five))
    assert [change for each in five for change in each.changes] == [(CLOSED, OPEN, Cause.FAILURES)]
    assert [len(each.events) for each in five] == [1] * 5
    assert {(event.service, event.before, event.after) for each in five for event in each.events} == {
        ("shop", CLOSED, OPEN)
    }


async def test_four_failures_open_it_nowhere(five: list[Worker]) -> None:
    """The sum is exact."""
    guards = [each.guard(POLICY) for each in five]
    for guard in guards[:4]:
        await request(guard, True)
    for guard in guards:
        await guard.synced()
    assert {guard.state for guard in guards} == {CLOSED}
    await request(guards[0], True)
    await all_are(guards, OPEN)


async def test_workers_with_only_successes_count_towards_the_throughput(five: list[Worker]) -> None:
    """They say nothing until somebody's failures make it matter."""
    policy = replace(POLICY, min_throughput=25)
    guards = [each.guard(policy) for each in five]
    for guard in guards[1:]:
        for _ in range(5):
            await request(guard, False)
    calls = [each.link.counts.calls for each in five[1:]]
    for _ in range(5):
        await request(guards[0], True)
    assert await all_are(guards, OPEN) < 1.0
    later = [each.link.counts.calls for each in five[1:]]
    assert all(after <= before + 3 for before, after in zip(calls, later, strict=True))


async def test_nothing_is_asked_while_all_is_well(five: list[Worker]) -> None:
    """A thousand requests, not one call."""
    guards = [each.guard(POLICY) for each in five]
    for guard in guards:
        await guard.synced()
    calls = [each.link.counts.calls for each in five]
    for guard in guards:
        for _ in range(200):
            found = guard.permit(monotonic())
            assert isinstance(found, Permit)
            guard.record(found, False, monotonic())
    await asyncio.sleep(0)
    assert [each.link.counts.calls for each in five] == calls


async def test_trials_are_as_many_as_of_one_worker(five: list[Worker]) -> None:
    """Fifty ask at once, two may."""
    guards = await opened(five)
    await asyncio.sleep(QUICK.recovery_timeout_s)
    verdicts = await asyncio.gather(*(permit(guard) for guard in guards for _ in range(10)))
    trials = [verdict for verdict in verdicts if isinstance(verdict, Permit)]
    assert len(trials) == 2
    assert await all_are(guards, HALF_OPEN) < 1.0


async def test_successes_of_different_workers_close_it_everywhere(five: list[Worker]) -> None:
    """Each change is written down once."""
    guards = await opened(five)
    await asyncio.sleep(QUICK.recovery_timeout_s)
    assert await request(guards[0], False)
    assert await request(guards[1], False)
    assert await all_are(guards, CLOSED) < 1.0
    await until(lambda: sum(len(each.changes) for each in five) >= 3)
    assert sorted(cause for each in five for *_, cause in each.changes) == sorted(
        [Cause.FAILURES, Cause.RECOVERY, Cause.TRIALS_PASSED]
    )


async def test_a_failed_trial_opens_it_everywhere(five: list[Worker], stopwatch: Stopwatch) -> None:
    """For the recovery time, anew."""
    policy = replace(QUICK, recovery_timeout_s=1.0)
    guards = await opened(five, policy)
    await asyncio.sleep(policy.recovery_timeout_s)
    assert await request(guards[3], True)
    assert await stopwatch.of(until(lambda: {guard.breaker.period for guard in guards} == {3})) < 0.4
    assert {guard.state for guard in guards} == {OPEN}
    assert not await request(guards[0], False)


async def test_who_comes_later_is_told_how_things_are(redis_url: str) -> None:
    """A worker that is replaced goes on where the others are."""
    prefix = unique_prefix()
    async with workers(redis_url, 2, prefix=prefix) as found:
        await opened(found, POLICY)
        async with workers(redis_url, 1, prefix=prefix) as (late,):
            guard = late.guard(POLICY)
            await all_are([guard], OPEN)
            assert late.changes == []


# Redis goes


def agree(guards: list[Guard]) -> bool:
    """Whether all are in the same period, and nobody is telling the others about it any more."""
    return len({(guard.breaker.period, guard.state) for guard in guards}) == 1 and all(
        guard._reporting is None for guard in guards
    )


async def calls_of_request(worker: Worker, guard: Guard) -> int:
    """How often a request that succeeds asked Redis before it was let through; each call has 50 ms."""
    await until(lambda: guard._reporting is None)
    before = worker.link.counts.calls
    verdict = await permit(guard)
    calls = worker.link.counts.calls - before
    assert isinstance(verdict, Permit)
    guard.record(verdict, False, monotonic())
    return calls


@pytest.mark.parametrize("way", ["stopped", "hanging"])
async def test_without_redis_each_worker_decides_alone(server: Server, way: str) -> None:
    """No request waits for it but a trial, for 50 ms; when it is back, empty or not, all agree."""
    async with workers(server.url, 3) as found:
        guards = await opened(found)
        if way == "stopped":
            server.stop()
        else:
            server.hang()
        await asyncio.sleep(QUICK.recovery_timeout_s)
        assert await calls_of_request(found[0], guards[0]) == 1
        assert await calls_of_request(found[0], guards[0]) <= 1, "none, if the one before was the last try"
        assert guards[0].state is CLOSED
        for _ in range(100):
            passing = guards[0].permit(monotonic())
            assert isinstance(passing, Permit), "nothing to wait for"
            guards[0].record(passing, False, monotonic())
        assert not await request(guards[1], True) or guards[1].state is OPEN
        if way == "stopped":
            server.start()
        else:
            server.hang(False)
        await until(lambda: all(each.link.is_up for each in found), 15)
        await until(lambda: agree(guards), 15)
        for guard in guards:
            guard.reset()
        await all_are(guards, CLOSED)
        await until(lambda: agree(guards), 15)  # a failure counts in the period in which it was let through
        for guard in [*guards, *guards[:2]]:
            await request(guard, True)
        assert await all_are(guards, OPEN) < 1.0, "they share again"


async def test_no_redis_at_the_start_is_no_obstacle(server: Server) -> None:
    """It is found when it comes."""
    server.stop()
    async with workers(server.url, 2) as found:
        guards = [each.guard(POLICY) for each in found]
        for _ in range(5):
            assert await request(guards[0], True)
        assert [guard.state for guard in guards] == [OPEN, CLOSED]
        server.start()
        assert await all_are(guards, OPEN, 15)
        assert found[0].changes == [(CLOSED, OPEN, Cause.FAILURES)]
        assert found[1].changes == []


# Operators, records, snapshots; alone


def alone(**more: Any) -> tuple[Breakers, list[BreakerEvent]]:
    breakers, events = Breakers(worker="a", **more), list[BreakerEvent]()
    breakers.on_transition(events.append)
    breakers.start()
    return breakers, events


async def test_a_service_keeps_its_breaker_while_it_is_there() -> None:
    """Whatever its policy becomes; one that is gone is forgotten."""
    breakers, _ = alone()
    shop, other = breakers.of("shop", POLICY), breakers.of("other", POLICY)
    for _ in range(5):
        await request(shop, True)
    assert breakers.of("shop", replace(POLICY, failure_threshold=9)) is shop
    assert shop.state is OPEN
    assert shop.breaker.policy.failure_threshold == 9
    breakers.apply({"other": Order(OPEN, wall_clock() + 60)})
    breakers.keep({"shop"})
    assert breakers.names == ["shop"]
    assert breakers.of("other", POLICY) is not other
    assert breakers.of("shop", POLICY) is shop
    await breakers.stop()


async def test_orders_hold_for_breakers_that_are_there_and_that_come() -> None:
    """Events say who gave them and why; taken back, what is measured decides again."""
    breakers, events = alone()
    shop = breakers.of("shop", POLICY)
    order = Order(OPEN, inf, by="anna", reason="maintenance")
    breakers.apply({"shop": order, "later": order})
    assert not await request(shop, False)
    assert breakers.of("later", POLICY).state is OPEN
    assert [(event.service, event.after, event.cause, event.by, event.reason) for event in events] == [
        (name, OPEN, Cause.FORCED, "anna", "maintenance") for name in ("shop", "later")
    ]
    breakers.apply({"shop": Order()})
    assert await request(shop, False)
    assert breakers.of("later", POLICY).state is CLOSED
    await breakers.stop()


async def test_an_order_ends_at_its_time_without_any_request() -> None:
    """A timer tells; no poll is needed, and no database."""
    breakers, events = alone()
    shop = breakers.of("shop", POLICY)
    breakers.apply({"shop": Order(OPEN, wall_clock() + 0.1)})
    assert shop.state is OPEN
    await until(lambda: shop.state is CLOSED, 5)
    assert [event.cause for event in events] == [Cause.FORCED, Cause.RELEASED]
    breakers.apply({"shop": Order(OPEN, wall_clock() - 1)})
    assert shop.state is CLOSED
    breakers.apply({"shop": Order(OPEN, wall_clock() + 60)})
    breakers.apply({"shop": Order(OPEN, wall_clock() + 90)})
    standing = breakers.standings()["shop"]
    assert (standing.forced, standing.state) == (OPEN, OPEN)
    assert standing.forced_until == pytest.approx(wall_clock() + 90, abs=1)
    await breakers.stop()


async def test_a_reset_counts_only_when_it_is_new() -> None:
    """What was reset before this worker started is history."""
    breakers, _ = alone()
    shop = breakers.of("shop", POLICY)
    for _ in range(5):
        await request(shop, True)
    breakers.apply({"shop": Order(resets=3)})
    assert shop.state is OPEN
    breakers.apply({"shop": Order(resets=4)})
    assert shop.state is CLOSED
    for _ in range(5):
        await request(shop, True)
    breakers.apply({"shop": Order(resets=4)})
    assert shop.state is OPEN


async def test_what_was_recorded_is_where_a_worker_begins() -> None:
    """For breakers that are there and that come; ages go by the wall clock."""
    breakers, _ = alone()
    shop = breakers.of("shop", POLICY)
    breakers.restore({name: Recorded(OPEN, 7, wall_clock() - 50.0) for name in ("shop", "later")})
    for guard in (shop, breakers.of("later", POLICY)):
        verdict = guard.permit(monotonic())
        assert isinstance(verdict, Refused)
        assert verdict.retry_after_s == pytest.approx(10.0, abs=1.0)
    assert breakers.standings()["shop"].since == pytest.approx(50.0, abs=1.0)


async def test_what_others_know_wins_over_what_was_recorded(redis_url: str) -> None:
    """Records are for when they have nothing."""
    prefix = unique_prefix()
    recorded = {"shop": Recorded(OPEN, 1, wall_clock()), "quiet": Recorded(OPEN, 5, wall_clock())}
    async with workers(redis_url, 1, prefix=prefix) as (first,):
        shop = first.guard(QUICK)
        await opened([first])
        await asyncio.sleep(QUICK.recovery_timeout_s)
        for _ in range(2):
            await request(shop, False)
        await all_are([shop], CLOSED)
        await shop.synced()
        async with workers(redis_url, 1, prefix=prefix) as (late,):
            late.breakers.restore(recorded)
            late_shop, quiet = late.guard(QUICK), late.guard(QUICK, "quiet")
            await until(lambda: late_shop.breaker.period == shop.breaker.period)
            assert late_shop.state is CLOSED
            assert quiet.state is OPEN
            await quiet.synced()
            other = first.guard(QUICK, "quiet")
            await all_are([other], OPEN)


async def test_a_thousand_services_do_not_crowd_the_store(redis_url: str) -> None:
    """A worker that starts learns how each of them is, and no call is dropped."""
    names = [f"shop-{number}" for number in range(1000)]
    prefix = unique_prefix()
    async with workers(redis_url, 1, prefix=prefix) as (first,):
        first.breakers.restore({name: Recorded(OPEN, 3, wall_clock()) for name in names})
        guards = [first.guard(POLICY, name) for name in names]
        await until(lambda: first.breakers._syncing is None, 30)
        async with workers(redis_url, 1, prefix=prefix) as (late,):
            await all_are([late.guard(POLICY, name) for name in names], OPEN, 30)
            assert late.link.counts.dropped == first.link.counts.dropped == 0
    assert {guard.state for guard in guards} == {OPEN}


async def test_news_of_services_that_are_not_here_are_nobodys(five: list[Worker]) -> None:
    """A worker may run another revision for a moment."""
    guards = await opened(five[:4])
    assert five[4].breakers.names == []
    await all_are([five[4].guard(QUICK)], OPEN)
    assert len(guards) == 4
