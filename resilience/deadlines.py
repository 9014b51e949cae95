"""P: The time that a request has, as callers say it and services are told it: X-Request-Timeout-Ms.

A client that waits for half a second only need not keep a service busy for a minute. Milliseconds as a plain decimal
number; anything else is ignored, so that a broken client gets what it would get without the field.
"""

from typing import Final

NAME: Final = b"x-request-timeout-ms"
_MOST_DIGITS: Final = 9
_MS_PER_S: Final = 1000
_MOST_MS: Final = 10**_MOST_DIGITS - 1


def claimed_s(value: bytes) -> float | None:
    """What a client's field asks for; None for what is no number of milliseconds, and for none at all."""
    text = value.strip(b" \t")
    if not text.isdigit() or len(text) > _MOST_DIGITS:
        return None
    return int(text) / _MS_PER_S or None


def left_ms(deadline: float, now: float) -> int:
    """For a service that is called at `now`: whole milliseconds, rounded down, but never none. Any one clock."""
    left = int((deadline - now) * _MS_PER_S)
    return 1 if left < 1 else min(left, _MOST_MS)


def field(deadline: float, now: float) -> tuple[bytes, bytes]:
    """The field that tells a service."""
    return NAME, str(left_ms(deadline, now)).encode()
