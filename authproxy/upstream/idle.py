"""P: For how long an idle connection to a target may be used again: always a little less than the upstream waits.

A request sent just when the upstream closes is lost, and a POST cannot be repeated. So the limit starts below what
common servers wait (uvicorn, Node, Apache: 5 s), takes the upstream's word (`Keep-Alive: timeout=N`), and learns from
what happens: a connection that the upstream closed after t idle seconds halves t into the new limit, which then doubles
again every RECOVERY_S, since the closing may have been a restart.
"""

import re
from typing import Final

DEFAULT_S: Final = 4.0
RECOVERY_S: Final = 10.0
FLOOR_S: Final = 0.001
LONGEST_S: Final = 60.0
"""However long an upstream promises to wait: middleboxes forget connections too."""

_TIMEOUT: Final = re.compile(rb"\btimeout\s*=\s*(\d{1,9})", re.IGNORECASE)


class IdleLimit:
    """The limit for one target. Times are monotonic seconds."""

    __slots__ = ("_announced", "_ceiling_s", "_learned_at", "_learned_s", "limit_s")

    def __init__(self, ceiling_s: float = DEFAULT_S) -> None:
        self._ceiling_s = ceiling_s
        self._announced: bytes | None = None
        self._learned_s: float | None = None
        self._learned_at = 0.0
        self.limit_s = ceiling_s
        """How long a connection may have been idle and still be used."""

    def __repr__(self) -> str:
        return f"IdleLimit({self.limit_s:.3f} s)"

    def announced(self, keep_alive: bytes) -> None:
        """The upstream sent this Keep-Alive field (RFC 2068 section 19.7.1.1)."""
        if keep_alive == self._announced:
            return
        self._announced = keep_alive
        found = _TIMEOUT.search(keep_alive)
        if found:
            self._ceiling_s = min(LONGEST_S, _below(float(found[1])))
            self.limit_s = min(self.limit_s, self._ceiling_s) if self._learned_s else self._ceiling_s

    def closed_by_upstream(self, idle_s: float, now: float) -> None:
        """The upstream closed a connection that had been idle for `idle_s`."""
        limit_s = max(FLOOR_S, idle_s / 2)
        if limit_s < self.limit_s:
            self._learned_s = self.limit_s = limit_s
            self._learned_at = now

    def recover(self, now: float) -> None:
        """Let a learned limit grow back with time."""
        if self._learned_s is None:
            return
        self.limit_s = self._learned_s * 2 ** ((now - self._learned_at) / RECOVERY_S)
        if self.limit_s >= self._ceiling_s:
            self.limit_s = self._ceiling_s
            self._learned_s = None


def _below(timeout_s: float) -> float:
    """A limit safely under an upstream's timeout, for round trips and coarse clocks on its side."""
    return max(timeout_s - 1.0, timeout_s / 2)
