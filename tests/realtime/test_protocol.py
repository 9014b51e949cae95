"""Messages of clients and to them: whatever comes is understood, or refused in words."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.events import Event
from realtime.protocol import (
    Authenticate,
    Fault,
    Ping,
    Resume,
    Subscribe,
    Unsubscribe,
    event_message,
    is_connection_id,
    message,
    parse,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["topic", "generation_id", "last_event_id", "last_event_ids", "resume_token", "token", "id", "x"]
)
TYPES = st.sampled_from(
    ["subscribe", "unsubscribe", "subscribe_generation", "resume", "authenticate", "ping", "x"]
)


@given(fields=st.dictionaries(KEYS, JSON), kind=TYPES | JSON)
def test_any_object_is_asked_or_refused(fields: dict[str, object], kind: object) -> None:
    asked = parse(json.dumps({**fields, "type": kind}).encode())

    assert isinstance(asked, Subscribe | Unsubscribe | Resume | Authenticate | Ping | Fault)
    if isinstance(asked, Fault):
        assert (asked.code, asked.message[-1]) == ("INVALID_REQUEST", ".")


@given(data=st.binary(max_size=50))
def test_anything_else_is_refused(data: bytes) -> None:
    assert isinstance(parse(data), Fault)


@pytest.mark.parametrize(
    ("sent", "asked"),
    [
        ({"type": "subscribe", "topic": "a.b"}, Subscribe("a.b")),
        ({"type": "subscribe", "topic": "a", "last_event_id": "1-0"}, Subscribe("a", "1-0")),
        ({"type": "subscribe", "topic": "a", "last_event_id": None}, Subscribe("a")),
        ({"type": "subscribe_generation", "generation_id": "g1"}, Subscribe("generation.g1")),
        ({"type": "unsubscribe", "topic": "a"}, Unsubscribe("a")),
        ({"type": "resume", "resume_token": "t"}, Resume("t", {})),
        (
            {"type": "resume", "resume_token": "t", "last_event_ids": {"a": "1-0"}},
            Resume("t", {"a": "1-0"}),
        ),
        ({"type": "authenticate", "token": "t"}, Authenticate("t")),
        ({"type": "ping", "id": 1}, Ping(1)),
        ({"type": "ping", "id": {}}, Ping(None)),
    ],
)
def test_what_clients_ask(sent: dict[str, object], asked: object) -> None:
    assert parse(json.dumps(sent).encode()) == asked


@pytest.mark.parametrize(
    ("sent", "place"),
    [
        ({"type": "subscribe", "topic": "a" * 201}, "topic"),
        ({"type": "subscribe", "topic": "a", "last_event_id": 7}, "last_event_id"),
        ({"type": "subscribe", "topic": "a", "last_event_id": "1" * 81}, "last_event_id"),
        ({"type": "subscribe_generation", "generation_id": ""}, "generation_id"),
        ({"type": "subscribe_generation", "generation_id": 5}, "generation_id"),
        ({"type": "resume", "resume_token": 5}, "resume_token"),
        ({"type": "resume", "resume_token": "t", "last_event_ids": {"a": 1}}, "last_event_ids"),
        ({"type": "authenticate", "token": "é"}, "token"),
        ({"type": "authenticate"}, "token"),
    ],
)
def test_refusals_name_the_place(sent: dict[str, object], place: str) -> None:
    fault = parse(json.dumps(sent).encode())

    assert isinstance(fault, Fault)
    assert fault.message.startswith(place)


@given(topic=st.text(), kind=st.text(), data=JSON)
def test_events_say_both_types(topic: str, kind: str, data: object) -> None:
    event = Event("1-0", topic, kind, data, "2026-01-01T00:00:00.000Z")
    try:
        orjson.dumps(data)
    except TypeError:
        return  # integers beyond 64 bits are no JSON of ours
    sent = json.loads(event_message(event))

    assert (sent["type"], sent["event"], sent["topic"], sent["id"]) == ("event", kind, topic, "1-0")
    assert sent["data"] == data


def test_none_is_left_out() -> None:
    assert json.loads(message("pong", id=None, a=0)) == {"type": "pong", "a": 0}


@pytest.mark.parametrize(
    ("text", "is_one"), [("client123", True), ("", False), ("a.b", False), ("x" * 65, False)]
)
def test_ids_of_connections(text: str, is_one: bool) -> None:
    assert is_connection_id(text) is is_one
