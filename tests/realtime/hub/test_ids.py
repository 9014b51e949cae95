"""Ids of events: ordered, and read back only if they are whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.hub.ids import EventId, parse_id

IDS = st.builds(
    EventId,
    st.integers(0, 10**14),
    st.integers(0, 10**6),
    st.integers(1, 10**6),
    st.sampled_from(("a1", "b2")),
)


@given(one=IDS)
def test_texts_are_read_back(one: EventId) -> None:
    assert parse_id(str(one)) == one
    assert parse_id(str(one.shared)) == one.shared


@given(one=IDS)
def test_stands_between_entries(one: EventId) -> None:
    """What a worker did alone comes behind the entry that it had read, and before the next one."""
    assert one.shared < one < one.next
    assert one < one._replace(own=one.own + 1) < one.next


@pytest.mark.parametrize(
    "text", ["", "1", "1-", "-1", "1-2.3", "1-2.3.", "1-2.3.A", "a-b", "1-2 ", "1" * 90 + "-1", "٣-١"]
)
def test_all_else_is_none(text: str) -> None:
    assert parse_id(text) is None
