"""What is kept of a request."""

from authproxy.exchange import Exchange
from authproxy.headers import read
from observability.traffic.record import record_of
from tests.support.asgi import Recorder, http_scope, playback
from tests.support.exchanges import exchange
from tests.support.snapshots import snapshot_of


def test_every_field_is_in_its_place() -> None:
    ended = exchange(method="POST", path="/orders?a=1", headers=[(b"content-length", b"12")])
    ended.status, ended.service, ended.sent, ended.ended = 200, "shop", 5, 2.5

    kept = record_of(ended)

    for name in ("method", "service", "target", "status", "outcome", "refusal", "identity", "auth_failure"):
        assert getattr(kept, name) == getattr(ended, name), name
    for name in ("admitted", "forwarded", "answered", "sent", "attempts", "failures", "cache", "would"):
        assert getattr(kept, name) == getattr(ended, name), name
    for name in ("head", "route", "origin", "request_id", "traceparent", "started"):
        assert getattr(kept, name) is getattr(ended, name), name
    assert (kept.raw_path, kept.query) == (b"/orders", b"a=1")
    assert (kept.duration_s, kept.received, kept.sent) == (2.5, 12, 5)
    assert kept.revision == ended.snapshot.revision


def test_a_request_that_found_nothing() -> None:
    scope = http_scope("GET", "/")
    lost = Exchange(
        scope, playback(), Recorder(), snapshot=snapshot_of({"version": 1}), head=read([]), started=1.0
    )

    lost.ended = 1.0
    kept = record_of(lost)

    assert (kept.route, kept.origin, kept.received) == (None, None, 0)
