"""Between breakers and the database: orders within a second, records soon and once, whatever the database does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connections
from django.utils import timezone

from resilience.breaker import State
from resilience.breakers import Breakers
from resilience.clock import monotonic
from resilience.models import BreakerState, BreakerTransition
from resilience.policies import BreakerPolicy
from routing import breakerlog, breaking
from routing.breakerlog import WAITING, BreakerLog, Call, prune
from routing.models import Service
from routing.notify import bind_redis
from routing.pruning import KEPT_FOR
from tests.support.breakers import request, until
from tests.support.stopwatch import Stopwatch

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]
CLOSED, OPEN, HALF_OPEN = State
POLICY = BreakerPolicy()
NEVER_S = 60.0


@pytest.fixture(autouse=True)
async def no_connection_left() -> AsyncIterator[None]:
    yield
    await sync_to_async(connections.close_all)()


@asynccontextmanager
async def logged(
    *, redis_url: str | None = None, **options: Any
) -> AsyncIterator[tuple[BreakerLog, Breakers]]:
    """One worker's breakers, with `shop` among them, and their log."""
    breakers = Breakers(worker="a")
    breakers.of("shop", POLICY)
    log = BreakerLog(breakers, **options)
    log.listen(redis_url=redis_url)
    breakers.start()
    await log.start()
    try:
        yield log, breakers
    finally:
        await log.stop()
        await breakers.stop()


@sync_to_async
def force(state: State | None, **more: Any) -> None:
    breaking.force("shop", state, by="anna", **more)


@sync_to_async
def reset() -> None:
    breaking.reset("shop", by="anna")


async def row() -> BreakerState:
    return await BreakerState.objects.aget(service="shop")


async def shows(log: BreakerLog, **expected: Any) -> BreakerState:
    """The row, once it says so."""
    async with asyncio.timeout(10):
        while True:
            found = await row()
            if all(getattr(found, name) == value for name, value in expected.items()):
                return found
            log.wake()


async def fail(breakers: Breakers, times: int = 5) -> None:
    for _ in range(times):
        await request(breakers.of("shop", POLICY), True, "connect\0refused")


async def test_what_operators_want_is_live_within_a_second(stopwatch: Stopwatch) -> None:
    """By polling alone: force, release, reset."""
    async with logged() as (log, breakers):
        shop = breakers.of("shop", POLICY)
        await force(OPEN, reason="maintenance")
        assert await stopwatch.of(until(lambda: shop.state is OPEN)) < 1.0
        await force(None)
        assert await stopwatch.of(until(lambda: shop.state is CLOSED)) < 1.0
        await fail(breakers)
        assert shop.state is OPEN
        await reset()
        assert await stopwatch.of(until(lambda: shop.state is CLOSED)) < 1.0
        assert log.database_error == ""


async def test_news_over_redis_wakes_it(redis_url: str) -> None:
    """So that nobody waits for a poll."""
    bind_redis(redis_url)
    try:
        async with logged(redis_url=redis_url, poll_s=NEVER_S) as (_, breakers):
            shop = breakers.of("shop", POLICY)
            async with asyncio.timeout(10):
                while shop.state is not OPEN:  # the ear may still be about to listen
                    await force(OPEN)
                    await asyncio.sleep(0.1)
            assert shop.breaker.forced is OPEN, "not by a count of its own"
    finally:
        bind_redis(None)


class Rider:
    """Looks with the log, and fails as often as it is told."""

    def __init__(self, failing: int = 0) -> None:
        self.failing = failing
        self.done: list[str] = []

    def look(self, call: Call) -> None:
        if self.failing:
            self.failing -= 1
            raise OperationalError("away")
        call(lambda: self.done.append("looked"))

    def leave(self) -> None:
        self.done.append("left")


async def test_passengers_look_with_it() -> None:
    """On the same thread, again after an outage, and until the end; what they want done is done on the loop."""
    breakers = Breakers(worker="a")
    log, rider = BreakerLog(breakers), Rider(failing=2)
    log.carry(rider)
    await log.start()
    await until(lambda: "looked" in rider.done)
    await log.stop()
    assert rider.done[-1] == "left"
    assert rider.failing == 0


async def test_a_force_that_is_over_is_taken_back_and_written_down() -> None:
    """On the worker by its clock, in the database by whichever worker sees it."""
    async with logged() as (log, breakers):
        shop = breakers.of("shop", POLICY)
        await force(OPEN, until=timezone.now() + timedelta(seconds=0.5))
        await until(lambda: shop.state is OPEN)
        await until(lambda: shop.state is CLOSED)
        await shows(log, forced="")
    causes = BreakerTransition.objects.order_by("pk").values_list("cause", flat=True)
    assert [cause async for cause in causes] == ["forced", "the force ended"]


