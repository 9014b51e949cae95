"""`WS {API_PREFIX}/ws` with real clients: handshakes, messages, bounds and ends."""

import asyncio
import json
import socket
from contextlib import suppress

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from authproxy import tickets
from authproxy.changes import Change
from tests.support.callers import NOW, Clock
from tests.support.clientsockets import PATH, endpoint, heard, say, subscribed
from tests.support.gateway import RawClient
from tests.support.hubs import TOPIC, publish, until
from tests.support.sockets import ASKS


async def closing(client: ClientConnection) -> int:
    """The code with which the server closes."""
    async with asyncio.timeout(10):
        with suppress(ConnectionClosed):
            async for _ in client:  # what is not read keeps the client from seeing the end
                pass
    code: int = client.close_code
    return code


async def test_greets_and_delivers() -> None:
    async with endpoint() as place, place.client("?connection_id=client123") as ada:
        hello = await heard(ada, "connected")
        assert hello["connection_id"] == "client123"
        assert hello["resume_token"]
        assert (await subscribed(ada, TOPIC))["topic"] == TOPIC
        event = await publish(place.hub, {"percent": 7})
        message = await heard(ada, "event")
        await say(ada, "ping", id=3)
        pong = await heard(ada, "pong")

    assert message == {
        "type": "event",
        "id": event.id,
        "topic": TOPIC,
        "event": "progress",
        "data": {"percent": 7},
        "timestamp": event.timestamp,
    }
    assert pong["id"] == 3


async def test_addressed_to_one_user_or_one_connection() -> None:
    async with endpoint() as place, place.client() as one, place.client() as other:
        first, second = await heard(one, "connected"), await heard(other, "connected")
        assert first["connection_id"] != second["connection_id"]
        await publish(place.hub, "both", topic="user.7")
        await publish(place.hub, "bob", topic="user.8")
        await publish(place.hub, "one", topic=f"connection.{first['connection_id']}")

        assert [(await heard(one, "event"))["data"] for _ in range(2)] == ["both", "one"]
        assert (await heard(other, "event"))["data"] == "both"


@pytest.mark.parametrize(
    ("query", "token", "more"),
    [
        ("?token=ada", "", {}),
        ("?connection_id=x&token=ada", "", {}),
        ("", "", {"subprotocols": ["bearer", "ada"]}),
    ],
)
async def test_tokens_where_browsers_can_put_them(query: str, token: str, more: dict[str, object]) -> None:
    async with endpoint() as place, place.client(query, token=token, **more) as ada:
        await heard(ada, "connected")
        assert ada.subprotocol == ("bearer" if more else None)


@pytest.mark.parametrize(("query", "token"), [("", ""), ("", "nobody"), ("?token=nobody", "")])
async def test_strangers_are_refused_before_the_upgrade(query: str, token: str) -> None:
    async with endpoint() as place:
        with pytest.raises(InvalidStatus) as refused:
            async with place.client(query, token=token):
                pass

    assert refused.value.response.status_code == 401
    assert json.loads(refused.value.response.body or b"")["error"]["code"] == "AUTH_ERROR"
    assert "WWW-Authenticate" in refused.value.response.headers


@pytest.mark.parametrize(
    ("origin", "status"),
    [("", 101), ("http://gateway.test", 101), ("http://evil.test", 403), ("null", 403)],
)
async def test_cookies_count_for_pages_of_the_gateways_own_origin(origin: str, status: int) -> None:
    """Browsers send them along from any page, and say from which; programs say nothing."""
    async with endpoint() as place:
        cookie, _ = place.callers.ticket(tickets.SESSION, consumer="ada", user_id="7", session="s")
        async with RawClient(place.plane.port) as client:
            said = [f"Origin: {origin}"] if origin else []
            lines = [f"GET {PATH} HTTP/1.1", "Host: gateway.test", *ASKS, *said]
            await client.send("\r\n".join([*lines, f"Cookie: torana_session={cookie}", "", ""]).encode())
            assert (await client.head()).status == status


async def test_anybody_where_authentication_is_off() -> None:
    async with endpoint(is_open=True) as place, place.client(token="") as somebody:
        await heard(somebody, "connected")
        assert (await subscribed(somebody, TOPIC))["topic"] == TOPIC


async def test_short_form_of_generations() -> None:
    async with endpoint() as place, place.client() as ada:
        await heard(ada, "connected")
        await say(ada, "subscribe_generation", generation_id="7")
        assert (await heard(ada, "subscribed"))["topic"] == "generation.7"
        await say(ada, "unsubscribe", topic="generation.7")
        await heard(ada, "unsubscribed")
        await publish(place.hub, 1)
        await say(ada, "ping")
        await heard(ada, "pong")


