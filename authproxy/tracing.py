"""I: The gateway's own place in a trace: which spans are recorded, and what services are told is their parent.

W3C Trace Context, level 1. Only where traces are exported; else a client's `traceparent` goes on as it came.
"""

from dataclasses import dataclass
from typing import Final

from authproxy import ids
from authproxy.headers import RequestHead

_TRACE_ID: Final = slice(3, 35)
_FLAGS: Final = slice(53, 55)


@dataclass(frozen=True, slots=True)
class Sampling:
    """Of which traces the spans are recorded."""

    share: float = 1.0
    """From 0 to 1, picked by trace id, so that all who take the same share pick the same traces."""
    follows: bool = True
    """Where the client's `traceparent` says whether the trace is recorded, that is kept."""

    def takes(self, trace_id: bytes, flags: bytes) -> bool:
        """`flags`: the client's, two hexadecimal digits; empty where it sent none."""
        if self.follows and flags:
            return bool(int(flags, 16) & 1)
        return int(trace_id[16:], 16) < self.share * (1 << 64)


class Spans:
    """Gives each request a span id of the gateway's own."""

    __slots__ = ("_sampling",)

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling

    def traceparent(self, head: RequestHead, came: bytes) -> bytes:
        """What services get: the trace of `head`, a new span. `came` is what the client sent, empty for nothing; then
        `head` is given the new one, by which whoever makes spans later knows that it has no parent."""
        trace_id = head.traceparent[_TRACE_ID]
        is_recorded = self._sampling.takes(trace_id, came[_FLAGS])
        made = b"00-%b-%b-%b" % (trace_id, ids.span_id(), b"01" if is_recorded else b"00")
        if not came:
            head.traceparent = made
        return made
