"""P: How a key or a session stands, in a word."""

from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """`LIVE` lets its holder pass, as far as it itself is concerned."""

    LIVE = "live"
    EXPIRED = "expired"
    REVOKED = "revoked"
    ENDED = "ended"


def key_state(*, revoked_at: datetime | None, expires_at: datetime | None, now: datetime) -> State:
    """An API key's. One that was revoked says so, whether or not it has expired since."""
    if revoked_at is not None:
        return State.REVOKED
    return State.EXPIRED if expires_at is not None and expires_at <= now else State.LIVE


def session_state(*, ended_at: datetime | None, expires_at: datetime, now: datetime) -> State:
    """A session's."""
    if ended_at is not None:
        return State.ENDED
    return State.EXPIRED if expires_at <= now else State.LIVE
