"""P: One call on its way from its route to the transport that carries it, and how its answer is written."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final, NamedTuple, Protocol

import orjson

from resilience.outcomes import Outcome


class Readable(Protocol):
    """A method, as its messages are made and read; see `messages.Method`."""

    path: str
    is_streaming: bool

    def decode(self, data: bytes) -> bytes | None: ...


class Call(NamedTuple):
    """What the transport has to know beside the request."""

    method: Readable
    message: bytes
    service: str
    answer_metadata: frozenset[bytes]
    is_sse: bool
    ended: Callable[[Outcome], None]
    """Hears how a stream ended that broke after its beginning, where that is the service's fault."""


CURRENT: Final[ContextVar[Call | None]] = ContextVar("grpc_call", default=None)
"""The call that this task's requests make."""


def content_type(call: Call) -> bytes:
    """The media type of the answer."""
    if not call.method.is_streaming:
        return b"application/json"
    return b"text/event-stream" if call.is_sse else b"application/x-ndjson"


def item(call: Call, data: bytes) -> bytes:
    """One message of the answer, as JSON."""
    if not call.method.is_streaming:
        return data
    return b"data: %b\n\n" % data if call.is_sse else data + b"\n"


def trouble(call: Call, error: Any) -> bytes:
    """What ends a stream that broke after its beginning."""
    data = orjson.dumps({"error": error})
    return b"event: error\ndata: %b\n\n" % data if call.is_sse else data + b"\n"


def wants_sse(accept: bytes) -> bool:
    """Whether a stream is answered as events: `text/event-stream` is named in Accept, and NDJSON not before it."""
    lowered = accept.lower()
    events, lines = lowered.find(b"text/event-stream"), lowered.find(b"ndjson")
    return events >= 0 and (lines < 0 or events < lines)
