"""Waiting for a place: in order, not for ever, and without a trace of those who gave up."""

import asyncio
from random import Random

import pytest

from resilience.concurrency import ConcurrencyLimit
from resilience.policies import ConcurrencyPolicy
from resilience.waiting import wait
from tests.support.virtualtime import clock, in_virtual_time


def full(*, queue: int = 10) -> ConcurrencyLimit:
    """One place, and it is taken."""
    limit = ConcurrencyLimit(ConcurrencyPolicy(1, queue=queue))
    limit.enter()
    return limit


async def joined(limit: ConcurrencyLimit, patience_s: float = 5.0) -> "asyncio.Task[bool]":
    """Somebody who stands in the queue."""
    waiting = limit.waiting
    task = asyncio.get_running_loop().create_task(wait(limit, patience_s))
    await asyncio.sleep(0)
    assert limit.waiting == waiting + 1
    return task


@in_virtual_time
async def test_turn_comes_when_a_place_comes_free() -> None:
    """To one at a time, in order."""
    limit = full()
    first, second = await joined(limit), await joined(limit)
    limit.release()

    assert await first
    assert not second.done()
    limit.release()
    assert await second
    assert (limit.in_flight, limit.waiting, limit.refused) == (1, 0, 0)


@in_virtual_time
async def test_full_queue_is_no_wait() -> None:
    """The answer comes at once."""
    limit, began = full(queue=0), clock()

    assert not await wait(limit, 5.0)
    assert clock() == began
    assert limit.refused == 1


@in_virtual_time
async def test_patience_ends() -> None:
    """Whoever waits in vain is refused and counted, and the next one is not kept up."""
    limit, began = full(), clock()
    vain, patient = await joined(limit, 2.0), await joined(limit, 9.0)

    assert not await vain
    assert clock() == pytest.approx(began + 2.0)
    assert (limit.waiting, limit.refused) == (1, 1)
    limit.release()
    assert await patient


@in_virtual_time
async def test_turn_in_the_moment_in_which_patience_ends_is_taken() -> None:
    """It is granted already: to refuse now would lose a place."""
    limit = full()
    task = await joined(limit, 2.0)
    asyncio.get_running_loop().call_later(2.0, limit.release)

    assert await task
    assert limit.in_flight == 1


@pytest.mark.parametrize("release_first", [True, False])
@in_virtual_time
async def test_cancelled_in_the_moment_of_its_turn(release_first: bool) -> None:
    """The place goes to the next one."""
    limit = full()
    task, second = await joined(limit), await joined(limit)
    for action in (limit.release, task.cancel) if release_first else (task.cancel, limit.release):
        action()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert await second
    assert (limit.in_flight, limit.waiting) == (1, 0)


@pytest.mark.parametrize("seed", range(20))
@in_virtual_time
async def test_nothing_leaks_among_random_cancels(seed: int) -> None:
    """500 requests through three places, many of them given up at any time: never more, never stuck, none left."""
    rng = Random(seed)
    limit = ConcurrencyLimit(ConcurrencyPolicy(3, queue=20))
    inside = most = served = 0

    async def one() -> None:
        nonlocal inside, most, served
        if not limit.enter() and not await wait(limit, rng.choice([0.0, 0.01, 1.0])):
            return
        inside += 1
        most = max(most, inside)
        try:
            await asyncio.sleep(rng.choice([0.0, 0.001, 0.01]))
            served += 1
        finally:
            inside -= 1
            limit.release()

    tasks = []
    for _ in range(500):
        tasks.append(asyncio.get_running_loop().create_task(one()))
        if rng.random() < 0.4:
            rng.choice(tasks).cancel()
        await asyncio.sleep(rng.choice([0.0, 0.0, 0.001, 0.004]))
    await asyncio.gather(*tasks, return_exceptions=True)

    assert (most, limit.in_flight, limit.waiting) == (3, 0, 0)
    assert served > 100
