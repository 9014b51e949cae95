"""I: Request ids and trace context for requests that bring none (W3C Trace Context, level 1)."""

import os
from random import Random

_random = Random()  # noqa: S311 - ids are names, not secrets; seeded by the system at start
os.register_at_fork(after_in_child=_random.seed)  # else two workers would make the same ones


def request_id() -> bytes:
    """32 hexadecimal digits, usable as a trace id (never all zeros)."""
    return b"%032x" % (_random.getrandbits(128) or 1)


def span_id() -> bytes:
    """16 hexadecimal digits, never all zeros."""
    return b"%016x" % (_random.getrandbits(64) or 1)


def correlation() -> tuple[bytes, bytes]:
    """A request id, and the traceparent of a new trace of the same id, so that either finds the other in logs."""
    digits = b"%048x" % (_random.getrandbits(192) | 1 << 64 | 1)
    trace_id = digits[:32]
    return trace_id, b"00-%b-%b-01" % (trace_id, digits[32:])