async def test_replays_behind_the_last_id() -> None:
    async with endpoint() as place, place.client() as ada:
        await heard(ada, "connected")
        events = [await publish(place.hub, n) for n in range(400)]
        await subscribed(ada, TOPIC, last_event_id=events[9].id)
        got = [(await heard(ada, "event"))["data"] for _ in range(390)]
        await subscribed(ada, "generation.8", last_event_id="1-0")
        gap = await heard(ada, "gap")

    assert got == list(range(10, 400))
    assert gap["topic"] == "generation.8"


async def test_resumes_what_there_was() -> None:
    """With the ids that the client has seen; the token is the user's own."""
    async with endpoint() as place:
        async with place.client() as ada:
            await heard(ada, "connected")
            await subscribed(ada, TOPIC)
            token = (await subscribed(ada, "generation.8"))["resume_token"]
            await publish(place.hub, 1)
            seen = await heard(ada, "event")
        await publish(place.hub, 2)
        async with place.client() as ada:
            await heard(ada, "connected")
            await say(ada, "resume", resume_token=token, last_event_ids={TOPIC: seen["id"]})
            assert set((await heard(ada, "resumed"))["topics"]) >= {TOPIC, "generation.8"}
            messages = [await heard(ada) for _ in range(4)]
            assert [each["data"] for each in messages if each["type"] == "event"] == [2]
        async with place.client(f"?resume_token={token}") as ada:
            await heard(ada, "connected")
            await heard(ada, "resumed")
            again = [await heard(ada) for _ in range(5)]
            assert [each["data"] for each in again if each["type"] == "event"] == [1, 2]
        async with place.client(f"?resume_token={token}", token="bob") as bob:
            await heard(bob, "connected")
            assert (await heard(bob, "error"))["code"] == "AUTH_ERROR"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "INVALID_REQUEST"),
        ("[]", "INVALID_REQUEST"),
        ('{"type":"dance"}', "INVALID_REQUEST"),
        ('{"type":["subscribe"]}', "INVALID_REQUEST"),
        ('{"type":"subscribe"}', "INVALID_REQUEST"),
        ('{"type":"subscribe","topic":"a b"}', "INVALID_REQUEST"),
        ('{"type":"subscribe","topic":"user.8"}', "FORBIDDEN"),
        ('{"type":"subscribe","topic":"connection.x"}', "FORBIDDEN"),
        ('{"type":"authenticate","token":"nobody"}', "AUTH_ERROR"),
        ('{"type":"authenticate","token":"bob"}', "AUTH_ERROR"),
        ('{"type":"resume","resume_token":"x.y"}', "AUTH_ERROR"),
    ],
)
async def test_bad_messages_are_errors(text: str, code: str) -> None:
    """The connection goes on."""
    async with endpoint() as place, place.client() as ada:
        await heard(ada, "connected")
        await ada.send(text)
        assert (await heard(ada, "error"))["code"] == code
        await say(ada, "ping")
        await heard(ada, "pong")


async def test_repeated_nonsense_ends_it() -> None:
    async with endpoint() as place, place.client() as ada:
        await heard(ada, "connected")
        for _ in range(25):
            await ada.send("nonsense")
        assert await closing(ada) == 1008


async def test_too_many_messages_are_refused() -> None:
    async with endpoint(now=lambda: 0.0) as place, place.client() as ada:
        await heard(ada, "connected")
        for _ in range(101):
            await say(ada, "ping")
        for _ in range(100):
            await heard(ada, "pong")
        assert (await heard(ada, "error"))["code"] == "RATE_LIMIT"


@pytest.mark.parametrize(("message", "code"), [("x" * 20_000, 1009), (b"bytes", 1007)])
async def test_what_cannot_be_taken_closes(message: str | bytes, code: int) -> None:
    async with endpoint() as place, place.client() as ada:
        await heard(ada, "connected")
        await ada.send(message)
        assert await closing(ada) == code


async def test_fragments_are_one_message() -> None:
    async with endpoint() as place, place.client() as ada:
        await heard(ada, "connected")
        await ada.send(["{", '"type":', '"ping"}'])
        assert (await heard(ada))["type"] == "pong"


async def test_subscriptions_are_bounded() -> None:
    async with endpoint(now=_quick()) as place, place.client() as ada:
        await heard(ada, "connected")
        for number in range(100):
            await subscribed(ada, f"generation.{number}")
        await say(ada, "subscribe", topic="generation.x")
        assert (await heard(ada, "error"))["code"] == "RATE_LIMIT"


def _quick() -> object:
    times = iter(range(10**6))
    return lambda: next(times)


async def test_connections_of_a_user_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.sessions.sessions.MOST_PER_USER", 1)
    async with endpoint() as place, place.client() as ada:
        await heard(ada, "connected")
        with pytest.raises(InvalidStatus) as refused:
            async with place.client():
                pass
        assert refused.value.response.status_code == 429
        async with place.client(token="bob") as bob:
            await heard(bob, "connected")


