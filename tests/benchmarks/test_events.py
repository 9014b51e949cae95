"""What is measured of events, against a hub of a few lines instead of a gateway."""

import asyncio
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from benchmarks import events, proc, socketload
from benchmarks.errors import BenchmarkError
from benchmarks.events import Publisher
from benchmarks.lineup import Proxy

PROXY = cast(Proxy, SimpleNamespace(child=SimpleNamespace(pid=1), port=1))


class Subscriber:
    """Is told at once that it is subscribed."""

    def __init__(self, on_message: Callable[[Any, bytes], None]) -> None:
        self.hear = on_message
        self.transport = self
        self.is_gone = False

    def send(self, data: bytes) -> None:
        asked = json.loads(data)
        assert asked == {"type": "subscribe", "topic": events.TOPIC}
        self.hear(self, b'{"type":"subscribed","topic":"generation.1"}')

    def abort(self) -> None:
        self.is_gone = True


class Hub:
    """Takes what is published to all but so many of its subscribers."""

    def __init__(self, *, deaf: int = 0) -> None:
        self.deaf = deaf
        self.subscribers: list[Subscriber] = []
        self.published: list[Any] = []

    async def opened(
        self, _port: int, path: str, count: int, on_message: Callable[[Any, bytes], None], _headers: Any
    ) -> list[Subscriber]:
        assert path == events.WS
        self.subscribers = [Subscriber(on_message) for _ in range(count)]
        return self.subscribers

    async def publish(self, data: Any) -> None:
        self.published.append(data)
        message = b'{"type":"event","data":' + json.dumps(data).encode() + b"}"
        for each in self.subscribers[self.deaf :]:
            asyncio.get_running_loop().call_soon(each.hear, each, message)

    async def publisher(self, _port: int) -> "Hub":
        return self

    def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    found = Hub()
    monkeypatch.setattr(socketload, "opened", found.opened)
    monkeypatch.setattr(Publisher, "opened", found.publisher)
    monkeypatch.setattr(proc, "cpu_us", lambda _pid: 1e6 * len(found.published))
    monkeypatch.setattr(proc, "connections", lambda _pid, _port: {2: 9, 3: 7})
    monkeypatch.setattr(events, "_APART_S", 0.0)
    return found


async def test_spreading_ends_when_everybody_has_everything(hub: Hub) -> None:
    """And is the CPU time between the first event and the last delivery; nobody stays connected."""
    assert await events.spread_s(PROXY, subscribers=3, events=4) == 4.0
    assert [each["percent"] for each in hub.published] == [0, 1, 2, 3]
    assert all(each.is_gone for each in hub.subscribers)


async def test_what_is_not_delivered_to_all_is_no_result(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails in bounded time instead."""
    monkeypatch.setattr(events, "_WAIT_S", 0.05)
    hub.deaf = 1
    with pytest.raises(TimeoutError):
        await events.spread_s(PROXY, subscribers=2, events=1)
    with pytest.raises(TimeoutError):
        await events.between_ms(PROXY, events=1)


async def test_the_way_between_workers_is_the_slowest_subscribers(hub: Hub) -> None:
    """Milliseconds; each event is on its way alone."""
    found = await events.between_ms(PROXY, events=5)
    assert 0 < found < 5_000
    assert [number for number, _sent in hub.published] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("at", [{}, {2: 16}])
async def test_subscribers_of_one_worker_prove_nothing(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, at: dict[int, int]
) -> None:
    """Nothing went between workers, so nothing is published and nothing claimed."""
    monkeypatch.setattr(proc, "connections", lambda _pid, _port: at)
    with pytest.raises(BenchmarkError, match="one worker"):
        await events.between_ms(PROXY, events=1)
    assert hub.published == []


@pytest.mark.parametrize(("status", "is_taken"), [("202 Accepted", True), ("403 Forbidden", False)])
async def test_a_publisher_waits_for_its_answer(status: str, is_taken: bool) -> None:
    """What is not taken fails, with what the gateway said."""
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        asked.append(await reader.readexactly(length))
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 4\r\n\r\nsaid".encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        publisher = await Publisher.opened(server.sockets[0].getsockname()[1])
        if is_taken:
            await publisher.publish([1])
        else:
            with pytest.raises(AssertionError, match="said"):
                await publisher.publish([1])
        publisher.close()
    assert [json.loads(each) for each in asked] == [{"topic": events.TOPIC, "type": "progress", "data": [1]}]


def test_the_gateway_has_as_many_workers_as_are_asked_for() -> None:
    """The name is the row's."""
    assert events.peer(workers=2).name == "Torana events 2"
