"""Security events are told when what they tell of is committed."""

from collections.abc import Iterator

import pytest
from django.db import transaction

from authproxy.security import SecurityEvent, bind
from authproxy.telling import tell_on_commit

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def told() -> Iterator[list[SecurityEvent]]:
    events: list[SecurityEvent] = []
    unbind = bind(events.append)
    yield events
    unbind()


def test_events_wait_for_the_commit(told: list[SecurityEvent]) -> None:
    """And are not told if there is none."""
    with transaction.atomic():
        tell_on_commit("key_revoked", actor="anna", subject="billing", key="tor_1")
        assert told == []
    with transaction.atomic():
        tell_on_commit("key_revoked", subject="acme")
        transaction.set_rollback(True)
    assert told == [SecurityEvent("key_revoked", "anna", "billing", details={"key": "tor_1"})]


def test_outside_of_a_transaction_they_are_told_at_once(told: list[SecurityEvent]) -> None:
    """There is nothing to wait for."""
    tell_on_commit("login", subject="anna", address="192.0.2.1")
    assert [event.address for event in told] == ["192.0.2.1"]
