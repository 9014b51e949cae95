"""Redis Streams, on a real Redis."""

import asyncio

import pytest
from redis.asyncio import Redis

from realtime.bus.adapter import HubRefused, Message
from realtime.bus.redisstreams import RedisHub
from tests.support import busstory


async def test_delivers(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was rejected comes again once it has lain for a while."""
    monkeypatch.setattr("realtime.bus.redisstreams.IDLE_MS", 100)
    monkeypatch.setattr("realtime.bus.redisstreams.WAIT_MS", 100)
    assert (await busstory.delivers(RedisHub, redis_url))[1] == busstory.SENT


async def test_notices_what_is_lost(redis_url: str) -> None:
    assert (await busstory.notices_what_is_lost(RedisHub, redis_url))[1] == busstory.NOTICED


async def test_an_entry_has_all_that_belongs_to_the_event(redis_url: str) -> None:
    """Under the topic's name; the stream keeps about as many as the URL says."""
    name = busstory.topic()
    hub = RedisHub(f"{redis_url}?maxlen=100")
    await hub.open()
    async with Redis.from_url(redis_url) as redis:
        for number in range(400):
            await hub.send(Message(str(number), name, "now", b"\0", "a/b", {"x-consumer": "ada"}))
        assert await redis.xlen(name) < 300
        ((_, fields),) = await redis.xrevrange(name, count=1)
        assert fields == {
            b"id": b"399", b"topic": name.encode(), b"time": b"now", b"content_type": b"a/b",
            b"headers": b'{"x-consumer":"ada"}', b"body": b"\0",
        }  # fmt: skip
        await redis.set(f"{name}.s", "x")
        with pytest.raises(HubRefused):
            await hub.send(Message("1", f"{name}.s", "", b""))
        await redis.delete(name, f"{name}.s")
    await hub.close()


async def test_entries_of_other_writers(redis_url: str) -> None:
    """Have fields of their own; there are no wildcards."""
    name, hub = busstory.topic(), RedisHub(redis_url)
    await hub.open()
    async with Redis.from_url(redis_url) as redis, busstory.listening(hub, name, "g") as queue:
        await redis.xadd(name, {b"data": b"1", b"headers": b"{", b"\xff": b"x"})
        got = await asyncio.wait_for(queue.get(), 10)
        assert (got.topic, got.body, got.headers) == (name, b"1", {})
        assert got.id.startswith(f"{name}-")
        await redis.delete(name)
    with pytest.raises(HubRefused):
        await hub.listen(["a.*"], "g", lambda _: asyncio.sleep(0, True))
    await hub.close()
