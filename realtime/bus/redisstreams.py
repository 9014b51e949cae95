"""I: Redis Streams (redis-py): each topic is a stream of that name, and XADD is the confirmation.

A stream keeps about a million entries (`?maxlen=` of the URL); the oldest go first.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from realtime.bus.adapter import ID, Handle, HubAway, HubRefused, Message

LOG: Final = logging.getLogger("torana.bus")
KEPT: Final = 1_000_000
CALL_S: Final = 5.0
WAIT_MS: Final = 2000
READ: Final = 50
IDLE_MS: Final = 30_000
"""What another worker has had for longer, without dealing with it, is taken over."""
_AWAY: Final = (OSError, RedisError, asyncio.TimeoutError)


class RedisHub:
    """One connection for sending; each listener has its own."""

    guarantee = (
        "Redis has taken the event into a stream. Whether that outlives Redis depends on its appendfsync."
    )

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        given = dict(parse_qsl(parts.query))
        maxlen = given.pop("maxlen", "")
        self._kept = int(maxlen) if maxlen.isdigit() else KEPT
        self._url = urlunsplit(parts._replace(query=urlencode(given)))
        self._redis = self._client()

    def _client(self) -> Redis:
        return Redis.from_url(
            self._url, socket_timeout=CALL_S, socket_connect_timeout=2.0, max_connections=8, retry=None
        )

    async def open(self) -> None:
        await self.ping()

    async def ping(self) -> None:
        try:
            await self._redis.execute_command("PING")  # type: ignore[no-untyped-call]
        except _AWAY as error:
            raise HubAway(type(error).__name__) from None

    async def send(self, message: Message) -> None:
        fields: dict[Any, Any] = {
            "id": message.id,
            "topic": message.topic,
            "time": message.time,
            "content_type": message.content_type,
            "headers": orjson.dumps(message.headers),
            "body": message.body,
        }
        try:
            await self._redis.xadd(message.topic, fields, maxlen=self._kept, approximate=True)
        except ResponseError as error:
            if str(error).startswith("WRONGTYPE"):
                raise HubRefused("the topic's name is that of something else in Redis") from None
            raise HubAway("Redis does not write") from None
        except _AWAY as error:
            raise HubAway(type(error).__name__) from None

    async def listen(self, subjects: Sequence[str], group: str, handle: Handle) -> None:
        named = [subject for subject in subjects if not set("*>") & set(subject)]
        if len(named) < len(subjects):
            LOG.warning("streams of Redis are named, not matched: subjects with a wildcard are not heard")
        if not named:
            raise HubRefused("streams of Redis are named, not matched: no wildcard")
        redis = self._client()
        try:
            for subject in named:
                await _make_group(redis, subject, group)
            while True:
                await _read(redis, named, group, handle)
        except _AWAY as error:
            raise HubAway(type(error).__name__) from None
        finally:
            with suppress(Exception):
                await redis.aclose()

    async def close(self) -> None:
        with suppress(Exception):
            await self._redis.aclose()


async def _make_group(redis: Redis, subject: str, group: str) -> None:
    try:
        await redis.xgroup_create(subject, group, id="0", mkstream=True)
    except ResponseError as error:
        if not str(error).startswith("BUSYGROUP"):
            raise


async def _read(redis: Redis, subjects: Sequence[str], group: str, handle: Handle) -> None:
    """What others have left lying, then what is new."""
    for subject in subjects:
        found = await redis.xautoclaim(subject, group, "torana", IDLE_MS, count=READ)
        await _take(redis, subject, group, found[1], handle)
    wanted: dict[Any, Any] = dict.fromkeys(subjects, ">")
    answer: Any = await redis.xreadgroup(group, "torana", wanted, count=READ, block=WAIT_MS)
    streams = answer.items() if isinstance(answer, dict) else answer or ()
    for subject, entries in streams:
        pages = entries[0] if isinstance(answer, dict) else entries
        await _take(redis, subject, group, pages, handle)


async def _take(redis: Redis, subject: Any, group: str, entries: Any, handle: Handle) -> None:
    name = subject.decode() if isinstance(subject, bytes) else str(subject)
    for number, fields in entries:
        if fields is None or await handle(_message(name, number, fields)):
            await redis.xack(subject, group, number)


def _message(subject: str, number: Any, fields: dict[Any, bytes]) -> Message:
    """Of whatever fields: those of other writers may be missing."""
    known = {
        (name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)): value
        for name, value in fields.items()
    }
    try:
        headers = orjson.loads(known.get("headers", b"{}"))
    except orjson.JSONDecodeError:
        headers = {}
    texts = {name: known.get(name, b"").decode("utf-8", "replace") for name in ("id", "time", "content_type")}
    place = number.decode() if isinstance(number, bytes) else str(number)
    return Message(
        texts["id"] or f"{subject}-{place}",
        subject,
        texts["time"],
        known.get("body") or known.get("data", b""),
        texts["content_type"],
        headers if isinstance(headers, dict) else {ID: texts["id"]},
    )
