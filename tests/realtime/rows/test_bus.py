"""Rows of events."""

from realtime.models import DeadLetter, WaitingEvent


def test_they_are_shown_by_topic_and_id() -> None:
    for made in (DeadLetter(topic="a.b", event_id="1"), WaitingEvent(topic="a.b", event_id="1")):
        assert str(made) == "a.b 1"
