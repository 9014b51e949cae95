"""Health by grpc.health.v1, asked of a real server as the prober asks it."""

import pytest

from authproxy.grpc.healthcheck import request_of, status_in
from resilience.health import Answer, Failure
from tests.authproxy.test_probing import bench
from tests.support.grpcserver import echo_server, health_messages

LONG = "a.B" * 60
GRPC = {"protocol": "grpc", "health": {"interval": "1s", "service": "echo.Echo"}}


@pytest.mark.parametrize("name", ["", "echo.Echo", LONG])
def test_messages_are_those_of_the_published_definition(name: str) -> None:
    """As protobuf itself writes and reads them."""
    request, response = health_messages()
    assert request.FromString(request_of(name)).service == name
    told = [status_in(response(status=number).SerializeToString()) for number in range(4)]
    assert told == ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"]
    assert status_in(b"\xff") == status_in(b"\x08\x09") == "an answer that is not to be read"


async def test_a_server_says_how_it_is() -> None:
    """As a whole, or one service of it; a name that it does not know is a failure."""
    known = {"": 1, "echo.Echo": 1}
    async with echo_server(health=known) as echo, bench(echo.url, **GRPC) as worker:
        assert isinstance(await worker.ask(echo.url, path="echo.Echo"), Answer)
        assert isinstance(await worker.ask(echo.url, path=""), Answer)
        known["echo.Echo"] = 2
        assert await worker.ask(echo.url, path="echo.Echo") == Failure("NOT_SERVING")
        assert isinstance(await worker.ask(echo.url, path=""), Answer)
        assert await worker.ask(echo.url, path="x") == Failure('the server knows no health of "x"')


async def test_a_server_that_is_away_or_has_no_health() -> None:
    """Is not well, and the reason is told."""
    async with echo_server() as echo, bench(echo.url, **GRPC) as worker:
        assert await worker.ask(echo.url, path="") == Failure("the server has no grpc.health.v1.Health")
        url = echo.url
    async with bench(url, **GRPC) as worker:
        failure = await worker.ask(url, path="", timeout_s=1.0)
    assert isinstance(failure, Failure)
    assert failure.why.startswith(("UNAVAILABLE", "DEADLINE_EXCEEDED"))


async def test_what_the_prober_asks_about() -> None:
    """The name of the document; without one the server as a whole."""
    async with bench("http://127.0.0.1:1", **GRPC) as worker:
        assert worker.probing.watched()["shop"].policy.path == "echo.Echo"
    async with bench("http://127.0.0.1:1", protocol="grpc", health={}) as worker:
        assert worker.probing.watched()["shop"].policy.path == ""
