"""I: Forwarding against a scripted transport."""

from collections.abc import Iterable
from random import Random
from typing import Any

import httpx
import orjson
import pytest

from authproxy.exchange import Exchange
from authproxy.forwarded import ForwardingFields
from authproxy.pipeline import Pipeline
from authproxy.services import Upstreams
from authproxy.upstream import slim
from authproxy.upstream.base import Transport
from resilience.breakers import Breakers
from resilience.state import StateTable
from routing.compiler import CompileOptions, compile_snapshot
from tests.support.asgi import Recorder, http_scope, playback
from tests.support.callers import gatekeeper, planner
from tests.support.gateway import builtin, document, route

TARGETS = ["http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3"]


class Body(httpx.AsyncByteStream):
    """An answer's body that is there at once."""

    released = True

    def take(self) -> tuple[bytes, bool]:
        return b"answer", True

    def trailers(self) -> list[tuple[bytes, bytes]]:
        return []


class Scripted(Transport):
    """Fails or answers as it was told, one a request, then answers 200; remembers what it was asked."""

    def __init__(self, script: Iterable[Exception | int]) -> None:
        self._script = list(script)
        self.fields: list[tuple[bytes, bytes]] = []
        self.ports: list[int | None] = []
        self.fresh: list[bool] = []
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.ports.append(request.url.port)
        self.fresh.append("fresh" in request.extensions)
        next_one = self._script.pop(0) if self._script else 200
        if isinstance(next_one, Exception):
            raise next_one
        return slim.response(next_one, [(b"content-length", b"6"), *self.fields], Body(), {}, request)

    def keep_only(self, urls: Any) -> None: ...

    def stats(self) -> dict[str, Any]:
        return {}

    def retire(self) -> None: ...

    async def aclose(self, *, grace_s: float = 0.0) -> None: ...


class Run:
    """A route to a service, with as many targets and such settings as it is told."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        *script: Exception | int,
        targets: list[str] = TARGETS,
        service: dict[str, Any] | None = None,
        more: dict[str, Any] | None = None,
        **keys: Any,
    ) -> None:
        self.transport = Scripted(script)
        monkeypatch.setattr("authproxy.services.transport_for", lambda _service: self.transport)
        self.breakers = Breakers(worker="w")
        upstreams = Upstreams(StateTable(), rng=Random(1), breakers=self.breakers)
        settings = {"targets": [{"url": url} for url in targets], **(service or {})}
        raw = {**document(route(service="s", **keys), services={"s": settings}), **(more or {})}
        options = CompileOptions(prepare_route=planner(), prepare_service=upstreams.prepare)
        snapshot = compile_snapshot(raw, revision=1, options=options)
        self.state = snapshot.services["s"].runtime.state
        self.finished: list[Exchange] = []
        self.send = Recorder()
        self._pipeline = Pipeline(
            snapshot=lambda: snapshot,
            builtin=builtin,
            forwarding=ForwardingFields(),
            recognise=gatekeeper().recognise,
            on_finish=(self.finished.append,),
        )

    async def __call__(
        self, method: str = "GET", *headers: tuple[bytes, bytes], messages: Iterable[Any] = ()
    ) -> Recorder:
        scope = http_scope(method, "/x", headers=[(b"host", b"h"), *headers])
        await self._pipeline(scope, playback(*messages), self.send)
        return self.send

    @property
    def reason(self) -> str:
        return str(orjson.loads(self.send.body)["error"]["details"]["reason"])
