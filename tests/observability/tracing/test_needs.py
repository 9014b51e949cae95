"""What waits for the collector."""

from hypothesis import given
from hypothesis import strategies as st

from authproxy.forwarded import Origin
from authproxy.headers import RequestHead
from observability.accesslog.line import Rules
from observability.tracing.needs import needed, size_of
from observability.traffic.record import Record
from tests.observability.tracing.test_spans import ASKED, CAME, MADE, RULES, spans
from tests.support.records import record

LONG = st.one_of(st.text(max_size=40), st.text(min_size=1, max_size=3).map(lambda text: text * 3000))
FIELDS = st.sampled_from([b"user-agent", b"cookie", b"accept"])


@st.composite
def records(draw: st.DrawFn) -> Record:
    head = RequestHead()
    head.host = draw(LONG).encode()
    head.traceparent = draw(st.sampled_from([CAME, MADE, MADE + b"-" + b"x" * 9000]))
    head.passed = [
        (name, text.encode()) for name, text in draw(st.lists(st.tuples(FIELDS, LONG), max_size=9))
    ]
    asked = draw(st.sampled_from([{}, ASKED]))
    return record(
        "r",
        **asked,
        head=head,
        traceparent=MADE,
        method=draw(st.one_of(LONG, st.just("GET"))),
        raw_path=b"/" + draw(st.sampled_from([b"", b"reset/"])) + draw(LONG).encode(),
        query=draw(LONG).encode(),
        origin=Origin("192.0.2.1", "https", ((b"forwarded", draw(LONG).encode()),)),
    )


def held(value: object) -> int:
    """Bytes and characters in it."""
    if isinstance(value, bytes | str):
        return len(value)
    if isinstance(value, RequestHead):
        return sum(held(getattr(value, name)) for name in RequestHead.__slots__)
    if isinstance(value, Origin):
        return held(value.client_ip) + held(value.fields)
    return sum(map(held, value)) if isinstance(value, tuple | list) else 0


@given(
    records(),
    st.sampled_from([RULES, Rules(), Rules(headers=(b"user-agent",), hide=frozenset({"user-agent"}))]),
)
def test_the_same_spans_come_of_less(one: Record, rules: Rules) -> None:
    """Whatever a client sends, what waits is small, and is no larger than it is said to be."""
    kept = needed(one, rules)

    assert spans(kept, rules) == spans(one, rules)
    assert held(kept) <= size_of(kept) < 10_000
