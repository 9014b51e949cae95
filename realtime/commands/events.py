"""D: `gateway events publish` and `tail`: through the Redis stream that the workers of this installation read."""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from secrets import token_hex
from typing import Any, Final

import orjson
from django.conf import settings

from authproxy.bus import Unpublished
from authproxy.commands.shared import add_group, told
from realtime.events import LONGEST_TYPE, Event
from realtime.hub.hub import Hub
from realtime.hub.stream import RedisStream
from routing.commands.console import OK, CommandRefused, Console, add_json, whole
from routing.notify import bound_redis
from routing.topics import OWN, is_topic

NO_REDIS: Final = (
    "events of other processes go through Redis, and there is none: set REDIS_URL, or start the gateway here"
)
AWAY: Final = "Redis does not answer"
MOST_WAITING: Final = 10_000


def add(subparsers: Any) -> None:
    """Registers the subcommands."""
    commands = add_group(
        subparsers, "events", "publish an event, or follow topics, as an operator of this node"
    )
    parser = commands.add_parser("publish", help="one event to all subscribers of a topic, on all workers")
    parser.add_argument("topic", metavar="TOPIC")
    parser.add_argument("--type", default="message", metavar="T", help="what happened (default: message)")
    parser.add_argument("--data", default="null", metavar="JSON", help="anything that JSON has")
    add_json(parser)
    parser.set_defaults(run=run_publish)
    parser = commands.add_parser("tail", help="print events of topics as they come; Ctrl-C ends it")
    parser.add_argument("topics", metavar="TOPIC", nargs="+")
    parser.add_argument("--after", default="", metavar="ID", help="first those that came after this event")
    parser.add_argument(
        "--count", type=whole(0), default=0, metavar="N", help="end after so many (default: never)"
    )
    parser.add_argument("--json", action="store_true", dest="as_json", help="print a JSON object a line")
    parser.set_defaults(run=run_tail)


def run_publish(options: argparse.Namespace, console: Console) -> int:
    """`gateway events publish TOPIC --type T --data JSON`."""
    _check(options.topic)
    if options.topic.startswith(OWN):
        raise CommandRefused(f"topics that begin with {OWN} are the gateway's own")
    if not (0 < len(options.type) <= LONGEST_TYPE and options.type.isprintable()):
        raise CommandRefused(f"--type: want 1 to {LONGEST_TYPE} printable characters")
    try:
        data = orjson.loads(options.data)
    except orjson.JSONDecodeError as error:
        raise CommandRefused(f"--data is not JSON: {error}") from None
    event = asyncio.run(_publish(options.topic, options.type, data))
    shown = {"id": event.id, "topic": event.topic, "type": event.type, "timestamp": event.timestamp}
    return told(options, console, shown, f"published {event.id}")


def run_tail(options: argparse.Namespace, console: Console) -> int:
    """`gateway events tail TOPIC…`."""
    for topic in options.topics:
        _check(topic)
    asyncio.run(_tail(options, console))
    return OK


async def _publish(topic: str, kind: str, data: Any) -> Event:
    async with _hub() as hub:
        event = await hub.publish(topic, kind, data)
        if isinstance(event, Unpublished):
            raise CommandRefused(f"not published: {event.why}")
        if hub.tally.alone:
            raise CommandRefused(f"not published: {AWAY}")
        return event


async def _tail(options: argparse.Namespace, console: Console) -> None:
    following = Following()
    async with _hub() as hub:
        for topic in options.topics:
            await hub.subscribe(topic, following, after=options.after)
        if not options.as_json:
            console.warn(f"following {', '.join(options.topics)}")
        left = options.count
        while True:
            found = await following.waiting.get()
            if isinstance(found, Event):
                console.say(_line(found, as_json=options.as_json))
                left -= 1
                if left == 0:
                    return
            else:
                console.warn(f"gap: something of {found} was lost")
            console.out.flush()


@asynccontextmanager
async def _hub() -> AsyncIterator[Hub]:
    """A member of the installation, for as long as the command runs."""
    url = bound_redis()
    if url is None:
        raise CommandRefused(NO_REDIS)
    rng = Random()  # noqa: S311 - when, not secrets
    stream = RedisStream(url, key=f"{{{settings.CONFIG.service_name}:events}}", rng=rng)
    hub = Hub(node=token_hex(4), stream=stream)
    await hub.start()
    try:
        if not stream.is_following:
            raise CommandRefused(AWAY)
        yield hub
    finally:
        await hub.stop()


class Following:
    """A sink: what waits to be printed. What does not fit is a gap."""

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[Event | str] = asyncio.Queue()

    def deliver(self, event: Event) -> None:
        """An event, or a gap in its place."""
        waiting = self.waiting.qsize()
        if waiting < MOST_WAITING:
            self.waiting.put_nowait(event)
        elif waiting == MOST_WAITING:
            self.waiting.put_nowait(event.topic)

    def gap(self, topic: str) -> None:
        """Told between the events."""
        if self.waiting.qsize() <= MOST_WAITING:
            self.waiting.put_nowait(topic)

    async def room(self) -> None:
        """Lets the printing go on."""
        await asyncio.sleep(0)


def _line(event: Event, *, as_json: bool) -> str:
    data = orjson.dumps(event.data).decode()
    if not as_json:
        return f"{event.timestamp}  {event.topic}  {event.type}  {data}  {event.id}"
    fields = {
        "id": event.id,
        "topic": event.topic,
        "type": event.type,
        "data": event.data,
        "timestamp": event.timestamp,
    }
    return orjson.dumps(fields).decode()


def _check(topic: str) -> None:
    if not is_topic(topic):
        raise CommandRefused(f"{topic!r} is no topic: 1 to 200 of letters, digits and . _ : -")
