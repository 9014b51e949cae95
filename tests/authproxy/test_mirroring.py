"""Copies are bounded, and end without anybody waiting for them."""

import asyncio

from authproxy.mirroring import Mirrors


async def test_too_many_at_once_are_left_out() -> None:
    """Whoever comes while all places are taken is not copied, and counted."""
    mirrors, go = Mirrors(most=2), asyncio.Event()

    async def copying() -> bool:
        await go.wait()
        return True

    for _ in range(3):
        mirrors.send("r", copying)
    go.set()
    await asyncio.gather(*mirrors._tasks)
    mirrors.send("r", copying)
    await asyncio.gather(*mirrors._tasks)

    assert mirrors.counts == {("r", "too_many"): 1, ("r", "answered"): 3}


async def test_closing_gives_up_what_is_on_its_way() -> None:
    """Nothing is left behind."""
    mirrors = Mirrors()

    async def endless() -> bool:
        await asyncio.Event().wait()
        return True

    mirrors.send("r", endless)
    await asyncio.sleep(0)
    await mirrors.aclose()

    assert mirrors.counts == {("r", "failed"): 1}
