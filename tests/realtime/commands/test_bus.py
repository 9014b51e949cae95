"""`gateway bus`: whether the hub answers, what waits, and dead letters."""

from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings

from gateway_project.server.ports import keep_port
from gateway_project.variables import Secret
from realtime.bus import kept
from realtime.models import DeadLetter, WaitingEvent
from tests.support.buses import message
from tests.support.cli import gateway

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def with_hub(monkeypatch: pytest.MonkeyPatch, url: str | None) -> None:
    monkeypatch.setattr(settings, "CONFIG", replace(settings.CONFIG, message_hub_url=url and Secret(url)))


def test_status_of_a_hub_that_answers(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    """With what it guarantees, and what waits."""
    with_hub(monkeypatch, redis_url)
    kept.put([message(1)])
    told: dict[str, Any] = gateway("bus", "status", "--json").data
    assert (told["status"], told["waiting"], told["dead"]) == ("healthy", 1, 0)
    assert "1 events wait" in gateway("bus", "status").out


def test_status_of_a_hub_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1, without the address; and a sentence where there is none."""
    with_hub(monkeypatch, f"http://u:hunter2@127.0.0.1:{keep_port()}/")
    told = gateway("bus", "status")
    assert told.code == 1
    assert "away: ConnectError" in told.out
    assert "hunter2" not in told.out + told.err
    with_hub(monkeypatch, None)
    assert "MESSAGE_HUB_URL is not set" in gateway("bus", "status").err


def test_what_waits() -> None:
    """The oldest first."""
    kept.put([message(1), message(2)])
    assert [each["id"] for each in gateway("bus", "outbox", "--json").data] == ["e1", "e2"]
    assert "a.b" in gateway("bus", "outbox").out.splitlines()[0]


def test_dead_letters_are_shown_sent_again_and_thrown_away() -> None:
    """By their ids, or all; never by mistake."""
    for number in (1, 2, 3):
        kept.bury(message(number, body=b'{"password":"hunter2"}'), "not wanted", "in")
    shown = gateway("bus", "dead", "list", "--json").data
    assert [each["event"] for each in shown] == ["e3", "e2", "e1"]
    assert shown[0]["body"] == '{"password":"…"}'
    assert "not wanted" in gateway("bus", "dead", "list").out
    for wrong in ((), ("9999",), (str(shown[0]["id"]), "--all")):
        assert gateway("bus", "dead", "discard", *wrong).code == 1
    assert gateway("bus", "dead", "resend", str(shown[2]["id"]), "--json").data == {"sent": 1, "left": 0}
    assert [row.event_id for row in WaitingEvent.objects.all()] == ["e1"]
    assert gateway("bus", "dead", "discard", "--all").out == "thrown away: 2\n"
    assert not DeadLetter.objects.exists()


def test_what_has_no_room_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_EVENTS", 0)
    kept.bury(message(1), "not wanted", "out")
    assert gateway("bus", "dead", "resend", "--all").code == 1
    assert DeadLetter.objects.count() == 1
