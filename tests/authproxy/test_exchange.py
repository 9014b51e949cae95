"""The record of one request."""

from authproxy.exchange import Exchange
from authproxy.headers import read
from resilience.outcomes import Outcome
from tests.support.asgi import Recorder, http_scope, playback
from tests.support.snapshots import snapshot_of


def test_an_exchange_begins_unanswered() -> None:
    """No status, no attempts, nobody's fault; the ids are the head's."""
    snapshot = snapshot_of()
    exchange = Exchange(
        http_scope("PUT", "/a"),
        playback(),
        Recorder(),
        snapshot=snapshot,
        head=read([(b"x-request-id", b"r1")]),
        started=1.5,
    )

    assert (exchange.method, exchange.request_id, exchange.started) == ("PUT", b"r1", 1.5)
    assert (exchange.status, exchange.attempts, exchange.outcome) == (0, 0, Outcome.OK)
    assert exchange.snapshot is snapshot
    assert repr(exchange) == "<Exchange b'r1' PUT /a 0>"
