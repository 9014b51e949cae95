"""I: A link to a real Redis, and what is published there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from redis.asyncio import Redis

from resilience.stores.connection import RedisLink


@asynccontextmanager
async def link_to(url: str) -> AsyncIterator[RedisLink]:
    """Connected."""
    link = RedisLink(url, rng=Random(1), timeout_s=5.0)
    await link.start()
    assert link.is_up, link.why
    try:
        yield link
    finally:
        await link.stop()


@asynccontextmanager
async def published(url: str, channel: str, news: "asyncio.Queue[Any]") -> AsyncIterator[None]:
    """Puts every message of the channel into the queue."""
    async with Redis.from_url(url) as client, client.pubsub() as ear:
        await ear.subscribe(channel)
        await ear.get_message(timeout=5.0)

        async def listen() -> None:
            async for message in ear.listen():
                news.put_nowait(message["data"])

        task = asyncio.create_task(listen())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
