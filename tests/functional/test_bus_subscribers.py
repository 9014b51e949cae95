"""What a foreign client publishes on a real broker reaches a subscriber of `/ws`, through the rule's `bus.subject`."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aio_pika
import nats
import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import connect

from tests.support.brokers import URLS
from tests.support.busstory import topic
from tests.support.gateway import document, route
from tests.support.process import Site
from tests.support.redisserver import RedisServer

pytestmark = [pytest.mark.timeout(120)]
BODY = b'{"n": 1}'
REACHED: dict[str, Any] = {"type": "event", "event": "paid", "data": {"n": 1}}
Send = Callable[[str, str], Awaitable[None]]


async def by_amqp(url: str, name: str) -> None:
    async with await aio_pika.connect(url) as connection:
        exchange = await (await connection.channel()).get_exchange("torana.events")
        message = aio_pika.Message(BODY, content_type="application/json", headers={"x-event-type": "paid"})
        await exchange.publish(message, routing_key=name, mandatory=False)


async def by_nats(url: str, name: str) -> None:
    client = await nats.connect(url)
    await client.publish(name, BODY, headers={"x-event-type": "paid"})
    await client.drain()


async def by_redis(url: str, name: str) -> None:
    async with Redis.from_url(url) as redis:
        await redis.xadd(name, {"body": BODY, "headers": '{"x-event-type": "paid"}'})


async def reached(site: Site, url: str, send: Send) -> dict[str, Any]:
    """What the subscriber has of an event that is sent until it has come: that a worker listens is not told."""
    site.env["ENABLE_AUTHENTICATION"] = "false"
    name = topic()
    rules = [{"name": "mapped", "topics": [name], "bus": {"subject": name}}]
    plain = document(route("r", path="/r", respond={"status": 200, "body": "x"}))
    await site.apply({**plain, "topics": rules})
    async with (
        site.serving(MESSAGE_HUB_URL=url) as running,
        connect(f"ws://127.0.0.1:{running.port}/api/v1/ws", proxy=None) as socket,
        asyncio.timeout(60),
    ):
        await socket.send(json.dumps({"type": "subscribe", "topic": name}))
        while json.loads(await socket.recv())["type"] != "subscribed":
            pass
        found: Any = None
        while found is None:
            await send(url, name)
            try:
                async with asyncio.timeout(0.5):
                    found = json.loads(await socket.recv())
            except TimeoutError:
                continue
    assert found["topic"] == name
    return {key: found[key] for key in REACHED}


@pytest.mark.rabbitmq
async def test_rabbitmq(site: Site) -> None:
    assert await reached(site, URLS["rabbitmq"], by_amqp) == REACHED


@pytest.mark.nats
async def test_nats(site: Site) -> None:
    assert await reached(site, URLS["nats"], by_nats) == REACHED


async def test_redis(site: Site, tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server:
        assert await reached(site, server.url, by_redis) == REACHED
