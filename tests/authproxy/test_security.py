"""Security events: values that reach every listener, and none that has left."""

import pytest

from authproxy.security import ALARMING, KINDS, REFUSALS, SecurityEvent, bind, emit

EVENT = SecurityEvent("login_failed", subject="anna", address="192.0.2.1", details={"reason": "password"})


def test_every_listener_hears_every_event_until_it_leaves() -> None:
    """Leaving twice does no harm."""
    first: list[SecurityEvent] = []
    second: list[SecurityEvent] = []
    leave_first, leave_second = bind(first.append), bind(second.append)
    emit(EVENT)
    leave_first()
    leave_first()
    emit(SecurityEvent("login", actor="anna"))
    leave_second()
    emit(EVENT)
    assert [event.kind for event in first] == ["login_failed"]
    assert [event.kind for event in second] == ["login_failed", "login"]


def test_listener_may_leave_while_it_is_told() -> None:
    """Those after it are told all the same."""
    heard: list[str] = []

    def once(_event: SecurityEvent) -> None:
        heard.append("once")
        leave()

    leave, leave_other = bind(once), bind(lambda event: heard.append(event.kind))
    emit(EVENT)
    emit(EVENT)
    leave_other()
    assert heard == ["once", "login_failed", "login_failed"]


def test_event_cannot_be_changed_by_a_listener() -> None:
    """All listeners see the same."""
    with pytest.raises(AttributeError):
        EVENT.kind = "login"  # type: ignore[misc]


def test_kinds_fit_their_column_and_their_groups() -> None:
    """The row's column is 40 wide."""
    assert len(set(KINDS)) == len(KINDS)
    assert max(map(len, KINDS)) <= 40
    assert set(KINDS) > ALARMING | REFUSALS
    assert not ALARMING & REFUSALS
