"""Entries of the shared stream: what is written is read back, and what others write is not believed."""

from hypothesis import given
from hypothesis import strategies as st

from realtime.hub import entries
from realtime.hub.entries import Confession, Draft, Entry
from realtime.hub.ids import EventId


def as_redis(fields: tuple[bytes | str, ...]) -> dict[bytes, bytes]:
    flat = [each if isinstance(each, bytes) else each.encode() for each in fields]
    return dict(zip(flat[::2], flat[1::2], strict=True))


@given(topic=st.text(), kind=st.text(), key=st.text())
def test_events_are_read_back(topic: str, kind: str, key: str) -> None:
    draft = Draft(topic, kind, b'{"a":1}', "2026-01-01T00:00:00.000Z", key)

    assert entries.read(b"5-1", as_redis(entries.of_draft(draft))) == Entry(EventId(5, 1), draft)


@given(topics=st.none() | st.lists(st.text()))
def test_confessions_are_read_back(topics: list[str] | None) -> None:
    read = entries.read(b"5-1", as_redis(entries.of_confession("a", topics)))

    assert read == Entry(EventId(5, 1), Confession("a", None if topics is None else tuple(topics)))


def test_marks_say_nothing() -> None:
    assert entries.read(b"5-1", as_redis(entries.MARK)) == Entry(EventId(5, 1), None)


@given(fields=st.dictionaries(st.sampled_from([b"t", b"y", b"d", b"s", b"k", b"g", b"n"]), st.binary()))
def test_anything_else_is_no_fault(fields: dict[bytes, bytes]) -> None:
    read = entries.read(b"5-1", fields)

    assert read is None or read.id == EventId(5, 1)
    assert entries.read(b"\xff", fields) is None
