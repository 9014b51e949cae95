"""The last minute, by service."""

import pytest

from authproxy.exchange import Exchange
from observability.traffic.recent import NOTHING, Recent
from tests.support.records import batch, ended


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def answered(status: int = 200, *, took_s: float = 0.1) -> Exchange:
    return ended("r", service="s", status=status, forwarded=100.0, answered=100.0 + took_s)


def test_requests_errors_and_response_times() -> None:
    clock = Clock()
    recent = Recent(clock=clock)
    clock.now += 10
    recent.take(batch(*[answered()] * 8, answered(503, took_s=1.0), answered(404), ended("other")))
    found = recent.shown()["s"]

    assert (found["requests"], found["requests_per_s"], found["error_rate"]) == (10, 1.0, 0.1)
    assert found["response_ms"]["p50"] == pytest.approx(100, rel=0.05)
    assert found["response_ms"]["p99"] == pytest.approx(1000, rel=0.05)
    assert list(recent.shown()) == ["s"]


def test_what_is_older_than_a_minute_is_forgotten() -> None:
    clock = Clock()
    recent = Recent(clock=clock)
    seen = []
    for _ in range(8):
        recent.take(batch(answered()))
        seen.append(recent.shown()["s"]["requests"])
        clock.now += 10
    clock.now += 60

    assert seen == [1, 2, 3, 4, 5, 6, 6, 6]
    assert recent.shown() == {}


def test_a_refusal_before_the_service_has_no_response_time() -> None:
    recent = Recent()
    recent.take(batch(ended("r", service="s", status=503)))

    assert recent.shown()["s"]["response_ms"] is None
    assert recent.shown()["s"]["error_rate"] == 1.0


def test_nothing_has_no_rate() -> None:
    assert (NOTHING["requests"], NOTHING["error_rate"], NOTHING["response_ms"]) == (0, None, None)
