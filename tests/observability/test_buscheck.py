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


@in_virtual_time
async def test_what_is_kept_for_the_hub() -> None:
    """Of this worker and of the installation; a database that hangs is asked once, and takes nothing from the rest."""
    asked = 0
    answers: list[asyncio.Future[dict[str, int]]] = []

    async def held() -> dict[str, int]:
        nonlocal asked
        asked += 1
        answers.append(asyncio.get_running_loop().create_future())
        return await answers[-1]

    link = BusLink(FakeHub)
    link.start()
    await asyncio.sleep(0.01)
    check = bus_check(link, lambda: {"taken": 4}, held)
    hanging = [await check() for _ in range(3)]
    asyncio.get_running_loop().call_later(0.1, answers[0].set_result, {"waiting": 2})
    seen = await check()
    await link.stop()
    assert [(each.why, each.counts["taken"], "waiting" in each.counts) for each in hanging] == [
        ("", 4, False)
    ] * 3
    assert (asked, seen.counts["waiting"]) == (1, 2)
