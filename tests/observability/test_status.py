"""Services in one word."""

from random import Random
from typing import Any

import orjson
import pytest

from authproxy.services import ServiceRuntime, Upstreams
from observability.status import Status, Word, overall, word_for
from resilience.breaker import State
from resilience.breakers import Breakers
from resilience.state import StateTable
from routing.compiler import CompileOptions, compile_snapshot
from routing.snapshot import Snapshot
from tests.support.asgi import Recorder, http_scope, playback

NOW = 1000.0


def compiled(*urls: str, **keys: Any) -> Snapshot:
    upstreams = Upstreams(StateTable(), rng=Random(1), breakers=Breakers(worker="w"))
    targets = [{"url": url} for url in urls]
    raw = {"version": 1, "services": [{"name": "s", "targets": targets, **keys}]}
    options = CompileOptions(prepare_service=upstreams.prepare)
    return compile_snapshot(raw, revision=1, options=options)


def runtime(*urls: str, **keys: Any) -> ServiceRuntime:
    found: ServiceRuntime = compiled(*urls, **keys).services["s"].runtime
    return found


@pytest.mark.parametrize(
    ("down", "panic", "word"),
    [(0, False, "up"), (1, False, "degraded"), (2, False, "down"), (2, True, "degraded")],
)
def test_words_by_targets(down: int, panic: bool, word: Word) -> None:
    """Unhealthy ones are not to be had; in panic all are tried."""
    found = runtime("http://a", "http://b", panic=panic)
    for state in found.pool.states[:down]:
        state.healthy = False
    assert word_for(found, NOW) == word


def test_an_ejected_target_is_missing_for_a_while() -> None:
    """By time alone it is back."""
    found = runtime("http://a", "http://b")
    found.pool.states[0].ejected_until = NOW + 5
    assert [word_for(found, NOW), word_for(found, NOW + 5)] == ["degraded", "up"]


def test_a_service_without_targets_is_down_and_draining_ones_do_not_count() -> None:
    """Nobody would get a request."""
    assert word_for(runtime(), NOW) == "down"
    drained = runtime(targets=[{"url": "http://a", "drain": True}, {"url": "http://b"}])
    assert word_for(drained, NOW) == "up"


@pytest.mark.parametrize(("state", "word"), [(State.OPEN, "down"), (State.CLOSED, "up")])
def test_words_by_breaker(state: State, word: Word) -> None:
    """An open one lets nothing pass."""
    found = runtime("http://a", breaker={})
    assert found.breaker is not None
    found.breaker.breaker.force(state, NOW + 99, NOW)
    assert word_for(found, NOW) == word


@pytest.mark.parametrize(
    ("words", "word"),
    [((), "up"), (("up", "up"), "up"), (("down",), "down"), (("up", "down"), "degraded")],
)
def test_overall(words: tuple[Word, ...], word: Word) -> None:
    """Down is only said where everything is."""
    assert overall(words) == word


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("HEAD", 200), ("POST", 405)])
async def test_endpoint(method: str, status: int) -> None:
    """Anybody may read it; there is nothing to write."""
    snapshot = compiled("http://a")
    application = Status(lambda: snapshot.services)
    send = Recorder()
    await application(http_scope(method, "/status"), playback(), send)

    assert application.serves("/status/")
    assert not application.serves("/status/x")
    assert send.status == status
    if status == 200:
        document = orjson.loads(send.body)
        assert (document["status"], document["services"]) == ("up", {"s": {"status": "up"}})


async def test_browsers_get_a_page() -> None:
    """Which is another answer for the same URL; programs get JSON."""
    snapshot = compiled("http://a")
    send = Recorder()
    headers = [(b"accept", b"text/html,application/xhtml+xml,*/*;q=0.8")]
    await Status(lambda: snapshot.services, name="shop")(
        http_scope(path="/status", headers=headers), playback(), send
    )

    assert send.header(b"content-type") == b"text/html; charset=utf-8"
    assert send.header(b"vary") == b"accept"
    assert (send.header(b"content-security-policy") or b"").startswith(
        b"default-src 'none'; style-src 'sha256-"
    )
    assert b"<title>shop: status</title>" in send.body
