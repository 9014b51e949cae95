"""What the gateway says of itself."""

import asyncio
import threading
from typing import Any

import pytest

from authproxy.security import SecurityEvent
from realtime import ownevents
from realtime.events import Event
from realtime.hub.hub import Hub
from realtime.ownevents import BREAKERS, REVISIONS, SECURITY, TARGETS, OwnEvents
from resilience.breaker import Cause, State
from resilience.guard import Record
from resilience.health import Standing
from resilience.verdicts import Verdict
from tests.support.documents import document
from tests.support.process import eventually
from tests.support.snapshots import snapshot_of


class Listener:
    """A sink that keeps events."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def deliver(self, event: Event) -> None:
        self.events.append(event)

    def gap(self, _topic: str) -> None:
        raise AssertionError

    async def room(self) -> None:
        return


async def listening(hub: Hub, *topics: str) -> Listener:
    found = Listener()
    for topic in topics:
        await hub.subscribe(topic, found)
    return found


def record(cause: Cause | None = Cause.FAILURES) -> Record:
    return Record("shop", State.CLOSED, State.OPEN, 1, 0.0, cause, 9, 5, 10.0, ())


async def heard(*notes: Any, topics: tuple[str, ...]) -> list[Event]:
    hub = Hub(node="a")
    own = OwnEvents(hub)
    listener = await listening(hub, *topics)
    own.start()
    for note in notes:
        note(own)
    await eventually(lambda: not own._waiting)
    await own.stop()
    return listener.events


async def test_breakers() -> None:
    """Transitions, not counts."""
    (event,) = await heard(
        lambda own: own.breaker(record(None)), lambda own: own.breaker(record()), topics=(BREAKERS,)
    )
    assert (event.type, event.data) == (
        "open",
        {"service": "shop", "before": "closed", "state": "open", "cause": "too many failures",
         "requests": 9, "failures": 5},
    )  # fmt: skip


async def test_targets() -> None:
    """Changes of their health only."""
    sick, well = (Verdict("shop", "http://t:1", "n", Standing(healthy=is_well)) for is_well in (False, True))
    events = await heard(
        lambda own: own.target(sick, False), lambda own: own.target(sick, True), lambda own: own.target(well, True),
        topics=(TARGETS,),
    )  # fmt: skip
    assert [event.type for event in events] == ["unhealthy", "healthy"]


async def test_revisions_are_one_event_of_all_workers() -> None:
    """The first one that a worker serves is no news."""
    old, new = (snapshot_of(document(), revision=number) for number in (1, 2))
    events = await heard(
        lambda own: own.revision(None, old), lambda own: own.revision(old, new), lambda own: own.revision(old, new),
        topics=(REVISIONS,),
    )  # fmt: skip
    assert [event.data for event in events] == [{"revision": 2, "before": 1}]


async def test_security_events_come_from_any_thread() -> None:
    hub = Hub(node="a")
    own = OwnEvents(hub)
    listener = await listening(hub, SECURITY)
    own.security(SecurityEvent("login", "ada"))  # before the start
    own.start()
    thread = threading.Thread(
        target=own.security, args=(SecurityEvent("forbidden", "bob", details={"route": "r"}),)
    )
    thread.start()
    await eventually(lambda: len(listener.events) == 2)
    thread.join()
    await own.stop()
    assert [(each.type, each.data["actor"]) for each in listener.events] == [
        ("login", "ada"),
        ("forbidden", "bob"),
    ]


async def test_what_is_too_much_is_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """And told at a bounded rate: anybody can cause refusals."""
    monkeypatch.setattr(ownevents, "MOST_WAITING", 120)
    hub, pauses = Hub(node="a"), []

    async def pause(seconds: float) -> None:
        pauses.append((seconds, len(listener.events)))
        await asyncio.sleep(0)

    own = OwnEvents(hub, pause=pause)
    listener = await listening(hub, SECURITY)
    for _ in range(200):
        own.security(SecurityEvent("auth_failed"))
    own.start()
    await eventually(lambda: len(listener.events) == 120)
    await own.stop()
    assert own.dropped == 80
    assert pauses == [(1.0, 50), (1.0, 100)]
