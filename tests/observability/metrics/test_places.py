"""Readers, each at its own pace."""

import asyncio

import pytest

from observability.metrics.places import FAIR_S, LONGEST_S, Places
from tests.support.virtualtime import clock, in_virtual_time


async def read(places: Places, *times: float, rest: float = 0.0) -> tuple[float, bool]:
    """When it left, and whether it had read all: so many pieces, of so many seconds each."""
    try:
        async with places.taken() as place:
            for seconds in times:
                await asyncio.sleep(rest)
                async with place.reading():
                    await asyncio.sleep(seconds)
    except TimeoutError:
        return clock(), False
    return clock(), True


@in_virtual_time
async def test_who_keeps_nobody_waiting_may_read_long() -> None:
    began = clock()
    left, is_whole = await read(Places(most=1), *[1.0] * 59)

    assert (left - began, is_whole) == (59, True)


@in_virtual_time
async def test_but_not_for_ever() -> None:
    began = clock()
    left, is_whole = await read(Places(most=1), *[1.0] * 99)

    assert (left - began, is_whole) == (LONGEST_S, False)


@in_virtual_time
async def test_who_waits_for_a_piece_does_not_read() -> None:
    """However long the answer takes to be made."""
    places = Places(most=1)
    found = await asyncio.gather(read(places, 0.1, 0.1, rest=99.0), read(places, 0.1))

    assert [is_whole for _, is_whole in found] == [True, True]


@pytest.mark.parametrize("waiting", [1, 3, 7])
def test_whoever_waits_has_a_place_in_time(waiting: int) -> None:
    """Each sends one reader away, those who come later as well: none waits longer than its turn."""

    @in_virtual_time
    async def run() -> None:
        places, began = Places(most=2), clock()
        found = await asyncio.gather(*(read(places, 999.0) for _ in range(2 + waiting)))
        left = sorted(at - began for at, _ in found)

        assert not any(is_whole for _, is_whole in found)
        assert left[0] == FAIR_S
        assert left[waiting - 1] <= FAIR_S * (1 + (waiting - 1) // 2)

    run()


@in_virtual_time
async def test_who_read_longer_than_is_fair_leaves_at_once() -> None:
    places = Places(most=1)
    slow = asyncio.create_task(read(places, 999.0))
    await asyncio.sleep(3 * FAIR_S)
    began = clock()
    (left, is_whole), (came, has_all) = await asyncio.gather(slow, read(places, 0.0))

    assert (left - began, is_whole) == (0, False)
    assert (came - began, has_all) == (0, True)


@in_virtual_time
async def test_where_there_is_room_nobody_is_hurried() -> None:
    places, began = Places(most=3), clock()
    found = await asyncio.gather(*(read(places, 2 * FAIR_S) for _ in range(3)))

    assert [(at - began, is_whole) for at, is_whole in found] == [(2 * FAIR_S, True)] * 3


@in_virtual_time
async def test_who_gives_up_waiting_leaves_no_trace() -> None:
    """One who comes later waits as long as anybody."""
    places = Places(most=1)
    slow = asyncio.create_task(read(places, 999.0))
    waiting = [asyncio.create_task(read(places, 0.0)) for _ in range(3)]
    await asyncio.sleep(1.0)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    later = [asyncio.create_task(read(places, 999.0)), asyncio.create_task(read(places, 0.0))]
    await asyncio.wait([slow, *later])
    at = [task.result()[0] for task in (slow, *later)]

    assert at == [at[0], at[0] + FAIR_S, at[0] + FAIR_S]
