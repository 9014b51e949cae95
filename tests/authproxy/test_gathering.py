"""Events that repeat are one with a count, whatever callers put into them and however many there are."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy.gathering import (
    LONGEST_ADDRESS,
    LONGEST_NAME,
    MOMENT_S,
    TOO_MANY,
    UPDATE_S,
    Entry,
    Gathering,
    cleaned,
)
from authproxy.security import SecurityEvent


def failed(address: str = "192.0.2.1", **details: object) -> SecurityEvent:
    return SecurityEvent("login_failed", subject="anna", address=address, details=details)


def tell(entries: list[Entry], now: float) -> None:
    """What the log and the table do."""
    for entry in entries:
        entry.logged = entry.written = entry.count
        entry.logged_at = entry.written_at = now


def test_same_again_only_counts() -> None:
    """What differs in anything, details too, is another entry."""
    gathering = Gathering(limit=10)
    for _ in range(3):
        gathering.note(failed(reason="password"), 1.0)
    gathering.note(failed(reason="locked"), 1.0)
    gathering.note(failed("192.0.2.2", reason="password"), 1.0)
    assert [entry.count for entry in gathering.due(1.0)] == [3, 1, 1]


def test_first_is_told_at_once_and_its_growth_now_and_then() -> None:
    """Nothing is due again until it has grown and a while has passed."""
    gathering = Gathering(limit=10)
    gathering.note(failed(), 0.0)
    tell(gathering.due(1.0), 1.0)
    assert gathering.due(1.0 + UPDATE_S) == []
    gathering.note(failed(), 2.0)
    assert gathering.due(2.0) == []
    [entry] = gathering.due(1.0 + UPDATE_S)
    assert (entry.count, entry.written) == (2, 1)


def test_what_was_not_told_is_kept_however_old() -> None:
    """The database may be away for hours; the log need not hear of it twice."""
    gathering = Gathering(limit=10)
    gathering.note(failed(), 0.0)
    [entry] = gathering.due(1.0)
    entry.logged, entry.logged_at = 1, 1.0
    gathering.forget(10 * MOMENT_S)
    assert gathering.due(10 * MOMENT_S) == [entry]
    tell([entry], 10 * MOMENT_S)
    gathering.forget(10 * MOMENT_S)
    gathering.note(failed(), 10 * MOMENT_S)
    assert gathering.due(10 * MOMENT_S) != [entry], "a moment later, it is another entry"


def test_a_moment_ends_only_when_its_last_repetition_is_told() -> None:
    """No count is lost."""
    gathering = Gathering(limit=10)
    gathering.note(failed(), 0.0)
    tell(gathering.due(0.0), MOMENT_S - 1.0)
    gathering.note(failed(), MOMENT_S - 0.5)
    gathering.forget(MOMENT_S)
    [entry] = gathering.due(MOMENT_S - 1.0 + UPDATE_S)
    assert entry.count - entry.written == 1


def test_too_many_to_tell_apart_are_counted_by_kind() -> None:
    """Memory is bounded, and no event goes uncounted."""
    gathering = Gathering(limit=100)
    for number in range(10_000):
        gathering.note(failed(f"2001:db8::{number:x}"), 1.0)
    gathering.note(SecurityEvent("auth_failed"), 1.0)
    due = gathering.due(1.0)
    assert len(due) == 102
    assert sum(entry.count for entry in due) == 10_001
    crowds = {entry.event.kind: entry.count for entry in due if entry.event.details == {"note": TOO_MANY}}
    assert crowds == {"login_failed": 9_900, "auth_failed": 1}
    assert gathering.merged == 9_901
    tell(due, 1.0)
    gathering.forget(1.0 + MOMENT_S)
    gathering.note(failed(), 2.0 + MOMENT_S)
    assert [entry.event.address for entry in gathering.due(2.0 + MOMENT_S)] == ["192.0.2.1"]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (3, 3),
        (True, True),
        (None, None),
        ("a\0b", "a�b"),
        ("\ud800", "?"),
        (float("nan"), "nan"),
        (2**80, str(2**80)),
        (["b", "a"], ["b", "a"]),
        (frozenset({"b", "a"}), ["a", "b"]),
        ({"nested": "\0"}, "{'nested': '\\x00'}"),
    ],
)
def test_details_become_what_every_database_takes(value: object, kept: object) -> None:
    """PostgreSQL refuses NUL and surrogates, and one refused row would hold up the others."""
    assert cleaned(failed(value=value)).details == {"value": kept}


@given(st.text(), st.dictionaries(st.text(), st.text() | st.binary() | st.floats() | st.lists(st.text())))
def test_any_event_is_cleaned(text: str, details: dict[str, object]) -> None:
    """It fits its columns and is JSON."""
    event = cleaned(SecurityEvent("login_failed", text * 90, text * 90, text * 90, details))
    assert len(event.actor) <= LONGEST_NAME
    assert len(event.subject) <= LONGEST_NAME
    assert len(event.address) <= LONGEST_ADDRESS
    written = orjson.dumps([event.actor, event.details])
    assert b"\\u0000" not in written
    assert len(written) < 250_000
