"""How keys and sessions stand, to the second."""

from datetime import UTC, datetime, timedelta

import pytest

from authproxy.admin.states import State, key_state, session_state

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BEFORE, AFTER = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("revoked_at", "expires_at", "state"),
    [
        (None, None, State.LIVE),
        (None, AFTER, State.LIVE),
        (None, NOW, State.EXPIRED),
        (BEFORE, None, State.REVOKED),
        (BEFORE, BEFORE, State.REVOKED),
    ],
)
def test_key(revoked_at: datetime | None, expires_at: datetime | None, state: State) -> None:
    """It has expired at the very moment."""
    assert key_state(revoked_at=revoked_at, expires_at=expires_at, now=NOW) == state


@pytest.mark.parametrize(
    ("ended_at", "expires_at", "state"),
    [(None, AFTER, State.LIVE), (None, NOW, State.EXPIRED), (BEFORE, AFTER, State.ENDED)],
)
def test_session(ended_at: datetime | None, expires_at: datetime, state: State) -> None:
    """The same."""
    assert session_state(ended_at=ended_at, expires_at=expires_at, now=NOW) == state
