"""A hub that takes events by POST."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest

from gateway_project.server.ports import keep_port
from realtime.bus.adapter import HubAway, HubRefused, Message
from realtime.bus.httphub import HttpHub, envelope
from tests.support.buses import message


@asynccontextmanager
async def peer(status: int) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Answers everything so, and closes."""
    got: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = [
            int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
        ]
        got.append(head + await reader.readexactly(length[0] if length else 0))
        writer.write(b"HTTP/1.1 %d X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n" % status)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://u:hunter2@127.0.0.1:{server.sockets[0].getsockname()[1]}/hub", got


async def test_an_event_is_posted_as_json() -> None:
    """With its id for a hub that knows repetitions."""
    async with peer(202) as (url, got):
        hub = HttpHub(url)
        await hub.open()
        await hub.ping()
        await hub.send(message(headers={"traceparent": "00-a"}))
        await hub.close()
    head, _, body = got[1].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hub ")
    for field in (b"idempotency-key: e1", b"traceparent: 00-a", b"authorization: Basic "):
        assert field.lower() in head.lower()
    said = orjson.loads(body)
    assert (said["id"], said["topic"], said["type"], said["data"]) == ("e1", "a.b", "a.b", {"n": 1})


@pytest.mark.parametrize("status", [500, 503, 301, 404, 429])
async def test_what_is_no_confirmation(status: int) -> None:
    """It may be one later."""
    async with peer(status) as (url, _):
        hub = HttpHub(url)
        with pytest.raises(HubAway) as away:
            await hub.send(message())
        await hub.close()
    assert "hunter2" not in str(away.value)


@pytest.mark.parametrize(("status", "too_large"), [(400, False), (413, True), (422, False)])
async def test_what_it_never_takes(status: int, too_large: bool) -> None:
    async with peer(status) as (url, _):
        hub = HttpHub(url)
        with pytest.raises(HubRefused) as refused:
            await hub.send(message())
        await hub.close()
    assert refused.value.too_large is too_large


async def test_nobody_is_there() -> None:
    """Said without the address."""
    hub = HttpHub(f"http://127.0.0.1:{keep_port()}/")
    for ask in (hub.ping(), hub.send(message())):
        with pytest.raises(HubAway) as away:
            await ask
        assert "127" not in str(away.value)
    await hub.close()


async def test_it_hands_nothing_on() -> None:
    hub = HttpHub("http://h")
    with pytest.raises(HubRefused):
        await hub.listen(["a"], "g", lambda _: asyncio.sleep(0, True))
    await hub.close()


@pytest.mark.parametrize(
    ("body", "key", "value"),
    [(b"", "data", None), (b"{", "data", "{"), (b"\xff", "data_base64", "/w=="), (b"[1]", "data", [1])],
)
def test_bodies_that_are_not_json(body: bytes, key: str, value: object) -> None:
    assert envelope(Message("1", "t", "", body))[key] == value
