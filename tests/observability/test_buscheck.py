"""Whether the hub answers: what the adapter says, and nothing else."""

import asyncio

import pytest

from observability.buscheck import bus_check
from realtime.bus.link import BusLink
from tests.support.buses import FakeHub
from tests.support.virtualtime import in_virtual_time


@in_virtual_time
async def test_hub_that_answers() -> None:
    """With what became of events."""
    link = BusLink(FakeHub)
    link.start()
    await asyncio.sleep(0.01)
    await link.publish("t", b"x", content_type=b"", headers={})
    seen = await bus_check(link)()
    await link.stop()
    assert (seen.why, seen.counts["published"], seen.counts["refused"]) == ("", 1, 0)


@pytest.mark.parametrize("when", ["before", "later"])
@in_virtual_time
async def test_hub_that_is_away(when: str) -> None:
    """It is said why, without an address."""
    hub = FakeHub("away" if when == "before" else "up")
    link = BusLink(lambda: hub)
    link.start()
    await asyncio.sleep(0.01)
    hub.mode = "away"
    seen = await bus_check(link)()
    await link.stop()
    assert seen.why == "nobody is there"
