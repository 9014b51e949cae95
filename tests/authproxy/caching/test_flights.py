"""One request goes, the others wait for it."""

import asyncio

from authproxy.caching.flights import BODY_S, PATIENCE_S, Flights, Landing
from tests.support.virtualtime import clock, in_virtual_time


@in_virtual_time
async def test_the_first_leads_and_the_others_wait() -> None:
    """Each hears how it ended; then the next one leads."""
    flights = Flights()
    flight, leads = flights.join("a")
    assert flight is not None
    assert leads
    same, again = flights.join("a")
    waiting = [asyncio.create_task(flight.wait()) for _ in range(3)]
    await asyncio.sleep(1)
    flight.land(Landing.STORED)
    flight.land(Landing.UNSHARED)

    assert (same, again) == (flight, False)
    assert await asyncio.gather(*waiting) == [Landing.STORED] * 3
    assert len(flights) == 0
    assert flights.join("a")[1]


@in_virtual_time
async def test_who_no_longer_waits_takes_nothing_from_the_others() -> None:
    """A follower that is cancelled."""
    flight, _ = Flights().join("a")
    assert flight is not None
    gone, staying = (asyncio.create_task(flight.wait()) for _ in range(2))
    await asyncio.sleep(1)
    gone.cancel()
    await asyncio.sleep(1)
    flight.land(Landing.ABANDONED)

    assert await staying is Landing.ABANDONED


@in_virtual_time
async def test_an_answer_that_has_begun_is_hurried_for_those_who_wait() -> None:
    """Once, whoever comes first; and not for ever."""
    flight, _ = Flights().join("a")
    assert flight is not None
    hurried: list[float] = []
    early = asyncio.create_task(flight.wait())
    await asyncio.sleep(1)
    flight.begun(lambda: hurried.append(clock()))
    late = asyncio.create_task(flight.wait())
    began = clock()

    assert await asyncio.gather(early, late) == [Landing.UNSHARED] * 2
    assert hurried == [began]
    assert clock() == began + BODY_S
    assert flight.has_begun


@in_virtual_time
async def test_nobody_waits_for_ever_for_an_answer_that_does_not_begin() -> None:
    """All that wait go on their own; so do those who come later."""
    flights = Flights()
    flight, _ = flights.join("a")
    assert flight is not None
    began = clock()

    assert await asyncio.gather(flight.wait(), flight.wait()) == [Landing.UNSHARED] * 2
    assert clock() == began + PATIENCE_S
    assert flights.join("a")[1]


@in_virtual_time
async def test_an_answer_that_nobody_waits_for_is_not_hurried() -> None:
    """Until somebody does."""
    flight, _ = Flights().join("a")
    assert flight is not None
    hurried: list[int] = []
    flight.begun(lambda: hurried.append(1))
    assert hurried == []
    waiting = asyncio.create_task(flight.wait())
    await asyncio.sleep(0)
    flight.land(Landing.STORED)

    assert await waiting is Landing.STORED
    assert hurried == [1]
