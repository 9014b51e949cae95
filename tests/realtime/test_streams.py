"""Topics as server-sent events, on real sockets."""

import asyncio
from dataclasses import replace
from typing import Any

import orjson
import pytest

from authproxy.changes import Change
from realtime import streams
from tests.support.gateway import RawClient
from tests.support.jose import provider
from tests.support.process import eventually
from tests.support.streams import STREAM, Desk, Reader, desk, reading

TOPIC = "generation.1"


async def publish(there: Desk, *numbers: int, topic: str = TOPIC) -> list[str]:
    return [(await there.hub.publish(topic, "progress", number)).id for number in numbers]  # type: ignore[union-attr]


async def test_events_of_all_topics_as_they_happen() -> None:
    """Not kept by anybody between, and the first byte is there before any event."""
    async with desk() as there, reading(there, f"?topic={TOPIC}&topic=user.7") as reader:
        assert reader.head.status == 200
        assert reader.head.header("content-type") == "text/event-stream; charset=utf-8"
        assert (reader.head.header("cache-control"), reader.head.header("x-accel-buffering")) == (
            "no-store",
            "no",
        )
        assert reader.head.header("content-encoding") is None
        await eventually(lambda: there.hub.subscriptions == 2)
        await publish(there, 1)
        await publish(there, 2, topic="user.7")
        await publish(there, 3, topic="user.8")
        await publish(there, 4)
        found = [await reader.event() for _ in range(3)]
    assert [(each["topic"], each["data"]) for each in found] == [(TOPIC, 1), ("user.7", 2), (TOPIC, 4)]


@pytest.mark.parametrize("how", ["header", "query"])
async def test_who_comes_back_misses_nothing(how: str) -> None:
    """And gets nothing twice; what is gone is a gap."""
    async with desk() as there:
        ids = await publish(there, 1, 2, 3)
        headers = (f"Last-Event-ID: {ids[0]}",) if how == "header" else ()
        query = f"?topic={TOPIC}" + (f"&last_event_id={ids[0]}" if how == "query" else "")
        async with reading(there, query, *headers) as reader:
            blocks = [await reader.block() for _ in range(2)]
            await publish(there, 4)
            last = await reader.event()
        assert [block["id"] for block in blocks] == ids[1:]
        assert last["data"] == 4
        async with reading(there, f"?topic={TOPIC}&last_event_id=1-0-0") as reader:
            assert (await reader.block())["event"] == "gap"


@pytest.mark.parametrize(
    ("query", "token", "status", "details"),
    [
        (f"?topic={TOPIC}", "", 401, {"reason": "missing"}),
        ("?topic=user.8", "ada", 403, {"topic": "user.8"}),
        ("?topic=gateway.breakers", "ada", 403, {"topic": "gateway.breakers"}),
        ("", "ada", 400, {"field": "topic"}),
        ("?topic=a%0Ab", "ada", 400, {"field": "topic"}),
        (f"?topic={TOPIC}&last_event_id={'x' * 100}", "ada", 400, {"field": "last_event_id"}),
        ("?" + "&".join(f"topic=generation.{n}" for n in range(21)), "ada", 400, {"field": "topic"}),
    ],
)
async def test_refusals(query: str, token: str, status: int, details: dict[str, Any]) -> None:
    async with desk() as there, RawClient(there.plane.port) as client:
        headers = (f"Authorization: Bearer {token}",) if token else ()
        answer = await client.get(STREAM + query, *headers)
    assert answer.status == status
    assert details.items() <= orjson.loads(answer.body)["error"]["details"].items()


async def test_credentials_and_rights_that_end() -> None:
    """Within a turn of the loop; other streams go on."""
    async with (
        desk() as there,
        reading(there, f"?topic={TOPIC}") as ada,
        reading(there, f"?topic={TOPIC}", token="root") as root,
    ):
        there.changes.note([Change(1, "user:7", 0.0)])
        assert orjson.loads((await ada.block())["data"])["code"] == "AUTH_ERROR"
        with pytest.raises(EOFError):
            await ada.block()
        await publish(there, 1)
        assert (await root.event())["data"] == 1
        there.may = lambda _identity, _topic: False  # type: ignore[method-assign]
        there.streams.reconcile(there.plane._current())
        assert orjson.loads((await root.block())["data"])["code"] == "FORBIDDEN"


