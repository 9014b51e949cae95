"""I: Failed attempts in the log: enough to see why an upstream does not answer, never a line per request."""

import logging
from typing import Final

from resilience.clock import monotonic
from resilience.outcomes import Outcome, Side

QUIET_S: Final = 10.0
_MAX_KINDS: Final = 1024
_log: Final = logging.getLogger("torana.upstream")

Kind = tuple[str, str, Outcome]


class Complaints:
    """Says the first failure of each kind, and then how many there were in each ten seconds that have some."""

    __slots__ = ("_kinds",)

    def __init__(self) -> None:
        self._kinds: dict[Kind, tuple[float, int]] = {}  # when to speak again, and how many were held back

    def note(self, failure: Exception, outcome: Outcome, *, service: str, target: str) -> None:
        """An attempt has ended with `failure`. What clients did, and stale connections, are no trouble."""
        if outcome.traits.side in (Side.CLIENT, Side.NOBODY):
            return
        kind = (service, target, outcome)
        now = monotonic()
        silent_until, held = self._kinds.get(kind, (0.0, 0))
        if now < silent_until:
            self._kinds[kind] = (silent_until, held + 1)
            return
        if len(self._kinds) >= _MAX_KINDS:
            self._kinds.clear()
        self._kinds[kind] = (now + QUIET_S, 0)
        more = f" (and {held} more since)" if held else ""
        reason = str(failure)  # the record must not hold the exception, whose traceback holds the request
        _log.warning('service "%s", target %s: %s: %s%s', service, target, outcome.value, reason, more)


COMPLAINTS: Final = Complaints()
"""This process's own."""
