"""The thread that sends spans, and what it does when nobody takes them."""

import logging
import threading
from collections.abc import Sequence
from random import Random

import pytest

from observability.accesslog.line import Rules
from observability.tracing import export
from observability.tracing.export import TraceExport
from observability.tracing.needs import needed, size_of
from observability.tracing.spans import Span
from observability.traffic.alikes import Seen
from observability.traffic.record import Record
from tests.observability.tracing.test_spans import made
from tests.support.records import exchange_of, seen


class Sent:
    """Takes spans, unless `gate` is closed or `why` says that it does not."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.gate = threading.Event()
        self.began = threading.Event()
        self.stopped = False
        self.why = ""

    def send(self, spans: Sequence[Span]) -> str:
        self.began.set()
        self.gate.wait(10)
        if self.why == "raise":
            raise RuntimeError("broken")
        if not self.why:
            self.spans += spans
        return self.why

    def stop(self) -> None:
        self.stopped = True


@pytest.fixture
def sent() -> Sent:
    return Sent()


def seen_of(*records: Record) -> Seen:
    return seen(*map(exchange_of, records))


def exporting(sent: Sent, most: int = 100) -> TraceExport:
    return TraceExport(lambda: sent, Rules(), Random(1), most=most)


def test_what_waits_is_sent_at_the_end(sent: Sent) -> None:
    sent.gate.set()
    traces = exporting(sent)
    traces.start()
    traces.see(seen_of(made(), made(traceparent=b"00-" + b"1" * 32 + b"-" + b"2" * 16 + b"-00")))
    traces.stop()

    assert len(sent.spans) == traces.exported == 1
    assert sent.stopped
    assert traces.counts == {"exported": 1, "failed": 0, "waiting": 0, "dropped": 0, "failing": 0}


def test_a_hanging_collector_fills_the_queue_and_no_more(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    """`see` returns at once, what does not fit is counted, and the end does not wait for ever."""
    monkeypatch.setattr(export, "ROUND_S", 0.01)
    monkeypatch.setattr(export, "GOODBYE_S", 0.05)
    traces = exporting(sent, most=3)
    traces.start()
    traces.see(seen_of(made()))
    assert sent.began.wait(10)
    traces.see(seen_of(*[made()] * 5))

    assert (traces.dropped, traces.counts["waiting"]) == (3, 3)
    traces.stop()
    assert sent.stopped
    sent.gate.set()


def test_what_waits_is_bounded_in_bytes(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long paths fill the queue sooner; what was sent makes room again."""
    monkeypatch.setattr(export, "ROUND_S", 0.01)
    small, large = made(), made(raw_path=b"/" * 4000)
    room = size_of(needed(large, Rules())) + size_of(needed(small, Rules()))
    traces = TraceExport(lambda: sent, Rules(), Random(1), most_bytes=room)
    traces.see(seen_of(large, large, small, small))
    assert (traces.dropped, traces.counts["waiting"]) == (2, 2)
    sent.gate.set()
    traces.start()
    traces.stop()
    traces.see(seen_of(large, small))

    assert (traces.exported, traces.dropped, traces.counts["waiting"]) == (2, 2, 2)


@pytest.mark.parametrize("why", ["connection refused", "raise"])
def test_failures_are_counted_and_said_once(sent: Sent, why: str, caplog: pytest.LogCaptureFixture) -> None:
    """And so is the end of them."""
    traces = exporting(sent)
    traces._sender = sent
    sent.gate.set()
    sent.why = why
    with caplog.at_level(logging.WARNING, logger="observability.tracing.export"):
        for _ in range(3):
            traces._send([(made(), 0.0)])
        assert (traces.dropped, traces.failed, traces.counts["failing"]) == (3, 3, 1)
        sent.why = ""
        traces._send([(made(), 0.0)])
    said = [each.message for each in caplog.records if each.levelno == logging.WARNING]

    assert len(said) == 2
    assert said[-1] == "traces arrive at the collector again"
    assert (traces.exported, traces.counts["failing"]) == (1, 0)
