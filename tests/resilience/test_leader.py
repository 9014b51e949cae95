"""One leads, the lease moves when its holder goes, and nobody leads longer than the lease lasts."""

import asyncio
from random import Random
from typing import Any

import pytest

from resilience.leader import Alone, Leader
from tests.support.virtualtime import clock, in_virtual_time


class Shared:
    """A lease in memory, with an outage at will."""

    def __init__(self) -> None:
        self.holder = ""
        self.until = 0.0
        self.mood = "well"

    async def take(self, holder: str, ttl_s: float) -> bool | None:
        if self.mood == "away":
            return None
        if self.mood == "broken":
            raise OSError("broken")
        if self.mood == "hangs":
            await asyncio.Event().wait()
        if self.holder not in ("", holder) and clock() < self.until:
            return False
        self.holder, self.until = holder, clock() + ttl_s
        return True

    async def release(self, holder: str) -> None:
        if self.mood != "well":
            raise OSError("away")
        if self.holder == holder:
            self.holder = ""


def leader(lease: Any, holder: str, **options: Any) -> Leader:
    return Leader(lease, holder=holder, rng=Random(1), ttl_s=6.0, clock=clock, **options)


@in_virtual_time
async def test_alone_everybody_leads() -> None:
    """From the start to the stop."""
    alone = leader(Alone(), "a")
    assert not alone.leads
    await alone.start()
    assert alone.leads
    await asyncio.sleep(100)
    assert alone.leads
    await alone.stop()
    assert not alone.leads


@in_virtual_time
async def test_one_of_several_leads() -> None:
    """The others do as soon as it stops."""
    lease = Shared()
    all_ = [leader(lease, name) for name in "abc"]
    for each in all_:
        await each.start()
    for _ in range(50):
        assert [each.leads for each in all_] == [True, False, False]
        await asyncio.sleep(1)
    await all_[0].stop()
    await asyncio.sleep(2)
    assert [each.leads for each in all_].count(True) == 1
    for each in all_:
        await each.stop()


@in_virtual_time
async def test_the_lease_moves_when_its_holder_dies() -> None:
    """Within its life and one renewal; never are there two."""
    lease = Shared()
    dies, waits = leader(lease, "dies"), leader(lease, "waits")
    await dies.start()
    await waits.start()
    assert dies._task is not None
    dies._task.cancel()
    began = clock()
    while not waits.leads:
        await asyncio.sleep(0.1)
        assert not (dies.leads and waits.leads)

    assert clock() - began <= 8.1
    await waits.stop()


@pytest.mark.parametrize("mood", ["away", "broken", "hangs"])
@pytest.mark.parametrize("leads_alone", [True, False])
def test_while_nobody_can_be_asked(mood: str, leads_alone: bool) -> None:
    """All lead, or none, as it was chosen; then one again."""

    @in_virtual_time
    async def play() -> None:
        lease = Shared()
        both = [leader(lease, name, leads_alone=leads_alone) for name in "ab"]
        for each in both:
            await each.start()
        lease.mood = mood
        await asyncio.sleep(12)
        assert [each.leads for each in both] == [leads_alone, leads_alone]
        lease.mood = "well"
        await asyncio.sleep(12)
        assert [each.leads for each in both].count(True) == 1
        lease.mood = mood
        for each in both:
            await each.stop()
        assert [each.leads for each in both] == [False, False]

    play()


@in_virtual_time
async def test_who_hangs_stops_leading_in_time() -> None:
    """It knows by its own clock, without being told."""
    lease = Shared()
    hangs = leader(lease, "hangs")
    await hangs.start()
    assert hangs._task is not None
    hangs._task.cancel()
    await asyncio.sleep(5.9)
    assert hangs.leads
    await asyncio.sleep(0.2)
    assert not hangs.leads


@in_virtual_time
async def test_changes_are_told() -> None:
    """Once each."""
    lease = Shared()
    told: list[bool] = []
    each = leader(lease, "a")
    each.on_change(told.append)
    await each.start()
    await asyncio.sleep(20)
    lease.holder, lease.until = "b", clock() + 10
    await asyncio.sleep(20)
    await each.stop()
    await each.stop()

    assert told == [True, False, True, False]
