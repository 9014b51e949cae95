"""P: When a message that did not arrive is sent again, and when no more. Seconds; `chance` is from 0 to 1."""

from typing import Final, NamedTuple

PAUSES_S: Final = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0, 7200.0, 14400.0)
"""After the first attempt, the second, and so on; about eight hours in all."""
JITTER: Final = 0.2
LONGEST_WISH_S: Final = 14400.0
GONE: Final = 410


class Result(NamedTuple):
    """How an attempt ended. `status` 0: no answer."""

    ok: bool
    error: str = ""
    status: int = 0
    retry_after_s: float = 0.0


def pause_s(attempts: int, result: Result, chance: float) -> float | None:
    """After so many attempts, the last of which failed so; None: it is given up.

    The receiver may ask for a longer pause (Retry-After). One that is gone (410) wants nothing any more.
    """
    if result.status == GONE or attempts > len(PAUSES_S):
        return None
    pause = PAUSES_S[attempts - 1] * (1 + JITTER * (2 * chance - 1))
    return max(pause, min(result.retry_after_s, LONGEST_WISH_S))
