"""I: Waiting for a place among the requests that may be on their way at a time."""

import asyncio
from functools import partial

from resilience.concurrency import ConcurrencyLimit


async def wait(limit: ConcurrencyLimit, patience_s: float) -> bool:
    """Queue up after `limit.enter()` has said no. True: there is a place, to be released exactly once.

    False: the queue was full, or `patience_s` was over first. Whoever is cancelled leaves nothing behind, not even in
    the moment in which its turn comes.
    """
    loop = asyncio.get_running_loop()
    turn: asyncio.Future[bool] = loop.create_future()
    waiter = limit.join(partial(_settle, turn, True))
    if waiter is None:
        return False
    timer = loop.call_later(patience_s, _settle, turn, False)
    try:
        await turn
    except asyncio.CancelledError:
        limit.leave(waiter)
        raise
    finally:
        timer.cancel()
    if not waiter.granted:
        limit.leave(waiter)
        limit.refused += 1
    return waiter.granted


def _settle(turn: "asyncio.Future[bool]", has_place: bool) -> None:
    if not turn.done():
        turn.set_result(has_place)
