"""The gateway's place in a trace."""

import pytest

from authproxy import headers
from authproxy.headers import RequestHead
from authproxy.tracing import Sampling, Spans

LOW, HIGH = b"0" * 31 + b"1", b"f" * 32
CAME = b"00-%b-b7ad6b7169203331-%b"


@pytest.mark.parametrize(
    ("sampling", "trace_id", "flags", "takes"),
    [
        (Sampling(), HIGH, b"", True),
        (Sampling(), HIGH, b"00", False),
        (Sampling(), HIGH, b"03", True),
        (Sampling(follows=False), HIGH, b"00", True),
        (Sampling(0.0), LOW, b"", False),
        (Sampling(0.0), LOW, b"01", True),
        (Sampling(0.5), LOW, b"", True),
        (Sampling(0.5), HIGH, b"", False),
        (Sampling(0.5, follows=False), HIGH, b"01", False),
    ],
)
def test_sampling(sampling: Sampling, trace_id: bytes, flags: bytes, takes: bool) -> None:
    """The client's word, where it counts; else the share, by trace id."""
    assert sampling.takes(trace_id, flags) is takes


def test_a_trace_goes_on() -> None:
    """The same trace, another span; what came is kept."""
    came = CAME % (HIGH, b"01")
    head = headers.read([(b"traceparent", came)])
    made = Spans(Sampling()).traceparent(head, came)

    assert headers.read([(b"traceparent", made)]).traceparent == made
    assert made[:36] == came[:36]
    assert made[36:52] != came[36:52]
    assert head.traceparent == came
    assert made.endswith(b"-01")
    assert Spans(Sampling(0.0, follows=False)).traceparent(head, came).endswith(b"-00")


def test_a_trace_begins() -> None:
    """One that nobody began: the head has what services get."""
    head = RequestHead()
    head.traceparent = CAME % (LOW, b"01")
    made = Spans(Sampling(0.0)).traceparent(head, b"")

    assert head.traceparent == made
    assert made.endswith(b"-00")


def test_a_later_version_is_answered_with_ours() -> None:
    """Section 4.3 of the recommendation: what is not understood is not repeated."""
    came = b"01-%b-b7ad6b7169203331-01-more" % HIGH
    head = headers.read([(b"traceparent", came)])

    assert Spans(Sampling()).traceparent(head, came)[:36] == b"00-%b-" % HIGH
