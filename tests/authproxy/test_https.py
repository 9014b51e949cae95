"""ENFORCE_HTTPS for routed traffic."""

import pytest

from authproxy.forwarded import ForwardingFields
from authproxy.https import refusal_for
from authproxy.pipeline import Pipeline
from authproxy.plan import prepare_route
from tests.support.asgi import Recorder, http_scope, playback
from tests.support.gateway import builtin, document, route
from tests.support.snapshots import snapshot_of


async def ask(
    enforce: str, path: str = "/x?a=1", *, host: bytes = b"api.test:8000", scheme: str = "http"
) -> Recorder:
    send = Recorder()
    snapshot = snapshot_of(document(route(respond={"status": 200})), prepare_route=prepare_route)
    pipeline = Pipeline(
        snapshot=lambda: snapshot,
        builtin=builtin,
        forwarding=ForwardingFields(),
        refuse_http=refusal_for(enforce),  # type: ignore[arg-type]
    )
    scope = http_scope(path=path, headers=[(b"host", host)] if host else [])
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


async def test_built_in_endpoints_are_not_asked() -> None:
    """A probe over plain HTTP still reaches /health."""
    assert (await ask("refuse", "/health/live")).body == b"builtin"
