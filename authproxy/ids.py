"""I: Request ids and trace context for requests that bring none (W3C Trace Context, level 1)."""

from random import Random

_random = Random()  # noqa: S311 - ids are names, not secrets; seeded by the system at start


def reseed() -> None:
    """Give a forked process a sequence of its own."""
    _random.seed()


def request_id() -> bytes:
    """32 hexadecimal digits, usable as a trace id (never all zeros)."""
    return b"%032x" % (_random.getrandbits(128) or 1)


def traceparent(trace_id: bytes) -> bytes:
    """A new trace whose id is `trace_id`: 32 lower-case hexadecimal digits."""
    return b"00-%b-%016x-01" % (trace_id, _random.getrandbits(64) or 1)
