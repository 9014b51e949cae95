"""The composition: HTTP to the gateway, WebSockets to Channels, and a start that happens once."""

import asyncio
from typing import Any

import pytest

from gateway_project import asgi
from gateway_project.asgi import Composition
from gateway_project.server.spec import REVISION_VARIABLE, ROLE_VARIABLE
from tests.support.asgi import Message, Recorder, http_scope, playback


class Gateway:
    """Stands in for the parts of a worker; its start takes until `may_start` is set."""

    def __init__(self, error: Exception | None = None) -> None:
        self.may_start = asyncio.Event()
        self.may_start.set()
        self.error = error
        self.calls: list[str] = []

    async def start(self) -> None:
        self.calls.append("start")
        await self.may_start.wait()
        if self.error is not None:
            raise self.error

    async def stop(self) -> None:
        self.calls.append("stop")

    async def application(self, _scope: Any, _receive: Any, send: Any) -> None:
        self.calls.append("request")
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def connect(self, _scope: Any, _receive: Any, send: Any) -> None:
        self.calls.append("handshake")
        await send({"type": "websocket.close"})


class Lifespan:
    """The server's side of the lifespan protocol."""

    def __init__(self, gateway: Gateway) -> None:
        self._composition = Composition(gateway)  # type: ignore[arg-type]
        self._orders: asyncio.Queue[Message] = asyncio.Queue()
        self._answers: asyncio.Queue[Message] = asyncio.Queue()
        self.task = asyncio.create_task(
            self._composition({"type": "lifespan"}, self._orders.get, self._answers.put)  # type: ignore[arg-type]
        )

    async def __call__(self, order: str) -> Message:
        await self._orders.put({"type": f"lifespan.{order}"})
        async with asyncio.timeout(5):
            return await self._answers.get()

    async def begin(self) -> None:
        """Orders the start without waiting for the answer."""
        await self._orders.put({"type": "lifespan.startup"})
        await asyncio.sleep(0.01)


async def test_life_of_a_worker() -> None:
    """Started before the first request, stopped after the last."""
    gateway = Gateway()
    lifespan = Lifespan(gateway)
    assert await lifespan("startup") == {"type": "lifespan.startup.complete"}
    assert await lifespan("shutdown") == {"type": "lifespan.shutdown.complete"}
    await lifespan.task
    assert gateway.calls == ["start", "stop"]


async def test_start_that_fails_is_reported() -> None:
    """The server is told why, and gives up."""
    answer = await Lifespan(Gateway(RuntimeError("no such file")))("startup")
    assert answer == {"type": "lifespan.startup.failed", "message": "no such file"}


@pytest.mark.parametrize("when", ["starting", "started"])
async def test_worker_that_is_told_to_leave_while_it_starts_leaves_quietly(when: str) -> None:
    """What was started is stopped, and the server sees no exception."""
    gateway = Gateway()
    lifespan = Lifespan(gateway)
    if when == "starting":
        gateway.may_start.clear()
        await lifespan.begin()
    else:
        await lifespan("startup")
    lifespan.task.cancel()
    await lifespan.task
    assert gateway.calls == ["start", "stop"]
    gateway.may_start.set()


async def request(composition: Composition) -> Recorder:
    send = Recorder()
    await composition(http_scope(), playback(), send)
    return send


async def test_server_without_lifespan_starts_at_the_first_request() -> None:
    """Daphne: requests that come meanwhile wait, and the start happens once, even if its first client gives up."""
    gateway = Gateway()
    gateway.may_start.clear()
    composition = Composition(gateway)  # type: ignore[arg-type]
    impatient = asyncio.create_task(request(composition))
    patient = asyncio.create_task(request(composition))
    await asyncio.sleep(0.01)
    impatient.cancel()
    assert gateway.calls == ["start"]
    gateway.may_start.set()
    assert (await patient).status == 200
    assert (await request(composition)).status == 200
    assert gateway.calls == ["start", "request", "request"]
    assert impatient.cancelled()


async def test_what_a_client_leaves_ends_by_itself() -> None:
    """The server cancels the request; the application goes on until it has put everything away."""
    left, away = asyncio.Event(), asyncio.Event()

    async def tidy(_scope: Any, _receive: Any, _send: Any) -> None:
        await left.wait()
        away.set()

    serving = asyncio.create_task(asgi.Patient(tidy)(http_scope(), playback(), Recorder()))
    await asyncio.sleep(0)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert not away.is_set()
    left.set()
    async with asyncio.timeout(5):
        await away.wait()


async def test_what_an_application_raises_is_heard() -> None:
    """By whoever still waits for it."""

    async def broken(_scope: Any, _receive: Any, _send: Any) -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await asgi.Patient(broken)(http_scope(), playback(), Recorder())


async def test_unknown_websocket_is_refused() -> None:
    """Before the upgrade, whoever serves."""
    send = Recorder()
    scope = {"type": "websocket", "path": "/nothing", "headers": [], "extensions": {}}
    await Composition(Gateway())(scope, playback({"type": "websocket.connect"}), send)  # type: ignore[arg-type]
    assert send.messages == [{"type": "websocket.close"}]


def test_worker_is_told_its_role_and_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """By the supervisor, in the environment."""
    monkeypatch.setenv(ROLE_VARIABLE, "data")
    monkeypatch.setenv(REVISION_VARIABLE, str(tmp_path / "file.yaml"))
    gateway = asgi._build()._gateway
    assert (gateway._role, gateway._revision_file) == ("data", tmp_path / "file.yaml")
