"""I: NATS (nats-py): JetStream where the server has it, which confirms what it stores; else core NATS, which cannot.

With JetStream events go into whatever stream takes their subject. Where there is none, the stream `TORANA` (or
`?stream=` of the URL) is made, or takes the subject in addition; it keeps events for a week.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError
from nats.errors import TimeoutError as NatsTimeout
from nats.js.api import ConsumerConfig, StreamConfig
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError

from realtime.bus.adapter import ID, TIME, Handle, HubAway, HubRefused, Message

STREAM: Final = "TORANA"
KEPT_S: Final = 7 * 24 * 3600.0
CONNECT_S: Final = 2
CALL_S: Final = 2.0
FETCHED: Final = 50
_ID: Final = "Nats-Msg-Id"
_TYPE: Final = "Content-Type"
_AWAY: Final = (OSError, NatsError, asyncio.TimeoutError, ConnectionError)

STORED: Final = "JetStream has confirmed the event, and keeps it in a stream."
ONLY_RECEIVED: Final = (
    "The server has received the event, and handed it to those who listened at that time: "
    "without JetStream NATS stores nothing, and who was away has lost it."
)


class NatsHub:
    """One connection, which never reconnects by itself: the link above makes a new one."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._stream = dict(parse_qsl(parts.query)).get("stream", STREAM)
        self._url = urlunsplit(parts._replace(query=""))
        self._client: Client | None = None
        self._jetstream: Any = None
        self.guarantee = STORED

    async def open(self) -> None:
        try:
            self._client = await nats.connect(
                self._url,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=CONNECT_S,
                error_cb=_quiet,
            )
            self._jetstream = await self._find_jetstream(self._client)
        except _AWAY as error:
            raise HubAway(type(error).__name__) from None
        self.guarantee = ONLY_RECEIVED if self._jetstream is None else STORED

    async def _find_jetstream(self, client: Client) -> Any:
        jetstream = client.jetstream(timeout=CALL_S)
        try:
            await jetstream.account_info()
        except (APIError, NatsTimeout, NatsError):
            return None
        return jetstream

    async def send(self, message: Message) -> None:
        headers = {**message.headers, TIME: message.time, _ID: message.id}
        if message.content_type:
            headers[_TYPE] = message.content_type
        try:
            await self._send(message, headers)
        except MaxPayloadError:
            raise HubRefused("larger than the server takes", too_large=True) from None
        except _AWAY as error:
            raise HubAway(type(error).__name__) from None

    async def _send(self, message: Message, headers: dict[str, str]) -> None:
        client = self._client
        if client is None or client.is_closed:
            raise HubAway("the connection is closed")
        if self._jetstream is None:
            await client.publish(message.topic, message.body, headers=headers)
            await client.flush(timeout=int(CALL_S))
            return
        try:
            await self._jetstream.publish(message.topic, message.body, headers=headers)
        except NoStreamResponseError:
            await self._keep([message.topic])
            await self._jetstream.publish(message.topic, message.body, headers=headers)

    async def _keep(self, subjects: Sequence[str]) -> None:
        """The stream takes these subjects from now on."""
        try:
            found = (await self._jetstream.stream_info(self._stream)).config
        except NotFoundError:
            config = StreamConfig(name=self._stream, subjects=list(subjects), max_age=KEPT_S)
            await self._jetstream.add_stream(config)
            return
        found.subjects = widest([*(found.subjects or ()), *subjects])
        await self._jetstream.update_stream(found)

    async def ping(self) -> None:
        if self._client is None or self._client.is_closed:
            raise HubAway("the connection is closed")
        try:
            await self._client.flush(timeout=1)
        except _AWAY as error:
            raise HubAway(type(error).__name__) from None

    async def listen(self, subjects: Sequence[str], group: str, handle: Handle) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                for subject in subjects:
                    tasks.create_task(self._listen(subject, group, handle))
        except* _AWAY as errors:
            raise HubAway(type(errors.exceptions[0]).__name__) from None

    async def _listen(self, subject: str, group: str, handle: Handle) -> None:
        assert self._client is not None
        if self._jetstream is None:
            subscription = await self._client.subscribe(subject, queue=group)
            async for message in subscription.messages:
                await handle(_read(message))
            raise ConnectionError
        durable = f"{group}-{subject}".translate({ord(each): "_" for each in ".*> /\\"})
        stream = await self._stream_of(subject)
        pulled = await self._jetstream.pull_subscribe(
            subject, durable=durable, stream=stream, config=ConsumerConfig(ack_wait=30)
        )
        while not self._client.is_closed:
            with suppress(NatsTimeout):
                for message in await pulled.fetch(FETCHED, timeout=CALL_S):
                    await (message.ack() if await handle(_read(message)) else message.nak(delay=1))
        raise ConnectionError

    async def _stream_of(self, subject: str) -> str:
        with suppress(NotFoundError):
            return str(await self._jetstream.find_stream_name_by_subject(subject))
        await self._keep([subject])
        return self._stream

    async def close(self) -> None:
        with suppress(Exception):
            if self._client is not None:
                await self._client.close()


def widest(subjects: Sequence[str]) -> list[str]:
    """Those that no other one covers: a stream's subjects must not overlap."""
    alone = sorted(set(subjects))
    return [each for each in alone if not any(other != each and covers(other, each) for other in alone)]


def covers(pattern: str, subject: str) -> bool:
    """Whether all that the second takes, the first takes as well: `*` is one part, `>` the last ones."""
    wanted, given = pattern.split("."), subject.split(".")
    for place, part in enumerate(wanted):
        if part == ">":
            return len(given) > place
        if place >= len(given) or given[place] == ">" or part not in ("*", given[place]):
            return False
    return len(wanted) == len(given)


def _read(message: Any) -> Message:
    headers = dict(message.headers or {})
    known = {name: headers.pop(name, "") for name in (_ID, TIME, _TYPE)}
    sequence = ""
    if not known[_ID] and message.reply.startswith("$JS.ACK."):
        sequence = f"{message.metadata.stream}-{message.metadata.sequence.stream}"
    event_id = known[_ID] or headers.get(ID, "") or sequence
    return Message(event_id, message.subject, known[TIME], message.data, known[_TYPE], headers)


async def _quiet(_error: Exception) -> None:
    """The library logs what the link above says better, with the address."""
