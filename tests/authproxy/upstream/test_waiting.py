"""Tests of the queue before a pool."""

import asyncio
from typing import Any, cast

import httpx
import pytest

from authproxy.upstream.errors import NOTHING_SENT, DeadlineExceeded, progress_of
from authproxy.upstream.waiting import Patience, Waiter, WaitingLine
from tests.support.wires import FakeLoop

LOOP: Any = FakeLoop()


def join(line: WaitingLine, *, fresh: bool = False, **patience: float) -> Waiter:
    return line.join(LOOP, Patience(**patience), fresh=fresh)


async def test_first_come_first_served() -> None:
    """And nobody after the last."""
    line = WaitingLine(max_waiting=3)
    waiters = [join(line) for _ in range(3)]

    assert len(line) == 3
    assert [line.next() for _ in range(4)] == [*waiters, None]
    assert len(line) == 0


async def test_those_who_have_gone_are_passed_over() -> None:
    """Whether or not they have left the queue properly."""
    line = WaitingLine(max_waiting=3)
    first, second, third = (join(line) for _ in range(3))
    first.turn.cancel()
    line.leave(second)
    line.leave(second)

    assert line.next() is third


async def test_the_queue_has_an_end() -> None:
    """One too many is refused at once."""
    line = WaitingLine(max_waiting=1)
    join(line)
    with pytest.raises(httpx.PoolTimeout, match="too many") as caught:
        join(line)
    assert progress_of(caught.value) == NOTHING_SENT


async def test_waiting_has_an_end() -> None:
    """The pool timeout and the deadline have names of their own; others wait on."""
    line = WaitingLine(max_waiting=4)
    patient, short, late, gone = (
        join(line),
        join(line, pool_s=5.0),
        join(line, pool_s=9.0, deadline=1005.0),
        join(line, pool_s=5.0),
    )
    gone.turn.cancel()
    line.expire(1004.9)
    assert len(line) == 4
    line.expire(1005.0)

    assert type(short.turn.exception()) is httpx.PoolTimeout
    assert type(late.turn.exception()) is DeadlineExceeded
    assert progress_of(cast("Exception", late.turn.exception())) == NOTHING_SENT
    assert line.next() is patient


async def test_all_can_be_sent_away() -> None:
    """Each with an exception of its own."""
    line = WaitingLine(max_waiting=3)
    first, second = join(line, fresh=True), join(line)
    line.dismiss(lambda: httpx.PoolTimeout("closed"))
    failures = await asyncio.gather(first.turn, second.turn, return_exceptions=True)

    assert [type(failure) for failure in failures] == [httpx.PoolTimeout, httpx.PoolTimeout]
    assert failures[0] is not failures[1]
    assert len(line) == 0
