"""P: WebSocket connections through a route, compiled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from routing.explanation import PolicyNote

if TYPE_CHECKING:
    from routing.document.answers import WebSocketSpec
    from routing.snapshot import HeaderList


@dataclass(frozen=True, slots=True)
class SocketPolicy:
    """What holds for each connection."""

    idle_timeout_s: float
    """Without any message or ping of either side it is closed then (1001)."""
    max_message: int
    """Bytes; a larger message closes the connection with 1009 (RFC 6455 section 7.4.1)."""
    on_change: Literal["leave", "drain", "close"]
    """What becomes of connections when the route goes, is disabled, or leads elsewhere."""


def socket_policy_of(spec: WebSocketSpec | None) -> SocketPolicy | None:
    """None: the route takes no WebSocket connections."""
    if spec is None or not spec.enabled:
        return None
    return SocketPolicy(spec.idle_timeout, spec.max_message, spec.on_change)


def socket_note(policy: SocketPolicy | None, source: str, headers: HeaderList) -> Iterator[PolicyNote]:
    """What holds for connections; a request that asks for one is said to become one."""
    if policy is not None:
        asked = any(name == b"upgrade" and b"websocket" in value.lower() for name, value in headers)
        details = {
            "idle_timeout_s": policy.idle_timeout_s,
            "max_message": policy.max_message,
            "on_change": policy.on_change,
        }
        yield PolicyNote("websocket", source, "applies" if asked else "pass", details)
