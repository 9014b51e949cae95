"""P: May an attempt that failed be repeated? The decision alone; waiting and sending are the forwarder's.

Safe means: not one byte can have reached the upstream, or the connection was a reused one that the upstream
closed before answering (the keep-alive race) and the method is idempotent (RFC 9110 section 9.2.2, RFC 9112
section 9.3.1). A POST that may have arrived is never sent twice.
"""

from enum import Enum
from typing import Final

from resilience.outcomes import Outcome

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""RFC 9110 section 9.2.2."""


class Verdict(Enum):
    STOP = "stop"
    OTHER_TARGET = "other_target"
    FRESH_CONNECTION = "fresh_connection"


_UNREACHED: Final = frozenset(
    {Outcome.DNS_ERROR, Outcome.CONNECT_REFUSED, Outcome.CONNECT_TIMEOUT, Outcome.TLS_ERROR}
)


def decide(outcome: Outcome, *, method: str, replayable: bool, fresh: bool) -> Verdict:
    """What to do after an attempt ended with `outcome`.

    `replayable`: the whole request body is in memory, or none of it has been taken from the client yet.
    `fresh`: the attempt used a connection opened for it, so a stale one cannot be the cause.
    """
    if not replayable:
        return Verdict.STOP
    if outcome in _UNREACHED:
        return Verdict.OTHER_TARGET
    if outcome is Outcome.STALE and not fresh and method in IDEMPOTENT:
        return Verdict.FRESH_CONNECTION
    return Verdict.STOP
