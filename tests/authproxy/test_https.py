"""ENFORCE_HTTPS: plain HTTP is sent to HTTPS, or refused."""

import pytest

from authproxy.forwarded import ForwardingFields
from authproxy.headers import Pair
from authproxy.https import refusal_for
from authproxy.pipeline import Pipeline
from tests.support.asgi import Recorder, http_scope, playback
from tests.support.callers import gatekeeper, planner
from tests.support.gateway import builtin, document, route
from tests.support.snapshots import snapshot_of


async def ask(
    enforce: str,
    path: str = "/x?a=1",
    *,
    host: bytes = b"api.test:8000",
    scheme: str = "http",
    fields: list[Pair] | None = None,
) -> Recorder:
    send = Recorder()
    snapshot = snapshot_of(document(route(respond={"status": 200})), prepare_route=planner())
    pipeline = Pipeline(
        snapshot=lambda: snapshot,
        builtin=builtin,
        forwarding=ForwardingFields(["192.0.2.1"]),
        recognise=gatekeeper().recognise,
        refuse_http=refusal_for(enforce),  # type: ignore[arg-type]
    )
    if fields is None:
        fields = [(b"host", host)] if host else []
    scope = http_scope(path=path, headers=fields)
    await pipeline({**scope, "scheme": scheme}, playback(), send)
    return send


async def test_off_lets_everything_pass() -> None:
    """The default changes nothing."""
    assert (await ask("off")).status == 200


@pytest.mark.parametrize(
    ("host", "location"),
    [
        (b"api.test:8000", b"https://api.test/x?a=1"),
        (b"api.test", b"https://api.test/x?a=1"),
        (b"[::1]:8000", b"https://[::1]/x?a=1"),
        (b"[::1]", b"https://[::1]/x?a=1"),
    ],
)
async def test_redirect_keeps_host_path_and_query(host: bytes, location: bytes) -> None:
    """308 to the same place over HTTPS, without the plain port."""
    answer = await ask("redirect", host=host)

    assert (answer.status, answer.header(b"location")) == (308, location)


async def test_refuse_is_forbidden() -> None:
    """403 with the reason; so is a redirect that has no host to go to."""
    assert (await ask("refuse")).status == 403
    assert (await ask("redirect", host=b"")).status == 403


@pytest.mark.parametrize("enforce", ["redirect", "refuse"])
async def test_https_passes(enforce: str) -> None:
    """The client's own scheme counts."""
    assert (await ask(enforce, scheme="https")).status == 200


async def test_probes_are_not_asked() -> None:
    """A probe over plain HTTP still reaches /health."""
    assert (await ask("refuse", "/health/live")).body == b"builtin"


async def test_pages_of_the_gateway_are_served_over_https_only() -> None:
    """Probes and scrapers speak to the process itself; people do not."""
    assert (await ask("refuse", "/admin/")).status == 403
    assert (await ask("redirect", "/admin/?a=1")).header(b"location") == b"https://api.test/admin/?a=1"
    assert (await ask("refuse", "/metrics")).status == 200
    assert (await ask("refuse", "/api/v1/health")).status == 200


async def test_a_redirect_goes_where_the_client_came_to() -> None:
    """Behind a trusted proxy that is another host than the gateway's."""
    fields = [
        (b"host", b"10.0.0.1:8000"),
        (b"x-forwarded-host", b"shop.test"),
        (b"x-forwarded-proto", b"http"),
        (b"x-forwarded-for", b"198.51.100.1"),
    ]
    send = await ask("redirect", fields=fields)
    there = await ask("redirect", fields=[*fields[:2], (b"x-forwarded-proto", b"https"), fields[3]])

    assert send.header(b"location") == b"https://shop.test/x?a=1"
    assert there.status == 200
