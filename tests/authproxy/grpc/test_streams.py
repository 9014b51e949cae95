"""A stream that breaks after its beginning: the service is to blame where it is, and nobody where it is not."""

import asyncio
from typing import Any

import grpc
import orjson
import pytest

from authproxy.attempt import failure_of
from resilience.outcomes import Outcome
from tests.support.gateway import Answer, document, route
from tests.support.grpcserver import EchoServer, Everything, echo_server
from tests.support.traffic import TrafficPlane, traffic

BREAKER = {"failure_threshold": 1, "min_throughput": 1}


def counting(echo: EchoServer, monkeypatch: pytest.MonkeyPatch, **more: Any) -> Any:
    """A plane whose route calls the method that answers with a stream."""
    call = {"service": "echo.Echo", "method": "Count"}
    service = {"protocol": "grpc", "targets": [{"url": echo.url}], "breaker": BREAKER, **more}
    raw = document(route(path="/say", service="s", grpc=call), services={"s": service})
    return traffic(raw, monkeypatch)


async def ask(plane: TrafficPlane) -> Answer:
    return await plane.ask("/say", method="POST", body=b"{}")


@pytest.mark.parametrize(
    ("code", "opens"),
    [
        (grpc.StatusCode.INTERNAL, True),
        (grpc.StatusCode.UNAVAILABLE, True),
        (grpc.StatusCode.NOT_FOUND, False),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, False),
    ],
)
async def test_a_status_at_the_end_reaches_the_breaker(
    code: grpc.StatusCode, opens: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it would without a message before it."""

    async def breaking(_message: Any, context: Any) -> Any:
        yield Everything(a_int32=1)
        await context.abort(code, "broke")

    async with echo_server() as echo, counting(echo, monkeypatch) as plane:
        echo.count = breaking
        first = await ask(plane)
        second = await ask(plane)
    last = orjson.loads(first.body.splitlines()[-1])
    assert (first.status, last["error"]["details"]["grpc"]["status"]) == (200, code.name)
    assert second.status == (503 if opens else 200)
    assert (failure_of(plane.finished[0].outcome) is True) is opens


async def test_a_service_that_falls_silent_is_to_blame(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the read timeout of the service."""

    async def silent(_message: Any, _context: Any) -> Any:
        yield Everything(a_int32=1)
        await asyncio.Event().wait()

    async with echo_server() as echo, counting(echo, monkeypatch, timeout={"read": "100ms"}) as plane:
        echo.count = silent
        first = await ask(plane)
        second = await ask(plane)
    assert plane.finished[0].outcome is Outcome.BODY_TIMEOUT
    assert "sent nothing for too long" in orjson.loads(first.body.splitlines()[-1])["error"]["message"]
    assert second.status == 503
    assert orjson.loads(second.body)["error"]["code"] == "CIRCUIT_OPEN"


async def test_a_lost_connection_is_the_services_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last item says so."""
    began = asyncio.Event()

    async def endless(_message: Any, _context: Any) -> Any:
        yield Everything(a_int32=1)
        began.set()
        await asyncio.Event().wait()

    async with echo_server() as echo, counting(echo, monkeypatch) as plane:
        echo.count = endless
        asking = asyncio.create_task(ask(plane))
        await asyncio.wait_for(began.wait(), 5)
        await echo.stop()
        broken = await asyncio.wait_for(asking, 5)
        after = await ask(plane)
    assert plane.finished[0].outcome is Outcome.BODY_BROKEN
    assert "error" in orjson.loads(broken.body.splitlines()[-1])
    assert orjson.loads(after.body)["error"]["code"] == "CIRCUIT_OPEN"