async def test_ids_of_connections_are_one_users() -> None:
    """The same user may come back with the id; another one gets another id."""
    async with (
        endpoint() as place,
        place.client("?connection_id=c1") as ada,
        place.client("?connection_id=c1") as again,
    ):
        assert (await heard(ada))["connection_id"] == (await heard(again))["connection_id"] == "c1"
        async with place.client("?connection_id=c1", token="bob") as bob:
            assert (await heard(bob))["connection_id"] != "c1"
        async with place.client("?connection_id=a%20b") as odd:
            assert (await heard(odd))["connection_id"] != "a b"


async def test_slow_readers_are_dropped() -> None:
    """The others get everything, and nothing is kept for who does not read."""
    async with endpoint() as place, place.client(token="bob", max_queue=1) as slow, place.client() as quick:
        await heard(slow, "connected")
        await heard(quick, "connected")
        await subscribed(slow, TOPIC)
        await subscribed(quick, TOPIC)
        slow.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.transport.pause_reading()
        async with asyncio.timeout(20):
            while len(place.sessions) == 2:
                await publish(place.hub, "x" * 60_000)
                await heard(quick, "event")
        assert place.sessions.closed[4408] == 1
        slow.transport.resume_reading()


async def test_compressed_where_clients_want_it() -> None:
    async with endpoint() as place, place.client(compression="deflate") as ada:
        await heard(ada, "connected")
        await subscribed(ada, TOPIC)
        for size in (10, 3000):
            await publish(place.hub, "x" * size)
            assert (await heard(ada, "event"))["data"] == "x" * size
        await say(ada, "ping", id="y" * 2000)
        assert (await heard(ada, "pong"))["id"] == "y" * 2000


async def test_expired_tokens_end_it() -> None:
    """Unless another one comes in time."""
    clock = Clock()
    async with endpoint(clock=clock) as place:
        place.callers.token("short", consumer="ada", user_id="7", expires_at=NOW + 0.2, seq=0)
        place.callers.token("longer", consumer="ada", user_id="7", expires_at=NOW + 900, seq=0)
        async with place.client(token="short") as one, place.client(token="short") as other:
            assert (await heard(one, "connected"))["expires_at"] == NOW + 0.2
            await heard(other, "connected")
            await say(other, "authenticate", token="longer")
            assert (await heard(other, "authenticated"))["expires_at"] == NOW + 900
            clock.now += 1
            assert await closing(one) == 4401
            await say(other, "ping")
            await heard(other, "pong")


async def test_revoked_credentials_end_it() -> None:
    async with endpoint() as place, place.client() as ada, place.client(token="bob") as bob:
        await heard(ada, "connected")
        await heard(bob, "connected")
        place.changes.note([Change(1, "user:7", NOW)])
        assert await closing(ada) == 4401
        await say(bob, "ping")
        await heard(bob, "pong")


async def test_leaving_asks_to_reconnect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.sessions.sessions.LEAVING_S", 0.2)
    async with endpoint() as place, place.client() as ada:
        await heard(ada, "connected")
        place.sessions.leave()
        assert 0 <= (await heard(ada, "reconnect"))["after_ms"] <= 200
        assert await closing(ada) == 1012


async def test_who_is_silent_for_ever_is_gone() -> None:
    """Clients answer pings by themselves; one that does not is not there."""
    async with endpoint(ping_s=0.1) as place, place.client() as ada, place.client(token="bob") as bob:
        await heard(ada, "connected")
        await heard(bob, "connected")
        bob.transport.pause_reading()
        await until(lambda: len(place.sessions) == 1)
        await say(ada, "ping")
        await heard(ada, "pong")
        assert place.sessions.closed[1001] == 1
        bob.transport.resume_reading()


async def test_rights_that_go_end_subscriptions() -> None:
    async with endpoint() as place, place.client() as ada:
        await heard(ada, "connected")
        await subscribed(ada, TOPIC)
        place.sessions.may = lambda _identity, _topic: False  # type: ignore[method-assign]
        place.sessions.reconcile(place.plane._current())
        error = await heard(ada, "error")
        await publish(place.hub, 1)
        await say(ada, "ping")
        await heard(ada, "pong")

    assert (error["code"], error["topic"]) == ("FORBIDDEN", TOPIC)


async def test_nothing_is_left_of_who_left() -> None:
    async with endpoint() as place:
        async with place.client() as ada:
            await heard(ada, "connected")
            await subscribed(ada, TOPIC)
        await until(lambda: not len(place.sessions))

        assert place.hub.subscriptions == 0
        assert not place.sessions._by_owner
        assert not place.sessions._by_subject
        assert not any(place.sessions._rounds)
        assert not place.sessions._ids
