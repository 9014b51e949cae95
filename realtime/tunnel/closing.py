"""P: How connections end: codes, and what a closing frame carries (RFC 6455 sections 5.5.1 and 7.4).

1005 and 1006 never travel. No code is an empty closing frame. An end without a closing frame is one for the other side
as well, where that is an upstream, and 1011 where it is a client.
"""

from typing import Final

from realtime.tunnel.violation import Violation

GOING_AWAY: Final = 1001
PROTOCOL_ERROR: Final = 1002
NO_CODE: Final = 1005
INVALID_DATA: Final = 1007
TOO_BIG: Final = 1009
INTERNAL_ERROR: Final = 1011
SERVICE_RESTART: Final = 1012
CREDENTIALS_ENDED: Final = 4401

MOST_BYTES: Final = 125
"""Of a control frame's payload (RFC 6455 section 5.5)."""
_ALLOWED: Final = frozenset({*range(1000, 1004), *range(1007, 1015)})


def may_travel(code: int) -> bool:
    """Whether a closing frame may carry it (RFC 6455 section 7.4.2)."""
    return code in _ALLOWED or 3000 <= code <= 4999


def payload_of(code: int, reason: str = "") -> bytes:
    """A closing frame's payload; a reason that is too long ends where a character does."""
    cut = reason.encode("utf-8", "replace")[: MOST_BYTES - 2].decode("utf-8", "ignore")
    return code.to_bytes(2, "big") + cut.encode()


def read_payload(payload: bytes) -> tuple[int, str]:
    """Code and reason; NO_CODE for an empty one. Raises Violation for what must not be sent."""
    if not payload:
        return NO_CODE, ""
    code = int.from_bytes(payload[:2], "big")
    if len(payload) < 2 or not may_travel(code):
        raise Violation(PROTOCOL_ERROR, "bad close code")
    try:
        return code, payload[2:].decode()
    except UnicodeDecodeError:
        raise Violation(INVALID_DATA, "the reason is not UTF-8") from None
