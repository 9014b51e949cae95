"""I: What every adapter has to do on a real server, told once for all of them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from secrets import token_hex
from urllib.parse import urlsplit, urlunsplit

import pytest

from realtime.bus.adapter import Adapter, HubAway, Message
from tests.support.tcpproxy import TcpProxy

Make = Callable[[str], Adapter]
Seen = tuple[str, str, bytes, str, str]
SENT: set[Seen] = {(str(n), "2026-01-01T00:00:00.000Z", b"\0\xff%d" % n, "a/b", "ada") for n in range(6)}
"""What `delivers` gives when nothing was lost or changed: of each message but its topic's name."""
NOTICED = ["TimeoutError", "HubAway", "HubAway", "sent"]
"""What `notices_what_is_lost` gives: frozen, stopped, tried anew, and back."""


def topic() -> str:
    """One of the test's own."""
    return f"tests.t{token_hex(6)}"


@asynccontextmanager
async def proxied(url: str) -> AsyncIterator[tuple[str, TcpProxy]]:
    """The server behind a proxy that can be frozen and stopped."""
    parts = urlsplit(url)
    proxy = TcpProxy(parts.hostname or "", parts.port or 0)
    await proxy.start()
    try:
        at, _, _ = parts.netloc.rpartition("@")
        yield urlunsplit(parts._replace(netloc=f"{at}@" * bool(at) + f"127.0.0.1:{proxy.port}")), proxy
    finally:
        await proxy.stop()


@asynccontextmanager
async def listening(
    adapter: Adapter, subject: str, group: str, *, reject_first: bool = False
) -> AsyncIterator["asyncio.Queue[Message]"]:
    """What arrives; `reject_first` wants the first one once more."""
    queue: asyncio.Queue[Message] = asyncio.Queue()
    rejected = not reject_first

    async def handle(message: Message) -> bool:
        nonlocal rejected
        await queue.put(message)
        was, rejected = rejected, True
        return was

    task = asyncio.create_task(adapter.listen([subject], group, handle))
    try:
        yield queue
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, HubAway):
            await task


async def delivers(make: Make, url: str) -> tuple[tuple[str, str], set[Seen]]:
    """What was confirmed arrives once for all that listen together, and again if it was rejected.

    The names of its topic and its group, and what came.
    """
    name, group = topic(), f"g{token_hex(4)}"
    sender, one, other = make(url), make(url), make(url)
    for each in (sender, one, other):
        await each.open()
        await each.ping()
    try:
        sent = [
            Message(f"{name}-{number}", name, at, body, kind, {"x-consumer": who})
            for number, at, body, kind, who in sorted(SENT)
        ]
        async with (
            listening(one, name, group, reject_first=True) as first,
            listening(other, name, group) as second,
        ):
            await asyncio.sleep(0.3)
            for message in sent:
                await sender.send(message)
            got: list[Message] = []
            async with asyncio.timeout(20):
                while {each.id for each in got} != {each.id for each in sent} or len(got) < len(sent):
                    for queue in (first, second):
                        with suppress(asyncio.QueueEmpty):
                            got.append(queue.get_nowait())
                    await asyncio.sleep(0.01)
        assert len(got) <= len(sent) + 1
        return (name, group), {_seen(message, name) for message in got}
    finally:
        for each in (sender, one, other):
            await each.close()


def _seen(message: Message, name: str) -> Seen:
    assert message.topic == name
    number = message.id.removeprefix(f"{name}-")
    return (number, *message[2:5], message.headers["x-consumer"])


async def notices_what_is_lost(make: Make, url: str) -> tuple[str, list[str]]:
    """A server that stops is away; one that hangs is noticed by whoever sets a time limit; a new connection works.

    Its topic, and what became of what was sent meanwhile.
    """
    async with proxied(url) as (there, proxy):
        adapter, name = make(there), topic()
        await adapter.open()
        await adapter.send(Message("1", name, "", b"x"))
        proxy.freeze()
        with pytest.raises(TimeoutError) as frozen:
            async with asyncio.timeout(0.3):
                await adapter.send(Message("2", name, "", b"x"))
        await proxy.stop()
        with pytest.raises(HubAway) as stopped:
            async with asyncio.timeout(5):
                await adapter.send(Message("3", name, "", b"x"))
        await adapter.close()
        late = make(there)
        with pytest.raises(HubAway) as refused:
            await late.open()
        assert "guest" not in str(refused.value)
        assert "127.0.0.1" not in str(refused.value)
        await late.close()
        proxy.thaw()
        await proxy.start()
        again = make(there)
        await again.open()
        await again.send(Message("4", name, "", b"x"))
        await again.close()
        return name, [*(each.type.__name__ for each in (frozen, stopped, refused)), "sent"]
