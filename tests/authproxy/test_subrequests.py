"""Requests of the gateway's own."""

from typing import Any

import httpx
import pytest

from authproxy.exchange import Exchange
from authproxy.rejections import Code, Rejection
from authproxy.subrequests import Answer, Ask, ask, own_route
from tests.support.forwarding import Run

ASK = Ask("s", "POST", b"/part", b"a=1", [(b"content-type", b"text/plain")], b"sent")


async def asked(monkeypatch: pytest.MonkeyPatch, *script: Any, limit: int = 100) -> tuple[Run, Any]:
    """The answer to ASK, sent for a client whose own request was answered before."""
    run = Run(monkeypatch, 200, *script, request_headers={"set": {"x-route": "1"}})
    await run()
    client: Exchange = run.finished[0]
    return run, await ask(client, own_route(client.route), ASK, limit=limit)


async def test_an_answer_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service gets what was asked, with the client's ids, and without what the route does to its clients'."""
    run, answer = await asked(monkeypatch, 404)
    sent = run.transport.requests[1]
    fields = dict(sent.headers.raw)

    assert isinstance(answer, Answer)
    assert (answer.status, answer.body) == (404, b"answer")
    assert (sent.method, sent.extensions["target"]) == ("POST", b"/part?a=1")
    assert (fields[b"content-length"], fields[b"content-type"]) == (b"4", b"text/plain")
    assert fields[b"x-request-id"] == run.finished[0].request_id
    assert b"x-route" not in fields


async def test_an_answer_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is kept beyond the limit."""
    _, refusal = await asked(monkeypatch, 200, limit=5)

    assert isinstance(refusal, Rejection)
    assert refusal.code is Code.BAD_GATEWAY
    assert refusal.details["reason"] == "bad_answer"


async def test_no_answer_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a client would get it."""
    _, refusal = await asked(monkeypatch, *[httpx.ConnectTimeout("late")] * 5)

    assert isinstance(refusal, Rejection)
    assert refusal.code in (Code.UPSTREAM_TIMEOUT, Code.BAD_GATEWAY)