async def test_an_identity_provider_that_goes() -> None:
    """Whom it vouched for is nobody any more, who comes just then included; others' streams go on."""
    async with (
        desk() as there,
        reading(there, f"?topic={TOPIC}", token="eve") as eve,
        reading(there, f"?topic={TOPIC}") as ada,
    ):
        snapshot = there.plane._current()
        there.streams.reconcile(replace(snapshot, providers=(provider(),)))
        await publish(there, 1)
        assert (await eve.event())["data"] == 1
        there.streams.reconcile(snapshot)
        assert orjson.loads((await eve.block())["data"]) == {
            "code": "AUTH_ERROR",
            "message": "The identity provider is gone.",
        }
        await publish(there, 2)
        assert [(await ada.event())["data"] for _ in range(2)] == [1, 2]
        async with reading(there, f"?topic={TOPIC}", token="eve") as late:
            assert (await late.block())["event"] == "end"


async def test_a_token_that_expires() -> None:
    async with desk(lives_s=0.3) as there, reading(there, f"?topic={TOPIC}") as reader:
        block = await reader.block()
    assert (block["event"], orjson.loads(block["data"])["code"]) == ("end", "AUTH_ERROR")


async def test_a_worker_that_leaves_sends_clients_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that come meanwhile, too."""
    monkeypatch.setattr(streams, "LEAVING_S", 0.05)
    async with desk() as there:
        async with reading(there, f"?topic={TOPIC}") as reader:
            there.streams.leave()
            assert (await reader.block())["event"] == "end"
        async with reading(there, f"?topic={TOPIC}") as reader:
            assert (await reader.block())["event"] == "end"


async def test_a_client_that_leaves_is_forgotten() -> None:
    async with desk() as there:
        async with reading(there, f"?topic={TOPIC}"):
            await eventually(lambda: there.hub.subscriptions == 1)
        await eventually(lambda: there.hub.subscriptions == 0)
        assert len(there.streams) == 0


async def test_a_client_that_does_not_read_is_cut_off() -> None:
    """Its connection breaks; what waited for it is given back."""
    async with desk() as there, reading(there, f"?topic={TOPIC}") as reader:
        await eventually(lambda: there.hub.subscriptions == 1)
        while len(there.streams):
            for _ in range(50):
                await there.hub.publish(TOPIC, "x", "y" * 60_000)
            await asyncio.sleep(0)
        assert there.streams.cut == 1
        assert await client_at_end(reader)


async def client_at_end(reader: Reader) -> bool:
    """Nothing more comes, and no proper end either."""
    try:
        while True:
            await reader.block()
    except EOFError as end:
        return isinstance(end, asyncio.IncompleteReadError)
    except (ConnectionError, ValueError):  # a size that never came
        return True


async def test_silence_is_broken_by_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "HEARTBEAT_S", 0.05)
    async with desk() as there, reading(there, f"?topic={TOPIC}") as reader:
        client = reader._client
        seen = b""
        async with asyncio.timeout(10):
            while seen.count(b": \n\n") < 3:
                seen += await client.reader.read(100)
    assert b"data:" not in seen


async def test_streams_of_one_caller_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_PER_USER", 1)
    async with (
        desk() as there,
        reading(there, f"?topic={TOPIC}"),
        reading(there, f"?topic={TOPIC}") as second,
    ):
        assert second.head.status == 429


async def test_only_get() -> None:
    async with desk() as there, RawClient(there.plane.port) as client:
        answer = await client.get(STREAM, "Authorization: Bearer ada", method="POST", body=b"{}")
    assert (answer.status, answer.header("allow")) == (405, "GET")
