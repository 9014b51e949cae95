"""Server-sent events as bytes, and what waits for a client."""

import orjson

from realtime import sse
from realtime.events import Event
from realtime.sse import Backlog, end_bytes, event_bytes, gap_bytes

EVENT = Event("1-a", "t", "kind", {"text": "two\nlines"}, "2026-01-01T00:00:00Z")


def test_an_event_is_one_line_of_data() -> None:
    """Line breaks in data are escaped by JSON."""
    head, _, data = event_bytes(EVENT).partition(b"\n")
    assert head == b"id: 1-a"
    assert data.count(b"\n") == 2
    found = orjson.loads(data.removeprefix(b"data: "))
    assert found == {
        "id": "1-a", "topic": "t", "type": "kind", "data": {"text": "two\nlines"}, "timestamp": "2026-01-01T00:00:00Z"
    }  # fmt: skip


def test_what_is_no_event_of_a_topic_has_a_type() -> None:
    assert gap_bytes("t") == b'event: gap\ndata: {"topic":"t"}\n\n'
    assert end_bytes("C", "why") == b'event: end\ndata: {"code":"C","message":"why"}\n\n'


def test_what_waits_is_bounded() -> None:
    """By number and by bytes; replays leave half of it to what comes live."""
    backlog = Backlog()
    for _ in range(sse.MOST_WAITING // 2):
        assert backlog.has_room
        assert backlog.put(b"x")
    assert not backlog.has_room
    while backlog.put(b"x"):
        pass
    assert len(backlog) == sse.MOST_WAITING
    assert backlog.take() == b"x" * sse.MOST_WAITING
    assert (len(backlog), backlog.take()) == (0, b"")
    assert backlog.put(b"x" * sse.MOST_BYTES)
    assert not backlog.put(b"x")
