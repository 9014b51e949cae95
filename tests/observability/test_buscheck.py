"""Whether somebody listens where the bus should be."""

import asyncio

import pytest

from gateway_project.server.ports import keep_port
from observability.buscheck import bus_check
from observability.components import Seen


@pytest.mark.parametrize("scheme", ["amqp", "nats", "redis", "https"])
async def test_whoever_listens_is_there(scheme: str) -> None:
    """Nothing is said to it, whatever it speaks."""
    heard = asyncio.get_running_loop().create_future()

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.set_result(await reader.read())
        writer.close()

    async with await asyncio.start_server(peer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await bus_check(f"{scheme}://user:secret@127.0.0.1:{port}/x")() == Seen()
        assert await asyncio.wait_for(heard, 10) == b""


async def test_nobody_listens() -> None:
    """Said without the address."""
    assert await bus_check(f"amqp://127.0.0.1:{keep_port()}")() == Seen("cannot be reached")


@pytest.mark.parametrize(
    ("url", "port"),
    [("amqp://h", 5672), ("amqps://h", 5671), ("nats://h", 4222), ("tls://h", 4222), ("redis://h", 6379),
     ("rediss://h", 6379), ("http://h", 80), ("https://h:1", 1)],
)  # fmt: skip
async def test_usual_ports(url: str, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every scheme that the settings take."""
    asked: list[tuple[str, int]] = []

    async def refuse(host: str, port: int) -> None:
        asked.append((host, port))
        raise OSError

    monkeypatch.setattr(asyncio, "open_connection", refuse)
    await bus_check(url)()
    assert asked == [("h", port)]
