"""How the answer of a call is written."""

from typing import Any

import pytest

from authproxy.grpc.calling import Call, content_type, item, trouble, wants_sse


class FakeMethod:
    path = "/a.B/C"

    def __init__(self, *, streams: bool) -> None:
        self.is_streaming = streams

    def decode(self, data: bytes) -> bytes | None:
        return data


def call(**more: Any) -> Call:
    given = {"streams": True, "is_sse": False, **more}
    return Call(FakeMethod(streams=given["streams"]), b"", "s", frozenset(), given["is_sse"], print)


def test_three_ways_to_write() -> None:
    """One object, lines, or events."""
    one, lines, events = call(streams=False), call(), call(is_sse=True)
    assert [content_type(each) for each in (one, lines, events)] == [
        b"application/json",
        b"application/x-ndjson",
        b"text/event-stream",
    ]
    assert [item(each, b"{}") for each in (one, lines, events)] == [b"{}", b"{}\n", b"data: {}\n\n"]
    assert trouble(lines, 1) == b'{"error":1}\n'
    assert trouble(events, 1) == b'event: error\ndata: {"error":1}\n\n'


@pytest.mark.parametrize(
    ("accept", "events"),
    [
        (b"", False),
        (b"*/*", False),
        (b"text/event-stream", True),
        (b"Text/Event-Stream, application/x-ndjson", True),
        (b"application/x-ndjson, text/event-stream", False),
    ],
)
def test_accept_chooses(accept: bytes, events: bool) -> None:
    """What is named first."""
    assert wants_sse(accept) is events
