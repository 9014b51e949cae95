"""I: RabbitMQ by AMQP 0-9-1 (aio-pika): publisher confirms, persistent messages, one durable topic exchange.

Events go to the exchange `torana.events` (or `?exchange=` of the URL) with their topic as the routing key. A topic for
which nobody has bound a queue would be thrown away by the broker, confirmed all the same: so events are mandatory, and
when one comes back, a durable queue of the topic's name is made for it.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractIncomingMessage
from aiormq.exceptions import AMQPError, ChannelClosed, PublishError

from realtime.bus.adapter import ID, TIME, TOPIC, Handle, HubAway, HubRefused, Message

EXCHANGE: Final = "torana.events"
PREFETCH: Final = 50
AGAIN_S: Final = 1.0
_AWAY: Final = (OSError, AMQPError, asyncio.TimeoutError, RuntimeError)


class AmqpHub:
    """One connection with a channel for sending."""

    guarantee = (
        "RabbitMQ has confirmed the event, and keeps it on disk in a durable queue until somebody takes it."
    )

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        given = dict(parse_qsl(parts.query))
        self._exchange_name = given.pop("exchange", EXCHANGE)
        self._url = urlunsplit(parts._replace(query=urlencode(given)))
        self._connection: Any = None
        self._channel: AbstractChannel | None = None
        self._exchange: AbstractExchange | None = None

    async def open(self) -> None:
        try:
            self._connection = await aio_pika.connect(self._url)
            self._channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
            self._exchange = await self._declare(self._channel)
        except _AWAY as error:
            raise _away(error) from None

    async def _declare(self, channel: AbstractChannel) -> AbstractExchange:
        return await channel.declare_exchange(self._exchange_name, aio_pika.ExchangeType.TOPIC, durable=True)

    async def send(self, message: Message) -> None:
        try:
            await self._send(message)
        except _AWAY as error:
            raise _away(error) from None

    async def _send(self, message: Message) -> None:
        if self._exchange is None or self._connection is None or self._connection.is_closed:
            raise HubAway("the connection is closed")
        sent = aio_pika.Message(
            message.body,
            content_type=message.content_type or None,
            message_id=message.id,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            headers={**message.headers, TOPIC: message.topic, TIME: message.time},
        )
        try:
            await self._exchange.publish(sent, message.topic, mandatory=True)
        except PublishError:  # nobody has bound a queue
            await self._keep(message.topic)
            await self._exchange.publish(sent, message.topic, mandatory=True)

    async def _keep(self, topic: str) -> None:
        """A queue of the topic's name, on a channel that may break: one with other arguments may be there."""
        channel = await self._connection.channel()
        try:
            with suppress(ChannelClosed):
                await channel.declare_queue(topic, durable=True)
        finally:
            await channel.close()
        channel = await self._connection.channel()
        try:
            queue = await channel.declare_queue(topic, passive=True)
            await queue.bind(self._exchange_name, topic)
        finally:
            await channel.close()

    async def ping(self) -> None:
        """A channel is opened and closed."""
        if self._connection is None or self._connection.is_closed:
            raise HubAway("the connection is closed")
        try:
            await (await self._connection.channel()).close()
        except _AWAY as error:
            raise _away(error) from None

    async def listen(self, subjects: Sequence[str], group: str, handle: Handle) -> None:
        try:
            channel = await self._connection.channel()
            await channel.set_qos(prefetch_count=PREFETCH)
            await self._declare(channel)
            queue = await channel.declare_queue(group, durable=True)
            for subject in subjects:
                await queue.bind(self._exchange_name, subject.replace(">", "#"))
            async with queue.iterator() as arriving:
                async for message in arriving:
                    await _handled(message, handle)
        except _AWAY as error:
            raise _away(error) from None
        raise HubAway("the connection is closed")

    async def close(self) -> None:
        with suppress(Exception):
            if self._connection is not None:
                await self._connection.close()


async def _handled(message: AbstractIncomingMessage, handle: Handle) -> None:
    headers = {name: _text(value) for name, value in message.headers.items()}
    known = Message(
        message.message_id or headers.get(ID, ""),
        message.routing_key or "",
        headers.pop(TIME, ""),
        message.body,
        message.content_type or "",
        headers,
    )
    if await handle(known):
        await message.ack()
    else:
        await asyncio.sleep(AGAIN_S)
        await message.nack(requeue=True)


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _away(error: BaseException) -> HubAway | HubRefused:
    """Errors of the library name addresses: only their kind is told."""
    return HubAway(type(error).__name__)
