"""P: Security events: what happened to somebody's access, told to whoever listens (the event log, metrics, audit).

Nothing here keeps or writes anything. `emit` runs on the request's own path: listeners must be quick, may be called
from any thread, and must not raise.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

Kind = Literal[
    "login",
    "login_failed",
    "login_locked",
    "logout",
    "registered",
    "registration_refused",
    "token_reuse",
    "key_created",
    "key_revoked",
    "session_ended",
    "consumer_disabled",
    "account_disabled",
    "password_changed",
    "keys_rotated",
    "auth_failed",
    "forbidden",
    "staff_login",
    "staff_login_failed",
    "mfa_failed",
    "mfa_removed",
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
ALARMING: Final[frozenset[Kind]] = frozenset({"login_locked", "token_reuse"})
"""Somebody should look at these now."""
REFUSALS: Final[frozenset[Kind]] = frozenset(
    {
        "login_failed",
        "registration_refused",
        "auth_failed",
        "forbidden",
        "staff_login_failed",
        "mfa_failed",
    }
)
"""Somebody was not let in. Any caller can cause these, and as many as it likes."""


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """One thing that happened, now.

    `actor` is who did it and `subject` is what it was done to: names of accounts and consumers, prefixes of keys,
    ids of sessions. What somebody typed where a name was asked for belongs here only if it is the name of an account:
    people type passwords there. `details` are a few JSON values (`reason`, `route`), and hold no credential.
    """

    kind: Kind
    actor: str = ""
    subject: str = ""
    address: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


Listener = Callable[[SecurityEvent], None]
_listeners: list[Listener] = []


def emit(event: SecurityEvent) -> None:
    """Tells every listener. In a transaction, call it on commit: what was rolled back did not happen."""
    for listener in tuple(_listeners):
        listener(event)


def bind(listener: Listener) -> Callable[[], None]:
    """Lets `listener` hear of everything from now on, until the function that comes back is called."""
    _listeners.append(listener)

    def unbind() -> None:
        if listener in _listeners:
            _listeners.remove(listener)

    return unbind
