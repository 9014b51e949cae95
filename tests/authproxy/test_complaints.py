"""What the log says of upstreams that fail."""

import httpx
import pytest

from authproxy import complaints
from authproxy.complaints import QUIET_S, Complaints
from resilience.outcomes import Outcome

REFUSED = httpx.ConnectError("http://h: Connection refused")


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(complaints, "monotonic", lambda: self.now)


def note(to: Complaints, outcome: Outcome = Outcome.CONNECT_REFUSED, *, target: str = "http://h") -> None:
    to.note(REFUSED, outcome, service="s", target=target)


def test_the_reason_is_told_once_in_a_while(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One line for the first failure, one for all that came in the ten seconds after it."""
    clock, tested = Clock(monkeypatch), Complaints()
    for _ in range(500):
        note(tested)
    clock.now += QUIET_S
    note(tested)

    said = 'service "s", target http://h: connect_refused: http://h: Connection refused'
    assert caplog.messages == [said, f"{said} (and 499 more since)"]


def test_kinds_are_told_apart(caplog: pytest.LogCaptureFixture) -> None:
    """Another target or another failure is news."""
    tested = Complaints()
    note(tested)
    note(tested, target="http://other")
    note(tested, Outcome.TLS_ERROR)
    note(tested)

    assert len(caplog.messages) == 3


@pytest.mark.parametrize("outcome", [Outcome.STALE, Outcome.CLIENT_BODY, Outcome.CLIENT_GONE])
def test_what_is_no_trouble_is_not_told(outcome: Outcome, caplog: pytest.LogCaptureFixture) -> None:
    """Clients leave and connections age: nobody has to act."""
    note(Complaints(), outcome)

    assert caplog.messages == []


def test_the_memory_is_bounded() -> None:
    """However many kinds there are."""
    tested = Complaints()
    for number in range(3000):
        note(tested, target=f"http://h{number}")

    assert len(tested._kinds) <= 1024
