"""Forwarding against a scripted transport: which attempts are made, in which order, and what is given up."""

from collections.abc import Iterable
from random import Random
from typing import Any

import httpx
import orjson
import pytest

from authproxy.exchange import Exchange
from authproxy.forwarded import ForwardingFields
from authproxy.pipeline import Pipeline
from authproxy.plan import prepare_route
from authproxy.services import Upstreams
from authproxy.upstream import errors, slim
from authproxy.upstream.base import Transport
from resilience.outcomes import Outcome
from resilience.state import StateTable
from routing.compiler import CompileOptions, compile_snapshot
from tests.support.asgi import Recorder, body_message, http_scope, playback
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
    """Raises the failures that it was given, one a request, then answers; remembers what it was asked."""

    def __init__(self, failures: Iterable[Exception]) -> None:
        self._failures = list(failures)
        self.ports: list[int | None] = []
        self.fresh: list[bool] = []
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.ports.append(request.url.port)
        self.fresh.append("fresh" in request.extensions)
        if self._failures:
            raise self._failures.pop(0)
        return slim.response(200, [(b"content-length", b"6")], Body(), {}, request)

    def keep_only(self, urls: Any) -> None: ...

    def stats(self) -> dict[str, Any]:
        return {}

    def retire(self) -> None: ...

    async def aclose(self, *, grace_s: float = 0.0) -> None: ...


class Run:
    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, *failures: Exception, targets: list[str] = TARGETS, **keys: Any
    ) -> None:
        self.transport = Scripted(failures)
        monkeypatch.setattr("authproxy.services.transport_for", lambda _service: self.transport)
        upstreams = Upstreams(StateTable(), rng=Random(1))
        raw = document(route(service="s", **keys), services={"s": targets})
        options = CompileOptions(prepare_route=prepare_route, prepare_service=upstreams.prepare)
        snapshot = compile_snapshot(raw, revision=1, options=options)
        self.state = snapshot.services["s"].runtime.state
        self.finished: list[Exchange] = []
        self.send = Recorder()
        self._pipeline = Pipeline(
            snapshot=lambda: snapshot,
            builtin=builtin,
            forwarding=ForwardingFields(),
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


async def test_an_answer_needs_one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is tried twice without need; the exchange knows its target."""
    run = Run(monkeypatch)
    answer = await run()

    assert (answer.status, answer.body) == (200, b"answer")
    assert run.finished[0].attempts == 1
    assert run.finished[0].target in TARGETS
    assert run.state.in_flight == 0


async def test_every_target_is_tried_once_when_none_can_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three refused connections, three different targets, then 502."""
    run = Run(monkeypatch, *(httpx.ConnectError("no") for _ in range(9)))
    answer = await run("POST")

    assert sorted(run.transport.ports) == [1, 2, 3]
    assert (answer.status, run.reason) == (502, "connect_refused")
    assert run.finished[0].outcome is Outcome.CONNECT_REFUSED


async def test_a_stale_connection_is_repeated_fresh_on_the_same_target(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once, with the extension that forbids another kept-alive connection."""
    run = Run(monkeypatch, errors.StaleConnection("gone"))
    answer = await run()

    assert answer.status == 200
    assert run.transport.ports[0] == run.transport.ports[1]
    assert run.transport.fresh == [False, True]


async def test_a_second_stale_connection_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no third attempt."""
    run = Run(monkeypatch, errors.StaleConnection("gone"), errors.StaleConnection("gone"))

    assert (await run()).status == 502
    assert run.transport.fresh == [False, True]


@pytest.mark.parametrize(
    "failure", [errors.StaleConnection("x"), httpx.ReadTimeout("x"), httpx.ReadError("x")]
)
async def test_a_post_that_may_have_arrived_is_sent_once(
    monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    """Whatever went wrong after the first byte."""
    run = Run(monkeypatch, failure)
    await run("POST", (b"content-length", b"1"), messages=[body_message(b"x")])

    assert len(run.transport.requests) == 1


async def test_the_total_timeout_is_one_deadline_for_all_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A retry does not get the time anew; the route's timeout takes the service's place."""
    run = Run(monkeypatch, httpx.ConnectError("no"), timeout="2s")
    await run()
    deadlines = {request.extensions["deadline"] for request in run.transport.requests}

    assert deadlines == {run.finished[0].started + 2.0}


async def test_an_answer_passes_without_a_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A complete answer is two messages: its start and its body."""
    run = Run(monkeypatch)
    answer = await run()

    assert [message["type"] for message in answer.messages] == ["http.response.start", "http.response.body"]


async def test_a_client_that_leaves_before_its_body_is_nobodys_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is sent upstream, nothing is answered, 499 is recorded."""
    run = Run(monkeypatch)
    await run("POST", (b"content-length", b"1"), messages=[{"type": "http.disconnect"}])

    assert run.transport.requests == []
    assert run.send.messages == []
    assert (run.finished[0].status, run.finished[0].outcome) == (499, Outcome.CLIENT_GONE)
