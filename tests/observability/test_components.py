"""What the gateway leans on is asked at once, and nobody waits for what hangs."""

import asyncio

import pytest

from observability.components import Seen, look


async def well() -> Seen:
    return Seen()


async def hanging() -> Seen:
    await asyncio.Event().wait()
    return Seen()


async def unwell() -> Seen:
    return Seen("does not answer", 1.0)


async def failing() -> Seen:
    raise RuntimeError("redis://:secret@10.0.0.1")


async def test_each_says_how_it_is() -> None:
    """In one word, and with its time; what there is not is not ill."""

    async def known() -> Seen:
        return Seen(latency_s=0.0123456)

    found = await look({"well": well, "known": known, "unwell": unwell, "none": None})
    assert list(found) == ["well", "known", "unwell", "none"]
    assert found["well"]["status"] == "healthy"
    assert found["well"]["latency_ms"] >= 0
    assert found["known"] == {"status": "healthy", "latency_ms": 12.346}
    assert found["unwell"] == {"status": "unhealthy", "latency_ms": None, "reason": "does not answer"}
    assert found["none"] == {"status": "disabled"}


async def test_what_hangs_is_given_up_and_the_others_are_told() -> None:
    """All of them wait at the same time."""
    async with asyncio.timeout(10):
        found = await look({"a": hanging, "b": well, "c": hanging}, timeout_s=0.05)
    assert [each["status"] for each in found.values()] == ["unhealthy", "healthy", "unhealthy"]
    assert found["a"]["reason"] == "no answer within 0.05 s"


async def test_a_check_that_fails_tells_nothing_of_what_it_knows() -> None:
    """Errors of clients name addresses and passwords."""
    assert (await look({"a": failing}))["a"]["reason"] == "could not be asked"


async def test_who_no_longer_waits_takes_it_with_them() -> None:
    """Cancelling is no answer."""
    task = asyncio.ensure_future(look({"a": hanging}, timeout_s=60.0))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