async def test_what_happened_is_written_down() -> None:
    """State, counts, errors, history."""
    async with logged() as (log, breakers):
        await shows(log, state="closed", period=0)
        await fail(breakers)
        found = await shows(log, state="open", period=1)
    assert (found.cause, found.requests, found.failures, found.window_s) == ("too many failures", 5, 5, 10.0)
    assert [why for _, why in found.errors] == ["connect\N{REPLACEMENT CHARACTER}refused"] * len(found.errors)
    assert found.since is not None
    assert abs(found.since - datetime.now(UTC)) < timedelta(seconds=60)
    transition = await BreakerTransition.objects.aget()
    assert (str(transition), transition.failures, transition.by) == ("shop: closed → open", 5, "")


async def test_a_worker_that_starts_goes_on_from_what_was_recorded() -> None:
    """Open since then; and what was ordered and reset before is not done again."""
    since = datetime.now(UTC) - timedelta(seconds=30)
    await BreakerState.objects.acreate(service="shop", state="open", period=7, since=since, resets=3)
    async with logged() as (_, breakers):
        shop = breakers.of("shop", POLICY)
        assert (shop.state, shop.breaker.period) == (OPEN, 7)
        assert breakers.standings()["shop"].since == pytest.approx(30, abs=5)


async def test_an_older_record_does_not_overwrite_a_newer_one() -> None:
    """Of a worker that was alone for a while; the history has both."""
    async with logged() as (log, breakers):
        await shows(log, period=0)
        await BreakerState.objects.filter(service="shop").aupdate(period=9, state="half_open")
        await fail(breakers)
        found = await shows(log, failures=5)
        assert (found.period, found.state) == (9, "half_open")
        assert await BreakerTransition.objects.acount() == 1


async def test_nothing_is_lost_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits; beyond a bound the oldest goes, and is counted."""

    def refuse(*_: object) -> None:
        raise OperationalError("gone")

    async with logged() as (log, breakers):
        with monkeypatch.context() as patched:
            patched.setattr(breakerlog, "_write_changes", refuse)
            await fail(breakers)
            log.wake()
            await until(lambda: log.database_error)
        await shows(log, state="open")
        await until(lambda: not log.database_error)
    assert await BreakerTransition.objects.acount() == 1


async def test_what_waits_is_bounded() -> None:
    """Whatever happens, and for how long."""
    breakers = Breakers(worker="a")
    log = BreakerLog(breakers)
    breakers.on_record(log.note)
    shop = breakers.of("shop", BreakerPolicy(failure_threshold=1, min_throughput=1, recovery_timeout_s=0.0))
    for _ in range(WAITING):
        now = monotonic()
        shop.record(shop.permit(now), True, now)  # type: ignore[arg-type]
    assert len(log._changes) == WAITING
    assert log.lost > 0
    assert len(log._counts) == 1


async def test_a_row_that_somebody_deleted_is_made_again() -> None:
    """By the next failure."""
    async with logged() as (log, breakers):
        await shows(log, period=0)
        await BreakerState.objects.all().adelete()
        await fail(breakers, 1)
        await until(lambda: not log._counts)
        await fail(breakers)
        async with asyncio.timeout(10):
            while not await BreakerState.objects.aexists():
                log.wake()
        assert (await row()).state == "open"


async def test_what_is_under_way_at_the_end_is_written() -> None:
    """The last words of a worker that is stopped."""
    async with logged(poll_s=NEVER_S) as (_, breakers):
        await fail(breakers)
    assert (await row()).state == "open"


def test_history_is_bounded() -> None:
    """By age and by number; breakers of services that are long gone go, too, unless they are forced."""
    now = datetime(2030, 1, 1, tzinfo=UTC)
    old = now - KEPT_FOR - timedelta(days=1)
    BreakerTransition.objects.bulk_create(
        BreakerTransition(service="shop", at=at, before="closed", after="open") for at in [old, *[now] * 10]
    )
    Service.objects.create(name="shop")
    for name, since, forced in (
        ("shop", old, ""),
        ("gone", old, ""),
        ("held", old, "open"),
        ("fresh", now, ""),
        ("never", None, ""),
    ):
        BreakerState.objects.create(service=name, since=since, forced=forced)
    assert prune(now, kept=4) is False
    assert BreakerTransition.objects.count() == 4
    assert sorted(BreakerState.objects.values_list("service", flat=True)) == [
        "fresh",
        "held",
        "never",
        "shop",
    ]
