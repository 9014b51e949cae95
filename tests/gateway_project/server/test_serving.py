"""Starting, serving and leaving within one event loop."""

import asyncio
import socket
from typing import Any

import pytest

from gateway_project.server.draining import DrainState
from gateway_project.server.limits import ServerLimits
from gateway_project.server.serving import (
    GatewayServer,
    LeavingTimes,
    StartupFailed,
    running,
    server_config,
)
from tests.support.wire import Application


def server(app: Any, *, grace_s: float = 0.0, **keys: Any) -> GatewayServer:
    drain = DrainState()
    config = server_config(app, limits=ServerLimits(), drain=drain)
    return GatewayServer(config, drain, times=LeavingTimes(grace_s=grace_s, drain_timeout_s=1.0), **keys)


async def test_ready_then_stopped() -> None:
    """`on_ready` is called when it accepts; leaving closes the listener."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    told: list[str] = []
    async with running(server(Application(), on_ready=lambda: told.append("ready")), [listener]):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", port)

    assert told == ["ready"]


async def test_startup_that_fails() -> None:
    """Is told to the caller, and nothing is served."""

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no"})

    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(StartupFailed):
        async with running(server(app), [listener]):
            pass


async def test_stop_gives_up_a_startup() -> None:
    """One that hangs does not hold the process."""
    entered = asyncio.Event()

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        entered.set()
        await asyncio.Event().wait()

    one = server(app)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(one.serve([listener]))
        await entered.wait()
        one.stop()
        await asyncio.wait([serving], timeout=5)

    assert serving.cancelled()


async def test_grace_is_skipped_when_others_accept() -> None:
    """A minute of grace, and yet it leaves at once."""
    listener = socket.create_server(("127.0.0.1", 0))
    one = server(Application(), grace_s=60.0)
    async with asyncio.timeout(5), running(one, [listener]):
        one.stop(grace=False)
    assert listener.fileno() == -1


def test_nothing_is_added_to_answers() -> None:
    """No Server, no Date, no trust in forwarded headers, no access log of uvicorn's."""
    config = server_config(Application(), limits=ServerLimits(), drain=DrainState())

    assert (config.server_header, config.date_header, config.proxy_headers, config.access_log) == (False,) * 4
