"""RabbitMQ, the real one."""

import aio_pika
import pytest

from realtime.bus.adapter import Message
from realtime.bus.amqp import AmqpHub
from tests.support import busstory
from tests.support.brokers import URLS

pytestmark = pytest.mark.rabbitmq
URL = URLS["rabbitmq"]


async def forget(*queues: str) -> None:
    """The broker is not this test's alone."""
    async with await aio_pika.connect(URL) as connection:
        channel = await connection.channel()
        for name in queues:
            await channel.queue_delete(name)


async def test_delivers() -> None:
    queues, came = await busstory.delivers(AmqpHub, URL)
    await forget(*queues)
    assert came == busstory.SENT


async def test_notices_what_is_lost() -> None:
    queue, noticed = await busstory.notices_what_is_lost(AmqpHub, URL)
    await forget(queue)
    assert noticed == busstory.NOTICED


async def test_a_topic_that_nobody_has_bound_keeps_its_events() -> None:
    """In a durable queue of its name, which one of other arguments does not disturb."""
    name, hub = busstory.topic(), AmqpHub(URL)
    connection = await aio_pika.connect(URL)
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(name, arguments={"x-max-length": 5}, durable=True)
        await hub.open()
        await hub.send(Message("1", name, "now", b"body", "text/plain", {"traceparent": "00-a"}))
        await hub.close()
        got = await queue.get(timeout=5)
        assert (got.body, got.message_id, got.content_type) == (b"body", "1", "text/plain")
        assert got.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
        assert got.headers["traceparent"] == "00-a"
        assert got.headers["x-event-topic"] == name
        await got.ack()
        await queue.delete()
