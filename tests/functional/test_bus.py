"""A whole gateway publishes to a real RabbitMQ, through an outage and the death of the gateway."""

import os
import signal

import aio_pika
import orjson
import pytest

from tests.support.brokers import URLS
from tests.support.busstory import proxied, topic
from tests.support.gateway import Answer, document, route
from tests.support.process import Running, Site

pytestmark = [pytest.mark.rabbitmq, pytest.mark.timeout(200)]


async def publish(running: Running, number: int) -> Answer:
    return await running.get("/e", "Content-Type: application/json", method="POST", body=b'{"n":%d}' % number)


async def test_a_202_is_never_lost(site: Site) -> None:
    """Confirmed by the hub, or kept while it is away; and what was kept outlives kill -9 of the whole gateway."""
    name = topic()
    await site.apply(document(route("events", path="/e", publish={"topic": name})))
    async with (
        proxied(URLS["rabbitmq"]) as (url, proxy),
        await aio_pika.connect(URLS["rabbitmq"]) as connection,
    ):
        channel = await connection.channel()
        queue = await channel.declare_queue(name, durable=True)
        async with site.serving(MESSAGE_HUB_URL=url) as running:
            first = await running.until("/e", 202)
            await proxy.stop()
            kept = [orjson.loads((await publish(running, number)).body) for number in range(3)]
            assert [each["kept_by"] for each in kept] == ["outbox"] * 3
            assert "guest" not in running.text
            os.killpg(running.process.pid, signal.SIGKILL)
            await running.ended()
        await proxy.start()
        async with site.serving(MESSAGE_HUB_URL=url) as running:
            wanted = {orjson.loads(first.body)["id"], *(each["id"] for each in kept)}
            seen: list[str] = []
            async with queue.iterator(timeout=30) as messages:
                async for message in messages:
                    await message.ack()
                    seen.append(message.message_id or "")
                    if wanted <= set(seen):
                        break
            assert [each for each in seen if each in {one["id"] for one in kept}] == [
                one["id"] for one in kept
            ]
            told = await site.gateway("bus", "status", "--json", MESSAGE_HUB_URL=url)
            assert (told.code, told.data["status"], told.data["waiting"]) == (0, "healthy", 0)
        await queue.delete(if_unused=False, if_empty=False)
