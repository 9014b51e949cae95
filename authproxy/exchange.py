"""P: The record of one request on its way through, narrowed step by step. Nothing else is passed between steps."""

from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import TYPE_CHECKING, Any, Final

from authproxy.forwarded import Origin
from authproxy.headers import Pairs, RequestHead
from authproxy.identity import Identity
from authproxy.problems import Reason
from authproxy.securityfields import NO_FIELDS, SecurityFields
from resilience.breaker import Permit
from resilience.outcomes import Outcome
from routing.paths import NormalPath
from routing.snapshot import CompiledRoute, Snapshot

if TYPE_CHECKING:
    from resilience.state import TargetState
    from routing.rewrite import CompiledRewrite

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Coroutine[Any, Any, None]]
Scope = MutableMapping[str, Any]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

CLIENT_CLOSED_REQUEST = 499
"""nginx's status for a client that left before its answer; never sent, only recorded."""

SCOPE_REQUEST_ID: Final = "torana.request_id"
"""The key of the ASGI scope under which built-in endpoints find the request's id, in bytes."""
SCOPE_IDENTITY: Final = "torana.identity"
"""… and who calls: an Identity, or None."""
SCOPE_AUTH_FAILURE: Final = "torana.auth_failure"
"""… and why nobody does: "missing", "invalid", "expired", "unavailable" (the identity store is away) or "cross_site"
(a cookie that another site's page may have sent, see `authproxy.csrf`); else ""."""
SCOPE_CLIENT: Final = "torana.client"
"""… and the client's address, as text, behind trusted proxies."""


class ResponseAborted(Exception):  # noqa: N818 - an event for the server, not an error in the program
    """The answer cannot be completed: the connection must be cut, so that nobody takes a part for the whole."""


class Exchange:
    """One request and its answer. Slots are filled in the order of the pipeline's steps."""

    __slots__ = (
        "answer_fields",
        "attempts",
        "auth_failure",
        "caller_fields",
        "head",
        "held",
        "identity",
        "method",
        "origin",
        "outcome",
        "path",
        "permit",
        "receive",
        "request_id",
        "rewritten",
        "route",
        "safety",
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
    rewritten: "CompiledRewrite"
    """Of a route whose rewrite has variables: the rewrite for this request."""

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        snapshot: Snapshot,
        head: RequestHead,
        started: float,
        safety: SecurityFields = NO_FIELDS,
    ) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.snapshot = snapshot
        self.head = head
        self.started = started
        self.safety = safety
        """What answers say to browsers for their users' safety."""
        self.method: str = scope["method"]
        self.request_id = head.request_id
        self.traceparent = head.traceparent
        self.status = 0
        """The answer's status; 0 until the answer has begun, 499 when the client left before."""
        self.outcome = Outcome.OK
        self.target: str = ""
        self.identity: Identity | None = None
        """Who calls, once a credential was accepted."""
        self.auth_failure: Reason = "missing"
        """Why `identity` is None."""
        self.caller_fields: Pairs = ()
        """What the upstream gets of the client's credentials, and what it is told of the caller."""
        self.answer_fields: Pairs = ()
        """What every answer tells the client beside its own fields, such as how much of a quota is left."""
        self.permit: Permit | None = None
        """The breaker's, until it hears how the request ended."""
        self.held: TargetState | None = None
        """The target whose answer is being relayed."""
        self.attempts = 0

    def __repr__(self) -> str:
        return f"<Exchange {self.request_id!r} {self.method} {self.scope.get('path')} {self.status}>"
