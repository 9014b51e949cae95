"""`/metrics`: who may read it, and in which form."""

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from authproxy.exchange import SCOPE_CLIENT, SCOPE_IDENTITY
from authproxy.identity import Identity
from authproxy.opsaccess import OpsAccess
from observability.metrics import catalogue as names
from observability.metrics.endpoint import PIECE, Metrics
from observability.metrics.places import Places
from observability.metrics.samples import Samples
from tests.support.asgi import Recorder, http_scope, playback
from tests.support.fetching import until
from tests.support.wire import Handler, Wire, served

STAFF = Identity(method="jwt", name="anna", is_staff=True)
USER = Identity(method="jwt", name="bert")
WORLD = "203.0.113.9"


def gather() -> Samples:
    assert threading.current_thread() is not threading.main_thread()
    found = Samples()
    for number in range(3000):
        found.put(names.REQUESTS, number, f"route {number}", "s", "GET", "200")
    return found


async def ask(
    token: str | None = None,
    access: OpsAccess = "restricted",
    *,
    bearer: str = "",
    client: str = "127.0.0.1",
    identity: Identity | None = None,
    method: str = "GET",
    fields: tuple[tuple[bytes, bytes], ...] = (),
) -> Recorder:
    send = Recorder()
    headers = [*fields, *([(b"authorization", f"Bearer {bearer}".encode())] if bearer else [])]
    scope = http_scope(method, "/metrics", headers=headers, client=(client, 1))
    scope |= {SCOPE_IDENTITY: identity, SCOPE_CLIENT: client}
    await Metrics(gather, token=token, access=access, realm="shop")(scope, playback(), send)
    return send


@pytest.mark.parametrize(
    ("access", "client", "identity", "status"),
    [
        ("restricted", "127.0.0.1", None, 200),
        ("restricted", "10.1.2.3", None, 200),
        ("restricted", WORLD, None, 401),
        ("restricted", WORLD, USER, 403),
        ("restricted", WORLD, STAFF, 200),
        ("private", WORLD, None, 401),
        ("public", WORLD, None, 200),
    ],
)
async def test_without_a_token(
    access: OpsAccess, client: str, identity: Identity | None, status: int
) -> None:
    assert (await ask(access=access, client=client, identity=identity)).status == status


@pytest.mark.parametrize(
    ("bearer", "status"), [("t0ken", 200), ("", 401), ("other", 401), ("t0ken2", 401), ("tök", 401)]
)
async def test_with_a_token_everybody_needs_it(bearer: str, status: int) -> None:
    answer = await ask("t0ken", "public", bearer=bearer)

    assert answer.status == status
    assert (answer.header(b"www-authenticate") or b"").startswith(b"Bearer" if status == 401 else b"")


async def test_a_proxy_that_nobody_trusts_opens_nothing() -> None:
    assert (await ask(fields=((b"x-forwarded-for", b"203.0.113.9"),))).status == 401


async def test_nothing_is_written() -> None:
    assert (await ask(method="POST")).status == 405


async def test_it_comes_in_pieces_that_are_one_text() -> None:
    answer = await ask()
    bodies = [message["body"] for message in answer.messages[1:]]

    assert len(bodies) > 2
    assert max(map(len, bodies)) < 2 * PIECE
    assert b"".join(bodies).count(b"gateway_requests_total{") == 3000
    assert answer.header(b"content-type") == b"text/plain; version=0.0.4; charset=utf-8"


async def test_openmetrics_by_accept() -> None:
    answer = await ask(fields=((b"accept", b"application/openmetrics-text; version=1.0.0"),))

    assert (answer.header(b"content-type") or b"").startswith(b"application/openmetrics-text; version=1.0.0")
    assert b"".join(message["body"] for message in answer.messages[1:]).endswith(b"# EOF\n")


LONG = "x" * 3000
MANY = 5000
GET = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"
LITTLE_ROOM = {socket.SO_RCVBUF: 4096}
AMPLE_S = 60.0


def gather_much() -> Samples:
    """15 MB of text, more than the kernel's buffers hold."""
    found = Samples()
    for number in range(MANY):
        found.put(names.RETRIES, number, f"{LONG}{number}")
    return found


def application(places: Places, gather: Callable[[], Samples] = gather_much) -> Handler:
    metrics = Metrics(gather, token=None, access="public", realm="shop", places=places)

    async def answered(scope: Any, receive: Any, send: Any) -> None:
        await metrics(scope | {SCOPE_IDENTITY: None, SCOPE_CLIENT: "127.0.0.1"}, receive, send)

    return answered


async def begun(wire: Wire) -> None:
    """It asks, and reads no more than the head of the answer."""
    await wire.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert (await wire.head()).status == 200


async def is_whole(wire: Wire) -> bool:
    """Whether what is left of the answer has an end."""
    try:
        return (await wire.until_close()).endswith(b"\r\n0\r\n\r\n")
    except ConnectionError:
        return False


def rows_in(text: bytes) -> int:
    return text.count(b"gateway_upstream_retries_total{")


async def test_a_reader_that_does_not_read_keeps_nobody_from_reading() -> None:
    """Nor does it lose its place, as long as there is another."""
    places = Places(most=2, fair_s=0.0, longest_s=AMPLE_S)
    async with (
        served(application(places), write_timeout_s=AMPLE_S) as server,
        server.client(LITTLE_ROOM) as slow,
        server.client() as other,
    ):
        await begun(slow)
        for _ in range(2):
            await other.send(GET)
            assert rows_in((await other.reply()).body) == MANY
        assert await is_whole(slow)


async def test_where_no_place_is_free_it_is_cut_off() -> None:
    """Whoever comes gets all of it, and the one that does not read can tell that its answer is not whole."""
    places = Places(most=1, fair_s=0.0, longest_s=AMPLE_S)
    async with (
        served(application(places), write_timeout_s=AMPLE_S) as server,
        server.client(LITTLE_ROOM) as slow,
        server.client() as other,
    ):
        await begun(slow)
        await other.send(GET)
        assert rows_in((await other.reply()).body) == MANY
        assert not await is_whole(slow)


async def test_nobody_reads_for_ever() -> None:
    """Even where nobody waits."""
    places = Places(longest_s=0.1)
    async with (
        served(application(places), write_timeout_s=AMPLE_S) as server,
        server.client(LITTLE_ROOM) as slow,
    ):
        await begun(slow)
        await until(lambda: not server.server.server_state.connections)
        assert not await is_whole(slow)


async def test_whatever_becomes_of_the_answer_its_samples_are_freed_in_steps() -> None:
    made: list[Samples] = []

    def gather() -> Samples:
        made.append(gather_much())
        return made[-1]

    async with (
        served(application(Places(longest_s=0.1), gather), write_timeout_s=AMPLE_S) as server,
        server.client(LITTLE_ROOM) as slow,
    ):
        await begun(slow)
        await until(lambda: not server.server.server_state.connections)

    assert made[0].values == {}
