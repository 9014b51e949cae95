"""The event object, as everybody gets it."""

import json

import orjson
from hypothesis import given
from hypothesis import strategies as st

from realtime.events import Event, as_json, encode

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(), st.lists, max_leaves=5
)


@given(data=JSON, topic=st.text(), kind=st.text())
def test_is_json_of_its_fields(data: object, topic: str, kind: str) -> None:
    event = Event("1-0", topic, kind, data, "2026-01-01T00:00:00.000Z")

    assert json.loads(as_json(event)) == {
        "id": "1-0",
        "topic": topic,
        "type": kind,
        "data": data,
        "timestamp": "2026-01-01T00:00:00.000Z",
    }
    assert encode("1-0", topic, kind, orjson.dumps(data), event.timestamp) == as_json(event)


def test_is_written_once() -> None:
    assert as_json(Event("1", "t", "x", {}, "", b"kept")) == b"kept"
