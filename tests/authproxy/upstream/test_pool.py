"""Tests of the pool, with connections to nowhere and a clock of the test's own."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import httpx
import pytest

from authproxy.upstream import errors
from authproxy.upstream.base import PoolStats
from authproxy.upstream.connection import Connection
from tests.support.pools import HELLO, HERE, THERE, Bench, settled
from tests.support.wires import Wire


async def test_the_connection_used_last_is_taken_first() -> None:
    """So that the others may grow old and go."""
    bench = Bench()
    first, second = await bench.take(), await bench.take()
    bench.answer(first)
    bench.answer(second)

    assert bench.pool.take_idle(1000.001) is second
    assert bench.pool.take_idle(1000.001) is first
    assert bench.pool.take_idle(1000.001) is None
    assert bench.woken == 2


@pytest.mark.parametrize(
    ("age_s", "spoil", "fit"),
    [
        (0.001, lambda wire: None, True),
        (0.001, lambda wire: setattr(wire.transport, "closing", True), False),
        (0.001, lambda wire: setattr(wire.socket, "state", b""), True),
        (0.5, lambda wire: setattr(wire.socket, "state", b""), False),
        (0.5, lambda wire: None, True),
        (4.1, lambda wire: None, False),
    ],
)
async def test_an_idle_connection_has_to_be_fit(
    age_s: float, spoil: Callable[[Wire], None], fit: bool
) -> None:
    """Not closing, not too old, and nothing waiting to be read in the kernel."""
    bench = Bench()
    bench.answer(await bench.take())
    spoil(bench.dialler.wires[0])

    assert (bench.pool.take_idle(1000.0 + age_s) is not None) == fit
    assert bench.stats[0] == fit


async def test_acquire_prefers_an_idle_connection() -> None:
    """Unless a fresh one is wanted."""
    bench = Bench()
    first = await bench.take()
    bench.answer(first)
    first.idle_since = asyncio.get_running_loop().time()
    assert await bench.take() is first
    bench.answer(first)
    assert await bench.take(fresh=True) is not first
    assert bench.stats == (2, 1, 0, 0)


async def test_a_fresh_one_in_a_full_pool_takes_the_place_of_the_oldest_idle_one() -> None:
    """The bound holds."""
    bench = Bench(max_connections=2)
    first, second = await bench.take(), await bench.take()
    bench.answer(first)
    bench.answer(second)
    await bench.take(fresh=True)

    assert (first.closed, second.closed) == (True, False)
    assert bench.stats == (2, 1, 0, 0)


async def test_a_free_connection_goes_to_whoever_waits_longest() -> None:
    """Directly: it is never idle in between."""
    bench = Bench(max_connections=1)
    only = await bench.take()
    first, second = (asyncio.create_task(bench.take()) for _ in range(2))
    await settled(second)
    assert bench.stats == (1, 0, 0, 2)
    bench.answer(only)
    assert bench.stats == (1, 0, 0, 1)
    assert await first is only
    bench.answer(only)
    assert await second is only


async def test_a_lost_connection_gives_its_slot_to_whoever_waits() -> None:
    """Who then opens one."""
    bench = Bench(max_connections=1)
    only = await bench.take()
    waiting = asyncio.create_task(bench.take())
    await settled(waiting)
    only.fail(httpx.ReadError("lost"))
    bench.pool.release(only)
    assert await waiting is not only
    assert bench.stats == (1, 0, 0, 0)


async def test_whoever_waits_for_a_fresh_one_gets_the_slot_of_the_free_one() -> None:
    """The free one is closed."""
    bench = Bench(max_connections=1)
    only = await bench.take()
    waiting = asyncio.create_task(bench.take(fresh=True))
    await settled(waiting)
    bench.answer(only)
    assert await waiting is not only
    assert only.closed
    assert bench.stats == (1, 0, 0, 0)


async def test_a_connection_that_dies_on_its_way_to_the_next_is_replaced() -> None:
    """Between two turns of the loop the upstream may close it."""
    bench = Bench(max_connections=1)
    only = await bench.take()
    waiting = asyncio.create_task(bench.take())
    await settled(waiting)
    bench.answer(only)
    only.connection_lost(None)
    assert await waiting is not only
    assert bench.stats == (1, 0, 0, 0)


async def test_leaving_the_queue() -> None:
    """Before the turn has come, with a connection in hand, with a slot in hand: the next one gets it."""
    bench = Bench(max_connections=1)
    only = await bench.take()

    async def leave(event: Callable[[], None]) -> Connection:
        quitter = asyncio.create_task(bench.take())
        heir = asyncio.create_task(bench.take())
        await settled(heir)
        event()
        quitter.cancel()
        await asyncio.gather(quitter, return_exceptions=True)
        assert quitter.cancelled()
        if not heir.done() and not bench.stats[2] and bench.stats[3]:
            bench.answer(only)
        return await heir

    assert await leave(lambda: None) is only
    assert await leave(lambda: bench.answer(only)) is only

    def lose() -> None:
        only.fail(httpx.ReadError("lost"))
        bench.pool.release(only)

    assert await leave(lose) is not only
    assert bench.stats == (1, 0, 0, 0)


async def test_a_connection_that_died_on_the_way_to_one_who_left() -> None:
    """It is dropped, and its slot is free again."""
    bench = Bench(max_connections=1)
    only = await bench.take()
    quitter = asyncio.create_task(bench.take())
    await settled(quitter)
    bench.answer(only)
    only.connection_lost(None)
    quitter.cancel()
    await asyncio.gather(quitter, return_exceptions=True)
    assert bench.stats == (0, 0, 0, 0)


async def test_someone_who_has_just_left_is_passed_over() -> None:
    """A cancelled waiter that is still in the queue gets no turn, no timeout and no farewell."""
    for event in ("answer", "sweep", "abort"):
        bench = Bench(max_connections=1)
        only = await bench.take()
        quitter = asyncio.create_task(bench.take(pool_s=0.0))
        await settled(quitter)
        quitter.cancel()
        if event == "answer":
            bench.answer(only)
            assert bench.stats[1] == 1
        elif event == "sweep":
            bench.pool.sweep(1e12)
        else:
            bench.pool.abort()
        await asyncio.gather(quitter, return_exceptions=True)
        assert quitter.cancelled()
        assert bench.stats[3] == 0


async def test_leaving_in_the_moment_of_refusal() -> None:
    """Nothing has been given, so nothing is to be passed on."""
    bench = Bench(max_connections=1)
    await bench.take()
    quitter = asyncio.create_task(bench.take(pool_s=0.0))
    await settled(quitter)
    bench.pool.sweep(1e12)
    quitter.cancel()
    await asyncio.gather(quitter, return_exceptions=True)

    assert quitter.cancelled()
    assert bench.stats[2:] == (0, 0)


async def test_a_failed_connection_frees_its_slot() -> None:
    """And the next in the queue tries."""
    bench = Bench(max_connections=1)
    bench.dialler.go.clear()
    failing = asyncio.create_task(bench.take())
    waiting = asyncio.create_task(bench.take())
    await settled(waiting)
    assert bench.stats == (0, 0, 1, 1)
    bench.dialler.trouble = httpx.ConnectError("refused")
    bench.dialler.go.set()
    results = await asyncio.gather(failing, waiting, return_exceptions=True)

    assert results == [bench.dialler.trouble, bench.dialler.trouble]
    assert errors.progress_of(cast("Exception", results[0])) == errors.NOTHING_SENT
    assert bench.pool.empty


async def test_a_bug_while_connecting_frees_its_slot() -> None:
    """Whatever the exception."""
    bench = Bench()
    bench.dialler.trouble = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await bench.take()
    assert bench.pool.empty


async def test_connecting_takes_no_longer_than_allowed() -> None:
    """The connect timeout and the deadline have names of their own."""
    bench = Bench()
    bench.dialler.go.clear()
    now = asyncio.get_running_loop().time()
    with pytest.raises(httpx.ConnectTimeout, match=r"no connection in 0\.01 s"):
        await bench.take(connect_s=0.01)
    with pytest.raises(errors.DeadlineExceeded, match="no connection by"):
        await bench.take(connect_s=10.0, deadline=now + 0.01)
    assert bench.pool.empty


async def test_max_idle_and_max_age() -> None:
    """More, or older ones, are not kept."""
    bench = Bench(max_idle=1)
    first, second = await bench.take(), await bench.take()
    bench.answer(first)
    bench.answer(second)
    assert (first.closed, second.closed, bench.stats) == (False, True, (1, 1, 0, 0))

    aged = Bench(max_age_s=0.0)
    connection = await aged.take()
    aged.answer(connection, at=connection.retire_at)
    assert aged.pool.empty


async def test_the_sweep_ends_what_has_run_out() -> None:
    """Deadlines of busy connections, idle ones by age."""
    bench = Bench()
    busy, old, young = await bench.take(), await bench.take(), await bench.take()
    busy.await_answer(1000.0, 1002.0)
    bench.answer(old, at=1000.0)
    bench.answer(young, at=1003.0)
    bench.pool.sweep(1004.5)

    assert isinstance(busy.error, errors.DeadlineExceeded)
    assert (old.closed, young.closed) == (True, False)


async def test_what_the_upstream_closes_is_learnt_from() -> None:
    """From its oldest idle connection, and from requests that met a closed one; its word counts as well."""
    bench = Bench()
    limit = bench.pool._idle_limit
    old, young = await bench.take(), await bench.take()
    bench.answer(old, at=1000.0)
    bench.answer(young, at=1001.5)
    cast("Any", young.loop).now = 1002.0
    young.connection_lost(None)
    assert limit.limit_s == 4.0  # an older one lives, so this was no timeout
    cast("Any", old.loop).now = 1002.0
    old.connection_lost(None)
    assert limit.limit_s == 1.0
    bench.pool.met_stale(old, 1001.0)
    assert limit.limit_s == 0.5
    bench.answer(await bench.take(), HELLO.replace(b"Con", b"Keep-Alive: timeout=0\r\nCon"))
    assert limit.limit_s == 0.0


async def test_connections_to_addresses_that_are_gone_are_dropped() -> None:
    """Idle ones at once, busy ones after their request, one that is being handed over by its taker."""
    bench = Bench(max_connections=3)
    idle, busy, handed = await bench.take(), await bench.take(), await bench.take()
    waiting = asyncio.create_task(bench.take())
    await settled(waiting)
    bench.answer(handed)
    bench.answer(idle)
    bench.dialler.addresses = (HERE,)
    bench.pool.sweep(1000.0)
    assert bench.stats[0] == 3
    bench.dialler.addresses = ()
    bench.pool.sweep(1000.0)
    assert bench.stats[0] == 3
    bench.dialler.addresses = (THERE,)
    bench.pool.sweep(1000.0)
    assert (idle.closed, busy.closed, handed.closed) == (True, False, False)
    assert await waiting is handed
    bench.answer(busy)
    bench.answer(handed)
    assert bench.pool.empty


async def test_a_retired_pool_keeps_nothing() -> None:
    """But serves on."""
    bench = Bench()
    idle, busy = await bench.take(), await bench.take()
    bench.answer(idle)
    bench.pool.retire()
    assert (idle.closed, busy.closed) == (True, False)
    bench.answer(busy)
    assert bench.pool.empty
    bench.answer(await bench.take())
    assert bench.pool.empty


async def test_a_retired_pool_serves_its_queue() -> None:
    """On the connections that it has; the last one closes them, also if it leaves with one in hand."""
    bench = Bench(max_connections=1)
    only = await bench.take()
    first, quitter = (asyncio.create_task(bench.take()) for _ in range(2))
    await settled(quitter)
    bench.pool.retire()
    bench.answer(only)
    assert await first is only
    bench.answer(only)
    quitter.cancel()
    await asyncio.gather(quitter, return_exceptions=True)
    assert only.closed
    assert bench.pool.empty


async def test_aborting_ends_everything() -> None:
    """Busy, queued, handed over and connecting."""
    bench = Bench(max_connections=3)
    busy, handed = await bench.take(), await bench.take()
    bench.dialler.go.clear()
    connecting, lucky, waiting = (asyncio.create_task(bench.take()) for _ in range(3))
    await settled(waiting)
    bench.answer(handed)
    bench.pool.abort()
    bench.dialler.go.set()
    results = await asyncio.gather(connecting, lucky, waiting, return_exceptions=True)
    failure = busy.error
    bench.pool.release(busy)

    assert [type(result) for result in results] == [httpx.ConnectError, httpx.ConnectError, httpx.PoolTimeout]
    assert isinstance(failure, httpx.ReadError)
    assert handed.closed
    assert bench.pool.empty


async def test_it_tells_what_it_is() -> None:
    """For logs and failing tests."""
    bench = Bench()

    assert repr(bench.pool) == f"<Pool of http://target.test:80: {PoolStats(0, 0, 0, 0)}>"
