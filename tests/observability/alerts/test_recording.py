"""Incidents and messages as rows."""

from datetime import UTC, datetime, timedelta

import pytest

from observability.alerts import recording
from observability.alerts.conditions import BREAKER, TARGET, Condition
from observability.alerts.retrying import Result
from observability.models import AlertDelivery, Incident
from observability.rows.alerts import FAILED, SENT, WAITING
from tests.support.alerting import OPEN, hook_receiver

pytestmark = [pytest.mark.store, pytest.mark.django_db]
NOW = datetime(2026, 6, 1, tzinfo=UTC)
DOWN = Condition(TARGET, "orders http://a", "orders", "down")
ALL = {BREAKER, TARGET}


def told() -> list[tuple[str, str]]:
    return list(AlertDelivery.objects.order_by("pk").values_list("receiver__name", "event"))


def test_an_incident_is_told_twice() -> None:
    """However often it is seen; the same trouble later is another incident."""
    hook_receiver("http://a")
    for conditions in ([OPEN], [OPEN], [], [], [OPEN]):
        recording.record(conditions, ALL, NOW)
    assert told() == [("ops", "firing"), ("ops", "resolved"), ("ops", "firing")]
    assert Incident.objects.count() == 2
    assert recording.record([], {TARGET}, NOW).changes == 0


def test_who_is_told_of_what() -> None:
    """By kind and severity; who is switched off hears nothing, and who never heard of a beginning not of its end."""
    hook_receiver("http://a", "all")
    hook_receiver("http://a", "breakers", alerts=[BREAKER])
    hook_receiver("http://a", "critical", least="critical")
    hook_receiver("http://a", "off", enabled=False)
    recording.record([OPEN, DOWN], ALL, NOW)
    assert sorted(told()) == [
        ("all", "firing"),
        ("all", "firing"),
        ("breakers", "firing"),
        ("critical", "firing"),
    ]
    hook_receiver("http://a", "late")
    recording.record([DOWN], ALL, NOW)
    assert ("late", "resolved") not in told()
    assert len(told()) == 7


def test_there_is_room_for_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is beyond is dropped and counted."""
    monkeypatch.setattr(recording, "MOST_WAITING", 3)
    receiver = hook_receiver("http://a")
    found = recording.record([DOWN._replace(key=str(number)) for number in range(10)], ALL, NOW)
    receiver.refresh_from_db()
    assert (len(told()), receiver.dropped, recording.waiting()) == (3, 7, 3)
    assert found == (10, 7)


def test_attempts() -> None:
    """Again later, until it arrives or is given up; one at a time for each receiver."""
    receiver = hook_receiver("http://a")
    recording.record([OPEN, DOWN], ALL, NOW)
    (first,) = recording.due(NOW, (), 10)
    assert recording.due(NOW, {receiver.pk}, 10) == []
    recording.settle(first, Result(False, "status 500", 500), NOW, 0.5)
    first.refresh_from_db()
    assert (first.state, first.attempts, first.error) == (WAITING, 1, "status 500")
    assert first.next_at == NOW + timedelta(seconds=5)
    (second,) = recording.due(NOW, (), 10)
    assert second.pk != first.pk
    recording.settle(second, Result(True, status=204), NOW, 0.5)
    second.refresh_from_db()
    assert (second.state, second.done_at) == (SENT, NOW)
    for _ in range(8):
        first.refresh_from_db()
        recording.settle(first, Result(False, "status 500", 500), NOW, 0.5)
    first.refresh_from_db()
    assert (first.state, first.attempts) == (FAILED, 9)


def test_who_is_gone_is_switched_off() -> None:
    """410 is a word to stop; the page says why."""
    receiver = hook_receiver("http://a")
    recording.settle(recording.test(receiver, NOW), Result(False, "status 410", 410), NOW, 0.5)
    receiver.refresh_from_db()
    assert not receiver.enabled
    assert "410" in receiver.note


def test_old_rows_go() -> None:
    """What goes on stays, however old."""
    hook_receiver("http://a")
    recording.record([OPEN, DOWN], ALL, NOW)
    recording.record([DOWN], ALL, NOW)
    recording.prune(NOW + timedelta(days=91))
    assert list(Incident.objects.values_list("kind", flat=True)) == [TARGET]
