"""`/metrics`: who may read it, and in which form."""

import threading

import pytest

from authproxy.exchange import SCOPE_CLIENT, SCOPE_IDENTITY
from authproxy.identity import Identity
from authproxy.opsaccess import OpsAccess
from observability.metrics import catalogue as names
from observability.metrics.endpoint import PIECE, Metrics
from observability.metrics.samples import Samples
from tests.support.asgi import Recorder, http_scope, playback

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
