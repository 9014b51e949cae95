"""P: Of a request that is over what its spans need, and how much room it takes while it waits for the collector.

A record holds the whole head of its request, of tens of kilobytes where a client wants that. Thousands wait while the
collector is away.
"""

from typing import Final

from authproxy.forwarded import Origin
from authproxy.headers import RequestHead
from observability.accesslog.line import LONGEST, Rules
from observability.traffic.record import Record

_CHARACTERS: Final = 4 * (LONGEST + 1)
"""As many bytes hold more than LONGEST characters of UTF-8: whoever cuts them off cuts at the same place."""
_HOST: Final = 255
_METHOD: Final = 32
_TRACEPARENT: Final = 64
"""More than there are in one that the gateway makes, so that none becomes equal to it."""
_ITSELF: Final = 1024
"""Bytes of a record without what clients send."""


def needed(record: Record, rules: Rules) -> Record:
    """The same spans come of it."""
    origin = record.origin
    return record._replace(
        head=_head(record.head, rules),
        method=record.method[:_METHOD],
        raw_path=record.raw_path[:_CHARACTERS],
        query=b"",
        origin=None if origin is None else Origin(origin.client_ip, origin.scheme, ()),
    )


def size_of(record: Record) -> int:
    """In bytes, about, of what `needed` gave."""
    head = record.head
    fields = sum([len(value) for _, value in head.passed])
    return _ITSELF + len(record.raw_path) + len(head.host) + len(record.request_id) + fields


def _head(head: RequestHead, rules: Rules) -> RequestHead:
    kept = RequestHead()
    kept.host, kept.traceparent = head.host[:_HOST], head.traceparent[:_TRACEPARENT]
    if b"user-agent" in rules.headers:
        for name, value in head.passed:
            if name == b"user-agent":
                kept.passed = [(name, value[:_CHARACTERS])]
                break
    return kept
