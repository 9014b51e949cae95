"""Answers on their way through: relayed and stored at a time; many that want the same ask once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from tests.support.callers import Callers, gatekeeper
from tests.support.gateway import Answer, DataPlane, RawClient, data_plane, document, route
from tests.support.origin import Origin, cached, fresh, kind
from tests.support.upstreams import Peer, ReceivedRequest, ScriptedUpstream, response

CHUNKED = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n"


@asynccontextmanager
async def clients(plane: DataPlane, number: int) -> AsyncIterator[list[RawClient]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(RawClient(plane.port)) for _ in range(number)]


async def asked_once(plane: DataPlane, origin: Origin, number: int, *headers: str) -> list[Answer]:
    """All at a time, while the service holds its answer back until all of them have asked."""
    origin.held = asyncio.Event()
    async with clients(plane, number) as many:
        asking = [asyncio.create_task(client.get("/x", *headers)) for client in many]
        async with asyncio.timeout(10):
            await origin.arrived.wait()
            await asyncio.sleep(0.2)
        origin.held.set()
        answers = await asyncio.gather(*asking)
    origin.held = None
    return answers


async def test_a_hundred_misses_are_one_request() -> None:
    """The others get what the first one fetched."""
    origin = Origin()
    async with cached(origin) as (plane, _client):
        answers = await asked_once(plane, origin, 100)

    assert origin.count == 1
    assert {(each.status, each.body) for each in answers} == {(200, b"hello")}
    assert sorted(kind(each) or "" for each in answers) == ["HIT"] * 99 + ["MISS"]


async def test_what_may_not_be_shared_is_fetched_by_each_at_a_time() -> None:
    """Nobody waits for an answer twice; the next ones do not wait at all."""
    origin = Origin(fresh(b"mine", ("Cache-Control", "private")))
    async with cached(origin) as (plane, _client):
        first = await asked_once(plane, origin, 5)
        second = await asked_once(plane, origin, 5)

    assert [each.body for each in [*first, *second]] == [b"mine"] * 10
    assert origin.count == 10


async def test_a_leader_that_fails_fails_nobody_else() -> None:
    """The service cuts the first request off; the others ask on their own."""

    async def script(peer: Peer) -> None:
        await peer.request()
        if peer.number == 0:
            arrived.set()
            await held.wait()
            peer.reset()
            return
        await peer.send(fresh(b"good"))

    arrived, held = asyncio.Event(), asyncio.Event()
    async with ScriptedUpstream(script) as upstream:
        service = {"targets": [{"url": upstream.url}], "retries": {"attempts": 0}}
        raw = document(route(service="s", cache={}), services={"s": service})
        async with data_plane(raw) as plane, clients(plane, 4) as many:
            leading = asyncio.create_task(many[0].get("/x"))
            async with asyncio.timeout(10):
                await arrived.wait()
            asking = [asyncio.create_task(client.get("/x")) for client in many[1:]]
            await asyncio.sleep(0.1)
            held.set()
            answers = await asyncio.gather(leading, *asking)

    assert [each.status for each in answers] == [502, 200, 200, 200]


async def test_a_leader_that_leaves_is_followed_by_another() -> None:
    """One of those who wait asks again, the rest go on waiting."""
    origin = Origin()
    origin.held = asyncio.Event()
    async with cached(origin) as (plane, client), clients(plane, 3) as many:
        await client.send(b"GET /x HTTP/1.1\r\nHost: gateway.test\r\n\r\n")
        async with asyncio.timeout(10):
            await origin.arrived.wait()
            asking = [asyncio.create_task(each.get("/x")) for each in many]
            await asyncio.sleep(0.1)
            client.writer.transport.abort()
            await plane.until_finished(1)
            await asyncio.sleep(0.1)
            origin.held.set()
            answers = await asyncio.gather(*asking)

    assert [each.body for each in answers] == [b"hello"] * 3
    assert origin.count == 2


async def test_who_waits_for_another_waits_no_longer_than_its_client() -> None:
    """Then it is told that its time was over."""
    origin = Origin()
    origin.held = asyncio.Event()
    async with cached(origin) as (plane, client), RawClient(plane.port) as other:
        await client.send(b"GET /x HTTP/1.1\r\nHost: gateway.test\r\n\r\n")
        async with asyncio.timeout(10):
            await origin.arrived.wait()
            hurried = await other.get("/x", "X-Request-Timeout-Ms: 100")
            origin.held.set()
            patient = await client.answer()

    assert (hurried.status, patient.status, origin.count) == (504, 200, 1)


async def test_a_miss_is_relayed_while_it_is_stored() -> None:
    """The first piece is there before the last one has been made; the whole is stored."""
    release = asyncio.Event()

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            asked.append(1)
            await peer.send(CHUNKED + b"\r\n2\r\nhe\r\n")
            await release.wait()
            await peer.send(b"3\r\nllo\r\n0\r\n\r\n")

    asked: list[int] = []
    async with ScriptedUpstream(script) as upstream:
        raw = document(route(service="s", cache={}), services={"s": upstream.url})
        async with data_plane(raw) as plane, RawClient(plane.port) as client:
            await client.send(b"GET /x HTTP/1.1\r\nHost: gateway.test\r\n\r\n")
            head = await client.head()
            async with asyncio.timeout(5):
                first = await client.reader.readexactly(len(b"2\r\nhe\r\n"))
            release.set()
            await client.reader.readuntil(b"0\r\n\r\n")
            again = await client.get("/x")

    assert (first, kind(head)) == (b"2\r\nhe\r\n", "MISS")
    assert (kind(again), again.body, again.header("content-length"), len(asked)) == ("HIT", b"hello", "5", 1)


async def test_broken_too_long_and_unfinished_answers_are_not_stored() -> None:
    """Nor those with trailers, nor those that end with their connection."""

    async def script(peer: Peer) -> None:
        request = await peer.request()
        asked.append(request.target)
        await peer.send(replies[request.target])
        peer.close()

    asked: list[bytes] = []
    replies = {
        b"/broken": fresh(b"hello")[:-2],
        b"/long": fresh(b"x" * 2000),
        b"/chunks": CHUNKED + b"\r\n5\r\nhello\r\n",
        b"/trailers": CHUNKED + b"Trailer: X\r\n\r\n2\r\nhi\r\n0\r\nX: y\r\n\r\n",
        b"/open": b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n\r\nhello",
        b"/fits": fresh(b"x" * 1000),
    }
    async with ScriptedUpstream(script) as upstream:
        raw = document(route(service="s", cache={"max_body": 1000}), services={"s": upstream.url})
        async with data_plane(raw) as plane:
            for path in [*replies, *replies]:
                async with RawClient(plane.port) as client:
                    await client.send(b"GET " + path + b" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                    await client.reader.read(-1)

    assert sorted(asked) == sorted([*replies, *(path for path in replies if path != b"/fits")])


async def test_callers_are_never_given_each_others_answers() -> None:
    """Whoever they are: known, known otherwise, unknown with a cookie, and those who send nothing."""
    known = Callers()
    for name in ("ada", "bob"):
        known.token(name, consumer=name, user_id=name)
    origin = Origin(lambda request: fresh(b",".join(request.values("x-consumer") + request.values("cookie"))))
    asked = [
        ["Authorization: Bearer ada"],
        ["Authorization: Bearer bob"],
        ["Cookie: a=1"],
        ["Cookie: a=2"],
        [],
    ]
    async with cached(origin, keeper=gatekeeper(known)) as (_plane, client):
        first = [await client.get("/x", *headers) for headers in asked]
        second = [await client.get("/x", *headers) for headers in asked]

    assert [each.body for each in first] == [b"ada", b"bob", b"a=1", b"a=2", b""]
    assert [kind(each) for each in first] == ["MISS"] * 5
    assert [(each.body, kind(each)) for each in second] == [(each.body, "HIT") for each in first]


async def test_callers_share_what_says_that_it_is_public() -> None:
    """And with those who send nothing."""
    known = Callers()
    known.token("ada", consumer="ada", user_id="1")
    for control in ("public, max-age=60", "s-maxage=60"):
        origin = Origin(fresh(b"all", ("Cache-Control", control)))
        async with cached(origin, keeper=gatekeeper(known)) as (_plane, client):
            kinds = [kind(await client.get("/x", "Authorization: Bearer ada"))]
            kinds += [kind(await client.get("/x")), kind(await client.get("/x", "Cookie: a=1"))]

        assert (kinds, origin.count) == (["MISS", "HIT", "HIT"], 1)


async def test_callers_answers_are_not_shared_where_nobody_is_told_of_them_either() -> None:
    """The gateway took the credentials, and the service knows nothing: still each has his own."""
    known = Callers()
    for name in ("ada", "bob"):
        known.token(name, consumer=name, user_id=name)
    origin = Origin()
    async with cached(origin, keeper=gatekeeper(known), forward_identity="none") as (_plane, client):
        kinds = [
            kind(await client.get("/x", f"Authorization: Bearer {name}")) for name in ("ada", "bob", "ada")
        ]

    assert (kinds, origin.last.values("x-consumer")) == (["MISS", "MISS", "HIT"], [])


async def test_a_service_that_sees_authorization_has_to_allow_it() -> None:
    """RFC 9111 section 3.5; must-revalidate allows it, for the same caller."""

    def reply(request: ReceivedRequest) -> bytes:
        more = ", must-revalidate" if request.target == b"/y" else ""
        return response(b"x", headers=[("Cache-Control", f"max-age=60{more}")])

    origin = Origin(reply)
    async with cached(origin, forward_credentials="all") as (_plane, client):
        kinds = [kind(await client.get(path, "Authorization: Basic a")) for path in ("/x", "/x", "/y", "/y")]
        other = await client.get("/y", "Authorization: Basic b")

    assert kinds == ["MISS", "MISS", "MISS", "HIT"]
    assert kind(other) == "MISS"


async def test_fields_of_one_hop_and_one_request_are_not_stored() -> None:
    """Nor the service's own word on its caches, which is heard and told on."""
    origin = Origin(
        fresh(b"x", ("Connection", "x-hop"), ("X-Hop", "1"), ("X-Request-ID", "old"), ("X-Cache", "HIT"), ("Age", "20"))
    )  # fmt: skip
    async with cached(origin) as (_plane, client):
        first, second = [await client.get("/x", "X-Request-ID: mine") for _ in range(2)]

    assert second.header("x-hop") is None
    assert [value for name, value in second.headers if name == "x-request-id"] == ["mine"]
    assert [value for name, value in first.headers if name == "x-cache"] == ["MISS"]
    assert [value for name, value in second.headers if name == "x-cache"] == ["HIT"]
    assert [value for name, value in second.headers if name == "age"] == ["20"]


@pytest.mark.parametrize(
    "told",
    [
        ("Set-Cookie", "session=ada"),
        ("Cache-Control", "private, max-age=60"),
        ("Vary", "*"),
        ("Cache-Tag", " ".join(f"t{number}" for number in range(100))),
    ],
)
async def test_what_a_confirmation_brings_may_forbid_to_keep(told: tuple[str, str]) -> None:
    """It is this client's alone; nobody else gets it, nor what was kept before."""

    def reply(request: ReceivedRequest) -> bytes:
        if request.values("if-none-match"):
            return response(
                status="304 Not Modified", headers=[("Cache-Control", "public, max-age=60"), told]
            )
        return fresh(b"x", ("Cache-Control", "public, max-age=0"), ("ETag", '"1"'))

    origin = Origin(reply)
    async with cached(origin) as (_plane, client):
        answers = [await client.get("/x") for _ in range(3)]

    assert answers[1].header(told[0].lower()) is not None
    assert "stored" not in (answers[1].header("cache-status") or "")
    assert (answers[2].header("set-cookie"), origin.count) == (None, 3)
