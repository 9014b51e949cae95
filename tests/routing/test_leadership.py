"""A lease in the database: one worker holds it, it moves, and an outage is nobody's lease."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connections
from django.utils import timezone

from resilience.leader import Leader
from resilience.models import LeaderLease
from routing import leadership
from routing.leadership import DatabaseLease
from tests.support.breakers import until

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
async def no_connection_left() -> AsyncIterator[None]:
    yield
    await sync_to_async(connections.close_all)()


@asynccontextmanager
async def leased(name: str = "rollups") -> AsyncIterator[DatabaseLease]:
    lease = DatabaseLease(name)
    lease.start()
    try:
        yield lease
    finally:
        await lease.stop()


async def row(name: str = "rollups") -> LeaderLease:
    return await LeaderLease.objects.aget(name=name)


async def test_one_holds_it_until_it_gives_it_back() -> None:
    """Renewing is taking; only the holder gives it back."""
    async with leased() as one, leased() as two:
        assert await one.take("a", 30.0) is True
        assert await one.take("a", 60.0) is True
        assert await two.take("b", 30.0) is False
        await two.release("b")
        assert await two.take("b", 30.0) is False
        found = await row()
        assert found.holder == "a"
        assert timedelta(seconds=50) < found.until - timezone.now() < timedelta(seconds=61)
        await one.release("a")
        assert await two.take("b", 30.0) is True
        assert str(await row()) == "rollups"


async def test_of_many_who_ask_at_once_one_gets_it() -> None:
    """Whether there is a row already, or not."""
    async with leased() as one, leased() as two, leased() as three:
        for round_ in range(3):
            found = await asyncio.gather(
                *(
                    lease.take(f"{name}-{round_}", 30.0)
                    for name, lease in zip("abc", (one, two, three), strict=True)
                )
            )
            assert found.count(True) == 1
            await LeaderLease.objects.aupdate(until=timezone.now() - timedelta(seconds=1))


async def test_leases_of_other_names_are_others() -> None:
    """One worker may lead one thing, and another another."""
    async with leased("one") as one, leased("other") as other:
        assert await one.take("a", 30.0)
        assert await other.take("b", 30.0)


async def test_the_lead_moves_when_its_holder_dies() -> None:
    """Never are there two."""
    async with leased() as one, leased() as two:
        first, second = (
            Leader(lease, holder=name, rng=Random(1), ttl_s=1.0)
            for lease, name in ((one, "first"), (two, "second"))
        )
        await first.start()
        await second.start()
        assert (first.leads, second.leads) == (True, False)
        assert first._task is not None
        first._task.cancel()
        await until(lambda: second.leads and not first.leads)
        await second.stop()
        assert not second.leads
        await first.start()
        assert first.leads
        await first.stop()


async def test_an_outage_is_nobodys_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asked is told, and the next one who asks after it gets it."""
    answer = leadership.hold

    def away(*_: Any) -> bool:
        raise OperationalError("away")

    async with leased() as lease:
        assert await lease.take("a", 30.0)
        monkeypatch.setattr(leadership, "hold", away)
        assert await lease.take("a", 30.0) is None
        monkeypatch.setattr(leadership, "hold", answer)
        assert await lease.take("a", 30.0)


async def test_who_no_longer_waits_harms_nobody() -> None:
    """A caller that gave up is left out."""
    async with leased() as lease:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await lease.take("late", 30.0)
        assert await lease.take("a", 30.0) in (True, False)
        gone: asyncio.Future[bool | None] = asyncio.get_running_loop().create_future()
        gone.cancel()
        leadership._tell(gone, True)
        assert gone.cancelled()
