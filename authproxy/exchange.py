"""P: The record of one request on its way through, narrowed step by step. Nothing else is passed between steps."""

from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any, Final

from authproxy.forwarded import Origin
from authproxy.headers import RequestHead
from resilience.outcomes import Outcome
from routing.paths import NormalPath
from routing.snapshot import CompiledRoute, Snapshot

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Coroutine[Any, Any, None]]
Scope = MutableMapping[str, Any]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

CLIENT_CLOSED_REQUEST = 499
"""nginx's status for a client that left before its answer; never sent, only recorded."""

SCOPE_REQUEST_ID: Final = "torana.request_id"
"""The key of the ASGI scope under which built-in endpoints find the request's id, in bytes."""


class ResponseAborted(Exception):  # noqa: N818 - an event for the server, not an error in the program
    """The answer cannot be completed: the connection must be cut, so that nobody takes a part for the whole."""


class Exchange:
    """One request and its answer. Slots are filled in the order of the pipeline's steps."""

    __slots__ = (
        "attempts",
        "head",
        "method",
        "origin",
        "outcome",
        "path",
        "receive",
        "request_id",
        "route",
        "scope",
        "send",
        "snapshot",
        "started",
        "status",
        "target",
        "traceparent",
    )

    path: NormalPath
    route: CompiledRoute
    origin: Origin

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        snapshot: Snapshot,
        head: RequestHead,
        started: float,
    ) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.snapshot = snapshot
        self.head = head
        self.started = started
        self.method: str = scope["method"]
        self.request_id = head.request_id
        self.traceparent = head.traceparent
        self.status = 0
        """The answer's status; 0 until the answer has begun, 499 when the client left before."""
        self.outcome = Outcome.OK
        self.target: str = ""
        self.attempts = 0

    def __repr__(self) -> str:
        return f"<Exchange {self.request_id!r} {self.method} {self.scope.get('path')} {self.status}>"
