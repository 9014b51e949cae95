"""I: Request ids and trace context for requests that bring none (W3C Trace Context, level 1)."""

from random import Random

_random = Random()  # noqa: S311 - ids are names, not secrets; seeded by the system at start


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
